//! Pools: memory by size, charged to a four-letter tag.
//!
//! A request either gives memory or `INSUFFICIENT_RESOURCES`; nothing here
//! panics when memory is short. Tags answer the question that every NT person
//! asks of a leak: whose is it?
//!
//! There is one pool, non-paged: nothing is paged yet.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use ke::{LockOrder, SpinLock};
use nt_abi::{NtResult, NtStatus};

/// Who asked for memory: four letters, as NT people write them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolTag(pub [u8; 4]);

/// What a tag has in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TagUsage {
    /// The tag.
    pub tag: PoolTag,
    /// Requests that were met, ever.
    pub allocations: u64,
    /// Of them, those that were given back.
    pub frees: u64,
    /// Bytes in use now.
    pub bytes: u64,
}

/// Tags that are told apart; what comes after is charged to [`OTHER`].
const TAGS: usize = 128;
/// The tag that stands for all that no longer fit the table.
pub const OTHER: PoolTag = PoolTag(*b"?...");

struct TagTable {
    used: usize,
    usage: [TagUsage; TAGS],
}

static TABLE: SpinLock<TagTable> = SpinLock::ordered(
    TagTable {
        used: 0,
        usage: [TagUsage {
            tag: OTHER,
            allocations: 0,
            frees: 0,
            bytes: 0,
        }; TAGS],
    },
    LockOrder::POOL_TAGS,
);

impl TagTable {
    fn entry(&mut self, tag: PoolTag) -> &mut TagUsage {
        let known = self.usage[..self.used]
            .iter()
            .position(|usage| usage.tag == tag);
        let index = known.unwrap_or_else(|| {
            if self.used < TAGS - 1 {
                self.usage[self.used].tag = tag;
                self.used += 1;
                self.used - 1
            } else {
                // The last slot keeps the tag OTHER.
                self.used = TAGS;
                TAGS - 1
            }
        });
        &mut self.usage[index]
    }
}

fn charge(tag: PoolTag, bytes: usize) {
    let mut table = TABLE.acquire();
    let usage = table.entry(tag);
    usage.allocations += 1;
    usage.bytes += bytes as u64;
}

fn give_back(tag: PoolTag, bytes: usize) {
    let mut table = TABLE.acquire();
    let usage = table.entry(tag);
    usage.frees += 1;
    usage.bytes = usage.bytes.saturating_sub(bytes as u64);
}

/// What a tag has in use; zeroes for one that was never used.
pub fn usage(tag: PoolTag) -> TagUsage {
    let table = TABLE.acquire();
    let found = table.usage[..table.used]
        .iter()
        .find(|usage| usage.tag == tag)
        .copied();
    found.unwrap_or(TagUsage {
        tag,
        allocations: 0,
        frees: 0,
        bytes: 0,
    })
}

/// What all tags have in use; gives as many as there are, of which `into` holds those that fit.
///
/// # NT
/// `SystemPoolTagInformation`.
pub fn usages(into: &mut [TagUsage]) -> usize {
    let table = TABLE.acquire();
    for (place, usage) in into.iter_mut().zip(&table.usage[..table.used]) {
        *place = *usage;
    }
    table.used
}

/// One value in pool memory.
pub struct PoolBox<T> {
    tag: PoolTag,
    value: Box<[T; 1]>,
}

impl<T> PoolBox<T> {
    /// Moves a value into pool memory.
    ///
    /// # IRQL
    /// At most Dispatch, with interrupts enabled; otherwise only memory that the pool has already can be had.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "ExAllocatePool2")]
    pub fn new(tag: PoolTag, value: T) -> NtResult<Self> {
        // A vector of exactly one element is the one fallible way to a box in stable Rust.
        let mut one = Vec::new();
        one.try_reserve_exact(1)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        one.push(value);
        let value = one
            .into_boxed_slice()
            .try_into()
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        charge(tag, size_of::<T>());
        Ok(Self { tag, value })
    }
}

impl<T> Drop for PoolBox<T> {
    #[doc(alias = "ExFreePoolWithTag")]
    fn drop(&mut self) {
        give_back(self.tag, size_of::<T>());
    }
}

impl<T> Deref for PoolBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value[0]
    }
}

impl<T> DerefMut for PoolBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value[0]
    }
}

/// A growing list in pool memory.
pub struct PoolVec<T> {
    tag: PoolTag,
    values: Vec<T>,
    charged: usize,
}

impl<T> PoolVec<T> {
    /// An empty list, which holds no memory yet.
    pub const fn new(tag: PoolTag) -> Self {
        Self {
            tag,
            values: Vec::new(),
            charged: 0,
        }
    }

