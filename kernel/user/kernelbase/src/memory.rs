//! Virtual memory, of this process and of others.

use nt_abi::memory::{AllocationType, MemoryInformationClass, PageProtection};
use nt_abi::native::{MemoryBasicInformation, MemoryRangeEntry};
use nt_abi::services::arguments::VirtualMemoryInformationClass;
use ntdll_imports::{
    NtAllocateVirtualMemory, NtAllocateVirtualMemoryEx, NtFlushInstructionCache,
    NtFreeVirtualMemory, NtGetWriteWatch, NtLockVirtualMemory, NtProtectVirtualMemory,
    NtQueryVirtualMemory, NtReadVirtualMemory, NtResetWriteWatch, NtSetInformationVirtualMemory,
    NtUnlockVirtualMemory, NtWriteVirtualMemory,
};

use crate::win::*;

/// How addresses of allocations are aligned.
const GRANULARITY: usize = 0x1_0000;
/// The size of a page.
const PAGE: usize = 0x1000;
/// `MAP_PROCESS`, of a lock on pages.
const MAP_PROCESS: u32 = 1;
/// `VmPrefetchInformation`.
const PREFETCH: VirtualMemoryInformationClass = VirtualMemoryInformationClass(0);

/// Gives memory.
fn allocate(process: Handle, at: Ptr<u8>, size: usize, kind: u32, protection: u32) -> Win<Ptr<u8>> {
    if !at.is_null() && at.address() < GRANULARITY {
        return Err(Error::INVALID_PARAMETER);
    }
    let (mut base, mut size) = (at.address(), size);
    check(NtAllocateVirtualMemory(
        process, &mut base, 0_usize, &mut size, kind, protection,
    ))?;
    Ok(Ptr::new(base))
}

/// Takes memory back.
fn free(process: Handle, at: Ptr<u8>, size: usize, kind: u32) -> Win {
    if kind & AllocationType::RELEASE.0 != 0 && size != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    let (mut base, mut size) = (at.address(), size);
    check(NtFreeVirtualMemory(process, &mut base, &mut size, kind))
}

/// Changes what may be done with memory.
fn protect(process: Handle, at: Ptr<u8>, size: usize, new: u32, old: Ptr<u32>) -> Win {
    let (mut base, mut size) = (at.address(), size);
    check(NtProtectVirtualMemory(
        process, &mut base, &mut size, new, old,
    ))
}

/// What is at an address; gives how many bytes were told.
fn query(
    process: Handle,
    at: Ptr<u8>,
    into: Ptr<MemoryBasicInformation>,
    length: usize,
) -> Win<usize> {
    let mut told = 0_usize;
    check(NtQueryVirtualMemory(
        process,
        at.address() as u64,
        nt_abi::services::arguments::MemoryInformationClass(MemoryInformationClass::BASIC.0),
        into,
        length,
        &mut told,
    ))?;
    Ok(told)
}

/// Reads memory of a process; gives how many bytes came.
fn read(process: Handle, at: Ptr<u8>, into: Ptr<u8>, size: usize) -> (NtStatus, usize) {
    let mut done = 0_usize;
    let status = NtReadVirtualMemory(process, at.address() as u64, into, size, &mut done);
    (status, done)
}

/// Writes memory of a process, also where its code is: a debugger puts breakpoints there.
fn write(process: Handle, at: Ptr<u8>, from: Ptr<u8>, size: usize) -> (NtStatus, usize) {
    let mut done = 0_usize;
    let address = at.address() as u64;
    let status = NtWriteVirtualMemory(process, address, from, size, &mut done);
    if status.is_success() {
        return (status, done);
    }
    let mut old = 0_u32;
    let writable = PageProtection::EXECUTE_READWRITE.0;
    let old_place = Ptr::of(&mut old);
    if protect(process, at, size, writable, old_place).is_err() {
        return (status, done);
    }
    // Only what was executable is changed behind its owner's back.
    let executable =
        PageProtection::EXECUTE | PageProtection::EXECUTE_READ | PageProtection::EXECUTE_WRITECOPY;
    let status = if old & executable.0 != 0 {
        NtWriteVirtualMemory(process, address, from, size, &mut done)
    } else {
        status
    };
    let mut changed = 0_u32;
    let _restored = protect(process, at, size, old, Ptr::of(&mut changed));
    if status.is_success() {
        let _flushed = NtFlushInstructionCache(process, address, size);
    }
    (status, done)
}

