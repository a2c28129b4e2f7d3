//! Which file imports which, and where that goes round in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use super::names::{Crate, Target};
use super::source::Said;

/// For each file, what it imports and where it says so first.
pub(super) struct Graph(BTreeMap<PathBuf, BTreeMap<PathBuf, Reason>>);

/// Why a file imports another.
#[derive(Debug, Clone)]
struct Reason {
    line: usize,
    name: String,
}

/// Files of which each imports each other, by way of others.
pub(super) struct Circle {
    files: BTreeSet<PathBuf>,
    /// From, to, why.
    edges: Vec<(PathBuf, PathBuf, Reason)>,
}

impl Graph {
    pub(super) fn of(krate: &Crate) -> Self {
        let mut graph = Self(BTreeMap::new());
        for number in 0..krate.modules.len() {
            graph.add(krate, number);
        }
        graph
    }

    fn add(&mut self, krate: &Crate, number: usize) {
        let module = &krate.modules[number];
        let contents = &module.contents;
        for Said { path, line } in &contents.impls {
            if let Some(Target::Item(of)) = krate.resolve(number, path)
                && krate.is_below(number, of)
            {
                let name = format!("which implements its {} in line {line}", path[path.len() - 1]);
                self.import(&krate.modules[of].file, &module.file, Reason { line: 1, name });
            }
        }
        let imports = contents.uses.iter().map(|import| (&import.said, import.name == "*"));
        for (Said { path, line }, all) in imports.chain(contents.paths.iter().map(|said| (said, false))) {
            let of = match krate.resolve(number, path) {
                Some(Target::Item(of)) => of,
                Some(Target::Module(of)) if all => of,
                Some(Target::Module(_)) | None => continue,
            };
            if !krate.is_below(number, of) {
                let path: Vec<_> = path
                    .iter()
                    .filter(|name| !["crate", "self", "super"].contains(&name.as_str()))
                    .cloned()
                    .collect();
                let reason = Reason { line: *line, name: path.join("::") };
                self.import(&module.file, &krate.modules[of].file, reason);
            }
        }
    }

    fn import(&mut self, from: &PathBuf, to: &PathBuf, reason: Reason) {
        if from != to {
            self.0.entry(from.clone()).or_default().entry(to.clone()).or_insert(reason);
        }
    }

    /// Every file that a file imports, by way of others too.
    fn reached<'a>(&'a self, from: &'a PathBuf) -> BTreeSet<&'a PathBuf> {
        let mut reached = BTreeSet::new();
        let mut next = vec![from];
        while let Some(file) = next.pop() {
            let imports = self.0.get(file).into_iter().flat_map(BTreeMap::keys);
            next.extend(imports.filter(|import| reached.insert(*import)));
        }
        reached
    }

    pub(super) fn circles(&self) -> Vec<Circle> {
        let reached: BTreeMap<_, _> = self.0.keys().map(|file| (file, self.reached(file))).collect();
        let both = |one: &PathBuf, other: &PathBuf| {
            reached[one].contains(other) && reached.get(other).is_some_and(|back| back.contains(one))
        };
        let mut circles: Vec<Circle> = Vec::new();
        for file in self.0.keys().filter(|file| both(file, file)) {
            if circles.iter().any(|circle| circle.files.contains(file)) {
                continue;
            }
            let files: BTreeSet<_> = self.0.keys().filter(|other| both(file, other)).cloned().collect();
            let edges =
                files.iter().flat_map(|from| self.0[from].iter().map(move |(to, reason)| (from, to, reason)));
            let edges = edges.filter(|(_, to, _)| files.contains(*to));
            let edges = edges.map(|(from, to, reason)| (from.clone(), to.clone(), reason.clone())).collect();
            circles.push(Circle { files, edges });
        }
        circles
    }
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (from, to, Reason { line, name }) in &self.edges {
            writeln!(f, "    {}:{line} -> {} ({name})", from.display(), to.display())?;
        }
        Ok(())
    }
}
