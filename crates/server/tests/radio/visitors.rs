//! The anonymous cookie of visitors: off unless it is wanted, and good for a number only.

use std::io::Write;
use std::sync::{Arc, Mutex};

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use tenfour_server::config::{LogFormat, LogLevel, Settings};
use tenfour_server::telemetry;

use crate::desk::{Desk, Key};
use crate::http::{Reply, request};
use crate::radio::Radio;

const PATHS: [(&str, &str); 12] = [
    ("GET", "/"),
    ("GET", "/c/19"),
    ("HEAD", "/"),
    ("GET", "/nothing.js"),
    ("GET", "/api"),
    ("GET", "/api/v1/me"),
    ("GET", "/api/v1/channels"),
    ("GET", "/api/v1/radio"),
    ("POST", "/api/v1/nonce"),
    ("POST", "/api/v1/login"),
    ("POST", "/api/v1/contact"),
    ("POST", "/api/v1/logout"),
];

fn counting() -> Desk {
    Desk::with(Settings { visitor_cookie: Some(true), ..Settings::default() })
}

/// All cookies that an answer sets.
fn cookies(reply: &Reply) -> Vec<String> {
    let lines = reply.head.lines().filter_map(|line| line.split_once(": "));
    let set = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    set.map(|(_, value)| value.to_owned()).collect()
}

/// `name=value` of the cookie that the page gives.
fn visit(desk: &Desk) -> String {
    let cookies = cookies(&desk.get("/", &[]));
    assert_eq!(cookies.len(), 1);
    cookies[0].split_once(';').unwrap().0.to_owned()
}

fn visitors(desk: &Desk) -> Option<String> {
    let metrics = desk.ops("/metrics");
    metrics.lines().find_map(|line| line.strip_prefix("tenfour_visitors_today ")).map(str::to_owned)
}

#[test]
fn unless_it_is_wanted_no_answer_has_such_a_cookie() {
    let desk = Desk::new();
    for (method, path) in PATHS {
        let reply = request(desk.address(), method, path, &[], b"{}");
        assert_eq!(cookies(&reply), Vec::<String>::new(), "{method} {path}");
    }
    let token = desk.register(1, "Roadrunner");
    for (method, path) in [("POST", "/api/v1/logout"), ("DELETE", "/api/v1/me")] {
        let token = if path.ends_with("me") { desk.log_in(1) } else { token.clone() };
        let reply = desk.ask(method, path, &token, &Value::Null);
        assert!(cookies(&reply).iter().all(|cookie| cookie.starts_with("tenfour=;")), "{method} {path}");
    }
    assert_eq!(visitors(&desk), None);
}

#[test]
fn the_page_gives_it_and_nothing_else_does_and_a_browser_counts_once() {
    let desk = counting();
    assert_eq!(visitors(&desk).as_deref(), Some("0"));
    for (method, path) in &PATHS[2..] {
        let reply = request(desk.address(), method, path, &[], b"{}");
        assert_eq!(cookies(&reply), Vec::<String>::new(), "{method} {path}");
    }
    assert_eq!(visitors(&desk).as_deref(), Some("0"));
    let page = desk.get("/c/19", &[]);
    let cookie = &cookies(&page)[0];
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; Max-Age=86400; HttpOnly; SameSite=Strict");
    assert_eq!(page.header("cache-control"), Some("private, no-cache"));
    let value = pair.strip_prefix("tenfour-visitor=").unwrap();
    assert_eq!(BASE64URL_NOPAD.decode(value.as_bytes()).unwrap().len(), 16);
    for _ in 0..3 {
        assert_eq!(cookies(&desk.get("/", &[("cookie", pair)])), Vec::<String>::new(), "given once");
    }
    assert_eq!(visitors(&desk).as_deref(), Some("1"));
    assert_ne!(visit(&desk), pair);
    assert_eq!(visitors(&desk).as_deref(), Some("2"));
}

