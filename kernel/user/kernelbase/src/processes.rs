//! Processes: ending and describing them.

use nt_abi::accounting::{IoCounters, KernelUserTimes};
use nt_abi::native::{ClientId, Peb, ProcessBasicInformation, QuotaLimitsEx, UnicodeString};
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::process_information::{
    ProcessCycleTimeInformation, ProcessInformationClass as Class, ProcessPriorityClass,
    ProcessSessionInformation,
};
use nt_abi::services::arguments::ProcessInformationClass;
use ntdll_imports::{
    NULL, NtOpenProcess, NtQueryInformationProcess, NtSetInformationProcess, NtTerminateProcess,
};

use crate::objects::{access, attributes};
use crate::structures::FileTime;
use crate::threads::{give_times, identifier, own_client};
use crate::wide;
use crate::win::*;

/// `*_PRIORITY_CLASS` in the order in which NT counts them, from 1: idle, normal, high, real time, below, above normal.
const PRIORITY_CLASSES: [u32; 6] = [0x40, 0x20, 0x80, 0x100, 0x4000, 0x8000];
/// `PROCESS_MODE_BACKGROUND_BEGIN`.
const BACKGROUND_BEGIN: u32 = 0x10_0000;
/// `PROCESS_MODE_BACKGROUND_END`.
const BACKGROUND_END: u32 = 0x20_0000;
/// `PROCESS_NAME_NATIVE`.
const NATIVE_NAME: u32 = 1;

/// `QUOTA_LIMITS_HARDWS_MIN_DISABLE`, and that of the maximum: what a plain size means.
const SOFT_LIMITS: u32 = 0x2 | 0x8;

/// Asks after a process.
pub(crate) fn query<T: Default>(process: Handle, class: Class) -> Win<T> {
    let mut into = T::default();
    let length = size_in_u32::<T>();
    check(NtQueryInformationProcess(
        process,
        ProcessInformationClass(class.0),
        &mut into,
        length,
        NULL,
    ))?;
    Ok(into)
}

/// Says something about a process.
pub(crate) fn set<T>(process: Handle, class: Class, value: &T) -> Win {
    let length = size_in_u32::<T>();
    check(NtSetInformationProcess(
        process,
        ProcessInformationClass(class.0),
        value,
        length,
    ))
}

/// What everybody wants to know of a process.
pub(crate) fn basic(process: Handle) -> Win<ProcessBasicInformation> {
    query(process, Class::BASIC)
}

fn set_priority_class(process: Handle, class: u32) -> Win {
    if class == BACKGROUND_BEGIN || class == BACKGROUND_END {
        let page = if class == BACKGROUND_BEGIN { 1_u32 } else { 5 };
        return set(process, Class::PAGE_PRIORITY, &page);
    }
    let number = PRIORITY_CLASSES
        .iter()
        .position(|&known| known == class)
        .and_then(|at| u8::try_from(at + 1).ok())
        .ok_or(Error::INVALID_PARAMETER)?;
    let value = ProcessPriorityClass {
        foreground: 0,
        priority_class: number,
    };
    set(process, Class::PRIORITY_CLASS, &value)
}

/// The class of priority that NT's number stands for.
fn priority_class(process: Handle) -> Win<u32> {
    let found: ProcessPriorityClass = query(process, Class::PRIORITY_CLASS)?;
    let at = usize::from(found.priority_class).checked_sub(1);
    at.and_then(|at| PRIORITY_CLASSES.get(at).copied())
        .ok_or(Error::INVALID_PARAMETER)
}

/// A string that a query tells behind a `UNICODE_STRING`.
fn text(process: Handle, class: Class) -> Win<alloc::vec::Vec<u16>> {
    let mut length = 0x220_u32;
    loop {
        let mut room = wide::room::<u64>(length as usize / 8 + 1)?;
        let mut needed = 0_u32;
        let status = NtQueryInformationProcess(
            process,
            ProcessInformationClass(class.0),
            wide::place(&mut room),
            length,
            &mut needed,
        );
        if status == NtStatus::INFO_LENGTH_MISMATCH && needed > length {
            length = needed;
            continue;
        }
        check(status)?;
        let string = wide::place(&mut room).cast::<UnicodeString>().read();
        let units = Ptr::<u16>::at(string.buffer).slice(usize::from(string.length / 2));
        let mut copy = wide::room(units.len())?;
        copy.copy_from_slice(units);
        return Ok(copy);
    }
}