/// Reads a word of a process; whether it could.
pub(crate) fn read_word(process: Handle, at: Ptr<u8>, into: Ptr<u8>) -> bool {
    read(process, at, into, size_of::<usize>()).0.is_success()
}

/// Writes a word of a process; whether it could.
pub(crate) fn write_word(process: Handle, at: Ptr<u8>, from: Ptr<u8>) -> bool {
    let size = size_of::<usize>();
    NtWriteVirtualMemory(
        process,
        at.address() as u64,
        from,
        size,
        ntdll_imports::NULL,
    )
    .is_success()
}

/// Protections with which memory can be written.
const WRITABLE: u32 = PageProtection::READWRITE.0
    | PageProtection::WRITECOPY.0
    | PageProtection::EXECUTE_READWRITE.0
    | PageProtection::EXECUTE_WRITECOPY.0;
/// Protections with which an access fails or is noticed.
const CLOSED: u32 = PageProtection::NOACCESS.0 | PageProtection::GUARD.0;

/// How many bytes from an address on can be read, or written, at least up to a number of them. Nothing is touched, and so no
/// guard page loses its guard.
fn accessible(at: Ptr<u8>, most: usize, writing: bool) -> usize {
    let mut found = 0;
    while found < most {
        let place = at.byte_add(found);
        if place < at {
            break;
        }
        let mut information = MemoryBasicInformation::default();
        let length = size_of::<MemoryBasicInformation>();
        let told = query(
            Handle::CURRENT_PROCESS,
            place,
            Ptr::of(&mut information),
            length,
        );
        let protection = information.protect.0;
        let is_open = told.is_ok()
            && information.state == AllocationType::COMMIT
            && protection & CLOSED == 0
            && (!writing || protection & WRITABLE != 0);
        if !is_open {
            break;
        }
        let end =
            Ptr::<u8>::at(information.base_address).byte_add(native_size(information.region_size));
        found += end.address().wrapping_sub(place.address());
    }
    found.min(most)
}

/// Whether a range cannot be read, or written.
fn is_bad(at: Ptr<u8>, size: usize, writing: bool) -> bool {
    accessible(at, size, writing) < size
}

/// Whether a terminated string cannot be read, up to so many bytes.
fn is_bad_string(at: Ptr<u8>, most: usize, unit: usize) -> bool {
    // Most strings end before their page does.
    let mut checked = 0;
    while checked < most {
        let in_page = PAGE - (at.address().wrapping_add(checked) & (PAGE - 1));
        let wanted = in_page.min(most - checked);
        let readable = accessible(at.byte_add(checked), wanted, false);
        let bytes = at.byte_add(checked).slice(readable);
        if bytes
            .chunks_exact(unit)
            .any(|unit| unit.iter().all(|&byte| byte == 0))
        {
            return false;
        }
        if readable < wanted {
            return true;
        }
        checked += wanted;
    }
    false
}

/// Tells how much was moved.
fn moved((status, done): (NtStatus, usize), into: Ptr<usize>) -> Bool {
    into.write_optional(done);
    truth_of(status)
}

