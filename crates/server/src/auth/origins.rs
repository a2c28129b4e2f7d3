//! Which pages may use this server, and which origin a signature has to name.

use std::collections::BTreeSet;
use std::net::SocketAddr;

/// The server's own origins and those the operator added, as browsers write them.
#[derive(Debug, Clone, Default)]
pub struct Origins(BTreeSet<String>);

impl Origins {
    /// The origins of a listener: those of loopback when it can be reached there, those of
    /// `names` (addresses and names of this machine), and `more`.
    pub fn new(listen: SocketAddr, secure: bool, names: &[String], more: &[String]) -> Self {
        let scheme = if secure { "https" } else { "http" };
        let usual = if secure { 443 } else { 80 };
        let port = if listen.port() == usual { String::new() } else { format!(":{}", listen.port()) };
        let own = names.iter().map(|name| format!("{scheme}://{name}{port}"));
        Self(own.chain(more.iter().cloned()).collect())
    }

    /// True when a page of `origin` may use the server.
    pub fn allows(&self, origin: &str) -> bool {
        self.0.contains(origin)
    }

    /// The origins that a client may mean that connected to `host` and said nothing else:
    /// behind a proxy the scheme is not known here.
    pub fn of_host(&self, host: &str) -> impl Iterator<Item = &str> {
        ["https://", "http://"].into_iter().filter_map(move |scheme| {
            let origin = format!("{scheme}{}", host.to_ascii_lowercase());
            self.0.get(&origin).map(String::as_str)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_and_added_origins_are_allowed_and_nothing_else() {
        let names = ["127.0.0.1".to_owned(), "[::1]".to_owned()];
        let more = ["https://radio.example".to_owned()];
        let origins = Origins::new("127.0.0.1:27185".parse().unwrap(), false, &names, &more);
        assert!(origins.allows("http://127.0.0.1:27185") && origins.allows("http://[::1]:27185"));
        assert!(origins.allows("https://radio.example"));
        for foreign in ["https://127.0.0.1:27185", "http://127.0.0.1", "http://radio.example", "null", ""] {
            assert!(!origins.allows(foreign), "{foreign}");
        }
        assert_eq!(origins.of_host("Radio.example").collect::<Vec<_>>(), ["https://radio.example"]);
        assert_eq!(origins.of_host("evil.example").count(), 0);
    }

    #[test]
    fn the_usual_port_is_not_written() {
        let names = ["radio.example".to_owned()];
        assert!(
            Origins::new("0.0.0.0:443".parse().unwrap(), true, &names, &[]).allows("https://radio.example")
        );
    }
}
