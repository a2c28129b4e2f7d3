//! One connection of the radio: a task that owns the socket.

use tenfour_core::radio::Input;
use tenfour_core::radio::limits::CONNECT_TIMEOUT;
use tenfour_protocol::{ClientMessage, Refusal};
use tenfour_websocket::Frame;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::server::Server;
use crate::socket::{Over, Socket};
use crate::stream::Stream;

/// Most messages that wait for the socket: some seconds of voice. If there are more, the link is dead.
const UP_QUEUE: usize = 256;

/// Tells the client what comes from the connection with this number.
pub(crate) type Downstream = mpsc::Sender<(u64, Input)>;

/// The client's end. Dropping it closes the socket.
pub(crate) struct Connection {
    up: mpsc::Sender<Said>,
    _here: oneshot::Sender<()>,
}

/// A message to the server. It is wiped when it is sent or dropped.
enum Said {
    Text(Zeroizing<String>),
    Voice(Zeroizing<Vec<u8>>),
}

impl Said {
    fn frame(&self) -> Frame<'_> {
        match self {
            Self::Text(text) => Frame::Text(text),
            Self::Voice(frame) => Frame::Binary(frame),
        }
    }
}

impl Connection {
    /// Opens a connection in the background; `number` marks what comes from it.
    pub(crate) fn open(server: Server, token: Zeroizing<String>, number: u64, down: Downstream) -> Self {
        let (up, waiting) = mpsc::channel(UP_QUEUE);
        let (here, gone) = oneshot::channel();
        tokio::spawn(async move {
            let refusal = open(server, token, number, &down, waiting, gone).await;
            // If the client is gone, nobody needs this.
            let _ = down.send((number, Input::Closed { refusal })).await;
        });
        Self { up, _here: here }
    }

    /// Sends a message. Returns false if the socket takes nothing any more.
    pub(crate) fn send(&self, message: &ClientMessage) -> bool {
        let text = serde_json::to_string(message).expect("messages are plain data");
        self.up.try_send(Said::Text(text.into())).is_ok()
    }

    /// Sends a voice frame. Returns false if the socket takes nothing any more.
    pub(crate) fn send_voice(&self, frame: Vec<u8>) -> bool {
        self.up.try_send(Said::Voice(frame.into())).is_ok()
    }
}

/// Opens the socket and runs it until the connection ends; returns what the server said about it.
async fn open(
    server: Server,
    token: Zeroizing<String>,
    number: u64,
    down: &Downstream,
    waiting: mpsc::Receiver<Said>,
    mut gone: oneshot::Receiver<()>,
) -> Option<Refusal> {
    let opened = tokio::select! {
        opened = timeout(CONNECT_TIMEOUT, server.upgrade(&token)) => opened,
        _ = &mut gone => return None,
    };
    drop(token);
    match opened {
        Ok(Ok((stream, early))) => run(Socket::new(stream), early, number, down, waiting, gone).await,
        Ok(Err(refusal)) => refusal,
        // The server accepts the connection but does not answer.
        Err(_) => None,
    }
}

/// Runs until the connection ends. `early` came together with the answer.
async fn run(
    mut socket: Socket<Stream>,
    mut early: Zeroizing<Vec<u8>>,
    number: u64,
    down: &Downstream,
    mut waiting: mpsc::Receiver<Said>,
    mut gone: oneshot::Receiver<()>,
) -> Option<Refusal> {
    let mut heard = vec![Input::Opened];
    let mut turned = socket.hear(&mut early, &mut heard);
    drop(early);
    let over = loop {
        for input in heard.drain(..) {
            down.send((number, input)).await.ok()?;
        }
        if let Err(over) = turned {
            break over;
        }
        turned = tokio::select! {
            turned = socket.turn(&mut heard) => turned,
            Some(said) = waiting.recv(), if !socket.is_busy() => socket.put(said.frame()).map_err(|_| Over::LOST),
            // The client is done with the connection, even if the server takes nothing.
            _ = &mut gone => {
                while let Ok(said) = waiting.try_recv() {
                    socket.put(said.frame()).ok()?;
                }
                Err(Over::LOST)
            }
        };
    };
    socket.good_bye(over.code).await;
    over.refusal
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
