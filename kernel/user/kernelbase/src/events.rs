//! Objects that threads wait for: events, mutexes, semaphores, timers.

use nt_abi::services::arguments::{EventType, TimerType};
use ntdll_imports::{
    NULL, NtCancelTimer, NtClearEvent, NtCreateEvent, NtCreateMutant, NtCreateSemaphore,
    NtCreateTimer, NtOpenEvent, NtOpenMutant, NtOpenSemaphore, NtOpenTimer, NtPulseEvent,
    NtReleaseMutant, NtReleaseSemaphore, NtSetEvent, NtSetTimer, RtlNtStatusToDosError,
};

use crate::objects::{access, create, open};
use crate::structures::SecurityAttributes;
use crate::wide::Wide;
use crate::win::*;

/// `EVENT_ALL_ACCESS`, and those of semaphores and timers.
const ALL: u32 = 0x1F_0003;
/// `MUTEX_ALL_ACCESS`.
const MUTEX_ALL: u32 = 0x1F_0001;

/// `CREATE_EVENT_MANUAL_RESET`, `CREATE_WAITABLE_TIMER_MANUAL_RESET`.
const MANUAL_RESET: u32 = 1;
/// `CREATE_EVENT_INITIAL_SET`.
const INITIAL_SET: u32 = 2;
/// `CREATE_MUTEX_INITIAL_OWNER`.
const INITIAL_OWNER: u32 = 1;
/// `CREATE_WAITABLE_TIMER_HIGH_RESOLUTION`.
const HIGH_RESOLUTION: u32 = 2;

fn create_event(
    security: Ptr<SecurityAttributes>,
    name: Ptr<u16>,
    flags: u32,
    wanted: u32,
) -> Handle {
    if flags & !(MANUAL_RESET | INITIAL_SET) != 0 {
        return answer(Err(Error::INVALID_PARAMETER), Handle::NULL);
    }
    let kind = EventType(u32::from(flags & MANUAL_RESET == 0));
    create(security, name, |handle, attributes| {
        NtCreateEvent(
            handle,
            access(wanted),
            attributes,
            kind,
            flags & INITIAL_SET != 0,
        )
    })
}

fn create_mutex(
    security: Ptr<SecurityAttributes>,
    name: Ptr<u16>,
    flags: u32,
    wanted: u32,
) -> Handle {
    if flags & !INITIAL_OWNER != 0 {
        return answer(Err(Error::INVALID_PARAMETER), Handle::NULL);
    }
    create(security, name, |handle, attributes| {
        NtCreateMutant(handle, access(wanted), attributes, flags != 0)
    })
}

fn create_semaphore(
    security: Ptr<SecurityAttributes>,
    initial: i32,
    most: i32,
    name: Ptr<u16>,
    wanted: u32,
) -> Handle {
    create(security, name, |handle, attributes| {
        NtCreateSemaphore(handle, access(wanted), attributes, initial, most)
    })
}

fn create_timer(
    security: Ptr<SecurityAttributes>,
    name: Ptr<u16>,
    flags: u32,
    wanted: u32,
) -> Handle {
    // Every timer is as exact as the clock allows.
    if flags & !(MANUAL_RESET | HIGH_RESOLUTION) != 0 {
        return answer(Err(Error::INVALID_PARAMETER), Handle::NULL);
    }
    let kind = TimerType(u32::from(flags & MANUAL_RESET == 0));
    create(security, name, |handle, attributes| {
        NtCreateTimer(handle, access(wanted), attributes, kind)
    })
}

/// Calls a function with a name that was told in the ANSI code page.
fn with_wide(name: Ptr<u8>, call: impl FnOnce(Ptr<u16>) -> Handle) -> Handle {
    match Wide::from_ansi(name) {
        Ok(name) => call(name.ptr()),
        Err(error) => answer(Err(error), Handle::NULL),
    }
}

/// One flag for each truth.
fn flags(first: Bool, one: u32, second: Bool, two: u32) -> u32 {
    let one = if first != FALSE { one } else { 0 };
    let two = if second != FALSE { two } else { 0 };
    one | two
}

