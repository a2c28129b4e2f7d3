//! Just enough of HTTP/1.1 to register and to ask.

use std::io::{Read, Write};
use std::time::Duration;

use serde_json::Value;

use crate::line::{Door, Line};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// Posts and returns the body of a good answer.
pub(crate) fn post(door: Door, path: &str, body: &Value) -> Value {
    let mut line = door.connect();
    line.write_all(&request("POST", door, path, "connection: close\r\n", &body.to_string()))
        .expect("the server reads");
    let mut answer = String::new();
    line.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 20"), "{answer}");
    serde_json::from_str(body).expect("JSON")
}

/// A request with `headers`, each with its line's end.
pub(crate) fn request(method: &str, door: Door, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let (host, length) = (door.address, body.len());
    format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{headers}content-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// Reads one whole answer, and nothing behind it.
pub(crate) fn answer(line: &mut Line) -> (String, Vec<u8>) {
    let head = head(line);
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    line.read_exact(&mut body).expect("a body");
    (head, body)
}

/// The head of an answer.
pub(crate) fn head(line: &mut Line) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        line.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("text")
}
