//! What could tell the range of others without saying it: who may talk, and who is on the list.

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::place::cell;
use crate::radio::{Radio, frame};

const HERE: (f64, f64) = (44.8125, 20.4612);
/// Some 60 km from there.
const FAR: (f64, f64) = (45.3510, 20.4612);
const LIMITED: &str = "10km";

/// Tuned to channel 19, and heard no further than ten kilometres.
async fn near_only(desk: &Desk, seed: u8, handle: &str, (lat, lon): (f64, f64)) -> Radio {
    let token = desk.register(seed, handle);
    let more = json!({
        "place": { "cell": cell(lat, lon) }, "range": { "tx": LIMITED, "rx": LIMITED },
    });
    let mut radio = Radio::arrive(desk, &token, more).await;
    assert_eq!(radio.expect("ranged").await["tx"], LIMITED);
    radio.tune("19").await;
    radio
}

/// What becomes of a press, without what it says of itself.
async fn press(radio: &mut Radio, local: u32) -> Value {
    radio.press(local).await;
    radio.voice(frame(local, 0, 80, true)).await;
    let mut receipt = radio.expect("receipt").await;
    receipt.as_object_mut().unwrap().remove("burst");
    receipt
}

#[tokio::test]
async fn a_press_is_answered_alike_whether_a_crowd_talks_where_one_cannot_hear_it() {
    let desk = Desk::new();
    let mut here = near_only(&desk, 1, "Here", HERE).await;
    let alone = press(&mut here, 1).await;
    let mut crowd = Vec::new();
    for (seed, handle) in [(2, "Ida"), (3, "Jon"), (4, "Kai")] {
        let mut talker = near_only(&desk, seed, handle, FAR).await;
        talker.press(1).await;
        talker.voice(frame(1, 0, 80, false)).await;
        talker.expect("burst.granted").await;
        crowd.push(talker);
    }
    let beside = press(&mut here, 2).await;
    assert_eq!(alone, beside);
    assert_eq!(beside["outcome"], "aired");
    // Among themselves they are a crowd.
    let mut there = near_only(&desk, 5, "There", FAR).await;
    let refused = press(&mut there, 1).await;
    assert_eq!(refused["refusal"]["code"], "channel_busy", "{refused}");
}

#[tokio::test]
async fn the_list_of_a_channel_has_everybody_whatever_the_range() {
    let desk = Desk::new();
    let _near = near_only(&desk, 1, "Near", HERE).await;
    let _far = near_only(&desk, 2, "Far", FAR).await;
    let _nowhere = Radio::tuned(&desk, 3, "Nowhere").await;
    let mut witness = near_only(&desk, 4, "Witness", HERE).await;
    let tuned = witness.tune("19").await;
    witness.send(json!({ "type": "participants", "channel": "19", "page": 0 })).await;
    for list in [tuned, witness.expect("participants").await] {
        let names: Vec<_> =
            list["participants"].as_array().unwrap().iter().map(|who| &who["handle"]).collect();
        assert_eq!(names, ["Far", "Near", "Nowhere", "Witness"]);
        assert_eq!(list["count"], 4);
    }
}
