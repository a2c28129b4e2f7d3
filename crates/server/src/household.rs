//! Where somebody comes from, as coarse as a household: what one address may have is counted for that.

use std::net::{IpAddr, Ipv6Addr};

/// An address of IPv4, or the first 56 bits of one of IPv6, which is what one household has; none for
/// loopback: that is the operator, a test, or a proxy for everybody.
pub(crate) fn household(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V4(v4) => Some(v4.into()),
        IpAddr::V6(v6) => Some(Ipv6Addr::from_bits(v6.to_bits() & !0 << 72).into()),
    }
}