exports! {
    /// Gives memory of this process; null: it failed.
    fn VirtualAlloc(at: Ptr<u8>, size: usize, kind: u32, protection: u32) -> Ptr<u8> {
        answer(allocate(Handle::CURRENT_PROCESS, at, size, kind, protection), Ptr::NULL)
    }

    /// Gives memory of a process; null: it failed.
    fn VirtualAllocEx(process: Handle, at: Ptr<u8>, size: usize, kind: u32, protection: u32) -> Ptr<u8> {
        answer(allocate(process, at, size, kind, protection), Ptr::NULL)
    }

    /// Gives memory of a process; null: it failed. The node that is preferred is taken for a wish: there is one.
    fn VirtualAllocExNuma(process: Handle, at: Ptr<u8>, size: usize, kind: u32, protection: u32, _node: u32) -> Ptr<u8> {
        answer(allocate(process, at, size, kind, protection), Ptr::NULL)
    }

    /// Gives memory, where further parameters want it; null: it failed.
    fn VirtualAlloc2(process: Handle, at: Ptr<u8>, size: usize, kind: u32, protection: u32, parameters: Ptr<u8>, count: u32) -> Ptr<u8> {
        let process = if process.is_null() { Handle::CURRENT_PROCESS } else { process };
        let (mut base, mut size) = (at.address(), size);
        let status = NtAllocateVirtualMemoryEx(process, &mut base, &mut size, kind, protection, parameters, count);
        answer(check(status).map(|()| Ptr::new(base)), Ptr::NULL)
    }

    /// Gives memory of this process; null: it failed.
    fn VirtualAllocFromApp(at: Ptr<u8>, size: usize, kind: u32, protection: u32) -> Ptr<u8> {
        answer(allocate(Handle::CURRENT_PROCESS, at, size, kind, protection), Ptr::NULL)
    }

    /// Takes memory of this process back.
    fn VirtualFree(at: Ptr<u8>, size: usize, kind: u32) -> Bool {
        truth(free(Handle::CURRENT_PROCESS, at, size, kind))
    }

    /// Takes memory of a process back.
    fn VirtualFreeEx(process: Handle, at: Ptr<u8>, size: usize, kind: u32) -> Bool {
        truth(free(process, at, size, kind))
    }

    /// Changes what may be done with memory of this process.
    fn VirtualProtect(at: Ptr<u8>, size: usize, new: u32, old: Ptr<u32>) -> Bool {
        truth(protect(Handle::CURRENT_PROCESS, at, size, new, old))
    }

    /// Changes what may be done with memory of a process.
    fn VirtualProtectEx(process: Handle, at: Ptr<u8>, size: usize, new: u32, old: Ptr<u32>) -> Bool {
        truth(protect(process, at, size, new, old))
    }

    /// Changes what may be done with memory of this process.
    fn VirtualProtectFromApp(at: Ptr<u8>, size: usize, new: u32, old: Ptr<u32>) -> Bool {
        truth(protect(Handle::CURRENT_PROCESS, at, size, new, old))
    }

    /// What is at an address of this process; 0: it failed.
    fn VirtualQuery(at: Ptr<u8>, into: Ptr<MemoryBasicInformation>, length: usize) -> usize {
        answer(query(Handle::CURRENT_PROCESS, at, into, length), 0)
    }

    /// What is at an address of a process; 0: it failed.
    fn VirtualQueryEx(process: Handle, at: Ptr<u8>, into: Ptr<MemoryBasicInformation>, length: usize) -> usize {
        answer(query(process, at, into, length), 0)
    }

    /// Keeps pages in memory.
    fn VirtualLock(at: Ptr<u8>, size: usize) -> Bool {
        let (mut base, mut size) = (at.address(), size);
        truth_of(NtLockVirtualMemory(Handle::CURRENT_PROCESS, &mut base, &mut size, MAP_PROCESS))
    }

    /// Lets pages go.
    fn VirtualUnlock(at: Ptr<u8>, size: usize) -> Bool {
        let (mut base, mut size) = (at.address(), size);
        truth_of(NtUnlockVirtualMemory(Handle::CURRENT_PROCESS, &mut base, &mut size, MAP_PROCESS))
    }

    /// Reads memory of a process.
    fn ReadProcessMemory(process: Handle, at: Ptr<u8>, into: Ptr<u8>, size: usize, done: Ptr<usize>) -> Bool {
        moved(read(process, at, into, size), done)
    }

    /// Writes memory of a process.
    fn WriteProcessMemory(process: Handle, at: Ptr<u8>, from: Ptr<u8>, size: usize, done: Ptr<usize>) -> Bool {
        moved(write(process, at, from, size), done)
    }

    /// Makes code that was written visible to the processors.
    fn FlushInstructionCache(process: Handle, at: Ptr<u8>, size: usize) -> Bool {
        truth_of(NtFlushInstructionCache(process, at.address() as u64, size))
    }

    /// Which pages were written, of memory that records it; 0: it is told.
    fn GetWriteWatch(flags: u32, at: Ptr<u8>, size: usize, addresses: Ptr<usize>, count: Ptr<usize>, granularity: Ptr<u32>) -> u32 {
        let status = NtGetWriteWatch(Handle::CURRENT_PROCESS, flags, at.address() as u64, size, addresses, count, granularity);
        answer(check(status).map(|()| 0), u32::MAX)
    }

    /// Forgets which pages were written; 0: it is done.
    fn ResetWriteWatch(at: Ptr<u8>, size: usize) -> u32 {
        let status = NtResetWriteWatch(Handle::CURRENT_PROCESS, at.address() as u64, size);
        answer(check(status).map(|()| 0), u32::MAX)
    }

    /// Brings ranges of memory in before they are needed.
    fn PrefetchVirtualMemory(process: Handle, count: usize, ranges: Ptr<MemoryRangeEntry>, flags: u32) -> Bool {
        let mut flags = flags;
        truth_of(NtSetInformationVirtualMemory(process, PREFETCH, count, ranges, Ptr::of(&mut flags), 4_u32))
    }

    /// Gives the content of pages up.
    fn DiscardVirtualMemory(at: Ptr<u8>, size: usize) -> u32 {
        let reset = allocate(Handle::CURRENT_PROCESS, at, size, AllocationType::RESET.0, PageProtection::NOACCESS.0);
        reset.map_or_else(|error| error.0, |_| 0)
    }

    /// Says that the content of pages may be given up.
    fn OfferVirtualMemory(at: Ptr<u8>, size: usize, _priority: u32) -> u32 {
        let reset = allocate(Handle::CURRENT_PROCESS, at, size, AllocationType::RESET.0, PageProtection::NOACCESS.0);
        reset.map_or_else(|error| error.0, |_| 0)
    }

    /// Wants the content of pages back that was offered.
    fn ReclaimVirtualMemory(at: Ptr<u8>, size: usize) -> u32 {
        let undone = allocate(Handle::CURRENT_PROCESS, at, size, AllocationType::RESET_UNDO.0, PageProtection::NOACCESS.0);
        undone.map_or_else(|error| error.0, |_| 0)
    }

    /// Whether memory cannot be read.
    fn IsBadReadPtr(at: Ptr<u8>, size: usize) -> Bool {
        Bool::from(is_bad(at, size, false))
    }

    /// Whether memory cannot be written.
    fn IsBadWritePtr(at: Ptr<u8>, size: usize) -> Bool {
        Bool::from(is_bad(at, size, true))
    }

    /// Whether memory cannot be read.
    fn IsBadHugeReadPtr(at: Ptr<u8>, size: usize) -> Bool {
        Bool::from(is_bad(at, size, false))
    }

    /// Whether memory cannot be written.
    fn IsBadHugeWritePtr(at: Ptr<u8>, size: usize) -> Bool {
        Bool::from(is_bad(at, size, true))
    }

    /// Whether a function cannot be read.
    fn IsBadCodePtr(at: Ptr<u8>) -> Bool {
        Bool::from(is_bad(at, 1, false))
    }

    /// Whether a string cannot be read.
    fn IsBadStringPtrA(at: Ptr<u8>, most: usize) -> Bool {
        Bool::from(is_bad_string(at, most, 1))
    }

    /// Whether a string cannot be read.
    fn IsBadStringPtrW(at: Ptr<u16>, most: usize) -> Bool {
        Bool::from(is_bad_string(at.cast(), most.saturating_mul(2), 2))
    }
}
