//! What is yours at a server, from the command line, and what the operator sees of it.

use std::fs;
use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use crate::host::{Ended, Host, Running, tenfour};

/// A command of `who`, whose key is in the host's folder.
fn run(host: &Host, who: &str, command: &str, arguments: &[&str]) -> Ended {
    let mut program = tenfour();
    program.arg(command).args(["--server", &host.url, "--key"]).arg(host.path(&format!("{who}.key")));
    program.args(arguments);
    Running::start(program).end()
}

fn subject(host: &Host, id: &str) -> Ended {
    let mut program = tenfour();
    program.args(["admin", "subject", id, "--data"]).arg(host.path("data"));
    Running::start(program).end()
}

/// Registers and returns what is stored.
fn registered(host: &Host, who: &str) -> Value {
    assert_eq!(host.run(who, "whoami", &[]).end().code, Some(0));
    held(&run(host, who, "export", &[]))
}

fn held(ended: &Ended) -> Value {
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    serde_json::from_str(&ended.out).expect("one JSON object")
}

#[test]
fn a_profile_is_changed_and_shown() {
    let host = Host::start();
    registered(&host, "Ann");
    let mut bob = host.listen("Bob", &["--bursts", "1", "--json"]);
    let ended = run(&host, "Ann", "profile", &["--handle", " Zoë  92 ", "--description", "night shift"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(lines[0].starts_with("Zoë 92 (") && lines[1..] == ["night shift"], "{}", ended.out);
    let ended = run(&host, "Ann", "profile", &["--no-description"]);
    assert_eq!((ended.code, ended.out.lines().count()), (Some(0), 1), "{}", ended.out);
    let export = held(&run(&host, "Ann", "export", &[]));
    assert_eq!((&export["handle"], export.get("description")), (&"Zoë 92".into(), None));
    crate::speech::write(&host.path("said.wav"), &crate::speech::speech(0.5));
    assert_eq!(host.talk("Ann", &[host.path("said.wav").to_str().unwrap()]).end().code, Some(0));
    assert!(bob.line().contains("Zoë 92"));
}

#[test]
fn an_export_is_printed_whatever_its_size() {
    const ROWS: usize = 40_000;
    let mut host = Host::start();
    registered(&host, "Ann");
    crate::speech::write(&host.path("said.wav"), &crate::speech::speech(0.2));
    assert_eq!(host.talk("Ann", &[host.path("said.wav").to_str().unwrap()]).end().code, Some(0));
    host.stop();
    let file = fs::read_dir(host.path("data").join("log")).unwrap().next().unwrap().unwrap().path();
    let row = fs::read_to_string(&file).unwrap();
    fs::write(&file, row.repeat(ROWS)).unwrap();
    host.start_again();
    let ended = run(&host, "Ann", "export", &[]);
    assert!(ended.out.len() > 4 * 1024 * 1024, "{}", ended.out.len());
    let export = held(&ended);
    assert_eq!(export["connections"].as_array().unwrap().len(), ROWS);
    assert_eq!(export["handle"], "Ann");
}

#[test]
fn what_is_wrong_is_said_with_a_way_out_and_an_exit_code() {
    let host = Host::start();
    registered(&host, "Ann");
    for arguments in [&[][..], &["--description", "a", "--no-description"]] {
        assert_eq!(run(&host, "Ann", "profile", arguments).code, Some(2), "{arguments:?}");
    }
    let ended = run(&host, "Ann", "profile", &["--handle", "Road\u{200B}runner"]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.err.contains("U+200B"), "{}", ended.err);
    let ended = run(&host, "Ann", "logout", &[]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("--all"), "{}", ended.err);
    let ended = run(&host, "Ann", "erase", &[]);
    assert_eq!(ended.code, Some(2), "nobody can be asked");
    assert!(ended.err.contains("--yes"), "{}", ended.err);
    for command in
        [&["export"][..], &["erase", "--yes"], &["logout", "--all"], &["profile", "--no-description"]]
    {
        let ended = run(&host, "nobody", command[0], &command[1..]);
        assert_eq!(ended.code, Some(1), "{command:?}: {}", ended.err);
        assert!(ended.err.contains("no key at") && ended.err.contains("--key"), "{}", ended.err);
        assert!(!host.path("nobody.key").exists(), "none is made");
    }
    let elsewhere = Host::start();
    fs::copy(host.path("Ann.key"), elsewhere.path("Ann.key")).unwrap();
    let ended = run(&elsewhere, "Ann", "export", &[]);
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    assert!(ended.err.contains("not known here"), "{}", ended.err);
}

#[test]
fn the_operator_sees_what_the_user_sees_while_the_server_runs_and_when_it_does_not() {
    let mut host = Host::start();
    registered(&host, "Ann");
    let _listening = host.listen("Ann", &[]);
    assert_eq!(run(&host, "Ann", "contact", &["Somebody whistles on 19"]).code, Some(0));
    let export = held(&run(&host, "Ann", "export", &[]));
    let id = export["user"].as_str().unwrap();
    let seen = |host: &Host| {
        let mut seen = held(&subject(host, id));
        // The export's own session is over by now, and another one listens.
        seen["sessions"].as_array_mut().unwrap().clear();
        // Who listens comes back to a server that starts again.
        seen["connections"].as_array_mut().unwrap().truncate(1);
        seen
    };
    assert_eq!(export["messages"][0]["text"], "Somebody whistles on 19");
    let mut expected = export.clone();
    expected["sessions"].as_array_mut().unwrap().clear();
    assert_eq!(seen(&host), expected);
    assert_eq!(held(&subject(&host, id))["sessions"].as_array().unwrap().len(), 1, "whoami has logged out");
    host.kill();
    assert_eq!(seen(&host), expected);
    host.start_again();
    assert_eq!(seen(&host), expected);
    let ended = subject(&host, "00000000000000000000000000000000");
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("Nothing is stored"), "{}", ended.err);
    assert_eq!(subject(&host, "Ann").code, Some(2), "no identifier");
    let mut program = tenfour();
    program.args(["admin", "subject", id, "--data"]).arg(host.path("elsewhere"));
    let ended = Running::start(program).end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("--data"), "{}", ended.err);
}

