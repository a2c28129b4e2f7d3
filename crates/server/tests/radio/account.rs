//! What one may do with what is held of oneself: see it, change it, end its sessions.

use serde_json::{Value, json};

use crate::desk::{Desk, Key};
use crate::http::{Reply, request};
use crate::radio::{Radio, frame};

const ME: &str = "/api/v1/me";

fn change(desk: &Desk, token: &str, body: &Value) -> (u16, String) {
    let reply = desk.ask("PATCH", ME, token, body);
    (reply.status, reply.code())
}

#[tokio::test]
async fn another_handle_is_seen_by_those_on_the_channel() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let mut own = Radio::open(&desk, &token).await;
    own.tune("19").await;
    let mut peer = Radio::tuned(&desk, 2, "Coyote").await;
    for radio in [&mut own, &mut peer] {
        // Who came in the same moment would be told as a newcomer only.
        while radio.expect("presence").await["count"] != 2 {}
    }
    let reply = desk.ask("PATCH", ME, &token, &json!({ "handle": " Žaklina  92 ", "description": null }));
    assert_eq!((reply.status, &reply.json()["handle"]), (200, &json!("Žaklina 92")), "folded");
    assert!(reply.json().get("description").is_none() && reply.json().get("token").is_none());
    for radio in [&mut own, &mut peer] {
        let changed = loop {
            let presence = radio.expect("presence").await;
            if presence["changed"].as_array().is_some_and(|changed| !changed.is_empty()) {
                break presence["changed"][0].clone();
            }
        };
        let (id, tag) = (&changed["id"], Key::new(1).user().tag());
        assert_eq!(changed, json!({ "id": id, "handle": "Žaklina 92", "tag": tag }));
    }
    own.press(1).await;
    own.voice(frame(1, 0, 80, true)).await;
    assert_eq!(peer.burst().await.0["talker"]["handle"], "Žaklina 92");
    let again = Radio::open(&desk, &token).await;
    assert_eq!(again.welcome["you"]["handle"], "Žaklina 92");
}

#[test]
fn what_is_not_named_stays_and_what_is_bad_changes_nothing() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let me = || {
        let me = desk.ask("GET", ME, &token, &Value::Null).json();
        (me["handle"].as_str().unwrap().to_owned(), me["description"].as_str().map(str::to_owned))
    };
    assert_eq!(change(&desk, &token, &json!({})).0, 200);
    assert_eq!(me(), ("Roadrunner".into(), Some("night shift".into())));
    assert_eq!(change(&desk, &token, &json!({ "description": "day shift" })).0, 200);
    assert_eq!(me(), ("Roadrunner".into(), Some("day shift".into())));
    assert_eq!(change(&desk, &token, &json!({ "description": null })).0, 200);
    assert_eq!(me(), ("Roadrunner".into(), None), "absent is not empty");
    for (body, refused) in [
        (json!({ "handle": "" }), (422, "handle_refused")),
        (json!({ "handle": "x".repeat(10_000) }), (422, "handle_refused")),
        (json!({ "handle": "Road\u{200B}runner" }), (422, "handle_refused")),
        (json!({ "handle": "\u{202E}rennurdaoR" }), (422, "handle_refused")),
        (json!({ "handle": "Coyote", "description": "" }), (422, "description_refused")),
        (json!({ "handle": "Coyote", "description": "x".repeat(141) }), (422, "description_refused")),
        (json!({ "handle": null, "user": "x" }), (400, "malformed_message")),
        (json!({ "handle": 7 }), (400, "malformed_message")),
        (json!("Coyote"), (400, "malformed_message")),
        (json!({ "handle": "🤘".repeat(10_000) }), (413, "message_too_large")),
    ] {
        let (status, code) = change(&desk, &token, &body);
        assert_eq!((status, code.as_str()), refused);
        assert_eq!(me(), ("Roadrunner".into(), None));
    }
    assert_eq!(change(&desk, "AAAA", &json!({ "handle": "Coyote" })), (401, "not_logged_in".into()));
    let bearer = format!("Bearer {token}");
    let foreign = [("authorization", bearer.as_str()), ("origin", "https://evil.example")];
    for (method, path) in [("GET", ME), ("PATCH", ME), ("DELETE", ME), ("DELETE", "/api/v1/me/sessions")] {
        let reply = request(desk.address(), method, path, &foreign, b"{}");
        assert_eq!((reply.status, reply.code()), (403, "foreign_origin".into()), "{method} {path}");
    }
}

