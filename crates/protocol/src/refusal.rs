//! What a client is told when something is not done.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error::Code;
use crate::id::{BurstNo, ChannelId};

/// A refusal: code, what happened, what to do, and when it may work again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Refusal {
    /// Stable code.
    pub code: Code,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// When trying again makes sense, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub retry_after_ms: Option<u32>,
    /// The channel that the refused message was about, if it was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub channel: Option<ChannelId>,
    /// The talker's number of the burst of which a frame was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub burst: Option<BurstNo>,
}

impl Refusal {
    /// The same code and hint with a message that knows more.
    pub fn because(code: Code, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::from(code) }
    }

    /// With the channel it is about.
    pub fn about(self, channel: ChannelId) -> Self {
        Self { channel: Some(channel), ..self }
    }

    /// With the talker's number of the burst it is about, if that is known.
    pub fn of_burst(self, burst: Option<BurstNo>) -> Self {
        Self { burst, ..self }
    }

    /// With the time after which trying again makes sense.
    pub fn retry_after(self, millis: u32) -> Self {
        Self { retry_after_ms: Some(millis), ..self }
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        let (message, hint) = code.words();
        Self {
            code,
            message: message.into(),
            hint: hint.into(),
            retry_after_ms: None,
            channel: None,
            burst: None,
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.message, self.hint)
    }
}

impl std::error::Error for Refusal {}
