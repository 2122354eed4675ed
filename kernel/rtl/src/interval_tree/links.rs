//! How the tree keeps its shape: order, balance, and what every node knows of those below it.
//!
//! Nodes have a link upwards, so that a removal and a step to the neighbour start at an index and need no search. A
//! removal moves links, never values: the indexes of all other ranges stay good.

use super::arena::Index;
use super::gaps::Extent;
use super::{IntervalTree, Node};

/// By how many levels the two sides below a node may differ.
///
/// With one, which is AVL's, a program that allocates and frees at the same place would turn the same nodes to and fro
/// each time; with two what a removal leaves is still what the next insertion wants. The rotations are AVL's, since they
/// leave no difference above this one either way (Foster, "A generalization of AVL trees"), and a tree has at most 1.82
/// log2 n levels.
pub(super) const SLACK: u8 = 2;

/// Below a node: the lower ranges or the higher ones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Lower,
    Higher,
}

impl Side {
    pub(super) const fn opposite(self) -> Self {
        match self {
            Self::Lower => Self::Higher,
            Self::Higher => Self::Lower,
        }
    }
}

impl<T> Node<T> {
    pub(super) const fn child(&self, side: Side) -> Option<Index> {
        match side {
            Side::Lower => self.lower,
            Side::Higher => self.higher,
        }
    }

    const fn set_child(&mut self, side: Side, child: Option<Index>) {
        match side {
            Side::Lower => self.lower = child,
            Side::Higher => self.higher = child,
        }
    }
}

impl<T> IntervalTree<T> {
    /// The node that a link leads to.
    #[inline]
    pub(super) fn node(&self, index: Index) -> &Node<T> {
        self.arena
            .get(index)
            .expect("links lead to nodes: a node is unlinked before it is freed")
    }

    #[inline]
    fn node_mut(&mut self, index: Index) -> &mut Node<T> {
        self.arena
            .get_mut(index)
            .expect("links lead to nodes: a node is unlinked before it is freed")
    }

    /// The lowest or the highest range at or below a node.
    pub(super) fn outermost(&self, from: Index, side: Side) -> Index {
        let mut at = from;
        while let Some(child) = self.node(at).child(side) {
            at = child;
        }
        at
    }

    /// The neighbour in order of address.
    pub(super) fn neighbour(&self, of: Index, side: Side) -> Option<Index> {
        if let Some(child) = self.node(of).child(side) {
            return Some(self.outermost(child, side.opposite()));
        }
        let mut below = of;
        while let Some(above) = self.node(below).parent {
            if self.node(above).child(side) != Some(below) {
                return Some(above);
            }
            below = above;
        }
        None
    }

    /// Where a range that begins at `start` and ends at `end` would hang: below which node and on which side; or `None` if
    /// it overlaps another.
    #[inline]
    pub(super) fn place_of(&self, start: u64, end: u64) -> Option<(Option<Index>, Side)> {
        let mut above = None;
        let mut next = self.root;
        let mut side = Side::Lower;
        while let Some(at) = next {
            above = Some(at);
            let node = self.node(at);
            (side, next) = if end <= node.start {
                (Side::Lower, node.lower)
            } else if node.end <= start {
                (Side::Higher, node.higher)
            } else {
                return None;
            };
        }
        Some((above, side))
    }

    /// Hangs a new node into its place.
    pub(super) fn link(&mut self, new: Index, (above, side): (Option<Index>, Side)) {
        self.node_mut(new).parent = above;
        match above {
            Some(above) => self.node_mut(above).set_child(side, Some(new)),
            None => self.root = Some(new),
        }
        self.refresh_upwards(above);
    }

    /// Takes a node out. Its own links are then meaningless.
    pub(super) fn unlink(&mut self, index: Index) {
        let (parent, lower, higher) = {
            let node = self.node(index);
            (node.parent, node.lower, node.higher)
        };
        let (Some(lower), Some(higher)) = (lower, higher) else {
            self.replace_child(parent, index, lower.or(higher));
            return self.refresh_upwards(parent);
        };
        // Two children: the next range, which has none on its lower side, takes the place.
        let heir = self.outermost(higher, Side::Lower);
        let mut changed = heir;
        if heir != higher {
            let (heir_parent, heir_higher) = {
                let node = self.node(heir);
                (node.parent, node.higher)
            };
            self.replace_child(heir_parent, heir, heir_higher);
            self.adopt(heir, Side::Higher, Some(higher));
            changed = heir_parent.unwrap_or(heir);
        }
        self.adopt(heir, Side::Lower, Some(lower));
        self.replace_child(parent, index, Some(heir));
        self.refresh_through(changed, heir);
    }

