//! Every gate with its number, and where the number comes from.

/// A gate of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gate {
    pub(super) id: &'static str,
    pub(super) what: &'static str,
    pub(super) bound: Bound,
    /// Why this number.
    pub(super) source: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

use Bound::{AtLeast, AtMost};

/// Nearly all of a frame's cost is the kernel's, which the floor pays too.
const FLOOR: &str = "a server's own share; Mumble had 1.41, a plain axum server 1.48";
/// The design's own measurement of three frames in one write.
const BUNDLED: &str = "three writes in one cost 0.40 of three on this kind of machine";

pub(super) const P1: Gate = Gate {
    id: "P1",
    what: "CPU per delivered frame, plain, against the floor",
    bound: AtMost(1.10),
    source: FLOOR,
};
pub(super) const P2: Gate = Gate {
    id: "P2",
    what: "CPU per listener-second, bundled 20 ms frames, against the floor",
    bound: AtMost(0.45),
    source: BUNDLED,
};
pub(super) const P2_LOW_DATA: Gate = Gate {
    id: "P2 low data",
    what: "CPU per listener-second, 60 ms frames, against the floor at 20 ms",
    bound: AtMost(0.40),
    source: BUNDLED,
};
pub(super) const P2_MUMBLE: Gate = Gate {
    id: "P2 Mumble",
    what: "CPU per listener-second, bundled 20 ms frames, against Mumble at its 20 ms",
    bound: AtMost(0.35),
    source: BUNDLED,
};
pub(super) const P2_MUMBLE_LOW_DATA: Gate = Gate {
    id: "P2 Mumble low data",
    what: "CPU per listener-second, 60 ms frames, against Mumble at its 20 ms",
    bound: AtMost(0.30),
    source: BUNDLED,
};
pub(super) const P3: Gate = Gate {
    id: "P3",
    what: "CPU per delivered frame under TLS, against the plain floor",
    bound: AtMost(1.0),
    source: "sealed rows through the ring: sealing costs about what the ring saves",
};
pub(super) const P4: Gate = Gate {
    id: "P4",
    what: "KiB of the process per idle connection, plain",
    bound: AtMost(4.0),
    source: "a listener is a cursor, not a buffer; Mumble had 119, axum 6.5 to 135",
};
pub(super) const P4_TLS: Gate = Gate {
    id: "P4 TLS",
    what: "KiB of the process per idle connection, TLS",
    bound: AtMost(7.0),
    source: "the state of a TLS session, and no buffers: a prototype had 3.6 more than plain",
};
pub(super) const P5_SHARE: Gate = Gate {
    id: "P5 delivered",
    what: "share delivered to 8,000 listeners on one core, bundled",
    bound: AtLeast(1.0),
    source: "the floor at 20 ms carried 3,000, Mumble 2,200",
};
pub(super) const P5_P99: Gate = Gate {
    id: "P5 p99",
    what: "p99 in ms at 8,000 listeners, bundled: 20 beyond the 40 that a bundle waits",
    bound: AtMost(60.0),
    source: "the first of three frames waits for two",
};
pub(super) const P6_P50: Gate = Gate {
    id: "P6 p50",
    what: "ms of 500 talking pairs beside a channel of 1,000, p50",
    bound: AtMost(0.4),
    source: "a pair waits for a part of the large channel's burst",
};
pub(super) const P6_P99: Gate = Gate {
    id: "P6 p99",
    what: "ms of 500 talking pairs beside a channel of 1,000, p99",
    bound: AtMost(5.0),
    source: "a pair waits for all of the large channel's burst",
};
pub(super) const P7_PRESS: Gate = Gate {
    id: "P7 press",
    what: "ms from the press to the first voice frame at the socket of a warm page, p50",
    bound: AtMost(25.0),
    source: "the microphone gives a frame each 20 ms",
};
pub(super) const P7_WAY_P50: Gate = Gate {
    id: "P7 way p50",
    what: "ms from the microphone to the worklet of a listening page, p50",
    bound: AtMost(55.0),
    source: "a first trial had 52 with a buffer that begins with 40",
};
pub(super) const P7_WAY_P99: Gate = Gate {
    id: "P7 way p99",
    what: "ms from the microphone to the worklet of a listening page, p99",
    bound: AtMost(80.0),
    source: "one frame of 20 ms later than usual, and a little",
};
pub(super) const P8_EVENTS: Gate = Gate {
    id: "P8 events",
    what: "control events a second on one core",
    bound: AtLeast(500_000.0),
    source: "design goal",
};
pub(super) const P8_JOINS: Gate = Gate {
    id: "P8 joins",
    what: "joins a second, each with a log-in",
    bound: AtLeast(3_000.0),
    source: "Mumble had 80; a storm of 30,000 is over in 10 s",
};
pub(super) const P8_GROWTH: Gate = Gate {
    id: "P8 growth",
    what: "CPU of the last thousand joins against the second thousand",
    bound: AtMost(1.3),
    source: "a join's cost does not grow with the channel; the rest is noise",
};
pub(super) const P8_AUDIENCE: Gate = Gate {
    id: "P8 audience",
    what: "ms for the audience of 100,000 participants",
    bound: AtMost(2.0),
    source: "crates/core/benches/audience.rs",
};
pub(super) const P9: Gate = Gate {
    id: "P9",
    what: "CPU on one worker against the busier of two: how much more two carry",
    bound: AtLeast(1.8),
    source: "design goal; derived from CPU, since the virtual users need a core too",
};
pub(super) const P10_START: Gate =
    Gate { id: "P10 start", what: "ms to the first answer", bound: AtMost(100.0), source: "design goal" };
