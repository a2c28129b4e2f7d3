//! Where people are, how far they reach, and what the server says and does not say of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tenfour_core::reach::{epoch_in, snap};

use crate::desk::Desk;
use crate::radio::{Heard, Radio, frame};

/// Belgrade; the other places are as far north of it as they say.
const HERE: (f64, f64) = (44.8125, 20.4612);
/// Degrees of latitude in a kilometre.
const KILOMETRE: f64 = 1.0 / 111.2;

/// The cell of a position, as it travels.
pub(crate) fn cell(lat: f64, lon: f64) -> Value {
    serde_json::to_value(snap(lat, lon).unwrap()).unwrap()
}

fn north(kilometres: f64) -> Value {
    cell(HERE.0 + kilometres * KILOMETRE, HERE.1)
}

/// Registers, says where it is, tunes to channel 19.
async fn tuned_at(desk: &Desk, seed: u8, handle: &str, cell: Value) -> Radio {
    let token = desk.register(seed, handle);
    let mut radio = Radio::arrive(desk, &token, json!({ "place": { "cell": cell } })).await;
    assert_eq!(radio.expect("located").await["shared"], true);
    radio.tune("19").await;
    radio
}

impl Radio {
    async fn range(&mut self, tx: &str, rx: &str) {
        self.send(json!({ "type": "range", "tx": tx, "rx": rx })).await;
        let ranged = self.expect("ranged").await;
        assert_eq!((&ranged["tx"], &ranged["rx"]), (&json!(tx), &json!(rx)));
    }

    async fn locate(&mut self, cell: &Value) {
        self.send(json!({ "type": "locate", "cell": cell })).await;
    }

    /// A whole burst of so many frames, to its receipt.
    async fn say(&mut self, burst: u32, frames: u16) {
        self.press(burst).await;
        for seq in 0..frames {
            self.voice(frame(burst, seq, 80, seq + 1 == frames)).await;
        }
        let receipt = self.expect("receipt").await;
        assert_eq!((&receipt["outcome"], &receipt["frames"]), (&json!("aired"), &json!(frames)));
        assert_eq!(receipt.as_object().unwrap().len(), 5, "a receipt says nothing more: {receipt}");
    }

    /// The grade and the length of the next burst.
    async fn hears(&mut self) -> (Value, usize) {
        let (started, frames, _) = self.burst().await;
        (started["grade"].clone(), frames.len())
    }

