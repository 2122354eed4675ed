//! Walking the stack by its frame pointers.
//!
//! The image is compiled with them: RBP points to the caller's RBP, with the return
//! address above. The trap stubs keep the chain whole (see `vectors`). The stack that
//! is walked may be damaged, that may be why: each word is read only if its page is
//! mapped, and after 1024 frames the walk ends. It may go down as well as up: from the
//! emergency stack it comes back to the one that overflowed.

use core::arch::asm;

use super::TrapFrame;
use crate::Machine;
use crate::contract::{Translation, VirtAddr};

const MOST_FRAMES: usize = 1024;

/// Calls `visit` with the return addresses; see `Processor::walk_stack`.
pub(super) fn walk(frame: Option<&TrapFrame>, visit: &mut dyn FnMut(VirtAddr) -> bool) {
    let mut rbp = match frame {
        Some(frame) => {
            // A call to where no code is: the callee had no time to link itself into the chain.
            if !Machine::image().text.contains(VirtAddr(frame.rip))
                && let Some(return_address) = read(frame.rsp)
                && !visit(VirtAddr(return_address))
            {
                return;
            }
            frame.rbp
        }
        None => own_frame_pointer(),
    };
    for _ in 0..MOST_FRAMES {
        let (Some(next), Some(return_address)) = (read(rbp), read(rbp.wrapping_add(8))) else {
            return;
        };
        if return_address == 0 || !visit(VirtAddr(return_address)) || next == rbp {
            return;
        }
        rbp = next;
    }
}

fn own_frame_pointer() -> u64 {
    let rbp;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, rbp", out(reg) rbp, options(nomem, nostack, preserves_flags)) };
    rbp
}

/// A word of the stack, if it is aligned and mapped.
fn read(address: u64) -> Option<u64> {
    if !address.is_multiple_of(8) || !Machine::probe_kernel(VirtAddr(address)) {
        return None;
    }
    // SAFETY: aligned, so within one page, which is mapped for the kernel. Volatile: whatever is there is only looked at.
    Some(unsafe { (address as *const u64).read_volatile() })
}
