//! Repairs the header of a wav. Programs that write into a pipe do not know how long it will be, and write 0,
//! FFFFFFFF or 7FFFF000 as size. Others forget a size or add one.

use std::io::{ErrorKind, Read};

/// Longest part of a header that is kept: the format with its extension is 40 bytes.
const FORMAT_BYTES: usize = 128;
/// A size that means unknown.
const NO_SIZE: u32 = u32::MAX;

/// What stands before the samples.
pub(super) struct Header {
    /// The correct header up to the first sample, for a wav of unknown length.
    pub(super) bytes: Vec<u8>,
    /// Bytes of sound that follow, at most.
    pub(super) sound: u64,
}

impl Header {
    /// Reads up to the first sample.
    pub(super) fn read(from: &mut impl Read) -> Result<Self, String> {
        let mut riff = [0; 12];
        whole(from, &mut riff)?;
        // From here on the file is right.
        let end = u64::from(number(&riff[4..8]));
        let mut format: Option<Vec<u8>> = None;
        let (mut at, mut long) = (4u64, None);
        loop {
            let mut chunk = [0; 8];
            whole(from, &mut chunk)?;
            at += 8;
            let size = number(&chunk[4..]);
            match &chunk[..4] {
                b"data" => {
                    let format = format.ok_or("it has sound before it says of which kind")?;
                    return Ok(Self { bytes: standard(&format), sound: sound(size, long, at, end) });
                }
                b"fmt " => {
                    let mut bytes = vec![0; (size as usize).min(FORMAT_BYTES)];
                    whole(from, &mut bytes)?;
                    skip(from, u64::from(size) - bytes.len() as u64)?;
                    format = Some(tidy(&bytes)?);
                }
                b"ds64" if size >= 16 => {
                    let mut sizes = [0; 16];
                    whole(from, &mut sizes)?;
                    skip(from, u64::from(size) - 16)?;
                    long = Some(u64::from_le_bytes(sizes[8..].try_into().expect("eight bytes")));
                }
                _ => skip(from, size.into())?,
            }
            // A chunk of odd size is followed by a byte that the size does not count.
            skip(from, u64::from(size & 1))?;
            at += u64::from(size) + u64::from(size & 1);
        }
    }
}

/// How many bytes the sound has. A size of 0 is believed only if the file goes on after it, or ends there as its
/// header says.
fn sound(size: u32, long: Option<u64>, at: u64, end: u64) -> u64 {
    match (size, long) {
        (NO_SIZE, Some(long)) if long > 0 => long,
        (NO_SIZE, _) => u64::MAX,
        // "Nothing, and then something else" is a wav without sound; "nothing at all" was never filled in.
        (0, _) if end > at => 0,
        (0, _) => u64::MAX,
        (size, _) => size.into(),
    }
}

/// The format in the words of the standard: the samples' own size, and an extension only where it says something.
fn tidy(format: &[u8]) -> Result<Vec<u8>, String> {
    let word = |at: usize| format.get(at..at + 2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    let (Some(tag), Some(channels), Some(block), Some(bits)) = (word(0), word(2), word(12), word(14)) else {
        return Err("its header is too short to say what is in it".into());
    };
    if channels == 0 {
        return Err("it has no channel".into());
    }
    // The tag of an extended format is the beginning of its long name.
    let tag = if tag == 0xfffe { word(24).unwrap_or(tag) } else { tag };
    let rate = &format[4..8];
    // Samples of 20 or 24 bits are stored in 24 or 32, left-aligned. The size of the container counts.
    let room = match (tag, block / channels * 8) {
        (1 | 3, room @ (8 | 16 | 24 | 32 | 64)) if room >= bits => room,
        (1 | 3, _) => bits,
        (6 | 7, _) => 8,
        // Their extension says how to decode them.
        (2 | 0x11, _) => return Ok(format.to_vec()),
        (tag, _) => return Err(format!("it has {} in it", coding(tag))),
    };
    let usual: &[u16] = if tag == 3 { &[32, 64] } else { &[8, 16, 24, 32] };
    if !usual.contains(&room) {
        return Err(format!("its samples have {bits} bits"));
    }
    let block = channels.checked_mul(room / 8).ok_or("it has too many channels")?;
    let mut tidy = [tag.to_le_bytes(), channels.to_le_bytes()].concat();
    tidy.extend_from_slice(rate);
    tidy.extend_from_slice(&(number(rate).wrapping_mul(block.into())).to_le_bytes());
    tidy.extend_from_slice(&block.to_le_bytes());
    tidy.extend_from_slice(&room.to_le_bytes());
    if tag != 1 {
        tidy.extend_from_slice(&[0, 0]);
    }
    Ok(tidy)
}

/// The names of codings that are not read: RFC 2361 and mmreg.h.
fn coding(tag: u16) -> String {
    let name = match tag {
        0x14 | 0x40 | 0x45 | 0x64 => "G.72x speech",
        0x31 | 0x32 => "GSM 06.10 speech",
        0x50 => "MPEG audio",
        0x55 => "MP3",
        0x22 => "TrueSpeech",
        0xff | 0x1600..=0x1610 => "AAC",
        0x160..=0x163 => "Windows Media",
        0x2000 => "AC-3",
        0x674f..=0x6771 => "Vorbis",
        0xa109 => "Speex",
        _ => return format!("coding {tag:#06x}"),
    };
    name.into()
}

/// A header up to the first sample, whose sizes say that nobody knows.
fn standard(format: &[u8]) -> Vec<u8> {
    let size = u32::try_from(format.len()).expect("a format is short");
    let [riff, fmt, data] = [NO_SIZE, size, NO_SIZE].map(u32::to_le_bytes);
    [&b"RIFF"[..], &riff, b"WAVE", b"fmt ", &fmt, format, b"data", &data].concat()
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn whole(from: &mut impl Read, into: &mut [u8]) -> Result<(), String> {
    from.read_exact(into).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => "it ends before its sound begins".to_owned(),
        _ => error.to_string(),
    })
}

fn skip(from: &mut impl Read, bytes: u64) -> Result<(), String> {
    std::io::copy(&mut from.take(bytes), &mut std::io::sink()).map_err(|error| error.to_string())?;
    Ok(())
}
