//! What the shell tells the hub.

use std::time::Duration;

use tenfour_protocol::control::{Dropped, EndReason};
use tenfour_protocol::limits::TOKEN_BYTES;
use tenfour_protocol::node::{Envelope, NodeId};
use tenfour_protocol::{BurstNo, ClientMessage, Person, Refusal, UserId};

use crate::ConnId;

/// Names a log-in; several connections may share one. The shell chooses the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoginId(pub u64);

/// Stands for an address, or for the prefix that a household shares. The shell draws the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressNo(pub u64);

/// Random bytes that name a session for a resume. Made by the shell, since the core has no
/// randomness; on the wire as base64url.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResumeToken(pub [u8; TOKEN_BYTES]);

/// Prints nothing: whoever has the token can take the session.
impl std::fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResumeToken(…)")
    }
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// A socket was opened by a user whose log-in was checked. Its first message has to be `hello`.
    Connected {
        /// The new connection.
        conn: ConnId,
        /// The log-in it belongs to.
        login: LoginId,
        /// The user.
        user: UserId,
        /// Where it comes from. None if that is unknown, as for loopback, which may be a proxy.
        address: Option<AddressNo>,
        /// The user as others see it.
        person: Person,
        /// Fresh random token for the session that `hello` begins or resumes.
        token: ResumeToken,
    },
    /// A control message, except `burst.end`, which goes to the [`Uplink`](crate::voice::Uplink).
    Message {
        /// From which connection.
        conn: ConnId,
        /// What it says.
        message: ClientMessage,
    },
    /// A text frame that is no control message. It counts as one.
    Malformed {
        /// From which connection.
        conn: ConnId,
        /// What to answer.
        refusal: Refusal,
        /// If it was meant as a press and its number can be read: the number. A press is answered by its receipt.
        press: Option<BurstNo>,
    },
    /// The uplink has passed on the last frame of an admitted burst.
    BurstClosed {
        /// The talker's connection.
        conn: ConnId,
        /// The talker's own number.
        local: BurstNo,
        /// Frames that were passed on.
        frames: u32,
        /// Frames that were not.
        dropped: Option<Box<Dropped>>,
        /// Why it ended.
        reason: EndReason,
    },
    /// A connection ended. [`Input::BurstClosed`] of its open burst came before.
    Disconnected {
        /// Which one.
        conn: ConnId,
    },
    /// The client said good-bye and will not resume: others see it leave at once. Comes before
    /// [`Input::Disconnected`].
    Left {
        /// Which connection.
        conn: ConnId,
    },
    /// A user logged out: each connection of that log-in is closed and forgotten at once.
    LoggedOut {
        /// Which log-in.
        login: LoginId,
    },
    /// Newer log-ins of a user replaced this one. Like [`Input::LoggedOut`], with a code of its own.
    Displaced {
        /// Which log-in.
        login: LoginId,
    },
    /// A user was erased. Like [`Input::LoggedOut`], for each of the user's log-ins, with a code of its own.
    Erased {
        /// Which log-in.
        login: LoginId,
    },
    /// A user has another handle or description now. For each of the user's log-ins.
    Profile {
        /// Which log-in.
        login: LoginId,
        /// The user as others see them, without the country, which the hub knows.
        person: Person,
    },
    /// Something about other nodes. A hub without a [`ClusterConfig`](super::ClusterConfig) ignores it.
    Node(NodeInput),
    /// The server stops.
    Stop {
        /// When clients may come back.
        back_in: Duration,
    },
}

/// What happened on the bus.
#[derive(Debug, Clone)]
pub enum NodeInput {
    /// The bus is connected, for the first time or after a [`NodeInput::Down`]. The shell keeps the subscriptions
    /// when it reconnects. It still reports down and up, since messages may have been lost.
    Up,
    /// The bus is gone.
    Down,
    /// A control message from a subscribed subject. The hub ignores its own messages that come back.
    Message(Envelope),
    /// Frames arrived of a burst that was not announced. Comes from [`Intake`](crate::voice::Intake).
    Unannounced {
        /// Whose frames.
        node: NodeId,
        /// Of which burst.
        burst: BurstNo,
    },
}
