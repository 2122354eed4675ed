//! Processes, threads, their environment, slots and fibers.

use c_interface::{Ptr, imports};
use nt_abi::NtStatus;
use nt_abi::native::{RtlUserProcessParameters, UnicodeString};

imports! { "ntdll";
    /// Ends the process, after its DLLs have heard of it.
    fn RtlExitUserProcess(code: u32);
    /// Ends the thread, after the DLLs have heard of it.
    fn RtlExitUserThread(code: u32);
    /// Has the lock of the PEB.
    fn RtlAcquirePebLock();
    /// Gives the lock of the PEB back.
    fn RtlReleasePebLock();
    /// The value of a variable of an environment, the process's if it is null.
    fn RtlQueryEnvironmentVariable_U(environment: Ptr<u16>, name: Ptr<UnicodeString>, value: Ptr<UnicodeString>) -> NtStatus;
    /// Sets a variable of an environment, or removes it.
    fn RtlSetEnvironmentVariable(environment: Ptr<usize>, name: Ptr<UnicodeString>, value: Ptr<UnicodeString>) -> NtStatus;
    /// Puts variables' values for their names.
    fn RtlExpandEnvironmentStrings_U(environment: Ptr<u16>, from: Ptr<UnicodeString>, into: Ptr<UnicodeString>, needed: Ptr<u32>) -> NtStatus;
    /// The first clear bits of a bitmap from a hint on, which are set; -1: there are none.
    fn RtlFindClearBitsAndSet(bitmap: Ptr<u8>, count: u32, hint: u32) -> u32;
    /// Clears bits.
    fn RtlClearBits(bitmap: Ptr<u8>, first: u32, count: u32);
    /// Whether bits are set.
    fn RtlAreBitsSet(bitmap: Ptr<u8>, first: u32, count: u32) -> u8;
    /// Takes an index for a slot of each fiber.
    fn RtlFlsAlloc(callback: Ptr<u8>, index: Ptr<u32>) -> NtStatus;
    /// Gives an index back.
    fn RtlFlsFree(index: u32) -> NtStatus;
    /// What this fiber has in a slot.
    fn RtlFlsGetValue(index: u32, value: Ptr<usize>) -> NtStatus;
    /// Puts something in a slot of this fiber.
    fn RtlFlsSetValue(index: u32, value: Ptr<u8>) -> NtStatus;
    /// Gives parameters back.
    fn RtlDestroyProcessParameters(parameters: Ptr<RtlUserProcessParameters>) -> NtStatus;
}
