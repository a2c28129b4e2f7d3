//! One radio socket: its state, and what comes of what its client says.

use std::cell::{Cell, RefCell, RefMut};
use std::sync::Arc;
use std::task::Waker;

use tenfour_core::front::{Port, PortOutput};
use tenfour_core::hub::Input;
use tenfour_core::mutant;
use tenfour_core::reach::scrub_stack;
use tenfour_core::voice::Packet;
use tenfour_core::{ConnId, Time};
use tenfour_protocol::{BurstNo, ClientMessage, Device, json};

use super::Worker;
use super::lanes::Lane;
use super::outbox::Outbox;
use super::socket::Stream;
use crate::auth::RadioOf;
use crate::connection_log::Connected;
use crate::gate::Permit;
use crate::orders::{Framed, Relay, encode};
use crate::share::Share;
use crate::websocket::{self, Event};

/// A radio socket. The fields stay in this order: what each frame needs comes first, and lies together.
#[repr(C)]
pub(super) struct Connection {
    pub(super) id: ConnId,
    pub(super) state: Cell<State>,
    /// Since when the socket takes nothing.
    pub(super) blocked: Cell<Option<Time>>,
    pub(super) stream: RefCell<Stream>,
    pub(super) outbox: RefCell<Outbox>,
    /// When the oldest voice arrived that was sealed and has not been taken.
    sealed: Cell<Option<Time>>,
    /// Pings since the last sign of life.
    pub(super) pings: Cell<u32>,
    /// Under which time it stands in `Worker::talking`.
    pub(super) silent: Cell<Option<Time>>,
    /// Until when it may finish what it has begun to send.
    pub(super) unfinished: Cell<Option<Time>>,
    /// Until when it is not read.
    pub(super) paused: Cell<Option<Time>>,
    /// When a connection that is being closed is over.
    pub(super) closes: Cell<Option<Time>>,
    /// True when hub and deck have forgotten it.
    pub(super) left: Cell<bool>,
    port: RefCell<Port>,
    /// The answer to its newest ping: earlier ones need none (RFC 6455, 5.5.3).
    pub(super) pong: Cell<Option<Framed>>,
    /// What it has waiting for the hub.
    pub(super) share: Arc<Share>,
    /// Where frames of its burst go, beside the listeners here.
    pub(super) relay: RefCell<Option<(BurstNo, Relay)>>,
    /// For the connection log, until the first hello.
    connected: Cell<Option<Connected>>,
    /// Of the task that reads; the socket wakes it when it takes bytes again.
    pub(super) waker: RefCell<Waker>,
    /// Counts it among all sockets, and for its session.
    _kept: (Permit, RadioOf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    /// The close frame is on its way; the client's is awaited.
    Closing,
    /// The client's close frame has come; ours is on its way.
    Answering,
    Over,
}

impl Connection {
    pub(super) fn new(
        id: ConnId,
        stream: Stream,
        share: Arc<Share>,
        kept: (Permit, RadioOf),
        connected: Connected,
        now: Time,
    ) -> Self {
        let port = Port::new(id, websocket::voice_framing, now);
        mutant!(let port = port.broken(crate::mutants::active()));
        Self {
            id,
            stream: RefCell::new(stream),
            outbox: RefCell::default(),
            sealed: Cell::new(None),
            state: Cell::new(State::Open),
            blocked: Cell::new(None),
            pings: Cell::new(0),
            silent: Cell::new(None),
            unfinished: Cell::new(None),
            paused: Cell::new(None),
            closes: Cell::new(None),
            left: Cell::new(false),
            port: RefCell::new(port),
            pong: Cell::new(None),
            share,
            relay: RefCell::new(None),
            connected: Cell::new(Some(connected)),
            waker: RefCell::new(Waker::noop().clone()),
            _kept: kept,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state.get() == State::Open
    }

    /// Where frames can be sent, when nothing else has to be sent before.
    pub(super) fn takes_frames(&self) -> Option<Lane> {
        let stream = self.stream.borrow();
        let blocked = self.blocked.get().is_some() || !self.outbox.borrow().is_empty() || stream.buffers();
        let free = self.is_open() && !blocked;
        free.then(|| Lane { socket: stream.socket(), tls: stream.is_tls() })
    }

    /// Sealed bytes wait for the socket, among them voice that arrived then. They are ended with its hold.
    pub(super) fn note_sealed(&self, arrived: Option<Time>) {
        let oldest = [self.sealed.get(), arrived].into_iter().flatten().min();
        self.sealed.set(oldest);
    }

    /// The socket has taken everything.
    pub(super) fn sealed_is_gone(&self) {
        self.sealed.set(None);
    }

    /// When the oldest voice arrived that was begun and not taken.
    pub(super) fn begun_voice(&self) -> Option<Time> {
        let sealed = self.sealed.get().filter(|_| self.stream.borrow().buffers());
        [self.outbox.borrow().begun_voice(), sealed].into_iter().flatten().min()
    }

    pub(super) fn port(&self) -> RefMut<'_, Port> {
        self.port.borrow_mut()
    }

