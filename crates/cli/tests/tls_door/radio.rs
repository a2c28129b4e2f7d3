//! The same tricks on a radio socket, to which voice is sealed in rows that others share.

use std::ops::Range;

use fastrand::Rng;
use rustls::ContentType;
use serde_json::json;

use crate::line::Mode;
use crate::peer::{Came, Peer};
use crate::server::Server;
use crate::socket::{Account, FINAL_TEXT, Hello, Socket, frame};

/// Frames that are said at a time.
const FRAMES: u16 = 10;
/// Bytes of one payload.
const PAYLOAD: usize = 80;

/// A talker and three who hear, on channel 19.
struct Air {
    server: Server,
    talker: Socket,
    honest: Vec<Socket>,
    rng: Rng,
}

impl Air {
    fn open(mode: Mode) -> Self {
        let server = Server::start(mode);
        let mut rng = Rng::with_seed(0x4a1);
        let mut open = |name: &str| tuned(&Account::register(server.door(), &mut rng, name));
        let talker = open("Talker");
        let honest = (0..3).map(|number| open(&format!("Listener {number}"))).collect();
        let mut air = Self { server, talker, honest, rng };
        let start =
            json!({ "type": "burst.start", "channel": "19", "burst": 1, "codec": "opus", "frame_ms": 20 });
        air.talker.send(&start);
        air
    }

    /// Says frames, which the honest hear.
    fn say(&mut self, frames: Range<u16>) {
        for seq in frames.clone() {
            self.talker.voice(1, seq, &payload(seq));
        }
        for listener in &mut self.honest {
            assert_eq!(listener.hear(frames.len()), frames.clone().map(payload).collect::<Vec<_>>());
        }
    }
}

impl Drop for Air {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let log = String::from_utf8(self.server.log()).expect("text");
            assert!(!log.contains("panicked"), "{log}");
        }
    }
}

fn payload(seq: u16) -> Vec<u8> {
    let mut payload = vec![seq.to_be_bytes()[1]; PAYLOAD];
    payload[0] = 0x98;
    payload
}

fn tuned(account: &Account) -> Socket {
    let mut socket = account.open(Hello::InTurn, &json!({}));
    socket.ask(&json!({ "type": "tune", "channel": "19" }), "tuned");
    socket
}

/// Part of a handshake message waits in the session while voice is sealed for it: a library that is shown
/// nothing then looks for it, and panics.
#[test]
fn voice_goes_on_past_a_listener_who_has_sent_a_part_of_a_message() {
    for mode in [Mode::Tls12, Mode::Tls13] {
        let mut air = Air::open(mode);
        let account = Account::register(air.server.door(), &mut air.rng, "Half");
        let mut peer = Peer::shaken(air.server.door());
        let hello = json!({ "type": "hello", "client": "hostile 1" }).to_string();
        let tune = json!({ "type": "tune", "channel": "19" }).to_string();
        let all = [
            account.request().into_bytes(),
            frame(FINAL_TEXT, hello.as_bytes()),
            frame(FINAL_TEXT, tune.as_bytes()),
        ];
        let sealed = peer.seal(&all.concat());
        peer.send(&sealed);
        peer.until_said(b"\"tuned\"");
        let mut forger = peer.forge();
        let part = forger.seal(ContentType::Handshake, &[if forger.is_new { 24 } else { 1 }]);
        forger.send(&part);
        air.say(0..FRAMES);
        // It was heard or left, but is no reason to stop.
        let came = forger.until(usize::from(FRAMES) * PAYLOAD);
        assert!(matches!(came, Came::Answers(_) | Came::End(_)), "{came:?}");
        air.say(FRAMES..2 * FRAMES);
    }
}

/// The answer to a key update goes out before the next record, which is longer by it.
#[test]
fn a_listener_who_updates_its_keys_hears_every_frame() {
    let mut air = Air::open(Mode::Tls13);
    let account = Account::register(air.server.door(), &mut air.rng, "New keys");
    let mut listener = tuned(&account);
    // Two seconds of voice: more may not be said at once.
    for round in 0..10 {
        listener.line.update_keys();
        let frames = round * FRAMES..(round + 1) * FRAMES;
        air.say(frames.clone());
        assert_eq!(listener.hear(frames.len()), frames.map(payload).collect::<Vec<_>>(), "round {round}");
    }
}

/// A talker's frames, each cut into records of one byte.
#[test]
fn a_talker_whose_records_have_one_byte_is_heard() {
    for mode in [Mode::Tls12, Mode::Tls13] {
        let mut air = Air::open(mode);
        let mut expected = Vec::new();
        for seq in 0..FRAMES {
            let whole = frame(crate::socket::FINAL_BINARY, &crate::socket::voice(1, seq, &payload(seq)));
            let records: Vec<u8> = whole.iter().flat_map(|byte| air.talker.line.seal(&[*byte])).collect();
            air.talker.line.write_raw(&records).expect("the server reads");
            expected.push(payload(seq));
        }
        for listener in &mut air.honest {
            assert_eq!(listener.hear(expected.len()), expected);
        }
    }
}
