//! Which modules need which.
//!
//! A node holds one module, or several that need each other in a circle; an edge says that one node needs another. So
//! the graph has no circles, and counting is enough: a node's count is the references that callers hold, plus the edges
//! that lead to it, and at zero nobody needs it. Without joining circles they would keep themselves alive for ever.
//!
//! The records are those that Windows has (`LDR_DDAG_NODE`, `LDR_DEPENDENCY_RECORD`), with what the loader alone
//! knows behind them.
//!
//! The walk that finds circles is [`condense`]'s.

mod condense;

use c_interface::{Ptr, field};
use nt_abi::loader::{LDR_PINNED, LdrDdagState};
use nt_abi::native::{LdrDdagNode, LdrDependencyRecord, Pointer};
use nt_abi::{NtResult, NtStatus};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::list;
use crate::module::{Module, entry};

use crate::system::System;

pub(crate) use condense::Condenser;

macro_rules! node {
    ($node:expr, $field:ident) => {
        field!($node.0.cast::<LdrDdagNode>(), LdrDdagNode, $field)
    };
}

macro_rules! private {
    ($node:expr, $field:ident) => {
        field!($node.0, NodeRecord, $field)
    };
}

use {node, private};

/// The memory of a node.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct NodeRecord {
    /// What debuggers see.
    node: LdrDdagNode,
    /// References that callers of `LdrLoadDll` and `LdrAddRefDll` hold.
    explicit: u32,
    /// Which walk saw the node last.
    epoch: u32,
    /// The node that a walk came from, or the next one of a list of nodes.
    link: Pointer,
    /// The edge that a walk looks at next.
    edge: Pointer,
    /// The next node of Tarjan's stack; itself at the end.
    stack: Pointer,
}

/// A node of the graph; null for none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Node(pub(crate) Ptr<NodeRecord>);

/// An edge; null for none.
type Edge = Ptr<LdrDependencyRecord>;

impl Node {
    pub(crate) const NULL: Self = Self(Ptr::NULL);

