//! Subjects: where something is published, and who gets it.

use std::fmt;

use thiserror::Error;

use super::{NodeId, hexadecimal};
use crate::id::ChannelId;
use crate::place::Range;

/// Where a talker is, as coarsely as a subject says it: a parent of the cell, with a resolution that follows from the
/// range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Region {
    /// The H3 index of the parent.
    Cell(u64),
    /// A talker who shares no place.
    Nowhere,
    /// All regions; for subscriptions only.
    Any,
}

/// A subject. As text it is what follows the cluster's prefix: `voice.19.25km.841f8d7ffffffff`,
/// `voice.19.unlimited.none`, `voice.19.unlimited.*`, `nodes`, `node.0123456789abcdef`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Bursts of a channel, by transmit range and region.
    Voice {
        /// Which channel.
        channel: ChannelId,
        /// The talker's transmit range.
        range: Range,
        /// Where the talker is.
        region: Region,
    },
    /// What all nodes are told.
    Nodes,
    /// What one node is told.
    Node(NodeId),
}

/// A text is no subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is no subject of a cluster")]
pub struct SubjectError;

impl Subject {
    /// Whether frames travel there: on the bus's connection for voice, everything else on the one
    /// for control.
    pub fn is_voice(&self) -> bool {
        matches!(self, Self::Voice { .. })
    }

    /// Whether a subscriber of this gets what is published on `other`.
    pub fn takes(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Voice { channel, range, region: Region::Any },
                Self::Voice { channel: other, range: reach, .. },
            ) => channel == other && range == reach,
            _ => self == other,
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cell(index) => write!(f, "{index:015x}"),
            Self::Nowhere => f.write_str("none"),
            Self::Any => f.write_str("*"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Voice { channel, range, region } => write!(f, "voice.{channel}.{range}.{region}"),
            Self::Nodes => f.write_str("nodes"),
            Self::Node(node) => write!(f, "node.{node}"),
        }
    }
}

impl std::str::FromStr for Region {
    type Err = SubjectError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::Nowhere),
            "*" => Ok(Self::Any),
            cell => hexadecimal(cell, 15).map(Self::Cell).ok_or(SubjectError),
        }
    }
}

impl std::str::FromStr for Subject {
    type Err = SubjectError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut tokens = text.split('.');
        let subject = match (tokens.next(), tokens.next(), tokens.next(), tokens.next()) {
            (Some("voice"), Some(channel), Some(range), Some(region)) => Self::Voice {
                channel: channel.parse().map_err(|_| SubjectError)?,
                range: range.parse().map_err(|_| SubjectError)?,
                region: region.parse()?,
            },
            (Some("nodes"), None, ..) => Self::Nodes,
            (Some("node"), Some(node), None, _) => Self::Node(node.parse().map_err(|_| SubjectError)?),
            _ => return Err(SubjectError),
        };
        tokens.next().is_none().then_some(subject).ok_or(SubjectError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_survive_text_and_others_are_refused() {
        for good in [
            "voice.19.25km.841f8d7ffffffff",
            "voice.road-66.unlimited.none",
            "voice.1.unlimited.*",
            "nodes",
            "node.0123456789abcdef",
        ] {
            assert_eq!(good.parse::<Subject>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "voice",
            "voice.19.25km",
            "voice.41.25km.none",
            "voice.19.30km.none",
            "voice.19.25km.841F8D7FFFFFFFF",
            "voice.19.25km.none.x",
            "voice.*.25km.none",
            "nodes.x",
            "node",
            "node.1",
            "node.0123456789abcdef.x",
        ] {
            assert_eq!(bad.parse::<Subject>(), Err(SubjectError), "{bad}");
        }
    }

    #[test]
    fn a_subscription_to_any_region_takes_all_of_its_channel_and_range() {
        let subject = |text: &str| text.parse::<Subject>().unwrap();
        let any = subject("voice.19.unlimited.*");
        assert!(any.takes(&subject("voice.19.unlimited.none")));
        assert!(any.takes(&subject("voice.19.unlimited.821f8ffffffffff")));
        assert!(!any.takes(&subject("voice.19.25km.none")) && !any.takes(&subject("voice.9.unlimited.none")));
        assert!(subject("nodes").takes(&subject("nodes")) && !subject("nodes").takes(&any));
    }
}
