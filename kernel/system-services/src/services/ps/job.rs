//! Services of jobs.

use nt_abi::access::AccessMask;
use nt_abi::job::{
    JobObjectBasicAccountingInformation, JobObjectBasicAndIoAccountingInformation,
    JobObjectBasicProcessIdList, JobObjectBasicUiRestrictions, JobObjectCpuRateControlInformation,
    JobObjectEndOfJobTimeInformation, JobObjectInformationClass as Class,
};
use nt_abi::security::Privilege;
use nt_abi::services::arguments::{
    AccessMask as Access, Handle, In, InBytes, JobObjectInformationClass, ObjectAttributes,
    OptionalIn, OptionalOut, Out, OutBytes,
};
use nt_abi::{NtResult, NtStatus, w64};
use ob::Object;
use ps::job::accounting::Report;
use ps::job::limits::Limits;
use ps::job::port::{Message, Port};
use ps::{Job, job};
use zerocopy::IntoBytes as _;

use crate::Caller;
use crate::capture;
use crate::information::{Query, Setting};
use crate::object_types::{Packet, PortBody};
use crate::services::ex::{create_object, open_object};

/// Puts what a job has to say into its completion port.
pub(crate) fn send_message(port: &ob::AnyObject, message: &Message) {
    let Some(port) = port.body::<PortBody>() else {
        return;
    };
    // Without memory for the packet nobody hears of it, as in NT.
    let _ = port.insert(Packet {
        key: message.key,
        value: u64::from(message.process),
        status: NtStatus::SUCCESS.0,
        information: u64::from(message.message.0),
    });
}

pub(crate) fn nt_create_job_object(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
) -> NtResult<NtStatus> {
    create_object(caller, handle, access, attributes.address(), Job::new)
}

pub(crate) fn nt_open_job_object(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
) -> NtResult {
    open_object::<Job>(caller, handle, access, attributes)
}

pub(crate) fn nt_assign_process_to_job_object(
    caller: &Caller<'_>,
    job: Handle,
    process: Handle,
) -> NtResult {
    let job = caller.reference::<Job>(job, AccessMask::JOB_OBJECT_ASSIGN_PROCESS)?;
    let rights = AccessMask::PROCESS_SET_QUOTA | AccessMask::PROCESS_TERMINATE;
    let process = caller.reference_process(process, rights)?;
    job::assign(&job, &process)
}

/// Whether a process is in a job; without a handle, in the caller's.
pub(crate) fn nt_is_process_in_job(
    caller: &Caller<'_>,
    process: Handle,
    job: Handle,
) -> NtResult<NtStatus> {
    let process =
        caller.reference_process(process, AccessMask::PROCESS_QUERY_LIMITED_INFORMATION)?;
    let is_in = if job.is_null() {
        process.is_in_job(None)
    } else {
        let job = caller.reference::<Job>(job, AccessMask::JOB_OBJECT_QUERY)?;
        process.is_in_job(Some(&job))
    };
    Ok(if is_in {
        NtStatus::PROCESS_IN_JOB
    } else {
        NtStatus::PROCESS_NOT_IN_JOB
    })
}

pub(crate) fn nt_terminate_job_object(
    caller: &Caller<'_>,
    job: Handle,
    exit_status: NtStatus,
) -> NtResult {
    let job = caller.reference::<Job>(job, AccessMask::JOB_OBJECT_TERMINATE)?;
    job.end_members(exit_status);
    Ok(())
}

/// The job of a handle, or the caller's own one without a handle.
fn job_to_query(caller: &Caller<'_>, handle: Handle) -> NtResult<Object<Job>> {
    if handle.is_null() {
        return caller.process().job().ok_or(NtStatus::ACCESS_DENIED);
    }
    caller.reference(handle, AccessMask::JOB_OBJECT_QUERY)
}

