//! What was sent, searched and found, for people: each search says it in the same words.

use std::collections::BTreeSet;

use crate::line::Mode;
use crate::search::Found;

/// What came of one kind of input over one kind of connection.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) mode: Mode,
    /// What was done.
    pub(crate) input: String,
    /// Secrets that were sent: frames, tokens, cells.
    pub(crate) secrets: usize,
    /// Bytes that were looked through afterwards.
    pub(crate) bytes: u64,
    /// Secrets that were found then.
    pub(crate) hits: usize,
    /// The first of them, where they are, for a failed test.
    pub(crate) where_to: String,
}

impl Row {
    /// Of a search for `secrets`, each with an owner of its own.
    pub(crate) fn new(mode: Mode, input: impl Into<String>, secrets: usize, found: &Found) -> Self {
        let owners: BTreeSet<_> = found.hits.iter().map(|hit| hit.owner).collect();
        let where_to = if owners.is_empty() { String::new() } else { found.report() };
        Self { mode, input: input.into(), secrets, bytes: found.bytes, hits: owners.len(), where_to }
    }

    /// Of things that are counted without a search: of so many, so many are not as they should be.
    pub(crate) fn counted(mode: Mode, what: &str, [all, wrong]: [usize; 2]) -> Self {
        Self { mode, input: what.into(), secrets: all, bytes: 0, hits: wrong, where_to: String::new() }
    }
}

/// Runs `look` in each mode, all at once, prints what came of it, and fails if anything was found.
pub(crate) fn in_every_mode(what: &str, look: impl Fn(Mode) -> Vec<Row> + Sync) {
    let rows: Vec<Row> = std::thread::scope(|scope| {
        let looks = Mode::ALL.map(|mode| {
            scope.spawn({
                let look = &look;
                move || look(mode)
            })
        });
        looks.into_iter().flat_map(|look| look.join().expect("it went well")).collect()
    });
    conclude(what, &rows);
}

/// Prints rows, and fails if anything was found.
pub(crate) fn conclude(what: &str, rows: &[Row]) {
    let widest = rows.iter().map(|row| row.input.chars().count()).max().unwrap_or(0);
    println!(
        "{what}\n{:<8} {:<widest$} {:>7} {:>14} {:>5}",
        "mode", "input", "sent", "bytes searched", "hits"
    );
    for Row { mode, input, secrets, bytes, hits, .. } in rows {
        println!("{:<8} {input:<widest$} {secrets:>7} {bytes:>14} {hits:>5}", mode.name());
    }
    let found: Vec<_> = rows.iter().filter(|row| row.hits > 0).collect();
    for Row { mode, input, hits, secrets, where_to, .. } in &found {
        println!("\n{}, {input}: {hits} of {secrets} are still there, {where_to}", mode.name());
    }
    assert!(found.is_empty(), "{what}: {} kinds of input leave something behind, see above", found.len());
}
