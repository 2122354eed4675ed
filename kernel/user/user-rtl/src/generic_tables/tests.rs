//! Tables against a sorted set and a list of what came when.

extern crate std;

use std::collections::BTreeSet;
use std::vec::Vec;

use rtl::Random;

use super::*;

extern "system" fn compare(_table: Table, left: Ptr<u8>, right: Ptr<u8>) -> u32 {
    let (left, right) = (left.cast::<u32>().read(), right.cast::<u32>().read());
    match left.cmp(&right) {
        core::cmp::Ordering::Less => 0,
        core::cmp::Ordering::Greater => 1,
        core::cmp::Ordering::Equal => 2,
    }
}

extern "system" fn allocate(table: Table, size: u32) -> Ptr<u8> {
    let left = Ptr::<u32>::at(table.read().table_context);
    if left.read() == 0 {
        return Ptr::NULL;
    }
    left.write(left.read() - 1);
    c_interface::blocks::allocate(size as usize).expect("memory")
}

extern "system" fn free(table: Table, element: Ptr<u8>) {
    let left = Ptr::<u32>::at(table.read().table_context);
    left.write(left.read() + 1);
    c_interface::blocks::free(element);
}

fn new_table(table: Table, budget: Ptr<u32>) {
    let function = |address: *const ()| address as usize;
    RtlInitializeGenericTable(
        table,
        Function::new(function(compare as *const ())),
        Function::new(function(allocate as *const ())),
        Function::new(function(free as *const ())),
        budget.cast(),
    );
}

fn value(element: Ptr<u8>) -> Option<u32> {
    element.cast::<u32>().read_optional()
}

fn insert_key(table: Table, mut key: u32) -> (Option<u32>, u8) {
    let mut is_new = 7;
    let element =
        RtlInsertElementGenericTable(table, Ptr::of(&mut key).cast(), 4, Ptr::of(&mut is_new));
    (value(element), is_new)
}

#[test]
fn a_table_is_a_sorted_set_that_knows_its_history() {
    let mut random = Random::new(3);
    let (mut table, mut budget) = (GenericTable::default(), 1000);
    let table = Ptr::of(&mut table);
    new_table(table, Ptr::of(&mut budget));
    let mut sorted = BTreeSet::new();
    let mut history = Vec::new();
    for _ in 0..3000 {
        let mut key = u32::try_from(random.index(80)).expect("small");
        let key_at = Ptr::of(&mut key).cast::<u8>();
        match random.index(4) {
            0 | 1 => {
                let is_new = sorted.insert(key_at.cast::<u32>().read());
                let key = key_at.cast::<u32>().read();
                assert_eq!(insert_key(table, key), (Some(key), u8::from(is_new)));
                if is_new {
                    history.push(key);
                }
            }
            2 => {
                let key = key_at.cast::<u32>().read();
                let was = sorted.remove(&key);
                assert_eq!(RtlDeleteElementGenericTable(table, key_at), u8::from(was));
                history.retain(|old| *old != key);
            }
            _ => {
                let key = key_at.cast::<u32>().read();
                let found = value(RtlLookupElementGenericTable(table, key_at));
                assert_eq!(found, sorted.get(&key).copied());
            }
        }
        assert_eq!(RtlNumberGenericTableElements(table) as usize, sorted.len());
        assert_eq!(RtlIsGenericTableEmpty(table), u8::from(sorted.is_empty()));
        let index = random.index(90);
        let nth = RtlGetElementGenericTable(table, u32::try_from(index).expect("small"));
        assert_eq!(value(nth), history.get(index).copied());
    }
    let mut restart = 0;
    let all = core::iter::from_fn(|| {
        value(RtlEnumerateGenericTableWithoutSplaying(
            table,
            Ptr::of(&mut restart),
        ))
    });
    assert!(all.eq(sorted.iter().copied()));
    let mut first = 1;
    let all = core::iter::from_fn(|| {
        let element = RtlEnumerateGenericTable(table, first);
        first = 0;
        value(element)
    });
    assert!(all.eq(sorted.iter().copied()));
    for (index, key) in (0..).zip(&history) {
        assert_eq!(value(RtlGetElementGenericTable(table, index)), Some(*key));
    }
    for mut key in sorted {
        assert_eq!(
            RtlDeleteElementGenericTable(table, Ptr::of(&mut key).cast()),
            1
        );
    }
    assert_eq!(budget, 1000, "every element was given back");
}

#[test]
fn an_owner_without_memory_gets_nothing() {
    let (mut table, mut budget) = (GenericTable::default(), 1);
    let table = Ptr::of(&mut table);
    new_table(table, Ptr::of(&mut budget));
    assert_eq!(insert_key(table, 5), (Some(5), 1));
    assert_eq!(insert_key(table, 6), (None, 0));
    assert_eq!(insert_key(table, 5), (Some(5), 0));
    assert_eq!(RtlNumberGenericTableElements(table), 1);
}

#[test]
fn a_full_lookup_says_where_the_element_would_be() {
    let (mut table, mut budget) = (GenericTable::default(), 10);
    let table = Ptr::of(&mut table);
    new_table(table, Ptr::of(&mut budget));
    let (mut node, mut result) = (1, 9);
    let look = |mut key: u32, node: &mut usize, result: &mut u32| {
        let key = Ptr::of(&mut key).cast();
        value(RtlLookupElementGenericTableFull(
            table,
            key,
            Ptr::of(node),
            Ptr::of(result),
        ))
    };
    assert_eq!(look(5, &mut node, &mut result), None);
    assert_eq!((node, result), (0, 0));
    insert_key(table, 5);
    assert_eq!(look(5, &mut node, &mut result), Some(5));
    assert_eq!(result, 1);
    assert_eq!(look(4, &mut node, &mut result), None);
    assert_eq!(result, 2);
    let (mut key, mut is_new) = (4u32, 0);
    let element = RtlInsertElementGenericTableFull(
        table,
        Ptr::of(&mut key).cast(),
        4,
        Ptr::of(&mut is_new),
        Ptr::new(node),
        result,
    );
    assert_eq!((value(element), is_new), (Some(4), 1));
    assert_eq!(look(6, &mut node, &mut result), None);
    assert_eq!(result, 3);
}
