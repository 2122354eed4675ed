//! Timers.
//!
//! A timer may call a routine in the thread that set it, by a user APC each time that it is due. Such a timer is
//! **armed**: it has an entry in a table here, with an APC of `ke`'s, until it is set anew, cancelled, has called for the
//! only time, or its thread ends. The entry keeps the object, so a timer whose last handle is closed still calls.
//!
//! The APC that `ke` queues carries the entry's number and nothing else. Numbers are not used again (but for one in four thousand million), so an APC that is
//! just being delivered as its timer is cancelled finds no entry and calls nothing; and an APC goes back to `ke` as
//! soon as its entry is out of the table, the timer does not have it any more, and it is in no queue.

use core::sync::atomic::{AtomicU32, Ordering};

use ::ex::FastMutex;
use ::ke::SpinLock;
use ::ke::apc::{Apc, ApcCall, ApcRoutines, Form};
use ::ke::dispatcher::{Due, EventKind, Timer};
use nt_abi::access::AccessMask;
use nt_abi::object_information::{TimerBasicInformation, TimerInformationClass as Class};
use nt_abi::services::arguments::{
    AccessMask as Access, Boolean, Handle, In, ObjectAttributes, OptionalIn, OptionalInOutBytes,
    OptionalOut, Out, OutBytes, TimerInformationClass, TimerSetInformationClass, TimerType,
    UserAddress,
};
use nt_abi::{NtResult, NtStatus};
use ob::Object;
use ps::Thread;
use rtl::IdTable;
use rtl::id_table::{Reuse, Spare, Value};

use super::{Fixed, create_object, open_object};
use crate::Caller;
use crate::capture::Pointer;
use crate::object_types::TimerBody;

/// An armed timer.
struct Armed {
    number: u64,
    /// The thread that set it.
    thread: Object<Thread>,
    timer: Object<TimerBody>,
    /// None until it has one.
    apc: Option<&'static Apc>,
    routine: u64,
    context: u64,
    periodic: bool,
}

/// The armed timers of all threads. It grows outside the lock. The lower half of an entry's number is its value here; the upper half tells it from those that had the
/// value before.
static ARMED: SpinLock<IdTable<Armed>> = SpinLock::new(IdTable::new(Reuse::FirstFreed));

/// The most timers that are to call something in one thread.
const MOST_OF_A_THREAD: u32 = 4096;

/// The place of a number's entry.
fn place(number: u64) -> Value {
    Value((number & 0xFFFF_FFFF) as u32)
}

/// Takes an entry out, if `wanted` says so.
fn take(
    armed: &mut IdTable<Armed>,
    number: u64,
    wanted: impl FnOnce(&Armed) -> bool,
) -> Option<Armed> {
    let entry = armed.get(place(number))?;
    if entry.number != number || !wanted(entry) {
        return None;
    }
    let entry = armed.remove(place(number))?;
    entry.thread.armed_timers.fetch_sub(1, Ordering::Relaxed);
    Some(entry)
}

static ROUTINES: ApcRoutines = ApcRoutines {
    kernel: due,
    normal: None,
    // The thread's timers are disarmed before its APCs are run down.
    run_down: |_| (),
};

/// The APC of an armed timer is delivered: puts the user's routine into the call, or takes the call away.
fn due(_apc: &'static Apc, call: &mut ApcCall) {
    let number = core::mem::take(&mut call.routine);
    let over = take(&mut ARMED.acquire(), number, |entry| {
        call.routine = entry.routine;
        call.context = entry.context;
        !entry.periodic
    });
    if let Some(entry) = over {
        // A timer that is not periodic has queued its APC for the only time, and this was it.
        if let Some(apc) = entry.apc {
            apc.give_back();
        }
    }
}

/// Takes the entry with that number out of the table, whose timer does not have the APC any more. It may have the last
/// reference to a thread that has ended, so it is to be dropped without a lock.
#[must_use]
fn disarm(number: Option<u64>) -> Option<Armed> {
    let entry = take(&mut ARMED.acquire(), number?, |_| true)?;
    if let Some(apc) = entry.apc {
        apc.remove();
        apc.give_back();
    }
    Some(entry)
}

/// A thread ends: the timers that were to call something in it are cancelled. It sets none any more, so one pass finds all.
pub(crate) fn thread_ended(thread: &Thread) {
    let mut last = Value(0);
    while thread.armed_timers.load(Ordering::Relaxed) != 0 {
        let found = {
            let armed = ARMED.acquire();
            let Some(next) = armed.next_after(last) else {
                return;
            };
            last = next;
            let entry = armed.get(next);
            let mine = entry.filter(|entry| entry.thread.id() == thread.id());
            mine.map(|entry| (entry.number, entry.timer.clone()))
        };
        let Some((number, timer)) = found else {
            continue;
        };
        let mut current = timer.apc.acquire();
        if *current == Some(number) {
            timer.timer.cancel();
            *current = None;
        }
        let over = disarm(Some(number));
        drop(current);
        drop(over);
    }
}

