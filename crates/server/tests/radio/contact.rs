//! Writing to the operator.

use serde_json::{Value, json};
use tenfour_server::operator::Running;
use tenfour_server::store::{read_inbox, remove_messages};
use tenfour_server::{STORE, store_in};

use crate::desk::{Desk, Key};
use crate::http::request;

const CONTACT: &str = "/api/v1/contact";

fn write(desk: &Desk, token: &str, text: &str) -> (u16, String) {
    let reply = desk.ask("POST", CONTACT, token, &json!({ "text": text }));
    (reply.status, if reply.status == 204 { String::new() } else { reply.code() })
}

const DONE: (u16, String) = (204, String::new());

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.into())
}

#[test]
fn the_operator_is_told_who_writes_by_what_the_key_proves() {
    let desk = Desk::new();
    let (one, other) = (desk.register(1, "Roadrunner"), desk.register(2, "Coyote"));
    assert_eq!(write(&desk, &one, " Somebody whistles\r\non 19. \n"), DONE);
    assert_eq!(write(&desk, &other, "\u{1b}[2J\u{202e}Not me"), DONE);
    desk.ask("PATCH", "/api/v1/me", &one, &json!({ "handle": "Oak" }));
    assert_eq!(write(&desk, &one, "Still"), DONE);
    let inbox = read_inbox(&desk.data().join(STORE)).unwrap();
    let seen: Vec<_> = inbox
        .iter()
        .map(|letter| (letter.user, letter.message.handle.as_str(), letter.message.text.as_str()))
        .collect();
    let (first, second) = (Key::new(1).user(), Key::new(2).user());
    assert_eq!(
        seen,
        [
            (first, "Roadrunner", "Somebody whistles\non 19."),
            (second, "Coyote", "[2JNot me"),
            (first, "Oak", "Still")
        ]
    );
    assert!(inbox.iter().all(|letter| letter.message.sent.len() == "2026-11-23T22:18Z".len()));
    assert!(desk.ops("/metrics").contains("tenfour_contacts_total 3"), "{}", desk.ops("/metrics"));
}

#[test]
fn nobody_writes_in_the_name_of_somebody_else() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    assert_eq!(write(&desk, "AAAA", "x"), refused(401, "not_logged_in"));
    let bearer = format!("Bearer {token}");
    let body = br#"{"text":"x"}"#;
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1.evil.example"] {
        let foreign = [("authorization", bearer.as_str()), ("origin", origin)];
        let reply = request(desk.address(), "POST", CONTACT, &foreign, body);
        assert_eq!((reply.status, reply.code()), refused(403, "foreign_origin"), "{origin}");
    }
    for more in ["user", "handle", "tag", "sent"] {
        let reply = desk.ask("POST", CONTACT, &token, &json!({ "text": "x", more: "Coyote" }));
        assert_eq!((reply.status, reply.code()), refused(400, "malformed_message"), "{more}");
    }
    assert_eq!(desk.get(CONTACT, &[]).status, 405);
    assert!(read_inbox(&desk.data().join(STORE)).unwrap().is_empty());
}

#[test]
fn what_is_no_message_is_refused_with_a_way_out_and_nothing_is_kept() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    for nothing in ["", " \n ", "\u{202e}\u{0}"] {
        assert_eq!(write(&desk, &token, nothing), refused(422, "contact_refused"), "{nothing:?}");
    }
    assert_eq!(write(&desk, &token, &"x".repeat(2_001)), refused(422, "contact_refused"));
    assert_eq!(
        write(&desk, &token, &format!("a{}", "\u{301}".repeat(4_500))),
        refused(422, "contact_refused")
    );
    assert_eq!(write(&desk, &token, &"🚚".repeat(5_000)), refused(413, "message_too_large"));
    for body in [json!({}), json!({ "text": 7 }), json!("x")] {
        assert_eq!(desk.ask("POST", CONTACT, &token, &body).code(), "malformed_message");
    }
    let reply = desk.ask("POST", CONTACT, &token, &json!({ "text": "" })).json();
    assert_eq!(reply["title"], "The message is empty.");
    assert!(reply["detail"].as_str().unwrap().contains("2,000"));
    // The longest, all of it escaped.
    assert_eq!(write(&desk, &token, &"\"".repeat(2_000)), DONE);
    assert_eq!(write(&desk, &token, &"🚚".repeat(2_000)), DONE);
    assert_eq!(read_inbox(&desk.data().join(STORE)).unwrap().len(), 2);
}

#[test]
fn ten_of_a_user_wait_and_there_is_room_when_one_is_removed() {
    let mut desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    for n in 0..10 {
        assert_eq!(write(&desk, &token, &format!("Quail {n} of Xylo")), DONE);
    }
    assert_eq!(write(&desk, &token, "x"), refused(429, "too_many_contacts"));
    let path = store_in(desk.data()).unwrap();
    assert!(remove_messages(&path, &[3]).unwrap_err().to_string().contains("in use"), "a server runs");
    Running::on(desk.data()).unwrap().expect("it runs").remove(&[3, 77]).unwrap();
    let bytes = |desk: &Desk| {
        let files = std::fs::read_dir(desk.data()).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.is_file());
        files.flat_map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>()
    };
    let has =
        |desk: &Desk, text: &str| bytes(desk).windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!has(&desk, "Quail 2 of Xylo") && has(&desk, "Quail 3 of Xylo"));
    assert_eq!(write(&desk, &token, "x"), DONE);
    assert_eq!(write(&desk, &token, "x"), refused(429, "too_many_contacts"));
    desk.stop();
    assert!(Running::on(desk.data()).unwrap().is_none(), "the door is gone with the server");
    remove_messages(&path, &[1, 2, 4]).unwrap();
    assert!(!has(&desk, "Quail 0 of Xylo") && has(&desk, "Quail 4 of Xylo"));
    let left: Vec<_> = read_inbox(&path).unwrap().iter().map(|letter| letter.message.id).collect();
    assert_eq!(left, [5, 6, 7, 8, 9, 10, 11]);
    desk.start();
    assert_eq!(desk.ask("GET", "/api/v1/me", &token, &Value::Null).json()["messages"][0]["id"], 5);
}
