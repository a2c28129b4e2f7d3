//! The device key: an Ed25519 key pair in a file that only its owner can read.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer, SigningKey};
use tenfour_core::reach::scrub_stack;
use tenfour_protocol::UserId;
use zeroize::Zeroizing;

use crate::Error;

/// First line of a key file; the key follows as base64url.
const HEADER: &str = "tenfour-key-v1";

/// Who this device is. The private key leaves the file and the process only in a sealed [key file](crate::key_file).
/// It exists once in memory, and is wiped when this is dropped.
pub struct Identity {
    seed: Box<Zeroizing<[u8; 32]>>,
    public: [u8; 32],
    is_new: bool,
}

/// Where a running client has its device key, which it needs at each log-in and for each connection.
pub enum Key {
    /// In memory, all the time.
    Held(Arc<Identity>),
    /// In a file, which is read each time.
    In {
        /// Which file.
        path: PathBuf,
        /// Whose key it was when it was first read. Another key is refused.
        user: UserId,
    },
}

impl Key {
    /// Fetches it. Drop it soon.
    ///
    /// # Errors
    /// If the file cannot be read or has another key.
    pub fn fetch(&self) -> Result<Arc<Identity>, Error> {
        match self {
            Self::Held(identity) => Ok(Arc::clone(identity)),
            Self::In { path, user } => {
                let identity = Identity::load(path)?;
                if identity.user() == *user {
                    return Ok(Arc::new(identity));
                }
                Err(Error::Key { path: path.clone(), why: "another key is there now".into() })
            }
        }
    }
}

impl From<Arc<Identity>> for Key {
    fn from(identity: Arc<Identity>) -> Self {
        Self::Held(identity)
    }
}

/// What became of the key that was there before.
#[derive(Debug, PartialEq, Eq)]
pub enum Kept {
    /// There was none.
    New,
    /// It was this one already.
    Same,
    /// Another one, which is here now.
    Replaced(PathBuf),
}

impl Identity {
    /// Reads the key of `path`, or makes one there on first use (mode 0600).
    pub fn load_or_create(path: &Path) -> Result<Self, Error> {
        let refuse = |why: String| Error::Key { path: path.into(), why };
        match fs::read_to_string(path) {
            Ok(text) => {
                check_mode(path).map_err(refuse)?;
                Self::parse(&Zeroizing::new(text)).ok_or_else(|| refuse("it holds no Tenfour key".into()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Self::create(path).map_err(|e| refuse(e.to_string()))
            }
            Err(error) => Err(refuse(error.to_string())),
        }
    }

    /// Reads the key of `path`, which has to be there.
    pub fn load(path: &Path) -> Result<Self, Error> {
        match path.try_exists() {
            Ok(false) => Err(Error::NoKey { path: path.into() }),
            // Any other error comes up again when the file is read.
            Ok(true) | Err(_) => Self::load_or_create(path),
        }
    }

    /// A key that is not stored anywhere.
    pub fn generate() -> std::io::Result<Self> {
        let mut seed = Box::new(Zeroizing::new([0; 32]));
        getrandom::fill(&mut seed[..]).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self { is_new: true, ..Self::of(seed) })
    }

    /// Whether this key was just made, so that no server can know it.
    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }

    /// The key of these 32 bytes.
    pub(crate) fn of_seed(seed: &[u8; 32]) -> Self {
        let mut own = Box::new(Zeroizing::new([0; 32]));
        own.copy_from_slice(seed);
        Self::of(own)
    }

    fn of(seed: Box<Zeroizing<[u8; 32]>>) -> Self {
        let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        scrub_stack();
        Self { seed, public, is_new: false }
    }

    /// The private key.
    pub(crate) fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// Puts this key at `path`. If another key is there, this is refused; with `replace`, the other key is kept as
    /// `….old`. At any time there is a whole key at `path`.
    pub fn keep(&self, path: &Path, replace: bool) -> Result<Kept, Error> {
        let refuse = |why: String| Error::Key { path: path.into(), why };
        // A file that is no key is reported and left alone.
        match Self::load(path) {
            Err(Error::NoKey { .. }) => {
                return self.install(path, |fresh| fs::hard_link(fresh, path)).map(|()| Kept::New).map_err(
                    |error| match error.kind() {
                        ErrorKind::AlreadyExists => Error::KeyThere { path: path.into() },
                        _ => refuse(error.to_string()),
                    },
                );
            }
            Ok(there) if there.user() == self.user() => return Ok(Kept::Same),
            Ok(_) if !replace => return Err(Error::KeyThere { path: path.into() }),
            Ok(_) => {}
            Err(error) => return Err(error),
        }
        let old = set_aside(path).map_err(|error| refuse(error.to_string()))?;
        self.install(path, |fresh| fs::rename(fresh, path)).map_err(|error| refuse(error.to_string()))?;
        Ok(Kept::Replaced(old))
    }

    /// `device.key` in the platform's config folder.
    pub fn default_path() -> Option<PathBuf> {
        Some(directories::ProjectDirs::from("", "", "tenfour")?.config_dir().join("device.key"))
    }

