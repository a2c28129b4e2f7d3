//! Which channels the radio is, or wants to be, tuned to.

use std::collections::{BTreeMap, VecDeque};

use tenfour_protocol::{ChannelId, ClientMessage, Code, Refusal};

use super::{Event, Output};

#[derive(Default)]
pub(super) struct Tuning {
    /// Channels wanted, with `catch_up`.
    wanted: BTreeMap<ChannelId, bool>,
    /// Tunes sent and not answered, oldest first: an `error` names no channel, but answers
    /// come in order.
    asked: VecDeque<ChannelId>,
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

    /// True when it was wanted.
    pub(super) fn untune(&mut self, channel: &ChannelId, up: bool, out: &mut VecDeque<Output>) -> bool {
        let wanted = self.wanted.remove(channel).is_some();
        if wanted && up {
            out.push_back(Output::Send(ClientMessage::Untune { channel: channel.clone() }));
        }
        wanted
    }

    /// The link is up, and `tuned` is what the server has: brings it in line with the wishes.
    pub(super) fn link_up(&mut self, tuned: &[ChannelId], out: &mut VecDeque<Output>) {
        self.asked.clear();
        for channel in tuned.iter().filter(|channel| !self.wanted.contains_key(channel)) {
            out.push_back(Output::Send(ClientMessage::Untune { channel: channel.clone() }));
        }
        let missing: Vec<_> = self.wanted.iter().filter(|(channel, _)| !tuned.contains(channel)).collect();
        for (channel, catch_up) in missing.into_iter().map(|(c, u)| (c.clone(), *u)).collect::<Vec<_>>() {
            self.ask(channel, catch_up, out);
        }
    }

    pub(super) fn tuned(&mut self, channel: &ChannelId) {
        if let Some(at) = self.asked.iter().position(|asked| asked == channel) {
            self.asked.remove(at);
        }
    }

    /// The server ended an affiliation, or answers `untune`. True when it was still wanted.
    pub(super) fn untuned(&mut self, channel: &ChannelId) -> bool {
        // Untune and tune again in quick succession: this answers the former.
        !self.asked.contains(channel) && self.wanted.remove(channel).is_some()
    }

    /// An `error` came: the event it becomes.
    pub(super) fn refused(&mut self, refusal: Refusal) -> Event {
        let about_tune = matches!(
            refusal.code,
            Code::UnknownChannel | Code::ChannelFull | Code::TooManyChannels | Code::NoRoomForChannel
        );
        match self.asked.pop_front_if(|_| about_tune) {
            Some(channel) => {
                self.wanted.remove(&channel);
                Event::TuneRefused { channel, refusal }
            }
            None => Event::Refused { refusal },
        }
    }

    fn ask(&mut self, channel: ChannelId, catch_up: bool, out: &mut VecDeque<Output>) {
        if !self.asked.contains(&channel) {
            self.asked.push_back(channel.clone());
            out.push_back(Output::Send(ClientMessage::Tune { channel, catch_up }));
        }
    }
}