    /// A node for one module.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub(crate) fn new(system: &impl System, module: Module) -> NtResult<Self> {
        let block = system
            .allocate(size_of::<NodeRecord>())
            .ok_or(NtStatus::NO_MEMORY)?;
        let node = Self(block.cast());
        list::initialize(node!(node, modules));
        node.set_state(LdrDdagState::PLACE_HOLDER);
        node.adopt(module);
        Ok(node)
    }

    fn adopt(self, module: Module) {
        entry!(module, ddag_node).write(self.0.raw());
        list::insert_tail(node!(self, modules), entry!(module, node_module_link));
    }

    /// Takes a module away from its node, and ends the node with its last one.
    pub(crate) fn release(system: &impl System, module: Module) {
        let node = module.node();
        list::remove(entry!(module, node_module_link));
        if node.modules().next().is_none() {
            node.cut_edges(system);
            system.free(node.0.cast());
        }
    }

    /// Its modules.
    pub(crate) fn modules(self) -> impl Iterator<Item = Module> {
        list::entries(node!(self, modules)).map(Module::of_node_links)
    }

    pub(crate) fn state(self) -> LdrDdagState {
        node!(self, state).read()
    }

    pub(crate) fn set_state(self, state: LdrDdagState) {
        node!(self, state).write(state);
    }

    /// The same, but what is on the way out stays there.
    pub(crate) fn set_state_unless_leaving(self, state: LdrDdagState) {
        if self.state() != LdrDdagState::UNLOADING {
            self.set_state(state);
        }
    }

    /// References of callers and of other nodes.
    pub(crate) fn load_count(self) -> u32 {
        node!(self, load_count).read()
    }

    /// References of callers alone.
    pub(crate) fn explicit_count(self) -> u32 {
        private!(self, explicit).read()
    }

    pub(crate) fn is_pinned(self) -> bool {
        self.load_count() == LDR_PINNED
    }

    fn set_load_count(self, count: u32) {
        node!(self, load_count).write(count);
        // `LoadCount` of old, for programs that look at it: 65535 for what stays.
        let old = u16::try_from(count).unwrap_or(u16::MAX);
        for module in self.modules() {
            entry!(module, obsolete_load_count).write(old);
            entry!(module, reference_count).write(count);
        }
    }

    /// It stays for good.
    pub(crate) fn pin(self) {
        self.set_load_count(LDR_PINNED);
    }

    /// One reference more.
    pub(crate) fn acquire(self) {
        if !self.is_pinned() {
            // One below the pin at most: who takes four billion references keeps the module.
            self.set_load_count(self.load_count().saturating_add(1));
        }
    }

    /// One reference less. Says whether it was the last.
    pub(crate) fn unacquire(self) -> bool {
        let count = self.load_count();
        if count == LDR_PINNED || count == 0 {
            return false;
        }
        self.set_load_count(count - 1);
        count == 1
    }

    /// One reference of a caller more.
    pub(crate) fn acquire_explicit(self) {
        private!(self, explicit).write(self.explicit_count().saturating_add(1));
        self.acquire();
    }

    /// One reference of a caller less, if there is one.
    pub(crate) fn unacquire_explicit(self) -> Option<bool> {
        let explicit = self.explicit_count().checked_sub(1)?;
        private!(self, explicit).write(explicit);
        Some(self.unacquire())
    }

    /// How often it was wanted while it was on the way out.
    pub(crate) fn wanted_while_unloading(self) -> u32 {
        node!(self, load_while_unloading_count).read()
    }

    pub(crate) fn set_wanted_while_unloading(self, count: u32) {
        node!(self, load_while_unloading_count).write(count);
    }

    /// The next node of a list that somebody makes by [`set_link`](Self::set_link).
    pub(crate) fn link(self) -> Self {
        Self(Ptr::at(private!(self, link).read()))
    }

    pub(crate) fn set_link(self, next: Self) {
        private!(self, link).write(next.0.raw());
    }

    /// Which walk saw it last.
    pub(crate) fn epoch(self) -> u32 {
        private!(self, epoch).read()
    }

    pub(crate) fn set_epoch(self, epoch: u32) {
        private!(self, epoch).write(epoch);
    }

    /// The nodes that it needs, in the order in which it was found to need them.
    pub(crate) fn dependencies(self) -> impl Iterator<Item = Self> {
        circle(node!(self, dependencies), outgoing_of).map(target)
    }

    /// The nodes that need it.
    pub(crate) fn dependents(self) -> impl Iterator<Item = Self> {
        circle(node!(self, incoming_dependencies), incoming_of).map(source)
    }

    /// Whether what it needs is kept by it: on the way out it has let go of everything.
    fn holds(self) -> bool {
        self.state() != LdrDdagState::UNLOADING
    }

    /// Notes that it needs another node.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub(crate) fn depend_on(self, system: &impl System, other: Self) -> NtResult {
        if self == other || self.dependencies().any(|known| known == other) {
            return Ok(());
        }
        let block = system
            .allocate(size_of::<LdrDependencyRecord>())
            .ok_or(NtStatus::NO_MEMORY)?;
        let edge: Edge = block.cast();
        field!(edge, LdrDependencyRecord, dependency_node).write(other.0.raw());
        field!(edge, LdrDependencyRecord, incoming_dependency_node).write(self.0.raw());
        append(node!(self, dependencies), edge, outgoing);
        append(node!(other, incoming_dependencies), edge, incoming);
        if self.holds() {
            other.acquire();
        }
        Ok(())
    }

    /// Forgets all that it needs, and all who need it.
    fn cut_edges(self, system: &impl System) {
        let outgoing_edges = node!(self, dependencies);
        while let Some(edge) = circle(outgoing_edges, outgoing_of).next() {
            cut(system, edge);
        }
        let incoming_edges = node!(self, incoming_dependencies);
        while let Some(edge) = circle(incoming_edges, incoming_of).next() {
            cut(system, edge);
        }
    }

    /// Takes over everything of another node, which ends.
    fn merge(self, system: &impl System, other: Self) {
        for module in other.modules() {
            list::remove(entry!(module, node_module_link));
            self.adopt(module);
        }
        let pinned = self.is_pinned() || other.is_pinned();
        let explicit = self.explicit_count().saturating_add(other.explicit_count());
        let between = |edge: &Edge| {
            let ends = (source(*edge), target(*edge));
            ends == (self, other) || ends == (other, self)
        };
        // Edges between the two go first, with the references that they were.
        while let Some(edge) = circle(node!(other, dependencies), outgoing_of)
            .chain(circle(node!(other, incoming_dependencies), incoming_of))
            .find(between)
        {
            cut(system, edge);
        }
        let counts = self.load_count().saturating_add(other.load_count());
        while let Some(edge) = circle(node!(other, dependencies), outgoing_of).next() {
            unlink(node!(other, dependencies), edge, outgoing);
            if self.dependencies().any(|known| known == target(edge)) {
                unlink(node!(target(edge), incoming_dependencies), edge, incoming);
                target(edge).unacquire();
                system.free(edge.cast());
                continue;
            }
            field!(edge, LdrDependencyRecord, incoming_dependency_node).write(self.0.raw());
            append(node!(self, dependencies), edge, outgoing);
        }
        let mut doubled = 0;
        while let Some(edge) = circle(node!(other, incoming_dependencies), incoming_of).next() {
            unlink(node!(other, incoming_dependencies), edge, incoming);
            if source(edge).dependencies().any(|known| known == self) {
                unlink(node!(source(edge), dependencies), edge, outgoing);
                // The edge of one on the way out is no reference.
                doubled += u32::from(source(edge).holds());
                system.free(edge.cast());
                continue;
            }
            field!(edge, LdrDependencyRecord, dependency_node).write(self.0.raw());
            append(node!(self, incoming_dependencies), edge, incoming);
        }
        private!(self, explicit).write(explicit);
        self.set_load_count(if pinned { LDR_PINNED } else { counts - doubled });
        other.set_state(LdrDdagState::MERGED);
        system.free(other.0.cast());
    }
}

