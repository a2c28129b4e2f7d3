//! What the program prints. If nobody reads the output any more, the program goes on: a server serves, and a talker
//! is heard to the end. `println!` would panic, so clippy forbids it in this program.

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

/// Standard output. It remembers when it takes nothing any more, for [`end`].
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
    // Flush at once to notice a failure: what is buffered until the end would be lost silently.
    Output.write_all(words.to_string().as_bytes()).and_then(|()| Output.flush()).ok();
}

/// Prints to standard error. If that fails, there is nobody left to tell.
pub(crate) fn aside(words: Arguments<'_>) {
    let mut out = std::io::stderr().lock();
    out.write_fmt(words).and_then(|()| out.flush()).ok();
}

/// Whether standard output takes nothing any more.
pub(crate) fn are_lost() -> bool {
    LOST.get().is_some()
}

/// The exit code of a program that would end with `code`. A reader who closes a pipe has read enough. If a device is
/// full, what was asked for is lost.
pub(crate) fn end(code: ExitCode) -> ExitCode {
    match LOST.get() {
        Some(error) if error.kind() != ErrorKind::BrokenPipe && code == ExitCode::SUCCESS => {
            tell!("tenfour: standard output: {error}");
            ExitCode::FAILURE
        }
        _ => code,
    }
}
