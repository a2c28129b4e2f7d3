//! The floor: bursts on the air, bursts that ended and are held, presses that wait, and who talked a lot.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Index;

use tenfour_protocol::control::{EndReason, Outcome};
use tenfour_protocol::limits::PRESSES_WAITING;
use tenfour_protocol::{BurstNo, ChannelId, ParticipantNo, Range, Refusal};

use super::AddressNo;
use super::agenda::{Agenda, Timer};
use super::airtime::{Airtime, UserKey};
use super::burst::{Burst, Press, Talk};
use super::nodes::Origin;
use super::receipts::Cut;
use crate::chance::Chance;
use crate::{ConnId, Time};

/// Every burst and every press. Everybody can read a burst. Changes go through the methods here, which keep bursts,
/// channels and counts consistent.
#[derive(Debug)]
pub(super) struct Floor {
    bursts: BTreeMap<BurstNo, Burst>,
    channels: BTreeMap<ChannelId, OnChannel>,
    buttons: BTreeMap<ConnId, Button>,
    /// Receipts that are owed to sessions.
    cuts: BTreeMap<ParticipantNo, Cut>,
    airtime: Airtime,
    /// How many own bursts are on the air, and how many of each address.
    on_air: usize,
    on_air_of: BTreeMap<AddressNo, usize>,
    newest: u32,
    /// Shuffles listeners.
    chance: Chance,
}

/// The bursts of a channel that has a participant.
#[derive(Debug, Default)]
struct OnChannel {
    on_air: BTreeSet<BurstNo>,
    held: BTreeSet<BurstNo>,
    /// Who talked a lot lately, and their largest transmit range. May name people who no longer do.
    talkative: BTreeMap<ParticipantNo, Range>,
}

/// The talk button of a connection.
#[derive(Debug, Default)]
struct Button {
    /// The largest number that a press had.
    newest: Option<BurstNo>,
    talk: Option<Talk>,
    /// Presses that wait for `talk` to end.
    waiting: VecDeque<Press>,
}

