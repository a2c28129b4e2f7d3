//! The modules of a crate, as `syn` reads them: what each defines, imports and names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use proc_macro2::{Span, TokenTree};
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta, Type, UseTree};

/// Modules by their paths; that of the root is empty.
pub(super) type Modules = BTreeMap<Vec<String>, Module>;

#[derive(Default)]
pub(super) struct Module {
    pub(super) file: PathBuf,
    /// Names of items that are defined here.
    pub(super) items: BTreeSet<String>,
    /// `use path as name`; the name is `*` when everything is imported.
    pub(super) uses: Vec<(String, Named)>,
    /// Paths outside of `use`, of two names at least.
    pub(super) paths: Vec<Named>,
    /// Types that have an `impl` here.
    pub(super) impls: Vec<Named>,
    children: Vec<syn::ItemMod>,
}

/// A path, and its line.
pub(super) struct Named {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

/// Reads a crate from the file it begins with.
pub(super) fn read(root: &Path) -> Result<Modules> {
    let mut modules = Modules::new();
    let folder = root.parent().context("a file lies in a folder")?;
    add(&mut modules, Vec::new(), root, folder, &parse(root)?)?;
    Ok(modules)
}

/// Adds a module and those below it, whose files lie in `folder`.
fn add(modules: &mut Modules, path: Vec<String>, file: &Path, folder: &Path, items: &[Item]) -> Result<()> {
    let mut module = Module { file: file.into(), ..Module::default() };
    for item in items {
        module.items.extend(defined(item));
        module.visit_item(item);
    }
    for child in std::mem::take(&mut module.children) {
        let name = child.ident.to_string();
        let (mut below, mut files) = (folder.join(&name), Vec::new());
        let mut path = [path.clone(), vec![name]].concat();
        if let Some(other) = child.attrs.iter().find_map(other_file) {
            files.push(file.parent().context("a file lies in a folder")?.join(&other));
            below = files[0].with_extension("");
            // One of two files for one name, as their `cfg` says: a module of its own.
            if modules.contains_key(&path) {
                path.push(other);
            }
        }
        if let Some((_, items)) = child.content {
            add(modules, path, file, &below, &items)?;
        } else {
            files.extend([below.with_extension("rs"), below.join("mod.rs")]);
            let file = files.iter().find(|file| file.is_file());
            let file = file.with_context(|| format!("{} has no file", below.display()))?;
            add(modules, path, file, &below, &parse(file)?)?;
        }
    }
    modules.insert(path, module);
    Ok(())
}

fn parse(file: &Path) -> Result<Vec<Item>> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Ok(syn::parse_file(&text).map_err(|error| anyhow!("{}: {error}", file.display()))?.items)
}

fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

fn other_file(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let Expr::Lit(ExprLit { lit: Lit::Str(file), .. }) = &pair.value else { return None };
    pair.path.is_ident("path").then(|| file.value())
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        list.path.is_ident("cfg") && list.tokens.to_string() == "test"
    })
}

impl Module {
    fn add_uses(&mut self, stem: &[String], tree: &UseTree) {
        let (span, last, name) = match tree {
            UseTree::Path(tree) => {
                return self.add_uses(&[stem, &[tree.ident.to_string()]].concat(), &tree.tree);
            }
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.add_uses(stem, tree)),
            UseTree::Name(tree) => (tree.ident.span(), Some(&tree.ident), None),
            UseTree::Rename(tree) => (tree.ident.span(), Some(&tree.ident), Some(tree.rename.to_string())),
            UseTree::Glob(tree) => (tree.star_token.span, None, Some("*".to_owned())),
        };
        let mut path = stem.to_vec();
        path.extend(last.filter(|last| *last != "self").map(ToString::to_string));
        let name = name.or_else(|| path.last().cloned()).unwrap_or_default();
        self.uses.push((name, Named::new(path, span)));
    }

    /// What a macro is given need not be Rust: all paths in it are looked at.
    fn add_tokens(&mut self, tokens: ParseStream<'_>) -> syn::Result<()> {
        while !tokens.is_empty() {
            let ahead = tokens.fork();
            if let Ok(path) = ahead.call(syn::Path::parse_mod_style) {
                self.visit_path(&path);
                tokens.advance_to(&ahead);
            } else if let TokenTree::Group(group) = tokens.parse()? {
                (|tokens: ParseStream<'_>| self.add_tokens(tokens)).parse2(group.stream())?;
            }
        }
        Ok(())
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Mod(module) if !is_for_tests(&module.attrs) => self.children.push(module.clone()),
            Item::Use(import) if !is_for_tests(&import.attrs) => self.add_uses(&[], &import.tree),
            Item::Mod(_) | Item::Use(_) => {}
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if let Type::Path(of) = &*item.self_ty {
            self.impls.push(Named::new(names(&of.path), item.impl_token.span));
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.paths.push(Named::new(names(path), path.segments[0].ident.span()));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &'ast syn::Macro) {
        let read = |tokens: ParseStream<'_>| self.add_tokens(tokens);
        read.parse2(invoked.tokens.clone()).expect("reading tokens one by one cannot fail");
    }
}

impl Named {
    fn new(path: Vec<String>, span: Span) -> Self {
        Self { path, line: span.start().line }
    }
}

fn names(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}
