//! The deck: cursors, bundles, wiping.

use std::collections::BTreeMap;

use tenfour_core::hub::{Hears, StartAt, Tuned};
use tenfour_core::voice::{ByGrade, Deck, Item, LINGER, Packet, Turn, unframed};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::{BurstNo, VoiceFrame};

use crate::world::{OPUS_20_MS, ms};

pub(crate) const T: Time = Time::from_micros(5_000_000);
pub(crate) const HOLD: std::time::Duration = ms_const(2_000);
const BURST: BurstNo = BurstNo(1);

const fn ms_const(millis: u64) -> std::time::Duration {
    std::time::Duration::from_millis(millis)
}

pub(crate) fn packet(burst: BurstNo, seq: u16, payload: &[u8], now: Time) -> Packet {
    let frame = VoiceFrame { burst, seq, media_time: u32::from(seq) * 960, last: false, payload };
    Packet::new(unframed, &frame, now)
}

fn append(deck: &mut Deck<&'static str>, seq: u16, now: Time) {
    deck.append(BURST, packet(BURST, seq, &OPUS_20_MS, now), now);
}

pub(crate) fn hears(conn: u64) -> Tuned {
    Tuned::Hears(Hears { conn: ConnId(conn), grade: None })
}

fn open(listeners: u64) -> Deck<&'static str> {
    let mut deck = Deck::new(HOLD);
    deck.open(BURST, ByGrade::from_fn(|_| "started"), 1, true, (1..=listeners).map(hears), T);
    deck
}

/// Later than all turns of what was appended at [`T`].
const TURNS_OVER: Time = Time::from_micros(T.as_micros() + 60_000_000);

/// Who hears and has a turn, or had one since [`T`].
fn named(deck: &mut Deck<&'static str>) -> Option<ConnId> {
    let mut turns = std::iter::from_fn(|| deck.due(TURNS_OVER));
    turns.find_map(Turn::listener)
}

/// Everything that waits for `conn`, as text.
fn take(deck: &mut Deck<&'static str>, conn: ConnId) -> Vec<String> {
    let mut items = Vec::new();
    deck.gather(conn, usize::MAX / 2, &mut items);
    deck.advance(conn, items.len());
    let text = items.into_iter().map(|item| match item {
        Item::Started(text) | Item::Ended(text) => text.to_owned(),
        Item::Voice(packet) => packet.seq().to_string(),
        Item::Gap { from, to, .. } => format!("gap {from}..{to}"),
    });
    text.collect()
}

fn due(deck: &mut Deck<&'static str>) -> Vec<(u64, Vec<String>)> {
    let mut all = Vec::new();
    while let Some(conn) = named(deck) {
        all.push((conn.0, take(deck, conn)));
    }
    all
}

#[test]
fn each_listener_is_due_once_for_what_waits() {
    let mut deck = open(2);
    append(&mut deck, 0, T);
    append(&mut deck, 1, T);
    let all = vec!["started".to_owned(), "0".into(), "1".into()];
    assert_eq!(due(&mut deck), [(1, all.clone()), (2, all)]);
    assert_eq!(due(&mut deck), []);
}

#[test]
fn gathering_takes_nothing_away() {
    let mut deck = open(1);
    append(&mut deck, 0, T);
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    deck.gather(ConnId(1), 10, &mut once);
    deck.gather(ConnId(1), 10, &mut twice);
    assert_eq!((once.len(), &once), (2, &twice));
}

#[test]
fn frames_are_lent_when_nothing_else_waits() {
    let mut deck = open(1);
    append(&mut deck, 0, T);
    assert!(deck.frames(ConnId(1)).is_none(), "the start has to be told");
    take(&mut deck, ConnId(1));
    assert!(deck.frames(ConnId(1)).is_none(), "nothing waits");
    append(&mut deck, 1, T);
    append(&mut deck, 2, T);
    let lent: Vec<_> = deck.frames(ConnId(1)).unwrap().map(Packet::seq).collect();
    assert_eq!(lent, [1, 2]);
    deck.close(BURST, "ended", T);
    assert!(deck.frames(ConnId(1)).is_none(), "the end has to be told");
}