/// Which of the two links of an edge.
type LinkOf = fn(Edge) -> Ptr<Pointer>;

fn outgoing(edge: Edge) -> Ptr<Pointer> {
    field!(edge, LdrDependencyRecord, dependency_link)
}

fn incoming(edge: Edge) -> Ptr<Pointer> {
    field!(edge, LdrDependencyRecord, incoming_dependency_link)
}

/// The edge whose link is there: links lead to links.
fn outgoing_of(link: Edge) -> Edge {
    link
}

fn incoming_of(link: Edge) -> Edge {
    link.byte_sub(core::mem::offset_of!(
        LdrDependencyRecord,
        incoming_dependency_link
    ))
}

fn target(edge: Edge) -> Node {
    Node(Ptr::at(
        field!(edge, LdrDependencyRecord, dependency_node).read(),
    ))
}

fn source(edge: Edge) -> Node {
    Node(Ptr::at(
        field!(edge, LdrDependencyRecord, incoming_dependency_node).read(),
    ))
}

/// The edges of a circle, first to last, of which `tail` has the address of the last one's link.
fn circle(tail: Ptr<Pointer>, edge_of: fn(Edge) -> Edge) -> impl Iterator<Item = Edge> {
    let last = tail.read();
    let mut at = if last == 0 {
        0
    } else {
        Ptr::<Pointer>::at(last).read()
    };
    core::iter::from_fn(move || {
        if at == 0 {
            return None;
        }
        let edge = edge_of(Ptr::at(at));
        at = if at == last {
            0
        } else {
            Ptr::<Pointer>::at(at).read()
        };
        Some(edge)
    })
}

fn append(tail: Ptr<Pointer>, edge: Edge, link: LinkOf) {
    let own = link(edge);
    let last = tail.read();
    if last == 0 {
        own.write(own.raw());
    } else {
        let last = Ptr::<Pointer>::at(last);
        own.write(last.read());
        last.write(own.raw());
    }
    tail.write(own.raw());
}

fn unlink(tail: Ptr<Pointer>, edge: Edge, link: LinkOf) {
    let own = link(edge);
    let last = tail.read();
    let mut before = Ptr::<Pointer>::at(last);
    while before.read() != own.raw() {
        before = Ptr::at(before.read());
        if before.raw() == last {
            return;
        }
    }
    if before == own {
        tail.write(0);
        return;
    }
    before.write(own.read());
    if last == own.raw() {
        tail.write(before.raw());
    }
}

/// Ends an edge, and the reference that it was.
fn cut(system: &impl System, edge: Edge) {
    unlink(node!(source(edge), dependencies), edge, outgoing);
    unlink(node!(target(edge), incoming_dependencies), edge, incoming);
    if source(edge).holds() {
        target(edge).unacquire();
    }
    system.free(edge.cast());
}
