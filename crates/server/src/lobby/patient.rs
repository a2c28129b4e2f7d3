//! A connection that ends when its peer does not take an answer.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tenfour_protocol::limits::{ANSWER_BYTES_PER_SECOND, ANSWER_PATIENCE, HEADER_BYTES};
use tenfour_protocol::{Code, Refusal};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::flow::Flow;
use crate::http::in_bytes;
use crate::worker::Stream;

/// A stream that fails when its peer takes an answer too slowly, and then lets go of all that it has not taken.
pub(super) struct Patient {
    stream: Stream,
    flow: Arc<Flow>,
    /// What is sent in place of what hyper says by itself, as far as it is not sent yet.
    refusal: Vec<u8>,
    tls: bool,
    begun: Option<Begun>,
    alarm: Option<Pin<Box<Sleep>>>,
}

/// Something that is being written.
struct Begun {
    since: Instant,
    /// When the socket took something of it last.
    last: Instant,
    /// Bytes that it has taken.
    taken: u64,
}

impl Begun {
    fn now() -> Self {
        let now = Instant::now();
        Self { since: now, last: now, taken: 0 }
    }

    /// Until when the peer has time. The kernel takes the first bytes whatever the peer does, so they count for
    /// the pace only.
    fn until(&self) -> Instant {
        let pace = self.since + Duration::from_secs(self.taken / ANSWER_BYTES_PER_SECOND);
        self.last.min(pace) + ANSWER_PATIENCE
    }
}

impl Patient {
    pub(super) fn new(stream: Stream, flow: Arc<Flow>, tls: bool) -> Self {
        Self { stream, flow, refusal: Vec::new(), tls, begun: None, alarm: None }
    }

    /// Gives the stream back.
    pub(super) fn into_inner(self) -> Stream {
        self.stream
    }

    fn wrote(
        &mut self,
        wrote: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match wrote {
            Poll::Ready(Ok(bytes)) => {
                let begun = self.begun.get_or_insert_with(Begun::now);
                (begun.last, begun.taken) = (Instant::now(), begun.taken + bytes as u64);
                self.flow.owe();
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(failed) => Poll::Ready(failed),
            Poll::Pending => self.wait(context).map(Err),
        }
    }

    /// Replaces an answer that hyper makes by itself to a head that it cannot read: it has neither words nor the
    /// headers that each answer has. Returns how long it was.
    fn replace(&mut self, pieces: &[IoSlice<'_>]) -> Option<usize> {
        let first = pieces.iter().find(|piece| !piece.is_empty())?;
        let status = first.strip_prefix(b"HTTP/1.1 4").filter(|_| !self.flow.is_ours())?;
        let line =
            status.split(|byte| *byte == b'\r').next().and_then(|line| std::str::from_utf8(line).ok())?;
        let code = if line.starts_with("00 ") { Code::MalformedMessage } else { Code::MessageTooLarge };
        self.refusal = in_bytes(&format!("4{line}"), unread(code), self.tls);
        Some(pieces.iter().map(|piece| piece.len()).sum())
    }

    /// Sends what was put in place of it.
    fn poll_refuse(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.refusal.is_empty() {
            let wrote = Pin::new(&mut self.stream).poll_write(context, &self.refusal);
            let bytes = ready!(self.wrote(wrote, context))?;
            self.refusal.drain(..bytes);
        }
        Poll::Ready(Ok(()))
    }

    /// Called when the peer takes nothing: ready with an error when its time is over.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let until = self.begun.get_or_insert_with(Begun::now).until();
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if alarm.deadline() != until {
            alarm.as_mut().reset(until);
        }
        ready!(alarm.as_mut().poll(context));
        self.stream.reset_on_drop();
        Poll::Ready(ErrorKind::TimedOut.into())
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_refuse(context))?;
        if let Some(replaced) = this.replace(pieces) {
            return Poll::Ready(Ok(replaced));
        }
        let wrote = Pin::new(&mut this.stream).poll_write_vectored(context, pieces);
        this.wrote(wrote, context)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_refuse(context))?;
        match Pin::new(&mut this.stream).poll_flush(context) {
            Poll::Ready(Ok(())) => {
                (this.begun, this.alarm) = (None, None);
                this.flow.flushed();
                Poll::Ready(Ok(()))
            }
            Poll::Ready(failed) => Poll::Ready(failed),
            Poll::Pending => this.wait(context).map(Err),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_refuse(context))?;
        match Pin::new(&mut this.stream).poll_shutdown(context) {
            Poll::Pending => this.wait(context).map(Err),
            done => done,
        }
    }
}

/// Why a head was not read.
fn unread(code: Code) -> Refusal {
    match code {
        Code::MessageTooLarge => Refusal {
            hint: format!("Send at most {} KiB of headers.", HEADER_BYTES / 1024),
            ..Refusal::because(code, "The head of the request is too large.")
        },
        _ => Refusal {
            hint: "Send HTTP/1.1, or open the page in a browser.".into(),
            ..Refusal::because(code, "The request is not HTTP.")
        },
    }
}
