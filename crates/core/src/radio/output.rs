//! What the radio asks the shell to do, and what it tells.

use std::time::Duration;

use tenfour_protocol::control::{ChannelInfo, EndReason, FrameTime, Outcome};
use tenfour_protocol::{
    BurstNo, ChannelId, ClientMessage, Country, Participant, ParticipantNo, Ranges, Refusal, SignalGrade,
};

use super::Payload;
use crate::Time;

/// Names a burst that was heard, by the radio's own count. The server's numbers begin again when it is restarted;
/// these never repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeardNo(pub u32);

/// What to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Opens a connection, instead of any earlier one.
    Connect,
    /// Closes the connection. The shell tells nothing more about it.
    Close,
    /// Sends a control message.
    Send(ClientMessage),
    /// Sends a binary message: one voice frame.
    SendVoice(Vec<u8>),
    /// Tells the person, or the program.
    Event(Event),
}

/// State of the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    /// A connection is being opened.
    Connecting,
    /// Up.
    OnTheAir {
        /// This participant, as others see them.
        you: Participant,
        /// True when the earlier session goes on.
        resumed: bool,
        /// How long the server keeps a frame.
        hold: Duration,
        /// Longest burst.
        talk_limit: Duration,
        /// Name of the host, for people.
        host: String,
    },
    /// Down; the next try is at `at`.
    ComingBack {
        /// When.
        at: Time,
        /// True when the server had said that it stops.
        going_away: bool,
        /// What the server said, if anything.
        refusal: Option<Refusal>,
    },
    /// Given up, until [`Input::Retry`](super::Input::Retry). With
    /// [`NotLoggedIn`](tenfour_protocol::Code::NotLoggedIn) the shell logs in first.
    Gone {
        /// Why, and what to do.
        refusal: Refusal,
    },
}

/// Why no more of a burst is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeardEnd {
    /// It is over.
    Ended(EndReason),
    /// The link was lost for too long.
    LinkLost,
    /// This radio left the channel.
    Untuned,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The link changed.
    Link(LinkState),
    /// A channel is tuned.
    Tuned {
        /// The channel.
        info: ChannelInfo,
        /// All participants, or the first page when `pages` is above 1.
        participants: Vec<Participant>,
        /// The number of pages.
        pages: u32,
    },
    /// A channel could not be tuned, and is not tried again.
    TuneRefused {
        /// The channel.
        channel: ChannelId,
        /// Why, and what to do.
        refusal: Refusal,
    },
    /// A channel is no longer tuned.
    Untuned {
        /// The channel.
        channel: ChannelId,
    },
    /// Who came and who left.
    Presence {
        /// The channel.
        channel: ChannelId,
        /// Participants now.
        count: u32,
        /// Who came.
        joined: Vec<Participant>,
        /// Who left.
        left: Vec<ParticipantNo>,
        /// Whose handle, description or country changed; their number stays.
        changed: Vec<Participant>,
    },
    /// A page of participants that was asked for.
    Participants {
        /// The channel.
        channel: ChannelId,
        /// Page, from 0.
        page: u32,
        /// Pages there are.
        pages: u32,
        /// Participants of the channel.
        count: u32,
        /// Those of this page.
        participants: Vec<Participant>,
    },
    /// What the server knows of this client's place.
    Located {
        /// Whether it knows a cell.
        shared: bool,
        /// The country that others see.
        country: Option<Country>,
        /// When the cell that was sent last takes effect, if it has not yet.
        effective_in: Option<Duration>,
    },
    /// How far this client reaches and hears now.
    Ranged(Ranges),
    /// Something was refused that belongs to no press and no channel: a place or a range with
    /// `cell_refused`, `too_many_moves` or `location_needed`.
    Refused {
        /// Why, and what to do.
        refusal: Refusal,
    },

    /// The button went down, and this is the burst's number from now on.
    Pressed {
        /// One's own number.
        burst: BurstNo,
        /// Where.
        channel: ChannelId,
    },
    /// One's burst was admitted.
    Granted {
        /// One's own number.
        burst: BurstNo,
        /// How long it may last.
        talk_limit: Duration,
    },
    /// Somebody in this client's hearing began to talk: the burst must end sooner.
    OthersWait {
        /// One's own number.
        burst: BurstNo,
        /// How many people began since this burst did.
        others: u32,
        /// How long it may still last.
        limit: Duration,
    },
    /// What became of a press. Each [`Event::Pressed`] gets exactly one. If the outcome is unknown, it is a refusal
    /// with [`LinkLost`](tenfour_protocol::Code::LinkLost).
    Receipt {
        /// One's own number.
        burst: BurstNo,
        /// Aired or refused.
        outcome: Outcome,
    },
    /// What became of a burst during which the link was lost; its receipt has said `link_lost` before. Comes after a
    /// resume.
    LateReceipt {
        /// The radio's number of the press.
        burst: BurstNo,
        /// How much of it was aired.
        outcome: Outcome,
    },

    /// The server is one of several and has lost the others, or has found them again.
    Island {
        /// Whether it is alone.
        alone: bool,
    },

    /// A burst begins, or is entered late. Each gets exactly one [`Event::BurstEnded`].
    BurstStarted {
        /// Its name from now on.
        heard: HeardNo,
        /// The server's number.
        burst: BurstNo,
        /// Where.
        channel: ChannelId,
        /// Who talks.
        talker: Participant,
        /// Sound in one frame.
        frame_ms: FrameTime,
        /// The S-meter, when both share a place.
        grade: Option<SignalGrade>,
    },
    /// A frame came: in order of `seq`, each at most once.
    Voice {
        /// Of which burst.
        heard: HeardNo,
        /// Its sequence number.
        seq: u16,
        /// Position of its first sample, at 48 kHz, counted from the first frame that came. It grows, and silence
        /// never makes it run ahead of time by more than [`HEARD_AHEAD`](tenfour_protocol::limits::HEARD_AHEAD),
        /// whatever the talker's clock says.
        media_time: u32,
        /// One Opus packet.
        payload: Payload,
    },
    /// Frames that will not come.
    Gap {
        /// Of which burst.
        heard: HeardNo,
        /// First sequence number lost.
        from: u16,
        /// The one after the last lost.
        to: u16,
    },
    /// No more of a burst comes.
    BurstEnded {
        /// Which burst.
        heard: HeardNo,
        /// Frames that came.
        received: u32,
        /// Frames that were lost, not counting those before the radio tuned in.
        lost: u32,
        /// Why.
        reason: HeardEnd,
    },

    /// A burst begins to play.
    PlayStarted {
        /// Which burst.
        heard: HeardNo,
        /// True if it is played again from memory.
        again: bool,
    },
    /// A burst was played to its end.
    PlayEnded {
        /// Which burst.
        heard: HeardNo,
        /// True if it was played again from memory.
        again: bool,
    },
    /// A burst is not played: it could not begin before the lag limit, or too many wait. It can be said again while
    /// it is remembered.
    PlayMissed {
        /// Which burst.
        heard: HeardNo,
    },
    /// A burst can no longer be played again.
    Forgotten {
        /// Which burst.
        heard: HeardNo,
    },
}

/// What to play next on a channel, from [`Radio::pull`](super::Radio::pull).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// Which burst, unless the channel is quiet.
    pub heard: Option<HeardNo>,
    /// How long it sounds, in samples at 48 kHz. Pull again after that.
    pub samples: u32,
    /// What it is.
    pub kind: SoundKind,
}

/// What to play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SoundKind {
    /// Decode this packet.
    Frame(Payload),
    /// A packet is missing: let the decoder conceal it.
    Conceal,
    /// Nothing.
    Silence,
}
