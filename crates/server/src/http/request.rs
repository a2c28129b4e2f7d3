//! What a request says about who sends it.

use std::net::IpAddr;

use axum::http::Uri;
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap, HeaderValue, ORIGIN};
use tenfour_protocol::{Code, Refusal};

use crate::auth::{Client, Origins};

/// The address a request comes from. It is used to limit log-ins and for nothing else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Name of the session cookie. The prefix makes a browser insist on TLS, this host, and `/`.
pub(super) fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-tenfour" } else { "tenfour" }
}

/// The origin of the page that sends a request. Bytes that are no text are no origin, and neither are two origins:
/// which one is believed would depend on the reader.
pub(crate) fn origin_of(headers: &HeaderMap) -> Option<&str> {
    let mut origins = headers.get_all(ORIGIN).into_iter();
    let origin = origins.next()?;
    Some(origin.to_str().ok().filter(|_| origins.next().is_none()).unwrap_or("?"))
}

/// Cookies of one name that are looked at: a browser sends several when one was set for a path, or before a proxy
/// was moved.
const COOKIES: usize = 4;

/// The session tokens that a request may mean, of which one has to stand: that of a program, or else those of a
/// browser's cookies. What else `Authorization` says, such as a password for a proxy, is not for us.
pub(crate) fn tokens_of(headers: &HeaderMap, secure: bool) -> impl Iterator<Item = &str> {
    let texts =
        |name| headers.get_all(name).into_iter().filter_map(|value: &HeaderValue| value.to_str().ok());
    let bearer = texts(AUTHORIZATION).find_map(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let pairs =
        texts(COOKIE).flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let cookies = pairs.filter(move |(name, _)| *name == cookie_name(secure)).map(|(_, value)| value);
    bearer.into_iter().chain(cookies.take(if bearer.is_some() { 0 } else { COOKIES }))
}

/// Who asks for a log-in: a page of an own origin, or a program that came to an own address.
pub(super) fn client_of<'a>(
    headers: &'a HeaderMap,
    uri: &'a Uri,
    origins: &Origins,
) -> Result<Client<'a>, Refusal> {
    if let Some(origin) = origin_of(headers) {
        return if origins.allows(origin) { Ok(Client::Page(origin)) } else { Err(foreign(origin)) };
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or(uri.authority().map(|authority| authority.as_str())).unwrap_or("?");
    match origins.of_host(host).next() {
        Some(_) => Ok(Client::Program(host)),
        None => Err(foreign(host)),
    }
}

/// Longest address that is repeated to who has sent it.
const ADDRESS_SHOWN: usize = 200;

/// Somebody uses an address that this server does not take for one of its own: in `Origin`, or in `Host`.
pub(crate) fn foreign(address: &str) -> Refusal {
    let shown: String = address.chars().take(ADDRESS_SHOWN).collect();
    Refusal {
        hint: "Use the address that its operator names; the operator can add this one to `origins`.".into(),
        ..Refusal::because(
            Code::ForeignOrigin,
            format!("This server does not know the address {shown} as its own."),
        )
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    /// The tokens of a request with these lines.
    fn tokens(lines: &[(HeaderName, &'static str)]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_static(value));
        }
        tokens_of(&headers, false).map(str::to_owned).collect()
    }

    #[test]
    fn a_token_is_found_beside_what_is_not_for_us() {
        let none: [&str; 0] = [];
        assert_eq!(tokens(&[(AUTHORIZATION, "Bearer a")]), ["a"]);
        assert_eq!(tokens(&[(AUTHORIZATION, "bearer a")]), ["a"], "a scheme has no case: RFC 9110, 11.1");
        assert_eq!(tokens(&[(AUTHORIZATION, "BEARER  a ")]), ["a"]);
        assert_eq!(tokens(&[(AUTHORIZATION, "Basic x"), (COOKIE, "tenfour=b")]), ["b"]);
        assert_eq!(tokens(&[(AUTHORIZATION, "Basic x"), (AUTHORIZATION, "Bearer a")]), ["a"]);
        assert_eq!(
            tokens(&[(AUTHORIZATION, "Bearer a"), (COOKIE, "tenfour=b")]),
            ["a"],
            "a program's counts"
        );
        assert_eq!(tokens(&[(COOKIE, "tenfour=old; x=y; tenfour=b")]), ["old", "b"]);
        assert_eq!(tokens(&[(COOKIE, "tenfour=old"), (COOKIE, "tenfour=b")]), ["old", "b"]);
        let many = "tenfour=1; tenfour=2; tenfour=3; tenfour=4; tenfour=5";
        assert_eq!(tokens(&[(COOKIE, many)]), ["1", "2", "3", "4"]);
        for nobody in ["Bearer", "Basic YTpi", "bearera", ""] {
            assert_eq!(tokens(&[(AUTHORIZATION, nobody)]), none, "{nobody:?}");
        }
        assert_eq!(tokens(&[(COOKIE, "tenfours=1; xtenfour=2; __Host-tenfour=3")]), none);
    }
}
