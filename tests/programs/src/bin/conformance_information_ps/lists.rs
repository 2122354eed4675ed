//! Processes and threads one after another, suspended together; classes that there are not.

use super::*;

pub(super) fn processes_come_one_after_another() -> Outcome {
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

pub(super) fn threads_come_one_after_another() -> Outcome {
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

pub(super) fn a_process_is_suspended_and_resumed() -> Outcome {
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

pub(super) fn unknown_classes_are_refused() -> Outcome {
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
