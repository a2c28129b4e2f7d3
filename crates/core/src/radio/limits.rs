//! The radio's own limits. Those of the wire are in [`tenfour_protocol::limits`].

use std::ops::RangeInclusive;
use std::time::Duration;

use tenfour_protocol::limits::{HEARD_AHEAD, HOLD_RANGE, RESUME_BURSTS};

/// First wait after a lost link; it doubles with each try that fails.
pub const BACK_OFF_FIRST: Duration = Duration::from_millis(250);
/// Longest wait between two tries.
pub const BACK_OFF_LONGEST: Duration = Duration::from_secs(10);
/// After a link that lasted this long, the waits start again with the first.
pub const STEADY_TIME: Duration = Duration::from_secs(5);
/// Time for the shell to open a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A link on which nothing came for this long is asked with a `ping`. The server's own pings
/// come more often, so a shell that reports them never sends one.
pub const QUIET_TIME: Duration = Duration::from_secs(20);
/// A link that does not answer the `ping` for this long is given up.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Silence after which a link is dead. If a message or a TLS record has not come whole for this long, the shell ends
/// the connection and wipes the part that came.
pub const DEAD_TIME: Duration = QUIET_TIME.saturating_add(ANSWER_TIMEOUT);

/// A tune that came too fast is sent again after this long, if the server names no time.
pub const TUNE_RETRY: Duration = Duration::from_secs(1);

/// A place or a range that came too fast is sent again after this long, if the server names no time.
pub const LOCATE_RETRY: Duration = Duration::from_secs(1);

/// Most sound of a press that waits for the link or for the chosen range, and the longest wait. Beyond it the press
/// is refused, with `link_lost` while the link is down and `location_needed` otherwise. Less than
/// [`tenfour_protocol::limits::VOICE_AHEAD`], so that the server takes it all at once.
pub const PRE_ROLL: Duration = Duration::from_secs(2);
/// Most presses whose receipts are due.
pub const RECEIPTS_DUE: usize = 4;
/// Time for the receipt after the release.
pub const RECEIPT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many bursts' worth of sound a radio takes at a time. It takes as much as that many bursts can have in real
/// time, and at once what a server may have held of them. Otherwise a lying server could fill a disk with one burst
/// after the other.
pub const HEARD_AT_ONCE: u32 = RESUME_BURSTS as u32;
/// The oldest sound that may come at once.
pub const HEARD_LATE: Duration =
    Duration::from_millis(HOLD_RANGE.end().as_millis() as u64 + HEARD_AHEAD.as_millis() as u64);
/// A burst is lost if nothing of it came for the server's hold and this much longer.
pub const BURST_LOST: Duration = Duration::from_secs(5);
/// Finished bursts remembered by number, so that none is heard twice.
pub const BURSTS_DONE: usize = 256;

/// Sound the jitter buffer holds before a burst begins to play.
pub const JITTER_START: Duration = Duration::from_millis(40);
/// Most sound it learns to hold.
pub const JITTER_LONGEST: Duration = Duration::from_millis(200);
/// It holds one step less for each such time without a stall.
pub const JITTER_CALM: Duration = Duration::from_secs(5);
/// One step of learning.
pub const JITTER_STEP: Duration = Duration::from_millis(20);
/// What is missing is concealed for this long, then it is silence.
pub const CONCEALED: Duration = Duration::from_millis(60);
/// Lost frames are replaced by at most this much concealment and silence, since nobody wants to hear seconds of
/// nothing.
pub const LOSS_LONGEST: Duration = Duration::from_millis(200);
/// A burst that could not begin to play within this time of its first frame is not played, unless the listener
/// chose another limit. A talker must end sooner than this once somebody else wants to talk ([`COURTESY`]), so the
/// first who waits is heard.
///
/// [`COURTESY`]: tenfour_protocol::limits::COURTESY
pub const LAG_LIMIT: Duration = Duration::from_secs(12);
/// What a listener may choose.
pub const LAG_LIMIT_RANGE: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_secs(60);
/// The radio plays next whom the listener heard least within this time.
pub const HEARD_LATELY: Duration = Duration::from_secs(5 * 60);
/// Bursts that may wait in one channel's queue.
pub const QUEUED_BURSTS: usize = 64;
/// Voice that may wait to be played, all channels together, in bytes.
pub const QUEUED_BYTES: usize = 8 * 1024 * 1024;

/// Bursts that can be said again.
pub const MEMORY_BURSTS: usize = 20;
/// How long after its end a burst can be said again.
pub const MEMORY_TIME: Duration = Duration::from_secs(5 * 60);
/// Voice kept to be said again, in bytes.
pub const MEMORY_BYTES: usize = 8 * 1024 * 1024;
