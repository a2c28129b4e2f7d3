//! Where settings come from, which one counts, and that the example file tells the truth.

use std::path::Path;

use tenfour_server::config::{Config, ConfigError, LogFormat, Settings, SettingsError, Tls};
use tenfour_server::connection_log::Rules;

const EXAMPLE: &str = include_str!("../../../deploy/tenfour.toml");

/// Keys whose example is no default, because there is none that holds everywhere.
const NO_DEFAULT: [&str; 14] = [
    "ops",
    "data",
    "operator",
    "workers",
    "tls",
    "tls_cert",
    "tls_key",
    "nats",
    "nats_creds",
    "cluster_secret_file",
    "nats_open",
    "nats_prefix",
    "nats_store",
    "node",
];

fn settings(toml: &str) -> Result<Settings, SettingsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenfour.toml");
    std::fs::write(&path, toml).unwrap();
    Settings::from_file(&path)
}

fn environment(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    Settings::from_env(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// The example with its keys switched on.
fn example() -> String {
    let keys = EXAMPLE.lines().filter_map(|line| line.strip_prefix("# "));
    let keys = keys.filter(|line| {
        line.starts_with('[')
            || line.split_once(" = ").is_some_and(|(key, _)| {
                key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            })
    });
    keys.collect::<Vec<_>>().join("\n")
}

fn keys(settings: &Settings) -> Vec<(String, bool)> {
    let json = serde_json::to_value(settings).unwrap();
    json.as_object().unwrap().iter().map(|(key, value)| (key.clone(), !value.is_null())).collect()
}

#[test]
fn the_example_file_as_it_is_changes_nothing() {
    assert_eq!(settings(EXAMPLE).unwrap(), Settings::default());
}

#[test]
fn the_example_file_has_every_key() {
    for (key, present) in keys(&settings(&example()).unwrap()) {
        assert!(present, "deploy/tenfour.toml lacks {key}");
    }
}

#[test]
fn the_example_file_shows_the_defaults() {
    let shown = settings(&example()).unwrap();
    let mut kept = serde_json::to_value(&shown).unwrap();
    for key in NO_DEFAULT {
        kept[key] = serde_json::Value::Null;
    }
    let shown = Config::new(serde_json::from_value(kept).unwrap()).unwrap();
    let default = Config::new(Settings::default()).unwrap();
    assert_eq!(format!("{shown:?}"), format!("{default:?}"));
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file() {
    let file = settings("listen = '127.0.0.1:1'\nhost = 'File'\nhold = '3s'\nlog_format = 'json'\nconnection_log_days = 3\nstats_threshold = 20\nstats_epsilon = 0.5").unwrap();
    let environment = environment(&[
        ("TENFOUR_LISTEN", "127.0.0.1:2"),
        ("TENFOUR_HOST", "Environment"),
        ("TENFOUR_ORIGINS", "https://a.example, https://b.example"),
        ("TENFOUR_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8"),
        ("TENFOUR_CHANNELS", "19=Talk,road-66=Trucks"),
        ("TENFOUR_CONNECTION_LOG", "false"),
        ("TENFOUR_CONNECTION_LOG_DAYS", "5"),
        ("TENFOUR_STATS_THRESHOLD", "10"),
        ("TENFOUR_SERVER", "for the clients"),
        ("PATH", "/bin"),
    ])
    .unwrap();
    let listen = Some("127.0.0.1:3".parse().unwrap());
    let flags = Settings { listen, connection_log_days: Some(30), ..Settings::default() };
    let config = Config::new(flags.over(environment).over(file)).unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.host, "Environment");
    assert_eq!(config.hold.as_secs(), 3);
    assert_eq!(config.log_format, LogFormat::Json);
    assert_eq!(config.origins, ["https://a.example", "https://b.example"]);
    let proxies: Vec<_> = config.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["127.0.0.1/32", "10.0.0.0/8"]);
    assert_eq!(config.channels.values().collect::<Vec<_>>(), ["Talk", "Trucks"]);
    assert_eq!((config.connection_log, config.connection_log_days), (false, 30));
    assert_eq!(config.stats, Rules { epsilon: 0.5, threshold: 10 });
}

#[test]
fn other_nodes_are_named_in_every_source() {
    let file =
        settings("nats = ['nats://a.example', 'tls://b.example:4443']\nnode = 'alpha'\nnats_open = true")
            .unwrap();
    let environment = environment(&[
        ("TENFOUR_NATS", "127.0.0.1:4222, 127.0.0.1:4223"),
        ("TENFOUR_NATS_PREFIX", "club"),
        ("TENFOUR_NATS_STORE", "false"),
        ("TENFOUR_NATS_CREDS", "/etc/tenfour/nats.creds"),
        ("TENFOUR_CLUSTER_SECRET_FILE", "/etc/tenfour/cluster.secret"),
    ])
    .unwrap();
    let nats = Config::new(environment.over(file.clone())).unwrap().nats.unwrap();
    let servers: Vec<_> = nats.servers.iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["nats://127.0.0.1:4222", "nats://127.0.0.1:4223"]);
    assert_eq!((nats.node.as_str(), nats.prefix.as_str(), nats.store), ("alpha", "club", false));
    assert_eq!(nats.secret.as_deref(), Some(Path::new("/etc/tenfour/cluster.secret")));
    let nats = Config::new(file).unwrap().nats.unwrap();
    assert_eq!(nats.servers[1].to_string(), "tls://b.example:4443");
    assert_eq!((nats.prefix.as_str(), nats.store, nats.creds), ("tenfour", true, None));
    assert_eq!(Config::new(Settings::default()).unwrap().nats, None);
}

