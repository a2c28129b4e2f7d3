//! One account on all nodes: what is done on one holds on the others.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenfour_server::config::Settings;
use tenfour_server::operator::Running;
use tenfour_server::store::{JetStream, letters_in};
use tenfour_server::subject_in;

use crate::desk::Desk;
use crate::nats::NatsServer;
use crate::radio::Radio;

/// A node of the cluster on this NATS.
pub(crate) fn node(nats: &NatsServer, name: &str) -> Desk {
    Desk::with(settings(nats, name))
}

pub(crate) fn settings(nats: &NatsServer, name: &str) -> Settings {
    let servers = nats.nats(name).servers;
    Settings { nats: Some(servers), node: Some(name.into()), ..Settings::default() }
}

/// Whether a token is a session here.
fn stands(desk: &Desk, token: &str) -> bool {
    match desk.ask("GET", "/api/v1/me", token, &Value::Null).status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_key_registered_on_one_node_logs_in_on_any() {
    let nats = NatsServer::start();
    let (alpha, beta) = (node(&nats, "alpha"), node(&nats, "beta"));
    let token = alpha.register(1, "Roadrunner");
    assert!(stands(&beta, &token), "a session is one on all nodes, from its first moment");
    let other = beta.log_in(1);
    assert!(stands(&alpha, &other));
    let held = beta.ask("GET", "/api/v1/me", &token, &Value::Null).json();
    assert_eq!((&held["handle"], held["sessions"].as_array().map(Vec::len)), (&json!("Roadrunner"), Some(2)));
    drop(nats);
    for (desk, token) in [(&alpha, &other), (&beta, &other), (&alpha, &token)] {
        // Whoever is known comes in without NATS, too.
        Radio::open(desk, token).await;
    }
}

#[test]
fn a_nonce_of_one_node_is_taken_by_another_and_once() {
    let nats = NatsServer::start();
    let (alpha, beta) = (node(&nats, "alpha"), node(&nats, "beta"));
    alpha.register(1, "Roadrunner");
    let nonce = alpha.post("/api/v1/nonce", &[], &json!({})).json();
    let proof = crate::desk::Key::new(1).prove(&nonce, beta.url(), "bearer");
    let log_in = |desk: &Desk| desk.post("/api/v1/login", &[], &json!({ "proof": proof })).status;
    assert_eq!(log_in(&beta), 200);
    assert_eq!((log_in(&beta), log_in(&alpha)), (401, 401), "nobody takes it twice");
}

#[tokio::test]
async fn a_log_out_on_one_node_closes_sockets_on_another() {
    let nats = NatsServer::start();
    let (alpha, beta) = (node(&nats, "alpha"), node(&nats, "beta"));
    let token = alpha.register(1, "Roadrunner");
    let mut here = Radio::open(&beta, &token).await;
    assert_eq!(alpha.ask("POST", "/api/v1/logout", &token, &Value::Null).status, 204);
    let (code, reason) = here.closed().await;
    assert!(reason.contains("logged_out") || code == 4401, "{code} {reason}");
    assert!(!stands(&beta, &token) && !stands(&alpha, &token));
}

#[tokio::test]
async fn another_handle_is_seen_on_every_node() {
    let nats = NatsServer::start();
    let (alpha, beta) = (node(&nats, "alpha"), node(&nats, "beta"));
    let token = alpha.register(1, "Roadrunner");
    let mut watcher = Radio::tuned(&beta, 2, "Watcher").await;
    let mut radio = Radio::open(&beta, &token).await;
    radio.tune("19").await;
    watcher.expect("presence").await;
    let change = json!({ "handle": "Coyote" });
    assert_eq!(alpha.ask("PATCH", "/api/v1/me", &token, &change).status, 200);
    let told = loop {
        let presence = watcher.expect("presence").await.to_string();
        if presence.contains("Coyote") {
            break presence;
        }
    };
    assert!(!told.contains("Roadrunner"));
}

#[tokio::test]
async fn an_erasure_on_one_node_is_one_on_all() {
    let nats = NatsServer::start();
    let (alpha, beta) = (node(&nats, "alpha"), node(&nats, "beta"));
    let token = alpha.register(1, "QuailOfXylo");
    let mut radio = Radio::open(&beta, &token).await;
    let held = || beta.ask("GET", "/api/v1/me", &token, &Value::Null).json();
    assert_eq!(held()["connections"].as_array().map(Vec::len), Some(1));
    assert_eq!(alpha.ask("DELETE", "/api/v1/me", &token, &Value::Null).status, 204);
    radio.closed().await;
    assert!(!stands(&beta, &token));
    // The same key begins anew; of its earlier connections nothing is left on this node either.
    let token = beta.register(1, "Newcomer");
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let held = beta.ask("GET", "/api/v1/me", &token, &Value::Null).json();
        assert_eq!(held["handle"], "Newcomer");
        if held["connections"].as_array().is_none_or(Vec::is_empty) {
            break;
        }
        assert!(Instant::now() < deadline, "the connection log of another node is erased, too");
    }
}

