//! What the person is told while a log-in takes longer because many people log in from the same network.

use tenfour_client::Waiting;

/// A line for the person, on standard error.
pub(crate) fn say(waiting: Waiting) {
    tell!("{}", words(waiting));
}

fn words(waiting: Waiting) -> String {
    match waiting {
        Waiting::Turn(wait) => {
            let seconds = wait.as_millis().div_ceil(1000);
            format!("Many people register from your network; next try in {seconds} s.")
        }
        Waiting::Work => {
            "Many people registered from your network; this device works some seconds for its place.".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_next_try_is_told_in_whole_seconds() {
        for (millis, told) in [(1, "in 1 s."), (4_000, "in 4 s."), (4_001, "in 5 s.")] {
            let words = words(Waiting::Turn(Duration::from_millis(millis)));
            assert!(words.ends_with(told), "{words}");
        }
    }
}
