//! Telling a channel who came and who left.

use std::collections::BTreeSet;

use tenfour_protocol::limits::PRESENCE_TICK;
use tenfour_protocol::{ChannelId, Participant, ParticipantNo, ServerMessage};

use super::agenda::{Agenda, Timer};
use super::{Hub, Output, Recipients};
use crate::Time;

/// What has not been told yet. Nobody is in two lists; the last event counts. Somebody who came and left in between
/// is told as left, since a newcomer's snapshot may have named them.
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

    /// What others see of somebody has changed. If they have just come, the message about that has it all anyway.
    pub(super) fn changed(&mut self, participant: ParticipantNo) {
        if !self.joined.contains(&participant) {
            self.changed.insert(participant);
        }
    }

    /// Schedules the news of `channel` for its next tick.
    pub(super) fn tell(&mut self, channel: &ChannelId, now: Time, agenda: &mut Agenda) {
        if self.due.is_none() {
            let due = now + PRESENCE_TICK;
            self.due = Some(due);
            agenda.set(due, Timer::Presence(channel.clone()));
        }
    }

    /// Cancels the news of `channel`, which is gone.
    pub(super) fn drop_all(&mut self, channel: &ChannelId, agenda: &mut Agenda) {
        if let Some(due) = std::mem::take(self).due {
            agenda.cancel(due, Timer::Presence(channel.clone()));
        }
    }
}

impl Hub {
    /// At the tick: sends one message to everybody on the channel.
    pub(super) fn tell_presence(&mut self, channel: &ChannelId) {
        let Some(news) = self.roster.take_news(channel) else { return };
        let known = &self.roster[channel];
        if known.here().is_empty() {
            return;
        }
        let news = if known.is_large() { News::default() } else { news };
        let named = |participants: BTreeSet<_>| {
            let sessions = participants.into_iter().filter_map(|participant| self.sessions.get(participant));
            sessions.map(|session| Participant::clone(&session.you)).collect()
        };
        let message = ServerMessage::Presence {
            channel: channel.clone(),
            count: self.total_of(channel, known),
            joined: named(news.joined),
            left: news.left.into_iter().collect(),
            changed: named(news.changed),
        };
        let to = Recipients::Many(known.here().iter().map(|member| member.conn).collect());
        self.agenda.push(Output::Send { to, message });
    }
}
