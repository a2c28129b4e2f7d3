//! The table of the floods, and its goals.

use std::fs;
use std::time::Duration;

use crate::bench::statistics::Spread;
use anyhow::{Context, Result};

const REPORT: &str = "docs/reliability.md";
const BEGIN: &str = "<!-- floods -->\n";
const END: &str = "<!-- end of floods -->\n";

pub(super) const HEAD: &str = "\
| flood | sent | refused or closed | p99 quiet → flood, ms | least delivered | memory | page, longest | p99 after, ms | |
|---|---|---|---|---|---|---|---|---|
";

/// A p99 up to this is good enough, however good the quiet one was.
const GOOD_MS: f64 = 10.0;
/// A p99 above this is not, however bad the quiet one was.
const MAX_P99_MS: f64 = 60.0;
/// Of the memory in quiet.
const MAX_MEMORY_SHARE: f64 = 1.5;
const MAX_PAGE_TIME: Duration = Duration::from_secs(5);

/// What one flood did: a value for each round.
#[derive(Default)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) quiet: Vec<f64>,
    pub(super) flooded: Vec<f64>,
    pub(super) after: Vec<f64>,
    pub(super) quiet_memory: Vec<f64>,
    pub(super) memory: Vec<f64>,
    pub(super) sent: Vec<f64>,
    pub(super) bytes: Vec<f64>,
    pub(super) refused: Vec<f64>,
    pub(super) delivered: f64,
    pub(super) page: Duration,
    /// An honest connection ended, or none could be made.
    pub(super) broken: Option<String>,
}

impl Row {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, delivered: 1.0, ..Self::default() }
    }

    /// Which goals it breaks.
    pub(super) fn faults(&self) -> Vec<&'static str> {
        let most = (2.0 * median(&self.quiet)).max(GOOD_MS);
        // A figure that is missing is NaN, and meets nothing.
        let kept = |value: f64, most: f64| value <= most;
        let rules = [
            (self.broken.is_none(), "disconnected"),
            (kept(median(&self.flooded), most.min(MAX_P99_MS)), "late"),
            (self.delivered >= 1.0, "lost"),
            (kept(self.memory_share(), MAX_MEMORY_SHARE), "memory"),
            (self.page <= MAX_PAGE_TIME, "page"),
            (kept(median(&self.after), most), "after"),
        ];
        rules.into_iter().filter(|(met, _)| !met).map(|(_, name)| name).collect()
    }

    fn memory_share(&self) -> f64 {
        let shares = self.memory.iter().zip(&self.quiet_memory).map(|(flood, quiet)| flood / quiet);
        median(&shares.collect::<Vec<_>>())
    }

    /// As a line of the table.
    pub(super) fn text(&self) -> String {
        let faults = self.faults();
        let page = match self.page {
            Duration::MAX => "none".to_owned(),
            page => format!("{:.2} s", page.as_secs_f64()),
        };
        format!(
            "| {} | {} | {} | {:.1} → {:.1} | {:.4} | {:.2} | {page} | {:.1} | {} |",
            self.name,
            amount(median(&self.sent), median(&self.bytes)),
            thousands(median(&self.refused)),
            median(&self.quiet),
            median(&self.flooded),
            self.delivered,
            self.memory_share(),
            median(&self.after),
            if faults.is_empty() { "ok".to_owned() } else { faults.join(", ") },
        ) + &self.broken.as_ref().map_or_else(String::new, |error| format!("\n<!-- {error} -->"))
    }
}

fn amount(sent: f64, bytes: f64) -> String {
    if bytes > 0.0 { format!("{}, {:.0} MB", thousands(sent), bytes / 1e6) } else { thousands(sent) }
}

fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let from_end = |(place, digit): (usize, char)| {
        let comma = (place > 0 && (digits.len() - place).is_multiple_of(3)).then_some(',');
        comma.into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(from_end).collect()
}

/// Puts the table into the report.
pub(super) fn keep(rows: &[Row], flags: &str) -> Result<()> {
    let old = fs::read_to_string(REPORT).context(REPORT)?;
    let (before, rest) = old.split_once(BEGIN).context("docs/reliability.md has no place for the table")?;
    let (_, after) = rest.split_once(END).context("docs/reliability.md has no end of the table")?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let lines: String = rows.iter().map(|row| row.text() + "\n").collect();
    let how = format!(
        "`cargo xtask soak floods {flags}`, {cores} cores. Medians of the rounds; the least \
         that was delivered in any, and the longest wait for a page.\n\n"
    );
    fs::write(REPORT, format!("{before}{BEGIN}{how}{HEAD}{lines}{END}{after}"))?;
    println!("written: {REPORT}");
    Ok(())
}

fn median(values: &[f64]) -> f64 {
    if values.is_empty() { f64::NAN } else { Spread::of(values.iter().copied()).median }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_is_missing_is_a_fault_and_what_is_met_is_none() {
        let mut row = Row::new("pings");
        assert_eq!(row.faults(), ["late", "memory", "after"]);
        row.quiet = vec![4.0, 6.0, 5.0];
        (row.flooded, row.after) = (vec![10.0], vec![10.0]);
        (row.quiet_memory, row.memory) = (vec![100.0], vec![150.0]);
        assert!(row.faults().is_empty());
        (row.flooded, row.delivered) = (vec![10.1], 0.9999);
        assert_eq!(row.faults(), ["late", "lost"]);
        row.quiet = vec![100.0];
        row.flooded = vec![61.0];
        assert_eq!(row.faults(), ["late", "lost"], "60 ms are the most");
    }

    #[test]
    fn large_numbers_are_read_in_threes() {
        assert_eq!([7.0, 1_234.0, 999_999.0, 1e6].map(thousands), ["7", "1,234", "999,999", "1,000,000"]);
    }
}