pub(super) const P10_SIZE: Gate = Gate {
    id: "P10 size",
    what: "MB of the binary, page and borders included",
    bound: AtMost(25.0),
    source: "design goal",
};
pub(super) const STORM_BACK: Gate = Gate {
    id: "storm back",
    what: "s until all are back",
    bound: AtMost(10.0),
    source: "a client's hold: nobody misses a word",
};
pub(super) const STORM_GAP: Gate = Gate {
    id: "storm gap",
    what: "longest gap of 100 untouched pairs, ms",
    bound: AtMost(500.0),
    source: "more than the radio's buffer, less than what makes people ask",
};

pub(super) const STALLED_P99: Gate = Gate {
    id: "stalled p99",
    what: "ms that 1,000 stalled listeners add to the p99 of 1,000 others, beyond the bundle",
    bound: AtMost(5.0),
    source: "a slow listener hurts nobody",
};
pub(super) const STALLED_MEMORY: Gate = Gate {
    id: "stalled memory",
    what: "MiB that the process grows in a minute of speech to 1,000 stalled listeners",
    bound: AtMost(1.0),
    source: "a listener is a cursor, not a queue",
};
pub(super) const STALLED_GONE: Gate = Gate {
    id: "stalled gone",
    what: "s from the first word until the stalled are gone: 10, and what fills their windows",
    bound: AtMost(14.0),
    source: "STALLED in crates/protocol/src/limits.rs, looked after each second",
};
pub(super) const STALLED_CONTROL: Gate = Gate {
    id: "stalled control",
    what: "listeners beside the stalled that were not told of each burst",
    bound: AtMost(0.0),
    source: "control is never lost",
};
pub(super) const SOAK_SHARE: Gate = Gate {
    id: "soak delivered",
    what: "share delivered to 9,000 listeners in ten minutes",
    bound: AtLeast(1.0),
    source: "nobody misses a word",
};
pub(super) const SOAK_DRIFT: Gate = Gate {
    id: "soak memory",
    what: "% that the process grows from the first minute to the tenth",
    bound: AtMost(1.0),
    source: "nothing is kept",
};
pub(super) const SOAK_FILES: Gate = Gate {
    id: "soak files",
    what: "open files more than in the first minute",
    bound: AtMost(0.0),
    source: "nothing is kept",
};

/// A gate and what was measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict {
    pub(super) gate: Gate,
    pub(super) value: f64,
}

impl Gate {
    pub(super) fn judge(self, value: f64) -> Verdict {
        Verdict { gate: self, value }
    }
}

impl Verdict {
    pub(super) fn met(&self) -> bool {
        match self.gate.bound {
            AtMost(most) => self.value <= most,
            AtLeast(least) => self.value >= least,
        }
    }

    /// A row of the table of gates.
    pub(super) fn row(&self) -> String {
        let (sign, bound) = match self.gate.bound {
            AtMost(bound) => ("<=", bound),
            AtLeast(bound) => (">=", bound),
        };
        let met = if self.met() { "met" } else { "**not met**" };
        let Gate { id, what, source, .. } = self.gate;
        format!("| {id} | {what} | {sign} {} | {} | {met} | {source} |", short(bound), short(self.value))
    }
}

/// Large numbers whole, small ones with two digits.
fn short(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_is_met_up_to_its_bound_and_not_by_a_number_that_is_none() {
        assert!(P1.judge(1.10).met() && !P1.judge(1.11).met());
        assert!(P9.judge(1.80).met() && !P9.judge(1.79).met());
        assert!(!P1.judge(f64::NAN).met());
    }

    #[test]
    fn a_row_says_what_was_asked_and_what_came_out() {
        let row = P4.judge(5.0).row();
        assert!(row.starts_with("| P4 | KiB") && row.contains("| <= 4.00 | 5.00 | **not met** |"), "{row}");
    }
}
