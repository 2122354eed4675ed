//! Memory of the own process as the services show it, so that a test need not touch what may not be there.

use nt_abi::NtStatus;
use nt_abi::access::AccessMask;
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::services::arguments::MemoryInformationClass;
use nt_abi::w64::MemoryBasicInformation;
use zerocopy::FromZeros as _;

use crate::services::*;

/// Bytes of a page.
pub const PAGE: u64 = 0x1000;
/// An address of the kernel.
pub const KERNEL: u64 = 0xFFFF_8000_0000_0000;
/// An address at which there is nothing: the lowest 64 KiB are nobody's.
pub const NOTHING: u64 = 0x1230;

/// A status as an error unless it is a success.
///
/// # Errors
/// The status.
pub fn done<T>(status: NtStatus, value: T) -> Result<T, NtStatus> {
    if status.is_success() {
        Ok(value)
    } else {
        Err(status)
    }
}

/// `NtAllocateVirtualMemory`: base and size.
///
/// # Errors
/// The service's.
pub fn allocate(
    base: u64,
    size: u64,
    kind: AllocationType,
    protection: PageProtection,
) -> Result<(u64, u64), NtStatus> {
    let (mut base, mut size) = (base, size);
    let status = NtAllocateVirtualMemory(
        CURRENT_PROCESS,
        &mut base,
        0u64,
        &mut size,
        kind.0,
        protection.0,
    );
    done(status, (base, size))
}

/// `NtFreeVirtualMemory`: base and size.
///
/// # Errors
/// The service's.
pub fn free(base: u64, size: u64, kind: AllocationType) -> Result<(u64, u64), NtStatus> {
    let (mut base, mut size) = (base, size);
    let status = NtFreeVirtualMemory(CURRENT_PROCESS, &mut base, &mut size, kind.0);
    done(status, (base, size))
}

/// `NtProtectVirtualMemory`: the protection before.
///
/// # Errors
/// The service's.
pub fn protect(
    base: u64,
    size: u64,
    protection: PageProtection,
) -> Result<PageProtection, NtStatus> {
    let (mut base, mut size, mut before) = (base, size, 0u32);
    let status = NtProtectVirtualMemory(
        CURRENT_PROCESS,
        &mut base,
        &mut size,
        protection.0,
        &mut before,
    );
    done(status, PageProtection(before))
}

/// `NtQueryVirtualMemory` with `MemoryBasicInformation`.
///
/// # Errors
/// The service's.
pub fn query(address: u64) -> Result<MemoryBasicInformation, NtStatus> {
    let mut information = MemoryBasicInformation::new_zeroed();
    let status = NtQueryVirtualMemory(
        CURRENT_PROCESS,
        address,
        MemoryInformationClass(0),
        &mut information,
        size_of::<MemoryBasicInformation>(),
        NULL,
    );
    done(status, information)
}

/// State, protection and size of the pages at an address.
///
/// # Errors
/// The service's.
pub fn region(address: u64) -> Result<(AllocationType, PageProtection, u64), NtStatus> {
    let found = query(address)?;
    Ok((found.state, found.protect, found.region_size))
}

/// `NtReadVirtualMemory` of the own process.
///
/// # Errors
/// The service's.
pub fn read<const N: usize>(address: u64) -> Result<[u8; N], NtStatus> {
    let mut bytes = [0u8; N];
    let status = NtReadVirtualMemory(CURRENT_PROCESS, address, &mut bytes, N, NULL);
    done(status, bytes)
}

/// `NtWriteVirtualMemory` of the own process.
pub fn write(address: u64, bytes: &[u8]) -> NtStatus {
    NtWriteVirtualMemory(CURRENT_PROCESS, address, bytes, bytes.len(), NULL)
}

/// A handle to the own process with just these rights.
///
/// # Errors
/// The service's.
pub fn own_process(rights: AccessMask) -> Result<u64, NtStatus> {
    let mut handle = 0u64;
    let status = NtDuplicateObject(
        CURRENT_PROCESS,
        CURRENT_PROCESS,
        CURRENT_PROCESS,
        &mut handle,
        rights,
        0u32,
        0u32,
    );
    done(status, handle)
}
