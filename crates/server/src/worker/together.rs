//! Writes to many listeners at once when only frames wait for them, which is nearly always so.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::fd::RawFd;
use std::rc::Rc;

use smallvec::SmallVec;
use tenfour_core::voice::{Deck, NAMED, Packet};
use tenfour_core::{ConnId, Time};
use tenfour_tls::Row;

use super::Worker;
use super::connection::Connection;
use super::lanes::Lanes;
use crate::orders::Framed;

/// Frames in one write, when only frames wait.
pub(super) const FRAMES: usize = 8;
/// Fewer listeners than this are written to one by one: a ring has a price too.
const MIN_TOGETHER: usize = 3;
/// Room for what a batch is sent. Nearly always that is the same for all of it.
const PLAIN_BYTES: usize = 16 * 1024;
/// Room for the same, sealed for each listener: a bundle of three frames for 32 fits well.
const SEALED_BYTES: usize = 32 * 1024;

/// Listeners that have something to be written.
pub(super) type Due = SmallVec<[ConnId; NAMED]>;

/// Frames in a row, as they go to sockets: the kernel takes one piece sooner than several. Wiped after
/// each use.
pub(super) struct Rows {
    plain: Row,
    sealed: Row,
}

/// What one listener is offered.
struct Offer {
    conn: ConnId,
    socket: RawFd,
    /// Where it is in the row of plain frames, or, sealed, in the other.
    bytes: Range<usize>,
    sealed: Option<Sealed>,
}

/// A record that was sealed has to be sent, whatever the socket says: its frames count as taken.
struct Sealed {
    connection: Rc<Connection>,
    /// Bytes of the frames in it.
    plain: usize,
    /// When the first of them arrived.
    arrived: Time,
}

impl Rows {
    pub(super) fn new() -> Self {
        Self { plain: Row::new(PLAIN_BYTES), sealed: Row::new(SEALED_BYTES) }
    }

    fn get(&self, offer: &Offer) -> &[u8] {
        let row = if offer.sealed.is_some() { &self.sealed } else { &self.plain };
        row.get(offer.bytes.clone())
    }

    fn wipe(&mut self) {
        self.plain.wipe();
        self.sealed.wipe();
    }
}

impl Worker {
    /// Offers their frames to all of `due` with one call of the system. Those who are not done with stay
    /// in it.
    pub(super) fn write_together(&self, due: &mut Due) {
        let mut ring = self.ring.borrow_mut();
        if due.len() < MIN_TOGETHER || !ring.works() {
            return;
        }
        let mut deck = self.deck.borrow_mut();
        let mut rows = self.rows.borrow_mut();
        let offers = self.offers(&deck, due, &mut rows);
        let answers = ring.send(offers.iter().map(|offer| (offer.socket, rows.get(offer))));
        let mut answered = answers.iter().map(Some).chain(std::iter::repeat(None));
        let mut offers = offers.iter().peekable();
        // Offers are in the order of `due`, which may have more.
        due.retain(|conn| match offers.next_if(|offer| offer.conn == *conn) {
            Some(offer) => !self.answered(&mut deck, offer, rows.get(offer), answered.next().flatten()),
            None => true,
        });
        rows.wipe();
    }

    /// Notes what a socket has taken of its offer. Says whether all that waits for it is written.
    fn answered(
        &self,
        deck: &mut Deck<Framed>,
        offer: &Offer,
        bytes: &[u8],
        answer: Option<&io::Result<usize>>,
    ) -> bool {
        let wrote = match answer {
            Some(Ok(wrote)) => *wrote,
            // Nobody knows how much was sent, and nothing may be sent twice.
            Some(Err(error)) if error.kind() != ErrorKind::WouldBlock => {
                self.note_end(error);
                if let Some(connection) = self.find(offer.conn) {
                    connection.end();
                }
                return true;
            }
            Some(Err(_)) | None => 0,
        };
        let Some(Sealed { connection, plain, arrived }) = &offer.sealed else {
            // A socket that is full is asked again, by itself.
            return wrote > 0 && self.took(deck, offer.conn, wrote);
        };
        if wrote < bytes.len() {
            if let Some(session) = connection.stream.borrow_mut().session() {
                session.keep(&bytes[wrote..]);
            }
            connection.note_sealed(Some(*arrived));
        }
        self.took(deck, offer.conn, *plain) && wrote == bytes.len()
    }

    /// What each can be offered who waits for frames only.
    fn offers(&self, deck: &Deck<Framed>, due: &Due, rows: &mut Rows) -> SmallVec<[Offer; NAMED]> {
        let lanes = self.lanes.borrow();
        let mut secure = self.secure(due, &lanes).into_iter().peekable();
        let mut offers = SmallVec::new();
        let mut last: Option<(&Packet, usize, Range<usize>)> = None;
        for &conn in due {
            let Some(lane) = lanes.lane(conn) else { continue };
            let connection = secure.next_if(|connection| connection.id == conn);
            // Never send in clear what has to be sealed.
            if lane.tls && connection.is_none() {
                continue;
            }
            let Some(frames) = deck.frames(conn) else { continue };
            let mut frames = frames.take(FRAMES);
            let count = frames.len();
            let Some(first) = frames.next() else { continue };
            let plain = match &last {
                Some((of, length, bytes)) if std::ptr::eq(*of, first) && *length == count => bytes.clone(),
                _ => match rows.plain.add(std::iter::once(first).chain(frames).map(Packet::bytes)) {
                    Some(bytes) => bytes,
                    None => continue,
                },
            };
            last = Some((first, count, plain.clone()));
            let (bytes, sealed) = match connection {
                Some(connection) => {
                    let Some(bytes) = seal(&connection, plain.clone(), rows) else { continue };
                    (bytes, Some(Sealed { connection, plain: plain.len(), arrived: first.arrived() }))
                }
                None => (plain, None),
            };
            offers.push(Offer { conn, socket: lane.socket, bytes, sealed });
        }
        offers
    }

    /// The connections of `due` whose frames have to be sealed, with their memory fetched.
    fn secure(&self, due: &Due, lanes: &Lanes) -> SmallVec<[Rc<Connection>; NAMED]> {
        let tls = due.iter().filter(|conn| lanes.lane(**conn).is_some_and(|lane| lane.tls));
        let found: SmallVec<[_; NAMED]> = tls.filter_map(|conn| self.find(*conn)).collect();
        let touched = found.iter().filter(|connection| connection.stream.borrow().touch()).count();
        std::hint::black_box(touched);
        found
    }
}

/// Seals frames for one listener: where the record is.
fn seal(connection: &Connection, plain: Range<usize>, rows: &mut Rows) -> Option<Range<usize>> {
    let mut stream = connection.stream.borrow_mut();
    stream.session()?.seal(rows.plain.get(plain), &mut rows.sealed)
}
