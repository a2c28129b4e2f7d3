//! Which nodes are believed.
//!
//! A message made with the cluster's secret may be old: somebody may have recorded it and play it again. So a node
//! is believed once it has answered a random question, and from then on each of its numbers is taken once. What it
//! said before is dropped; nodes repeat all that matters each second.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenfour_core::{Bucket, Time};
use tenfour_protocol::limits::{NODE_MESSAGES, NODE_MESSAGES_PER_SECOND, NODE_SILENT, NODES};
use tenfour_protocol::node::{Frames, NodeId};
use zeroize::Zeroizing;

use super::sealed::{Header, NodeKey, Sealer, lane_number};
use crate::bus::Lane;
use crate::lock::lock;
use crate::nats::{ClusterSecret, same};
use crate::random::random;

/// First bytes of a question and of its answer; neither is one of frames or of JSON.
const ASK: u8 = 0x21;
const ANSWER: u8 = 0x22;
/// A question that was not answered is asked again after this.
const ASK_AGAIN: Duration = Duration::from_millis(300);

type Challenge = [u8; 16];

/// What is to be done about a message.
#[derive(Debug)]
pub(super) enum Verdict {
    /// A node that is believed says this.
    Said(NodeId, Zeroizing<Vec<u8>>),
    /// This goes back to a node, on the lane for control.
    Reply(NodeId, Zeroizing<Vec<u8>>),
    /// Nothing.
    Nothing,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Peers {
    me: NodeId,
    secret: ClusterSecret,
    prefix: String,
    known: Mutex<HashMap<NodeId, Peer>>,
    /// Messages that were dropped: not made with the secret, said before, or too many.
    refused: AtomicU64,
    told: AtomicBool,
}

#[derive(Debug)]
struct Peer {
    key: Arc<NodeKey>,
    heard: Time,
    standing: Standing,
    /// Messages of control that it may say.
    budget: Bucket,
}

#[derive(Debug)]
enum Standing {
    /// It is asked this. When it was, last.
    Asked(Challenge, Option<Time>),
    /// It has answered; the numbers that were taken, on each lane.
    Believed([Window; 2]),
}

/// Numbers that were taken. They come nearly in order.
#[derive(Debug)]
struct Window {
    /// All from here on are new.
    next: u64,
    /// The 128 before, the newest in the lowest bit; those before them are too old.
    taken: u128,
}

impl Window {
    /// Numbers from here on are good.
    fn from(next: u64) -> Self {
        Self { next, taken: u128::MAX }
    }

    /// True when the number is good, which it is once.
    fn take(&mut self, number: u64) -> bool {
        if number == u64::MAX {
            return false;
        }
        if let Some(newer) = number.checked_sub(self.next) {
            self.taken =
                u32::try_from(newer + 1).ok().and_then(|by| self.taken.checked_shl(by)).unwrap_or(0) | 1;
            self.next = number + 1;
            return true;
        }
        let bit = u32::try_from(self.next - 1 - number).ok().and_then(|back| 1u128.checked_shl(back));
        let is_new = bit.is_some_and(|bit| self.taken & bit == 0);
        self.taken |= bit.unwrap_or(0);
        is_new
    }
}

impl Peers {
    pub(super) fn new(secret: ClusterSecret, prefix: &str, me: NodeId) -> Self {
        let (known, prefix) = (Mutex::default(), prefix.to_owned());
        Self { me, secret, prefix, known, refused: AtomicU64::default(), told: AtomicBool::default() }
    }

    /// Messages that were dropped.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// A message came. `sealer` is this node's, for what it answers.
    pub(super) fn hear(
        &self,
        lane: Lane,
        subject: &str,
        bytes: &[u8],
        sealer: &Sealer,
        now: Time,
    ) -> Verdict {
        self.judge(lane, subject, bytes, sealer, now).unwrap_or_else(|| self.refuse())
    }

