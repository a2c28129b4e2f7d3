//! Starting, stopping, starting again, and not starting.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;
use tenfour_server::config::{Config, Settings};
use tenfour_server::{Server, StartError};

use crate::desk::{Desk, Key};
use crate::radio::Radio;

#[tokio::test]
async fn registrations_and_sessions_outlive_a_restart() {
    let mut desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let gone = desk.register(2, "Coyote");
    let bearer = format!("Bearer {gone}");
    desk.post("/api/v1/logout", &[("authorization", &bearer)], &json!({}));
    desk.stop();
    desk.start();
    let radio = Radio::open(&desk, &token).await;
    assert_eq!(radio.welcome["you"]["handle"], "Roadrunner");
    assert_eq!(desk.get("/api/v1/me", &[("authorization", &bearer)]).code(), "not_logged_in");
    let proof = desk.prove(&Key::new(2), desk.url(), "bearer");
    let login = desk.post("/api/v1/login", &[], &json!({ "proof": proof }));
    assert_eq!(login.json()["handle"], "Coyote");
}

#[tokio::test]
async fn clients_are_told_when_to_come_back() {
    let mut desk = Desk::new();
    let mut radios = Vec::new();
    for seed in 1..=5 {
        radios.push(Radio::tuned(&desk, seed, "Roadrunner").await);
    }
    let stopping = tokio::task::spawn_blocking(move || {
        let started = Instant::now();
        desk.stop();
        started.elapsed()
    });
    for radio in &mut radios {
        assert!(radio.expect("going_away").await["back_in_ms"].as_u64().unwrap() > 0);
        assert_eq!(radio.closed().await, (1012, "going_away".into()));
    }
    drop(radios);
    assert!(stopping.await.unwrap() < Duration::from_secs(3));
}

fn refused(settings: Settings) -> String {
    let error = Server::start(Config::new(settings).unwrap()).unwrap_err();
    // The whole chain, as the command line shows it.
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

fn settings(data: &std::path::Path) -> Settings {
    Settings {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        data: Some(data.to_owned()),
        workers: Some(1),
        ..Settings::default()
    }
}

#[test]
fn a_port_that_is_taken_is_named_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let text = refused(Settings { listen: Some(address), ..settings(folder.path()) });
    assert!(text.contains(&format!("port {} is taken", address.port())), "{text}");
    assert!(text.contains("--listen"), "{text}");
}

#[test]
fn a_data_folder_that_cannot_be_used_is_named_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    for path in [file.clone(), file.join("below")] {
        let text = refused(settings(&path));
        assert!(text.contains("--data") && text.contains(path.to_str().unwrap()), "{text}");
    }
    std::fs::create_dir(folder.path().join("tenfour.db")).unwrap();
    let text = refused(settings(folder.path()));
    assert!(text.contains("tenfour.db") && text.contains("--data"), "{text}");
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let desk = Desk::new();
    let text = refused(settings(desk.data()));
    assert!(text.contains("in use by another program"), "{text}");
}

#[test]
fn a_damaged_store_is_named_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tenfour.db"), vec![b'x'; 8192]).unwrap();
    let text = refused(settings(folder.path()));
    assert!(text.contains("damaged") && text.contains("move it away"), "{text}");
}

#[test]
fn an_address_that_is_not_of_this_machine_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = "192.0.2.1:27185".parse().unwrap();
    let error =
        Server::start(Config::new(Settings { listen: Some(elsewhere), ..settings(folder.path()) }).unwrap());
    assert!(matches!(error, Err(StartError::Listen { .. })));
}
