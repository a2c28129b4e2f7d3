//! Writing to many at once what nearly everybody gets nearly always: frames, and nothing else.

use std::ops::Range;
use std::os::fd::RawFd;

use smallvec::SmallVec;
use tenfour_core::ConnId;
use tenfour_core::voice::{Deck, NAMED, Packet};
use zeroize::Zeroize;

use super::Worker;
use super::pump::FRAMES;
use crate::hub_thread::Framed;

/// Fewer are written to one by one: a ring has a price too.
const MANY: usize = 3;
/// Room for what a batch is sent. Nearly always that is the same for all of it.
const ROW_BYTES: usize = 16 * 1024;

/// Listeners that have something to be written.
pub(super) type Due = SmallVec<[ConnId; NAMED]>;

/// Frames in a row, as they go to sockets: the kernel takes one piece sooner than several. Wiped after
/// each use.
pub(super) struct Row(Vec<u8>);

/// What one listener is offered.
struct Offer {
    conn: ConnId,
    socket: RawFd,
    bytes: Range<usize>,
}

impl Row {
    pub(super) fn new() -> Self {
        // Sized at once: a buffer that grows leaves copies behind.
        Self(Vec::with_capacity(ROW_BYTES))
    }

    /// Adds frames; where they are, or None when there is no room for them.
    fn add<'a>(&mut self, frames: impl Iterator<Item = &'a Packet>) -> Option<Range<usize>> {
        let start = self.0.len();
        for frame in frames {
            if self.0.len() + frame.bytes().len() > ROW_BYTES {
                return None;
            }
            self.0.extend_from_slice(frame.bytes());
        }
        Some(start..self.0.len())
    }

    /// What was used, and no more: all of it would take longer than many a send.
    fn wipe(&mut self) {
        self.0.as_mut_slice().zeroize();
        self.0.clear();
    }
}

impl Worker {
    /// Offers their frames to all of `due` with one call of the system. Those who are not done with stay
    /// in it.
    pub(super) fn write_together(&self, due: &mut Due) {
        let mut ring = self.ring.borrow_mut();
        if due.len() < MANY || !ring.works() {
            return;
        }
        let mut deck = self.deck.borrow_mut();
        let mut row = self.row.borrow_mut();
        let offers = self.offers(&deck, due, &mut row);
        let answers = ring.send(offers.iter().map(|offer| (offer.socket, &row.0[offer.bytes.clone()])));
        let mut answers = offers.iter().zip(answers).peekable();
        // Offers are in the order of `due`, which may have more.
        due.retain(|conn| match answers.next_if(|(offer, _)| offer.conn == *conn) {
            Some((_, &Ok(wrote @ 1..))) => !self.took(&mut deck, *conn, wrote),
            // A socket that is full or failed is asked again, by itself. Why it failed it says once.
            Some((_, Err(error))) => {
                self.note_end(error);
                true
            }
            _ => true,
        });
        row.wipe();
    }

    /// What each can be offered who waits for frames only.
    fn offers(&self, deck: &Deck<Framed>, due: &Due, row: &mut Row) -> SmallVec<[Offer; NAMED]> {
        let lanes = self.lanes.borrow();
        let mut offers = SmallVec::new();
        let mut last: Option<(&Packet, usize, Range<usize>)> = None;
        for &conn in due {
            let Some(socket) = lanes.socket(conn) else { continue };
            let Some(frames) = deck.frames(conn) else { continue };
            let mut frames = frames.take(FRAMES);
            let count = frames.len();
            let Some(first) = frames.next() else { continue };
            let bytes = match &last {
                Some((of, length, bytes)) if std::ptr::eq(*of, first) && *length == count => bytes.clone(),
                _ => match row.add(std::iter::once(first).chain(frames)) {
                    Some(bytes) => bytes,
                    None => continue,
                },
            };
            last = Some((first, count, bytes.clone()));
            offers.push(Offer { conn, socket, bytes });
        }
        offers
    }
}
