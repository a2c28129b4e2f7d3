//! The limits of `crates/protocol/src/limits.rs`: names and what they are for as that file says, values as the
//! program has them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Result, bail};
use tenfour_protocol::limits;

const SOURCE: &str = include_str!("../../../crates/protocol/src/limits.rs");

macro_rules! values {
    ($($name:ident,)*) => {
        /// Each limit with its value, in words.
        fn values() -> BTreeMap<&'static str, String> {
            [$((stringify!($name), limits::$name.words()),)*].into()
        }
    };
}

values! {
    HANDLE_GRAPHEMES, HANDLE_BYTES, DESCRIPTION_GRAPHEMES, DESCRIPTION_BYTES, DEVICE_BYTES, CHANNEL_NUMBERS,
    CHANNEL_NAME_BYTES, CONTROL_BYTES, CONTROL_BURST, CONTROL_PER_SECOND, CONTROL_REFUSALS,
    CONTROL_REFUSALS_PER_SECOND, CONTROL_QUEUE_BYTES, READ_AT_ONCE, READ_PER_SECOND, READ_FRAME_COST,
    READ_TEXT_COST, READ_PAUSE, READ_BEHIND, READ_BYTES, READ_DENSE_BYTES, READ_TURN, HUB_SHARE, HUB_QUEUE,
    VOICE_HEADER_BYTES, VOICE_PAYLOAD_BYTES, VOICE_MESSAGE_BYTES, VOICE_FRAME_TIME, VOICE_BITS_PER_SECOND,
    VOICE_AHEAD, HEARD_AHEAD, SAMPLE_RATE, TALK_LIMIT, TALK_LIMIT_RANGE, SILENT_BURST, STALLED_LINK, HOLD, HOLD_RANGE,
    CHANNELS_PER_SESSION, CHANNEL_PARTICIPANTS, NAMED_CHANNELS, CHANNEL_BURSTS, BUSY, BURSTS_PER_USER,
    BURSTS_PER_ADDRESS, CONNECTIONS_PER_USER, CHANNELS_PER_USER, COURTESY, COURTESY_RANGE, REST, SPEECH,
    SPEECH_WINDOW, SPEECH_WAITING, PRESSES_WAITING, PRESS_PATIENCE, SNAPSHOT_PARTICIPANTS, PAGE_PARTICIPANTS,
    BUNDLE_FRAMES, BUNDLE_TIME, BUNDLES, TURNS, TURN, PRESENCE_TICK, MUTES_PER_SESSION, RESUME_BURSTS, EPOCH,
    EPOCH_LEAD, FIRST_CELLS_PER_HOUR, MOVES_PER_HOUR, MOVES_PER_DAY, CONTACT_GRAPHEMES, CONTACT_BYTES,
    CONTACTS_PER_USER, CONTACTS, CONTACT_KEPT, CONTACTS_PER_ADDRESS, USERS, USERS_RANGE, USERS_PER_TAG,
    REGISTRATIONS_PER_ADDRESS, REGISTRATIONS_AN_HOUR, REGISTRATION_WORK, REGISTRATION_WORK_MOST,
    DISK_LEAST_FREE, LOG_ROWS_PER_USER, LOG_ROWS_PER_ADDRESS, LOG_SHARES, LOG_DAY_MEGABYTES,
    LOG_DAY_MEGABYTES_RANGE, VISITOR_COOKIE_BYTES, VISITOR_COOKIE_LIFE, VISITORS, HEADER_BYTES, BODY_BYTES,
    FORWARDED_HOPS, HANDSHAKE, ADDRESS_CONNECTIONS, DOORS, ANSWER_PATIENCE, ANSWER_BYTES_PER_SECOND,
    ANSWERS_BYTES, ADDRESS_ANSWERS_BYTES, PING, PINGS_MISSED, STALLED, NONCE_BYTES, NONCE_LIFE, NONCES,
    SESSION_LIFE, TOKEN_BYTES, SESSIONS_PER_USER, KEY_FILE_BYTES, KEY_FILE_ITERATIONS,
    KEY_FILE_ITERATIONS_MOST, PASSPHRASE_CHARACTERS, PASSPHRASE_BYTES, USER_UPGRADES, USER_UPGRADE,
    AUTH_REQUESTS, AUTH_PER_SECOND, AUTH_WAIT, AUTH_PATIENCE, AUTH_PREFIXES, NODE_NAME_BYTES,
    NODE_MESSAGE_BYTES, NODE_FRAMES, NODE_CHANNELS, NODES, NODE_MESSAGES, NODE_MESSAGES_PER_SECOND,
    NODE_BEAT_LEAST, NODE_BEAT, NODE_SILENT, NODE_COUNTS_TICK, NODE_LINGER, NODE_ANSWER, NODE_ASKS,
    NODE_CHANNEL_BURSTS, NODE_PARTICIPANTS,
}

pub(super) fn table() -> Result<String> {
    let (values, declared) = (values(), declared(SOURCE));
    let named: BTreeSet<_> = declared.iter().map(|(name, _)| name.as_str()).collect();
    if let Some(missing) = named.iter().find(|name| !values.contains_key(**name)) {
        bail!("`{missing}` of limits.rs is not in the list of xtask/src/reference/limits.rs: add it");
    }
    let rows =
        declared.iter().map(|(name, about)| format!("| `{name}` | {} | {about} |\n", values[name.as_str()]));
    Ok("| limit | value | of what |\n|---|---|---|\n".to_owned() + &rows.collect::<String>())
}

/// The constants of the file with what is said of them, in order.
fn declared(source: &str) -> Vec<(String, String)> {
    let (mut declared, mut about) = (Vec::new(), String::new());
    for line in source.lines() {
        if let Some(words) = line.strip_prefix("/// ") {
            about = if about.is_empty() { words.to_owned() } else { format!("{about} {words}") };
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let name = rest.split(':').next().unwrap_or_default().to_owned();
            // Links of the documentation of Rust are names here.
            declared.push((name, std::mem::take(&mut about).replace("[`", "`").replace("`]", "`")));
        } else {
            about.clear();
        }
    }
    declared
}

trait Words {
    fn words(&self) -> String;
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl Words for $number {
            fn words(&self) -> String {
                self.to_string()
            }
        })*
    };
}

numbers!(u8 u16 u32 u64 usize);

impl Words for Duration {
    fn words(&self) -> String {
        match self.as_micros() {
            micros if micros % 1_000_000 == 0 => format!("{} s", micros / 1_000_000),
            micros if micros % 1000 == 0 => format!("{} ms", micros / 1000),
            micros => format!("{micros} µs"),
        }
    }
}

impl<T: Words> Words for RangeInclusive<T> {
    fn words(&self) -> String {
        format!("{} to {}", self.start().words(), self.end().words())
    }
}

/// From so many participants, so many frames.
impl Words for [(usize, u8); 2] {
    fn words(&self) -> String {
        self.map(|(participants, frames)| format!("{frames} from {participants}")).join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_in_the_table_with_its_value() {
        let table = table().unwrap();
        assert!(
            table.contains("| `CONTROL_BYTES` | 4096 | Largest control message from a client, in bytes. |")
        );
        assert!(table.contains("| `SILENT_BURST` | 1 s |") && table.contains("| `TURN` | 20 µs |"));
        assert!(table.contains("| `HOLD_RANGE` | 2 s to 30 s |"));
        assert!(table.lines().skip(2).all(|row| !row.ends_with("|  |")), "each is explained");
    }
}
