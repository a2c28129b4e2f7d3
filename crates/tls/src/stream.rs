//! A session on a socket.

use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use zeroize::Zeroizing;

use crate::scratch;
use crate::session::{Error, RECORD, Session, append};

/// A TLS connection on top of `T`. Its buffers are those of the thread, and of the [`Session`].
pub struct Stream<T> {
    io: T,
    session: Session,
}

/// Lets a client in: waits for its handshake.
///
/// # Errors
/// When the client goes away, or the handshake fails; the alert was offered to the socket then.
pub async fn accept<T>(io: T, config: Arc<ServerConfig>) -> io::Result<Stream<T>>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let session = Session::server(config).map_err(over)?;
    Stream { io, session }.handshake().await
}

/// Comes to a server that has to prove that it is `name`.
///
/// # Errors
/// As for [`accept`]; a [`rustls::Error`] inside says why the handshake failed.
pub async fn connect<T>(io: T, config: Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<Stream<T>>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let session = Session::client(config, name).map_err(over)?;
    Stream { io, session }.handshake().await
}

impl<T> Stream<T> {
    /// The session and the socket, for who writes sealed rows past this stream.
    pub fn parts(&mut self) -> (&mut Session, &mut T) {
        (&mut self.session, &mut self.io)
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The socket.
    pub fn get_ref(&self) -> &T {
        &self.io
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream<T> {
    async fn handshake(mut self) -> io::Result<Self> {
        poll_fn(|context| self.poll_handshake(context)).await?;
        Ok(self)
    }

    fn poll_handshake(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_out(context))?;
            if self.session.is_open() {
                return Poll::Ready(Ok(()));
            }
            // A client may send its first words together with the end of the handshake, and its last, too.
            let came = ready!(self.poll_input(context, &mut ReadBuf::new(&mut [])))?;
            if !came || (self.session.peer_closed() && !self.session.is_open()) {
                return Poll::Ready(Err(ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// Sends what is pending.
    fn poll_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.is_pending() {
            let bytes = ready!(Pin::new(&mut self.io).poll_write(context, self.session.pending()))?;
            if bytes == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.session.sent(bytes);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads once, or takes what was left of the read before; plaintext goes to `buffer`, and what it has no
    /// room for stays in the session. False at the end of the connection.
    fn poll_input(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        let read = scratch::input(|scratch| self.read_with(scratch, context, buffer));
        if matches!(read, Poll::Ready(Err(_))) {
            // One try to say why.
            let _ = self.poll_out(context);
        }
        read
    }

    /// Reads into `scratch`: how much of it was used, and what [`Self::poll_input`] says.
    fn read_with(
        &mut self,
        scratch: &mut [u8],
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> (usize, Poll<io::Result<bool>>) {
        let Self { io, session } = self;
        let mut used = session.kept().len();
        scratch[..used].copy_from_slice(session.kept());
        if !session.has_more() {
            let mut behind = ReadBuf::new(&mut scratch[used..used + RECORD]);
            let read = Pin::new(io).poll_read(context, &mut behind);
            let came = behind.filled().len();
            match read {
                Poll::Ready(Ok(())) if came > 0 => used += came,
                other => return (used, other.map_ok(|()| false)),
            }
        }
        let (mut rest, before) = (Zeroizing::default(), buffer.filled().len());
        let read = session.read(&mut scratch[..used], |plain| {
            let (now, later) = plain.split_at(plain.len().min(buffer.remaining()));
            buffer.put_slice(now);
            if !later.is_empty() {
                append(&mut rest, later);
            }
            buffer.remaining() > 0
        });
        session.keep_plain(&rest);
        // Records before a bad one are good; the next read fails again.
        let read = if buffer.filled().len() > before { Ok(()) } else { read };
        (used, Poll::Ready(read.map(|()| true).map_err(over)))
    }
}

/// Keeps a [`rustls::Error`] where it is looked for.
fn over(error: Error) -> io::Error {
    match error {
        Error::Tls(error) => io::Error::new(ErrorKind::InvalidData, error),
        other => io::Error::new(ErrorKind::InvalidData, other),
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let before = buffer.filled().len();
            let taken = this.session.take_plain(buffer.initialize_unfilled());
            buffer.advance(taken);
            if taken > 0 || buffer.remaining() == 0 || this.session.peer_closed() {
                return Poll::Ready(Ok(()));
            }
            let read = this.poll_input(context, buffer);
            // Answers of the protocol itself: tickets, key updates. A full socket wakes this task, too.
            if let Poll::Ready(Err(error)) = this.poll_out(context) {
                return Poll::Ready(Err(error));
            }
            if !ready!(read)? {
                return Poll::Ready(Err(ErrorKind::UnexpectedEof.into()));
            }
            if buffer.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    /// Seals and sends; what the socket does not take then is pending, and counts as written.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_out(context))?;
        scratch::output(|plain, sealed| {
            for piece in pieces {
                let left = RECORD - plain.filled().len();
                plain.add([&piece[..piece.len().min(left)]]);
            }
            if plain.filled().is_empty() {
                return Poll::Ready(Ok(0));
            }
            let Some(record) = this.session.seal(plain.filled(), sealed) else {
                return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
            };
            let record = sealed.get(record);
            let sent = match Pin::new(&mut this.io).poll_write(context, record) {
                Poll::Ready(sent) => sent?,
                Poll::Pending => 0,
            };
            this.session.keep(&record[sent..]);
            Poll::Ready(Ok(plain.filled().len()))
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_out(context))?;
        Pin::new(&mut this.io).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.session.close();
        ready!(this.poll_out(context))?;
        Pin::new(&mut this.io).poll_shutdown(context)
    }
}
