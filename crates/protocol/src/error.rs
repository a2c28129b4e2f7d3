//! Stable error codes, the same on the socket and over HTTP, with words for people.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What went wrong. Codes are stable: they are added, never renamed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Code {
    /// Not JSON, an unknown type, an unknown or missing field.
    MalformedMessage,
    /// Over the size limit.
    MessageTooLarge,
    /// A voice frame that does not follow the format.
    MalformedFrame,
    /// The first message was no `hello`.
    HelloExpected,
    /// A second `hello`.
    AlreadyGreeted,
    /// Too many control messages.
    TooManyMessages,
    /// More voice than a talker may send.
    TooMuchVoice,
    /// The text names no channel.
    UnknownChannel,
    /// The act needs the channel to be tuned.
    NotTuned,
    /// The channel takes no more participants.
    ChannelFull,
    /// The session is tuned to as many channels as it may.
    TooManyChannels,
    /// The server has as many named channels as it takes.
    NoRoomForChannel,
    /// The presser would hear as many bursts of others as may be on the air there.
    ChannelBusy,
    /// A limit ended the user's last burst there, a moment ago.
    Resting,
    /// The user talked for long in the last minutes, and others wait.
    SpeechSpent,
    /// The session has a burst on the air.
    AlreadyTalking,
    /// The burst's number was used before.
    BurstNumberUsed,
    /// Nothing came that could be relayed between press and release.
    NoVoice,
    /// No such participant.
    UnknownParticipant,
    /// As many participants are muted as can be.
    TooManyMuted,
    /// The cell is none of resolution 6.
    CellRefused,
    /// A limited range needs a cell.
    LocationNeeded,
    /// As many new cells as a key may have for now.
    TooManyMoves,
    /// No valid session.
    NotLoggedIn,
    /// The session was ended by a log-out.
    LoggedOut,
    /// The user was erased, and every session with it.
    Erased,
    /// The page belongs to another site.
    ForeignOrigin,
    /// The socket's subprotocol is unknown.
    UnknownSubprotocol,
    /// Not a WebSocket request.
    UpgradeExpected,
    /// The signature does not fit key, nonce and origin.
    BadSignature,
    /// The nonce is unknown, used or too old.
    NonceExpired,
    /// Many registered from this address: the next one has to show work, and did not.
    WorkNeeded,
    /// The key is not registered.
    NotRegistered,
    /// The key is registered already.
    AlreadyRegistered,
    /// The text is no handle.
    HandleRefused,
    /// The text is no description.
    DescriptionRefused,
    /// The text is no message to the operator.
    ContactRefused,
    /// As many messages of the user as may wait for the operator do.
    TooManyContacts,
    /// As many messages of everybody as may wait for the operator do.
    InboxFull,
    /// The server takes no more connections.
    ServerFull,
    /// Too many requests.
    TooManyRequests,
    /// The store does not answer.
    StoreUnavailable,
    /// No such page.
    NotFound,
    /// The method is not offered here.
    MethodNotAllowed,
    /// The client took nothing for too long, or answered no ping.
    Stalled,
    /// The user has opened more connections than one may have, and this one was idle longest.
    Replaced,
    /// The user has logged in more often than one may, and this session was not used for longest.
    Displaced,
    /// The server stops.
    GoingAway,
    /// The link was lost before the outcome was known. Clients use it; no server sends it.
    LinkLost,
    /// A burst was ended by the talk limit. Clients use it to say so; no server sends it.
    TalkLimit,
    /// The device or browser lacks something. Clients use it; no server sends it.
    Unsupported,
}

impl Code {
    /// Every code, for tables and tests.
    pub const ALL: [Self; 51] = [
        Self::MalformedMessage,
        Self::MessageTooLarge,
        Self::MalformedFrame,
        Self::HelloExpected,
        Self::AlreadyGreeted,
        Self::TooManyMessages,
        Self::TooMuchVoice,
        Self::UnknownChannel,
        Self::NotTuned,
        Self::ChannelFull,
        Self::TooManyChannels,
        Self::NoRoomForChannel,
        Self::ChannelBusy,
        Self::Resting,
        Self::SpeechSpent,
        Self::AlreadyTalking,
        Self::BurstNumberUsed,
        Self::NoVoice,
        Self::UnknownParticipant,
        Self::TooManyMuted,
        Self::CellRefused,
        Self::LocationNeeded,
        Self::TooManyMoves,
        Self::NotLoggedIn,
        Self::LoggedOut,
        Self::Erased,
        Self::ForeignOrigin,
        Self::UnknownSubprotocol,
        Self::UpgradeExpected,
        Self::BadSignature,
        Self::NonceExpired,
        Self::WorkNeeded,
        Self::NotRegistered,
        Self::AlreadyRegistered,
        Self::HandleRefused,
        Self::DescriptionRefused,
        Self::ContactRefused,
        Self::TooManyContacts,
        Self::InboxFull,
        Self::ServerFull,
        Self::TooManyRequests,
        Self::StoreUnavailable,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Stalled,
        Self::Replaced,
        Self::Displaced,
        Self::GoingAway,
        Self::LinkLost,
        Self::TalkLimit,
        Self::Unsupported,
    ];

