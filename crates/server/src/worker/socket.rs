//! A stream that is plain or TLS.

use std::cell::RefCell;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use socket2::SockRef;
use tenfour_protocol::limits::ANSWER_PATIENCE;
use tenfour_tls::Session;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What the kernel keeps unsent for one listener before it says that it is full.
const UNSENT_BYTES: u32 = 16 * 1024;
/// What the kernel keeps for one listener at most; Linux takes twice the number.
const SEND_BUFFER_BYTES: usize = 32 * 1024;
/// What the kernel keeps of what a peer sent and nobody has read yet, at most; Linux takes twice the number, and
/// 6 MB where none is given. An honest peer sends 3 s of voice (24 KB) at once, or a body (16 KiB).
const RECEIVE_BUFFER_BYTES: usize = 32 * 1024;

/// What the kernel keeps of answers for one peer: a page on its way round half of the world.
const ANSWER_BUFFER_BYTES: usize = 64 * 1024;

/// Sets what each connection has from the start: the system hands on what its listener has. Little is kept of what
/// comes, and of the answers to a peer that takes none, and nothing of those for long.
pub(crate) fn set_up(listener: &socket2::Socket) -> io::Result<()> {
    // Small messages that wait for others would be late voice.
    listener.set_tcp_nodelay(true)?;
    // Larger queues cost memory, not service.
    listener.set_send_buffer_size(ANSWER_BUFFER_BYTES)?;
    listener.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    #[cfg(target_os = "linux")]
    {
        listener.set_tcp_notsent_lowat(UNSENT_BYTES)?;
        listener.set_tcp_user_timeout(Some(ANSWER_PATIENCE))?;
    }
    Ok(())
}

/// One connection.
pub(crate) enum Stream {
    Plain(Tcp),
    Tls(Box<tenfour_tls::Stream<Tcp>>),
}

/// A socket that is written to past the runtime, which would first look up what it knows of it: lines
/// of memory that nothing else touches for this listener. The runtime is asked when the socket is full.
pub(crate) struct Tcp(TcpStream);

impl Tcp {
    /// Puts a socket under the runtime of this thread.
    pub(crate) fn new(socket: std::net::TcpStream) -> io::Result<Self> {
        Ok(Self(TcpStream::from_std(socket)?))
    }

    /// Waits until something has come, or the other end is gone.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.0.readable().await
    }

    /// Writes what fits at once; None when nothing does.
    fn write(&self, pieces: &[IoSlice<'_>]) -> Option<io::Result<usize>> {
        let socket = SockRef::from(&self.0);
        let wrote = match pieces {
            // By far the most frequent; the kernel spends less on it than on a list of one.
            [one] => socket.send(one),
            several => socket.send_vectored(several),
        };
        let full = |error: &io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
        (!wrote.as_ref().is_err_and(full)).then_some(wrote)
    }
}

impl Stream {
    /// Puts the socket under the runtime of this thread, and takes it away from the one before. The rest stays
    /// where it is: keys that are moved leave copies.
    pub(super) fn move_here(&mut self) -> io::Result<()> {
        let tcp = match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(stream) => stream.parts().1,
        };
        *tcp = Tcp::new(tcp.0.as_fd().try_clone_to_owned()?.into())?;
        Ok(())
    }

    /// Keeps little for a listener that is slow, and nothing for longer than `hold`: what the other
    /// side has not taken by then, the kernel throws away with the connection.
    pub(super) fn keep_queues_short(&self, hold: Duration) {
        let socket = SockRef::from(self.tcp());
        // Larger queues cost memory, not service.
        socket.set_send_buffer_size(SEND_BUFFER_BYTES).ok();
        // Voice that lies there would outlive its hold.
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(hold)).ok();
    }

    /// Lets the kernel throw away what was not sent when the socket is dropped.
    pub(crate) fn reset_on_drop(&self) {
        // Without it the peer gets the rest, as with any other close.
        SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO)).ok();
    }

    /// Writes what fits at once. [`Poll::Pending`] when nothing does: `waker` is woken when something will.
    pub(super) fn put(&mut self, pieces: &[IoSlice<'_>], waker: &RefCell<Waker>) -> Poll<io::Result<usize>> {
        // Before the waker is looked for, which lies far away.
        if let Self::Plain(stream) = self
            && let Some(wrote) = stream.write(pieces)
        {
            return Poll::Ready(wrote);
        }
        Pin::new(self).poll_write_vectored(&mut Context::from_waker(&waker.borrow()), pieces)
    }

    /// True when what was written still waits here for the socket.
    pub(super) fn buffers(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(stream) => stream.session().is_pending(),
        }
    }

    /// Who seals what goes out, under TLS.
    pub(super) fn session(&mut self) -> Option<&mut Session> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => Some(stream.parts().0),
        }
    }

    /// Fetches the memory that sealing needs; the answer is worth nothing.
    pub(super) fn touch(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(stream) => stream.session().touch(),
        }
    }

    /// Whether what is sent has to be sealed.
    pub(super) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// The socket itself.
    pub(super) fn socket(&self) -> RawFd {
        self.tcp().as_raw_fd()
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => &stream.0,
            Self::Tls(stream) => &stream.get_ref().0,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => {
                // hyper reads each request into the room of the one before, whose token is there until then;
                // what is read into otherwise is wiped already, and this does nothing.
                buffer.initialize_unfilled();
                Pin::new(stream).poll_read(context, buffer)
            }
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.write(slices) {
            Some(wrote) => Poll::Ready(wrote),
            None => Pin::new(&mut self.get_mut().0).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::{Domain, Socket, Type};
    use std::net::{Ipv4Addr, SocketAddr};

    #[test]
    fn a_connection_has_what_its_listener_has() {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        set_up(&listener).unwrap();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        listener.listen(1).unwrap();
        let _peer =
            std::net::TcpStream::connect(listener.local_addr().unwrap().as_socket().unwrap()).unwrap();
        let (connection, _) = listener.accept().unwrap();
        assert!(connection.tcp_nodelay().unwrap());
        assert!(connection.send_buffer_size().unwrap() <= 2 * ANSWER_BUFFER_BYTES);
        assert!(connection.recv_buffer_size().unwrap() <= 2 * RECEIVE_BUFFER_BYTES);
        #[cfg(target_os = "linux")]
        {
            assert_eq!(connection.tcp_notsent_lowat().unwrap(), UNSENT_BYTES);
            assert_eq!(connection.tcp_user_timeout().unwrap(), Some(ANSWER_PATIENCE));
        }
    }
}
