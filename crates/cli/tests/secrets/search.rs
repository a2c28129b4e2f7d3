//! Looking for many byte strings at once, in the memory of another process or in files.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The longest needle: pieces of memory overlap by so much.
const OVERLAP: usize = 64;
/// What is read at once.
const PIECE: usize = 4 << 20;
/// Parts that are all zero are not looked into.
const PAGE: usize = 4096;
/// The two needles of a pair count when they stand this close to each other.
const CLOSE: u64 = 64;
/// Bits of the hash of four bytes.
const HASH_BITS: u32 = 20;

/// Bytes that are looked for.
#[derive(Debug, Clone)]
pub(crate) struct Needle {
    /// Whose secret it is: a number that the caller chooses.
    pub(crate) owner: usize,
    /// Which form of it.
    pub(crate) form: String,
    bytes: Vec<u8>,
    /// Four bytes, which are everywhere by chance, count only next to their other half.
    pair: Option<(u32, bool)>,
    /// Where its most telling four bytes begin.
    anchor: usize,
}

/// A needle that was found.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) owner: usize,
    pub(crate) form: String,
    pair: Option<(u32, bool)>,
    /// The mapping or the file.
    pub(crate) region: String,
    at: u64,
    around: Vec<u8>,
}

/// What a search found, and how much it saw.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) bytes: u64,
    pub(crate) hits: Vec<Hit>,
}

/// Needles, sorted for finding.
pub(crate) struct Search {
    needles: Vec<Needle>,
    by_anchor: HashMap<u32, Vec<usize>>,
    /// A bit for each hash of an anchor.
    anchors: Vec<u64>,
}

impl Needle {
    pub(crate) fn new(owner: usize, form: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        assert!((4..=OVERLAP).contains(&bytes.len()), "a needle has 4 to {OVERLAP} bytes");
        let telling = |at: &usize| {
            let mut four = bytes[*at..at + 4].to_vec();
            four.sort_unstable();
            four.dedup();
            four.retain(|byte| !matches!(byte, 0 | 0xff));
            four.len()
        };
        let anchor = (0..=bytes.len() - 4).max_by_key(telling).expect("four bytes at least");
        assert!(telling(&anchor) > 0, "it would be found everywhere: {bytes:?}");
        Self { owner, form: form.into(), bytes, pair: None, anchor }
    }

