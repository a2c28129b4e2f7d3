//! Bodies of requests and answers.

use super::kind::{TEXT, U8, U32, text};
use super::objects::{AIR_LIMITS, CHANNEL_INFO, EXPIRY};
use super::{Field, Kind, Object};

const KEY: Kind = text("a text: 32 bytes as base64url without padding");
const SIGNATURE: Kind = text("a text: 64 bytes as base64url without padding");
const DAY: Kind = text("a text such as `2026-11-23`");
const HANDLE: Kind = text("a text of 1 to 24 graphemes");
const DESCRIPTION: Kind = text("a text of 1 to 140 graphemes");
const IDENTIFIER: Kind = text("a text of 32 characters");
const TAG: Kind = text("a text of 4 characters");

/// All of them, in the order of the document.
pub const BODIES: &[&Object] = &[
    &NONCE,
    &PROOF,
    &REGISTER,
    &LOGIN,
    &ME,
    &PROFILE,
    &CONTACT,
    &HELD,
    &HELD_SESSION,
    &HELD_CONNECTION,
    &HELD_MESSAGE,
    &ABOUT,
    &CHANNELS,
    &PROBLEM,
];

/// What to sign next.
pub static NONCE: Object = Object {
    name: "Nonce",
    about: "What to sign next.",
    fields: &[
        Field::new("nonce", KEY, "Good for one registration or log-in."),
        Field::new("expiry", EXPIRY, "End of its life, in seconds since 1970."),
        Field::optional(
            "work",
            U8,
            "Zero bits that a registration costs at the moment; absent when it costs nothing.",
        ),
    ],
};

/// Proof of a device key.
pub static PROOF: Object = Object {
    name: "Proof",
    about: "Proof that the client holds a device key.",
    fields: &[
        Field::new("key", KEY, "The Ed25519 public key."),
        Field::new("nonce", KEY, "From `Nonce`."),
        Field::new("expiry", EXPIRY, "From `Nonce`, in seconds since 1970."),
        Field::new("signature", SIGNATURE, "The Ed25519 signature."),
        Field::new(
            "session",
            Kind::Words(&["cookie", "bearer"]),
            "Where the session's token goes: a cookie that scripts cannot read, or the answer.",
        ),
    ],
};

/// Makes a user.
pub static REGISTER: Object = Object {
    name: "Register",
    about: "Makes a user and logs in.",
    fields: &[
        Field::new("handle", HANDLE, "The nickname; what is no handle is `handle_refused`."),
        Field::optional("description", DESCRIPTION, "A line about oneself."),
        Field::optional("work", U32, "The solution of the work that the nonce asked for."),
        Field::new("proof", Kind::Object(&PROOF), "Proof of the key."),
    ],
};

/// Logs in.
pub static LOGIN: Object = Object {
    name: "Login",
    about: "Logs in.",
    fields: &[Field::new("proof", Kind::Object(&PROOF), "Proof of the key.")],
};

/// Who one is.
pub static ME: Object = Object {
    name: "Me",
    about: "Who one is here.",
    fields: &[
        Field::new("user", IDENTIFIER, "The identifier of the device key."),
        Field::new("tag", TAG, "Its short piece, as shown to others."),
        Field::new("handle", HANDLE, "The nickname, as it is kept."),
        Field::optional("description", DESCRIPTION, "A line about oneself."),
        Field::optional(
            "token",
            TEXT,
            "The session's token, when a bearer session was asked for. Keep it: a log-in is needed again only when it is refused.",
        ),
    ],
};

/// Changes what others see.
pub static PROFILE: Object = Object {
    name: "Profile",
    about: "Changes what others see. What is absent stays as it is.",
    fields: &[
        Field::optional("handle", HANDLE, "The new nickname."),
        Field::optional(
            "description",
            Kind::OrNull(&DESCRIPTION),
            "The new line about oneself; `null` takes it away.",
        ),
    ],
};

/// Writes to the operator.
pub static CONTACT: Object = Object {
    name: "Contact",
    about: "Writes to the operator.",
    fields: &[Field::new("text", text("a text of 1 to 2,000 graphemes"), "The message.")],
};

