//! Many people who register from one address: what it costs them, and what it does not.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use tenfour_protocol::Work;
use tenfour_protocol::limits::{AUTH_REQUESTS, REGISTRATION_WORK, REGISTRATIONS_AN_HOUR};
use tenfour_server::config::Settings;

use crate::desk::{Desk, Key};
use crate::http::Reply;

const FORWARDED: &str = "x-forwarded-for";
const CROWDED: &str = "203.0.113.9";
const QUIET: &str = "203.0.113.10";

/// Loopback is a proxy that says whose a request is.
fn behind_a_proxy() -> Desk {
    let proxies = Some(vec!["127.0.0.1".parse().unwrap()]);
    Desk::with(Settings { trusted_proxies: proxies, ..Settings::default() })
}

/// A key of its own for each number.
fn key(number: usize) -> Key {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Key::of_bytes(bytes)
}

fn nonce(desk: &Desk, of: &str) -> Value {
    desk.post("/api/v1/nonce", &[(FORWARDED, of)], &json!({})).json()
}

/// Registers with a nonce that somebody else asked for: what is counted is who registers.
fn register(desk: &Desk, of: &str, number: usize, nonce: &Value, work: Option<u32>) -> Reply {
    let mut body = json!({
        "handle": format!("Somebody {number}"),
        "proof": key(number).prove(nonce, desk.url(), "bearer"),
    });
    if let Some(work) = work {
        body["work"] = work.into();
    }
    desk.post("/api/v1/register", &[(FORWARDED, of)], &body)
}

fn solve(nonce: &Value, number: usize) -> u32 {
    let bytes = BASE64URL_NOPAD.decode(nonce["nonce"].as_str().unwrap().as_bytes()).unwrap();
    let work = Work::new(&bytes.try_into().unwrap(), &key(number).user());
    work.search(0.., REGISTRATION_WORK).unwrap()
}

/// From loopback, which has no budget.
fn any_nonce(desk: &Desk) -> Value {
    desk.post("/api/v1/nonce", &[], &json!({})).json()
}

fn crowd(desk: &Desk) {
    for number in 0..REGISTRATIONS_AN_HOUR {
        let reply = register(desk, CROWDED, number, &any_nonce(desk), None);
        assert_eq!(reply.status, 201, "{}", reply.json());
    }
}

#[test]
fn who_comes_after_a_crowd_shows_work() {
    let desk = behind_a_proxy();
    assert_eq!(nonce(&desk, CROWDED)["work"], Value::Null);
    crowd(&desk);
    let (next, late) = (REGISTRATIONS_AN_HOUR, any_nonce(&desk));
    assert_eq!(late["work"], Value::Null, "nobody knew then who would register with it");
    let refused = register(&desk, CROWDED, next, &late, None);
    assert_eq!((refused.status, refused.code()), (429, "work_needed".into()));
    assert_eq!(register(&desk, CROWDED, next, &late, None).code(), "nonce_expired", "it was spent");
    let asked = nonce(&desk, CROWDED);
    assert_eq!(asked["work"], REGISTRATION_WORK);
    let taken = register(&desk, CROWDED, next, &asked, Some(solve(&asked, next)));
    assert_eq!(taken.status, 201, "{}", taken.json());
    // The next one works anew.
    assert_eq!(register(&desk, CROWDED, next + 1, &any_nonce(&desk), None).code(), "work_needed");
}

#[test]
fn work_is_good_for_one_nonce_and_one_key_and_is_looked_at_first() {
    let desk = behind_a_proxy();
    crowd(&desk);
    let next = REGISTRATIONS_AN_HOUR;
    let (one, other) = (any_nonce(&desk), any_nonce(&desk));
    let code = |number, nonce: &Value, work| register(&desk, CROWDED, number, nonce, Some(work)).code();
    assert_eq!(code(next, &other, solve(&one, next)), "work_needed", "of another nonce");
    assert_eq!(code(next + 1, &one, solve(&one, next)), "work_needed", "of another key");
    let fresh = any_nonce(&desk);
    let mut proof = key(next).prove(&fresh, "https://elsewhere.example", "bearer");
    let send = |proof: &Value, work: Option<u32>| {
        let body = json!({ "handle": "Somebody", "proof": proof, "work": work });
        desk.post("/api/v1/register", &[(FORWARDED, CROWDED)], &body).code()
    };
    assert_eq!(send(&proof, None), "work_needed", "before the signature");
    let fresh = any_nonce(&desk);
    proof = key(next).prove(&fresh, "https://elsewhere.example", "bearer");
    assert_eq!(send(&proof, Some(solve(&fresh, next))), "bad_signature", "and the signature all the same");
}

#[test]
fn a_crowd_costs_nobody_elsewhere_anything() {
    let desk = behind_a_proxy();
    crowd(&desk);
    assert_eq!(nonce(&desk, QUIET)["work"], Value::Null);
    assert_eq!(register(&desk, QUIET, 1_000, &any_nonce(&desk), None).status, 201, "another address");
    // Loopback may be a proxy for everybody.
    for number in 2_000..=2_000 + REGISTRATIONS_AN_HOUR {
        let body = json!({
            "handle": format!("Somebody {number}"),
            "proof": desk.prove(&key(number), desk.url(), "bearer"),
        });
        assert_eq!(desk.post("/api/v1/register", &[], &body).status, 201);
    }
    // Whoever was there before logs in as ever.
    let proof = key(0).prove(&any_nonce(&desk), desk.url(), "bearer");
    assert_eq!(desk.post("/api/v1/login", &[(FORWARDED, CROWDED)], &json!({ "proof": proof })).status, 200);
}

#[test]
fn whoever_has_a_nonce_does_not_wait_again_and_one_that_is_not_good_costs_as_much_as_a_new_one() {
    let desk = behind_a_proxy();
    let own = nonce(&desk, CROWDED);
    let spent = any_nonce(&desk);
    let log_in = |nonce: &Value| {
        let body = json!({ "proof": key(1).prove(nonce, desk.url(), "bearer") });
        desk.post("/api/v1/login", &[(FORWARDED, CROWDED)], &body).code()
    };
    assert_eq!(log_in(&spent), "not_registered");
    let mut told: Vec<_> = (0..2 * AUTH_REQUESTS).map(|_| log_in(&spent)).collect();
    told.sort();
    told.dedup();
    assert_eq!(told, ["nonce_expired", "too_many_requests"]);
    let taken = register(&desk, CROWDED, 1, &own, None);
    assert_eq!(taken.status, 201, "{}", taken.json());
}
