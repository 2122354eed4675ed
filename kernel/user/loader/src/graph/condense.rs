//! Finding circles in the graph, and what is needed before what.
//!
//! Tarjan's algorithm, whose two numbers a node has fields for. Chains of DLLs may be as long as somebody makes them, so
//! nothing here recurses: the way back is kept in the nodes.

use c_interface::{Ptr, field};
use nt_abi::loader::LdrDdagState;
use nt_abi::native::LdrDdagNode;

use super::{Edge, Node, NodeRecord, circle, node, outgoing, outgoing_of, private, target};
use crate::list;
use crate::module::{entry, own};
use crate::system::System;

/// A walk over the graph that joins circles.
pub(crate) struct Condenser<'a, S: System> {
    system: &'a S,
    epoch: u32,
    /// The last preorder number that was given.
    preorder: u32,
    /// The last place in the order of modules that was given.
    order: u32,
    /// The nodes of which the circle is not known yet, the last one first.
    stack: Node,
    /// The circles that were found, as their first nodes, linked by `edge`; the last one.
    last_found: Node,
    first_found: Node,
}

impl<'a, S: System> Condenser<'a, S> {
    /// A walk; `epoch` is a number that no walk had before.
    pub(crate) fn new(system: &'a S, epoch: u32) -> Self {
        Self {
            system,
            epoch,
            preorder: 0,
            order: 0,
            stack: Node::NULL,
            last_found: Node::NULL,
            first_found: Node::NULL,
        }
    }

    /// Joins the circles that can be reached from a node, as far as `within` holds, and calls `done` for each node that
    /// came of it: first what is needed, then who needs it.
    pub(crate) fn run(mut self, root: Node, within: impl Fn(Node) -> bool, done: impl FnMut(Node)) {
        self.enter(root, Node::NULL);
        let mut at = root;
        while at != Node::NULL {
            if let Some(next) = next_edge(at) {
                if next.epoch() == self.epoch {
                    if private!(next, stack).read() != 0 {
                        lower(at, node!(next, preorder_number).read());
                    }
                } else if within(next) {
                    self.enter(next, at);
                    at = next;
                }
                continue;
            }
            let above = at.link();
            let lowest = node!(at, lowest_link).read();
            for module in at.modules() {
                self.order += 1;
                own!(module, order).write(self.order);
            }
            if lowest == node!(at, preorder_number).read() {
                self.pop(at);
            }
            if above != Node::NULL {
                lower(above, lowest);
            }
            at = above;
        }
        self.join(done);
    }

    fn enter(&mut self, node: Node, from: Node) {
        self.preorder += 1;
        node.set_epoch(self.epoch);
        node.set_link(from);
        node!(node, preorder_number).write(self.preorder);
        node!(node, lowest_link).write(self.preorder);
        let first = circle(node!(node, dependencies), outgoing_of).next();
        private!(node, edge).write(first.unwrap_or_default().raw());
        // The last of the stack leads to itself, so that being on it shows.
        let next = if self.stack == Node::NULL {
            node
        } else {
            self.stack
        };
        private!(node, stack).write(next.0.raw());
        self.stack = node;
    }

    /// Takes a circle off the stack: the node where the walk entered it, with the others linked to that one. They are
    /// joined when the walk is over, since it stands on edges that joining would end.
    fn pop(&mut self, root: Node) {
        root.set_link(Node::NULL);
        loop {
            let top = self.stack;
            let next = Node(Ptr::at(private!(top, stack).read()));
            self.stack = if next == top { Node::NULL } else { next };
            private!(top, stack).write(0);
            if top == root {
                break;
            }
            top.set_link(root.link());
            root.set_link(top);
        }
        private!(root, edge).write(0);
        if self.last_found == Node::NULL {
            self.first_found = root;
        } else {
            private!(self.last_found, edge).write(root.0.raw());
        }
        self.last_found = root;
    }

    fn join(self, mut done: impl FnMut(Node)) {
        let mut root = self.first_found;
        while root != Node::NULL {
            let mut member = root.link();
            while member != Node::NULL {
                let next = member.link();
                root.merge(self.system, member);
                member = next;
            }
            sort_modules(root);
            root.set_state(root.state().max(LdrDdagState::CONDENSED));
            let next = Node(Ptr::at(private!(root, edge).read()));
            done(root);
            root = next;
        }
    }
}

/// The node that the next edge of one leads to, in a walk.
fn next_edge(node: Node) -> Option<Node> {
    let edge: Edge = Ptr::at(private!(node, edge).read());
    edge.non_null()?;
    let last = node!(node, dependencies).read();
    let next = if edge.raw() == last {
        0
    } else {
        outgoing(edge).read()
    };
    private!(node, edge).write(next);
    Some(target(edge))
}

fn lower(node: Node, number: u32) {
    let lowest = node!(node, lowest_link);
    lowest.write(lowest.read().min(number));
}

/// Puts the modules of a node in the order that they have.
fn sort_modules(node: Node) {
    let head = node!(node, modules);
    let mut least = 0;
    // As many rounds as modules; circles are small.
    while let Some(next) = node
        .modules()
        .filter(|module| own!(module, order).read() > least)
        .min_by_key(|module| own!(module, order).read())
    {
        least = own!(next, order).read();
        list::remove(entry!(next, node_module_link));
        list::insert_tail(head, entry!(next, node_module_link));
    }
}
