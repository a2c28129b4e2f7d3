//! All virtual users in one thread, which sends each frame when it is due and reads what comes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};

use crate::lines::Line;
use crate::score::Score;
use crate::stamp::Stamp;

/// The alarm's number among the events.
const ALARM: u64 = u64::MAX;
/// Events handled before the clock is read: a talker waits no longer than these take.
const MAX_EVENTS: usize = 64;
/// Lines that are opened, or leave, before what has come to the others is read.
pub(crate) const LINES_PER_BATCH: usize = 50;
/// How long it is read.
pub(crate) const BATCH_PAUSE: Duration = Duration::from_millis(5);
/// What is read from a socket at once.
const SCRATCH_BYTES: usize = 64 * 1024;
/// Frames that are missing after this long without any are lost.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(1);

/// The work: what talkers say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    pub(crate) time: Duration,
    pub(crate) frame_ms: u8,
    pub(crate) payload: usize,
}

/// A line that talks, and how many hear it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Talker {
    pub(crate) line: usize,
    pub(crate) group: usize,
    pub(crate) listeners: u64,
}

/// All lines of this process.
pub(crate) struct Air {
    epoll: OwnedFd,
    alarm: OwnedFd,
    lines: Vec<Box<dyn Line>>,
    talkers: Vec<Talker>,
    pub(crate) score: Score,
    scratch: Vec<u8>,
    /// The thread has a core to itself and does not sleep while people talk: to wake it would cost the server CPU,
    /// which it would not over a network.
    pub(crate) awake: bool,
    /// Due times count from here.
    zero: Instant,
}

impl Air {
    pub(crate) fn new(groups: usize) -> Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let alarm = rustix::time::timerfd_create(TimerfdClockId::Monotonic, flags)?;
        epoll::add(&epoll, &alarm, epoll::EventData::new_u64(ALARM), epoll::EventFlags::IN)?;
        let (lines, talkers, score) = (Vec::new(), Vec::new(), Score::new(groups));
        Ok(Self {
            epoll,
            alarm,
            lines,
            talkers,
            score,
            scratch: vec![0; SCRATCH_BYTES],
            awake: false,
            zero: Instant::now(),
        })
    }

    /// Adds a line that listens, and gives its number.
    pub(crate) fn add(&mut self, line: Box<dyn Line>) -> Result<usize> {
        let number = self.lines.len();
        for (place, socket) in line.sockets().into_iter().enumerate() {
            let data = epoll::EventData::new_u64((place as u64) << 32 | number as u64);
            epoll::add(&self.epoll, socket, data, epoll::EventFlags::IN)?;
        }
        self.lines.push(line);
        self.score.listener();
        Ok(number)
    }

    /// Adds a line that talks.
    pub(crate) fn add_talker(&mut self, line: Box<dyn Line>, group: usize, listeners: u64) -> Result<()> {
        let line = self.add(line)?;
        self.score.talker(group);
        self.talkers.push(Talker { line, group, listeners });
        Ok(())
    }

    /// Reads what comes until `time` is over.
    pub(crate) fn listen(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        loop {
            self.set_alarm(end)?;
            self.wait()?;
            if Instant::now() >= end {
                return Ok(());
            }
        }
    }

    /// Talks, and then listens until all frames have come, or none comes any more.
    pub(crate) fn talk(&mut self, work: Work) -> Result<()> {
        ensure!(!self.talkers.is_empty(), "nobody talks");
        let period = Duration::from_millis(work.frame_ms.into());
        let begin = Instant::now() + period;
        let mut due = BinaryHeap::new();
        for talker in 0..self.talkers.len() {
            // Talkers are spread over the time of a frame, as people are.
            let phase = period * talker as u32 / self.talkers.len() as u32;
            due.push(Reverse((begin + phase, talker, 0)));
            self.lines[self.talkers[talker].line].press()?;
        }
        while let Some(&Reverse((at, talker, seq))) = due.peek() {
            if Instant::now() < at {
                self.set_alarm(at)?;
                self.wait()?;
                continue;
            }
            due.pop();
            if at < begin + work.time {
                self.say(talker, seq, at, work)?;
                due.push(Reverse((at + period, talker, seq + 1)));
            } else {
                self.lines[self.talkers[talker].line].release()?;
            }
        }
        while !self.score.complete() && self.score.last.elapsed() < SILENCE_TIMEOUT {
            self.set_alarm(Instant::now() + SILENCE_TIMEOUT / 10)?;
            self.wait()?;
        }
        Ok(())
    }

    /// Everybody leaves for good: otherwise the server would keep their sessions for a while, during the next work.
    pub(crate) fn leave(&mut self) -> Result<()> {
        for number in 0..self.lines.len() {
            self.lines[number].leave()?;
            if number % LINES_PER_BATCH == 0 {
                self.listen(BATCH_PAUSE)?;
            }
        }
        Ok(())
    }

    /// How many lines were not told the beginning and end of exactly `bursts` bursts.
    pub(crate) fn told_otherwise(&self, bursts: u32) -> usize {
        self.lines.iter().filter(|line| line.told().is_some_and(|told| told != (bursts, bursts))).count()
    }

    fn say(&mut self, talker: usize, seq: u32, at: Instant, work: Work) -> Result<()> {
        let Talker { line, group, listeners } = self.talkers[talker];
        let due = self.micros(at);
        let payload = Stamp { talker: talker as u16, seq, due }.payload(work.frame_ms, work.payload);
        self.score.sent(group, listeners);
        self.lines[line].say(&payload).context("a talker cannot talk")
    }

    fn micros(&self, at: Instant) -> u64 {
        at.duration_since(self.zero).as_micros() as u64
    }

    fn wait(&mut self) -> Result<()> {
        let timeout = self.awake.then_some(Timespec { tv_sec: 0, tv_nsec: 0 });
        let mut events = Vec::with_capacity(MAX_EVENTS);
        match epoll::wait(&self.epoll, spare_capacity(&mut events), timeout.as_ref()) {
            Err(rustix::io::Errno::INTR) => return Ok(()),
            waited => waited?,
        };
        for event in events {
            let data = event.data.u64();
            if data == ALARM {
                rustix::io::read(&self.alarm, &mut [0_u8; 8]).ok();
                continue;
            }
            let (number, socket) = ((data & 0xffff_ffff) as usize, (data >> 32) as usize);
            let (score, zero) = (&mut self.score, self.zero);
            let read = self.lines[number].read(socket, &mut self.scratch, &mut |payload| {
                let now = zero.elapsed().as_micros() as u64;
                score.heard(number, Stamp::read(payload), now);
            });
            read.with_context(|| format!("line {number}"))?;
        }
        Ok(())
    }

    fn set_alarm(&self, at: Instant) -> Result<()> {
        // A timer of zero never fires.
        let left = at.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let it_value = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let alarm = Itimerspec { it_interval: never, it_value };
        rustix::time::timerfd_settime(&self.alarm, TimerfdTimerFlags::empty(), &alarm)?;
        Ok(())
    }
}