#[test]
fn who_is_erased_is_gone_everywhere() {
    let host = Host::start();
    registered(&host, "Ann");
    assert_eq!(run(&host, "Ann", "contact", &["Somebody whistles on 19"]).code, Some(0));
    let export = held(&run(&host, "Ann", "export", &[]));
    let listening = host.listen("Ann", &[]);
    let ended = run(&host, "Ann", "erase", &["--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("Ann") && ended.err.contains("Ann.key"), "{}", ended.err);
    let listening = listening.end();
    assert_eq!(listening.code, Some(3), "{}", listening.err);
    assert!(listening.err.contains("erased"), "{}", listening.err);
    assert_eq!(run(&host, "Ann", "erase", &["--yes"]).code, Some(3), "nobody is there to be erased");
    assert_eq!(subject(&host, export["user"].as_str().unwrap()).code, Some(1));
    assert_eq!(hits(&host.path("data"), &traces(&export)), 0);
    assert_eq!(registered(&host, "Ann")["sessions"].as_array().unwrap().len(), 1, "one may begin anew");
}

/// A session is good for 30 days: what has ended has no use for it.
#[test]
fn no_command_leaves_a_session_behind() {
    let host = Host::start();
    crate::speech::write(&host.path("said.wav"), &crate::speech::speech(0.2));
    let said = host.path("said.wav");
    assert_eq!(host.run("Ann", "whoami", &[]).end().code, Some(0));
    assert_eq!(host.run("Ann", "channels", &[]).end().code, Some(0));
    assert_eq!(host.run("Ann", "listen", &["--for", "100ms"]).end().code, Some(0));
    assert_eq!(host.talk("Ann", &[said.to_str().unwrap()]).end().code, Some(0));
    assert_eq!(run(&host, "Ann", "contact", &["Somebody whistles on 19"]).code, Some(0));
    assert_eq!(run(&host, "Ann", "profile", &["--handle", "Anna"]).code, Some(0));
    let export = held(&run(&host, "Ann", "export", &[]));
    assert_eq!(export["sessions"].as_array().unwrap().len(), 1, "its own, which is over by now");
    let seen = held(&subject(&host, export["user"].as_str().unwrap()));
    assert_eq!(seen["sessions"], Value::Array(Vec::new()));
}

#[test]
fn a_log_out_of_all_ends_radios_that_run() {
    let host = Host::start();
    registered(&host, "Ann");
    let (listening, bob) = (host.listen("Ann", &[]), host.listen("Bob", &["--for", "2s"]));
    assert_eq!(run(&host, "Ann", "logout", &["--all"]).code, Some(0));
    let listening = listening.end();
    assert_eq!(listening.code, Some(3));
    assert!(listening.err.contains("logged out"), "{}", listening.err);
    assert_eq!(bob.end().code, Some(0), "others go on");
    assert_eq!(held(&run(&host, "Ann", "export", &[]))["sessions"].as_array().unwrap().len(), 1);
}

/// The bytes by which somebody could be found in a file.
pub(crate) fn traces(export: &Value) -> Vec<Vec<u8>> {
    let text = |value: &Value| value.as_str().unwrap().as_bytes().to_vec();
    let bytes = |value: &Value| BASE64URL_NOPAD.decode(value.as_str().unwrap().as_bytes()).unwrap();
    let sessions = export["sessions"].as_array().unwrap();
    let mut traces = vec![text(&export["handle"]), text(&export["user"]), bytes(&export["key"])];
    traces.push(id_bytes(export["user"].as_str().unwrap()));
    traces.extend(sessions.iter().map(|session| bytes(&session["token_hash"])));
    // The beginning: what is longer than a page of the store goes on elsewhere.
    let messages = export["messages"].as_array().into_iter().flatten();
    traces.extend(messages.map(|message| text(&message["text"])[..16].to_vec()));
    traces
}

/// An identifier as it is stored.
fn id_bytes(id: &str) -> Vec<u8> {
    id.parse::<tenfour_protocol::UserId>().unwrap().as_bytes().to_vec()
}

/// How many of them are in the files of a folder.
pub(crate) fn hits(folder: &Path, traces: &[Vec<u8>]) -> usize {
    let entries = fs::read_dir(folder).unwrap().chain(fs::read_dir(folder.join("log")).into_iter().flatten());
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    // One that is removed meanwhile holds nothing.
    let files = paths.flat_map(fs::read);
    let found = |file: &[u8], trace: &[u8]| file.windows(trace.len()).any(|window| window == trace);
    files.map(|file| traces.iter().filter(|trace| found(&file, trace)).count()).sum()
}