    /// Counts only close to the needle with the same number and the other half.
    pub(crate) fn half(self, pair: u32, second: bool) -> Self {
        Self { pair: Some((pair, second)), ..self }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Search {
    pub(crate) fn new(needles: impl IntoIterator<Item = Needle>) -> Self {
        let needles: Vec<_> = needles.into_iter().collect();
        let mut by_anchor: HashMap<u32, Vec<usize>> = HashMap::new();
        let mut anchors = vec![0; 1 << (HASH_BITS - 6)];
        for (index, needle) in needles.iter().enumerate() {
            let four = four(&needle.bytes, needle.anchor);
            by_anchor.entry(four).or_default().push(index);
            let hash = hash(four);
            anchors[hash / 64] |= 1 << (hash % 64);
        }
        Self { needles, by_anchor, anchors }
    }

    /// Looks into everything that the process may write: heap, stacks, static data.
    pub(crate) fn process(&self, pid: u32) -> Found {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process runs");
        let memory = File::open(format!("/proc/{pid}/mem")).expect("a child may be read");
        let mut found = Found::default();
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let (Some(range), Some(rights)) = (words.next(), words.next()) else { continue };
            let name = words.nth(3).unwrap_or("anonymous");
            if rights.starts_with("rw") {
                let (start, end) = range.split_once('-').expect("a range");
                let hex = |text| u64::from_str_radix(text, 16).expect("an address");
                self.region(&memory, name, hex(start), hex(end), &mut found);
            }
        }
        found.keep_whole();
        assert!(found.bytes > 1 << 18, "a process has more memory than {} bytes", found.bytes);
        found
    }

    /// Looks into every file below `folder`.
    pub(crate) fn folder(&self, folder: &Path) -> Found {
        let mut found = Found::default();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.is_file() {
                    let bytes = fs::read(&path).expect("a file");
                    self.look(&bytes, bytes.len(), &path.display().to_string(), 0, &mut found);
                }
            }
        }
        found.keep_whole();
        found
    }

    /// Looks into bytes.
    pub(crate) fn bytes(&self, name: &str, bytes: &[u8]) -> Found {
        let mut found = Found::default();
        self.look(bytes, bytes.len(), name, 0, &mut found);
        found.keep_whole();
        found
    }

    fn region(&self, memory: &File, name: &str, start: u64, end: u64, found: &mut Found) {
        let mut buffer = vec![0; PIECE + OVERLAP];
        let mut at = start;
        while at < end {
            let most = (end - at).min(buffer.len() as u64) as usize;
            // A mapping may have gone since it was listed.
            let Ok(read) = memory.read_at(&mut buffer[..most], at) else { return };
            if read == 0 {
                return;
            }
            let own = read.min(PIECE);
            self.look(&buffer[..read], own, name, at, found);
            at += own as u64;
        }
    }

    /// Looks for needles that begin in the first `own` of `bytes`.
    fn look(&self, bytes: &[u8], own: usize, region: &str, base: u64, found: &mut Found) {
        found.bytes += own as u64;
        let mut at = 0;
        while at + 4 <= bytes.len() {
            if at.is_multiple_of(PAGE) && bytes[at..].len() >= PAGE && is_zero(&bytes[at..at + PAGE]) {
                at += PAGE - 3;
                continue;
            }
            let four = four(bytes, at);
            let hash = hash(four);
            if self.anchors[hash / 64] & (1 << (hash % 64)) != 0
                && let Some(candidates) = self.by_anchor.get(&four)
            {
                for &index in candidates {
                    self.compare(&self.needles[index], bytes, own, at, region, base, found);
                }
            }
            at += 1;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all of one place")]
    fn compare(
        &self,
        needle: &Needle,
        bytes: &[u8],
        own: usize,
        anchor: usize,
        region: &str,
        base: u64,
        found: &mut Found,
    ) {
        let Some(start) = anchor.checked_sub(needle.anchor) else { return };
        if start < own && bytes[start..].starts_with(&needle.bytes) {
            let end = (start + needle.bytes.len() + 32).min(bytes.len());
            found.hits.push(Hit {
                owner: needle.owner,
                form: needle.form.clone(),
                pair: needle.pair,
                region: region.to_owned(),
                at: base + start as u64,
                around: bytes[start.saturating_sub(32)..end].to_vec(),
            });
        }
    }
}

impl Found {
    /// Takes another search's to this.
    pub(crate) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.hits.extend(other.hits);
    }

    /// Lets go of halves that stand alone.
    fn keep_whole(&mut self) {
        let halves: Vec<_> = self.hits.iter().filter_map(|hit| Some((hit.pair?, hit.at))).collect();
        self.hits.retain(|hit| {
            hit.pair.is_none_or(|(pair, second)| {
                halves.iter().any(|&(other, at)| other == (pair, !second) && at.abs_diff(hit.at) <= CLOSE)
            })
        });
    }

    /// For the message of a failed test: what, where, and what is around it.
    pub(crate) fn report(&self) -> String {
        let mut text = format!("{} hits in {} bytes", self.hits.len(), self.bytes);
        for hit in self.hits.iter().take(4) {
            let around: String = hit.around.iter().map(|byte| format!("{byte:02x}")).collect();
            // Writing to a string cannot fail.
            write!(text, "\n{} of {} in {} at {:#x}: {around}", hit.form, hit.owner, hit.region, hit.at).ok();
        }
        text
    }
}

fn four(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn hash(four: u32) -> usize {
    (four.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize
}

fn is_zero(page: &[u8]) -> bool {
    page.as_chunks::<16>().0.iter().all(|sixteen| u128::from_ne_bytes(*sixteen) == 0)
}

#[test]
fn a_needle_is_found_wherever_it_lies() {
    let search = Search::new([
        Needle::new(1, "text", *b"861ec9077ffffff"),
        Needle::new(2, "bytes", [0xff, 0xff, 0, 0, 7, 0]),
        Needle::new(3, "first half", [1, 2, 3, 4]).half(0, false),
        Needle::new(3, "second half", [5, 6, 7, 8]).half(0, true),
    ]);
    for at in [0, 1, PAGE - 7, PAGE - 1, PAGE, 2 * PAGE - 4, 3 * PAGE - 20] {
        let mut memory = vec![0; 3 * PAGE];
        memory[at..at + 15].copy_from_slice(b"861ec9077ffffff");
        let found = search.bytes("memory", &memory);
        assert_eq!((found.hits.len(), found.hits[0].owner, found.hits[0].at), (1, 1, at as u64));
        let mut memory = vec![0; 3 * PAGE];
        memory[at..at + 6].copy_from_slice(&[0xff, 0xff, 0, 0, 7, 0]);
        assert_eq!(search.bytes("memory", &memory).hits.len(), 1, "{at}");
    }
    let apart = [&[1, 2, 3, 4][..], &[0; 100], &[5, 6, 7, 8]].concat();
    assert_eq!(search.bytes("memory", &apart).hits.len(), 0);
    assert_eq!(search.bytes("memory", &[5, 6, 7, 8, 0, 1, 2, 3, 4]).hits.len(), 2);
}
