//! The client: a radio, its socket, and a clock.

use std::collections::VecDeque;
use std::time::Duration;

use hyper::Method;
use tenfour_core::radio::{Config, Event, Input, LinkState, Output, Radio, Sound};
use tenfour_core::{Time, mutant};
use tenfour_protocol::{ChannelId, Code, GeoCell, Ranges, Refusal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::connection::Connection;
use crate::device::device;
use crate::sealed::Sealed;
use crate::{Error, Key, Server, Session, log_in};

/// Most messages from the socket that wait for the program. When there are more, the server has to wait.
const DOWN_QUEUE: usize = 256;
/// If the session is refused sooner than this after a log-in, the client does not log in again.
const LOG_IN_INTERVAL: Duration = Duration::from_secs(10);

/// How a client is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Program and version, told to the server: 1 to 64 bytes.
    pub program: String,
    /// Asks the server for fewer, larger packets.
    pub economy: bool,
    /// Hears what other clients with the same key say.
    pub hear_self: bool,
    /// Whether [`Client::pull`] will be called.
    pub playout: bool,
    /// Bursts that could not begin to play so long after they came are not played. None: 12 s.
    pub lag_limit: Option<Duration>,
    /// The cell that the person is in, to be shared from the first connection on.
    pub place: Option<GeoCell>,
    /// How far the person reaches and hears. Limited ranges need a place.
    pub ranges: Ranges,
}

/// A radio that is connected, and comes back by itself. Drive it with [`next`](Self::next).
pub struct Client {
    radio: Radio,
    server: Server,
    key: Key,
    /// The session's token, if there is a session. It is decrypted only while it is sent.
    token: Option<Sealed>,
    begin: Instant,
    connection: Option<Connection>,
    /// How many connections there were. Marks events of the present one.
    number: u64,
    inbox: mpsc::Receiver<(u64, Input)>,
    /// Each connection gets a clone. This one keeps the inbox open between connections.
    outbox: mpsc::Sender<(u64, Input)>,
    logged_in: Instant,
    logging_in: Option<JoinHandle<Result<Session, Error>>>,
    events: VecDeque<Event>,
}

impl Client {
    /// A client for a session; it connects at once. Needs a runtime with time and IO. If the key is in a file,
    /// neither key nor token stays in memory while the client is connected.
    pub fn new(server: Server, key: impl Into<Key>, session: Session, options: Options) -> Self {
        let Options { program, economy, hear_self, playout, lag_limit, place, ranges } = options;
        let seed = getrandom::u64().unwrap_or(std::process::id().into());
        let device = Some(device(&program));
        let config = Config {
            client: program,
            economy,
            hear_self,
            playout,
            lag_limit,
            seed,
            place,
            ranges,
            device,
            ..Config::default()
        };
        mutant!(let config = Config { mutants: crate::mutants::active(), ..config });
        let (outbox, inbox) = mpsc::channel(DOWN_QUEUE);
        let begin = Instant::now();
        let (key, Session { token, .. }) = (key.into(), session);
        // Without the key there is no token, and the radio is told so as soon as it connects.
        let token = key.fetch().ok().and_then(|identity| Sealed::new(&token, &identity).ok());
        let mut client = Self {
            radio: Radio::new(config, Time::ZERO),
            server,
            key,
            token,
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

    /// Tells the radio what to do: tune, press, take a frame, release, play again.
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

    /// Ends the session and the connection. The client cannot be used afterwards.
    pub async fn log_out(&self) -> Result<(), Error> {
        let token = self.token()?;
        self.server.done(Method::POST, "logout", &token).await
    }

    fn drain(&mut self) {
        while let Some(output) = self.radio.poll() {
            let taken = match output {
                Output::Connect => self.connect(),
                Output::Close => {
                    self.connection = None;
                    Ok(())
                }
                Output::Send(message) => self.pass_on(|connection| connection.send(&message)),
                Output::SendVoice(frame) => self.pass_on(|connection| connection.send_voice(frame)),
                Output::Event(event) => {
                    self.event(event);
                    Ok(())
                }
            };
            if let Err(refusal) = taken {
                self.connection = None;
                // The remaining outputs were meant for a connection that is gone; the radio starts over.
                let lost = Input::Closed { refusal };
                self.finish_drain();
                self.radio.handle(lost, self.now());
            }
        }
    }

    /// Gives something to the connection, if there is one. An error if the connection takes nothing.
    fn pass_on(&self, give: impl FnOnce(&Connection) -> bool) -> Result<(), Option<Refusal>> {
        if self.connection.as_ref().is_none_or(give) { Ok(()) } else { Err(None) }
    }

    /// Takes the outputs that are left, without the connection that they were for.
    fn finish_drain(&mut self) {
        while let Some(output) = self.radio.poll() {
            if let Output::Event(event) = output {
                self.event(event);
            }
        }
    }

    fn connect(&mut self) -> Result<(), Option<Refusal>> {
        self.number += 1;
        let token = self.token().map_err(|error| Some(no_key(&error)))?;
        let (server, outbox) = (self.server.clone(), self.outbox.clone());
        self.connection = Some(Connection::open(server, token, self.number, outbox));
        Ok(())
    }

    /// The token, opened.
    fn token(&self) -> Result<Zeroizing<String>, Error> {
        let identity = self.key.fetch()?;
        let token = self.token.as_ref().and_then(|token| token.open(&identity));
        token.ok_or_else(|| Error::Refused(Code::NotLoggedIn.into()))
    }

    /// If the server has forgotten the session, logs in again with the key. Every other event is passed on.
    fn event(&mut self, event: Event) {
        mutant!(crate::mutants::cache(&event));
        let forgotten =
            matches!(&event, Event::Link(LinkState::Gone { refusal }) if refusal.code == Code::NotLoggedIn);
        if forgotten && self.logged_in.elapsed() >= LOG_IN_INTERVAL && self.logging_in.is_none() {
            let (server, identity) = (self.server.clone(), self.key.fetch());
            self.logging_in = Some(tokio::spawn(async move { log_in(&server, &*identity?, None).await }));
        } else {
            self.events.push_back(event);
        }
    }

    fn logged_in_again(&mut self, session: Result<Session, Error>) {
        self.logging_in = None;
        self.logged_in = Instant::now();
        match session {
            Ok(session) => {
                let identity = self.key.fetch().ok();
                self.token = identity.and_then(|identity| Sealed::new(&session.token, &identity).ok());
                self.handle(Input::Retry);
            }
            Err(Error::Refused(refusal)) => self.gone(refusal),
            Err(error @ (Error::Key { .. } | Error::NoKey { .. })) => self.gone(no_key(&error)),
            // There is no link just now. The radio waits and gets to this point again.
            Err(_) => {
                self.logged_in -= LOG_IN_INTERVAL;
                self.handle(Input::Retry);
            }
        }
    }

    fn gone(&mut self, refusal: Refusal) {
        self.events.push_back(Event::Link(LinkState::Gone { refusal }));
    }

    fn now(&self) -> Time {
        Time::ZERO + self.begin.elapsed()
    }
}

/// Without the key nobody is logged in.
fn no_key(error: &Error) -> Refusal {
    match error {
        Error::Refused(refusal) => refusal.clone(),
        other => Refusal::because(Code::NotLoggedIn, other.to_string()),
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
