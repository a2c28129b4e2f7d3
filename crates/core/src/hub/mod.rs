//! The hub: who is here, who may talk, who may hear.

mod input;
mod output;

pub use input::{Input, LoginId, ResumeToken};
pub use output::{From, Output, Recipients, Route};
