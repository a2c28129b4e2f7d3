//! Playout: one burst after the other, evened out, and once more from memory.

use std::time::Duration;

use crate::harness::*;
use tenfour_core::radio::{Event, Input, Output};

/// Hears `frames` frames of a burst at the pace of the sound while playing.
fn live(harness: &mut Harness, burst: u32, seqs: std::ops::Range<u16>) -> String {
    seqs.map(|seq| {
        harness.hear(burst, seq);
        harness.play(ms(20))
    })
    .collect()
}

fn played(out: &[Output]) -> Vec<&Event> {
    events(out)
        .into_iter()
        .filter(|event| matches!(event, Event::PlayStarted { .. } | Event::PlayEnded { .. }))
        .collect()
}

#[test]
fn a_quiet_channel_is_silence() {
    assert_eq!(Harness::on_the_air().play(ms(60)), "___");
}

#[test]
fn a_burst_begins_to_play_when_40_ms_are_there() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    assert_eq!(live(&mut harness, 5, 0..6), ".01234");
    harness.end(5, 6);
    assert_eq!(harness.play(ms(60)), "5__");
}

#[test]
fn what_comes_in_threes_is_waited_for_and_heard_without_a_hole() {
    let mut harness = Harness::on_the_air();
    harness.start_bundled(5, 3);
    // The first bundle is a short one when the listener's turn comes early.
    let heard: Vec<_> = [0..2, 2..5, 5..8]
        .into_iter()
        .map(|seqs: std::ops::Range<u16>| {
            seqs.for_each(|seq| drop(harness.hear(5, seq)));
            harness.play(ms(60))
        })
        .collect();
    harness.end(5, 8);
    assert_eq!((heard.concat(), harness.play(ms(60))), ("...012345".into(), "67_".into()));
}

#[test]
fn start_and_end_of_playing_are_told_once() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.hear(5, 0);
    harness.end(5, 1);
    let (_, out) = harness.pull();
    assert_eq!(played(&out), [&Event::PlayStarted { heard: no(1), again: false }]);
    let (_, out) = harness.pull();
    assert_eq!(played(&out), [&Event::PlayEnded { heard: no(1), again: false }]);
    assert!(played(&harness.pull().1).is_empty());
}

#[test]
fn a_single_frame_does_not_wait_for_a_second_one_for_ever() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.hear(5, 0);
    assert_eq!(harness.play(ms(60)), ".0~");
}

#[test]
fn two_talkers_at_once_are_heard_one_after_the_other() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.start(6);
    for seq in 0..4 {
        harness.hear(6, seq);
        harness.hear(5, seq);
    }
    harness.end(6, 4);
    assert_eq!(harness.play(ms(80)), "0123");
    harness.end(5, 4);
    assert_eq!(harness.play(ms(100)), "0123_");
}

#[test]
fn a_lost_frame_is_concealed_in_its_place() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    for seq in [0, 1, 3, 4] {
        harness.hear(5, seq);
    }
    harness.end(5, 5);
    assert_eq!(harness.play(ms(100)), "01~34");
}

#[test]
fn a_pause_of_the_talker_is_silence_and_not_a_loss() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.hear_at(5, 0, 0, 40);
    harness.hear_at(5, 1, 960, 40);
    harness.hear_at(5, 2, 960 * 5, 40);
    harness.end(5, 3);
    assert_eq!(harness.play(ms(120)), "01...2");
}

#[test]
fn a_stall_is_concealed_briefly_and_costs_no_sound() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    assert_eq!(live(&mut harness, 5, 0..4), ".012");
    assert_eq!(harness.play(ms(120)), "3~~~..", "three frames are made up, then it is silent");
    let after = (4..10).map(|seq| harness.hear(5, seq)).count();
    assert_eq!(after, 6);
    harness.end(5, 10);
    assert_eq!(harness.play(ms(120)), "456789");
}

#[test]
fn after_a_stall_more_sound_is_held_and_a_new_burst_starts_fresh() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    live(&mut harness, 5, 0..4);
    harness.play(ms(100));
    let again = live(&mut harness, 5, 4..10);
    assert!(again.starts_with("..4"), "60 ms are held now: {again}");
    harness.end(5, 10);
    harness.play(ms(200));
    harness.start(6);
    assert_eq!(live(&mut harness, 6, 0..3), ".01");
}

#[test]
fn the_delay_never_grows_beyond_200_ms() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    let mut seq = 0;
    for _ in 0..30 {
        live(&mut harness, 5, seq..seq + 15);
        seq += 15;
        harness.play(ms(400));
    }
    let out = live(&mut harness, 5, seq..seq + 15);
    let wait = out.chars().take_while(|c| !c.is_ascii_digit()).count();
    assert!((5..=10).contains(&wait), "{wait} frames of 20 ms: {out}");
}

