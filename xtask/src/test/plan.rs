//! Which tests there are: every case on every machine of its boards.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::board::Board;
use crate::machine::spec::{Axes, Machine};
use crate::test::cases::{self, Case};
use crate::workspace::Workspace;

/// One test: a case on one machine.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// The full name, such as `spinlock.virt.gic3.cpus4`.
    pub(crate) name: String,
    /// The case's own name.
    pub(crate) case_name: String,
    /// The case.
    pub(crate) case: Arc<Case>,
    /// The board.
    pub(crate) board: Arc<Board>,
    /// The machine.
    pub(crate) machine: Machine,
}

/// Every test in a machine, in the order of the files.
pub(crate) fn plan(workspace: &Workspace) -> Result<Vec<Planned>> {
    let mut boards = BTreeMap::new();
    for name in Board::names(workspace)? {
        boards.insert(name.clone(), Arc::new(Board::load(workspace, &name)?));
    }
    let mut tests = Vec::new();
    for case in cases::load(workspace)? {
        let name = case.name.clone();
        tests.extend(
            expand(case, &boards)
                .with_context(|| format!("the test case {name:?} is not right"))?,
        );
    }
    Ok(tests)
}

fn expand(case: Case, boards: &BTreeMap<String, Arc<Board>>) -> Result<Vec<Planned>> {
    let case = Arc::new(case);
    let mut tests: Vec<Planned> = Vec::new();
    let mut names = HashSet::new();
    for board_name in &case.boards {
        let Some(board) = boards.get(board_name) else {
            bail!("there is no board {board_name:?}: correct `boards`");
        };
        for axes in sets(&case, board)? {
            for wishes in axes.overlaid(&case.with).combine() {
                let name = format!("{}.{board_name}{}", case.name, wishes.suffix());
                let machine = wishes.on(board).with_context(|| name.clone())?;
                // What every machine of the case has can make two machines of a set the same.
                if names.insert(name.clone()) {
                    tests.push(Planned {
                        name,
                        case_name: case.name.clone(),
                        case: Arc::clone(&case),
                        board: Arc::clone(board),
                        machine,
                    });
                }
            }
        }
    }
    Ok(tests)
}

fn sets<'c>(case: &'c Case, board: &'c Board) -> Result<&'c [Axes]> {
    if !case.machines.is_empty() {
        return Ok(&case.machines);
    }
    match board.matrix.get(&case.matrix) {
        Some(sets) if !sets.is_empty() => Ok(sets),
        _ => bail!(
            "boards/{}/board.toml has no matrix {:?}: correct `matrix`",
            board.name,
            case.matrix
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Vec<String>> {
        let workspace = Workspace::discover().unwrap();
        let mut boards = BTreeMap::new();
        for name in Board::names(&workspace)? {
            boards.insert(name.clone(), Arc::new(Board::load(&workspace, &name)?));
        }
        let case: Case =
            toml::from_str(&format!("name = 'c'\ndoc = 'd.'\nexit = 0\n{text}")).unwrap();
        Ok(expand(case, &boards)?
            .into_iter()
            .map(|planned| planned.name)
            .collect())
    }

    #[test]
    fn a_case_is_multiplied_by_its_machines() {
        let text = "boards = ['virt', 'raspi4']\nmatrix = 'one'";
        assert_eq!(names(text).unwrap(), ["c.virt", "c.raspi4"]);
        let text = "boards = ['virt']\nmachines = [{gic = [2, 3], cpus = [1, 8]}, {entry = 'el2'}]";
        assert_eq!(
            names(text).unwrap(),
            [
                "c.virt.gic2.cpus1",
                "c.virt.gic2.cpus8",
                "c.virt.gic3.cpus1",
                "c.virt.gic3.cpus8",
                "c.virt.el2"
            ]
        );
    }

    #[test]
    fn what_all_have_makes_no_doubles() {
        let text =
            "boards = ['virt']\nmachines = [{cpus = [1, 8]}]\nwith = {cpus = 2, icount = true}";
        assert_eq!(names(text).unwrap(), ["c.virt.cpus2.icount"]);
    }

    #[test]
    fn impossible_machines_are_refused() {
        assert!(names("boards = ['raspi4']\nmachines = [{cpus = 2}]").is_err());
        assert!(names("boards = ['toaster']").is_err());
        assert!(names("boards = ['virt']\nmatrix = 'unheard-of'").is_err());
    }

    #[test]
    fn the_repositorys_own_cases_can_be_planned() {
        let tests = plan(&Workspace::discover().unwrap()).unwrap();
        let names: HashSet<&str> = tests.iter().map(|planned| planned.name.as_str()).collect();
        assert_eq!(names.len(), tests.len());
    }
}