/// Two of many keys that share a tag.
fn twins() -> (Key, Key) {
    let mut by_tag = std::collections::HashMap::new();
    for n in 0u32..20_000 {
        let mut bytes = [0x5A; 32];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        let tag = Key::of_bytes(bytes).user().tag();
        if let Some(earlier) = by_tag.insert(tag, bytes) {
            return (Key::of_bytes(earlier), Key::of_bytes(bytes));
        }
    }
    panic!("no two of them share a tag")
}

fn register(desk: &Desk, key: &Key, handle: &str) -> Reply {
    let body = json!({ "handle": handle, "proof": desk.prove(key, desk.url(), "bearer") });
    desk.post("/api/v1/register", &[], &body)
}

#[test]
fn a_look_alike_with_the_same_tag_is_refused_and_any_other_is_not() {
    let desk = Desk::new();
    let (one, twin) = twins();
    assert_eq!(one.user().tag(), twin.user().tag());
    assert_eq!(register(&desk, &one, "Roadrunner").status, 201);
    // Cyrillic о and е; capitals; the very same.
    for like in ["Rоadrunnеr", "ROADRUNNER", "Roadrunner", "Ｒoadrunner"] {
        let refused = register(&desk, &twin, like);
        assert_eq!((refused.status, refused.code()), (422, "handle_refused".into()), "{like}");
        assert!(refused.json()["title"].as_str().unwrap().contains("looks like"), "{}", refused.json());
    }
    let token = register(&desk, &twin, "Coyote").json()["token"].as_str().unwrap().to_owned();
    assert_eq!(change(&desk, &token, &json!({ "handle": "Rоadrunnеr" })), (422, "handle_refused".into()));
    assert_eq!(change(&desk, &token, &json!({ "handle": "COYOTE" })).0, 200, "one may look like oneself");
    let other = register(&desk, &Key::new(3), "Rоadrunnеr");
    assert_eq!(other.status, 201, "with another tag everybody may look like everybody");
    assert_ne!(other.json()["tag"], json!(one.user().tag()));
}

#[tokio::test]
async fn a_log_out_everywhere_ends_every_session_and_no_other() {
    let mut desk = Desk::new();
    let tokens = [desk.register(1, "Roadrunner"), desk.log_in(1), desk.log_in(1)];
    let other = desk.register(2, "Coyote");
    let mut sockets = Vec::new();
    for token in &tokens {
        sockets.push(Radio::open(&desk, token).await);
    }
    let mut stays = Radio::open(&desk, &other).await;
    let started = std::time::Instant::now();
    let out = desk.ask("DELETE", "/api/v1/me/sessions", &tokens[1], &Value::Null);
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").unwrap().starts_with("tenfour=; Path=/; Max-Age=0;"));
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, (4001, "logged_out".into()));
    }
    // Promised are 100 ms; a busy machine gets more.
    assert!(started.elapsed() < std::time::Duration::from_secs(1), "{:?}", started.elapsed());
    stays.tune("19").await;
    drop((sockets, stays));
    for restarted in [false, true] {
        for token in &tokens {
            assert_eq!(desk.ask("GET", ME, token, &Value::Null).code(), "not_logged_in");
        }
        assert_eq!(desk.ask("GET", ME, &other, &Value::Null).status, 200);
        if !restarted {
            desk.stop();
            desk.start();
        }
    }
    let again = desk.log_in(1);
    let held = desk.ask("GET", ME, &again, &Value::Null).json();
    assert_eq!(held["sessions"].as_array().unwrap().len(), 1, "{held}");
}
