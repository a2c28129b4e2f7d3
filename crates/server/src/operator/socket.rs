//! The socket, and who is served on it.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::geteuid;

use crate::http::operator_calls;
use crate::ops::{Accept, serve_operator};
use crate::shared::Shared;

/// Name of the socket in the data folder.
pub(super) const NAME: &str = "operator.sock";
/// What it is called until it can be used; not longer than the name.
const DRAFT: &str = "operator.new";
/// Bytes of the longest path of a socket: 108 with the zero at its end on Linux, 104 elsewhere.
const LONGEST: usize = if cfg!(target_os = "linux") { 107 } else { 103 };
/// Time for a question and its answer. The rows of a user may take a while to read.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The operator's socket. Dropping it removes it from the folder.
#[derive(Debug)]
pub(crate) struct Socket {
    listener: UnixListener,
    folder: Folder,
}

/// A data folder by a path that is short enough for a socket in it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// While it is open, the path leads to it.
    _open: Option<File>,
}

impl Folder {
    pub(super) fn of(data: &Path) -> io::Result<Self> {
        if data.join(NAME).as_os_str().len() <= LONGEST {
            return Ok(Self { path: data.to_owned(), _open: None });
        }
        Self::by_number(data)
    }

    /// The number of an open file stands for the folder, however long its path is.
    #[cfg(target_os = "linux")]
    fn by_number(data: &Path) -> io::Result<Self> {
        use std::os::fd::AsRawFd;
        let open = File::open(data)?;
        Ok(Self { path: format!("/proc/self/fd/{}", open.as_raw_fd()).into(), _open: Some(open) })
    }

    #[cfg(not(target_os = "linux"))]
    fn by_number(data: &Path) -> io::Result<Self> {
        let words = format!(
            "the path {} is too long: {LONGEST} bytes at most; name a folder with a shorter path with --data DIR",
            data.join(NAME).display()
        );
        Err(io::Error::new(ErrorKind::InvalidInput, words))
    }

    /// Connects to the server that runs on it.
    pub(super) fn connect(&self) -> io::Result<UnixStream> {
        UnixStream::connect(self.path.join(NAME))
    }
}

impl Socket {
    /// Opens the socket of a data folder whose store is locked by now. A socket that a killed server left is
    /// replaced. Nodes of a cluster lock no store, so another one may still answer here.
    pub(crate) fn open(data: &Path) -> io::Result<Self> {
        let folder = Folder::of(data)?;
        if folder.connect().is_ok() {
            let words = "another server answers there: give each a folder of its own with --data DIR";
            return Err(io::Error::new(ErrorKind::AddrInUse, words));
        }
        let draft = folder.path.join(DRAFT);
        fs::remove_file(&draft).or_else(|error| match error.kind() {
            ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        let listener = UnixListener::bind(&draft)?;
        fs::set_permissions(&draft, Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        fs::rename(&draft, folder.path.join(NAME))?;
        Ok(Self { listener, folder })
    }

    /// Serves until the task is dropped.
    pub(crate) async fn serve(self, shared: Arc<Shared>) {
        let listener = self.listener.try_clone().and_then(tokio::net::UnixListener::from_std);
        match listener {
            Ok(listener) => serve_operator(listener, operator_calls(&shared), TIMEOUT).await,
            Err(error) => tracing::error!(reason = %error, "the operator's door cannot be opened"),
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // A client that connects in between gets no answer, which means the same.
        fs::remove_file(self.folder.path.join(NAME)).ok();
    }
}

impl Accept for tokio::net::UnixListener {
    type Socket = tokio::net::UnixStream;

    async fn next(&self) -> io::Result<Self::Socket> {
        let (socket, _) = self.accept().await?;
        let user = socket.peer_cred()?.uid();
        if user == 0 || user == geteuid().as_raw() {
            Ok(socket)
        } else {
            Err(ErrorKind::PermissionDenied.into())
        }
    }
}
