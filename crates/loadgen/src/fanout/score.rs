//! What was sent, what came, and how late.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::stamp::Stamp;

/// Listeners of one kind.
pub(crate) struct Group {
    pub(crate) sent: u64,
    pub(crate) expected: u64,
    pub(crate) delivered: u64,
    /// From when a frame was due, in microseconds.
    pub(crate) latency: Histogram<u64>,
    /// The same of frames of the last seconds.
    pub(crate) last_latency: Histogram<u64>,
    /// Longest time between two frames of one listener, in microseconds.
    pub(crate) longest_gap: u64,
}

/// The counts of all listeners.
pub(crate) struct Score {
    pub(crate) groups: Vec<Group>,
    /// Of each talker, its group.
    talkers: Vec<usize>,
    /// Of each line, for each talker it has heard: the next frame, and when one came last.
    heard: Vec<Vec<(u16, u32, u64)>>,
    /// Frames that came twice or out of order.
    pub(crate) disorder: u64,
    /// Payloads that no talker of this process has sent.
    pub(crate) foreign: u64,
    pub(crate) last: Instant,
    /// `last_latency` counts from so long after the first frame.
    pub(crate) last_from: Duration,
    /// When the first frame was due, in microseconds.
    begin: Option<u64>,
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 120_000_000, 3).expect("the bounds are in order")
}

impl Score {
    pub(crate) fn new(groups: usize) -> Self {
        let group = || Group {
            sent: 0,
            expected: 0,
            delivered: 0,
            latency: histogram(),
            last_latency: histogram(),
            longest_gap: 0,
        };
        let groups = std::iter::repeat_with(group).take(groups).collect();
        let (talkers, heard) = (Vec::new(), Vec::new());
        Self {
            groups,
            talkers,
            heard,
            disorder: 0,
            foreign: 0,
            last: Instant::now(),
            last_from: Duration::MAX,
            begin: None,
        }
    }

    pub(crate) fn listener(&mut self) {
        self.heard.push(Vec::new());
    }

    pub(crate) fn talker(&mut self, group: usize) {
        self.talkers.push(group);
    }

    pub(crate) fn sent(&mut self, group: usize, listeners: u64) {
        self.groups[group].sent += 1;
        self.groups[group].expected += listeners;
        self.last = Instant::now();
    }

    /// A line got a payload, `now` microseconds after this process began to measure.
    pub(crate) fn heard(&mut self, line: usize, stamp: Option<Stamp>, now: u64) {
        let known = stamp.and_then(|stamp| Some((stamp, *self.talkers.get(usize::from(stamp.talker))?)));
        let Some((stamp, group)) = known else {
            self.foreign += 1;
            return;
        };
        let group = &mut self.groups[group];
        let heard = &mut self.heard[line];
        match heard.iter_mut().find(|(talker, ..)| *talker == stamp.talker) {
            Some((_, next, before)) => {
                if stamp.seq < *next {
                    self.disorder += 1;
                    return;
                }
                group.longest_gap = group.longest_gap.max(now.saturating_sub(*before));
                (*next, *before) = (stamp.seq + 1, now);
            }
            None => heard.push((stamp.talker, stamp.seq + 1, now)),
        }
        group.delivered += 1;
        let late = now.saturating_sub(stamp.due).max(1);
        group.latency.saturating_record(late);
        let begin = *self.begin.get_or_insert(stamp.due);
        if u128::from(stamp.due.saturating_sub(begin)) >= self.last_from.as_micros() {
            group.last_latency.saturating_record(late);
        }
        self.last = Instant::now();
    }

    /// Everything has come.
    pub(crate) fn complete(&self) -> bool {
        self.groups.iter().all(|group| group.delivered >= group.expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_counts_from_when_a_frame_was_due_and_gaps_from_frame_to_frame() {
        let mut score = Score::new(1);
        score.talker(0);
        score.listener();
        score.sent(0, 1);
        score.sent(0, 1);
        let stamp = |seq, due| Some(Stamp { talker: 0, seq, due });
        score.heard(0, stamp(0, 1_000), 1_500);
        assert!(!score.complete());
        score.heard(0, stamp(1, 21_000), 22_000);
        score.heard(0, stamp(1, 21_000), 23_000);
        score.heard(0, Some(Stamp { talker: 9, seq: 0, due: 0 }), 0);
        let group = &score.groups[0];
        assert_eq!((group.delivered, group.longest_gap, group.latency.max()), (2, 20_500, 1_000));
        assert_eq!((score.disorder, score.foreign, score.complete()), (1, 1, true));
    }
}
