//! What the server may do.

use std::time::Duration;

use tenfour_core::hub::{HubFigures, Input, Output, Recipients};
use tenfour_core::voice::Packet;
use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::EndReason;
use tenfour_protocol::limits::STALLED_LINK;
use tenfour_protocol::{BurstNo, ChannelId, ClientMessage, ServerMessage, VoiceFrame};

use super::{Burst, Model, SLACK, Span};

impl Model {
    /// The hub is told something.
    pub fn hub_hears(&mut self, input: &Input, now: Time) {
        match input {
            Input::Connected { conn, login, .. } => {
                self.callers.insert(*conn, login.0 as usize);
            }
            Input::Message { conn, message } => {
                self.whereabouts.says(*conn, message);
                let session = self.sessions.get(conn).filter(|who| self.audiences.has(**who, *conn));
                if let (Some(&who), ClientMessage::Mute { participant, muted }) = (session, message) {
                    self.mutes.says(*conn, who, *participant, *muted);
                }
            }
            Input::Disconnected { conn } | Input::Left { conn } => self.drops(*conn, now),
            _ => {}
        }
    }

    /// The hub has said all that follows from it.
    pub fn hub_is_done(&mut self, figures: HubFigures, now: Time) {
        self.whereabouts.answered();
        self.mutes.answered();
        let judged = self.whereabouts.agrees(figures);
        self.judge(judged);
        self.audiences_are_right(now);
    }

    fn drops(&mut self, conn: ConnId, now: Time) {
        if let Some((who, &client)) = self.audiences.drops(conn).zip(self.callers.get(&conn)) {
            self.whereabouts.drops(client, who, now);
        }
    }

    /// The hub puts out something.
    pub fn hub_says(&mut self, output: &Output, client_of: impl Fn(ConnId) -> Option<usize>, now: Time) {
        if let Output::Send { message, .. } = output {
            let judged = self.whereabouts.tells_no_place(message);
            self.judge(judged);
        }
        if let Output::Send { to: Recipients::One(conn), message: ServerMessage::Error { .. } }
        | Output::Disconnect { conn, .. } = output
        {
            self.mutes.is_refused(*conn);
        }
        self.hub_routes(output, now);
        match output {
            Output::Open(route) => {
                let newest = self.opening.keys().next_back().copied();
                self.must(newest < Some(route.burst), || format!("burst numbers grow: {newest:?}"));
                self.opening.insert(route.burst, (route.channel.clone(), now));
            }
            Output::Admit { conn, local, burst } => {
                let Some(talker) = client_of(*conn) else { return };
                self.admit(talker, *local, *burst);
            }
            Output::Send { to: Recipients::One(conn), message } => {
                self.server_tells(*conn, message, now);
                if let Some(client) = client_of(*conn) {
                    self.client_is_told(client, message, now);
                }
            }
            Output::Disconnect { conn, .. } => self.drops(*conn, now),
            Output::Close { burst, ended } => self.hub_closes(*burst, ended, now),
            Output::Send { .. }
            | Output::Join { .. }
            | Output::Leave { .. }
            | Output::Bundle { .. }
            | Output::Refuse { .. }
            | Output::EndBurst { .. }
            | Output::Node(_) => {}
        }
    }

    fn hub_closes(&mut self, number: BurstNo, ended: &ServerMessage, now: Time) {
        let Some(burst) = self.bursts.get_mut(&number) else { return };
        let ServerMessage::BurstEnded { frames, reason, .. } = ended else {
            return self.must(false, || format!("burst {number} ends with {ended:?}"));
        };
        let relayed = burst.frames.len();
        // An uplink that went with its connection before it was admitted relayed nothing.
        let closed = *burst.closed.get_or_insert((now, *frames, *reason));
        // A talker must not learn of people waiting whom it would not hear.
        let closed = match closed {
            (at, frames, EndReason::Courtesy) => (at, frames, EndReason::Released),
            closed => closed,
        };
        self.must((closed.1, closed.2) == (*frames, *reason), || {
            format!("burst {number} ends as {ended:?}, not {closed:?}")
        });
        self.must(relayed == *frames as usize, || {
            format!("burst {number}: {relayed} relayed, {frames} told")
        });
    }

    pub(super) fn admit(&mut self, talker: usize, local: BurstNo, burst: BurstNo) {
        let Some((channel, opened)) = self.opening.get(&burst).cloned() else {
            return self.must(false, || format!("burst {burst} is admitted before it is opened"));
        };
        let pressed = self.presses.get(&(talker, local)).map(|press| press.channel.clone());
        self.must(pressed == Some(channel.clone()), || format!("burst {burst} airs where it was pressed"));
        let twice = self.admitted.insert((talker, local), burst);
        self.must(twice.is_none(), || format!("press {local} of {talker} is admitted twice"));
        let (frames, clock) = Default::default();
        self.bursts.insert(burst, Burst { talker, local, channel, opened, frames, clock, closed: None });
    }