/// All that is stored of a user.
pub static HELD: Object = Object {
    name: "Held",
    about: "All that a server has stored of a user.",
    fields: &[
        Field::new("user", IDENTIFIER, "The identifier."),
        Field::new("tag", TAG, "Its short piece."),
        Field::new("handle", HANDLE, "The nickname."),
        Field::optional("description", DESCRIPTION, "A line about oneself."),
        Field::new("key", KEY, "The public key."),
        Field::new("created", DAY, "Day of the registration, UTC."),
        Field::new("sessions", Kind::List(&Kind::Object(&HELD_SESSION)), "By the day of their last use."),
        Field::optional(
            "connections",
            Kind::List(&Kind::Object(&HELD_CONNECTION)),
            "Rows of the connection log, the oldest first.",
        ),
        Field::optional(
            "messages",
            Kind::List(&Kind::Object(&HELD_MESSAGE)),
            "Messages to the operator that wait, the oldest first.",
        ),
    ],
};

/// What is stored of a session.
pub static HELD_SESSION: Object = Object {
    name: "HeldSession",
    about: "What is stored of a session.",
    fields: &[
        Field::new("token_hash", KEY, "SHA-256 of its token."),
        Field::new("used", DAY, "Day of its last use, UTC."),
        Field::optional("this", Kind::Bool, "True for the session that asks."),
    ],
};

/// A row of the connection log.
pub static HELD_CONNECTION: Object = Object {
    name: "HeldConnection",
    about: "A row of the connection log (`docs/privacy/connection-log.md`).",
    fields: &[
        Field::new("time", text("a text such as `2026-11-23T22:18:02Z`"), "When, UTC."),
        Field::new("address", TEXT, "The address that the connection came from."),
        Field::new("handle", HANDLE, "The nickname at that time."),
        Field::new("user", IDENTIFIER, "The identifier."),
        Field::new("manufacturer", TEXT, "Who made the device, as the client said."),
        Field::new("model", TEXT, "Its model."),
        Field::new("platform", TEXT, "The platform."),
        Field::new("version", TEXT, "The client and its version."),
    ],
};

/// A message to the operator.
pub static HELD_MESSAGE: Object = Object {
    name: "HeldMessage",
    about: "A message to the operator, as it is stored.",
    fields: &[
        Field::new("id", U32, "Counts up."),
        Field::new("sent", text("a text such as `2026-11-23T22:18Z`"), "When, UTC, to the minute."),
        Field::new("handle", HANDLE, "The nickname at that time."),
        Field::new("text", TEXT, "What was written."),
    ],
};

/// What this server is.
pub static ABOUT: Object = Object {
    name: "About",
    about: "What this is, and what holds for everybody who talks; needs no log-in.",
    fields: &[
        Field::new("host", TEXT, "Name of the host, for people."),
        Field::new("server", TEXT, "Program and version of the server."),
        Field::new("limits", Kind::Object(&AIR_LIMITS), "Limits of the air."),
    ],
};

/// The channels.
pub static CHANNELS: Object = Object {
    name: "Channels",
    about: "The numbered channels, then the named ones that have visitors.",
    fields: &[
        Field::new("host", TEXT, "Name of the host, for people."),
        Field::new("channels", Kind::List(&Kind::Object(&CHANNEL_INFO)), "In order."),
    ],
};

/// An error over HTTP.
pub static PROBLEM: Object = Object {
    name: "Problem",
    about: "An error: RFC 9457, `application/problem+json`.",
    fields: &[
        Field::new("type", TEXT, "`urn:tenfour:error:` and the code."),
        Field::new("status", Kind::Whole { most: 599 }, "The HTTP status."),
        Field::new("title", TEXT, "What happened, in a sentence; `message` on the socket."),
        Field::new("detail", TEXT, "What to do, in a sentence; `hint` on the socket."),
        Field::new("code", text("a text: one of section 6"), "What it is; the same on the socket."),
        Field::optional("retry_after_ms", U32, "When trying again makes sense, in milliseconds from now."),
    ],
};
