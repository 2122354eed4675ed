//! What goes wrong with threads, processes and jobs while they are made and while they end. Afterwards nothing may be left.

use nt_abi::NtStatus;
use nt_abi::access::AccessMask;
use nt_abi::job::{JobLimitFlags, JobObjectInformationClass as Class};
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::process_creation::PsAttributeNumber;
use nt_abi::process_parameters::ParameterFlags;
use nt_abi::services::arguments::JobObjectInformationClass;
use nt_abi::w64::{
    ClientId, JobObjectExtendedLimitInformation, PsCreateInfo, RtlUserProcessParameters,
};
use zerocopy::FromZeros as _;

use crate::check::{Failed, Outcome};
use crate::memory::{KERNEL, PAGE, allocate, free};
use crate::names::Wide;
use crate::processes::{AttributeList, Child, Options, start_with};
use crate::services::*;
use crate::threads::{SUSPENDED, ThreadRoutine, address, join, spawn, spawn_with};
use crate::{expect, holds, status};

/// A program that does nothing.
const PROGRAM: &str = r"\??\C:\nothing.exe";
/// A handle that is none.
const NO_HANDLE: u64 = 0x7FFF_FFF0;

/// Something that goes wrong.
pub type Mishap = fn() -> Outcome;

/// All of them.
pub const ALL: &[Mishap] = &[
    processes_with_bad_attributes,
    answers_that_cannot_be_written,
    handles_closed_before_the_end,
    suspended_and_ended,
    ended_while_threads_are_made,
    assigned_while_the_job_is_closed,
    ended_twice_at_once,
];

extern "C" fn nothing(_: u64) -> u32 {
    0
}

/// A page that can be read and not written.
struct ReadOnly(u64);

impl ReadOnly {
    fn new() -> Result<Self, Failed> {
        let both = AllocationType::RESERVE | AllocationType::COMMIT;
        let (base, _) = allocate(0, PAGE, both, PageProtection::READONLY)?;
        Ok(Self(base))
    }

    fn give_back(self) -> Outcome {
        free(self.0, 0, AllocationType::RELEASE)?;
        Ok(())
    }
}

/// Tries to make a process of that image with one attribute more, and with its handles written to those places.
fn attempt(image: &str, more: Option<(PsAttributeNumber, u64, u64)>, places: [u64; 2]) -> NtStatus {
    let mut path = Wide::new(image);
    let mut line = Wide::new("nothing");
    let mut parameters = RtlUserProcessParameters::new_zeroed();
    parameters.length = size_of::<RtlUserProcessParameters>() as u32;
    parameters.maximum_length = parameters.length;
    parameters.flags = ParameterFlags::PARAMS_NORMALIZED;
    parameters.image_path_name = path.counted();
    parameters.command_line = line.counted();
    let mut info = PsCreateInfo::new_zeroed();
    info.size = size_of::<PsCreateInfo>() as u64;
    let image = path.counted();
    let mut list = AttributeList::new().with(
        PsAttributeNumber::IMAGE_NAME,
        u64::from(image.length),
        image.buffer,
    );
    if let Some((number, size, value)) = more {
        list = list.with(number, size, value);
    }
    let [process, thread] = places;
    NtCreateUserProcess(
        Address(process),
        Address(thread),
        AccessMask::PROCESS_ALL_ACCESS,
        AccessMask::THREAD_ALL_ACCESS,
        NULL,
        NULL,
        0u32,
        SUSPENDED,
        &parameters,
        &mut info,
        &list,
    )
}

fn processes_with_bad_attributes() -> Outcome {
    let page = ReadOnly::new()?;
    let mut handles = [0u64; 2];
    let first = address_of(&mut handles);
    let good = [first, first + 8];
    let handle = size_of::<u64>() as u64;
    let unknown = PsAttributeNumber(0x0002_00FF);
    let bad_handle = [NO_HANDLE];
    let list = bad_handle.as_ptr() as usize as u64;
    let ids = size_of::<ClientId>() as u64;
    let attempts = [
        (PROGRAM, Some((unknown, handle, 0)), good),
        (
            PROGRAM,
            Some((PsAttributeNumber::PARENT_PROCESS, handle, NO_HANDLE)),
            good,
        ),
        (
            PROGRAM,
            Some((PsAttributeNumber::TOKEN, handle, NO_HANDLE)),
            good,
        ),
        (
            PROGRAM,
            Some((PsAttributeNumber::JOB_LIST, handle, list)),
            good,
        ),
        (
            PROGRAM,
            Some((PsAttributeNumber::JOB_LIST, handle, KERNEL)),
            good,
        ),
        (
            PROGRAM,
            Some((PsAttributeNumber::HANDLE_LIST, handle, KERNEL)),
            good,
        ),
        (
            PROGRAM,
            Some((PsAttributeNumber::CLIENT_ID, ids, KERNEL)),
            good,
        ),
        (
            PROGRAM,
            Some((PsAttributeNumber::CLIENT_ID, ids, page.0)),
            good,
        ),
        (
            PROGRAM,
            Some((PsAttributeNumber::TEB_ADDRESS, handle, page.0)),
            good,
        ),
        (PROGRAM, None, [page.0, first]),
        (PROGRAM, None, [first, page.0]),
        (PROGRAM, None, [KERNEL, first]),
        (r"\??\C:\no_such_program.exe", None, good),
    ];
    for (image, more, places) in attempts {
        let got = attempt(image, more, places);
        holds!(!got.is_success());
    }
    page.give_back()
}

