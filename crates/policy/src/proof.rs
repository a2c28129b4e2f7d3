//! Names of tests, as their runners have them.

use std::fmt;

use serde::Deserialize;
use thiserror::Error;

/// A test of ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum Proof {
    /// Of a Rust program: `tenfour-server::radio account::a_name`.
    Rust {
        /// What nextest calls the binary.
        binary: String,
        /// The path of the function in it.
        test: String,
    },
    /// Of the page: `web/e2e/place.spec.ts › its title`.
    Page {
        /// From the root of the repository.
        file: String,
        /// The title, without those of groups.
        title: String,
    },
}

/// A text that names no test.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` names no test: write `binary-id path::of::test` or `web/…/file.ts › title`")]
pub struct ProofError(String);

impl Proof {
    /// True for one that a browser runs.
    pub fn is_in_browser(&self) -> bool {
        matches!(self, Self::Page { file, .. } if file.starts_with("web/e2e/"))
    }
}

impl TryFrom<String> for Proof {
    type Error = ProofError;

    fn try_from(text: String) -> Result<Self, ProofError> {
        if let Some((file, title)) = text.split_once(" › ")
            && file.starts_with("web/")
            && file.ends_with(".ts")
        {
            return Ok(Self::Page { file: file.into(), title: title.into() });
        }
        match text.split_once(' ') {
            Some((binary, test)) if binary.starts_with("tenfour-") && !test.contains([' ', '›']) => {
                Ok(Self::Rust { binary: binary.into(), test: test.into() })
            }
            _ => Err(ProofError(text)),
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rust { binary, test } => write!(f, "{binary} {test}"),
            Self::Page { file, title } => write!(f, "{file} › {title}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_named_as_their_runners_name_them() {
        for name in ["tenfour-sim worlds::one", "tenfour-cli::secrets cells::x", "web/e2e/a.spec.ts › a b, c"]
        {
            assert_eq!(Proof::try_from(name.to_owned()).unwrap().to_string(), name);
        }
        for name in ["worlds::one", "tenfour-sim a test", "web/e2e/a.spec.ts", "src/a.ts › b", ""] {
            assert!(Proof::try_from(name.to_owned()).is_err(), "{name}");
        }
    }
}
