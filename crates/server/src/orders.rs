//! What the threads of a server tell each other: lobby, workers, hub, and the threads of the bus.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use tenfour_core::hub::{HubFigures, Input};
use tenfour_core::voice::Packet;
use tenfour_core::{ConnId, front, mutant};
use tenfour_protocol::control::ChannelInfo;
use tenfour_protocol::node::Subject;
use tenfour_protocol::{BurstNo, Person, ServerMessage};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::auth::{RadioOf, Session};
use crate::connection_log::Connected;
use crate::gate::Permit;
use crate::share::{Place, Queue, Share};
use crate::store::TokenHash;
use crate::websocket;
use crate::worker::Stream;

/// What a thread of the lobby is told.
pub(crate) enum ToLobby {
    /// Serve this connection.
    Visitor(TcpStream, SocketAddr, Permit),
    /// End.
    Stop,
}

/// What a worker is told.
pub(crate) enum ToWorker {
    /// Serve this radio socket.
    Arrival(Box<Arrival>),
    /// Do what the hub says, in this order.
    Orders(Vec<Order>),
    /// A frame of a talker on another worker.
    Frame { burst: BurstNo, packet: Packet },
    /// End.
    Stop,
}

/// A radio socket, on its way to a worker.
pub(crate) struct Arrival {
    pub(crate) stream: Stream,
    /// What came together with the request.
    pub(crate) early: Zeroizing<Vec<u8>>,
    pub(crate) guest: Guest,
    pub(crate) connected: Connected,
}

/// Whose radio socket it is.
pub(crate) struct Guest {
    pub(crate) hash: TokenHash,
    pub(crate) session: Session,
    pub(crate) person: Person,
    /// How often users had changed before the person was read.
    pub(crate) changes: u64,
    pub(crate) permit: Permit,
    /// Keeps the session from making room for a newer one.
    pub(crate) radio: RadioOf,
}

/// What the hub tells one worker to do.
pub(crate) type Order = front::Order<Framed>;

/// Where a talker's frames go, beside this node's listeners.
#[derive(Debug)]
pub(crate) struct Relay(String);

/// A message that is framed and may be written to any socket.
pub(crate) type Framed = Arc<[u8]>;

/// What every thread tells the hub by.
#[derive(Debug, Clone)]
pub(crate) struct HubHandle(mpsc::Sender<Boxed>, Queue);

/// A message to the hub. It says who somebody is, so it travels in a box: a channel keeps what went through it for a
/// while, but a box is wiped when it is freed.
pub(crate) type Boxed = Box<Waiting>;

/// A message, and since when it waits for the hub.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) since: Instant,
    pub(crate) message: ToHub,
}

/// What the hub is told or asked.
#[derive(Debug)]
pub(crate) enum ToHub {
    Input(Input, Option<Place>),
    Channels(oneshot::Sender<Vec<ChannelInfo>>),
    Figures(oneshot::Sender<HubFigures>),
    Quit,
}

impl HubHandle {
    /// Tells the hub what happened.
    pub(crate) fn input(&self, input: Input) {
        self.send(ToHub::Input(input, None));
    }

    /// The same for what a client said. It counts in the share of its socket until the hub has seen it.
    pub(crate) fn input_of(&self, share: &Arc<Share>, input: Input) {
        self.send(ToHub::Input(input, Some(share.place())));
    }

    /// The share of a new socket.
    pub(crate) fn share(&self) -> Arc<Share> {
        self.1.share()
    }

    /// The channels, or nothing when the server stops.
    pub(crate) async fn channels(&self) -> Option<Vec<ChannelInfo>> {
        let (answer, answered) = oneshot::channel();
        self.send(ToHub::Channels(answer));
        answered.await.ok()
    }

    /// What the hub holds, or nothing when the server stops.
    pub(crate) async fn figures(&self) -> Option<HubFigures> {
        let (answer, answered) = oneshot::channel();
        self.send(ToHub::Figures(answer));
        answered.await.ok()
    }

    /// Ends the thread.
    pub(crate) fn quit(&self) {
        self.send(ToHub::Quit);
    }

    /// After the stop nobody listens: what is sent is dropped, and with it the way for an answer.
    fn send(&self, message: ToHub) {
        self.0.send(Box::new(Waiting { since: Instant::now(), message })).ok();
    }
}

/// The hub's inbox before its thread runs: workers need the handle, and the thread needs the workers.
pub(crate) struct HubInbox(pub(crate) mpsc::Receiver<Boxed>);

/// A handle and what it leads to.
pub(crate) fn channel() -> (HubHandle, HubInbox) {
    let (sender, receiver) = mpsc::channel();
    (HubHandle(sender, Queue::default()), HubInbox(receiver))
}

impl Relay {
    pub(crate) fn to(subject: &Subject) -> Self {
        Self(subject.to_string())
    }

    /// On which subject they are published.
    pub(crate) fn subject(&self) -> &str {
        &self.0
    }
}

/// The worker that a connection belongs to.
pub(crate) fn worker_of(conn: ConnId) -> usize {
    (conn.0 >> 56) as usize
}

/// A message as a text frame.
pub(crate) fn encode(message: &ServerMessage) -> Framed {
    let message = serde_json::to_vec(message).expect("a message is JSON");
    mutant!(crate::mutants::active(), SendPlatform => let message = crate::mutants::with_platform(message));
    websocket::text(&message)
}
