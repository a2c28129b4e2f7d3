//! The deck under generated calls.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tenfour_core::hub::{StartAt, Tuned};
use tenfour_core::voice::{ByGrade, Deck, Item, LINGER, Turn};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::{BurstNo, VoiceFrame};

use crate::deck::{HOLD, T, hears, packet};
use crate::world::{OPUS_20_MS, ms};

#[derive(Debug, Clone)]
enum Act {
    /// In a small channel or a large one, with those who hear it as bits.
    Open(u32, bool, u8),
    Append(u32),
    Close(u32),
    Join(u32, u64, bool, u8),
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
        1 => (burst(), any::<bool>(), any::<u8>()).prop_map(|(burst, small, hears)| Act::Open(burst, small, hears)),
        6 => burst().prop_map(Act::Append),
        1 => burst().prop_map(Act::Close),
        1 => (burst(), conn(), any::<bool>(), 0..3u8)
            .prop_map(|(burst, conn, hears, from)| Act::Join(burst, conn, hears, from)),
        1 => (burst(), conn()).prop_map(|(burst, conn)| Act::Leave(burst, conn)),
        1 => conn().prop_map(Act::Remove),
        1 => (conn(), 1..=3u8).prop_map(|(conn, k)| Act::Bundle(conn, k)),
        4 => (0..5usize).prop_map(Act::Serve),
        2 => (conn(), 0..5usize).prop_map(|(conn, items)| Act::Resume(conn, items)),
        2 => (0..900u64).prop_map(Act::Wait),
    ]
}

fn tuned(conn: u64, is_heard: bool) -> Tuned {
    if is_heard { hears(conn) } else { Tuned::Not(ConnId(conn)) }
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
                let lent: Option<Vec<_>> = deck.frames(conn).map(|frames| frames.cloned().map(Item::Voice).collect());
                let mut out = Vec::new();
                deck.gather(conn, items, &mut out);
                if let Some(lent) = lent {
                    assert_eq!(lent[..lent.len().min(items)], out, "what is lent is what is due");
                }
                deck.advance(conn, out.len());
                out.iter().for_each(|item| check(&mut had, conn.0, item, now));
            };
            match act {
                Act::Open(slot, small, heard) => {
                    newest += 1;
                    let earlier = number.insert(slot, newest);
                    earlier.into_iter().for_each(|earlier| deck.close(BurstNo(earlier), earlier, now));
                    let tuned = (1..4).map(|conn| tuned(conn, heard & 1 << conn > 0));
                    deck.open(BurstNo(newest), ByGrade::from_fn(|_| newest), 1, small, tuned, now);
                }
                Act::Append(slot) => {
                    let burst = of(&number, slot);
                    let seq = next.entry(burst).or_default();
                    deck.append(BurstNo(burst), packet(BurstNo(burst), *seq, &OPUS_20_MS, now), now);
                    *seq += 1;
                }
                Act::Close(slot) => deck.close(BurstNo(of(&number, slot)), of(&number, slot), now),
                Act::Join(slot, conn, heard, from) => {
                    let from = [StartAt::Live, StartAt::Oldest, StartAt::Seq(0)][usize::from(from)];
                    had.remove(&(conn, of(&number, slot)));
                    deck.join(BurstNo(of(&number, slot)), tuned(conn, heard), from, now);
                }
                Act::Leave(slot, conn) => deck.leave(BurstNo(of(&number, slot)), ConnId(conn)),
                Act::Remove(conn) => deck.remove(ConnId(conn)),
                Act::Bundle(conn, frames) => deck.set_bundle(ConnId(conn), frames),
                Act::Serve(items) => {
                    let together = [deck.due(now), deck.due(now)].into_iter().flatten();
                    together.filter_map(Turn::listener).for_each(|conn| serve(&mut deck, conn, items, now));
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
        while let Some(turn) = deck.due(now) {
            prop_assert_eq!(turn.listener(), None, "nobody is there");
        }
        prop_assert!(!deck.has_due());
        prop_assert_eq!(deck.figures(), Default::default());
        prop_assert_eq!(deck.poll_timeout(), None);
    }
}
