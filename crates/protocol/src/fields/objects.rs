//! What messages are made of.

use super::kind::{CELL, CHANNEL, RANGE, SAFE, TEXT, U16, U32, text};
use super::{Field, Kind, Object};

const SMALL_TEXT: Kind = text("a text of at most 64 bytes (what is over is cut off)");
const STAMP: &str = "From the newest `located`. With the same cell it shows that this is no move, with another one that it is a move (2.2).";

/// All of them, in the order of the document.
pub const OBJECTS: &[&Object] = &[
    &RESUME,
    &HEARD,
    &PLACE,
    &RANGES,
    &DEVICE,
    &PARTICIPANT,
    &CHANNEL_INFO,
    &AIR_LIMITS,
    &REFUSAL,
    &DROPPED,
];

/// Where an earlier connection ended.
pub static RESUME: Object = Object {
    name: "Resume",
    about: "In `hello`: goes on where an earlier connection ended (2.5).",
    fields: &[
        Field::new("token", TEXT, "`resume` of the last `welcome`."),
        Field::optional(
            "newest",
            U32,
            "The largest number that `burst.started` announced (the server's); bursts above it are new. Absent when none was.",
        ),
        Field::optional(
            "have",
            Kind::List(&Kind::Object(&HEARD)),
            "Bursts that were begun and not finished, 64 at most. Others up to `newest` are complete.",
        ),
    ],
};

/// How much of a burst a client has.
pub static HEARD: Object = Object {
    name: "Heard",
    about: "In `resume.have`: how much of a burst a client has.",
    fields: &[
        Field::new("burst", U32, "The server's number of the burst."),
        Field::new("next", U16, "The sequence number that is waited for."),
    ],
};

/// The cell one is in.
pub static PLACE: Object = Object {
    name: "Place",
    about: "In `hello`: the cell one is in (2.2).",
    fields: &[
        Field::new("cell", CELL, "An H3 cell of resolution 6; another resolution is `cell_refused`."),
        Field::optional("stamp", TEXT, STAMP),
    ],
};

/// How far one reaches and hears.
pub static RANGES: Object = Object {
    name: "Ranges",
    about: "In `hello`: how far one reaches and hears (2.2).",
    fields: &[Field::new("tx", RANGE, "Transmit range."), Field::new("rx", RANGE, "Receive range.")],
};

/// The machine and the program.
pub static DEVICE: Object = Object {
    name: "Device",
    about: "In `hello`: what one runs on, for the connection log alone.",
    fields: &[
        Field::optional("manufacturer", SMALL_TEXT, "Who made the machine."),
        Field::optional("model", SMALL_TEXT, "Its model."),
        Field::optional("platform", SMALL_TEXT, "The system."),
        Field::optional(
            "version",
            SMALL_TEXT,
            "Program and version; `client` of the `hello` when it is absent.",
        ),
    ],
};

/// Somebody, as others see them.
pub static PARTICIPANT: Object = Object {
    name: "Participant",
    about: "Somebody, as others see them. Two connections of one key are two participants, with the same tag.",
    fields: &[
        Field::new("id", U32, "The server's number for this session; a resume keeps it."),
        Field::new("handle", text("a text of 1 to 24 graphemes"), "The nickname."),
        Field::new("tag", text("a text of 4 characters"), "The first four characters of the identifier."),
        Field::optional("description", text("a text of 1 to 140 graphemes"), "A line about oneself."),
        Field::optional(
            "country",
            text("a text: ISO 3166-1 alpha-2, capitals"),
            "Country of the cell's centre, where a cell is shared.",
        ),
    ],
};

/// A channel in a list.
pub static CHANNEL_INFO: Object = Object {
    name: "ChannelInfo",
    about: "A channel in a list.",
    fields: &[
        Field::new("channel", CHANNEL, "The channel."),
        Field::optional("label", TEXT, "What it is for, such as `Calling`."),
        Field::new("count", U32, "Participants now."),
    ],
};

/// What holds for everybody who talks.
pub static AIR_LIMITS: Object = Object {
    name: "AirLimits",
    about: "What holds for everybody who talks (2.9).",
    fields: &[
        Field::new("talk_ms", U32, "Longest burst, in milliseconds."),
        Field::new(
            "courtesy_ms",
            U32,
            "How long a talker goes on when somebody begins whom they would hear, in milliseconds.",
        ),
        Field::new("rest_ms", U32, "Rest on a channel after a burst that a limit ended, in milliseconds."),
        Field::new("speech_ms", U32, "Speech in `speech_window_ms` while others wait, in milliseconds."),
        Field::new("speech_window_ms", U32, "The time in which speech is counted, in milliseconds."),
        Field::new("busy", U32, "Bursts of others that make a channel busy for who would hear them."),
        Field::new("bursts", U32, "Bursts of one user at once, each in another channel."),
        Field::new("connections", U32, "Connections of one user."),
        Field::new("channels", U32, "Channels of one session."),
        Field::new("channels_in_all", U32, "Channels of one user in all."),
    ],
};

/// A refusal.
pub static REFUSAL: Object = Object {
    name: "Refusal",
    about: "What was refused, and what to do. Programs go by `code`; the sentences are for people and may change.",
    fields: &[
        Field::new("code", text("a text: one of section 6"), "What it is."),
        Field::new(
            "message",
            TEXT,
            "What happened, in a sentence. It names the field, if there is one, and what it may be.",
        ),
        Field::new("hint", TEXT, "What to do, in a sentence."),
        Field::optional("retry_after_ms", U32, "When trying again makes sense, in milliseconds from now."),
        Field::optional("channel", CHANNEL, "The channel that the refused message was about."),
        Field::optional("burst", U32, "The talker's number of the burst of which a frame was refused."),
    ],
};

/// Frames of a press that were not relayed.
pub static DROPPED: Object = Object {
    name: "Dropped",
    about: "In `receipt`: frames of the press that were not relayed.",
    fields: &[
        Field::new("frames", U32, "How many."),
        Field::new("refusal", Kind::Object(&REFUSAL), "Why the first of them was not."),
    ],
};

/// As it is signed: seconds since 1970.
pub(super) const EXPIRY: Kind = SAFE;
