//! Everybody connects, then the talkers talk, then what is under way may arrive.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tenfour_client::opus::Encoder;
use tenfour_client::{Identity, Server, log_in};
use tenfour_protocol::control::FrameTime;
use tenfour_protocol::limits::CONNECTIONS_PER_USER;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::Instant;

use crate::arguments::Arguments;
use crate::listener::Listener;
use crate::report::Report;
use crate::score::Score;
use crate::talker::{Plan, Talker};

/// From the last join to the first frame: joins are told by then.
const SETTLE: Duration = Duration::from_millis(500);
/// Nothing came for this long: what is still missing will not come.
const DRAIN: Duration = Duration::from_secs(2);
/// Different packets that the talkers say in turn.
const PACKETS: usize = 50;

/// Runs to the end.
pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    raise_file_limit(arguments.listeners + arguments.talkers)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, load(arguments))
}

async fn load(arguments: &Arguments) -> Result<Report> {
    let frame_ms = FrameTime::try_from(arguments.frame_ms)?;
    let packets: Rc<[Vec<u8>]> = packets(frame_ms, arguments.payload)?.into();
    let server = Server::new(&arguments.server, None)?;
    let authority: Rc<str> =
        server.origin().strip_prefix("http://").context("load goes over plain http")?.into();
    let authority = if authority.contains(':') { authority } else { format!("{authority}:80").into() };
    let started = Instant::now();
    let (talkers, listeners) = (arguments.talkers as usize, arguments.listeners as usize);
    let tokens = tokens(&server, talkers + listeners.div_ceil(CONNECTIONS_PER_USER)).await?;
    let token = |listener: usize| tokens[talkers + listener / CONNECTIONS_PER_USER].clone();
    let channel = |user: usize| arguments.channels[user % arguments.channels.len()].clone();
    let score = Score::new(arguments.talkers);
    let opening = Rc::new(Semaphore::new(arguments.opening.max(1)));

    let mut joining: Vec<JoinHandle<Result<Listener>>> = Vec::new();
    for user in 0..listeners {
        let (opening, authority, score) = (Rc::clone(&opening), Rc::clone(&authority), score.clone());
        let (token, channel) = (token(user), channel(user));
        joining.push(tokio::task::spawn_local(async move {
            let _turn = opening.acquire().await?;
            Listener::tune(&authority, &token, &channel, frame_ms.samples(), score).await
        }));
    }
    let mut hearing = Vec::new();
    for listener in joining {
        hearing.push(tokio::task::spawn_local(listener.await??.hear()));
    }
    let mut talking = Vec::new();
    for (number, token) in tokens.iter().enumerate().take(talkers) {
        let here = (0..arguments.listeners as usize).filter(|user| channel(*user) == channel(number)).count();
        let packets = Rc::clone(&packets);
        let tuned = Talker::tune(
            &authority,
            token,
            score.clone(),
            number,
            channel(number),
            frame_ms,
            packets,
            here as u64,
        );
        talking.push(tuned.await?);
    }
    let tuned_after = started.elapsed().as_secs_f64();
    eprintln!("tenfour-load: {} listeners tuned after {tuned_after:.1} s", arguments.listeners);

    let begin = Instant::now() + SETTLE;
    let plan = Plan {
        begin,
        end: begin + Duration::from_secs_f64(arguments.time),
        burst: Duration::from_secs_f64(arguments.burst),
    };
    let stagger = Duration::from_millis(frame_ms.millis().into()) / arguments.talkers.max(1);
    let talking: Vec<_> = talking
        .into_iter()
        .zip(0..)
        .map(|(talker, at)| {
            let plan = Plan { begin: plan.begin + stagger * at, ..plan };
            tokio::task::spawn_local(talker.talk(plan))
        })
        .collect();
    for talk in talking {
        talk.await??;
    }
    drained(&score).await;
    let report = Report::new(arguments, tuned_after, &score.counts());
    hearing.iter().for_each(JoinHandle::abort);
    Ok(report)
}

/// Waits until everything came, or nothing does any more.
async fn drained(score: &Score) {
    let mut look = tokio::time::interval(Duration::from_millis(20));
    loop {
        look.tick().await;
        let counts = score.counts();
        if counts.delivered + counts.gaps >= counts.expected || counts.last.elapsed() > DRAIN {
            return;
        }
    }
}

/// Users whose log-ins the sockets share, as many as a user may have: this measures voice, not log-ins.
async fn tokens(server: &Server, users: usize) -> Result<Vec<Rc<str>>> {
    let mut tokens = Vec::new();
    for user in 0..users {
        let session = log_in(server, &Identity::generate()?, Some(&format!("Load {user}"))).await?;
        tokens.push(session.token().into());
    }
    Ok(tokens)
}

/// Packets of exactly `bytes` bytes, as a real encoder makes them from something like speech.
fn packets(frame_ms: FrameTime, bytes: u16) -> Result<Vec<Vec<u8>>> {
    let mut encoder = Encoder::constant(frame_ms, bytes)?;
    let samples = encoder.samples();
    let voice = |i: usize| {
        let t = i as f32 / 48_000.0;
        let swell = 0.5 + 0.5 * (t * 4.0 * std::f32::consts::TAU).sin();
        let harmonics = (1..20).map(|k| (t * 120.0 * k as f32 * std::f32::consts::TAU).sin() / k as f32);
        0.2 * swell * harmonics.sum::<f32>()
    };
    let sound: Vec<f32> = (0..samples * PACKETS).map(voice).collect();
    let packets: Result<Vec<_>, _> = sound.chunks(samples).map(|frame| encoder.encode(frame)).collect();
    let packets = packets?;
    if packets.iter().any(|packet| packet.len() != usize::from(bytes)) {
        bail!("{bytes} bytes are too few or too many for {} ms", frame_ms.millis());
    }
    Ok(packets)
}

/// Each virtual user is a socket.
fn raise_file_limit(users: u32) -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = u64::from(users) + 100;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < wanted) {
        bail!("{users} users need {wanted} open files; raise the limit (ulimit -n)");
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum })?;
    Ok(())
}
