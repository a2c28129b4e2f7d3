//! Any usual recording becomes the same sound: 48 kHz, mono, as long as it was.

mod headers;
mod tone;
mod tools;

use std::path::PathBuf;

use hound::{SampleFormat, WavSpec, WavWriter};
use tempfile::TempDir;
use tenfour_client::{recording, wav};

const SECONDS: f32 = 0.5;

/// Two tones that every rate here can carry.
fn sound(t: f32) -> f32 {
    let tau = std::f32::consts::TAU;
    0.4 * (t * 440.0 * tau).sin() + 0.2 * (t * 1700.0 * tau).sin()
}

fn write(rate: u32, channels: u16, bits_per_sample: u16, sample_format: SampleFormat) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wav");
    let spec = WavSpec { channels, sample_rate: rate, bits_per_sample, sample_format };
    let mut file = WavWriter::create(&path, spec).unwrap();
    for i in 0..(SECONDS * rate as f32) as usize {
        let sample = sound(i as f32 / rate as f32);
        for _ in 0..channels {
            match sample_format {
                SampleFormat::Float => file.write_sample(sample).unwrap(),
                SampleFormat::Int => {
                    let full = ((1i64 << (bits_per_sample - 1)) - 1) as f64;
                    file.write_sample((f64::from(sample) * full) as i32).unwrap();
                }
            }
        }
    }
    file.finalize().unwrap();
    (folder, path)
}

/// That the file sounds as it should, apart from what a filter does at its ends.
fn assert_reads(rate: u32, channels: u16, bits: u16, format: SampleFormat) {
    let (_folder, path) = write(rate, channels, bits, format);
    let samples = recording::read(&path).unwrap_or_else(|error| panic!("{rate} Hz, {bits} bit: {error}"));
    let whole = (SECONDS * rate as f32) as usize * 48_000 / rate as usize;
    assert!(samples.len().abs_diff(whole) <= 1, "{rate} Hz: {} samples", samples.len());
    // The converter's delay is taken out to a few samples, 60 microseconds.
    let off = |shift: i32| {
        let error = |i: i32| (samples[i as usize] - sound((i + shift) as f32 / 48_000.0)).abs();
        (2400..21_600).map(error).fold(0.0, f32::max)
    };
    let least = (-3..=3).map(off).fold(f32::MAX, f32::min);
    // One whole sample would be 0.067.
    assert!(least < 0.06, "{rate} Hz, {channels} channels, {bits} bit: off by {least}");
}

#[test]
fn every_usual_rate_is_read() {
    for rate in [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000] {
        assert_reads(rate, 1, 16, SampleFormat::Int);
    }
}

#[test]
fn every_usual_sample_is_read() {
    for bits in [8, 16, 24, 32] {
        assert_reads(48_000, 1, bits, SampleFormat::Int);
    }
    assert_reads(48_000, 1, 32, SampleFormat::Float);
}

#[test]
fn stereo_is_mixed_to_one() {
    assert_reads(48_000, 2, 16, SampleFormat::Int);
    assert_reads(44_100, 2, 32, SampleFormat::Float);
}

#[test]
fn samples_that_are_no_numbers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nan.wav");
    let spec =
        WavSpec { channels: 1, sample_rate: 48_000, bits_per_sample: 32, sample_format: SampleFormat::Float };
    let mut file = WavWriter::create(&path, spec).unwrap();
    file.write_sample(f32::NAN).unwrap();
    file.finalize().unwrap();
    assert!(recording::read(&path).unwrap_err().to_string().contains("no numbers"));
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.wav");
    let said: Vec<f32> = (0..4800).map(|i| sound(i as f32 / 48_000.0)).collect();
    let mut file = wav::Writer::create(&path).unwrap();
    file.write(&said).unwrap();
    file.finish().unwrap();
    let heard = recording::read(&path).unwrap();
    assert_eq!(heard.len(), said.len());
    assert!(heard.iter().zip(&said).all(|(a, b)| (a - b).abs() < 0.001));
}
