//! The arguments and variables with which the program was started. The system keeps them in the memory of the
//! process, and everybody on the computer can read the arguments for as long as it runs. After the start we need only
//! the cell of a place, so the place's text is overwritten there.

/// Overwrites the value of `--at` and of `TENFOUR_AT`, where the system lets a program do that: on Linux. Call it
/// before there are threads.
pub(crate) fn overwrite_place() {
    #[cfg(target_os = "linux")]
    // If the system does not let us, it stays, and the help text says so.
    let _done_or_not = linux::overwrite();
    tenfour_core::reach::scrub_stack();
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{File, OpenOptions};
    use std::io::{Error, ErrorKind, Result};
    use std::ops::Range;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::FileExt;

    use zeroize::Zeroizing;

    /// Stands for each byte of it.
    const STAR: u8 = b'*';
    /// Of `/proc/self/stat`: where the words begin and end, and the variables. proc(5) counts from 1, and the
    /// first two end with the last parenthesis.
    const PLACES: Range<usize> = 48 - 3..52 - 3;

    pub(super) fn overwrite() -> Result<()> {
        let given = std::env::args_os().any(|text| word(b"", text.as_bytes()).is_some() || text == "--at");
        if !given && std::env::var_os("TENFOUR_AT").is_none() {
            return Ok(());
        }
        let memory = OpenOptions::new().read(true).write(true).open("/proc/self/mem")?;
        let stat = std::fs::read_to_string("/proc/self/stat")?;
        let odd = || Error::from(ErrorKind::InvalidData);
        let (_, fields) = stat.rsplit_once(')').ok_or_else(odd)?;
        let places = fields.split_ascii_whitespace().map(str::parse::<u64>).collect::<Vec<_>>();
        let Some([Ok(words), Ok(words_end), Ok(variables), Ok(variables_end)]) = places.get(PLACES) else {
            return Err(odd());
        };
        for (region, find) in [(*words..*words_end, word as Find), (*variables..*variables_end, variable)] {
            overwrite_in(&memory, region, find)?;
        }
        Ok(())
    }

    /// Which part of a text is the place; the text before it decides with.
    type Find = fn(before: &[u8], text: &[u8]) -> Option<usize>;

    fn word(before: &[u8], text: &[u8]) -> Option<usize> {
        if before == b"--at" { Some(0) } else { text.starts_with(b"--at=").then_some("--at=".len()) }
    }

    fn variable(_: &[u8], text: &[u8]) -> Option<usize> {
        text.starts_with(b"TENFOUR_AT=").then_some("TENFOUR_AT=".len())
    }

    fn overwrite_in(memory: &File, region: Range<u64>, find: Find) -> Result<()> {
        let length = region.end.checked_sub(region.start).and_then(|length| length.try_into().ok());
        let mut texts = Zeroizing::new(vec![0; length.ok_or(ErrorKind::InvalidData)?]);
        memory.read_exact_at(&mut texts, region.start)?;
        let (mut at, mut before) = (region.start, &[][..]);
        for text in texts.split(|byte| *byte == 0) {
            if let Some(from) = find(before, text) {
                memory.write_all_at(&vec![STAR; text.len() - from], at + from as u64)?;
            }
            (at, before) = (at + text.len() as u64 + 1, text);
        }
        Ok(())
    }
}