    /// A list with room for `capacity` elements.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn with_capacity(tag: PoolTag, capacity: usize) -> NtResult<Self> {
        let mut list = Self::new(tag);
        list.reserve(capacity)?;
        Ok(list)
    }

    /// Makes room for `additional` more elements.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`; the list is then as it was.
    pub fn reserve(&mut self, additional: usize) -> NtResult {
        self.values
            .try_reserve(additional)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        let now = self.values.capacity() * size_of::<T>();
        if now != self.charged {
            if self.charged > 0 {
                give_back(self.tag, self.charged);
            }
            charge(self.tag, now);
            self.charged = now;
        }
        Ok(())
    }

    /// Appends an element.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`; the list is then as it was.
    pub fn push(&mut self, value: T) -> NtResult {
        self.reserve(1)?;
        self.values.push(value);
        Ok(())
    }

    /// Makes it `length` elements long: cuts it, or appends copies of `value`.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`; the list is then as it was.
    pub fn resize(&mut self, length: usize, value: T) -> NtResult
    where
        T: Clone,
    {
        self.reserve(length.saturating_sub(self.values.len()))?;
        self.values.resize(length, value);
        Ok(())
    }

    /// Takes the last element.
    pub fn pop(&mut self) -> Option<T> {
        self.values.pop()
    }
}

impl<T> Drop for PoolVec<T> {
    fn drop(&mut self) {
        if self.charged > 0 {
            give_back(self.tag, self.charged);
        }
    }
}

impl<T> Deref for PoolVec<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T> DerefMut for PoolVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values
    }
}

/// What the pools check of a machine that has just booted: memory comes, is the caller's alone, and goes back.
///
/// # Errors
/// One sentence.
pub fn self_check() -> Result<(), &'static str> {
    const TAG: PoolTag = PoolTag(*b"Self");
    let mut lists =
        PoolVec::with_capacity(TAG, 16).map_err(|_| "the pool refused a small request")?;
    for number in 0..16u64 {
        let mut list =
            PoolVec::with_capacity(TAG, 100).map_err(|_| "the pool refused a small request")?;
        for _ in 0..100 {
            list.push(number)
                .map_err(|_| "the pool refused a small request")?;
        }
        lists
            .push(list)
            .map_err(|_| "the pool refused a small request")?;
    }
    let kept =
        |(number, list): (usize, &PoolVec<u64>)| list.iter().all(|value| *value == number as u64);
    if !lists.iter().enumerate().all(kept) {
        return Err("two pool allocations share memory");
    }
    if PoolVec::<u8>::with_capacity(TAG, isize::MAX as usize).is_ok() {
        return Err("the pool promised more memory than there is");
    }
    drop(lists);
    if usage(TAG).bytes == 0 {
        Ok(())
    } else {
        Err("pool memory that was given back is still charged")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_is_charged_to_its_tag() {
        let _machine = arch::sim::boot(1);
        const TAG: PoolTag = PoolTag(*b"TstA");
        assert_eq!(usage(TAG).bytes, 0);
        let one = PoolBox::new(TAG, [0u8; 100]).expect("memory");
        let mut list = PoolVec::with_capacity(TAG, 10).expect("memory");
        list.push(1u32).expect("there is room");
        assert_eq!(usage(TAG).bytes, 140);
        assert_eq!(usage(TAG).allocations, 2);
        drop(one);
        assert_eq!(usage(TAG).bytes, 40);
        drop(list);
        assert_eq!((usage(TAG).bytes, usage(TAG).frees), (0, 2));
    }

    #[test]
    fn a_request_that_cannot_be_met_is_a_status_and_changes_nothing() {
        let _machine = arch::sim::boot(1);
        const TAG: PoolTag = PoolTag(*b"TstB");
        let mut list = PoolVec::new(TAG);
        list.push(7u64).expect("memory");
        let before = usage(TAG);
        assert_eq!(
            list.reserve(usize::MAX / 8),
            Err(NtStatus::INSUFFICIENT_RESOURCES)
        );
        assert_eq!(*list, [7]);
        assert_eq!(usage(TAG), before);
    }

    #[test]
    fn a_growing_list_is_charged_for_what_it_holds() {
        let _machine = arch::sim::boot(1);
        const TAG: PoolTag = PoolTag(*b"TstC");
        let mut list = PoolVec::new(TAG);
        for value in 0..1000u16 {
            list.push(value).expect("memory");
        }
        assert_eq!(usage(TAG).bytes, list.values.capacity() as u64 * 2);
        assert!(list.iter().copied().eq(0..1000));
    }
}