    /// The code of the next refusal, which repeats nothing of `sent`.
    async fn refused(&mut self, sent: &Value) -> String {
        self.send(sent.clone()).await;
        let error = self.expect("error").await;
        for secret in ["44.8", "20.4", "861ec", "861EC", "448125"] {
            assert!(!error.to_string().contains(secret), "{error} repeats {sent}");
        }
        error["code"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_burst_reaches_those_in_range_and_tells_each_its_grade() {
    let desk = Desk::new();
    let mut talker = tuned_at(&desk, 1, "Talker", north(0.0)).await;
    let mut same = tuned_at(&desk, 2, "Same cell", north(0.0)).await;
    let mut near = tuned_at(&desk, 3, "8 km", north(8.0)).await;
    let mut far = tuned_at(&desk, 4, "60 km", north(60.0)).await;
    let mut nowhere = Radio::tuned(&desk, 5, "Nowhere").await;
    talker.range("25km", "unlimited").await;
    talker.say(1, 3).await;
    talker.range("unlimited", "unlimited").await;
    talker.say(2, 5).await;
    assert_eq!(far.hears().await, (json!(2), 5), "not the first, which was limited");
    far.range("unlimited", "25km").await;
    talker.say(3, 7).await;
    far.range("unlimited", "100km").await;
    talker.say(4, 9).await;
    for listener in [&mut same, &mut near] {
        for frames in [3, 5, 7, 9] {
            let (grade, heard) = listener.hears().await;
            assert!(grade.as_u64().unwrap() >= 4, "{grade}");
            assert_eq!(heard, frames);
        }
    }
    assert_eq!(far.hears().await, (json!(2), 9), "not the third, beyond its own range");
    for frames in [5, 7, 9] {
        assert_eq!(nowhere.hears().await, (Value::Null, frames));
    }
}

#[tokio::test]
async fn others_see_a_country_and_nothing_else() {
    let desk = Desk::new();
    let mut witness = Radio::tuned(&desk, 1, "Witness").await;
    let token = desk.register(2, "Mover");
    let mut mover = Radio::open(&desk, &token).await;
    mover.tune("19").await;
    let mut seen = vec![witness.expect("presence").await];
    mover.locate(&north(0.0)).await;
    let located = mover.expect("located").await;
    assert_eq!((&located["shared"], &located["country"]), (&json!(true), &json!("RS")));
    assert!(located["stamp"].is_string() && located.get("effective_in_ms").is_none(), "{located}");
    mover.range("50km", "100km").await;
    while seen.last().unwrap()["changed"].is_null() {
        seen.push(witness.expect("presence").await);
    }
    mover.locate(&Value::Null).await;
    while !seen.last().unwrap()["changed"].to_string().contains(r#"[{"description""#)
        || seen.last().unwrap()["changed"].to_string().contains("RS")
    {
        seen.push(witness.expect("presence").await);
    }
    let page = witness.tune("19").await;
    seen.push(page);
    let seen = Value::from(seen).to_string();
    let stamp = located["stamp"].as_str().unwrap();
    for secret in [north(0.0).as_str().unwrap(), stamp, "cell", "km\"", "place", "grade"] {
        assert!(!seen.contains(secret), "{secret}: {seen}");
    }
}

#[tokio::test]
async fn a_limited_range_needs_a_place() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let limited = json!({ "tx": "25km", "rx": "unlimited" });
    let mut radio = Radio::arrive(&desk, &token, json!({ "range": limited })).await;
    assert_eq!(radio.expect("error").await["code"], "location_needed");
    for (tx, rx) in [("25km", "unlimited"), ("unlimited", "1000km")] {
        let range = json!({ "type": "range", "tx": tx, "rx": rx });
        assert_eq!(radio.refused(&range).await, "location_needed");
    }
    radio.range("unlimited", "unlimited").await;
    for wrong in [json!("30km"), json!(25), json!("25.0km"), json!("44.8125"), Value::Null] {
        let range = json!({ "type": "range", "tx": wrong, "rx": "10km" });
        assert_eq!(radio.refused(&range).await, "malformed_message");
    }
    radio.locate(&north(0.0)).await;
    radio.expect("located").await;
    radio.range("25km", "1000km").await;
}

#[tokio::test]
async fn what_is_no_cell_of_resolution_six_is_refused_and_nothing_of_it_is_repeated() {
    let desk = Desk::new();
    let mut radio = Radio::tuned(&desk, 1, "Roadrunner").await;
    let malformed = [
        json!({ "cell": 44.8125 }),
        json!({ "cell": { "lat": 44.8125, "lon": 20.4612 } }),
        json!({ "cell": [44.8125, 20.4612] }),
        json!({ "cell": "44.8125,20.4612" }),
        json!({ "cell": "861EC9077FFFFFF" }),
        json!({ "cell": "0861ec9077ffffff" }),
        json!({ "cell": 603_544_921_088_131_071_u64 }),
        json!({ "cell": "861ec9077ffffff", "lat": 44.8125 }),
        json!({ "cell": "861ec9077ffffff", "44.8125": 20.4612 }),
        json!({ "cell": "861ec9077ffffff", "stamp": 44.8125 }),
        json!({ "lat": 44.8125, "lon": 20.4612 }),
        json!({}),
    ];
    for fields in malformed {
        let mut locate = fields;
        locate["type"] = json!("locate");
        assert_eq!(radio.refused(&locate).await, "malformed_message", "{locate}");
    }
    // Parents and children of a cell of Belgrade, a base cell that is none, an edge, nothing.
    let others = [
        "851ec907fffffff",
        "871ec9060ffffff",
        "801ffffffffffff",
        "86f4c9077ffffff",
        "1661ec9077fffff",
        "000000000000000",
    ];
    // A connection of its own: twenty messages at once are as many as there may be.
    let mut radio = Radio::tuned(&desk, 2, "Coyote").await;
    for cell in others {
        assert_eq!(radio.refused(&json!({ "type": "locate", "cell": cell })).await, "cell_refused", "{cell}");
    }
}

#[tokio::test]
async fn a_refused_place_leaves_a_connection_as_it_was() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let refused = json!({ "place": { "cell": "851ec907fffffff" }, "range": { "tx": "10km", "rx": "10km" } });
    let mut radio = Radio::arrive(&desk, &token, refused).await;
    assert_eq!(radio.expect("error").await["code"], "cell_refused");
    assert_eq!(radio.expect("error").await["code"], "location_needed");
    radio.locate(&north(0.0)).await;
    assert_eq!(radio.expect("located").await["shared"], true);
    radio.range("10km", "10km").await;
    let refused = json!({ "type": "locate", "cell": "871ec9060ffffff" });
    assert_eq!(radio.refused(&refused).await, "cell_refused");
    radio.range("25km", "25km").await;
}

#[tokio::test]
async fn a_new_cell_takes_effect_at_the_boundary_that_the_wall_clock_has() {
    let desk = Desk::new();
    let mut radio = tuned_at(&desk, 1, "Roadrunner", north(0.0)).await;
    let wall = || epoch_in(SystemTime::now().duration_since(UNIX_EPOCH).unwrap()).as_millis() as u64;
    let (told, read) = (radio.welcome["epoch_in_ms"].as_u64().unwrap(), wall());
    radio.locate(&north(60.0)).await;
    let located = radio.expect("located").await;
    let (wait, later) = (located["effective_in_ms"].as_u64().unwrap(), wall());
    assert_eq!((&located["shared"], located.get("stamp")), (&json!(true), None));
    let epoch = Duration::from_secs(900).as_millis() as u64;
    for (told, read) in [(told, read), (wait, later)] {
        // The answer is older than the look at the clock, by less than a test may take.
        assert!((told + epoch - read) % epoch < 10_000, "{told} {read}");
    }
    radio.locate(&north(0.0)).await;
    let back = radio.expect("located").await;
    assert!(back.get("effective_in_ms").is_none(), "it stays where it is: {back}");
}

#[tokio::test]
async fn a_thousand_moves_at_once_are_refused_and_disturb_nobody() {
    let desk = Desk::new();
    let mut witness = tuned_at(&desk, 1, "Witness", north(0.0)).await;
    let mut mover = tuned_at(&desk, 2, "Mover", north(0.0)).await;
    for step in 0..1000 {
        // It is closed on the way.
        if mover.try_send(json!({ "type": "locate", "cell": north(f64::from(step % 50)) })).await.is_err() {
            break;
        }
    }
    let mut refused = 0;
    loop {
        match mover.hear().await {
            Heard::Message(message) if message["type"] == "error" => {
                assert_eq!(message["code"], "too_many_messages");
                refused += 1;
            }
            Heard::Closed(code, reason) => {
                // The rest of what was sent makes the kernel reset the connection.
                assert!(matches!((code, reason.as_str()), (1008, "too_many_messages") | (1006, "")));
                break;
            }
            _ => {}
        }
    }
    assert!(refused >= 50, "{refused}");
    witness.range("10km", "10km").await;
    let mut talker = tuned_at(&desk, 3, "Talker", north(0.0)).await;
    talker.say(1, 3).await;
    assert_eq!(witness.hears().await, (json!(5), 3));
}

#[tokio::test]
async fn coming_again_is_no_free_move_but_costs_nothing_from_the_same_cell() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let at = |cell: Value, stamp: Option<&Value>| {
        let mut place = json!({ "cell": cell });
        if let Some(stamp) = stamp {
            place["stamp"] = stamp.clone();
        }
        Radio::arrive(&desk, &token, json!({ "place": place }))
    };
    let mut first = at(north(0.0), None).await;
    let mut stamp = first.expect("located").await["stamp"].clone();
    for _ in 0..12 {
        let mut again = at(north(0.0), Some(&stamp)).await;
        stamp = again.expect("located").await["stamp"].clone();
        again.leave().await;
    }
    // The stamp is for one cell: elsewhere it pays for nothing, and may wait for the boundary.
    let mut moved = at(north(20.0), Some(&stamp)).await;
    moved.expect("located").await;
    moved.leave().await;
    for visit in 2..12 {
        let mut moved = at(north(f64::from(visit) * 20.0), None).await;
        assert_eq!(moved.expect("located").await["shared"], true);
        moved.leave().await;
    }
    let mut over = at(north(300.0), Some(&stamp)).await;
    let refusal = over.expect("error").await;
    assert_eq!(refusal["code"], "too_many_moves");
    let wait = refusal["retry_after_ms"].as_u64().unwrap();
    assert!((3_500_000..=3_600_000).contains(&wait), "{wait}");
    assert_eq!(
        over.refused(&json!({ "type": "range", "tx": "10km", "rx": "10km" })).await,
        "location_needed"
    );
}

#[tokio::test]
async fn a_place_that_is_taken_back_ends_what_was_heard_by_it_and_its_ranges() {
    let desk = Desk::new();
    let mut talker = tuned_at(&desk, 1, "Talker", north(0.0)).await;
    let mut listener = tuned_at(&desk, 2, "Listener", north(8.0)).await;
    talker.range("25km", "unlimited").await;
    listener.range("25km", "50km").await;
    talker.press(1).await;
    talker.voice(frame(1, 0, 80, false)).await;
    let started = listener.expect("burst.started").await;
    listener.locate(&Value::Null).await;
    let located = listener.expect("located").await;
    assert_eq!((&located["shared"], located.get("country")), (&json!(false), None));
    let ranged = listener.expect("ranged").await;
    assert_eq!((&ranged["tx"], &ranged["rx"]), (&json!("unlimited"), &json!("unlimited")));
    let ended = listener.expect("burst.ended").await;
    assert_eq!(
        (&ended["burst"], &ended["reason"], &ended["frames"]),
        (&started["burst"], &json!("out_of_range"), &json!(0))
    );
    for seq in 1..4 {
        talker.voice(frame(1, seq, 80, seq == 3)).await;
    }
    assert_eq!(talker.expect("receipt").await["frames"], 4, "the talker is told nothing of it");
    talker.say(2, 2).await;
    talker.range("unlimited", "unlimited").await;
    talker.say(3, 6).await;
    assert_eq!(listener.hears().await, (Value::Null, 6));
}

#[tokio::test]
async fn a_listener_that_moves_out_of_its_own_range_and_back_hears_the_burst_again() {
    let desk = Desk::new();
    let mut talker = tuned_at(&desk, 1, "Talker", north(0.0)).await;
    let mut listener = tuned_at(&desk, 2, "Listener", north(60.0)).await;
    talker.press(1).await;
    talker.voice(frame(1, 0, 80, false)).await;
    let started = listener.expect("burst.started").await;
    listener.range("unlimited", "10km").await;
    assert_eq!(listener.expect("burst.ended").await["reason"], "out_of_range");
    listener.range("unlimited", "100km").await;
    let again = listener.expect("burst.started").await;
    assert_eq!((&again["burst"], &again["grade"]), (&started["burst"], &json!(2)));
    talker.voice(frame(1, 1, 80, true)).await;
    assert_eq!(listener.expect("burst.ended").await["reason"], "released");
}

#[tokio::test]
async fn a_resume_says_its_place_again_or_has_none() {
    let desk = Desk::new();
    let mut talker = tuned_at(&desk, 1, "Talker", north(0.0)).await;
    talker.range("25km", "unlimited").await;
    let token = desk.register(2, "Listener");
    let place = json!({ "cell": north(8.0) });
    let mut listener = Radio::arrive(&desk, &token, json!({ "place": place })).await;
    let stamp = listener.expect("located").await["stamp"].clone();
    listener.tune("19").await;
    talker.press(1).await;
    talker.voice(frame(1, 0, 80, false)).await;
    let started = listener.expect("burst.started").await;
    while !matches!(listener.hear().await, Heard::Voice(_)) {}
    let resume = |radio: &Radio| {
        let have = json!([{ "burst": started["burst"], "next": 1 }]);
        json!({ "token": radio.welcome["resume"], "newest": started["burst"], "have": have })
    };
    let with_place = json!({ "resume": resume(&listener), "place": { "cell": north(8.0), "stamp": stamp } });
    listener.kill();
    let mut listener = Radio::arrive(&desk, &token, with_place).await;
    assert_eq!(listener.welcome["resumed"], true);
    assert_eq!(listener.expect("located").await["shared"], true);
    let again = listener.expect("burst.started").await;
    assert_eq!(again["burst"], started["burst"]);
    talker.voice(frame(1, 1, 80, false)).await;
    while !matches!(listener.hear().await, Heard::Voice(_)) {}
    let without = json!({ "resume": resume(&listener) });
    listener.kill();
    let mut listener = Radio::arrive(&desk, &token, without).await;
    assert_eq!(listener.welcome["resumed"], true);
    let limited = json!({ "type": "range", "tx": "10km", "rx": "10km" });
    let ended = listener.expect("burst.ended").await;
    assert_eq!((&ended["burst"], &ended["reason"]), (&started["burst"], &json!("out_of_range")));
    assert_eq!(listener.refused(&limited).await, "location_needed");
    talker.voice(frame(1, 2, 80, true)).await;
    talker.expect("receipt").await;
    talker.range("unlimited", "unlimited").await;
    talker.say(2, 4).await;
    assert_eq!(listener.hears().await, (Value::Null, 4));
}
