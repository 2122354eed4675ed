//! Limits of jobs: told, judged, and what becomes of who exceeds them.

use test_programs::names::Named;

use super::*;

pub(super) fn limits_are_told() -> Outcome {
    let job = job()?;
    let mut limits = extended(Flags::ACTIVE_PROCESS | Flags::PROCESS_MEMORY);
    limits.basic_limit_information.active_process_limit = 7;
    limits.process_memory_limit = 1 << 24;
    status!(set(job, Class::EXTENDED_LIMIT, &limits));
    let mut told = JobObjectExtendedLimitInformation::new_zeroed();
    status!(query(job, Class::EXTENDED_LIMIT, &mut told));
    expect!(told.basic_limit_information.active_process_limit, 7);
    expect!(told.process_memory_limit, 1 << 24);
    let flags = told.basic_limit_information.limit_flags;
    expect!(flags, Flags::ACTIVE_PROCESS | Flags::PROCESS_MEMORY);
    // The shorter structure knows nothing of memory.
    let mut basic = JobObjectBasicLimitInformation::new_zeroed();
    status!(query(job, Class::BASIC_LIMIT, &mut basic));
    expect!(basic.limit_flags, Flags::ACTIVE_PROCESS);
    status!(NtClose(job));
    Ok(())
}

pub(super) fn limits_are_judged() -> Outcome {
    let job = job()?;
    let mut basic = JobObjectBasicLimitInformation::new_zeroed();
    for flag in [
        Flags::ACTIVE_PROCESS,
        Flags::PROCESS_TIME,
        Flags::JOB_TIME,
        Flags::WORKINGSET,
        Flags::AFFINITY,
        Flags::KILL_ON_JOB_CLOSE,
    ] {
        basic.limit_flags = flag;
        status!(set(job, Class::BASIC_LIMIT, &basic), INVALID_PARAMETER);
    }
    let wrong = 0u64;
    status!(set(job, Class::BASIC_LIMIT, &wrong), INFO_LENGTH_MISMATCH);
    status!(set(job, Class(0), &wrong), INVALID_INFO_CLASS);
    status!(set(job, Class(1000), &wrong), INVALID_INFO_CLASS);
    status!(set(job, Class::END_OF_JOB_TIME, &2u32), INVALID_PARAMETER);
    status!(NtClose(job));
    Ok(())
}

/// `ERROR_NOT_ENOUGH_QUOTA`.
const QUOTA: u32 = 1816;

pub(super) fn one_too_many() -> Outcome {
    let job = job()?;
    let port = port_of(job)?;
    let mut limits = JobObjectBasicLimitInformation::new_zeroed();
    limits.limit_flags = Flags::ACTIVE_PROCESS;
    limits.active_process_limit = 1;
    status!(set(job, Class::BASIC_LIMIT, &limits));
    let (first, second) = (start("x waits")?, start("x waits")?);
    status!(NtAssignProcessToJobObject(job, first.process));
    expect!(packet(port)?.2, said(Message::NEW_PROCESS));
    status!(
        NtAssignProcessToJobObject(job, second.process),
        QUOTA_EXCEEDED
    );
    let limit = said(Message::ACTIVE_PROCESS_LIMIT);
    expect!(packet(port)?, (0x1234, 0, limit));
    expect!(exit_status(second.process)?, QUOTA);
    let information = accounting(job)?;
    expect!(information.total_processes, 2);
    expect!(information.active_processes, 1);
    expect!(information.total_terminated_processes, 1);
    status!(NtTerminateJobObject(job, NtStatus(0)));
    first.join()?;
    second.join()?;
    status!(NtClose(port));
    status!(NtClose(job));
    Ok(())
}

/// What a child ends with that has a child itself, in a job with these limits.
fn child_with_child(flags: Flags, part: &str) -> Result<u32, Failed> {
    let job = job()?;
    status!(set(job, Class::EXTENDED_LIMIT, &extended(flags)));
    let child = start_suspended(part)?;
    status!(NtAssignProcessToJobObject(job, child.process));
    status!(NtResumeThread(child.thread, NULL));
    let result = exit_status(child.process)?;
    child.close()?;
    status!(NtTerminateJobObject(job, NtStatus(0)));
    status!(NtClose(job));
    Ok(result)
}

pub(super) fn children_inherit() -> Outcome {
    expect!(child_with_child(Flags::empty(), "x bears")?, 1);
    // That it could break away makes no difference without the flag.
    expect!(child_with_child(Flags::BREAKAWAY_OK, "x bears")?, 1);
    Ok(())
}

