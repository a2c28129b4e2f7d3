//! Who is in range hears it, and nobody else.

use std::path::PathBuf;

use crate::host::{Ended, Host, Running, tenfour};
use crate::speech::{speech, write};
use crate::voice::value;

/// Where the talker is, a place 8 km from there (the centres of the two cells are 6.5 km apart) and
/// one 60 km from there (59.5 km).
const HERE: &str = "44.80,20.46";
const NEAR: &str = "44.872,20.46";
const FAR: &str = "45.34,20.46";

/// A recording that is recognised by its frames.
fn recording(host: &Host, frames: u8) -> PathBuf {
    let path = host.path(&format!("{frames}.wav"));
    // One frame more flushes the codec.
    write(&path, &speech(f32::from(frames - 1) * 0.02));
    path
}

/// Says something of so many frames, and waits for the receipt.
fn say(host: &Host, who: &str, frames: u8, arguments: &[&str]) -> Ended {
    let file = recording(host, frames);
    let talk = host.talk(who, &[arguments, &[file.to_str().unwrap()]].concat()).end();
    assert_eq!(talk.code, Some(0), "{}", talk.err);
    talk
}

/// Hears so many bursts from a place.
fn listen(host: &Host, who: &str, bursts: &str, arguments: &[&str]) -> Running {
    host.listen(who, &[&["--json", "--bursts", bursts], arguments].concat())
}

/// Frames and S-meter of the next burst.
fn burst(listener: &mut Running) -> (serde_json::Value, serde_json::Value) {
    let line = listener.line();
    assert_eq!(value(&line, "gaps"), 0, "{line}");
    (value(&line, "frames"), value(&line, "grade"))
}

#[test]
fn a_limited_burst_is_heard_nearby_and_an_unlimited_one_by_all() {
    let host = Host::start();
    let mut near = listen(&host, "Near", "2", &["--at", NEAR]);
    let mut far = listen(&host, "Far", "1", &["--at", FAR]);
    let mut nowhere = listen(&host, "Nowhere", "1", &[]);
    let talk = say(&host, "Ann", 30, &["--at", HERE, "--range", "25km"]);
    assert!(talk.out.contains("within 25 km"), "{}", talk.out);
    // Its end was told to whoever heard it before the next one begins.
    assert_eq!(burst(&mut near), (30.into(), 5.into()));
    say(&host, "Ann", 40, &["--at", HERE]);
    assert_eq!(burst(&mut near), (40.into(), 5.into()));
    assert_eq!(burst(&mut far), (40.into(), 2.into()), "the first that is heard so far away");
    assert_eq!(burst(&mut nowhere), (40.into(), serde_json::Value::Null), "and without a place");
    for listener in [near, far, nowhere] {
        assert_eq!(listener.end().code, Some(0));
    }
}

#[test]
fn who_listens_nearby_only_does_not_hear_an_unlimited_burst_from_afar() {
    let host = Host::start();
    let mut near = listen(&host, "Near", "2", &["--at", NEAR, "--rx-range", "10km"]);
    let mut far = listen(&host, "Far", "1", &["--at", FAR, "--rx-range", "10km"]);
    say(&host, "Ann", 30, &["--at", HERE]);
    assert_eq!(burst(&mut near), (30.into(), 5.into()));
    // Somebody next to the one far away, who would be heard by all if it were not for ranges.
    say(&host, "Eve", 40, &["--at", FAR]);
    assert_eq!(burst(&mut far), (40.into(), 5.into()), "the first that is heard");
    say(&host, "Ann", 50, &["--at", HERE]);
    assert_eq!(burst(&mut near), (50.into(), 5.into()), "and that one not nearby");
    for listener in [near, far] {
        assert_eq!(listener.end().code, Some(0));
    }
}

#[test]
fn people_see_country_and_signal_and_no_coordinate() {
    let host = Host::start();
    let mut program = tenfour();
    program.args(["listen", "--server", &host.url, "--handle", "Bob", "--bursts", "1", "--key"]);
    program.arg(host.path("Bob.key")).env("TENFOUR_AT", NEAR);
    let mut listener = Running::start(program);
    let located = listener.said("Located");
    assert!(located.contains("in RS") && located.contains("memory only"), "{located}");
    listener.said("Ready:");
    let talk = say(&host, "Ann", 30, &["--at", HERE]);
    let line = listener.line();
    assert!(line.contains("  RS  S5  "), "{line}");
    let ended = listener.end();
    let printed = [talk.err, talk.out, ended.err, located, line].concat();
    assert!(!printed.contains("44.8") && !printed.contains("20.46"), "{printed}");
}

