//! Walks the chain of frame records: x29 points to {caller's x29, return address}.
//!
//! The chain is read in a bug check, possibly over a smashed stack: every record
//! must be aligned, lie above the one before it or on another stack, and be
//! readable, which the MMU is asked before each load. The frames that the vectors
//! leave are records too, so a walk goes on through an interruption.

use core::arch::asm;

use super::Machine;
use super::trap::TrapFrame;
use crate::contract::{Translation, VirtAddr};
use crate::memory::layout;

const MOST_FRAMES: usize = 1024;

/// See `Processor::walk_stack`.
#[inline(never)]
pub(super) fn walk(frame: Option<&TrapFrame>, visit: &mut dyn FnMut(VirtAddr) -> bool) {
    let mut record = match frame {
        Some(frame) => frame.x[29],
        None => own_record(),
    };
    let mut left = MOST_FRAMES;
    // A jump to where no code is leaves the address of its cause in the link register only.
    if let Some(frame) = frame
        && !Machine::image().text.contains(VirtAddr(frame.elr))
    {
        left -= 1;
        if !visit(VirtAddr(frame.x[30])) {
            return;
        }
    }
    for _ in 0..left {
        let Some([next, address]) = read_record(record) else {
            return;
        };
        if address == 0 || !visit(VirtAddr(address)) || next == record {
            return;
        }
        record = next;
    }
}

/// The frame record of the function that called [`walk`]: where the one that we stand on leads.
fn own_record() -> u64 {
    let record: u64;
    // SAFETY: reads the frame pointer.
    unsafe { asm!("mov {}, x29", out(reg) record, options(nomem, nostack, preserves_flags)) };
    record
}

fn read_record(record: u64) -> Option<[u64; 2]> {
    let start = VirtAddr(record);
    let devices = layout::DEVICES.contains(start)
        || (layout::EARLY_WINDOW.0..layout::IMAGE.0).contains(&record);
    if !(layout::PHYSICAL_MAP.0..=u64::MAX - 16).contains(&record)
        || !record.is_multiple_of(8)
        || devices
    {
        return None;
    }
    if !Machine::probe_kernel(start) || !Machine::probe_kernel(VirtAddr(record + 8)) {
        return None;
    }
    // SAFETY: the MMU lets the kernel read both words, and no device is there; whatever they are, they are words.
    Some(unsafe { (record as *const [u64; 2]).read_volatile() })
}
