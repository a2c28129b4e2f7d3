//! Channels, and who is tuned to them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Index;
use std::sync::Arc;

use tenfour_protocol::limits::{SNAPSHOT_PARTICIPANTS, TURNS};
use tenfour_protocol::{ChannelId, Participant, ParticipantNo};

use super::AddressNo;
use super::agenda::Agenda;
use super::members::{Member, Members};
use super::presence::News;
use super::roll::Roll;
use crate::{ConnId, Time};

/// Every channel that has a participant, and the channels of every session.
#[derive(Debug, Default)]
pub(super) struct Roster {
    channels: BTreeMap<ChannelId, Channel>,
    /// The channels of each session that has some, and the number of the input that tuned it in.
    tuned: BTreeMap<ParticipantNo, BTreeMap<ChannelId, u64>>,
    /// How many channels have a name, and how many of them each address opened.
    named: usize,
    named_by: BTreeMap<AddressNo, usize>,
}

/// A channel that has a participant.
#[derive(Debug, Default)]
pub(super) struct Channel {
    /// Everybody, as pages list them.
    roll: Roll,
    /// Those who have a connection.
    here: Members,
    /// Those whose connection is gone for now, and which it was.
    away: BTreeMap<ParticipantNo, ConnId>,
    /// Who came and left since the channel was told last.
    news: News,
    /// The address that opened it, if it is a named channel.
    opened_by: Option<AddressNo>,
}

impl Channel {
    pub(super) fn count(&self) -> u32 {
        self.roll.len() as u32
    }

    /// Whether everybody who is tuned has a turn in each burst.
    pub(super) fn is_small(&self) -> bool {
        self.roll.len() <= usize::from(TURNS)
    }

    /// Whether it has too many participants to name them all.
    pub(super) fn is_large(&self) -> bool {
        self.roll.len() > SNAPSHOT_PARTICIPANTS
    }

    pub(super) fn roll(&self) -> &Roll {
        &self.roll
    }

    /// Those who have a connection.
    pub(super) fn here(&self) -> &Members {
        &self.here
    }

    /// The last connections of those who have none for now.
    pub(super) fn away(&self) -> impl Iterator<Item = ConnId> {
        self.away.values().copied()
    }
}

impl Roster {
    /// A session tunes in through `address`.
    pub(super) fn enter(
        &mut self,
        channel: &ChannelId,
        you: &Arc<Participant>,
        member: Member,
        address: Option<AddressNo>,
        now: Time,
        agenda: &mut Agenda,
    ) {
        self.tuned.entry(you.id).or_default().insert(channel.clone(), agenda.input_seq());
        let entered = match self.channels.entry(channel.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => {
                let opened_by = address.filter(|_| channel.number().is_none());
                self.named += usize::from(channel.number().is_none());
                if let Some(address) = opened_by {
                    *self.named_by.entry(address).or_default() += 1;
                }
                vacant.insert(Channel { opened_by, ..Channel::default() })
            }
        };
        entered.roll.insert(you);
        entered.here.insert(member);
        entered.news.joined(you.id);
        entered.news.tell(channel, now, agenda);
    }

    /// A session leaves a channel. Returns true if it was the last one, so that the channel is gone.
    pub(super) fn leave(
        &mut self,
        channel: &ChannelId,
        you: &Participant,
        now: Time,
        agenda: &mut Agenda,
    ) -> bool {
        if let Some(tuned) = self.tuned.get_mut(&you.id) {
            tuned.remove(channel);
            if tuned.is_empty() {
                self.tuned.remove(&you.id);
            }
        }
        let Some(left) = self.channels.get_mut(channel) else { return false };
        left.roll.remove(you);
        left.here.remove(you.id);
        left.away.remove(&you.id);
        if !left.roll.is_empty() {
            left.news.left(you.id);
            left.news.tell(channel, now, agenda);
            return false;
        }
        left.news.drop_all(channel, agenda);
        let opened_by = self.channels.remove(channel).and_then(|gone| gone.opened_by);
        self.named -= usize::from(channel.number().is_none());
        if let Some(address) = opened_by
            && let Some(named) = self.named_by.get_mut(&address)
        {
            *named -= 1;
            if *named == 0 {
                self.named_by.remove(&address);
            }
        }
        true
    }

