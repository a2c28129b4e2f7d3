//! Which client a request comes from when it comes through proxies of the operator.

use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::http::header::{HeaderMap, HeaderName};
use tenfour_protocol::limits::FORWARDED_HOPS;

use crate::config::Prefix;
use crate::lock::lock;

/// Where each proxy adds, at the end, the address that it got the request from.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// How often the operator is told of a proxy that is not named.
const WARNING: Duration = Duration::from_secs(3600);

/// Where a proxy of the operator may be, from the inside out. Everybody's networks have these addresses, so that
/// they tell nothing about anybody.
const INSIDE: [(&str, &str); 7] = [
    ("127.0.0.0/8", "this machine, 127.0.0.0/8"),
    ("::1/128", "this machine, ::1"),
    ("10.0.0.0/8", "a private network, 10.0.0.0/8"),
    ("172.16.0.0/12", "a private network, 172.16.0.0/12"),
    ("192.168.0.0/16", "a private network, 192.168.0.0/16"),
    ("fc00::/7", "a private network, fc00::/7"),
    ("fe80::/10", "the same link, fe80::/10"),
];
const OUTSIDE: &str = "a public address";

/// The proxies that are believed: none, unless the operator names them.
#[derive(Debug)]
pub(crate) struct Proxies {
    trusted: Vec<Prefix>,
    /// When the operator was told last of somebody who is not named and says whose a request is: inside and
    /// outside, so that no stranger's header keeps the word about the operator's own proxy away.
    told: Mutex<[Option<Instant>; 2]>,
}

impl Proxies {
    pub(crate) fn new(trusted: Vec<Prefix>) -> Self {
        Self { trusted, told: Mutex::default() }
    }

    /// The same as [`Proxies::client`], for the first look at a request: tells the operator when it comes from a
    /// proxy that is not named, since all who come through it count as one address, or as none on loopback.
    pub(crate) fn client_noticed(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if let Some(whence) = self.unnamed(peer, headers, Instant::now()) {
            tracing::warn!(
                "somebody on {whence} sends X-Forwarded-For and is not believed: if that is your proxy, add its \
                 address to trusted_proxies; until then all who come through it count as one"
            );
        }
        self.client(peer, headers)
    }

    /// From which range of addresses a peer comes that says whose a request is and is no trusted proxy, once an
    /// hour of a range inside and once of one outside. Neither its own address is told, which may be a person's, nor what it says.
    fn unnamed(&self, peer: IpAddr, headers: &HeaderMap, now: Instant) -> Option<&'static str> {
        if !headers.contains_key(FORWARDED_FOR) || self.trusts(peer) {
            return None;
        }
        let has = |prefix: &str| prefix.parse::<Prefix>().is_ok_and(|prefix| prefix.has(peer));
        let inside = INSIDE.iter().find(|(prefix, _)| has(prefix)).map(|(_, words)| *words);
        let mut told = lock(&self.told);
        let told = &mut told[usize::from(inside.is_some())];
        if told.is_some_and(|told| now.saturating_duration_since(told) < WARNING) {
            return None;
        }
        *told = Some(now);
        Some(inside.unwrap_or(OUTSIDE))
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

    /// The address that a connection counts for: none, while only a proxy is known.
    pub(crate) fn counted(&self, client: IpAddr) -> Option<IpAddr> {
        Some(client.to_canonical()).filter(|client| !self.trusts(*client))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|prefix| prefix.has(address))
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
    fn the_operator_is_told_once_an_hour_of_a_proxy_that_is_not_named() {
        let mut headers = HeaderMap::new();
        let start = Instant::now();
        let told = |proxies: &Proxies, peer: &str, headers: &HeaderMap, now| {
            proxies.unnamed(peer.parse().unwrap(), headers, now)
        };
        let proxies = Proxies::new(vec!["10.0.0.1".parse().unwrap()]);
        assert_eq!(told(&proxies, "10.0.0.2", &headers, start), None, "it says nothing");
        headers.append(FORWARDED_FOR, HeaderValue::from_static("192.0.2.1"));
        assert_eq!(told(&proxies, "10.0.0.1", &headers, start), None, "it is named");
        assert_eq!(told(&proxies, "203.0.113.9", &headers, start), Some(OUTSIDE));
        assert_eq!(told(&proxies, "203.0.113.10", &headers, start), None, "one stranger is enough");
        let private = Some("a private network, 10.0.0.0/8");
        assert_eq!(told(&proxies, "10.0.0.2", &headers, start), private);
        assert_eq!(told(&proxies, "10.0.0.2", &headers, start + WARNING / 2), None);
        assert_eq!(told(&proxies, "::ffff:10.0.0.2", &headers, start + WARNING), private);
    }

    #[test]
    fn what_the_operator_is_told_has_no_address_of_anybody() {
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED_FOR, HeaderValue::from_static("192.0.2.1"));
        for (peer, words) in [
            ("127.0.0.1", "this machine, 127.0.0.0/8"),
            ("::1", "this machine, ::1"),
            ("172.31.7.9", "a private network, 172.16.0.0/12"),
            ("172.32.7.9", OUTSIDE),
            ("192.168.7.9", "a private network, 192.168.0.0/16"),
            ("fd00::9", "a private network, fc00::/7"),
            ("fe80::9", "the same link, fe80::/10"),
            ("203.0.113.9", OUTSIDE),
            ("2001:db8::9", OUTSIDE),
        ] {
            let nobody = Proxies::new(Vec::new());
            let whence = nobody.unnamed(peer.parse().unwrap(), &headers, Instant::now());
            assert_eq!(whence, Some(words), "{peer}");
        }
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
