//! `GlobalAlloc`, `LocalAlloc` and their families.

use ntdll_imports::{RtlAllocateHeap, RtlFreeHeap, RtlReAllocateHeap, RtlSizeHeap};

use crate::lock::SlimLock;
use crate::movable::{self, Blocks, flags};
use crate::win::*;

/// Whoever looks behind a handle has this.
static LOCK: SlimLock = SlimLock::new();

/// `HEAP_ZERO_MEMORY`.
const ZERO: u32 = 8;
/// `HEAP_REALLOC_IN_PLACE_ONLY`.
const IN_PLACE: u32 = 0x10;

/// Blocks of the process heap.
struct ProcessBlocks;

impl Blocks for ProcessBlocks {
    fn allocate(&self, bytes: usize, zero: bool) -> Option<Ptr<u8>> {
        let flags = if zero { ZERO } else { 0 };
        RtlAllocateHeap(process_heap(), flags, bytes).non_null()
    }

    fn reallocate(
        &self,
        block: Ptr<u8>,
        bytes: usize,
        zero: bool,
        may_move: bool,
    ) -> Option<Ptr<u8>> {
        let zero = if zero { ZERO } else { 0 };
        let in_place = if may_move { 0 } else { IN_PLACE };
        RtlReAllocateHeap(process_heap(), zero | in_place, block, bytes).non_null()
    }

    fn size(&self, block: Ptr<u8>) -> Option<usize> {
        match RtlSizeHeap(process_heap(), 0, block) {
            usize::MAX => None,
            size => Some(size),
        }
    }

    fn free(&self, block: Ptr<u8>) -> bool {
        RtlFreeHeap(process_heap(), 0, block) != 0
    }
}

fn allocate(wanted: u32, size: usize) -> Ptr<u8> {
    answer(movable::allocate(&ProcessBlocks, wanted, size), Ptr::NULL)
}

/// Takes memory back: null, or the handle if it is none.
fn free(handle: Ptr<u8>) -> Ptr<u8> {
    if handle.is_null() {
        return Ptr::NULL;
    }
    let _lock = LOCK.acquire();
    answer(
        movable::free(&ProcessBlocks, handle).map(|()| Ptr::NULL),
        handle,
    )
}

fn reallocate(handle: Ptr<u8>, size: usize, wanted: u32) -> Ptr<u8> {
    if handle.is_null() {
        return answer(Err(Error::INVALID_HANDLE), Ptr::NULL);
    }
    let _lock = LOCK.acquire();
    answer(
        movable::reallocate(&ProcessBlocks, handle, size, wanted),
        Ptr::NULL,
    )
}

fn lock(handle: Ptr<u8>) -> Ptr<u8> {
    if handle.is_null() {
        return answer(Err(Error::INVALID_HANDLE), Ptr::NULL);
    }
    let _lock = LOCK.acquire();
    answer(movable::lock(handle), Ptr::NULL)
}

/// That nothing is locked any more is told as a failure without an error.
fn unlock(handle: Ptr<u8>) -> Bool {
    if handle.is_null() {
        return truth(Err(Error::INVALID_HANDLE));
    }
    let _lock = LOCK.acquire();
    truth(
        movable::unlock(handle)
            .and_then(|locked| if locked { Ok(()) } else { Err(Error::SUCCESS) }),
    )
}

fn size(handle: Ptr<u8>) -> usize {
    if handle.is_null() {
        return answer(Err(Error::INVALID_HANDLE), 0);
    }
    let _lock = LOCK.acquire();
    answer(movable::size(&ProcessBlocks, handle), 0)
}

fn state(handle: Ptr<u8>) -> u32 {
    if handle.is_null() {
        return answer(Err(Error::INVALID_HANDLE), flags::INVALID_HANDLE);
    }
    let _lock = LOCK.acquire();
    answer(
        movable::state(&ProcessBlocks, handle),
        flags::INVALID_HANDLE,
    )
}

