//! The rest of ntdll's exports, as far as our own DLLs and programs use them.

use c_interface::{Ptr, imports};

imports! { "ntdll";
    /// Allocates a block of a heap; null if there is no memory.
    fn RtlAllocateHeap(heap: Ptr<u8>, flags: u32, bytes: usize) -> Ptr<u8>;
    /// Gives a block back.
    fn RtlFreeHeap(heap: Ptr<u8>, flags: u32, block: Ptr<u8>) -> u8;
}
