//! The tree of an object's parts.
//!
//! An object may have parts with rights of their own: property sets, and in
//! those properties. The caller lists the parts that it wants to touch, as a
//! tree in pre-order with a level for each, the object itself first. An entry
//! that names a part speaks of the part and of all below it.
//!
//! Going up, a node has what all of its children have, and is denied what any
//! of them is denied; that is worked out anew whenever a child changes.

use alloc::vec::Vec;

use nt_abi::security::{ACCESS_MAX_LEVEL, AccessMask, Guid};
use nt_abi::{NtResult, NtStatus};
use rtl::security::memory;

/// What is known of a node while a DACL is walked.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    /// Rights by name that no entry has granted yet.
    pub(super) remaining: AccessMask,
    /// Rights that were granted, for a request that collects.
    pub(super) granted: AccessMask,
    /// Rights that were denied before anything granted them.
    denied: AccessMask,
}

impl State {
    const START: Self = Self {
        remaining: AccessMask::empty(),
        granted: AccessMask::empty(),
        denied: AccessMask::empty(),
    };
}

/// The object, or a part of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    level: u16,
    parent: Option<usize>,
    /// `None` for the root of a check without parts.
    guid: Option<Guid>,
    /// For the token's SIDs, and for its restricting ones.
    pub(super) states: [State; 2],
    pub(super) result: NtResult<AccessMask>,
}

impl Node {
    /// The whole of an object without parts.
    pub(super) const ROOT: Self = Self {
        level: 0,
        parent: None,
        guid: None,
        states: [State::START; 2],
        result: Err(NtStatus::ACCESS_DENIED),
    };
}

/// The answer for one part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectTypeResult {
    /// The part.
    pub object_type: Guid,
    /// The rights to it, or why not.
    pub granted: NtResult<AccessMask>,
}

/// The parts that a caller lists.
pub struct ObjectTypeList {
    nodes: Vec<Node>,
}

impl ObjectTypeList {
    /// Makes the tree of levels and parts in pre-order.
    ///
    /// # NT
    /// `OBJECT_TYPE_LIST`.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` if the first is not of level 0, another one is, a level is more than one deeper than the one
    /// before or above 4; `INSUFFICIENT_RESOURCES`.
    pub fn new(parts: &[(u16, Guid)]) -> NtResult<Self> {
        let mut nodes: Vec<Node> = Vec::new();
        memory::reserve(&mut nodes, parts.len())?;
        for (index, (level, guid)) in parts.iter().enumerate() {
            let deepest = nodes.last().map_or(0, |before| before.level + 1);
            if (*level == 0) != (index == 0) || *level > deepest || *level > ACCESS_MAX_LEVEL {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            let parent = nodes.iter().rposition(|node| node.level < *level);
            nodes.push(Node {
                level: *level,
                parent,
                guid: Some(*guid),
                ..Node::ROOT
            });
        }
        if nodes.is_empty() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        Ok(Self { nodes })
    }

    /// Forgets the last check.
    pub(super) fn reset(&mut self) -> &mut [Node] {
        for node in &mut self.nodes {
            node.states = Node::ROOT.states;
            node.result = Node::ROOT.result;
        }
        &mut self.nodes
    }

    /// The answers of the last check with a result list, in the order of the parts.
    pub fn results(&self) -> impl Iterator<Item = ObjectTypeResult> + '_ {
        self.nodes.iter().filter_map(|node| {
            Some(ObjectTypeResult {
                object_type: node.guid?,
                granted: node.result,
            })
        })
    }
}

/// The node of a part.
pub(super) fn find(nodes: &[Node], part: Guid) -> Option<usize> {
    nodes.iter().position(|node| node.guid == Some(part))
}

/// Grants rights to a node and all below it.
pub(super) fn allow(nodes: &mut [Node], state: usize, index: usize, mask: AccessMask) {
    change(nodes, state, index, |node| {
        node.remaining -= mask;
        node.granted |= mask - node.denied;
    });
}

/// Denies rights to a node and all below it, where they were not granted before.
pub(super) fn deny(nodes: &mut [Node], state: usize, index: usize, mask: AccessMask) {
    change(nodes, state, index, |node| {
        node.denied |= mask - node.granted;
    });
}

fn change(nodes: &mut [Node], state: usize, index: usize, mut apply: impl FnMut(&mut State)) {
    let level = nodes[index].level;
    apply(&mut nodes[index].states[state]);
    for node in nodes[index + 1..]
        .iter_mut()
        .take_while(|node| node.level > level)
    {
        apply(&mut node.states[state]);
    }
    let mut child = index;
    while let Some(parent) = nodes[child].parent {
        nodes[parent].states[state] = of_children(nodes, state, parent);
        child = parent;
    }
}

/// A node's state as its children make it.
fn of_children(nodes: &[Node], state: usize, parent: usize) -> State {
    let mut made = State {
        granted: AccessMask::all(),
        ..State::START
    };
    for node in nodes.iter().filter(|node| node.parent == Some(parent)) {
        made.remaining |= node.states[state].remaining;
        made.granted &= node.states[state].granted;
        made.denied |= node.states[state].denied;
    }
    made
}