/// A thread that nobody was told of never runs and is gone.
fn answers_that_cannot_be_written() -> Outcome {
    let page = ReadOnly::new()?;
    for (number, size) in [
        (PsAttributeNumber::CLIENT_ID, size_of::<ClientId>() as u64),
        (PsAttributeNumber::TEB_ADDRESS, 8),
    ] {
        for place in [page.0, KERNEL, 0x1230] {
            for flags in [0, SUSPENDED] {
                let mut handle = 0u64;
                let list = AttributeList::new().with(number, size, place);
                let routine: ThreadRoutine = nothing;
                let got = NtCreateThreadEx(
                    &mut handle,
                    AccessMask::THREAD_ALL_ACCESS,
                    NULL,
                    CURRENT_PROCESS,
                    address(routine),
                    0u64,
                    flags,
                    0u64,
                    0u64,
                    0u64,
                    &list,
                );
                status!(got, ACCESS_VIOLATION);
            }
        }
    }
    page.give_back()
}

fn handles_closed_before_the_end() -> Outcome {
    for _ in 0..8 {
        status!(NtClose(spawn(nothing, 0)?));
    }
    start_with(PROGRAM, "nothing", Options::default())?.close()
}

fn suspended_child() -> Result<Child, Failed> {
    let options = Options {
        thread_flags: SUSPENDED,
        ..Options::default()
    };
    start_with(PROGRAM, "nothing", options)
}

fn suspended_and_ended() -> Outcome {
    let thread = spawn_with(nothing, 0, SUSPENDED)?;
    status!(NtSuspendThread(thread, NULL));
    status!(NtTerminateThread(thread, NtStatus(3)));
    join(thread)?;
    let child = suspended_child()?;
    status!(NtSuspendProcess(child.process));
    status!(NtTerminateProcess(child.process, NtStatus(4)));
    expect!(child.exit_status()?, 4);
    child.close()?;
    // Of the last thread the process ends too.
    let child = suspended_child()?;
    status!(NtTerminateThread(child.thread, NtStatus(5)));
    expect!(child.exit_status()?, 5);
    child.close()
}

/// Makes threads in a process for as long as it takes them.
extern "C" fn makes_threads_in(process: u64) -> u32 {
    for _ in 0..64 {
        let mut handle = 0u64;
        let got = NtCreateThreadEx(
            &mut handle,
            AccessMask::THREAD_ALL_ACCESS,
            NULL,
            process,
            0x1_0000u64,
            0u64,
            SUSPENDED,
            0u64,
            0u64,
            0u64,
            NULL,
        );
        if got != NtStatus::SUCCESS {
            return u32::from(got != NtStatus::PROCESS_IS_TERMINATING);
        }
        NtClose(handle);
    }
    0
}

fn ended_while_threads_are_made() -> Outcome {
    let child = suspended_child()?;
    let makers = [
        spawn(makes_threads_in, child.process)?,
        spawn(makes_threads_in, child.process)?,
    ];
    for _ in 0..4 {
        NtYieldExecution();
    }
    status!(NtTerminateProcess(child.process, NtStatus(6)));
    for maker in makers {
        join(maker)?;
    }
    expect!(child.exit_status()?, 6);
    child.close()
}

/// The argument has the job in its upper half.
extern "C" fn assigns(both: u64) -> u32 {
    NtAssignProcessToJobObject(both >> 32, both & 0xFFFF_FFFF).0
}

/// Whether the job took the child before it was closed or not: both end.
fn assigned_while_the_job_is_closed() -> Outcome {
    let mut job = 0u64;
    status!(NtCreateJobObject(
        &mut job,
        AccessMask::JOB_OBJECT_ALL_ACCESS,
        NULL
    ));
    let mut limits = JobObjectExtendedLimitInformation::new_zeroed();
    limits.basic_limit_information.limit_flags = JobLimitFlags::KILL_ON_JOB_CLOSE;
    status!(NtSetInformationJobObject(
        job,
        JobObjectInformationClass(Class::EXTENDED_LIMIT.0),
        &limits,
        size_of::<JobObjectExtendedLimitInformation>() as u32
    ));
    let child = suspended_child()?;
    let assigner = spawn(assigns, job << 32 | child.process)?;
    NtYieldExecution();
    status!(NtClose(job));
    join(assigner)?;
    let got = NtTerminateProcess(child.process, NtStatus(7));
    holds!(matches!(
        got,
        NtStatus::SUCCESS | NtStatus::PROCESS_IS_TERMINATING
    ));
    child.exit_status()?;
    child.close()
}

extern "C" fn ends_process(process: u64) -> u32 {
    NtTerminateProcess(process, NtStatus(8)).0
}

fn ended_twice_at_once() -> Outcome {
    let child = suspended_child()?;
    let other = spawn(ends_process, child.process)?;
    let got = NtTerminateProcess(child.process, NtStatus(8));
    holds!(matches!(
        got,
        NtStatus::SUCCESS | NtStatus::PROCESS_IS_TERMINATING
    ));
    NtResumeThread(child.thread, NULL);
    join(other)?;
    expect!(child.exit_status()?, 8);
    child.close()
}
