//! Memory for tests of crates that have no memory manager below them.
//!
//! Frames come from the top of RAM, where `mm` in its own tests comes last. Stacks
//! are a page each, because nothing is ever written to them (a strand's stack is
//! the host's), and are kept for the next test, so that their page tables are paid
//! for once.

use std::sync::{Mutex, PoisonError};

use super::memory::{RAM_BASE, RAM_LENGTH};
use super::turns;
use crate::contract::{FrameNumber, PAGE_SIZE, ProcessorNumber, Protection, VirtAddr, VirtRange};
use crate::memory::{Frame, FrameSource, KernelMapping, layout};

/// The simulated machine's frames, highest first, for who has no other source.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpareFrames;

/// Below which frame the search goes on.
static NEXT: Mutex<u64> = Mutex::new(END);

const FIRST: u64 = RAM_BASE / PAGE_SIZE;
const END: u64 = (RAM_BASE + RAM_LENGTH) / PAGE_SIZE;

impl FrameSource for SpareFrames {
    fn allocate(&mut self) -> Option<Frame> {
        let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
        let below = (FIRST..*next).rev();
        let found = below
            .chain((*next..END).rev())
            .find_map(|number| Frame::claim(FrameNumber(number)))?;
        *next = found.number().0;
        Some(found)
    }

    fn free(&mut self, frame: Frame) {
        let number = frame.release().0;
        let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(number + 1);
    }
}

/// Stacks that were given back, and how many were made.
static STACKS: Mutex<(Vec<KernelMapping>, u64)> = Mutex::new((Vec::new(), 0));

/// A kernel stack for a context of a test.
///
/// # Panics
/// If simulated RAM is full.
pub fn kernel_stack() -> KernelMapping {
    let mut stacks = STACKS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(stack) = stacks.0.pop() {
        return stack;
    }
    stacks.1 += 1;
    // From the end of the region, with a page between two: `mm` fills it from its start.
    let start = VirtAddr(layout::STACKS.end.0 - stacks.1 * 2 * PAGE_SIZE);
    let range = VirtRange::of_pages(start, 1);
    // Whether there is one left over from an earlier test must not change how this one runs.
    turns::without_points(|| KernelMapping::create(range, Protection::ReadWrite, &mut SpareFrames))
        .expect("simulated RAM has a page for a stack")
}

/// Takes a stack back for the next test: what [`Context::retire`](crate::thread::Context::retire) gave.
pub fn give_stack_back(stack: KernelMapping) {
    let mut stacks = STACKS.lock().unwrap_or_else(PoisonError::into_inner);
    stacks.0.push(stack);
}

/// Starts a processor of a [`boot_multiprocessor`](super::boot_multiprocessor) machine as `Machine::start_processor` does,
/// for kernels that are tested without the stacks that it takes; false if it is up or there is none of that number.
pub fn start_processor(number: ProcessorNumber) -> bool {
    let started = super::state::with(|machine| {
        number.index() < machine.processors.len()
            && machine.schedule.is_some()
            && turns::start(machine, number)
    });
    turns::point(false);
    started
}
