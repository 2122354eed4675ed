//! AVL trees, whatever their nodes look like: on each way down the two sides differ by at most one level.
//!
//! NT has two forms of node, `RTL_BALANCED_LINKS` of the generic tables and `RTL_BALANCED_NODE`, which hides the balance in
//! the parent's address; [`Links`] is what both can do. Above the root there is the parent that the tree's owner says: the
//! table's own node, or nothing, and the owner keeps the root itself ([`Links::set_root`]).
//!
//! A balance is the level of the right side less that of the left one. After an insertion the ways up get one level longer
//! until a node takes it up or a rotation does; after a deletion they get one level shorter until a node does not.

use c_interface::Ptr;

pub use crate::splay::Side;

impl Side {
    /// What a level more on this side adds to the balance.
    const fn weight(self) -> i8 {
        match self {
            Self::Left => -1,
            Self::Right => 1,
        }
    }
}

/// A form of node, and where a tree's root is kept.
pub trait Links {
    /// The node.
    type Node;
    /// The tree.
    type Tree: Copy;

    /// The child on a side; null for none.
    fn child(node: Ptr<Self::Node>, side: Side) -> Ptr<Self::Node>;
    /// Sets the child on a side, and nothing else.
    fn set_child(node: Ptr<Self::Node>, side: Side, child: Ptr<Self::Node>);
    /// The node above; for the root what `above_root` says.
    fn parent(node: Ptr<Self::Node>) -> Ptr<Self::Node>;
    /// Sets the node above, and nothing else.
    fn set_parent(node: Ptr<Self::Node>, parent: Ptr<Self::Node>);
    /// -1, 0 or 1.
    fn balance(node: Ptr<Self::Node>) -> i8;
    /// Sets the balance, and nothing else.
    fn set_balance(node: Ptr<Self::Node>, balance: i8);
    /// The root; null for none.
    fn root(tree: Self::Tree) -> Ptr<Self::Node>;
    /// Sets the root, and nothing else.
    fn set_root(tree: Self::Tree, node: Ptr<Self::Node>);
    /// What the root's parent is.
    fn above_root(tree: Self::Tree) -> Ptr<Self::Node>;
}

/// The side of its parent that a node is on.
fn side_of<L: Links>(node: Ptr<L::Node>) -> Side {
    if L::child(L::parent(node), Side::Left) == node {
        Side::Left
    } else {
        Side::Right
    }
}

/// Puts `new` where `old` is; null leaves nothing there.
fn replace<L: Links>(tree: L::Tree, old: Ptr<L::Node>, new: Ptr<L::Node>) {
    let above = L::parent(old);
    if L::root(tree) == old {
        L::set_root(tree, new);
    } else {
        L::set_child(above, side_of::<L>(old), new);
    }
    if !new.is_null() {
        L::set_parent(new, above);
    }
}

fn link<L: Links>(above: Ptr<L::Node>, side: Side, below: Ptr<L::Node>) {
    L::set_child(above, side, below);
    if !below.is_null() {
        L::set_parent(below, above);
    }
}

/// Moves the child on a side above its parent.
fn rotate<L: Links>(tree: L::Tree, above: Ptr<L::Node>, side: Side) {
    let up = L::child(above, side);
    replace::<L>(tree, above, up);
    link::<L>(above, side, L::child(up, side.other()));
    link::<L>(up, side.other(), above);
}

/// Rotates below a node that has two levels too many on a side; gives what is on top now, and whether that is one level
/// lower than the node was with them.
fn restore<L: Links>(tree: L::Tree, node: Ptr<L::Node>, side: Side) -> (Ptr<L::Node>, bool) {
    let heavy = L::child(node, side);
    let leaning = L::balance(heavy) * side.weight();
    if leaning >= 0 {
        rotate::<L>(tree, node, side);
        // It leaned to neither side only when a deletion is repaired; then nothing gets lower.
        let left = (1 - leaning) * side.weight();
        L::set_balance(node, left);
        L::set_balance(heavy, -left);
        return (heavy, leaning > 0);
    }
    let between = L::child(heavy, side.other());
    let leaning = L::balance(between) * side.weight();
    rotate::<L>(tree, heavy, side.other());
    rotate::<L>(tree, node, side);
    let balance = |leans: bool| if leans { side.weight() } else { 0 };
    L::set_balance(node, -balance(leaning > 0));
    L::set_balance(heavy, balance(leaning < 0));
    L::set_balance(between, 0);
    (between, true)
}

