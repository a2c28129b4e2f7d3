//! A description is nobody's duty: everything works without one, and nothing shows where there is none.

use serde_json::{Value, json};

use crate::desk::{Desk, Key};
use crate::radio::{Radio, frame};

const ME: &str = "/api/v1/me";

/// What is told of somebody who has no description: no field at all, not one that is empty.
fn tells_none(of: &Value) {
    assert!(of["handle"].is_string(), "{of}");
    assert!(of.get("description").is_none(), "{of}");
}

fn register(desk: &Desk, seed: u8, description: &Value) -> (u16, Value) {
    let proof = desk.prove(&Key::new(seed), desk.url(), "bearer");
    let mut body = json!({ "handle": "Roadrunner", "proof": proof });
    if !description.is_null() {
        body["description"] = description.clone();
    }
    let reply = desk.post("/api/v1/register", &[], &body);
    (reply.status, reply.json())
}

#[tokio::test]
async fn everything_works_without_a_description_and_none_is_told() {
    let mut desk = Desk::new();
    let (status, me) = register(&desk, 1, &Value::Null);
    assert_eq!(status, 201, "{me}");
    tells_none(&me);
    let token = me["token"].as_str().unwrap().to_owned();
    tells_none(&desk.ask("GET", ME, &token, &Value::Null).json());

    let mut peer = Radio::tuned(&desk, 2, "Coyote").await;
    let mut own = Radio::open(&desk, &token).await;
    tells_none(&own.welcome["you"]);
    let tuned = own.tune("19").await;
    let people = tuned["participants"].as_array().unwrap();
    let told = |person: &&Value| person["handle"] == "Roadrunner";
    tells_none(people.iter().find(told).expect("oneself"));
    let other = people.iter().find(|person| person["handle"] == "Coyote").expect("the peer");
    assert_eq!(other["description"], "night shift", "who has one is told with it");
    let joined = loop {
        let presence = peer.expect("presence").await;
        if let Some(person) = presence["joined"].as_array().and_then(|joined| joined.iter().find(told)) {
            break person.clone();
        }
    };
    tells_none(&joined);
    own.press(1).await;
    own.voice(frame(1, 0, 80, true)).await;
    tells_none(&peer.burst().await.0["talker"]);
    assert_eq!(own.expect("receipt").await["outcome"], "aired");

    let changed = desk.ask("PATCH", ME, &token, &json!({ "handle": "Oak" }));
    assert_eq!(changed.status, 200);
    tells_none(&changed.json());
    drop((own, peer));
    desk.stop();
    desk.start();
    tells_none(&desk.ask("GET", ME, &token, &Value::Null).json());
    let proof = desk.prove(&Key::new(1), desk.url(), "bearer");
    let again = desk.post("/api/v1/login", &[], &json!({ "proof": proof }));
    assert_eq!(again.status, 200);
    tells_none(&again.json());
    assert_eq!(desk.ask("DELETE", ME, &token, &Value::Null).status, 204);
}

#[test]
fn none_is_told_apart_from_an_empty_one_which_is_refused() {
    let desk = Desk::new();
    for (seed, nothing) in [(1, json!("")), (2, json!(" ")), (3, json!("\u{200B}"))] {
        let (status, problem) = register(&desk, seed, &nothing);
        assert_eq!((status, problem["code"].as_str()), (422, Some("description_refused")), "{nothing}");
    }
    // The refused are nobody: they may still register, and `null` says as well that there is none.
    let proof = desk.prove(&Key::new(1), desk.url(), "bearer");
    let body = json!({ "handle": "Roadrunner", "description": null, "proof": proof });
    let reply = desk.post("/api/v1/register", &[], &body);
    assert_eq!(reply.status, 201);
    tells_none(&reply.json());
    let token = reply.json()["token"].as_str().unwrap().to_owned();
    let patch = |body: Value| {
        let reply = desk.ask("PATCH", ME, &token, &body);
        (reply.status, reply.json())
    };
    assert_eq!(patch(json!({ "description": "day shift" })).1["description"], "day shift");
    assert_eq!(patch(json!({})).1["description"], "day shift", "absent leaves it as it is");
    assert_eq!(patch(json!({ "description": "" })).0, 422, "empty is refused");
    assert_eq!(desk.ask("GET", ME, &token, &Value::Null).json()["description"], "day shift");
    let (status, me) = patch(json!({ "description": null }));
    assert_eq!(status, 200);
    tells_none(&me);
}

#[test]
fn a_description_has_at_most_140_letters_as_people_count_them() {
    let desk = Desk::new();
    let mut seed = 10;
    let mut status = |text: String| {
        seed += 1;
        let (status, body) = register(&desk, seed, &json!(text));
        if status == 201 {
            assert_eq!(body["description"], text.as_str(), "as it was given");
        }
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    let refused = (422, "description_refused".to_owned());
    // One, two, three and four bytes; two code points that are one letter; a flag.
    for letter in ["x", "ž", "山", "🚚", "e\u{301}", "क\u{93F}"] {
        let fits = 140.min(640 / letter.len());
        assert_eq!(status(letter.repeat(fits)), (201, String::new()), "{letter} {fits} times");
        assert_eq!(status(letter.repeat(fits + 1)), refused, "{letter} {} times", fits + 1);
    }
    assert_eq!(status("x".repeat(10_000)), refused);
    assert_eq!(status(format!("a{}", "\u{301}".repeat(400))), refused, "one letter of 801 bytes");
}
