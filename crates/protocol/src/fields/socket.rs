//! Messages on the socket.

use super::kind::{CELL, CHANNEL, CODEC, FRAME_MS, RANGE, TEXT, U8, U16, U32, text};
use super::objects::{AIR_LIMITS, DEVICE, DROPPED, PARTICIPANT, PLACE, RANGES, REFUSAL, RESUME};
use super::{Field, Kind, Object};
use crate::limits::RESUME_BURSTS;

const _: () = assert!(RESUME_BURSTS == 64, "the words say so");
const PEOPLE: Kind = Kind::List(&Kind::Object(&PARTICIPANT));
const END: Kind = Kind::Words(&[
    "released",
    "silent",
    "talk_limit",
    "courtesy",
    "talker_lost",
    "untuned",
    "out_of_range",
    "going_away",
]);
const OWN: &str = "The talker's own number.";
const SERVERS: &str = "The server's number.";

/// What a client sends: the name is the `type`.
pub const UP: &[Object] = &[
    Object {
        name: "hello",
        about: "The first message on every connection, within 5 s. Answer: `welcome`; then, as far as they apply, `island`, a late `receipt`, `located`, `ranged`, and `tuned` for each channel of a session that goes on.",
        fields: &[
            Field::new(
                "client",
                Kind::Text { fits: |text| (1..=64).contains(&text.len()), what: "a text of 1 to 64 bytes" },
                "Program and version, such as `my-gateway 1.2`.",
            ),
            Field::optional("resume", Kind::Object(&RESUME), "Goes on where an earlier connection ended."),
            Field::optional("economy", Kind::Bool, "True: up to three frames at a time in any channel."),
            Field::optional(
                "hear_self",
                Kind::Bool,
                "True: hears what other sockets of the same user say, too.",
            ),
            Field::optional("place", Kind::Object(&PLACE), "Where one is; absent: no place is shared."),
            Field::optional(
                "range",
                Kind::Object(&RANGES),
                "How far one reaches and hears; absent: `unlimited` both.",
            ),
            Field::optional("device", Kind::Object(&DEVICE), "What one runs on."),
        ],
    },
    Object {
        name: "locate",
        about: "Says the cell one is in, or takes it back. Answer: `located`, or `error`.",
        fields: &[
            Field::new(
                "cell",
                Kind::OrNull(&CELL),
                "The cell; `null` shares it no longer, and both ranges become unlimited.",
            ),
            Field::optional(
                "stamp",
                TEXT,
                "From the newest `located`; looked at with the first cell of a connection only (2.2).",
            ),
        ],
    },
    Object {
        name: "range",
        about: "Sets how far one reaches and hears. Answer: `ranged`, or `error` (`location_needed`).",
        fields: &[
            Field::new("tx", RANGE, "Transmit range, from the next burst on."),
            Field::new("rx", RANGE, "Receive range, at once."),
        ],
    },
    Object {
        name: "tune",
        about: "Affiliates with a channel. Answer: `tuned`, or `error` with the `channel`.",
        fields: &[
            Field::new("channel", CHANNEL, "Which channel."),
            Field::optional(
                "catch_up",
                Kind::Bool,
                "True: bursts on the air begin at the oldest held frame instead of the live edge.",
            ),
        ],
    },
    Object {
        name: "untune",
        about: "Ends an affiliation. Answer: `untuned`, or `error` (`not_tuned`).",
        fields: &[Field::new("channel", CHANNEL, "Which channel.")],
    },
    Object {
        name: "participants",
        about: "Asks for a page of the people of a channel one is tuned to. Answer: `participants`, or `error`.",
        fields: &[
            Field::new("channel", CHANNEL, "Which channel."),
            Field::new("page", U32, "From 0, 100 people each. A page after the last is empty."),
        ],
    },
    Object {
        name: "burst.start",
        about: "The press. Voice frames may follow at once. Answer: `burst.granted` and later a `receipt`, or a `receipt` alone. When it cannot be read but for `burst`, the receipt says so.",
        fields: &[
            Field::new("channel", CHANNEL, "Where to talk; the talker is tuned to it."),
            Field::new(
                "burst",
                U32,
                "The talker's own number, above all that this connection used before. A new connection, also one that resumes, may begin again with any number.",
            ),
            Field::new(
                "codec",
                CODEC,
                "Opus, one channel; any bandwidth and any mode. Media time counts at 48 kHz.",
            ),
            Field::new(
                "frame_ms",
                FRAME_MS,
                "How long each packet sounds, in milliseconds. Every packet of the burst has exactly this length; others are dropped with `malformed_frame`.",
            ),
        ],
    },
    Object {
        name: "burst.end",
        about: "The release: no more frames come. Answer: the `receipt`. One that names no open burst is ignored.",
        fields: &[
            Field::new("burst", U32, OWN),
            Field::new(
                "frames",
                U32,
                "Frames that were sent. Required, and compared with nothing yet: 0 does no harm.",
            ),
        ],
    },
    Object {
        name: "mute",
        about: "Stops or starts hearing a participant. It has no answer when it is done; otherwise `error` (`unknown_participant`, `too_many_muted`).",
        fields: &[
            Field::new("participant", U32, "Whom: their `id`."),
            Field::new("muted", Kind::Bool, "True to hear no more of them."),
        ],
    },
    Object {
        name: "ping",
        about: "A sign of life is wanted. Answer: `pong`.",
        fields: &[Field::new("n", U32, "Comes back in the answer.")],
    },
];

