//! Overwriting in place: what is erased is gone from the file's blocks on the disk, not only from
//! its name. Space between rows is nothing to JSON, so a row becomes as many spaces, and a kill in
//! the middle leaves every other row where it was.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;

use zeroize::Zeroizing;

/// Most bytes that are moved at once.
const CHUNK: usize = 64 * 1024;
const SPACES: [u8; 4096] = [b' '; 4096];

/// Overwrites the lines that are `doomed`, with their ends. Returns when the disk has it. A file
/// in which nothing is left is removed. True when there was such a line.
pub(super) fn lines(path: &Path, doomed: impl Fn(&[u8]) -> bool) -> std::io::Result<bool> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut reader = BufReader::new(&file);
    let (mut line, mut at) = (Vec::new(), 0);
    let (mut any, mut left) = (false, false);
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)? as u64;
        if length == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            // Erased before.
        } else if doomed(&line) {
            any = true;
            overwrite(&file, at, length)?;
        } else {
            left = true;
        }
        at += length;
    }
    if any {
        file.sync_data()?;
    }
    if !left {
        std::fs::remove_file(path)?;
    }
    Ok(any)
}

/// Overwrites a file whole and removes it.
pub(super) fn whole(path: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    overwrite(&file, 0, file.metadata()?.len())?;
    file.sync_data()?;
    std::fs::remove_file(path)
}

/// Takes the older half of the lines out of a file. The newer half moves to its beginning, and what stood
/// behind is overwritten before the file becomes shorter. Returns how many bytes shorter it is. A kill in
/// the middle tears one line, and leaves some of the newer ones twice.
pub(super) fn older_half(path: &Path) -> std::io::Result<u64> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let mut reader = BufReader::new(&file);
    reader.seek(SeekFrom::Start(length / 2))?;
    let mut line = Zeroizing::new(Vec::new());
    let mut from = length / 2 + reader.read_until(b'\n', &mut line)? as u64;
    let (mut chunk, mut at) = (Zeroizing::new(vec![0; CHUNK]), 0);
    loop {
        // Writing never overtakes reading: half of the file lies between them.
        let bytes = file.read_at(&mut chunk, from)?;
        if bytes == 0 {
            break;
        }
        file.write_all_at(&chunk[..bytes], at)?;
        (from, at) = (from + bytes as u64, at + bytes as u64);
    }
    overwrite(&file, at, length - at)?;
    file.sync_data()?;
    file.set_len(at)?;
    Ok(length - at)
}

fn overwrite(file: &File, mut at: u64, mut length: u64) -> std::io::Result<()> {
    while length > 0 {
        let part = length.min(SPACES.len() as u64);
        file.write_all_at(&SPACES[..part as usize], at)?;
        at += part;
        length -= part;
    }
    Ok(())
}
