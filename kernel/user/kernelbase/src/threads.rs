//! Threads: making, ending and describing them.

use nt_abi::accounting::KernelUserTimes;
use nt_abi::native::{
    ClientId, GroupAffinity, PsAttribute, Size, Teb, ThreadBasicInformation, ThreadNameInformation,
    UnicodeString,
};
use nt_abi::primitives::{ObjectAttributeFlags, ProcessorNumber};
use nt_abi::process_creation::{PsAttributeNumber, ThreadCreateFlags};
use nt_abi::services::arguments::ThreadInformationClass;
use nt_abi::thread_information::{ThreadCycleTimeInformation, ThreadInformationClass as Class};
use ntdll_imports::{
    NULL, NtCreateThreadEx, NtGetContextThread, NtOpenThread, NtQueryInformationThread,
    NtQueueApcThread, NtQueueApcThreadEx2, NtResumeThread, NtSetContextThread,
    NtSetInformationThread, NtSuspendThread, NtTerminateThread, RtlAllocateHeap,
    RtlGetThreadErrorMode, RtlSetThreadErrorMode,
};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::objects::{access, attributes};
use crate::structures::{FileTime, SecurityAttributes};
use crate::wide;
use crate::win::*;

/// `THREAD_ALL_ACCESS`.
const ALL: u32 = 0x1F_FFFF;
/// `CREATE_SUSPENDED`.
const SUSPENDED: u32 = 4;
/// `STACK_SIZE_PARAM_IS_A_RESERVATION`.
const RESERVATION: u32 = 0x1_0000;

/// `THREAD_PRIORITY_TIME_CRITICAL`; its negative is `THREAD_PRIORITY_IDLE`.
const TIME_CRITICAL: i32 = 15;
/// What both are to the kernel.
const SATURATED: i32 = 16;
/// `THREAD_PRIORITY_ERROR_RETURN`.
const PRIORITY_ERROR: i32 = i32::MAX;
/// `THREAD_MODE_BACKGROUND_BEGIN`.
const BACKGROUND_BEGIN: i32 = 0x1_0000;
/// `THREAD_MODE_BACKGROUND_END`.
const BACKGROUND_END: i32 = 0x2_0000;

/// `QUEUE_USER_APC_FLAGS_SPECIAL_USER_APC`.
const SPECIAL_APC: u32 = 1;

/// `FACILITY_NT_BIT`: makes a status an `HRESULT`.
pub const HRESULT_OF_NT: u32 = 0x1000_0000;

/// `PS_ATTRIBUTE_LIST` with two attributes.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Attributes {
    total_length: Size,
    attributes: [PsAttribute; 2],
}

/// An attribute of a new process or thread whose value is somewhere.
pub(crate) fn attribute<T>(number: PsAttributeNumber, of: &mut T) -> PsAttribute {
    PsAttribute {
        attribute: number.0 as Size,
        size: size_of::<T>() as Size,
        value: Ptr::of(of).raw(),
        return_length: 0,
    }
}

/// How a thread is made, but for its routine.
struct Making {
    process: Handle,
    security: Ptr<SecurityAttributes>,
    stack: usize,
    flags: u32,
    id: Ptr<u32>,
}

fn create(making: &Making, routine: Ptr<u8>, argument: Ptr<u8>) -> Win<Handle> {
    let mut client = ClientId::default();
    let mut teb = 0_usize;
    let list = Attributes {
        total_length: size_of::<Attributes>() as Size,
        attributes: [
            attribute(PsAttributeNumber::CLIENT_ID, &mut client),
            attribute(PsAttributeNumber::TEB_ADDRESS, &mut teb),
        ],
    };
    let (reserve, commit) = if making.flags & RESERVATION != 0 {
        (making.stack, 0)
    } else {
        (0, making.stack)
    };
    let create_flags = if making.flags & SUSPENDED != 0 {
        ThreadCreateFlags::CREATE_SUSPENDED.0
    } else {
        0
    };
    let (inherit, descriptor) = security_of(making.security);
    let object = attributes(None, Handle::NULL, inherit, descriptor);
    let mut handle = Handle::NULL;
    check(NtCreateThreadEx(
        &mut handle,
        access(ALL),
        &object,
        making.process,
        routine,
        argument,
        create_flags,
        0_usize,
        commit,
        reserve,
        Ptr::of_shared(&list),
    ))?;
    making.id.write_optional(identifier(client.unique_thread));
    Ok(handle)
}