    /// The hub's word on a session. Its connection may be gone already, and then nobody reads it.
    fn server_tells(&mut self, conn: ConnId, message: &ServerMessage, now: Time) {
        let Some(client) = self.callers.get(&conn).copied() else {
            return self.must(false, || format!("{conn:?} is told something and was never there"));
        };
        if let ServerMessage::Welcome { you, resumed, .. } = message {
            self.sessions.insert(conn, you.id);
            self.audiences.arrives(you.id, conn, client, *resumed);
            self.whereabouts.arrives((client, conn, you.id), now);
        }
        let Some(session) = self.sessions.get(&conn).copied() else { return };
        let judged = self.whereabouts.told((client, conn, session), message, now);
        self.judge(judged);
        match message {
            ServerMessage::Located { stamp: Some(_), .. } => self.seen.located += 1,
            ServerMessage::Tuned { info, .. } => {
                open(self.session_tuned.entry((session, info.channel.clone())).or_default(), now);
            }
            ServerMessage::Untuned { channel } => {
                self.session_tuned.entry((session, channel.clone())).and_modify(|spans| close(spans, now));
            }
            _ => {}
        }
    }

    /// The same for somebody whose connection stands.
    fn client_is_told(&mut self, client: usize, message: &ServerMessage, now: Time) {
        match message {
            ServerMessage::Welcome { resumed: true, .. } => self.seen.resumed += 1,
            ServerMessage::Welcome { .. } => self.all_untuned(client, now),
            ServerMessage::Tuned { info, .. } => {
                open(self.tuned.entry((client, info.channel.clone())).or_default(), now);
            }
            ServerMessage::Untuned { channel } => {
                self.tuned.entry((client, channel.clone())).and_modify(|spans| close(spans, now));
            }
            _ => {}
        }
    }

    fn all_untuned(&mut self, client: usize, now: Time) {
        for (_, spans) in self.tuned.iter_mut().filter(|((who, _), _)| *who == client) {
            close(spans, now);
        }
    }

    /// An uplink passes on a frame.
    pub fn relayed(&mut self, burst: BurstNo, packet: &Packet, now: Time) {
        let frame = VoiceFrame::parse(packet.message()).expect("an uplink passes on voice frames");
        let seq = frame.seq;
        let Some(state) = self.bursts.get_mut(&burst) else {
            return self
                .must(false, || format!("a frame of burst {burst}, which was never admitted, is relayed"));
        };
        let (closed, opened) = (state.closed.is_some(), state.opened);
        let again = state.frames.insert(seq, now).is_some();
        let told = state.clock.frame(frame.media_time, packet.arrived());
        self.must(!closed, || format!("burst {burst} is relayed after its end"));
        self.must(!again, || format!("frame {seq} of burst {burst} is relayed twice"));
        self.judge(told.map_err(|wrong| format!("burst {burst}: {wrong}")));
        let longest = self.talk_limit + SLACK;
        self.must(now - opened <= longest, || format!("burst {burst} is over the talk limit"));
    }

    /// An uplink says that a burst is over.
    pub fn closed(&mut self, talker: usize, local: BurstNo, frames: u32, reason: EndReason, now: Time) {
        let Some(burst) = self.admitted.get(&(talker, local)).copied() else {
            return self.must(false, || format!("press {local} of {talker} ends and was never admitted"));
        };
        let state = self.bursts.get_mut(&burst).expect("admitted bursts are known");
        let relayed = state.frames.len();
        let last = state.frames.values().next_back().copied().unwrap_or(state.opened);
        let twice = state.closed.replace((now, frames, reason)).is_some();
        self.must(!twice, || format!("burst {burst} ends twice"));
        self.must(relayed == frames as usize, || format!("burst {burst}: {relayed} relayed, {frames} told"));
        let silent = now - last;
        // On a line that loses much, the answer to a ping may come late.
        self.must(silent <= STALLED_LINK + SLACK, || format!("burst {burst} stayed silent for {silent:?}"));
    }

    /// A worker writes a frame to a listener's socket.
    pub fn written(&mut self, client: usize, conn: ConnId, packet: &Packet, now: Time) {
        let age = now - packet.arrived();
        self.must(age <= self.hold, || format!("a frame is sent {age:?} after it came"));
        let frame = VoiceFrame::parse(packet.message()).expect("the server writes voice frames");
        let Some(burst) = self.bursts.get(&frame.burst) else {
            return self.must(false, || format!("burst {} is heard and was never admitted", frame.burst));
        };
        let (talker, channel) = (burst.talker, burst.channel.clone());
        self.must(talker != client, || format!("client {client} hears itself"));
        let on = self.was_tuned(conn, &channel, now);
        self.must(on, || format!("client {client} hears {channel} without being tuned to it"));
        let near = self.may_be_written(frame.burst, conn, now);
        self.must(near, || format!("client {client} hears burst {}, which is out of range", frame.burst));
    }

    fn was_tuned(&self, conn: ConnId, channel: &ChannelId, now: Time) -> bool {
        let session = self.sessions.get(&conn);
        let spans = session.and_then(|session| self.session_tuned.get(&(*session, channel.clone())));
        spans.is_some_and(|spans| {
            spans.iter().any(|(start, end)| *start <= now && end.is_none_or(|end| now <= end + SLACK))
        })
    }

    /// The oldest frame that any worker holds arrived at `oldest`.
    pub fn holds(&mut self, oldest: Option<Time>, now: Time) {
        let age = oldest.map_or(Duration::ZERO, |oldest| now - oldest);
        self.must(age <= self.hold, || format!("at {now:?} a frame is held for {age:?}"));
    }
}

fn open(spans: &mut Vec<Span>, now: Time) {
    if spans.last().is_none_or(|(_, end)| end.is_some()) {
        spans.push((now, None));
    }
}

fn close(spans: &mut [Span], now: Time) {
    if let Some((_, end @ None)) = spans.last_mut() {
        *end = Some(now);
    }
}
