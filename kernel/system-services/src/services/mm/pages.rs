//! Locking pages, advice about them, which were written, and what caches know of them.

use alloc::vec::Vec;

use arch::contract::{PAGE_SIZE, VirtAddr, VirtRange};
use mm::address_space::{HIGHEST_USER_ADDRESS, WatchReset};
use nt_abi::access::AccessMask;
use nt_abi::security::Privilege;
use nt_abi::services::arguments::{
    Before, Handle, InArray, InBytes, InOut, MemoryRangeEntry, Out, OutArray, Size, UserAddress,
    VirtualMemoryInformationClass,
};
use nt_abi::{NtResult, NtStatus, w64};

use super::{capture_range, check_range, write_range};
use crate::Caller;
use crate::capture::{self, Pointer};

/// `MAP_PROCESS`: in the working set.
const IN_WORKING_SET: u32 = 1;
/// `MAP_SYSTEM`: in memory.
const IN_MEMORY: u32 = 2;

/// What the services that lock and unlock have in common.
///
/// # Differs
/// Pages are locked in a working set only; to lock them in memory is `NOT_IMPLEMENTED`.
fn lockable<R>(
    caller: &Caller<'_>,
    process: Handle,
    (base, size): (InOut<UserAddress>, InOut<Size>),
    map_type: u32,
    with: impl FnOnce(&mm::AddressSpace, u64, u64) -> NtResult<(VirtRange, R)>,
) -> NtResult<R> {
    if map_type == 0 || map_type & !(IN_WORKING_SET | IN_MEMORY) != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let (wanted, length) = capture_range(base, size)?;
    let bad = NtStatus::INVALID_PARAMETER;
    check_range(wanted, length, bad, bad)?;
    if length == 0 {
        return Err(bad);
    }
    let process = caller.reference_process(process, AccessMask::PROCESS_VM_OPERATION)?;
    if map_type & IN_MEMORY != 0 {
        caller.require_privilege(Privilege::LOCK_MEMORY)?;
        return Err(NtStatus::NOT_IMPLEMENTED);
    }
    let (range, result) = with(process.space(), wanted, length)?;
    write_range(base, size, range)?;
    Ok(result)
}

pub(crate) fn nt_lock_virtual_memory(
    caller: &Caller<'_>,
    process: Handle,
    base: InOut<UserAddress>,
    size: InOut<Size>,
    map_type: u32,
) -> NtResult<NtStatus> {
    let were_locked = lockable(
        caller,
        process,
        (base, size),
        map_type,
        |space, base, size| space.lock_pages(base, size),
    )?;
    Ok(if were_locked {
        NtStatus::WAS_LOCKED
    } else {
        NtStatus::SUCCESS
    })
}

pub(crate) fn nt_unlock_virtual_memory(
    caller: &Caller<'_>,
    process: Handle,
    base: InOut<UserAddress>,
    size: InOut<Size>,
    map_type: u32,
) -> NtResult {
    lockable(
        caller,
        process,
        (base, size),
        map_type,
        |space, base, size| Ok((space.unlock_pages(base, size)?, ())),
    )
}

pub(crate) fn nt_flush_instruction_cache(
    caller: &Caller<'_>,
    process: Handle,
    base: UserAddress,
    size: Size,
) -> NtResult {
    let process = caller.reference_process(process, AccessMask::PROCESS_VM_WRITE)?;
    if base.0 == 0 {
        return process.space().publish_code(arch::memory::layout::USER);
    }
    if !arch::user::is_user_range(VirtAddr(base.0), size.0) {
        return Err(NtStatus::ACCESS_VIOLATION);
    }
    process.space().publish_code(pages_of(base.0, size.0))
}

/// The pages that have a byte of a range of the user half.
fn pages_of(base: u64, size: u64) -> VirtRange {
    VirtRange {
        start: VirtAddr(base & !(PAGE_SIZE - 1)),
        end: VirtAddr((base + size).next_multiple_of(PAGE_SIZE)),
    }
}

/// What is written is seen in order by everybody who looks.
pub(crate) fn nt_flush_write_buffer(_caller: &Caller<'_>) -> NtResult {
    core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
    Ok(())
}

/// `WRITE_WATCH_FLAG_RESET`.
const RESET: u32 = 1;
/// The most addresses that one call gives. A caller who asks for more gets this many, as if no more had been written, and
/// finds the others the next time.
const MOST_ADDRESSES: u64 = 1 << 16;

