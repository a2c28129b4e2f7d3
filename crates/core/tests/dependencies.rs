//! The core has no runtime, no socket and no randomness, and its dependencies say so. Nobody but
//! `reach` reads a cell, and a lint says so, which is switched off nowhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The entry of `clippy.toml` that keeps everybody away from cells.
const LINT: &str = "path = \"tenfour_protocol::place::GeoCell::index\"";
/// What the lint is called in attributes and manifests, and names that would take it along.
const SWITCHES: [&str; 5] =
    ["disallowed_methods", "allow(clippy::all", "allow(clippy::style", "allow(warnings", "cap-lints"];
/// Where a cell is read: by the reader, and by the model that judges it.
const READERS: [&str; 2] = ["crates/core/src/reach/", "crates/sim/src/place.rs"];
/// Where the lint is off for another of its methods, and no cell is read.
const OTHERS: [&str; 2] = ["crates/core/benches/audience.rs", "crates/core/benches/events.rs"];

/// The source files and manifests of the checkout, by their path from its root.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the root").to_owned();
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if path.is_dir() {
                let foreign = ["target", "node_modules", ".git"].contains(&name.as_str());
                folders.extend((!foreign).then_some(path));
            } else if name.ends_with(".rs") || name.ends_with(".toml") {
                let text = fs::read_to_string(&path).expect("text");
                let path = path.strip_prefix(&root).expect("below the root").to_str().expect("a name");
                sources.push((path.to_owned(), text));
            }
        }
    }
    sources
}

#[test]
fn the_lint_that_lets_only_reach_read_a_cell_is_on_everywhere() {
    let sources = sources();
    let lints: Vec<_> = sources.iter().filter(|(path, _)| path.ends_with("clippy.toml")).collect();
    assert!(lints.len() >= 2, "the checkout was read: {} files", sources.len());
    for (path, text) in lints {
        // The nearest one to a crate is the only one that clippy reads.
        assert!(text.contains(LINT), "{path} lets its crate read cells");
    }
    for (path, text) in &sources {
        if path.ends_with("core/tests/dependencies.rs")
            || READERS.iter().any(|reader| path.starts_with(reader))
        {
            continue;
        }
        let switched = SWITCHES.iter().find(|switch| text.contains(*switch));
        let other = OTHERS.contains(&path.as_str()) && !text.contains(".index()");
        assert!(switched.is_none() || other, "{path} has {switched:?}, and may read cells");
    }
}

#[test]
fn no_runtime_socket_or_random_crate_is_in_the_tree() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", "tenfour-core", "--edges", "normal"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).expect("crate names");
    let crates: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"tenfour-protocol"), "the tree was read: {text}");
    for banned in [
        "async-std",
        "fastrand",
        "getrandom",
        "mio",
        "rand",
        "rand_core",
        "smol",
        "socket2",
        "tokio",
        "web-time",
    ] {
        assert!(!crates.contains(&banned), "{banned} is in the tree of the core");
    }
}
