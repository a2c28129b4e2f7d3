//! One end of a TLS connection, without IO.

use std::ops::Range;
use std::sync::Arc;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, UnbufferedStatus, WriteTraffic};
use rustls::{ClientConfig, ProtocolVersion, ServerConfig};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::Row;

/// Plaintext of the largest record: RFC 8446, 5.1.
pub(crate) const RECORD: usize = 16 * 1024;
/// What sealing adds to a piece of at most [`RECORD`] bytes: 22 bytes in TLS 1.3, 29 in TLS 1.2, and 27 more
/// when the answer to a peer's key update goes out before it. The double of the sum, to be safe.
pub const SEALED_MORE: usize = 128;
/// Most that a server keeps of input that is not whole: the largest record, and some. A client's handshake
/// messages are far smaller. rustls itself has no bound.
const SERVER_INCOMING: usize = 20 * 1024;
/// The same for a client: the server's certificates come in one message, of at most 64 KiB by RFC 8446, 4.
pub(crate) const CLIENT_INCOMING: usize = 64 * 1024;
/// Most that waits to be sent: a flight of the handshake, or a record that the socket did not take.
const OUTGOING: usize = 64 * 1024;

/// Why a session is over. Its alert, if there is one to send, is in [`Session::pending`].
#[derive(Debug, Error)]
pub enum Error {
    /// The peer did something against the protocol, or is not trusted.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// The peer sends a message that never ends.
    #[error("a message is larger than {0} bytes")]
    TooLarge(usize),
    /// It was over before.
    #[error("the session is over")]
    Over,
    /// The peer makes us answer but does not read the answers.
    #[error("the peer takes nothing")]
    TakesNothing,
}

/// One end of a TLS connection.
///
/// Reading: put [`Session::kept`] at the front of a buffer, what came behind it, and pass both to
/// [`Session::read`]. Then wipe the buffer. Writing: [`Session::seal`] into a row, send it, and give what was
/// not taken to [`Session::keep`]. After each call send what is [`Session::pending`].
pub struct Session {
    conn: Conn,
    /// Unfinished input, or input that was left for later. Sized exactly.
    incoming: Zeroizing<Box<[u8]>>,
    /// What was decrypted and nobody has taken.
    plain: Zeroizing<Vec<u8>>,
    /// Sealed and not taken by the socket: from `sent` on.
    out: Zeroizing<Vec<u8>>,
    sent: usize,
    /// Application data may be sent.
    open: bool,
    /// `incoming` may have whole records.
    more: bool,
    /// Grows each time that nothing unfinished is left.
    records: u64,
    /// The peer has said that it sends no more.
    peer_closed: bool,
    /// We have said it.
    closed: bool,
    /// The session broke.
    failed: bool,
}

/// Which end. Boxed, so that its kilobyte is not between fields that each frame touches.
enum Conn {
    Server(Box<UnbufferedServerConnection>),
    Client(Box<UnbufferedClientConnection>),
}

/// What is done when records may be sent.
enum Task<'a> {
    /// Nothing.
    Read,
    /// Seals bytes into a row.
    Seal(&'a [u8], &'a mut Row),
    /// Says that no more will be sent.
    Close(&'a mut Row),
}

