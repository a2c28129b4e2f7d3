//! Whose a request is that comes through proxies of the operator.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{HeaderMap, HeaderName};
use tenfour_protocol::limits::FORWARDED_HOPS;

use crate::config::Prefix;

/// Where each proxy adds, at the end, the address that it got the request from.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies whose word counts; nobody's, unless the operator names them.
#[derive(Debug)]
pub(crate) struct Proxies(Vec<Prefix>);

impl Proxies {
    pub(crate) fn new(trusted: Vec<Prefix>) -> Self {
        Self(trusted)
    }

    /// The address that a request of `peer` comes from: the last one that is no trusted proxy's, as
    /// far as trusted proxies say. What they say is read from its end: a client can write whatever
    /// it likes before that.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            return client;
        }
        let lines = headers.get_all(FORWARDED_FOR).into_iter().rev();
        // Bytes, since a client may have begun the line with some that are no text.
        let said = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for word in said.take(FORWARDED_HOPS) {
            let Some(address) = std::str::from_utf8(word).ok().and_then(address) else { break };
            client = address;
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    /// Whose a connection counts as: nobody's, while only a proxy is known.
    pub(crate) fn counted(&self, client: IpAddr) -> Option<IpAddr> {
        Some(client.to_canonical()).filter(|client| !self.trusts(*client))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|prefix| prefix.has(address))
    }
}

/// Some proxies name the port, too, and then IPv6 has brackets.
fn address(word: &str) -> Option<IpAddr> {
    let word = word.trim_ascii();
    let bare = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word);
    let address = bare.parse().or_else(|_| word.parse().map(|address: SocketAddr| address.ip())).ok()?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    /// The client of a request from `peer` with these header lines; 10.0.0.0/8 and ::1 are trusted.
    fn client(peer: &str, lines: &[&str]) -> String {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_trusted_proxy_says_whose_a_request_is() {
        assert_eq!(client("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("::ffff:10.0.0.1", &["::ffff:203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(client("10.0.0.1", &["203.0.113.9:51234"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["[2001:db8::7]:51234"]), "2001:db8::7");
        assert_eq!(client("10.0.0.1", &["[2001:db8::7]"]), "2001:db8::7");
        assert_eq!(client("10.0.0.1", &["203.0.113.9, 10.0.0.3 ,10.0.0.2"]), "203.0.113.9", "a row of them");
        assert_eq!(client("10.0.0.1", &["203.0.113.9", "10.0.0.2"]), "203.0.113.9", "in two lines");
        assert_eq!(client("10.0.0.1", &["10.0.0.7, 10.0.0.2"]), "10.0.0.7", "somebody beside the proxies");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn nobody_else_is_believed() {
        assert_eq!(client("203.0.113.9", &["192.0.2.1"]), "203.0.113.9");
        assert_eq!(client("::ffff:203.0.113.9", &["10.0.0.1"]), "203.0.113.9");
        // What a client wrote stands before what the proxy has added.
        assert_eq!(client("10.0.0.1", &["192.0.2.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["127.0.0.1, 10.0.0.2, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["192.0.2.1", "203.0.113.9, 10.0.0.2"]), "203.0.113.9");
        let nobody = Proxies::new(vec![]);
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED_FOR, HeaderValue::from_static("192.0.2.1"));
        assert_eq!(nobody.client("127.0.0.1".parse().unwrap(), &headers).to_string(), "127.0.0.1");
    }

    #[test]
    fn what_is_no_address_ends_what_is_believed() {
        let long = ["192.0.2.1"; 500].join(",");
        for line in [
            "",
            ",",
            "unknown",
            "_hidden",
            "203.0.113.9.1",
            "1",
            "é",
            "10.0.0.1:x",
            "[::1",
            "::1]:1",
            "0x7f.1",
        ] {
            assert_eq!(client("10.0.0.1", &[line]), "10.0.0.1", "{line}");
            let both = format!("192.0.2.1, {line}, 10.0.0.2");
            assert_eq!(client("10.0.0.1", &[&both]), "10.0.0.2", "{line}");
        }
        assert_eq!(client("10.0.0.1", &[&long]), "192.0.2.1", "the last one");
        let proxies = ["10.0.0.2"; FORWARDED_HOPS].join(",");
        assert_eq!(client("10.0.0.1", &[&format!("192.0.2.1,{proxies}")]), "10.0.0.2", "too many to be true");
    }
}
