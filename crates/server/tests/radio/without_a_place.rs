//! Whoever shares no place has all of the radio but a limited range.

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::place::cell;
use crate::radio::{Radio, frame};

/// A whole burst, heard by `listener` to its last frame.
async fn heard(talker: &mut Radio, listener: &mut Radio, burst: u32) -> Value {
    talker.press(burst).await;
    for seq in 0..5 {
        talker.voice(frame(burst, seq, 80, seq == 4)).await;
    }
    assert_eq!(talker.expect("receipt").await["outcome"], "aired");
    let (started, frames, ended) = listener.burst().await;
    assert_eq!((frames.len(), &ended["reason"]), (5, &json!("released")));
    started
}

#[tokio::test]
async fn nobody_needs_a_place_for_anything_but_a_limited_range() {
    let desk = Desk::new();
    let (token, placed) = (desk.register(1, "Roadrunner"), desk.register(2, "Night Owl"));
    let mut one = Radio::open(&desk, &token).await;
    assert_eq!((&one.welcome["resumed"], one.welcome["you"].get("country")), (&json!(false), None));
    let place = json!({ "place": { "cell": cell(44.8125, 20.4612) } });
    let mut other = Radio::arrive(&desk, &placed, place).await;
    for radio in [&mut one, &mut other] {
        assert_eq!(radio.tune("19").await["channel"], "19");
    }

    // Talks to somebody with a place and hears them, from nowhere.
    assert_eq!(heard(&mut one, &mut other, 1).await.get("grade"), None);
    assert_eq!(heard(&mut other, &mut one, 1).await.get("grade"), None);

    // Sees who is there, with country; opens a channel of its own; hears somebody no more, then again.
    one.send(json!({ "type": "participants", "channel": "19", "page": 0 })).await;
    let page = one.expect("participants").await;
    assert_eq!(page["count"], 2);
    let countries: Vec<_> =
        page["participants"].as_array().unwrap().iter().map(|who| &who["country"]).collect();
    assert_eq!(countries, [&json!("RS"), &Value::Null]);
    assert_eq!(one.tune("convoy").await["count"], 1);
    let owl = &page["participants"][0]["id"];
    for muted in [true, false] {
        one.send(json!({ "type": "mute", "participant": owl, "muted": muted })).await;
    }
    one.send(json!({ "type": "ping", "n": 1 })).await;
    one.expect("pong").await;
    assert_eq!(heard(&mut other, &mut one, 2).await["talker"]["handle"], "Night Owl");

    // Only a limited range is refused, in words, and what was there stays.
    one.send(json!({ "type": "range", "tx": "25km", "rx": "unlimited" })).await;
    assert_eq!(one.expect("error").await["code"], "location_needed");
    one.send(json!({ "type": "range", "tx": "unlimited", "rx": "unlimited" })).await;
    one.expect("ranged").await;
    one.send(json!({ "type": "locate", "cell": null })).await;
    assert_eq!(one.expect("located").await["shared"], false);
    heard(&mut one, &mut other, 2).await;

    // A lost link is taken up again where it was.
    let resume = one.welcome["resume"].clone();
    one.kill();
    let mut again = Radio::resume(&desk, &token, json!({ "token": resume })).await;
    assert_eq!(
        (&again.welcome["resumed"], &again.welcome["tuned"]),
        (&json!(true), &json!(["19", "convoy"]))
    );
    assert_eq!(heard(&mut other, &mut again, 3).await["talker"]["handle"], "Night Owl");
    heard(&mut again, &mut other, 1).await;

    // What is stored can be changed, taken along and erased.
    assert_eq!(desk.ask("PATCH", "/api/v1/me", &token, &json!({ "handle": "Silver Fox" })).status, 200);
    assert_eq!(desk.ask("GET", "/api/v1/me", &token, &Value::Null).json()["handle"], "Silver Fox");
    assert_eq!(desk.ask("DELETE", "/api/v1/me", &token, &Value::Null).status, 204);
}
