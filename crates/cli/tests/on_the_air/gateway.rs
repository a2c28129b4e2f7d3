//! What gateways do: sound that comes in calls, sound that never ends, sound that comes late, sound of any kind.

use std::io::{Read, Write};
use std::process::ChildStdin;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::host::{Host, Running};
use crate::speech::{assert_same, read, speech, write};
use crate::voice::value;

/// Samples in a block of a live source, 20 ms.
const BLOCK: usize = 960;

/// A receiver, a scanner: something that gives sound while it comes.
struct Live {
    pipe: ChildStdin,
    /// When the next block is due.
    due: Instant,
}

impl Live {
    fn new(pipe: ChildStdin) -> Self {
        Self { pipe, due: Instant::now() }
    }

    /// At the pace of the sound.
    fn give(&mut self, sound: &[f32]) {
        for block in sound.chunks(BLOCK) {
            std::thread::sleep(self.due.saturating_duration_since(Instant::now()));
            self.due += Duration::from_millis(20);
            let bytes: Vec<u8> = block.iter().flat_map(|x| ((x * 32_767.0) as i16).to_le_bytes()).collect();
            self.pipe.write_all(&bytes).unwrap();
        }
    }

    /// Gives nothing for this long. What is given then was said then.
    fn pause(&mut self, time: Duration) {
        self.due = self.due.max(Instant::now()) + time;
    }

    /// Gives nothing for this long, and then all that was said meanwhile at once.
    fn hiccup(time: Duration) {
        std::thread::sleep(time);
    }
}

fn talk(host: &Host, arguments: &[&str]) -> (Running, Live) {
    let (talk, pipe) =
        Running::with_input(host.command("Ann", "talk", &[&["-", "--json"], arguments].concat()));
    (talk, Live::new(pipe))
}

#[test]
fn each_call_of_a_squelch_is_a_burst_and_whole() {
    let host = Host::start();
    let heard = host.path("heard");
    let mut listener = host.listen("Bob", &["--bursts", "3", "--json", "--out", heard.to_str().unwrap()]);
    let (mut talk, mut live) = talk(&host, &["--vox"]);
    talk.said("Ready:");
    let call = speech(1.5);
    for _ in 0..3 {
        live.give(&call);
        live.pause(Duration::from_millis(1500));
    }
    drop(live);
    for _ in 0..3 {
        let line = listener.line();
        assert_eq!((value(&line, "reason"), value(&line, "gaps")), ("released".into(), 0.into()), "{line}");
        assert_same(&call, &read(value(&line, "file").as_str().unwrap().as_ref()));
        assert_eq!(value(&talk.line(), "outcome"), "aired");
    }
    assert_eq!(talk.end().code, Some(0));
}

#[test]
fn silence_makes_no_call_and_ends_one() {
    let host = Host::start();
    let mut listener = host.listen("Bob", &["--bursts", "2", "--json"]);
    let (mut talk, mut live) = talk(&host, &["--vox"]);
    talk.said("Ready:");
    // A receiver whose squelch gives zeros.
    for _ in 0..2 {
        live.give(&vec![0.0; 48_000]);
        live.give(&speech(1.0));
    }
    live.give(&vec![0.0; 48_000]);
    drop(live);
    for _ in 0..2 {
        let seconds = value(&listener.line(), "duration").as_f64().unwrap();
        // What was said, the fifth of a second before it, and the pause that ended it.
        assert!((1.5..2.2).contains(&seconds), "{seconds}");
        talk.line();
    }
    assert_eq!(talk.end().code, Some(0));
}

#[test]
fn whoever_is_stopped_in_a_call_is_heard_up_to_there_and_leaves() {
    let host = Host::start();
    let mut listener = host.listen("Bob", &["--bursts", "1", "--json"]);
    let (mut talk, mut live) = talk(&host, &["--vox"]);
    talk.said("Ready:");
    live.give(&speech(1.0));
    talk.signal(Signal::INT);
    assert_eq!(value(&talk.line(), "outcome"), "aired");
    // The source goes on: it does not end by itself.
    let ended = talk.end();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(value(&listener.line(), "reason"), "released");
    drop(live);
}

