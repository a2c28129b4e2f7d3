//! Telling a channel who came and who left.

use std::collections::BTreeSet;

use tenfour_protocol::limits::PRESENCE_TICK;
use tenfour_protocol::{ChannelId, Participant, ParticipantNo, ServerMessage};

use super::agenda::{Agenda, Timer};
use super::{Hub, Output, Recipients};
use crate::Time;

/// What has not been told yet. Nobody is in two lists: the last word counts. Somebody who came
/// and left in between is told as left, since a newcomer's snapshot may have named them.
#[derive(Debug, Default)]
pub(super) struct News {
    joined: BTreeSet<ParticipantNo>,
    left: BTreeSet<ParticipantNo>,
    changed: BTreeSet<ParticipantNo>,
    due: Option<Time>,
}

impl News {
    pub(super) fn joined(&mut self, participant: ParticipantNo) {
        self.left.remove(&participant);
        self.joined.insert(participant);
    }

    pub(super) fn left(&mut self, participant: ParticipantNo) {
        self.joined.remove(&participant);
        self.changed.remove(&participant);
        self.left.insert(participant);
    }

    /// Has it told at the next tick of `channel`, whose news it is.
    pub(super) fn tell(&mut self, channel: &ChannelId, now: Time, agenda: &mut Agenda) {
        if self.due.is_none() {
            let due = now + PRESENCE_TICK;
            self.due = Some(due);
            agenda.set(due, Timer::Presence(channel.clone()));
        }
    }
}

impl Hub {
    /// Others see another country, handle or description than before. Who has just come is told whole
    /// anyway.
    pub(super) fn note_changed(&mut self, participant: ParticipantNo, channel: &ChannelId, now: Time) {
        self.note(channel, now, |news| {
            if !news.joined.contains(&participant) {
                news.changed.insert(participant);
            }
        });
    }

    /// There are more or fewer people on other nodes.
    pub(super) fn note_count(&mut self, channel: &ChannelId, now: Time) {
        self.note(channel, now, |_| {});
    }

    fn note(&mut self, channel: &ChannelId, now: Time, change: impl FnOnce(&mut News)) {
        let Some(known) = self.channels.get_mut(channel) else { return };
        change(&mut known.news);
        known.news.tell(channel, now, &mut self.agenda);
    }

    pub(super) fn drop_news(&mut self, channel: &ChannelId) {
        let news = self.channels.get_mut(channel).map(|known| std::mem::take(&mut known.news));
        if let Some(due) = news.and_then(|news| news.due) {
            self.agenda.cancel(due, Timer::Presence(channel.clone()));
        }
    }

    /// The tick: one message, to everybody on the channel.
    pub(super) fn tell_presence(&mut self, channel: &ChannelId) {
        let Some(known) = self.channels.get_mut(channel) else { return };
        let news = std::mem::take(&mut known.news);
        let known = &self.channels[channel];
        if known.here.is_empty() {
            return;
        }
        let news = if known.is_large() { News::default() } else { news };
        let named = |participants: BTreeSet<_>| {
            let sessions = participants.into_iter().filter_map(|participant| self.sessions.get(&participant));
            sessions.map(|session| Participant::clone(&session.you)).collect()
        };
        let message = ServerMessage::Presence {
            channel: channel.clone(),
            count: self.total_of(channel, known),
            joined: named(news.joined),
            left: news.left.into_iter().collect(),
            changed: named(news.changed),
        };
        let to = Recipients::Many(known.here.iter().map(|member| member.conn).collect());
        self.agenda.push(Output::Send { to, message });
    }
}
