//! The checks of this program that stand alone, and what all of them share.

use nt_abi::NtStatus;
use nt_abi::access::AccessMask;
use nt_abi::services::arguments::{EventType, SystemInformationClass};
use nt_abi::system_information::SystemInformationClass as Class;
use nt_abi::system_information::activity::{
    SystemPerformanceInformation, SystemProcessorPerformanceInformation,
};
use nt_abi::system_information::machine::{SystemProcessorInformation, SystemTimeOfDayInformation};
use nt_abi::w64::{
    MutantOwnerInformation, SystemBasicInformation, SystemHandleTableEntryInfoEx,
    SystemProcessInformation, SystemThreadInformation,
};
use test_programs::check::Outcome;
use test_programs::services::*;
use test_programs::{expect, holds, status};
use zerocopy::{FromBytes, FromZeros as _};

mod structures;

use structures::{
    code_integrity_wants_its_length, pool_tags_are_listed,
    processors_are_told_with_their_relations, small_structures_have_their_lengths,
    there_is_no_kernel_debugger,
};

test_programs::list_of_checks! {
    unknown_classes_are_refused,
    bad_buffers_are_refused,
    the_machine_is_told,
    memory_is_told,
    the_time_of_day_is_told,
    each_processor_tells_its_times,
    this_process_is_listed_with_its_thread,
    this_process_has_its_handles_listed,
    small_structures_have_their_lengths,
    processors_are_told_with_their_relations,
    pool_tags_are_listed,
    there_is_no_kernel_debugger,
    code_integrity_wants_its_length,
}

const KERNEL: Address = Address(0xFFFF_8000_0000_0000);

fn class(class: Class) -> SystemInformationClass {
    SystemInformationClass(class.0)
}

/// Asks into words; gives the status and the length that came back.
fn ask<T: ?Sized>(what: Class, into: &mut T, length: usize) -> (NtStatus, u32) {
    let mut told = 0u32;
    let status = NtQuerySystemInformation(class(what), into, length as u32, &mut told);
    (status, told)
}

fn unknown_classes_are_refused() -> Outcome {
    let mut words = [0u64; 8];
    for number in [999u32, 0x7FFF_FFFF, u32::MAX] {
        let unknown = SystemInformationClass(number);
        status!(
            NtQuerySystemInformation(unknown, &mut words, 64u32, NULL),
            INVALID_INFO_CLASS
        );
        let input = 0u64;
        status!(
            NtQuerySystemInformationEx(unknown, &input, 8u32, &mut words, 64u32, NULL),
            INVALID_INFO_CLASS
        );
    }
    Ok(())
}

fn bad_buffers_are_refused() -> Outcome {
    let size = size_of::<SystemBasicInformation>() as u32;
    for bad in [NULL, Address(0x1000), KERNEL] {
        status!(
            NtQuerySystemInformation(class(Class::BASIC), bad, size, NULL),
            ACCESS_VIOLATION
        );
    }
    // The buffer is looked at before the class.
    let unknown = SystemInformationClass(999);
    status!(
        NtQuerySystemInformation(unknown, KERNEL, size, NULL),
        ACCESS_VIOLATION
    );
    status!(
        NtQuerySystemInformation(unknown, Address(0x1_0002), size, NULL),
        DATATYPE_MISALIGNMENT
    );
    let mut words = [0u64; 8];
    status!(
        NtQuerySystemInformation(class(Class::BASIC), &mut words, size, KERNEL),
        ACCESS_VIOLATION
    );
    for length in [0, size - 1, size + 1] {
        status!(
            NtQuerySystemInformation(class(Class::BASIC), &mut words, length, NULL),
            INFO_LENGTH_MISMATCH
        );
    }
    Ok(())
}

