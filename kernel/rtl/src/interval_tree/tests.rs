//! The tree against a sorted list that does everything the slow way.

extern crate std;

use std::vec;
use std::vec::Vec;

use super::*;
use crate::Random;

/// Addresses in these tests end here; small, so that brute force can try them all.
const END: u64 = 2048;
const GRANULARITY: u64 = 16;

/// What the tree must agree with: ranges in ascending order, the slow way.
#[derive(Default)]
struct Model {
    ranges: Vec<(Range<u64>, u64, Index)>,
}

impl Model {
    fn overlapping(&self, range: &Range<u64>) -> Option<Index> {
        let overlaps = |known: &Range<u64>| known.start.max(range.start) < known.end.min(range.end);
        self.ranges
            .iter()
            .find(|(known, ..)| overlaps(known))
            .map(|found| found.2)
    }

    fn insert(&mut self, range: Range<u64>, value: u64, index: Index) {
        let place = self
            .ranges
            .partition_point(|(known, ..)| known.start < range.start);
        self.ranges.insert(place, (range, value, index));
    }

    fn find(&self, address: u64) -> Option<Index> {
        self.overlapping(&(address..address + 1))
    }

    fn fits(&self, start: u64, length: u64, window: &Range<u64>) -> bool {
        start >= window.start
            && start + length <= window.end
            && self.overlapping(&(start..start + length)).is_none()
    }

    fn gaps(&self, length: u64, alignment: u64, window: &Range<u64>) -> (Option<u64>, Option<u64>) {
        let mut starts = (0..END / alignment + 1)
            .map(|number| number * alignment)
            .filter(|start| self.fits(*start, length, window));
        let lowest = starts.next();
        (lowest, starts.next_back().or(lowest))
    }

    fn agrees(&self, tree: &IntervalTree<u64>) {
        tree.check().expect("the tree is sound");
        assert_eq!(tree.len(), self.ranges.len());
        assert_eq!(tree.is_empty(), self.ranges.is_empty());
        assert!(
            tree.iter()
                .map(|(index, range, value)| (range, *value, index))
                .eq(self.ranges.iter().cloned())
        );
        let backwards = core::iter::successors(tree.last(), |index| tree.previous(*index));
        assert!(backwards.eq(self.ranges.iter().rev().map(|known| known.2)));
    }
}

fn some_range(random: &mut Random, longest: u64) -> Range<u64> {
    let start = random.below(END);
    start..(start + 1 + random.below(longest)).min(END)
}

/// One insertion, removal or change of size, in both.
fn change(random: &mut Random, tree: &mut IntervalTree<u64>, model: &mut Model, aim: usize) {
    let known = random.index(model.ranges.len());
    match random.below(4) {
        0 if !model.ranges.is_empty() => {
            let (range, value, index) = model.ranges[known].clone();
            let longest = range.end - range.start + 8;
            let wanted = range.start.saturating_sub(random.below(8));
            let wanted = wanted..wanted + random.below(longest);
            let before = known.checked_sub(1).map(|known| &model.ranges[known]);
            let after = model.ranges.get(known + 1);
            let expected = if wanted.is_empty() {
                Err(Refusal::Empty)
            } else if let Some(before) = before.filter(|known| known.0.end > wanted.start) {
                Err(Refusal::Overlap(before.2))
            } else if let Some(after) = after.filter(|known| known.0.start < wanted.end) {
                Err(Refusal::Overlap(after.2))
            } else {
                Ok(())
            };
            assert_eq!(tree.resize(index, wanted.clone()), expected);
            if expected.is_ok() {
                model.ranges[known] = (wanted, value, index);
            }
        }
        1 | 2 if model.ranges.len() > aim => {
            let (range, value, index) = model.ranges.remove(known);
            if random.below(2) == 0 {
                assert_eq!(tree.remove(index), Some((range, value)));
            } else {
                tree.discard(index);
            }
            assert_eq!(tree.remove(index), None);
            assert_eq!(tree.range(index), None);
        }
        _ => {
            let range = some_range(random, 24);
            let value = random.next_u64();
            match (
                model.overlapping(&range),
                tree.try_insert(range.clone(), value),
            ) {
                (None, Ok(index)) => model.insert(range, value, index),
                (Some(met), Err(refused)) => {
                    let why = Refusal::Overlap(met);
                    assert_eq!(refused, Refused { why, value });
                }
                (met, _) => panic!("the model says that {range:?} overlaps {met:?}"),
            }
        }
    }
}