exports! {
    /// Creates an event, or opens the one of this name.
    fn CreateEventW(security: Ptr<SecurityAttributes>, manual: Bool, initial: Bool, name: Ptr<u16>) -> Handle {
        create_event(security, name, flags(manual, MANUAL_RESET, initial, INITIAL_SET), ALL)
    }

    /// Creates an event, or opens the one of this name.
    fn CreateEventA(security: Ptr<SecurityAttributes>, manual: Bool, initial: Bool, name: Ptr<u8>) -> Handle {
        with_wide(name, |name| CreateEventW(security, manual, initial, name))
    }

    /// Creates an event, or opens the one of this name.
    fn CreateEventExW(security: Ptr<SecurityAttributes>, name: Ptr<u16>, flags: u32, wanted: u32) -> Handle {
        create_event(security, name, flags, wanted)
    }

    /// Creates an event, or opens the one of this name.
    fn CreateEventExA(security: Ptr<SecurityAttributes>, name: Ptr<u8>, flags: u32, wanted: u32) -> Handle {
        with_wide(name, |name| create_event(security, name, flags, wanted))
    }

    /// Opens an event.
    fn OpenEventW(wanted: u32, inherit: Bool, name: Ptr<u16>) -> Handle {
        open(inherit, name, |handle, attributes| NtOpenEvent(handle, access(wanted), attributes))
    }

    /// Opens an event.
    fn OpenEventA(wanted: u32, inherit: Bool, name: Ptr<u8>) -> Handle {
        with_wide(name, |name| OpenEventW(wanted, inherit, name))
    }

    /// Sets an event.
    fn SetEvent(event: Handle) -> Bool {
        truth_of(NtSetEvent(event, NULL))
    }

    /// Resets an event.
    fn ResetEvent(event: Handle) -> Bool {
        truth_of(NtClearEvent(event))
    }

    /// Lets those through who wait for an event now.
    fn PulseEvent(event: Handle) -> Bool {
        truth_of(NtPulseEvent(event, NULL))
    }

    /// Creates a mutex, or opens the one of this name.
    fn CreateMutexW(security: Ptr<SecurityAttributes>, owned: Bool, name: Ptr<u16>) -> Handle {
        create_mutex(security, name, flags(owned, INITIAL_OWNER, FALSE, 0), MUTEX_ALL)
    }

    /// Creates a mutex, or opens the one of this name.
    fn CreateMutexA(security: Ptr<SecurityAttributes>, owned: Bool, name: Ptr<u8>) -> Handle {
        with_wide(name, |name| CreateMutexW(security, owned, name))
    }

    /// Creates a mutex, or opens the one of this name.
    fn CreateMutexExW(security: Ptr<SecurityAttributes>, name: Ptr<u16>, flags: u32, wanted: u32) -> Handle {
        create_mutex(security, name, flags, wanted)
    }

    /// Creates a mutex, or opens the one of this name.
    fn CreateMutexExA(security: Ptr<SecurityAttributes>, name: Ptr<u8>, flags: u32, wanted: u32) -> Handle {
        with_wide(name, |name| create_mutex(security, name, flags, wanted))
    }

    /// Opens a mutex.
    fn OpenMutexW(wanted: u32, inherit: Bool, name: Ptr<u16>) -> Handle {
        open(inherit, name, |handle, attributes| NtOpenMutant(handle, access(wanted), attributes))
    }

    /// Opens a mutex.
    fn OpenMutexA(wanted: u32, inherit: Bool, name: Ptr<u8>) -> Handle {
        with_wide(name, |name| OpenMutexW(wanted, inherit, name))
    }

    /// Gives a mutex back.
    fn ReleaseMutex(mutex: Handle) -> Bool {
        truth_of(NtReleaseMutant(mutex, NULL))
    }

    /// Creates a semaphore, or opens the one of this name.
    fn CreateSemaphoreW(security: Ptr<SecurityAttributes>, initial: i32, most: i32, name: Ptr<u16>) -> Handle {
        create_semaphore(security, initial, most, name, ALL)
    }

    /// Creates a semaphore, or opens the one of this name.
    fn CreateSemaphoreA(security: Ptr<SecurityAttributes>, initial: i32, most: i32, name: Ptr<u8>) -> Handle {
        with_wide(name, |name| create_semaphore(security, initial, most, name, ALL))
    }

    /// Creates a semaphore, or opens the one of this name.
    fn CreateSemaphoreExW(security: Ptr<SecurityAttributes>, initial: i32, most: i32, name: Ptr<u16>, _flags: u32, wanted: u32) -> Handle {
        create_semaphore(security, initial, most, name, wanted)
    }

    /// Creates a semaphore, or opens the one of this name.
    fn CreateSemaphoreExA(security: Ptr<SecurityAttributes>, initial: i32, most: i32, name: Ptr<u8>, _flags: u32, wanted: u32) -> Handle {
        with_wide(name, |name| create_semaphore(security, initial, most, name, wanted))
    }

    /// Opens a semaphore.
    fn OpenSemaphoreW(wanted: u32, inherit: Bool, name: Ptr<u16>) -> Handle {
        open(inherit, name, |handle, attributes| NtOpenSemaphore(handle, access(wanted), attributes))
    }

    /// Opens a semaphore.
    fn OpenSemaphoreA(wanted: u32, inherit: Bool, name: Ptr<u8>) -> Handle {
        with_wide(name, |name| OpenSemaphoreW(wanted, inherit, name))
    }

    /// Adds to a semaphore's count.
    fn ReleaseSemaphore(semaphore: Handle, count: i32, before: Ptr<i32>) -> Bool {
        truth_of(NtReleaseSemaphore(semaphore, count, before))
    }

    /// Creates a timer, or opens the one of this name.
    fn CreateWaitableTimerW(security: Ptr<SecurityAttributes>, manual: Bool, name: Ptr<u16>) -> Handle {
        create_timer(security, name, flags(manual, MANUAL_RESET, FALSE, 0), ALL)
    }

    /// Creates a timer, or opens the one of this name.
    fn CreateWaitableTimerA(security: Ptr<SecurityAttributes>, manual: Bool, name: Ptr<u8>) -> Handle {
        with_wide(name, |name| CreateWaitableTimerW(security, manual, name))
    }

    /// Creates a timer, or opens the one of this name.
    fn CreateWaitableTimerExW(security: Ptr<SecurityAttributes>, name: Ptr<u16>, flags: u32, wanted: u32) -> Handle {
        create_timer(security, name, flags, wanted)
    }

    /// Creates a timer, or opens the one of this name.
    fn CreateWaitableTimerExA(security: Ptr<SecurityAttributes>, name: Ptr<u8>, flags: u32, wanted: u32) -> Handle {
        with_wide(name, |name| create_timer(security, name, flags, wanted))
    }

    /// Opens a timer.
    fn OpenWaitableTimerW(wanted: u32, inherit: Bool, name: Ptr<u16>) -> Handle {
        open(inherit, name, |handle, attributes| NtOpenTimer(handle, access(wanted), attributes))
    }

    /// Opens a timer.
    fn OpenWaitableTimerA(wanted: u32, inherit: Bool, name: Ptr<u8>) -> Handle {
        with_wide(name, |name| OpenWaitableTimerW(wanted, inherit, name))
    }

    /// Sets a timer: when (in 100 ns, from now if negative), how often again (in ms), whom to call.
    fn SetWaitableTimer(timer: Handle, due: Ptr<i64>, period: i32, routine: Ptr<u8>, argument: Ptr<u8>, resume: Bool) -> Bool {
        let status = NtSetTimer(timer, due, routine, argument, resume != FALSE, period, NULL);
        if status == NtStatus::TIMER_RESUME_IGNORED {
            // It is set, though nothing here wakes a machine that sleeps.
            set_last_error(Error(RtlNtStatusToDosError(status)));
            return TRUE;
        }
        truth_of(status)
    }

    /// Sets a timer that may be late by so many ms, which none is.
    fn SetWaitableTimerEx(timer: Handle, due: Ptr<i64>, period: i32, routine: Ptr<u8>, argument: Ptr<u8>, _wake: Ptr<u8>, _late: u32) -> Bool {
        truth_of(NtSetTimer(timer, due, routine, argument, false, period, NULL))
    }

    /// Stops a timer.
    fn CancelWaitableTimer(timer: Handle) -> Bool {
        truth_of(NtCancelTimer(timer, NULL))
    }
}