    /// The identifier of this key.
    pub fn user(&self) -> UserId {
        UserId::of_key(&self.public)
    }

    /// The public key.
    pub fn public_key(&self) -> [u8; 32] {
        self.public
    }

    /// Signs `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature = SigningKey::from_bytes(&self.seed).sign(message).to_bytes();
        // Somebody moved the key at the same time.
        scrub_stack();
        signature
    }

    fn parse(text: &str) -> Option<Self> {
        let key = text.strip_prefix(HEADER)?.trim();
        let secret = Zeroizing::new(BASE64URL_NOPAD.decode(key.as_bytes()).ok()?);
        Some(Self::of_seed(secret.as_slice().try_into().ok()?))
    }

    /// Makes a key at `path`. If two programs do so at once, both use the same key.
    fn create(path: &Path) -> std::io::Result<Self> {
        let identity = Self::generate()?;
        match identity.install(path, |fresh| fs::hard_link(fresh, path)) {
            Ok(()) => Ok(identity),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let text = Zeroizing::new(fs::read_to_string(path)?);
                Self::parse(&text).ok_or_else(|| std::io::Error::other("it holds no Tenfour key"))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the key beside `path` and then moves it there with `put`, so that a crash leaves no half of a key.
    fn install(&self, path: &Path, put: impl FnOnce(&Path) -> std::io::Result<()>) -> std::io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            fs::create_dir_all(folder)?;
        }
        let fresh = beside(path, &format!(".{}.new", std::process::id()));
        let key = Zeroizing::new(BASE64URL_NOPAD.encode(self.seed()));
        let mut file = create_private(&fresh)?;
        let placed =
            writeln!(file, "{HEADER}\n{}", *key).and_then(|()| file.sync_all()).and_then(|()| put(&fresh));
        match fs::remove_file(&fresh) {
            // It was moved.
            Err(error) if error.kind() == ErrorKind::NotFound => placed,
            removed => placed.and(removed),
        }
    }
}

/// Makes a file that only its owner can read. There is none of this name yet.
pub(crate) fn create_private(path: &Path) -> std::io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// A second name for the key at `path`, under which it stays.
fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    for number in 1.. {
        let old = beside(path, &if number == 1 { ".old".into() } else { format!(".old{number}") });
        match fs::hard_link(path, &old) {
            Ok(()) => return Ok(old),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    unreachable!("numbers have no end")
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(|error| error.to_string())?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err("others can read it; run `chmod 600` on it".into()) }
}

#[cfg(not(unix))]
fn check_mode(_: &Path) -> Result<(), String> {
    Ok(())
}

/// Shows the tag only.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({:?})", self.user())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/device.key");
        let first = Identity::load_or_create(&path).unwrap().user();
        assert_eq!(Identity::load_or_create(&path).unwrap().user(), first);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing else is left there");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        Identity::load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Identity::load_or_create(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn another_key_is_kept_only_when_asked_and_the_old_one_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/device.key");
        let keys: Vec<_> = (1..=3).map(|seed| Identity::of_seed(&[seed; 32])).collect();
        assert_eq!(keys[0].keep(&path, false).unwrap(), Kept::New);
        assert_eq!(keys[0].keep(&path, true).unwrap(), Kept::Same);
        assert!(matches!(keys[1].keep(&path, false), Err(Error::KeyThere { .. })));
        assert_eq!(Identity::load(&path).unwrap().user(), keys[0].user());
        for (at, old) in [(1, "device.key.old"), (2, "device.key.old2")] {
            let old = path.with_file_name(old);
            assert_eq!(keys[at].keep(&path, true).unwrap(), Kept::Replaced(old.clone()));
            assert_eq!(Identity::load(&path).unwrap().user(), keys[at].user());
            assert_eq!(Identity::load(&old).unwrap().user(), keys[at - 1].user());
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 3, "nothing else is left there");
    }

    #[test]
    fn a_key_in_a_file_is_fetched_while_it_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        let identity = Identity::load_or_create(&path).unwrap();
        let key = Key::In { path: path.clone(), user: identity.user() };
        assert_eq!(key.fetch().unwrap().sign(b"x"), identity.sign(b"x"));
        Identity::of_seed(&[9; 32]).keep(&path, true).unwrap();
        assert!(matches!(key.fetch(), Err(Error::Key { why, .. }) if why.contains("another key")));
        fs::remove_file(&path).unwrap();
        assert!(matches!(key.fetch(), Err(Error::NoKey { .. })));
    }

    #[test]
    fn a_file_that_is_no_key_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        fs::write(&path, "buy milk").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::PermissionsExt::set_mode(&mut fs::metadata(&path).unwrap().permissions(), 0o600);
        assert!(matches!(Identity::load_or_create(&path), Err(Error::Key { .. })));
        assert!(matches!(Identity::of_seed(&[1; 32]).keep(&path, true), Err(Error::Key { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "buy milk");
    }
}
