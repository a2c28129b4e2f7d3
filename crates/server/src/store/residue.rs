//! The unallocated part of pages.
//!
//! `secure_delete` overwrites a row where it was deleted. But when SQLite moves rows from one page
//! to another to keep its trees in balance, their bytes stay behind in the unallocated part of the
//! page they came from, and a later delete does not know of them. Here that part is overwritten, as
//! <https://sqlite.org/fileformat2.html> says where it is. SQLite never reads it.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// Bytes of the header of the first page; its tree follows.
const HEADER: usize = 100;
/// Past this number of pages, the first byte of another kind of page could look like that of a tree.
const PAGES: u64 = 1 << 24;

/// Overwrites what is left in a database whose write-ahead log is empty and which nobody writes.
/// True when there was something.
pub(super) fn overwrite(file: &File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    if length < HEADER as u64 {
        return Ok(false);
    }
    let mut header = [0; HEADER];
    file.read_exact_at(&mut header, 0)?;
    let size = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => usize::from(size),
    };
    let usable = size.saturating_sub(usize::from(header[20]));
    if size < 512 || length / size as u64 > PAGES {
        return Err(io::Error::other("its pages are not as expected"));
    }
    let (mut page, mut changed) = (vec![0; size], false);
    for number in 0..length / size as u64 {
        let at = number * size as u64;
        file.read_exact_at(&mut page, at)?;
        let tree = if number == 0 { HEADER } else { 0 };
        for range in unallocated(&page[..usable], tree).unwrap_or_default() {
            if page[range.clone()].iter().any(|byte| *byte != 0) {
                page[range.clone()].fill(0);
                file.write_all_at(&page[range.clone()], at + range.start as u64)?;
                changed = true;
            }
        }
    }
    Ok(changed)
}

/// The parts of a page of a tree, whose header is at `at`, that hold no row. Nothing when it is no
/// such page, or not a sound one: that is left to SQLite.
fn unallocated(page: &[u8], at: usize) -> Option<Vec<Range<usize>>> {
    let number = |at: usize| Some(usize::from(u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?])));
    let header = match page.get(at)? {
        2 | 5 => 12,
        10 | 13 => 8,
        _ => return None,
    };
    let pointers_end = at + header + 2 * number(at + 3)?;
    let content = match number(at + 5)? {
        0 => 65_536,
        content => content,
    };
    if pointers_end > content || content > page.len() {
        return None;
    }
    let (gap, mut parts) = (pointers_end..content, Vec::new());
    parts.push(gap);
    // A list in the order of the page. Each block begins with the next one's place, and its size.
    let (mut block, mut last) = (number(at + 1)?, content);
    while block != 0 {
        let end = block + number(block + 2)?;
        if block < last || end < block + 4 || end > page.len() {
            return None;
        }
        parts.push(block + 4..end);
        (block, last) = (number(block)?, end);
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leaf with one row of 8 bytes at its end, one free block before it, and rubbish elsewhere.
    fn leaf() -> Vec<u8> {
        let mut page = vec![0xEE; 64];
        page[..8].copy_from_slice(&[10, 0, 40, 0, 1, 0, 40, 0]);
        page[8..10].copy_from_slice(&[0, 56]);
        page[40..44].copy_from_slice(&[0, 0, 0, 16]);
        page
    }

    #[test]
    fn only_what_holds_no_row_is_unallocated() {
        assert_eq!(unallocated(&leaf(), 0), Some(vec![10..40, 44..56]));
    }

    #[test]
    fn a_page_that_is_not_sound_is_left_alone() {
        let broken = |at: usize, byte: u8| {
            let mut page = leaf();
            page[at] = byte;
            unallocated(&page, 0)
        };
        assert_eq!(broken(0, 7), None, "no tree");
        assert_eq!(broken(6, 5), None, "rows over the pointers");
        assert_eq!(broken(6, 65), None, "rows outside");
        assert_eq!(broken(43, 60), None, "a free block outside");
        assert_eq!(broken(43, 3), None, "a free block that is too small");
        assert_eq!(broken(2, 20), None, "a free block before the rows");
        assert_eq!(broken(41, 40), None, "a ring");
    }
}
