//! A worker: one thread with its own runtime and its own radio sockets. A socket is read by a task of its
//! own and written by the [`pump`] of the worker, straight from the logs that all listeners share. HTTP is
//! served elsewhere (`lobby/`), which hands over what was upgraded.

mod arrive;
mod connection;
mod decoy;
mod lanes;
mod listen;
mod outbox;
mod pump;
mod reader;
#[cfg(all(target_os = "linux", feature = "io-uring"))]
mod ring;
#[cfg(not(all(target_os = "linux", feature = "io-uring")))]
#[path = "no_ring.rs"]
mod ring;
mod socket;
mod timers;
mod together;
mod unfinished;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;

use slab::Slab;
use tenfour_core::voice::{Deck, Item, NAMED, Packet};
use tenfour_core::{ConnId, Time, mutant};
use tenfour_protocol::BurstNo;
use tenfour_protocol::limits::READ_BYTES;
use tokio::sync::{Notify, mpsc};
use tokio::task::{LocalSet, unconstrained};

use crate::clock::Clock;
use crate::orders::{Framed, ToWorker};
use crate::shared::Shared;
use crate::tls::Certificates;
use connection::Connection;
pub(crate) use decoy::FILES;
use decoy::Sink;
pub use decoy::Sinks;
use lanes::Lanes;
use outbox::Chunk;
use ring::Ring;
pub(crate) use socket::{Stream, Tcp, set_up};
use together::Rows;

/// Index of a connection in its worker's table.
fn place_of(conn: ConnId) -> usize {
    (conn.0 & 0xff_ffff) as usize
}

/// Everything that the tasks of one worker share.
pub(crate) struct Worker {
    index: usize,
    shared: Arc<Shared>,
    clock: Clock,
    peers: Vec<mpsc::UnboundedSender<ToWorker>>,
    deck: RefCell<Deck<Framed>>,
    table: RefCell<Slab<Rc<Connection>>>,
    serial: Cell<u32>,
    /// What is read from any socket. Wiped after each use.
    scratch: RefCell<Box<[u8]>>,
    /// Reused from write to write.
    items: RefCell<Vec<Item<Framed>>>,
    chunks: RefCell<Vec<Chunk>>,
    /// Who is written to next.
    batch: Cell<Vec<Rc<Connection>>>,
    lanes: RefCell<Lanes>,
    ring: RefCell<Ring>,
    rows: RefCell<Rows>,
    /// Takes what is sent in turns for nobody.
    sink: Sink,
    /// Messages of bursts that were written, and not counted yet.
    written: Cell<u64>,
    /// Turns for nobody, not counted yet either.
    unheard: Cell<u64>,
    /// Whose socket takes nothing just now.
    blocked: RefCell<BTreeSet<ConnId>>,
    /// Who has an open burst, and when it may be silent for too long.
    talking: RefCell<BTreeSet<(Time, ConnId)>>,
    /// Who has begun something, and until when it has to be finished.
    unfinished: RefCell<BTreeSet<(Time, ConnId)>>,
    /// Who is not read, and until when.
    paused: RefCell<BTreeSet<(Time, ConnId)>>,
    /// Who is being closed, and until when it may take.
    closing: RefCell<BTreeSet<(Time, ConnId)>>,
    /// When the main loop wakes up by itself.
    alarm: Cell<Time>,
    earlier: Notify,
    tick: Cell<u64>,
}

/// Starts the thread of worker `index`; the receiver belongs to `peers[index]`.
pub(crate) fn start(
    index: usize,
    shared: Arc<Shared>,
    peers: Vec<mpsc::UnboundedSender<ToWorker>>,
    inbox: mpsc::UnboundedReceiver<ToWorker>,
    sink: Sink,
) -> std::io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(format!("tenfour-{index}")).spawn(move || {
        let tasks = LocalSet::new();
        let worker = Rc::new(Worker::new(index, shared, peers, sink));
        // The pump writes to thousands of sockets in a row. Tokio's cooperative budget would make them look full.
        tasks.block_on(&runtime, unconstrained(worker.run(inbox)));
    })
}

impl Worker {
    fn new(
        index: usize,
        shared: Arc<Shared>,
        peers: Vec<mpsc::UnboundedSender<ToWorker>>,
        sink: Sink,
    ) -> Self {
        let tls = shared.tls.as_ref().map(Certificates::current);
        let sink = sink.under(tls.as_ref());
        let deck = Deck::new(shared.hold);
        mutant!(let deck = deck.broken(crate::mutants::active()));
        Self {
            index,
            clock: shared.clock,
            peers,
            shared,
            deck: RefCell::new(deck),
            table: RefCell::default(),
            serial: Cell::new(0),
            scratch: RefCell::new(vec![0; READ_BYTES].into()),
            items: RefCell::default(),
            chunks: RefCell::default(),
            batch: Cell::default(),
            lanes: RefCell::default(),
            ring: RefCell::new(Ring::new(NAMED as u32)),
            rows: RefCell::new(Rows::new()),
            sink,
            written: Cell::new(0),
            unheard: Cell::new(0),
            blocked: RefCell::default(),
            talking: RefCell::default(),
            unfinished: RefCell::default(),
            paused: RefCell::default(),
            closing: RefCell::default(),
            alarm: Cell::new(Time::ZERO),
            earlier: Notify::new(),
            tick: Cell::new(0),
        }
    }

    fn find(&self, conn: ConnId) -> Option<Rc<Connection>> {
        self.table.borrow().get(place_of(conn)).filter(|found| found.id == conn).cloned()
    }

    /// A number that was never used: worker, serial number, index.
    fn number(&self, place: usize) -> ConnId {
        let serial = self.serial.get();
        self.serial.set(serial.wrapping_add(1));
        ConnId((self.index as u64) << 56 | u64::from(serial) << 24 | place as u64)
    }

    /// A frame of one of this worker's talkers: to everybody's deck.
    fn spread(&self, burst: BurstNo, packet: Packet, now: Time) {
        self.shared.metrics.frames_in.inc();
        for (index, peer) in self.peers.iter().enumerate() {
            if index != self.index {
                // A worker that has ended serves nobody any more.
                peer.send(ToWorker::Frame { burst, packet: packet.clone() }).ok();
            }
        }
        self.deck.borrow_mut().append(burst, packet, now);
    }
}
