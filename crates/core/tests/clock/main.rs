//! The talker's clock is not believed: at the door, where frames come from other nodes, and in an ear.

// What only other tests need of it.
mod door;
mod ear;
#[allow(dead_code)]
#[path = "../radio/harness.rs"]
mod harness;
mod nodes;
mod shapes;

use tenfour_core::voice::{Uplink, UplinkOutput, unframed};
use tenfour_core::{Time, mutant};
use tenfour_protocol::control::FrameTime;
use tenfour_protocol::{BurstNo, Code, VoiceFrame};

use shapes::{Arrival, START, samples};

/// A frame that was passed on or taken: when it came, its number, and its place behind the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) arrived: Time,
    pub(crate) seq: u16,
    pub(crate) at: u32,
}

/// What a door lets through of a burst that was admitted, and what it tells the talker.
pub(crate) fn door(frame_ms: FrameTime, arrivals: &[Arrival]) -> (Vec<Placed>, Vec<Code>) {
    let mut uplink = Uplink::new(unframed, START);
    mutant!(uplink = uplink.broken(harness::mutants()));
    uplink.start(BurstNo(1), frame_ms, START);
    uplink.admit(BurstNo(1), BurstNo(9), START);
    say(&mut uplink, 1, frame_ms, arrivals)
}

pub(crate) fn say(
    uplink: &mut Uplink,
    burst: u32,
    frame_ms: FrameTime,
    arrivals: &[Arrival],
) -> (Vec<Placed>, Vec<Code>) {
    let (mut passed, mut told, mut begun) = (Vec::new(), Vec::new(), None);
    for arrival in arrivals {
        uplink.frame(&arrival.bytes(burst, frame_ms), arrival.at);
        while let Some(output) = uplink.poll() {
            match output {
                UplinkOutput::Frame { packet, .. } => {
                    let frame = VoiceFrame::parse(packet.message()).expect("a frame");
                    let at = frame.media_time.wrapping_sub(*begun.get_or_insert(frame.media_time));
                    passed.push(Placed { arrived: packet.arrived(), seq: frame.seq, at });
                }
                UplinkOutput::Refused(refusal) => told.push(refusal.code),
                UplinkOutput::Closed { .. } | UplinkOutput::Ask => {}
            }
        }
    }
    (passed, told)
}

/// How far frames reach, in samples.
pub(crate) fn length(frame_ms: FrameTime, placed: &[Placed]) -> u64 {
    placed.iter().map(|placed| u64::from(placed.at + frame_ms.samples())).max().unwrap_or(0)
}

/// The most by which places ran ahead of arrival in any stretch of time, in samples.
pub(crate) fn ahead(frame_ms: FrameTime, placed: &[Placed]) -> u64 {
    let (mut lead, mut most, mut before, mut end) = (0, 0, START, 0);
    for frame in placed {
        let step = u64::from(frame.at + frame_ms.samples() - end);
        lead = u64::saturating_sub(lead, samples(frame.arrived - before)) + step;
        (most, before, end) = (most.max(lead), frame.arrived, frame.at + frame_ms.samples());
    }
    most
}
