//! The page and the headers of every answer.

use std::io::{BufRead, BufReader, Write};

use serde_json::json;

use crate::desk::Desk;
use crate::http::{Reply, connect, request};

const HEADERS: [(&str, &str); 7] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-dns-prefetch-control", "off"),
    ("x-frame-options", "DENY"),
];

/// All that scripts of the page may ask a browser for.
const PERMITTED: [&str; 7] = [
    "geolocation",
    "microphone",
    "autoplay",
    "screen-wake-lock",
    "clipboard-write",
    "ch-ua-high-entropy-values",
    "cross-origin-isolated",
];

fn assert_strict(reply: &Reply, what: &str) {
    assert_policy(reply.header("content-security-policy").unwrap_or_default(), what);
    assert_permissions(reply.header("permissions-policy").unwrap_or_default(), what);
    for (name, value) in HEADERS {
        assert_eq!(reply.header(name), Some(value), "{what}: {name}");
    }
    assert_eq!(reply.header("strict-transport-security"), None, "{what}: not on plain http");
    assert!(reply.header("cache-control").is_some(), "{what}: caching");
    assert_eq!(reply.header("access-control-allow-origin"), None, "{what}: no other page reads it");
}

/// Nothing but this server and nothing inline, and text becomes code through two policies only.
fn assert_policy(policy: &str, what: &str) {
    let mut directives: Vec<_> = policy.split("; ").collect();
    assert_eq!(directives.remove(0), "default-src 'none'", "{what}");
    let trusted = ["require-trusted-types-for 'script'", "trusted-types svelte-trusted-html tenfour-workers"];
    assert_eq!(directives.split_off(directives.len().saturating_sub(2)), trusted, "{what}");
    for directive in directives {
        let (_, sources) = directive.split_once(' ').unwrap_or_default();
        assert!(matches!(sources, "'self'" | "'none'"), "{what}: {directive}");
    }
}

fn assert_permissions(policy: &str, what: &str) {
    let features: Vec<_> = policy.split(", ").filter_map(|feature| feature.split_once('=')).collect();
    let permitted: Vec<_> =
        features.iter().filter(|(_, to)| *to == "(self)").map(|(name, _)| *name).collect();
    assert_eq!(permitted, PERMITTED, "{what}");
    assert!(features.iter().all(|(_, to)| matches!(*to, "(self)" | "()")), "{what}: {policy}");
    assert!(features.len() > 50, "{what}: {policy}");
}

#[test]
fn every_answer_has_strict_headers() {
    let desk = Desk::new();
    let page = String::from_utf8(desk.get("/", &[]).body).unwrap();
    let script = page.split('"').find(|text| text.starts_with("/assets/")).unwrap();
    for path in [
        "/",
        "/c/19",
        script,
        "/manifest.webmanifest",
        "/nothing.js",
        "/api",
        "/api/v1/me",
        "/api/v1/",
        "/api/v1/channels",
        "/api/v1/none",
        "/api/v1/radio",
    ] {
        for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS"] {
            assert_strict(&request(desk.address(), method, path, &[], b""), &format!("{method} {path}"));
        }
    }
}

#[test]
fn answers_that_carry_no_page_have_strict_headers_too() {
    let desk = Desk::new();
    let known = desk.get("/", &[]).header("etag").unwrap().to_owned();
    let token = desk.register(1, "Roadrunner");
    let bearer = format!("Bearer {token}");
    let upgrade = [
        ("connection", "upgrade, close"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "tenfour.v1"),
    ];
    let stranger = [&upgrade[..], &[("origin", "https://elsewhere.example")]].concat();
    let anybody = [&upgrade[..], &[("authorization", "Bearer nothing")]].concat();
    let too_large = vec![b' '; 17 * 1024];
    let answers = [
        ("a page that is known", 304, desk.get("/", &[("if-none-match", &known)])),
        ("data", 200, desk.ask("GET", "/api/v1/me", &token, &json!(null))),
        ("a body that is none", 400, request(desk.address(), "POST", "/api/v1/register", &[], b"{")),
        ("a body too large", 413, request(desk.address(), "POST", "/api/v1/register", &[], &too_large)),
        ("an upgrade from elsewhere", 403, desk.get("/api/v1/radio", &stranger)),
        ("an upgrade without a session", 401, desk.get("/api/v1/radio", &anybody)),
        ("no upgrade", 426, desk.get("/api/v1/radio", &[("authorization", &bearer)])),
        ("a log-out", 204, desk.ask("POST", "/api/v1/logout", &token, &json!(null))),
    ];
    for (what, status, reply) in answers {
        assert_eq!(reply.status, status, "{what}");
        assert_strict(&reply, what);
    }
    assert_strict(&upgraded(&desk, &desk.log_in(1), &upgrade), "a radio socket");
    let operator = desk.server().ops_url().unwrap().trim_start_matches("http://").parse().unwrap();
    for (path, status) in [("/metrics", 200), ("/health", 200), ("/", 404), ("/api/v1/me", 404)] {
        let reply = request(operator, "GET", path, &[], b"");
        assert_eq!(reply.status, status, "operator, {path}");
        assert_strict(&reply, path);
    }
}