/// Whoever gets to NATS is root there, unless nodes have what NATS has not.
#[test]
fn a_nats_elsewhere_is_locked_or_said_to_be_open() {
    let asked = |toml: &str| Config::new(settings(toml).unwrap());
    let (far, near) =
        ("nats = ['tls://nats.example']", "nats = ['nats://127.0.0.1', 'nats://[::1]', 'nats://localhost']");
    let locked = format!("{far}\nnats_creds = 'a'\ncluster_secret_file = 'b'");
    assert_eq!(asked(&locked).unwrap().nats.unwrap().trusts(), None);
    let plain = locked.replace("tls://", "nats://");
    let mixed = locked.replace("['", "['tls://127.0.0.1', 'nats://other.example', '");
    let no_creds = format!("{far}\ncluster_secret_file = 'b'");
    let no_secret = format!("{far}\nnats_creds = 'a'");
    for (toml, words) in [
        (&plain, "no tls://"),
        (&mixed, "no tls://"),
        (&no_creds, "no nats_creds"),
        (&no_secret, "no cluster_secret_file"),
    ] {
        let error = asked(toml).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("nats_open = true"), "{toml}: {error}");
        // The operator may say so, and is told what that means.
        let nats = asked(&format!("{toml}\nnats_open = true")).unwrap().nats.unwrap();
        assert!(nats.trusts().is_some(), "{toml}");
        assert!(asked(&format!("{toml}\nnats_open = false")).is_err());
    }
    let nats = asked(near).unwrap().nats.unwrap();
    assert!(nats.trusts().unwrap().contains("log in as anybody"), "nothing has to be said, and it is told");
    assert_eq!(asked(&format!("{near}\ncluster_secret_file = 'b'")).unwrap().nats.unwrap().trusts(), None);
    for key in ["nats_open = true", "cluster_secret_file = 'b'"] {
        assert!(matches!(asked(key), Err(ConfigError::NoNats(_))), "{key}");
    }
    for megabytes in ["1", "100001"] {
        let error = asked(&format!("connection_log_mb = {megabytes}")).unwrap_err();
        assert!(matches!(error, ConfigError::OutOfRange { key: "connection_log_mb", .. }));
    }
    assert!(matches!(asked("users = 0"), Err(ConfigError::OutOfRange { key: "users", .. })));
}

