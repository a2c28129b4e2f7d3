//! What must be true in the end.

use std::collections::{BTreeMap, BTreeSet};

use tenfour_core::Time;
use tenfour_protocol::{ChannelId, ParticipantNo};

use super::{Kind, Model, Seen, Trouble};
use crate::report::Report;

/// What each client believes: its number, and who is on its channels.
pub type Belief<'a> = (Option<ParticipantNo>, Vec<(&'a ChannelId, &'a BTreeSet<ParticipantNo>)>);

/// What must be true in the end.
impl Model {
    /// Nothing is on its way any more.
    pub fn settled(&mut self, beliefs: &[Belief<'_>]) {
        self.receipts_are_complete();
        self.bursts_are_complete();
        self.beliefs_agree(beliefs);
        self.bursts_were_heard_whole();
        self.seen.moved = self.whereabouts.moves();
        self.seen.beyond = self.audiences.out_of_range();
        self.seen.unwanted = self.mutes.spared();
    }

    fn receipts_are_complete(&mut self) {
        for ((client, local), press) in std::mem::take(&mut self.presses) {
            let receipts = press.receipts;
            self.must(receipts == 1, || format!("press {local} of {client} has {receipts} receipts"));
            let Some(told) = press.aired else { continue };
            let burst = self.admitted.get(&(client, local)).and_then(|burst| self.bursts.get(burst));
            let relayed = burst.map(|burst| burst.frames.len());
            self.must(relayed == Some(told as usize), || {
                format!("press {local} of {client}: receipt says {told}, {relayed:?} were relayed")
            });
        }
    }

    fn bursts_are_complete(&mut self) {
        let open: Vec<_> =
            self.bursts.iter().filter(|(_, burst)| burst.closed.is_none()).map(|(no, _)| *no).collect();
        self.must(open.is_empty(), || format!("bursts {open:?} never ended"));
        let heard: Vec<_> =
            self.hearing.iter().filter(|(_, hearing)| !hearing.ended).map(|(key, _)| *key).collect();
        self.must(heard.is_empty(), || format!("never ended for their listeners: {heard:?}"));
        let silent: Vec<_> =
            self.hearing.iter().filter(|(_, hearing)| !hearing.is_over()).map(|(key, _)| *key).collect();
        self.must(silent.is_empty(), || format!("never played to their end: {silent:?}"));
    }

    fn beliefs_agree(&mut self, beliefs: &[Belief<'_>]) {
        let mut truth = BTreeMap::<&ChannelId, BTreeSet<ParticipantNo>>::new();
        for (you, channels) in beliefs {
            for (channel, _) in channels {
                truth.entry(channel).or_default().extend(*you);
            }
        }
        for (client, (_, channels)) in beliefs.iter().enumerate() {
            for (channel, believed) in channels {
                let there = &truth[*channel];
                self.must(*believed == there, || {
                    format!("client {client} sees {believed:?} on {channel}, there are {there:?}")
                });
            }
        }
    }

    /// Who was tuned all the time heard all of it, or was told what was lost; and nothing was
    /// lost unless something happened to the link that costs frames.
    fn bursts_were_heard_whole(&mut self) {
        for (number, burst) in std::mem::take(&mut self.bursts) {
            let Some((closed, frames, _)) = burst.closed else { continue };
            for client in 0..self.datagrams.len() {
                let (from, to) = (burst.opened, closed + self.hold);
                // Datagrams are lost on either way, and then there are holes from the start.
                let datagrams = self.datagrams[client] || self.datagrams[burst.talker];
                let near = self.audiences.was_in_range(number, client);
                let unsure = datagrams || !near || self.muters.contains(&client);
                if client == burst.talker || unsure || !self.stayed(client, &burst.channel, from, to) {
                    continue;
                }
                let steady = self.was_steady(client, from, to);
                if !steady && !self.only_stalled(client, &burst.channel, from, to) {
                    continue;
                }
                let heard = self.frames.range((client, number, 0)..=(client, number, u16::MAX)).count();
                let gaps = self.gaps.get(&(client, number)).copied().unwrap_or(0);
                self.must(heard + gaps == frames as usize, || {
                    format!("client {client}, burst {number}: {heard} heard, {gaps} lost, of {frames}")
                });
                if steady {
                    self.must(gaps == 0, || format!("client {client} lost {gaps} frames of burst {number}"));
                    self.seen.whole += 1;
                }
            }
        }
    }

    /// Whether a client was tuned to a channel all the time, in one session.
    fn stayed(&self, client: usize, channel: &ChannelId, from: Time, to: Time) -> bool {
        let spans = self.tuned.get(&(client, channel.clone()));
        spans.is_some_and(|spans| {
            spans.iter().any(|(start, end)| *start < from && end.is_none_or(|end| to < end))
        })
    }

    /// Whether nothing happened to a client's link that costs frames. A link that comes back
    /// within the hold costs nothing: what was lost with it is sent again. Near the hold it may
    /// cost, and so may two in a row, which add up.
    fn was_steady(&self, client: usize, from: Time, to: Time) -> bool {
        let near = self.near(client, from, to);
        near.len() < 2 && near.iter().all(|trouble| trouble.time() <= self.hold / 2)
    }

    /// Whether the client's link stood, it only took nothing for a while, and it stayed until
    /// it had taken all.
    fn only_stalled(&self, client: usize, channel: &ChannelId, from: Time, to: Time) -> bool {
        let near = self.near(client, from, to);
        let end = near.iter().map(|trouble| trouble.end + self.hold).max().unwrap_or(to);
        let stalls = |trouble: &&Trouble| trouble.kind == Kind::Stall;
        self.near(client, from, end).iter().all(stalls) && self.stayed(client, channel, from, end)
    }

    fn near(&self, client: usize, from: Time, to: Time) -> Vec<&Trouble> {
        let all = self.troubles.get(&client).into_iter().flatten();
        all.filter(|trouble| trouble.start <= to && from <= trouble.end + self.hold).collect()
    }

    /// Everyone has gone; `leftovers` is what the server still has.
    pub fn left(&mut self, leftovers: Vec<String>) {
        for left in leftovers {
            self.must(false, || format!("left behind: {left}"));
        }
    }

    /// The end.
    pub fn report(self, log: Vec<String>) -> Report<Seen> {
        Report { violations: self.violations, log, seen: self.seen }
    }
}