/// Links a node below another one, where there is none yet; as the root, if `above` is null. True if the tree is a level
/// higher now.
pub fn insert<L: Links>(
    tree: L::Tree,
    above: Ptr<L::Node>,
    side: Side,
    node: Ptr<L::Node>,
) -> bool {
    L::set_child(node, Side::Left, Ptr::NULL);
    L::set_child(node, Side::Right, Ptr::NULL);
    L::set_parent(node, L::above_root(tree));
    L::set_balance(node, 0);
    if above.is_null() {
        L::set_root(tree, node);
        return true;
    }
    link::<L>(above, side, node);
    let mut at = node;
    while L::root(tree) != at {
        let side = side_of::<L>(at);
        at = L::parent(at);
        let balance = L::balance(at) + side.weight();
        match balance {
            0 => {
                L::set_balance(at, 0);
                return false;
            }
            -1 | 1 => L::set_balance(at, balance),
            _ => {
                restore::<L>(tree, at, side);
                return false;
            }
        }
    }
    true
}

/// Takes a node out of the tree. True if the tree is a level lower now.
pub fn remove<L: Links>(tree: L::Tree, node: Ptr<L::Node>) -> bool {
    let (left, right) = (L::child(node, Side::Left), L::child(node, Side::Right));
    // The side of `at` that lost a level; `None`: the root itself did.
    let (mut at, mut lost);
    if !left.is_null() && !right.is_null() {
        // The next one takes its place; it has no left child.
        let next = end::<L>(right, Side::Left);
        if next == right {
            (at, lost) = (next, Some(Side::Right));
        } else {
            (at, lost) = (L::parent(next), Some(Side::Left));
            link::<L>(at, Side::Left, L::child(next, Side::Right));
            link::<L>(next, Side::Right, right);
        }
        L::set_balance(next, L::balance(node));
        link::<L>(next, Side::Left, left);
        replace::<L>(tree, node, next);
    } else {
        let below = if left.is_null() { right } else { left };
        at = L::parent(node);
        lost = (L::root(tree) != node).then(|| side_of::<L>(node));
        replace::<L>(tree, node, below);
    }
    while let Some(side) = lost {
        let balance = L::balance(at) - side.weight();
        match balance {
            0 => L::set_balance(at, 0),
            -1 | 1 => {
                L::set_balance(at, balance);
                return false;
            }
            _ => {
                let (top, lower) = restore::<L>(tree, at, side.other());
                if !lower {
                    return false;
                }
                at = top;
            }
        }
        lost = (L::root(tree) != at).then(|| side_of::<L>(at));
        at = L::parent(at);
    }
    true
}

/// The outermost node on a side, of the tree below a node.
pub fn end<L: Links>(mut node: Ptr<L::Node>, side: Side) -> Ptr<L::Node> {
    while let Some(next) = L::child(node, side).non_null() {
        node = next;
    }
    node
}

/// The neighbour on a side; null at that end of the tree.
pub fn neighbour<L: Links>(tree: L::Tree, node: Ptr<L::Node>, side: Side) -> Ptr<L::Node> {
    if let Some(below) = L::child(node, side).non_null() {
        return end::<L>(below, side.other());
    }
    let mut at = node;
    while L::root(tree) != at {
        let from = side_of::<L>(at);
        at = L::parent(at);
        if from != side {
            return at;
        }
    }
    Ptr::NULL
}
