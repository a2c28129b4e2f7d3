//! Writes recordings: wav, 48 kHz, mono, 16 bit.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};
use tenfour_protocol::limits::SAMPLE_RATE;

use crate::Error;

/// Writes 48 kHz mono samples as a 16-bit wav. If the program dies, the file has all but the last second.
pub struct Writer {
    wav: WavWriter<BufWriter<File>>,
    path: PathBuf,
    /// Samples since the header was last updated.
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

    /// Writes the final header.
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
    use crate::recording::read;
    use hound::WavReader;

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
