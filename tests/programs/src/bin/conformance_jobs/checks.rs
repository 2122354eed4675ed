//! The checks of this program that stand alone, and what all of them share.

use nt_abi::NtStatus;
use nt_abi::access::AccessMask;
use nt_abi::job::{
    JobLimitFlags as Flags, JobObjectBasicAccountingInformation, JobObjectBasicUiRestrictions,
    JobObjectInformationClass as Class, JobObjectMessage as Message, JobUiLimits,
};
use nt_abi::services::arguments::JobObjectInformationClass;
use nt_abi::w64::{
    IoStatusBlock, JobObjectAssociateCompletionPort, JobObjectBasicLimitInformation,
    JobObjectExtendedLimitInformation,
};
use test_programs::check::{Failed, Outcome};
use test_programs::processes::{Child, Options, command_line, start_with};
use test_programs::services::*;
use test_programs::{expect, holds, status};
use zerocopy::FromZeros as _;

mod limits;

use limits::{
    a_job_is_opened, children_break_away, children_inherit, committed_memory, job_time,
    limits_are_judged, limits_are_told, one_too_many, process_time, rights_and_pointers,
    silent_breakaway,
};

pub(crate) fn begin() -> u32 {
    let mut words = command_line().split(|unit| *unit == u16::from(b' '));
    match words.nth(1) {
        Some(part) if same(part, "waits") => waits(),
        Some(part) if same(part, "spins") => spins(),
        Some(part) if same(part, "commits") => commits(),
        Some(part) if same(part, "bears") => bears(0),
        Some(part) if same(part, "breaks") => bears(1),
        _ => test_programs::check::run(&[
            ("a_new_job_is_empty", a_new_job_is_empty),
            ("a_process_is_in_its_job", a_process_is_in_its_job),
            ("jobs_nest", jobs_nest),
            ("ending_a_job_ends_its_processes", ending_a_job),
            ("closing_a_job_ends_its_processes", closing_a_job),
            ("the_port_hears_of_processes", the_port_hears),
            ("limits_are_told_as_they_were_set", limits_are_told),
            ("limits_of_nothing_are_refused", limits_are_judged),
            ("one_process_too_many_is_ended", one_too_many),
            ("children_are_in_their_parents_job", children_inherit),
            ("children_break_away_where_they_may", children_break_away),
            ("silent_breakaway_needs_no_flag", silent_breakaway),
            ("processes_commit_what_they_may", committed_memory),
            ("a_process_has_its_time", process_time),
            ("a_job_has_its_time", job_time),
            ("rights_and_pointers_are_judged", rights_and_pointers),
            ("a_job_is_opened_by_its_name", a_job_is_opened),
        ]),
    }
}

fn same(units: &[u16], text: &str) -> bool {
    units.iter().copied().eq(text.encode_utf16())
}

const PROGRAM: &str = r"\??\C:\conformance_jobs.exe";

fn waits() -> u32 {
    let for_ever = i64::MIN;
    NtDelayExecution(false, &for_ever).0
}

fn spins() -> u32 {
    loop {
        core::hint::spin_loop();
    }
}

/// Wants 16 MiB; ends with the status.
fn commits() -> u32 {
    let (mut base, mut size) = (0u64, 16u64 << 20);
    let kind = nt_abi::services::arguments::Size(0);
    NtAllocateVirtualMemory(CURRENT_PROCESS, &mut base, kind, &mut size, 0x3000, 4).0
}

/// Starts a child that waits, and says whether it is in a job: 1; a status if it could not be started.
fn bears(flags: u32) -> u32 {
    let mut child = Child::default();
    let options = Options {
        process_flags: flags,
        ..Options::default()
    };
    let (status, _) = test_programs::processes::try_start(PROGRAM, "x waits", options, &mut child);
    if status != NtStatus::SUCCESS {
        return status.0;
    }
    let is_in = NtIsProcessInJob(child.process, 0u64);
    // It is not to outlive the check.
    if is_in == NtStatus::PROCESS_NOT_IN_JOB {
        NtTerminateProcess(child.process, NtStatus(0));
    }
    u32::from(is_in == NtStatus::PROCESS_IN_JOB)
}

fn start(part: &str) -> Result<Child, Failed> {
    start_with(PROGRAM, part, Options::default())
}

fn start_suspended(part: &str) -> Result<Child, Failed> {
    let options = Options {
        thread_flags: 1,
        ..Options::default()
    };
    start_with(PROGRAM, part, options)
}