/// The answer that begins a radio socket.
fn upgraded(desk: &Desk, token: &str, upgrade: &[(&str, &str)]) -> Reply {
    let mut socket = connect(desk.address());
    let mut request = format!("GET /api/v1/radio HTTP/1.1\r\nhost: {}\r\n", desk.address());
    for (name, value) in upgrade {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("authorization: Bearer {token}\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let lines = BufReader::new(socket).lines().map(Result::unwrap);
    let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    assert!(head[0].starts_with("HTTP/1.1 101 "), "{head:?}");
    Reply { status: 101, head: head.join("\r\n"), body: Vec::new() }
}

#[test]
fn what_is_no_request_is_answered_with_nothing_that_could_be_shown() {
    let desk = Desk::new();
    let long = "x".repeat(100_000);
    for (method, path, header) in [("GET /", "/", "a"), ("GET", "/", long.as_str()), ("G\u{1}T", "/", "a")] {
        let reply = request(desk.address(), method, path, &[("x-header", header)], b"");
        assert!((400..500).contains(&reply.status), "{}", reply.head);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{}", reply.head);
        assert!(!String::from_utf8(reply.body.clone()).unwrap().contains("xxx"), "nothing of what was sent");
        assert_strict(&reply, &format!("{method} {path}"));
    }
}

#[test]
fn the_page_is_served_for_the_root_and_for_each_channel() {
    let desk = Desk::new();
    let page = desk.get("/", &[]);
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.body.starts_with(b"<!doctype html>"));
    assert_eq!(desk.get("/c/19", &[]).body, page.body);
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    let head = request(desk.address(), "HEAD", "/", &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    let tag = page.header("etag").unwrap();
    let known = desk.get("/", &[("if-none-match", tag)]);
    assert_eq!((known.status, known.body.len()), (304, 0));
    assert_eq!(desk.get("/", &[("if-none-match", "\"other\"")]).status, 200);
}

#[test]
fn what_is_not_there_is_a_problem_in_json() {
    let desk = Desk::new();
    for path in ["/c", "/index.htm", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/api", "/api/", "/api/v2/me"] {
        let reply = desk.get(path, &[]);
        assert_eq!((reply.status, reply.code()), (404, "not_found".into()), "{path}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{path}");
    }
    for (method, path) in [("GET", "/api/v1/login"), ("POST", "/api/v1/me"), ("POST", "/"), ("PUT", "/c/19")]
    {
        let reply = request(desk.address(), method, path, &[], b"");
        assert_eq!((reply.status, reply.code()), (405, "method_not_allowed".into()), "{method} {path}");
        assert!(reply.header("allow").is_some(), "{method} {path}");
    }
}

#[test]
fn channels_are_listed_with_their_labels() {
    let desk = Desk::new();
    let list = desk.get("/api/v1/channels", &[]).json();
    assert_eq!(list["host"], "Tenfour");
    assert_eq!(list["channels"].as_array().unwrap().len(), 40);
    assert_eq!(list["channels"][18], json!({ "channel": "19", "label": "Calling", "count": 0 }));
}

#[test]
fn the_operator_sees_figures_and_health_on_a_listener_apart() {
    let desk = Desk::new();
    assert_eq!(desk.ops("/health"), "on the air\n");
    let metrics = desk.ops("/metrics");
    assert!(metrics.contains("tenfour_hold_seconds 10") && metrics.ends_with("# EOF\n"), "{metrics}");
    assert_eq!(desk.get("/metrics", &[]).status, 404);
}

#[test]
fn the_document_of_the_api_names_every_path() {
    let document: serde_json::Value = serde_json::from_str(&tenfour_server::openapi()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let expected = ["", "channels", "contact", "login", "logout", "me", "me/sessions", "nonce", "register"];
    assert_eq!(paths, expected.map(|path| format!("/api/v1/{path}")));
}