#[test]
fn a_listener_goes_on_where_a_short_write_left_it() {
    let mut deck = open(1);
    for seq in 0..3 {
        append(&mut deck, seq, T);
    }
    deck.close(BURST, "ended", T);
    assert_eq!(named(&mut deck), Some(ConnId(1)));
    let mut items = Vec::new();
    deck.gather(ConnId(1), 10, &mut items);
    assert_eq!(items.len(), 5);
    deck.advance(ConnId(1), 2);
    assert_eq!(named(&mut deck), None, "the shell has it in hand");
    assert_eq!(take(&mut deck, ConnId(1)), ["1", "2", "ended"]);
}

#[test]
fn a_listener_in_hand_is_not_named_for_each_frame() {
    let mut deck = open(1);
    assert_eq!(named(&mut deck), Some(ConnId(1)));
    for seq in 0..10 {
        append(&mut deck, seq, T);
        assert_eq!(named(&mut deck), None);
    }
    assert_eq!(take(&mut deck, ConnId(1)).len(), 11);
    append(&mut deck, 10, T);
    assert_eq!(due(&mut deck), [(1, vec!["10".into()])]);
}

#[test]
fn a_bundle_waits_for_its_frames_and_the_listeners_take_turns() {
    let mut deck = open(6);
    for conn in 1..=6 {
        deck.set_bundle(ConnId(conn), 3);
    }
    due(&mut deck);
    let mut sizes = Vec::new();
    for seq in 0..9 {
        append(&mut deck, seq, T);
        let due = due(&mut deck);
        assert_eq!(due.len(), 2, "a third of the listeners each time");
        sizes.extend(due.into_iter().map(|(_, items)| items.len()));
    }
    // The first bundle is as long as the wait for the listener's turn.
    assert_eq!(sizes, [1, 1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
}

#[test]
fn a_crowd_is_sent_bundles_and_who_wishes_for_more_gets_more() {
    let mut deck = Deck::new(HOLD);
    deck.open(BURST, ByGrade::from_fn(|_| "started"), 2, true, (1..=6).map(hears), T);
    deck.set_bundle(ConnId(3), 3);
    due(&mut deck);
    let mut writes = BTreeMap::new();
    for seq in 0..12 {
        append(&mut deck, seq, T);
        for (conn, _) in due(&mut deck) {
            *writes.entry(conn).or_insert(0) += 1;
        }
    }
    assert_eq!(writes, BTreeMap::from([(1, 6), (2, 6), (3, 4), (4, 6), (5, 6), (6, 6)]));
}

#[test]
fn whose_turn_it_is_does_not_tell_who_else_has_heard_something() {
    let turns = |heard_before: &[u64]| {
        let mut deck = Deck::new(HOLD);
        deck.open(
            BurstNo(7),
            ByGrade::from_fn(|_| "before"),
            1,
            true,
            heard_before.iter().copied().map(hears),
            T,
        );
        deck.open(BURST, ByGrade::from_fn(|_| "started"), 1, true, [hears(4)], T);
        deck.set_bundle(ConnId(4), 3);
        due(&mut deck);
        let heard = |seq| {
            append(&mut deck, seq, T);
            due(&mut deck).len()
        };
        (0..9).map(heard).collect::<Vec<_>>()
    };
    assert_eq!(turns(&[]), turns(&[2]));
    assert_eq!(turns(&[]), turns(&[5, 6]));
}

#[test]
fn the_end_of_a_burst_does_not_wait_for_a_bundle() {
    let mut deck = open(1);
    deck.set_bundle(ConnId(1), 3);
    due(&mut deck);
    append(&mut deck, 0, T);
    deck.close(BURST, "ended", T);
    assert_eq!(due(&mut deck), [(1, vec!["0".into(), "ended".into()])]);
}

#[test]
fn a_pause_ends_a_bundle() {
    let mut deck = open(3);
    for conn in 1..=3 {
        deck.set_bundle(ConnId(conn), 3);
    }
    due(&mut deck);
    append(&mut deck, 0, T);
    assert_eq!(due(&mut deck).len(), 1);
    let pause = deck.poll_timeout().unwrap();
    assert_eq!(pause, T + ms(40));
    deck.handle_timeout(pause);
    assert_eq!(due(&mut deck).len(), 2, "the last of a word comes before the pause is over");
}

#[test]
fn bundles_stay_whole_while_older_frames_are_wiped() {
    let mut deck = open(1);
    deck.set_bundle(ConnId(1), 3);
    due(&mut deck);
    let mut sizes = Vec::new();
    for seq in 0..300u16 {
        let now = T + ms(20) * u32::from(seq);
        deck.handle_timeout(now);
        append(&mut deck, seq, now);
        sizes.extend(due(&mut deck).into_iter().map(|(_, items)| items.len()));
    }
    assert_eq!(sizes.len(), 100);
    assert!(sizes[1..].iter().all(|&size| size == 3), "{sizes:?}");
}

#[test]
fn long_frames_are_not_bundled() {
    const OPUS_60_MS: [u8; 2] = [3 << 3, 0];
    let mut deck = open(3);
    for conn in 1..=3 {
        deck.set_bundle(ConnId(conn), 3);
    }
    due(&mut deck);
    deck.append(BURST, packet(BURST, 0, &OPUS_60_MS, T), T);
    assert_eq!(due(&mut deck).len(), 3);
}

#[test]
fn the_last_handle_wipes_on_time_and_the_deck_keeps_none() {
    let mut deck = open(1);
    append(&mut deck, 0, T);
    assert_eq!(deck.poll_timeout(), Some(T + HOLD));
    deck.handle_timeout(T + HOLD);
    let figures = deck.figures();
    assert_eq!((figures.frames, figures.bytes, figures.oldest), (0, 0, None));
}

#[test]
fn a_burst_is_kept_for_late_listeners_and_then_forgotten() {
    let mut deck = open(0);
    append(&mut deck, 0, T);
    deck.close(BURST, "ended", T);
    deck.handle_timeout(T + HOLD);
    deck.join(BURST, hears(7), StartAt::Seq(0), T + HOLD);
    assert_eq!(due(&mut deck), [(7, vec!["started".into(), "gap 0..1".into(), "ended".into()])]);
    deck.handle_timeout(T + HOLD + LINGER);
    deck.remove(ConnId(7));
    assert_eq!(deck.figures(), Default::default());
    assert_eq!(deck.poll_timeout(), None);
}

#[test]
fn a_burst_outlives_its_time_only_for_who_has_not_taken_it() {
    let mut deck = open(2);
    deck.close(BURST, "ended", T);
    assert_eq!(named(&mut deck), Some(ConnId(1)));
    deck.handle_timeout(T + HOLD + LINGER);
    assert_eq!(deck.figures().bursts, 1);
    deck.remove(ConnId(2));
    assert_eq!(take(&mut deck, ConnId(1)), ["started", "ended"]);
    assert_eq!((named(&mut deck), deck.figures().bursts), (None, 0), "a turn of nobody's ends it");
}

#[test]
fn somebody_who_is_gone_is_not_due() {
    let mut deck = open(2);
    deck.remove(ConnId(1));
    deck.leave(BURST, ConnId(2));
    assert_eq!(named(&mut deck), None);
}

#[test]
fn what_is_unknown_is_ignored() {
    let mut deck: Deck<&str> = Deck::new(HOLD);
    append(&mut deck, 0, T);
    deck.close(BURST, "ended", T);
    deck.join(BURST, hears(1), StartAt::Live, T);
    deck.leave(BURST, ConnId(1));
    deck.remove(ConnId(1));
    deck.advance(ConnId(1), 0);
    assert_eq!((named(&mut deck), deck.figures()), (None, Default::default()));
}