fn the_machine_is_told() -> Outcome {
    let mut basic = SystemBasicInformation::new_zeroed();
    let (status, length) = ask(
        Class::BASIC,
        &mut basic,
        size_of::<SystemBasicInformation>(),
    );
    status!(status);
    expect!(length, 0x40);
    expect!(basic.page_size, 4096);
    expect!(basic.allocation_granularity, 0x1_0000);
    expect!(basic.minimum_user_mode_address, 0x1_0000);
    expect!(basic.maximum_user_mode_address, 0x7FFF_FFFE_FFFF);
    holds!(basic.number_of_physical_pages > 1000);
    let processors = u32::from(basic.number_of_processors);
    holds!(processors > 0);
    expect!(
        basic.active_processors_affinity_mask.count_ones(),
        processors
    );
    let mut processor = SystemProcessorInformation::new_zeroed();
    let size = size_of::<SystemProcessorInformation>();
    status!(
        ask(Class::PROCESSOR, &mut processor, size - 1).0,
        INFO_LENGTH_MISMATCH
    );
    let (status, length) = ask(Class::PROCESSOR, &mut processor, size);
    status!(status);
    expect!(length as usize, size);
    // x64 or ARM64.
    holds!(matches!(processor.processor_architecture, 9 | 12));
    Ok(())
}

fn memory_is_told() -> Outcome {
    let mut told = SystemPerformanceInformation::new_zeroed();
    let size = size_of::<SystemPerformanceInformation>();
    status!(
        ask(Class::PERFORMANCE, &mut told, 0).0,
        INFO_LENGTH_MISMATCH
    );
    status!(ask(Class::PERFORMANCE, &mut told, size).0);
    holds!(told.available_pages > 0);
    holds!(told.committed_pages > 0 && told.committed_pages <= told.commit_limit);
    holds!(told.peak_commitment >= told.committed_pages);
    holds!(told.demand_zero_count > 0);
    Ok(())
}

fn the_time_of_day_is_told() -> Outcome {
    let mut told = SystemTimeOfDayInformation::new_zeroed();
    let size = size_of::<SystemTimeOfDayInformation>();
    let mut now = 0i64;
    status!(NtQuerySystemTime(&mut now));
    let (status, length) = ask(Class::TIME_OF_DAY, &mut told, size);
    status!(status);
    expect!(length as usize, size);
    holds!(told.current_time >= now && told.boot_time <= now);
    // Its beginning alone.
    told.time_zone_id = 0x5555;
    let (status, length) = ask(Class::TIME_OF_DAY, &mut told, 0x18);
    status!(status);
    expect!((length, told.time_zone_id), (0x18, 0x5555));
    let mut more = [0u64; 8];
    let (status, length) = ask(Class::TIME_OF_DAY, &mut more, size + 1);
    status!(status, INFO_LENGTH_MISMATCH);
    expect!(length as usize, size);
    Ok(())
}

fn each_processor_tells_its_times() -> Outcome {
    type Times = SystemProcessorPerformanceInformation;
    let mut basic = SystemBasicInformation::new_zeroed();
    status!(
        ask(
            Class::BASIC,
            &mut basic,
            size_of::<SystemBasicInformation>()
        )
        .0
    );
    let processors = usize::from(basic.number_of_processors);
    let mut times = [Times::new_zeroed(); 64];
    let room = size_of_val(&times);
    let (status, length) = ask(Class::PROCESSOR_PERFORMANCE, &mut times, room);
    status!(status);
    expect!(length as usize, processors * size_of::<Times>());
    for one in &times[..processors] {
        // Idle time is part of the kernel's.
        holds!(one.kernel_time >= one.idle_time);
        holds!(one.idle_time >= 0 && one.user_time >= 0);
    }
    let mut total = 0;
    for one in &times[..processors] {
        total += one.kernel_time + one.user_time;
    }
    holds!(total > 0);
    let size = size_of::<Times>();
    let (status, length) = ask(Class::PROCESSOR_PERFORMANCE, &mut times, size);
    status!(status);
    expect!(length as usize, size);
    status!(
        ask(Class::PROCESSOR_PERFORMANCE, &mut times, size - 1).0,
        INFO_LENGTH_MISMATCH
    );
    Ok(())
}