/// Whether the handle is inherited, and the security descriptor.
pub(crate) fn security_of(security: Ptr<SecurityAttributes>) -> (ObjectAttributeFlags, Ptr<u8>) {
    let Some(security) = security.non_null() else {
        return (ObjectAttributeFlags::empty(), Ptr::NULL);
    };
    let inherit = if field!(security, SecurityAttributes, inherit_handle).read() != 0 {
        ObjectAttributeFlags::INHERIT
    } else {
        ObjectAttributeFlags::empty()
    };
    (
        inherit,
        Ptr::at(field!(security, SecurityAttributes, security_descriptor).read()),
    )
}

/// An identifier of a process or thread as Win32 has it, in 32 bits.
pub(crate) fn identifier(id: nt_abi::native::Handle) -> u32 {
    u32::try_from(id).unwrap_or(u32::MAX)
}

/// The identifiers of the calling thread.
pub(crate) fn own_client() -> ClientId {
    field!(teb(), Teb, client_id).read()
}

/// Asks after a thread.
pub(crate) fn query<T: Default>(thread: Handle, class: Class) -> Win<T> {
    let mut into = T::default();
    let length = size_in_u32::<T>();
    check(NtQueryInformationThread(
        thread,
        ThreadInformationClass(class.0),
        &mut into,
        length,
        NULL,
    ))?;
    Ok(into)
}

/// Says something about a thread.
pub(crate) fn set<T>(thread: Handle, class: Class, value: &T) -> Win {
    let length = size_in_u32::<T>();
    check(NtSetInformationThread(
        thread,
        ThreadInformationClass(class.0),
        value,
        length,
    ))
}

fn basic(thread: Handle) -> Win<ThreadBasicInformation> {
    query(thread, Class::BASIC)
}

fn set_priority(thread: Handle, priority: i32) -> Win {
    if priority == BACKGROUND_BEGIN || priority == BACKGROUND_END {
        let page = if priority == BACKGROUND_BEGIN {
            1_u32
        } else {
            5
        };
        return set(thread, Class::PAGE_PRIORITY, &page);
    }
    let increment = match priority {
        TIME_CRITICAL => SATURATED,
        value if value == -TIME_CRITICAL => -SATURATED,
        value => value,
    };
    set(thread, Class::BASE_PRIORITY, &increment)
}

/// Writes the times of a process or thread.
pub(crate) fn give_times(
    times: &KernelUserTimes,
    [created, exited, kernel, user]: [Ptr<FileTime>; 4],
) {
    created.write(FileTime::new(times.create_time));
    exited.write(FileTime::new(times.exit_time));
    kernel.write(FileTime::new(times.kernel_time));
    user.write(FileTime::new(times.user_time));
}

/// Where APCs of Win32 begin: the routine has one argument.
extern "system" fn dispatch_apc(routine: Function<fn(usize)>, argument: usize, _context: usize) {
    routine.call(argument);
}

fn queue_apc(routine: Ptr<u8>, thread: Handle, argument: usize, special: bool) -> NtStatus {
    let dispatcher = Ptr::<u8>::new(dispatch_apc as *const () as usize);
    let argument = Ptr::<u8>::new(argument);
    if special {
        return NtQueueApcThreadEx2(
            thread,
            Handle::NULL,
            SPECIAL_APC,
            dispatcher,
            routine,
            argument,
            Ptr::<u8>::NULL,
        );
    }
    NtQueueApcThread(thread, dispatcher, routine, argument, Ptr::<u8>::NULL)
}

/// What a function gives that tells failures by -1.
fn count(status: NtStatus, value: u32) -> u32 {
    answer(check(status).map(|()| value), u32::MAX)
}