    /// What happened, and what to do: two short sentences in English. A caller that knows
    /// more says more.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::MalformedMessage => ("The message is not one of this protocol.", "See docs/protocol.md."),
            Self::MessageTooLarge => ("The message is too large.", "Send at most 4 KiB."),
            Self::MalformedFrame => ("The voice frame is malformed.", "Check header, length and codec."),
            Self::HelloExpected => ("The first message must be hello.", "Send hello, then go on."),
            Self::AlreadyGreeted => {
                ("This connection has said hello before.", "Open a new connection to resume.")
            }
            Self::TooManyMessages => ("Too many messages.", "Wait a moment and send fewer."),
            Self::TooMuchVoice => {
                ("More voice than the limit allows.", "Send at the pace of sound, or at a lower bit rate.")
            }
            Self::UnknownChannel => ("There is no such channel.", "Use 1 to 40, or a name like road-66."),
            Self::NotTuned => ("You are not tuned to this channel.", "Tune in first."),
            Self::ChannelFull => ("The channel is full.", "Try another channel, or come back later."),
            Self::TooManyChannels => ("You are tuned to as many channels as you can.", "Leave one first."),
            Self::NoRoomForChannel => {
                ("The server takes no more named channels.", "Use a number or an existing name.")
            }
            Self::ChannelBusy => ("Too many people talk on this channel.", "Wait until one has finished."),
            Self::Resting => {
                ("You have talked as long as one may at once.", "Let others answer; press again in a moment.")
            }
            Self::SpeechSpent => (
                "You have talked for most of the last minutes, and others wait.",
                "Let them talk; listening always works.",
            ),
            Self::AlreadyTalking => ("You are on the air already.", "Release first."),
            Self::BurstNumberUsed => ("This burst number was used before.", "Count upwards."),
            Self::NoVoice => (
                "No voice came with this press.",
                "Send frames that have the number of its burst.start, before you release.",
            ),
            Self::UnknownParticipant => ("There is no such participant.", "They may have left."),
            Self::TooManyMuted => ("You have muted as many people as you can.", "Unmute somebody first."),
            Self::CellRefused => {
                ("This is no H3 cell of resolution 6.", "Send the cell of resolution 6, no other.")
            }
            Self::LocationNeeded => {
                ("A limited range needs your location.", "Share it, or choose unlimited.")
            }
            Self::TooManyMoves => {
                ("Your location changed too often.", "It can change again later; unlimited works.")
            }
            Self::NotLoggedIn => ("You are not logged in.", "Log in and try again."),
            Self::LoggedOut => ("You have logged out.", "Log in to come back."),
            Self::Erased => ("You were erased from this server.", "Register to begin anew."),
            Self::ForeignOrigin => {
                ("This server does not know this address as its own.", "The operator can add it to origins.")
            }
            Self::UnknownSubprotocol => {
                ("The socket speaks another protocol.", "Offer the subprotocol tenfour.v1.")
            }
            Self::UpgradeExpected => ("This address is a WebSocket.", "Connect with a WebSocket client."),
            Self::BadSignature => (
                "The log-in does not fit the key, or was signed for another address.",
                "Sign for the address that you connect to.",
            ),
            Self::NonceExpired => {
                ("The log-in took too long or was used before.", "Ask for a new nonce and sign it.")
            }
            Self::WorkNeeded => ("Many registered from your network.", "Do the work of a new nonce."),
            Self::NotRegistered => ("This key is not known here.", "Register with a handle first."),
            Self::AlreadyRegistered => ("This key is registered already.", "Log in with it."),
            Self::HandleRefused => ("This handle cannot be used.", "Use 1 to 24 visible characters."),
            Self::DescriptionRefused => {
                ("This description cannot be used.", "Use up to 140 visible characters.")
            }
            Self::ContactRefused => {
                ("This message cannot be sent.", "Write 1 to 2,000 characters, line breaks included.")
            }
            Self::TooManyContacts => (
                "As many of your messages as can wait for the operator are waiting.",
                "Write again when the operator has read one.",
            ),
            Self::InboxFull => ("The operator's inbox is full.", "Try again in a day or two."),
            Self::ServerFull => ("The server is full.", "Come back in a while."),
            Self::TooManyRequests => ("Too many requests.", "Wait a moment."),
            Self::StoreUnavailable => {
                ("The server cannot reach its store.", "Try again; the operator sees why in the log.")
            }
            Self::NotFound => ("There is nothing here.", "Check the address."),
            Self::MethodNotAllowed => ("This cannot be done here.", "Check the method."),
            Self::Stalled => ("The connection took nothing for too long.", "Connect again."),
            Self::Replaced => (
                "You use this radio in more places than one may at once.",
                "This one was idle longest; close another and connect again.",
            ),
            Self::Displaced => (
                "Newer log-ins with your key have taken the place of this one.",
                "Log in to come back; one log-in does for many connections if you keep its token.",
            ),
            Self::GoingAway => {
                ("The server is being restarted.", "It will be back; clients come back by themselves.")
            }
            Self::LinkLost => ("The link was lost.", "Press again when it is back."),
            Self::TalkLimit => ("The talk limit was reached.", "Press again to go on."),
            Self::Unsupported => {
                ("This device lacks something the radio needs.", "Use a newer browser or device.")
            }
        }
    }

    /// Status of the HTTP answer that carries this code.
    pub fn http_status(self) -> u16 {
        match self {
            Self::MalformedMessage
            | Self::MalformedFrame
            | Self::HelloExpected
            | Self::AlreadyGreeted
            | Self::UnknownSubprotocol
            | Self::BurstNumberUsed
            | Self::NoVoice
            | Self::UnknownParticipant
            | Self::NotTuned
            | Self::CellRefused
            | Self::LocationNeeded
            | Self::Unsupported => 400,
            Self::NotLoggedIn
            | Self::LoggedOut
            | Self::Displaced
            | Self::Erased
            | Self::BadSignature
            | Self::NonceExpired => 401,
            Self::ForeignOrigin => 403,
            Self::UnknownChannel | Self::NotRegistered | Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::AlreadyRegistered | Self::AlreadyTalking => 409,
            Self::MessageTooLarge => 413,
            Self::HandleRefused | Self::DescriptionRefused | Self::ContactRefused => 422,
            Self::UpgradeExpected => 426,
            Self::TooManyMessages
            | Self::TooMuchVoice
            | Self::TalkLimit
            | Self::Resting
            | Self::SpeechSpent
            | Self::Replaced
            | Self::TooManyChannels
            | Self::TooManyMuted
            | Self::TooManyMoves
            | Self::TooManyContacts
            | Self::WorkNeeded
            | Self::TooManyRequests => 429,
            Self::ChannelFull
            | Self::NoRoomForChannel
            | Self::ChannelBusy
            | Self::InboxFull
            | Self::ServerFull
            | Self::StoreUnavailable
            | Self::Stalled
            | Self::GoingAway
            | Self::LinkLost => 503,
        }
    }

    /// Close code of the WebSocket when this ends a connection: 1008 (policy), 1009 (too
    /// large), 1012 (restart), or one of our own from 4000 on where a client acts on it.
    pub fn close_code(self) -> u16 {
        match self {
            Self::MessageTooLarge => 1009,
            Self::GoingAway => 1012,
            Self::LoggedOut => 4001,
            Self::Erased => 4002,
            Self::Replaced => 4003,
            Self::Displaced => 4004,
            Self::Stalled => 4008,
            _ => 1008,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_listed_once_and_has_words_that_end_in_a_full_stop() {
        assert_eq!(Code::ALL.iter().collect::<BTreeSet<_>>().len(), Code::ALL.len());
        for code in Code::ALL {
            let (message, hint) = code.words();
            assert!(message.ends_with('.') && hint.ends_with('.'), "{code:?}");
            assert!((400..600).contains(&code.http_status()));
        }
    }
}
