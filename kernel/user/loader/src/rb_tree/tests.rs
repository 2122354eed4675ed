//! Trees that grow and shrink, held to the rules of red-black trees and to a sorted set.

extern crate std;

use std::collections::BTreeSet;
use std::vec::Vec;

use rtl::Random;

use super::*;

struct Forest {
    nodes: Vec<RtlBalancedNode>,
    tree: RtlRbTree,
}

impl Forest {
    fn node(&mut self, number: usize) -> Node {
        Ptr::new(self.nodes.as_mut_ptr().expose_provenance()).add(number)
    }

    fn number(&mut self, node: Node) -> usize {
        (node.address() - self.node(0).address()) / size_of::<RtlBalancedNode>()
    }

    fn tree(&mut self) -> Ptr<RtlRbTree> {
        Ptr::of(&mut self.tree)
    }

    fn insert(&mut self, number: usize) {
        let (tree, node) = (self.tree(), self.node(number));
        let (mut above, mut side) = (Node::NULL, Side::Left);
        let mut at = root(tree);
        while !at.is_null() {
            above = at;
            side = if node < at { Side::Left } else { Side::Right };
            at = child(at, side);
        }
        insert(tree, above, side, node);
    }

    /// The black nodes on each way down.
    fn check(&mut self, node: Node, above: Node) -> usize {
        if node.is_null() {
            return 1;
        }
        assert_eq!(parent(node), above);
        assert!(!(is_red(node) && is_red(above)), "two red ones in a row");
        let left = self.check(child(node, Side::Left), node);
        let right = self.check(child(node, Side::Right), node);
        assert_eq!(left, right, "not balanced");
        left + usize::from(!is_red(node))
    }
}

#[test]
fn trees_hold_to_the_rules() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let mut forest = Forest {
            nodes: [RtlBalancedNode::default(); 200].to_vec(),
            tree: RtlRbTree::default(),
        };
        let mut model = BTreeSet::new();
        for _ in 0..1500 {
            let number = usize::try_from(random.below(200)).expect("small");
            if model.insert(number) {
                forest.insert(number);
            } else {
                model.remove(&number);
                let (tree, node) = (forest.tree(), forest.node(number));
                remove(tree, node);
            }
            let tree = forest.tree();
            assert!(!is_red(root(tree)));
            forest.check(root(tree), Node::NULL);
            let mut found = Vec::new();
            let mut at = end(tree, Side::Left);
            assert_eq!(at.raw(), forest.tree.min & !NOT_ADDRESS, "the first one");
            while !at.is_null() {
                found.push(forest.number(at));
                at = neighbour(at, Side::Right);
            }
            assert!(found.iter().eq(model.iter()), "{found:?} {model:?}");
        }
    }
}