    /// Brings up to date what the nodes from here to the root know of those below them, and their balance.
    ///
    /// It stops at a node that stays as it is, for those above it know nothing but that.
    pub(super) fn refresh_upwards(&mut self, from: Option<Index>) {
        let mut next = from;
        while let Some(at) = next {
            let node = self.node(at);
            let (low, high, extent) = self.look_below(node);
            if low.abs_diff(high) > SLACK {
                // What was turned is another node's place now.
                next = self.refresh_and_balance(at);
                continue;
            }
            let height = low.max(high) + 1;
            if node.height == height && node.extent == extent {
                return;
            }
            let parent = node.parent;
            let node = self.node_mut(at);
            node.height = height;
            node.extent = extent;
            next = parent;
        }
    }

    /// Brings up to date and balances a node; gives what is above what stands there then.
    #[inline(never)]
    fn refresh_and_balance(&mut self, at: Index) -> Option<Index> {
        let top = match self.refresh(at) {
            None => at,
            Some(deep) => self.balance(at, deep),
        };
        self.node(top).parent
    }

    /// The same as far as `through`, whatever stays as it is: a node whose range is new, so that what it knew before was of
    /// another place; and on from there.
    fn refresh_through(&mut self, from: Index, through: Index) {
        let mut next = Some(from);
        while let Some(at) = next {
            next = self.refresh_and_balance(at);
            if at == through {
                return self.refresh_upwards(next);
            }
        }
    }

    #[inline]
    pub(super) fn height(&self, link: Option<Index>) -> u8 {
        link.map_or(0, |index| self.node(index).height)
    }

    /// What the node's height and extent are, going by its children's.
    pub(super) fn summary(&self, index: Index) -> (u8, Extent) {
        let (low, high, extent) = self.look_below(self.node(index));
        (low.max(high) + 1, extent)
    }

    /// The levels on both sides of a node, and what it covers with what is below it.
    #[inline(always)]
    fn look_below(&self, node: &Node<T>) -> (u8, u8, Extent) {
        let (mut low, mut high) = (0, 0);
        let mut extent = Extent::of(node.start, node.end);
        if let Some(lower) = node.lower {
            let lower = self.node(lower);
            low = lower.height;
            extent = lower.extent.join(extent, self.granularity);
        }
        if let Some(higher) = node.higher {
            let higher = self.node(higher);
            high = higher.height;
            extent = extent.join(higher.extent, self.granularity);
        }
        (low, high, extent)
    }

    /// Brings up to date what the node knows; gives the side that is too deep.
    fn refresh(&mut self, index: Index) -> Option<Side> {
        let (low, high, extent) = self.look_below(self.node(index));
        let node = self.node_mut(index);
        node.height = low.max(high) + 1;
        node.extent = extent;
        if low > high + SLACK {
            Some(Side::Lower)
        } else if high > low + SLACK {
            Some(Side::Higher)
        } else {
            None
        }
    }

    /// Makes the two sides below `top` differ by [`SLACK`] at most, of which `deep` is one level deeper than that;
    /// gives what stands there now.
    fn balance(&mut self, top: Index, deep: Side) -> Index {
        if let Some(child) = self.node(top).child(deep) {
            let outer = self.height(self.node(child).child(deep));
            let inner = self.height(self.node(child).child(deep.opposite()));
            if inner > outer {
                self.rotate(child, deep);
            }
        }
        self.rotate(top, deep.opposite())
    }

    /// Lets `top` sink towards a side; its child on the other side rises and is the result.
    fn rotate(&mut self, top: Index, towards: Side) -> Index {
        let Some(riser) = self.node(top).child(towards.opposite()) else {
            return top;
        };
        let parent = self.node(top).parent;
        let inner = self.node(riser).child(towards);
        self.adopt(top, towards.opposite(), inner);
        self.replace_child(parent, top, Some(riser));
        self.adopt(riser, towards, Some(top));
        for sunk_or_risen in [top, riser] {
            self.refresh(sunk_or_risen);
        }
        riser
    }

    fn adopt(&mut self, parent: Index, side: Side, child: Option<Index>) {
        self.node_mut(parent).set_child(side, child);
        if let Some(child) = child {
            self.node_mut(child).parent = Some(parent);
        }
    }

    /// Puts `new` where `old` hangs below `parent`, or at the root.
    fn replace_child(&mut self, parent: Option<Index>, old: Index, new: Option<Index>) {
        match parent {
            None => {
                self.root = new;
                if let Some(new) = new {
                    self.node_mut(new).parent = None;
                }
            }
            Some(parent) => {
                let side = if self.node(parent).lower == Some(old) {
                    Side::Lower
                } else {
                    Side::Higher
                };
                self.adopt(parent, side, new);
            }
        }
    }
}
