//! What can be set of processes and threads, and is told again.

use nt_abi::memory::{AllocationType, PageProtection};
use test_programs::memory::{allocate, free};

use super::*;

pub(super) fn threads_have_priorities() -> Outcome {
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

pub(super) fn processes_have_priority_classes() -> Outcome {
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

pub(super) fn boosts_can_be_disabled() -> Outcome {
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

pub(super) fn processors_can_be_chosen() -> Outcome {
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

pub(super) fn threads_have_names() -> Outcome {
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

pub(super) fn a_suspended_thread_says_so() -> Outcome {
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

pub(super) fn numbers_of_memory_and_handles() -> Outcome {
    let mut short = VmCounters::new_zeroed();
    status!(ask(PROCESS, OfProcess::VM_COUNTERS, &mut short));
    holds!(short.working_set_size > 0);
    // A page that nobody has touched yet is one fault, and one page more.
    let before = (short.page_fault_count, short.working_set_size);
    let kind = AllocationType::COMMIT | AllocationType::RESERVE;
    let (base, _) = allocate(0, 0x1000, kind, PageProtection::READWRITE)?;
    fill(base, &[1; 8]);
    status!(ask(PROCESS, OfProcess::VM_COUNTERS, &mut short));
    holds!(short.page_fault_count > before.0 && short.working_set_size > before.1);
    free(base, 0, AllocationType::RELEASE)?;
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

pub(super) fn nobody_debugs_the_process() -> Outcome {
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

pub(super) fn the_command_line_is_told() -> Outcome {
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

pub(super) fn tls_cells_are_zeroed() -> Outcome {
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
