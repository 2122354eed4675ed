//! Services that suspend all threads of a process, and those that go from one process or thread to the next.

use nt_abi::access::AccessMask;
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::services::arguments::{AccessMask as Access, Handle, Out};
use nt_abi::{NtResult, NtStatus};
use ob::{Object, ObjectBody};
use ps::thread::threads_of;
use ps::{Process, Thread, client_id};

use crate::Caller;
use crate::capture::Pointer;

fn process_to_suspend(caller: &Caller<'_>, process: Handle) -> NtResult<Object<Process>> {
    let process = caller.reference_process(process, AccessMask::PROCESS_SUSPEND_RESUME)?;
    if process.is_ending() {
        return Err(NtStatus::PROCESS_IS_TERMINATING);
    }
    Ok(process)
}

/// # Differs
/// A thread that is made while this goes on may be left out.
pub(crate) fn nt_suspend_process(caller: &Caller<'_>, process: Handle) -> NtResult {
    let process = process_to_suspend(caller, process)?;
    for thread in threads_of(&process) {
        // One that ends, or is suspended as often as can be, is no failure of the process.
        let _ = ke::thread::suspend(thread.scheduled());
    }
    Ok(())
}

pub(crate) fn nt_resume_process(caller: &Caller<'_>, process: Handle) -> NtResult {
    let process = process_to_suspend(caller, process)?;
    for thread in threads_of(&process) {
        ke::thread::resume(thread.scheduled());
    }
    Ok(())
}

/// Opens the first of these that the caller may open, and writes its handle.
fn open_next<T: ObjectBody>(
    caller: &Caller<'_>,
    objects: impl Iterator<Item = Object<T>>,
    access: Access,
    handle_attributes: u32,
    handle: Out<Handle>,
) -> NtResult {
    let attributes =
        ObjectAttributeFlags::from_bits(handle_attributes).ok_or(NtStatus::INVALID_PARAMETER)?;
    for object in objects {
        let object = Object::as_erased(&object);
        match super::process::open(caller, handle, access, attributes, object) {
            // One that the caller may not know of.
            Err(NtStatus::ACCESS_DENIED) => {}
            result => return result,
        }
    }
    Err(NtStatus::NO_MORE_ENTRIES)
}

/// `PROCESS_GET_NEXT_FLAGS_PREVIOUS_PROCESS`.
const PREVIOUS: u32 = 1;

/// # Differs
/// Processes come in the order of their numbers; on Windows, of their making.
pub(crate) fn nt_get_next_process(
    caller: &Caller<'_>,
    process: Handle,
    access: Access,
    handle_attributes: u32,
    flags: u32,
    handle: Out<Handle>,
) -> NtResult {
    handle.probe::<u64>()?;
    if flags & !PREVIOUS != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let from = if process.is_null() {
        None
    } else {
        Some(caller.reference_process(process, AccessMask::NONE)?.id())
    };
    if flags & PREVIOUS == 0 {
        let mut after = from.unwrap_or(0);
        let later = core::iter::from_fn(|| {
            let next = client_id::next_after::<Process>(after)?;
            after = next.id();
            Some(next)
        });
        return open_next(caller, later, access, handle_attributes, handle);
    }
    let mut before = from.unwrap_or(u32::MAX);
    let earlier = core::iter::from_fn(|| {
        let next = client_id::last_before::<Process>(before)?;
        before = next.id();
        Some(next)
    });
    open_next(caller, earlier, access, handle_attributes, handle)
}

pub(crate) fn nt_get_next_thread(
    caller: &Caller<'_>,
    process: Handle,
    thread: Handle,
    access: Access,
    handle_attributes: u32,
    flags: u32,
    handle: Out<Handle>,
) -> NtResult {
    handle.probe::<u64>()?;
    if flags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let process = caller.reference_process(process, AccessMask::PROCESS_QUERY_INFORMATION)?;
    let after = if thread.is_null() {
        0
    } else {
        let thread: Object<Thread> = caller.reference_thread(thread, AccessMask::NONE)?;
        if thread.process().id() != process.id() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        thread.id()
    };
    let later = threads_of(&process).filter(|thread| thread.id() > after);
    open_next(caller, later, access, handle_attributes, handle)
}
