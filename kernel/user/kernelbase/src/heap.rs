//! Heaps: what ntdll's do not do as Win32 has it.

use crate::structures::ProcessHeapEntry;
use nt_abi::heap::HeapEntryFlags;
use nt_abi::native::{RtlHeapWalkEntry, RtlHeapWalkSegment};
use ntdll_imports::{
    RtlCreateHeap, RtlDestroyHeap, RtlGetProcessHeaps, RtlLockHeap, RtlQueryHeapInformation,
    RtlSetHeapInformation, RtlUnlockHeap, RtlValidateHeap, RtlWalkHeap,
};

use crate::win::*;

/// What a program may say of a heap that it makes: not serialised, exceptions, aligned to 16, executable.
const ALLOWED: u32 = 0x1 | 0x4 | 0x1_0000 | 0x4_0000;
/// `HEAP_GROWABLE`.
const GROWABLE: u32 = 2;
/// `HEAP_CLASS_1`: a private heap.
const PRIVATE: u32 = 0x1000;

/// `PROCESS_HEAP_REGION`, `PROCESS_HEAP_UNCOMMITTED_RANGE`, `PROCESS_HEAP_ENTRY_BUSY`, and what ntdll says instead.
const PARTS: [(u16, HeapEntryFlags); 3] = [
    (1, HeapEntryFlags::SEGMENT),
    (2, HeapEntryFlags::UNCOMMITTED_RANGE),
    (4, HeapEntryFlags::BUSY),
];

/// The part of a heap behind the one that an entry describes.
fn walk(heap: Ptr<u8>, entry: Ptr<ProcessHeapEntry>) -> Result<(), Error> {
    let mut known = entry.read();
    let mut flags = HeapEntryFlags::default();
    // To an entry without an address nobody sets flags.
    for (win32, native) in PARTS {
        if known.data != 0 && known.flags & win32 != 0 {
            flags |= native;
        }
    }
    let mut part = RtlHeapWalkEntry {
        data_address: known.data,
        flags,
        ..RtlHeapWalkEntry::default()
    };
    let part = Ptr::of(&mut part);
    check(RtlWalkHeap(heap, part.cast()))?;
    let details = field!(part, RtlHeapWalkEntry, details);
    let part = part.read();
    known.data = part.data_address;
    known.size = u32::try_from(part.data_size).unwrap_or(u32::MAX);
    known.overhead = part.overhead_bytes;
    known.region_index = part.segment_index;
    known.flags = 0;
    for (win32, native) in PARTS {
        if part.flags.contains(native) {
            known.flags |= win32;
        }
    }
    if part.flags.contains(HeapEntryFlags::SEGMENT) {
        let segment = details.cast::<RtlHeapWalkSegment>().read();
        known.committed_size = segment.committed_size;
        known.uncommitted_size = segment.un_committed_size;
        known.first_block = segment.first_entry;
        known.last_block = segment.last_entry;
    }
    entry.write(known);
    Ok(())
}

exports! {
    /// The heap of the process.
    fn GetProcessHeap() -> Ptr<u8> {
        process_heap()
    }

    /// All heaps of the process: how many there are.
    fn GetProcessHeaps(capacity: u32, heaps: Ptr<usize>) -> u32 {
        RtlGetProcessHeaps(capacity, heaps)
    }

    /// Makes a heap, which grows if no size is named as the most; null: it failed.
    fn HeapCreate(flags: u32, initial: usize, most: usize) -> Ptr<u8> {
        let growable = if most == 0 { GROWABLE } else { 0 };
        let flags = flags & ALLOWED | growable | PRIVATE;
        match RtlCreateHeap(flags, Ptr::NULL, most, initial, Ptr::NULL, Ptr::NULL).non_null() {
            Some(heap) => heap,
            None => answer(Err(Error::NOT_ENOUGH_MEMORY), Ptr::NULL),
        }
    }

    /// Takes a heap away with all its blocks.
    fn HeapDestroy(heap: Ptr<u8>) -> Bool {
        if RtlDestroyHeap(heap).is_null() {
            return TRUE;
        }
        truth(Err(Error::INVALID_HANDLE))
    }

    /// Whether a block, or a whole heap, is in order.
    fn HeapValidate(heap: Ptr<u8>, flags: u32, block: Ptr<u8>) -> Bool {
        Bool::from(RtlValidateHeap(heap, flags, block) != 0)
    }

    /// The next part of a walk over a heap: a region, a block, or a range without memory.
    fn HeapWalk(heap: Ptr<u8>, entry: Ptr<ProcessHeapEntry>) -> Bool {
        truth(walk(heap, entry))
    }

    /// Has a heap's lock.
    fn HeapLock(heap: Ptr<u8>) -> Bool {
        Bool::from(RtlLockHeap(heap) != 0)
    }

    /// Gives a heap's lock back.
    fn HeapUnlock(heap: Ptr<u8>) -> Bool {
        Bool::from(RtlUnlockHeap(heap) != 0)
    }

    /// Sets something of a heap.
    fn HeapSetInformation(heap: Ptr<u8>, class: u32, from: Ptr<u8>, length: usize) -> Bool {
        truth_of(RtlSetHeapInformation(heap, class, from, length))
    }

    /// Tells something of a heap.
    fn HeapQueryInformation(heap: Ptr<u8>, class: u32, into: Ptr<u8>, length: usize, told: Ptr<usize>) -> Bool {
        truth_of(RtlQueryHeapInformation(heap, class, into, length, told))
    }
}
