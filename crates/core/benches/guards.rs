//! The voice path in instructions: they repeat, where time does not.
//!
//! `cargo xtask guards` runs this under valgrind, which counts inside one function at a time, and
//! compares with docs/instructions.toml. Each function does its work [`TIMES`] times; what it needs is
//! made before, and not counted.

mod crowd;

use std::hint::black_box;

use tenfour_core::hub::{Hears, Hub, HubConfig, Input, Tuned};
use tenfour_core::voice::{ByGrade, Deck, Packet, Turn, Uplink, UplinkOutput, unframed};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::FrameTime;
use tenfour_protocol::{BurstNo, Range, VoiceFrame};

/// How often each piece of work is done.
const TIMES: u16 = 1000;
const BURST: BurstNo = BurstNo(1);
const START: Time = Time::from_micros(1_000_000);

fn main() {
    let guard = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    match guard.as_deref() {
        Some("parse") => guarded_parse(&messages()),
        Some("door") => door(),
        Some("append") => append(),
        Some("write") => write(),
        Some("audience") => audience(),
        // `cargo test --benches` and `cargo bench` run it without a name.
        _ => println!("parse door append write audience"),
    }
}

/// Frames as they come from a talker: 80 bytes of Opus.
fn messages() -> Vec<Vec<u8>> {
    let mut payload = [0x5a; 80];
    // CELT, 20 ms, one frame.
    payload[0] = 0x98;
    let message = |seq| {
        let frame = VoiceFrame {
            burst: BURST,
            seq,
            media_time: u32::from(seq) * 960,
            last: false,
            payload: &payload,
        };
        frame.to_bytes()
    };
    (0..TIMES).map(message).collect()
}

fn packets() -> Vec<Packet> {
    let messages = messages();
    let parsed = messages.iter().map(|bytes| VoiceFrame::parse(bytes).expect("a frame"));
    parsed.map(|frame| Packet::new(unframed, &frame, START)).collect()
}

fn deck(listeners: u64) -> Deck<()> {
    let mut deck = Deck::new(std::time::Duration::from_secs(10));
    let listeners = (1..=listeners).map(|conn| Tuned::Hears(Hears { conn: ConnId(conn), grade: None }));
    deck.open(BURST, ByGrade::from_fn(|_| ()), 1, true, listeners, START);
    serve(&mut deck);
    deck
}

/// Everybody who is due takes everything, as a worker does it; says how many frames that were.
fn serve(deck: &mut Deck<()>) -> usize {
    let mut written = 0;
    while let Some(conn) = deck.due(START).and_then(Turn::listener) {
        let frames = deck.frames(conn).map(|frames| frames.map(black_box).len());
        let items = frames.unwrap_or_else(|| {
            let mut items = Vec::new();
            deck.gather(conn, 32, &mut items);
            items.len()
        });
        deck.advance(conn, items);
        written += frames.unwrap_or(0);
    }
    written
}

/// A voice frame is read from its bytes.
#[inline(never)]
fn guarded_parse(messages: &[Vec<u8>]) {
    for message in messages {
        black_box(VoiceFrame::parse(black_box(message)).ok());
    }
}

fn door() {
    let mut uplink = Uplink::new(unframed, START);
    uplink.start(BURST, FrameTime::Ms20, START);
    uplink.admit(BURST, BurstNo(7), START);
    while uplink.poll().is_some() {}
    guarded_door(&mut uplink, &messages());
}

/// A frame passes the door: checked, framed once, handed on.
#[inline(never)]
fn guarded_door(uplink: &mut Uplink, messages: &[Vec<u8>]) {
    let mut now = START;
    let mut passed = 0;
    for message in messages {
        now += std::time::Duration::from_millis(20);
        uplink.frame(message, now);
        while let Some(output) = uplink.poll() {
            passed += usize::from(matches!(output, UplinkOutput::Frame { .. }));
            black_box(output);
        }
    }
    assert_eq!(passed, messages.len(), "every frame passes");
}

fn append() {
    guarded_append(&mut deck(0), packets());
}

/// A frame joins the log of its burst.
#[inline(never)]
fn guarded_append(deck: &mut Deck<()>, packets: Vec<Packet>) {
    for packet in packets {
        deck.append(BURST, packet, START);
    }
}

fn write() {
    let mut deck = deck(1);
    assert_eq!(guarded_write(&mut deck, packets()), usize::from(TIMES), "every frame is lent");
}

/// A frame goes to one listener: appended, found due, lent, taken.
#[inline(never)]
fn guarded_write(deck: &mut Deck<()>, packets: Vec<Packet>) -> usize {
    let mut written = 0;
    for packet in packets {
        deck.append(BURST, packet, START);
        written += serve(deck);
    }
    written
}

fn audience() {
    let mut hub = Hub::new(HubConfig::default());
    (1..=1000).for_each(|number| crowd::join(&mut hub, number, Range::Km100, START));
    hub.handle_timeout(START + std::time::Duration::from_secs(5));
    crowd::drain(&mut hub);
    // The first large piece of memory after a thousand joins has the allocator tidy up what they left, which was a
    // fifth of the figure and moved with the size of anything that the hub keeps.
    drop(black_box(Vec::<u8>::with_capacity(64 * 1024)));
    guarded_audience(&mut hub);
}

/// A press in a channel of a thousand, from the message to the drained orders. Once: what is
/// compared is the sum, as of the other guards.
#[inline(never)]
fn guarded_audience(hub: &mut Hub) {
    let message = crowd::press(1);
    hub.handle(Input::Message { conn: ConnId(1), message }, START + std::time::Duration::from_secs(6));
    assert!(crowd::drain(hub) > 0, "somebody hears it");
}
