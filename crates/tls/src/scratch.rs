//! The buffers of a thread: one to decrypt records in, one to encrypt them. They are lent for one call, never across
//! an await, and what was used of them is wiped after it.

use std::cell::RefCell;

use zeroize::Zeroize;

use crate::Row;
use crate::session::{CLIENT_INCOMING, RECORD, SEALED_MORE};

/// Room for the unfinished input of a session and a new record.
const INCOMING: usize = CLIENT_INCOMING + RECORD;

thread_local! {
    static INPUT: RefCell<Box<[u8]>> = RefCell::new(vec![0; INCOMING].into());
    static OUTPUT: RefCell<(Row, Row)> = RefCell::new((Row::new(RECORD), Row::new(RECORD + SEALED_MORE)));
}

/// Lends the buffer for input; `work` says how much of it was used, which is wiped.
pub(crate) fn input<T>(work: impl FnOnce(&mut [u8]) -> (usize, T)) -> T {
    INPUT.with_borrow_mut(|buffer| {
        let (used, result) = work(buffer);
        #[cfg(feature = "mutants")]
        let used = crate::mutants::wiped(used);
        buffer[..used].zeroize();
        result
    })
}

/// Lends a row for what is to be sealed, and one for what is sealed. Both are wiped.
pub(crate) fn output<T>(work: impl FnOnce(&mut Row, &mut Row) -> T) -> T {
    OUTPUT.with_borrow_mut(|(plain, sealed)| {
        let result = work(plain, sealed);
        plain.wipe();
        sealed.wipe();
        result
    })
}
