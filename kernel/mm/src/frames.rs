//! The allocator of page frames.
//!
//! One bit per page, set while the page is in use. The lowest free page goes
//! first, which keeps the high end whole for those who will need contiguous
//! memory. The token that goes out is the floor's [`Frame`]; the bitmap is only
//! policy: were it wrong, a claim would fail, never succeed twice.

use arch::contract::{FrameNumber, PAGE_SIZE};
use arch::memory::{Frame, FrameSource, permanent_words, usable_frames};
use ke::{SpinLock, SpinLockGuard};
use nt_abi::{NtResult, NtStatus};
use rtl::Bitmap;

/// Gives out page frames and takes them back.
pub struct FrameAllocator {
    /// Bit 0 is this frame.
    first: u64,
    /// Set: in use, or no RAM.
    used: Option<Bitmap<'static>>,
    free: u64,
    total: u64,
}

static FRAMES: SpinLock<FrameAllocator> = SpinLock::new(FrameAllocator {
    first: 0,
    used: None,
    free: 0,
    total: 0,
});

/// How many frames there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameCounts {
    /// Frames under management.
    pub total: u64,
    /// Of them, those that are free.
    pub free: u64,
}

/// The allocator, locked.
pub fn lock() -> SpinLockGuard<'static, FrameAllocator> {
    FRAMES.acquire()
}

/// How many frames there are.
pub fn counts() -> FrameCounts {
    let frames = lock();
    FrameCounts {
        total: frames.total,
        free: frames.free,
    }
}

/// Sets the allocator up over what the floor says is usable. Once.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES` if no memory can hold the bitmap.
pub(crate) fn initialize() -> NtResult {
    let ranges = usable_frames();
    let (Some(lowest), Some(highest)) = (ranges.first(), ranges.last()) else {
        return Err(NtStatus::INSUFFICIENT_RESOURCES);
    };
    let first = lowest.start / PAGE_SIZE;
    let length = usize::try_from(highest.end / PAGE_SIZE - first)
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    let words =
        permanent_words(Bitmap::words_for(length)).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
    let mut frames = lock();
    if frames.used.is_some() {
        return Err(NtStatus::CONFLICTING_ADDRESSES);
    }
    let mut used = Bitmap::new(words, length);
    let mut previous_end = first;
    for range in ranges {
        let (start, end) = (range.start / PAGE_SIZE, range.end / PAGE_SIZE);
        for gap in previous_end..start {
            used.set(bit(gap - first));
        }
        frames.total += end - start;
        previous_end = end;
    }
    frames.free = frames.total;
    frames.first = first;
    frames.used = Some(used);
    Ok(())
}

/// A frame's bit; every frame under management has one, so it fits.
fn bit(index: u64) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

impl FrameSource for FrameAllocator {
    fn allocate(&mut self) -> Option<Frame> {
        loop {
            let index = self.used.as_mut()?.take_first_clear()?;
            self.free = self.free.saturating_sub(1);
            // A frame that the floor keeps for itself (the frame table, this bitmap) cannot be claimed: its bit stays set
            // and the next one is tried.
            if let Some(frame) = Frame::claim(FrameNumber(self.first + index as u64)) {
                return Some(frame);
            }
            self.total -= 1;
        }
    }

    fn free(&mut self, frame: Frame) {
        let number = frame.release();
        if let (Some(used), Some(index)) = (self.used.as_mut(), number.0.checked_sub(self.first)) {
            used.clear(bit(index));
            self.free += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use arch::sim;

    use super::*;

    #[test]
    fn every_frame_goes_out_once_and_none_is_reserved_or_the_image() {
        let _machine = sim::boot(1);
        let _ = initialize();
        let mut allocator = lock();
        let before = allocator.free;
        let mut taken = std::vec::Vec::new();
        while let Some(frame) = allocator.allocate() {
            taken.push(frame);
        }
        let numbers: BTreeSet<_> = taken.iter().map(|frame| frame.number().0).collect();
        assert_eq!(numbers.len(), taken.len(), "no frame twice");
        assert_eq!(allocator.free, 0);
        let loader = sim::loader_block();
        for number in &numbers {
            let address = number * PAGE_SIZE;
            assert!(
                loader
                    .memory
                    .iter()
                    .any(|range| range.start <= address && address < range.end)
            );
            assert!(
                !loader
                    .reserved
                    .iter()
                    .any(|range| range.start <= address && address < range.end)
            );
        }
        // 32 MiB less 4 reserved pages and 40 of the image; besides those only the frame table and the bitmap are missing.
        let expected = sim::RAM_LENGTH / PAGE_SIZE - 4 - 40;
        assert!(
            expected - numbers.len() as u64 <= 8,
            "{} of {expected}",
            numbers.len()
        );
        for frame in taken {
            allocator.free(frame);
        }
        assert!(
            before - allocator.free <= 8,
            "what was missing at first is the floor's own"
        );
        assert_eq!(allocator.free, numbers.len() as u64);
    }

    #[test]
    fn a_frame_keeps_its_bytes_and_comes_back() {
        let _machine = sim::boot(1);
        let _ = initialize();
        let mut allocator = lock();
        let mut frame = allocator.allocate().expect("there is memory");
        frame.bytes().fill(0xA5);
        let number = frame.number();
        assert!(Frame::claim(number).is_none(), "it has an owner");
        assert!(frame.bytes().iter().all(|byte| *byte == 0xA5));
        allocator.free(frame);
        let again = allocator.allocate().expect("there is memory");
        assert_eq!(again.number(), number, "the lowest free frame goes first");
        allocator.free(again);
    }
}
