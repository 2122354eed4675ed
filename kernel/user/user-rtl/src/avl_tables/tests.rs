//! Tables against a sorted set, with every balance looked at.

extern crate std;

use std::collections::BTreeSet;
use std::vec::Vec;

use rtl::Random;

use super::*;

extern "system" fn compare_u32(_table: Table, left: Ptr<u8>, right: Ptr<u8>) -> u32 {
    let (left, right) = (left.cast::<u32>().read(), right.cast::<u32>().read());
    match left.cmp(&right) {
        core::cmp::Ordering::Less => 0,
        core::cmp::Ordering::Greater => 1,
        core::cmp::Ordering::Equal => 2,
    }
}

/// Tens are equal.
extern "system" fn compare_tens(table: Table, left: Ptr<u8>, right: Ptr<u8>) -> u32 {
    let mut left = left.cast::<u32>().read() / 10;
    let mut right = right.cast::<u32>().read() / 10;
    compare_u32(table, Ptr::of(&mut left).cast(), Ptr::of(&mut right).cast())
}

extern "system" fn allocate(_table: Table, size: u32) -> Ptr<u8> {
    c_interface::blocks::allocate(size as usize).expect("memory")
}

extern "system" fn no_memory(_table: Table, _size: u32) -> Ptr<u8> {
    Ptr::NULL
}

extern "system" fn free(_table: Table, element: Ptr<u8>) {
    c_interface::blocks::free(element);
}

fn new_table(table: Table, compare: extern "system" fn(Table, Ptr<u8>, Ptr<u8>) -> u32) {
    RtlInitializeGenericTableAvl(
        table,
        Function::new(compare as *const () as usize),
        Function::new(allocate as *const () as usize),
        Function::new(free as *const () as usize),
        Ptr::NULL,
    );
}

fn value(element: Ptr<u8>) -> Option<u32> {
    element.cast::<u32>().read_optional()
}

fn insert_key(table: Table, mut key: u32) -> u8 {
    let mut is_new = 7;
    let element =
        RtlInsertElementGenericTableAvl(table, Ptr::of(&mut key).cast(), 4, Ptr::of(&mut is_new));
    assert_eq!(value(element), Some(key));
    is_new
}

fn delete_key(table: Table, mut key: u32) -> u8 {
    RtlDeleteElementGenericTableAvl(table, Ptr::of(&mut key).cast())
}

/// The levels below a node; every link and balance is looked at.
fn levels<L: Links>(node: Ptr<L::Node>) -> i8 {
    if node.is_null() {
        return 0;
    }
    let level = |side| {
        let below = L::child(node, side);
        assert!(below.is_null() || L::parent(below) == node);
        levels::<L>(below)
    };
    let (left, right) = (level(Side::Left), level(Side::Right));
    assert_eq!(L::balance(node), right - left);
    assert!((-1..=1).contains(&(right - left)));
    1 + left.max(right)
}

fn check(table: Table) {
    let root = TableLinks::root(table);
    let depth = u32::try_from(levels::<TableLinks>(root)).expect("positive");
    assert_eq!(table.read().depth_of_tree, depth);
    if !root.is_null() {
        assert_eq!(TableLinks::parent(root), above_root(table));
    }
}

#[test]
fn a_table_is_a_sorted_set_whose_tree_is_balanced() {
    let mut random = Random::new(4);
    let mut table = AvlTable::default();
    let table = Ptr::of(&mut table);
    new_table(table, compare_u32);
    let mut sorted = BTreeSet::new();
    for round in 0..4000 {
        let key = u32::try_from(random.index(120)).expect("small");
        // It grows, and shrinks again.
        if random.index(10) < if round < 2000 { 7 } else { 3 } {
            assert_eq!(insert_key(table, key), u8::from(sorted.insert(key)));
        } else {
            assert_eq!(delete_key(table, key), u8::from(sorted.remove(&key)));
        }
        check(table);
        let mut asked = key ^ 1;
        let found = value(RtlLookupElementGenericTableAvl(
            table,
            Ptr::of(&mut asked).cast(),
        ));
        assert_eq!(found, sorted.get(&asked).copied());
        let index = random.index(130);
        let nth = RtlGetElementGenericTableAvl(table, u32::try_from(index).expect("small"));
        assert_eq!(value(nth), sorted.iter().nth(index).copied());
        assert_eq!(
            RtlNumberGenericTableElementsAvl(table) as usize,
            sorted.len()
        );
    }
    let mut restart = 0;
    let all = core::iter::from_fn(|| {
        value(RtlEnumerateGenericTableWithoutSplayingAvl(
            table,
            Ptr::of(&mut restart),
        ))
    });
    assert!(all.eq(sorted.iter().copied()));
    for key in sorted {
        assert_eq!(delete_key(table, key), 1);
        check(table);
    }
    assert_eq!(RtlIsGenericTableEmptyAvl(table), 1);
}

#[test]
fn an_enumeration_survives_the_deletion_of_its_element() {
    let mut table = AvlTable::default();
    let table = Ptr::of(&mut table);
    new_table(table, compare_u32);
    (0..10).for_each(|key| _ = insert_key(table, key));
    assert_eq!(value(RtlEnumerateGenericTableAvl(table, 1)), Some(0));
    assert_eq!(value(RtlEnumerateGenericTableAvl(table, 0)), Some(1));
    delete_key(table, 1);
    assert_eq!(value(RtlEnumerateGenericTableAvl(table, 0)), Some(2));
    (3..10).for_each(|key| assert_eq!(value(RtlEnumerateGenericTableAvl(table, 0)), Some(key)));
    assert_eq!(value(RtlEnumerateGenericTableAvl(table, 0)), None);
}

