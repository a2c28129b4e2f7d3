//! Limits how many rows one user and one address may add in an hour, so that nobody fills the log by connecting all
//! the time.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use tenfour_protocol::limits::{LOG_ROWS_PER_ADDRESS, LOG_ROWS_PER_USER, LOG_SHARES};

use super::hour::Hour;
use super::row::Row;
use crate::household::household;

/// Rows of this hour, by whose they are. Users and addresses are kept as a keyed hash of 64 bits: the
/// table outlives an erasure, and says nothing about anybody.
pub(super) struct Shares {
    hash: RandomState,
    hour: Hour,
    rows: HashMap<u64, u16>,
    most: usize,
}

impl Shares {
    pub(super) fn new() -> Self {
        Self::with_room_for(LOG_SHARES)
    }

    fn with_room_for(most: usize) -> Self {
        Self { hash: RandomState::new(), hour: Hour(0), rows: HashMap::new(), most }
    }

    /// True when the row is within the share of its user and within that of its address, and counts it.
    /// Rows of loopback count for their users only: that may be a proxy, for everybody.
    pub(super) fn take(&mut self, row: &Row) -> bool {
        let hour = Hour::of(row.time.0);
        if hour != self.hour {
            (self.hour, self.rows) = (hour, HashMap::new());
        }
        let user = self.hash.hash_one((0u8, row.user));
        let address = household(row.address).map(|address| self.hash.hash_one((1u8, address)));
        let has_room = |of: u64, most: u16| match self.rows.get(&of) {
            Some(rows) => *rows < most,
            None => self.rows.len() < self.most,
        };
        if !has_room(user, LOG_ROWS_PER_USER) || !address.is_none_or(|of| has_room(of, LOG_ROWS_PER_ADDRESS))
        {
            return false;
        }
        for of in [Some(user), address].into_iter().flatten() {
            *self.rows.entry(of).or_default() += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use tenfour_protocol::{DeviceText, UserId};

    use super::*;
    use crate::connection_log::row::Moment;

    fn row(user: u32, address: impl Into<IpAddr>, time: u64) -> Row {
        let none = DeviceText::default();
        Row {
            time: Moment(time),
            address: address.into(),
            handle: "Roadrunner".into(),
            user: UserId::of_key(&std::array::from_fn(|at| user.to_be_bytes()[at % 4])),
            manufacturer: none.clone(),
            model: none.clone(),
            platform: none.clone(),
            version: none,
        }
    }

    fn v4(n: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(0xC633_6400 + n)
    }

    #[test]
    fn a_user_has_a_share_of_each_hour_wherever_it_is() {
        let mut shares = Shares::new();
        let mut written = |hour: u64| {
            let rows = (0..5_000).filter(|n| shares.take(&row(1, v4(n % 200), hour * 3_600 + 7)));
            rows.count()
        };
        assert_eq!(written(0), usize::from(LOG_ROWS_PER_USER));
        assert_eq!(written(0), 0);
        assert_eq!(written(1), usize::from(LOG_ROWS_PER_USER));
        assert!(shares.take(&row(2, v4(1), 3_700)), "others have theirs");
    }

    #[test]
    fn an_address_has_a_share_whoever_comes_from_it_and_loopback_has_none() {
        let mut shares = Shares::new();
        let home = |n: u32| Ipv6Addr::from_bits(0x2001_0db8_0000_0001 << 64 | u128::from(n) << 64 | 1);
        let written = (0..5_000).filter(|n| shares.take(&row(*n, home(*n % 200), 7))).count();
        assert_eq!(written, usize::from(LOG_ROWS_PER_ADDRESS), "a household is one address");
        let written = (0..5_000).filter(|n| shares.take(&row(10_000 + *n, Ipv4Addr::LOCALHOST, 7))).count();
        assert_eq!(written, 5_000);
    }

    #[test]
    fn strangers_without_end_do_not_fill_the_memory() {
        let mut shares = Shares::with_room_for(100);
        let written = (0..10_000).filter(|n| shares.take(&row(*n, v4(*n), 7))).count();
        assert_eq!((written, shares.rows.len()), (50, 100));
        assert!(shares.take(&row(0, v4(0), 7)), "who was there goes on");
    }
}
