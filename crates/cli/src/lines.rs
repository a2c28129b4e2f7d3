//! What the program prints. A line that nobody takes is no reason to die: a server goes on, and whoever talks is heard
//! to the end. `println!` would panic then, and clippy refuses it in this program.

use std::fmt::Arguments;
use std::io::{Error, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::OnceLock;

/// Why standard output takes nothing any more.
static LOST: OnceLock<Error> = OnceLock::new();

/// Prints a line of what was asked for to standard output.
macro_rules! show {
    ($($words:tt)*) => { $crate::lines::result(format_args!("{}\n", format_args!($($words)*))) };
}

/// Prints a line for the person to standard error.
macro_rules! tell {
    () => { $crate::lines::aside(format_args!("\n")) };
    ($($words:tt)*) => { $crate::lines::aside(format_args!("{}\n", format_args!($($words)*))) };
}

/// Standard output, which notes when it takes nothing any more: [`end`] tells.
pub(crate) struct Output;

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        noted(std::io::stdout().write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        noted(std::io::stdout().flush())
    }
}

fn noted<T>(done: std::io::Result<T>) -> std::io::Result<T> {
    done.map_err(|error| {
        let kind = error.kind();
        LOST.get_or_init(|| error);
        kind.into()
    })
}

/// Prints to standard output.
pub(crate) fn result(words: Arguments<'_>) {
    // At once, so that a failure is known: what is kept until the end is lost without a word.
    Output.write_all(words.to_string().as_bytes()).and_then(|()| Output.flush()).ok();
}

/// Prints to standard error. Nobody is left to be told when that fails.
pub(crate) fn aside(words: Arguments<'_>) {
    let mut out = std::io::stderr().lock();
    out.write_fmt(words).and_then(|()| out.flush()).ok();
}

/// Whether standard output takes nothing any more.
pub(crate) fn are_lost() -> bool {
    LOST.get().is_some()
}

/// How the program ends that would end with `code`. Whoever closes a pipe has read enough; a device that is full has
/// lost what was asked for.
pub(crate) fn end(code: ExitCode) -> ExitCode {
    match LOST.get() {
        Some(error) if error.kind() != ErrorKind::BrokenPipe && code == ExitCode::SUCCESS => {
            tell!("tenfour: standard output: {error}");
            ExitCode::FAILURE
        }
        _ => code,
    }
}