fn handle_of(bytes: Ptr<u8>) -> Ptr<u8> {
    if bytes.is_null() {
        return answer(Err(Error::INVALID_PARAMETER), Ptr::NULL);
    }
    let _lock = LOCK.acquire();
    answer(movable::handle(&ProcessBlocks, bytes), Ptr::NULL)
}

exports! {
    /// Gives memory; null: there is none.
    fn GlobalAlloc(wanted: u32, size: usize) -> Ptr<u8> {
        allocate(wanted, size)
    }

    /// Gives memory; null: there is none.
    fn LocalAlloc(wanted: u32, size: usize) -> Ptr<u8> {
        allocate(wanted, size)
    }

    /// Takes memory back; null: it is gone.
    fn GlobalFree(handle: Ptr<u8>) -> Ptr<u8> {
        free(handle)
    }

    /// Takes memory back; null: it is gone.
    fn LocalFree(handle: Ptr<u8>) -> Ptr<u8> {
        free(handle)
    }

    /// Changes the size of memory, or what may be done with it.
    fn GlobalReAlloc(handle: Ptr<u8>, size: usize, wanted: u32) -> Ptr<u8> {
        reallocate(handle, size, wanted)
    }

    /// Changes the size of memory, or what may be done with it.
    fn LocalReAlloc(handle: Ptr<u8>, size: usize, wanted: u32) -> Ptr<u8> {
        reallocate(handle, size, wanted)
    }

    /// Where the bytes are, and stay.
    fn GlobalLock(handle: Ptr<u8>) -> Ptr<u8> {
        lock(handle)
    }

    /// Where the bytes are, and stay.
    fn LocalLock(handle: Ptr<u8>) -> Ptr<u8> {
        lock(handle)
    }

    /// Lets the bytes move again; whether they are still locked.
    fn GlobalUnlock(handle: Ptr<u8>) -> Bool {
        unlock(handle)
    }

    /// Lets the bytes move again; whether they are still locked.
    fn LocalUnlock(handle: Ptr<u8>) -> Bool {
        unlock(handle)
    }

    /// How many bytes there are.
    fn GlobalSize(handle: Ptr<u8>) -> usize {
        size(handle)
    }

    /// How many bytes there are.
    fn LocalSize(handle: Ptr<u8>) -> usize {
        size(handle)
    }

    /// How often memory is locked, and whether it is discarded.
    fn GlobalFlags(handle: Ptr<u8>) -> u32 {
        state(handle)
    }

    /// How often memory is locked, and whether it is discarded.
    fn LocalFlags(handle: Ptr<u8>) -> u32 {
        state(handle)
    }

    /// The handle of memory whose bytes are at an address.
    fn GlobalHandle(bytes: Ptr<u8>) -> Ptr<u8> {
        handle_of(bytes)
    }

    /// The handle of memory whose bytes are at an address.
    fn LocalHandle(bytes: Ptr<u8>) -> Ptr<u8> {
        handle_of(bytes)
    }

    /// Makes memory free for others: it is nobody's duty any more.
    fn GlobalCompact(_least: u32) -> usize {
        0
    }

    /// Makes memory free for others: it is nobody's duty any more.
    fn LocalCompact(_least: u32) -> usize {
        0
    }

    /// Makes the heap smaller: it is nobody's duty any more.
    fn LocalShrink(_handle: Ptr<u8>, _size: u32) -> usize {
        0
    }

    /// Keeps memory where it is.
    fn GlobalFix(handle: Ptr<u8>) {
        lock(handle);
    }

    /// Lets memory move again.
    fn GlobalUnfix(handle: Ptr<u8>) {
        unlock(handle);
    }

    /// Keeps memory where it is, for a program of 16 bits.
    fn GlobalWire(handle: Ptr<u8>) -> Ptr<u8> {
        lock(handle)
    }

    /// Lets memory move again, for a program of 16 bits.
    fn GlobalUnWire(handle: Ptr<u8>) -> Bool {
        unlock(handle)
    }
}
