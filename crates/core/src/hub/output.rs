//! What the hub asks the shell to do.

use std::sync::Arc;

use tenfour_protocol::control::EndReason;
use tenfour_protocol::node::{NodeId, NodeMessage, NodeName, Subject};
use tenfour_protocol::{BurstNo, ChannelId, Code, ServerMessage, SignalGrade};

use crate::ConnId;

/// Whom a message goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// One connection.
    One(ConnId),
    /// Several; encoded once, sent to each.
    Many(Arc<[ConnId]>),
}

/// Who may hear a burst, as of its start. Later changes come as [`Output::Join`] and [`Output::Leave`], so that
/// somebody who comes or goes costs the same in a small and in a large channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The server's number.
    pub burst: BurstNo,
    /// Where.
    pub channel: ChannelId,
    /// Frames that each listener is sent at once, or more if it wishes so.
    pub bundle: u8,
    /// `burst.started`, for listeners whose distance is not known.
    pub started: ServerMessage,
    /// Whether the channel has at most [`TURNS`](tenfour_protocol::limits::TURNS) participants.
    pub small: bool,
    /// In a small channel everybody who is tuned, in a large one those who hear it; never the talker. In
    /// an order that says nothing about them.
    pub tuned: Vec<Tuned>,
}

impl Route {
    /// Those who hear it.
    pub fn listeners(&self) -> impl Iterator<Item = Hears> {
        self.tuned.iter().filter_map(|who| who.hears())
    }
}

/// Somebody hears a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hears {
    /// Through which connection.
    pub conn: ConnId,
    /// How near the talker is, when both share a cell.
    pub grade: Option<SignalGrade>,
}

/// Somebody who is tuned to the channel of a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tuned {
    /// They hear it.
    Hears(Hears),
    /// They do not: the talker is out of range or muted, or their connection is gone for now. In a small channel the
    /// worker does equal work for them, but sends nothing.
    Not(ConnId),
}

impl Tuned {
    /// Through which connection; it may be gone.
    pub fn conn(self) -> ConnId {
        match self {
            Self::Hears(Hears { conn, .. }) | Self::Not(conn) => conn,
        }
    }

    /// How they hear it, if they do.
    pub fn hears(self) -> Option<Hears> {
        match self {
            Self::Hears(hears) => Some(hears),
            Self::Not(_) => None,
        }
    }
}

/// Where a listener begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// At the next frame.
    Live,
    /// At the oldest frame that is held.
    Oldest,
    /// At this sequence number, or at the oldest held after it. The listener is told of the gap.
    Seq(u16),
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Sends a control message.
    Send {
        /// To whom.
        to: Recipients,
        /// What.
        message: ServerMessage,
    },
    /// Opens a burst: on every worker, before [`Output::Admit`].
    Open(Arc<Route>),
    /// Somebody is tuned, or whether they hear the burst has changed. For the worker of their connection. The burst
    /// may be over and still held.
    Join {
        /// Which burst.
        burst: BurstNo,
        /// Who.
        who: Tuned,
        /// Where they begin, if they are new.
        from: StartAt,
    },
    /// Somebody is no longer tuned. They are told nothing here.
    Leave {
        /// Which burst.
        burst: BurstNo,
        /// Who.
        conn: ConnId,
    },
    /// How many frames the deck of `conn`'s worker bundles for it, 1 to 3.
    Bundle {
        /// Which connection.
        conn: ConnId,
        /// Frames in a bundle.
        frames: u8,
    },
    /// A burst is over: on every worker. Follows its last frame, since the uplink's
    /// [`BurstClosed`](crate::hub::Input::BurstClosed) came after that.
    Close {
        /// Which burst.
        burst: BurstNo,
        /// `burst.ended`, for each listener.
        ended: ServerMessage,
    },
    /// The talker's uplink may pass on frames, under this number.
    Admit {
        /// The talker's connection.
        conn: ConnId,
        /// The talker's own number.
        local: BurstNo,
        /// The server's number.
        burst: BurstNo,
    },
    /// The talker's uplink drops the burst. The receipt was sent.
    Refuse {
        /// The talker's connection.
        conn: ConnId,
        /// The talker's own number.
        local: BurstNo,
    },
    /// The talker's uplink ends the burst, and answers with
    /// [`BurstClosed`](crate::hub::Input::BurstClosed).
    EndBurst {
        /// The talker's connection.
        conn: ConnId,
        /// The talker's own number.
        local: BurstNo,
        /// Why.
        reason: EndReason,
    },
    /// Closes a connection after what was sent to it before. The shell answers with
    /// [`Disconnected`](crate::hub::Input::Disconnected).
    Disconnect {
        /// Which one.
        conn: ConnId,
        /// Why; the close frame carries [`Code::close_code`] and the code.
        code: Code,
    },
    /// Something for the bus. Only a hub with a [`ClusterConfig`](super::ClusterConfig) has such outputs.
    Node(NodeOutput),
}

/// What to do with the bus.
///
/// The order on the voice subjects is kept: [`NodeOutput::Publish`] of a start comes before [`Output::Admit`] and so
/// before the first frame; that of an end comes after the uplink's last frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeOutput {
    /// Publishes a message, in an envelope with this node's number. The shell drops it while the bus is down.
    Publish {
        /// Where.
        subject: Subject,
        /// What. In a box, since it may carry a cell: moving it must not leave copies.
        message: Box<NodeMessage>,
    },
    /// Subscribes to a subject.
    Subscribe(Subject),
    /// Unsubscribes from it.
    Unsubscribe(Subject),
    /// The talker's worker also publishes each frame of this burst there, once for all nodes. Comes before
    /// [`Output::Admit`], and again when the talker has moved.
    Relay {
        /// The talker's connection.
        conn: ConnId,
        /// The server's number.
        burst: BurstNo,
        /// Where.
        subject: Subject,
    },
    /// Frames of another node's burst go to every worker's deck, under a number of this node: for
    /// [`Intake::hear`](crate::voice::Intake::hear), after [`Output::Open`] has gone to the workers.
    Hear {
        /// Whose burst.
        node: NodeId,
        /// That node's number.
        burst: BurstNo,
        /// This node's number.
        local: BurstNo,
    },
    /// Frames of another node's burst are dropped from now on.
    Unhear {
        /// Whose burst.
        node: NodeId,
        /// That node's number.
        burst: BurstNo,
    },
    /// Something for the operator.
    News(NodeNews),
}

/// What an operator should know of other nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeNews {
    /// Another node is present.
    Met {
        /// Its number.
        node: NodeId,
        /// What its operator calls it.
        name: NodeName,
    },
    /// A node has fallen silent, or the bus is down.
    Lost {
        /// Its number.
        node: NodeId,
        /// What its operator calls it.
        name: NodeName,
    },
    /// A node has the same name as this one or as another that is present.
    SameName {
        /// Its number.
        node: NodeId,
        /// The name.
        name: NodeName,
    },
}
