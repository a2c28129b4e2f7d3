//! The boundaries at which moves take effect, for everybody at once.

use std::time::Duration;

use tenfour_protocol::limits::EPOCH;

/// Time from `unix`, counted from the Unix epoch, to the next boundary. Never zero.
pub fn epoch_in(unix: Duration) -> Duration {
    let into = unix.as_micros() % EPOCH.as_micros();
    EPOCH - Duration::from_micros(into as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_quarters_of_an_hour() {
        assert_eq!(epoch_in(Duration::ZERO), EPOCH);
        assert_eq!(epoch_in(Duration::from_secs(899)), Duration::from_secs(1));
        assert_eq!(epoch_in(Duration::from_secs(1_795_470_600)), Duration::from_secs(600));
        assert_eq!(epoch_in(Duration::from_micros(900_000_001)), EPOCH - Duration::from_micros(1));
    }
}
