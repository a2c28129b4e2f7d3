//! The device key: an Ed25519 key pair in a file that only its owner can read.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer, SigningKey};
use tenfour_protocol::UserId;
use zeroize::Zeroizing;

use crate::Error;

/// First line of a key file; the key follows as base64url.
const HEADER: &str = "tenfour-key-v1";

/// Who this device is. The private key never leaves the file and the process.
pub struct Identity(SigningKey);

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
            // Another error shows again when it is read.
            Ok(true) | Err(_) => Self::load_or_create(path),
        }
    }

    /// A key that is nowhere kept.
    pub fn generate() -> std::io::Result<Self> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *secret).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self(SigningKey::from_bytes(&secret)))
    }

    /// `device.key` in the platform's config folder.
    pub fn default_path() -> Option<PathBuf> {
        Some(directories::ProjectDirs::from("", "", "tenfour")?.config_dir().join("device.key"))
    }

    /// The identifier of this key.
    pub fn user(&self) -> UserId {
        UserId::of_key(self.0.verifying_key().as_bytes())
    }

    /// The public key.
    pub fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    fn parse(text: &str) -> Option<Self> {
        let key = text.strip_prefix(HEADER)?.trim();
        let secret = Zeroizing::new(BASE64URL_NOPAD.decode(key.as_bytes()).ok()?);
        Some(Self(SigningKey::from_bytes(secret.as_slice().try_into().ok()?)))
    }

    /// Writes a new key beside `path` and moves it there whole, so that a crash leaves no half
    /// a key, and two first uses at once agree on one.
    fn create(path: &Path) -> std::io::Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            fs::create_dir_all(folder)?;
        }
        let identity = Self::generate()?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let fresh = path.with_file_name(name);
        let key = Zeroizing::new(BASE64URL_NOPAD.encode(&*Zeroizing::new(identity.0.to_bytes())));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&fresh)?;
        let placed = writeln!(file, "{HEADER}\n{}", *key)
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::hard_link(&fresh, path));
        fs::remove_file(&fresh)?;
        match placed {
            Ok(()) => Ok(identity),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let text = Zeroizing::new(fs::read_to_string(path)?);
                Self::parse(&text).ok_or_else(|| std::io::Error::other("it holds no Tenfour key"))
            }
            Err(error) => Err(error),
        }
    }
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
    fn a_file_that_is_no_key_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        fs::write(&path, "buy milk").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::PermissionsExt::set_mode(&mut fs::metadata(&path).unwrap().permissions(), 0o600);
        assert!(matches!(Identity::load_or_create(&path), Err(Error::Key { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "buy milk");
    }
}
