//! Heaps.

use c_interface::{Ptr, imports};
use nt_abi::NtStatus;

imports! { "ntdll";
    /// Allocates a block of a heap; null if there is no memory.
    fn RtlAllocateHeap(heap: Ptr<u8>, flags: u32, bytes: usize) -> Ptr<u8>;
    /// Gives a block back.
    fn RtlFreeHeap(heap: Ptr<u8>, flags: u32, block: Ptr<u8>) -> u32;
    /// Changes the size of a block; null if there is no memory, and the block stays.
    fn RtlReAllocateHeap(heap: Ptr<u8>, flags: u32, block: Ptr<u8>, bytes: usize) -> Ptr<u8>;
    /// The size of a block; -1: it is none.
    fn RtlSizeHeap(heap: Ptr<u8>, flags: u32, block: Ptr<u8>) -> usize;
    /// Makes a heap.
    fn RtlCreateHeap(flags: u32, base: Ptr<u8>, reserve: usize, commit: usize, lock: Ptr<u8>, parameters: Ptr<u8>) -> Ptr<u8>;
    /// Takes a heap away; null, or the heap if it cannot go.
    fn RtlDestroyHeap(heap: Ptr<u8>) -> Ptr<u8>;
    /// Whether a block, or a whole heap, is in order.
    fn RtlValidateHeap(heap: Ptr<u8>, flags: u32, block: Ptr<u8>) -> u8;
    /// Has a heap's lock.
    fn RtlLockHeap(heap: Ptr<u8>) -> u8;
    /// Gives a heap's lock back.
    fn RtlUnlockHeap(heap: Ptr<u8>) -> u8;
    /// All heaps of the process.
    fn RtlGetProcessHeaps(capacity: u32, heaps: Ptr<usize>) -> u32;
    /// The next block of a walk over a heap.
    fn RtlWalkHeap(heap: Ptr<u8>, entry: Ptr<u8>) -> NtStatus;
    /// Tells something of a heap.
    fn RtlQueryHeapInformation(heap: Ptr<u8>, class: u32, into: Ptr<u8>, length: usize, told: Ptr<usize>) -> NtStatus;
    /// Sets something of a heap.
    fn RtlSetHeapInformation(heap: Ptr<u8>, class: u32, from: Ptr<u8>, length: usize) -> NtStatus;
}
