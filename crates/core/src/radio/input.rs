//! What the shell tells the radio.

use tenfour_protocol::control::FrameTime;
use tenfour_protocol::{ChannelId, GeoCell, ParticipantNo, Ranges, Refusal, ServerMessage};

use super::HeardNo;

/// What happened. Inputs about the connection are about the one that the last
/// [`Output::Connect`](super::Output::Connect) asked for. After [`Output::Close`](super::Output::Close) there are
/// none.
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
    /// The shell is looking for the cell that the person is in, and will tell the result with
    /// [`Locate`](Self::Locate). A press that needs a cell waits for it, as it waits for the link.
    Locating,
    /// The cell that the person is in now. None if it cannot be found or is not to be shared any more, which takes
    /// effect at once. Tell the radio whenever the cell changes: it sends the cell when that does not give the person
    /// away.
    Locate(Option<GeoCell>),
    /// How far to reach and to hear. Nothing else changes that choice. While the server has no cell for a limited
    /// range, presses wait for a short time and are then refused.
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
        /// True to stop hearing them.
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
