//! A client of the radio socket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tenfour_protocol::{BurstNo, VoiceFrame};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::desk::Desk;

/// Longer than anything here takes.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Radio<S = TcpStream> {
    socket: WebSocketStream<S>,
    pub(crate) welcome: Value,
}

/// What a server sends.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Message(Value),
    Voice(Vec<u8>),
    Closed(u16, String),
}

/// A request for the radio, as a program sends it.
pub(crate) fn radio_request(url: &str, token: &str) -> Request<()> {
    let url = format!("{}/api/v1/radio", url.replacen("http", "ws", 1));
    let mut request = url.into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", "tenfour.v1".parse().unwrap());
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// A voice frame with a well-formed 20 ms Opus packet of `bytes` bytes that tells itself apart.
pub(crate) fn frame(burst: u32, seq: u16, bytes: usize, last: bool) -> Vec<u8> {
    let mut payload = vec![0; bytes];
    payload.iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 31 + usize::from(seq)) as u8);
    // TOC: SILK, narrow band, 20 ms, one frame.
    payload[0] = 1 << 3;
    let media_time = u32::from(seq) * 960;
    VoiceFrame { burst: BurstNo(burst), seq, media_time, last, payload: &payload }.to_bytes()
}

impl Radio {
    /// A socket that has said hello.
    pub(crate) async fn open(desk: &Desk, token: &str) -> Self {
        Self::arrive(desk, token, json!({})).await
    }

    pub(crate) async fn resume(desk: &Desk, token: &str, resume: Value) -> Self {
        Self::arrive(desk, token, json!({ "resume": resume })).await
    }

    /// Says `more` with its hello.
    pub(crate) async fn arrive(desk: &Desk, token: &str, more: Value) -> Self {
        let stream = TcpStream::connect(desk.address()).await.unwrap();
        Self::over(stream, desk.url(), token, more).await
    }

    /// Registers, opens, tunes to channel 19.
    pub(crate) async fn tuned(desk: &Desk, seed: u8, handle: &str) -> Self {
        let token = desk.register(seed, handle);
        let mut radio = Self::open(desk, &token).await;
        radio.tune("19").await;
        radio
    }

    /// Ends the connection without a word, like a dead battery that is noticed.
    pub(crate) fn kill(self) {
        self.socket.get_ref().set_zero_linger().unwrap();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Radio<S> {
    pub(crate) async fn over(stream: S, url: &str, token: &str, more: Value) -> Self {
        Self::asked(stream, radio_request(url, token), more).await
    }

    /// With a request of one's own.
    pub(crate) async fn asked(stream: S, request: Request<()>, more: Value) -> Self {
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await.expect("an upgrade");
        let mut radio = Self { socket, welcome: Value::Null };
        let mut hello = json!({ "type": "hello", "client": "test 1" });
        for (name, value) in more.as_object().into_iter().flatten() {
            hello[name] = value.clone();
        }
        radio.send(hello).await;
        radio.welcome = radio.expect("welcome").await;
        radio
    }

    pub(crate) async fn tune(&mut self, channel: &str) -> Value {
        self.send(json!({ "type": "tune", "channel": channel })).await;
        self.expect("tuned").await
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The same to a server that may have closed.
    pub(crate) async fn try_send(&mut self, message: Value) -> Result<(), Error> {
        self.socket.send(Message::text(message.to_string())).await
    }

    pub(crate) async fn press(&mut self, burst: u32) {
        let start = json!({ "type": "burst.start", "channel": "19", "burst": burst, "codec": "opus", "frame_ms": 20 });
        self.send(start).await;
    }

    pub(crate) async fn voice(&mut self, frame: Vec<u8>) {
        self.socket.send(Message::binary(frame)).await.unwrap();
    }

    pub(crate) async fn release(&mut self, burst: u32, frames: u32) {
        self.send(json!({ "type": "burst.end", "burst": burst, "frames": frames })).await;
    }

    /// The next thing that is no ping.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            match timeout(TIMEOUT, self.socket.next()).await.expect("something in time") {
                Some(Ok(Message::Text(text))) => return Heard::Message(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Binary(bytes))) => return Heard::Voice(bytes.to_vec()),
                Some(Ok(Message::Close(frame))) => {
                    let frame = frame.expect("a code");
                    return Heard::Closed(frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(_)) => {}
                None | Some(Err(Error::ConnectionClosed | Error::Io(_) | Error::Protocol(_))) => {
                    return Heard::Closed(1006, String::new());
                }
                Some(Err(error)) => panic!("{error}"),
            }
        }
    }

    /// The next message of a type; others are passed over.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        loop {
            match self.hear().await {
                Heard::Message(message) if message["type"] == kind => return message,
                Heard::Closed(code, reason) => panic!("closed with {code} {reason} instead of {kind}"),
                Heard::Message(_) | Heard::Voice(_) => {}
            }
        }
    }

    /// Says good-bye, as a browser does whose page is closed.
    pub(crate) async fn leave(mut self) {
        let frame = CloseFrame { code: CloseCode::Away, reason: "".into() };
        self.socket.close(Some(frame)).await.unwrap();
        self.closed().await;
    }

    /// The close code and reason; what comes before is passed over.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Heard::Closed(code, reason) = self.hear().await {
                return (code, reason);
            }
        }
    }

    /// Everything of the next burst, from `burst.started` to `burst.ended`.
    pub(crate) async fn burst(&mut self) -> (Value, Vec<Vec<u8>>, Value) {
        let started = self.expect("burst.started").await;
        let mut frames = Vec::new();
        loop {
            match self.hear().await {
                Heard::Voice(frame) => frames.push(frame),
                Heard::Message(message) if message["type"] == "burst.ended" => {
                    return (started, frames, message);
                }
                Heard::Message(_) => {}
                Heard::Closed(code, reason) => panic!("closed with {code} {reason} in a burst"),
            }
        }
    }
}
