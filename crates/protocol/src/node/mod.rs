//! What nodes of one cluster tell each other over the bus. Control is JSON in an [`Envelope`], voice is [`frames`].
//! Both are published on a [`Subject`]. Clients never see any of it.
//!
//! Nodes of one cluster trust each other. What they cannot read they drop and count.

pub mod frames;
mod message;
mod subject;

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use frames::{Frames, FramesError};
pub use message::{Envelope, NodeMessage, NodeMessageError};
pub use subject::{Region, Subject, SubjectError};

use crate::limits::NODE_NAME_BYTES;

/// One run of a node: a random number that the shell draws at each start, so that a restarted node counts as another
/// one. On the wire it has 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeId(pub u64);

/// A text is no node's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a node's number has 16 hexadecimal digits")]
pub struct NodeIdError;

impl std::str::FromStr for NodeId {
    type Err = NodeIdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hexadecimal(text, 16).map(Self).ok_or(NodeIdError)
    }
}

impl TryFrom<String> for NodeId {
    type Error = NodeIdError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<NodeId> for String {
    fn from(node: NodeId) -> Self {
        node.to_string()
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {self}")
    }
}

/// What an operator calls a node: 1 to [`NODE_NAME_BYTES`] letters of ASCII, digits, points, hyphens
/// and underscores. Two nodes of one cluster should not share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(Box<str>);

/// A text is no node's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a node's name has 1 to {NODE_NAME_BYTES} letters a-z or A-Z, digits, points, hyphens and underscores"
)]
pub struct NodeNameError;

impl NodeName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for NodeName {
    type Err = NodeNameError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let good = (1..=NODE_NAME_BYTES).contains(&text.len()) && text.bytes().all(plain);
        good.then(|| Self(text.into())).ok_or(NodeNameError)
    }
}

impl TryFrom<String> for NodeName {
    type Error = NodeNameError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.0.into()
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A number of exactly `digits` hexadecimal digits in lower case.
fn hexadecimal(text: &str, digits: usize) -> Option<u64> {
    let lower = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    let plain = text.len() == digits && text.bytes().all(lower);
    u64::from_str_radix(text, 16).ok().filter(|_| plain)
}