impl Floor {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            bursts: BTreeMap::new(),
            channels: BTreeMap::new(),
            buttons: BTreeMap::new(),
            cuts: BTreeMap::new(),
            airtime: Airtime::default(),
            on_air: 0,
            on_air_of: BTreeMap::new(),
            newest: 0,
            chance: Chance::new(seed),
        }
    }

    /// Notes the number of a connection's press. Returns false if it is not larger than all before.
    pub(super) fn note_number(&mut self, conn: ConnId, local: BurstNo) -> bool {
        let newest = &mut self.buttons.entry(conn).or_default().newest;
        let is_new = newest.is_none_or(|newest| newest < local);
        if is_new {
            *newest = Some(local);
        }
        is_new
    }

    pub(super) fn is_number_used(&self, conn: ConnId, local: BurstNo) -> bool {
        self.buttons.get(&conn).and_then(|button| button.newest).is_some_and(|newest| local <= newest)
    }

    /// A press waits for its connection's current talk to end.
    ///
    /// # Errors
    /// Returns the press if too many wait already.
    pub(super) fn wait(&mut self, conn: ConnId, press: Press, agenda: &mut Agenda) -> Result<(), Press> {
        let waiting = &mut self.buttons.entry(conn).or_default().waiting;
        if waiting.len() >= PRESSES_WAITING {
            return Err(press);
        }
        if waiting.is_empty() {
            agenda.set(press.until, Timer::Press(conn));
        }
        waiting.push_back(press);
        Ok(())
    }

    /// Takes the oldest press that waits, and sets the timer for the next.
    pub(super) fn take_press(&mut self, conn: ConnId, agenda: &mut Agenda) -> Option<Press> {
        let waiting = &mut self.buttons.get_mut(&conn)?.waiting;
        let press = waiting.pop_front()?;
        agenda.cancel(press.until, Timer::Press(conn));
        if let Some(next) = waiting.front() {
            agenda.set(next.until, Timer::Press(conn));
        }
        Some(press)
    }

    /// A burst begins on a channel that has a participant. Returns its number.
    pub(super) fn open(&mut self, burst: Burst) -> BurstNo {
        self.newest += 1;
        let number = BurstNo(self.newest);
        self.put_on_air(number, &burst.channel);
        if burst.conn().is_some() {
            self.on_air += 1;
            if let Some(address) = burst.address {
                *self.on_air_of.entry(address).or_default() += 1;
            }
        }
        self.bursts.insert(number, burst);
        number
    }

    /// A burst is heard on a channel that has a participant. False if it was already.
    pub(super) fn put_on_air(&mut self, burst: BurstNo, channel: &ChannelId) -> bool {
        self.channels.entry(channel.clone()).or_default().on_air.insert(burst)
    }

    /// A connection has a burst on the air.
    pub(super) fn begin_talk(&mut self, conn: ConnId, talk: Talk, agenda: &mut Agenda) {
        agenda.set(talk.limit, Timer::TalkLimit(talk.burst));
        self.buttons.entry(conn).or_default().talk = Some(talk);
    }

    /// Somebody else began to talk, so this talk must end at `soon` at the latest. Returns the talk as it is now.
    pub(super) fn shorten_talk(&mut self, conn: ConnId, soon: Time, agenda: &mut Agenda) -> Option<Talk> {
        let talk = self.buttons.get_mut(&conn)?.talk.as_mut()?;
        talk.others += 1;
        if soon < talk.limit {
            agenda.cancel(talk.limit, Timer::TalkLimit(talk.burst));
            (talk.limit, talk.ends) = (soon, EndReason::Courtesy);
            agenda.set(soon, Timer::TalkLimit(talk.burst));
        }
        Some(*talk)
    }

    /// The talk that its connection calls `local` is over.
    pub(super) fn end_talk(&mut self, conn: ConnId, local: BurstNo, agenda: &mut Agenda) -> Option<Talk> {
        let talk = self.buttons.get_mut(&conn)?.talk.take_if(|talk| talk.local == local)?;
        agenda.cancel(talk.limit, Timer::TalkLimit(talk.burst));
        Some(talk)
    }

    /// A burst is over, and held until `until`.
    pub(super) fn close(&mut self, number: BurstNo, until: Time, agenda: &mut Agenda) {
        let Some(burst) = self.bursts.get_mut(&number) else { return };
        burst.over = Some(agenda.input_seq());
        agenda.set(until, Timer::Forget(number));
        if burst.conn().is_some() {
            self.on_air -= 1;
            if let Some(address) = burst.address
                && let Some(count) = self.on_air_of.get_mut(&address)
            {
                *count -= 1;
                if *count == 0 {
                    self.on_air_of.remove(&address);
                }
            }
        }
        // The channel may have gone and come back under the same name.
        if let Some(channel) = self.channels.get_mut(&burst.channel)
            && channel.on_air.remove(&number)
        {
            channel.held.insert(number);
        }
    }

    /// The hold of a burst is over.
    pub(super) fn forget(&mut self, number: BurstNo) {
        let Some(forgotten) = self.bursts.remove(&number) else { return };
        if let Some(channel) = self.channels.get_mut(&forgotten.channel) {
            channel.held.remove(&number);
        }
    }

    /// A connection is gone.
    pub(super) fn forget_conn(&mut self, conn: ConnId) {
        self.buttons.remove(&conn);
    }

    /// The last participant has left a channel. If a channel of the same name appears, these bursts do not belong to
    /// it.
    pub(super) fn forget_channel(&mut self, channel: &ChannelId) {
        self.channels.remove(channel);
    }

    /// A talker's session is over. Somebody of `muters` who resumes later must still not hear this talker.
    pub(super) fn keep_unwanted(&mut self, talker: ParticipantNo, muters: &BTreeSet<ParticipantNo>) {
        for burst in self.bursts.values_mut().filter(|burst| burst.talker == talker) {
            burst.unwanted_by.clone_from(muters);
        }
    }

    /// What `nodes` keeps of a burst.
    pub(super) fn origin_mut(&mut self, burst: BurstNo) -> Option<&mut Origin> {
        self.bursts.get_mut(&burst).map(|burst| &mut burst.origin)
    }

    /// What `nodes` keeps of each burst.
    pub(super) fn origins_mut(&mut self) -> impl Iterator<Item = &mut Origin> {
        self.bursts.values_mut().map(|burst| &mut burst.origin)
    }

    pub(super) fn get(&self, burst: BurstNo) -> Option<&Burst> {
        self.bursts.get(&burst)
    }

    pub(super) fn bursts(&self) -> impl Iterator<Item = (BurstNo, &Burst)> {
        self.bursts.iter().map(|(&number, burst)| (number, burst))
    }

    /// Bursts on the air on a channel.
    pub(super) fn on_air(&self, channel: &ChannelId) -> impl ExactSizeIterator<Item = BurstNo> {
        static NONE: BTreeSet<BurstNo> = BTreeSet::new();
        self.channels.get(channel).map_or(&NONE, |channel| &channel.on_air).iter().copied()
    }

    /// Bursts on a channel that are over and held, then those on the air.
    pub(super) fn held_and_on_air(&self, channel: &ChannelId) -> impl Iterator<Item = BurstNo> {
        let channel = self.channels.get(channel).into_iter();
        channel.flat_map(|channel| channel.held.iter().chain(&channel.on_air).copied())
    }

    /// What a connection has on the air.
    pub(super) fn talk(&self, conn: ConnId) -> Option<&Talk> {
        self.buttons.get(&conn)?.talk.as_ref()
    }

    /// Whether no burst of this node is on the air.
    pub(super) fn is_quiet(&self) -> bool {
        self.on_air == 0
    }

    /// Own bursts on the air.
    pub(super) fn own_on_air(&self) -> usize {
        self.on_air
    }

    /// Bursts of an address on the air.
    pub(super) fn on_air_of(&self, address: Option<AddressNo>) -> usize {
        address.and_then(|address| self.on_air_of.get(&address)).copied().unwrap_or(0)
    }

    /// What decides in which order listeners are served.
    pub(super) fn chance(&mut self) -> &mut Chance {
        &mut self.chance
    }

    /// A talker's session is owed a receipt.
    pub(super) fn owe(&mut self, talker: ParticipantNo, cut: Cut) {
        self.cuts.insert(talker, cut);
    }

    /// Takes the receipt that a talker is owed: the number of the press, and what became of it.
    pub(super) fn tell_cut(&mut self, talker: ParticipantNo) -> Option<(BurstNo, Outcome)> {
        let cut = self.cuts.get_mut(&talker)?;
        cut.told = true;
        Some((cut.local, cut.outcome.clone()))
    }

    /// A talker whose answer arrived needs no receipt twice.
    pub(super) fn forget_told_cut(&mut self, talker: ParticipantNo) {
        if self.cuts.get(&talker).is_some_and(|cut| cut.told) {
            self.cuts.remove(&talker);
        }
    }

    pub(super) fn forget_cut(&mut self, talker: ParticipantNo) {
        self.cuts.remove(&talker);
    }

    /// Whether a user may talk on `channel`, considering how much they talked.
    pub(super) fn may_talk(&self, user: UserKey, channel: &ChannelId, now: Time) -> Result<(), Refusal> {
        self.airtime.may_talk(user, channel, now)
    }

    /// When a burst that begins now has to end, if it continues one for which others waited.
    pub(super) fn owed_limit(&self, user: UserKey, channel: &ChannelId, now: Time) -> Option<Time> {
        self.airtime.owed(user, channel, now)
    }

    /// A talk is over: its time counts, and after a limit there is a rest.
    pub(super) fn count_speech(&mut self, user: UserKey, talk: &Talk, reason: EndReason, now: Time) {
        let Some(burst) = self.bursts.get(&talk.burst) else { return };
        self.airtime.talked(user, talk.since, now);
        if matches!(reason, EndReason::TalkLimit | EndReason::Courtesy) {
            self.airtime.rests(user, &burst.channel, now);
        } else if talk.others > 0 || talk.ends == EndReason::Courtesy {
            self.airtime.let_go(user, &burst.channel, talk.limit, now);
        }
    }

    /// Somebody in the hearing of a waiting user began to talk.
    pub(super) fn others_began(&mut self, user: UserKey, channel: &ChannelId, now: Time) {
        self.airtime.others_began(user, channel, now);
    }

    /// Who talked a lot lately on a channel, and how far.
    pub(super) fn talkative(&self, channel: &ChannelId) -> impl Iterator<Item = (ParticipantNo, Range)> {
        let channel = self.channels.get(channel).into_iter();
        channel.flat_map(|channel| channel.talkative.iter().map(|(&talker, &reach)| (talker, reach)))
    }

    /// Remembers on a channel that somebody talked a lot lately, if they did, and how far they reached.
    pub(super) fn note_talkative(
        &mut self,
        (talker, user): (ParticipantNo, UserKey),
        channel: &ChannelId,
        reach: Range,
        now: Time,
    ) {
        if self.airtime.talks_much(user, now) {
            let known = self.channels.entry(channel.clone()).or_default();
            let farthest = known.talkative.entry(talker).or_insert(reach);
            *farthest = reach.max(*farthest);
        }
    }

    /// Somebody in the hearing of a talkative user began to talk. Forgets the user if they are no longer talkative.
    pub(super) fn others_began_for_talkative(
        &mut self,
        (talker, user): (ParticipantNo, UserKey),
        channel: &ChannelId,
        now: Time,
    ) {
        if self.airtime.talks_much(user, now) {
            self.airtime.others_began(user, channel, now);
        } else {
            self.forget_talkative(talker, channel);
        }
    }

    pub(super) fn forget_talkative(&mut self, talker: ParticipantNo, channel: &ChannelId) {
        if let Some(known) = self.channels.get_mut(channel) {
            known.talkative.remove(&talker);
        }
    }

    /// When [`Floor::forget_airtime`] is due.
    pub(super) fn due(&self) -> Option<Time> {
        self.airtime.due()
    }

    /// Forgets speech that no longer counts.
    pub(super) fn forget_airtime(&mut self, now: Time) {
        self.airtime.forget(now);
    }
}

impl Index<BurstNo> for Floor {
    type Output = Burst;

    fn index(&self, burst: BurstNo) -> &Burst {
        &self.bursts[&burst]
    }
}
