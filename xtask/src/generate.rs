//! Files that are made from code: committed, and compared by the check.

mod page;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::reference;
use crate::runners::BUILD_OF_TESTS;
use crate::shell::{command, run, target};

const TYPES: &str = "web/src/gen";
const OPENAPI: &str = "docs/openapi.json";
const POLICY: &str = "docs/privacy/README.md";
const PROTOCOL: &str = "docs/protocol.md";

/// Writes generated files, or with `check` fails when one of them would change.
pub(crate) fn generate(check: bool) -> Result<()> {
    let before = files()?;
    // Types that were renamed leave no file behind.
    for path in before.keys().filter(|path| path.starts_with(TYPES)) {
        fs::remove_file(path)?;
    }
    let types = "package(tenfour-protocol) & test(export_bindings)";
    run(command(&format!("cargo nextest run {BUILD_OF_TESTS} --cargo-quiet --lib")).args(["-E", types]))?;
    fs::write(format!("{TYPES}/limits.ts"), page::limits())?;
    fs::write(format!("{TYPES}/codes.ts"), page::codes())?;
    run(&mut command(&format!("cargo build --quiet {BUILD_OF_TESTS} --example openapi")))?;
    let openapi = Command::new(target().join("debug/examples/openapi")).output()?;
    if !openapi.status.success() {
        bail!("cannot write {OPENAPI}: {}", String::from_utf8_lossy(&openapi.stderr));
    }
    fs::write(OPENAPI, openapi.stdout)?;
    fs::write(POLICY, tenfour_policy::readme(&tenfour_policy::Table::published()))?;
    fs::write(PROTOCOL, reference::with_tables(&text(Path::new(PROTOCOL))?)?)?;
    let after = files()?;
    if !check || before == after {
        return Ok(());
    }
    let names = before.keys().chain(after.keys()).collect::<std::collections::BTreeSet<_>>();
    let changed: Vec<_> = names.into_iter().filter(|name| before.get(*name) != after.get(*name)).collect();
    bail!(
        "Generated files were out of date and are now written; commit them: {}",
        changed.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
    )
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Every generated file with its text.
fn files() -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    if Path::new(TYPES).exists() {
        for entry in fs::read_dir(TYPES)? {
            let path = entry?.path();
            files.insert(path.display().to_string(), text(&path)?);
        }
    }
    for name in [OPENAPI, POLICY, PROTOCOL].map(Path::new).iter().filter(|path| path.exists()) {
        files.insert(name.display().to_string(), text(name)?);
    }
    Ok(files)
}