    /// Nothing when the message is to be dropped and counted.
    fn judge(&self, lane: Lane, subject: &str, bytes: &[u8], sealer: &Sealer, now: Time) -> Option<Verdict> {
        let header = Header::of(bytes).filter(|header| header.from != self.me)?;
        let known = self.lock().get(&header.from).map(|peer| peer.key.clone());
        let key = known.unwrap_or_else(|| Arc::new(NodeKey::of(&self.secret, &self.prefix, header.from)));
        // Now it is certain that a node with the secret said it, at some time.
        let said = key.open(header, lane, subject, bytes)?;
        let mut known = self.lock();
        let peer = Self::meet(&mut known, header.from, key, now)?;
        peer.heard = now;
        match said.first() {
            _ if lane == Lane::Voice && Frames::is_next(&said) => {}
            _ if !peer.budget.take(1, now) => return None,
            Some(&ASK) => {
                let reply =
                    [&[ANSWER][..], said.get(1..17)?, &sealer.next(Lane::Voice).to_be_bytes()].concat();
                return Some(Verdict::Reply(header.from, reply.into()));
            }
            Some(&ANSWER) => {
                let (challenge, voice) = said.get(1..)?.split_first_chunk::<16>()?;
                let voice = u64::from_be_bytes(voice.try_into().ok()?);
                if let Standing::Asked(asked, _) = &peer.standing
                    && same(asked, challenge)
                {
                    let control = header.number.saturating_add(1);
                    peer.standing = Standing::Believed([Window::from(control), Window::from(voice)]);
                    return Some(Verdict::Nothing);
                }
                return None;
            }
            _ => {}
        }
        match &mut peer.standing {
            Standing::Believed(windows) => {
                windows[lane_number(lane)].take(header.number).then_some(Verdict::Said(header.from, said))
            }
            Standing::Asked(challenge, asked) => Some(ask(header.from, challenge, asked, now)),
        }
    }

    /// The node, which may be a new one. Nothing when there are as many as may be, and none of them is silent.
    fn meet(
        known: &mut HashMap<NodeId, Peer>,
        node: NodeId,
        key: Arc<NodeKey>,
        now: Time,
    ) -> Option<&mut Peer> {
        if known.len() >= NODES && !known.contains_key(&node) {
            let silent = |peer: &Peer| now.since(peer.heard) >= NODE_SILENT;
            let oldest = known.iter().filter(|(_, peer)| silent(peer)).min_by_key(|(_, peer)| peer.heard);
            let oldest = *oldest?.0;
            known.remove(&oldest);
        }
        Some(known.entry(node).or_insert_with(|| {
            let budget = Bucket::new(NODE_MESSAGES, NODE_MESSAGES_PER_SECOND, now);
            Peer { key, heard: now, standing: Standing::Asked(random(), None), budget }
        }))
    }

    fn refuse(&self) -> Verdict {
        self.refused.fetch_add(1, Ordering::Relaxed);
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "a message on NATS was dropped: it was not made with the secret of this cluster, or said before; more are counted in tenfour_bus_refused_total"
            );
        }
        Verdict::Nothing
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<NodeId, Peer>> {
        lock(&self.known)
    }
}

