//! What stands for io_uring where it was not built in: nothing, and everything is sent one by one.

use std::io;
use std::os::fd::RawFd;

/// Never works.
pub(super) struct Ring;

impl Ring {
    pub(super) fn new(_most: u32) -> Self {
        Self
    }

    pub(super) fn works(&self) -> bool {
        false
    }

    pub(super) fn send<'a>(
        &mut self,
        _sends: impl Iterator<Item = (RawFd, &'a [u8])>,
    ) -> &[io::Result<usize>] {
        &[]
    }
}
