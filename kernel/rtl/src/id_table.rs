//! Numbers for things, as NT gives them out: handles, process and thread numbers.
//!
//! A value is four times the index of an entry. NT leaves the two low bits to the programs, which mark their handles
//! with them, so a lookup ignores them; and it never gives 0, which means "none" everywhere.
//!
//! A table may have one entry or sixteen million, and a lookup must be three steps for both: pages of 256 entries,
//! found through two levels of lists. Each level takes eight bits of the index. Nothing moves when a table grows but
//! the short lists, and no single request for memory is longer than a page of entries.
//!
//! Which free value comes next is a promise that somebody relies on, see [`Reuse`].
//!
//! # Locks
//! None inside: the owner locks.
//!
//! # NT
//! `HANDLE_TABLE`, `ExCreateHandle`, `ExDestroyHandle`.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use crate::NoMemory;

/// Entries per page, and pages per list.
const FAN: usize = 256;
/// The most entries of a table: all indexes of 24 bits but 0.
pub const MOST: usize = (1 << 24) - 1;

/// The number that an entry is known by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Value(pub u32);

impl Value {
    const fn of(index: u32) -> Self {
        Self(index << 2)
    }

    const fn index(self) -> u32 {
        self.0 >> 2
    }
}

/// Which of the free values is given next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reuse {
    /// The one that was freed last, as NT does it for handles. Its page is warm in the cache, a table stays as small
    /// as it can, and old programs that close a handle and open the next expect to see the same number.
    LastFreed,
    /// The one that was freed first, and only when all new values of the page are used up, as NT does it for process
    /// and thread numbers: somebody may still hold the number of one that is gone, and should not meet another under
    /// it soon.
    FirstFreed,
}

enum Entry<T> {
    /// Given to nobody; in the list of the freed, the one to be given after it.
    Free {
        next: Option<NonZeroU32>,
    },
    Used(T),
}

type Page<T> = Vec<Entry<T>>;

/// Memory for a page more, which who holds a spin lock asks for before: see [`IdTable::grow_by`].
pub struct Spare<T> {
    page: Page<T>,
    list: Vec<Page<T>>,
    lists: Vec<Vec<Page<T>>>,
}

impl<T> Spare<T> {
    /// As much as any table may need.
    ///
    /// # Errors
    /// [`NoMemory`].
    pub fn new() -> Result<Self, NoMemory> {
        let mut spare = Self {
            page: free_page()?,
            list: Vec::new(),
            lists: Vec::new(),
        };
        spare.list.try_reserve_exact(FAN)?;
        spare.lists.try_reserve_exact(FAN)?;
        Ok(spare)
    }
}

/// A page all of whose entries are free.
fn free_page<T>() -> Result<Page<T>, NoMemory> {
    let mut page = Page::new();
    page.try_reserve_exact(FAN)?;
    page.extend(core::iter::repeat_with(|| Entry::Free { next: None }).take(FAN));
    Ok(page)
}

/// A table of entries by value.
pub struct IdTable<T> {
    /// By the index's high, middle and low eight bits. Every page that is there is whole.
    pages: Vec<Vec<Page<T>>>,
    reuse: Reuse,
    /// Indexes below this one have an entry.
    allocated: u32,
    /// Indexes from this one on were never given.
    fresh: u32,
    /// The freed ones: the next to be given, and the last.
    free: Option<(NonZeroU32, NonZeroU32)>,
    used: usize,
    limit: usize,
}

impl<T> IdTable<T> {
    /// An empty table, which holds no memory yet.
    pub const fn new(reuse: Reuse) -> Self {
        Self {
            pages: Vec::new(),
            reuse,
            allocated: 0,
            fresh: 1,
            free: None,
            used: 0,
            limit: MOST,
        }
    }

