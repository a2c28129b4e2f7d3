//! Who comes in when many are at the door, and what it costs those who talk.

use std::io::Write;
use std::net::TcpStream;

use serde_json::json;
use tenfour_protocol::limits::ADDRESS_CONNECTIONS;
use tenfour_server::config::Settings;

use crate::desk::Desk;
use crate::http::{Reply, connect, read_answer};
use crate::radio::{Radio, radio_request};

const PROXY: &str = "127.0.0.1";

/// Loopback is a proxy that says whose a connection is, so that one machine has many addresses.
fn behind_a_proxy() -> Desk {
    let proxies = Some(vec![PROXY.parse().unwrap()]);
    Desk::with(Settings { trusted_proxies: proxies, ..Settings::default() })
}

/// Asks for nothing in particular, and stays.
fn ask(desk: &Desk, of: &str) -> (TcpStream, Reply) {
    let mut socket = connect(desk.address());
    let head =
        format!("GET /api/v1/nothing HTTP/1.1\r\nhost: {}\r\nx-forwarded-for: {of}\r\n\r\n", desk.address());
    socket.write_all(head.as_bytes()).unwrap();
    let reply = read_answer(&mut socket);
    (socket, reply)
}

#[tokio::test]
async fn an_address_has_a_share_of_the_door_and_others_come_in() {
    let desk = behind_a_proxy();
    let token = desk.register(1, "Roadrunner");
    let mut inside = Vec::new();
    let refused = loop {
        let (socket, reply) = ask(&desk, "203.0.113.9");
        if reply.status != 404 {
            break reply;
        }
        inside.push(socket);
        assert!(inside.len() <= ADDRESS_CONNECTIONS, "there is no end");
    };
    assert!(inside.len() >= 32, "{}", inside.len());
    assert_eq!((refused.status, refused.code()), (503, "server_full".into()));
    assert_eq!((refused.header("retry-after"), refused.header("connection")), (Some("5"), Some("close")));
    assert_eq!(refused.json()["retry_after_ms"], 5000);
    assert_eq!(ask(&desk, "203.0.113.9, 192.0.2.1").1.status, 404, "somebody else");
    assert_eq!(ask(&desk, "192.0.2.1, 203.0.113.9").1.status, 503, "who says to be somebody else");
    assert_eq!(ask(&desk, PROXY).1.status, 404, "the proxy itself");
    let mut request = radio_request(desk.url(), &token);
    request.headers_mut().insert("x-forwarded-for", "198.51.100.7".parse().unwrap());
    let stream = tokio::net::TcpStream::connect(desk.address()).await.unwrap();
    Radio::asked(stream, request, json!({})).await.tune("19").await;
    drop(inside);
}

/// Nanoseconds that threads have worked whose name begins so.
fn worked(name: &str) -> u64 {
    let mut all = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let path = task.unwrap().path();
        // A thread may end meanwhile.
        let Ok(comm) = std::fs::read_to_string(path.join("comm")) else { continue };
        if comm.trim().starts_with(name) {
            let figures = std::fs::read_to_string(path.join("schedstat")).unwrap();
            all += figures.split(' ').next().unwrap().parse::<u64>().unwrap();
        }
    }
    all
}

#[test]
fn pages_and_questions_cost_the_threads_of_voice_nothing() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let bearer = format!("Bearer {token}");
    let before = ["tenfour-http", "tenfour-0", "tenfour-1", "tenfour-2", "tenfour-3"].map(worked);
    for _ in 0..500 {
        assert_eq!(desk.get("/privacy", &[]).status, 200);
        assert_eq!(desk.get("/api/v1/me", &[("authorization", &bearer)]).status, 200);
    }
    let after = ["tenfour-http", "tenfour-0", "tenfour-1", "tenfour-2", "tenfour-3"].map(worked);
    let [http, voice @ ..] = std::array::from_fn::<_, 5, _>(|at| after[at] - before[at]);
    let voice: u64 = voice.iter().sum();
    assert!(http > 1_000_000 && voice * 20 < http, "{http} ns for HTTP, {voice} ns for voice");
}
