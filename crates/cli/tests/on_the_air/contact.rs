//! Writing to the operator from the command line, and what the operator sees.

use std::io::Write;

use serde_json::Value;

use crate::host::{Ended, Host, Running, tenfour};

fn contact(host: &Host, who: &str, text: &str) -> Ended {
    let mut program = tenfour();
    program.args(["contact", "--server", &host.url, "--key"]).arg(host.path(&format!("{who}.key"))).arg(text);
    Running::start(program).end()
}

fn piped(host: &Host, who: &str, text: &[u8]) -> Ended {
    let mut program = tenfour();
    program.args(["contact", "--server", &host.url, "--key"]).arg(host.path(&format!("{who}.key"))).arg("-");
    let (running, mut input) = Running::with_input(program);
    // It may have read enough.
    input.write_all(text).ok();
    drop(input);
    running.end()
}

fn inbox(host: &Host, arguments: &[&str]) -> Ended {
    let mut program = tenfour();
    program.args(["admin", "inbox", "--data"]).arg(host.path("data")).args(arguments);
    Running::start(program).end()
}

/// What each line of JSON says in a field.
fn listed(host: &Host, field: &str) -> Vec<Value> {
    let ended = inbox(host, &["--json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    ended.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()[field].clone()).collect()
}

#[test]
fn a_message_is_in_the_inbox_of_a_server_that_runs_or_not_until_it_is_removed() {
    let mut host = Host::start();
    for who in ["Ann", "Bob"] {
        assert_eq!(host.run(who, "whoami", &[]).end().code, Some(0));
    }
    assert_eq!(inbox(&host, &[]).out, "");
    let sent = contact(&host, "Ann", "Quail of Xylo whistles");
    assert_eq!(sent.code, Some(0), "{}", sent.err);
    assert!(sent.err.contains("has your message") && sent.out.is_empty(), "{}", sent.err);
    assert_eq!(
        piped(&host, "Bob", b"1  2026-01-01T00:00Z  Ann (aaaa)\r\n\x1b[2J\x1b]0;x\x07Two\n").code,
        Some(0)
    );
    let subject: Value = listed(&host, "user").remove(0);
    for running in [true, false] {
        let list = inbox(&host, &[]).out;
        let lines: Vec<&str> = list.lines().collect();
        assert!(
            lines[0].starts_with("1  20")
                && lines[0].contains("Z  Ann (")
                && lines[0].contains(subject.as_str().unwrap())
        );
        assert_eq!(lines[1..3], ["    Quail of Xylo whistles", ""]);
        assert!(lines[3].starts_with("2  20") && lines[3].contains("Z  Bob ("));
        assert_eq!(
            lines[4..],
            ["    1  2026-01-01T00:00Z  Ann (aaaa)", "    [2J]0;xTwo", ""],
            "with a margin"
        );
        assert!(!list.chars().any(|c| c.is_control() && c != '\n'), "{list:?}");
        let missing = inbox(&host, &["--remove", "1", "--remove", "77"]);
        assert_eq!(missing.code, Some(1));
        assert!(missing.err.contains("no message 77") && missing.err.contains("Nothing was removed"));
        assert_eq!(listed(&host, "id"), [1, 2]);
        if running {
            host.stop();
        }
    }
    host.start_again();
    let in_files = || {
        let files = std::fs::read_dir(host.path("data")).unwrap().map(|entry| entry.unwrap().path());
        let words = b"Quail of Xylo";
        let has = |bytes: Vec<u8>| bytes.windows(words.len()).any(|window| window == words);
        files.filter(|path| path.is_file()).any(|path| has(std::fs::read(path).unwrap()))
    };
    assert!(in_files());
    let removed = inbox(&host, &["--remove", "1"]);
    assert_eq!(removed.code, Some(0), "{}", removed.err);
    assert!(removed.err.contains("overwritten") && !in_files(), "{}", removed.err);
    assert_eq!(listed(&host, "handle"), ["Bob"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let mut program = tenfour();
    program.args(["admin", "inbox", "--data"]).arg(elsewhere.path());
    let ended = Running::start(program).end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("no store") && ended.err.contains("--data"), "{}", ended.err);
}

#[test]
fn what_cannot_be_sent_is_said_with_an_exit_code() {
    let host = Host::start();
    assert_eq!(host.run("Ann", "whoami", &[]).end().code, Some(0));
    for text in ["", " \n", &"x".repeat(2_001)] {
        let ended = contact(&host, "Ann", text);
        assert_eq!(ended.code, Some(2), "{}", ended.err);
        assert!(ended.err.contains("2,000"), "{}", ended.err);
    }
    assert_eq!(piped(&host, "Ann", &[b'x'; 1 << 20]).code, Some(2));
    assert_eq!(piped(&host, "Ann", b"\xff\xfe").code, Some(2));
    assert_eq!(contact(&host, "nobody", "x").code, Some(1), "no key is made for it");
    for n in 0..10 {
        assert_eq!(contact(&host, "Ann", &format!("Message {n}")).code, Some(0));
    }
    let ended = contact(&host, "Ann", "x");
    assert_eq!(ended.code, Some(3));
    assert!(ended.err.contains("waiting"), "{}", ended.err);
    assert_eq!(listed(&host, "id").len(), 10);
    let mut program = tenfour();
    program.args(["contact", "--server", "http://127.0.0.1:9", "--key"]).arg(host.path("Ann.key")).arg("x");
    assert_eq!(Running::start(program).end().code, Some(4));
}