fn job() -> Result<u64, Failed> {
    let mut job = 0u64;
    status!(NtCreateJobObject(
        &mut job,
        AccessMask::JOB_OBJECT_ALL_ACCESS,
        NULL
    ));
    Ok(job)
}

fn query<T>(job: u64, class: Class, into: &mut T) -> NtStatus {
    let length = size_of::<T>() as u32;
    NtQueryInformationJobObject(job, JobObjectInformationClass(class.0), into, length, NULL)
}

fn set<T>(job: u64, class: Class, value: &T) -> NtStatus {
    let length = size_of::<T>() as u32;
    NtSetInformationJobObject(job, JobObjectInformationClass(class.0), value, length)
}

fn accounting(job: u64) -> Result<JobObjectBasicAccountingInformation, Failed> {
    let mut information = JobObjectBasicAccountingInformation::new_zeroed();
    status!(query(job, Class::BASIC_ACCOUNTING, &mut information));
    Ok(information)
}

fn extended(flags: Flags) -> JobObjectExtendedLimitInformation {
    let mut limits = JobObjectExtendedLimitInformation::new_zeroed();
    limits.basic_limit_information.limit_flags = flags;
    limits
}

fn exit_status(process: u64) -> Result<u32, Failed> {
    status!(NtWaitForSingleObject(process, false, NULL));
    let mut basic = nt_abi::w64::ProcessBasicInformation::new_zeroed();
    let length = size_of_val(&basic) as u32;
    let class = nt_abi::services::arguments::ProcessInformationClass(0);
    status!(NtQueryInformationProcess(
        process, class, &mut basic, length, NULL
    ));
    Ok(basic.exit_status)
}

fn a_new_job_is_empty() -> Outcome {
    let job = job()?;
    let information = accounting(job)?;
    expect!(information.active_processes, 0);
    expect!(information.total_processes, 0);
    let now = 0i64;
    status!(NtWaitForSingleObject(job, false, &now), TIMEOUT);
    status!(NtIsProcessInJob(CURRENT_PROCESS, job), PROCESS_NOT_IN_JOB);
    let mut list = [0u64; 4];
    status!(query(job, Class::BASIC_PROCESS_ID_LIST, &mut list));
    expect!(list[0], 0);
    status!(NtClose(job));
    Ok(())
}

fn a_process_is_in_its_job() -> Outcome {
    let job = job()?;
    let child = start("x waits")?;
    status!(NtIsProcessInJob(child.process, 0u64), PROCESS_NOT_IN_JOB);
    status!(NtAssignProcessToJobObject(job, child.process));
    status!(NtIsProcessInJob(child.process, job), PROCESS_IN_JOB);
    status!(NtIsProcessInJob(child.process, 0u64), PROCESS_IN_JOB);
    // Once more changes nothing.
    status!(NtAssignProcessToJobObject(job, child.process));
    let information = accounting(job)?;
    expect!(information.active_processes, 1);
    expect!(information.total_processes, 1);
    let mut list = [0u64; 2];
    status!(query(job, Class::BASIC_PROCESS_ID_LIST, &mut list));
    expect!(list[0], 1 << 32 | 1);
    expect!(list[1], child.id.unique_process);
    status!(NtTerminateProcess(child.process, NtStatus(3)));
    expect!(exit_status(child.process)?, 3);
    let information = accounting(job)?;
    expect!(information.active_processes, 0);
    expect!(information.total_processes, 1);
    expect!(information.total_terminated_processes, 0);
    status!(
        NtAssignProcessToJobObject(job, child.process),
        PROCESS_IS_TERMINATING
    );
    child.close()?;
    status!(NtClose(job));
    Ok(())
}

fn jobs_nest() -> Outcome {
    let [outer, inner, other] = [job()?, job()?, job()?];
    let (one, two) = (start("x waits")?, start("x waits")?);
    status!(NtAssignProcessToJobObject(outer, one.process));
    status!(NtAssignProcessToJobObject(inner, one.process));
    for job in [outer, inner] {
        status!(NtIsProcessInJob(one.process, job), PROCESS_IN_JOB);
        expect!(accounting(job)?.active_processes, 1);
    }
    // A job that has processes of its own comes into no other.
    status!(NtAssignProcessToJobObject(other, two.process));
    status!(
        NtAssignProcessToJobObject(other, one.process),
        ACCESS_DENIED
    );
    status!(
        NtAssignProcessToJobObject(inner, two.process),
        ACCESS_DENIED
    );
    // The end of the outer one ends the process of the inner one.
    status!(NtTerminateJobObject(outer, NtStatus(5)));
    expect!(exit_status(one.process)?, 5);
    status!(NtTerminateJobObject(other, NtStatus(6)));
    expect!(exit_status(two.process)?, 6);
    // Limits of the desktop are for jobs that are in no other.
    let restricted = job()?;
    let limits = JobObjectBasicUiRestrictions {
        ui_restrictions_class: JobUiLimits::DESKTOP,
    };
    status!(set(restricted, Class::BASIC_UI_RESTRICTIONS, &limits));
    let three = start("x waits")?;
    let free = job()?;
    status!(NtAssignProcessToJobObject(free, three.process));
    status!(
        NtAssignProcessToJobObject(restricted, three.process),
        ACCESS_DENIED
    );
    status!(NtTerminateJobObject(free, NtStatus(0)));
    for child in [one, two, three] {
        child.join()?;
    }
    for job in [outer, inner, other, restricted, free] {
        status!(NtClose(job));
    }
    Ok(())
}

