//! Slots of each thread (TLS): which indexes are taken, and what becomes of a thread's further slots when it ends.
//!
//! The first 64 slots are in the TEB, and the others in a block that kernelbase makes for a thread that needs them. Both
//! bitmaps are in the PEB, under its lock.

use c_interface::{Ptr, blocks, field};
use nt_abi::native::{Peb, Teb};
use user_rtl::bitmaps::{RtlBitmap, RtlInitializeBitMap, RtlSetBit};

use crate::process;

/// The bitmaps' heads: PEB fields have their bits.
static HEADS: [[core::sync::atomic::AtomicUsize; HEAD_WORDS]; 2] =
    [const { [const { core::sync::atomic::AtomicUsize::new(0) }; HEAD_WORDS] }; 2];
const HEAD_WORDS: usize = size_of::<RtlBitmap>() / size_of::<usize>();

/// Slots in the TEB.
const IN_TEB: u32 = 64;
/// Slots behind them.
const FURTHER: u32 = 1024;

/// Makes the bitmaps, before there is a second thread.
pub(crate) fn prepare() {
    let peb = process::peb();
    let [first, further] = HEADS.each_ref().map(|head| Ptr::of_shared(head).cast());
    let bits = field!(peb, Peb, tls_bitmap_bits).cast();
    RtlInitializeBitMap(first, bits, IN_TEB);
    // Windows gives nobody the index 0.
    RtlSetBit(first, 0);
    let bits = field!(peb, Peb, tls_expansion_bitmap_bits).cast();
    RtlInitializeBitMap(further, bits, FURTHER);
    field!(peb, Peb, tls_bitmap).write(first.raw());
    field!(peb, Peb, tls_expansion_bitmap).write(further.raw());
}

/// The calling thread goes, and its further slots with it.
pub(crate) fn end_thread() {
    let place = field!(process::teb(), Teb, tls_expansion_slots);
    let slots = place.read();
    place.write(0);
    blocks::free(Ptr::at(slots));
}
