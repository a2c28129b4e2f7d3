//! Where the sound of `talk` comes from.

use std::io::Read;
use std::path::Path;

use tenfour_client::recording;
use tokio::sync::mpsc;
use zeroize::{Zeroize, Zeroizing};

use crate::exit::Failure;
use crate::raw;

/// Blocks of sound that may wait in a pipe: it is read no faster than it is sent.
const BLOCKS: usize = 8;
/// Bytes in one block of a pipe, 20 ms.
const BLOCK_BYTES: usize = 1920;

/// Sound, 48 kHz mono, to be taken frame by frame.
pub(crate) struct Source {
    /// From `at` on; what lies before was taken, and is wiped.
    waiting: Zeroizing<Vec<f32>>,
    at: usize,
    /// Nothing comes after what waits.
    ended: bool,
    more: Option<mpsc::Receiver<Result<Vec<f32>, Failure>>>,
    /// The microphone, open as long as this is.
    #[cfg(feature = "audio")]
    _device: Option<tenfour_client::audio::Open>,
}

/// What a source has.
pub(crate) enum Frame {
    Sound(Vec<f32>),
    /// Not yet a whole frame.
    NotYet,
    End,
}

impl Source {
    /// A recording.
    pub(crate) fn recording(path: &Path) -> Result<Self, Failure> {
        Ok(Self::new(recording::read(path)?, None))
    }

    /// Raw samples on standard input: 48 kHz, 16 bit, little-endian, mono.
    pub(crate) fn standard_input() -> Self {
        let (give, more) = mpsc::channel(BLOCKS);
        std::thread::spawn(move || match raw::standard_input() {
            Ok(pipe) => read_pipe(pipe, &give),
            // Told like a pipe that breaks.
            Err(error) => drop(give.blocking_send(Err(error.into()))),
        });
        Self::new(Vec::new(), Some(more))
    }

    fn new(waiting: Vec<f32>, more: Option<mpsc::Receiver<Result<Vec<f32>, Failure>>>) -> Self {
        Self {
            waiting: Zeroizing::new(waiting),
            at: 0,
            ended: false,
            more,
            #[cfg(feature = "audio")]
            _device: None,
        }
    }

    /// Blocks of samples from elsewhere, until the sender is dropped.
    #[cfg(feature = "audio")]
    pub(crate) fn live(
        more: mpsc::Receiver<Result<Vec<f32>, Failure>>,
        device: tenfour_client::audio::Open,
    ) -> Self {
        Self { _device: Some(device), ..Self::new(Vec::new(), Some(more)) }
    }

    /// Seconds of sound, when it is known.
    pub(crate) fn seconds(&self) -> Option<f64> {
        self.more.is_none().then_some(self.left() as f64 / 48_000.0)
    }

    /// Waits until there is something to send. An empty pipe is an error.
    pub(crate) async fn ready(&mut self) -> Result<(), Failure> {
        let Some(more) = &mut self.more else { return Ok(()) };
        match more.recv().await {
            Some(block) => self.add(block?),
            None => {
                return Err(Failure::Failed(
                    "Nothing came on standard input: there is nothing to say.".into(),
                ));
            }
        }
        Ok(())
    }

    /// No more sound is wanted: what waits is sent, then it ends.
    pub(crate) fn stop(&mut self) {
        self.more = None;
        (self.waiting, self.at) = (Zeroizing::default(), 0);
    }

    /// Samples that wait.
    fn left(&self) -> usize {
        self.waiting.len() - self.at
    }

    /// Puts `block` behind what waits, and lets go of what was taken.
    fn add(&mut self, block: impl AsRef<[f32]>) {
        let both = [&self.waiting[self.at..], block.as_ref()].concat();
        (self.waiting, self.at) = (Zeroizing::new(both), 0);
    }

    /// Takes so many samples from the front.
    fn take(&mut self, samples: usize) -> Vec<f32> {
        let front = &mut self.waiting[self.at..self.at + samples];
        let taken = front.to_vec();
        front.zeroize();
        self.at += samples;
        taken
    }

    /// The next `samples` samples. After the last sound come `tail` zeros, which push the
    /// last of it through the codec.
    pub(crate) fn frame(&mut self, samples: usize, tail: usize) -> Result<Frame, Failure> {
        self.take_what_came(samples)?;
        if self.more.is_none() && !self.ended {
            self.ended = true;
            let left = self.left();
            self.add(vec![0.0; (left + tail).next_multiple_of(samples) - left]);
        }
        Ok(if self.left() >= samples {
            Frame::Sound(self.take(samples))
        } else if self.ended {
            Frame::End
        } else {
            Frame::NotYet
        })
    }

    fn take_what_came(&mut self, samples: usize) -> Result<(), Failure> {
        while self.left() < samples {
            let Some(more) = &mut self.more else { return Ok(()) };
            match more.try_recv() {
                Ok(block) => self.add(block?),
                Err(mpsc::error::TryRecvError::Empty) => return Ok(()),
                Err(mpsc::error::TryRecvError::Disconnected) => self.more = None,
            }
        }
        Ok(())
    }
}

fn read_pipe(mut pipe: impl Read, give: &mpsc::Sender<Result<Vec<f32>, Failure>>) {
    let mut block = Zeroizing::new(vec![0; BLOCK_BYTES]);
    loop {
        let filled = fill(&mut pipe, &mut block);
        let samples = filled.as_ref().map_or(0, |bytes| *bytes) / 2;
        let sound: Vec<f32> = block[..samples * 2]
            .chunks_exact(2)
            .map(|bytes| f32::from(i16::from_le_bytes([bytes[0], bytes[1]])) / 32768.0)
            .collect();
        block[..].zeroize();
        let last = samples * 2 < BLOCK_BYTES;
        if !sound.is_empty() && give.blocking_send(Ok(sound)).is_err() {
            return;
        }
        if let Err(error) = filled {
            let _ = give.blocking_send(Err(error.into()));
        }
        if last {
            return;
        }
    }
}

/// Reads until the block is full or the pipe ends.
fn fill(pipe: &mut impl Read, block: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match pipe.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