#[tokio::test]
async fn a_node_that_was_off_catches_up_with_an_erasure() {
    let nats = NatsServer::start();
    let (alpha, mut beta) = (node(&nats, "alpha"), node(&nats, "beta"));
    let (token, other) = (alpha.register(1, "QuailOfXylo"), alpha.register(2, "Stays"));
    for token in [&token, &other] {
        Radio::open(&beta, token).await.leave().await;
    }
    beta.stop();
    let log = || -> String {
        let files = std::fs::read_dir(beta.data().join("log")).unwrap().map(|file| file.unwrap().path());
        files.map(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned()).collect()
    };
    assert!(log().contains("QuailOfXylo"));
    assert_eq!(alpha.ask("DELETE", "/api/v1/me", &token, &Value::Null).status, 204);
    beta.start();
    let log = || -> String {
        let files = std::fs::read_dir(beta.data().join("log")).unwrap().map(|file| file.unwrap().path());
        files
            .map(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()).into_owned())
            .collect()
    };
    let deadline = Instant::now() + Duration::from_secs(5);
    while log().contains("QuailOfXylo") {
        assert!(Instant::now() < deadline, "who was erased meanwhile is erased here, too");
        tokio::task::yield_now().await;
    }
    assert!(log().contains("Stays"));
}

/// What is kept elsewhere, and what goes elsewhere, is on the page.
#[test]
fn the_policy_says_that_there_are_several_machines() {
    let nats = NatsServer::start();
    let page = |desk: &Desk| String::from_utf8(desk.get("/privacy", &[]).body).unwrap();
    let several = "calls nobody but the operator&#39;s message servers";
    let shared = "Here the database is with the operator&#39;s message servers";
    let words = |page: &str| {
        (
            page.contains(several) || page.contains(&several.replace("&#39;", "'")),
            page.contains(shared) || page.contains(&shared.replace("&#39;", "'")),
        )
    };
    assert_eq!(words(&page(&node(&nats, "alpha"))), (true, true));
    let own = Settings { nats_store: Some(false), ..settings(&nats, "beta") };
    assert_eq!(words(&page(&Desk::with(own))), (true, false));
    assert_eq!(words(&page(&Desk::new())), (false, false));
}

#[test]
fn the_operator_reads_and_empties_the_inbox_of_all_nodes() {
    let nats = NatsServer::start();
    let (alpha, beta) = (node(&nats, "alpha"), node(&nats, "beta"));
    let token = alpha.register(1, "Roadrunner");
    for (desk, text) in [(&alpha, "one"), (&beta, "two")] {
        assert_eq!(desk.ask("POST", "/api/v1/contact", &token, &json!({ "text": text })).status, 204);
    }
    let (mut store, _) = JetStream::open(&nats.nats("admin")).unwrap();
    let letters = letters_in(&mut store).unwrap();
    let texts: Vec<_> = letters.iter().map(|letter| letter.message.text.as_str()).collect();
    assert_eq!(texts, ["one", "two"]);
    assert_eq!(letters[0].user, crate::desk::Key::new(1).user());
    let running = Running::on(beta.data()).unwrap().expect("it runs");
    assert_eq!(running.letters().unwrap(), letters, "told by a node");
    running.remove(&[letters[0].message.id]).unwrap();
    let held = beta.ask("GET", "/api/v1/me", &token, &Value::Null).json();
    assert_eq!(held["messages"].as_array().map(Vec::len), Some(1));
    let user = crate::desk::Key::new(1).user();
    let told = subject_in(&mut store, alpha.data(), &user).unwrap().unwrap();
    assert_eq!((told.handle.as_str(), told.sessions.len(), told.messages.len()), ("Roadrunner", 1, 1));
    let running = Running::on(alpha.data()).unwrap().expect("it runs");
    assert_eq!(running.subject(&user).unwrap().unwrap(), told, "told by its node");
}

#[test]
fn without_a_shared_store_each_node_has_its_own_users() {
    let nats = NatsServer::with(&[]);
    let own = |name: &str| Desk::with(Settings { nats_store: Some(false), ..settings(&nats, name) });
    let (alpha, beta) = (own("alpha"), own("beta"));
    let token = alpha.register(1, "Roadrunner");
    assert!(stands(&alpha, &token) && !stands(&beta, &token));
    beta.register(1, "Roadrunner");
}