pub(crate) fn nt_create_timer(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: OptionalIn<ObjectAttributes>,
    timer_type: TimerType,
) -> NtResult<NtStatus> {
    let kind = match timer_type.0 {
        0 => EventKind::Notification,
        1 => EventKind::Synchronization,
        _ => return Err(NtStatus::INVALID_PARAMETER_4),
    };
    create_object(caller, handle, access, attributes.address(), || {
        Ok(TimerBody {
            timer: Timer::new(kind)?,
            apc: FastMutex::new(None),
        })
    })
}

pub(crate) fn nt_open_timer(
    caller: &Caller<'_>,
    handle: Out<Handle>,
    access: Access,
    attributes: In<ObjectAttributes>,
) -> NtResult {
    open_object::<TimerBody>(caller, handle, access, attributes)
}

/// How a timer is set.
struct Setting {
    due: Due,
    /// 100 ns; 0: once.
    period: u64,
    /// 100 ns that it may be late.
    tolerance: u64,
    routine: u64,
    context: u64,
}

/// Milliseconds as a caller gives them, in 100 ns; negative ones have the error.
fn milliseconds(value: i32, error: NtStatus) -> NtResult<u64> {
    const MILLISECOND: u64 = 10_000;
    u64::try_from(value)
        .map(|value| value * MILLISECOND)
        .map_err(|_| error)
}

/// Sets a timer; gives whether it was signalled before.
fn set(caller: &Caller<'_>, timer: &Object<TimerBody>, setting: &Setting) -> NtResult<bool> {
    let mut current = timer.apc.acquire();
    let mut number = None;
    let mut apc = None;
    if setting.routine != 0 {
        let (made, entry) = arm(caller, timer, setting)?;
        number = Some(made);
        apc = Some(entry);
    }
    let signalled = timer.timer.state().signalled;
    timer
        .timer
        .set_fully(setting.due, setting.period, setting.tolerance, None, apc);
    let over = disarm(core::mem::replace(&mut *current, number));
    drop(current);
    drop(over);
    Ok(signalled)
}

/// Makes an entry for a timer that is about to be set; gives its number and its APC.
///
/// # Errors
/// `INSUFFICIENT_RESOURCES`, also if the thread has as many as it may have.
fn arm(
    caller: &Caller<'_>,
    timer: &Object<TimerBody>,
    setting: &Setting,
) -> NtResult<(u64, &'static Apc)> {
    /// Tells entries with the same value apart.
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let thread = caller.thread;
    if thread.armed_timers.load(Ordering::Relaxed) >= MOST_OF_A_THREAD {
        return Err(NtStatus::INSUFFICIENT_RESOURCES);
    }
    let entry = Armed {
        number: u64::from(NEXT.fetch_add(1, Ordering::Relaxed)) << 32,
        thread: thread.clone(),
        timer: timer.clone(),
        apc: None,
        routine: setting.routine,
        context: setting.context,
        periodic: setting.period != 0,
    };
    let number = insert(entry)?;
    // Nobody knows the entry before its APC is in a timer.
    match Apc::take(thread.scheduled(), Form::User, &ROUTINES, number, 0) {
        Ok(apc) => {
            if let Some(entry) = ARMED.acquire().get_mut(place(number)) {
                entry.apc = Some(apc);
            }
            Ok((number, apc))
        }
        Err(status) => {
            drop(disarm(Some(number)));
            Err(status)
        }
    }
}

/// Puts an entry in; gives its number. Memory for it is asked for without the lock.
fn insert(entry: Armed) -> NtResult<u64> {
    loop {
        {
            let mut armed = ARMED.acquire();
            if armed.len() >= armed.limit() {
                return Err(NtStatus::INSUFFICIENT_RESOURCES);
            }
            if armed.has_room() {
                let high = entry.number;
                entry.thread.armed_timers.fetch_add(1, Ordering::Relaxed);
                let value = armed.insert(entry)?;
                let number = high | u64::from(value.0);
                if let Some(entry) = armed.get_mut(value) {
                    entry.number = number;
                }
                return Ok(number);
            }
        }
        let spare = Spare::new()?;
        let rest = ARMED.acquire().grow_by(spare);
        drop(rest);
    }
}