pub(super) fn children_break_away() -> Outcome {
    let refused = NtStatus::ACCESS_DENIED.0;
    expect!(child_with_child(Flags::empty(), "x breaks")?, refused);
    expect!(child_with_child(Flags::BREAKAWAY_OK, "x breaks")?, 0);
    Ok(())
}

pub(super) fn silent_breakaway() -> Outcome {
    expect!(child_with_child(Flags::SILENT_BREAKAWAY_OK, "x bears")?, 0);
    Ok(())
}

pub(super) fn committed_memory() -> Outcome {
    let refused = NtStatus::COMMITMENT_LIMIT.0;
    for (flag, message) in [
        (Flags::PROCESS_MEMORY, Message::PROCESS_MEMORY_LIMIT),
        (Flags::JOB_MEMORY, Message::JOB_MEMORY_LIMIT),
    ] {
        for (limit, expected) in [(8u64 << 20, refused), (64 << 20, 0)] {
            let job = job()?;
            let mut limits = extended(flag);
            limits.process_memory_limit = limit;
            limits.job_memory_limit = limit;
            status!(set(job, Class::EXTENDED_LIMIT, &limits));
            let port = port_of(job)?;
            let child = start_suspended("x commits")?;
            status!(NtAssignProcessToJobObject(job, child.process));
            expect!(packet(port)?.2, said(Message::NEW_PROCESS));
            status!(NtResumeThread(child.thread, NULL));
            expect!(exit_status(child.process)?, expected);
            let id = child.id.unique_process;
            if expected == refused {
                expect!(packet(port)?, (0x1234, id, said(message)));
            } else {
                let mut told = JobObjectExtendedLimitInformation::new_zeroed();
                status!(query(job, Class::EXTENDED_LIMIT, &mut told));
                holds!(told.peak_process_memory_used >= 16 << 20);
                holds!(told.peak_job_memory_used >= 16 << 20);
            }
            expect!(packet(port)?.2, said(Message::EXIT_PROCESS));
            child.close()?;
            status!(NtClose(port));
            status!(NtClose(job));
        }
    }
    Ok(())
}

/// 100 ms.
const TIME: i64 = 1_000_000;

pub(super) fn process_time() -> Outcome {
    let job = job()?;
    let port = port_of(job)?;
    let mut limits = JobObjectBasicLimitInformation::new_zeroed();
    limits.limit_flags = Flags::PROCESS_TIME;
    limits.per_process_user_time_limit = TIME;
    status!(set(job, Class::BASIC_LIMIT, &limits));
    let child = start("x spins")?;
    let id = child.id.unique_process;
    status!(NtAssignProcessToJobObject(job, child.process));
    expect!(packet(port)?.2, said(Message::NEW_PROCESS));
    expect!(exit_status(child.process)?, QUOTA);
    let ended = [packet(port)?, packet(port)?, packet(port)?].map(|packet| packet.2);
    let over = said(Message::END_OF_PROCESS_TIME);
    holds!(ended.contains(&over));
    holds!(ended.contains(&said(Message::ACTIVE_PROCESS_ZERO)));
    holds!(id != 0);
    let information = accounting(job)?;
    holds!(information.total_user_time >= TIME);
    expect!(information.total_terminated_processes, 1);
    child.close()?;
    status!(NtClose(port));
    status!(NtClose(job));
    Ok(())
}

pub(super) fn job_time() -> Outcome {
    let job = job()?;
    let mut limits = JobObjectBasicLimitInformation::new_zeroed();
    limits.limit_flags = Flags::JOB_TIME;
    limits.per_job_user_time_limit = TIME;
    status!(set(job, Class::BASIC_LIMIT, &limits));
    let children = [start("x spins")?, start("x spins")?];
    for child in &children {
        status!(NtAssignProcessToJobObject(job, child.process));
    }
    // The job itself is signalled when its time is over.
    let limit = -600_000_000i64;
    status!(NtWaitForSingleObject(job, false, &limit));
    for child in children {
        expect!(exit_status(child.process)?, QUOTA);
        child.close()?;
    }
    expect!(accounting(job)?.total_terminated_processes, 2);
    // A new limit gives it a new time.
    status!(set(job, Class::BASIC_LIMIT, &limits));
    let now = 0i64;
    status!(NtWaitForSingleObject(job, false, &now), TIMEOUT);
    expect!(accounting(job)?.this_period_total_user_time, 0);
    status!(NtClose(job));
    Ok(())
}

