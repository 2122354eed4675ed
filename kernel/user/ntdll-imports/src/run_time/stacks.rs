//! Stacks and fibers.

use c_interface::{Ptr, imports};
use nt_abi::NtStatus;
use nt_abi::native::InitialTeb;

imports! { "ntdll";
    /// Makes a stack.
    fn RtlCreateUserStack(commit: usize, reserve: usize, zero_bits: usize, page: usize, alignment: usize, stack: Ptr<InitialTeb>) -> NtStatus;
    /// Gives a stack back.
    fn RtlFreeUserStack(allocation_base: Ptr<u8>);
    /// Where a fiber begins; nobody calls it.
    fn RtlUserFiberStart();
    /// Ends the values of a fiber's slots.
    fn RtlProcessFlsData(data: Ptr<u8>, flags: u32);
}