#[test]
fn nobody_hears_a_source_later_for_each_of_its_hiccups() {
    let host = Host::start();
    let mut listener = host.listen("Bob", &["--bursts", "1", "--json"]);
    let (mut talk, mut live) = talk(&host, &[]);
    for _ in 0..4 {
        live.give(&speech(0.4));
        Live::hiccup(Duration::from_millis(800));
    }
    live.give(&speech(3.6));
    drop(live);
    let ended = Instant::now();
    let line = talk.line();
    assert_eq!(value(&line, "outcome"), "aired");
    // One hiccup after the other was 3.2 s.
    assert!(ended.elapsed() < Duration::from_millis(1600), "{:?} late", ended.elapsed());
    assert_eq!(value(&listener.line(), "gaps"), 0);
}

#[test]
fn a_stream_has_the_length_of_the_time() {
    let host = Host::start();
    let mut listener =
        host.listen("Bob", &["--channel", "19", "--out", "-", "--fill", "silence", "--for", "6s"]);
    let mut sound = listener.bytes();
    let said = host.path("said.wav");
    write(&said, &speech(1.0));
    assert_eq!(host.talk("Ann", &[said.to_str().unwrap()]).end().code, Some(0));
    let mut heard = Vec::new();
    sound.read_to_end(&mut heard).unwrap();
    assert_eq!(listener.end().code, Some(0));
    let seconds = heard.len() as f64 / 2.0 / 48_000.0;
    assert!((5.5..6.5).contains(&seconds), "{seconds} s");
    let loud =
        heard.chunks_exact(2).filter(|b| i16::from_le_bytes([b[0], b[1]]).unsigned_abs() > 300).count();
    assert!(loud > 10_000, "the burst is in it: {loud}");
}

#[test]
fn a_recording_in_a_pipe_is_a_recording_and_no_noise() {
    let host = Host::start();
    let said = speech(1.5);
    write(&host.path("said.wav"), &said);
    let wav = std::fs::read(host.path("said.wav")).unwrap();
    let heard = host.path("heard");
    let mut listener = host.listen("Bob", &["--bursts", "1", "--json", "--out", heard.to_str().unwrap()]);
    let (talk, mut live) = talk(&host, &[]);
    live.pipe.write_all(&wav).unwrap();
    drop(live);
    assert_eq!(talk.end().code, Some(0));
    assert_same(&said, &read(value(&listener.line(), "file").as_str().unwrap().as_ref()));
}

#[test]
fn what_is_no_sound_is_named_and_nobody_hears_it() {
    let host = Host::start();
    let page = b"<!doctype html><title>Hotel</title><p>Please accept the terms to go on.".repeat(100);
    for (bytes, name) in [(&page[..], "text"), (&b"\x89PNG\r\n\x1a\n".repeat(1000)[..], "PNG")] {
        let (talk, mut live) = talk(&host, &[]);
        // It may have ended before it has read all.
        let _ = live.pipe.write_all(bytes);
        drop(live);
        let ended = talk.end();
        assert_eq!(ended.code, Some(1), "{}", ended.err);
        assert!(ended.err.contains("standard input") && ended.err.contains(name), "{}", ended.err);
        assert_eq!(ended.out, "");
    }
}

#[test]
fn wrong_flags_of_a_gateway_say_what_goes_together() {
    let host = Host::start();
    write(&host.path("said.wav"), &speech(0.5));
    let said = host.path("said.wav");
    for (command, arguments, words) in [
        ("talk", vec![said.to_str().unwrap(), "--vox"], "--vox goes with - or --mic"),
        ("talk", vec!["-", "--vox", "--vox-level", "3"], "-90 to -3"),
        ("talk", vec!["-", "--vox", "--vox-pause", "2s"], "100ms to 900ms"),
        ("talk", vec![host.folder.path().to_str().unwrap()], "is a folder"),
        ("listen", vec!["--fill", "silence"], "--out -"),
    ] {
        let ended = host.run("Ann", command, &arguments).end();
        assert!(matches!(ended.code, Some(1 | 2)), "{arguments:?}: {:?}", ended.code);
        assert!(ended.err.contains(words), "{arguments:?}: {}", ended.err);
    }
}
