//! Which channels the radio is, or wants to be, tuned to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tenfour_protocol::{ChannelId, ClientMessage, Code, Refusal};

use super::limits::TUNE_RETRY;
use super::{Event, Output};
use crate::Time;

#[derive(Default)]
pub(super) struct Tuning {
    /// Channels wanted, with `catch_up`.
    wanted: BTreeMap<ChannelId, bool>,
    /// Tunes sent and not answered.
    asked: BTreeSet<ChannelId>,
    /// Tunes that came too fast for the server, and when they are sent again.
    postponed: BTreeMap<ChannelId, Time>,
}

impl Tuning {
    pub(super) fn wants(&self, channel: &ChannelId) -> bool {
        self.wanted.contains_key(channel)
    }

    pub(super) fn tune(&mut self, channel: ChannelId, catch_up: bool, up: bool, out: &mut VecDeque<Output>) {
        self.wanted.insert(channel.clone(), catch_up);
        if up {
            self.ask(channel, catch_up, out);
        }
    }

    /// Returns whether it was wanted.
    pub(super) fn untune(&mut self, channel: &ChannelId, up: bool, out: &mut VecDeque<Output>) -> bool {
        let wanted = self.wanted.remove(channel).is_some();
        if wanted && up {
            out.push_back(Output::Send(ClientMessage::Untune { channel: channel.clone() }));
        }
        wanted
    }

    /// The link is up, and the server has us on the channels `tuned`: tunes and untunes until they are the wanted
    /// ones.
    pub(super) fn link_up(&mut self, tuned: &[ChannelId], out: &mut VecDeque<Output>) {
        self.asked.clear();
        self.postponed.clear();
        for channel in tuned.iter().filter(|channel| !self.wanted.contains_key(channel)) {
            out.push_back(Output::Send(ClientMessage::Untune { channel: channel.clone() }));
        }
        let missing: Vec<_> = self.wanted.iter().filter(|(channel, _)| !tuned.contains(channel)).collect();
        for (channel, catch_up) in missing.into_iter().map(|(c, u)| (c.clone(), *u)).collect::<Vec<_>>() {
            self.ask(channel, catch_up, out);
        }
    }

    pub(super) fn tuned(&mut self, channel: &ChannelId) {
        self.asked.remove(channel);
    }

    /// The server ended an affiliation, or answers `untune`. Returns whether the channel was still wanted.
    pub(super) fn untuned(&mut self, channel: &ChannelId) -> bool {
        // Untune and tune again in quick succession: this answers the former.
        !self.asked.contains(channel) && self.wanted.remove(channel).is_some()
    }

    /// An `error` came. Returns the event for it, unless the radio deals with it itself.
    pub(super) fn refused(&mut self, refusal: Refusal, now: Time) -> Option<Event> {
        let channel = refusal.channel.clone().filter(|channel| self.asked.remove(channel));
        let Some(channel) = channel.filter(|channel| self.wants(channel)) else {
            return Some(Event::Refused { refusal });
        };
        if refusal.code == Code::TooManyMessages {
            let wait = refusal.retry_after_ms.map_or(TUNE_RETRY, |ms| Duration::from_millis(ms.into()));
            self.postponed.insert(channel, now + wait);
            return None;
        }
        self.wanted.remove(&channel);
        Some(Event::TuneRefused { channel, refusal })
    }

    pub(super) fn timeout(&self) -> Option<Time> {
        self.postponed.values().min().copied()
    }

    pub(super) fn handle_timeout(&mut self, up: bool, now: Time, out: &mut VecDeque<Output>) {
        for channel in
            self.postponed.extract_if(.., |_, at| *at <= now).map(|(channel, _)| channel).collect::<Vec<_>>()
        {
            if let Some(&catch_up) = self.wanted.get(&channel).filter(|_| up) {
                self.ask(channel, catch_up, out);
            }
        }
    }

    fn ask(&mut self, channel: ChannelId, catch_up: bool, out: &mut VecDeque<Output>) {
        if self.asked.insert(channel.clone()) {
            out.push_back(Output::Send(ClientMessage::Tune { channel, catch_up }));
        }
    }
}
