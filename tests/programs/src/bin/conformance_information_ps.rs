//! What is asked and set of processes and threads.
//!
//! Expectations: the documentation of GetProcessTimes, SetPriorityClass, SetThreadPriority, SetThreadAffinityMask and their kin,
//! and what Wine's tests of ntdll publish of NtQueryInformationProcess and NtQueryInformationThread.
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
    use nt_abi::accounting::KernelUserTimes;
    use nt_abi::primitives::ProcessorNumber;
    use nt_abi::process_information::{
        ProcessHandleInformation, ProcessInformationClass as OfProcess, ProcessPriorityClass,
    };
    use nt_abi::services::arguments::{ProcessInformationClass, ThreadInformationClass};
    use nt_abi::thread_information::ThreadInformationClass as OfThread;
    use nt_abi::w64::{
        ObjectAttributes, ProcessBasicInformation, ProcessExtendedBasicInformation,
        ThreadBasicInformation, UnicodeString, VmCounters, VmCountersEx,
    };
    use test_programs::check::{Failed, Outcome};
    use test_programs::names::Wide;
    use test_programs::processes::{command_line, peb};
    use test_programs::services::*;
    use test_programs::threads::{SUSPENDED, join, spawn_with, teb};
    use test_programs::{expect, holds, status};
    use zerocopy::FromZeros as _;

    test_programs::checks! {
        basic_information_of_the_process,
        basic_information_of_a_thread,
        lengths_are_judged,
        buffers_are_judged,
        rights_are_judged,
        time_is_of_user_mode_or_of_the_kernel,
        threads_have_priorities,
        processes_have_priority_classes,
        boosts_can_be_disabled,
        processors_can_be_chosen,
        threads_have_names,
        a_suspended_thread_says_so,
        numbers_of_memory_and_handles,
        nobody_debugs_the_process,
        the_command_line_is_told,
        tls_cells_are_zeroed,
        processes_come_one_after_another,
        threads_come_one_after_another,
        a_process_is_suspended_and_resumed,
        unknown_classes_are_refused,
    }

    fn ask<T>(process: u64, class: OfProcess, into: &mut T) -> NtStatus {
        let length = size_of::<T>() as u32;
        NtQueryInformationProcess(
            process,
            ProcessInformationClass(class.0),
            into,
            length,
            NULL,
        )
    }

    fn set<T>(process: u64, class: OfProcess, value: &T) -> NtStatus {
        let length = size_of::<T>() as u32;
        NtSetInformationProcess(process, ProcessInformationClass(class.0), value, length)
    }

    fn ask_thread<T>(thread: u64, class: OfThread, into: &mut T) -> NtStatus {
        let length = size_of::<T>() as u32;
        NtQueryInformationThread(thread, ThreadInformationClass(class.0), into, length, NULL)
    }

    fn set_thread<T>(thread: u64, class: OfThread, value: &T) -> NtStatus {
        let length = size_of::<T>() as u32;
        NtSetInformationThread(thread, ThreadInformationClass(class.0), value, length)
    }

    const PROCESS: u64 = CURRENT_PROCESS.0;
    const THREAD: u64 = CURRENT_THREAD.0;

    extern "C" fn nothing(_: u64) -> u32 {
        7
    }

    fn basic() -> Result<ProcessBasicInformation, Failed> {
        let mut basic = ProcessBasicInformation::new_zeroed();
        status!(ask(PROCESS, OfProcess::BASIC, &mut basic));
        Ok(basic)
    }

    fn thread_basic(thread: u64) -> Result<ThreadBasicInformation, Failed> {
        let mut basic = ThreadBasicInformation::new_zeroed();
        status!(ask_thread(thread, OfThread::BASIC, &mut basic));
        Ok(basic)
    }

    fn basic_information_of_the_process() -> Outcome {
        let basic = basic()?;
        expect!(basic.exit_status, NtStatus::PENDING.0);
        expect!(
            basic.peb_base_address,
            core::ptr::from_ref(peb()).addr() as u64
        );
        expect!(basic.base_priority, 8);
        holds!(basic.affinity_mask != 0);
        let thread = thread_basic(THREAD)?;
        expect!(basic.unique_process_id, thread.client_id.unique_process);
        let mut extended = ProcessExtendedBasicInformation::new_zeroed();
        status!(
            ask(PROCESS, OfProcess::BASIC, &mut extended),
            INFO_LENGTH_MISMATCH
        );
        extended.size = size_of_val(&extended) as u64;
        status!(ask(PROCESS, OfProcess::BASIC, &mut extended));
        expect!(
            extended.basic_info.peb_base_address,
            core::ptr::from_ref(peb()).addr() as u64
        );
        expect!(extended.flags, 0);
        Ok(())
    }

    fn basic_information_of_a_thread() -> Outcome {
        expect!(thread_basic(THREAD)?.teb_base_address, teb());
        let thread = spawn_with(nothing, 0, SUSPENDED)?;
        let before = thread_basic(thread)?;
        expect!(before.exit_status, NtStatus::PENDING.0);
        expect!(before.base_priority, 0);
        holds!(before.teb_base_address != 0 && before.teb_base_address != teb());
        let mut over = 1u32;
        status!(ask_thread(thread, OfThread::IS_TERMINATED, &mut over));
        expect!(over, 0);
        status!(NtResumeThread(thread, NULL));
        status!(NtWaitForSingleObject(thread, false, NULL));
        expect!(thread_basic(thread)?.exit_status, 7);
        status!(ask_thread(thread, OfThread::IS_TERMINATED, &mut over));
        expect!(over, 1);
        let mut times = KernelUserTimes::new_zeroed();
        status!(ask_thread(thread, OfThread::TIMES, &mut times));
        holds!(times.create_time > 0 && times.exit_time >= times.create_time);
        status!(NtClose(thread));
        Ok(())
    }

    fn lengths_are_judged() -> Outcome {
        let mut buffer = [0u64; 32];
        for class in [
            OfProcess::BASIC,
            OfProcess::TIMES,
            OfProcess::VM_COUNTERS,
            OfProcess::IO_COUNTERS,
            OfProcess::HANDLE_COUNT,
            OfProcess::WOW64,
            OfProcess::DEBUG_PORT,
            OfProcess::DEBUG_OBJECT_HANDLE,
            OfProcess::IMAGE,
        ] {
            status!(ask(PROCESS, class, &mut buffer), INFO_LENGTH_MISMATCH);
        }
        for class in [
            OfThread::BASIC,
            OfThread::TIMES,
            OfThread::AM_I_LAST_THREAD,
            OfThread::HIDE_FROM_DEBUGGER,
            OfThread::SUSPEND_COUNT,
            OfThread::GROUP,
        ] {
            status!(ask_thread(THREAD, class, &mut buffer), INFO_LENGTH_MISMATCH);
        }
        // To hide takes nothing at all.
        status!(
            set_thread(THREAD, OfThread::HIDE_FROM_DEBUGGER, &1u32),
            INFO_LENGTH_MISMATCH
        );
        let class = ThreadInformationClass(OfThread::HIDE_FROM_DEBUGGER.0);
        status!(NtSetInformationThread(THREAD, class, NULL, 0));
        let mut hidden = 0u8;
        status!(ask_thread(
            THREAD,
            OfThread::HIDE_FROM_DEBUGGER,
            &mut hidden
        ));
        expect!(hidden, 1);
        Ok(())
    }

    fn buffers_are_judged() -> Outcome {
        let class = ProcessInformationClass(OfProcess::TIMES.0);
        let length = size_of::<KernelUserTimes>() as u32;
        let mut times = [KernelUserTimes::new_zeroed(); 2];
        let odd = Address(address_of(&mut times) + 1);
        let kernel = Address(0xFFFF_8000_0000_0000);
        for (buffer, expected) in [
            (Address(0), NtStatus::ACCESS_VIOLATION),
            (Address(0x1000), NtStatus::ACCESS_VIOLATION),
            (kernel, NtStatus::ACCESS_VIOLATION),
            (odd, NtStatus::DATATYPE_MISALIGNMENT),
        ] {
            let got = NtQueryInformationProcess(PROCESS, class, buffer, length, NULL);
            expect!(got.0, expected.0);
        }
        let mut told = 0u32;
        status!(NtQueryInformationProcess(
            PROCESS, class, &mut times, length, &mut told
        ));
        expect!(told, length);
        status!(
            NtQueryInformationProcess(PROCESS, class, &mut times, length, kernel),
            ACCESS_VIOLATION
        );
        let class = ThreadInformationClass(OfThread::PRIORITY.0);
        status!(
            NtSetInformationThread(THREAD, class, kernel, 4),
            ACCESS_VIOLATION
        );
        status!(
            NtSetInformationThread(THREAD, class, odd, 4),
            DATATYPE_MISALIGNMENT
        );
        Ok(())
    }

    /// A handle to this process, or to a thread of it, with these rights only.
    fn weak(object: u64, rights: AccessMask) -> Result<u64, Failed> {
        let mut handle = 0u64;
        status!(NtDuplicateObject(
            CURRENT_PROCESS,
            object,
            CURRENT_PROCESS,
            &mut handle,
            rights,
            0,
            0
        ));
        Ok(handle)
    }

    fn rights_are_judged() -> Outcome {
        let process = weak(PROCESS, AccessMask::PROCESS_QUERY_LIMITED_INFORMATION)?;
        let mut times = KernelUserTimes::new_zeroed();
        status!(ask(process, OfProcess::TIMES, &mut times));
        let mut port = 1u64;
        status!(
            ask(process, OfProcess::DEBUG_PORT, &mut port),
            ACCESS_DENIED
        );
        status!(
            set(process, OfProcess::PRIORITY_BOOST, &0u32),
            ACCESS_DENIED
        );
        status!(NtSuspendProcess(process), ACCESS_DENIED);
        status!(NtClose(process));
        // The right to ask for everything holds the right to ask for little.
        let process = weak(PROCESS, AccessMask::PROCESS_QUERY_INFORMATION)?;
        status!(ask(process, OfProcess::TIMES, &mut times));
        status!(ask(process, OfProcess::DEBUG_PORT, &mut port));
        status!(NtClose(process));
        status!(ask(process, OfProcess::TIMES, &mut times), INVALID_HANDLE);
        let thread = weak(THREAD, AccessMask::THREAD_QUERY_LIMITED_INFORMATION)?;
        status!(ask_thread(thread, OfThread::TIMES, &mut times));
        let mut start = 0u64;
        status!(
            ask_thread(thread, OfThread::QUERY_SET_WIN32_START_ADDRESS, &mut start),
            ACCESS_DENIED
        );
        status!(set_thread(thread, OfThread::PRIORITY, &8i32), ACCESS_DENIED);
        status!(
            ask(thread, OfProcess::TIMES, &mut times),
            OBJECT_TYPE_MISMATCH
        );
        status!(NtClose(thread));
        Ok(())
    }

    fn times() -> Result<KernelUserTimes, Failed> {
        let mut times = KernelUserTimes::new_zeroed();
        status!(ask_thread(THREAD, OfThread::TIMES, &mut times));
        Ok(times)
    }

    fn time_is_of_user_mode_or_of_the_kernel() -> Outcome {
        /// 200 ms.
        const ENOUGH: i64 = 2_000_000;
        let before = times()?;
        let mut after = before;
        while after.user_time - before.user_time < ENOUGH {
            for _ in 0..10_000_000 {
                core::hint::spin_loop();
            }
            after = times()?;
            holds!(after.kernel_time - before.kernel_time < 10 * ENOUGH);
        }
        // It calculated, and hardly called the kernel.
        holds!(after.kernel_time - before.kernel_time < ENOUGH);
        expect!(after.exit_time, 0);
        Ok(())
    }

    fn threads_have_priorities() -> Outcome {
        let thread = spawn_with(nothing, 0, SUSPENDED)?;
        for (increment, priority) in [(2, 10), (-2, 6), (16, 15), (-16, 1), (0, 8)] {
            status!(set_thread(thread, OfThread::BASE_PRIORITY, &increment));
            let basic = thread_basic(thread)?;
            expect!((basic.base_priority, basic.priority), (increment, priority));
        }
        for wrong in [3i32, -3, 15, 17] {
            status!(
                set_thread(thread, OfThread::BASE_PRIORITY, &wrong),
                INVALID_PARAMETER
            );
        }
        status!(set_thread(thread, OfThread::PRIORITY, &12i32));
        expect!(thread_basic(thread)?.priority, 12);
        for wrong in [0i32, -1, 32] {
            status!(
                set_thread(thread, OfThread::PRIORITY, &wrong),
                INVALID_PARAMETER
            );
        }
        status!(NtResumeThread(thread, NULL));
        join(thread)
    }

    fn processes_have_priority_classes() -> Outcome {
        let class = |class| ProcessPriorityClass {
            foreground: 0,
            priority_class: class,
        };
        // Idle, below normal, above normal, high, normal.
        for (number, priority) in [(1, 4), (5, 6), (6, 10), (3, 13), (2, 8)] {
            status!(set(PROCESS, OfProcess::PRIORITY_CLASS, &class(number)));
            let mut told = class(0);
            status!(ask(PROCESS, OfProcess::PRIORITY_CLASS, &mut told));
            expect!(told.priority_class, number);
            expect!(basic()?.base_priority, priority);
        }
        for wrong in [0, 7] {
            status!(
                set(PROCESS, OfProcess::PRIORITY_CLASS, &class(wrong)),
                INVALID_PARAMETER
            );
        }
        Ok(())
    }

    fn boosts_can_be_disabled() -> Outcome {
        let mut disabled = 9u32;
        for wanted in [1u32, 0] {
            status!(set(PROCESS, OfProcess::PRIORITY_BOOST, &wanted));
            status!(ask(PROCESS, OfProcess::PRIORITY_BOOST, &mut disabled));
            expect!(disabled, wanted);
            status!(ask_thread(THREAD, OfThread::PRIORITY_BOOST, &mut disabled));
            expect!(disabled, wanted);
        }
        Ok(())
    }

    fn processors_can_be_chosen() -> Outcome {
        let all = basic()?.affinity_mask;
        status!(set_thread(THREAD, OfThread::AFFINITY_MASK, &1u64));
        expect!(NtGetCurrentProcessorNumber().0, 0);
        expect!(thread_basic(THREAD)?.affinity_mask, 1);
        for wrong in [0u64, 1 << 63] {
            status!(
                set_thread(THREAD, OfThread::AFFINITY_MASK, &wrong),
                INVALID_PARAMETER
            );
            status!(
                set(PROCESS, OfProcess::AFFINITY_MASK, &wrong),
                INVALID_PARAMETER
            );
        }
        status!(set(PROCESS, OfProcess::AFFINITY_MASK, &1u64));
        expect!(basic()?.affinity_mask, 1);
        if all & 2 != 0 {
            status!(
                set_thread(THREAD, OfThread::AFFINITY_MASK, &2u64),
                INVALID_PARAMETER
            );
        }
        status!(set(PROCESS, OfProcess::AFFINITY_MASK, &all));
        expect!(thread_basic(THREAD)?.affinity_mask, all);
        // The answer is the processor that was preferred before.
        let class = ThreadInformationClass(OfThread::IDEAL_PROCESSOR.0);
        holds!(NtSetInformationThread(THREAD, class, &0u32, 4).0 < 64);
        expect!(NtSetInformationThread(THREAD, class, &64u32, 4).0, 0);
        status!(
            set_thread(THREAD, OfThread::IDEAL_PROCESSOR, &65u32),
            INVALID_PARAMETER
        );
        let mut number = ProcessorNumber::new_zeroed();
        status!(ask_thread(
            THREAD,
            OfThread::IDEAL_PROCESSOR_EX,
            &mut number
        ));
        expect!(number.number, 0);
        Ok(())
    }

    fn threads_have_names() -> Outcome {
        const HEADER: usize = size_of::<UnicodeString>();
        let class = ThreadInformationClass(OfThread::NAME.0);
        let thread = spawn_with(nothing, 0, SUSPENDED)?;
        let mut told = 0u32;
        status!(
            NtQueryInformationThread(thread, class, NULL, 0, &mut told),
            BUFFER_TOO_SMALL
        );
        expect!(told as usize, HEADER);
        let mut name = Wide::new("worker");
        status!(set_thread(thread, OfThread::NAME, &name.counted()));
        let mut buffer = [0u16; HEADER / 2 + 6];
        let length = size_of_val(&buffer) as u32;
        status!(
            NtQueryInformationThread(thread, class, &mut buffer, length - 1, &mut told),
            BUFFER_TOO_SMALL
        );
        expect!(told, length);
        status!(NtQueryInformationThread(
            thread,
            class,
            &mut buffer,
            length,
            &mut told
        ));
        expect!(buffer[0], 12);
        holds!(&buffer[HEADER / 2..] == name.units());
        let mut wrong = name.counted();
        wrong.buffer = 0xFFFF_8000_0000_0000;
        status!(set_thread(thread, OfThread::NAME, &wrong), ACCESS_VIOLATION);
        status!(
            set_thread(thread, OfThread::NAME, &0u32),
            INFO_LENGTH_MISMATCH
        );
        status!(NtResumeThread(thread, NULL));
        join(thread)
    }

    fn a_suspended_thread_says_so() -> Outcome {
        let thread = spawn_with(nothing, 0, SUSPENDED)?;
        let mut count = 0u32;
        status!(ask_thread(thread, OfThread::SUSPEND_COUNT, &mut count));
        expect!(count, 1);
        status!(NtSuspendThread(thread, NULL));
        status!(ask_thread(thread, OfThread::SUSPEND_COUNT, &mut count));
        expect!(count, 2);
        let mut last = 9u32;
        status!(ask_thread(THREAD, OfThread::AM_I_LAST_THREAD, &mut last));
        expect!(last, 0);
        status!(NtResumeThread(thread, NULL));
        status!(NtResumeThread(thread, NULL));
        join(thread)?;
        status!(ask_thread(THREAD, OfThread::AM_I_LAST_THREAD, &mut last));
        expect!(last, 1);
        Ok(())
    }

    fn numbers_of_memory_and_handles() -> Outcome {
        let mut short = VmCounters::new_zeroed();
        status!(ask(PROCESS, OfProcess::VM_COUNTERS, &mut short));
        holds!(short.working_set_size > 0 && short.page_fault_count > 0);
        let mut long = VmCountersEx::new_zeroed();
        status!(ask(PROCESS, OfProcess::VM_COUNTERS, &mut long));
        expect!(long.private_usage, long.pagefile_usage);
        holds!(long.peak_virtual_size >= long.virtual_size && long.virtual_size > 0);
        let mut before = 0u32;
        status!(ask(PROCESS, OfProcess::HANDLE_COUNT, &mut before));
        let handle = weak(PROCESS, AccessMask::PROCESS_QUERY_LIMITED_INFORMATION)?;
        let mut after = ProcessHandleInformation::new_zeroed();
        status!(ask(PROCESS, OfProcess::HANDLE_COUNT, &mut after));
        expect!(after.handle_count, before + 1);
        // All of them, one entry after the other: 2 words, then 5 words each.
        let mut list = [0u64; 2 + 5 * 16];
        status!(ask(PROCESS, OfProcess::HANDLE, &mut list));
        expect!(list[0], u64::from(before + 1));
        let count = (list[0] as usize).min(16);
        holds!((0..count).any(|index| list[2 + 5 * index] == handle));
        let mut little = [0u64; 2];
        status!(
            ask(PROCESS, OfProcess::HANDLE, &mut little),
            INFO_LENGTH_MISMATCH
        );
        status!(NtClose(handle));
        Ok(())
    }

    fn nobody_debugs_the_process() -> Outcome {
        let mut value = 1u64;
        status!(ask(PROCESS, OfProcess::DEBUG_PORT, &mut value));
        expect!(value, 0);
        value = 1;
        status!(
            ask(PROCESS, OfProcess::DEBUG_OBJECT_HANDLE, &mut value),
            PORT_NOT_SET
        );
        expect!(value, 0);
        value = 1;
        status!(ask(PROCESS, OfProcess::WOW64, &mut value));
        expect!(value, 0);
        let mut flags = 9u32;
        status!(ask(PROCESS, OfProcess::DEBUG_FLAGS, &mut flags));
        expect!(flags, 1);
        status!(ask(PROCESS, OfProcess::BREAK_ON_TERMINATION, &mut flags));
        expect!(flags, 0);
        let [mut first, mut second] = [0u32; 2];
        status!(ask(PROCESS, OfProcess::COOKIE, &mut first));
        status!(ask(PROCESS, OfProcess::COOKIE, &mut second));
        expect!(first, second);
        let process = weak(PROCESS, AccessMask::PROCESS_ALL_ACCESS)?;
        status!(
            ask(process, OfProcess::COOKIE, &mut first),
            INVALID_PARAMETER
        );
        status!(NtClose(process));
        Ok(())
    }

    fn the_command_line_is_told() -> Outcome {
        const HEADER: usize = size_of::<UnicodeString>();
        let mut buffer = [0u16; 256];
        status!(ask(PROCESS, OfProcess::COMMAND_LINE, &mut buffer));
        let line = command_line();
        expect!(usize::from(buffer[0]), line.len() * 2);
        holds!(&buffer[HEADER / 2..HEADER / 2 + line.len()] == line);
        let mut little = 0u32;
        status!(
            ask(PROCESS, OfProcess::COMMAND_LINE, &mut little),
            INFO_LENGTH_MISMATCH
        );
        Ok(())
    }

    fn tls_cells_are_zeroed() -> Outcome {
        status!(set_thread(THREAD, OfThread::ZERO_TLS_CELL, &3u32));
        status!(
            set_thread(THREAD, OfThread::ZERO_TLS_CELL, &(64u32 + 1024)),
            INVALID_PARAMETER
        );
        let thread = spawn_with(nothing, 0, SUSPENDED)?;
        status!(
            set_thread(thread, OfThread::ZERO_TLS_CELL, &3u32),
            INVALID_PARAMETER
        );
        status!(NtResumeThread(thread, NULL));
        join(thread)
    }

    fn processes_come_one_after_another() -> Outcome {
        let own = basic()?.unique_process_id;
        let (mut last, mut found, mut count) = (0u64, false, 0);
        loop {
            let mut next = 0u64;
            let access = AccessMask::PROCESS_QUERY_LIMITED_INFORMATION;
            let got = NtGetNextProcess(last, access, 0, 0, &mut next);
            if last != 0 {
                status!(NtClose(last));
            }
            if got == NtStatus::NO_MORE_ENTRIES {
                break;
            }
            status!(got);
            let mut basic = ProcessBasicInformation::new_zeroed();
            status!(ask(next, OfProcess::BASIC, &mut basic));
            found |= basic.unique_process_id == own;
            last = next;
            count += 1;
        }
        holds!(found && count < 100);
        let mut next = 0u64;
        let access = AccessMask::PROCESS_QUERY_LIMITED_INFORMATION;
        status!(
            NtGetNextProcess(0u64, access, 0, 2, &mut next),
            INVALID_PARAMETER
        );
        Ok(())
    }

    fn threads_come_one_after_another() -> Outcome {
        let other = spawn_with(nothing, 0, SUSPENDED)?;
        let access = AccessMask::THREAD_ALL_ACCESS;
        let (mut last, mut count) = (0u64, 0);
        loop {
            let mut next = 0u64;
            let got = NtGetNextThread(CURRENT_PROCESS, last, access, 0, 0, &mut next);
            if last != 0 {
                status!(NtClose(last));
            }
            if got == NtStatus::NO_MORE_ENTRIES {
                break;
            }
            status!(got);
            last = next;
            count += 1;
        }
        expect!(count, 2);
        let mut next = 0u64;
        status!(
            NtGetNextThread(CURRENT_PROCESS, 0u64, access, 0, 1, &mut next),
            INVALID_PARAMETER
        );
        status!(NtResumeThread(other, NULL));
        join(other)
    }

    fn a_process_is_suspended_and_resumed() -> Outcome {
        use test_programs::processes::{Options, start_with};
        let options = Options {
            thread_flags: 1,
            ..Options::default()
        };
        let child = start_with(r"\??\C:\nothing.exe", "x", options)?;
        let mut count = 0u32;
        status!(NtSuspendProcess(child.process));
        status!(ask_thread(
            child.thread,
            OfThread::SUSPEND_COUNT,
            &mut count
        ));
        expect!(count, 2);
        status!(NtResumeProcess(child.process));
        status!(ask_thread(
            child.thread,
            OfThread::SUSPEND_COUNT,
            &mut count
        ));
        expect!(count, 1);
        status!(NtResumeProcess(child.process));
        status!(NtWaitForSingleObject(child.process, false, NULL));
        status!(NtSuspendProcess(child.process), PROCESS_IS_TERMINATING);
        // A child of a process of a low class is of that class; one of a high one is not.
        child.close()?;
        let own = basic()?.unique_process_id;
        let id = nt_abi::w64::ClientId {
            unique_process: own,
            unique_thread: 0,
        };
        let attributes = ObjectAttributes {
            length: size_of::<ObjectAttributes>() as u32,
            ..ObjectAttributes::new_zeroed()
        };
        let mut process = 0u64;
        status!(NtOpenProcess(
            &mut process,
            AccessMask::PROCESS_ALL_ACCESS,
            &attributes,
            &id
        ));
        status!(NtClose(process));
        Ok(())
    }

    fn unknown_classes_are_refused() -> Outcome {
        let mut buffer = 0u64;
        for class in [999, u32::MAX] {
            status!(
                ask(PROCESS, OfProcess(class), &mut buffer),
                INVALID_INFO_CLASS
            );
            status!(set(PROCESS, OfProcess(class), &buffer), INVALID_INFO_CLASS);
            status!(
                ask_thread(THREAD, OfThread(class), &mut buffer),
                INVALID_INFO_CLASS
            );
            status!(
                set_thread(THREAD, OfThread(class), &buffer),
                INVALID_INFO_CLASS
            );
        }
        status!(set(PROCESS, OfProcess::TIMES, &buffer), INVALID_INFO_CLASS);
        status!(
            ask_thread(THREAD, OfThread::PRIORITY, &mut buffer),
            INVALID_INFO_CLASS
        );
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