/// What the server sends.
pub const DOWN: &[Object] = &[
    Object {
        name: "welcome",
        about: "Answers `hello`.",
        fields: &[
            Field::new("you", Kind::Object(&PARTICIPANT), "Oneself, as others see it."),
            Field::new("resume", TEXT, "Token to resume with after a drop, good for `hold_ms`."),
            Field::new(
                "resumed",
                Kind::Bool,
                "True when the earlier session goes on: its channels are still tuned.",
            ),
            Field::new("tuned", Kind::List(&CHANNEL), "Channels that are tuned now."),
            Field::new("hold_ms", U32, "How long the server keeps a frame, in milliseconds."),
            Field::new("talk_limit_ms", U32, "Longest burst, in milliseconds."),
            Field::optional("limits", Kind::Object(&AIR_LIMITS), "What holds for everybody who talks."),
            Field::new(
                "epoch_in_ms",
                U32,
                "Time to the next moment at which places change, in milliseconds.",
            ),
            Field::new("host", TEXT, "Name of the host, for people."),
            Field::new("server", TEXT, "Program and version of the server."),
        ],
    },
    Object {
        name: "located",
        about: "Answers `locate` and a `place` in `hello`, and tells that a new cell took effect. Never carries a cell.",
        fields: &[
            Field::new("shared", Kind::Bool, "Whether the server knows a cell of this connection."),
            Field::optional(
                "country",
                text("a text: ISO 3166-1 alpha-2, capitals"),
                "Country of the cell's centre, which others see; absent at sea.",
            ),
            Field::optional("stamp", TEXT, "To be shown with the first cell of the next connection."),
            Field::optional(
                "effective_in_ms",
                U32,
                "When the cell that was sent takes effect, in milliseconds; absent when it has.",
            ),
        ],
    },
    Object {
        name: "ranged",
        about: "Answers `range` and a `range` in `hello`, and tells that ranges went with the cell.",
        fields: &[Field::new("tx", RANGE, "Transmit range."), Field::new("rx", RANGE, "Receive range.")],
    },
    Object {
        name: "tuned",
        about: "Answers `tune`, with the channel as it is; after a resume, for each channel.",
        fields: &[
            Field::new("channel", CHANNEL, "The channel."),
            Field::optional("label", TEXT, "What it is for."),
            Field::new("count", U32, "Participants now, oneself among them."),
            Field::new(
                "participants",
                PEOPLE,
                "All of them, oneself among them, or the first page when `pages` is above 1; sorted by handle, then `id`.",
            ),
            Field::new("pages", U32, "Pages there are, at least 1."),
        ],
    },
    Object {
        name: "untuned",
        about: "Answers `untune`.",
        fields: &[Field::new("channel", CHANNEL, "The channel.")],
    },
    Object {
        name: "presence",
        about: "Who came and who left, collected for 200 ms. It may name people whom `tuned` named, and oneself: go by `id`. Above 500 participants the lists are empty.",
        fields: &[
            Field::new("channel", CHANNEL, "The channel."),
            Field::new("count", U32, "Participants now."),
            Field::new("joined", PEOPLE, "Who came."),
            Field::new("left", Kind::List(&U32), "The `id` of each who left."),
            Field::optional("changed", PEOPLE, "Whose country, handle or description is another one."),
        ],
    },
    Object {
        name: "participants",
        about: "One page of participants.",
        fields: &[
            Field::new("channel", CHANNEL, "The channel."),
            Field::new("page", U32, "From 0."),
            Field::new("pages", U32, "Pages there are, at least 1."),
            Field::new("count", U32, "Participants of the channel."),
            Field::new(
                "participants",
                PEOPLE,
                "Those of this page, sorted by handle, then `id`; none after the last page.",
            ),
        ],
    },
    Object {
        name: "burst.granted",
        about: "The talker's burst was admitted.",
        fields: &[
            Field::new("burst", U32, OWN),
            Field::new("talk_limit_ms", U32, "How long it may last, in milliseconds."),
        ],
    },
    Object {
        name: "burst.others_wait",
        about: "Somebody began to talk whom the talker would hear.",
        fields: &[
            Field::new("burst", U32, OWN),
            Field::new("others", U32, "How many began since the burst did."),
            Field::new("limit_in_ms", U32, "How long it may still last, in milliseconds."),
        ],
    },
    Object {
        name: "burst.started",
        about: "A burst begins, is entered late, or goes on after a resume.",
        fields: &[
            Field::new("burst", U32, SERVERS),
            Field::new("channel", CHANNEL, "Where."),
            Field::new("talker", Kind::Object(&PARTICIPANT), "Who talks."),
            Field::new("codec", CODEC, "How the payload is coded."),
            Field::new("frame_ms", FRAME_MS, "Sound in one frame, in milliseconds."),
            Field::optional(
                "grade",
                Kind::Numbers(&[0, 1, 2, 3, 4, 5]),
                "How near the talker is, when both share a cell (2.2).",
            ),
            Field::optional("bundle", U8, "Frames that come together, where that is more than one."),
        ],
    },
    Object {
        name: "burst.gap",
        about: "Frames that the listener will not get: they were past their hold.",
        fields: &[
            Field::new("burst", U32, SERVERS),
            Field::new("from", U16, "First sequence number lost."),
            Field::new("to", U16, "The one after the last lost."),
        ],
    },
    Object {
        name: "burst.ended",
        about: "A burst is over, or is heard no more.",
        fields: &[
            Field::new("burst", U32, SERVERS),
            Field::new("frames", U32, "Frames that the server relayed of it."),
            Field::new("reason", END, "Why it ended. Listeners are never told `courtesy`."),
        ],
    },
    Object {
        name: "receipt",
        about: "What became of a press. `aired` has `frames`, `ended` and, where it applies, `dropped`; `refused` has `refusal`, and means that no frame was relayed.",
        fields: &[
            Field::new("burst", U32, OWN),
            Field::optional(
                "late",
                Kind::Bool,
                "True after a resume, of a burst that was cut with the connection before: `burst` is its number there.",
            ),
            Field::new("outcome", Kind::Words(&["aired", "refused"]), "Which of the two."),
            Field::optional("frames", U32, "Frames that were relayed, at least 1."),
            Field::optional("ended", END, "Why it ended. Talkers are never told `out_of_range`."),
            Field::optional(
                "dropped",
                Kind::Object(&DROPPED),
                "Frames that were not relayed, when there were some.",
            ),
            Field::optional("refusal", Kind::Object(&REFUSAL), "Why nothing was relayed."),
        ],
    },
    Object {
        name: "error",
        about: "A message, or a voice frame, was refused; the connection goes on. The fields are those of `Refusal`.",
        fields: REFUSAL.fields,
    },
    Object { name: "pong", about: "Answers `ping`.", fields: &[Field::new("n", U32, "From the `ping`.")] },
    Object {
        name: "island",
        about: "The server is one of several and has lost the others, or has found them again (2.8).",
        fields: &[Field::new("alone", Kind::Bool, "Whether it is alone.")],
    },
    Object {
        name: "going_away",
        about: "The server stops; the connection is closed next.",
        fields: &[Field::new("back_in_ms", U32, "When to come back, in milliseconds from now.")],
    },
];
