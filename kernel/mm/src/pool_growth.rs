//! Memory for the pools, by need.
//!
//! The pools' region grows upwards and never shrinks; a request that does not
//! fit what the pools have brings at least [`STEP`] bytes, so that small requests
//! do not each pay for a mapping.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::contract::{PAGE_SIZE, Protection, VirtAddr, VirtRange};
use arch::memory::{KernelMapping, layout};

use crate::frames;

/// The least that the pools grow by, in bytes.
const STEP: u64 = 256 * 1024;
/// A page between two steps stays unmapped.
const GAP: u64 = PAGE_SIZE;

static NEXT: AtomicU64 = AtomicU64::new(layout::POOL.start.0);

/// Tells the floor's heap to ask here. On the host the test program's own allocator serves.
pub(crate) fn initialize() {
    #[cfg(target_os = "none")]
    arch::heap::set_growth(grow);
}

/// Maps at least `bytes` bytes of fresh memory; `None` if there is none.
#[cfg_attr(
    not(target_os = "none"),
    allow(dead_code, reason = "only the kernel's heap grows")
)]
fn grow(bytes: u64) -> Option<KernelMapping> {
    let length = bytes.max(STEP).checked_next_multiple_of(PAGE_SIZE)?;
    // What cannot succeed is refused before addresses or frames are spent on it.
    if length / PAGE_SIZE > frames::available() {
        return None;
    }
    let start = NEXT
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
            let end = next.checked_add(length)?.checked_add(GAP)?;
            (end <= layout::POOL.end.0).then_some(end)
        })
        .ok()?;
    let range = VirtRange {
        start: VirtAddr(start),
        end: VirtAddr(start + length),
    };
    KernelMapping::create(range, Protection::ReadWrite, &mut *frames::lock()).ok()
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
        small.destroy(&mut *frames::lock());
        next.destroy(&mut *frames::lock());
    }
}
