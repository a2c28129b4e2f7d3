//! Answers that are long, and such as nobody takes.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;
use tenfour_protocol::UserId;

use crate::desk::{Desk, Key};
use crate::http::connect;

const ME: &str = "/api/v1/me";
/// Some six MiB of one's own, among those of others.
const ROWS: usize = 30_000;

/// As if somebody had connected often, two hours ago.
fn write_log(desk: &Desk, user: UserId) {
    let date = |format: &str| {
        let date =
            std::process::Command::new("date").args(["-u", "-d", "2 hours ago", format]).output().unwrap();
        String::from_utf8(date.stdout).unwrap().trim().to_owned()
    };
    let (hour, other) = (date("+%FT%H"), Key::new(99).user());
    let mut rows = String::new();
    for n in 0..ROWS {
        for user in [user, other] {
            writeln!(
                rows,
                r#"{{"time":"{hour}:{:02}:{:02}Z","address":"192.0.2.1","handle":"Roadrunner {n}","user":"{user}","manufacturer":"","model":"Pixel 8","platform":"Android","version":"test 1"}}"#,
                n / 600,
                n / 10 % 60,
            )
            .unwrap();
        }
    }
    let folder = desk.data().join("log");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{hour}.jsonl")), rows).unwrap();
}

fn resident() -> usize {
    let figures = std::fs::read_to_string("/proc/self/statm").unwrap();
    figures.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn all_that_is_held_is_shown_whatever_its_size() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    write_log(&desk, Key::new(1).user());
    let reply = desk.ask("GET", ME, &token, &Value::Null);
    assert!(reply.body.len() > 5 * 1024 * 1024, "{}", reply.body.len());
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let held = reply.json();
    let rows = held["connections"].as_array().unwrap();
    assert_eq!(rows.len(), ROWS);
    for (n, row) in rows.iter().enumerate() {
        assert_eq!(row["handle"], format!("Roadrunner {n}"));
    }
    assert_eq!(held["sessions"].as_array().unwrap().len(), 1);
}

/// Asks for all that is held, and waits for the first byte of the answer only.
fn begin(desk: &Desk, token: &str) -> (TcpStream, String) {
    let mut socket = connect(desk.address());
    socket2::SockRef::from(&socket).set_recv_buffer_size(4096).unwrap();
    write!(socket, "GET {ME} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\r\n", desk.address())
        .unwrap();
    let mut status = [0; 12];
    socket.read_exact(&mut status).unwrap();
    (socket, String::from_utf8(status.to_vec()).unwrap())
}

#[test]
fn answers_that_nobody_takes_have_a_most_in_memory() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    write_log(&desk, Key::new(1).user());
    desk.ask("GET", ME, &token, &Value::Null);
    let before = resident();
    let mut unread = Vec::new();
    let refused = loop {
        let (socket, status) = begin(&desk, &token);
        if status != "HTTP/1.1 200" {
            break (socket, status);
        }
        unread.push(socket);
        assert!(unread.len() < 100, "there is no end");
    };
    assert!(unread.len() >= 30, "{}", unread.len());
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 * 1024 * 1024, "{} answers took {grown} bytes", unread.len());
    let (mut socket, status) = refused;
    assert_eq!(status, "HTTP/1.1 503");
    let mut rest = [0; 2048];
    let bytes = socket.read(&mut rest).unwrap();
    assert!(String::from_utf8_lossy(&rest[..bytes]).contains("\r\nretry-after: 5\r\n"));
    assert_eq!(desk.get("/", &[]).status, 200, "the page is there for everybody");
}

#[test]
fn who_asks_without_end_and_reads_nothing_is_let_go() {
    let desk = Desk::new();
    let mut socket = connect(desk.address());
    socket.set_write_timeout(Some(Duration::from_secs(40))).unwrap();
    socket2::SockRef::from(&socket).set_recv_buffer_size(16 * 1024).unwrap();
    let ask = format!("GET /privacy HTTP/1.1\r\nhost: {}\r\n\r\n", desk.address()).repeat(100);
    let started = Instant::now();
    let ended = loop {
        if let Err(error) = socket.write_all(ask.as_bytes()) {
            break error.kind();
        }
    };
    assert!(
        matches!(ended, std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe),
        "{ended:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let (mut came, mut piece) = (0, [0; 4096]);
    while let Ok(bytes @ 1..) = socket.read(&mut piece) {
        came += bytes;
    }
    assert!(came < 1024 * 1024, "{came} bytes were sent to nobody");
}

#[test]
fn heads_without_bodies_are_not_collected_either() {
    let desk = Desk::new();
    let tag = desk.get("/privacy", &[]).header("etag").unwrap().to_owned();
    let before = resident();
    let mut sockets = Vec::new();
    let ask = format!("GET /privacy HTTP/1.1\r\nhost: x\r\nif-none-match: {tag}\r\n\r\n").repeat(4000);
    for _ in 0..20 {
        let socket = connect(desk.address());
        socket2::SockRef::from(&socket).set_recv_buffer_size(4096).unwrap();
        socket.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        // The server stops reading, or the whole would be some six MB of answers.
        (&socket).write_all(ask.as_bytes()).ok();
        sockets.push(socket);
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 32 * 1024 * 1024, "{grown} bytes");
    assert_eq!(desk.get("/", &[]).status, 200);
}
