//! Which crate may import which: the table `xtask/ranks.toml` against every Cargo.toml.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Deserialize;

use crate::board;
use crate::check::Problems;
use crate::check::packages::Packages;
use crate::workspace::Workspace;

/// The table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    floor: Vec<String>,
    ranks: BTreeMap<String, u8>,
    user: User,
    tools: ToolCrates,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    crates: Vec<String>,
    may_import: Vec<u8>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolCrates {
    crates: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rank {
    Kernel(u8),
    User,
    Tool,
}

impl Table {
    /// Reads the table.
    pub(super) fn load(workspace: &Workspace) -> Result<Self> {
        board::read(workspace, &workspace.root().join("xtask/ranks.toml"))
    }

    /// Whether `unsafe` may be written in a crate.
    pub(super) fn is_floor(&self, name: &str) -> bool {
        self.floor.iter().any(|floor| floor == name)
    }

    fn rank(&self, name: &str) -> Option<Rank> {
        let listed = |names: &[String]| names.iter().any(|listed| listed == name);
        if listed(&self.tools.crates) {
            Some(Rank::Tool)
        } else if listed(&self.user.crates) {
            Some(Rank::User)
        } else {
            self.ranks.get(name).copied().map(Rank::Kernel)
        }
    }

    fn allows(&self, from: Rank, to: Rank) -> bool {
        match (from, to) {
            (Rank::Tool, _) | (Rank::User, Rank::User) => true,
            (Rank::User, Rank::Kernel(to)) => self.user.may_import.contains(&to),
            (Rank::Kernel(from), Rank::Kernel(to)) => to <= from,
            (_, Rank::Tool) | (Rank::Kernel(_), Rank::User) => false,
        }
    }

    /// Holds every crate to the table.
    pub(super) fn check(&self, packages: &Packages) -> Problems {
        let mut problems = Vec::new();
        for package in &packages.packages {
            let Some(rank) = self.rank(&package.name) else {
                problems.push(format!(
                    "the crate {} has no rank: add it to xtask/ranks.toml",
                    package.name
                ));
                continue;
            };
            for dependency in package
                .dependencies
                .iter()
                .filter(|dependency| dependency.path.is_some())
            {
                let Some(imported) = self.rank(&dependency.name) else {
                    continue;
                };
                if !self.allows(rank, imported) {
                    problems.push(format!(
                        "{} ({rank}) imports {} ({imported}): define a trait below and fill it from above",
                        package.name, dependency.name
                    ));
                }
            }
        }
        problems
    }
}

impl std::fmt::Display for Rank {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kernel(rank) => write!(f, "rank {rank}"),
            Self::User => write!(f, "user mode"),
            Self::Tool => write!(f, "tool"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::packages::{Dependency, Package};

    fn check(name: &str, imports: &[&str]) -> Problems {
        let dependency = |name: &&str| Dependency {
            name: (*name).into(),
            path: Some("x".into()),
        };
        let package = Package {
            name: name.into(),
            manifest_path: "x/Cargo.toml".into(),
            dependencies: imports.iter().map(dependency).collect(),
            targets: Vec::new(),
        };
        Table::load(&Workspace::discover().unwrap())
            .unwrap()
            .check(&Packages {
                packages: vec![package],
            })
    }

    #[test]
    fn down_and_sideways_is_allowed() {
        assert_eq!(
            check("ke", &["nt-abi", "rtl", "arch", "ex"]),
            Problems::new()
        );
        assert_eq!(
            check("ntdll", &["nt-abi", "pe", "kernel32"]),
            Problems::new()
        );
        assert_eq!(
            check("kernel-tests", &["ntoskrnl", "ke", "arch"]),
            Problems::new()
        );
    }

    #[test]
    fn up_is_not() {
        for (name, import) in [
            ("arch", "ke"),
            ("nt-abi", "rtl"),
            ("ntdll", "arch"),
            ("ke", "ntdll"),
            ("ntoskrnl", "xtask"),
        ] {
            assert_eq!(check(name, &[import]).len(), 1, "{name} imports {import}");
        }
    }

    #[test]
    fn an_unknown_crate_is_an_error() {
        assert!(check("mystery", &[])[0].contains("no rank"));
    }
}
