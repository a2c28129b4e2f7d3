//! Real hubs, as a planet has them: nodes full of people, and one that lets people talk.

use std::collections::HashSet;

use tenfour_core::front::{DeckOrder, Dispatch, Handover, Order, Port, PortOrder, PortOutput, Unwritten};
use tenfour_core::hub::{ClusterConfig, Hub, HubConfig, Input, LoginId, NodeInput, NodeOutput, ResumeToken};
use tenfour_core::voice::unframed;
use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::{Codec, EndReason, FrameTime};
use tenfour_protocol::node::{Envelope, NodeId, NodeMessage, Region, Subject};
use tenfour_protocol::{BurstNo, ClientMessage, Handle, Person, Place, ServerMessage, UserId};

use super::people::Someone;

/// A node.
pub(super) struct Node {
    id: NodeId,
    hub: Hub,
    dispatch: Dispatch<ServerMessage>,
    pub(super) subscribed: HashSet<Subject>,
    conns: u64,
    now: Time,
}

/// What a node makes of a burst of another one.
pub(super) struct Got {
    /// It is subscribed to its subject.
    pub(super) sent: bool,
    /// Its listeners who hear it.
    pub(super) listeners: usize,
}

impl Node {
    pub(super) fn new(number: u64) -> Self {
        let id = NodeId(number + 1);
        let name = format!("node-{number}").parse().expect("a name");
        let config = HubConfig {
            cluster: Some(ClusterConfig { node: id, name }),
            channel_participants: usize::MAX,
            ..HubConfig::default()
        };
        let (hub, dispatch) = (Hub::new(config), Dispatch::new(1));
        let mut node = Self { id, hub, dispatch, subscribed: HashSet::new(), conns: 0, now: Time::ZERO };
        node.tell(Input::Node(NodeInput::Up));
        node
    }

    /// Somebody comes: connects, says where they are, and tunes in.
    pub(super) fn join(&mut self, someone: &Someone) -> Port {
        self.conns += 1;
        let conn = ConnId(self.conns);
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.conns.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.id.0.to_be_bytes());
        let user = UserId::of_key(&bytes);
        let handle = Handle::parse("Radio").expect("a handle");
        let person = Person { handle, tag: user.tag(), description: None, country: None };
        let token = ResumeToken(bytes);
        self.tell(Input::Connected { conn, login: LoginId(self.conns), user, address: None, person, token });
        let hello = ClientMessage::Hello {
            client: "planet".into(),
            resume: None,
            economy: false,
            hear_self: false,
            place: someone.place.map(|place| Place { cell: place.said(), stamp: None }),
            range: someone.place.map(|_| someone.ranges),
            device: None,
        };
        let mut port = Port::new(conn, unframed, self.now);
        self.say(&mut port, hello);
        self.say(&mut port, ClientMessage::Tune { channel: someone.channel.clone(), catch_up: false });
        port
    }

    /// Somebody presses the button and lets it go: where frames are published, and what others are told.
    pub(super) fn talk(&mut self, someone: &Someone) -> (Subject, NodeMessage) {
        let mut port = self.join(someone);
        let burst = BurstNo(1);
        let (codec, frame_ms) = (Codec::Opus, FrameTime::Ms20);
        let press = ClientMessage::BurstStart { channel: someone.channel.clone(), burst, codec, frame_ms };
        let start = self.say(&mut port, press).published;
        self.say(&mut port, ClientMessage::BurstEnd { burst, frames: 0 });
        self.tell(Input::Left { conn: ConnId(self.conns) });
        port.end(self.now);
        self.drain(&mut port);
        self.now += std::time::Duration::from_secs(1);
        start.expect("a burst that is admitted is told to others")
    }

    /// A burst begins elsewhere, and ends. The hub is told even if the node is not subscribed to it, so that a missed
    /// listener is noticed.
    pub(super) fn hear(&mut self, subject: &Subject, start: &NodeMessage) -> Got {
        let any = match subject {
            Subject::Voice { channel, range, .. } => {
                Subject::Voice { channel: channel.clone(), range: *range, region: Region::Any }
            }
            other => other.clone(),
        };
        let sent = self.subscribed.contains(subject) || self.subscribed.contains(&any);
        let from = NodeId(u64::MAX);
        let listeners = self.tell_node(from, start.clone()).listeners;
        if let NodeMessage::BurstStart { burst, .. } = start {
            self.tell_node(
                from,
                NodeMessage::BurstEnd { burst: *burst, frames: 1, reason: EndReason::Released },
            );
        }
        Got { sent, listeners }
    }

    fn tell_node(&mut self, from: NodeId, message: NodeMessage) -> Told {
        self.tell(Input::Node(NodeInput::Message(Envelope { from, message })))
    }

    /// A client says something, and its port carries out what the hub orders.
    fn say(&mut self, port: &mut Port, message: ClientMessage) -> Told {
        let Some(input) = port.message(message, self.now) else { return Told::default() };
        let told = self.tell(input);
        told.orders.iter().for_each(|order| port.obey(*order, self.now));
        self.drain(port);
        told
    }

    fn drain(&mut self, port: &mut Port) {
        while let Some(output) = port.poll() {
            if let PortOutput::Hub(input) = output {
                self.tell(input);
            }
        }
    }

    fn tell(&mut self, input: Input) -> Told {
        self.hub.handle(input, self.now);
        let mut told = Told::default();
        while let Some(output) = self.hub.poll() {
            for handover in self.dispatch.at_once(output, &Unwritten(|_| 0)) {
                match handover {
                    Handover::Worker(_, orders) => orders.into_iter().for_each(|order| told.order(order)),
                    Handover::Bus(NodeOutput::Publish { subject, message }) => {
                        told.published.get_or_insert((subject, *message));
                    }
                    Handover::Bus(NodeOutput::Subscribe(subject)) => {
                        self.subscribed.insert(subject);
                    }
                    Handover::Bus(NodeOutput::Unsubscribe(subject)) => {
                        self.subscribed.remove(&subject);
                    }
                    Handover::Bus(_) => {}
                }
            }
        }
        told
    }
}

/// What a node makes of one input.
#[derive(Default)]
struct Told {
    /// What it publishes first.
    published: Option<(Subject, NodeMessage)>,
    /// For the port of the client that spoke.
    orders: Vec<PortOrder>,
    /// Who hears the burst that it opens.
    listeners: usize,
}

impl Told {
    fn order(&mut self, order: Order<ServerMessage>) {
        match order {
            Order::Port { order, .. } => self.orders.push(order),
            Order::Deck(DeckOrder::Open { tuned, .. }) => {
                self.listeners += tuned.iter().filter(|who| who.hears().is_some()).count();
            }
            _ => {}
        }
    }
}
