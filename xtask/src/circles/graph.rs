//! Which file imports which, and where that goes round in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::modules::{Module, Modules, Named};

/// More re-exports of re-exports than this, and a name leads nowhere.
const MAX_REEXPORTS: usize = 16;

/// What a path leads to, by the path of its module.
#[derive(Clone, Copy)]
enum Target<'a> {
    Module(&'a [String]),
    /// Something that is defined in that module.
    Item(&'a [String]),
}

/// From one file to another: the line and the name where it does so first.
type Imports<'a> = BTreeMap<(&'a Path, &'a Path), (usize, String)>;

/// The imports that close circles, a line each. Nothing when there is no circle.
pub(super) fn circles(modules: &Modules) -> String {
    let mut imports = imports(modules);
    loop {
        let before = imports.len();
        // A file that imports nothing, or that none imports, is in no circle.
        let (importing, imported): (BTreeSet<_>, BTreeSet<_>) = imports.keys().copied().unzip();
        imports.retain(|(from, to), _| imported.contains(from) && importing.contains(to));
        if imports.len() == before {
            break;
        }
    }
    let line = |((from, to), (line, name)): (&(&Path, &Path), &(usize, String))| {
        format!("    {}:{line} -> {} ({name})\n", from.display(), to.display())
    };
    imports.iter().map(line).collect()
}

fn imports(modules: &Modules) -> Imports<'_> {
    let mut imports = Imports::new();
    let mut import = |from: &[String], to: &[String], line: usize, name: String| {
        let (from, to) = (&*modules[from].file, &*modules[to].file);
        if from != to {
            imports.entry((from, to)).or_insert((line, name));
        }
    };
    for (at, module) in modules {
        for Named { path, line } in &module.impls {
            if let Some(Target::Item(of)) = resolve(modules, at, path, MAX_REEXPORTS)
                && is_below(at, of)
            {
                import(of, at, 1, format!("which implements its {} in line {line}", path[path.len() - 1]));
            }
        }
        let uses = module.uses.iter().map(|(name, named)| (named, name == "*"));
        for (Named { path, line }, all) in uses.chain(module.paths.iter().map(|named| (named, false))) {
            let of = match resolve(modules, at, path, MAX_REEXPORTS) {
                Some(Target::Item(of)) => of,
                Some(Target::Module(of)) if all => of,
                Some(Target::Module(_)) | None => continue,
            };
            if !is_below(at, of) {
                let mut names = path.clone();
                names.retain(|name| !["crate", "self", "super"].contains(&name.as_str()));
                import(at, of, *line, names.join("::"));
            }
        }
    }
    imports
}

/// Whether a module lies below another, which is not the root.
fn is_below(module: &[String], above: &[String]) -> bool {
    !above.is_empty() && module.len() > above.len() && module.starts_with(above)
}

/// What a path means in a module; nothing when it leads out of the crate, or to a name of the function around it.
fn resolve<'a>(modules: &'a Modules, at: &'a [String], path: &[String], depth: usize) -> Option<Target<'a>> {
    let (first, rest) = path.split_first()?;
    let parent = |module: &'a [String]| Some(Target::Module(module.split_last()?.1));
    let mut target = match first.as_str() {
        "crate" => Target::Module(&[]),
        "self" => Target::Module(at),
        "super" => parent(at)?,
        name => look_up(modules, at, name, depth)?,
    };
    for name in rest {
        target = match (target, name.as_str()) {
            (Target::Module(module), "super") => parent(module)?,
            (Target::Module(module), name) => {
                look_up(modules, module, name, depth).unwrap_or(Target::Item(module))
            }
            (item, _) => return Some(item),
        };
    }
    Some(target)
}

/// What a name means that stands in a module.
fn look_up<'a>(modules: &'a Modules, at: &'a [String], name: &str, depth: usize) -> Option<Target<'a>> {
    let depth = depth.checked_sub(1)?;
    let child = [at, &[name.to_owned()]].concat();
    if let Some((child, _)) = modules.get_key_value(&child) {
        return Some(Target::Module(child));
    }
    let Module { items, uses, .. } = &modules[at];
    if items.contains(name) {
        return Some(Target::Item(at));
    }
    if let Some((_, named)) = uses.iter().find(|(known, _)| known == name) {
        return resolve(modules, at, &named.path, depth);
    }
    let globs = uses.iter().filter(|(known, _)| known == "*");
    globs.filter_map(|(_, named)| resolve(modules, at, &named.path, depth)).find_map(|target| match target {
        Target::Module(all) if all != at => look_up(modules, all, name, depth),
        _ => None,
    })
}
