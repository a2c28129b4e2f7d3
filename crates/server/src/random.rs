//! Random bytes.

/// `N` random bytes from the system.
///
/// # Panics
/// When the system has no randomness: nothing may be served then.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}
