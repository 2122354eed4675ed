//! The rest of ntdll's exports, as far as our own DLLs and programs use them.

use c_interface::{Ptr, imports};
use nt_abi::NtStatus;

imports! { "ntdll";
    /// Allocates a block of a heap; null if there is no memory.
    fn RtlAllocateHeap(heap: Ptr<u8>, flags: u32, bytes: usize) -> Ptr<u8>;
    /// Gives a block back.
    fn RtlFreeHeap(heap: Ptr<u8>, flags: u32, block: Ptr<u8>) -> u8;
    /// What a status is in terms of Win32; notes it as the thread's last.
    fn RtlNtStatusToDosError(status: NtStatus) -> u32;
    /// Ends the process, after its DLLs have heard of it.
    fn RtlExitUserProcess(code: u32);
    /// Ends the thread, after the DLLs have heard of it.
    fn RtlExitUserThread(code: u32);
}