/// A thread's name in a block of the process heap, which its caller frees with `LocalFree`.
fn description(thread: Handle) -> Result<Ptr<u16>, NtStatus> {
    let mut length = 0x200_u32;
    loop {
        let mut room =
            wide::room::<u64>(length as usize / 8 + 1).map_err(|_| NtStatus::NO_MEMORY)?;
        let mut needed = 0_u32;
        let class = ThreadInformationClass(Class::NAME.0);
        let status =
            NtQueryInformationThread(thread, class, wide::place(&mut room), length, &mut needed);
        let too_small = status == NtStatus::INFO_LENGTH_MISMATCH
            || status == NtStatus::BUFFER_TOO_SMALL
            || status == NtStatus::BUFFER_OVERFLOW;
        if too_small && needed > length {
            length = needed;
            continue;
        }
        if !status.is_success() {
            return Err(status);
        }
        let name = wide::place(&mut room).cast::<ThreadNameInformation>();
        let name: UnicodeString = field!(name, ThreadNameInformation, thread_name).read();
        let bytes = usize::from(name.length);
        let block = RtlAllocateHeap(process_heap(), 0, bytes + 2)
            .non_null()
            .ok_or(NtStatus::NO_MEMORY)?;
        block.copy_from(Ptr::at(name.buffer), bytes);
        block.byte_add(bytes).cast::<u16>().write(0);
        return Ok(block.cast());
    }
}

