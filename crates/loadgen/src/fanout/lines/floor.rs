//! A line to `tenfour-floor`.

use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};

use anyhow::Result;

use super::{Line, Stream, websocket_frame};

/// As many bytes as Tenfour puts before the payload: the same bytes cross the network.
const HEADER: [u8; 12] = [0; 12];

/// A listener or a talker.
pub(crate) struct Floor(Stream);

impl Floor {
    pub(crate) fn open(address: SocketAddr, talks: bool) -> Result<Self> {
        let mut stream = Stream::connect(address)?;
        stream.write(if talks { b"T" } else { b"L" })?;
        Ok(Self(stream.opened()?))
    }
}

impl Line for Floor {
    fn sockets(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.0.as_fd()]
    }

    fn read(&mut self, _: usize, scratch: &mut [u8], take: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.0.read(scratch, |bytes| {
            let mut at = 0;
            while let Some((_, payload)) = websocket_frame(&bytes[at..]) {
                take(&bytes[at..][payload.clone()][HEADER.len()..]);
                at += payload.end;
            }
            Ok(at)
        })
    }

    fn say(&mut self, payload: &[u8]) -> Result<()> {
        let length = (HEADER.len() + payload.len()) as u16;
        self.0.write(&[&length.to_be_bytes(), &HEADER[..], payload].concat())
    }
}
