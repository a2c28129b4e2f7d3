//! Shapes of a press: when frames come, and what they say of their time.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;
use tenfour_core::Time;
use tenfour_protocol::control::FrameTime;
use tenfour_protocol::{BurstNo, VoiceFrame};

pub(crate) const START: Time = Time::from_micros(5_000_000);
pub(crate) const SECOND: u64 = 48_000;

/// One frame.
#[derive(Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) at: Time,
    pub(crate) seq: u16,
    pub(crate) media_time: u32,
}

/// On one line: a press has thousands.
impl std::fmt::Debug for Arrival {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { at, seq, media_time } = self;
        write!(f, "{seq} at {} us says {media_time}", at.since(START).as_micros())
    }
}

impl Arrival {
    pub(crate) fn bytes(&self, burst: u32, frame_ms: FrameTime) -> Vec<u8> {
        let Self { seq, media_time, .. } = *self;
        // Narrow band speech, one frame of 20, 40 or 60 ms: RFC 6716, table 2.
        let payload = [(frame_ms.millis() / 20) << 3, 1, 2, 3];
        VoiceFrame { burst: BurstNo(burst), seq, media_time, last: false, payload: &payload }.to_bytes()
    }
}

/// Frames in a row that are alike.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) frames: u64,
    /// After the one before.
    pub(crate) after: Duration,
    /// Further than the one before.
    pub(crate) media: u32,
    /// Further than the one before.
    pub(crate) seq: u16,
}

/// A press, as it comes in.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) name: String,
    pub(crate) frame_ms: FrameTime,
    pub(crate) arrivals: Vec<Arrival>,
    /// Frames that the door passes on, and how far they reach, in samples.
    pub(crate) door: (u64, u64),
    /// The same for an ear that hears all of it.
    pub(crate) heard: (u64, u64),
}

/// The table that the page reads too.
pub(crate) fn all() -> Vec<Shape> {
    let table: Value = serde_json::from_str(include_str!("../../../../vectors/clock.json")).expect("JSON");
    assert_eq!(table["talk_limit_ms"], 60_000);
    let shapes = table["shapes"].as_array().expect("shapes");
    shapes.iter().map(shape).collect()
}

fn shape(shape: &Value) -> Shape {
    let number = |value: &Value| value.as_u64().expect("a number");
    let both = |name: &str| (number(&shape[name]["frames"]), number(&shape[name]["samples"]));
    let rows = shape["said"].as_array().expect("rows").iter().map(|row| Row {
        frames: number(&row["frames"]),
        after: Duration::from_millis(number(&row["after_ms"])),
        media: number(&row["media"]) as u32,
        seq: row.get("seq").map_or(1, number) as u16,
    });
    Shape {
        name: shape["name"].as_str().expect("a name").to_owned(),
        frame_ms: FrameTime::try_from(number(&shape["frame_ms"]) as u8).expect("a frame time"),
        arrivals: arrivals(&rows.collect::<Vec<_>>()),
        door: both("door"),
        heard: both("heard"),
    }
}

pub(crate) fn arrivals(rows: &[Row]) -> Vec<Arrival> {
    let mut arrivals: Vec<Arrival> = Vec::new();
    for row in rows {
        for _ in 0..row.frames {
            let next = match arrivals.last() {
                Some(last) => Arrival {
                    at: last.at + row.after,
                    seq: last.seq.saturating_add(row.seq),
                    media_time: last.media_time.wrapping_add(row.media),
                },
                None => Arrival { at: START, seq: 0, media_time: row.media },
            };
            arrivals.push(next);
        }
    }
    arrivals
}

/// From the first frame to the last.
pub(crate) fn span(arrivals: &[Arrival]) -> Duration {
    arrivals.last().map_or(Duration::ZERO, |last| last.at - START)
}

/// Rounded up.
pub(crate) fn samples(time: Duration) -> u64 {
    (time.as_micros() as u64 * SECOND).div_ceil(1_000_000)
}

/// A press of a minute of any shape: bursts of arrival, holes, a clock that runs, stands and jumps.
pub(crate) fn any() -> impl Strategy<Value = (FrameTime, Vec<Arrival>)> {
    press(prop_oneof![
        3 => Just(960),
        1 => Just(0),
        1 => Just(1),
        2 => 0..10_000u32,
        2 => 0..200_000u32,
        1 => 0..1u32 << 31,
        1 => prop::num::u32::ANY,
    ])
}

/// The same with a clock that goes forward, though at any pace.
pub(crate) fn forward() -> impl Strategy<Value = (FrameTime, Vec<Arrival>)> {
    press(prop_oneof![Just(960), Just(1), 1..200_000u32])
}

fn press(media: impl Strategy<Value = u32>) -> impl Strategy<Value = (FrameTime, Vec<Arrival>)> {
    let after = prop_oneof![3 => Just(0), 3 => Just(20), 2 => 0..100u64, 1 => 0..1000u64];
    let seq = prop_oneof![4 => Just(1), 1 => 1..10u16];
    let row = (1..80u64, after, media, seq).prop_map(|(frames, after, media, seq)| Row {
        frames,
        after: Duration::from_millis(after),
        media,
        seq,
    });
    (frame_time(), prop::collection::vec(row, 1..60)).prop_map(|(frame_ms, rows)| {
        let mut arrivals = arrivals(&rows);
        arrivals.retain(|frame| frame.at - START <= Duration::from_secs(60));
        (frame_ms, arrivals)
    })
}

fn frame_time() -> impl Strategy<Value = FrameTime> {
    prop_oneof![Just(FrameTime::Ms20), Just(FrameTime::Ms40), Just(FrameTime::Ms60)]
}

/// What somebody says who does not lie: frames, and pauses that are not sent, none so long that it ends
/// a burst. What is said before the link is up waits for it, up to two seconds. The network holds back
/// what it likes for up to `late` milliseconds, and keeps the order.
pub(crate) fn honest(late: u64) -> impl Strategy<Value = (FrameTime, Vec<Arrival>)> {
    let pause = prop_oneof![8 => Just(0), 1 => 0..900u64];
    let late = prop_oneof![4 => Just(0), 2 => 0..30u64, 1 => 0..late];
    let said = prop::collection::vec((pause, late), 1..400);
    (frame_time(), prop::num::u32::ANY, 0..1950u64, said).prop_map(|(frame_ms, begin, up, frames)| {
        let (mut said, mut arrivals) = (0, Vec::<Arrival>::new());
        for (seq, (pause, late)) in frames.into_iter().enumerate() {
            said += if seq > 0 { pause } else { 0 };
            let media_time = begin.wrapping_add(said as u32 * 48);
            said += u64::from(frame_ms.millis());
            let before = arrivals.last().map_or(START, |last| last.at);
            let at = before.max(START + Duration::from_millis((said + late).saturating_sub(up)));
            arrivals.push(Arrival { at, seq: seq as u16, media_time });
        }
        (frame_ms, arrivals)
    })
}
