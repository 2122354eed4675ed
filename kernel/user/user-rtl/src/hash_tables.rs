//! Hash tables that grow by a chain at a time: `RTL_DYNAMIC_HASH_TABLE`.
//!
//! Entries are the caller's, with a signature by which they are found; several may have the same. The chain of an entry
//! follows from the low bits of its hash: of n bits for the chains that were not yet split since the number of chains was
//! 2^n, of one more for those that were, and for their new halves (Larson, "Dynamic Hash Tables", 1988, which calls it linear
//! hashing). `Pivot` is the chain that is split next. Nothing grows by itself: the owner calls `RtlExpandHashTable`.
//!
//! In a chain entries are ordered by signature. An enumerator is an entry with a signature that no other one has, and
//! stands behind the one that it gave last, so entries may come and go meanwhile; only the chains stay as they are.

use c_interface::{Ptr, blocks, exports, field};
use nt_abi::native::{ListEntry, Only64, Pointer};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `RTL_DYNAMIC_HASH_TABLE_ENTRY`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct HashEntry {
    linkage: ListEntry,
    signature: Pointer,
}

/// `RTL_DYNAMIC_HASH_TABLE_CONTEXT`: a place in a chain.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct HashContext {
    chain_head: Pointer,
    previous_linkage: Pointer,
    signature: Pointer,
}

/// `RTL_DYNAMIC_HASH_TABLE_ENUMERATOR`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct HashEnumerator {
    entry: HashEntry,
    chain_head: Pointer,
    bucket_index: u32,
    reserved: Only64<u32>,
}

/// `RTL_DYNAMIC_HASH_TABLE`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct HashTable {
    flags: u32,
    shift: u32,
    table_size: u32,
    pivot: u32,
    divisor_mask: u32,
    entries: u32,
    non_empty_buckets: u32,
    enumerators: u32,
    directory: Pointer,
}

const WIDE: bool = size_of::<usize>() == 8;
const _: () = assert!(size_of::<HashTable>() == if WIDE { 40 } else { 36 });
const _: () = assert!(size_of::<HashEnumerator>() == if WIDE { 40 } else { 20 });

type Table = Ptr<HashTable>;
type Entry = Ptr<HashEntry>;
type Link = Ptr<ListEntry>;

/// `RTL_HASH_ALLOCATED_HEADER`: the table's own structure is in a block too.
const ALLOCATED_HEADER: u32 = 1;
/// `RTL_HASH_RESERVED_SIGNATURE`: an enumerator's.
const RESERVED: Pointer = 0;
/// What an entry gets in place of the reserved one.
const ALTERNATIVE: Pointer = 1;
/// The chains of a new table, and the fewest.
const FEWEST: u32 = 128;
/// The most chains.
const MOST: u32 = 1 << 26;
/// The blocks of chains: the first has the fewest, each other one as many as all before it.
const LEVELS: u32 = 20;