pub(super) fn rights_and_pointers() -> Outcome {
    let mut weak = 0u64;
    status!(NtCreateJobObject(&mut weak, AccessMask::SYNCHRONIZE, NULL));
    let mut information = JobObjectBasicAccountingInformation::new_zeroed();
    status!(
        query(weak, Class::BASIC_ACCOUNTING, &mut information),
        ACCESS_DENIED
    );
    let limits = JobObjectBasicLimitInformation::new_zeroed();
    status!(set(weak, Class::BASIC_LIMIT, &limits), ACCESS_DENIED);
    status!(NtTerminateJobObject(weak, NtStatus(0)), ACCESS_DENIED);
    status!(
        NtAssignProcessToJobObject(weak, CURRENT_PROCESS),
        ACCESS_DENIED
    );
    status!(NtIsProcessInJob(CURRENT_PROCESS, weak), ACCESS_DENIED);
    status!(NtClose(weak));
    status!(NtTerminateJobObject(weak, NtStatus(0)), INVALID_HANDLE);
    status!(
        NtAssignProcessToJobObject(CURRENT_PROCESS.0, CURRENT_PROCESS),
        OBJECT_TYPE_MISMATCH
    );
    // Without a handle the caller's own job is meant, and there is none.
    status!(
        query(0, Class::BASIC_ACCOUNTING, &mut information),
        ACCESS_DENIED
    );
    let job = job()?;
    let class = JobObjectInformationClass(Class::BASIC_ACCOUNTING.0);
    let length = size_of_val(&information) as u32;
    let kernel = Address(0xFFFF_8000_0000_0000);
    let odd = Address(address_of(&mut information) + 1);
    status!(
        NtQueryInformationJobObject(job, class, kernel, length, NULL),
        ACCESS_VIOLATION
    );
    status!(
        NtQueryInformationJobObject(job, class, NULL, length, NULL),
        ACCESS_VIOLATION
    );
    status!(
        NtQueryInformationJobObject(job, class, odd, length, NULL),
        DATATYPE_MISALIGNMENT
    );
    status!(
        NtQueryInformationJobObject(job, class, &mut information, length - 4, NULL),
        INFO_LENGTH_MISMATCH
    );
    let mut told = 0u32;
    status!(NtQueryInformationJobObject(
        job,
        class,
        &mut information,
        length,
        &mut told
    ));
    expect!(told, length);
    status!(
        NtCreateJobObject(kernel, AccessMask::JOB_OBJECT_QUERY, NULL),
        ACCESS_VIOLATION
    );
    status!(NtClose(job));
    Ok(())
}

pub(super) fn a_job_is_opened() -> Outcome {
    let all = AccessMask::JOB_OBJECT_ALL_ACCESS;
    let mut name = Named::new("\\BaseNamedObjects\\ConformanceJobs");
    let mut opened = 0u64;
    status!(
        NtOpenJobObject(&mut opened, all, name.get()),
        OBJECT_NAME_NOT_FOUND
    );
    let mut made = 0u64;
    status!(NtCreateJobObject(&mut made, all, name.get()));
    status!(NtOpenJobObject(
        &mut opened,
        AccessMask::JOB_OBJECT_QUERY,
        name.get()
    ));
    status!(NtCompareObjects(made, opened));
    // It was opened to be asked alone.
    let mut information = JobObjectBasicAccountingInformation::new_zeroed();
    status!(query(opened, Class::BASIC_ACCOUNTING, &mut information));
    status!(NtTerminateJobObject(opened, NtStatus(0)), ACCESS_DENIED);
    status!(NtClose(opened));
    let kernel = Address(0xFFFF_8000_0000_0000);
    for nowhere in [NULL, kernel] {
        status!(NtOpenJobObject(nowhere, all, name.get()), ACCESS_VIOLATION);
    }
    status!(NtOpenJobObject(&mut opened, all, kernel), ACCESS_VIOLATION);
    let mut directory = Named::new("\\BaseNamedObjects");
    status!(
        NtOpenJobObject(&mut opened, all, directory.get()),
        OBJECT_TYPE_MISMATCH
    );
    status!(NtClose(made));
    status!(
        NtOpenJobObject(&mut opened, all, name.get()),
        OBJECT_NAME_NOT_FOUND
    );
    Ok(())
}
