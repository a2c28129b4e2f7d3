//! Who shares an address, as far as limits know people apart by it.

use std::net::{IpAddr, Ipv6Addr};

/// What limits count for one: an address, or a /56 of IPv6, which is what one household has. None for loopback,
/// which is not limited: it is the operator, a test, or a proxy for everybody.
pub(crate) fn household(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V6(v6) => Some(Ipv6Addr::from_bits(v6.to_bits() & !0 << 72).into()),
        v4 => Some(v4),
    }
}
