//! What one connection may ask for.

use tenfour_protocol::limits::{CONTROL_BURST, CONTROL_PER_SECOND, CONTROL_REFUSALS};
use tenfour_protocol::{ClientMessage, Code, Refusal};

use crate::Time;
use crate::bucket::Bucket;

/// The budgets of a connection's control messages.
#[derive(Debug)]
pub(super) struct Quota {
    control: Bucket,
    /// Of its own for what lets go, so that nobody is kept by a spent budget.
    leaving: Bucket,
    refused_in_a_row: u32,
}

/// Why a message is not looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spent {
    /// Told to the client.
    Refused(Refusal),
    /// The client does not listen to refusals: its connection is closed.
    Enough,
}

impl Quota {
    pub(super) fn new(now: Time) -> Self {
        let bucket = || Bucket::new(CONTROL_BURST, CONTROL_PER_SECOND, now);
        Self { control: bucket(), leaving: bucket(), refused_in_a_row: 0 }
    }

    /// Pays for `message`, or for one that could not be read.
    pub(super) fn spend(&mut self, message: Option<&ClientMessage>, now: Time) -> Result<(), Spent> {
        use ClientMessage::{BurstEnd, Locate, Mute, Untune};
        let lets_go = matches!(
            message,
            Some(Untune { .. } | Mute { .. } | BurstEnd { .. } | Locate { cell: None, .. })
        );
        let bucket = if lets_go { &mut self.leaving } else { &mut self.control };
        if bucket.take(1, now) {
            self.refused_in_a_row = 0;
            return Ok(());
        }
        self.refused_in_a_row += 1;
        if self.refused_in_a_row >= CONTROL_REFUSALS {
            return Err(Spent::Enough);
        }
        let wait = bucket.wait(now).as_micros().div_ceil(1000) as u32;
        Err(Spent::Refused(Refusal::from(Code::TooManyMessages).retry_after(wait)))
    }
}
