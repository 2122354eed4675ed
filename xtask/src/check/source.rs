//! Every Rust file of the workspace, read once and taken apart.
//!
//! Unsafe is counted in tokens, so that what stands in a macro counts too; functions are
//! measured in the syntax tree.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::check::packages::Packages;
use crate::workspace::Workspace;

/// All files.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Them, by path.
    pub(super) files: Vec<SourceFile>,
    /// Sentences about those that could not be taken apart.
    pub(super) unreadable: Vec<String>,
}

/// One file.
#[derive(Debug)]
pub(super) struct SourceFile {
    /// The crate it belongs to.
    pub(super) package: String,
    /// Its path from the top of the checkout.
    pub(super) path: PathBuf,
    /// Its text.
    pub(super) text: String,
    /// Every use of the word `unsafe`.
    pub(super) uses: Vec<UnsafeUse>,
    /// Every function.
    pub(super) functions: Vec<Function>,
}

/// One use of the word `unsafe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnsafeUse {
    /// What it makes unsafe.
    pub(super) kind: UnsafeKind,
    /// The line, from 1.
    pub(super) line: usize,
}

/// What the word `unsafe` can stand before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UnsafeKind {
    /// A block.
    Block,
    /// A function, or a function's type.
    Function,
    /// An implementation of a trait.
    Impl,
    /// A trait.
    Trait,
    /// A block of foreign items, or one of them.
    Extern,
    /// An attribute, such as one that fixes a symbol's name.
    Attribute,
}

/// One function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Function {
    /// Its name.
    pub(super) name: String,
    /// The line of its signature, from 1.
    pub(super) line: usize,
    /// From its signature to its closing brace.
    pub(super) lines: usize,
}

impl Sources {
    /// Reads every file of every crate.
    pub(super) fn load(workspace: &Workspace, packages: &Packages) -> Result<Self> {
        let mut paths = Vec::new();
        for package in &packages.packages {
            rust_files(package.folder(), &mut paths)?;
        }
        paths.sort();
        paths.dedup();
        let mut sources = Self::default();
        for path in paths {
            let Some(owner) = packages.owner(&path) else {
                continue;
            };
            let shown = workspace.relative(&path).to_path_buf();
            let text = fs::read_to_string(&path)
                .with_context(|| format!("{} cannot be read", shown.display()))?;
            match take_apart(&text) {
                Ok((uses, functions)) => {
                    sources.files.push(SourceFile {
                        package: owner.name.clone(),
                        path: shown,
                        text,
                        uses,
                        functions,
                    });
                }
                Err(error) => sources
                    .unreadable
                    .push(format!("{} is not understood: {error}", shown.display())),
            }
        }
        Ok(sources)
    }
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("the folder {} cannot be read", folder.display()))?;
    for entry in entries {
        let path = entry
            .with_context(|| format!("the folder {} cannot be read", folder.display()))?
            .path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            // What was built is not ours to check, nor is what a tool hides.
            if name != "target" && !name.starts_with('.') {
                rust_files(&path, into)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
    Ok(())
}

fn take_apart(text: &str) -> Result<(Vec<UnsafeUse>, Vec<Function>), String> {
    let at = |span: proc_macro2::Span, error: &str| format!("line {}: {error}", span.start().line);
    let tokens: TokenStream = text
        .parse()
        .map_err(|error: proc_macro2::LexError| at(error.span(), &error.to_string()))?;
    let mut uses = Vec::new();
    collect_unsafe(tokens, &mut uses);
    let file = syn::parse_file(text).map_err(|error| at(error.span(), &error.to_string()))?;
    let mut lengths = Lengths::default();
    lengths.visit_file(&file);
    Ok((uses, lengths.functions))
}

fn collect_unsafe(tokens: TokenStream, uses: &mut Vec<UnsafeUse>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => collect_unsafe(group.stream(), uses),
            TokenTree::Ident(word) if word == "unsafe" => {
                if let Some(kind) = tokens.get(index + 1).and_then(kind_before) {
                    uses.push(UnsafeUse {
                        kind,
                        line: word.span().start().line,
                    });
                }
            }
            _ => {}
        }
    }
}

/// What the word `unsafe` makes of the token after it.
fn kind_before(next: &TokenTree) -> Option<UnsafeKind> {
    match next {
        TokenTree::Group(group) => match group.delimiter() {
            Delimiter::Brace => Some(UnsafeKind::Block),
            Delimiter::Parenthesis => Some(UnsafeKind::Attribute),
            Delimiter::Bracket | Delimiter::None => None,
        },
        TokenTree::Ident(word) => match word.to_string().as_str() {
            "fn" => Some(UnsafeKind::Function),
            "impl" => Some(UnsafeKind::Impl),
            "trait" | "auto" => Some(UnsafeKind::Trait),
            "extern" | "static" => Some(UnsafeKind::Extern),
            _ => None,
        },
        TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    }
}

#[derive(Default)]
struct Lengths {
    functions: Vec<Function>,
}

impl Lengths {
    fn add(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let line = signature.fn_token.span.start().line;
        let lines = body.brace_token.span.close().end().line + 1 - line;
        self.functions.push(Function {
            name: signature.ident.to_string(),
            line,
            lines,
        });
    }
}

impl<'ast> Visit<'ast> for Lengths {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.add(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
//! A sample.
#[unsafe(no_mangle)]
pub unsafe extern \"C\" fn entry() {
    // The word unsafe in a comment, and in \"unsafe { text }\", is nothing.
    let text = \"unsafe { }\";
    unsafe { go(text) }
}
unsafe impl Send for X {}
unsafe extern \"C\" {
    fn go();
}
macro_rules! m {
    () => { unsafe { inside() } };
}
impl X {
    fn long(&self) {
        let _ = 1;
        let _ = 2;
    }
}
trait T {
    unsafe fn given(&self);
    fn none(&self);
}
";

    #[test]
    fn unsafe_is_found_where_it_is_meant() {
        let (uses, _) = take_apart(SAMPLE).unwrap();
        let found: Vec<(UnsafeKind, usize)> = uses
            .iter()
            .map(|unsafe_use| (unsafe_use.kind, unsafe_use.line))
            .collect();
        assert_eq!(
            found,
            [
                (UnsafeKind::Attribute, 2),
                (UnsafeKind::Extern, 3),
                (UnsafeKind::Block, 6),
                (UnsafeKind::Impl, 8),
                (UnsafeKind::Extern, 9),
                (UnsafeKind::Block, 13),
                (UnsafeKind::Function, 22),
            ]
        );
    }

    #[test]
    fn functions_are_measured() {
        let (_, functions) = take_apart(SAMPLE).unwrap();
        let found: Vec<(&str, usize, usize)> = functions
            .iter()
            .map(|function| (function.name.as_str(), function.line, function.lines))
            .collect();
        assert_eq!(found, [("entry", 3, 5), ("long", 16, 4)]);
    }

    #[test]
    fn nonsense_has_a_line() {
        assert!(take_apart("fn a() {}\nfn (").unwrap_err().contains("line"));
    }
}