/// Sets a timer.
///
/// # Differs
/// - No timer wakes the machine: `resume_timer` gives `TIMER_RESUME_IGNORED`, as on a machine that cannot.
/// - 4,096 timers at most are to call something in one thread; one more, and to set one of them anew at that many, is
///   refused (`INSUFFICIENT_RESOURCES`).
#[allow(clippy::too_many_arguments, reason = "the service has them")]
pub(crate) fn nt_set_timer(
    caller: &Caller<'_>,
    timer: Handle,
    due_time: In<i64>,
    timer_apc_routine: UserAddress,
    timer_context: UserAddress,
    resume_timer: Boolean,
    period: i32,
    previous_state: OptionalOut<Boolean>,
) -> NtResult<NtStatus> {
    previous_state.probe_optional::<u8>()?;
    let due = Due::from_nt(due_time.read()?);
    let period = milliseconds(period, NtStatus::INVALID_PARAMETER_6)?;
    let timer = caller.reference::<TimerBody>(timer, AccessMask::TIMER_MODIFY_STATE)?;
    let signalled = set(
        caller,
        &timer,
        &Setting {
            due,
            period,
            tolerance: 0,
            routine: timer_apc_routine.0,
            context: timer_context.0,
        },
    )?;
    previous_state.write_optional(&u8::from(signalled))?;
    Ok(if resume_timer.is_true() {
        NtStatus::TIMER_RESUME_IGNORED
    } else {
        NtStatus::SUCCESS
    })
}

/// `TimerSetCoalescableTimer`, the one class.
const SET_COALESCABLE: u32 = 0;

/// Sets a timer that may be late.
///
/// # NT
/// `TIMER_SET_COALESCABLE_TIMER_INFO`: due time, APC routine, context, wake context, period and tolerance in
/// milliseconds, where the previous state goes.
pub(crate) fn nt_set_timer_ex(
    caller: &Caller<'_>,
    timer: Handle,
    class: TimerSetInformationClass,
    information: OptionalInOutBytes,
    length: u32,
) -> NtResult {
    /// The structure as words; period and tolerance share the fifth.
    type Coalescable = [u64; 6];
    if class.0 != SET_COALESCABLE {
        return Err(NtStatus::INVALID_INFO_CLASS);
    }
    if length as usize != size_of::<Coalescable>() {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    let [due, routine, context, _wake, times, previous] = information.read::<Coalescable>()?;
    let (period, tolerance) = halves(times);
    let period = milliseconds(period, NtStatus::INVALID_PARAMETER)?;
    let tolerance = milliseconds(tolerance, NtStatus::INVALID_PARAMETER)?;
    let previous = OptionalOut::<Boolean>::new(previous);
    previous.probe_optional::<u8>()?;
    let timer = caller.reference::<TimerBody>(timer, AccessMask::TIMER_MODIFY_STATE)?;
    let signalled = set(
        caller,
        &timer,
        &Setting {
            due: Due::from_nt(due.cast_signed()),
            period,
            tolerance,
            routine,
            context,
        },
    )?;
    previous.write_optional(&u8::from(signalled))
}

/// The lower and the upper half of a word, as numbers with a sign.
fn halves(word: u64) -> (i32, i32) {
    let [a, b, c, d, e, f, g, h] = word.to_le_bytes();
    (
        i32::from_le_bytes([a, b, c, d]),
        i32::from_le_bytes([e, f, g, h]),
    )
}

pub(crate) fn nt_cancel_timer(
    caller: &Caller<'_>,
    timer: Handle,
    current_state: OptionalOut<Boolean>,
) -> NtResult {
    current_state.probe_optional::<u8>()?;
    let timer = caller.reference::<TimerBody>(timer, AccessMask::TIMER_MODIFY_STATE)?;
    let (signalled, over) = {
        let mut current = timer.apc.acquire();
        timer.timer.cancel();
        let over = disarm(current.take());
        (timer.timer.state().signalled, over)
    };
    drop(over);
    current_state.write_optional(&u8::from(signalled))
}

pub(crate) fn nt_query_timer(
    caller: &Caller<'_>,
    timer: Handle,
    class: TimerInformationClass,
    information: OutBytes,
    length: u32,
    return_length: OptionalOut<u32>,
) -> NtResult {
    if class.0 != Class::BASIC.0 {
        return Err(NtStatus::INVALID_INFO_CLASS);
    }
    let answer = Fixed::new(information, length, return_length)?;
    let timer = caller.reference::<TimerBody>(timer, AccessMask::TIMER_QUERY_STATE)?;
    let state = timer.timer.state();
    let now = ::ke::clock::interrupt_time();
    answer.give(&TimerBasicInformation {
        remaining_time: state.due.wrapping_sub(now).cast_signed(),
        timer_state: u8::from(state.signalled),
        reserved0: [0; 7],
    })
}
