//! Recordings outlive whoever makes them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::host::{Host, Running};
use crate::speech::{speech, write};
use crate::voice::value;

/// A burst that is recorded, in the middle of it.
fn recording(host: &Host) -> (Running, Running, PathBuf) {
    write(&host.path("said.wav"), &speech(8.0));
    let folder = host.path("heard");
    let listener = host.listen("Bob", &["--json", "--out", folder.to_str().unwrap()]);
    let talk = host.talk("Ann", &[host.path("said.wav").to_str().unwrap()]);
    let begin = Instant::now();
    loop {
        let file = std::fs::read_dir(&folder).unwrap().next().map(|entry| entry.unwrap().path());
        if let Some(file) = file.filter(|file| seconds(file) >= 2.0) {
            return (listener, talk, file);
        }
        assert!(begin.elapsed() < Duration::from_secs(40), "nothing is recorded");
        std::thread::yield_now();
    }
}

pub(crate) fn seconds(wav: &Path) -> f64 {
    hound::WavReader::open(wav).map_or(0.0, |wav| f64::from(wav.duration()) / 48_000.0)
}

#[test]
fn a_recording_outlives_its_listener() {
    let host = Host::start();
    let (mut listener, mut talk, file) = recording(&host);
    listener.signal(Signal::KILL);
    listener.wait();
    talk.signal(Signal::INT);
    talk.wait();
    assert!(seconds(&file) >= 2.0);
    let again = host.talk("Ann", &[file.to_str().unwrap()]).end();
    assert_eq!(again.code, Some(0), "what was recorded can be talked: {}", again.err);
}

#[test]
fn a_listener_whose_terminal_is_closed_finishes_its_file_and_tells() {
    let host = Host::start();
    let (mut listener, _talk, file) = recording(&host);
    listener.signal(Signal::HUP);
    let line = listener.line();
    assert_eq!(
        (value(&line, "reason"), value(&line, "file")),
        ("stopped".into(), file.to_str().unwrap().into())
    );
    let duration = value(&line, "duration").as_f64().unwrap();
    assert!((seconds(&file) - duration).abs() < 1e-6, "{line}");
    let started = value(&line, "started").as_str().unwrap().replace(['-', ':'], "");
    assert!(file.to_str().unwrap().contains(&format!("0001-{started}-19-Ann-")), "{line}");
    assert_eq!(listener.end().code, Some(0));
}