#[test]
fn the_first_of_equals_is_found() {
    let mut table = AvlTable::default();
    let table = Ptr::of(&mut table);
    new_table(table, compare_u32);
    for key in [5, 31, 32, 33, 38, 47] {
        insert_key(table, key);
    }
    let compare = field!(table, AvlTable, compare_routine);
    compare.write(Ptr::<u8>::new(compare_tens as *const () as usize).raw());
    let (mut key, mut restart) = (35u32, 0);
    let first = RtlLookupFirstMatchingElementGenericTableAvl(
        table,
        Ptr::of(&mut key).cast(),
        Ptr::of(&mut restart),
    );
    assert_eq!(value(first), Some(31));
    let next = RtlEnumerateGenericTableWithoutSplayingAvl(table, Ptr::of(&mut restart));
    assert_eq!(value(next), Some(32));
    key = 22;
    let none = RtlLookupFirstMatchingElementGenericTableAvl(
        table,
        Ptr::of(&mut key).cast(),
        Ptr::of(&mut restart),
    );
    assert_eq!((value(none), restart), (None, 0));
}

extern "system" fn wants_even_below_8(_table: Table, element: Ptr<u8>, data: Ptr<u8>) -> NtStatus {
    assert_eq!(data.address(), 0x77);
    match element.cast::<u32>().read() {
        key if key >= 8 => NtStatus::NO_MORE_MATCHES,
        key if key % 2 == 1 => NtStatus::NO_MATCH,
        _ => NtStatus::SUCCESS,
    }
}

#[test]
fn a_directory_is_read_while_it_changes() {
    let mut table = AvlTable::default();
    let table = Ptr::of(&mut table);
    new_table(table, compare_u32);
    (0..12).for_each(|key| _ = insert_key(table, key));
    let (mut restart, mut deletions, mut buffer) = (0, 0, 0u32);
    let read = |next, restart: &mut usize, deletions: &mut u32, buffer: &mut u32| {
        let wants = Function::new(wants_even_below_8 as *const () as usize);
        let found = value(RtlEnumerateGenericTableLikeADirectory(
            table,
            wants,
            Ptr::new(0x77),
            next,
            Ptr::of(restart),
            Ptr::of(deletions),
            Ptr::of(buffer).cast(),
        ));
        *buffer = found.unwrap_or(*buffer);
        found
    };
    assert_eq!(read(0, &mut restart, &mut deletions, &mut buffer), Some(0));
    assert_eq!(
        read(0, &mut restart, &mut deletions, &mut buffer),
        Some(0),
        "again"
    );
    assert_eq!(read(1, &mut restart, &mut deletions, &mut buffer), Some(2));
    // The last one goes: the enumeration finds its place by the buffer.
    delete_key(table, 2);
    assert_eq!(read(1, &mut restart, &mut deletions, &mut buffer), Some(4));
    assert_eq!(deletions, 1);
    delete_key(table, 0);
    assert_eq!(read(1, &mut restart, &mut deletions, &mut buffer), Some(6));
    assert_eq!(read(1, &mut restart, &mut deletions, &mut buffer), None);
}

#[test]
fn an_owner_without_memory_gets_nothing() {
    let mut table = AvlTable::default();
    let table = Ptr::of(&mut table);
    new_table(table, compare_u32);
    let allocate = field!(table, AvlTable, allocate_routine);
    allocate.write(Ptr::<u8>::new(no_memory as *const () as usize).raw());
    let (mut key, mut is_new) = (1u32, 7);
    let element =
        RtlInsertElementGenericTableAvl(table, Ptr::of(&mut key).cast(), 4, Ptr::of(&mut is_new));
    assert_eq!((value(element), is_new), (None, 0));
    assert_eq!(RtlNumberGenericTableElementsAvl(table), 0);
}

#[test]
fn bare_trees_are_balanced_too() {
    let mut random = Random::new(9);
    let mut nodes: Vec<RtlBalancedNode> = (0..100).map(|_| RtlBalancedNode::default()).collect();
    let mut tree = AvlTree::default();
    let tree = Ptr::of(&mut tree);
    let first = Ptr::of(&mut nodes[0]);
    let key = |node: Ptr<RtlBalancedNode>| node.address();
    let mut sorted = BTreeSet::new();
    for _ in 0..3000 {
        let node = first.add(random.index(100));
        if sorted.insert(node) {
            let (mut above, mut right) = (Ptr::NULL, 0);
            let mut at = BareLinks::root(tree);
            while !at.is_null() {
                above = at;
                right = u8::from(key(node) > key(at));
                let side = if right == 0 { Side::Left } else { Side::Right };
                at = BareLinks::child(at, side);
            }
            RtlAvlInsertNodeEx(tree, above, right, node);
        } else {
            sorted.remove(&node);
            RtlAvlRemoveNode(tree, node);
        }
        levels::<BareLinks>(BareLinks::root(tree));
        let mut found = Vec::new();
        let mut at = BareLinks::root(tree);
        if !at.is_null() {
            at = avl::end::<BareLinks>(at, Side::Left);
        }
        while !at.is_null() {
            found.push(at);
            at = avl::neighbour::<BareLinks>(tree, at, Side::Right);
        }
        assert!(found.into_iter().eq(sorted.iter().copied()));
    }
}
