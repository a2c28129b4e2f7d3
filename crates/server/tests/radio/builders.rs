//! What whoever writes a client of their own runs into: each mistake is answered with the field, the limit and
//! the way out.

use serde_json::{Value, json};
use tenfour_protocol::limits::{CONNECTIONS_PER_USER, SESSIONS_PER_USER};
use tenfour_protocol::{BurstNo, VoiceFrame};

use crate::desk::{Desk, Key};
use crate::http::request;
use crate::radio::{Radio, frame};

/// Words of the language that the server is written in, and of its libraries.
const INSIDE: [&str; 6] = ["struct", "u32", "u16", "u64", "variant", "expected `"];

#[tokio::test]
async fn a_message_that_cannot_be_read_is_answered_with_the_field_and_what_it_may_be() {
    let desk = Desk::new();
    let mut radio = Radio::tuned(&desk, 1, "Roadrunner").await;
    for (wrong, word) in [
        (json!({ "type": "ping", "n": "x" }), "`n` has to be a whole number from 0 to 4294967295"),
        (json!({ "type": "ping", "n": 227.5 }), "`n` has to be a whole number"),
        (json!({ "type": "tune", "channel": "41" }), "`channel` has to be a text: \"1\" to \"40\""),
        (json!({ "type": "mute", "participant": 1 }), "`muted` is missing; it has to be true or false"),
        (json!({ "type": "ping", "n": 1, "x": 2 }), "the message has a field that does not belong there"),
        (json!(["ping", 1]), "a message is one object"),
    ] {
        radio.send(wrong.clone()).await;
        let error = radio.expect("error").await;
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(word) && !INSIDE.iter().any(|inside| message.contains(inside)), "{error}");
    }
    radio.send(json!({ "type": "ping", "n": 227.0 })).await;
    assert_eq!(radio.expect("pong").await["n"], 227);
}

#[test]
fn a_body_that_cannot_be_read_is_answered_with_the_field_and_what_it_may_be() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let ask = |method: &str, path: &str, body: &Value| {
        let reply = desk.ask(method, path, &token, body);
        let title = reply.json()["title"].as_str().unwrap_or_default().to_owned();
        assert!(!INSIDE.iter().any(|inside| title.contains(inside)), "{title}");
        (reply.status, title)
    };
    let (status, title) = ask("PATCH", "/api/v1/me", &json!([null, null]));
    assert_eq!(status, 400);
    assert!(title.contains("the body has to be an object with `handle` and `description`"), "{title}");
    let me = desk.ask("GET", "/api/v1/me", &token, &Value::Null).json();
    assert_eq!(me["description"], "night shift", "nothing was changed");
    let (status, title) = ask("POST", "/api/v1/login", &json!({ "proof": 7 }));
    assert!(status == 400 && title.contains("`proof` has to be an object with `key`, "), "{title}");
    let mut proof = desk.prove(&Key::new(1), desk.url(), "bearer");
    let expiry = proof["expiry"].as_u64().unwrap();
    proof["expiry"] = json!(expiry as f64 + 0.5);
    let (status, title) = ask("POST", "/api/v1/login", &json!({ "proof": proof }));
    assert!(status == 400 && title.contains("`proof.expiry` has to be a whole number"), "{title}");
    proof["expiry"] = json!(expiry as f64);
    assert!(proof["expiry"].to_string().ends_with(".0"));
    assert_eq!(ask("POST", "/api/v1/login", &json!({ "proof": proof })).0, 200);
}

#[test]
fn a_body_that_is_too_long_is_told_how_long_it_may_be() {
    let desk = Desk::new();
    let reply = request(desk.address(), "POST", "/api/v1/login", &[], &[b' '; 16 * 1024 + 1]);
    assert_eq!((reply.status, reply.code()), (413, "message_too_large".into()));
    assert_eq!(reply.json()["detail"], "Send a body of at most 16 KiB.");
}

#[test]
fn who_is_not_logged_in_is_told_by_which_scheme_to_be() {
    let desk = Desk::new();
    for headers in [&[][..], &[("authorization", "Basic YTpi")], &[("authorization", "bearer AAAA")]] {
        let reply = desk.get("/api/v1/me", headers);
        assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Bearer")));
    }
}

