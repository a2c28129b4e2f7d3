//! A server that lies: whoever listens is sent bursts whose clocks run away.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use tenfour_protocol::{BurstNo, UserId, VoiceFrame};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;

/// One burst: frames that are all alike, as fast as they are taken.
#[derive(Clone, Copy)]
pub(crate) struct Lie {
    pub(crate) frames: u16,
    /// Further than the one before.
    pub(crate) seq: u16,
    /// Further than the one before.
    pub(crate) media: u32,
    pub(crate) payload: &'static [u8],
}

/// It answers until the test ends.
pub(crate) struct Liar {
    pub(crate) url: String,
}

impl Liar {
    pub(crate) fn start(lies: Vec<Lie>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let lies = lies.clone();
                std::thread::spawn(move || serve(&stream, &lies));
            }
        });
        Self { url }
    }
}

/// Requests, one after the other, until one of them is the radio.
fn serve(stream: &TcpStream, lies: &[Lie]) {
    let mut reader = BufReader::new(stream);
    while let Some((line, headers)) = request(&mut reader) {
        let me = UserId::of_key(&[7; 32]);
        let body = match line.split(' ').nth(1).expect("a path") {
            "/api/v1/nonce" => {
                json!({ "nonce": BASE64URL_NOPAD.encode(&[1; 32]), "expiry": 4_000_000_000u64 })
            }
            "/api/v1/login" | "/api/v1/register" => {
                json!({ "user": me, "tag": me.tag(), "handle": "Bob", "token": "token" })
            }
            "/api/v1/radio" => return radio(stream, &headers, lies),
            _ => json!(null),
        };
        let body = body.to_string();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        if (&*stream).write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

/// The first line of a request and its header lines; its body is read and forgotten.
fn request(reader: &mut BufReader<&TcpStream>) -> Option<(String, Vec<String>)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let length = header(&lines, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    reader.read_exact(&mut vec![0; length]).ok()?;
    let first = lines.remove(0);
    Some((first, lines))
}

fn header<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    let split = |line: &'a String| line.split_once(": ");
    lines.iter().filter_map(split).find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn radio(mut stream: &TcpStream, headers: &[String], lies: &[Lie]) {
    let key = header(headers, "sec-websocket-key").expect("an upgrade").to_owned();
    let accept = BASE64.encode(&Sha1::digest(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-protocol: tenfour.v1\r\nsec-websocket-accept: {accept}\r\n\r\n"
    );
    let mut told = || -> std::io::Result<()> {
        stream.write_all(answer.as_bytes())?;
        let who = json!({ "id": 1, "handle": "Bob", "tag": UserId::of_key(&[7; 32]).tag() });
        say(
            stream,
            &json!({
                "type": "welcome", "you": who, "resume": "", "resumed": false, "tuned": [], "hold_ms": 10_000,
                "talk_limit_ms": 60_000, "epoch_in_ms": 400_000, "host": "Liar", "server": "liar 1",
            }),
        )?;
        say(
            stream,
            &json!({
                "type": "tuned", "channel": "19", "count": 1, "participants": [who], "pages": 1,
            }),
        )?;
        for (burst, lie) in (1..).zip(lies) {
            tell(stream, burst, lie)?;
        }
        Ok(())
    };
    // The listener may have heard enough and be gone.
    if told().is_ok() {
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

fn tell(stream: &TcpStream, burst: u32, lie: &Lie) -> std::io::Result<()> {
    let talker = json!({ "id": 2, "handle": "Ann", "tag": UserId::of_key(&[8; 32]).tag() });
    say(
        stream,
        &json!({
            "type": "burst.started", "burst": burst, "channel": "19", "talker": talker, "codec": "opus", "frame_ms": 20,
        }),
    )?;
    let mut bytes = Vec::new();
    for n in 0..lie.frames {
        let (seq, media_time) = (n * lie.seq, u32::from(n).wrapping_mul(lie.media));
        let frame = VoiceFrame { burst: BurstNo(burst), seq, media_time, last: false, payload: lie.payload };
        message(&mut bytes, BINARY, &frame.to_bytes());
    }
    (&*stream).write_all(&bytes)?;
    let frames = u32::from(lie.frames) * u32::from(lie.seq);
    say(stream, &json!({ "type": "burst.ended", "burst": burst, "frames": frames, "reason": "released" }))
}

fn say(mut stream: &TcpStream, text: &Value) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    message(&mut bytes, TEXT, text.to_string().as_bytes());
    stream.write_all(&bytes)
}

/// RFC 6455, 5.2: a server does not mask.
fn message(bytes: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    bytes.push(kind);
    match u8::try_from(payload.len()).ok().filter(|length| *length < 126) {
        Some(length) => bytes.push(length),
        None => {
            bytes.push(126);
            bytes.extend(u16::try_from(payload.len()).expect("short").to_be_bytes());
        }
    }
    bytes.extend(payload);
}
