//! The emulated network. A connection is a pair of pipes; a pipe knows when each message that
//! is put in comes out. It keeps no clock and no events: it answers with times.
//!
//! Control, and voice on a stream, behave as TCP shows itself to a program: nothing is lost or
//! reordered, but a lost packet holds up all behind it until it was sent again. Voice as
//! datagrams is lost and reordered for real.

use std::time::Duration;

use fastrand::Rng;
use tenfour_core::Time;

/// How voice travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carriage {
    /// In the stream, as over a WebSocket.
    Stream,
    /// Beside it, as over WebTransport datagrams.
    Datagram,
}

/// How good a client's line is.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// One way, at least.
    pub delay: Duration,
    /// Up to this much more, differently for each message.
    pub jitter: Duration,
    /// Share of messages that are lost.
    pub loss: f64,
    /// How voice travels.
    pub carriage: Carriage,
}

/// A lost packet is sent again after this long: the least timeout of common TCPs.
const RETRANSMIT: Duration = Duration::from_millis(200);

impl Line {
    /// A line like those people have: from a cable in the same town to a phone on a train.
    pub fn any(rng: &mut Rng) -> Self {
        Self {
            delay: Duration::from_millis(rng.u64(1..120)),
            jitter: Duration::from_millis(rng.u64(0..80)),
            loss: [0.0, 0.0, 0.01, 0.05][rng.usize(0..4)],
            carriage: if rng.u8(0..4) == 0 { Carriage::Datagram } else { Carriage::Stream },
        }
    }
}

/// One direction of a connection.
#[derive(Debug)]
pub struct Pipe {
    line: Line,
    last: Time,
}

impl Pipe {
    /// An empty pipe.
    pub fn new(line: Line) -> Self {
        Self { line, last: Time::ZERO }
    }

    /// When a message of the stream that is put in now comes out.
    pub fn stream(&mut self, now: Time, rng: &mut Rng) -> Time {
        let mut time = self.travel(rng);
        while rng.f64() < self.line.loss {
            time += RETRANSMIT;
        }
        self.last = self.last.max(now + time);
        self.last
    }

    /// When a voice frame that is put in now comes out, unless it is lost.
    pub fn voice(&mut self, now: Time, rng: &mut Rng) -> Option<Time> {
        match self.line.carriage {
            Carriage::Stream => Some(self.stream(now, rng)),
            Carriage::Datagram if rng.f64() < self.line.loss => None,
            Carriage::Datagram => Some(now + self.travel(rng)),
        }
    }

    fn travel(&self, rng: &mut Rng) -> Duration {
        self.line.delay + self.line.jitter.mul_f64(rng.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: Line = Line {
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(50),
        loss: 0.2,
        carriage: Carriage::Datagram,
    };

    #[test]
    fn a_stream_keeps_its_order_and_loses_nothing() {
        let (mut pipe, mut rng) = (Pipe::new(LINE), Rng::with_seed(1));
        let times: Vec<_> = (0..1000).map(|n| pipe.stream(Time::from_micros(n * 1000), &mut rng)).collect();
        assert!(times.is_sorted());
    }

    #[test]
    fn datagrams_are_lost_and_overtake_each_other() {
        let (mut pipe, mut rng) = (Pipe::new(LINE), Rng::with_seed(1));
        let times: Vec<_> =
            (0..1000).filter_map(|n| pipe.voice(Time::from_micros(n * 1000), &mut rng)).collect();
        assert!((700..900).contains(&times.len()), "{} of 1000 came", times.len());
        assert!(!times.is_sorted());
    }
}
