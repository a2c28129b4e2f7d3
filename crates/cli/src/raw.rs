//! Standard input and output without the standard library's buffers, which would keep the last voice that went
//! through them for as long as the program runs.

use std::fs::File;
use std::io::Result;

#[cfg(unix)]
use std::os::fd::AsFd as Handle;
#[cfg(windows)]
use std::os::windows::io::AsHandle as Handle;

/// Standard input. There must be only one reader.
pub(crate) fn standard_input() -> Result<File> {
    file(&std::io::stdin())
}

/// Standard output. Flush what was printed before.
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
