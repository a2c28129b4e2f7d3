//! Converts any channels and rate to one channel of 48 kHz.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler};
use tenfour_protocol::limits::SAMPLE_RATE;

/// How many samples are converted at once: 20 ms at the lowest rates, so that a live source is not delayed.
const BLOCK: usize = 160;
/// If mixing leaves less than this share of the channels' energy, they cancel each other out.
const LOST: f64 = 0.01;
/// Energy per sample, -60 dB, below which there is no sound to lose.
const AUDIBLE: f64 = 1e-6;

/// Mixes channels to one, and converts their rate.
pub(super) struct Mono {
    channels: usize,
    converter: Option<Converter>,
    /// Energy of the mix, of the channels' mean, and the samples of both.
    mixed: f64,
    apart: f64,
    samples: u64,
}

/// Converts another rate to 48 kHz. The length is right to one sample, and positions to a few samples.
struct Converter {
    fft: Fft<f32>,
    waiting: Vec<f32>,
    /// Samples at the beginning that are the converter's own delay.
    delay: usize,
    taken: u64,
    given: u64,
    rate: u32,
}

impl Mono {
    pub(super) fn new(channels: usize, rate: u32) -> Result<Self, String> {
        if !(4_000..=384_000).contains(&rate) {
            return Err(format!("{rate} Hz is no usual rate"));
        }
        let converter = (rate != SAMPLE_RATE).then(|| Converter::new(rate)).transpose()?;
        Ok(Self { channels: channels.max(1), converter, mixed: 0.0, apart: 0.0, samples: 0 })
    }

    /// Mixes interleaved samples to one channel.
    pub(super) fn take(&mut self, samples: &[f32]) -> Result<Vec<f32>, String> {
        if samples.iter().any(|sample| !sample.is_finite()) {
            return Err("it holds samples that are no numbers".into());
        }
        let channels = self.channels as f32;
        let mut mono = Vec::with_capacity(samples.len() / self.channels);
        for all in samples.chunks_exact(self.channels) {
            let mean = all.iter().sum::<f32>() / channels;
            self.mixed += f64::from(mean * mean);
            self.apart += f64::from(all.iter().map(|sample| sample * sample).sum::<f32>() / channels);
            // Clips at full scale: a float may be larger, and the converter would overflow.
            mono.push(mean.clamp(-1.0, 1.0));
        }
        self.samples += mono.len() as u64;
        match &mut self.converter {
            Some(converter) => converter.take(&mono),
            None => Ok(mono),
        }
    }

    /// What is left in the converter.
    pub(super) fn end(&mut self) -> Result<Vec<f32>, String> {
        self.converter.as_mut().map_or(Ok(Vec::new()), Converter::end)
    }

    /// Whether the channels are each other's negative, so that their mix is silent.
    pub(super) fn cancels(&self) -> bool {
        self.apart > AUDIBLE * self.samples as f64 && self.mixed < LOST * self.apart
    }
}

impl Converter {
    fn new(rate: u32) -> Result<Self, String> {
        let fft = Fft::<f32>::new(rate as usize, SAMPLE_RATE as usize, BLOCK, 1, FixedSync::Input)
            .map_err(|error| format!("{rate} Hz cannot be converted ({error})"))?;
        let delay = fft.output_delay();
        Ok(Self { fft, waiting: Vec::new(), delay, taken: 0, given: 0, rate })
    }

    fn take(&mut self, samples: &[f32]) -> Result<Vec<f32>, String> {
        self.taken += samples.len() as u64;
        self.waiting.extend_from_slice(samples);
        let mut out = Vec::new();
        let mut at = 0;
        while self.waiting.len() - at >= self.fft.input_frames_next() {
            at += self.convert(at, &mut out)?;
        }
        self.waiting.drain(..at);
        Ok(out)
    }

    /// Silence pushes the last sound out, until all of it is there.
    fn end(&mut self) -> Result<Vec<f32>, String> {
        let whole = self.taken * u64::from(SAMPLE_RATE) / u64::from(self.rate);
        let mut out = Vec::new();
        let begun = self.given;
        while self.given < whole {
            let block = self.fft.input_frames_next();
            self.waiting.resize(block.max(self.waiting.len()), 0.0);
            self.convert(0, &mut out)?;
            self.waiting.clear();
        }
        out.truncate(usize::try_from(whole.saturating_sub(begun)).unwrap_or(usize::MAX));
        Ok(out)
    }

    /// Converts one block from `at` on. Returns how many samples it took.
    fn convert(&mut self, at: usize, out: &mut Vec<f32>) -> Result<usize, String> {
        let failed =
            |error: &dyn std::fmt::Display| format!("{} Hz cannot be converted ({error})", self.rate);
        let block = self.fft.input_frames_next();
        let from = SequentialSlice::new(&self.waiting[at..], 1, block).map_err(|error| failed(&error))?;
        let room = self.fft.output_frames_next();
        let mut pcm = vec![0.0; room];
        let mut into = SequentialSlice::new_mut(&mut pcm, 1, room).map_err(|error| failed(&error))?;
        let (taken, given) = self
            .fft
            .process_into_buffer(&from, &mut into, None::<&Indexing>)
            .map_err(|error| failed(&error))?;
        let late = self.delay.min(given);
        self.delay -= late;
        self.given += (given - late) as u64;
        out.extend_from_slice(&pcm[late..given]);
        Ok(taken)
    }
}
