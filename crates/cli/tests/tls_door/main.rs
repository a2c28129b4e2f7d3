//! Who comes to the TLS door of a real server, under TLS 1.2 and 1.3: programs that people use, and attackers, some
//! sixty of them: each gets what is due to them, and whatever it was, the server goes on for everybody else.
#![cfg(target_os = "linux")]

#[path = "../secrets/http.rs"]
#[allow(dead_code, reason = "shared with the tests of secrets")]
mod http;
#[path = "../secrets/line.rs"]
#[allow(dead_code, reason = "shared with the tests of secrets")]
mod line;
#[path = "../secrets/queues.rs"]
#[allow(dead_code, reason = "shared with the tests of secrets")]
mod queues;
#[path = "../secrets/recorder.rs"]
#[allow(dead_code, reason = "shared with the tests of secrets")]
mod recorder;
#[path = "../secrets/server.rs"]
#[allow(dead_code, reason = "shared with the tests of secrets")]
mod server;
#[path = "../secrets/socket.rs"]
#[allow(dead_code, reason = "shared with the tests of secrets")]
mod socket;

mod after;
mod before;
mod peer;
mod radio;
mod table;
mod tools;
