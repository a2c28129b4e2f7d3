//! Checks Opus framing (RFC 6716, section 3): the payload must be one well-formed packet of at most 120 ms. The
//! server never decodes sound.

use std::time::Duration;

use thiserror::Error;

/// Why bytes are no Opus packet. `R1` to `R7` are the requirements of RFC 6716, 3.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpusError {
    /// R1: at least one byte.
    #[error("the packet is empty")]
    Empty,
    /// R2: no frame over 1275 bytes.
    #[error("a frame of the packet is over 1275 bytes")]
    FrameTooLong,
    /// R3, R4, R6, R7: lengths that do not fit the packet.
    #[error("the lengths in the packet do not fit it")]
    Lengths,
    /// R5: at most 120 ms.
    #[error("the packet holds more than 120 ms or no frame")]
    Duration,
}

const LONGEST_FRAME: usize = 1275;
const LONGEST_PACKET: Duration = Duration::from_millis(120);

/// Checks one packet and returns how long it sounds.
pub fn check(packet: &[u8]) -> Result<Duration, OpusError> {
    let (&toc, rest) = packet.split_first().ok_or(OpusError::Empty)?;
    let frame = frame_time(toc);
    let frames = match toc & 0b11 {
        0 => one_frame(rest)?,
        1 => two_equal_frames(rest)?,
        2 => two_frames(rest)?,
        _ => many_frames(rest, frame)?,
    };
    Ok(frame * frames)
}

fn one_frame(rest: &[u8]) -> Result<u32, OpusError> {
    fits(rest.len()).map(|()| 1)
}

fn two_equal_frames(rest: &[u8]) -> Result<u32, OpusError> {
    if !rest.len().is_multiple_of(2) {
        return Err(OpusError::Lengths);
    }
    fits(rest.len() / 2).map(|()| 2)
}

fn two_frames(rest: &[u8]) -> Result<u32, OpusError> {
    let (first, rest) = length(rest)?;
    let second = rest.len().checked_sub(first).ok_or(OpusError::Lengths)?;
    fits(second).map(|()| 2)
}

/// Code 3: a count, padding, and lengths that are equal or given one by one.
fn many_frames(rest: &[u8], frame: Duration) -> Result<u32, OpusError> {
    let (&count, mut rest) = rest.split_first().ok_or(OpusError::Lengths)?;
    let (variable, padded, frames) = (count & 0x80 != 0, count & 0x40 != 0, u32::from(count & 0x3f));
    if frames == 0 || frame * frames > LONGEST_PACKET {
        return Err(OpusError::Duration);
    }
    if padded {
        rest = without_padding(rest)?;
    }
    if !variable {
        if !rest.len().is_multiple_of(frames as usize) {
            return Err(OpusError::Lengths);
        }
        return fits(rest.len() / frames as usize).map(|()| frames);
    }
    let mut told = 0;
    for _ in 1..frames {
        let (one, after) = length(rest)?;
        told += one;
        rest = after;
    }
    let last = rest.len().checked_sub(told).ok_or(OpusError::Lengths)?;
    fits(last).map(|()| frames)
}

fn without_padding(mut rest: &[u8]) -> Result<&[u8], OpusError> {
    let mut padding = 0;
    loop {
        let (&more, after) = rest.split_first().ok_or(OpusError::Lengths)?;
        rest = after;
        // 255 means 254 bytes and another length byte.
        padding += usize::from(more.min(254));
        if more != 255 {
            break;
        }
    }
    let left = rest.len().checked_sub(padding).ok_or(OpusError::Lengths)?;
    Ok(&rest[..left])
}

/// A frame length of one or two bytes: RFC 6716, 3.2.1.
fn length(bytes: &[u8]) -> Result<(usize, &[u8]), OpusError> {
    match *bytes {
        [short @ 0..252, ref rest @ ..] => Ok((short.into(), rest)),
        [low, high, ref rest @ ..] => Ok((usize::from(high) * 4 + usize::from(low), rest)),
        _ => Err(OpusError::Lengths),
    }
}

fn fits(length: usize) -> Result<(), OpusError> {
    if length > LONGEST_FRAME { Err(OpusError::FrameTooLong) } else { Ok(()) }
}

/// Frame size from the TOC byte: RFC 6716, table 2.
fn frame_time(toc: u8) -> Duration {
    const SILK: [u64; 4] = [10_000, 20_000, 40_000, 60_000];
    const HYBRID: [u64; 2] = [10_000, 20_000];
    const CELT: [u64; 4] = [2_500, 5_000, 10_000, 20_000];
    let config = usize::from(toc >> 3);
    Duration::from_micros(match config {
        0..=11 => SILK[config % 4],
        12..=15 => HYBRID[config % 2],
        _ => CELT[config % 4],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS20: u8 = 1 << 3; // SILK narrowband, 20 ms

    #[test]
    fn each_code_is_counted() {
        let ms = Duration::from_millis;
        assert_eq!(check(&[MS20, 1, 2, 3]), Ok(ms(20)));
        assert_eq!(check(&[MS20]), Ok(ms(20)), "a DTX frame is the TOC byte alone");
        assert_eq!(check(&[MS20 | 1, 1, 2]), Ok(ms(40)));
        assert_eq!(check(&[MS20 | 2, 1, 9, 8, 8]), Ok(ms(40)));
        assert_eq!(check(&[MS20 | 3, 3, 1, 2, 3]), Ok(ms(60)));
        assert_eq!(check(&[MS20 | 3, 0x83, 1, 1, 7, 8, 9, 9]), Ok(ms(60)));
        assert_eq!(check(&[MS20 | 3, 0x41, 2, 5, 0, 0]), Ok(ms(20)));
    }

    #[test]
    fn broken_lengths_are_refused() {
        assert_eq!(check(&[]), Err(OpusError::Empty));
        assert_eq!(check(&[MS20 | 1, 1]), Err(OpusError::Lengths));
        assert_eq!(check(&[MS20 | 2, 5, 1]), Err(OpusError::Lengths));
        assert_eq!(check(&[MS20 | 3]), Err(OpusError::Lengths));
        assert_eq!(check(&[MS20 | 3, 0]), Err(OpusError::Duration));
        assert_eq!(check(&[MS20 | 3, 7, 0]), Err(OpusError::Duration));
        assert_eq!(check(&[MS20 | 3, 0x41, 200, 5]), Err(OpusError::Lengths));
        assert_eq!(check(&[&[MS20][..], &[0; 1276]].concat()), Err(OpusError::FrameTooLong));
    }
}
