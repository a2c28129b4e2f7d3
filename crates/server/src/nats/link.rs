//! One connection to NATS, on a thread of its own. It reconnects by itself; messages in between are lost, and its
//! user is told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use zeroize::Zeroize;

use super::credentials::Credentials;
use super::dial::{Carrier, Dialed, Entry, Info};
use super::wire::{Message, Op, Reader, Said};
use super::{Nats, NatsError};

/// Most bytes of one read.
const READ_BYTES: usize = 32 * 1024;
/// Most bytes of one write.
const WRITE_BYTES: usize = 64 * 1024;
/// Bytes that may wait for the socket. What comes when it is full is dropped: it would be late.
const MAX_WAITING_BYTES: usize = 4 * 1024 * 1024;
/// How often the user is called for its own timers.
const TICK: Duration = Duration::from_millis(500);
/// Silence after which the server is asked whether it is still there.
const PING_AFTER: Duration = Duration::from_secs(1);
/// Silence after which the connection counts as lost.
const DEAD_AFTER: Duration = Duration::from_secs(4);
/// Waits between attempts to connect again: the first, and the longest.
const RECONNECT_WAIT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Number of a subscription, chosen by who subscribes.
pub(crate) type Sid = u64;

/// What happens on a connection.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// It is there, and all subscriptions with it.
    Up(&'a Info),
    /// It is gone: everything from now until the next [`Event::Up`] is lost.
    Down,
    /// A message came.
    Message(Message<'a>),
    /// Half a second has passed.
    Tick,
}

/// Called for each event, on the thread of the link. It must not block.
pub(crate) type Hearer = Box<dyn FnMut(&Link, Event<'_>) + Send>;

enum Order {
    Say(Said),
    Subscribe(Sid, String),
    Unsubscribe(Sid),
    Close,
}

/// A handle to the connection. The connection goes on until [`Link::close`].
#[derive(Clone)]
pub(crate) struct Link {
    orders: mpsc::UnboundedSender<Order>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    up: AtomicBool,
    /// Bytes that wait for the socket.
    waiting: AtomicUsize,
    /// Messages that did not go out.
    dropped: AtomicU64,
    /// Messages that went out.
    said: AtomicU64,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("up", &self.is_up()).finish_non_exhaustive()
    }
}

impl Link {
    /// Connects, and returns when that has worked. `purpose` tells the connections of a node apart.
    pub(crate) fn start(
        nats: &Nats,
        purpose: &str,
        hearer: Hearer,
    ) -> Result<(Self, JoinHandle<()>), NatsError> {
        let credentials = nats.creds.as_deref().map(Credentials::read).transpose()?.map(Arc::new);
        let name = format!("tenfour {} {purpose}", nats.node);
        let entry = Entry { servers: nats.servers.clone(), credentials, name };
        let system = |error: std::io::Error| NatsError::Unreachable {
            servers: entry.all(),
            reason: error.to_string(),
        };
        let (orders, inbox) = mpsc::unbounded_channel();
        let link = Self { orders, state: Arc::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
        let (first, outcome) = std::sync::mpsc::channel();
        let thread = LinkThread {
            entry: entry.clone(),
            link: link.clone(),
            inbox,
            hearer,
            subscriptions: BTreeMap::new(),
        };
        let run = async move {
            match thread.entry.dial(0).await {
                Ok(dialed) => {
                    // Orders from now on wait for the connection.
                    thread.link.state.up.store(true, Ordering::Release);
                    first.send(Ok(())).ok();
                    thread.run(dialed).await;
                }
                Err(error) => drop(first.send(Err(error))),
            }
        };
        let thread = std::thread::Builder::new()
            .name(format!("nats-{purpose}"))
            .spawn(move || runtime.block_on(run))
            .map_err(system)?;
        outcome.recv().unwrap_or(Err(NatsError::Silent))?;
        Ok((link, thread))
    }

    /// Sends, if the connection is there and is not far behind. False when it was dropped.
    pub(crate) fn say(&self, said: Said) -> bool {
        let bytes = said.bytes().len();
        let fits = self.is_up() && self.state.waiting.load(Ordering::Relaxed) + bytes <= MAX_WAITING_BYTES;
        if !fits {
            self.state.dropped.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        self.state.waiting.fetch_add(bytes, Ordering::Relaxed);
        self.state.said.fetch_add(1, Ordering::Relaxed);
        self.orders.send(Order::Say(said)).is_ok()
    }

    /// Subscribes to a subject, also on later connections.
    pub(crate) fn subscribe(&self, sid: Sid, subject: &str) {
        // A closed link ignores it.
        self.orders.send(Order::Subscribe(sid, subject.to_owned())).ok();
    }

    /// Unsubscribes.
    pub(crate) fn unsubscribe(&self, sid: Sid) {
        self.orders.send(Order::Unsubscribe(sid)).ok();
    }

    /// True while the server is there, as far as is known.
    pub(crate) fn is_up(&self) -> bool {
        self.state.up.load(Ordering::Acquire)
    }

    /// Messages that went out, and messages that were dropped.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.state.said.load(Ordering::Relaxed), self.state.dropped.load(Ordering::Relaxed))
    }

    /// Ends the connection, once what waits is sent.
    pub(crate) fn close(&self) {
        self.orders.send(Order::Close).ok();
    }
}

struct LinkThread {
    entry: Entry,
    link: Link,
    inbox: mpsc::UnboundedReceiver<Order>,
    hearer: Hearer,
    subscriptions: BTreeMap<Sid, String>,
}

/// Why a connection is over.
enum Over {
    Closed,
    Lost(String),
}

impl LinkThread {
    async fn run(mut self, first: Dialed) {
        let mut dialed = Some(first);
        let mut turn = 0;
        loop {
            let connection = match dialed.take() {
                Some(dialed) => dialed,
                None => match self.come_back(&mut turn).await {
                    Some(dialed) => dialed,
                    None => return,
                },
            };
            let over = self.serve(connection).await;
            let was_up = self.link.state.up.swap(false, Ordering::AcqRel);
            if was_up {
                (self.hearer)(&self.link, Event::Down);
            }
            match over {
                Over::Closed => return,
                Over::Lost(reason) => {
                    tracing::warn!(nats = %self.entry.all(), purpose = %self.entry.name, reason, "NATS is gone");
                }
            }
        }
    }

    /// Tries until it works. Nothing when the link is closed.
    async fn come_back(&mut self, turn: &mut usize) -> Option<Dialed> {
        let mut pause = RECONNECT_WAIT.0;
        loop {
            let until = Instant::now() + pause;
            pause = (pause * 2).min(RECONNECT_WAIT.1);
            loop {
                match tokio::time::timeout_at(until, self.inbox.recv()).await {
                    Ok(None | Some(Order::Close)) => return None,
                    Ok(Some(order)) => drop(self.carry_out(order)),
                    Err(_) => break,
                }
            }
            (self.hearer)(&self.link, Event::Tick);
            *turn += 1;
            match self.entry.dial(*turn).await {
                Ok(dialed) => {
                    tracing::info!(nats = %self.entry.all(), purpose = %self.entry.name, "NATS is back");
                    return Some(dialed);
                }
                Err(error @ NatsError::Unreachable { .. }) => {
                    tracing::debug!(reason = %error, "NATS is still gone");
                }
                Err(error) => tracing::error!(reason = %error, "NATS is back and does not let us in"),
            }
        }
    }

    /// Notes what an order means for later connections; returns the bytes to send now.
    fn carry_out(&mut self, order: Order) -> Option<Said> {
        match order {
            Order::Say(said) => {
                self.link.state.waiting.fetch_sub(said.bytes().len(), Ordering::Relaxed);
                Some(said)
            }
            Order::Subscribe(sid, subject) => {
                let said = Said::subscribe(&subject, sid);
                self.subscriptions.insert(sid, subject);
                Some(said)
            }
            Order::Unsubscribe(sid) => self.subscriptions.remove(&sid).map(|_| Said::unsubscribe(sid)),
            Order::Close => None,
        }
    }

    async fn serve(&mut self, dialed: Dialed) -> Over {
        let Dialed { mut carrier, mut reader, info } = dialed;
        let mut out = Vec::with_capacity(WRITE_BYTES);
        for (sid, subject) in &self.subscriptions {
            out.extend_from_slice(Said::subscribe(subject, *sid).bytes());
        }
        if let Err(over) = put(&mut carrier, &mut out).await {
            return over;
        }
        self.link.state.up.store(true, Ordering::Release);
        (self.hearer)(&self.link, Event::Up(&info));
        let mut scratch = vec![0; READ_BYTES];
        let over = self.talk(&mut carrier, &mut reader, &mut out, &mut scratch).await;
        out.zeroize();
        scratch.zeroize();
        over
    }

    async fn talk(
        &mut self,
        carrier: &mut Box<dyn Carrier>,
        reader: &mut Reader,
        out: &mut Vec<u8>,
        scratch: &mut [u8],
    ) -> Over {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            if let Err(reason) = self.hear(reader, out) {
                return Over::Lost(reason);
            }
            tokio::select! {
                read = carrier.read(scratch) => match read {
                    Ok(0) => return Over::Lost("it closed the connection".to_owned()),
                    Ok(bytes) => {
                        heard = Instant::now();
                        reader.feed(&scratch[..bytes]);
                        scratch[..bytes].zeroize();
                        if let Err(reason) = self.hear(reader, out) {
                            return Over::Lost(reason);
                        }
                    }
                    Err(error) => return Over::Lost(error.to_string()),
                },
                order = self.inbox.recv() => {
                    let closed = self.gather(order, out);
                    let sent = put(carrier, out).await;
                    match (closed, sent) {
                        (true, _) => return Over::Closed,
                        (false, Err(over)) => return over,
                        (false, Ok(())) => {}
                    }
                }
                _ = ticks.tick() => {
                    match heard.elapsed() {
                        silent if silent >= DEAD_AFTER => return Over::Lost("it is silent".to_owned()),
                        silent if silent >= PING_AFTER => out.extend_from_slice(b"PING\r\n"),
                        _ => {}
                    }
                    (self.hearer)(&self.link, Event::Tick);
                }
            }
            if let Err(over) = put(carrier, out).await {
                return over;
            }
        }
    }

    /// Takes an order and what waits behind it. True when the link is closed.
    fn gather(&mut self, first: Option<Order>, out: &mut Vec<u8>) -> bool {
        let mut next = first;
        loop {
            match next {
                None | Some(Order::Close) => return true,
                Some(order) => {
                    if let Some(said) = self.carry_out(order) {
                        out.extend_from_slice(said.bytes());
                    }
                }
            }
            if out.len() >= WRITE_BYTES {
                return false;
            }
            next = match self.inbox.try_recv() {
                Ok(order) => Some(order),
                Err(_) => return false,
            };
        }
    }

    /// Passes on what has come.
    fn hear(&mut self, reader: &mut Reader, out: &mut Vec<u8>) -> Result<(), String> {
        loop {
            match reader.next() {
                Ok(None) => return Ok(()),
                Ok(Some(Op::Message(message))) => {
                    // What was unsubscribed may still come.
                    if self.subscriptions.contains_key(&message.sid) {
                        (self.hearer)(&self.link, Event::Message(message));
                    }
                }
                Ok(Some(Op::Ping)) => out.extend_from_slice(b"PONG\r\n"),
                Ok(Some(Op::Error(reason))) => {
                    tracing::error!(nats = %self.entry.all(), reason, "NATS refuses something");
                }
                Ok(Some(Op::Info(_) | Op::Pong | Op::Fine)) => {}
                Err(_) => return Err("it does not speak the protocol of NATS".to_owned()),
            }
        }
    }
}

/// Writes everything and wipes it. A server that takes nothing counts as gone.
async fn put(carrier: &mut Box<dyn Carrier>, out: &mut Vec<u8>) -> Result<(), Over> {
    if out.is_empty() {
        return Ok(());
    }
    let sent = timeout(DEAD_AFTER, async {
        carrier.write_all(out).await?;
        carrier.flush().await
    });
    let sent = sent.await;
    out.as_mut_slice().zeroize();
    out.clear();
    match sent {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Over::Lost(error.to_string())),
        Err(_) => Err(Over::Lost("it takes nothing".to_owned())),
    }
}
