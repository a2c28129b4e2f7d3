//! Erasing oneself: nothing is left, and nobody else notices more than a good-bye.

use std::path::Path;
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::desk::{Desk, Key};
use crate::radio::{Heard, Radio, frame};

const ME: &str = "/api/v1/me";

fn erase(desk: &Desk, token: &str) -> u16 {
    desk.ask("DELETE", ME, token, &Value::Null).status
}

/// What they wrote to the operator, longer than a page of the store.
const LETTER: &str = "Quail of Xylo speaking: ";

fn write(desk: &Desk, token: &str) -> u16 {
    let text = format!("{LETTER}{}", "🚚".repeat(1_500));
    desk.ask("POST", "/api/v1/contact", token, &json!({ "text": text })).status
}

/// The bytes by which somebody could be found in a file.
fn traces(seed: u8, handle: &str, tokens: &[String]) -> Vec<Vec<u8>> {
    let key = Key::new(seed);
    let hashes = tokens.iter().map(|token| {
        let token = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
        Sha256::digest(&token).to_vec()
    });
    let own = [key.user().as_bytes().to_vec(), key.public().to_vec(), handle.into(), LETTER.into()];
    hashes.chain(own).chain([key.user().to_string().into_bytes()]).collect()
}

fn hits(folder: &Path, traces: &[Vec<u8>]) -> usize {
    let entries =
        std::fs::read_dir(folder).unwrap().chain(std::fs::read_dir(folder.join("log")).into_iter().flatten());
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    // One that is removed meanwhile holds nothing.
    let files = paths.flat_map(std::fs::read);
    let found = |file: &[u8], trace: &[u8]| file.windows(trace.len()).any(|window| window == trace);
    files.map(|file| traces.iter().filter(|trace| found(&file, trace)).count()).sum()
}

#[tokio::test]
async fn nothing_is_left_in_the_files_of_a_running_server() {
    let mut desk = Desk::new();
    let tokens = [desk.register(1, "Xylophonist Quail"), desk.log_in(1)];
    let other = desk.register(2, "Coyote");
    let all = traces(1, "Xylophonist Quail", &tokens);
    assert_eq!([write(&desk, &tokens[0]), write(&desk, &tokens[1])], [204; 2]);
    assert_eq!(hits(desk.data(), &all), all.len() - 1, "all but the identifier as text");
    assert_eq!(erase(&desk, &tokens[0]), 204);
    assert_eq!(hits(desk.data(), &all), 0);
    for token in &tokens {
        assert_eq!(desk.ask("GET", ME, token, &Value::Null).code(), "not_logged_in");
    }
    let proof = desk.prove(&Key::new(1), desk.url(), "bearer");
    let login = desk.post("/api/v1/login", &[], &json!({ "proof": proof }));
    assert_eq!((login.status, login.code()), (404, "not_registered".into()));
    desk.stop();
    assert_eq!(hits(desk.data(), &all), 0);
    desk.start();
    assert_eq!(hits(desk.data(), &all), 0);
    assert_eq!(desk.ask("GET", ME, &other, &Value::Null).json()["handle"], "Coyote");
}

#[tokio::test]
async fn every_socket_is_closed_with_a_code_of_its_own_and_the_burst_ends() {
    let desk = Desk::new();
    let tokens = [desk.register(1, "Roadrunner"), desk.log_in(1)];
    let mut talking = Radio::open(&desk, &tokens[0]).await;
    talking.tune("19").await;
    let mut idle = Radio::open(&desk, &tokens[1]).await;
    let mut listener = Radio::tuned(&desk, 2, "Coyote").await;
    talking.press(1).await;
    talking.voice(frame(1, 0, 80, false)).await;
    listener.expect("burst.started").await;
    let started = Instant::now();
    let bearer = ("authorization", format!("Bearer {}", tokens[1]));
    let reply = crate::http::request(desk.address(), "DELETE", ME, &[(bearer.0, &bearer.1)], b"");
    assert_eq!(reply.status, 204);
    assert!(reply.header("set-cookie").unwrap().starts_with("tenfour=; Path=/; Max-Age=0;"));
    for radio in [&mut talking, &mut idle] {
        assert_eq!(radio.closed().await, (4002, "erased".into()));
    }
    // Promised are 100 ms; a busy machine gets more.
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(listener.expect("burst.ended").await["reason"], "talker_lost");
    loop {
        let presence = listener.expect("presence").await;
        if presence["left"].as_array().is_some_and(|left| !left.is_empty()) {
            assert_eq!(presence["count"], 1);
            break;
        }
    }
}