/// The numbers of this process and thread.
fn own_numbers() -> (u64, u64) {
    let (mut mutant, mut owner) = (0u64, MutantOwnerInformation::new_zeroed());
    let all = AccessMask::MUTANT_ALL_ACCESS;
    let status = NtCreateMutant(&mut mutant, all, NULL, true);
    assert!(status.is_success(), "{status}");
    let class = nt_abi::services::arguments::MutantInformationClass(1);
    let status = NtQueryMutant(mutant, class, &mut owner, 16u32, NULL);
    assert!(status.is_success(), "{status}");
    let _ = NtReleaseMutant(mutant, NULL);
    let _ = NtClose(mutant);
    (
        owner.client_id.unique_process,
        owner.client_id.unique_thread,
    )
}

fn structure<T: FromBytes>(words: &[u64], offset: usize) -> T {
    let mut bytes = [0u8; 256];
    let wanted = size_of::<T>();
    for (byte, index) in bytes[..wanted].iter_mut().zip(offset..) {
        *byte = words[index / 8].to_le_bytes()[index % 8];
    }
    match T::read_from_bytes(&bytes[..wanted]) {
        Ok(value) => value,
        Err(_) => panic!("a structure of {wanted} bytes"),
    }
}

fn this_process_is_listed_with_its_thread() -> Outcome {
    type Process = SystemProcessInformation;
    type Thread = SystemThreadInformation;
    let mut words = [0u64; 1024];
    let (status, needed) = ask(Class::PROCESS, &mut words, 0);
    status!(status, INFO_LENGTH_MISMATCH);
    holds!(needed as usize >= size_of::<Process>() + size_of::<Thread>());
    let (status, length) = ask(Class::PROCESS, &mut words, 8192);
    status!(status);
    holds!(length <= 8192);
    let (own_process, own_thread) = own_numbers();
    let (mut offset, mut found) = (0, 0);
    loop {
        let process: Process = structure(&words, offset);
        if process.unique_process_id == own_process {
            for index in 0..process.number_of_threads as usize {
                let place = offset + size_of::<Process>() + index * size_of::<Thread>();
                let thread: Thread = structure(&words, place);
                expect!(thread.client_id.unique_process, own_process);
                if thread.client_id.unique_thread == own_thread {
                    found += 1;
                    // Running: it asks.
                    expect!(thread.thread_state.0, 2);
                }
            }
            holds!(process.virtual_size > 0);
            holds!(process.peak_virtual_size >= process.virtual_size);
        }
        if process.next_entry_offset == 0 {
            break;
        }
        offset += process.next_entry_offset as usize;
    }
    expect!(found, 1);
    Ok(())
}

fn this_process_has_its_handles_listed() -> Outcome {
    type Entry = SystemHandleTableEntryInfoEx;
    let mut event = 0u64;
    let access = AccessMask::EVENT_MODIFY_STATE;
    status!(NtCreateEvent(&mut event, access, NULL, EventType(0), false));
    let mut words = [0u64; 2048];
    status!(
        ask(Class::EXTENDED_HANDLE, &mut words, 8).0,
        INFO_LENGTH_MISMATCH
    );
    let (status, length) = ask(Class::EXTENDED_HANDLE, &mut words, 16384);
    status!(status);
    let count = words[0] as usize;
    expect!(length as usize, 16 + count * size_of::<Entry>());
    let (own, _) = own_numbers();
    let mut found = 0;
    for index in 0..count {
        let entry: Entry = structure(&words, 16 + index * size_of::<Entry>());
        if entry.unique_process_id == own && entry.handle_value == event {
            found += 1;
            expect!(entry.granted_access.0, access.0);
        }
    }
    expect!(found, 1);
    let (status, length) = ask(Class::HANDLE, &mut words, 16384);
    status!(status);
    expect!(length as usize, 8 + count * 24);
    expect!(words[0] as usize, count);
    status!(NtClose(event));
    Ok(())
}
