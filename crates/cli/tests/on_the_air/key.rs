//! A key that goes to another device in a file.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tenfour_protocol::UserId;

use crate::host::{Ended, Host, Running, tenfour};

const PASSPHRASE: &str = "five by five";

fn key(act: &str, file: &Path, own: &Path, more: &[&str]) -> Command {
    let mut program = tenfour();
    program.args(["key", act]).arg(file).arg("--key").arg(own).args(more);
    program
}

/// With the passphrase from a pipe.
fn piped(program: Command, passphrase: &str) -> Ended {
    let (running, mut input) = Running::with_input(program);
    // A command that refuses before it asks has closed the pipe.
    input.write_all(format!("{passphrase}\nsecond line\n").as_bytes()).ok();
    drop(input);
    running.end()
}

fn identifier(ended: &Ended) -> UserId {
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let word = |name: &str| {
        let line = ended.out.lines().find(|line| line.starts_with(name)).expect(name);
        line.split_whitespace().last().expect("a word").to_owned()
    };
    let user: UserId = word("identifier").parse().expect("an identifier");
    assert_eq!(word("tag"), user.tag().to_string());
    user
}

#[test]
fn a_key_goes_to_another_device_and_is_the_same_person_there() {
    let host = Host::start();
    assert_eq!(host.run("Ann", "whoami", &[]).end().code, Some(0));
    let file = host.path("ann.key.json");
    let there = identifier(&piped(key("export", &file, &host.path("Ann.key"), &[]), PASSPHRASE));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let here = identifier(&piped(key("import", &file, &host.path("device/Else.key"), &[]), PASSPHRASE));
    assert_eq!(here, there);
    fs::copy(host.path("device/Else.key"), host.path("Else.key")).unwrap();
    let me = host.run("Else", "whoami", &["--json"]).end();
    assert!(me.out.contains("\"handle\":\"Ann\"") && me.out.contains(&here.to_string()), "{}", me.out);
    let words = host.run("Else", "whoami", &[]).end();
    assert!(words.err.contains(&format!("going on as Ann ({})", here.tag())), "{}", words.err);
}

#[test]
fn what_is_wrong_with_a_key_file_is_said_and_nothing_is_written() {
    let host = Host::start();
    assert_eq!(host.run("Ann", "whoami", &[]).end().code, Some(0));
    let (own, file, new) = (host.path("Ann.key"), host.path("ann.key.json"), host.path("new.key"));
    let ended = piped(key("export", &file, &own, &[]), "1234567");
    assert_eq!((ended.code, file.exists()), (Some(2), false), "{}", ended.err);
    assert!(ended.err.contains("8 characters"), "{}", ended.err);
    let ended = piped(key("export", &file, &host.path("nobody.key"), &[]), PASSPHRASE);
    assert_eq!((ended.code, file.exists()), (Some(1), false), "{}", ended.err);
    identifier(&piped(key("export", &file, &own, &[]), PASSPHRASE));
    let text = fs::read_to_string(&file).unwrap();
    let ended = piped(key("export", &file, &own, &[]), "another one");
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "a file that is there stays");
    let wrong = piped(key("import", &file, &new, &[]), "five by six");
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.err.contains("passphrase does not fit"), "{}", wrong.err);
    for (damaged, words) in [
        (text.replace("\"iterations\": 600000", "\"iterations\": 600001"), "damaged"),
        (text.replace("\"version\": 1", "\"version\": 2"), "newer"),
        ("buy milk".into(), "no Tenfour key file"),
        (String::new(), "no Tenfour key file"),
        ("x".repeat(1 << 20), "no Tenfour key file"),
        (fs::read_to_string(&own).unwrap(), "no Tenfour key file"),
    ] {
        fs::write(host.path("damaged"), damaged).unwrap();
        let ended = piped(key("import", &host.path("damaged"), &new, &[]), PASSPHRASE);
        assert_eq!(ended.code, Some(1));
        assert!(ended.err.contains(words), "{}", ended.err);
    }
    let ended = piped(key("import", &host.path("nowhere"), &new, &[]), PASSPHRASE);
    assert_eq!(ended.code, Some(1));
    assert!(!new.exists());
}

#[test]
fn another_key_is_replaced_only_when_asked_and_kept_beside() {
    let host = Host::start();
    for who in ["Ann", "Bob"] {
        assert_eq!(host.run(who, "whoami", &[]).end().code, Some(0));
    }
    let (file, bob) = (host.path("ann.key.json"), host.path("Bob.key"));
    let ann = identifier(&piped(key("export", &file, &host.path("Ann.key"), &[]), PASSPHRASE));
    let before = fs::read(&bob).unwrap();
    let ended = piped(key("import", &file, &bob, &[]), PASSPHRASE);
    assert_eq!((ended.code, fs::read(&bob).unwrap()), (Some(2), before.clone()));
    assert!(ended.err.contains("--replace"), "{}", ended.err);
    let ended = piped(key("import", &file, &bob, &["--replace"]), PASSPHRASE);
    assert_eq!(identifier(&ended), ann);
    assert!(ended.err.contains("Bob.key.old"), "{}", ended.err);
    assert_eq!(fs::read(host.path("Bob.key.old")).unwrap(), before);
    assert_eq!(fs::metadata(host.path("Bob.key.old")).unwrap().permissions().mode() & 0o777, 0o600);
    let again = piped(key("import", &file, &bob, &[]), PASSPHRASE);
    assert_eq!(identifier(&again), ann, "the same key is no other");
}

/// `script` runs a command at a terminal of its own, and writes down all that it shows.
#[test]
fn at_a_terminal_the_passphrase_is_asked_for_and_not_shown() {
    let host = Host::start();
    assert_eq!(host.run("Ann", "whoami", &[]).end().code, Some(0));
    let at_terminal = |act: &str, file: &str, own: &str, answers: &[(&str, &str)]| {
        let command = key(act, &host.path(file), &host.path(own), &[]);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let line: Vec<_> = words.map(|word| word.to_str().unwrap()).collect();
        let mut program = Command::new("script");
        program.args(["--quiet", "--return", "--flush", "--command", &line.join(" "), "/dev/null"]);
        let (mut running, mut input) = Running::with_input(program);
        let mut shown = String::new();
        for (question, answer) in answers {
            running.shows(&mut shown, question);
            input.write_all(format!("{answer}\n").as_bytes()).unwrap();
        }
        let ended = running.end();
        (ended.code, shown + &ended.out)
    };
    let twice = [("Passphrase for", PASSPHRASE), ("once more", "five by six")];
    let (code, shown) = at_terminal("export", "ann.key.json", "Ann.key", &twice);
    assert_eq!((code, host.path("ann.key.json").exists()), (Some(2), false), "{shown}");
    assert!(shown.contains("not the same"), "{shown}");
    let twice = [("Passphrase for", PASSPHRASE), ("once more", PASSPHRASE)];
    let (code, shown) = at_terminal("export", "ann.key.json", "Ann.key", &twice);
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("five") && shown.contains("identifier"), "{shown}");
    let once = [("Passphrase of", PASSPHRASE)];
    let (code, shown) = at_terminal("import", "ann.key.json", "New.key", &once);
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("five") && host.path("New.key").exists(), "{shown}");
}
