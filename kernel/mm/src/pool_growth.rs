//! Memory for the pools, by need.
//!
//! A request that does not fit what the pools have brings at least [`STEP`] bytes, so that small requests
//! do not each pay for a mapping. Memory of the pools in which nothing is in use goes back once a second,
//! but for the bytes of one such step at most, and at once when a frame is wanted and none is there. The pools never have
//! more than half of the memory, nor what was promised to user mode.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::contract::{PAGE_SIZE, Protection, VirtAddr, VirtRange};
use arch::memory::{KernelMapping, layout};
use ke::{LockOrder, SpinLock};

use crate::{commit, frames};

/// The least that the pools grow by, in bytes.
pub(crate) const STEP: u64 = 256 * 1024;
/// A page between two steps stays unmapped.
const GAP: u64 = PAGE_SIZE;

/// The pools may have one page of this many.
const SHARE: u64 = 2;

/// Bytes that the pools have.
static HELD: AtomicU64 = AtomicU64::new(0);
static ADDRESSES: SpinLock<Addresses> =
    SpinLock::ordered(Addresses::new(), LockOrder::POOL_ADDRESSES);

/// Which addresses of the pools' region are free: all from `next` on, and some ranges below.
struct Addresses {
    next: u64,
    /// Ranges that were given back, in no order; what does not fit here is not used again. The region is so large that
    /// this takes millions of growths and shrinkings of odd sizes.
    free: [(u64, u64); 64],
    count: usize,
}

impl Addresses {
    const fn new() -> Self {
        Self {
            next: layout::POOL.start.0,
            free: [(0, 0); 64],
            count: 0,
        }
    }

    /// Takes a range of that length with the gap behind it.
    fn take(&mut self, length: u64) -> Option<VirtAddr> {
        let whole = length.checked_add(GAP)?;
        let ranges = self.free.get_mut(..self.count)?;
        if let Some(index) = ranges.iter().position(|(_, free)| *free >= whole) {
            let range = ranges.get_mut(index)?;
            let start = range.0;
            *range = (start + whole, range.1 - whole);
            if range.1 == 0 {
                self.count -= 1;
                ranges.swap(index, self.count);
            }
            return Some(VirtAddr(start));
        }
        let start = self.next;
        let end = start.checked_add(whole)?;
        if end > layout::POOL.end.0 {
            return None;
        }
        self.next = end;
        Some(VirtAddr(start))
    }

    /// Gives a range back that was taken with that length.
    fn give_back(&mut self, start: VirtAddr, length: u64) {
        let (mut start, mut whole) = (start.0, length + GAP);
        // With its neighbours it is one range; there are two at most.
        for _ in 0..2 {
            let ranges = self.free.get_mut(..self.count).unwrap_or_default();
            let touches =
                |(other, free): &(u64, u64)| *other + *free == start || start + whole == *other;
            let Some(index) = ranges.iter().position(touches) else {
                break;
            };
            self.count -= 1;
            ranges.swap(index, self.count);
            let (other, free) = ranges.get(self.count).copied().unwrap_or_default();
            start = start.min(other);
            whole += free;
        }
        if start + whole == self.next {
            self.next = start;
        } else if let Some(place) = self.free.get_mut(self.count) {
            *place = (start, whole);
            self.count += 1;
        }
    }
}

/// Tells the floor's heap to ask here. On the host the test program's own allocator serves.
pub(crate) fn initialize() {
    #[cfg(target_os = "none")]
    arch::heap::set_growth(grow);
}

/// The most bytes that the pools may have.
///
/// # NT
/// `MmMaximumNonPagedPoolInBytes`.
pub fn most() -> u64 {
    frames::counts().total / SHARE * PAGE_SIZE
}

/// Bytes that the pools have.
pub fn held() -> u64 {
    HELD.load(Ordering::Relaxed)
}

/// Maps at least `bytes` bytes of fresh memory; `None` if there is none.
#[cfg_attr(
    not(target_os = "none"),
    allow(dead_code, reason = "only the kernel's heap grows")
)]
fn grow(bytes: u64) -> Option<KernelMapping> {
    // At the limit, what the pools have and do not use may be in pieces that are too small.
    grow_once(bytes).or_else(|| (shrink(0) > 0).then(|| grow_once(bytes)).flatten())
}