fn signed(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

fn accounting(report: &Report) -> JobObjectBasicAccountingInformation {
    JobObjectBasicAccountingInformation {
        total_user_time: signed(report.total.user),
        total_kernel_time: signed(report.total.kernel),
        this_period_total_user_time: signed(report.period.user),
        this_period_total_kernel_time: signed(report.period.kernel),
        total_page_fault_count: crate::numbers::wrapped(report.total.faults),
        total_processes: report.processes,
        active_processes: report.active,
        total_terminated_processes: report.terminated,
    }
}

fn extended_limits(job: &Job) -> w64::JobObjectExtendedLimitInformation {
    let limits = job.limits();
    let (peak_process_memory_used, peak_job_memory_used) = job.memory_peaks();
    w64::JobObjectExtendedLimitInformation {
        basic_limit_information: limits.report(),
        process_memory_limit: limits.process_memory,
        job_memory_limit: limits.job_memory,
        peak_process_memory_used,
        peak_job_memory_used,
        ..w64::JobObjectExtendedLimitInformation::default()
    }
}

/// The ids of a job's processes, as many as the buffer holds.
fn list_processes(query: &Query, job: &Job) -> NtResult {
    /// The structure with room for one id.
    const LEAST: usize = size_of::<JobObjectBasicProcessIdList>() + size_of::<u64>();
    let length = query.length() as usize;
    if length < LEAST {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    let ids = job.member_ids()?;
    let room = (length - size_of::<JobObjectBasicProcessIdList>()) / size_of::<u64>();
    let told = room.min(ids.len());
    let header = JobObjectBasicProcessIdList {
        number_of_assigned_processes: u32::try_from(ids.len()).unwrap_or(u32::MAX),
        number_of_process_ids_in_list: u32::try_from(told).unwrap_or(u32::MAX),
    };
    capture::write_bytes(query.buffer(), header.as_bytes())?;
    let first = query.buffer() + size_of::<JobObjectBasicProcessIdList>() as u64;
    for (index, id) in ids.iter().take(told).enumerate() {
        let place = first + (index * size_of::<u64>()) as u64;
        capture::write_bytes(place, u64::from(*id).as_bytes())?;
    }
    query.tell_length(size_of::<JobObjectBasicProcessIdList>() + told * size_of::<u64>())?;
    if told < ids.len() {
        return Err(NtStatus::BUFFER_OVERFLOW);
    }
    Ok(())
}

/// Answers a class of one length: the length is judged before the handle.
fn answer<T: capture::Plain>(
    caller: &Caller<'_>,
    handle: Handle,
    query: &Query,
    make: impl FnOnce(&Job) -> T,
) -> NtResult {
    if query.length() as usize != size_of::<T>() {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    let job = job_to_query(caller, handle)?;
    query.exactly(&make(&job))
}

/// # Differs
/// Processes do no I/O yet: its counts are zero. Limits of processor rates are none.
pub(crate) fn nt_query_information_job_object(
    caller: &Caller<'_>,
    job: Handle,
    class: JobObjectInformationClass,
    information: OutBytes,
    length: u32,
    return_length: OptionalOut<u32>,
) -> NtResult {
    let query = Query::probed(information.address(), length, return_length.address())?;
    match Class(class.0) {
        Class::BASIC_ACCOUNTING => answer(caller, job, &query, |job| accounting(&job.report())),
        Class::BASIC_AND_IO_ACCOUNTING => answer(caller, job, &query, |job| {
            JobObjectBasicAndIoAccountingInformation {
                basic_info: accounting(&job.report()),
                ..JobObjectBasicAndIoAccountingInformation::default()
            }
        }),
        Class::BASIC_LIMIT => answer(caller, job, &query, |job| job.limits().report_basic()),
        Class::EXTENDED_LIMIT => answer(caller, job, &query, extended_limits),
        Class::BASIC_PROCESS_ID_LIST => {
            let job = job_to_query(caller, job)?;
            list_processes(&query, &job)
        }
        Class::BASIC_UI_RESTRICTIONS => {
            answer(caller, job, &query, |job| JobObjectBasicUiRestrictions {
                ui_restrictions_class: job.ui_limits(),
            })
        }
        Class::END_OF_JOB_TIME => answer(caller, job, &query, |job| {
            JobObjectEndOfJobTimeInformation {
                end_of_job_time_action: job.end_of_time(),
            }
        }),
        Class::CPU_RATE_CONTROL => answer(caller, job, &query, |_| {
            JobObjectCpuRateControlInformation::default()
        }),
        // There is one group of processors.
        Class::GROUP => answer(caller, job, &query, |_| 0u16),
        class if class.name().is_some() => Err(NtStatus::NOT_IMPLEMENTED),
        _ => Err(NtStatus::INVALID_INFO_CLASS),
    }
}

fn set_limits(caller: &Caller<'_>, job: Handle, limits: Limits) -> NtResult {
    let job = caller.reference::<Job>(job, AccessMask::JOB_OBJECT_SET_ATTRIBUTES)?;
    if limits.needs_priority_privilege() {
        caller.require_privilege(Privilege::INCREASE_BASE_PRIORITY)?;
    }
    job.set_limits(limits)
}

fn set_port(
    caller: &Caller<'_>,
    job: Handle,
    wanted: &w64::JobObjectAssociateCompletionPort,
) -> NtResult {
    let job = caller.reference::<Job>(job, AccessMask::JOB_OBJECT_SET_ATTRIBUTES)?;
    if wanted.completion_port == 0 {
        return job.set_port(None);
    }
    let port = caller.reference::<PortBody>(
        Handle(wanted.completion_port),
        AccessMask::IO_COMPLETION_MODIFY_STATE,
    )?;
    job.set_port(Some(Port {
        port: Object::as_erased(&port).clone(),
        key: wanted.completion_key,
    }))
}

/// # Differs
/// The scheduling class is kept and told; it changes no turns, as on a Windows that does not use long ones.
pub(crate) fn nt_set_information_job_object(
    caller: &Caller<'_>,
    job: Handle,
    class: JobObjectInformationClass,
    information: InBytes,
    length: u32,
) -> NtResult {
    let setting = Setting::probed(information.address(), length)?;
    let processors = ke::processor::active().0;
    let set_attributes = AccessMask::JOB_OBJECT_SET_ATTRIBUTES;
    match Class(class.0) {
        Class::BASIC_LIMIT => {
            let limits = Limits::basic(&setting.value()?, processors)?;
            set_limits(caller, job, limits)
        }
        Class::EXTENDED_LIMIT => {
            let limits = Limits::extended(&setting.value()?, processors)?;
            set_limits(caller, job, limits)
        }
        Class::BASIC_UI_RESTRICTIONS => {
            let limits: JobObjectBasicUiRestrictions = setting.value()?;
            let job = caller.reference::<Job>(job, set_attributes)?;
            job.set_ui_limits(limits.ui_restrictions_class)
        }
        Class::END_OF_JOB_TIME => {
            let action: JobObjectEndOfJobTimeInformation = setting.value()?;
            let action = action.end_of_job_time_action;
            let job = caller.reference::<Job>(job, set_attributes)?;
            if action.name().is_none() {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            job.set_end_of_time(action);
            Ok(())
        }
        Class::ASSOCIATE_COMPLETION_PORT => set_port(caller, job, &setting.value()?),
        class if class.name().is_some() => Err(NtStatus::NOT_IMPLEMENTED),
        _ => Err(NtStatus::INVALID_INFO_CLASS),
    }
}
