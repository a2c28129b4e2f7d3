//! Where the sound of `talk` comes from.

use std::path::Path;

use tenfour_client::recording;
use tokio::sync::mpsc;
use tokio::time::Instant;
use zeroize::{Zeroize, Zeroizing};

use crate::exit::Failure;
use crate::pipe;
use crate::vox::{self, Call, Vox};

/// Most blocks of sound that wait: a pipe is read no faster than the sound is sent.
const BLOCKS: usize = 8;

/// Sound, 48 kHz mono, to be taken frame by frame.
pub(crate) struct Source {
    /// Samples from `at` on are waiting. Those before were taken, and are wiped.
    waiting: Zeroizing<Vec<f32>>,
    at: usize,
    /// If the burst ends: how many of the waiting samples belong to it.
    ending: Option<usize>,
    more: Option<mpsc::Receiver<Result<Vec<f32>, Failure>>>,
    /// It makes a burst of each call.
    vox: Option<Vox>,
    call: Option<Call>,
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

    /// Standard input: a recording, or raw samples, 48 kHz, 16 bit, little-endian, mono.
    pub(crate) fn standard_input() -> Self {
        let (give, more) = mpsc::channel(BLOCKS);
        std::thread::spawn(move || pipe::read(&give));
        Self::new(Vec::new(), Some(more))
    }

    /// Makes a burst of each call.
    pub(crate) fn with_vox(self, vox: Vox) -> Self {
        Self { vox: Some(vox), ..self }
    }

    fn new(waiting: Vec<f32>, more: Option<mpsc::Receiver<Result<Vec<f32>, Failure>>>) -> Self {
        Self {
            waiting: Zeroizing::new(waiting),
            at: 0,
            ending: None,
            more,
            vox: None,
            call: None,
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

    /// Seconds of sound, if known.
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

    /// Waits for the next call, which includes the sound just before it. Returns false if no more sound comes.
    /// Dropping the future loses nothing.
    pub(crate) async fn call(&mut self) -> Result<bool, Failure> {
        let Some(vox) = self.vox else { return Ok(false) };
        let most = vox::BEFORE.as_millis() as usize * 48;
        loop {
            let Some(more) = &mut self.more else { return Ok(false) };
            let Some(block) = more.recv().await else { return Ok(false) };
            let block = block?;
            let loud = vox.is_loud(&block);
            self.add(block);
            if loud {
                (self.call, self.ending) = (Some(vox.begin()), None);
                return Ok(true);
            }
            let before = self.left().saturating_sub(most);
            self.take(before).zeroize();
        }
    }

    /// Drops all sound until then. Dropping the future loses nothing.
    pub(crate) async fn miss_until(&mut self, then: Instant) -> Result<(), Failure> {
        (self.waiting, self.at, self.call) = (Zeroizing::default(), 0, None);
        while let Some(more) = &mut self.more {
            match tokio::time::timeout_at(then, more.recv()).await {
                Ok(Some(block)) => block?.zeroize(),
                Ok(None) => self.more = None,
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    /// No more sound is wanted: drops what waits, and ends the burst.
    pub(crate) fn stop(&mut self) {
        (self.more, self.ending) = (None, None);
        (self.waiting, self.at) = (Zeroizing::default(), 0);
    }

    /// Samples that wait.
    fn left(&self) -> usize {
        self.waiting.len() - self.at
    }

    /// Appends `block` to what waits, and drops what was taken.
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

    /// The next `samples` samples. After the last sound come `tail` zeros, which push the end of the sound through
    /// the codec.
    pub(crate) fn frame(&mut self, samples: usize, tail: usize) -> Result<Frame, Failure> {
        self.take_what_came(samples)?;
        let comes = self.left() >= samples;
        let over = self.call.as_ref().is_some_and(|call| call.is_over(comes));
        if (self.more.is_none() || over) && self.ending.is_none() {
            // Sound after a pause belongs to the next call.
            let left = if over && comes { 0 } else { self.left() };
            let whole = (left + tail).next_multiple_of(samples);
            let end = self.at + left;
            self.waiting.splice(end..end, vec![0.0; whole - left]);
            (self.ending, self.call) = (Some(whole), None);
        }
        match &mut self.ending {
            Some(ending) if *ending < samples => return Ok(Frame::End),
            Some(ending) => *ending -= samples,
            None if !comes => return Ok(Frame::NotYet),
            None => {}
        }
        let sound = self.take(samples);
        if let Some(call) = &mut self.call {
            call.heard(&sound);
        }
        Ok(Frame::Sound(sound))
    }

    fn take_what_came(&mut self, samples: usize) -> Result<(), Failure> {
        while self.left() < samples && self.ending.is_none() {
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
