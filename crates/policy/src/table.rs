//! The table, parsed and checked.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::facts::{Facts, When};
use crate::proof::Proof;

/// The whole policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its heading.
    pub title: String,
    /// What to know before all else.
    pub lead: String,
    /// How to reach the operator.
    pub contact: String,
    /// The words between the clauses.
    pub words: Words,
    /// What was changed, newest first.
    #[serde(rename = "change")]
    pub changes: Vec<Change>,
    /// The promises.
    #[serde(rename = "clause")]
    pub clauses: Vec<Clause>,
    /// What is kept, where, and for how long.
    pub kept: Vec<Kept>,
    /// What cannot be shown.
    pub beyond: Vec<Beyond>,
}

/// What stands between the sentences.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// The heading, with `{host}`.
    pub at: String,
    /// The way back.
    pub back: String,
    /// Who runs the server, with `{operator}`.
    pub operator: String,
    /// With `{version}` and `{date}`.
    pub dated: String,
    /// Over the proof of a clause.
    pub prove: String,
    /// Over its mutants.
    pub broken: String,
    /// Over the table of what is kept, and over its three columns.
    pub kept: [String; 4],
    /// Over what cannot be shown.
    pub beyond: String,
    /// Over the changes.
    pub changes: String,
}

/// A change of the text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Counts up.
    pub version: u32,
    /// The day, as `2026-11-24`.
    pub date: String,
    /// In a sentence.
    pub text: String,
    /// Of all sentences people read; see [`Table::digest`].
    pub digest: String,
}

/// A promise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// `C1` and so on.
    pub id: String,
    /// The heading it stands under.
    pub topic: String,
    /// Its own heading.
    pub title: String,
    /// What is promised.
    pub text: String,
    /// What stands instead, on a server that is set otherwise.
    #[serde(default)]
    pub instead: BTreeMap<When, String>,
    /// What is said beside it.
    #[serde(default)]
    pub also: BTreeMap<When, String>,
    /// Where the promise ends.
    pub limit: Option<String>,
    /// How it is proven, for people.
    pub proof: String,
    /// The tests that prove it.
    pub tests: Vec<Proof>,
    /// The programs that break it.
    #[serde(default, rename = "mutant")]
    pub mutants: Vec<Mutant>,
}

/// A program that breaks a clause on purpose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// As `crates/protocol/src/mutants` has it.
    pub name: String,
    /// What it does.
    pub breaks: String,
    /// The tests that must notice.
    pub tests: Vec<Proof>,
}

/// Something that is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// What.
    pub what: String,
    /// Where.
    pub place: String,
    /// For how long.
    pub until: String,
    /// Not on a server that is set so.
    pub unless: Option<When>,
}

/// Something that cannot be shown.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beyond {
    /// In a sentence or two.
    pub text: String,
}

/// Why a text is no table.
#[derive(Debug, Error)]
pub enum TableError {
    /// Not the TOML it should be.
    #[error("the clause table is wrong: {0}")]
    Toml(#[from] Box<toml::de::Error>),
    /// It is TOML, but incomplete.
    #[error("the clause table: {0}")]
    Rule(String),
}

impl Table {
    /// The table that this program was built with.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn published() -> Self {
        Self::parse(include_str!("../../../docs/privacy/clauses.toml")).expect("a test reads it")
    }

