//! The checks of this program that stand alone, and what all of them share.

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

mod lists;
mod settings;

use lists::{
    a_process_is_suspended_and_resumed, processes_come_one_after_another,
    threads_come_one_after_another, unknown_classes_are_refused,
};
use settings::{
    a_suspended_thread_says_so, boosts_can_be_disabled, nobody_debugs_the_process,
    numbers_of_memory_and_handles, processes_have_priority_classes, processors_can_be_chosen,
    the_command_line_is_told, threads_have_names, threads_have_priorities, tls_cells_are_zeroed,
};

test_programs::list_of_checks! {
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
