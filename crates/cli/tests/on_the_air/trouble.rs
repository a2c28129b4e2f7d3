//! Somebody is killed in the middle of a burst: the others go on.

use std::io::Read;

use rustix::process::Signal;

use crate::host::{Host, Running};
use crate::speech::{speech, write};
use crate::voice::value;

/// A talker, and one who hears half a second of it: the middle of a burst.
fn mid_burst(host: &Host, seconds: f32) -> (Running, Running) {
    write(&host.path("said.wav"), &speech(seconds));
    let mut witness = host.listen("Witness", &["--out", "-"]);
    let mut sound = witness.bytes();
    let talk = host.talk("Ann", &[host.path("said.wav").to_str().unwrap()]);
    sound.read_exact(&mut [0; 48_000]).expect("half a second of sound");
    // Goes on to be read, so that the witness is never slow.
    std::thread::spawn(move || std::io::copy(&mut sound, &mut std::io::sink()));
    (talk, witness)
}

#[test]
fn a_killed_server_is_told_to_the_talker_and_the_listener_comes_back() {
    let mut host = Host::start();
    let mut listener = host.listen("Bob", &["--bursts", "2", "--json"]);
    let (talk, _witness) = mid_burst(&host, 5.0);
    host.kill();
    let talk = talk.end();
    assert_eq!(talk.code, Some(4), "{}", talk.err);
    assert!(talk.err.contains("The link was lost"), "{}", talk.err);
    listener.said("Link lost");
    host.start_again();
    listener.said("Ready again");
    assert_eq!(value(&listener.line(), "reason"), "link_lost");
    write(&host.path("said.wav"), &speech(0.5));
    let talk = host.talk("Ann", &[host.path("said.wav").to_str().unwrap()]).end();
    assert_eq!(talk.code, Some(0), "the registration is not lost: {}", talk.err);
    assert_eq!(value(&listener.line(), "reason"), "released");
    assert_eq!(listener.end().code, Some(0));
}

#[test]
fn a_killed_listener_does_not_disturb_the_others() {
    let host = Host::start();
    let mut listener = host.listen("Bob", &["--bursts", "1", "--json"]);
    let (talk, mut witness) = mid_burst(&host, 2.0);
    witness.signal(Signal::KILL);
    witness.wait();
    assert_eq!(talk.end().code, Some(0));
    let line = listener.line();
    assert_eq!((value(&line, "frames"), value(&line, "gaps")), (101.into(), 0.into()));
}

#[test]
fn a_killed_talker_leaves_the_channel_free() {
    let host = Host::start();
    let mut listener = host.listen("Bob", &["--bursts", "2", "--json"]);
    let (mut talk, _witness) = mid_burst(&host, 5.0);
    talk.signal(Signal::KILL);
    talk.wait();
    let line = listener.line();
    assert_eq!((value(&line, "reason"), value(&line, "gaps")), ("talker_lost".into(), 0.into()));
    write(&host.path("said.wav"), &speech(0.5));
    assert_eq!(host.talk("Ann", &[host.path("said.wav").to_str().unwrap()]).end().code, Some(0));
    assert_eq!(value(&listener.line(), "reason"), "released");
}

#[test]
fn an_interrupt_releases_the_button() {
    let host = Host::start();
    let mut listener = host.listen("Bob", &["--bursts", "1", "--json"]);
    let (talk, _witness) = mid_burst(&host, 20.0);
    talk.signal(Signal::INT);
    let talk = talk.end();
    assert_eq!(talk.code, Some(0), "{}", talk.err);
    let line = listener.line();
    assert_eq!((value(&line, "reason"), value(&line, "gaps")), ("released".into(), 0.into()));
}

#[test]
fn a_recording_over_the_talk_limit_is_cut_and_said_to_be() {
    let host = Host::start_with(&[("TENFOUR_TALK_LIMIT", "5s")]);
    let mut listener = host.listen("Bob", &["--bursts", "1", "--json"]);
    write(&host.path("said.wav"), &speech(7.0));
    let talk = host.talk("Ann", &[host.path("said.wav").to_str().unwrap()]).end();
    assert_eq!(talk.code, Some(3), "{}", talk.err);
    assert!(talk.err.contains("7.0 s") && talk.err.contains("talk limit"), "{}", talk.err);
    assert_eq!(value(&listener.line(), "reason"), "talk_limit");
}
