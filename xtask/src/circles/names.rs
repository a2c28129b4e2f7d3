//! A crate: its modules, the files they lie in, and what a name means in each.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use proc_macro2::TokenStream;

use super::source::{Child, Contents};

/// More re-exports of re-exports than this, and a name leads nowhere.
const DEPTH: usize = 16;

/// The modules of a crate, the root first.
pub(super) struct Crate {
    pub(super) modules: Vec<Module>,
}

pub(super) struct Module {
    pub(super) file: PathBuf,
    pub(super) contents: Contents,
    parent: Option<usize>,
    children: Vec<(String, usize)>,
}

/// What a path leads to, by the number of its module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Module(usize),
    /// Something that is defined in that module.
    Item(usize),
}

impl Crate {
    /// Reads a crate from the file it begins with.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut read = Self { modules: Vec::new() };
        let folder = root.parent().context("a file lies in a folder")?;
        read.add(root, folder, parse(root)?, None)?;
        Ok(read)
    }

    /// `folder` is where the files of its children lie.
    fn add(
        &mut self,
        file: &Path,
        folder: &Path,
        mut contents: Contents,
        parent: Option<usize>,
    ) -> Result<usize> {
        let (number, children) = (self.modules.len(), std::mem::take(&mut contents.modules));
        self.modules.push(Module { file: file.into(), contents, parent, children: Vec::new() });
        for Child { name, path, inline } in children {
            let below = folder.join(&name);
            let child = if let Some(contents) = inline {
                self.add(file, &below, contents, Some(number))?
            } else {
                let beside = file.parent().context("a file lies in a folder")?;
                let candidates = match path {
                    Some(path) => vec![beside.join(path)],
                    None => vec![folder.join(format!("{name}.rs")), below.join("mod.rs")],
                };
                let Some(file) = candidates.into_iter().find(|file| file.is_file()) else {
                    bail!("{} declares a module {name}, which has no file", file.display());
                };
                let contents = parse(&file)?;
                self.add(&file, &below, contents, Some(number))?
            };
            self.modules[number].children.push((name, child));
        }
        Ok(number)
    }

    /// What a path means in a module; nothing when it leads out of the crate, or to a name of the function around it.
    pub(super) fn resolve(&self, module: usize, path: &[String]) -> Option<Target> {
        self.resolve_within(module, path, DEPTH)
    }

    fn resolve_within(&self, module: usize, path: &[String], depth: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Target::Module(0),
            "self" => Target::Module(module),
            "super" => Target::Module(self.modules[module].parent?),
            name => self.look_up(module, name, depth)?,
        };
        for name in rest {
            at = match (at, name.as_str()) {
                (Target::Module(module), "super") => Target::Module(self.modules[module].parent?),
                (Target::Module(module), name) => {
                    self.look_up(module, name, depth).unwrap_or(Target::Item(module))
                }
                (item, _) => return Some(item),
            };
        }
        Some(at)
    }

    /// What a name means that stands in a module.
    fn look_up(&self, module: usize, name: &str, depth: usize) -> Option<Target> {
        let depth = depth.checked_sub(1)?;
        let Module { children, contents, .. } = &self.modules[module];
        if let Some((_, child)) = children.iter().find(|(child, _)| child == name) {
            return Some(Target::Module(*child));
        }
        if contents.items.contains(name) {
            return Some(Target::Item(module));
        }
        let named = contents.uses.iter().find(|import| import.name == name);
        if let Some(import) = named {
            return self.resolve_within(module, &import.said.path, depth);
        }
        let globs = contents.uses.iter().filter(|import| import.name == "*");
        globs.filter_map(|import| self.resolve_within(module, &import.said.path, depth)).find_map(|target| {
            match target {
                Target::Module(all) if all != module => self.look_up(all, name, depth),
                _ => None,
            }
        })
    }

    /// Whether a module lies below another, which is not the root.
    pub(super) fn is_below(&self, module: usize, above: usize) -> bool {
        let parent = self.modules[module].parent.filter(|parent| *parent != 0);
        parent.is_some_and(|parent| parent == above || self.is_below(parent, above))
    }
}

fn parse(file: &Path) -> Result<Contents> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let tokens: TokenStream = text.parse().map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
    Ok(Contents::read(tokens))
}
