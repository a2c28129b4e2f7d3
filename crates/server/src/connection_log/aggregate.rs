//! Counts: the only thing that the log is read for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Serialize, Serializer};
use tenfour_core::mutant;
use tenfour_protocol::DeviceText;

use super::folder::Folder;
use super::hour::{Hour, SECONDS_OF_HOUR, day_in};
use super::noise::{delta, noise};
use super::{ConnectionLogError, MOST_DAYS};
use crate::calendar::since_epoch;
use crate::store::Day;

/// How counts are made safe to be told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rules {
    /// Width of the noise: a day's answer is at most `exp(epsilon)` times as likely with somebody
    /// as without them. Smaller is more private.
    pub epsilon: f64,
    /// The least count, with its noise, that is told.
    pub threshold: u64,
}

/// Epsilon when the operator sets nothing.
pub const EPSILON: f64 = 1.0;
/// Threshold when the operator sets nothing.
pub const THRESHOLD: u64 = 50;

impl Default for Rules {
    fn default() -> Self {
        Self { epsilon: EPSILON, threshold: THRESHOLD }
    }
}

/// What the log says about some days, and by which rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Aggregates {
    /// The rules.
    #[serde(flatten)]
    pub rules: Rules,
    /// Odds that a cell appears because of one person: what epsilon does not cover.
    pub delta: f64,
    /// The days, in order.
    pub days: Vec<DayOfUse>,
}

/// One day, UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DayOfUse {
    /// Which.
    #[serde(serialize_with = "as_text")]
    pub day: Day,
    /// What is told of it.
    #[serde(flatten)]
    pub told: Told,
}

/// What is told of a day.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Told {
    /// Its cells, the largest first. Smaller ones are left out, and their number is not told.
    Counted {
        /// The cells.
        cells: Vec<Cell>,
    },
    /// It is not over: two answers of one day would tell who came between.
    Running,
    /// Rows of it have expired.
    Expired,
    /// It had more rows than a day may have: the oldest went early, and who connected first is not known.
    Cut,
}

/// Users of a day whose first connection was made with this platform, version and model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Platform; empty when clients did not say.
    pub platform: String,
    /// Client and version.
    pub version: String,
    /// Model of the device; empty when clients did not say.
    pub model: String,
    /// How many, with noise.
    pub users: u64,
}

type Key = [DeviceText; 3];

/// Counts the users of each day by platform, version and model. Each user counts once a day, with
/// the first connection. Reads the log in the folder `data`, whether a server runs or not.
///
/// # Errors
/// When the folder or a file cannot be read, or the secret of a day cannot be made.
pub fn aggregate(
    data: &Path,
    days: &[Day],
    kept_days: usize,
    rules: Rules,
) -> Result<Aggregates, ConnectionLogError> {
    aggregate_at(&Folder::of(data), days, kept_days, rules, since_epoch().as_secs())
}

/// The last `count` days that are over and whole, in order.
pub fn last_days(count: usize, kept_days: usize) -> Vec<Day> {
    let today = Hour::of(since_epoch().as_secs()).day().0;
    let count = u32::try_from(count.min(kept_days)).unwrap_or(MOST_DAYS as u32);
    (today.saturating_sub(count)..today).map(Day).collect()
}

/// The day in `2026-11-23`.
pub fn parse_day(text: &str) -> Option<Day> {
    day_in(text)
}

pub(super) fn aggregate_at(
    folder: &Folder,
    days: &[Day],
    kept_days: usize,
    rules: Rules,
    now: u64,
) -> Result<Aggregates, ConnectionLogError> {
    let told = |day: Day| -> Result<Told, ConnectionLogError> {
        let (first, after) = (Hour::first_of(day), Hour::first_of(Day(day.0 + 1)));
        Ok(if Hour::of(now) < after {
            Told::Running
        } else if (first.0 + 1) * SECONDS_OF_HOUR + kept_days as u64 * 86_400 <= now {
            Told::Expired
        } else if folder.is_cut(day) {
            Told::Cut
        } else {
            Told::Counted { cells: cells(folder, day, rules)? }
        })
    };
    let days = days.iter().map(|day| Ok(DayOfUse { day: *day, told: told(*day)? }));
    let days = days.collect::<Result<_, ConnectionLogError>>()?;
    Ok(Aggregates { rules, delta: delta(rules.epsilon, rules.threshold), days })
}

fn cells(folder: &Folder, day: Day, rules: Rules) -> Result<Vec<Cell>, ConnectionLogError> {
    let counts = counts(folder, day)?;
    if counts.is_empty() {
        return Ok(Vec::new());
    }
    let secret = folder.noise_key(day)?;
    let name = day.to_string();
    let mut cells = Vec::new();
    for ([platform, version, model], count) in counts {
        let [platform, version, model] = [platform, version, model].map(String::from);
        let question = [name.as_bytes(), platform.as_bytes(), version.as_bytes(), model.as_bytes()];
        let users = count.saturating_add_signed(noise(&secret, &question, count, rules.epsilon));
        mutant!(crate::mutants::active(), NoNoise => let rules = Rules { threshold: 0, ..rules });
        // Judged with its noise: whether a cell appears is an answer too.
        if users >= rules.threshold {
            cells.push(Cell { platform, version, model, users });
        }
    }
    cells.sort_by_key(|cell| std::cmp::Reverse(cell.users));
    Ok(cells)
}

/// Users of each cell, each user in one.
fn counts(folder: &Folder, day: Day) -> Result<BTreeMap<Key, u64>, ConnectionLogError> {
    let (mut users, mut counts) = (BTreeSet::new(), BTreeMap::<Key, u64>::new());
    let first = Hour::first_of(day).0;
    for hour in (first..Hour::first_of(Day(day.0 + 1)).0).map(Hour) {
        folder.read(hour, |row| {
            if users.insert(row.user) {
                *counts.entry([row.platform, row.version, row.model]).or_default() += 1;
            }
        })?;
    }
    Ok(counts)
}

fn as_text<S: Serializer>(day: &Day, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}