    /// The connection of a session is gone: it stays on its channels, and nobody is told.
    pub(super) fn suspend(&mut self, participant: ParticipantNo) {
        for channel in self.tuned.get(&participant).into_iter().flat_map(BTreeMap::keys) {
            if let Some(channel) = self.channels.get_mut(channel) {
                let member = channel.here.remove(participant);
                channel.away.extend(member.map(|member| (participant, member.conn)));
            }
        }
    }

    /// A session has another connection, which replaces the one before.
    pub(super) fn come_back(&mut self, member: Member) {
        for channel in self.tuned.get(&member.participant).into_iter().flat_map(BTreeMap::keys) {
            if let Some(channel) = self.channels.get_mut(channel) {
                channel.away.remove(&member.participant);
                channel.here.insert(member);
            }
        }
    }

    /// Lists show a participant as `you` from now on.
    pub(super) fn rename(&mut self, earlier: &Participant, you: &Arc<Participant>) {
        for channel in self.tuned.get(&you.id).into_iter().flat_map(BTreeMap::keys) {
            if let Some(channel) = self.channels.get_mut(channel) {
                channel.roll.remove(earlier);
                channel.roll.insert(you);
            }
        }
    }

    /// Tells the channels of a participant that their handle, description or country has changed.
    pub(super) fn note_changed(&mut self, participant: ParticipantNo, now: Time, agenda: &mut Agenda) {
        for channel in self.tuned.get(&participant).into_iter().flat_map(BTreeMap::keys) {
            if let Some(known) = self.channels.get_mut(channel) {
                known.news.changed(participant);
                known.news.tell(channel, now, agenda);
            }
        }
    }

    /// A channel is told that there are more or fewer people on other nodes.
    pub(super) fn note_count(&mut self, channel: &ChannelId, now: Time, agenda: &mut Agenda) {
        if let Some(known) = self.channels.get_mut(channel) {
            known.news.tell(channel, now, agenda);
        }
    }

    /// What a channel has not been told yet.
    pub(super) fn take_news(&mut self, channel: &ChannelId) -> Option<News> {
        self.channels.get_mut(channel).map(|known| std::mem::take(&mut known.news))
    }

    pub(super) fn get(&self, channel: &ChannelId) -> Option<&Channel> {
        self.channels.get(channel)
    }

    pub(super) fn channels(&self) -> impl ExactSizeIterator<Item = (&ChannelId, &Channel)> {
        self.channels.iter()
    }

    /// The channels of a session, and the number of the input that tuned it in.
    pub(super) fn tuned_since(&self, participant: ParticipantNo) -> impl Iterator<Item = (&ChannelId, u64)> {
        self.tuned.get(&participant).into_iter().flatten().map(|(channel, &since)| (channel, since))
    }

    /// The channels of a session.
    pub(super) fn tuned(&self, participant: ParticipantNo) -> impl Iterator<Item = &ChannelId> {
        self.tuned_since(participant).map(|(channel, _)| channel)
    }

    pub(super) fn is_tuned(&self, participant: ParticipantNo, channel: &ChannelId) -> bool {
        self.tuned.get(&participant).is_some_and(|tuned| tuned.contains_key(channel))
    }

    /// How many channels a session has.
    pub(super) fn count_of(&self, participant: ParticipantNo) -> usize {
        self.tuned.get(&participant).map_or(0, BTreeMap::len)
    }

    /// Pairs of a session and a channel.
    pub(super) fn affiliations(&self) -> usize {
        self.tuned.values().map(BTreeMap::len).sum()
    }

    /// How many channels have a name.
    pub(super) fn named(&self) -> usize {
        self.named
    }

    /// How many named channels an address opened.
    pub(super) fn named_by(&self, address: Option<AddressNo>) -> usize {
        address.and_then(|address| self.named_by.get(&address)).copied().unwrap_or(0)
    }
}

impl Index<&ChannelId> for Roster {
    type Output = Channel;

    fn index(&self, channel: &ChannelId) -> &Channel {
        &self.channels[channel]
    }
}