#[test]
fn twice_and_both_at_once_is_as_good_as_once() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    assert_eq!(erase(&desk, &token), 204);
    assert_eq!(erase(&desk, &token), 401, "nobody is there to be erased");
    let tokens = [desk.register(1, "Roadrunner"), desk.log_in(1), desk.log_in(1)];
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asked: Vec<_> = tokens.iter().map(|token| scope.spawn(|| erase(&desk, token))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert!(
        statuses.contains(&204) && statuses.iter().all(|status| [204, 401].contains(status)),
        "{statuses:?}"
    );
    let again = desk.register(1, "Coyote");
    let held = desk.ask("GET", ME, &again, &Value::Null).json();
    assert_eq!((&held["handle"], held["sessions"].as_array().unwrap().len()), (&json!("Coyote"), 1));
}

/// Log-ins, messages to the operator and a change of handle, all while the erasure runs.
#[test]
fn whatever_comes_in_the_middle_of_it_nobody_is_left() {
    let desk = Desk::new();
    for round in 0..10 {
        let token = desk.register(1, "Xylophonist Quail");
        let other = desk.log_in(1);
        let login = || {
            let proof = desk.prove(&Key::new(1), desk.url(), "bearer");
            let reply = desk.post("/api/v1/login", &[], &json!({ "proof": proof })).json();
            reply["token"].as_str().map(str::to_owned)
        };
        let fresh: Vec<Option<String>> = std::thread::scope(|scope| {
            let logins: Vec<_> = (0..4).map(|_| scope.spawn(login)).collect();
            let rename = scope.spawn(|| desk.ask("PATCH", ME, &other, &json!({ "handle": "Quail of Xylo" })));
            let wrote = scope.spawn(|| write(&desk, &other));
            let erased = scope.spawn(|| erase(&desk, &token));
            assert!([204, 401].contains(&wrote.join().unwrap()), "round {round}");
            assert_eq!(erased.join().unwrap(), 204);
            rename.join().unwrap();
            logins.into_iter().map(|login| login.join().unwrap()).collect()
        });
        let tokens: Vec<String> = fresh.into_iter().flatten().chain([token, other]).collect();
        for token in &tokens {
            assert_eq!(desk.ask("GET", ME, token, &Value::Null).status, 401, "round {round}");
        }
        for handle in ["Xylophonist Quail", "Quail of Xylo"] {
            assert_eq!(hits(desk.data(), &traces(1, handle, &tokens)), 0, "round {round}: {handle}");
        }
    }
    assert!(desk.ops("/metrics").contains("tenfour_logins_standing 0"), "{}", desk.ops("/metrics"));
}

#[tokio::test]
async fn a_dropped_connection_cannot_come_back_after_it() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let radio = Radio::open(&desk, &token).await;
    let resume = json!({ "token": radio.welcome["resume"], "newest": null, "have": [] });
    radio.kill();
    assert_eq!(erase(&desk, &token), 204);
    let again = desk.register(1, "Roadrunner");
    let mut radio = Radio::resume(&desk, &again, resume).await;
    assert_eq!(radio.welcome["resumed"], false);
    radio.send(json!({ "type": "ping", "n": 1 })).await;
    assert!(matches!(radio.hear().await, Heard::Message(pong) if pong["type"] == "pong"));
}
