//! `tenfour key export` and `tenfour key import`: the device key, taken to another device.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tenfour_client::key_file::{self, KeyFileError};
use tenfour_client::{Error, Identity, Kept};
use tenfour_protocol::limits::KEY_FILE_BYTES;

use crate::exit::{self, Failure};
use crate::passphrase;

/// Takes your device key to another device: as a file that a passphrase protects.
#[derive(Debug, clap::Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Writes your key to a file. The passphrase is asked for, or is the first line of standard input
    Export {
        /// The new file; the page and `tenfour key import` read it
        file: PathBuf,
        #[command(flatten)]
        own: Own,
    },
    /// Makes the key of a file the key of this device. The passphrase is asked for, or is the first
    /// line of standard input
    Import {
        /// A file of `tenfour key export`, or of the settings of the page
        file: PathBuf,
        #[command(flatten)]
        own: Own,
        /// Takes the place of another key, which is kept beside it
        #[arg(long)]
        replace: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Own {
    /// Your device key [default: in the platform's config folder]
    #[arg(long, value_name = "FILE", env = "TENFOUR_KEY")]
    key: Option<PathBuf>,
}

impl Key {
    pub(crate) fn run(self) -> ExitCode {
        exit::run(std::future::ready(match self.command {
            Command::Export { file, own } => export(&file, own),
            Command::Import { file, own, replace } => import(&file, own, replace),
        }))
    }
}

impl Own {
    fn path(self) -> Result<PathBuf, Failure> {
        let there = || "There is no home folder with your key. Name a file with --key FILE.";
        self.key.or_else(Identity::default_path).ok_or_else(|| Failure::WrongUse(there().into()))
    }
}

fn export(file: &Path, own: Own) -> Result<(), Failure> {
    let identity = Identity::load(&own.path()?)?;
    if file.exists() {
        let words = format!("{} is there already. Name a new file.", file.display());
        return Err(Failure::WrongUse(words));
    }
    let passphrase = passphrase::choose(&format!("Passphrase for {}: ", file.display()))?;
    key_file::export(&identity, file, &passphrase).map_err(Error::from)?;
    tell(&identity);
    tell!("Whoever has {} and the passphrase is you. Without it the file is worth nothing.", file.display());
    Ok(())
}

fn import(file: &Path, own: Own, replace: bool) -> Result<(), Failure> {
    let path = own.path()?;
    let text = read(file)?;
    let passphrase = passphrase::ask(&format!("Passphrase of {}: ", file.display()))?;
    let identity = key_file::open(&text, &passphrase).map_err(Error::from)?;
    let kept = identity.keep(&path, replace)?;
    tell(&identity);
    match kept {
        Kept::New => tell!("This device has your key now, at {}.", path.display()),
        Kept::Same => tell!("This device had this key already, at {}.", path.display()),
        Kept::Replaced(old) => {
            tell!(
                "This device has your key now, at {}. The one before is at {}.",
                path.display(),
                old.display()
            );
        }
    }
    Ok(())
}

/// A little more than a key file may have, to notice one that is too large.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    File::open(file)
        .and_then(|open| open.take(KEY_FILE_BYTES as u64 + 1).read_to_end(&mut text))
        .map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))?;
    if text.is_empty() { Err(Error::from(KeyFileError::NotAKeyFile).into()) } else { Ok(text) }
}

/// Names a key for people. The key has a handle only at servers.
fn tell(identity: &Identity) {
    let user = identity.user();
    show!("identifier  {user}");
    show!("tag         {}", user.tag());
}
