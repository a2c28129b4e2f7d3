//! Something like speech, the same each time, and how much two recordings are alike.

use std::path::Path;

/// 20 ms at 48 kHz.
const FRAME: usize = 960;

/// Voiced syllables with pauses, full from the first to the last 100 ms.
pub(crate) fn speech(seconds: f32) -> Vec<f32> {
    let samples = (seconds * 48_000.0) as usize;
    let mut noise = 1u32;
    (0..samples)
        .map(|i| {
            let t = i as f32 / 48_000.0;
            let tau = std::f32::consts::TAU;
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let hiss = (noise >> 16) as f32 / 65_536.0 - 0.5;
            // Syllables of uneven length and strength; loud at both ends.
            let edge = t < 0.12 || t > seconds - 0.12;
            let syllable = (0.5 + 0.5 * (t * 3.1 * tau).sin()) * (0.6 + 0.4 * (t * 0.7 * tau).cos());
            let loudness = if edge {
                0.8
            } else if syllable < 0.25 {
                0.0
            } else {
                syllable
            };
            let pitch = 120.0 + 25.0 * (t * 0.9 * tau).sin();
            let voice: f32 = (1..16u16)
                .map(f32::from)
                .map(|k| (t * pitch * k * tau).sin() / (1.0 + ((k * pitch - 600.0) / 400.0).powi(2)))
                .sum();
            0.25 * loudness * (voice + 0.1 * hiss)
        })
        .collect()
}

pub(crate) fn write(path: &Path, samples: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).expect("a file");
    samples.iter().for_each(|sample| wav.write_sample((sample * 32_767.0) as i16).expect("room"));
    wav.finalize().expect("room");
}

pub(crate) fn read(path: &Path) -> Vec<f32> {
    let mut wav = hound::WavReader::open(path).expect("a wav");
    wav.samples::<i16>().map(|sample| f32::from(sample.expect("whole")) / 32_768.0).collect()
}

/// That `heard` is `said`: as long within 60 ms, alike, and whole at both ends.
pub(crate) fn assert_same(said: &[f32], heard: &[f32]) {
    let difference = said.len().abs_diff(heard.len());
    assert!(difference <= 60 * 48, "{} against {} samples", said.len(), heard.len());
    let likeness = likeness(said, heard);
    assert!(likeness >= 0.9, "the envelopes correlate by {likeness:.3} only");
    let energy = |part: &[f32]| part.iter().map(|x| x * x).sum::<f32>();
    let first = energy(&heard[..4800]) / energy(&said[..4800]);
    assert!(first > 0.5, "only {first:.2} of the first 100 ms is there");
    let end = &said[said.len() - 4800..];
    let tail = &heard[(said.len() - 4800).min(heard.len())..];
    let last = energy(tail) / energy(end);
    assert!(last > 0.5, "only {last:.2} of the last 100 ms is there");
}

/// Correlation of the 20 ms energy envelopes, at the best shift of up to 40 ms.
fn likeness(a: &[f32], b: &[f32]) -> f32 {
    (0..=1920)
        .step_by(120)
        .map(|shift| correlation(&envelope(a), &envelope(&b[shift..])))
        .fold(-1.0, f32::max)
}

fn envelope(samples: &[f32]) -> Vec<f32> {
    samples.chunks_exact(FRAME).map(|frame| frame.iter().map(|x| x * x).sum::<f32>().sqrt()).collect()
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mean = |x: &[f32]| x.iter().sum::<f32>() / n as f32;
    let (ma, mb) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += (x - ma) * (y - mb);
        aa += (x - ma) * (x - ma);
        bb += (y - mb) * (y - mb);
    }
    ab / (aa * bb).sqrt()
}

/// The measure itself tells speech from something else, and a clipped word from a whole one.
#[test]
fn likeness_is_high_for_the_same_and_low_for_another_thing() {
    let said = speech(2.0);
    assert!(likeness(&said, &said) > 0.999);
    let mut backwards = said.clone();
    backwards.reverse();
    assert!(likeness(&said, &backwards) < 0.8);
    let mut clipped = said.clone();
    clipped[..9600].fill(0.0);
    assert!(std::panic::catch_unwind(|| assert_same(&said, &clipped)).is_err());
}
