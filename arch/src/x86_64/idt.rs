//! The interrupt descriptor table: one for all processors, since what differs among them (stacks) is in the task state.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

use super::descriptors::{IST_DEBUG, IST_EMERGENCY, IST_MACHINE_CHECK, IST_NMI, KERNEL_CODE};
use super::vectors::stub;

/// INT 0x2E, NT's system call before SYSCALL.
pub(super) const SYSTEM_CALL_VECTOR: u8 = 0x2E;

const VECTORS: usize = 256;

/// The last byte of the table.
const LIMIT: u16 = 0xFFF;
const _: () = assert!(LIMIT as usize == size_of::<Table>() - 1);

#[repr(C, align(16))]
struct Table([[AtomicU64; 2]; VECTORS]);

static TABLE: Table = Table([const { [const { AtomicU64::new(0) }; 2] }; VECTORS]);

/// Fills the table in; once, before any processor loads it.
pub(super) fn fill() {
    for (vector, gate) in (0..=u8::MAX).zip(&TABLE.0) {
        let ist = match vector {
            1 => IST_DEBUG,
            2 => IST_NMI,
            8 => IST_EMERGENCY,
            18 => IST_MACHINE_CHECK,
            _ => 0,
        };
        // User mode may use INT3, INTO and the system call; any other INT n from there is #GP.
        let privilege = if matches!(vector, 3 | 4 | SYSTEM_CALL_VECTOR) {
            3
        } else {
            0
        };
        let address = stub(vector);
        // SDM volume 3, 7.14.1: offset 15:0, selector, IST, type 14 (interrupt gate) with DPL and P, offset 31:16; 63:32.
        let low = address & 0xFFFF
            | u64::from(KERNEL_CODE) << 16
            | u64::from(ist) << 32
            | (0x8E00 | privilege << 13) << 32
            | (address >> 16 & 0xFFFF) << 48;
        gate[0].store(low, Ordering::Relaxed);
        gate[1].store(address >> 32, Ordering::Relaxed);
    }
}

/// Loads the table on this processor.
pub(super) fn load() {
    #[repr(C, packed)]
    struct Pointer {
        limit: u16,
        base: u64,
    }
    let pointer = Pointer {
        limit: LIMIT,
        base: TABLE.0.as_ptr() as u64,
    };
    // SAFETY: the table is filled in and lives for good; its gates lead to the stubs.
    unsafe {
        asm!("lidt [{}]", in(reg) &raw const pointer, options(readonly, nostack, preserves_flags))
    };
}
