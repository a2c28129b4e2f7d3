//! Real hubs, as a planet has them: nodes full of people, and one that lets people talk.

use std::collections::HashSet;

use tenfour_core::hub::{
    ClusterConfig, Hub, HubConfig, Input, LoginId, NodeInput, NodeOutput, Output, ResumeToken,
};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::{Codec, EndReason, FrameTime};
use tenfour_protocol::node::{Envelope, NodeId, NodeMessage, Region, Subject};
use tenfour_protocol::{BurstNo, ClientMessage, Handle, Person, Place, UserId};

use super::people::Someone;

/// A node.
pub(super) struct Node {
    id: NodeId,
    hub: Hub,
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
        let mut node =
            Self { id, hub: Hub::new(config), subscribed: HashSet::new(), conns: 0, now: Time::ZERO };
        node.tell(Input::Node(NodeInput::Up));
        node
    }

    /// Somebody comes: connects, says where they are, and tunes in.
    pub(super) fn join(&mut self, someone: &Someone) -> ConnId {
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
        self.tell(Input::Message { conn, message: hello });
        let tune = ClientMessage::Tune { channel: someone.channel.clone(), catch_up: false };
        self.tell(Input::Message { conn, message: tune });
        conn
    }

    /// Somebody presses the button and lets it go: where frames are published, and what others are told.
    pub(super) fn talk(&mut self, someone: &Someone) -> (Subject, NodeMessage) {
        let conn = self.join(someone);
        let burst = BurstNo(1);
        let (codec, frame_ms) = (Codec::Opus, FrameTime::Ms20);
        let press = ClientMessage::BurstStart { channel: someone.channel.clone(), burst, codec, frame_ms };
        let told = self.tell(Input::Message { conn, message: press });
        let start = told.into_iter().find_map(|output| match output {
            Output::Node(NodeOutput::Publish { subject, message }) => Some((subject, *message)),
            _ => None,
        });
        self.tell(Input::BurstClosed {
            conn,
            local: burst,
            frames: 1,
            dropped: None,
            reason: EndReason::Released,
        });
        self.tell(Input::Left { conn });
        self.tell(Input::Disconnected { conn });
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
        let told = self.tell(Input::Node(NodeInput::Message(Envelope { from, message: start.clone() })));
        let listeners = told.iter().map(|output| match output {
            Output::Open(route) => route.listeners().count(),
            _ => 0,
        });
        let listeners = listeners.sum();
        if let NodeMessage::BurstStart { burst, .. } = start {
            let message = NodeMessage::BurstEnd { burst: *burst, frames: 1, reason: EndReason::Released };
            self.tell(Input::Node(NodeInput::Message(Envelope { from, message })));
        }
        Got { sent, listeners }
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        self.hub.handle(input, self.now);
        let outputs: Vec<_> = std::iter::from_fn(|| self.hub.poll()).collect();
        for output in &outputs {
            match output {
                Output::Node(NodeOutput::Subscribe(subject)) => {
                    self.subscribed.insert(subject.clone());
                }
                Output::Node(NodeOutput::Unsubscribe(subject)) => {
                    self.subscribed.remove(subject);
                }
                _ => {}
            }
        }
        outputs
    }
}
