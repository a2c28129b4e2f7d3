//! What passes between clients, connections and workers.

use tenfour_core::front::Order;
use tenfour_core::hub::LoginId;
use tenfour_core::voice::Packet;
use tenfour_protocol::{BurstNo, ClientMessage, Code, Person, ServerMessage, UserId};

/// What comes up from a client.
#[derive(Debug, Clone)]
pub enum Up {
    /// A text frame.
    Text(ClientMessage),
    /// A binary frame.
    Voice(Vec<u8>),
    /// The answer to a ping.
    Pong,
}

/// What goes down to a client.
#[derive(Debug, Clone)]
pub enum Down {
    /// A text frame.
    Text(ServerMessage),
    /// A binary frame.
    Voice(Vec<u8>),
    /// A ping.
    Ping,
    /// The close frame.
    Close(Code),
}

/// What a worker finds in its queue.
#[derive(Debug, Clone)]
pub enum Task {
    /// What the hub orders, all at once.
    Orders(Vec<Order<ServerMessage>>),
    /// A frame of a burst, from the worker of its talker.
    Frame(BurstNo, Packet),
}

/// Who opened a connection.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The client's number in the world.
    pub client: usize,
    /// Its log-in.
    pub login: LoginId,
    /// Its user.
    pub user: UserId,
    /// As others see it.
    pub person: Person,
}
