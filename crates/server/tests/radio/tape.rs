//! Every byte that a client reads, and what those bytes are.

use std::cell::RefCell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};

/// What was read so far.
pub(crate) type Read = Rc<RefCell<Vec<u8>>>;

/// A connection that keeps what it reads.
pub(crate) struct Tape {
    stream: TcpStream,
    read: Read,
}

impl Tape {
    /// From an address of loopback that is nobody else's.
    pub(crate) async fn connect(from: Ipv4Addr, to: SocketAddr) -> (Self, Read) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let (stream, read) = (socket.connect(to).await.unwrap(), Read::default());
        (Self { stream, read: read.clone() }, read)
    }
}

impl AsyncRead for Tape {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.read.borrow_mut().extend_from_slice(&buffer.filled()[before..]);
        read
    }
}

impl AsyncWrite for Tape {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What a socket carries after its upgrade (RFC 6455).
pub(crate) enum Piece<'a> {
    Text(&'a str),
    Voice(&'a [u8]),
    /// Its reason.
    Close(&'a str),
    Ping(&'a [u8]),
}

/// Takes apart what a socket read. Panics at the first byte that is nothing; a socket that was
/// dropped may have been in the middle of a frame.
pub(crate) fn pieces(read: &[u8]) -> Vec<Piece<'_>> {
    let end = read.windows(4).position(|four| four == b"\r\n\r\n").expect("an upgrade") + 4;
    assert!(read.starts_with(b"HTTP/1.1 101 "));
    let (mut rest, mut pieces) = (&read[end..], Vec::new());
    while let Some((first, payload, after)) = one(rest) {
        pieces.push(match first {
            0x81 => Piece::Text(std::str::from_utf8(payload).expect("text")),
            0x82 => Piece::Voice(payload),
            0x88 => Piece::Close(std::str::from_utf8(&payload[2..]).expect("text")),
            0x89 => Piece::Ping(payload),
            other => panic!("{other:#x} begins no frame that a server sends"),
        });
        rest = after;
    }
    pieces
}

/// The first frame: its first byte, what it carries, and what comes after it.
fn one(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&first, &short) = (bytes.first()?, bytes.get(1)?);
    assert!(short < 0x80, "a server masks nothing");
    let (head, length) = match short {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize),
        length => (2, usize::from(length)),
    };
    Some((first, bytes.get(head..head + length)?, &bytes[head + length..]))
}