impl Session {
    /// The server's end of a new connection.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn server(config: Arc<ServerConfig>) -> Result<Self, Error> {
        Ok(Self::new(Conn::Server(Box::new(UnbufferedServerConnection::new(config)?))))
    }

    /// The client's end, to a server that has to prove that it is `name`. Its first message is pending.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn client(config: Arc<ClientConfig>, name: ServerName<'static>) -> Result<Self, Error> {
        let conn = Box::new(UnbufferedClientConnection::new(config, name)?);
        let mut session = Self::new(Conn::Client(conn));
        session.read(&mut [], |_| true)?;
        Ok(session)
    }

    fn new(conn: Conn) -> Self {
        Self {
            conn,
            incoming: Zeroizing::default(),
            plain: Zeroizing::default(),
            out: Zeroizing::default(),
            sent: 0,
            open: false,
            more: false,
            records: 0,
            peer_closed: false,
            closed: false,
            failed: false,
        }
    }

    /// Whether the handshake is done.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether the peer has said that it sends no more.
    pub fn peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// Whether [`Session::read`] may have something without more input, since its sink was full before.
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// A number that grows when the kept input is used up: what is kept after that came with the last input.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The bytes that must come before the next input: those of an unfinished record. They may be partly decrypted
    /// already, so they must be passed in again as they are.
    pub fn kept(&self) -> &[u8] {
        &self.incoming
    }

    /// Takes [`Session::kept`] with new input behind it, and passes on what is decrypted, record by record,
    /// until `sink` returns false. The caller wipes `bytes`, in which records were decrypted.
    ///
    /// # Errors
    /// When the session is over.
    pub fn read(&mut self, bytes: &mut [u8], mut sink: impl FnMut(&[u8]) -> bool) -> Result<(), Error> {
        if self.failed {
            return Err(Error::Over);
        }
        if self.peer_closed {
            // What follows a close_notify is ignored.
            self.leave(&[], false);
            return Ok(());
        }
        let mut wants = true;
        let driven = self.drive(bytes, Task::Read, &mut |plain| {
            wants = sink(plain);
            wants
        });
        let (used, _) = driven?;
        self.records += u64::from(used > 0);
        let rest = if self.peer_closed { &[] } else { &bytes[used..] };
        if wants && rest.len() > self.conn.most_incoming() {
            return Err(self.fail(Error::TooLarge(self.conn.most_incoming())));
        }
        self.leave(rest, !wants);
        Ok(())
    }

    /// Encrypts `plain`, at most 16 KiB, after what `row` has, and returns where it is. The caller has to send it:
    /// nothing may be encrypted and then dropped. None before the handshake and after the end, while something is
    /// pending, and if the row is too short.
    pub fn seal(&mut self, plain: &[u8], row: &mut Row) -> Option<Range<usize>> {
        let fits = plain.len() <= RECORD && row.room().len() >= plain.len() + SEALED_MORE;
        if !self.open || self.closed || self.failed || self.is_pending() || !fits || plain.is_empty() {
            return None;
        }
        self.write(Task::Seal(plain, row))
    }

    /// Touches the memory that [`Session::seal`] will read first. Call it for all sessions before sealing for many of
    /// them: their memory is far apart, and this fetches it for several at once. The returned value means nothing.
    pub fn touch(&self) -> bool {
        let conn = match &self.conn {
            Conn::Server(conn) => {
                conn.wants_read() ^ (conn.protocol_version() == Some(ProtocolVersion::TLSv1_3))
            }
            Conn::Client(conn) => conn.wants_read(),
        };
        conn ^ self.is_pending() ^ self.incoming.is_empty()
    }

    /// Says that no more will be sent; that is pending then.
    pub fn close(&mut self) {
        if std::mem::replace(&mut self.closed, true) || !self.open || self.failed {
            return;
        }
        let mut row = Row::new(SEALED_MORE);
        self.write(Task::Close(&mut row));
        self.keep(row.filled());
    }

    /// Bytes for the socket, before anything else.
    pub fn pending(&self) -> &[u8] {
        &self.out[self.sent..]
    }

    /// Whether there are any.
    pub fn is_pending(&self) -> bool {
        self.sent < self.out.len()
    }

    /// The socket has taken so many of them.
    pub fn sent(&mut self, bytes: usize) {
        self.sent += bytes;
        if self.sent >= self.out.len() {
            // Frees the memory, too: most connections need it for their handshake only.
            self.out = Zeroizing::default();
            self.sent = 0;
        }
    }

    /// What the socket did not take of a sealed piece is pending from now on.
    pub fn keep(&mut self, rest: &[u8]) {
        if !rest.is_empty() {
            append(&mut self.out, rest);
        }
    }

    /// Moves what was decrypted and not taken to `to`: how many bytes.
    pub fn take_plain(&mut self, to: &mut [u8]) -> usize {
        let bytes = to.len().min(self.plain.len());
        if bytes > 0 {
            to[..bytes].copy_from_slice(&self.plain[..bytes]);
            let mut rest = Zeroizing::new(self.plain[bytes..].to_vec());
            std::mem::swap(&mut self.plain, &mut rest);
        }
        bytes
    }

    /// Keeps plaintext that its reader had no room for.
    pub fn keep_plain(&mut self, rest: &[u8]) {
        if !rest.is_empty() {
            append(&mut self.plain, rest);
        }
    }

    /// Encrypts. rustls wants to see the kept input in every call.
    fn write(&mut self, task: Task<'_>) -> Option<Range<usize>> {
        let mut incoming = std::mem::take(&mut self.incoming);
        // Whole records may wait there for a reader that was full: they are decrypted on the way.
        let mut plain = std::mem::take(&mut self.plain);
        let driven = self.drive(&mut incoming, task, &mut |more| {
            append(&mut plain, more);
            true
        });
        self.plain = plain;
        let (used, sealed) = driven.ok()?;
        if used == 0 {
            self.incoming = incoming;
        } else {
            self.leave(&incoming[used..], false);
        }
        sealed
    }

    /// Keeps `rest` for the next call.
    fn leave(&mut self, rest: &[u8], more: bool) {
        self.more = more;
        if !(rest.is_empty() && self.incoming.is_empty()) {
            self.incoming = Zeroizing::new(rest.into());
        }
    }

    /// Asks rustls until it has nothing more to do; how many bytes are used, and what was sealed.
    fn drive(&mut self, bytes: &mut [u8], task: Task<'_>, sink: Sink<'_>) -> Result<Driven, Error> {
        let Self { conn, out, open, peer_closed, .. } = self;
        let mut driving = Driving { out, open, peer_closed };
        let driven = match conn {
            Conn::Server(conn) => driving.drive(&mut **conn, bytes, task, sink),
            Conn::Client(conn) => driving.drive(&mut **conn, bytes, task, sink),
        };
        if driven.is_ok() && self.out.len() - self.sent > OUTGOING {
            return Err(self.fail(Error::TakesNothing));
        }
        driven.map_err(|error| self.fail(error))
    }

    /// The session is over; its alert is pending.
    fn fail(&mut self, error: Error) -> Error {
        self.failed = true;
        self.leave(&[], false);
        let Self { conn, out, .. } = self;
        match conn {
            Conn::Server(conn) => last_word(&mut **conn, out),
            Conn::Client(conn) => last_word(&mut **conn, out),
        }
        error
    }
}

