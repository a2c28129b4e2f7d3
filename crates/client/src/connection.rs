//! One connection of the radio: a task that owns the socket.

use futures_util::{SinkExt, StreamExt};
use tenfour_core::radio::Input;
use tenfour_protocol::limits::CONTROL_QUEUE_BYTES;
use tenfour_protocol::{ClientMessage, Code, RADIO_PATH, Refusal, SUBPROTOCOL};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use zeroize::Zeroizing;

use crate::http::problem;
use crate::server::{Server, Stream};

/// Messages that may wait for the socket: some seconds of voice. More, and the link is dead.
const UPSTREAM: usize = 256;

/// Tells the client what comes from the connection with this number.
pub(crate) type Downstream = mpsc::Sender<(u64, Input)>;

/// The client's end. Dropping it closes the socket.
pub(crate) struct Connection {
    up: mpsc::Sender<Message>,
}

impl Connection {
    /// Opens a connection in the background; `number` marks what comes from it.
    pub(crate) fn open(server: Server, token: Zeroizing<String>, number: u64, down: Downstream) -> Self {
        let (up, waiting) = mpsc::channel(UPSTREAM);
        tokio::spawn(async move {
            let refusal = run(server, token, number, &down, waiting).await;
            // When the client is gone, nobody wants to know.
            let _ = down.send((number, Input::Closed { refusal })).await;
        });
        Self { up }
    }

    /// Sends a message; false when the socket takes nothing any more.
    pub(crate) fn send(&self, message: &ClientMessage) -> bool {
        let text = serde_json::to_string(message).expect("messages are plain data");
        self.up.try_send(Message::text(text)).is_ok()
    }

    /// Sends a voice frame; false when the socket takes nothing any more.
    pub(crate) fn send_voice(&self, frame: Vec<u8>) -> bool {
        self.up.try_send(Message::binary(frame)).is_ok()
    }
}

/// Runs until the connection ends; returns what the server said about it.
async fn run(
    server: Server,
    token: Zeroizing<String>,
    number: u64,
    down: &Downstream,
    mut waiting: mpsc::Receiver<Message>,
) -> Option<Refusal> {
    let mut socket = match upgrade(&server, &token).await {
        Ok(socket) => socket,
        Err(refusal) => return refusal,
    };
    down.send((number, Input::Opened)).await.ok()?;
    loop {
        tokio::select! {
            message = socket.next() => match message? {
                Ok(Message::Close(frame)) => return frame.and_then(|frame| closed(&frame)),
                Ok(message) => {
                    if let Some(input) = input(message) {
                        down.send((number, input)).await.ok()?;
                    }
                }
                Err(_) => return None,
            },
            message = waiting.recv() => match message {
                Some(message) => socket.send(message).await.ok()?,
                None => {
                    // The client is done with it. An answer to the close frame is not waited for.
                    let _ = socket.close(None).await;
                    return None;
                }
            },
        }
    }
}

async fn upgrade(server: &Server, token: &str) -> Result<WebSocketStream<Box<dyn Stream>>, Option<Refusal>> {
    let stream = server.connect().await.map_err(|_| None)?;
    let uri = format!("ws://{}{RADIO_PATH}", server.authority()).parse().map_err(|_| None)?;
    let request = ClientRequestBuilder::new(uri)
        .with_sub_protocol(SUBPROTOCOL)
        .with_header("Authorization", format!("Bearer {token}"));
    // Small buffers: a client has one socket, and voice should not lie about in large ones.
    let config = WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0)
        .max_message_size(Some(CONTROL_QUEUE_BYTES))
        .max_frame_size(Some(CONTROL_QUEUE_BYTES));
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => {
            let told = answer.body().as_deref().and_then(problem);
            Err(told.or_else(|| by_status(answer.status().as_u16()).map(Refusal::from)))
        }
        Err(_) => Err(None),
    }
}

/// What a message of the socket is to the radio.
fn input(message: Message) -> Option<Input> {
    match message {
        // A type this version does not know is no error: the server may be newer.
        Message::Text(text) => serde_json::from_str(&text).ok().map(Input::Message),
        Message::Binary(bytes) => Some(Input::Voice(bytes.into())),
        Message::Ping(_) => Some(Input::Alive),
        Message::Pong(_) | Message::Close(_) | Message::Frame(_) => None,
    }
}

/// The reason of a close frame is the code of a refusal.
fn closed(frame: &CloseFrame) -> Option<Refusal> {
    let code: Code = serde_json::from_value(frame.reason.as_str().into()).ok()?;
    Some(code.into())
}

/// For an answer whose body did not come along.
fn by_status(status: u16) -> Option<Code> {
    match status {
        401 => Some(Code::NotLoggedIn),
        403 => Some(Code::ForeignOrigin),
        404 => Some(Code::NotFound),
        426 => Some(Code::UpgradeExpected),
        429 => Some(Code::TooManyRequests),
        _ => None,
    }
}
