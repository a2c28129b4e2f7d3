//! The right to talk.

/// Who may talk while somebody talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FloorMode {
    /// Everybody; each listener hears the bursts one after the other.
    #[default]
    Relay,
}
