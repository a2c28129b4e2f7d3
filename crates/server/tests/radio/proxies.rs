//! Whose a request is when proxies stand in front, and when somebody says that they do.

use serde_json::{Value, json};
use tenfour_protocol::limits::{AUTH_REQUESTS, CONTACTS_PER_ADDRESS};
use tenfour_server::config::{LogFormat, LogLevel, Settings};
use tenfour_server::telemetry;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::desk::Desk;
use crate::logs::Kept;
use crate::radio::{Radio, radio_request};
use crate::who_connected::from;

/// Where the proxy connects from.
const PROXY: &str = "127.0.0.1";
/// Where somebody connects from who is none.
const STRANGER: &str = "127.17.0.99";
const FORWARDED: &str = "x-forwarded-for";

fn behind(proxies: &[&str]) -> Desk {
    let trusted = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
    Desk::with(Settings { trusted_proxies: Some(trusted), ..Settings::default() })
}

/// Connects from `peer` with these lines of the header, and returns the address in the log.
async fn logged(desk: &Desk, token: &str, peer: &str, lines: &[&str]) -> String {
    let mut request = radio_request(desk.url(), token);
    for line in lines {
        request.headers_mut().append(FORWARDED, HeaderValue::from_bytes(line.as_bytes()).unwrap());
    }
    Radio::asked(from(desk, peer).await, request, json!({})).await.leave().await;
    let held = desk.ask("GET", "/api/v1/me", token, &Value::Null).json();
    let newest = held["connections"].as_array().unwrap().last().unwrap().clone();
    newest["address"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_log_has_the_address_that_a_trusted_proxy_gives() {
    let desk = behind(&[PROXY, "10.0.0.0/8"]);
    let token = desk.register(1, "Roadrunner");
    for (lines, address) in [
        (&["203.0.113.9"][..], "203.0.113.9"),
        (&["2001:db8::7"], "2001:db8::7"),
        (&["203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        (&["192.0.2.1, 203.0.113.9"], "203.0.113.9"),
        (&["192.0.2.1", "203.0.113.9"], "203.0.113.9"),
        (&[], PROXY),
        (&["203.0.113.9, unknown"], PROXY),
        (&["{\"channel\":\"19\"}"], PROXY),
        (&["\u{fffd}"], PROXY),
        (&["\u{fffd}, 203.0.113.9"], "203.0.113.9"),
    ] {
        assert_eq!(logged(&desk, &token, PROXY, lines).await, address, "{lines:?}");
    }
    let long = ["192.0.2.1"; 400].join(",");
    assert_eq!(logged(&desk, &token, PROXY, &[&format!("{long},203.0.113.9")]).await, "203.0.113.9");
}

#[tokio::test]
async fn nobody_is_believed_who_is_no_trusted_proxy() {
    let desk = behind(&[PROXY]);
    let token = desk.register(1, "Roadrunner");
    for lines in [&["203.0.113.9"][..], &["203.0.113.9, 127.0.0.1"], &["127.0.0.1"], &[]] {
        assert_eq!(logged(&desk, &token, STRANGER, lines).await, STRANGER, "{lines:?}");
    }
    let alone = Desk::new();
    let token = alone.register(1, "Roadrunner");
    assert_eq!(logged(&alone, &token, PROXY, &["203.0.113.9"]).await, PROXY, "nobody is trusted");
}

#[test]
fn people_behind_a_proxy_are_limited_each_by_themselves() {
    let desk = behind(&[PROXY]);
    let nonce = |of: &str| desk.post("/api/v1/nonce", &[(FORWARDED, of)], &json!({})).status;
    // Some come back each second, and a busy machine may take some seconds.
    let spent = (0..2 * AUTH_REQUESTS).filter(|_| nonce("192.0.2.77, 203.0.113.9") == 200).count();
    assert!((AUTH_REQUESTS as usize..2 * AUTH_REQUESTS as usize).contains(&spent), "{spent}");
    // What the client writes itself gives it no budget of its own.
    let spoofed = (0..100).filter(|n| nonce(&format!("192.0.2.{n}, 203.0.113.9")) == 200).count();
    assert!(spoofed < 100, "{spoofed}");
    assert_eq!(nonce("203.0.113.10"), 200, "the next one is somebody else");
    let alone = Desk::new();
    let unbound = |of: &str| alone.post("/api/v1/nonce", &[(FORWARDED, of)], &json!({})).status;
    assert!((0..2 * AUTH_REQUESTS).all(|_| unbound("203.0.113.9") == 200), "loopback, and nobody believed");
}

/// The inbox of everybody is filled by many addresses or not at all.
#[test]
fn messages_to_the_operator_have_a_share_for_each_address() {
    let desk = behind(&[PROXY]);
    let tokens: Vec<_> =
        (1..=4).map(|seed| format!("Bearer {}", desk.register(seed, "Roadrunner"))).collect();
    let write = |of: &str, n: u32| {
        let headers = [(FORWARDED, of), ("authorization", &tokens[n as usize % tokens.len()])];
        desk.post("/api/v1/contact", &headers, &json!({ "text": "x" }))
    };
    for n in 0..CONTACTS_PER_ADDRESS {
        assert_eq!(write("203.0.113.9", n).status, 204);
    }
    let refused = write("203.0.113.9", 0);
    assert_eq!((refused.status, refused.code()), (429, "too_many_requests".to_owned()));
    let retry: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(
        (3_600..=24 * 3_600 / CONTACTS_PER_ADDRESS).contains(&retry),
        "{retry} s until there is the next"
    );
    assert_eq!(write("203.0.113.10", 0).status, 204, "somebody else");
}

/// The subscriber is the process's: this test relies on a process of its own, which nextest gives to each test.
#[test]
fn the_operator_is_warned_once_of_a_proxy_that_is_not_named() {
    let kept = Kept::default();
    let lines = telemetry::subscriber(LogLevel::Warn, LogFormat::Json, Box::new(kept.clone()));
    tracing::subscriber::set_global_default(lines).expect("the first one");
    let mut desk = Desk::new();
    let nonce = |of: &str| desk.post("/api/v1/nonce", &[(FORWARDED, of)], &json!({})).status;
    assert!((1..=9).all(|n| nonce(&format!("203.0.113.{n}")) == 200));
    desk.stop();
    let log = kept.text();
    assert_eq!(log.matches("trusted_proxies").count(), 1, "{log}");
    assert!(log.contains("127.0.0.0/8") && !log.contains("203.0.113"), "{log}");
}