exports! {
    /// Makes a thread of this process; null: it failed.
    fn CreateThread(security: Ptr<SecurityAttributes>, stack: usize, routine: Ptr<u8>, argument: Ptr<u8>, flags: u32, id: Ptr<u32>) -> Handle {
        let making = Making { process: Handle::CURRENT_PROCESS, security, stack, flags, id };
        answer(create(&making, routine, argument), Handle::NULL)
    }

    /// Makes a thread of a process; null: it failed.
    fn CreateRemoteThread(process: Handle, security: Ptr<SecurityAttributes>, stack: usize, routine: Ptr<u8>, argument: Ptr<u8>, flags: u32, id: Ptr<u32>) -> Handle {
        let making = Making { process, security, stack, flags, id };
        answer(create(&making, routine, argument), Handle::NULL)
    }

    /// Makes a thread of a process; null: it failed.
    ///
    /// # Differs
    /// Of the attributes none is looked at.
    fn CreateRemoteThreadEx(process: Handle, security: Ptr<SecurityAttributes>, stack: usize, routine: Ptr<u8>, argument: Ptr<u8>, flags: u32, _attributes: Ptr<u8>, id: Ptr<u32>) -> Handle {
        let making = Making { process, security, stack, flags, id };
        answer(create(&making, routine, argument), Handle::NULL)
    }

    /// Ends a thread where it is.
    fn TerminateThread(thread: Handle, code: u32) -> Bool {
        if thread.is_null() {
            return truth(Err(Error::INVALID_HANDLE));
        }
        truth_of(NtTerminateThread(thread, NtStatus(code)))
    }

    /// The code that a thread ended with, 259 as long as it runs.
    fn GetExitCodeThread(thread: Handle, code: Ptr<u32>) -> Bool {
        truth(basic(thread).map(|found| code.write(found.exit_status)))
    }

    /// Opens a thread by its identifier.
    fn OpenThread(wanted: u32, inherit: Bool, id: u32) -> Handle {
        let flags = if inherit == FALSE { ObjectAttributeFlags::empty() } else { ObjectAttributeFlags::INHERIT };
        let object = attributes(None, Handle::NULL, flags, Ptr::NULL);
        let client = ClientId { unique_thread: id as nt_abi::native::Handle, ..ClientId::default() };
        let mut handle = Handle::NULL;
        let status = NtOpenThread(&mut handle, access(wanted), &object, &client);
        answer(check(status).map(|()| handle), Handle::NULL)
    }

    /// The pseudo handle of this thread.
    fn GetCurrentThread() -> Handle {
        Handle::CURRENT_THREAD
    }

    /// The identifier of this thread.
    fn GetCurrentThreadId() -> u32 {
        identifier(own_client().unique_thread)
    }

    /// The identifier of a thread; 0: it failed.
    fn GetThreadId(thread: Handle) -> u32 {
        answer(basic(thread).map(|found| identifier(found.client_id.unique_thread)), 0)
    }

    /// The identifier of the process of a thread; 0: it failed.
    fn GetProcessIdOfThread(thread: Handle) -> u32 {
        answer(basic(thread).map(|found| identifier(found.client_id.unique_process)), 0)
    }

    /// Sets how urgent a thread is (`THREAD_PRIORITY_*`).
    fn SetThreadPriority(thread: Handle, priority: i32) -> Bool {
        truth(set_priority(thread, priority))
    }

    /// How urgent a thread is.
    fn GetThreadPriority(thread: Handle) -> i32 {
        let found = basic(thread).map(|found| match found.base_priority {
            SATURATED => TIME_CRITICAL,
            value if value == -SATURATED => -TIME_CRITICAL,
            value => value,
        });
        answer(found, PRIORITY_ERROR)
    }

    /// Whether waking makes a thread more urgent for a while.
    fn GetThreadPriorityBoost(thread: Handle, disabled: Ptr<u32>) -> Bool {
        truth(query::<u32>(thread, Class::PRIORITY_BOOST).map(|found| disabled.write(found)))
    }

    /// Says whether waking makes a thread more urgent for a while.
    fn SetThreadPriorityBoost(thread: Handle, disabled: Bool) -> Bool {
        truth(set(thread, Class::PRIORITY_BOOST, &u32::from(disabled != FALSE)))
    }

    /// Sets the processors of a thread; gives those before, 0: it failed.
    fn SetThreadAffinityMask(thread: Handle, mask: usize) -> usize {
        let before = basic(thread).and_then(|found| {
            set(thread, Class::AFFINITY_MASK, &mask).map(|()| native_size(found.affinity_mask))
        });
        answer(before, 0)
    }

    /// The processors of a thread, with their group.
    fn GetThreadGroupAffinity(thread: Handle, affinity: Ptr<GroupAffinity>) -> Bool {
        truth(query::<GroupAffinity>(thread, Class::GROUP).map(|found| affinity.write(found)))
    }

    /// Sets the processors of a thread, with their group.
    fn SetThreadGroupAffinity(thread: Handle, affinity: Ptr<GroupAffinity>, before: Ptr<GroupAffinity>) -> Bool {
        let set_it = || {
            if !before.is_null() {
                before.write(query(thread, Class::GROUP)?);
            }
            set(thread, Class::GROUP, &affinity.read())
        };
        truth(set_it())
    }

    /// Sets the processor that a thread prefers; gives the one before, -1: it failed.
    fn SetThreadIdealProcessor(thread: Handle, processor: u32) -> u32 {
        // The status of success is the processor before.
        let class = ThreadInformationClass(Class::IDEAL_PROCESSOR.0);
        let status = NtSetInformationThread(thread, class, &processor, 4_u32);
        count(status, status.0)
    }

    /// Sets the processor that a thread prefers, with its group.
    fn SetThreadIdealProcessorEx(thread: Handle, processor: Ptr<ProcessorNumber>, before: Ptr<ProcessorNumber>) -> Bool {
        let set_it = || {
            if !before.is_null() {
                before.write(query(thread, Class::IDEAL_PROCESSOR_EX)?);
            }
            set(thread, Class::IDEAL_PROCESSOR_EX, &processor.read())
        };
        truth(set_it())
    }

    /// The processor that a thread prefers, with its group.
    fn GetThreadIdealProcessorEx(thread: Handle, processor: Ptr<ProcessorNumber>) -> Bool {
        truth(query(thread, Class::IDEAL_PROCESSOR_EX).map(|found| processor.write(found)))
    }

    /// When a thread began and ended, and how long it ran.
    fn GetThreadTimes(thread: Handle, created: Ptr<FileTime>, exited: Ptr<FileTime>, kernel: Ptr<FileTime>, user: Ptr<FileTime>) -> Bool {
        truth(query(thread, Class::TIMES).map(|found| give_times(&found, [created, exited, kernel, user])))
    }

    /// How many cycles a thread ran.
    fn QueryThreadCycleTime(thread: Handle, cycles: Ptr<u64>) -> Bool {
        truth(query::<ThreadCycleTimeInformation>(thread, Class::CYCLE_TIME).map(|found| {
            cycles.write(found.accumulated_cycles);
        }))
    }

    /// Whether a thread has input or output that is not complete.
    fn GetThreadIOPendingFlag(thread: Handle, pending: Ptr<u32>) -> Bool {
        truth(query::<u32>(thread, Class::IS_IO_PENDING).map(|found| pending.write(found)))
    }

    /// Stops a thread; gives how often it was stopped before, -1: it failed.
    fn SuspendThread(thread: Handle) -> u32 {
        let mut before = 0_u32;
        count(NtSuspendThread(thread, &mut before), before)
    }

    /// Lets a thread go on; gives how often it was stopped before, -1: it failed.
    fn ResumeThread(thread: Handle) -> u32 {
        let mut before = 0_u32;
        count(NtResumeThread(thread, &mut before), before)
    }

    /// Reads the registers of a thread.
    fn GetThreadContext(thread: Handle, context: Ptr<u8>) -> Bool {
        truth_of(NtGetContextThread(thread, context))
    }

    /// Sets the registers of a thread.
    fn SetThreadContext(thread: Handle, context: Ptr<u8>) -> Bool {
        truth_of(NtSetContextThread(thread, context))
    }

    /// Has a thread call a routine when it waits alertably.
    fn QueueUserAPC(routine: Ptr<u8>, thread: Handle, argument: usize) -> u32 {
        truth_of(queue_apc(routine, thread, argument, false))
    }

    /// Has a thread call a routine, at once if it is a special one.
    fn QueueUserAPC2(routine: Ptr<u8>, thread: Handle, argument: usize, flags: u32) -> Bool {
        if flags & !SPECIAL_APC != 0 {
            return truth(Err(Error::INVALID_PARAMETER));
        }
        truth_of(queue_apc(routine, thread, argument, flags != 0))
    }

    /// Where the stack of this thread lies.
    fn GetCurrentThreadStackLimits(low: Ptr<usize>, high: Ptr<usize>) {
        low.write(Ptr::<u8>::at(field!(teb(), Teb, deallocation_stack).read()).address());
        high.write(Ptr::<u8>::at(field!(teb(), Teb, nt_tib.stack_base).read()).address());
    }

    /// Sets how much stack is left for a handler when it overflows, or tells it if asked for 0.
    ///
    /// # Differs
    /// The number is kept; the guard page stays where it is.
    fn SetThreadStackGuarantee(size: Ptr<u32>) -> Bool {
        let place = field!(teb(), Teb, guaranteed_stack_bytes);
        let (before, wanted) = (place.read(), size.read());
        if let Some(rounded) = wanted.checked_next_multiple_of(0x1000)
            && rounded > before
        {
            place.write(rounded);
        }
        size.write(before);
        TRUE
    }

    /// Which errors this thread wants to see in windows.
    fn GetThreadErrorMode() -> u32 {
        RtlGetThreadErrorMode()
    }

    /// Says which errors this thread wants to see in windows.
    fn SetThreadErrorMode(mode: u32, before: Ptr<u32>) -> Bool {
        truth_of(RtlSetThreadErrorMode(mode, before))
    }

    /// Names a thread, for debuggers (`HRESULT`).
    fn SetThreadDescription(thread: Handle, name: Ptr<u16>) -> u32 {
        let Ok(name) = wide::string(name) else {
            return NtStatus::INVALID_PARAMETER.0 | HRESULT_OF_NT;
        };
        let information = ThreadNameInformation { thread_name: name };
        let length = size_in_u32::<ThreadNameInformation>();
        let class = ThreadInformationClass(Class::NAME.0);
        NtSetInformationThread(thread, class, &information, length).0 | HRESULT_OF_NT
    }

    /// The name of a thread (`HRESULT`); its caller frees it with `LocalFree`.
    fn GetThreadDescription(thread: Handle, name: Ptr<usize>) -> u32 {
        match description(thread) {
            Ok(found) => {
                name.write(found.address());
                HRESULT_OF_NT
            }
            Err(status) => {
                name.write(0);
                status.0 | HRESULT_OF_NT
            }
        }
    }
}
