//! The policy as a table: each clause with the sentence that people read, the tests that prove it, and the mutants
//! that break it. The server makes its page `/privacy` from it, and `cargo xtask policy` runs the proofs.
//!
//! ```
//! use tenfour_policy::{Facts, Table, page};
//!
//! let table = Table::published();
//! assert_eq!(table.clauses.len(), 18);
//! assert!(page(&table, &Facts::default()).starts_with("<!doctype html>"));
//! ```
//!
//! * `table` - the file `docs/privacy/clauses.toml`, parsed and checked
//! * `facts` - what a server is set to, as far as the sentences say it
//! * `page`, `readme` - what is made of the two

mod facts;
mod page;
mod proof;
mod readme;
mod table;

pub use facts::{Facts, When};
pub use page::page;
pub use proof::{Proof, ProofError};
pub use readme::readme;
pub use table::{Beyond, Change, Clause, Kept, Mutant, Table, TableError, Words};
