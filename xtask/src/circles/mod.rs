//! No file may import, by way of others, a file that imports it. A reader of a crate can then begin with a file that
//! needs no other, and an author who changes a file knows which others depend on it.
//!
//! What counts:
//!
//! * A file imports the file that **defines** what it names, by `use` or by a path in the code: `use crate::http::full`
//!   leads to `http/answer.rs` when `http/mod.rs` only re-exports it. So a list of names in a `mod.rs` makes no circle.
//! * `mod x;` imports nothing. A path that names a module and nothing in it imports nothing either.
//! * A file may name what a **module above it** defines: an `impl` that is split over files needs that, and so does a
//!   type that all files of a folder share. The root of a crate is no such module, or nothing would count.
//! * A file with an `impl` for a type of a module above it is a part of that type. A caller of the type's methods runs
//!   this file, so the module counts as importing it, whether a `use` says so or not.
//! * Code for tests (`#[cfg(test)]`) does not count; code for mutants does.
//!
//! A name that the same file defines, that a macro makes, or that is of another crate leads nowhere.

mod graph;
mod modules;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

/// Fails when files of a crate import each other in a circle, and says where.
pub(crate) fn check() -> Result<()> {
    eprintln!("\n> circles of imports");
    let mut circles = String::new();
    for root in roots()? {
        circles += &graph::circles(&modules::read(&root)?);
    }
    ensure!(circles.is_empty(), "these files import each other in a circle:\n{circles}");
    Ok(())
}

/// Where each crate begins: libraries and programs of the workspace.
fn roots() -> Result<Vec<PathBuf>> {
    let mut crates = vec![PathBuf::from("xtask")];
    for entry in fs::read_dir("crates")? {
        crates.push(entry?.path());
    }
    crates.sort();
    let mut roots = Vec::new();
    for folder in crates {
        let source = folder.join("src");
        let programs = fs::read_dir(&source)?.map(|entry| Ok(entry?.path().join("main.rs")));
        let programs = programs.collect::<Result<Vec<_>>>()?;
        let all = [source.join("lib.rs"), source.join("main.rs")].into_iter().chain(programs);
        roots.extend(all.filter(|root: &PathBuf| Path::is_file(root)));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The circles of a crate with these files.
    fn circles(files: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let read = modules::read(&folder.path().join("lib.rs")).unwrap();
        let prefix = format!("{}/", folder.path().display());
        graph::circles(&read).replace(&prefix, "")
    }

    #[test]
    fn a_circle_is_told_with_the_lines_that_close_it() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\nmod c;"),
            ("a.rs", "use crate::b::B;\n\npub struct A(B);"),
            ("b.rs", "pub struct B;\nfn f() {\n    let _ = [crate::c::g()];\n}"),
            ("c.rs", "use super::a;\npub fn g() -> Option<a::A> { None }"),
        ];
        assert_eq!(
            circles(&files),
            "    a.rs:1 -> b.rs (b::B)\n    b.rs:3 -> c.rs (c::g)\n    c.rs:2 -> a.rs (a::A)\n"
        );
    }

    #[test]
    fn what_a_module_re_exports_is_imported_from_where_it_is_defined() {
        let door = ("lib.rs", "mod http;\nmod lobby;");
        let http = ("http/mod.rs", "mod answer;\nmod api;\npub use answer::full;\npub use self::api::*;");
        let answer = ("http/answer.rs", "pub fn full() {}");
        let api = ("http/api.rs", "use crate::lobby::Lobby;\npub fn api(_: Lobby) {}");
        let lobby = |text| circles(&[door, http, answer, api, ("lobby.rs", text)]);
        assert_eq!(lobby("use crate::http::full;\npub struct Lobby;"), "");
        let told = |line: usize, name: &str| {
            format!(
                "    http/api.rs:1 -> lobby.rs (lobby::Lobby)\n    lobby.rs:{line} -> http/api.rs ({name})\n"
            )
        };
        assert_eq!(lobby("use crate::http::api;\npub struct Lobby;"), "");
        assert_eq!(
            lobby("use crate::http::api;\npub struct Lobby;\nfn f() { api::api() }"),
            told(3, "api::api")
        );
        let path = "fn f() { crate::http::api::api(Lobby) }\npub struct Lobby;";
        assert_eq!(lobby(path), told(1, "http::api::api"));
    }

    #[test]
    fn a_child_may_name_what_its_parent_defines_and_not_what_the_root_does() {
        let lib = ("lib.rs", "mod hub;\npub struct Id;");
        let hub = ("hub/mod.rs", "mod floor;\nuse floor::Floor;\npub struct Hub(Floor);");
        assert_eq!(circles(&[lib, hub, ("hub/floor.rs", "use super::Hub;\npub struct Floor;")]), "");
        let root = ("lib.rs", "mod hub;\npub struct Id(hub::Hub);");
        let floor = ("hub/floor.rs", "use crate::Id;\npub struct Floor;");
        assert_eq!(circles(&[lib, hub, floor]), "");
        assert_ne!(circles(&[root, hub, floor]), "");
    }

    #[test]
    fn whoever_uses_a_type_uses_the_files_that_implement_it() {
        let files = [
            ("lib.rs", "mod hub;\nmod clock;"),
            ("hub/mod.rs", "mod floor;\npub struct Hub;"),
            ("hub/floor.rs", "use crate::clock::now;\nimpl std::fmt::Debug for super::Hub {}"),
            ("clock.rs", "use crate::hub::Hub;\npub fn now(_: Hub) {}"),
        ];
        assert_ne!(circles(&files), "");
    }

    #[test]
    fn tests_do_not_count() {
        let files = [
            ("lib.rs", "mod a;\nmod b;"),
            ("a.rs", "use crate::b::B;\npub struct A(B);"),
            (
                "b.rs",
                "#[cfg(test)]\nuse crate::a::A;\npub struct B;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}",
            ),
        ];
        assert_eq!(circles(&files), "");
    }
}
