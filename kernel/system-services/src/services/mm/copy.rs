//! Reading and writing other processes' memory.

use alloc::vec::Vec;

use arch::contract::{PAGE_SIZE, VirtAddr};
use arch::user::is_user_range;
use mm::AddressSpace;
use nt_abi::access::AccessMask;
use nt_abi::services::arguments::{Handle, InBytes, OptionalOut, OutBytes, Size, UserAddress};
use nt_abi::{NtResult, NtStatus};

use crate::Caller;
use crate::capture::{self, Pointer};

/// Bytes that are copied at a time.
const PIECE: usize = 16 << 10;

/// Both ranges must be in the user half, whatever is there.
fn check_ranges(one: u64, other: u64, size: u64) -> NtResult {
    if is_user_range(VirtAddr(one), size) && is_user_range(VirtAddr(other), size) {
        Ok(())
    } else {
        Err(NtStatus::ACCESS_VIOLATION)
    }
}

/// How far a copy came, and how it ended.
type Copied = (u64, NtResult);

fn buffer(size: u64) -> NtResult<Vec<u8>> {
    let length = usize::try_from(size).unwrap_or(PIECE).min(PIECE);
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(length)
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    bytes.resize(length, 0);
    Ok(bytes)
}

fn copy_from(space: &AddressSpace, base: u64, to: u64, size: u64) -> Copied {
    let mut bytes = match capture::probe_bytes_for_write(to, size).and_then(|()| buffer(size)) {
        Ok(bytes) => bytes,
        Err(status) => return (0, Err(status)),
    };
    let mut done = 0;
    while done < size {
        let length = usize::try_from(size - done).unwrap_or(PIECE).min(PIECE);
        let copied = space.read(base + done, &mut bytes[..length]);
        if capture::write_bytes(to + done, &bytes[..copied.count]).is_err() {
            return (done, Err(NtStatus::PARTIAL_COPY));
        }
        done += copied.count as u64;
        if copied.status != NtStatus::SUCCESS {
            return (done, Err(copied.status));
        }
    }
    (done, Ok(()))
}

fn copy_to(space: &AddressSpace, base: u64, from: u64, size: u64) -> Copied {
    let mut bytes = match buffer(size) {
        Ok(bytes) => bytes,
        Err(status) => return (0, Err(status)),
    };
    let mut done = 0;
    while done < size {
        // Up to the end of a page of the source, so that all that can be read is copied.
        let source = from + done;
        let piece = (PAGE_SIZE - source % PAGE_SIZE).min(size - done);
        let length = usize::try_from(piece).unwrap_or(0).min(bytes.len());
        if capture::read_into(source, &mut bytes[..length]).is_err() {
            return (done, Err(NtStatus::PARTIAL_COPY));
        }
        let copied = space.write(base + done, &bytes[..length]);
        done += copied.count as u64;
        if copied.status != NtStatus::SUCCESS {
            return (done, Err(copied.status));
        }
    }
    (done, Ok(()))
}

/// Copies between the caller and a process, and says how far it came whatever the outcome is.
fn copy(
    caller: &Caller<'_>,
    process: Handle,
    access: AccessMask,
    size: u64,
    count: OptionalOut<Size>,
    with: impl FnOnce(&AddressSpace) -> Copied,
) -> NtResult {
    count.probe_optional::<u64>()?;
    let (done, result) = if size == 0 {
        // Windows does not look at the handle either.
        (0, Ok(()))
    } else {
        match caller.reference_process(process, access) {
            Ok(process) if process.has_ended() => (0, Err(NtStatus::PROCESS_IS_TERMINATING)),
            Ok(process) => with(process.space()),
            Err(status) => (0, Err(status)),
        }
    };
    // It was probed; if it is gone since, that is the caller's loss.
    let _ = count.write_optional(&done);
    result
}

pub(crate) fn nt_read_virtual_memory(
    caller: &Caller<'_>,
    process: Handle,
    base: UserAddress,
    buffer: OutBytes,
    size: Size,
    bytes_read: OptionalOut<Size>,
) -> NtResult {
    let (from, to, size) = (base.0, buffer.address(), size.0);
    check_ranges(from, to, size)?;
    let right = AccessMask::PROCESS_VM_READ;
    copy(caller, process, right, size, bytes_read, |space| {
        copy_from(space, from, to, size)
    })
}

/// No flags are known.
pub(crate) fn nt_read_virtual_memory_ex(
    caller: &Caller<'_>,
    process: Handle,
    base: UserAddress,
    buffer: OutBytes,
    size: Size,
    bytes_read: OptionalOut<Size>,
    flags: u32,
) -> NtResult {
    if flags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    nt_read_virtual_memory(caller, process, base, buffer, size, bytes_read)
}

pub(crate) fn nt_write_virtual_memory(
    caller: &Caller<'_>,
    process: Handle,
    base: UserAddress,
    buffer: InBytes,
    size: Size,
    bytes_written: OptionalOut<Size>,
) -> NtResult {
    let (to, from, size) = (base.0, buffer.address(), size.0);
    check_ranges(to, from, size)?;
    let right = AccessMask::PROCESS_VM_WRITE;
    copy(caller, process, right, size, bytes_written, |space| {
        copy_to(space, to, from, size)
    })
}
