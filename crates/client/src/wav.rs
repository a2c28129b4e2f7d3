//! Recordings: read any usual wav as 48 kHz mono, write one.

use std::fs::File;
use std::io::{BufWriter, Read};
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use rubato::audioadapter::Adapter;
use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler};
use tenfour_protocol::limits::SAMPLE_RATE;

use crate::Error;

/// Longest recording that is read: the longest talk limit there is, and as much again.
const LONGEST_SECONDS: u32 = 1200;

/// Reads a wav file: 8, 16, 24 or 32 bit or float, any number of channels (mixed to one), any
/// usual rate.
pub fn read(path: &Path) -> Result<Vec<f32>, Error> {
    let file = File::open(path).map_err(|error| bad(format!("{}: {error}", path.display())))?;
    decode(std::io::BufReader::new(file)).map_err(|why| bad(format!("{}: {why}", path.display())))
}

/// Writes 48 kHz mono samples as a 16-bit wav. Whatever happens to the program, the file holds all but the last second.
pub struct Writer {
    wav: WavWriter<BufWriter<File>>,
    path: PathBuf,
    /// Samples that the header does not know of.
    unsaid: usize,
}

impl Writer {
    /// Begins a file.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let spec = WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let wav = WavWriter::create(path, spec).map_err(|error| failed(path, error))?;
        let mut writer = Self { wav, path: path.to_owned(), unsaid: 0 };
        writer.flush()?;
        Ok(writer)
    }

    /// Appends samples, -1 to 1.
    pub fn write(&mut self, samples: &[f32]) -> Result<(), Error> {
        let mut write = || samples.iter().try_for_each(|sample| self.wav.write_sample(to_i16(*sample)));
        write().map_err(|error| failed(&self.path, error))?;
        self.unsaid += samples.len();
        if self.unsaid < SAMPLE_RATE as usize { Ok(()) } else { self.flush() }
    }

    /// Writes the header for good.
    pub fn finish(self) -> Result<(), Error> {
        self.wav.finalize().map_err(|error| failed(&self.path, error))
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.unsaid = 0;
        self.wav.flush().map_err(|error| failed(&self.path, error))
    }
}

/// A sample as 16-bit integer.
pub fn to_i16(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * 32767.0).round() as i16
}

/// Decodes a wav, as [`read`] does, or says in words why it cannot.
pub fn decode(source: impl Read) -> Result<Vec<f32>, String> {
    let mut reader = WavReader::new(source).map_err(|error| match error {
        hound::Error::IoError(_) => "it ends in the middle of the header".to_owned(),
        hound::Error::FormatError(why) => format!("it is no wav ({why})"),
        other => format!("it is no wav that can be read ({other})"),
    })?;
    let WavSpec { channels, sample_rate, bits_per_sample, sample_format } = reader.spec();
    if !(4_000..=384_000).contains(&sample_rate) {
        return Err(format!("{sample_rate} Hz is no usual rate"));
    }
    if reader.duration() > LONGEST_SECONDS * sample_rate {
        return Err(format!("it is longer than {} minutes", LONGEST_SECONDS / 60));
    }
    let samples: Result<Vec<f32>, hound::Error> = match sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect(),
        SampleFormat::Int => {
            let scale = 1.0 / (1u64 << (bits_per_sample - 1)) as f32;
            reader.samples::<i32>().map(|sample| Ok(sample? as f32 * scale)).collect()
        }
    };
    let samples = samples.map_err(|error| format!("it is cut short or broken ({error})"))?;
    if samples.iter().any(|sample| !sample.is_finite()) {
        return Err("it holds samples that are no numbers".into());
    }
    let mono: Vec<f32> = samples
        .chunks_exact(channels.into())
        // Clipped at full scale: a float may hold more, and the resampler would overflow.
        .map(|all| (all.iter().sum::<f32>() / f32::from(channels)).clamp(-1.0, 1.0))
        .collect();
    if mono.is_empty() {
        return Err("it is empty".into());
    }
    resample(mono, sample_rate)
}

/// To 48 kHz. The length stays right to a sample, and the sound in its place to a few samples.
fn resample(samples: Vec<f32>, rate: u32) -> Result<Vec<f32>, String> {
    if rate == SAMPLE_RATE {
        return Ok(samples);
    }
    let failed = |error: &dyn std::fmt::Display| format!("{rate} Hz cannot be converted ({error})");
    let mut resampler = Fft::<f32>::new(rate as usize, SAMPLE_RATE as usize, 1024, 1, FixedSync::Both)
        .map_err(|error| failed(&error))?;
    let frames = samples.len();
    let input = SequentialSlice::new(&samples, 1, frames).map_err(|error| failed(&error))?;
    let output = resampler.process_all(&input, frames, None).map_err(|error| failed(&error))?;
    Ok((0..output.frames()).filter_map(|at| output.read_sample(0, at)).collect())
}

fn bad(why: String) -> Error {
    Error::Recording(why)
}

fn io(error: hound::Error) -> Error {
    match error {
        hound::Error::IoError(error) => Error::Io(error),
        other => Error::Io(std::io::Error::other(other)),
    }
}

fn failed(path: &Path, error: hound::Error) -> Error {
    let error = io(error);
    Error::Io(std::io::Error::other(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a program that is killed leaves behind.
    #[test]
    fn a_file_that_was_never_finished_holds_all_but_the_last_second() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("killed.wav");
        let mut writer = Writer::create(&path).unwrap();
        assert_eq!(WavReader::open(&path).unwrap().duration(), 0);
        (0..130).for_each(|_| writer.write(&[0.25; 960]).unwrap());
        assert_eq!(WavReader::open(&path).unwrap().duration(), 100 * 960);
        writer.finish().unwrap();
        assert_eq!(read(&path).unwrap().len(), 130 * 960);
    }

    #[test]
    fn a_disk_that_is_full_is_told_with_the_name_of_the_file() {
        let full =
            Writer::create(Path::new("/dev/full")).and_then(|mut writer| writer.write(&[0.25; 48_000]));
        let full = full.unwrap_err().to_string();
        assert!(full.starts_with("/dev/full: "), "{full}");
    }
}