    /// How many entries there are.
    pub const fn len(&self) -> usize {
        self.used
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// The most entries that are allowed.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Allows at most `limit` entries, and [`MOST`] in any case. Entries beyond it stay until they are removed.
    pub const fn set_limit(&mut self, limit: usize) {
        self.limit = if limit < MOST { limit } else { MOST };
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// [`NoMemory`], also at the limit. The table is then as it was, and the entry is dropped; who must not lose it
    /// calls [`reserve`](Self::reserve) first.
    #[doc(alias = "ExCreateHandle")]
    pub fn insert(&mut self, entry: T) -> Result<Value, NoMemory> {
        self.insert_with(|| entry)
    }

    /// Adds an entry that is made only if it can be added.
    ///
    /// # Errors
    /// [`NoMemory`], also at the limit. The table is then as it was.
    #[inline]
    pub fn insert_with(&mut self, entry: impl FnOnce() -> T) -> Result<Value, NoMemory> {
        self.reserve()?;
        let fresh_first = self.reuse == Reuse::FirstFreed && self.fresh < self.allocated;
        let index = match self.free {
            Some((first, _)) if !fresh_first => first.get(),
            _ => self.fresh,
        };
        let slot = self.entry_mut(index).ok_or(NoMemory)?;
        let previous = core::mem::replace(slot, Entry::Used(entry()));
        if index == self.fresh {
            self.fresh += 1;
        } else if let (Entry::Free { next }, Some((_, last))) = (previous, self.free) {
            self.free = next.map(|next| (next, last));
        }
        self.used += 1;
        Ok(Value::of(index))
    }

    /// Adds an entry with a value that is higher than all that were given so far; those that are passed over are free.
    ///
    /// # Errors
    /// [`NoMemory`], also at the limit and for another value. The entry is dropped then.
    #[doc(alias = "ExDupHandleTable")]
    pub fn insert_at(&mut self, value: Value, entry: T) -> Result<(), NoMemory> {
        let index = value.index();
        if index < self.fresh || index as usize > MOST || self.used >= self.limit {
            return Err(NoMemory);
        }
        while self.allocated <= index {
            self.grow()?;
        }
        while self.fresh < index {
            let passed = NonZeroU32::new(self.fresh).ok_or(NoMemory)?;
            self.fresh += 1;
            self.add_free(passed);
        }
        *self.entry_mut(index).ok_or(NoMemory)? = Entry::Used(entry);
        self.fresh += 1;
        self.used += 1;
        Ok(())
    }

    /// Makes sure that the next [`insert`](Self::insert) succeeds.
    ///
    /// # Errors
    /// [`NoMemory`], also at the limit.
    pub fn reserve(&mut self) -> Result<(), NoMemory> {
        if self.used >= self.limit {
            return Err(NoMemory);
        }
        if self.has_room() {
            return Ok(());
        }
        self.grow()
    }

    /// Whether the next [`insert`](Self::insert) finds room without asking for memory.
    pub const fn has_room(&self) -> bool {
        self.free.is_some() || self.fresh < self.allocated
    }

    /// Bytes that the table grows by.
    pub const PAGE_BYTES: usize = FAN * size_of::<Entry<T>>();

    /// How many pages of [`PAGE_BYTES`](Self::PAGE_BYTES) there are.
    pub const fn pages(&self) -> usize {
        self.allocated as usize / FAN
    }

    /// How many there must be for an entry with that value.
    pub const fn pages_for(value: Value) -> usize {
        value.index() as usize / FAN + 1
    }

    /// Adds a page without asking for memory; a table that has room stays as it is. What comes back is to be dropped
    /// where memory may be freed.
    pub fn grow_by(&mut self, mut spare: Spare<T>) -> Spare<T> {
        let [0, high, _, _] = self.allocated.to_be_bytes() else {
            return spare;
        };
        if self.has_room() {
            return spare;
        }
        let high = usize::from(high);
        if self.pages.len() == high {
            exchange_if_full(&mut self.pages, &mut spare.lists);
            self.pages.push(Vec::new());
        }
        if let Some(list) = self.pages.get_mut(high) {
            exchange_if_full(list, &mut spare.list);
            list.push(core::mem::take(&mut spare.page));
            self.allocated += 1 << 8;
        }
        spare
    }

    /// The entry of a value.
    pub fn get(&self, value: Value) -> Option<&T> {
        match self.entry(value.index())? {
            Entry::Used(entry) => Some(entry),
            Entry::Free { .. } => None,
        }
    }

    /// The entry of a value, to change it.
    pub fn get_mut(&mut self, value: Value) -> Option<&mut T> {
        match self.entry_mut(value.index())? {
            Entry::Used(entry) => Some(entry),
            Entry::Free { .. } => None,
        }
    }

    /// Takes an entry out; its value may be given again.
    #[doc(alias = "ExDestroyHandle")]
    pub fn remove(&mut self, value: Value) -> Option<T> {
        let index = NonZeroU32::new(value.index())?;
        let free = self.free;
        let last_first = match self.reuse {
            Reuse::LastFreed => free,
            Reuse::FirstFreed => None,
        };
        let slot = self.entry_mut(index.get())?;
        if matches!(slot, Entry::Free { .. }) {
            return None;
        }
        let next = last_first.map(|(first, _)| first);
        let Entry::Used(entry) = core::mem::replace(slot, Entry::Free { next }) else {
            return None;
        };
        match last_first {
            Some((_, last)) => self.free = Some((index, last)),
            None => self.add_free(index),
        }
        self.used -= 1;
        Some(entry)
    }

    /// Puts an index into the list of the freed.
    fn add_free(&mut self, index: NonZeroU32) {
        self.free = Some(match (self.reuse, self.free) {
            (_, None) => (index, index),
            (Reuse::LastFreed, Some((first, last))) => {
                self.link(index, first);
                (index, last)
            }
            (Reuse::FirstFreed, Some((first, last))) => {
                self.link(last, index);
                (first, index)
            }
        });
    }

    /// Lets a freed index be followed by another in the list.
    fn link(&mut self, index: NonZeroU32, next: NonZeroU32) {
        if let Some(entry) = self.entry_mut(index.get()) {
            *entry = Entry::Free { next: Some(next) };
        }
    }

    /// The lowest value in use that is greater than `value`: with `Value(0)` first, a walk during which entries may
    /// come and go.
    pub fn next_after(&self, value: Value) -> Option<Value> {
        let mut index = value.index();
        loop {
            index += 1;
            if index >= self.fresh {
                return None;
            }
            if let Some(Entry::Used(_)) = self.entry(index) {
                return Some(Value::of(index));
            }
        }
    }

    /// All entries, by ascending value.
    pub fn iter(&self) -> impl Iterator<Item = (Value, &T)> {
        let values =
            core::iter::successors(self.next_after(Value(0)), |value| self.next_after(*value));
        values.filter_map(|value| Some((value, self.get(value)?)))
    }

    fn entry(&self, index: u32) -> Option<&Entry<T>> {
        let [0, high, middle, low] = index.to_be_bytes() else {
            return None;
        };
        self.pages
            .get(usize::from(high))?
            .get(usize::from(middle))?
            .get(usize::from(low))
    }

    fn entry_mut(&mut self, index: u32) -> Option<&mut Entry<T>> {
        let [0, high, middle, low] = index.to_be_bytes() else {
            return None;
        };
        self.pages
            .get_mut(usize::from(high))?
            .get_mut(usize::from(middle))?
            .get_mut(usize::from(low))
    }

    /// Adds a page. What it allocated before it failed is empty and waits for the next attempt.
    fn grow(&mut self) -> Result<(), NoMemory> {
        let [0, high, _, _] = self.allocated.to_be_bytes() else {
            return Err(NoMemory);
        };
        let page = free_page()?;
        if self.pages.len() == usize::from(high) {
            self.pages.try_reserve(1)?;
            self.pages.push(Vec::new());
        }
        let list = self.pages.get_mut(usize::from(high)).ok_or(NoMemory)?;
        list.try_reserve(1)?;
        list.push(page);
        self.allocated += 1 << 8;
        Ok(())
    }
}

/// Moves a list that has no room for one more into an empty one that has room for all that it may get.
fn exchange_if_full<L>(list: &mut Vec<L>, larger: &mut Vec<L>) {
    if list.len() == list.capacity() {
        larger.append(list);
        core::mem::swap(list, larger);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::BTreeMap;
    use std::collections::VecDeque;
    use std::vec::Vec;

    use super::*;
    use crate::Random;

    /// The specification: what is in use, what was given before, and which comes next.
    struct Model {
        reuse: Reuse,
        used: BTreeMap<Value, u64>,
        freed: VecDeque<Value>,
        given: u32,
    }

    impl Model {
        fn next(&mut self) -> Value {
            let rest_of_page = !(self.given + 1).is_multiple_of(256);
            let freed = match self.reuse {
                Reuse::LastFreed => self.freed.pop_back(),
                Reuse::FirstFreed if rest_of_page && self.given > 0 => None,
                Reuse::FirstFreed => self.freed.pop_front(),
            };
            freed.unwrap_or_else(|| {
                self.given += 1;
                Value(self.given * 4)
            })
        }
    }

    fn agree_on_random_changes(reuse: Reuse, seed: u64) {
        let mut random = Random::new(seed);
        let mut table = IdTable::new(reuse);
        let mut model = Model {
            reuse,
            used: BTreeMap::new(),
            freed: VecDeque::new(),
            given: 0,
        };
        for step in 0..20_000u64 {
            let grows = step % 5000 < 3000;
            if random.below(10) < if grows { 7 } else { 2 } {
                let value = table.insert(step).expect("memory");
                assert_eq!(value, model.next());
                model.used.insert(value, step);
            } else {
                let number = random.below(u64::from(model.given) + 3) * 4 + random.below(4);
                let value = Value(u32::try_from(number).expect("it is small"));
                let plain = Value(value.0 & !3);
                assert_eq!(table.get(value), model.used.get(&plain));
                assert_eq!(table.get_mut(value), model.used.get_mut(&plain));
                let removed = model.used.remove(&plain);
                assert_eq!(table.remove(value), removed);
                model.freed.extend(removed.map(|_| plain));
            }
            assert_eq!(table.len(), model.used.len());
            if step % 1000 == 0 {
                assert!(table.iter().eq(model.used.iter().map(|(v, e)| (*v, e))));
            }
        }
        assert!(table.len() > 500, "three pages were in use");
    }

    #[test]
    fn random_changes_agree_with_the_model() {
        for seed in 0..5 {
            agree_on_random_changes(Reuse::LastFreed, seed);
            agree_on_random_changes(Reuse::FirstFreed, seed);
        }
    }

    #[test]
    fn values_start_at_four_and_their_low_bits_are_the_programs() {
        let mut table = IdTable::new(Reuse::LastFreed);
        assert_eq!(table.get(Value(4)), None);
        assert_eq!(table.insert('a'), Ok(Value(4)));
        assert_eq!(table.insert('b'), Ok(Value(8)));
        for low in 0..4 {
            assert_eq!(table.get(Value(8 + low)), Some(&'b'));
            assert_eq!(table.get(Value(low)), None, "0 is no value");
            assert_eq!(table.remove(Value(low)), None);
        }
        for wrong in [12, 0x400, 0x0400_0004, 0xFFFF_FFFC, u32::MAX] {
            assert_eq!(table.get(Value(wrong)), None, "{wrong:#x}");
            assert_eq!(table.remove(Value(wrong)), None, "{wrong:#x}");
        }
    }

    #[test]
    fn a_closed_handle_is_the_next_one_and_a_process_number_is_not() {
        let mut handles = IdTable::new(Reuse::LastFreed);
        let mut processes = IdTable::new(Reuse::FirstFreed);
        for table in [&mut handles, &mut processes] {
            let values: Vec<_> = (0..9).map(|_| table.insert(()).expect("memory")).collect();
            table.remove(values[2]).expect("it is there");
            table.remove(values[5]).expect("it is there");
        }
        assert_eq!(handles.insert(()), Ok(Value(24)));
        assert_eq!(handles.insert(()), Ok(Value(12)));
        assert_eq!(handles.insert(()), Ok(Value(40)));
        assert_eq!(processes.insert(()), Ok(Value(40)));
        while processes.len() < 253 {
            processes.insert(()).expect("memory");
        }
        assert_eq!(processes.insert(()), Ok(Value(12)), "the page is used up");
        assert_eq!(processes.insert(()), Ok(Value(24)));
        assert_eq!(processes.insert(()), Ok(Value(0x400)), "a new page");
    }

    #[test]
    fn values_can_be_taken_over_from_another_table() {
        let mut table = IdTable::new(Reuse::LastFreed);
        for value in [8, 12, 2000] {
            assert_eq!(table.insert_at(Value(value), value), Ok(()));
            assert_eq!(
                table.insert_at(Value(value), 0),
                Err(NoMemory),
                "it is used"
            );
        }
        assert_eq!(table.insert_at(Value(4), 0), Err(NoMemory), "it is too low");
        assert!(table.iter().map(|(value, _)| value.0).eq([8, 12, 2000]));
        assert!(table.iter().all(|(value, entry)| value.0 == *entry));
        let given: Vec<_> = (0..498).map(|_| table.insert(0).expect("memory")).collect();
        assert_eq!(given[0], Value(1996), "the last one that was passed over");
        assert_eq!(given[496], Value(4));
        assert_eq!(
            given[497],
            Value(2004),
            "all that were passed over are used"
        );
        assert_eq!(table.insert_at(Value(u32::MAX), 0), Err(NoMemory));
        table.set_limit(table.len());
        assert_eq!(table.insert_at(Value(4000), 0), Err(NoMemory));
    }

    #[test]
    fn a_million_entries() {
        const COUNT: u32 = 1_000_000;
        let mut table = IdTable::new(Reuse::LastFreed);
        for number in 1..=COUNT {
            assert_eq!(table.insert(number), Ok(Value(number * 4)));
        }
        assert!(
            table
                .iter()
                .map(|(value, number)| (value.0 / 4, *number))
                .eq((1..=COUNT).map(|number| (number, number)))
        );
        for number in (1..=COUNT).step_by(3) {
            assert_eq!(table.remove(Value(number * 4)), Some(number));
        }
        assert_eq!(table.len(), 666_666);
        assert_eq!(table.next_after(Value(0)), Some(Value(8)));
        assert_eq!(table.insert(0), Ok(Value(COUNT * 4)), "the last freed");
    }

    #[test]
    fn at_the_limit_nothing_is_added_and_nothing_lost() {
        let mut table = IdTable::new(Reuse::FirstFreed);
        assert_eq!(table.limit(), 16_777_215);
        table.set_limit(usize::MAX);
        assert_eq!(table.limit(), 16_777_215, "24 bits, without 0");
        table.set_limit(300);
        for number in 0..300 {
            table.reserve().expect("below the limit");
            table.insert(number).expect("below the limit");
        }
        assert_eq!(table.reserve(), Err(NoMemory));
        assert_eq!(table.insert(0), Err(NoMemory));
        assert_eq!(table.len(), 300);
        assert_eq!(table.remove(Value(4)), Some(0));
        table.insert(1).expect("below the limit again");
        table.set_limit(2);
        assert_eq!(table.insert(0), Err(NoMemory));
        assert_eq!(table.len(), 300);
    }

    #[test]
    fn a_table_grows_by_memory_that_was_asked_for_before() {
        let mut table = IdTable::new(Reuse::LastFreed);
        let mut other = IdTable::new(Reuse::LastFreed);
        for number in 0..200_000u32 {
            if !table.has_room() {
                drop(table.grow_by(Spare::new().expect("memory")));
                assert!(table.has_room());
            }
            // More than is needed changes nothing.
            if number % 1000 == 0 {
                let allocated = table.allocated;
                drop(table.grow_by(Spare::new().expect("memory")));
                assert_eq!(table.allocated, allocated);
            }
            assert_eq!(table.insert(number), other.insert(number));
        }
        assert!(table.iter().eq(other.iter()));
    }

    /// All 2^24 - 1 of them; entries without a size, or a test would need half a gigabyte.
    #[test]
    fn the_last_index_is_given_and_then_no_more() {
        let mut table = IdTable::new(Reuse::LastFreed);
        while let Ok(value) = table.insert(()) {
            assert_eq!(value.0 as usize, table.len() * 4);
        }
        assert_eq!(table.len(), MOST);
        assert_eq!(table.get(Value(0x03FF_FFFC)), Some(&()));
        assert_eq!(table.remove(Value(0x0080_0000)), Some(()));
        assert_eq!(table.insert(()), Ok(Value(0x0080_0000)));
        assert_eq!(table.reserve(), Err(NoMemory));
    }
}