/// Two people do the same, one with the cookie of a visitor and one without: the API answers the
/// same, and of the cookie nothing is in what is exported, stored or logged.
/// The subscriber is the process's: nextest gives each test a process of its own.
#[tokio::test]
async fn the_api_does_not_look_at_it_and_nobody_keeps_it() {
    let kept = Kept::default();
    let lines = telemetry::subscriber(LogLevel::Trace, LogFormat::Json, Box::new(kept.clone()));
    tracing::subscriber::set_global_default(lines).expect("the first one");
    let mut desk = counting();
    let pair = visit(&desk);
    let value = pair.split_once('=').unwrap().1.to_owned();
    let before = visitors(&desk);
    let mut answers = Vec::new();
    for (seed, visitor) in [(1, None), (2, Some(&pair))] {
        answers.push(come(&desk, seed, visitor.map(String::as_str)).await);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(visitors(&desk), before, "the API counts nobody");
    desk.stop();
    let raw = BASE64URL_NOPAD.decode(value.as_bytes()).unwrap();
    let files = [desk.data().to_owned(), desk.data().join("log")];
    let entries = files.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut bytes = kept.0.lock().unwrap().clone();
    assert!(bytes.windows(11).any(|window| window == b"has stopped"), "the log was caught");
    for path in entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        bytes.extend(std::fs::read(path).unwrap());
    }
    for secret in [value.as_bytes(), &raw] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

/// Registers, connects, writes to the operator, looks at what is held, logs out, comes back and is
/// erased. The answers, without what is of the key or the moment.
async fn come(desk: &Desk, seed: u8, visitor: Option<&str>) -> Vec<(u16, Vec<String>, Value)> {
    let mut said = Vec::new();
    let mut ask = |method: &str, path: &str, session: &str, body: &Value| {
        let all = [session, visitor.unwrap_or_default()].join("; ");
        let headers = [("cookie", all.as_str()), ("origin", desk.url())];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let reply = request(desk.address(), method, &format!("/api/v1/{path}"), &headers, body.as_bytes());
        let set = cookies(&reply);
        let value = if reply.body.is_empty() { Value::Null } else { reply.json() };
        let names: Vec<_> = set.iter().map(|one| one.split_once('=').unwrap().0.to_owned()).collect();
        said.push((reply.status, names, anonymous(value)));
        set.first().map(|one| one.split_once(';').unwrap().0.to_owned())
    };
    let proof = |kind: &str| desk.prove(&Key::new(seed), desk.url(), kind);
    let body = json!({ "handle": "Roadrunner", "proof": proof("cookie") });
    let session = ask("POST", "register", "", &body).unwrap();
    let token = session.split_once('=').unwrap().1;
    Radio::open(desk, token).await.leave().await;
    ask("POST", "contact", &session, &json!({ "text": "Hello" }));
    ask("GET", "me", &session, &Value::Null);
    ask("GET", "channels", &session, &Value::Null);
    ask("POST", "logout", &session, &Value::Null);
    ask("GET", "me", &session, &Value::Null);
    let session = ask("POST", "login", "", &json!({ "proof": proof("cookie") })).unwrap();
    ask("DELETE", "me", &session, &Value::Null);
    ask("GET", "me", &session, &Value::Null);
    said
}

/// Without what is another one for each key, session and moment.
fn anonymous(mut value: Value) -> Value {
    for field in ["user", "tag", "key"] {
        value.as_object_mut().into_iter().for_each(|object| drop(object.remove(field)));
    }
    for (list, fields) in [
        ("sessions", &["token_hash", "used"][..]),
        ("connections", &["time", "user"]),
        ("messages", &["id", "sent"]),
    ] {
        for one in value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            fields.iter().for_each(|field| drop(one.as_object_mut().unwrap().remove(*field)));
        }
    }
    value
}

#[test]
fn it_goes_with_a_log_out_and_with_an_erasure() {
    let desk = counting();
    desk.register(1, "Roadrunner");
    let gone = "tenfour-visitor=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict";
    for (method, path) in
        [("POST", "/api/v1/logout"), ("DELETE", "/api/v1/me/sessions"), ("DELETE", "/api/v1/me")]
    {
        let reply = desk.ask(method, path, &desk.log_in(1), &Value::Null);
        assert_eq!(reply.status, 204, "{method} {path}");
        let cookies = cookies(&reply);
        assert!(cookies[0].starts_with("tenfour=; ") && cookies[1..] == [gone], "{cookies:?}");
    }
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
