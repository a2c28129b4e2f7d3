//! Standard input as sound. Its first bytes tell the kind.

use std::io::{ErrorKind, Read, Result as IoResult};

use tenfour_client::Error;
use tenfour_client::recording::{CANCELS, FIRST_BYTES, Recording};
use tokio::sync::mpsc::Sender;
use zeroize::{Zeroize, Zeroizing};

use crate::exit::Failure;
use crate::raw;

/// Bytes in one block of samples, 20 ms.
const BLOCK_BYTES: usize = 1920;
/// How many samples to hear before telling that the channels cancel each other out.
const MIN_JUDGED: usize = 48_000;

type Blocks = Sender<Result<Vec<f32>, Failure>>;

/// Passes standard input on block by block, until it ends or nobody takes it.
pub(crate) fn read(give: &Blocks) {
    if let Err(failure) = read_on(give) {
        // Tells the receiver that there is no more, and why.
        drop(give.blocking_send(Err(failure)));
    }
}

fn read_on(give: &Blocks) -> Result<(), Failure> {
    let mut pipe = raw::standard_input()?;
    let mut first = Zeroizing::new(vec![0; FIRST_BYTES]);
    let filled = fill(&mut pipe, &mut first)?;
    match Recording::through_pipe(first[..filled].to_vec(), pipe.try_clone()?) {
        Some(recording) => decode(recording, give).map_err(|why| named(&why)),
        None => {
            let done = filled < FIRST_BYTES || !pass_on(&mut first[..filled], give);
            // Wipes what was read.
            drop(first);
            if done { Ok(()) } else { samples(pipe, give) }
        }
    }
}

fn named(why: &str) -> Failure {
    Error::Recording(format!("standard input: {why}")).into()
}

fn decode(recording: Result<Recording, String>, give: &Blocks) -> Result<(), String> {
    let mut recording = recording?;
    let (mut sound, mut told) = (0, false);
    while let Some(block) = recording.block()? {
        sound += block.len();
        if sound > MIN_JUDGED && !told && recording.cancels() {
            told = true;
            tell!("tenfour: standard input: {CANCELS}.");
        }
        if give.blocking_send(Ok(block)).is_err() {
            break;
        }
    }
    Ok(())
}

/// Samples without a header: 48 kHz, 16 bit, little-endian, mono.
fn samples(mut pipe: impl Read, give: &Blocks) -> Result<(), Failure> {
    let mut block = Zeroizing::new(vec![0; BLOCK_BYTES]);
    loop {
        let filled = fill(&mut pipe, &mut block)?;
        if !pass_on(&mut block[..filled], give) || filled < BLOCK_BYTES {
            return Ok(());
        }
    }
}

/// Passes bytes on as samples, and wipes them. Returns false if nobody takes any more.
fn pass_on(bytes: &mut [u8], give: &Blocks) -> bool {
    let sample = |bytes: &[u8]| f32::from(i16::from_le_bytes([bytes[0], bytes[1]])) / 32768.0;
    let sound: Vec<f32> = bytes.chunks_exact(2).map(sample).collect();
    bytes.zeroize();
    sound.is_empty() || give.blocking_send(Ok(sound)).is_ok()
}

/// Reads until the block is full or the pipe ends.
fn fill(pipe: &mut impl Read, block: &mut [u8]) -> IoResult<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match pipe.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
