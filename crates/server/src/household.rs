//! Addresses, as coarse as a household. Limits for an address count for the whole household.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};

use tenfour_core::hub::AddressNo;

/// Gives addresses numbers that mean nothing outside of this process.
#[derive(Debug, Default)]
pub(crate) struct Households(RandomState);

impl Households {
    /// The number of an address; none for loopback, since everybody may come from there through a proxy.
    pub(crate) fn number(&self, address: IpAddr) -> Option<AddressNo> {
        household(address).map(|address| AddressNo(self.0.hash_one(address)))
    }
}

/// An address of IPv4, or the first 56 bits of one of IPv6, which is what one household has; none for loopback,
/// which is the operator, a test, or a proxy for everybody.
pub(crate) fn household(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V4(v4) => Some(v4.into()),
        IpAddr::V6(v6) => Some(Ipv6Addr::from_bits(v6.to_bits() & !0 << 72).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_has_one_number_and_loopback_has_none() {
        let households = Households::default();
        let number = |address: &str| households.number(address.parse().unwrap());
        assert_eq!(number("2001:db8:0:1::1"), number("2001:db8:0:fe::2"));
        assert_ne!(number("2001:db8:0:1::1"), number("2001:db8:0:100::1"));
        assert_eq!(number("::ffff:192.0.2.1"), number("192.0.2.1"));
        assert_ne!(number("192.0.2.1"), number("192.0.2.2"));
        assert_eq!((number("127.0.0.1"), number("::1"), number("::ffff:127.0.0.9")), (None, None, None));
        assert_ne!(Households::default().number("192.0.2.1".parse().unwrap()), number("192.0.2.1"));
    }
}
