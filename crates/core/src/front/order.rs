//! What one worker does for the hub.

use tenfour_protocol::control::EndReason;
use tenfour_protocol::node::Subject;
use tenfour_protocol::{BurstNo, Code};

use crate::hub::{Input, StartAt, Tuned};
use crate::voice::{ByGrade, Deck};
use crate::{ConnId, Time};

/// What one worker does. `M` is a control message as this shell writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order<M> {
    /// Sends a control message to each of these connections.
    Send {
        /// To whom, in the hub's order.
        to: Vec<ConnId>,
        /// What.
        message: M,
    },
    /// Something for the worker's deck.
    Deck(DeckOrder<M>),
    /// Something for the port of a connection.
    Port {
        /// Which connection.
        conn: ConnId,
        /// What.
        order: PortOrder,
    },
    /// Frames of this burst go to other nodes too, from now on.
    Relay {
        /// The talker's connection.
        conn: ConnId,
        /// The server's number.
        burst: BurstNo,
        /// Where they are published.
        subject: Subject,
    },
    /// Closes a connection after what was sent to it before.
    Disconnect {
        /// Which one.
        conn: ConnId,
        /// Why; the close frame carries [`Code::close_code`] and the code.
        code: Code,
    },
}

/// Something for the deck of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeckOrder<M> {
    /// Opens a burst for those of its participants who are on this worker.
    Open {
        /// The server's number.
        burst: BurstNo,
        /// `burst.started`, for each grade.
        started: ByGrade<M>,
        /// Frames that each listener is sent at once, or more if it wishes so.
        bundle: u8,
        /// Whether the channel is small, so that everybody has a turn.
        small: bool,
        /// Who is tuned, in the hub's order.
        tuned: Vec<Tuned>,
    },
    /// Somebody is tuned, or what was known of them changes.
    Join {
        /// Which burst.
        burst: BurstNo,
        /// Who.
        who: Tuned,
        /// From where.
        from: StartAt,
    },
    /// Somebody is not tuned any more.
    Leave {
        /// Which burst.
        burst: BurstNo,
        /// Who.
        conn: ConnId,
    },
    /// How many frames are bundled for a connection.
    Bundle {
        /// Which connection.
        conn: ConnId,
        /// Frames in a bundle.
        frames: u8,
    },
    /// A burst is over.
    Close {
        /// Which burst.
        burst: BurstNo,
        /// `burst.ended`.
        ended: M,
    },
}

/// Something for the port of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortOrder {
    /// Frames of a burst may be passed on.
    Admit {
        /// The talker's own number.
        local: BurstNo,
        /// The server's number.
        burst: BurstNo,
    },
    /// The burst was refused: its frames are wiped.
    Refuse {
        /// The talker's own number.
        local: BurstNo,
    },
    /// The burst is over.
    End {
        /// The talker's own number.
        local: BurstNo,
        /// Why.
        reason: EndReason,
    },
}

impl<M: Clone> DeckOrder<M> {
    /// Carries it out. `is_here` says whether a connection is open: the deck would keep an entry for one that is
    /// gone.
    pub fn carry_out(self, deck: &mut Deck<M>, is_here: impl Fn(ConnId) -> bool, now: Time) {
        let present = |who: Tuned| if is_here(who.conn()) { who } else { Tuned::Not(who.conn()) };
        match self {
            Self::Open { burst, started, bundle, small, tuned } => {
                deck.open(burst, started, bundle, small, tuned.into_iter().map(present), now);
            }
            Self::Join { burst, who, from } => deck.join(burst, present(who), from, now),
            Self::Leave { burst, conn } => deck.leave(burst, conn),
            Self::Bundle { conn, frames } => {
                if is_here(conn) {
                    deck.set_bundle(conn, frames);
                }
            }
            Self::Close { burst, ended } => deck.close(burst, ended, now),
        }
    }
}

impl PortOrder {
    /// What to tell the hub if the connection is gone and nobody can carry this out. A burst that was admitted while
    /// its talker left is closed; otherwise it would count on the channel for ever.
    pub fn without_port(self, conn: ConnId) -> Option<Input> {
        let Self::Admit { local, .. } = self else { return None };
        Some(Input::BurstClosed { conn, local, frames: 0, dropped: None, reason: EndReason::TalkerLost })
    }
}
