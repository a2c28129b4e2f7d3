//! A deck that is broken on purpose.

use super::BurstLog;
use crate::hub::StartAt;

/// Keeps the frames of a log for good: what a forgotten handle does.
pub(super) fn leak(log: &BurstLog) {
    log.frames(log.cursor(StartAt::Oldest)).cloned().for_each(std::mem::forget);
}
