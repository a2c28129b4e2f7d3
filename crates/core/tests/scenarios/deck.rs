//! The deck: cursors, bundles, wiping.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tenfour_core::hub::{From, Hears};
use tenfour_core::voice::{ByGrade, Deck, Item, LINGER, Packet, unframed};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::{BurstNo, VoiceFrame};

use crate::world::{OPUS_20_MS, ms};

const T: Time = Time::from_micros(5_000_000);
const HOLD: std::time::Duration = ms_const(2_000);
const BURST: BurstNo = BurstNo(1);

const fn ms_const(millis: u64) -> std::time::Duration {
    std::time::Duration::from_millis(millis)
}

fn packet(burst: BurstNo, seq: u16, payload: &[u8], now: Time) -> Packet {
    let frame = VoiceFrame { burst, seq, media_time: u32::from(seq) * 960, last: false, payload };
    Packet::new(unframed, &frame, now)
}

fn append(deck: &mut Deck<&'static str>, seq: u16, now: Time) {
    deck.append(BURST, packet(BURST, seq, &OPUS_20_MS, now), now);
}

fn hears(conn: u64) -> Hears {
    Hears::from_anywhere(ConnId(conn))
}

fn open(listeners: u64) -> Deck<&'static str> {
    let mut deck = Deck::new(HOLD);
    deck.open(BURST, ByGrade::from_fn(|_| "started"), 1, (1..=listeners).map(hears), T);
    deck
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
    while let Some(conn) = deck.due() {
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
fn a_listener_goes_on_where_a_short_write_left_it() {
    let mut deck = open(1);
    for seq in 0..3 {
        append(&mut deck, seq, T);
    }
    deck.close(BURST, "ended", T);
    assert_eq!(deck.due(), Some(ConnId(1)));
    let mut items = Vec::new();
    deck.gather(ConnId(1), 10, &mut items);
    assert_eq!(items.len(), 5);
    deck.advance(ConnId(1), 2);
    assert_eq!(deck.due(), None, "the shell has it in hand");
    assert_eq!(take(&mut deck, ConnId(1)), ["1", "2", "ended"]);
}

#[test]
fn a_listener_in_hand_is_not_named_for_each_frame() {
    let mut deck = open(1);
    assert_eq!(deck.due(), Some(ConnId(1)));
    for seq in 0..10 {
        append(&mut deck, seq, T);
        assert_eq!(deck.due(), None);
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
    deck.open(BURST, ByGrade::from_fn(|_| "started"), 2, (1..=6).map(hears), T);
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
        deck.open(BurstNo(7), ByGrade::from_fn(|_| "before"), 1, heard_before.iter().copied().map(hears), T);
        deck.open(BURST, ByGrade::from_fn(|_| "started"), 1, [hears(4)], T);
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
    deck.join(BURST, hears(7), From::Seq(0), T + HOLD);
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
    assert_eq!(deck.due(), Some(ConnId(1)));
    deck.handle_timeout(T + HOLD + LINGER);
    assert_eq!(deck.figures().bursts, 1);
    deck.remove(ConnId(2));
    assert_eq!(take(&mut deck, ConnId(1)), ["started", "ended"]);
    assert_eq!(deck.figures().bursts, 0);
}

#[test]
fn somebody_who_is_gone_is_not_due() {
    let mut deck = open(2);
    deck.remove(ConnId(1));
    deck.leave(BURST, ConnId(2));
    assert_eq!(deck.due(), None);
}

#[test]
fn what_is_unknown_is_ignored() {
    let mut deck: Deck<&str> = Deck::new(HOLD);
    append(&mut deck, 0, T);
    deck.close(BURST, "ended", T);
    deck.join(BURST, hears(1), From::Live, T);
    deck.leave(BURST, ConnId(1));
    deck.remove(ConnId(1));
    deck.advance(ConnId(1), 0);
    assert_eq!((deck.due(), deck.figures()), (None, Default::default()));
}

#[derive(Debug, Clone)]
enum Act {
    Open(u32),
    Append(u32),
    Close(u32),
    Join(u32, u64, u8),
    Leave(u32, u64),
    Remove(u64),
    Bundle(u64, u8),
    /// Takes up to so many items of a listener, if it is named.
    Serve(usize),
    Resume(u64, usize),
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let burst = || 1..4u32;
    let conn = || 1..5u64;
    prop_oneof![
        1 => burst().prop_map(Act::Open),
        6 => burst().prop_map(Act::Append),
        1 => burst().prop_map(Act::Close),
        1 => (burst(), conn(), 0..3u8).prop_map(|(burst, conn, from)| Act::Join(burst, conn, from)),
        1 => (burst(), conn()).prop_map(|(burst, conn)| Act::Leave(burst, conn)),
        1 => conn().prop_map(Act::Remove),
        1 => (conn(), 1..=3u8).prop_map(|(conn, k)| Act::Bundle(conn, k)),
        4 => (0..5usize).prop_map(Act::Serve),
        2 => (conn(), 0..5usize).prop_map(|(conn, items)| Act::Resume(conn, items)),
        2 => (0..900u64).prop_map(Act::Wait),
    ]
}

/// What a listener has had of a burst.
#[derive(Debug, Default)]
struct Had {
    next: Option<u16>,
    started: bool,
    ended: bool,
}

/// Checks one item against what its listener had. Announcements carry the burst's number.
fn check(had: &mut BTreeMap<(u64, u32), Had>, conn: u64, item: &Item<u32>, now: Time) {
    let burst = match item {
        Item::Started(burst) | Item::Ended(burst) => *burst,
        Item::Gap { burst, .. } => burst.0,
        Item::Voice(packet) => VoiceFrame::parse(packet.message()).unwrap().burst.0,
    };
    let had = had.entry((conn, burst)).or_default();
    assert!(!had.ended, "nothing comes after the end");
    match item {
        Item::Started(_) => assert!(!std::mem::replace(&mut had.started, true)),
        Item::Ended(_) => had.ended = true,
        Item::Gap { from, to, .. } => {
            assert!(had.started && from < to && had.next.is_none_or(|next| next == *from));
            had.next = Some(*to);
        }
        Item::Voice(packet) => {
            assert!(had.started && had.next.is_none_or(|next| next == packet.seq()), "in order, none twice");
            assert!(now < packet.arrived() + HOLD, "nothing is later than hold");
            had.next = Some(packet.seq() + 1);
        }
    }
}

proptest! {
    /// Whatever happens, a listener has each burst in order: start, frames without a hole that
    /// is not told, end; and a deck whose listeners are gone is empty after its time.
    #[test]
    fn cursors_keep_their_order(acts in prop::collection::vec(act(), 0..250)) {
        let mut deck: Deck<u32> = Deck::new(HOLD);
        let mut now = T;
        let mut next: BTreeMap<u32, u16> = BTreeMap::new();
        let mut had: BTreeMap<(u64, u32), Had> = BTreeMap::new();
        // A number is used once, as the hub does: 3 slots stand for ever new numbers.
        let mut number: BTreeMap<u32, u32> = BTreeMap::new();
        let mut newest = 0;
        for act in acts {
            let of = |number: &BTreeMap<u32, u32>, slot: u32| number.get(&slot).copied().unwrap_or(0);
            let mut serve = |deck: &mut Deck<u32>, conn: ConnId, items: usize, now: Time| {
                let mut out = Vec::new();
                deck.gather(conn, items, &mut out);
                deck.advance(conn, out.len());
                out.iter().for_each(|item| check(&mut had, conn.0, item, now));
            };
            match act {
                Act::Open(slot) => {
                    newest += 1;
                    let earlier = number.insert(slot, newest);
                    earlier.into_iter().for_each(|earlier| deck.close(BurstNo(earlier), earlier, now));
                    deck.open(BurstNo(newest), ByGrade::from_fn(|_| newest), 1, (1..4).map(hears), now);
                }
                Act::Append(slot) => {
                    let burst = of(&number, slot);
                    let seq = next.entry(burst).or_default();
                    deck.append(BurstNo(burst), packet(BurstNo(burst), *seq, &OPUS_20_MS, now), now);
                    *seq += 1;
                }
                Act::Close(slot) => deck.close(BurstNo(of(&number, slot)), of(&number, slot), now),
                Act::Join(slot, conn, from) => {
                    let from = [From::Live, From::Oldest, From::Seq(0)][usize::from(from)];
                    had.remove(&(conn, of(&number, slot)));
                    deck.join(BurstNo(of(&number, slot)), hears(conn), from, now);
                }
                Act::Leave(slot, conn) => deck.leave(BurstNo(of(&number, slot)), ConnId(conn)),
                Act::Remove(conn) => deck.remove(ConnId(conn)),
                Act::Bundle(conn, frames) => deck.set_bundle(ConnId(conn), frames),
                Act::Serve(items) => {
                    if let Some(conn) = deck.due() {
                        serve(&mut deck, conn, items, now);
                    }
                }
                Act::Resume(conn, items) => serve(&mut deck, ConnId(conn), items, now),
                Act::Wait(millis) => {
                    let end = now + ms(millis);
                    while let Some(at) = deck.poll_timeout().filter(|&at| at <= end) {
                        now = now.max(at);
                        deck.handle_timeout(now);
                    }
                    now = end;
                }
            }
        }
        number.values().for_each(|&burst| deck.close(BurstNo(burst), burst, now));
        (1..5).for_each(|conn| deck.remove(ConnId(conn)));
        now += HOLD + LINGER;
        deck.handle_timeout(now);
        prop_assert_eq!(deck.figures(), Default::default());
        prop_assert_eq!(deck.poll_timeout(), None);
    }
}
