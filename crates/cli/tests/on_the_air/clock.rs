//! The clock of whoever talks is not believed, nor is that of a server: what is recorded and played has
//! a most.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tenfour_client::{Client, Identity, Options, Server, log_in};
use tenfour_core::radio::{Event, Input};
use tenfour_protocol::control::{EndReason, FrameTime, Outcome};

use crate::host::{Host, Running, tenfour};
use crate::liar::{Liar, Lie};
use crate::speech::read;
use crate::voice::value;

/// Narrow band speech, 20 ms: RFC 6716, table 2.
const OPUS_20_MS: [u8; 2] = [1 << 3, 0];
/// Two frames of 60 ms in one packet.
const OPUS_120_MS: [u8; 3] = [3 << 3 | 1, 0, 0];

/// Says 20 frames, and of each that it comes a second after the one before.
async fn jump(url: String) -> Outcome {
    let server = Server::new(&url, None).unwrap();
    let identity = Arc::new(Identity::generate().unwrap());
    let session = log_in(&server, &identity, Some("Ann")).await.unwrap();
    let options = Options { program: "jumper 1".into(), ..Options::default() };
    let mut client = Client::new(server, identity, session, options);
    let channel = "19".parse().unwrap();
    client.handle(Input::Tune { channel, catch_up: false });
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let (mut pressed, mut frames) = (false, 0..20);
    loop {
        tokio::select! {
            event = client.next() => match event {
                Event::Tuned { info, .. } => {
                    client.handle(Input::Press { channel: info.channel, frame_ms: FrameTime::Ms20 });
                    pressed = true;
                }
                Event::Receipt { outcome, .. } => return outcome,
                _ => {}
            },
            _ = ticks.tick(), if pressed => match frames.next() {
                Some(n) => client.handle(Input::Frame { media_time: n * 48_000, payload: OPUS_20_MS.into() }),
                None => client.handle(Input::Release),
            },
        }
    }
}

#[test]
fn a_press_whose_clock_jumps_is_no_longer_in_a_file_or_an_ear() {
    let host = Host::start();
    let folder = host.path("heard");
    let mut recorded = host.listen("Bob", &["--bursts", "1", "--json", "--out", folder.to_str().unwrap()]);
    let mut played = host.listen("Cat", &["--bursts", "1", "--out", "-"]);
    let mut sound = played.bytes();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(jump(host.url.clone()));
    assert_eq!(outcome, Outcome::Aired { frames: 20, ended: EndReason::Released, dropped: None });
    let line = recorded.line();
    assert_eq!((value(&line, "frames"), value(&line, "gaps")), (20.into(), 0.into()));
    // Twenty frames are 400 ms.
    let file = read(value(&line, "file").as_str().unwrap().as_ref());
    let duration = value(&line, "duration").as_f64().unwrap();
    assert!((duration - file.len() as f64 / 48_000.0).abs() < 1e-6, "{duration}");
    assert!(duration <= 4.4, "{duration} s are recorded");
    let mut bytes = Vec::new();
    sound.read_to_end(&mut bytes).unwrap();
    let heard = bytes.len() as f64 / 96_000.0;
    assert!(heard <= 4.4, "{heard} s are played");
}

/// Each as many frames as a burst can have.
fn lies() -> [(&'static str, Lie); 4] {
    let all = u16::MAX;
    [
        ("steps of a second", Lie { frames: all, seq: 1, media: 48_000, payload: &OPUS_20_MS }),
        ("the longest steps", Lie { frames: all, seq: 1, media: (1 << 31) - 1, payload: &OPUS_20_MS }),
        ("losses that are none", Lie { frames: 600, seq: 100, media: 1 << 30, payload: &OPUS_20_MS }),
        ("packets longer than announced", Lie { frames: all, seq: 1, media: 960, payload: &OPUS_120_MS }),
    ]
}

#[test]
fn a_server_that_lies_makes_no_recording_longer_than_a_burst() {
    let lies = lies();
    let server = Liar::start(lies.iter().map(|(_, lie)| *lie).collect());
    let folder = tempfile::tempdir().unwrap();
    let mut program = tenfour();
    program.args(["listen", "--server", &server.url, "--handle", "Bob", "--json", "--bursts", "4", "--key"]);
    program.arg(folder.path().join("Bob.key")).arg("--out").arg(folder.path().join("heard"));
    let mut listener = Running::start(program);
    for (name, _) in lies {
        let line: Value = serde_json::from_str(&listener.line()).unwrap();
        let file = std::fs::metadata(line["file"].as_str().unwrap()).unwrap();
        // The talk limit that it told is a minute. Samples have two bytes, and the header 44.
        assert!(file.len() <= 64 * 96_000 + 44, "{name}: {} bytes: {line}", file.len());
        assert!(line["duration"].as_f64().unwrap() <= 64.0, "{name}: {line}");
    }
}
