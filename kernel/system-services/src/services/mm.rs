//! Services of virtual memory.

use mm::address_space::{Allocation, FreeKind, Limits};
use nt_abi::access::AccessMask;
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::services::arguments::{Handle, InOut, Out, Size, UserAddress};
use nt_abi::{NtResult, NtStatus};

use crate::Caller;
use crate::capture::Pointer;

pub(crate) fn nt_allocate_virtual_memory(
    caller: &Caller<'_>,
    process: Handle,
    base: InOut<UserAddress>,
    zero_bits: Size,
    size: InOut<Size>,
    allocation_type: u32,
    protection: u32,
) -> NtResult {
    let wanted: u64 = base.read()?;
    let length: u64 = size.read()?;
    base.probe::<u64>()?;
    size.probe::<u64>()?;
    let process = caller.reference_process(process, AccessMask::PROCESS_VM_OPERATION)?;
    let range = process.space().allocate(&Allocation {
        base: wanted,
        size: length,
        zero_bits: zero_bits.0,
        kind: AllocationType(allocation_type),
        protection: PageProtection(protection),
        limits: Limits::ANYWHERE,
    })?;
    size.write(&range.length())?;
    base.write(&range.start.0)
}

pub(crate) fn nt_free_virtual_memory(
    caller: &Caller<'_>,
    process: Handle,
    base: InOut<UserAddress>,
    size: InOut<Size>,
    free_type: u32,
) -> NtResult {
    let wanted: u64 = base.read()?;
    let length: u64 = size.read()?;
    base.probe::<u64>()?;
    size.probe::<u64>()?;
    let kind = match AllocationType(free_type) {
        AllocationType::DECOMMIT => FreeKind::Decommit,
        AllocationType::RELEASE => FreeKind::Release,
        _ => return Err(NtStatus::INVALID_PARAMETER_4),
    };
    let process = caller.reference_process(process, AccessMask::PROCESS_VM_OPERATION)?;
    let range = process.space().free(wanted, length, kind)?;
    size.write(&range.length())?;
    base.write(&range.start.0)
}

pub(crate) fn nt_protect_virtual_memory(
    caller: &Caller<'_>,
    process: Handle,
    base: InOut<UserAddress>,
    size: InOut<Size>,
    protection: u32,
    old_protection: Out<u32>,
) -> NtResult {
    let wanted: u64 = base.read()?;
    let length: u64 = size.read()?;
    base.probe::<u64>()?;
    size.probe::<u64>()?;
    old_protection.probe::<u32>()?;
    let process = caller.reference_process(process, AccessMask::PROCESS_VM_OPERATION)?;
    let (range, before) = process
        .space()
        .protect(wanted, length, PageProtection(protection))?;
    size.write(&range.length())?;
    base.write(&range.start.0)?;
    old_protection.write(&before.0)
}
