//! The golden vectors of what nodes tell each other.

use serde_json::Value;
use tenfour_protocol::GeoCell;
use tenfour_protocol::limits::{NODE_CHANNELS, NODE_MESSAGE_BYTES};
use tenfour_protocol::node::{Envelope, NodeMessage, NodeMessageError};

fn vectors() -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("../../../vectors/nodes.json")).unwrap();
    vectors["messages"].as_array().unwrap().clone()
}

#[test]
fn messages_are_parsed_and_written_alike_and_bad_ones_refused() {
    for case in vectors() {
        let parsed = Envelope::parse(case["json"].to_string().as_bytes());
        if case["invalid"].is_null() {
            let written = parsed.unwrap_or_else(|error| panic!("{}: {error}", case["name"])).to_bytes();
            assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), case["json"], "{}", case["name"]);
        } else {
            assert_eq!(parsed, Err(NodeMessageError::Malformed), "{}", case["name"]);
        }
    }
}

#[test]
fn what_is_too_long_is_not_read() {
    assert_eq!(Envelope::parse(&vec![b' '; NODE_MESSAGE_BYTES + 1]), Err(NodeMessageError::Long));
    let channel = "19".parse().unwrap();
    let counts = vec![(channel, 1); NODE_CHANNELS + 1];
    let message = NodeMessage::Counts { number: 1, whole: true, counts };
    let bytes = Envelope { from: "0000000000000001".parse().unwrap(), message }.to_bytes();
    assert_eq!(Envelope::parse(&bytes), Err(NodeMessageError::List));
}

#[test]
fn a_start_is_written_without_a_copy_of_its_cell_and_printed_without_it() {
    let start = vectors().into_iter().find(|case| case["name"] == "burst.start").unwrap();
    let mut envelope = Envelope::parse(start["json"].to_string().as_bytes()).unwrap();
    assert!(!format!("{envelope:?}").contains("861ec9077ffffff"));
    // With the longest texts that there are it still fits into what is reserved.
    let NodeMessage::BurstStart { talker, cell, .. } = &mut envelope.message else { panic!() };
    *cell = Some(GeoCell::new(0x861e_c907_7fff_ffff));
    talker.person.description = Some(serde_json::from_value("\u{1F600}".repeat(140).into()).unwrap());
    let bytes = envelope.to_bytes();
    assert_eq!(bytes.capacity(), 2048, "{}", bytes.len());
}
