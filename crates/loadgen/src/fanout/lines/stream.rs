//! A TCP connection, plain or TLS, with the bytes that came and are no whole message yet.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use crate::network;

/// Longest wait for an answer while a line is opened.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// The connection of one virtual user.
pub(crate) struct Stream {
    tcp: TcpStream,
    tls: Option<Box<ClientConnection>>,
    rest: Vec<u8>,
}

impl Stream {
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        Self::over(network::connect(None, 0, address)?)
    }

    /// On a connection that is there.
    pub(crate) fn over(tcp: TcpStream) -> Result<Self> {
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Self { tcp, tls: None, rest: Vec::new() })
    }

    /// A connection under TLS.
    pub(crate) fn connect_tls(address: SocketAddr, config: &Arc<ClientConfig>) -> Result<Self> {
        Self::connect(address)?.sealed(address, config)
    }

    /// Puts TLS on it.
    pub(crate) fn sealed(mut self, address: SocketAddr, config: &Arc<ClientConfig>) -> Result<Self> {
        let name = ServerName::from(address.ip());
        let mut tls = Box::new(ClientConnection::new(Arc::clone(config), name)?);
        while tls.is_handshaking() {
            tls.complete_io(&mut self.tcp).context("the TLS handshake")?;
        }
        self.tls = Some(tls);
        Ok(self)
    }

    /// The certificate of the server.
    pub(crate) fn certificate(&self) -> Option<&[u8]> {
        Some(self.tls.as_ref()?.peer_certificates()?.first()?)
    }

    /// From now on reading does not wait.
    pub(crate) fn opened(self) -> Result<Self> {
        self.tcp.set_nonblocking(true)?;
        Ok(self)
    }

    /// Waits until the bytes that came contain `mark`, and takes all up to its end.
    pub(crate) fn wait_for(&mut self, mark: &[u8]) -> Result<Vec<u8>> {
        let find = |bytes: &[u8]| bytes.windows(mark.len()).position(|window| window == mark);
        let end = self.wait(|bytes| Ok(find(bytes).map(|at| at + mark.len())))?;
        Ok(self.rest.drain(..end).collect())
    }

    /// Waits until `whole` finds a message at the front, of so many bytes, and takes it.
    pub(crate) fn wait_for_message(
        &mut self,
        whole: impl FnMut(&[u8]) -> Result<Option<usize>>,
    ) -> Result<Vec<u8>> {
        let end = self.wait(whole)?;
        Ok(self.rest.drain(..end).collect())
    }

    fn wait(&mut self, mut whole: impl FnMut(&[u8]) -> Result<Option<usize>>) -> Result<usize> {
        let mut scratch = [0; 16 * 1024];
        loop {
            if let Some(end) = whole(&self.rest)? {
                return Ok(end);
            }
            self.fill(&mut scratch).context("no answer")?;
        }
    }

    /// Reads once. `parse` takes whole messages from the front and says how many bytes they had.
    pub(crate) fn read(
        &mut self,
        scratch: &mut [u8],
        mut parse: impl FnMut(&[u8]) -> Result<usize>,
    ) -> Result<()> {
        if self.tls.is_none() && self.rest.is_empty() {
            // Nearly always whole messages come, and need no copy.
            let Some(count) = read_once(&mut self.tcp, scratch)? else { return Ok(()) };
            let used = parse(&scratch[..count])?;
            self.rest.extend_from_slice(&scratch[used..count]);
            return Ok(());
        }
        if self.fill(scratch)? {
            let used = parse(&self.rest)?;
            self.rest.drain(..used);
        }
        Ok(())
    }

    /// Reads raw bytes and drops them.
    pub(crate) fn discard(&mut self, scratch: &mut [u8]) -> Result<()> {
        read_once(&mut self.tcp, scratch).map(drop)
    }

    /// Writes all: a virtual user says little, so the kernel takes it at once.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(self.tcp.write_all(bytes)?) };
        tls.writer().write_all(bytes)?;
        while tls.wants_write() {
            tls.write_tls(&mut self.tcp)?;
        }
        Ok(())
    }

    /// Appends what has come to the rest. False when nothing has.
    fn fill(&mut self, scratch: &mut [u8]) -> Result<bool> {
        let Some(count) = read_once(&mut self.tcp, scratch)? else { return Ok(false) };
        let Some(tls) = &mut self.tls else {
            self.rest.extend_from_slice(&scratch[..count]);
            return Ok(true);
        };
        let mut sealed = &scratch[..count];
        while !sealed.is_empty() {
            tls.read_tls(&mut sealed)?;
            tls.process_new_packets()?;
            match tls.reader().read_to_end(&mut self.rest) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error.into()),
                _ => {}
            }
        }
        Ok(true)
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.tcp.as_fd()
    }
}

/// None when nothing has come.
fn read_once(tcp: &mut TcpStream, scratch: &mut [u8]) -> Result<Option<usize>> {
    match tcp.read(scratch) {
        Ok(0) => bail!("the server hung up"),
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error.into()),
    }
}
