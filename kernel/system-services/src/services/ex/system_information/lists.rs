//! Lists of what there is: processes with their threads, handles.

use alloc::vec::Vec;

use ::ke::thread::State;
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::thread_information::{ThreadState, WaitReason};
use nt_abi::w64::{
    ClientId, SystemHandleInformation, SystemHandleInformationEx, SystemHandleTableEntryInfo,
    SystemHandleTableEntryInfoEx, SystemProcessInformation, SystemThreadInformation,
};
use nt_abi::{NtResult, NtStatus};
use ob::{Handle, HandleEntry, Object};
use ps::{Process, Thread, client_id};

use super::Bytes;
use crate::numbers::{large, long, wrapped};

/// All processes or threads that have a number, lowest first.
fn all<T: ob::ObjectBody>(number: impl Fn(&T) -> u32) -> NtResult<Vec<Object<T>>> {
    let mut found = Vec::new();
    let mut last = 0;
    while let Some(object) = client_id::next_after::<T>(last) {
        last = number(&object);
        found
            .try_reserve(1)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        found.push(object);
    }
    Ok(found)
}

/// Processes, each with its threads behind it.
///
/// # Differs
/// The kernel's own threads belong to no process that has a number, and are not listed. Processes have no names yet. The
/// times are those of the threads that live.
pub(super) fn processes() -> NtResult<Bytes> {
    let processes = all(Process::id)?;
    let threads = all(Thread::id)?;
    let mut answer = Bytes::new();
    for (index, process) in processes.iter().enumerate() {
        let own = || {
            threads
                .iter()
                .filter(|thread| thread.process().id() == process.id())
        };
        let size = size_of::<SystemProcessInformation>()
            + own().count() * size_of::<SystemThreadInformation>();
        let is_last = index + 1 == processes.len();
        let next = if is_last { 0 } else { long(size) };
        let (kernel, user) = own().fold((0, 0), |(kernel, user), thread| {
            let times = thread.scheduled().times();
            (kernel + times.0, user + times.1)
        });
        let memory = process.space().counters();
        let (create_time, _) = process.times();
        answer.push(&SystemProcessInformation {
            next_entry_offset: next,
            number_of_threads: long(own().count()),
            create_time: large(create_time),
            user_time: large(user),
            kernel_time: large(kernel),
            base_priority: i32::from(::ke::process::NORMAL_BASE_PRIORITY),
            unique_process_id: u64::from(process.id()),
            inherited_from_unique_process_id: u64::from(process.parent()),
            handle_count: long(process.handles().len()),
            peak_virtual_size: memory.peak_virtual_size,
            virtual_size: memory.virtual_size,
            page_fault_count: wrapped(memory.page_fault_count),
            peak_working_set_size: memory.peak_working_set_size,
            working_set_size: memory.working_set_size,
            pagefile_usage: memory.pagefile_usage,
            peak_pagefile_usage: memory.peak_pagefile_usage,
            private_page_count: memory.pagefile_usage,
            ..SystemProcessInformation::default()
        })?;
        for thread in own() {
            answer.push(&thread_information(thread))?;
        }
    }
    Ok(answer)
}

fn thread_information(thread: &Thread) -> SystemThreadInformation {
    let scheduled = thread.scheduled();
    let (kernel, user) = scheduled.times();
    SystemThreadInformation {
        kernel_time: large(kernel),
        user_time: large(user),
        create_time: large(thread.times().0),
        start_address: thread.start_address(),
        client_id: ClientId {
            unique_process: u64::from(thread.process().id()),
            unique_thread: u64::from(thread.id()),
        },
        priority: i32::from(scheduled.priority()),
        base_priority: i32::from(::ke::schedule::base_priority(scheduled)),
        context_switches: wrapped(scheduled.context_switches()),
        thread_state: match scheduled.state() {
            State::Initialized => ThreadState::INITIALIZED,
            State::Ready => ThreadState::READY,
            State::Running => ThreadState::RUNNING,
            State::Standby => ThreadState::STANDBY,
            State::Terminated => ThreadState::TERMINATED,
            State::Waiting => ThreadState::WAITING,
        },
        wait_reason: WaitReason(u32::from(scheduled.wait_reason())),
        ..SystemThreadInformation::default()
    }
}

/// Visits each handle of each process.
fn each_handle(
    visit: &mut dyn FnMut(&Process, Handle, &HandleEntry) -> NtResult,
) -> NtResult<usize> {
    let mut count = 0;
    for process in all(Process::id)? {
        let mut last = Handle::NULL;
        while let Some((handle, entry)) = process.handles().next_after(last) {
            visit(&process, handle, &entry)?;
            count += 1;
            last = handle;
        }
    }
    Ok(count)
}

/// Puts a list's head, which has the number of its elements, before them.
fn with_head<H: crate::capture::Plain>(head: &H, elements: &Bytes) -> NtResult<Bytes> {
    let mut answer = Bytes::new();
    answer.push(head)?;
    answer
        .0
        .try_reserve(elements.0.len())
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    answer.0.extend_from_slice(&elements.0);
    Ok(answer)
}

/// Where an object is, is not told.
const NOT_TOLD: u64 = 0;

/// # Differs
/// Addresses of objects are 0, as Windows tells them to those without the privilege to debug.
pub(super) fn handles() -> NtResult<Bytes> {
    let cut = |value: u64| {
        let [low, high, ..] = value.to_le_bytes();
        u16::from_le_bytes([low, high])
    };
    let mut elements = Bytes::new();
    let count = each_handle(&mut |process, handle, entry| {
        elements.push(&SystemHandleTableEntryInfo {
            unique_process_id: cut(u64::from(process.id())),
            object_type_index: entry.object.head().kind().index(),
            handle_attributes: entry.attributes.bits(),
            handle_value: cut(handle.0),
            object: NOT_TOLD,
            granted_access: entry.granted,
            ..SystemHandleTableEntryInfo::default()
        })
    })?;
    let head = SystemHandleInformation {
        number_of_handles: long(count),
        ..SystemHandleInformation::default()
    };
    with_head(&head, &elements)
}

/// # Differs
/// As [`handles`].
pub(super) fn handles_ex() -> NtResult<Bytes> {
    let mut elements = Bytes::new();
    let count = each_handle(&mut |process, handle, entry| {
        let attributes = u32::from(entry.attributes.bits());
        elements.push(&SystemHandleTableEntryInfoEx {
            object: NOT_TOLD,
            unique_process_id: u64::from(process.id()),
            handle_value: handle.0,
            granted_access: entry.granted,
            object_type_index: u16::from(entry.object.head().kind().index()),
            handle_attributes: ObjectAttributeFlags::from_bits_retain(attributes),
            ..SystemHandleTableEntryInfoEx::default()
        })
    })?;
    let head = SystemHandleInformationEx {
        number_of_handles: count as u64,
        reserved: 0,
    };
    with_head(&head, &elements)
}