/// Asks a node to show that it is there, unless it was asked a moment ago.
fn ask(node: NodeId, challenge: &Challenge, asked: &mut Option<Time>, now: Time) -> Verdict {
    if asked.is_some_and(|at| now.since(at) < ASK_AGAIN) {
        return Verdict::Nothing;
    }
    *asked = Some(now);
    Verdict::Reply(node, [&[ASK][..], challenge].concat().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Node {
        peers: Peers,
        sealer: Sealer,
    }

    fn node(number: u64) -> Node {
        let secret = ClusterSecret::of(None).unwrap();
        let sealer = Sealer::of(&secret, "tenfour", NodeId(number));
        Node { peers: Peers::new(secret, "tenfour", NodeId(number)), sealer }
    }

    impl Node {
        fn say(&self, lane: Lane, text: &[u8]) -> Zeroizing<Vec<u8>> {
            self.sealer.seal(lane, "s", &[text])
        }

        fn hear(&self, lane: Lane, bytes: &[u8], now: Time) -> Verdict {
            self.peers.hear(lane, "s", bytes, &self.sealer, now)
        }

        /// What is said of a message, as text.
        fn hears(&self, lane: Lane, bytes: &[u8], now: Time) -> Option<Vec<u8>> {
            match self.hear(lane, bytes, now) {
                Verdict::Said(_, said) => Some(said.to_vec()),
                Verdict::Reply(..) | Verdict::Nothing => None,
            }
        }

        /// Has `other` show that it is there.
        fn ask(&self, other: &Self, now: Time) {
            let Verdict::Reply(_, ask) = self.hear(Lane::Control, &other.say(Lane::Control, b"{}"), now)
            else {
                panic!("a stranger is asked");
            };
            let ask = self.say(Lane::Control, &ask);
            let Verdict::Reply(_, answer) = other.hear(Lane::Control, &ask, now) else {
                panic!("it answers")
            };
            assert!(self.hears(Lane::Control, &other.say(Lane::Control, &answer), now).is_none());
        }
    }

    #[test]
    fn a_node_is_believed_when_it_has_answered_and_each_word_counts_once() {
        let (one, other, now) = (node(1), node(2), Time::ZERO);
        let early = other.say(Lane::Voice, b"before");
        one.ask(&other, now);
        assert_eq!(one.hears(Lane::Voice, &early, now), None, "what was said before it could show itself");
        for lane in [Lane::Control, Lane::Voice] {
            let words = [other.say(lane, b"first"), other.say(lane, b"second"), other.say(lane, b"third")];
            assert_eq!(one.hears(lane, &words[1], now).unwrap(), b"second");
            assert_eq!(one.hears(lane, &words[0], now).unwrap(), b"first", "a little late");
            assert!(one.hears(lane, &words[0], now).is_none() && one.hears(lane, &words[1], now).is_none());
            for _ in 0..200 {
                one.hears(lane, &other.say(lane, b"more"), now).unwrap();
            }
            assert!(one.hears(lane, &words[2], now).is_none(), "far too late");
        }
        assert_eq!(one.peers.refused(), 7);
    }

    #[test]
    fn what_somebody_kept_of_a_node_that_is_gone_is_nothing() {
        let (one, gone, later) = (node(1), node(2), Time::ZERO);
        let tape: Vec<_> = (0..50).map(|_| gone.say(Lane::Control, b"{}")).collect();
        for (n, word) in tape.iter().enumerate() {
            let now = later + Duration::from_millis(100 * n as u64);
            assert!(one.hears(Lane::Control, word, now).is_none());
        }
        // An answer to an earlier question is none to this.
        let other = node(3);
        let Verdict::Reply(_, ask) = other.hear(Lane::Control, &tape[0], later) else { panic!("asked") };
        let Verdict::Reply(_, answer) = gone.hear(Lane::Control, &other.say(Lane::Control, &ask), later)
        else {
            panic!("it answers")
        };
        let answer = gone.say(Lane::Control, &answer);
        assert!(one.hears(Lane::Control, &answer, later).is_none());
        assert!(one.hears(Lane::Control, &gone.say(Lane::Control, b"{}"), later).is_none());
    }

    #[test]
    fn nodes_and_their_words_have_a_most() {
        let (one, now) = (node(1), Time::ZERO);
        for n in 0..2 * NODES as u64 {
            one.hear(Lane::Control, &node(100 + n).say(Lane::Control, b"{}"), now);
        }
        assert_eq!((one.peers.lock().len(), one.peers.refused()), (NODES, NODES as u64));
        let later = now + NODE_SILENT;
        let other = node(2);
        one.ask(&other, later);
        assert_eq!(one.peers.lock().len(), NODES, "one that was silent made room");
        let words = 2 * NODE_MESSAGES;
        let heard = (0..words)
            .filter(|_| one.hears(Lane::Control, &other.say(Lane::Control, b"{}"), later).is_some());
        let heard = u32::try_from(heard.count()).unwrap();
        assert!((NODE_MESSAGES - 10..=NODE_MESSAGES).contains(&heard), "{heard}");
        let soon = later + Duration::from_secs(1);
        assert!(one.hears(Lane::Control, &other.say(Lane::Control, b"{}"), soon).is_some());
    }

    #[test]
    fn without_the_secret_nothing_is_kept_of_anybody() {
        let (one, now) = (node(1), Time::ZERO);
        for n in 0..1_000u64 {
            let mut forged = node(2).say(Lane::Control, b"{}").to_vec();
            forged[1..9].copy_from_slice(&n.to_be_bytes());
            assert!(matches!(
                one.hear(Lane::Control, &forged, now),
                Verdict::Nothing | Verdict::Reply(NodeId(2), _)
            ));
        }
        assert!(one.peers.lock().len() <= 1);
    }

    #[test]
    fn a_window_takes_each_number_once() {
        let mut window = Window::from(10);
        assert!(!window.take(9) && window.take(10) && !window.take(10));
        assert!(window.take(137) && window.take(11) && !window.take(11) && window.take(136));
        assert!(window.take(10_000) && !window.take(9_872) && window.take(9_873) && !window.take(137));
        assert!(!window.take(u64::MAX), "there is none after it");
        assert!(window.take(u64::MAX - 1) && !window.take(u64::MAX - 1));
    }
}
