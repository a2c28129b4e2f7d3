//! What is in a sound: a tone of the right pitch, level and length, and nothing else.

use std::f32::consts::TAU;

pub(crate) const PITCH: f32 = 1000.0;
pub(crate) const LEVEL: f32 = 0.25;

/// A tone at 48 kHz, or another rate.
pub(crate) fn tone(rate: u32, seconds: f32) -> Vec<f32> {
    let sample = |i: usize| LEVEL * (i as f32 * PITCH * TAU / rate as f32).sin();
    (0..(rate as f32 * seconds) as usize).map(sample).collect()
}

/// Why this is not the tone, `seconds` long to `slack` seconds; `noise` is how much else may be in it, of its energy.
pub(crate) fn differs(heard: &[f32], seconds: f32, slack: f32, noise: f32) -> Option<String> {
    let length = heard.len() as f32 / 48_000.0;
    if (length - seconds).abs() > slack {
        return Some(format!("it is {length:.3} s long"));
    }
    // The middle, in whole periods: filters and codecs have their ends.
    let middle = &heard[heard.len() / 4..][..heard.len() / 2 / 480 * 480];
    let part = |wave: fn(f32) -> f32| {
        let at = |(i, x): (usize, &f32)| x * wave(i as f32 * PITCH * TAU / 48_000.0);
        middle.iter().enumerate().map(at).sum::<f32>() * 2.0 / middle.len() as f32
    };
    let level = part(f32::sin).hypot(part(f32::cos));
    if !(0.9..1.1).contains(&(level / LEVEL)) {
        return Some(format!("the tone has {level:.3} instead of {LEVEL}"));
    }
    let all = middle.iter().map(|x| x * x).sum::<f32>() / middle.len() as f32;
    let rest = (all - level * level / 2.0).max(0.0) / all;
    (rest > noise).then(|| format!("{rest:.4} of its energy is something else"))
}
