//! Who comes in, and who does not.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use serde_json::json;
use tenfour_protocol::limits::USER_UPGRADES;
use tenfour_server::config::Settings;

use crate::desk::{Desk, Key};
use crate::http::{connect, exchange};

pub(crate) const UPGRADE: [(&str, &str); 5] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("sec-websocket-protocol", "tenfour.v1"),
];

#[test]
fn an_upgrade_is_refused_in_words() {
    let desk = Desk::new();
    let bearer = format!("Bearer {}", desk.register(1, "Roadrunner"));
    let session = ("authorization", bearer.as_str());
    let ask = |headers: &[(&str, &str)]| {
        let reply = desk.get("/api/v1/radio", headers);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        (reply.status, reply.code())
    };
    let without = |left_out: &str| {
        let kept = UPGRADE.into_iter().filter(|(name, _)| *name != left_out);
        kept.chain([("connection", "close"), session]).collect::<Vec<_>>()
    };
    let foreign = [&UPGRADE[..], &[session, ("origin", "https://evil.example")]].concat();
    assert_eq!(ask(&foreign), (403, "foreign_origin".into()));
    assert_eq!(ask(&[&UPGRADE[..], &[session, ("origin", "null")]].concat()), (403, "foreign_origin".into()));
    assert_eq!(ask(&UPGRADE), (401, "not_logged_in".into()));
    let forged = [&UPGRADE[..], &[("authorization", "Bearer AAAA")]].concat();
    assert_eq!(ask(&forged), (401, "not_logged_in".into()));
    assert_eq!(ask(&without("sec-websocket-protocol")), (400, "unknown_subprotocol".into()));
    for header in ["upgrade", "sec-websocket-version", "sec-websocket-key"] {
        assert_eq!(ask(&without(header)), (426, "upgrade_expected".into()), "without {header}");
    }
    assert_eq!(ask(&[session]), (426, "upgrade_expected".into()));
    let reply = desk.post("/api/v1/radio", &[session], &json!({}));
    assert_eq!((reply.status, reply.code()), (405, "method_not_allowed".into()));
}

