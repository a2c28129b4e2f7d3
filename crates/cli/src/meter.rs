//! A level meter for people: one line on standard error, and only on a terminal.

use std::io::IsTerminal;

use crate::lines;

const WIDTH: usize = 24;

pub(crate) struct Meter {
    title: Option<String>,
    seconds: f64,
    /// The level shown, which falls slowly so that people can read it.
    level: f32,
}

impl Meter {
    pub(crate) fn new(title: &str) -> Self {
        let title = std::io::stderr().is_terminal().then(|| title.to_owned());
        Self { title, seconds: 0.0, level: 0.0 }
    }

    /// Shows the level of a frame of 48 kHz samples.
    pub(crate) fn show(&mut self, samples: &[f32]) {
        let Some(title) = &self.title else { return };
        let energy = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32;
        // -60 dB is an empty bar, 0 dB a full one.
        let level = 1.0 + (energy + 1e-9).log10() / 6.0;
        self.level = level.clamp(self.level - 0.05, 1.0).max(0.0);
        self.seconds += samples.len() as f64 / 48_000.0;
        let lit = (self.level * WIDTH as f32).round() as usize;
        let bar: String = (0..WIDTH).map(|i| if i < lit { '█' } else { '·' }).collect();
        lines::aside(format_args!(
            "\r\x1b[31m●\x1b[0m {title}  \x1b[33m{bar}\x1b[0m {:5.1} s ",
            self.seconds
        ));
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if self.title.is_some() && self.seconds > 0.0 {
            tell!();
        }
    }
}
