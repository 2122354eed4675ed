//! Splay trees of `RTL_SPLAY_LINKS`: a node that is looked for moves to the top.
//!
//! The caller finds the place of a node and links it; the routines here move nodes and take them out. The root is its own
//! parent. A splay moves a node up two levels at a time: where node, parent and grandparent are in a line, the grandparent
//! turns first, else the parent does (Sleator and Tarjan, "Self-adjusting binary search trees", 1985).

use c_interface::{Ptr, exports, field};
use nt_abi::native::Pointer;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `RTL_SPLAY_LINKS`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct SplayLinks {
    /// The node above; the node itself at the root.
    pub parent: Pointer,
    /// The node with lower keys.
    pub left_child: Pointer,
    /// The node with higher keys.
    pub right_child: Pointer,
}

/// A node; null for none.
pub type Node = Ptr<SplayLinks>;

/// Which child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The one with lower keys.
    Left,
    /// The one with higher keys.
    Right,
}

impl Side {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

fn child_field(node: Node, side: Side) -> Ptr<Pointer> {
    match side {
        Side::Left => field!(node, SplayLinks, left_child),
        Side::Right => field!(node, SplayLinks, right_child),
    }
}

/// The child on a side.
pub fn child(node: Node, side: Side) -> Node {
    Ptr::at(child_field(node, side).read())
}

fn parent(node: Node) -> Node {
    Ptr::at(field!(node, SplayLinks, parent).read())
}

fn is_root(node: Node) -> bool {
    parent(node) == node
}

fn side_of(node: Node) -> Side {
    if child(parent(node), Side::Left) == node {
        Side::Left
    } else {
        Side::Right
    }
}

/// Makes `below` the child of `above` on a side; null takes the child away.
pub fn link(above: Node, side: Side, below: Node) {
    child_field(above, side).write(below.raw());
    if !below.is_null() {
        field!(below, SplayLinks, parent).write(above.raw());
    }
}

fn make_root(node: Node) {
    field!(node, SplayLinks, parent).write(node.raw());
}

/// Puts `new` where `old` is, below its parent or as the root; null leaves nothing there.
fn replace(old: Node, new: Node) {
    if !is_root(old) {
        link(parent(old), side_of(old), new);
    } else if !new.is_null() {
        make_root(new);
    }
}

/// Moves a node above its parent.
fn rotate_up(node: Node) {
    let above = parent(node);
    let side = side_of(node);
    replace(above, node);
    link(above, side, child(node, side.other()));
    link(node, side.other(), above);
}

/// Moves a node to the top.
pub fn splay(node: Node) -> Node {
    while !is_root(node) {
        let above = parent(node);
        if is_root(above) {
            rotate_up(node);
        } else if side_of(above) == side_of(node) {
            rotate_up(above);
            rotate_up(node);
        } else {
            rotate_up(node);
            rotate_up(node);
        }
    }
    node
}

/// The outermost node on a side, of the tree below a node.
pub fn end(mut node: Node, side: Side) -> Node {
    while let Some(next) = child(node, side).non_null() {
        node = next;
    }
    node
}

/// The neighbour on a side among the nodes below a node; null if there is none.
fn neighbour_below(node: Node, side: Side) -> Node {
    match child(node, side).non_null() {
        Some(below) => end(below, side.other()),
        None => Ptr::NULL,
    }
}

/// The neighbour on a side; null at that end of the tree.
pub fn neighbour(node: Node, side: Side) -> Node {
    let below = neighbour_below(node, side);
    if !below.is_null() {
        return below;
    }
    let mut at = node;
    while !is_root(at) {
        if side_of(at) != side {
            return parent(at);
        }
        at = parent(at);
    }
    Ptr::NULL
}

/// Takes a node out of its tree; gives a node of what is left, null if that is nothing. That is the one below which the
/// tree became smaller, or the new root.
fn unlink(node: Node) -> Node {
    let (left, right) = (child(node, Side::Left), child(node, Side::Right));
    if !left.is_null() && !right.is_null() {
        // The one before takes its place; it has no right child.
        let before = end(left, Side::Right);
        let shorter = if before == left {
            before
        } else {
            parent(before)
        };
        if before != left {
            link(shorter, Side::Right, child(before, Side::Left));
            link(before, Side::Left, left);
        }
        link(before, Side::Right, right);
        replace(node, before);
        return shorter;
    }
    let below = if left.is_null() { right } else { left };
    let shorter = if is_root(node) { below } else { parent(node) };
    replace(node, below);
    shorter
}

/// Takes a node out of its tree; gives the new root, null for none.
pub fn delete(node: Node) -> Node {
    unlink(node).non_null().map_or(Ptr::NULL, splay)
}

exports! {
    /// Moves a node to the top of its tree; gives it.
    fn RtlSplay(node: Node) -> Node {
        splay(node)
    }

    /// Takes a node out of its tree and moves a neighbour up; gives the new root, null for none.
    fn RtlDelete(node: Node) -> Node {
        delete(node)
    }

    /// Takes a node out of its tree, whose other nodes stay where they are; `root` follows.
    fn RtlDeleteNoSplay(node: Node, root: Ptr<Node>) {
        let was_root = is_root(node);
        let left = unlink(node);
        if was_root {
            let mut top = left;
            while !top.is_null() && !is_root(top) {
                top = parent(top);
            }
            root.cast::<usize>().write(top.address());
        }
    }

    /// The next node below a node; null for none.
    fn RtlSubtreeSuccessor(node: Node) -> Node {
        neighbour_below(node, Side::Right)
    }

    /// The previous node below a node; null for none.
    fn RtlSubtreePredecessor(node: Node) -> Node {
        neighbour_below(node, Side::Left)
    }

    /// The next node; null for none.
    fn RtlRealSuccessor(node: Node) -> Node {
        neighbour(node, Side::Right)
    }

    /// The previous node; null for none.
    fn RtlRealPredecessor(node: Node) -> Node {
        neighbour(node, Side::Left)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;
    use rtl::Random;

    /// Nodes whose keys are their places; the root follows.
    struct Tree {
        nodes: Vec<SplayLinks>,
        root: Node,
    }

    impl Tree {
        fn new(count: usize) -> Self {
            let nodes = (0..count).map(|_| SplayLinks::default()).collect();
            Self {
                nodes,
                root: Ptr::NULL,
            }
        }

        fn node(&mut self, key: usize) -> Node {
            Ptr::of(&mut self.nodes[0]).add(key)
        }

        fn key(&mut self, node: Node) -> usize {
            (node.address() - self.node(0).address()) / size_of::<SplayLinks>()
        }

        fn insert(&mut self, key: usize) {
            let node = self.node(key);
            node.write(SplayLinks::default());
            make_root(node);
            let mut at = self.root;
            while !at.is_null() {
                let side = if key < self.key(at) {
                    Side::Left
                } else {
                    Side::Right
                };
                match child(at, side).non_null() {
                    Some(next) => at = next,
                    None => {
                        link(at, side, node);
                        break;
                    }
                }
            }
            self.root = if at.is_null() { node } else { RtlSplay(node) };
        }

        /// All keys in order, with the links of each node looked at.
        fn keys(&mut self) -> Vec<usize> {
            let mut keys = Vec::new();
            if self.root.is_null() {
                return keys;
            }
            assert!(is_root(self.root));
            let mut below = std::vec![self.root];
            let mut count = 0;
            while let Some(node) = below.pop() {
                count += 1;
                for side in [Side::Left, Side::Right] {
                    if let Some(next) = child(node, side).non_null() {
                        assert_eq!(parent(next), node);
                        below.push(next);
                    }
                }
            }
            let mut at = end(self.root, Side::Left);
            while !at.is_null() {
                keys.push(self.key(at));
                at = RtlRealSuccessor(at);
            }
            assert_eq!(keys.len(), count);
            keys
        }
    }

    #[test]
    fn trees_keep_their_order_whatever_is_done() {
        let mut random = Random::new(5);
        let mut tree = Tree::new(64);
        let mut model = std::collections::BTreeSet::new();
        for _ in 0..3000 {
            let key = random.index(64);
            let node = tree.node(key);
            if model.insert(key) {
                tree.insert(key);
                assert_eq!(tree.root, node);
            } else {
                match random.index(3) {
                    0 => {
                        model.remove(&key);
                        tree.root = RtlDelete(node);
                    }
                    1 => {
                        model.remove(&key);
                        let mut root = tree.root.address();
                        RtlDeleteNoSplay(node, Ptr::of(&mut root).cast());
                        tree.root = Ptr::new(root);
                    }
                    _ => tree.root = RtlSplay(node),
                }
            }
            assert_eq!(tree.keys(), model.iter().copied().collect::<Vec<_>>());
        }
    }

    #[test]
    fn neighbours_are_found_in_both_directions() {
        let mut tree = Tree::new(10);
        for key in [5, 2, 8, 1, 9, 3] {
            tree.insert(key);
        }
        let mut back = Vec::new();
        let mut at = end(tree.root, Side::Right);
        while !at.is_null() {
            back.push(tree.key(at));
            at = RtlRealPredecessor(at);
        }
        assert_eq!(back, [9, 8, 5, 3, 2, 1]);
        let two = tree.node(2);
        tree.root = RtlSplay(two);
        let next = RtlSubtreeSuccessor(two);
        assert_eq!(tree.key(next), 3);
        let before = RtlSubtreePredecessor(two);
        assert_eq!(tree.key(before), 1);
        assert!(RtlSubtreePredecessor(before).is_null());
    }

    #[test]
    fn a_splay_takes_two_levels_at_a_time() {
        // The example of the paper: a path to the left becomes half as deep.
        let mut tree = Tree::new(7);
        for key in 0..7 {
            let node = tree.node(key);
            make_root(node);
        }
        for key in 0..6 {
            let (above, below) = (tree.node(key + 1), tree.node(key));
            link(above, Side::Left, below);
        }
        tree.root = tree.node(6);
        let lowest = tree.node(0);
        tree.root = RtlSplay(lowest);
        // 0, and to its right 5 with 6 and 3, which has 1 (with 2) and 4.
        let five = tree.node(5);
        assert_eq!(child(tree.root, Side::Right), five);
        assert_eq!(child(five, Side::Right), tree.node(6));
        let three = tree.node(3);
        assert_eq!(child(five, Side::Left), three);
        assert_eq!(child(three, Side::Left), tree.node(1));
        assert_eq!(child(three, Side::Right), tree.node(4));
    }
}
