//! The uplink: what passes, what is dropped, what is told.

use proptest::prelude::*;
use tenfour_core::Time;
use tenfour_core::voice::{Prefix, Uplink, UplinkOutput, unframed};
use tenfour_protocol::control::{EndReason, FrameTime};
use tenfour_protocol::limits::{SILENT_BURST, STALLED_LINK};
use tenfour_protocol::{BurstNo, Code, VoiceFrame};

use crate::world::{OPUS_20_MS, flagged_frame, frame, ms, uplink};

const T: Time = Time::from_micros(5_000_000);
const LOCAL: BurstNo = BurstNo(1);
const SERVER: BurstNo = BurstNo(900);

fn admitted() -> Uplink {
    let mut uplink = uplink(unframed, T);
    uplink.start(LOCAL, FrameTime::Ms20, T);
    uplink.admit(LOCAL, SERVER, T);
    uplink
}

fn drain(uplink: &mut Uplink) -> (Vec<u16>, Vec<Code>, Vec<UplinkOutput>) {
    let (mut seqs, mut codes, mut closed) = (vec![], vec![], vec![]);
    while let Some(output) = uplink.poll() {
        match output {
            UplinkOutput::Frame { packet, .. } => seqs.push(packet.seq()),
            UplinkOutput::Refused(refusal) => codes.push(refusal.code),
            UplinkOutput::Ask => {}
            output => closed.push(output),
        }
    }
    (seqs, codes, closed)
}

fn closed(frames: u32, reason: EndReason) -> Vec<UplinkOutput> {
    vec![UplinkOutput::Closed { local: LOCAL, frames, dropped: None, reason }]
}

#[test]
fn a_packet_is_framed_once_and_carries_the_servers_number() {
    let mut uplink = uplink(|length| Prefix::new(&[0x82, length as u8]), T);
    uplink.start(LOCAL, FrameTime::Ms20, T);
    uplink.admit(LOCAL, SERVER, T);
    uplink.frame(&frame(1, 0), T);
    let Some(UplinkOutput::Frame { burst, packet }) = uplink.poll() else { panic!() };
    assert_eq!((burst, packet.arrived()), (SERVER, T));
    assert_eq!(packet.bytes()[..2], [0x82, 16]);
    assert_eq!(packet.bytes()[2..], *packet.message());
    let inside = VoiceFrame::parse(packet.message()).unwrap();
    assert_eq!((inside.burst, inside.payload), (SERVER, &OPUS_20_MS[..]));
    assert!(!format!("{packet:?}").contains("8, 1, 2, 3"), "no voice in a debug print");
}

#[test]
fn frames_before_admission_wait_and_pass_in_order() {
    let mut uplink = uplink(unframed, T);
    uplink.start(LOCAL, FrameTime::Ms20, T);
    for seq in 0..3 {
        uplink.frame(&frame(1, seq), T);
    }
    assert_eq!((uplink.poll(), uplink.figures().1), (None, 3));
    uplink.admit(LOCAL, SERVER, T + ms(5));
    uplink.frame(&frame(1, 3), T + ms(6));
    assert_eq!(drain(&mut uplink).0, [0, 1, 2, 3]);
    assert_eq!(uplink.figures().1, 0);
}

#[test]
fn a_burst_that_ended_before_admission_passes_whole_and_closes() {
    let mut uplink = uplink(unframed, T);
    uplink.start(LOCAL, FrameTime::Ms20, T);
    uplink.frame(&frame(1, 0), T);
    uplink.release(LOCAL, T);
    assert_eq!(uplink.poll(), None);
    uplink.admit(LOCAL, SERVER, T);
    assert_eq!(drain(&mut uplink), (vec![0], vec![], closed(1, EndReason::Released)));
    assert_eq!(uplink.figures().0, 0);
}

#[test]
fn a_refused_burst_is_wiped_and_its_frames_are_dropped() {
    let mut uplink = uplink(unframed, T);
    uplink.start(LOCAL, FrameTime::Ms20, T);
    uplink.frame(&frame(1, 0), T);
    uplink.refuse(LOCAL);
    uplink.frame(&frame(1, 1), T);
    assert_eq!((uplink.figures(), uplink.poll()), ((0, 0), None));
}

#[test]
fn a_burst_is_closed_once_whatever_ends_it() {
    let mut uplink = admitted();
    uplink.frame(&flagged_frame(1, 0, true), T);
    uplink.release(LOCAL, T);
    uplink.end(LOCAL, EndReason::TalkLimit, T);
    uplink.disconnect(T);
    assert_eq!(drain(&mut uplink).2, closed(1, EndReason::Released));
}

#[test]
fn the_first_reason_to_end_counts() {
    let mut uplink = uplink(unframed, T);
    uplink.start(LOCAL, FrameTime::Ms20, T);
    uplink.release(LOCAL, T);
    uplink.end(LOCAL, EndReason::TalkLimit, T);
    uplink.admit(LOCAL, SERVER, T);
    assert_eq!(drain(&mut uplink).2, closed(0, EndReason::Released));
}

