//! A passphrase from a person, or from a pipe: never from an argument, which others can see.

use std::io::{BufRead, IsTerminal, Read};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tenfour_protocol::limits::PASSPHRASE_BYTES;
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::lines;

/// A new passphrase: a person is asked twice.
pub(crate) fn choose(question: &str) -> Result<Zeroizing<String>, Failure> {
    let passphrase = ask(question)?;
    if std::io::stdin().is_terminal() && *ask("The same once more: ")? != *passphrase {
        return Err(Failure::WrongUse("The two are not the same. Nothing was written; try again.".into()));
    }
    Ok(passphrase)
}

/// A passphrase that is known already.
pub(crate) fn ask(question: &str) -> Result<Zeroizing<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return line();
    }
    // Before the question, so that a quick answer is not shown either.
    let quiet = Quiet::begin()?;
    lines::aside(format_args!("{question}"));
    let answer = line();
    drop(quiet);
    tell!();
    answer
}

fn line() -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(PASSPHRASE_BYTES + 2));
    let most = PASSPHRASE_BYTES as u64 + 2;
    std::io::stdin().lock().take(most).read_until(b'\n', &mut bytes)?;
    let text =
        std::str::from_utf8(&bytes).map_err(|_| Failure::WrongUse("A passphrase is text (UTF-8).".into()))?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// A terminal that does not show what is typed.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> Result<Self, Failure> {
        let before = tcgetattr(std::io::stdin()).map_err(std::io::Error::from)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet).map_err(std::io::Error::from)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing.
        tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0).ok();
    }
}
