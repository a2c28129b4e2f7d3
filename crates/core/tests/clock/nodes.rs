//! Frames of other nodes: a node that lies, or is none, is believed no more than a talker.

use proptest::prelude::*;
use tenfour_core::mutant;
use tenfour_core::voice::{Intake, IntakeOutput, unframed};
use tenfour_protocol::control::FrameTime;
use tenfour_protocol::node::{Frames, NodeId};
use tenfour_protocol::{BurstNo, VoiceFrame};

use crate::shapes::{Arrival, SECOND, START, all, any, honest};
use crate::{Placed, ahead, door};

const OTHER: NodeId = NodeId(7);

/// What a node passes on to its decks of a burst of another one.
fn intake(frame_ms: FrameTime, arrivals: &[Arrival], heard_after: usize) -> Vec<Placed> {
    let mut intake = Intake::new(NodeId(1), unframed);
    mutant!(intake = intake.broken(crate::harness::mutants()));
    let (mut passed, mut begun) = (Vec::new(), None);
    for (n, arrival) in arrivals.iter().enumerate() {
        if n == heard_after {
            intake.hear(OTHER, BurstNo(5), BurstNo(9));
        }
        let bytes = arrival.bytes(5, frame_ms);
        intake.message(&Frames::to_bytes(OTHER, [&bytes[..]]), arrival.at).expect("frames");
        while let Some(output) = intake.poll() {
            let IntakeOutput::Frame { packet, .. } = output else { continue };
            let frame = VoiceFrame::parse(packet.message()).expect("a frame");
            let at = frame.media_time.wrapping_sub(*begun.get_or_insert(frame.media_time));
            passed.push(Placed { arrived: packet.arrived(), seq: frame.seq, at });
        }
    }
    passed
}

#[test]
fn each_shape_of_the_table_comes_from_another_node_as_it_passed_the_door_there() {
    for shape in all() {
        let (passed, _) = door(shape.frame_ms, &shape.arrivals);
        let sent: Vec<_> = passed
            .iter()
            .map(|frame| Arrival { at: frame.arrived, seq: frame.seq, media_time: frame.at })
            .collect();
        assert_eq!(intake(shape.frame_ms, &sent, 0), passed, "{}", shape.name);
    }
}

#[test]
fn frames_that_waited_for_the_start_lie_where_the_others_do() {
    let shape = all().into_iter().find(|shape| shape.name == "pauses that are not sent").expect("a shape");
    let waited = intake(shape.frame_ms, &shape.arrivals, 20);
    assert_eq!(waited, intake(shape.frame_ms, &shape.arrivals, 0));
}

#[test]
fn what_is_no_sound_goes_no_further() {
    let mut intake = Intake::new(NodeId(1), unframed);
    intake.hear(OTHER, BurstNo(5), BurstNo(9));
    // Two frames of equal length in three bytes.
    let payload = [1 << 3 | 1, 0, 0, 0];
    let frame = VoiceFrame { burst: BurstNo(5), seq: 0, media_time: 0, last: false, payload: &payload };
    intake.message(&Frames::to_bytes(OTHER, [&frame.to_bytes()[..]]), START).expect("frames");
    assert_eq!(intake.poll(), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn media_time_of_another_node_never_outruns_arrival((frame_ms, arrivals) in any()) {
        let passed = intake(frame_ms, &arrivals, 0);
        let apart = |two: &[Placed]| two[0].at + frame_ms.samples() <= two[1].at && two[0].seq < two[1].seq;
        prop_assert!(passed.windows(2).all(apart));
        prop_assert!(ahead(frame_ms, &passed) <= 3 * SECOND + SECOND / 2);
    }

    #[test]
    fn who_does_not_lie_comes_whole_from_another_node((frame_ms, arrivals) in honest(1500)) {
        prop_assert_eq!(intake(frame_ms, &arrivals, 0).len(), arrivals.len());
    }
}
