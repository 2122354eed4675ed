//! What the sources of a DLL export: functions of `exports!`, entries with an ellipsis, and what has its own name by
//! `no_mangle`.
//!
//! Read from tokens, so that neither a comment nor an example counts.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::workspace::Workspace;

/// The names that some crates of user mode export, by their folders.
pub(super) fn of_crates(workspace: &Workspace, crates: &[&str]) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for name in crates {
        let folder = workspace.root().join("kernel/user").join(name).join("src");
        let mut files = Vec::new();
        rust_files(&folder, &mut files)?;
        for path in files {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            let tokens: TokenStream = text
                .parse()
                .map_err(|error| anyhow!("{} is not understood: {error}", path.display()))?;
            collect(&tokens.into_iter().collect::<Vec<_>>(), &mut names);
        }
    }
    Ok(names)
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    let cannot = || format!("the folder {} cannot be read", folder.display());
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.is_dir() {
            rust_files(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
    Ok(())
}

/// Adds the names that tokens export.
fn collect(tokens: &[TokenTree], names: &mut BTreeSet<String>) {
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let inside: Vec<TokenTree> = group.stream().into_iter().collect();
        match called_macro(&tokens[..index]).as_deref() {
            Some("exports") => names.extend(named_behind_fn(&inside)),
            Some("variadic_entries") => names.extend(named_before_arrow(&inside)),
            _ if is_no_mangle(group.delimiter(), &inside) => {
                names.extend(named_behind_fn(&tokens[index..]).take(1));
            }
            _ => collect(&inside, names),
        }
    }
}

/// The macro that a group belongs to which stands behind these tokens.
fn called_macro(before: &[TokenTree]) -> Option<String> {
    match before {
        [.., TokenTree::Ident(name), TokenTree::Punct(mark)] if mark.as_char() == '!' => {
            Some(name.to_string())
        }
        _ => None,
    }
}

/// Whether an attribute fixes the name of what it stands before.
fn is_no_mangle(delimiter: Delimiter, inside: &[TokenTree]) -> bool {
    delimiter == Delimiter::Bracket
        && matches!(inside, [TokenTree::Ident(word), TokenTree::Group(group)]
            if word == "unsafe" && group.stream().to_string() == "no_mangle")
}

/// The names of functions and statics. Those that a macro fills in have a `$` in their place.
fn named_behind_fn(tokens: &[TokenTree]) -> impl Iterator<Item = String> {
    tokens.windows(2).filter_map(|pair| match pair {
        [TokenTree::Ident(word), TokenTree::Ident(name)] if word == "fn" || word == "static" => {
            Some(name.to_string())
        }
        _ => None,
    })
}

/// The names in rows such as `sprintf(2) => vsprintf;`.
fn named_before_arrow(tokens: &[TokenTree]) -> impl Iterator<Item = String> {
    tokens.windows(3).filter_map(|three| match three {
        [
            TokenTree::Ident(name),
            TokenTree::Group(_),
            TokenTree::Punct(arrow),
        ] if arrow.as_char() == '=' => Some(name.to_string()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_they_are_exported() {
        let text = r#"
            //! exports! { fn in_a_comment() {} }
            exports! {
                /// exports! { fn in_an_example() {} }
                #[doc(alias = "X")]
                fn RtlOne(a: u32) -> u32 { fn inside() {} 0 }
                cdecl fn strlen(text: Ptr<u8>) -> usize { 0 }
            }
            mod inner {
                entries::variadic_entries! { /// Text.
                    sprintf(2) => vsprintf; }
                #[unsafe(naked)]
                #[unsafe(no_mangle)]
                pub extern "C" fn KiEntry() {}
                pub fn another() {}
            }
            macro_rules! m { () => { #[unsafe(no_mangle)] extern "C" fn $name() {} } }
        "#;
        let tokens: TokenStream = text.parse().unwrap();
        let mut names = BTreeSet::new();
        collect(&tokens.into_iter().collect::<Vec<_>>(), &mut names);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(names, ["KiEntry", "RtlOne", "sprintf", "strlen"]);
    }
}
