//! Red-black trees of `RTL_BALANCED_NODE`s: `RtlRbInsertNodeEx` and `RtlRbRemoveNode`.
//!
//! The caller finds the place; the tree keeps the balance. The textbook's rules: a red node has black children, and each
//! way from the root down passes as many black nodes. Nothing is there below a leaf, so what removing makes one black
//! too short may be no node at all; the repair therefore knows it by its parent.
//!
//! A parent's address shares its field with the colour, in the lowest bit.
//!
//! # Differs
//! The encoding of trees whose links are relative (bit 0 of `Min`) is not known here; ntdll makes none.

use c_interface::{Ptr, field};
use nt_abi::native::{RtlBalancedNode, RtlRbTree};

/// A node of the tree; null for none.
pub type Node = Ptr<RtlBalancedNode>;

/// Which child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The one with lower keys.
    Left,
    /// The one with higher keys.
    Right,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

const RED: nt_abi::native::Size = 1;
/// Bits of the parent's field that are not its address.
const NOT_ADDRESS: nt_abi::native::Size = 3;

/// The child on a side.
#[inline]
pub fn child(node: Node, side: Side) -> Node {
    let [left, right] = field!(node, RtlBalancedNode, children).read();
    Ptr::at(match side {
        Side::Left => left,
        Side::Right => right,
    })
}

/// The parent; null above the root.
pub fn parent(node: Node) -> Node {
    Ptr::at(field!(node, RtlBalancedNode, parent_value).read() & !NOT_ADDRESS)
}

/// The root; null for an empty tree.
#[inline]
pub fn root(tree: Ptr<RtlRbTree>) -> Node {
    Ptr::at(field!(tree, RtlRbTree, root).read())
}

fn is_red(node: Node) -> bool {
    !node.is_null() && field!(node, RtlBalancedNode, parent_value).read() & RED != 0
}

fn set_red(node: Node, red: bool) {
    let value = field!(node, RtlBalancedNode, parent_value);
    value.write(value.read() & !RED | if red { RED } else { 0 });
}

fn set_parent(node: Node, above: Node) {
    let value = field!(node, RtlBalancedNode, parent_value);
    value.write(above.raw() | value.read() & RED);
}

fn set_child(node: Node, side: Side, below: Node) {
    let children = field!(node, RtlBalancedNode, children);
    let mut both = children.read();
    match side {
        Side::Left => both[0] = below.raw(),
        Side::Right => both[1] = below.raw(),
    }
    children.write(both);
}

fn side_of(above: Node, below: Node) -> Side {
    if child(above, Side::Left) == below {
        Side::Left
    } else {
        Side::Right
    }
}

/// Puts `new` where `old` was below `above`; null above the root.
fn replace(tree: Ptr<RtlRbTree>, above: Node, old: Node, new: Node) {
    if above.is_null() {
        field!(tree, RtlRbTree, root).write(new.raw());
    } else {
        set_child(above, side_of(above, old), new);
    }
    if !new.is_null() {
        set_parent(new, above);
    }
}

/// Turns a node down to a side; its child on the other side comes up.
fn rotate(tree: Ptr<RtlRbTree>, node: Node, side: Side) {
    let up = child(node, side.other());
    let between = child(up, side);
    replace(tree, parent(node), node, up);
    set_child(node, side.other(), between);
    if !between.is_null() {
        set_parent(between, node);
    }
    set_child(up, side, node);
    set_parent(node, up);
}

/// The node at an end of the tree; null if it is empty.
pub fn end(tree: Ptr<RtlRbTree>, side: Side) -> Node {
    let mut at = root(tree);
    while !at.is_null() && !child(at, side).is_null() {
        at = child(at, side);
    }
    at
}

/// The next node on a side; null behind the last.
pub fn neighbour(node: Node, side: Side) -> Node {
    let mut at = child(node, side);
    if !at.is_null() {
        while !child(at, side.other()).is_null() {
            at = child(at, side.other());
        }
        return at;
    }
    let (mut below, mut above) = (node, parent(node));
    while !above.is_null() && child(above, side) == below {
        (below, above) = (above, parent(above));
    }
    above
}