#[test]
fn an_address_that_the_server_does_not_know_as_its_own_is_named() {
    let desk = Desk::new();
    let token = format!("Bearer {}", desk.register(1, "Roadrunner"));
    let evil = ("origin", "https://evil.example");
    let session = ("authorization", token.as_str());
    let upgrade = [&crate::door::UPGRADE[..], &[session, evil]].concat();
    for reply in [
        desk.post("/api/v1/nonce", &[evil], &json!({})),
        desk.get("/api/v1/me", &[session, evil]),
        desk.get("/api/v1/radio", &upgrade),
    ] {
        assert_eq!((reply.status, reply.code()), (403, "foreign_origin".into()));
        let problem = reply.json();
        assert_eq!(
            problem["title"],
            "This server does not know the address https://evil.example as its own."
        );
        assert!(problem["detail"].as_str().unwrap().contains("`origins`"), "{problem}");
    }
    // A program that came by another name: the key is not what is wrong.
    let reply = desk.post("/api/v1/nonce", &[("host", "radio.example")], &json!({}));
    assert_eq!((reply.status, reply.code()), (403, "foreign_origin".into()));
    assert_eq!(reply.json()["title"], "This server does not know the address radio.example as its own.");
}

#[tokio::test]
async fn a_frame_that_is_too_long_costs_itself_and_not_the_connection() {
    let desk = Desk::new();
    let mut radio = Radio::tuned(&desk, 1, "Roadrunner").await;
    radio
        .send(json!({ "type": "burst.start", "channel": "19", "burst": 1, "codec": "opus", "frame_ms": 20 }))
        .await;
    radio.expect("burst.granted").await;
    radio.voice(frame(1, 0, 80, false)).await;
    let payload = [8; 401];
    let long = VoiceFrame { burst: BurstNo(1), seq: 1, media_time: 960, last: false, payload: &payload };
    radio.voice(long.to_bytes()).await;
    let error = radio.expect("error").await;
    assert_eq!((&error["code"], &error["burst"]), (&json!("malformed_frame"), &json!(1)));
    assert_eq!(error["message"], "A frame was dropped: the payload is over 400 bytes.");
    radio.voice(frame(1, 2, 80, true)).await;
    let receipt = radio.expect("receipt").await;
    assert_eq!((&receipt["outcome"], &receipt["frames"]), (&json!("aired"), &json!(2)));
    assert_eq!(receipt["dropped"]["frames"], 1);
}

#[tokio::test]
async fn a_press_that_cannot_be_read_is_answered_by_a_receipt() {
    let desk = Desk::new();
    let mut radio = Radio::tuned(&desk, 1, "Roadrunner").await;
    radio
        .send(json!({ "type": "burst.start", "channel": "19", "burst": 5, "codec": "opus", "frame_ms": 30 }))
        .await;
    let receipt = radio.expect("receipt").await;
    assert_eq!((&receipt["burst"], &receipt["outcome"]), (&json!(5), &json!("refused")));
    let message = receipt["refusal"]["message"].as_str().unwrap();
    assert!(message.contains("`frame_ms` has to be 20, 40 or 60"), "{message}");
}

#[tokio::test]
async fn who_resumes_is_told_how_much_of_the_cut_burst_was_aired() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let mut radio = Radio::open(&desk, &token).await;
    radio.tune("19").await;
    radio
        .send(json!({ "type": "burst.start", "channel": "19", "burst": 9, "codec": "opus", "frame_ms": 20 }))
        .await;
    radio.expect("burst.granted").await;
    for seq in 0..3 {
        radio.voice(frame(9, seq, 80, false)).await;
    }
    radio.send(json!({ "type": "ping", "n": 1 })).await;
    radio.expect("pong").await;
    let resume = json!({ "resume": { "token": radio.welcome["resume"], "have": [] } });
    drop(radio);
    let mut again = Radio::arrive(&desk, &token, resume).await;
    assert_eq!(again.welcome["resumed"], true);
    let receipt = again.expect("receipt").await;
    assert_eq!((&receipt["burst"], &receipt["late"]), (&json!(9), &json!(true)));
    assert_eq!((&receipt["frames"], &receipt["ended"]), (&json!(3), &json!("talker_lost")));
}

#[tokio::test]
async fn newer_log_ins_take_the_place_of_no_live_radio() {
    let desk = Desk::new();
    let first = desk.register(1, "Roadrunner");
    let mut live = Radio::open(&desk, &first).await;
    let second = desk.log_in(1);
    for _ in 0..SESSIONS_PER_USER {
        desk.log_in(1);
    }
    live.send(json!({ "type": "ping", "n": 1 })).await;
    assert_eq!(live.expect("pong").await["n"], 1, "its session is the oldest, and stands");
    let gone = desk.ask("GET", "/api/v1/me", &second, &Value::Null);
    assert_eq!(gone.code(), "not_logged_in", "the oldest without a radio went");
    const { assert!(CONNECTIONS_PER_USER < SESSIONS_PER_USER, "there is always one without a radio") };
}