impl Conn {
    fn most_incoming(&self) -> usize {
        match self {
            Self::Server(_) => SERVER_INCOMING,
            Self::Client(_) => CLIENT_INCOMING,
        }
    }
}

/// Takes plaintext; false when it wants no more for now.
type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> bool;

/// Bytes of input that are done with, and where in the row something was sealed.
type Driven = (usize, Option<Range<usize>>);

/// What rustls has for either end.
trait Process {
    type Data;

    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;

    /// Whether something waits to be encoded.
    fn has_output(&self) -> bool;
}

impl Process for UnbufferedServerConnection {
    type Data = ServerConnectionData;

    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }

    fn has_output(&self) -> bool {
        self.wants_write()
    }
}

impl Process for UnbufferedClientConnection {
    type Data = ClientConnectionData;

    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }

    fn has_output(&self) -> bool {
        self.wants_write()
    }
}

/// The parts of a session that change during a call of rustls.
struct Driving<'a> {
    out: &'a mut Zeroizing<Vec<u8>>,
    open: &'a mut bool,
    peer_closed: &'a mut bool,
}

impl Driving<'_> {
    fn drive(
        &mut self,
        conn: &mut impl Process,
        bytes: &mut [u8],
        task: Task<'_>,
        sink: Sink<'_>,
    ) -> Result<Driven, Error> {
        let (mut used, mut task) = (0, Some(task));
        loop {
            // What is to be discarded counts from the front of what this call is shown.
            let UnbufferedStatus { mut discard, state } = conn.process(&mut bytes[used..]);
            let mut wants = true;
            let done = match state? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    // The first words may come together with the end of the handshake, and with the last.
                    *self.open = true;
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        wants &= sink(record.payload);
                    }
                    None
                }
                ConnectionState::EncodeTlsData(data) => {
                    encode(data, self.out);
                    None
                }
                ConnectionState::TransmitTlsData(data) => {
                    data.done();
                    None
                }
                ConnectionState::PeerClosed => {
                    *self.peer_closed = true;
                    None
                }
                ConnectionState::WriteTraffic(traffic) => {
                    *self.open = true;
                    Some(task.take().and_then(|task| task.run(traffic)))
                }
                ConnectionState::BlockedHandshake | ConnectionState::Closed => Some(None),
                // Early data is not switched on; what else there may be one day is not known.
                _ => return Err(rustls::Error::General("a state that was not asked for".into()).into()),
            };
            used += discard;
            match done {
                Some(sealed) => return Ok((used, sealed)),
                None if !wants => return Ok((used, None)),
                None => {}
            }
        }
    }
}

impl Task<'_> {
    fn run<Data>(self, mut traffic: WriteTraffic<'_, Data>) -> Option<Range<usize>> {
        match self {
            Self::Read => None,
            Self::Seal(plain, row) => {
                let sealed = traffic.encrypt(plain, row.room()).ok()?;
                Some(row.filled_more(sealed))
            }
            Self::Close(row) => {
                let sealed = traffic.queue_close_notify(row.room()).ok()?;
                Some(row.filled_more(sealed))
            }
        }
    }
}

/// Adds what rustls has to say behind what is pending.
fn encode<Data>(mut data: EncodeTlsData<'_, Data>, out: &mut Zeroizing<Vec<u8>>) {
    // Nothing fits into nothing: that tells the size.
    let Err(EncodeError::InsufficientSize(needs)) = data.encode(&mut []) else { return };
    let mut chunk = Zeroizing::new(vec![0; needs.required_size]);
    if let Ok(bytes) = data.encode(&mut chunk) {
        append(out, &chunk[..bytes]);
    }
}

/// Takes the alert of a session that failed. No input: what was bad must not be shown again. While there is
/// something to be encoded, rustls does not look for input, and after that it is not asked.
fn last_word(conn: &mut impl Process, out: &mut Zeroizing<Vec<u8>>) {
    while conn.has_output() {
        match conn.process(&mut []).state {
            Ok(ConnectionState::EncodeTlsData(data)) => encode(data, out),
            Ok(ConnectionState::ReadTraffic(mut traffic)) => while traffic.next_record().is_some() {},
            _ => return,
        }
    }
}

/// Grows by moving to a larger buffer and wiping the old one.
pub(crate) fn append(buffer: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
    let mut larger = Zeroizing::new(Vec::with_capacity(buffer.len() + bytes.len()));
    larger.extend_from_slice(buffer);
    larger.extend_from_slice(bytes);
    std::mem::swap(buffer, &mut larger);
}
