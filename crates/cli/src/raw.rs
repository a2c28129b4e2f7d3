//! Standard input and output without the buffers of the standard library: those stay for as long as the
//! program runs, with the voice that went through them last.

use std::fs::File;
use std::io::Result;

#[cfg(unix)]
use std::os::fd::AsFd as Handle;
#[cfg(windows)]
use std::os::windows::io::AsHandle as Handle;

/// Standard input; who reads from it reads alone.
pub(crate) fn standard_input() -> Result<File> {
    file(&std::io::stdin())
}

/// Standard output; what was printed before has to be flushed.
pub(crate) fn standard_output() -> Result<File> {
    file(&std::io::stdout())
}

#[cfg(unix)]
fn file(of: &impl Handle) -> Result<File> {
    Ok(of.as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn file(of: &impl Handle) -> Result<File> {
    Ok(of.as_handle().try_clone_to_owned()?.into())
}