#[test]
fn a_disconnect_closes_what_was_admitted_and_wipes_the_rest() {
    let mut uplink = admitted();
    uplink.start(BurstNo(2), FrameTime::Ms20, T);
    uplink.frame(&frame(2, 0), T);
    uplink.disconnect(T);
    assert_eq!(drain(&mut uplink).2, closed(0, EndReason::TalkerLost));
    assert_eq!((uplink.figures().0, uplink.poll_timeout()), (0, None));
}

#[test]
fn an_admission_of_an_unknown_burst_is_closed_at_once() {
    let mut uplink = uplink(unframed, T);
    uplink.admit(LOCAL, SERVER, T);
    assert_eq!(drain(&mut uplink).2, closed(0, EndReason::Silent));
}

/// A burst that has been silent for half of the time, so that the link was asked, at this moment.
fn asked() -> (Uplink, Time) {
    let mut uplink = admitted();
    let spoken = T + ms(500);
    uplink.frame(&frame(1, 0), spoken);
    drain(&mut uplink);
    let ask = spoken + SILENT_BURST / 2;
    assert_eq!(uplink.poll_timeout(), Some(ask));
    uplink.handle_timeout(ask);
    assert_eq!(uplink.poll(), Some(UplinkOutput::Ask));
    assert_eq!(uplink.poll(), None);
    (uplink, spoken)
}

#[test]
fn silence_is_noticed_at_its_time_when_the_link_answers() {
    let (mut uplink, spoken) = asked();
    uplink.alive(spoken + SILENT_BURST / 2 + ms(80));
    assert_eq!(uplink.poll_timeout(), Some(spoken + SILENT_BURST));
    uplink.handle_timeout(spoken + (SILENT_BURST - ms(1)));
    assert_eq!(uplink.figures().0, 1);
    uplink.handle_timeout(spoken + SILENT_BURST);
    assert_eq!(drain(&mut uplink), (vec![], vec![], closed(1, EndReason::Silent)));
}

#[test]
fn a_link_that_does_not_answer_has_three_seconds_and_then_its_talker_is_lost() {
    let (mut uplink, spoken) = asked();
    assert_eq!(uplink.poll_timeout(), Some(spoken + STALLED_LINK));
    uplink.handle_timeout(spoken + (STALLED_LINK - ms(1)));
    assert_eq!(uplink.figures().0, 1);
    uplink.handle_timeout(spoken + STALLED_LINK);
    assert_eq!(drain(&mut uplink), (vec![], vec![], closed(1, EndReason::TalkerLost)));
}

#[test]
fn an_answer_that_comes_late_ends_a_silent_burst_at_once() {
    let (mut uplink, spoken) = asked();
    let late = spoken + SILENT_BURST + ms(700);
    uplink.alive(late);
    uplink.handle_timeout(late);
    assert_eq!(drain(&mut uplink), (vec![], vec![], closed(1, EndReason::Silent)));
}

#[test]
fn what_a_stalled_link_held_back_is_taken_whole() {
    let (mut uplink, spoken) = asked();
    // All that was said, in one lump: 149 frames of 20 ms.
    let over = spoken + (STALLED_LINK - ms(1));
    (1..150).for_each(|seq| uplink.frame(&frame(1, seq), over));
    let (seqs, codes, closed) = drain(&mut uplink);
    assert_eq!((seqs.len(), codes, closed), (149, vec![], vec![]));
    assert_eq!(uplink.poll_timeout(), Some(over + SILENT_BURST / 2));
}

#[test]
fn a_sign_of_life_before_the_question_answers_nothing() {
    let mut uplink = admitted();
    uplink.frame(&frame(1, 0), T + ms(500));
    uplink.alive(T + ms(600));
    uplink.handle_timeout(T + ms(500) + SILENT_BURST / 2);
    assert_eq!(uplink.poll_timeout(), Some(T + ms(500) + STALLED_LINK));
}

#[test]
fn frames_out_of_order_are_dropped_and_told_once_a_second() {
    let mut uplink = admitted();
    uplink.frame(&frame(1, 5), T);
    for seq in [5, 4, 3] {
        uplink.frame(&frame(1, seq), T);
    }
    assert_eq!(drain(&mut uplink), (vec![5], vec![Code::MalformedFrame], vec![]));
    uplink.frame(&frame(1, 2), T + ms(999));
    assert_eq!(drain(&mut uplink).1, []);
    uplink.frame(&frame(1, 2), T + ms(1000));
    assert_eq!(drain(&mut uplink).1, [Code::MalformedFrame]);
}

#[test]
fn a_number_comes_once_whatever_its_media_time() {
    let mut uplink = admitted();
    for media_time in [0, 960] {
        let frame = VoiceFrame { burst: LOCAL, seq: 0, media_time, last: false, payload: &OPUS_20_MS };
        uplink.frame(&frame.to_bytes(), T);
    }
    assert_eq!(drain(&mut uplink), (vec![0], vec![Code::MalformedFrame], vec![]));
}

