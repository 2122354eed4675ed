//! Every lint that the workspace sets must say why.

use std::fs;

use anyhow::{Context, Result};

use crate::check::Problems;
use crate::workspace::Workspace;

/// Reads the lints of the workspace's Cargo.toml.
pub(super) fn check(workspace: &Workspace) -> Result<Problems> {
    let text = fs::read_to_string(workspace.root().join("Cargo.toml"))
        .context("Cargo.toml cannot be read")?;
    Ok(without_reason(&text))
}

/// A reason is a comment directly above; lints that follow one another share it.
fn without_reason(text: &str) -> Problems {
    let mut problems = Vec::new();
    let mut inside = false;
    let mut explained = false;
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if line.starts_with('[') {
            inside = line.starts_with("[workspace.lints");
            explained = false;
        } else if line.is_empty() {
            explained = false;
        } else if line.starts_with('#') {
            explained = true;
        } else if inside && !explained {
            let name = line.split('=').next().unwrap_or_default().trim();
            problems.push(format!(
                "Cargo.toml:{}: the lint {name} has no reason: say why in a comment above it",
                index + 1
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_share_a_reason() {
        let text = "[a]\nb = 1\n[workspace.lints.rust]\n# Why.\none = 'deny'\ntwo = 'deny'\n\nthree = 'deny'\n[c]\nd = 1\n";
        let problems = without_reason(text);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("Cargo.toml:8") && problems[0].contains("three"));
    }
}