/// # Differs
/// One call gives 65,536 addresses at most.
#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_get_write_watch(
    caller: &Caller<'_>,
    process: Handle,
    flags: u32,
    base: UserAddress,
    size: Size,
    addresses: OutArray<UserAddress>,
    address_count: InOut<Size>,
    granularity: Out<u32>,
) -> NtResult {
    if flags & !RESET != 0 {
        return Err(NtStatus::INVALID_PARAMETER_2);
    }
    address_count.probe::<u64>()?;
    let room: u64 = address_count.read()?;
    if room == 0 || room > u64::MAX / size_of::<u64>() as u64 {
        return Err(NtStatus::INVALID_PARAMETER_5);
    }
    let room = room.min(MOST_ADDRESSES).min(size.0 / PAGE_SIZE + 2);
    capture::probe_array_for_write::<u64>(addresses.address(), room)?;
    granularity.probe::<u32>()?;
    check_range(
        base.0,
        size.0,
        NtStatus::INVALID_PARAMETER_2,
        NtStatus::INVALID_PARAMETER_3,
    )?;
    let process = caller.reference_process(process, AccessMask::PROCESS_VM_OPERATION)?;
    let mut pages: Vec<u64> = Vec::new();
    let room = usize::try_from(room).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    pages
        .try_reserve_exact(room)
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    pages.resize(room, 0);
    let reset = if flags & RESET == 0 {
        WatchReset::Keep
    } else {
        WatchReset::Reset
    };
    let count = process
        .space()
        .write_watch(base.0, size.0, reset, &mut pages)?;
    let mut place = addresses.address();
    for page in pages.iter().take(count) {
        capture::write(place, page)?;
        place += size_of::<u64>() as u64;
    }
    address_count.write(&(count as u64))?;
    granularity.write(&u32::try_from(PAGE_SIZE).unwrap_or(u32::MAX))
}

pub(crate) fn nt_reset_write_watch(
    caller: &Caller<'_>,
    process: Handle,
    base: UserAddress,
    size: Size,
) -> NtResult {
    check_range(
        base.0,
        size.0,
        NtStatus::INVALID_PARAMETER_2,
        NtStatus::INVALID_PARAMETER_3,
    )?;
    let process = caller.reference_process(process, AccessMask::PROCESS_VM_OPERATION)?;
    process.space().reset_write_watch(base.0, size.0)
}

/// `VIRTUAL_MEMORY_INFORMATION_CLASS`.
mod class {
    pub(super) const PREFETCH: u32 = 0;
    pub(super) const LAST: u32 = 3;
}

/// The most ranges that one call names.
const MOST_RANGES: usize = 4096;

/// # Differs
/// - The one class is to prefetch; those for page priorities, targets of calls and dirty pages are `NOT_IMPLEMENTED`.
/// - One call names 4,096 ranges at most (`INVALID_PARAMETER_3`), and looks at so many pages as one advice is worth.
pub(crate) fn nt_set_information_virtual_memory(
    caller: &Caller<'_>,
    process: Handle,
    class: VirtualMemoryInformationClass,
    count: Size,
    addresses: InArray<MemoryRangeEntry, Before>,
    information: InBytes,
    length: u32,
) -> NtResult {
    if class.0 > class::LAST {
        return Err(NtStatus::INVALID_PARAMETER_2);
    }
    if class.0 != class::PREFETCH {
        return Err(NtStatus::NOT_IMPLEMENTED);
    }
    if length as usize != size_of::<u32>() {
        return Err(NtStatus::INVALID_PARAMETER_6);
    }
    if count.0 == 0 {
        return Err(NtStatus::INVALID_PARAMETER_3);
    }
    let flags: u32 = information.read()?;
    if flags != 0 {
        return Err(NtStatus::INVALID_PARAMETER_5);
    }
    let count = usize::try_from(count.0)
        .ok()
        .filter(|count| *count <= MOST_RANGES);
    let count = count.ok_or(NtStatus::INVALID_PARAMETER_3)?;
    let entries = capture::read_array::<w64::MemoryRangeEntry>(addresses.address(), count)?;
    for entry in &entries {
        let (base, size) = (entry.virtual_address, entry.number_of_bytes);
        if size == 0 || base > HIGHEST_USER_ADDRESS || size > HIGHEST_USER_ADDRESS + 1 - base {
            return Err(NtStatus::INVALID_PARAMETER_4);
        }
    }
    let process = caller.reference_process(process, AccessMask::PROCESS_VM_OPERATION)?;
    let ranges = entries
        .iter()
        .map(|entry| pages_of(entry.virtual_address, entry.number_of_bytes));
    process.space().prefetch(ranges)
}
