//! What proxies, browsers and scanners send beside what is asked for.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::desk::{Desk, Key};
use crate::http::{Reply, connect, read_answer, request};

const ME: &str = "/api/v1/me";

/// Registers with a cookie; name and token.
fn cookie(desk: &Desk) -> String {
    let body = json!({ "handle": "Roadrunner", "proof": desk.prove(&Key::new(1), desk.url(), "cookie") });
    let reply = desk.post("/api/v1/register", &[("origin", desk.url())], &body);
    reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

#[test]
fn a_session_is_found_beside_what_others_have_put_there() {
    let desk = Desk::new();
    let cookie = cookie(&desk);
    let token = cookie.split_once('=').unwrap().1;
    let old = format!("tenfour=AAAA; theme=dark; {cookie}");
    let (small, large) = (format!("bearer {token}"), format!("BEARER {token}"));
    for (name, headers) in [
        ("the password of a proxy", &[("authorization", "Basic YTpi"), ("cookie", &cookie)][..]),
        ("an old cookie before it", &[("cookie", &old)]),
        ("an old cookie in a line before it", &[("cookie", "tenfour=AAAA"), ("cookie", &cookie)]),
        ("small letters", &[("authorization", &small)]),
        ("capitals", &[("authorization", &large)]),
    ] {
        assert_eq!(desk.get(ME, headers).status, 200, "{name}");
        let upgrade = [&crate::door::UPGRADE[..4], headers].concat();
        let reply = desk.get("/api/v1/radio", &upgrade);
        assert_eq!((reply.status, reply.code()), (400, "unknown_subprotocol".into()), "{name}");
    }
    for headers in [
        &[("authorization", "Basic YTpi")][..],
        &[("authorization", "Bearer AAAA"), ("cookie", &cookie)],
        &[("cookie", "tenfour=1; tenfour=2; tenfour=3; tenfour=4; tenfour=5")],
    ] {
        assert_eq!(desk.get(ME, headers).status, 401, "{headers:?}");
    }
}

fn raw(desk: &Desk, bytes: &[u8]) -> (TcpStream, Reply) {
    let mut socket = connect(desk.address());
    socket.write_all(bytes).unwrap();
    let reply = read_answer(&mut socket);
    (socket, reply)
}

#[test]
fn what_cannot_be_read_is_answered_with_words_and_all_headers() {
    let desk = Desk::new();
    let page = desk.get("/", &[]);
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(9000));
    let address = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "y".repeat(70_000));
    for (bytes, status) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..], 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"G\0T / HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost x\r\n\r\n", 400),
        (long.as_bytes(), 431),
        (address.as_bytes(), 431),
    ] {
        let (_, reply) = raw(&desk, bytes);
        assert_eq!(reply.status, status, "{}", reply.head);
        let code = if status == 400 { "malformed_message" } else { "message_too_large" };
        assert_eq!((reply.code(), &reply.json()["status"]), (code.into(), &json!(status)));
        for name in [
            "content-security-policy",
            "cross-origin-opener-policy",
            "permissions-policy",
            "referrer-policy",
            "x-content-type-options",
            "x-frame-options",
        ] {
            assert!(reply.header(name).is_some(), "{status} without {name}: {}", reply.head);
            assert_eq!(reply.header(name), page.header(name));
        }
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

#[test]
fn nobody_is_asked_to_go_on_with_a_body_that_is_not_taken() {
    let desk = Desk::new();
    let head = |path: &str, length: u64| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n",
            desk.address()
        )
    };
    for path in ["/api/v1/login", "/api/v1/contact", "/api/v1/radio", "/", "/api/v1/nothing"] {
        let (_, reply) = raw(&desk, head(path, 100_000_000).as_bytes());
        assert_eq!((reply.status, reply.code()), (413, "message_too_large".into()), "{path}");
    }
    // A body that is taken is asked for.
    let mut socket = connect(desk.address());
    socket.write_all(head("/api/v1/login", 2).as_bytes()).unwrap();
    let mut line = [0; 25];
    socket.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(b"{}").unwrap();
    assert_eq!(read_answer(&mut socket).status, 400);
}

#[test]
fn the_operators_listener_is_asked_by_its_name_only() {
    let desk = Desk::new();
    let status = |host: &str| request(desk.ops_address(), "GET", "/health", &[("host", host)], b"").status;
    assert_eq!(status(&desk.ops_address().to_string()), 200);
    assert_eq!(status("localhost:27186"), 200);
    for path in ["/health", "/metrics"] {
        let reply = request(desk.ops_address(), "GET", path, &[("host", "evil.example")], b"");
        assert_eq!(reply.status, 421);
        assert!(reply.header("content-security-policy").is_some());
        assert!(String::from_utf8(reply.body).unwrap().contains("origins"), "it says what to do");
    }
}

#[test]
fn the_operators_listener_has_an_end_to_its_patience_and_leaves_the_door_alone() {
    let desk = Desk::new();
    let started = Instant::now();
    let mut silent: Vec<_> = (0..50).map(|_| connect(desk.ops_address())).collect();
    assert_eq!(desk.get("/", &[]).status, 200);
    let mut half = connect(desk.ops_address());
    half.write_all(b"GET /health HTTP/1.1\r\n").ok();
    silent.push(half);
    for mut socket in silent {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut nothing = Vec::new();
        // Closed, or reset since a request was begun.
        socket.read_to_end(&mut nothing).ok();
        assert_eq!(nothing, b"");
    }
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    assert!(desk.ops("/health").contains("on the air"));
}