#[test]
fn random_changes_agree_with_the_model() {
    for seed in 0..8 {
        let mut random = Random::new(seed);
        let mut tree = IntervalTree::new(GRANULARITY);
        let mut model = Model::default();
        for step in 0..1500u32 {
            let aim = if step % 500 < 250 { 90 } else { 3 };
            change(&mut random, &mut tree, &mut model, aim);
            model.agrees(&tree);
            let address = random.below(END);
            assert_eq!(tree.find(address), model.find(address));
            let range = some_range(&mut random, 200);
            assert_eq!(
                tree.first_overlapping(range.clone()),
                model.overlapping(&range)
            );
            assert!(
                tree.overlapping(range.clone())
                    .all(|(_, known, _)| known.start.max(range.start) < known.end.min(range.end))
            );
        }
    }
}

#[test]
fn gaps_agree_with_brute_force() {
    for seed in 100..104 {
        let mut random = Random::new(seed);
        let mut tree = IntervalTree::new(GRANULARITY);
        let mut model = Model::default();
        for step in 0..1000u32 {
            let aim = if step % 300 < 200 { 100 } else { 2 };
            change(&mut random, &mut tree, &mut model, aim);
            for alignment in [1, 4, GRANULARITY, 64] {
                let length = 1 + random.below(60);
                let window = match random.below(4) {
                    0 => 0..END,
                    _ => some_range(&mut random, END),
                };
                let (lowest, highest) = model.gaps(length, alignment, &window);
                let said = "length, alignment, window";
                let what = (length, alignment, window.clone());
                let found = tree.lowest_gap(length, alignment, window.clone());
                assert_eq!(found, lowest, "{said} {what:?}");
                let found = tree.highest_gap(length, alignment, window);
                assert_eq!(found, highest, "{said} {what:?}");
            }
        }
    }
}

/// 64 KiB granularity and ranges of whole pages, as programs leave them behind: a search looks at no more frames than
/// a few paths have, though hundreds of thousands of gaps are too narrow or badly placed.
#[test]
fn a_search_for_a_gap_stays_near_a_few_paths() {
    const PAGE: u64 = 0x1000;
    const UNIT: u64 = 0x1_0000;
    let mut random = Random::new(7);
    let mut tree = IntervalTree::new(UNIT);
    let count = 100_000;
    for number in 0..count {
        let start = number * 2 * UNIT + random.below(16) * PAGE;
        let range = start..start + (1 + random.below(16)) * PAGE;
        tree.try_insert(range, ()).expect("the slots are apart");
    }
    tree.check().expect("the tree is sound");
    let height = usize::from(tree.height(tree.root));
    assert!(height <= 30, "1.82 log2 100,000");
    let all = count * 2 * UNIT;
    for _ in 0..2000 {
        let length = (1 + random.below(40)) * PAGE;
        let low = random.below(all);
        let window = low..low + random.below(all - low);
        for alignment in [PAGE, UNIT] {
            for side in [Side::Lower, Side::Higher] {
                let (_, visits) = tree.find_gap(length, alignment, window.clone(), side);
                // Three paths: along either end of the window, and to the answer; beside each, the other child.
                assert!(
                    visits <= 6 * height,
                    "{visits} for {length:#x} in {window:x?}"
                );
            }
        }
    }
}

#[test]
fn the_ends_of_the_address_space_are_no_exception() {
    let mut tree = IntervalTree::new(0x1000);
    assert_eq!(tree.lowest_gap(0x1000, 0x1000, 0..u64::MAX), Some(0));
    let last_page = u64::MAX - 0xFFF;
    assert_eq!(
        tree.highest_gap(0xFFF, 0x1000, 0..u64::MAX),
        Some(last_page)
    );
    assert_eq!(
        tree.highest_gap(0x1000, 0x1000, 0..u64::MAX),
        Some(last_page - 0x1000),
        "the last byte is out of reach"
    );
    assert_eq!(tree.lowest_gap(u64::MAX, 1, 0..u64::MAX), Some(0));
    let whole = tree.try_insert(0..u64::MAX, 'a').expect("it is empty");
    assert_eq!(tree.lowest_gap(1, 1, 0..u64::MAX), None);
    assert_eq!(tree.find(u64::MAX - 1), Some(whole));
    assert_eq!(tree.find(u64::MAX), None);
    tree.resize(whole, last_page..u64::MAX).expect("it shrinks");
    assert_eq!(tree.lowest_gap(1, 1 << 63, 1..u64::MAX), Some(1 << 63));
    assert_eq!(tree.lowest_gap(1, 1 << 63, (1 << 63) + 1..u64::MAX), None);
    tree.check().expect("the tree is sound");
}

