//! One file, read as tokens: which names it defines, which it imports, and which paths it says.

use std::collections::BTreeSet;
use std::iter::Peekable;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// What stands in one module.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Names of items that are defined here.
    pub(super) items: BTreeSet<String>,
    pub(super) uses: Vec<Use>,
    /// Paths outside of `use`, of two names at least.
    pub(super) paths: Vec<Said>,
    /// Types that have an `impl` here.
    pub(super) impls: Vec<Said>,
    pub(super) modules: Vec<Child>,
}

/// `use path as name`; the name is `*` when everything is imported.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) name: String,
    pub(super) said: Said,
}

/// A path, and its line.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

/// A module that is declared here.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) name: String,
    /// What `#[path]` says.
    pub(super) path: Option<String>,
    /// What stands in it, when it has no file of its own.
    pub(super) inline: Option<Contents>,
}

type Tokens = Peekable<proc_macro2::token_stream::IntoIter>;

impl Contents {
    pub(super) fn read(tokens: TokenStream) -> Self {
        let mut contents = Self::default();
        contents.add(tokens, true);
        contents
    }

    /// `top` where items of the module stand.
    fn add(&mut self, tokens: TokenStream, top: bool) {
        let mut tokens = tokens.into_iter().peekable();
        let mut path = None;
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => match attribute(&mut tokens) {
                    Attribute::Test => {
                        path = None;
                        skip_item(&mut tokens);
                    }
                    Attribute::Path(said) => path = Some(said),
                    Attribute::Other => {}
                },
                TokenTree::Group(group) => self.add(group.stream(), false),
                TokenTree::Ident(ident) => {
                    let line = ident.span().start().line;
                    match ident.to_string().as_str() {
                        "use" => self.add_uses(&mut tokens, &[]),
                        "mod" => self.add_module(&mut tokens, path.take()),
                        "impl" if top => self.add_impl(&tokens, line),
                        "struct" | "enum" | "union" | "trait" | "fn" | "type" | "const" | "static" if top => {
                            self.items.extend(name(&mut tokens));
                        }
                        "macro_rules" if top => {
                            tokens.next();
                            self.items.extend(name(&mut tokens));
                        }
                        first => {
                            let path = rest(first, &mut tokens);
                            if path.len() > 1 {
                                self.paths.push(Said { path, line });
                            }
                        }
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    fn add_module(&mut self, tokens: &mut Tokens, path: Option<String>) {
        let Some(name) = name(tokens) else { return };
        let inline = match tokens.peek() {
            Some(TokenTree::Group(group)) => Some(Self::read(group.stream())),
            _ => None,
        };
        tokens.next();
        self.modules.push(Child { name, path, inline });
    }

    /// A tree of imports below `stem`.
    fn add_uses(&mut self, tokens: &mut Tokens, stem: &[String]) {
        let mut path = stem.to_owned();
        let (mut line, mut renamed) = (0, None);
        loop {
            match tokens.next() {
                Some(TokenTree::Ident(ident)) if ident == "as" => {
                    renamed = tokens.next().map(|name| name.to_string());
                }
                Some(TokenTree::Ident(ident)) => {
                    line = ident.span().start().line;
                    path.push(ident.to_string());
                }
                Some(TokenTree::Punct(punct)) if punct.as_char() == '*' => {
                    line = punct.span().start().line;
                    renamed = Some("*".into());
                }
                Some(TokenTree::Punct(punct)) if punct.as_char() == ':' => {}
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    let mut inner = group.stream().into_iter().peekable();
                    while inner.peek().is_some() {
                        self.add_uses(&mut inner, &path);
                    }
                    path.truncate(stem.len());
                }
                // A comma, a semicolon, or the end.
                _ => break,
            }
        }
        if path.len() > stem.len() || renamed.is_some() {
            if path.len() > stem.len() && path.last().is_some_and(|last| last == "self") && path.len() > 1 {
                path.pop();
            }
            let name = renamed.unwrap_or_else(|| path.last().cloned().unwrap_or_default());
            self.uses.push(Use { name, said: Said { path, line } });
        }
    }

    /// What stands between `impl` and its body: the type is the last path before the body that stands in no
    /// brackets.
    fn add_impl(&mut self, tokens: &Tokens, line: usize) {
        let mut tokens = tokens.clone();
        let (mut depth, mut path) = (0usize, Vec::new());
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
                TokenTree::Punct(punct) if punct.as_char() == '>' => depth = depth.saturating_sub(1),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
                TokenTree::Ident(ident) if ident == "where" => break,
                TokenTree::Ident(ident)
                    if depth == 0 && ident != "for" && ident != "dyn" && ident != "mut" =>
                {
                    path = rest(&ident.to_string(), &mut tokens);
                }
                _ => {}
            }
        }
        self.impls.push(Said { path, line });
    }
}

enum Attribute {
    Test,
    Path(String),
    Other,
}

/// Reads the brackets of an attribute.
fn attribute(tokens: &mut Tokens) -> Attribute {
    if matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!') {
        tokens.next();
    }
    let Some(TokenTree::Group(group)) = tokens.peek() else { return Attribute::Other };
    let text = group.stream().to_string();
    tokens.next();
    let words: Vec<_> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    match words[0] {
        "cfg" if words.contains(&"test") && !words.contains(&"not") => Attribute::Test,
        "path" => Attribute::Path(text.split('"').nth(1).unwrap_or_default().into()),
        _ => Attribute::Other,
    }
}

/// Skips what an attribute stands before.
fn skip_item(tokens: &mut Tokens) {
    let mut import = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if ident == "use" => import = true,
            TokenTree::Punct(punct) if punct.as_char() == ';' => break,
            TokenTree::Group(group) if is_body(&group) && !import => break,
            _ => {}
        }
    }
}

fn is_body(group: &Group) -> bool {
    group.delimiter() == Delimiter::Brace
}

/// The next name, unless something else comes.
fn name(tokens: &mut Tokens) -> Option<String> {
    loop {
        match tokens.peek()? {
            // `const fn`, `static mut`.
            TokenTree::Ident(ident)
                if ["fn", "mut", "unsafe", "async", "extern"].iter().any(|word| ident == word) =>
            {
                tokens.next();
            }
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                tokens.next();
                return Some(name);
            }
            _ => return None,
        }
    }
}

/// A path that begins with `first`.
fn rest(first: &str, tokens: &mut Tokens) -> Vec<String> {
    let mut path = vec![first.to_owned()];
    loop {
        let mut ahead = tokens.clone();
        if !is_colon(ahead.next().as_ref()) || !is_colon(ahead.next().as_ref()) {
            return path;
        }
        let Some(TokenTree::Ident(ident)) = ahead.next() else { return path };
        path.push(ident.to_string());
        *tokens = ahead;
    }
}

fn is_colon(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
}
