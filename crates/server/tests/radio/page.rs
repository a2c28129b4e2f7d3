//! The page and the headers of every answer.

use serde_json::json;

use crate::desk::Desk;
use crate::http::{Reply, request};

const HEADERS: [(&str, &str); 7] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "geolocation=(self), microphone=(self), camera=()"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

fn assert_strict(reply: &Reply, what: &str) {
    let policy = reply.header("content-security-policy").unwrap_or_else(|| panic!("{what}: no policy"));
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{what}: {policy}");
    assert!(!policy.contains("unsafe"), "{what}: {policy}");
    for (name, value) in HEADERS {
        assert_eq!(reply.header(name), Some(value), "{what}: {name}");
    }
    assert_eq!(reply.header("strict-transport-security"), None, "{what}: not on plain http");
    assert!(reply.header("cache-control").is_some(), "{what}: caching");
    assert_eq!(reply.header("access-control-allow-origin"), None, "{what}: no other page reads it");
}

#[test]
fn every_answer_has_strict_headers() {
    let desk = Desk::new();
    for path in [
        "/",
        "/c/19",
        "/nothing.js",
        "/api",
        "/api/v1/me",
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
    let expected = ["channels", "contact", "login", "logout", "me", "me/sessions", "nonce", "register"];
    assert_eq!(paths, expected.map(|path| format!("/api/v1/{path}")));
}
