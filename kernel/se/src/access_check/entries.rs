//! Walking a DACL for one of a token's two lists of SIDs.

use nt_abi::security::AccessMask;
use rtl::security::{Ace, Acl, Condition, Effect, Sid, well_known};

use super::object_types::{self, Node};
use crate::token::{SidList, SidUse, Token};

/// Where in a node the state of each list is.
pub(super) struct Mode;

impl Mode {
    pub(super) const NORMAL: usize = 0;
    pub(super) const RESTRICTING: usize = 1;
}

/// What an entry gives and takes: rights that a DACL can speak of. `ACCESS_SYSTEM_SECURITY` comes from a privilege alone
/// ("SACL Access Right"), and generic rights were mapped when the list was set.
const SPOKEN_OF: AccessMask =
    AccessMask::SPECIFIC_RIGHTS_ALL.union(AccessMask::STANDARD_RIGHTS_ALL);

/// The owner's rights ("Owner of a New Object"; [MS-DTYP] 2.5.3.2).
const OWNERS: AccessMask = AccessMask::READ_CONTROL.union(AccessMask::WRITE_DAC);

/// Whom entries are compared with.
pub(super) struct Matcher<'a> {
    pub(super) token: &'a Token,
    pub(super) list: SidList,
    /// Whom entries for Owner Rights are about.
    pub(super) owner: Option<Sid<'a>>,
    /// Whom entries for Principal Self are about.
    pub(super) principal_self: Option<Sid<'a>>,
    /// Whether the caller named parts of the object.
    pub(super) parts_listed: bool,
}

/// What an entry does here.
struct Applied {
    sid_use: SidUse,
    node: usize,
    mask: AccessMask,
}

impl Matcher<'_> {
    fn state(&self) -> usize {
        match self.list {
            SidList::Normal => Mode::NORMAL,
            SidList::Restricting => Mode::RESTRICTING,
        }
    }

    fn holds(&self, sid: Sid<'_>, sid_use: SidUse) -> bool {
        let sid = if sid == well_known::PRINCIPAL_SELF {
            self.principal_self
        } else if sid == well_known::OWNER_RIGHTS {
            self.owner
        } else {
            Some(sid)
        };
        sid.is_some_and(|sid| self.token.holds(self.list, sid, sid_use))
    }

    /// What the owner has without an entry: nothing, if an entry says what Owner Rights has.
    fn owners_rights(&self, dacl: Acl<'_>) -> AccessMask {
        let said = dacl.aces().any(|ace| {
            let decides = matches!(ace.effect(), Effect::Allow | Effect::Deny);
            decides
                && ace.is_effective()
                && ace.sid().is_some_and(|sid| sid == well_known::OWNER_RIGHTS)
        });
        let owner = self.owner;
        if !said && owner.is_some_and(|sid| self.token.holds(self.list, sid, SidUse::Allow)) {
            OWNERS
        } else {
            AccessMask::empty()
        }
    }

    /// What an entry does, if it concerns this token and a node of the tree.
    ///
    /// An entry with a condition is taken as if the condition could not be worked out: it does not allow, and it denies. One
    /// about a part, where the caller named none, does not allow; it denies the whole.
    fn apply(&self, ace: &Ace<'_>, nodes: &[Node]) -> Option<Applied> {
        let sid_use = match ace.effect() {
            Effect::Allow => SidUse::Allow,
            Effect::Deny => SidUse::Deny,
            _ => return None,
        };
        let conditional = ace.condition() == Condition::Expression;
        if !ace.is_effective() || (conditional && sid_use == SidUse::Allow) {
            return None;
        }
        let node = match ace.object_type() {
            None => 0,
            Some(_) if !self.parts_listed => match sid_use {
                SidUse::Allow => return None,
                SidUse::Deny => 0,
            },
            Some(part) => object_types::find(nodes, part)?,
        };
        if !self.holds(ace.sid()?, sid_use) {
            return None;
        }
        Some(Applied {
            sid_use,
            node,
            mask: ace.mask() & SPOKEN_OF,
        })
    }

    /// Whether the DACL grants all of `wanted` to the root.
    pub(super) fn satisfied(&self, dacl: Acl<'_>, nodes: &mut [Node], wanted: AccessMask) -> bool {
        let state = self.state();
        let wanted = wanted - self.owners_rights(dacl);
        for node in nodes.iter_mut() {
            node.states[state].remaining = wanted;
        }
        for ace in dacl.aces() {
            if nodes[0].states[state].remaining.is_empty() {
                break;
            }
            let Some(applied) = self.apply(&ace, nodes) else {
                continue;
            };
            match applied.sid_use {
                SidUse::Allow => object_types::allow(nodes, state, applied.node, applied.mask),
                SidUse::Deny => {
                    let remaining = nodes[applied.node].states[state].remaining;
                    if remaining.intersects(applied.mask) {
                        return false;
                    }
                }
            }
        }
        nodes[0].states[state].remaining.is_empty()
    }

    /// Collects in each node all that the DACL grants it.
    pub(super) fn collect(&self, dacl: Acl<'_>, nodes: &mut [Node]) {
        let state = self.state();
        let owners = self.owners_rights(dacl);
        for node in nodes.iter_mut() {
            node.states[state].granted = owners;
        }
        for ace in dacl.aces() {
            if let Some(applied) = self.apply(&ace, nodes) {
                let change = match applied.sid_use {
                    SidUse::Allow => object_types::allow,
                    SidUse::Deny => object_types::deny,
                };
                change(nodes, state, applied.node, applied.mask);
            }
        }
    }
}
