//! What the runners wrote about their last run.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result};
use serde_json::Value;
use tenfour_policy::Proof;

use crate::shell::target;

/// Reports, below the folder of builds. Those of nextest are named in `.config/nextest.toml`.
pub(crate) const NEXTEST: &str = "nextest/default/junit.xml";
pub(crate) const MUTANTS: &str = "nextest/mutants/junit.xml";
pub(crate) const VITEST: &str = "web/vitest.json";
pub(crate) const VITEST_MUTANTS: &str = "web/vitest-mutants.json";
pub(crate) const PLAYWRIGHT: &str = "web/playwright.json";

/// Which tests passed and which did not.
#[derive(Debug, Default)]
pub(crate) struct Results(BTreeMap<Proof, bool>);

impl Results {
    /// Those of all runners. One that did not run has no results.
    pub(crate) fn of_the_last_runs() -> Result<Self> {
        let mut results = Self::of_nextest(NEXTEST)?;
        results.read_vitest(VITEST)?;
        if let Some(text) = read(PLAYWRIGHT)? {
            let report: Value = serde_json::from_str(&text)?;
            report["suites"].as_array().into_iter().flatten().for_each(|suite| results.add_suite(suite));
        }
        Ok(results)
    }

    /// Those of the last run with a mutant, or of its control.
    pub(crate) fn of_mutants() -> Result<Self> {
        let mut results = Self::of_nextest(MUTANTS)?;
        results.read_vitest(VITEST_MUTANTS)?;
        Ok(results)
    }

    /// Those of a run of nextest.
    fn of_nextest(report: &str) -> Result<Self> {
        let Some(text) = read(report)? else { return Ok(Self::default()) };
        let document = roxmltree::Document::parse(&text).with_context(|| report.to_owned())?;
        let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
        let result = |case: roxmltree::Node<'_, '_>| {
            let (binary, test) = (case.attribute("classname")?.into(), case.attribute("name")?.into());
            let bad =
                |node: roxmltree::Node<'_, '_>| node.has_tag_name("failure") || node.has_tag_name("error");
            Some((Proof::Rust { binary, test }, !case.children().any(bad)))
        };
        Ok(Self(cases.filter_map(result).collect()))
    }

    /// How a test went, if it ran.
    pub(crate) fn of(&self, test: &Proof) -> Option<bool> {
        self.0.get(test).copied()
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
                self.add(path[at + 1..].to_owned(), title, test["status"] == "passed");
            }
        }
    }

    /// Groups of Playwright hold tests and groups.
    fn add_suite(&mut self, suite: &Value) {
        for test in suite["specs"].as_array().into_iter().flatten() {
            let file = format!("web/e2e/{}", test["file"].as_str().unwrap_or_default());
            let ran = test["tests"].as_array().is_some_and(|tests| !tests.is_empty());
            let title = test["title"].as_str().unwrap_or_default().to_owned();
            self.add(file, title, ran && test["ok"] == true);
        }
        suite["suites"].as_array().into_iter().flatten().for_each(|inner| self.add_suite(inner));
    }

    /// Of tests with one title, all have to pass.
    fn add(&mut self, file: String, title: String, passed: bool) {
        *self.0.entry(Proof::Page { file, title }).or_insert(true) &= passed;
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
