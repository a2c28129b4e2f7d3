//! What a client must not do on the socket, and what the server makes of it.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::desk::Desk;
use crate::http::connect;
use crate::radio::Radio;

/// A socket after the upgrade, byte by byte.
pub(crate) struct Raw(pub(crate) TcpStream);

/// A frame of the server.
#[derive(Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl Raw {
    /// Sends `early` together with the request.
    pub(crate) fn open(desk: &Desk, token: &str, early: &[u8]) -> Self {
        let mut socket = connect(desk.address());
        let head = format!(
            "GET /api/v1/radio HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-protocol: tenfour.v1\r\nauthorization: Bearer {token}\r\n\r\n",
            desk.address()
        );
        socket.write_all(&[head.as_bytes(), early].concat()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "));
        Self(socket)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// The next frame, or nothing at the end.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).ok()?;
        assert_eq!(head[0] & 0x70, 0, "no extension was agreed on");
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.0.read_exact(&mut length).ok()?;
                usize::from(u16::from_be_bytes(length))
            }
            short @ 0..126 => usize::from(short),
            _ => panic!("a server's frame is not masked, and not that long"),
        };
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).ok()?;
        Some(Frame { opcode: head[0] & 0x0f, payload })
    }

    /// The code of the close frame, and then the end.
    fn close_code(&mut self) -> u16 {
        loop {
            let frame = self.next().expect("a close frame before the end");
            if frame.opcode == 8 {
                assert_eq!(self.next(), None);
                return u16::from_be_bytes([frame.payload[0], frame.payload[1]]);
            }
        }
    }
}

/// A masked frame.
pub(crate) fn client(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | short as u8),
        long => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
    }
    let mask = [1, 2, 3, 4];
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

pub(crate) fn hello() -> Vec<u8> {
    json!({ "type": "hello", "client": "raw 1" }).to_string().into_bytes()
}

#[test]
fn each_violation_has_its_close_code_and_others_go_on() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let mut witness = Raw::open(&desk, &token, &client(0x81, &hello()));
    let mut unmasked = client(0x81, b"Hi");
    unmasked[1] &= 0x7f;
    let cases: [(&str, Vec<u8>, u16); 9] = [
        ("garbage", vec![0xff; 300], 1002),
        ("HTTP again", b"GET / HTTP/1.1\r\n\r\n".to_vec(), 1002),
        ("no mask", unmasked, 1002),
        ("compressed", client(0xc1, b"Hi"), 1002),
        ("nothing to continue", client(0x80, b"Hi"), 1002),
        ("long ping", client(0x89, &[0; 126]), 1002),
        ("no text", client(0x81, &[0xff, 0xfe]), 1007),
        ("long text", client(0x81, &[b' '; 4097]), 1009),
        ("long voice", client(0x82, &[0x10; 4097]), 1009),
    ];
    for (name, bytes, code) in cases {
        let mut socket = Raw::open(&desk, &token, &client(0x81, &hello()));
        socket.send(&bytes);
        assert_eq!(socket.close_code(), code, "{name}");
    }
    witness.send(&client(0x89, b"still there?"));
    loop {
        let frame = witness.next().expect("an answer");
        if frame.opcode == 10 {
            assert_eq!(frame.payload, b"still there?");
            break;
        }
    }
}

#[test]
fn a_message_in_pieces_with_a_ping_between_is_one_message() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let hello = hello();
    let mut socket = Raw::open(&desk, &token, b"");
    let bytes = [client(0x01, &hello[..9]), client(0x89, b"p"), client(0x80, &hello[9..])].concat();
    for byte in bytes {
        socket.send(&[byte]);
    }
    assert_eq!(socket.next(), Some(Frame { opcode: 10, payload: b"p".to_vec() }));
    let welcome = socket.next().unwrap();
    assert!(welcome.payload.starts_with(b"{\"type\":\"welcome\""), "{welcome:?}");
}

#[test]
fn bytes_that_come_with_the_request_are_not_lost() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let mut socket = Raw::open(&desk, &token, &client(0x81, &hello()));
    assert!(socket.next().unwrap().payload.starts_with(b"{\"type\":\"welcome\""));
}

#[test]
fn a_close_is_answered_and_then_the_connection_ends() {
    let desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let mut socket = Raw::open(&desk, &token, &client(0x81, &hello()));
    socket.send(&client(0x88, &[&4321u16.to_be_bytes()[..], b"bye"].concat()));
    assert_eq!(socket.close_code(), 4321);
    let mut socket = Raw::open(&desk, &token, b"");
    socket.send(&client(0x88, b""));
    assert_eq!(socket.next(), Some(Frame { opcode: 8, payload: vec![] }));
    assert_eq!(socket.next(), None);
}

#[tokio::test]
async fn a_message_that_is_not_of_the_protocol_is_refused_and_the_connection_goes_on() {
    let desk = Desk::new();
    let mut radio = Radio::tuned(&desk, 1, "Roadrunner").await;
    for wrong in
        [json!({ "type": "shout" }), json!({ "type": "ping", "n": 1, "x": 2 }), json!([]), json!("x")]
    {
        radio.send(wrong).await;
        assert_eq!(radio.expect("error").await["code"], "malformed_message");
    }
    radio.voice(vec![0x10; 20]).await;
    assert_eq!(radio.expect("error").await["code"], "malformed_frame");
    radio.send(json!({ "type": "ping", "n": 7 })).await;
    assert_eq!(radio.expect("pong").await["n"], 7);
}

#[tokio::test]
async fn a_client_that_never_stops_sending_is_closed() {
    let desk = Desk::new();
    let mut radio = Radio::tuned(&desk, 1, "Roadrunner").await;
    for n in 0..130 {
        radio.send(json!({ "type": "ping", "n": n })).await;
    }
    assert_eq!(radio.closed().await, (1008, "too_many_messages".into()));
}
