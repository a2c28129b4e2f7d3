//! The server has nothing to open a connection with: no client of HTTP, of names or of mail is in its
//! tree. A feature that needs one (certificates by ACME) has to keep it out of the others.

use std::process::Command;

/// Crates that ask other machines for something.
const CLIENTS: [&str; 36] = [
    "actix-http-client",
    "attohttpc",
    "awc",
    "aws-config",
    "chttp",
    "curl",
    "curl-sys",
    "h3",
    "hickory-client",
    "hickory-resolver",
    "http-req",
    "hyper-rustls",
    "hyper-tls",
    "instant-acme",
    "isahc",
    "lettre",
    "minreq",
    "native-tls",
    "octocrab",
    "openssl",
    "opentelemetry-otlp",
    "posthog-rs",
    "quinn",
    "reqwest",
    "rustls-acme",
    "rustls-platform-verifier",
    "self_update",
    "sentry",
    "surf",
    "tokio-tungstenite",
    "tonic",
    "tungstenite",
    "update-informer",
    "ureq",
    "webpki-roots",
    "wreq",
];
/// Features that make a client of a crate that is also something else.
const CLIENT_FEATURES: [(&str, &str); 5] = [
    ("hyper", "client"),
    ("hyper-util", "client"),
    ("hyper-util", "client-legacy"),
    ("axum", "ws"),
    ("h2", "client"),
];

/// What a package asks other machines with, by its normal dependencies and their features.
fn clients_of(package: &str) -> Vec<String> {
    let text = tree_of(package);
    assert!(text.contains("hyper v"), "the tree was read: {text}");
    let mut found = Vec::new();
    for (name, features) in text.lines().filter_map(|line| line.split_once('|')) {
        let name = name.split(' ').next().unwrap_or_default();
        let features: Vec<_> = features.split([',', ' ']).collect();
        let is_client = CLIENTS.contains(&name);
        let made = CLIENT_FEATURES.iter().find(|(of, feature)| *of == name && features.contains(feature));
        found.extend(is_client.then(|| name.to_owned()));
        found.extend(made.map(|(of, feature)| format!("{of} with {feature}")));
    }
    found.sort();
    found.dedup();
    found
}

/// A package and its normal dependencies, one a line, with their features.
fn tree_of(package: &str) -> String {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", package, "--edges", "normal"])
        .args(["--prefix", "none", "--no-dedupe", "--format", "{p}|{f}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    String::from_utf8(tree.stdout).expect("crate names")
}

#[test]
fn no_client_of_http_is_in_the_tree() {
    assert_eq!(clients_of("tenfour-server"), Vec::<String>::new());
}

#[test]
fn in_the_trees_of_clients_they_are_found() {
    assert_eq!(clients_of("tenfour-client"), ["hyper with client"]);
    let attackers = clients_of("tenfour-attack");
    assert!(attackers.contains(&"tokio-tungstenite".to_owned()), "{attackers:?}");
}

#[test]
fn tls_and_websocket_know_no_other_crate_of_ours() {
    for leaf in ["tenfour-tls", "tenfour-websocket"] {
        let tree = tree_of(leaf);
        assert!(tree.contains("zeroize v"), "the tree was read: {tree}");
        let ours: Vec<_> = tree.lines().filter(|line| line.starts_with("tenfour-")).collect();
        assert!(ours.len() == 1 && ours[0].starts_with(leaf), "{ours:?}");
    }
}