fn grow_once(bytes: u64) -> Option<KernelMapping> {
    let length = bytes.max(STEP).checked_next_multiple_of(PAGE_SIZE)?;
    let pages = length / PAGE_SIZE;
    // What cannot succeed is refused before addresses or frames are spent on it.
    if pages > frames::available() || commit::could_charge_kernel(pages).is_err() {
        return None;
    }
    let most = most();
    let may_have = |held: u64| held.checked_add(length).filter(|held| *held <= most);
    HELD.fetch_update(Ordering::Relaxed, Ordering::Relaxed, may_have)
        .ok()?;
    let mapping = map(length);
    if mapping.is_none() {
        HELD.fetch_sub(length, Ordering::Relaxed);
    }
    mapping
}

fn map(length: u64) -> Option<KernelMapping> {
    let start = ADDRESSES.acquire().take(length)?;
    let end = VirtAddr(start.0 + length);
    let range = VirtRange { start, end };
    let mapping = KernelMapping::create(range, Protection::ReadWrite, &mut *frames::lock());
    if mapping.is_err() {
        ADDRESSES.acquire().give_back(start, length);
    }
    mapping.ok()
}

/// Takes memory of the pools back in which nothing is in use, until at most `keep` bytes of it are left; gives how many.
///
/// # IRQL
/// At most Apc: other processors are told and waited for.
pub(crate) fn shrink(keep: u64) -> u64 {
    let mut bytes = 0;
    while let Some(mapping) = unused(keep) {
        bytes += unmap(mapping);
    }
    bytes
}

#[cfg(target_os = "none")]
fn unused(keep: u64) -> Option<KernelMapping> {
    arch::heap::take_unused(keep)
}

/// On the host the pools are the test program's own.
#[cfg(not(target_os = "none"))]
fn unused(_keep: u64) -> Option<KernelMapping> {
    None
}

/// Unmaps what [`grow`] mapped.
fn unmap(mapping: KernelMapping) -> u64 {
    let range = mapping.range();
    let length = range.length();
    // Only when nothing is mapped there the addresses may be used again.
    mapping.destroy(&mut frames::Source);
    ADDRESSES.acquire().give_back(range.start, length);
    HELD.fetch_sub(length, Ordering::Relaxed);
    length
}

#[cfg(test)]
mod tests {
    use arch::sim;

    use super::*;

    #[test]
    fn grows_by_steps_and_refuses_what_memory_cannot_hold() {
        let _machine = sim::boot(1);
        let _ = frames::initialize();
        let small = grow(100).expect("there is memory");
        assert_eq!(small.range().length(), STEP);
        let next = grow(STEP + 1).expect("there is memory");
        assert_eq!(next.range().length(), STEP + PAGE_SIZE);
        assert_eq!(next.range().start.0, small.range().end.0 + GAP);
        let before = frames::counts();
        assert!(grow(sim::RAM_LENGTH).is_none());
        assert!(grow(u64::MAX).is_none());
        assert_eq!(frames::counts(), before, "a refusal costs nothing");
        let held = held();
        let start = small.range().start;
        assert_eq!(unmap(small), STEP);
        assert_eq!(super::held(), held - STEP);
        let again = grow(100).expect("there is memory");
        assert_eq!(again.range().start, start, "addresses are used again");
        unmap(again);
        unmap(next);
    }

    #[test]
    fn the_pools_leave_half_of_the_memory() {
        let _machine = sim::boot(1);
        let _ = frames::initialize();
        let mut mappings = std::vec::Vec::new();
        while let Some(mapping) = grow(4 * STEP) {
            mappings.push(mapping);
        }
        assert!(!mappings.is_empty());
        assert!(held() <= most() && held() + 4 * STEP > most());
        assert!(frames::available() >= frames::counts().total / 3);
        for mapping in mappings {
            unmap(mapping);
        }
    }

    #[test]
    fn addresses_that_come_back_are_one_range_again() {
        let mut addresses = Addresses::new();
        let first = addresses.next;
        let mut taken = std::vec::Vec::new();
        for pages in 1..=100 {
            let start = addresses.take(pages * PAGE_SIZE).expect("addresses");
            taken.push((start, pages * PAGE_SIZE));
        }
        let end = addresses.next;
        // Every other one, then the rest: each of those joins two ranges.
        for odd in [1, 0] {
            for (start, length) in taken.iter().skip(odd).step_by(2) {
                addresses.give_back(*start, *length);
            }
        }
        assert_eq!((addresses.next, addresses.count), (first, 0));
        assert!(addresses.take(layout::POOL.length()).is_none());
        assert!(addresses.take(u64::MAX).is_none());
        assert_eq!(addresses.take(PAGE_SIZE), Some(VirtAddr(first)));
        assert!(end > first);
    }
}
