//! What is said is heard.

use std::io::{Read, Write};

use crate::host::{Host, Running, tenfour};
use crate::speech::{assert_same, read, speech, write};

/// The value of a key in a line of JSON.
pub(crate) fn value(line: &str, key: &str) -> serde_json::Value {
    let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    line[key].clone()
}

#[test]
fn a_recording_is_heard_whole() {
    let host = Host::start();
    let said = speech(3.0);
    write(&host.path("said.wav"), &said);
    let heard = host.path("heard");
    let mut listener = host.listen("Bob", &["--bursts", "1", "--json", "--out", heard.to_str().unwrap()]);
    let talk = host.talk("Ann", &[host.path("said.wav").to_str().unwrap()]).end();
    assert_eq!(talk.code, Some(0), "{}", talk.err);
    assert!(talk.out.contains("Aired on channel 19"), "{}", talk.out);
    let line = listener.line();
    assert_eq!(listener.end().code, Some(0));
    assert_eq!((value(&line, "talker"), value(&line, "channel")), ("Ann".into(), "19".into()));
    assert_eq!((value(&line, "gaps"), value(&line, "reason")), (0.into(), "released".into()));
    assert_eq!(value(&line, "frames"), 151, "150 frames, and one that flushes the codec");
    assert_same(&said, &read(value(&line, "file").as_str().unwrap().as_ref()));
}

#[test]
fn a_recording_is_heard_whole_with_low_data() {
    let host = Host::start();
    let said = speech(2.4);
    write(&host.path("said.wav"), &said);
    let heard = host.path("heard");
    let mut listener = host.listen("Bob", &["--bursts", "1", "--json", "--out", heard.to_str().unwrap()]);
    let talk = host.talk("Ann", &["--low-data", host.path("said.wav").to_str().unwrap()]).end();
    assert_eq!(talk.code, Some(0), "{}", talk.err);
    let line = listener.line();
    assert_eq!((value(&line, "frames"), value(&line, "gaps")), (41.into(), 0.into()));
    assert_same(&said, &read(value(&line, "file").as_str().unwrap().as_ref()));
}

#[test]
fn a_pipe_in_comes_out_of_a_pipe() {
    let host = Host::start();
    let said = speech(2.0);
    let mut listener = host.listen("Bob", &["--bursts", "1", "--out", "-"]);
    let mut sound = listener.bytes();
    let mut program = tenfour();
    program.args(["talk", "--server", &host.url, "--handle", "Ann", "--json", "-", "--key"]);
    let (talk, mut pipe) = Running::with_input({
        program.arg(host.path("Ann.key"));
        program
    });
    let bytes: Vec<u8> = said.iter().flat_map(|x| ((x * 32_767.0) as i16).to_le_bytes()).collect();
    pipe.write_all(&bytes).unwrap();
    drop(pipe);
    let talk = talk.end();
    assert_eq!(talk.code, Some(0), "{}", talk.err);
    assert_eq!((value(&talk.out, "sent"), value(&talk.out, "outcome")), (101.into(), "aired".into()));
    let mut heard = Vec::new();
    sound.read_to_end(&mut heard).unwrap();
    assert_eq!(listener.end().code, Some(0));
    let heard: Vec<f32> =
        heard.chunks_exact(2).map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0).collect();
    // Played at the pace of the sound, so a stall of this machine may lengthen it.
    assert!(heard.len() >= said.len(), "{} of {} samples", heard.len(), said.len());
}

#[test]
fn a_scan_hears_both_channels() {
    let host = Host::start();
    let said = speech(0.5);
    write(&host.path("said.wav"), &said);
    let mut listener =
        host.listen("Bob", &["--bursts", "2", "--json", "--channel", "7", "--channel", "road-66"]);
    for channel in ["7", "road-66"] {
        let file = host.path("said.wav");
        assert_eq!(host.talk("Ann", &["--channel", channel, file.to_str().unwrap()]).end().code, Some(0));
        assert_eq!(value(&listener.line(), "channel"), channel);
    }
    assert_eq!(listener.end().code, Some(0));
}

#[test]
fn two_talkers_at_once_are_both_heard_whole() {
    let host = Host::start();
    let said = speech(1.5);
    write(&host.path("said.wav"), &said);
    let file = host.path("said.wav");
    let heard = host.path("heard");
    let mut listener = host.listen("Bob", &["--bursts", "2", "--json", "--out", heard.to_str().unwrap()]);
    let talkers = ["Ann", "Cat"].map(|who| host.talk(who, &[file.to_str().unwrap()]));
    for talk in talkers {
        assert_eq!(talk.end().code, Some(0));
    }
    for _ in 0..2 {
        let line = listener.line();
        assert_eq!((value(&line, "frames"), value(&line, "gaps")), (76.into(), 0.into()));
        assert_same(&said, &read(value(&line, "file").as_str().unwrap().as_ref()));
    }
}
