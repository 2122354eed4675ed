//! Tables against a map, while they grow and shrink, with every chain looked at.

extern crate std;

use std::collections::BTreeMap;
use std::vec::Vec;

use rtl::Random;

use super::*;

/// Entries whose places are their names.
struct Fixture {
    table: Table,
    entries: Vec<HashEntry>,
    /// Which entries are in the table, with their signatures.
    model: BTreeMap<usize, usize>,
}

impl Fixture {
    fn new() -> Self {
        let mut made = 0;
        assert_eq!(RtlCreateHashTable(Ptr::of(&mut made), 0, 0), 1);
        Self {
            table: Ptr::new(made),
            entries: std::vec![HashEntry::default(); 1000],
            model: BTreeMap::new(),
        }
    }

    fn entry(&mut self, number: usize) -> Entry {
        Ptr::of(&mut self.entries[0]).add(number)
    }

    fn number(&mut self, entry: Entry) -> usize {
        (entry.address() - self.entry(0).address()) / size_of::<HashEntry>()
    }

    fn insert(&mut self, number: usize, signature: usize) {
        let entry = self.entry(number);
        assert_eq!(
            RtlInsertEntryHashTable(self.table, entry, signature, Ptr::NULL),
            1
        );
        self.model.insert(number, signature);
    }

    fn remove(&mut self, number: usize) {
        let entry = self.entry(number);
        assert_eq!(RtlRemoveEntryHashTable(self.table, entry, Ptr::NULL), 1);
        self.model.remove(&number);
    }

    fn with_signature(&mut self, signature: usize) -> Vec<usize> {
        let mut context = HashContext::default();
        let context = Ptr::of(&mut context);
        let mut found = Vec::new();
        let mut entry = RtlLookupEntryHashTable(self.table, signature, context);
        while !entry.is_null() {
            found.push(self.number(entry));
            entry = RtlGetNextEntryHashTable(self.table, context);
        }
        found.sort_unstable();
        found
    }

    /// Counts, order and places of all chains.
    fn check(&mut self) {
        let header = self.table.read();
        assert_eq!(header.entries as usize, self.model.len());
        let mut non_empty = 0;
        for bucket in 0..header.table_size {
            let head = chain(self.table, bucket);
            non_empty += u32::from(!is_empty(head));
            let mut last = 0;
            let mut link = next(head);
            while link != head {
                assert_eq!(previous(next(link)), link);
                assert!(signature(link) >= last);
                last = signature(link);
                assert_eq!(bucket_of(&header, last), bucket);
                link = next(link);
            }
        }
        assert_eq!(header.non_empty_buckets, non_empty);
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        RtlDeleteHashTable(self.table);
    }
}

#[test]
fn entries_are_found_however_the_table_grows() {
    let mut random = Random::new(21);
    let mut fixture = Fixture::new();
    for round in 0..6000 {
        let number = random.index(1000);
        if fixture.model.contains_key(&number) {
            fixture.remove(number);
        } else {
            fixture.insert(number, 1 + random.index(300) * 8);
        }
        let grows = round < 3000;
        if random.index(3) == 0 {
            let changed = if grows {
                RtlExpandHashTable(fixture.table)
            } else {
                RtlContractHashTable(fixture.table)
            };
            assert!(changed == 1 || !grows);
        }
        let signature = 1 + random.index(300) * 8;
        let expected: Vec<usize> = fixture
            .model
            .iter()
            .filter(|(_, of_entry)| **of_entry == signature)
            .map(|(number, _)| *number)
            .collect();
        assert_eq!(fixture.with_signature(signature), expected);
        if round % 100 == 0 {
            fixture.check();
        }
    }
    while RtlContractHashTable(fixture.table) == 1 {}
    assert_eq!(fixture.table.read().table_size, FEWEST);
    fixture.check();
}

#[test]
fn an_enumeration_gives_each_entry_once_while_others_come_and_go() {
    let mut fixture = Fixture::new();
    (0..500).for_each(|number| fixture.insert(number, number * 3 + 1));
    let mut enumerator = HashEnumerator::default();
    let enumerator = Ptr::of(&mut enumerator);
    assert_eq!(RtlInitEnumerationHashTable(fixture.table, enumerator), 1);
    assert_eq!(
        RtlExpandHashTable(fixture.table),
        0,
        "the chains stay as they are"
    );
    let mut seen = Vec::new();
    let mut added = 500;
    loop {
        let entry = RtlEnumerateEntryHashTable(fixture.table, enumerator);
        if entry.is_null() {
            break;
        }
        let number = fixture.number(entry);
        seen.push(number);
        // The one that was given goes, and another one comes.
        if number < 500 && number.is_multiple_of(2) {
            fixture.remove(number);
        } else if added < 1000 && number.is_multiple_of(3) {
            fixture.insert(added, added * 5 + 1);
            added += 1;
        }
    }
    RtlEndEnumerationHashTable(fixture.table, enumerator);
    seen.sort_unstable();
    let unique = seen.len();
    seen.dedup();
    assert_eq!(seen.len(), unique);
    assert!((0..500).all(|number| seen.contains(&number)));
    fixture.check();
    assert_eq!(fixture.table.read().enumerators, 0);
}

#[test]
fn a_context_saves_a_search() {
    let mut fixture = Fixture::new();
    let mut context = HashContext::default();
    let context = Ptr::of(&mut context);
    assert!(RtlLookupEntryHashTable(fixture.table, 77, context).is_null());
    let entry = fixture.entry(0);
    RtlInsertEntryHashTable(fixture.table, entry, 77, context);
    assert_eq!(RtlLookupEntryHashTable(fixture.table, 77, Ptr::NULL), entry);
    // The reserved signature is another one.
    let other = fixture.entry(1);
    RtlInsertEntryHashTable(fixture.table, other, 0, Ptr::NULL);
    assert_eq!(RtlLookupEntryHashTable(fixture.table, 0, Ptr::NULL), other);
    assert_eq!(RtlLookupEntryHashTable(fixture.table, 1, Ptr::NULL), other);
}

#[test]
fn a_table_may_lie_in_the_callers_memory() {
    let mut header = HashTable::default();
    let mut made = Ptr::of(&mut header).address();
    assert_eq!(
        RtlCreateHashTableEx(Ptr::of(&mut made), 100, 0, 0),
        0,
        "no power of two"
    );
    assert_eq!(RtlCreateHashTableEx(Ptr::of(&mut made), 1024, 4, 0), 1);
    let table = Table::new(made);
    assert_eq!(made, Ptr::of(&mut header).address());
    assert_eq!(
        (table.read().table_size, table.read().divisor_mask),
        (1024, 1023)
    );
    RtlDeleteHashTable(table);
}
