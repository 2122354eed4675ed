//! What the system says of itself.
//!
//! Expectations: the documentation of `NtQuerySystemInformation` and `GetLogicalProcessorInformationEx`, and what Wine's
//! tests of ntdll publish (`info.c`).
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use nt_abi::NtStatus;
    use nt_abi::access::AccessMask;
    use nt_abi::services::arguments::{EventType, SystemInformationClass};
    use nt_abi::system_information::SystemInformationClass as Class;
    use nt_abi::system_information::activity::{
        SystemPerformanceInformation, SystemProcessorPerformanceInformation,
    };
    use nt_abi::system_information::machine::{
        SystemProcessorInformation, SystemTimeOfDayInformation,
    };
    use nt_abi::w64::{
        MutantOwnerInformation, SystemBasicInformation, SystemHandleTableEntryInfoEx,
        SystemProcessInformation, SystemThreadInformation,
    };
    use test_programs::check::Outcome;
    use test_programs::services::*;
    use test_programs::{expect, holds, status};
    use zerocopy::{FromBytes, FromZeros as _};

    test_programs::checks! {
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

    fn small_structures_have_their_lengths() -> Outcome {
        let mut words = [0u64; 32];
        for (what, size) in [
            (Class::FLAGS, 4),
            (Class::TIME_ADJUSTMENT, 12),
            (Class::RANGE_START, 8),
        ] {
            let (status, length) = ask(what, &mut words, size);
            status!(status);
            expect!(length as usize, size);
            status!(ask(what, &mut words, size - 1).0, INFO_LENGTH_MISMATCH);
        }
        for (what, size) in [
            (Class::CURRENT_TIME_ZONE, 0xAC),
            (Class::SECURE_BOOT, 2),
            (Class::BASIC_PERFORMANCE, 32),
        ] {
            let (status, length) = ask(what, &mut words, size);
            status!(status);
            expect!(length as usize, size);
            let (status, length) = ask(what, &mut words, size - 1);
            status!(status, INFO_LENGTH_MISMATCH);
            expect!(length as usize, size);
        }
        status!(ask(Class::RANGE_START, &mut words, 8).0);
        holds!(words[0] >> 47 == 0x1_FFFF);
        Ok(())
    }

    fn processors_are_told_with_their_relations() -> Outcome {
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
        let mut words = [0u64; 512];
        let (status, length) = ask(Class::LOGICAL_PROCESSOR, &mut words, 4096);
        status!(status);
        holds!(length as usize >= (processors + 2) * 32);
        let mut told = 0u32;
        let what = class(Class::LOGICAL_PROCESSOR_AND_GROUP);
        let query = |relation: u32, into: &mut [u64], length: u32, told: &mut u32| {
            NtQuerySystemInformationEx(what, &relation, 4u32, into, length, told)
        };
        status!(query(0, &mut words, 0, &mut told), INFO_LENGTH_MISMATCH);
        expect!(told as usize, processors * 48);
        status!(query(0, &mut words, 4096, &mut told));
        let mut mask = 0;
        for index in 0..processors {
            // Relationship and size, then 24 bytes, then the group's mask.
            expect!(words[index * 6], 48 << 32);
            expect!(words[index * 6 + 4].count_ones(), 1);
            mask |= words[index * 6 + 4];
        }
        expect!(mask, basic.active_processors_affinity_mask);
        status!(query(4, &mut words, 4096, &mut told));
        expect!(told, 80);
        expect!(words[0], 4 | 80 << 32);
        expect!(words[9], basic.active_processors_affinity_mask);
        status!(query(0xFFFF, &mut words, 4096, &mut told));
        holds!(told as usize >= processors * 48 + 48 + 48 + 80);
        status!(query(77, &mut words, 4096, &mut told), INVALID_PARAMETER);
        status!(
            NtQuerySystemInformationEx(what, NULL, 0u32, &mut words, 4096u32, NULL),
            INVALID_PARAMETER
        );
        status!(
            NtQuerySystemInformationEx(what, KERNEL, 4u32, &mut words, 4096u32, NULL),
            ACCESS_VIOLATION
        );
        // The native machine.
        let what = class(Class::SUPPORTED_PROCESSOR_ARCHITECTURES);
        let own = u64::MAX;
        status!(NtQuerySystemInformationEx(
            what, &own, 8u32, &mut words, 4096u32, &mut told
        ));
        let native = words[0] & 0xFFFF;
        let mut processor = SystemProcessorInformation::new_zeroed();
        status!(
            ask(
                Class::PROCESSOR,
                &mut processor,
                size_of::<SystemProcessorInformation>()
            )
            .0
        );
        // Both names of the machine are of the same one.
        let both = (processor.processor_architecture, native);
        holds!(both == (12, 0xAA64) || both == (9, 0x8664));
        Ok(())
    }

    fn pool_tags_are_listed() -> Outcome {
        let mut words = [0u64; 1500];
        let (status, needed) = ask(Class::POOL_TAG, &mut words, 4);
        status!(status, INFO_LENGTH_MISMATCH);
        let (status, length) = ask(Class::POOL_TAG, &mut words, 12_000);
        status!(status);
        expect!(length as u64, 8 + words[0] * 40);
        holds!(length >= needed || needed - length < 400);
        Ok(())
    }

    fn there_is_no_kernel_debugger() -> Outcome {
        let mut told = [9u8; 8];
        let (status, length) = ask(Class::KERNEL_DEBUGGER, &mut told, 2);
        status!(status);
        expect!(length, 2);
        expect!((told[0], told[1]), (0, 1));
        status!(
            ask(Class::KERNEL_DEBUGGER, &mut told, 1).0,
            INFO_LENGTH_MISMATCH
        );
        status!(ask(Class::KERNEL_DEBUGGER_EX, &mut told, 3).0);
        expect!((told[1], told[2]), (0, 0));
        Ok(())
    }

    fn code_integrity_wants_its_length() -> Outcome {
        let mut told = [8u32, 0x55];
        status!(ask(Class::CODE_INTEGRITY, &mut told, 8).0);
        expect!(told, [8, 0]);
        told[0] = 7;
        status!(
            ask(Class::CODE_INTEGRITY, &mut told, 8).0,
            INFO_LENGTH_MISMATCH
        );
        status!(
            ask(Class::CODE_INTEGRITY, &mut told, 7).0,
            INFO_LENGTH_MISMATCH
        );
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