/// Links a node below another one, where there is no node yet; as the root, if `above` is null.
#[doc(alias = "RtlRbInsertNodeEx")]
pub fn insert(tree: Ptr<RtlRbTree>, above: Node, side: Side, node: Node) {
    node.write(RtlBalancedNode::default());
    set_red(node, true);
    set_parent(node, above);
    if above.is_null() {
        field!(tree, RtlRbTree, root).write(node.raw());
    } else {
        set_child(above, side, node);
    }
    let first = Ptr::at(field!(tree, RtlRbTree, min).read());
    if above.is_null() || side == Side::Left && above == first {
        field!(tree, RtlRbTree, min).write(node.raw());
    }
    repair_insertion(tree, node);
}

fn repair_insertion(tree: Ptr<RtlRbTree>, mut node: Node) {
    while is_red(parent(node)) {
        let mut above = parent(node);
        let top = parent(above);
        let side = side_of(top, above);
        let uncle = child(top, side.other());
        if is_red(uncle) {
            set_red(above, false);
            set_red(uncle, false);
            set_red(top, true);
            node = top;
            continue;
        }
        if side_of(above, node) != side {
            rotate(tree, above, side);
            (node, above) = (above, node);
        }
        let _ = node;
        set_red(above, false);
        set_red(top, true);
        rotate(tree, top, side.other());
        break;
    }
    set_red(root(tree), false);
}

/// Unlinks a node.
#[doc(alias = "RtlRbRemoveNode")]
pub fn remove(tree: Ptr<RtlRbTree>, node: Node) {
    let min = field!(tree, RtlRbTree, min);
    if min.read() == node.raw() {
        min.write(neighbour(node, Side::Right).raw());
    }
    let (left, right) = (child(node, Side::Left), child(node, Side::Right));
    let mut lost_black = !is_red(node);
    let (above, moved);
    if left.is_null() || right.is_null() {
        moved = if left.is_null() { right } else { left };
        above = parent(node);
        replace(tree, above, node, moved);
    } else {
        // The next node takes the place and the colour; what is missing is where it was.
        let next = neighbour(node, Side::Right);
        lost_black = !is_red(next);
        moved = child(next, Side::Right);
        above = if parent(next) == node {
            next
        } else {
            let above = parent(next);
            replace(tree, above, next, moved);
            set_child(next, Side::Right, right);
            set_parent(right, next);
            above
        };
        let red = is_red(node);
        replace(tree, parent(node), node, next);
        set_child(next, Side::Left, left);
        set_parent(left, next);
        set_red(next, red);
    }
    if lost_black {
        repair_removal(tree, above, moved);
    }
}

/// Below `above`, the ways through `node` (or through nothing) pass one black node too few.
fn repair_removal(tree: Ptr<RtlRbTree>, mut above: Node, mut node: Node) {
    while !above.is_null() && !is_red(node) {
        let side = side_of(above, node);
        let mut sibling = child(above, side.other());
        if is_red(sibling) {
            set_red(sibling, false);
            set_red(above, true);
            rotate(tree, above, side);
            sibling = child(above, side.other());
        }
        let (near, far) = (child(sibling, side), child(sibling, side.other()));
        if !is_red(near) && !is_red(far) {
            set_red(sibling, true);
            (node, above) = (above, parent(above));
            continue;
        }
        if !is_red(far) {
            set_red(near, false);
            set_red(sibling, true);
            rotate(tree, sibling, side.other());
            sibling = near;
        }
        set_red(sibling, is_red(above));
        set_red(above, false);
        set_red(child(sibling, side.other()), false);
        rotate(tree, above, side);
        return;
    }
    if !node.is_null() {
        set_red(node, false);
    }
}

#[cfg(test)]
mod tests;