#[test]
fn what_cannot_be_asked_for_is_not_found() {
    let mut tree = IntervalTree::new(3);
    assert_eq!(tree.lowest_gap(0, 1, 0..100), None);
    assert_eq!(tree.lowest_gap(1, 0, 0..100), None);
    assert_eq!(tree.lowest_gap(1, 3, 0..100), None);
    assert_eq!(tree.lowest_gap(1, 1, 100..100), None);
    let backwards = Range { start: 9, end: 5 };
    for range in [5..5, backwards.clone()] {
        let refused = tree.try_insert(range, 'x').expect_err("it is empty");
        assert_eq!((refused.why, refused.value), (Refusal::Empty, 'x'));
    }
    let index = tree.try_insert(0..20, 'y').expect("it is empty");
    assert_eq!(tree.first_overlapping(7..7), None);
    assert_eq!(tree.highest_gap(1, 1, backwards.clone()), None);
    assert_eq!(tree.overlapping(backwards).count(), 0);
    assert_eq!(tree.resize(index, 4..4), Err(Refusal::Empty));
    tree.remove(index).expect("it is there");
    assert_eq!(tree.resize(index, 0..10), Err(Refusal::Gone));
    assert_eq!((tree.next(index), tree.previous(index)), (None, None));
}

#[test]
fn without_memory_the_tree_stays_as_it_was() {
    let mut tree = IntervalTree::new(1);
    tree.set_limit(3);
    let kept: Vec<_> = (0..3)
        .map(|number| {
            tree.try_insert(number * 10..number * 10 + 5, vec![number])
                .expect("within the limit")
        })
        .collect();
    let refused = tree.try_insert(50..60, vec![9]).expect_err("at the limit");
    assert_eq!((refused.why, refused.value), (Refusal::NoMemory, vec![9]));
    assert_eq!(tree.reserve(1), Err(NoMemory));
    assert_eq!(tree.reserve(usize::MAX), Err(NoMemory));
    tree.check().expect("the tree is sound");
    assert!(tree.iter().map(|(index, ..)| index).eq(kept.clone()));
    assert_eq!(tree.remove(kept[1]), Some((10..15, vec![1])));
    tree.reserve(1).expect("there is room again");
    let again = tree.try_insert(50..60, vec![9]).expect("as promised");
    assert_eq!(tree.get(again), Some(&vec![9]));
    tree.get_mut(again).expect("it is there").push(10);
    assert_eq!(tree.get(again), Some(&vec![9, 10]));
    tree.set_limit(usize::MAX);
    assert_eq!(tree.reserve(u32::MAX as usize), Err(NoMemory));
}

#[test]
fn ascending_descending_and_inside_out_are_balanced() {
    let count = 4096u64;
    let orders: [fn(u64) -> u64; 3] = [
        |number| number,
        |number| 4095 - number,
        |number| number.reverse_bits() >> 52,
    ];
    for order in orders {
        let mut tree = IntervalTree::new(1);
        for number in (0..count).map(order) {
            tree.try_insert(number..number + 1, ())
                .expect("numbers differ");
        }
        tree.check().expect("the tree is sound");
        assert!(tree.height(tree.root) <= 21, "1.82 log2 4096");
        assert_eq!(tree.lowest_gap(1, 1, 0..count + 1), Some(count));
        while let Some(first) = tree.first() {
            tree.remove(first).expect("it is there");
        }
        tree.check().expect("the tree is sound");
    }
}

/// What a program does all day: it must not turn nodes to and fro.
#[test]
fn to_insert_and_remove_at_one_place_leaves_all_others_where_they_are() {
    const PAGE: u64 = 0x1000;
    const UNIT: u64 = 0x1_0000;
    for count in 1..200u64 {
        let mut tree = IntervalTree::new(PAGE);
        for number in 0..count {
            tree.try_insert(number * UNIT..number * UNIT + PAGE, ())
                .expect("numbers differ");
        }
        let place = |at: u64| at * UNIT + PAGE..at * UNIT + 2 * PAGE;
        for at in [0, count / 2, count - 1] {
            // The first time may find a node that cannot bear one level more.
            for first in [true, false] {
                let links = |tree: &IntervalTree<()>| {
                    let nodes = tree.iter().map(|(index, range, ())| (index, range));
                    nodes
                        .filter(|(_, range)| *range != place(at))
                        .map(|(index, _)| (index, tree.node(index).parent))
                        .collect::<Vec<_>>()
                };
                let before = links(&tree);
                let index = tree.try_insert(place(at), ()).expect("it is free");
                if !first {
                    assert_eq!(links(&tree), before, "{at} of {count}");
                }
                tree.remove(index);
                if !first {
                    assert_eq!(links(&tree), before, "{at} of {count}");
                }
            }
        }
    }
}
