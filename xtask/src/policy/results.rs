//! What the runners wrote about their last run.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result};
use serde_json::Value;
use tenfour_policy::Proof;

use crate::shell::target;

/// Reports, below the folder of builds. That of nextest is named in `.config/nextest.toml`.
pub(crate) const NEXTEST: &str = "nextest/default/junit.xml";
pub(crate) const VITEST: &str = "web/vitest.json";
pub(crate) const VITEST_MUTANTS: &str = "web/vitest-mutants.json";
pub(crate) const PLAYWRIGHT: &str = "web/playwright.json";

/// How a test went.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    passed: bool,
    seconds: f64,
}

/// Which tests passed and which did not.
#[derive(Debug, Default)]
pub(crate) struct Results(BTreeMap<Proof, Outcome>);

/// How many of the slowest tests are named.
const SLOWEST: usize = 25;

impl Results {
    /// Those of all runners. One that did not run has no results.
    pub(crate) fn of_the_last_runs() -> Result<Self> {
        let mut results = Self::of_nextest()?;
        results.read_vitest(VITEST)?;
        if let Some(text) = read(PLAYWRIGHT)? {
            let report: Value = serde_json::from_str(&text)?;
            report["suites"].as_array().into_iter().flatten().for_each(|suite| results.add_suite(suite));
        }
        Ok(results)
    }

    /// Those of the page's parts with a mutant.
    pub(crate) fn of_mutants() -> Result<Self> {
        let mut results = Self::default();
        results.read_vitest(VITEST_MUTANTS)?;
        Ok(results)
    }

    fn of_nextest() -> Result<Self> {
        let Some(text) = read(NEXTEST)? else { return Ok(Self::default()) };
        let document = roxmltree::Document::parse(&text).with_context(|| NEXTEST.to_owned())?;
        let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
        let result = |case: roxmltree::Node<'_, '_>| {
            let (binary, test) = (case.attribute("classname")?.into(), case.attribute("name")?.into());
            let bad =
                |node: roxmltree::Node<'_, '_>| node.has_tag_name("failure") || node.has_tag_name("error");
            let seconds = case.attribute("time").and_then(|time| time.parse().ok()).unwrap_or_default();
            Some((Proof::Rust { binary, test }, Outcome { passed: !case.children().any(bad), seconds }))
        };
        Ok(Self(cases.filter_map(result).collect()))
    }

    /// How a test went, if it ran.
    pub(crate) fn of(&self, test: &Proof) -> Option<bool> {
        self.0.get(test).map(|outcome| outcome.passed)
    }

    /// Prints those that took longest.
    pub(crate) fn print_slowest(&self) {
        let mut tests: Vec<_> = self.0.iter().collect();
        tests.sort_by(|(_, one), (_, other)| other.seconds.total_cmp(&one.seconds));
        println!("\n   seconds  test");
        for (test, outcome) in tests.into_iter().take(SLOWEST) {
            println!("{:10.1}  {test}", outcome.seconds);
        }
    }

    fn read_vitest(&mut self, report: &str) -> Result<()> {
        if let Some(text) = read(report)? {
            self.add_vitest(&serde_json::from_str(&text)?);
        }
        Ok(())
    }

    fn add_vitest(&mut self, report: &Value) {
        for file in report["testResults"].as_array().into_iter().flatten() {
            let path = file["name"].as_str().unwrap_or_default();
            // The report has whole paths.
            let Some(at) = path.rfind("/web/") else { continue };
            for test in file["assertionResults"].as_array().into_iter().flatten() {
                let title = test["title"].as_str().unwrap_or_default().to_owned();
                let seconds = test["duration"].as_f64().unwrap_or_default() / 1000.0;
                self.add(path[at + 1..].to_owned(), title, test["status"] == "passed", seconds);
            }
        }
    }

    /// Groups of Playwright hold tests and groups.
    fn add_suite(&mut self, suite: &Value) {
        for test in suite["specs"].as_array().into_iter().flatten() {
            let file = format!("web/e2e/{}", test["file"].as_str().unwrap_or_default());
            let ran = test["tests"].as_array().is_some_and(|tests| !tests.is_empty());
            let title = test["title"].as_str().unwrap_or_default().to_owned();
            let took = test["tests"][0]["results"][0]["duration"].as_f64().unwrap_or_default();
            self.add(file, title, ran && test["ok"] == true, took / 1000.0);
        }
        suite["suites"].as_array().into_iter().flatten().for_each(|inner| self.add_suite(inner));
    }

    /// Of tests with one title, all have to pass.
    fn add(&mut self, file: String, title: String, passed: bool, seconds: f64) {
        let none = Outcome { passed: true, seconds: 0.0 };
        let outcome = self.0.entry(Proof::Page { file, title }).or_insert(none);
        outcome.passed &= passed;
        outcome.seconds += seconds;
    }
}

/// Removes a report, so that the next one is of the next run.
pub(crate) fn forget(report: &str) -> Result<()> {
    match fs::remove_file(target().join(report)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).with_context(|| report.to_owned()),
        _ => Ok(()),
    }
}

fn read(report: &str) -> Result<Option<String>> {
    match fs::read_to_string(target().join(report)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| report.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn proof(text: &str) -> Proof {
        Proof::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn reports_of_the_page_are_read() {
        let mut results = Results::default();
        results.add_vitest(
            &json!({ "testResults": [{ "name": "/a/web/b/web/src/x.test.ts", "assertionResults": [
            { "title": "one", "status": "passed" }, { "title": "two", "status": "failed" }
        ] }] }),
        );
        results.add_suite(
            &json!({ "specs": [{ "file": "y.spec.ts", "title": "three", "ok": true, "tests": [{}] }],
            "suites": [{ "specs": [{ "file": "y.spec.ts", "title": "four", "ok": true, "tests": [] }] }] }),
        );
        assert_eq!(results.of(&proof("web/src/x.test.ts › one")), Some(true));
        assert_eq!(results.of(&proof("web/src/x.test.ts › two")), Some(false));
        assert_eq!(results.of(&proof("web/e2e/y.spec.ts › three")), Some(true));
        assert_eq!(results.of(&proof("web/e2e/y.spec.ts › four")), Some(false), "it did not run");
        assert_eq!(results.of(&proof("web/e2e/y.spec.ts › five")), None);
    }
}