fn image_name(process: Handle, flags: u32) -> Win<alloc::vec::Vec<u16>> {
    match flags {
        0 => text(process, Class::IMAGE_FILE_NAME_WIN32),
        NATIVE_NAME => text(process, Class::IMAGE_FILE_NAME),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// Gives a name as `QueryFullProcessImageName` does, by its length before and after.
fn give_name(
    name: Win<alloc::vec::Vec<u16>>,
    size: Ptr<u32>,
    give: impl FnOnce(&[u16], u32) -> u32,
) -> Bool {
    truth(name.and_then(|name| {
        let capacity = size.read();
        let length = give(&name, capacity);
        if length >= capacity {
            return Err(Error::INSUFFICIENT_BUFFER);
        }
        size.write(length);
        Ok(())
    }))
}

fn set_working_set(process: Handle, least: usize, most: usize, flags: u32) -> Win {
    let limits = QuotaLimitsEx {
        minimum_working_set_size: least as nt_abi::native::Size,
        maximum_working_set_size: most as nt_abi::native::Size,
        flags,
        ..QuotaLimitsEx::default()
    };
    set(process, Class::QUOTA_LIMITS, &limits)
}

exports! {
    /// The pseudo handle of this process.
    fn GetCurrentProcess() -> Handle {
        Handle::CURRENT_PROCESS
    }

    /// The identifier of this process.
    fn GetCurrentProcessId() -> u32 {
        identifier(own_client().unique_process)
    }

    /// The identifier of a process; 0: it failed.
    fn GetProcessId(process: Handle) -> u32 {
        answer(basic(process).map(|found| identifier(found.unique_process_id)), 0)
    }

    /// Ends a process where it is.
    fn TerminateProcess(process: Handle, code: u32) -> Bool {
        if process.is_null() {
            return truth(Err(Error::INVALID_HANDLE));
        }
        truth_of(NtTerminateProcess(process, NtStatus(code)))
    }

    /// The code that a process ended with, 259 as long as it runs.
    fn GetExitCodeProcess(process: Handle, code: Ptr<u32>) -> Bool {
        truth(basic(process).map(|found| code.write(found.exit_status)))
    }

    /// Opens a process by its identifier.
    fn OpenProcess(wanted: u32, inherit: Bool, id: u32) -> Handle {
        let flags = if inherit == FALSE { ObjectAttributeFlags::empty() } else { ObjectAttributeFlags::INHERIT };
        let object = attributes(None, Handle::NULL, flags, Ptr::NULL);
        // The two lowest bits are nobody's.
        let client = ClientId { unique_process: (id & !3) as nt_abi::native::Handle, ..ClientId::default() };
        let mut handle = Handle::NULL;
        let status = NtOpenProcess(&mut handle, access(wanted), &object, &client);
        answer(check(status).map(|()| handle), Handle::NULL)
    }

    /// How urgent the threads of a process are (`*_PRIORITY_CLASS`); 0: it failed.
    fn GetPriorityClass(process: Handle) -> u32 {
        answer(priority_class(process), 0)
    }

    /// Sets how urgent the threads of a process are.
    fn SetPriorityClass(process: Handle, class: u32) -> Bool {
        truth(set_priority_class(process, class))
    }

    /// Whether waking makes the threads of a process more urgent for a while.
    fn GetProcessPriorityBoost(process: Handle, disabled: Ptr<u32>) -> Bool {
        truth(query::<u32>(process, Class::PRIORITY_BOOST).map(|found| disabled.write(found)))
    }

    /// Says whether waking makes the threads of a process more urgent for a while.
    fn SetProcessPriorityBoost(process: Handle, disabled: Bool) -> Bool {
        truth(set(process, Class::PRIORITY_BOOST, &u32::from(disabled != FALSE)))
    }

    /// The processors of a process, and of the machine.
    fn GetProcessAffinityMask(process: Handle, own: Ptr<usize>, all: Ptr<usize>) -> Bool {
        truth(basic(process).map(|found| {
            own.write(native_size(found.affinity_mask));
            all.write(native_size(field!(peb(), Peb, active_process_affinity_mask).read()));
        }))
    }

    /// Sets the processors of a process.
    fn SetProcessAffinityMask(process: Handle, mask: usize) -> Bool {
        truth(set(process, Class::AFFINITY_MASK, &mask))
    }

    /// When a process began and ended, and how long its threads ran.
    fn GetProcessTimes(process: Handle, created: Ptr<FileTime>, exited: Ptr<FileTime>, kernel: Ptr<FileTime>, user: Ptr<FileTime>) -> Bool {
        truth(query::<KernelUserTimes>(process, Class::TIMES).map(|found| give_times(&found, [created, exited, kernel, user])))
    }

    /// How many cycles a process ran.
    fn QueryProcessCycleTime(process: Handle, cycles: Ptr<u64>) -> Bool {
        truth(query::<ProcessCycleTimeInformation>(process, Class::CYCLE_TIME).map(|found| {
            cycles.write(found.accumulated_cycles);
        }))
    }

    /// How many handles a process has.
    fn GetProcessHandleCount(process: Handle, count: Ptr<u32>) -> Bool {
        truth(query::<u32>(process, Class::HANDLE_COUNT).map(|found| count.write(found)))
    }

    /// What a process has read and written.
    fn GetProcessIoCounters(process: Handle, counters: Ptr<IoCounters>) -> Bool {
        truth(query(process, Class::IO_COUNTERS).map(|found| counters.write(found)))
    }

    /// How much memory a process may have in use.
    fn GetProcessWorkingSetSize(process: Handle, least: Ptr<usize>, most: Ptr<usize>) -> Bool {
        GetProcessWorkingSetSizeEx(process, least, most, Ptr::NULL)
    }

    /// How much memory a process may have in use, and which of it is a promise.
    fn GetProcessWorkingSetSizeEx(process: Handle, least: Ptr<usize>, most: Ptr<usize>, flags: Ptr<u32>) -> Bool {
        truth(query::<QuotaLimitsEx>(process, Class::QUOTA_LIMITS).map(|found| {
            least.write(native_size(found.minimum_working_set_size));
            most.write(native_size(found.maximum_working_set_size));
            flags.write_optional(found.flags);
        }))
    }

    /// Sets how much memory a process may have in use.
    fn SetProcessWorkingSetSize(process: Handle, least: usize, most: usize) -> Bool {
        truth(set_working_set(process, least, most, SOFT_LIMITS))
    }

    /// Sets how much memory a process may have in use, and which of it is a promise.
    fn SetProcessWorkingSetSizeEx(process: Handle, least: usize, most: usize, flags: u32) -> Bool {
        truth(set_working_set(process, least, most, flags))
    }

    /// The session of a process.
    fn ProcessIdToSessionId(id: u32, session: Ptr<u32>) -> Bool {
        /// `PROCESS_QUERY_LIMITED_INFORMATION`.
        const LIMITED: u32 = 0x1000;
        if id == GetCurrentProcessId() {
            session.write(field!(peb(), Peb, session_id).read());
            return TRUE;
        }
        let process = OpenProcess(LIMITED, FALSE, id);
        if process.is_null() {
            return FALSE;
        }
        let found = query::<ProcessSessionInformation>(process, Class::SESSION);
        crate::handles::CloseHandle(process);
        truth(found.map(|found| session.write(found.session_id)))
    }

    /// The path of a process's program, as Win32 or as NT writes it.
    fn QueryFullProcessImageNameW(process: Handle, flags: u32, into: Ptr<u16>, size: Ptr<u32>) -> Bool {
        give_name(image_name(process, flags), size, |name, capacity| wide::give(name, into, capacity))
    }

    /// The path of a process's program, as Win32 or as NT writes it.
    fn QueryFullProcessImageNameA(process: Handle, flags: u32, into: Ptr<u8>, size: Ptr<u32>) -> Bool {
        give_name(image_name(process, flags), size, |name, capacity| wide::give_ansi(name, into, capacity))
    }

    /// Whether a process is 32 bits wide on a machine of 64.
    fn IsWow64Process(process: Handle, wow64: Ptr<u32>) -> Bool {
        truth(query::<usize>(process, Class::WOW64).map(|found| wow64.write(Bool::from(found != 0))))
    }

    /// Whether ending a process stops the system.
    fn IsProcessCritical(process: Handle, critical: Ptr<u32>) -> Bool {
        truth(query::<u32>(process, Class::BREAK_ON_TERMINATION).map(|found| critical.write(found)))
    }

    /// Whether a debugger is attached to a process.
    fn CheckRemoteDebuggerPresent(process: Handle, present: Ptr<u32>) -> Bool {
        if process.is_null() || present.is_null() {
            return truth(Err(Error::INVALID_PARAMETER));
        }
        truth(query::<usize>(process, Class::DEBUG_PORT).map(|found| present.write(Bool::from(found != 0))))
    }

    /// The version of Windows that a process's program wants.
    ///
    /// # Differs
    /// That of this process only.
    fn GetProcessVersion(id: u32) -> u32 {
        if id != 0 && id != GetCurrentProcessId() {
            return answer(Err(Error::NOT_SUPPORTED), 0);
        }
        let major = field!(peb(), Peb, image_subsystem_major_version).read();
        let minor = field!(peb(), Peb, image_subsystem_minor_version).read();
        major << 16 | minor & 0xFFFF
    }

    /// When this process is ended at shutdown, compared with others.
    ///
    /// # Differs
    /// Nobody asks for it: the order is as every process has it at first.
    fn GetProcessShutdownParameters(level: Ptr<u32>, flags: Ptr<u32>) -> Bool {
        level.write(0x280);
        flags.write(0);
        TRUE
    }

    /// Says when this process is ended at shutdown, compared with others.
    ///
    /// # Differs
    /// Nobody listens.
    fn SetProcessShutdownParameters(_level: u32, _flags: u32) -> Bool {
        TRUE
    }
}
