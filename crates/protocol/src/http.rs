//! Bodies of the HTTP API under `/api/v1/`. Byte strings are base64url without padding.

use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::contact::ContactText;
use crate::control::{AirLimits, ChannelInfo};
use crate::error::Code;
use crate::id::{Tag, UserId};
use crate::person::{Description, Handle};
use crate::refusal::Refusal;

/// `POST /api/v1/nonce`: what to sign next.
#[derive(Debug, Clone, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Nonce {
    /// 32 random bytes, good for one log-in.
    pub nonce: String,
    /// End of its life, in seconds since 1970.
    #[ts(type = "number")]
    pub expiry: u64,
    /// What a registration from this address costs at the moment: zero bits of [`crate::work`]. Absent when
    /// it costs nothing.
    #[serde(default, skip_serializing_if = "is_none_due")]
    #[ts(optional, as = "Option<u8>")]
    pub work: u8,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives it so")]
fn is_none_due(work: &u8) -> bool {
    *work == 0
}

/// Proof that the client holds a device key; see [`crate::auth::signed_bytes`].
#[derive(Debug, Clone, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Proof {
    /// Ed25519 public key, 32 bytes.
    pub key: String,
    /// From [`Nonce`].
    pub nonce: String,
    /// From [`Nonce`].
    #[ts(type = "number")]
    pub expiry: u64,
    /// Ed25519 signature, 64 bytes.
    pub signature: String,
    /// Where the session token goes.
    pub session: SessionKind,
}

/// Where the session token goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum SessionKind {
    /// A cookie that scripts cannot read: for browsers.
    Cookie,
    /// In the answer: for programs, which send it as `Authorization: Bearer`.
    Bearer,
}

/// `POST /api/v1/register`: makes a user and logs in.
#[derive(Debug, Clone, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Register {
    /// Nickname. Text, so that a bad one is answered with `handle_refused`.
    pub handle: String,
    /// A line about oneself; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<String>,
    /// The solution of the work that the nonce asked for; absent when it asked for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub work: Option<u32>,
    /// Proof of the key.
    pub proof: Proof,
}

/// `POST /api/v1/login`.
#[derive(Debug, Clone, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Login {
    /// Proof of the key.
    pub proof: Proof,
}

/// Who one is here: the answer to register, log-in and `PATCH /api/v1/me`.
#[derive(Debug, Clone, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Me {
    /// The identifier of the device key.
    pub user: UserId,
    /// Its short piece, as shown to others.
    pub tag: Tag,
    /// Nickname.
    pub handle: Handle,
    /// A line about oneself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<Description>,
    /// The session token, when a bearer session was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub token: Option<String>,
}

/// `PATCH /api/v1/me`: changes what others see. What is absent stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Profile {
    /// The new nickname. Text, so that a bad one is answered with `handle_refused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub handle: Option<String>,
    /// The new line about oneself; `null` takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[ts(optional, type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub description: Option<Option<String>>,
}

/// Tells `null` from absent.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// All that a server has stored of a user: the answer to `GET /api/v1/me`. What it holds in
/// memory while the user is connected is on the socket's wire, and ends with the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Held {
    /// The identifier of the device key.
    pub user: UserId,
    /// Its short piece, as shown to others.
    pub tag: Tag,
    /// Nickname.
    pub handle: Handle,
    /// A line about oneself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<Description>,
    /// The Ed25519 public key, 32 bytes.
    pub key: String,
    /// Day of the registration, UTC: `2026-11-23`.
    pub created: String,
    /// The sessions, by the day of their last use.
    pub sessions: Vec<HeldSession>,
    /// The rows of the connection log, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<HeldConnection>>")]
    pub connections: Vec<HeldConnection>,
    /// The messages to the operator that wait, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<HeldMessage>>")]
    pub messages: Vec<HeldMessage>,
}

/// What is stored of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct HeldSession {
    /// SHA-256 of its token, 32 bytes. The token itself is not kept.
    pub token_hash: String,
    /// Day of its last use, UTC: `2026-11-23`.
    pub used: String,
    /// True for the session that asks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub this: bool,
}

/// A row of the connection log, for the one whom it is about: docs/privacy/connection-log.md. It can
/// be passed on to that person; programs have no business in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct HeldConnection {
    /// When, UTC: `2026-11-23T22:18:02Z`.
    time: String,
    /// The address that the connection came from.
    address: String,
    /// The nickname at that time.
    handle: String,
    /// The identifier.
    user: UserId,
    /// Who made the device, as the client said.
    manufacturer: String,
    /// Its model.
    model: String,
    /// The platform.
    platform: String,
    /// The client and its version.
    version: String,
}

/// A message to the operator, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct HeldMessage {
    /// Counts up; names the message for the operator.
    pub id: u32,
    /// When it was sent, UTC, to the minute: `2026-11-23T22:18Z`.
    pub sent: String,
    /// The nickname at that time.
    pub handle: Handle,
    /// What was written.
    pub text: ContactText,
}

/// `POST /api/v1/contact`: writes to the operator. Handle and identifier are those of the session.
#[derive(Debug, Clone, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Contact {
    /// The message. Text, so that a bad one is answered with `contact_refused`.
    pub text: String,
}

/// `GET /api/v1/`: what this is, and what holds for everybody who talks.
#[derive(Debug, Clone, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct About {
    /// Name of the host, for people.
    pub host: String,
    /// Program and version of the server.
    pub server: String,
    /// Limits of the air.
    pub limits: AirLimits,
}

/// `GET /api/v1/channels`: the numbered channels, then the named ones that have visitors.
#[derive(Debug, Clone, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Channels {
    /// Name of the host, for people.
    pub host: String,
    /// In order.
    pub channels: Vec<ChannelInfo>,
}

/// An error, as RFC 9457 problem details (`application/problem+json`).
#[derive(Debug, Clone, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Problem {
    /// `urn:tenfour:error:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// HTTP status.
    pub status: u16,
    /// What happened.
    pub title: String,
    /// What to do.
    pub detail: String,
    /// Stable code, as on the socket.
    pub code: Code,
    /// When trying again makes sense, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub retry_after_ms: Option<u32>,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let code = serde_json::to_value(refusal.code).expect("a code is a string");
        Self {
            kind: format!("urn:tenfour:error:{}", code.as_str().expect("a code is a string")),
            status: refusal.code.http_status(),
            title: refusal.message,
            detail: refusal.hint,
            code: refusal.code,
            retry_after_ms: refusal.retry_after_ms,
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self {
            code: problem.code,
            message: problem.title,
            hint: problem.detail,
            retry_after_ms: problem.retry_after_ms,
            channel: None,
            burst: None,
        }
    }
}
