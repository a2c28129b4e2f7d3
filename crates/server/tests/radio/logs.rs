//! What a busy session leaves in the log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tenfour_server::config::{LogFormat, LogLevel};
use tenfour_server::telemetry;

use crate::desk::{Desk, Key};
use crate::place::cell;
use crate::radio::{Radio, frame};

#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The subscriber is the process's: this test relies on a process of its own, which nextest
/// gives to each test.
#[tokio::test]
async fn no_person_address_or_secret_is_in_the_log_of_a_busy_session() {
    let kept = Kept::default();
    let lines = telemetry::subscriber(LogLevel::Trace, LogFormat::Json, Box::new(kept.clone()));
    tracing::subscriber::set_global_default(lines).expect("the first one");
    let mut desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    desk.register(3, "Coyote");
    desk.post("/api/v1/register", &[], &json!({ "handle": "Broken Roadrunner" }));
    let mut talker = Radio::open(&desk, &token).await;
    talker.tune("road-66").await;
    talker.tune("19").await;
    let mut listener = Radio::tuned(&desk, 2, "Žaklina").await;
    talker.send(json!({ "type": "Roadrunner" })).await;
    talker.expect("error").await;
    let cell = cell(44.8125, 20.4612);
    talker.send(json!({ "type": "locate", "cell": cell })).await;
    let stamp = talker.expect("located").await["stamp"].as_str().unwrap().to_owned();
    talker.send(json!({ "type": "locate", "cell": cell, "44.8125": 20.4612 })).await;
    talker.expect("error").await;
    talker.send(json!({ "type": "locate", "cell": "861ec9077fffff" })).await;
    talker.expect("error").await;
    talker.press(1).await;
    talker.voice(frame(1, 0, 80, true)).await;
    listener.burst().await;
    listener.kill();
    let text = "Roadrunner, quail of Xylo\n\u{1b}[2Jon road-66";
    assert_eq!(desk.ask("POST", "/api/v1/contact", &token, &json!({ "text": text })).status, 204);
    desk.ask("POST", "/api/v1/contact", &token, &json!({ "text": "\u{202e}" }));
    let bearer = format!("Bearer {token}");
    desk.post("/api/v1/logout", &[("authorization", &bearer)], &json!({}));
    talker.closed().await;
    desk.stop();
    let log = kept.text();
    assert!(log.contains("on the air") && log.contains("has stopped"), "the log was caught: {log}");
    assert_eq!(log.matches("has written to the operator").count(), 1, "{log}");
    let user = Key::new(1).user().to_string();
    for secret in [
        "Roadrunner",
        "quail",
        "Coyote",
        "aklina",
        "night shift",
        "127.0.0.1",
        "road-66",
        &token,
        &user,
        &user[..4],
    ] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
    for place in [cell.as_str().unwrap(), &stamp, "44.8", "20.46", "861ec"] {
        assert!(!log.to_lowercase().contains(&place.to_lowercase()), "a place is in the log:\n{log}");
    }
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("one object a line");
        assert!(line["time"].is_string() && line["level"].is_string() && line["message"].is_string());
    }
}
