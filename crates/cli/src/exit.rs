//! How a command ends: 0 done, 1 failed, 2 wrong use, 3 refused by the server, 4 no link.

use std::process::ExitCode;

use tenfour_client::Error;
use tenfour_client::key_file::KeyFileError;
use tenfour_protocol::{Code, Refusal};

/// Why a command did not do what it should, in words for people.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something failed here.
    Failed(String),
    /// The arguments were wrong.
    WrongUse(String),
    /// The server said no.
    Refused(String),
    /// No link to the server, or lost.
    NoLink(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::WrongUse(_) => 2,
            Self::Refused(_) => 3,
            Self::NoLink(_) => 4,
        }
    }

    pub(crate) fn words(&self) -> &str {
        let (Self::Failed(words) | Self::WrongUse(words) | Self::Refused(words) | Self::NoLink(words)) = self;
        words
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let words = error.to_string();
        match error {
            Error::Address(_)
            | Error::Fingerprint(_)
            | Error::HandleNeeded(_)
            | Error::KeyThere { .. }
            | Error::KeyFile(KeyFileError::Passphrase) => Self::WrongUse(words),
            Error::NoLink { .. } => Self::NoLink(words),
            Error::Refused(refusal) => refusal.into(),
            Error::NotTrusted { .. }
            | Error::NotTenfour { .. }
            | Error::Key { .. }
            | Error::NoKey { .. }
            | Error::KeyFile(_)
            | Error::Recording(_)
            | Error::Io(_) => Self::Failed(words),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let words = words(&refusal);
        match refusal.code {
            Code::LinkLost => Self::NoLink(words),
            _ => Self::Refused(words),
        }
    }
}

/// What a refusal says, and when trying again makes sense.
pub(crate) fn words(refusal: &Refusal) -> String {
    let mut words = refusal.to_string();
    if let Some(wait) = refusal.retry_after_ms {
        words.push_str(&format!(" Try again in {}.", time(wait)));
    }
    words
}

/// Seconds, or minutes when there are many.
fn time(millis: u32) -> String {
    match millis {
        0..100_000 => format!("{:.1} s", f64::from(millis) / 1000.0),
        _ => format!("{} min", millis.div_ceil(60_000)),
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs a command to its end, and tells what went wrong.
pub(crate) fn run(command: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Failure::from).and_then(|runtime| {
        let done = runtime.block_on(command);
        // A thread may still wait for standard input.
        runtime.shutdown_background();
        done
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell!("tenfour: {}", failure.words());
            ExitCode::from(failure.code())
        }
    }
}

/// Waits until the person, or the system, wants the program to end.
pub(crate) async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
                () = hung_up() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// Waits until the terminal is closed, unless the program was started to survive that (`nohup`): listening for the
/// signal would undo it.
#[cfg(unix)]
async fn hung_up() {
    use tokio::signal::unix::{SignalKind, signal};
    let hangup = if hangups_are_ignored() { None } else { signal(SignalKind::hangup()).ok() };
    match hangup {
        Some(mut hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether the kernel says that signal 1 is ignored. If it does not say, we leave the signal alone.
#[cfg(unix)]
pub(crate) fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 1)
}
