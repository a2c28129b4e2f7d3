//! One radio socket.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Duration;

use tenfour_protocol::{ClientMessage, Code, RADIO_PATH, SUBPROTOCOL, ServerMessage};
use tokio_tungstenite::tungstenite::client::{ClientRequestBuilder, client};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};

use super::keys::Key;

/// A server that hangs ends the hunt.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that blocks.
pub(super) struct Line {
    socket: WebSocket<TcpStream>,
    pings: u32,
}

impl Line {
    /// Opens a socket for a log-in. Nothing is said on it yet.
    pub(super) fn open(url: &str, key: &Key) -> Self {
        let (_, authority) = url.split_once("://").expect("a URL");
        let stream = TcpStream::connect(authority).expect("the server listens");
        stream.set_read_timeout(Some(READ_TIMEOUT)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        let uri = format!("ws://{authority}{RADIO_PATH}").parse().expect("a URI");
        let request = ClientRequestBuilder::new(uri)
            .with_sub_protocol(SUBPROTOCOL)
            .with_header("Authorization", format!("Bearer {}", key.token()));
        let (socket, _) = client(request, stream).expect("an upgrade");
        Self { socket, pings: 0 }
    }

    pub(super) fn say(&mut self, message: &ClientMessage) {
        self.say_text(&serde_json::to_string(message).expect("plain data"));
    }

    pub(super) fn say_text(&mut self, text: &str) {
        self.send(Message::text(text));
    }

    pub(super) fn say_voice(&mut self, frame: Vec<u8>) {
        self.send(Message::binary(frame));
    }

    /// Takes messages until one is the right one.
    pub(super) fn wait_for(&mut self, is_right: impl Fn(&ServerMessage) -> bool) {
        while !is_right(&self.next()) {}
    }

    /// Everything that came, up to the answers to all that was said. An answer to a `ping` may overtake a burst that
    /// begins, but the answer to the next `ping` does not.
    pub(super) fn fence(&mut self) -> Vec<ServerMessage> {
        let mut came = Vec::new();
        for _ in 0..2 {
            self.pings += 1;
            let ping = self.pings;
            self.say(&ClientMessage::Ping { n: ping });
            loop {
                match self.next() {
                    ServerMessage::Pong { n } if n == ping => break,
                    // The answer to a `ping` before `hello`.
                    ServerMessage::Error { refusal } if refusal.code == Code::HelloExpected => break,
                    message => came.push(message),
                }
            }
        }
        came
    }

    /// Says good-bye.
    pub(super) fn leave(&mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        // Reads what is still on its way: with unread bytes, the socket would be reset and the good-bye lost.
        if self.socket.close(Some(frame)).is_ok() {
            while self.socket.read().is_ok() {}
        }
    }

    /// From now on only [`Line::poll`] reads.
    pub(super) fn asks(&self) {
        self.socket.get_ref().set_nonblocking(true).expect("a socket that does not wait");
    }

    /// What has come, if anything has.
    pub(super) fn poll(&mut self) -> Option<Message> {
        match self.socket.read() {
            Ok(message) => Some(message),
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("the server answers: {error}"),
        }
    }

    /// A ping of the WebSocket's own, which the server answers at once.
    pub(super) fn ping(&mut self) {
        self.send(Message::Ping(Vec::new().into()));
    }

    /// A message and a frame in one packet.
    pub(super) fn say_with_voice(&mut self, message: &ClientMessage, frame: Vec<u8>) {
        let text = serde_json::to_string(message).expect("plain data");
        self.socket.write(Message::text(text)).expect("the server takes it");
        self.send(Message::binary(frame));
    }

    fn send(&mut self, message: Message) {
        self.socket.send(message).expect("the server takes it");
    }

    fn next(&mut self) -> ServerMessage {
        loop {
            if let Message::Text(text) = self.socket.read().expect("the server answers") {
                return serde_json::from_str(&text).expect("a known message");
            }
        }
    }
}
