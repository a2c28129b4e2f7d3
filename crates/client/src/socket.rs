//! The client's end of the radio's WebSocket. Input is read into one buffer, which is wiped after each use. Output is
//! masked in another, which is wiped when it is sent.

use std::future::{pending, poll_fn};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tenfour_core::radio::Input;
use tenfour_core::radio::limits::DEAD_TIME;
use tenfour_protocol::limits::{CONTROL_QUEUE_BYTES, VOICE_HEADER_BYTES, VOICE_PAYLOAD_BYTES};
use tenfour_protocol::{Code, Refusal};
use tenfour_websocket::{Decoder, Event, Frame, Peer};
use tokio::io::{AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep_until, timeout};
use zeroize::{Zeroize, Zeroizing};

use crate::stream::Carrier;

/// Bytes that are read at once: a TLS record.
const SCRATCH_BYTES: usize = 16 * 1024;
/// Time for the server to take the last message and the close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// What the server may send.
enum Server {}

impl Peer for Server {
    const MASKS: bool = false;
    const TEXT_BYTES: usize = CONTROL_QUEUE_BYTES;
    const BINARY_BYTES: usize = VOICE_HEADER_BYTES + VOICE_PAYLOAD_BYTES;
}

/// Why a connection is over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Over {
    /// What the server said about it.
    pub(crate) refusal: Option<Refusal>,
    /// The close code that it is answered with.
    pub(crate) code: Option<u16>,
}

impl Over {
    /// The connection was lost, and the server said nothing.
    pub(crate) const LOST: Self = Self { refusal: None, code: None };
}

/// A socket after its handshake.
pub(crate) struct Socket<S> {
    stream: S,
    decoder: Decoder<Server>,
    scratch: Zeroizing<Vec<u8>>,
    /// What has to be sent, from `sent` on.
    out: Zeroizing<Vec<u8>>,
    sent: usize,
    /// Payload of the last ping, which is the one to be answered: RFC 6455, 5.5.3.
    ping: Option<Zeroizing<Vec<u8>>>,
    /// Since when the first byte of an unfinished message is kept.
    message: Option<Instant>,
    /// The same for a TLS record.
    record: Option<Instant>,
    /// How many records had come whole by then.
    records: u64,
}