#[test]
fn an_upgrade_of_an_own_page_is_answered_by_the_book() {
    let desk = Desk::new();
    let bearer = format!("Bearer {}", desk.register(1, "Roadrunner"));
    let headers = [&UPGRADE[..], &[("authorization", bearer.as_str()), ("origin", desk.url())]].concat();
    let mut socket = connect(desk.address());
    // Without hello the server closes the socket by itself, which ends the reading.
    let reply = exchange(&mut socket, &desk.address().to_string(), "GET", "/api/v1/radio", &headers, b"");
    assert_eq!(reply.status, 101);
    assert_eq!(reply.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(reply.header("sec-websocket-protocol"), Some("tenfour.v1"));
    assert_eq!(reply.header("sec-websocket-extensions"), None);
    assert!(reply.body.ends_with(b"hello_expected"), "closed with the reason");
}

#[test]
fn a_login_that_is_sent_again_is_refused() {
    let desk = Desk::new();
    desk.register(1, "Roadrunner");
    let body = json!({ "proof": desk.prove(&Key::new(1), desk.url(), "bearer") });
    assert_eq!(desk.post("/api/v1/login", &[], &body).status, 200);
    let again = desk.post("/api/v1/login", &[], &body);
    assert_eq!((again.status, again.code()), (401, "nonce_expired".into()));
}

#[test]
fn a_signature_that_does_not_fit_is_refused_and_spends_the_nonce() {
    let desk = Desk::new();
    desk.register(1, "Roadrunner");
    let (owner, thief) = (Key::new(1), Key::new(2));
    let nonce = desk.post("/api/v1/nonce", &[], &json!({})).json();
    let good = owner.prove(&nonce, desk.url(), "bearer");
    let mut forged = good.clone();
    forged["signature"] = thief.prove(&nonce, desk.url(), "bearer")["signature"].clone();
    let login = |proof: serde_json::Value| desk.post("/api/v1/login", &[], &json!({ "proof": proof })).code();
    assert_eq!(login(forged), "bad_signature");
    assert_eq!(login(good), "nonce_expired", "the forged log-in has spent it");
    assert_eq!(login(desk.prove(&owner, "https://elsewhere.example", "bearer")), "bad_signature");
    assert_eq!(login(desk.prove(&thief, desk.url(), "bearer")), "not_registered");
    let mut invented = desk.prove(&owner, desk.url(), "bearer");
    invented["nonce"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(login(invented), "nonce_expired");
}

#[test]
fn a_page_or_a_host_of_somebody_else_cannot_log_in() {
    let desk = Desk::new();
    let foreign = desk.post("/api/v1/nonce", &[("origin", "https://evil.example")], &json!({}));
    assert_eq!((foreign.status, foreign.code()), (403, "foreign_origin".into()));
    // A signature that a foreign page was given for its own origin.
    let proof = desk.prove(&Key::new(1), "http://evil.example", "bearer");
    let body = json!({ "handle": "Roadrunner", "proof": proof });
    let reply = desk.post("/api/v1/register", &[("host", "evil.example")], &body);
    assert_eq!((reply.status, reply.code()), (403, "foreign_origin".into()));
}

#[test]
fn an_origin_that_the_operator_added_can_log_in() {
    let added = "https://radio.example";
    let desk = Desk::with(Settings { origins: Some(vec![added.into()]), ..Settings::default() });
    let body = json!({ "handle": "Roadrunner", "proof": desk.prove(&Key::new(1), added, "cookie") });
    let reply = desk.post("/api/v1/register", &[("origin", added)], &body);
    assert_eq!(reply.status, 201);
    let body = json!({ "proof": desk.prove(&Key::new(1), added, "bearer") });
    // A program behind the same proxy.
    assert_eq!(desk.post("/api/v1/login", &[("host", "radio.example")], &body).status, 200);
}

#[test]
fn a_registration_is_checked() {
    let desk = Desk::new();
    let register = |handle: &str, description: Option<&str>| {
        let proof = desk.prove(&Key::new(1), desk.url(), "bearer");
        let body = json!({ "handle": handle, "description": description, "proof": proof });
        let reply = desk.post("/api/v1/register", &[], &body);
        (reply.status, reply.json()["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(register("", None), (422, "handle_refused".into()));
    assert_eq!(register("two\nlines", None), (422, "handle_refused".into()));
    assert_eq!(register("Roadrunner", Some("")), (422, "description_refused".into()));
    assert_eq!(register("Roadrunner", None), (201, String::new()));
    assert_eq!(register("Coyote", None), (409, "already_registered".into()));
}

#[test]
fn bodies_that_are_not_what_they_should_be_are_refused() {
    let desk = Desk::new();
    let post = |body: &[u8]| {
        let reply = crate::http::request(desk.address(), "POST", "/api/v1/login", &[], body);
        (reply.status, reply.code())
    };
    assert_eq!(post(b""), (400, "malformed_message".into()));
    assert_eq!(post(b"{\"proof\": 1}"), (400, "malformed_message".into()));
    assert_eq!(post(&[b' '; 17 * 1024]), (413, "message_too_large".into()));
    let sent = b"{\"handle\": \"x\", \"44.8125\": 1}";
    let reply = crate::http::request(desk.address(), "POST", "/api/v1/register", &[], sent);
    let said = reply.json().to_string();
    assert!(said.contains("it may have `handle`, ") && !said.contains("44.8"), "{said}");
}

#[test]
fn a_cookie_session_is_for_own_pages_and_is_erased_by_log_out() {
    let desk = Desk::new();
    let own = ("origin", desk.url());
    let body = json!({ "handle": "Roadrunner", "proof": desk.prove(&Key::new(1), desk.url(), "cookie") });
    let reply = desk.post("/api/v1/register", &[own], &body);
    assert!(reply.json().get("token").is_none(), "scripts do not see the token");
    let cookie = reply.header("set-cookie").unwrap().to_owned();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(pair.starts_with("tenfour=") && !attributes.contains("Secure"), "{attributes}");
    assert_eq!(attributes, "Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict");
    let cookie = ("cookie", pair);
    assert_eq!(desk.get("/api/v1/me", &[cookie, own]).json()["handle"], "Roadrunner");
    assert_eq!(desk.get("/api/v1/me", &[cookie]).json()["user"], Key::new(1).user().to_string());
    let foreign = desk.get("/api/v1/me", &[cookie, ("origin", "https://evil.example")]);
    assert_eq!((foreign.status, foreign.code()), (403, "foreign_origin".into()));
    let out = desk.post("/api/v1/logout", &[cookie, own], &json!({}));
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").unwrap().starts_with("tenfour=; Path=/; Max-Age=0;"));
    assert_eq!(desk.get("/api/v1/me", &[cookie]).code(), "not_logged_in");
    assert_eq!(desk.get("/api/v1/me", &[]).status, 401);
}

#[test]
fn a_client_that_says_nothing_is_let_go() {
    let desk = Desk::new();
    let mut socket = connect(desk.address());
    let started = Instant::now();
    let mut nothing = Vec::new();
    socket.read_to_end(&mut nothing).unwrap();
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[test]
fn who_opens_radio_sockets_without_end_is_told_to_wait_and_others_are_not() {
    let desk = Desk::new();
    let [hasty, other] = [(1, "Hasty"), (2, "Roadrunner")].map(|(seed, handle)| desk.register(seed, handle));
    let upgrade = |token: &str| {
        let mut socket = connect(desk.address());
        let headers = UPGRADE.map(|(name, value)| format!("{name}: {value}\r\n")).concat();
        let bearer = format!("authorization: Bearer {token}\r\nhost: {}\r\n\r\n", desk.address());
        socket.write_all(format!("GET /api/v1/radio HTTP/1.1\r\n{headers}{bearer}").as_bytes()).unwrap();
        let mut answer = [0; 1024];
        let bytes = socket.read(&mut answer).unwrap();
        (socket, String::from_utf8_lossy(&answer[..bytes]).into_owned())
    };
    // More come in while this takes long.
    let answers: Vec<_> = (0..500).map(|_| upgrade(&hasty)).collect();
    let refused: Vec<_> = answers.iter().filter(|(_, answer)| answer.starts_with("HTTP/1.1 429")).collect();
    assert!(refused.len() > 300, "{} of 500", refused.len());
    assert!(answers[..USER_UPGRADES as usize].iter().all(|(_, answer)| answer.starts_with("HTTP/1.1 101")));
    assert!(refused[0].1.to_ascii_lowercase().contains("retry-after: 1\r\n"), "{}", refused[0].1);
    assert!(upgrade(&other).1.starts_with("HTTP/1.1 101"));
}
