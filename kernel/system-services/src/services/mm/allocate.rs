//! Reserving, committing, freeing and protecting.

use mm::address_space::{Allocation, FreeKind, Limits};
use nt_abi::access::AccessMask;
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::services::arguments::{
    Handle, InOut, MemoryExtendedParameter, OptionalInOutArray, Out, Size, UserAddress,
};
use nt_abi::{NtResult, NtStatus};

use super::parameters::Parameters;
use super::{capture_range, check_range, write_range};
use crate::Caller;
use crate::capture::Pointer;

/// What only the newer service can do.
const PLACEHOLDERS: AllocationType =
    AllocationType::RESERVE_PLACEHOLDER.union(AllocationType::REPLACE_PLACEHOLDER);

fn allocate(
    caller: &Caller<'_>,
    process: Handle,
    (base, size): (InOut<UserAddress>, InOut<Size>),
    request: &Allocation,
) -> NtResult {
    let checked = request.check_kind()?;
    let (wanted, length) = capture_range(base, size)?;
    let request = Allocation {
        base: wanted,
        size: length,
        ..*request
    };
    if request.base != 0 && request.limits != Limits::ANYWHERE {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    request.check_range()?;
    let process = caller.reference_process(process, AccessMask::PROCESS_VM_OPERATION)?;
    let range = process.space().allocate_checked(&request, checked)?;
    write_range(base, size, range)
}

pub(crate) fn nt_allocate_virtual_memory(
    caller: &Caller<'_>,
    process: Handle,
    base: InOut<UserAddress>,
    zero_bits: Size,
    size: InOut<Size>,
    allocation_type: u32,
    protection: u32,
) -> NtResult {
    let kind = AllocationType(allocation_type);
    let request = Allocation {
        base: 0,
        size: 0,
        zero_bits: zero_bits.0,
        kind,
        protection: PageProtection(protection),
        limits: Limits::ANYWHERE,
    };
    if kind.intersects(PLACEHOLDERS) {
        // Zero bits are looked at first.
        Limits::ANYWHERE.with_zero_bits(zero_bits.0)?;
        return Err(NtStatus::INVALID_PARAMETER_5);
    }
    allocate(caller, process, (base, size), &request)
}

/// The newer service has one status for all parameters that are wrong.
fn without_number(status: NtStatus) -> NtStatus {
    match status {
        NtStatus::INVALID_PARAMETER_2
        | NtStatus::INVALID_PARAMETER_3
        | NtStatus::INVALID_PARAMETER_4
        | NtStatus::INVALID_PARAMETER_5
        | NtStatus::INVALID_PARAMETER_6 => NtStatus::INVALID_PARAMETER,
        other => other,
    }
}

#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_allocate_virtual_memory_ex(
    caller: &Caller<'_>,
    process: Handle,
    base: InOut<UserAddress>,
    size: InOut<Size>,
    allocation_type: u32,
    protection: u32,
    extended_parameters: OptionalInOutArray<MemoryExtendedParameter>,
    parameter_count: u32,
) -> NtResult {
    let parameters = Parameters::capture(extended_parameters.address(), parameter_count)?;
    if parameters.machine != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let request = Allocation {
        base: 0,
        size: 0,
        zero_bits: 0,
        kind: AllocationType(allocation_type),
        protection: PageProtection(protection),
        limits: parameters.limits,
    };
    allocate(caller, process, (base, size), &request).map_err(without_number)
}

pub(crate) fn nt_free_virtual_memory(
    caller: &Caller<'_>,
    process: Handle,
    base: InOut<UserAddress>,
    size: InOut<Size>,
    free_type: u32,
) -> NtResult {
    let kind = FreeKind::from_type(AllocationType(free_type))?;
    let (wanted, length) = capture_range(base, size)?;
    check_range(
        wanted,
        length,
        NtStatus::INVALID_PARAMETER_2,
        NtStatus::INVALID_PARAMETER_3,
    )?;
    let process = caller.reference_process(process, AccessMask::PROCESS_VM_OPERATION)?;
    let range = process.space().free(wanted, length, kind)?;
    write_range(base, size, range)
}

pub(crate) fn nt_protect_virtual_memory(
    caller: &Caller<'_>,
    process: Handle,
    base: InOut<UserAddress>,
    size: InOut<Size>,
    protection: u32,
    old_protection: Out<u32>,
) -> NtResult {
    let protection = PageProtection(protection);
    mm::Protection::from_page(protection)?;
    let (wanted, length) = capture_range(base, size)?;
    old_protection.probe::<u32>()?;
    mm::address_space::check_range(wanted, length)?;
    let process = caller.reference_process(process, AccessMask::PROCESS_VM_OPERATION)?;
    let (range, before) = process.space().protect(wanted, length, protection)?;
    write_range(base, size, range)?;
    old_protection.write(&before.0)
}
