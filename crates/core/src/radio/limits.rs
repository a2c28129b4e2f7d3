//! Limits of the radio's own; those of the wire are in [`tenfour_protocol::limits`].

use std::time::Duration;

use tenfour_protocol::limits::{HEARD_AHEAD, HOLD_RANGE, RESUME_BURSTS};

/// First wait after a lost link; it doubles with each try that fails.
pub const BACK_OFF_FIRST: Duration = Duration::from_millis(250);
/// Longest wait between two tries.
pub const BACK_OFF_LONGEST: Duration = Duration::from_secs(10);
/// A link that stood this long makes the next wait the first one again.
pub const STEADY_TIME: Duration = Duration::from_secs(5);
/// Time for the shell to open a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A link on which nothing came for this long is asked with a `ping`. The server's own pings
/// come more often, so a shell that reports them never sends one.
pub const QUIET_TIME: Duration = Duration::from_secs(20);
/// A link that answers nothing to that for this long is given up.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Silence after which a link is dead. A message, or a record of TLS, that has not come whole for this long
/// never will: the shell ends the connection, and wipes what it keeps of it.
pub const DEAD_TIME: Duration = QUIET_TIME.saturating_add(ANSWER_TIMEOUT);

/// A tune that came too fast is sent again after this long, if the server names no time.
pub const TUNE_RETRY: Duration = Duration::from_secs(1);

/// A place or a range that came too fast is sent again after this long, if the server names no time.
pub const LOCATE_RETRY: Duration = Duration::from_secs(1);

/// Sound that waits in a press for the link, or for the range that was chosen; more, or a longer
/// wait, is refused with `link_lost` while the link is down, and with `location_needed` otherwise.
/// Less than [`tenfour_protocol::limits::VOICE_AHEAD`], so that the server takes it at once.
pub const PRE_ROLL: Duration = Duration::from_secs(2);
/// Presses of one's own whose receipt may be due at once.
pub const RECEIPTS_DUE: usize = 4;
/// Time for the receipt after the release.
pub const RECEIPT_TIMEOUT: Duration = Duration::from_secs(10);

/// Sound that a radio takes of all bursts together: of as many as it has open at once, as long as each
/// lasts, and at once what a server may have held of them. Else a server that lies could fill a disk
/// with one burst after the other.
pub const HEARD_AT_ONCE: u32 = RESUME_BURSTS as u32;
/// How long ago what comes at once may have been said.
pub const HEARD_LATE: Duration =
    Duration::from_millis(HOLD_RANGE.end().as_millis() as u64 + HEARD_AHEAD.as_millis() as u64);
/// A burst of which nothing came for this long after the server's hold is taken as lost.
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
/// Frames that were lost are played as this much concealment and silence at most: nobody wants to hear
/// seconds of nothing.
pub const LOSS_LONGEST: Duration = Duration::from_millis(200);
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
