//! Wrong use, bad recordings, refusals: an exit code that tells the truth, and words that help.

use std::fs;

use crate::host::{Ended, Host, Running, tenfour};
use crate::speech::{speech, write};

fn run(arguments: &[&str]) -> Ended {
    let mut program = tenfour();
    program.args(arguments);
    Running::start(program).end()
}

#[test]
fn wrong_use_is_exit_2_before_anything_is_done() {
    for arguments in [
        &["talk"][..],
        &["talk", "--channel", "41", "a.wav"],
        &["talk", "--channel", "Ünder", "a.wav"],
        &["listen", "--for", "soon"],
        &["listen", "--bursts", "0"],
        &["shout"],
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.err);
    }
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("a.key");
    let key = key.to_str().unwrap();
    let ended = run(&["whoami", "--key", key, "--server", "radio.example"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("https://radio.example"), "{}", ended.err);
}

#[cfg(not(feature = "audio"))]
#[test]
fn a_microphone_that_was_not_built_in_is_explained() {
    let ended = run(&["talk", "--mic"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("--features audio") && ended.err.contains("arecord"), "{}", ended.err);
}

#[test]
fn without_a_server_it_is_exit_4() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("a.key");
    // Port 1 has no server on any machine that runs tests.
    let server = "http://127.0.0.1:1";
    for command in ["listen", "channels", "whoami"] {
        let ended = run(&[command, "--server", server, "--handle", "A", "--key", key.to_str().unwrap()]);
        assert_eq!(ended.code, Some(4), "{command}: {}", ended.err);
        assert!(ended.err.contains(server) && ended.err.contains("running"), "{}", ended.err);
    }
}

#[test]
fn a_bad_recording_is_exit_1_and_nobody_is_bothered() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let good = folder.path().join("good.wav");
    write(&good, &speech(0.5));
    let whole = fs::read(&good).unwrap();
    write(&folder.path().join("silent.wav"), &[]);
    for (path, words) in [
        (file("empty.wav", b""), "empty.wav"),
        (file("text.wav", b"this is no wav at all, but some text"), "it is text"),
        (file("header.wav", &whole[..30]), "header.wav"),
        (file("picture.wav", b"\x89PNG\r\n\x1a\n"), "PNG"),
        (folder.path().join("silent.wav"), "no sound in it"),
        (folder.path().join("missing.wav"), "missing.wav"),
    ] {
        // Without a server: the recording is looked at first.
        let ended = run(&["talk", "--server", "http://127.0.0.1:1", path.to_str().unwrap()]);
        assert_eq!(ended.code, Some(1), "{path:?}: {}", ended.err);
        assert!(ended.err.contains(words), "{path:?}: {}", ended.err);
    }
}

#[test]
fn a_handle_is_asked_for_once_and_kept() {
    let host = Host::start();
    let key = host.path("a.key");
    let whoami = |more: &[&str]| {
        run(&[&["whoami", "--json", "--server", &host.url, "--key", key.to_str().unwrap()][..], more]
            .concat())
    };
    let ended = whoami(&[]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("--handle NAME"), "{}", ended.err);
    let ended = whoami(&["--handle", "two\nlines"]);
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    assert!(whoami(&["--handle", "Ann"]).err.contains("Registered"));
    assert!(whoami(&[]).out.contains("\"handle\":\"Ann\""));
    let ended = whoami(&["--handle", "Bob"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.err.contains("registered as Ann") && ended.out.contains("Ann"), "{}", ended.err);
}

#[test]
fn channels_are_listed_with_their_people() {
    let host = Host::start();
    let _bob = host.listen("Bob", &["--channel", "19"]);
    let list = host.run("Ann", "channels", &["--json"]).end();
    assert_eq!(list.code, Some(0), "{}", list.err);
    let line =
        |channel: &str| list.out.lines().find(|l| l.contains(&format!("\"channel\":\"{channel}\""))).unwrap();
    assert!(line("19").contains("\"count\":1") && line("40").contains("\"count\":0"), "{}", list.out);
    assert!(host.run("Ann", "channels", &[]).end().out.contains("19  Calling"));
}

#[test]
fn too_few_bursts_in_the_time_is_exit_1() {
    let host = Host::start();
    let ended = host.listen("Bob", &["--bursts", "1", "--for", "300ms"]).end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("Heard 0 of 1"), "{}", ended.err);
    assert_eq!(host.listen("Bob", &["--for", "100ms"]).end().code, Some(0));
}

#[test]
fn an_empty_pipe_is_nothing_to_say() {
    let host = Host::start();
    let ended = host.talk("Ann", &["-"]).end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("nothing to say"), "{}", ended.err);
}
