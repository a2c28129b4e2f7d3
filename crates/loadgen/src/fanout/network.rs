//! Addresses of virtual users: a server that gives each address a share must see more than one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use socket2::{Domain, Protocol, Socket, Type};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// An IPv4 network all of whose addresses are this machine's, as `ip route add local 10.0.0.0/8 dev lo` makes
/// them in a network namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    first: Ipv4Addr,
    addresses: u32,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(first, bits)| {
            let (first, bits): (Ipv4Addr, u32) = (first.parse().ok()?, bits.parse().ok()?);
            (8..=32).contains(&bits).then(|| Self { first, addresses: 1 << (32 - bits) })
        });
        parsed.ok_or_else(|| "a network of IPv4 like 10.77.0.0/16".into())
    }
}

impl Network {
    /// The address of virtual user `number`; after the last one it is the first one's again.
    fn address(self, number: usize) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first.to_bits() + number as u32 % self.addresses)
    }

    /// A connection of virtual user `number`.
    pub(crate) fn connect(self, number: usize, to: SocketAddr) -> std::io::Result<TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.bind(&SocketAddr::new(IpAddr::V4(self.address(number)), 0).into())?;
        socket.connect_timeout(&to.into(), CONNECT_TIMEOUT)?;
        Ok(socket.into())
    }
}

/// A connection of virtual user `number`, from an address of its own if there is a network of them.
pub(crate) fn connect(from: Option<Network>, number: usize, to: SocketAddr) -> anyhow::Result<TcpStream> {
    let tcp = match from {
        Some(network) => network.connect(number, to),
        None => TcpStream::connect(to),
    };
    tcp.with_context(|| format!("connecting to {to}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_the_addresses_of_the_network_in_turn() {
        let network: Network = "10.77.0.254/30".parse().unwrap();
        let address = |number| network.address(number).to_string();
        assert_eq!([address(0), address(3), address(4)], ["10.77.0.254", "10.77.1.1", "10.77.0.254"]);
        assert!("10.77.0.0".parse::<Network>().is_err() && "10.0.0.0/4".parse::<Network>().is_err());
    }
}