    /// Parses and checks a table.
    ///
    /// # Errors
    /// When it is no TOML of this form, or a clause lacks what each has to have.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        let table: Self = toml::from_str(text).map_err(Box::new)?;
        table.check().map_err(TableError::Rule)?;
        Ok(table)
    }

    /// Version and date of the text.
    pub fn newest(&self) -> &Change {
        &self.changes[0]
    }

    /// Every clause has a proof, and a mutant that its tests notice.
    fn check(&self) -> Result<(), String> {
        let newest = self.changes.first().ok_or("says nothing of its version")?;
        if !self.changes.is_sorted_by(|newer, older| newer.version == older.version + 1) {
            return Err(format!("version {} does not follow the one before", newest.version));
        }
        let mut seen = BTreeSet::new();
        for (index, clause) in self.clauses.iter().enumerate() {
            let id = &clause.id;
            if *id != format!("C{}", index + 1) {
                return Err(format!("{id} is out of order"));
            }
            if clause.tests.is_empty() || clause.proof.trim().is_empty() {
                return Err(format!("{id} has no proof"));
            }
            if clause.mutants.is_empty() {
                return Err(format!("{id} has no mutant"));
            }
            for mutant in &clause.mutants {
                if mutant.tests.is_empty() || !mutant.tests.iter().all(|test| clause.tests.contains(test)) {
                    return Err(format!("{id}: {} is to be noticed by tests of the clause", mutant.name));
                }
                if !seen.insert(&mutant.name) {
                    return Err(format!("{id}: {} stands there twice", mutant.name));
                }
            }
        }
        Ok(())
    }

    /// SHA-256 of every sentence that people read, in hexadecimal: another text has another one.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for sentence in self.sentences() {
            hash.update(sentence.trim());
            hash.update([0]);
        }
        HEXLOWER.encode(&hash.finalize())[..16].to_owned()
    }

    fn sentences(&self) -> impl Iterator<Item = &str> {
        let clauses = self.clauses.iter().flat_map(|clause| {
            let own = [&clause.topic, &clause.title, &clause.text].into_iter().chain(&clause.limit);
            own.chain(clause.instead.values()).chain(clause.also.values())
        });
        let kept = self.kept.iter().flat_map(|kept| [&kept.what, &kept.place, &kept.until]);
        let beyond = self.beyond.iter().map(|beyond| &beyond.text);
        [&self.title, &self.lead, &self.contact]
            .into_iter()
            .chain(clauses)
            .chain(kept)
            .chain(beyond)
            .map(String::as_str)
    }
}

impl Clause {
    /// What the clause says on a server with these facts.
    pub fn said(&self, facts: &Facts) -> String {
        let instead = self.instead.iter().find(|(when, _)| facts.are(**when)).map(|(_, text)| text);
        let also = self.also.iter().filter(|(when, _)| facts.are(**when)).map(|(_, text)| text);
        let sentences: Vec<_> =
            std::iter::once(instead.unwrap_or(&self.text)).chain(also).map(|text| facts.fill(text)).collect();
        sentences.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_table_is_whole() {
        let table = Table::published();
        assert_eq!(table.clauses.len(), 18);
        let placeholder = |text: &str| text.contains('{') || text.contains('}');
        for clause in &table.clauses {
            assert!(!placeholder(&clause.said(&Facts::default())), "{}", clause.id);
        }
    }

    /// Whoever changes a sentence says so: a new version with its date and what was changed.
    #[test]
    fn the_text_is_that_of_its_version() {
        let table = Table::published();
        let (newest, digest) = (table.newest(), table.digest());
        assert_eq!(
            newest.digest, digest,
            "the text is not that of version {}: add a [[change]] with the digest {digest}",
            newest.version
        );
    }

    #[test]
    fn a_clause_without_proof_or_mutant_is_no_clause() {
        let text = include_str!("../../../docs/privacy/clauses.toml");
        let broken = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            Table::parse(&text.replacen(from, to, 1)).unwrap_err().to_string()
        };
        assert!(broken("id = \"C2\"", "id = \"C3\"").contains("out of order"));
        assert!(
            broken("[[clause.mutant]]\nname = \"any-key\"", "[[clause.mutant]]\nnname = \"x\"")
                .contains("wrong")
        );
        let without = text.split("[[clause]]").take(2).collect::<Vec<_>>().join("[[clause]]");
        let bare = without.split("[[clause.mutant]]").next().unwrap();
        let rest = "\n[[kept]]\nwhat = \"\"\nplace = \"\"\nuntil = \"\"\n[[beyond]]\ntext = \"\"\n";
        assert!(Table::parse(&format!("{bare}{rest}")).unwrap_err().to_string().contains("no mutant"));
    }

    #[test]
    fn what_is_said_depends_on_how_the_server_is_set() {
        let table = Table::published();
        let clause = |id: &str| table.clauses.iter().find(|clause| clause.id == id).unwrap();
        let quiet = Facts { log_days: None, visitor_cookie: true, ..Facts::default() };
        assert!(clause("C4").said(&Facts::default()).contains("After 7 days"));
        assert!(clause("C4").said(&quiet).contains("does not write down"));
        assert_ne!(clause("C3").said(&Facts::default()), clause("C3").said(&quiet));
    }
}
