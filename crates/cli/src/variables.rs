//! Warns of environment variables that look like settings but are none. Nobody would notice a misspelt name, and a
//! server that was meant to be closed would be open.

use std::collections::BTreeSet;

use clap::Command;

/// The prefix of this program's variables.
const PREFIX: &str = "TENFOUR_";
/// Variables that have no flag and no key in the file.
const OTHERS: [&str; 2] = ["TENFOUR_MUTANT", "TENFOUR_BIN"];
/// How many letters may be wrong in a name for which we suggest the right one.
const WRONG: usize = 3;

/// Tells the person of each.
pub(crate) fn tell_of_unknown(command: &Command, settings: impl Iterator<Item = String>) {
    let known = known(command, settings);
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| name.starts_with(PREFIX) && !known.contains(name)) {
        let meant = meant(&name, &known).map_or(String::new(), |meant| format!(" Was {meant} meant?"));
        tell!("tenfour: {name} is no setting, and changes nothing.{meant}");
    }
}

/// The settings of a server, and what the flags of all commands read.
fn known(command: &Command, settings: impl Iterator<Item = String>) -> BTreeSet<String> {
    let mut known: BTreeSet<String> = settings.map(|key| format!("{PREFIX}{}", key.to_uppercase())).collect();
    known.extend(OTHERS.map(str::to_owned));
    let mut commands = vec![command];
    while let Some(command) = commands.pop() {
        let names = command.get_arguments().filter_map(|flag| flag.get_env()?.to_str());
        known.extend(names.map(str::to_owned));
        commands.extend(command.get_subcommands());
    }
    known
}

fn meant<'a>(name: &str, known: &'a BTreeSet<String>) -> Option<&'a str> {
    let near = known.iter().map(|known| (strsim::damerau_levenshtein(name, known), known.as_str()));
    near.filter(|(wrong, _)| *wrong <= WRONG).min().map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_setting_is_known_and_a_wrong_letter_is_not() {
        let known = known(&crate::Arguments::command(), tenfour_server::config::Settings::keys());
        for name in
            ["TENFOUR_LISTEN", "TENFOUR_TRUSTED_PROXIES", "TENFOUR_CONFIG", "TENFOUR_HANDLE", "TENFOUR_AT"]
        {
            assert!(known.contains(name), "{name}");
        }
        assert_eq!(meant("TENFOUR_LISTN", &known), Some("TENFOUR_LISTEN"));
        assert_eq!(meant("TENFOUR_TRUSTED_PROXY", &known), Some("TENFOUR_TRUSTED_PROXIES"));
        assert_eq!(meant("TENFOUR_SOMETHING_ELSE", &known), None);
    }
}