#[test]
fn a_frame_sounds_as_long_as_was_announced() {
    const OPUS_40_MS: [u8; 2] = [2 << 3, 0];
    let mut uplink = admitted();
    let bytes = VoiceFrame { burst: LOCAL, seq: 0, media_time: 0, last: false, payload: &OPUS_40_MS };
    uplink.frame(&bytes.to_bytes(), T);
    assert_eq!(drain(&mut uplink), (vec![], vec![Code::MalformedFrame], vec![]));
}

#[test]
fn media_time_goes_forward_and_may_jump() {
    let mut uplink = admitted();
    for (seq, media_time) in [(0, u32::MAX - 959), (1, 0), (2, 48_000), (3, 47_000), (4, 48_000)] {
        let frame = VoiceFrame { burst: LOCAL, seq, media_time, last: false, payload: &OPUS_20_MS };
        uplink.frame(&frame.to_bytes(), T);
    }
    assert_eq!(drain(&mut uplink).0, [0, 1, 2]);
}

#[test]
fn three_seconds_ahead_are_allowed_and_no_more() {
    let mut uplink = admitted();
    for seq in 0..200 {
        uplink.frame(&frame(1, seq), T);
    }
    assert_eq!(drain(&mut uplink), ((0..150).collect(), vec![Code::TooMuchVoice], vec![]));
    // A second later there is room for a second.
    for seq in 200..300 {
        uplink.frame(&frame(1, seq), T + ms(1000));
    }
    assert_eq!(drain(&mut uplink).0, (200..250).collect::<Vec<_>>());
}

#[test]
fn a_pace_of_fifty_frames_of_160_bytes_passes_for_ever() {
    let mut uplink = admitted();
    let mut payload = [0; 160];
    payload[0] = 1 << 3;
    for seq in 0..3000u16 {
        let media_time = u32::from(seq) * 960;
        let frame = VoiceFrame { burst: LOCAL, seq, media_time, last: false, payload: &payload };
        uplink.frame(&frame.to_bytes(), T + ms(20) * u32::from(seq));
    }
    let (seqs, codes, _) = drain(&mut uplink);
    assert_eq!((seqs.len(), codes), (3000, vec![]));
}

#[derive(Debug, Clone)]
enum Act {
    Bytes(Vec<u8>),
    Frame(u32, u16, bool),
    Start(u32),
    Admit(u32),
    Refuse(u32),
    Release(u32),
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let local = 0..6u32;
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Act::Bytes),
        4 => (local.clone(), 0..30u16, any::<bool>()).prop_map(|(local, seq, last)| Act::Frame(local, seq, last && seq > 20)),
        1 => local.clone().prop_map(Act::Start),
        1 => local.clone().prop_map(Act::Admit),
        1 => local.clone().prop_map(Act::Refuse),
        1 => local.prop_map(Act::Release),
        1 => (0..700u64).prop_map(Act::Wait),
    ]
}

proptest! {
    /// Whatever comes: each admission is closed once, frames of a burst grow and come before
    /// its end, and their count is told.
    #[test]
    fn garbage_never_confuses_an_uplink(acts in prop::collection::vec(act(), 0..120)) {
        let mut uplink = uplink(unframed, T);
        let mut now = T;
        let mut admitted = std::collections::BTreeSet::new();
        let mut heard: std::collections::BTreeMap<u32, Vec<u16>> = Default::default();
        let mut over = std::collections::BTreeSet::new();
        for act in acts.into_iter().chain([Act::Wait(5000)]) {
            match act {
                Act::Bytes(bytes) => uplink.frame(&bytes, now),
                Act::Frame(local, seq, last) => uplink.frame(&flagged_frame(local, seq, last), now),
                Act::Start(local) => uplink.start(BurstNo(local), FrameTime::Ms20, now),
                // The hub admits a number once, and gives ours the server's number plus 100.
                Act::Admit(local) if admitted.insert(local) => {
                    uplink.admit(BurstNo(local), BurstNo(local + 100), now);
                }
                Act::Admit(_) => {}
                Act::Refuse(local) => uplink.refuse(BurstNo(local)),
                Act::Release(local) => uplink.release(BurstNo(local), now),
                Act::Wait(millis) => {
                    now += ms(millis);
                    uplink.handle_timeout(now);
                }
            }
            while let Some(output) = uplink.poll() {
                match output {
                    UplinkOutput::Frame { burst, packet } => {
                        let local = burst.0 - 100;
                        prop_assert!(admitted.contains(&local) && !over.contains(&local));
                        let seqs = heard.entry(local).or_default();
                        prop_assert!(seqs.last().is_none_or(|&last| last < packet.seq()));
                        seqs.push(packet.seq());
                    }
                    UplinkOutput::Closed { local, frames, .. } => {
                        prop_assert!(over.insert(local.0));
                        prop_assert_eq!(frames as usize, heard.get(&local.0).map_or(0, Vec::len));
                    }
                    UplinkOutput::Refused(_) | UplinkOutput::Ask => {}
                }
            }
        }
        prop_assert_eq!(over, admitted);
    }
}