fn place(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn next(link: Link) -> Link {
    Ptr::at(field!(link, ListEntry, flink).read())
}

fn previous(link: Link) -> Link {
    Ptr::at(field!(link, ListEntry, blink).read())
}

fn insert_behind(before: Link, link: Link) {
    let after = next(before);
    link.write(ListEntry {
        flink: after.raw(),
        blink: before.raw(),
    });
    field!(before, ListEntry, flink).write(link.raw());
    field!(after, ListEntry, blink).write(link.raw());
}

fn take_out(link: Link) {
    let (before, after) = (previous(link), next(link));
    field!(before, ListEntry, flink).write(after.raw());
    field!(after, ListEntry, blink).write(before.raw());
}

fn is_empty(head: Link) -> bool {
    next(head) == head
}

fn signature(link: Link) -> Pointer {
    field!(link.cast::<HashEntry>(), HashEntry, signature).read()
}

/// The number of the block that a chain is in, and its place there.
fn level_of(bucket: u32) -> (u32, u32) {
    match (bucket / FEWEST).checked_ilog2() {
        Some(doublings) => (doublings + 1, bucket - (FEWEST << doublings)),
        None => (0, bucket),
    }
}

/// How many chains a block has.
fn level_size(level: u32) -> u32 {
    FEWEST << level.saturating_sub(1)
}

fn directory(table: Table, level: u32) -> Ptr<Pointer> {
    let directory = field!(table, HashTable, directory).read();
    Ptr::<Pointer>::at(directory).add(place(level))
}

fn chain(table: Table, bucket: u32) -> Link {
    let (level, index) = level_of(bucket);
    Link::at(directory(table, level).read()).add(place(index))
}

/// The chain of a signature.
fn bucket_of(table: &HashTable, signature: Pointer) -> u32 {
    let shifted = signature.checked_shr(table.shift).unwrap_or_default();
    let [a, b, c, d, ..] = shifted.to_le_bytes();
    // The low bits choose: they have to depend on all of them.
    let product = u32::from_le_bytes([a, b, c, d]).wrapping_mul(0x9E37_79B1);
    let hash = product ^ product >> 15;
    let bucket = hash & table.divisor_mask;
    if bucket < table.pivot {
        hash & (table.divisor_mask << 1 | 1)
    } else {
        bucket
    }
}

/// Where entries of a signature begin: the link before them.
fn find(table: Table, signature_wanted: Pointer) -> HashContext {
    let head = chain(table, bucket_of(&table.read(), signature_wanted));
    let mut before = head;
    loop {
        let link = next(before);
        if link == head || signature(link) >= signature_wanted && signature(link) != RESERVED {
            break;
        }
        before = link;
    }
    HashContext {
        chain_head: head.raw(),
        previous_linkage: before.raw(),
        signature: signature_wanted,
    }
}

/// The next entry behind a link, past enumerators.
fn entry_behind(head: Link, mut link: Link) -> Option<Link> {
    loop {
        link = next(link);
        if link == head {
            return None;
        }
        if signature(link) != RESERVED {
            return Some(link);
        }
    }
}

fn count(field: Ptr<u32>, more: i32) {
    field.write(field.read().wrapping_add_signed(more));
}

/// Makes the block of a level, if it is not there yet.
fn make_level(table: Table, level: u32) -> bool {
    let slot = directory(table, level);
    if slot.read() != 0 {
        return true;
    }
    let chains = place(level_size(level));
    let Some(block) = blocks::allocate(chains * size_of::<ListEntry>()) else {
        return false;
    };
    let links = block.cast::<ListEntry>();
    for index in 0..chains {
        let link = links.add(index);
        link.write(ListEntry {
            flink: link.raw(),
            blink: link.raw(),
        });
    }
    slot.write(links.raw());
    true
}

fn free_levels(table: Table) {
    for level in 0..LEVELS {
        blocks::free(Ptr::at(directory(table, level).read()));
    }
    blocks::free(Ptr::at(field!(table, HashTable, directory).read()));
}

fn create(made: Ptr<usize>, size: u32, shift: u32) -> bool {
    let size = if size == 0 { FEWEST } else { size };
    if !size.is_power_of_two() || !(FEWEST..=MOST).contains(&size) {
        return false;
    }
    let (table, flags) = match Table::new(made.read()).non_null() {
        Some(table) => (table, 0),
        None => match blocks::allocate(size_of::<HashTable>()) {
            Some(block) => (block.cast(), ALLOCATED_HEADER),
            None => return false,
        },
    };
    let bytes = place(LEVELS) * size_of::<Pointer>();
    let levels = blocks::allocate(bytes).unwrap_or_default();
    table.write(HashTable {
        flags,
        shift,
        table_size: size,
        divisor_mask: size - 1,
        directory: levels.raw(),
        ..HashTable::default()
    });
    if !levels.is_null() {
        levels.fill(0, bytes);
        let (last, _) = level_of(size - 1);
        if (0..=last).all(|level| make_level(table, level)) {
            made.write(table.address());
            return true;
        }
        free_levels(table);
    }
    if flags & ALLOCATED_HEADER != 0 {
        blocks::free(table.cast());
    }
    false
}

fn insert(table: Table, entry: Entry, wanted: Pointer, context: Ptr<HashContext>) {
    let wanted = if wanted == RESERVED {
        ALTERNATIVE
    } else {
        wanted
    };
    field!(entry, HashEntry, signature).write(wanted);
    let mut at = context.read_optional().unwrap_or_default();
    if at.chain_head == 0 {
        at = find(table, wanted);
        context.write_optional(at);
    }
    if is_empty(Ptr::at(at.chain_head)) {
        count(field!(table, HashTable, non_empty_buckets), 1);
    }
    insert_behind(
        Ptr::at(at.previous_linkage),
        field!(entry, HashEntry, linkage),
    );
    count(field!(table, HashTable, entries), 1);
}

fn remove(table: Table, entry: Entry, context: Ptr<HashContext>) {
    let link = field!(entry, HashEntry, linkage);
    // In a chain with one entry both neighbours are its head.
    let was_last = next(link) == previous(link);
    take_out(link);
    count(field!(table, HashTable, entries), -1);
    if was_last {
        count(field!(table, HashTable, non_empty_buckets), -1);
    }
    if context.read_optional().is_some_and(|at| at.chain_head == 0) {
        context.write(find(table, signature(link)));
    }
}

/// Puts an enumerator behind a link of a chain; chains that become empty or cease to be are counted.
fn move_enumerator(
    table: Table,
    enumerator: Ptr<HashEnumerator>,
    head: Link,
    behind: Link,
    bucket: u32,
) {
    let link = field!(enumerator, HashEnumerator, entry.linkage);
    let old_head = Link::at(field!(enumerator, HashEnumerator, chain_head).read());
    let non_empty = field!(table, HashTable, non_empty_buckets);
    if !old_head.is_null() {
        take_out(link);
        if is_empty(old_head) {
            count(non_empty, -1);
        }
    }
    if is_empty(head) {
        count(non_empty, 1);
    }
    insert_behind(behind, link);
    field!(enumerator, HashEnumerator, chain_head).write(head.raw());
    field!(enumerator, HashEnumerator, bucket_index).write(bucket);
}

fn begin_enumeration(table: Table, enumerator: Ptr<HashEnumerator>) {
    enumerator.write(HashEnumerator::default());
    let head = chain(table, 0);
    move_enumerator(table, enumerator, head, head, 0);
    count(field!(table, HashTable, enumerators), 1);
}

fn enumerate(table: Table, enumerator: Ptr<HashEnumerator>) -> Entry {
    let mut bucket = field!(enumerator, HashEnumerator, bucket_index).read();
    let mut behind = field!(enumerator, HashEnumerator, entry.linkage);
    while bucket < field!(table, HashTable, table_size).read() {
        let head = chain(table, bucket);
        if let Some(link) = entry_behind(head, behind) {
            move_enumerator(table, enumerator, head, link, bucket);
            return link.cast();
        }
        bucket += 1;
        if bucket < field!(table, HashTable, table_size).read() {
            behind = chain(table, bucket);
        }
    }
    Ptr::NULL
}

fn end_enumeration(table: Table, enumerator: Ptr<HashEnumerator>) {
    let head = Link::at(field!(enumerator, HashEnumerator, chain_head).read());
    if head.is_null() {
        return;
    }
    take_out(field!(enumerator, HashEnumerator, entry.linkage));
    if is_empty(head) {
        count(field!(table, HashTable, non_empty_buckets), -1);
    }
    field!(enumerator, HashEnumerator, chain_head).write(0);
    count(field!(table, HashTable, enumerators), -1);
}

/// Splits the chain of the pivot.
fn expand(table: Table) -> bool {
    let mut header = table.read();
    let new_bucket = header.table_size;
    if header.enumerators != 0 || new_bucket >= MOST || !make_level(table, level_of(new_bucket).0) {
        return false;
    }
    let (old, new) = (chain(table, header.pivot), chain(table, new_bucket));
    let was_empty = is_empty(old);
    header.table_size += 1;
    header.pivot += 1;
    if header.pivot > header.divisor_mask {
        header.divisor_mask = header.divisor_mask << 1 | 1;
        header.pivot = 0;
    }
    let mut link = next(old);
    while link != old {
        let after = next(link);
        if bucket_of(&header, signature(link)) == new_bucket {
            take_out(link);
            insert_behind(previous(new), link);
        }
        link = after;
    }
    if !was_empty && !is_empty(old) && !is_empty(new) {
        header.non_empty_buckets += 1;
    }
    table.write(header);
    true
}

/// Joins the last chain with the one that it was split from.
fn contract(table: Table) -> bool {
    let mut header = table.read();
    if header.enumerators != 0 || header.table_size <= FEWEST {
        return false;
    }
    if header.pivot == 0 {
        header.divisor_mask >>= 1;
        header.pivot = header.divisor_mask;
    } else {
        header.pivot -= 1;
    }
    header.table_size -= 1;
    let (old, joined) = (chain(table, header.table_size), chain(table, header.pivot));
    if !is_empty(old) && !is_empty(joined) {
        header.non_empty_buckets -= 1;
    }
    let mut place = joined;
    let mut link = next(old);
    while link != old {
        let after = next(link);
        while next(place) != joined && signature(next(place)) <= signature(link) {
            place = next(place);
        }
        take_out(link);
        insert_behind(place, link);
        place = link;
        link = after;
    }
    table.write(header);
    true
}

exports! {
    /// Makes a table, in memory of the caller's if `made` says some; 0 if there is no memory (`BOOLEAN`).
    fn RtlCreateHashTable(made: Ptr<usize>, shift: u32, _flags: u32) -> u8 {
        u8::from(create(made, 0, shift))
    }

    /// As `RtlCreateHashTable`, with so many chains, a power of two.
    fn RtlCreateHashTableEx(made: Ptr<usize>, size: u32, shift: u32, _flags: u32) -> u8 {
        u8::from(create(made, size, shift))
    }

    /// Frees a table; its entries stay the caller's.
    fn RtlDeleteHashTable(table: Table) {
        free_levels(table);
        if field!(table, HashTable, flags).read() & ALLOCATED_HEADER != 0 {
            blocks::free(table.cast());
        }
    }

    /// Adds an entry, at the place of the context if that has one; 1 (`BOOLEAN`).
    fn RtlInsertEntryHashTable(table: Table, entry: Entry, signature: usize, context: Ptr<HashContext>) -> u8 {
        insert(table, entry, Ptr::<u8>::new(signature).raw(), context);
        1
    }

    /// Takes an entry out; a context without a place gets that of the entry; 1 (`BOOLEAN`).
    fn RtlRemoveEntryHashTable(table: Table, entry: Entry, context: Ptr<HashContext>) -> u8 {
        remove(table, entry, context);
        1
    }

    /// The first entry with a signature; null if there is none. The context is for the ones behind it.
    fn RtlLookupEntryHashTable(table: Table, wanted: usize, context: Ptr<HashContext>) -> Entry {
        let wanted = match Ptr::<u8>::new(wanted).raw() {
            RESERVED => ALTERNATIVE,
            wanted => wanted,
        };
        let at = find(table, wanted);
        context.write_optional(at);
        match entry_behind(Ptr::at(at.chain_head), Ptr::at(at.previous_linkage)) {
            Some(link) if signature(link) == wanted => link.cast(),
            _ => Ptr::NULL,
        }
    }

    /// The next entry with the signature of the one before; null behind the last.
    fn RtlGetNextEntryHashTable(_table: Table, context: Ptr<HashContext>) -> Entry {
        let at = context.read();
        let head = Link::at(at.chain_head);
        let Some(current) = entry_behind(head, Ptr::at(at.previous_linkage)) else { return Ptr::NULL };
        match entry_behind(head, current) {
            Some(link) if signature(link) == at.signature => {
                field!(context, HashContext, previous_linkage).write(previous(link).raw());
                link.cast()
            }
            _ => Ptr::NULL,
        }
    }

    /// Begins to go through all entries; 1 (`BOOLEAN`).
    fn RtlInitEnumerationHashTable(table: Table, enumerator: Ptr<HashEnumerator>) -> u8 {
        begin_enumeration(table, enumerator);
        1
    }

    /// The next entry; null behind the last.
    fn RtlEnumerateEntryHashTable(table: Table, enumerator: Ptr<HashEnumerator>) -> Entry {
        enumerate(table, enumerator)
    }

    /// Ends going through the entries.
    fn RtlEndEnumerationHashTable(table: Table, enumerator: Ptr<HashEnumerator>) {
        end_enumeration(table, enumerator);
    }

    /// As `RtlInitEnumerationHashTable`.
    fn RtlInitWeakEnumerationHashTable(table: Table, enumerator: Ptr<HashEnumerator>) -> u8 {
        begin_enumeration(table, enumerator);
        1
    }

    /// As `RtlEnumerateEntryHashTable`.
    fn RtlWeaklyEnumerateEntryHashTable(table: Table, enumerator: Ptr<HashEnumerator>) -> Entry {
        enumerate(table, enumerator)
    }

    /// As `RtlEndEnumerationHashTable`.
    fn RtlEndWeakEnumerationHashTable(table: Table, enumerator: Ptr<HashEnumerator>) {
        end_enumeration(table, enumerator);
    }

    /// As `RtlInitEnumerationHashTable`.
    fn RtlInitStrongEnumerationHashTable(table: Table, enumerator: Ptr<HashEnumerator>) -> u8 {
        begin_enumeration(table, enumerator);
        1
    }

    /// As `RtlEnumerateEntryHashTable`.
    fn RtlStronglyEnumerateEntryHashTable(table: Table, enumerator: Ptr<HashEnumerator>) -> Entry {
        enumerate(table, enumerator)
    }

    /// As `RtlEndEnumerationHashTable`.
    fn RtlEndStrongEnumerationHashTable(table: Table, enumerator: Ptr<HashEnumerator>) {
        end_enumeration(table, enumerator);
    }

    /// Makes one chain more; 0 if there is no memory, or entries are being gone through (`BOOLEAN`).
    fn RtlExpandHashTable(table: Table) -> u8 {
        u8::from(expand(table))
    }

    /// Makes one chain less; 0 if there are few, or entries are being gone through (`BOOLEAN`).
    fn RtlContractHashTable(table: Table) -> u8 {
        u8::from(contract(table))
    }
}

#[cfg(test)]
mod tests;
