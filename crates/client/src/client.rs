//! The client: a radio, its socket, and a clock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use tenfour_core::Time;
use tenfour_core::radio::{Config, Event, Input, LinkState, Output, Radio, Sound};
use tenfour_protocol::{ChannelId, Code, GeoCell, Ranges};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::connection::Connection;
use crate::device::device;
use crate::{Error, Identity, Server, Session, log_in};

/// Messages from the socket that may wait for the program; then the server has to wait.
const DOWNSTREAM: usize = 256;
/// A log-in that is this young and refused already is not tried again.
const LOG_IN_AGAIN: Duration = Duration::from_secs(10);

/// How a client is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Program and version, told to the server: 1 to 64 bytes.
    pub program: String,
    /// Wishes fewer, larger packets.
    pub economy: bool,
    /// True when [`Client::pull`] is going to be called.
    pub playout: bool,
    /// The cell one is in, to be shared from the first connection on.
    pub place: Option<GeoCell>,
    /// How far one reaches and hears. Limited ranges need a place.
    pub ranges: Ranges,
}

/// A radio that is connected, and comes back by itself. Drive it with [`next`](Self::next).
pub struct Client {
    radio: Radio,
    server: Server,
    identity: Arc<Identity>,
    token: Zeroizing<String>,
    begin: Instant,
    connection: Option<Connection>,
    /// Connections so far; marks what comes from the present one.
    number: u64,
    inbox: mpsc::Receiver<(u64, Input)>,
    /// Given to each connection, and keeps the inbox open between them.
    outbox: mpsc::Sender<(u64, Input)>,
    logged_in: Instant,
    logging_in: Option<JoinHandle<Result<Session, Error>>>,
    events: VecDeque<Event>,
}

impl Client {
    /// A client for a session; it connects at once. Needs a runtime with time and IO.
    pub fn new(server: Server, identity: Arc<Identity>, session: Session, options: Options) -> Self {
        let Options { program, economy, playout, place, ranges } = options;
        let seed = getrandom::u64().unwrap_or(std::process::id().into());
        let device = Some(device(&program));
        let config = Config {
            client: program,
            economy,
            playout,
            seed,
            place,
            ranges,
            device,
            #[cfg(feature = "mutants")]
            mutants: crate::mutants::active(),
        };
        let (outbox, inbox) = mpsc::channel(DOWNSTREAM);
        let begin = Instant::now();
        let mut client = Self {
            radio: Radio::new(config, Time::ZERO),
            server,
            identity,
            token: session.token,
            begin,
            connection: None,
            number: 0,
            inbox,
            outbox,
            logged_in: begin,
            logging_in: None,
            events: VecDeque::new(),
        };
        client.drain();
        client
    }

    /// Does something: tune, press, give a frame, release, say again.
    pub fn handle(&mut self, input: Input) {
        self.radio.handle(input, self.now());
        self.drain();
    }

    /// What to play next on `channel`. Ask again when it has been played.
    pub fn pull(&mut self, channel: &ChannelId) -> Sound {
        let sound = self.radio.pull(channel, self.now());
        self.drain();
        sound
    }

    /// Waits for the next event. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let due = self.radio.poll_timeout().map(|at| self.begin + at.since(Time::ZERO));
            tokio::select! {
                Some((number, input)) = self.inbox.recv() => {
                    if number == self.number && self.connection.is_some() {
                        self.connection.take_if(|_| matches!(input, Input::Closed { .. }));
                        self.handle(input);
                    }
                }
                session = finished(&mut self.logging_in) => self.logged_in_again(session),
                () = sleep_until(due) => {
                    self.radio.handle_timeout(self.now());
                    self.drain();
                }
            }
        }
    }

    /// Ends the session, and the connection with it. The radio is of no use afterwards.
    pub async fn log_out(&self) -> Result<(), Error> {
        self.server.done(Method::POST, "logout", &self.token).await
    }

    fn drain(&mut self) {
        while let Some(output) = self.radio.poll() {
            let taken = match output {
                Output::Connect => self.connect(),
                Output::Close => {
                    self.connection = None;
                    true
                }
                Output::Send(message) => self.connection.as_ref().is_none_or(|c| c.send(&message)),
                Output::SendVoice(frame) => self.connection.as_ref().is_none_or(|c| c.send_voice(frame)),
                Output::Event(event) => {
                    self.event(event);
                    true
                }
            };
            if !taken {
                self.connection = None;
                // What follows was meant for a connection that is no more; the radio starts over.
                let lost = Input::Closed { refusal: None };
                self.finish_drain();
                self.radio.handle(lost, self.now());
            }
        }
    }

    /// Takes the outputs that are left, without the connection that they were for.
    fn finish_drain(&mut self) {
        while let Some(output) = self.radio.poll() {
            if let Output::Event(event) = output {
                self.event(event);
            }
        }
    }

    fn connect(&mut self) -> bool {
        self.number += 1;
        let (server, token, outbox) = (self.server.clone(), self.token.clone(), self.outbox.clone());
        self.connection = Some(Connection::open(server, token, self.number, outbox));
        true
    }

    /// A session that the server has forgotten is renewed with the key; all else is told.
    fn event(&mut self, event: Event) {
        #[cfg(feature = "mutants")]
        if let Event::Voice { payload, .. } = &event {
            crate::mutants::cache(payload);
        }
        let forgotten =
            matches!(&event, Event::Link(LinkState::Gone { refusal }) if refusal.code == Code::NotLoggedIn);
        if forgotten && self.logged_in.elapsed() >= LOG_IN_AGAIN && self.logging_in.is_none() {
            let (server, identity) = (self.server.clone(), Arc::clone(&self.identity));
            self.logging_in = Some(tokio::spawn(async move { log_in(&server, &identity, None).await }));
        } else {
            self.events.push_back(event);
        }
    }

    fn logged_in_again(&mut self, session: Result<Session, Error>) {
        self.logging_in = None;
        self.logged_in = Instant::now();
        match session {
            Ok(session) => {
                self.token = session.token;
                self.handle(Input::Retry);
            }
            Err(Error::Refused(refusal)) => self.events.push_back(Event::Link(LinkState::Gone { refusal })),
            // No link just now: the radio comes back to the same point, after its wait.
            Err(_) => {
                self.logged_in -= LOG_IN_AGAIN;
                self.handle(Input::Retry);
            }
        }
    }

    fn now(&self) -> Time {
        Time::ZERO + self.begin.elapsed()
    }
}

async fn finished(task: &mut Option<JoinHandle<Result<Session, Error>>>) -> Result<Session, Error> {
    match task {
        Some(task) => task.await.unwrap_or_else(|error| Err(Error::Io(std::io::Error::other(error)))),
        None => std::future::pending().await,
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
