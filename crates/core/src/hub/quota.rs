//! What one connection may ask for.

use tenfour_protocol::limits::{
    CONTROL_BURST, CONTROL_PER_SECOND, CONTROL_REFUSALS, CONTROL_REFUSALS_PER_SECOND,
};
use tenfour_protocol::{ClientMessage, Code, Refusal};

use crate::Time;
use crate::bucket::Bucket;

/// The budgets of a connection's control messages.
#[derive(Debug)]
pub(super) struct Quota {
    control: Bucket,
    /// A separate budget for messages that end something, so that a spent budget keeps nobody on a channel.
    leaving: Bucket,
    /// Refusals before the connection is closed. They add up even if some messages in between are accepted.
    patience: Bucket,
}

/// Why a message is not handled.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spent {
    /// Told to the client.
    Refused(Refusal),
    /// The client does not listen to refusals: its connection is closed.
    Disconnect,
}

impl Quota {
    pub(super) fn new(now: Time) -> Self {
        let bucket = || Bucket::new(CONTROL_BURST, CONTROL_PER_SECOND, now);
        let patience = Bucket::new(CONTROL_REFUSALS, CONTROL_REFUSALS_PER_SECOND, now);
        Self { control: bucket(), leaving: bucket(), patience }
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
            return Ok(());
        }
        let wait = bucket.wait(now).as_micros().div_ceil(1000) as u32;
        if !self.patience.take(1, now) {
            return Err(Spent::Disconnect);
        }
        Err(Spent::Refused(Refusal::from(Code::TooManyMessages).retry_after(wait)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether somebody who sends so many messages a second is closed within ten minutes.
    fn is_closed(per_second: u64) -> bool {
        let mut quota = Quota::new(Time::ZERO);
        (0..600 * per_second).any(|sent| {
            let now = Time::from_micros(sent * 1_000_000 / per_second);
            quota.spend(None, now) == Err(Spent::Disconnect)
        })
    }

    #[test]
    fn who_does_not_listen_to_refusals_is_closed_though_some_messages_are_taken() {
        assert!(!is_closed(u64::from(CONTROL_PER_SECOND)));
        assert!(!is_closed(50), "a slider that tells each of its steps");
        // Fewer than a hundred refusals between two that are taken.
        assert!(is_closed(60) && is_closed(400) && is_closed(5_000));
    }
}
