//! The mutants, by name, and which of them are active.

use std::fmt;

/// The variable of the environment that names active mutants, with commas between them.
pub const VARIABLE: &str = "TENFOUR_MUTANT";

macro_rules! mutants {
    ($($(#[$doc:meta])* $mutant:ident = $name:literal,)*) => {
        /// One way to be broken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Mutant { $($(#[$doc])* $mutant,)* }

        impl Mutant {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$mutant,)*];

            /// The name in the clause table, on a command line and in [`VARIABLE`].
            pub fn name(self) -> &'static str {
                match self { $(Self::$mutant => $name,)* }
            }
        }
    };
}

mutants! {
    /// C1: a log-in is taken without a look at the signature.
    AnyKey = "any-key",
    /// C2: nobody registers without a description.
    DescriptionRequired = "description-required",
    /// C3: a log-out erases the cookie, and the session goes on.
    LogOutClientOnly = "log-out-client-only",
    /// C4: the channel is logged.
    LogChannel = "log-channel",
    /// C5: the operator's metrics name who connected last.
    LastConnects = "last-connects",
    /// C5: aggregates tell counts as they are.
    NoNoise = "no-noise",
    /// C6: the client sends its position.
    SendPosition = "send-position",
    /// C6: distances are those of the positions, not of their cells.
    RawDistance = "raw-distance",
    /// C7: the cell is kept for a resume.
    KeepCell = "keep-cell",
    /// C8: the cell before is kept.
    KeepPreviousCell = "keep-previous-cell",
    /// C9: a listener is told a distance.
    SendDistance = "send-distance",
    /// C9: each session has a grid of its own, shifted at random.
    SessionGrid = "session-grid",
    /// C9: listeners are served from the nearest to the farthest.
    SortedFanOut = "sorted-fan-out",
    /// C9: the country is that of the position.
    RawCountry = "raw-country",
    /// C9: the list of participants names those in range only.
    ListByRange = "list-by-range",
    /// C9: a press is refused while others talk whom its talker would not hear.
    BusyByOthers = "busy-by-others",
    /// C9: listeners are told that others waited.
    TellCourtesy = "tell-courtesy",
    /// C9: a new cell takes effect at once, and costs nothing.
    MovesAtOnce = "moves-at-once",
    /// C18: one person has as many bursts on a channel as devices.
    TwoBurstsOfOneUser = "two-bursts-of-one-user",
    /// C10: nobody comes in without a place.
    PlaceRequired = "place-required",
    /// C11: others are told the platform.
    SendPlatform = "send-platform",
    /// C12: a listening program keeps the last burst in a file.
    CacheLastBurst = "cache-last-burst",
    /// C13: who has left a channel still hears it.
    DeliverToUntuned = "deliver-to-untuned",
    /// C13: who has muted a talker still hears it.
    DeliverToMuting = "deliver-to-muting",
    /// C14: the log of a burst is never let go.
    ForgetOneLog = "forget-one-log",
    /// C15: the server asks somewhere for a newer version when it starts.
    UpdateCheck = "update-check",
    /// C16: rows of the connection log outlive an erasure.
    LeaveLogRows = "leave-log-rows",
    /// C16: what is told of a user leaves something out.
    ExportLess = "export-less",
    /// C17: the policy says something else than the table.
    EditText = "edit-text",
    /// C4: the operational log names who connects.
    TellHandle = "tell-handle",
    /// C14: what TLS has decrypted stays where it was read.
    KeepTlsBuffer = "keep-tls-buffer",
    /// C14: a message that never comes whole is kept for as long as its sender stays.
    NoDeadline = "no-deadline",
    /// C6: with a limited range chosen, a press goes to everybody while the place is unknown.
    TalkWithoutPlace = "talk-without-place",
    /// C14: media time is what the talker says, however fast it runs.
    BelieveClock = "believe-clock",
    /// C9: a frame leaves for those who hear it and for nobody else, so its moment tells how many they are.
    ServeHearersOnly = "serve-hearers-only",
}

/// The mutants that are active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mutants(u64);

impl Mutants {
    /// These.
    pub fn of(mutants: &[Mutant]) -> Self {
        Self(mutants.iter().fold(0, |bits, &mutant| bits | 1 << mutant as u8))
    }

    /// Those of a value of [`VARIABLE`]: names, with commas between them. Nothing names none.
    ///
    /// # Errors
    /// When there is no such mutant: a test must not pass because its mutant was misspelt.
    pub fn parse(names: &str) -> Result<Self, NoSuchMutant> {
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        let named = |name: &str| Mutant::ALL.iter().find(|mutant| mutant.name() == name).copied();
        let mutants: Result<Vec<_>, _> =
            names.map(|name| named(name).ok_or_else(|| NoSuchMutant(name.to_owned()))).collect();
        Ok(Self::of(&mutants?))
    }

    /// Those that the environment of a process names: `value` is that of [`VARIABLE`].
    ///
    /// # Panics
    /// When there is no such mutant.
    pub fn of_process(value: Option<&str>) -> Self {
        Self::parse(value.unwrap_or_default()).unwrap_or_else(|error| panic!("{VARIABLE}: {error}"))
    }

    /// Whether one is active.
    pub fn has(self, mutant: Mutant) -> bool {
        self.0 & (1 << mutant as u8) != 0
    }
}

/// A name that is no mutant's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchMutant(String);

impl fmt::Display for NoSuchMutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Mutant::ALL.iter().map(|mutant| mutant.name()).collect();
        write!(f, "no mutant is called {}: there are {}", self.0, names.join(", "))
    }
}

impl std::error::Error for NoSuchMutant {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_are_found_by_their_names_and_by_nothing_else() {
        for &mutant in Mutant::ALL {
            assert_eq!(Mutants::parse(mutant.name()), Ok(Mutants::of(&[mutant])));
        }
        assert_eq!(Mutants::parse(" "), Ok(Mutants::default()));
        let two = Mutants::of(&[Mutant::AnyKey, Mutant::EditText]);
        assert_eq!(Mutants::parse("any-key, edit-text"), Ok(two));
        assert!(two.has(Mutant::EditText) && !two.has(Mutant::LogChannel));
        assert!(Mutants::parse("any-key,anykey").is_err());
    }
}
