//! The JSON line, and the gates.

use serde::Serialize;

use crate::arguments::Arguments;
use crate::score::Inner;

/// What came out. Times in milliseconds where the name says so, else in seconds.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    listeners: u32,
    talkers: u32,
    channels: usize,
    seconds: f64,
    frame_ms: u8,
    payload_bytes: u16,
    /// Time until all were tuned.
    tuned_after: f64,
    sent: u64,
    expected: u64,
    delivered: u64,
    delivered_share: f64,
    gaps: u64,
    disorder: u64,
    foreign: u64,
    dropped_sockets: u32,
    refused_bursts: u32,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    max_ms: f64,
    passed: bool,
    #[serde(skip)]
    pub(crate) failed_gates: Vec<String>,
}

impl Report {
    pub(crate) fn new(arguments: &Arguments, tuned_after: f64, counts: &Inner) -> Self {
        let ms = |quantile| counts.latency.value_at_quantile(quantile) as f64 / 1000.0;
        let share = if counts.expected == 0 { 0.0 } else { counts.delivered as f64 / counts.expected as f64 };
        let mut report = Self {
            listeners: arguments.listeners,
            talkers: arguments.talkers,
            channels: arguments.channels.len(),
            seconds: arguments.time,
            frame_ms: arguments.frame_ms,
            payload_bytes: arguments.payload,
            tuned_after: (tuned_after * 100.0).round() / 100.0,
            sent: counts.sent,
            expected: counts.expected,
            delivered: counts.delivered,
            delivered_share: share,
            gaps: counts.gaps,
            disorder: counts.disorder,
            foreign: counts.foreign,
            dropped_sockets: counts.dropped,
            refused_bursts: counts.refused,
            p50_ms: ms(0.5),
            p90_ms: ms(0.9),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
            max_ms: counts.latency.max() as f64 / 1000.0,
            passed: true,
            failed_gates: Vec::new(),
        };
        report.judge(arguments);
        report
    }

    pub(crate) fn line(&self) -> String {
        serde_json::to_string(self).expect("plain numbers")
    }

    fn judge(&mut self, arguments: &Arguments) {
        let mut fail = |failed: bool, words: String| {
            if failed {
                self.failed_gates.push(words);
            }
        };
        fail(self.expected == 0, "no frame was sent".into());
        fail(
            self.delivered_share < arguments.gate_delivered,
            format!("delivered {} of {} frames", self.delivered, self.expected),
        );
        if let Some(most) = arguments.gate_p99_ms {
            fail(self.p99_ms > most, format!("p99 is {:.1} ms, over {most} ms", self.p99_ms));
        }
        fail(self.disorder > 0, format!("{} frames came twice or out of order", self.disorder));
        fail(self.refused_bursts > 0, format!("{} bursts were not aired to their end", self.refused_bursts));
        self.passed = self.failed_gates.is_empty();
    }
}