fn ending_a_job() -> Outcome {
    let job = job()?;
    let children = [start("x waits")?, start("x spins")?];
    for child in &children {
        status!(NtAssignProcessToJobObject(job, child.process));
    }
    status!(NtTerminateJobObject(job, NtStatus(77)));
    for child in children {
        expect!(exit_status(child.process)?, 77);
        child.close()?;
    }
    // Only the end of its time signals a job.
    let now = 0i64;
    status!(NtWaitForSingleObject(job, false, &now), TIMEOUT);
    status!(NtTerminateJobObject(job, NtStatus(1)));
    status!(NtClose(job));
    Ok(())
}

fn closing_a_job() -> Outcome {
    let child = start("x waits")?;
    let kept = job()?;
    status!(NtAssignProcessToJobObject(kept, child.process));
    let killing = job()?;
    status!(set(
        killing,
        Class::EXTENDED_LIMIT,
        &extended(Flags::KILL_ON_JOB_CLOSE)
    ));
    status!(NtAssignProcessToJobObject(killing, child.process));
    status!(NtClose(killing));
    expect!(exit_status(child.process)?, 0);
    child.close()?;
    status!(NtClose(kept));
    Ok(())
}

/// The next packet of a port: key, value and count.
fn packet(port: u64) -> Result<(u64, u64, u64), Failed> {
    let (mut key, mut value) = (0u64, 0u64);
    let mut block = IoStatusBlock::new_zeroed();
    let limit = -100_000_000i64;
    status!(NtRemoveIoCompletion(
        port, &mut key, &mut value, &mut block, &limit
    ));
    Ok((key, value, block.information))
}

fn port_of(job: u64) -> Result<u64, Failed> {
    let mut port = 0u64;
    status!(NtCreateIoCompletion(
        &mut port,
        AccessMask::IO_COMPLETION_ALL_ACCESS,
        NULL,
        0
    ));
    let association = JobObjectAssociateCompletionPort {
        completion_key: 0x1234,
        completion_port: port,
    };
    status!(set(job, Class::ASSOCIATE_COMPLETION_PORT, &association));
    Ok(port)
}

fn said(message: Message) -> u64 {
    u64::from(message.0)
}

fn the_port_hears() -> Outcome {
    let job = job()?;
    let (first, second) = (start("x waits")?, start("x waits")?);
    let ids = [first.id.unique_process, second.id.unique_process];
    status!(NtAssignProcessToJobObject(job, first.process));
    let port = port_of(job)?;
    let key = 0x1234;
    // It hears of those that are there already.
    expect!(packet(port)?, (key, ids[0], said(Message::NEW_PROCESS)));
    status!(NtAssignProcessToJobObject(job, second.process));
    expect!(packet(port)?, (key, ids[1], said(Message::NEW_PROCESS)));
    status!(NtTerminateProcess(second.process, NtStatus(1)));
    expect!(packet(port)?, (key, ids[1], said(Message::EXIT_PROCESS)));
    status!(NtTerminateProcess(
        first.process,
        NtStatus::ACCESS_VIOLATION
    ));
    let abnormal = said(Message::ABNORMAL_EXIT_PROCESS);
    expect!(packet(port)?, (key, ids[0], abnormal));
    expect!(packet(port)?, (key, 0, said(Message::ACTIVE_PROCESS_ZERO)));
    let again = JobObjectAssociateCompletionPort {
        completion_key: 1,
        completion_port: port,
    };
    status!(
        set(job, Class::ASSOCIATE_COMPLETION_PORT, &again),
        INVALID_PARAMETER
    );
    first.join()?;
    second.join()?;
    status!(NtClose(port));
    status!(NtClose(job));
    Ok(())
}