#[test]
fn what_a_stall_piled_up_is_worked_off_in_quiet_frames() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    live(&mut harness, 5, 0..4);
    harness.play(ms(100));
    for seq in 4..14 {
        harness.hear(5, seq);
    }
    // The pile is 200 ms; each second frame from here on is nearly empty.
    let mut heard = String::new();
    for seq in 14..44u16 {
        harness.hear_at(5, seq, u32::from(seq) * 960, if seq % 2 == 0 { 2 } else { 40 });
        heard.push_str(&harness.play(ms(20)));
    }
    harness.end(5, 44);
    let rest = harness.play(ms(400)).chars().filter(char::is_ascii_digit).count();
    assert!(rest <= 6, "{rest} frames are left to play");
    assert!(!heard.contains('~'), "{heard}");
}

#[test]
fn a_burst_that_had_to_wait_is_played_whole() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.start(6);
    for seq in 0..10 {
        harness.hear(5, seq);
    }
    harness.play(ms(20));
    for seq in 0..50u16 {
        harness.hear_at(6, seq, u32::from(seq) * 960, if seq % 5 == 0 { 2 } else { 40 });
    }
    harness.end(5, 10);
    let heard = harness.play(ms(1600));
    assert_eq!(heard.chars().filter(char::is_ascii_digit).count(), 9 + 50, "{heard}");
}

#[test]
fn channels_are_played_apart() {
    let mut harness = Harness::on_the_air();
    harness.give(Input::Tune { channel: ch("20"), catch_up: false });
    harness.say(tuned("20"));
    harness.say(started(5, "20"));
    harness.hear(5, 0);
    harness.end(5, 1);
    assert_eq!(harness.play(ms(40)), "__");
    assert_eq!(letter(&harness.radio.pull(&ch("20"), harness.now)), '0');
}

#[test]
fn leaving_a_channel_silences_it() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    for seq in 0..10 {
        harness.hear(5, seq);
    }
    harness.give(Input::Untune { channel: ch("19") });
    assert_eq!(harness.play(ms(40)), "__");
}

#[test]
fn a_burst_cut_by_the_link_plays_what_came() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    for seq in 0..3 {
        harness.hear(5, seq);
    }
    harness.drop_link();
    harness.reconnect();
    harness.say(welcome(false, &[]));
    assert_eq!(harness.play(ms(80)), "012_");
}

#[test]
fn a_burst_is_said_again_from_memory() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    for seq in 0..3 {
        harness.hear(5, seq);
    }
    harness.end(5, 3);
    assert_eq!(harness.play(ms(80)), "012_");
    harness.give(Input::SayAgain { heard: no(1) });
    let (sound, out) = harness.pull();
    assert_eq!((letter(&sound), sound.heard), ('0', Some(no(1))));
    assert_eq!(played(&out), [&Event::PlayStarted { heard: no(1), again: true }]);
    assert_eq!(harness.play(ms(60)), "12_");
}

#[test]
fn what_is_said_again_comes_after_what_plays_and_before_what_waits() {
    let mut harness = Harness::on_the_air();
    for burst in [5, 6, 7] {
        harness.start(burst);
        harness.hear_at(burst, 0, 0, 40);
        harness.hear_at(burst, 1, 960, 40);
        harness.end(burst, 2);
    }
    harness.play(ms(60));
    let (_, _) = (harness.give(Input::SayAgain { heard: no(1) }), ());
    let order: Vec<_> = std::iter::from_fn(|| harness.pull().0.heard).collect();
    assert_eq!(order, [no(2), no(1), no(1), no(3), no(3)]);
}

#[test]
fn the_last_twenty_bursts_of_five_minutes_are_remembered() {
    let mut harness = Harness::on_the_air();
    let mut forgotten = Vec::new();
    for burst in 0..25 {
        forgotten.extend([harness.start(burst), harness.hear(burst, 0), harness.end(burst, 1)].concat());
    }
    let gone = |out: &[Output]| events(out).iter().filter(|e| matches!(e, Event::Forgotten { .. })).count();
    assert_eq!(gone(&forgotten), 5);
    assert!(!harness.radio.remembers(no(5)) && harness.radio.remembers(no(6)));
    let mut later = Vec::new();
    for _ in 0..30 {
        later.extend(harness.pass(Duration::from_secs(10)));
        harness.give(Input::Alive);
    }
    assert_eq!(gone(&later), 20);
    harness.give(Input::SayAgain { heard: no(20) });
    harness.play(ms(1000));
    assert_eq!(harness.play(ms(20)), "_");
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    let run = || {
        let mut harness = Harness::on_the_air();
        let mut log = vec![
            harness.start(5),
            harness.press(),
            harness.hear(5, 0),
            harness.hear(5, 2),
            harness.drop_link(),
        ];
        log.push(harness.pass(Duration::from_secs(30)));
        format!("{log:?} {}", harness.play(ms(200)))
    };
    assert_eq!(run(), run());
}