impl<S: Carrier> Socket<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            decoder: Decoder::default(),
            scratch: Zeroizing::new(vec![0; SCRATCH_BYTES]),
            out: Zeroizing::default(),
            sent: 0,
            ping: None,
            message: None,
            record: None,
            records: 0,
        }
    }

    /// Whether something waits to be sent.
    pub(crate) fn is_busy(&self) -> bool {
        self.sent < self.out.len() || self.ping.is_some()
    }

    /// Queues `frame`.
    pub(crate) fn put(&mut self, frame: Frame<'_>) -> io::Result<()> {
        let mask = getrandom::u32().map_err(|error| io::Error::other(error.to_string()))?;
        frame.put(mask.to_ne_bytes(), &mut self.out);
        Ok(())
    }

    /// Waits until something has come or everything is sent. Appends what has come to `heard`, even if the connection
    /// is over then. Dropping the future loses nothing.
    pub(crate) async fn turn(&mut self, heard: &mut Vec<Input>) -> Result<(), Over> {
        let unfinished = self.unfinished();
        tokio::select! {
            // The clock comes first: a server that always sends something must not keep it from running out.
            biased;
            () = until(unfinished.map(|since| since + DEAD_TIME)) => Err(Over::LOST),
            turned = poll_fn(|context| self.poll(context, heard)) => turned,
        }
    }

    /// Decodes what came, in place. After an error no more input is allowed.
    pub(crate) fn hear(&mut self, bytes: &mut [u8], heard: &mut Vec<Input>) -> Result<(), Over> {
        let (mut alive, mut closed) = (false, None);
        let ping = &mut self.ping;
        let fed = self.decoder.feed(bytes, |event| match event {
            // A type that this version does not know is no error, since the server may be newer.
            Event::Text(text) => heard.extend(serde_json::from_str(text).ok().map(Input::Message)),
            Event::Binary(frame) => heard.push(Input::Voice(frame.to_vec())),
            Event::Ping(payload) => {
                *ping = Some(Zeroizing::new(payload.to_vec()));
                alive = true;
            }
            Event::Pong => {}
            Event::Close { code, reason } => closed = Some(Over { refusal: by_reason(reason), code }),
        });
        bytes.zeroize();
        self.note_unfinished();
        heard.extend(alive.then_some(Input::Alive));
        match (fed, closed) {
            (Err(violation), _) => Err(Over { refusal: None, code: Some(violation.close_code()) }),
            (Ok(()), Some(over)) => Err(over),
            (Ok(()), None) => Ok(()),
        }
    }

    /// Sends what waits and a close frame, if the server takes that soon, and closes. It does not wait for the
    /// answer.
    pub(crate) async fn good_bye(mut self, code: Option<u16>) {
        let bye = async {
            self.put(Frame::Close(code))?;
            poll_fn(|context| self.poll_out(context)).await?;
            self.stream.shutdown().await
        };
        // A server that does not take it in time does not get it.
        let _taken_or_not = timeout(CLOSE_TIMEOUT, bye).await;
    }

    fn poll(&mut self, context: &mut Context<'_>, heard: &mut Vec<Input>) -> Poll<Result<(), Over>> {
        let was_busy = self.is_busy();
        if let Poll::Ready(Err(_)) = self.poll_out(context) {
            return Poll::Ready(Err(Over::LOST));
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut buffer = ReadBuf::new(&mut scratch);
        let read = Pin::new(&mut self.stream).poll_read(context, &mut buffer);
        let bytes = buffer.filled().len();
        let turned = match read {
            Poll::Ready(Ok(())) if bytes > 0 => Poll::Ready(self.hear(&mut scratch[..bytes], heard)),
            Poll::Ready(_) => Poll::Ready(Err(Over::LOST)),
            Poll::Pending => {
                // A part of a record may have come, and then there is a new deadline.
                let before = self.unfinished();
                self.note_unfinished();
                let is_sent = was_busy && !self.is_busy();
                if is_sent || self.unfinished() != before { Poll::Ready(Ok(())) } else { Poll::Pending }
            }
        };
        self.scratch = scratch;
        turned
    }

    /// Sends what waits; what was sent is wiped.
    fn poll_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.sent == self.out.len() {
                self.out.zeroize();
                self.sent = 0;
                let Some(payload) = self.ping.take() else { break };
                self.put(Frame::Pong(&payload))?;
            }
            let bytes = ready!(Pin::new(&mut self.stream).poll_write(context, &self.out[self.sent..]))?;
            if bytes == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.sent += bytes;
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Since when the first byte of unfinished input is kept.
    fn unfinished(&self) -> Option<Instant> {
        [self.message, self.record].into_iter().flatten().min()
    }

    /// Updates since when unfinished input is kept.
    fn note_unfinished(&mut self) {
        let since = |before: Option<Instant>, keeps: bool, anew: bool| {
            keeps.then(|| before.filter(|_| !anew).unwrap_or_else(Instant::now))
        };
        let anew = self.decoder.take_emptied();
        self.message = since(self.message, self.decoder.is_unfinished(), anew);
        if let Some(session) = self.stream.session() {
            let anew = std::mem::replace(&mut self.records, session.records()) != session.records();
            self.record = since(self.record, !session.kept().is_empty(), anew);
        }
    }
}

/// The reason of a close frame is the code of a refusal.
fn by_reason(reason: &str) -> Option<Refusal> {
    let code: Code = serde_json::from_value(reason.into()).ok()?;
    Some(code.into())
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
