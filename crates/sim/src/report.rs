//! What a run showed.

/// What a run showed; `S` counts what happened.
#[derive(Debug)]
pub struct Report<S> {
    /// What was not true, in words. Empty when all is well.
    pub violations: Vec<String>,
    /// The log, when it was kept.
    pub log: Vec<String>,
    /// Shows that the run was worth something.
    pub seen: S,
}

/// Makes a `Seen` of counters, which many runs add up.
macro_rules! seen {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What happened, in numbers: shows that a run was worth something.
        #[derive(Debug, Default, Clone, Copy)]
        pub struct Seen {
            $($(#[$doc])* pub $name: usize,)*
        }

        impl std::ops::AddAssign for Seen {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}
pub(crate) use seen;