/// Everybody on the computer may read the words of a program, and its owner the variables.
#[cfg(target_os = "linux")]
#[test]
fn the_place_is_not_in_what_a_program_was_started_with_once_it_is_ready() {
    let host = Host::start();
    let key = host.path("Bob.key");
    for words in [&["--at", HERE][..], &[&format!("--at={HERE}")]] {
        let mut program = tenfour();
        program.args(["listen", "--server", &host.url, "--handle", "Bob", "--key"]).arg(&key).args(words);
        program.env("TENFOUR_AT", NEAR);
        let listener = Running::start(program);
        listener.said("Ready:");
        for (file, kept) in [("cmdline", "--at"), ("environ", "TENFOUR_AT=************\0")] {
            let text = std::fs::read(format!("/proc/{}/{file}", listener.pid())).unwrap();
            let text = String::from_utf8_lossy(&text);
            assert!(text.contains(kept), "{text}");
            assert!(!text.contains(HERE) && !text.contains(NEAR), "{text}");
        }
    }
}

#[test]
fn a_place_or_range_that_is_wrong_is_exit_2_with_the_form_that_is_right() {
    // Without a server: it is looked at first.
    let run = |arguments: &[&str]| {
        let mut program = tenfour();
        program.args(arguments).args(["--server", "http://127.0.0.1:1"]);
        let ended = Running::start(program).end();
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.err);
        ended.err
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("said.wav");
    write(&file, &speech(0.2));
    let file = file.to_str().unwrap();
    for (place, words) in [
        ("", "44.81,20.46"),
        ("Belgrade", "44.81,20.46"),
        ("44.7 20.3", "comma in between"),
        ("91,20.3", "a latitude is -90 to 90 degrees"),
        ("-91,20.3", "a latitude is -90 to 90 degrees"),
        ("44.7,-180.1", "a longitude is -180 to 180 degrees"),
        ("NaN,inf", "44.81,20.46"),
    ] {
        for verb in [&["listen"][..], &["talk", file]] {
            let said = run(&[verb, &["--at", place]].concat());
            assert!(said.contains(words), "{said}");
            assert!(place.is_empty() || !said.contains(place), "a place is not printed: {said}");
        }
    }
    for arguments in [&["listen", "--rx-range", "10km"][..], &["talk", file, "--range", "25km"]] {
        let said = run(arguments);
        assert!(said.contains("a limited range needs --at LAT,LON"), "{said}");
    }
    for range in ["30km", "25", "25 km", "-10km", "", "1e3km"] {
        let said = run(&["talk", file, "--at", HERE, &format!("--range={range}")]);
        assert!(said.contains("10km, 25km, 50km, 100km, 250km, 500km, 1000km or unlimited"), "{said}");
    }
}

#[test]
fn help_lists_the_ranges_and_does_not_print_the_place_in_the_environment() {
    for verb in ["talk", "listen"] {
        let mut program = tenfour();
        program.args([verb, "--help"]).env("TENFOUR_AT", HERE);
        let help = Running::start(program).end().out;
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains("100km, 250km, 500km, 1000km or unlimited"), "{help}");
        assert!(help.contains("TENFOUR_AT") && !help.contains(HERE), "{help}");
    }
}

#[test]
fn what_should_be_heard_nearby_is_not_said_to_all_when_the_server_takes_no_place() {
    let host = Host::start();
    let mut listener = listen(&host, "Bob", "1", &[]);
    // As many as a key may say in an hour.
    for _ in 0..12 {
        assert_eq!(host.listen("Ann", &["--at", HERE, "--for", "0s"]).end().code, Some(0));
    }
    let file = recording(&host, 30);
    let talk = host.talk("Ann", &["--at", HERE, "--range", "25km", file.to_str().unwrap()]).end();
    assert_eq!(talk.code, Some(3), "{}", talk.err);
    assert!(talk.err.contains("changed too often") && talk.err.contains("Nothing was said"), "{}", talk.err);
    let talk = say(&host, "Ann", 40, &["--at", HERE]);
    assert!(talk.err.contains("Going on without a place"), "{}", talk.err);
    assert_eq!(burst(&mut listener), (40.into(), serde_json::Value::Null));
    let witness = host.run("Ann", "listen", &["--at", HERE, "--rx-range", "10km"]);
    let told = witness.said("changed too often");
    assert!(told.contains("those who talk without a limit"), "{told}");
    witness.said("Ready:");
}