#[test]
fn without_any_settings_the_server_is_on_loopback() {
    let config = Config::new(Settings::default()).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:27185");
    assert_eq!((config.ops, config.tls), (None, Tls::Off));
    assert!(config.data.ends_with("tenfour"));
}

#[test]
fn what_is_wrong_in_a_source_is_named() {
    let text = |result: Result<Settings, SettingsError>| result.unwrap_err().to_string();
    assert!(text(settings("lisen = '127.0.0.1:1'")).contains("lisen"));
    assert!(text(settings("listen = '127.0.0.1'")).contains("line 1"));
    assert!(text(settings("hold = '10'")).contains("10s"));
    assert!(text(settings("[channels]\n77 = 'None'")).contains("1 to 40"));
    assert!(text(environment(&[("TENFOUR_WORKERS", "many")])).contains("TENFOUR_WORKERS"));
    assert!(text(environment(&[("TENFOUR_LOG", "loud")])).contains("`debug`"));
    assert!(text(settings("trusted_proxies = ['10.0.0.0/33']")).contains("10.0.0.0/8"));
    assert!(text(environment(&[("TENFOUR_TRUSTED_PROXIES", "proxy")])).contains("10.0.0.0/8"));
    assert!(text(settings("nats = ['nats://me:secret@x']")).contains("--nats-creds"));
    let missing = Settings::from_file(Path::new("/nowhere/tenfour.toml"));
    assert!(missing.unwrap_err().to_string().contains("/nowhere/tenfour.toml"));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let refused = |toml: &str| Config::new(settings(toml).unwrap()).unwrap_err();
    assert!(matches!(refused("hold = '1s'"), ConfigError::OutOfRange { key: "hold", .. }));
    assert!(matches!(refused("talk_limit = '11m'"), ConfigError::OutOfRange { key: "talk_limit", .. }));
    assert!(matches!(refused("workers = 0"), ConfigError::OutOfRange { key: "workers", .. }));
    for days in ["0", "31"] {
        let error = refused(&format!("connection_log_days = {days}"));
        assert!(matches!(error, ConfigError::OutOfRange { key: "connection_log_days", .. }));
    }
    assert!(matches!(refused("stats_threshold = 1"), ConfigError::OutOfRange { key: "stats_threshold", .. }));
    for epsilon in ["0.0", "10.5", "-1.0", "nan", "inf"] {
        let error = refused(&format!("stats_epsilon = {epsilon}"));
        assert!(matches!(error, ConfigError::OutOfRange { key: "stats_epsilon", .. }), "{epsilon}");
    }
    assert!(matches!(refused("tls_cert = 'a'"), ConfigError::HalfTls));
    assert!(matches!(refused("tls = 'on'"), ConfigError::UnknownTls(_)));
    assert!(matches!(refused("tls = 'self-signed'\ntls_cert = 'a'\ntls_key = 'b'"), ConfigError::TwoTls));
    for origin in ["radio.example", "https://radio.example/", "HTTPS://radio.example", "https://"] {
        assert!(matches!(refused(&format!("origins = ['{origin}']")), ConfigError::Origin(_)), "{origin}");
    }
    assert!(matches!(refused("node = 'alpha'"), ConfigError::NoNats("node")));
    for bad in ["nats_prefix = 'a.b'", "nats_prefix = ''", "node = 'a b'", "node = '*'"] {
        let error = refused(
            &format!("nats = ['nats://127.0.0.1']\nnode = 'x'\n{bad}")
                .replace(if bad.starts_with("node") { "node = 'x'\n" } else { "\u{0}" }, ""),
        );
        assert!(matches!(error, ConfigError::Word { most: 32, .. }), "{bad}");
    }
    assert!(matches!(refused("host = ''"), ConfigError::Label { key: "host", .. }));
    let long = format!("operator = '{}'", "x".repeat(201));
    assert!(matches!(refused(&long), ConfigError::Label { key: "operator", most: 200, .. }));
}
