//! What the shell tells the radio.

use tenfour_protocol::control::FrameTime;
use tenfour_protocol::{ChannelId, GeoCell, ParticipantNo, Ranges, Refusal, ServerMessage};

use super::HeardNo;

/// What happened. What comes from a connection is told for the one that the last
/// [`Output::Connect`](super::Output::Connect) asked for, and no more after
/// [`Output::Close`](super::Output::Close).
#[derive(Debug, Clone)]
pub enum Input {
    /// The connection is open.
    Opened,
    /// A control message came. Texts of an unknown type are dropped by the shell.
    Message(ServerMessage),
    /// A binary message came: one voice frame.
    Voice(Vec<u8>),
    /// The server gave a sign of life that is no message: a ping of the socket.
    Alive,
    /// The connection ended, or could not be opened.
    Closed {
        /// What the server said, by close code or HTTP status, if it said anything.
        refusal: Option<Refusal>,
    },
    /// Tries the link now, instead of after the wait, or again after it was given up.
    Retry,
    /// Affiliates with a channel, now and after each drop.
    Tune {
        /// Which channel.
        channel: ChannelId,
        /// Bursts on the air begin at the oldest held frame instead of the live edge.
        catch_up: bool,
    },
    /// Ends an affiliation.
    Untune {
        /// Which channel.
        channel: ChannelId,
    },
    /// The shell looks for the cell one is in, and tells what came of it with
    /// [`Locate`](Self::Locate). A press that needs a cell waits for it, as it waits for the link.
    Locating,
    /// The cell one is in now; none shares it no longer, at once, or there is none to be had.
    /// To be told whenever it changes: the radio says it when it gives nobody away.
    Locate(Option<GeoCell>),
    /// How far to reach and to hear. This alone changes what was chosen: while a limited range has no
    /// cell at the server, presses wait for a short time and are then refused.
    Range(Ranges),
    /// The button goes down.
    Press {
        /// Where to talk.
        channel: ChannelId,
        /// Sound in each frame that will follow.
        frame_ms: FrameTime,
    },
    /// One frame of the microphone while the button is down. Without a press it is dropped.
    Frame {
        /// Position of its first sample since the press, at 48 kHz; each larger than the one before.
        media_time: u32,
        /// One Opus packet.
        payload: Vec<u8>,
    },
    /// The button goes up.
    Release,
    /// Stops or starts hearing a participant.
    Mute {
        /// Whom.
        participant: ParticipantNo,
        /// True to hear no more of them.
        muted: bool,
    },
    /// Asks for a page of the participants of a channel.
    Participants {
        /// Which channel.
        channel: ChannelId,
        /// Page, from 0.
        page: u32,
    },
    /// Plays a burst once more, from memory, after what is playing on its channel.
    SayAgain {
        /// Which burst.
        heard: HeardNo,
    },
}