    /// Ends the task that reads; it cleans up.
    pub(super) fn end(&self) {
        self.state.set(State::Over);
        self.waker.borrow().wake_by_ref();
    }

    pub(super) fn keep_waker(&self, waker: &Waker) {
        let mut kept = self.waker.borrow_mut();
        if !kept.will_wake(waker) {
            kept.clone_from(waker);
        }
    }
}

impl Worker {
    pub(super) fn event(&self, connection: &Connection, event: Event<'_>, now: Time) {
        if let Event::Close { code, .. } = event {
            return self.closed_by_client(connection, code, now);
        }
        if !connection.is_open() {
            return;
        }
        match event {
            Event::Text(text) => {
                self.control(connection, text, now);
                self.listen_to_talker(connection);
                // The message may have a cell, and reading it left copies on the stack.
                scrub_stack();
            }
            Event::Binary(bytes) => {
                connection.port().frame(bytes, now);
                self.drain_port(connection, now);
            }
            Event::Ping(payload) => {
                connection.pong.set(Some(websocket::pong(payload)));
                self.heard_of(connection, now);
            }
            Event::Pong => self.heard_of(connection, now),
            Event::Close { .. } => {}
        }
    }

    /// The link works, so a talker who is silent is not delayed by it.
    fn heard_of(&self, connection: &Connection, now: Time) {
        connection.port().alive(now);
        self.listen_to_talker(connection);
    }

    fn listen_to_talker(&self, connection: &Connection) {
        if connection.silent.get().is_some() {
            self.listen_for_silence(connection);
        }
    }

    fn control(&self, connection: &Connection, text: &str, now: Time) {
        let parsed = json::message(text);
        // What reading left on the stack must not get into gaps of what is made next.
        scrub_stack();
        let input = match parsed {
            Ok(mut message) => {
                if let ClientMessage::Hello { device, client, .. } = &mut message {
                    self.log_connection(connection, device.take(), client);
                }
                mutant!(crate::mutants::active(), LogChannel => if let ClientMessage::Tune { channel, .. } = &message {
                    self.log_connection(connection, None, &format!("channel {channel}"));
                });
                connection.port().message(message, now)
            }
            Err(fault) => Some(connection.port().malformed(text, &fault, now)),
        };
        self.drain_port(connection, now);
        if let Some(input) = input {
            self.shared.hub.input_of(&connection.share, input);
        }
    }

    /// Leaves a row in the connection log: the device goes there and nowhere else.
    fn log_connection(&self, connection: &Connection, device: Option<Box<Device>>, client: &str) {
        mutant!(device.as_deref().into_iter().for_each(crate::mutants::note_platform));
        if let Some(connected) = connection.connected.take() {
            self.shared.connection_log.append(&connected, device.map(|device| *device), client);
            mutant!(crate::mutants::active(), LogChannel => connection.connected.set(Some(connected)));
        }
    }

    /// Carries out what the port says, and notes whether it has to be asked again in time.
    pub(super) fn drain_port(&self, connection: &Connection, now: Time) {
        loop {
            // Taken apart so that the port is not borrowed while its output is carried out.
            let output = connection.port().poll();
            match output {
                Some(PortOutput::Frame { burst, packet }) => {
                    self.relay(connection, burst, &packet);
                    self.spread(burst, packet, now);
                }
                Some(PortOutput::Hub(input)) => self.shared.hub.input(input),
                Some(PortOutput::Send(message)) => self.send_to(connection, encode(&message), now),
                Some(PortOutput::Ping) => self.send_to(connection, websocket::ping(), now),
                None => break,
            }
        }
        // A frame moves the moment of silence to later; it is moved here when it comes.
        if connection.silent.get().is_none() {
            self.listen_for_silence(connection);
        }
    }

    /// To the other nodes, if any of them may have listeners.
    fn relay(&self, connection: &Connection, burst: BurstNo, packet: &Packet) {
        if let Some(cluster) = &self.shared.cluster
            && let Some((_, relay)) = connection.relay.borrow().as_ref().filter(|(of, _)| *of == burst)
        {
            cluster.relay(relay, packet);
        }
    }

    /// Notes when the port wants to be asked again.
    pub(super) fn listen_for_silence(&self, connection: &Connection) {
        let at = connection.port().poll_timeout();
        let mut talking = self.talking.borrow_mut();
        connection.silent.replace(at).map(|before| talking.remove(&(before, connection.id)));
        talking.extend(at.map(|at| (at, connection.id)));
    }

    fn closed_by_client(&self, connection: &Connection, code: Option<u16>, now: Time) {
        if connection.is_open() {
            if code.is_some_and(websocket::is_good_bye) {
                self.shared.hub.input(Input::Left { conn: connection.id });
            }
            self.take_leave(connection, now);
            let answer = code.map_or_else(websocket::close_plain, |code| websocket::close(code, ""));
            connection.outbox.borrow_mut().push(answer).ok();
        }
        connection.state.set(State::Answering);
        self.write(connection, now);
    }
}
