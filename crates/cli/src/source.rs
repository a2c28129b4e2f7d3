//! Where the sound of `talk` comes from.

use std::io::Read;
use std::path::Path;

use tenfour_client::wav;
use tokio::sync::mpsc;

use crate::exit::Failure;

/// Blocks of sound that may wait in a pipe: it is read no faster than it is sent.
const BLOCKS: usize = 8;
/// Bytes in one block of a pipe, 20 ms.
const BLOCK_BYTES: usize = 1920;

/// Sound, 48 kHz mono, to be taken frame by frame.
pub(crate) struct Source {
    waiting: Vec<f32>,
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
        Ok(Self::new(wav::read(path)?, None))
    }

    /// Raw samples on standard input: 48 kHz, 16 bit, little-endian, mono.
    pub(crate) fn standard_input() -> Self {
        let (give, more) = mpsc::channel(BLOCKS);
        std::thread::spawn(move || read_pipe(std::io::stdin().lock(), &give));
        Self::new(Vec::new(), Some(more))
    }

    fn new(waiting: Vec<f32>, more: Option<mpsc::Receiver<Result<Vec<f32>, Failure>>>) -> Self {
        Self {
            waiting,
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
        self.more.is_none().then_some(self.waiting.len() as f64 / 48_000.0)
    }

    /// Waits until there is something to send. An empty pipe is an error.
    pub(crate) async fn ready(&mut self) -> Result<(), Failure> {
        let Some(more) = &mut self.more else { return Ok(()) };
        match more.recv().await {
            Some(block) => self.waiting.extend(block?),
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
        self.waiting.clear();
    }

    /// The next `samples` samples. After the last sound come `tail` zeros, which push the
    /// last of it through the codec.
    pub(crate) fn frame(&mut self, samples: usize, tail: usize) -> Result<Frame, Failure> {
        self.take_what_came(samples)?;
        if self.more.is_none() && !self.ended {
            self.ended = true;
            self.waiting.extend(std::iter::repeat_n(0.0, tail));
            let whole = self.waiting.len().next_multiple_of(samples);
            self.waiting.resize(whole, 0.0);
        }
        Ok(if self.waiting.len() >= samples {
            Frame::Sound(self.waiting.drain(..samples).collect())
        } else if self.ended {
            Frame::End
        } else {
            Frame::NotYet
        })
    }

    fn take_what_came(&mut self, samples: usize) -> Result<(), Failure> {
        while let Some(more) = self.more.as_mut().filter(|_| self.waiting.len() < samples) {
            match more.try_recv() {
                Ok(block) => self.waiting.extend(block?),
                Err(mpsc::error::TryRecvError::Empty) => return Ok(()),
                Err(mpsc::error::TryRecvError::Disconnected) => self.more = None,
            }
        }
        Ok(())
    }
}

fn read_pipe(mut pipe: impl Read, give: &mpsc::Sender<Result<Vec<f32>, Failure>>) {
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let filled = fill(&mut pipe, &mut block);
        let samples = filled.as_ref().map_or(0, |bytes| *bytes) / 2;
        let sound: Vec<f32> = block[..samples * 2]
            .chunks_exact(2)
            .map(|bytes| f32::from(i16::from_le_bytes([bytes[0], bytes[1]])) / 32768.0)
            .collect();
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
