//! The core has no runtime, no socket and no randomness, and its dependencies say so.

use std::process::Command;

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
