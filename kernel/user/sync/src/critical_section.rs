//! Critical sections: locks that their owner may take again.
//!
//! The structure is Windows', and so is the meaning of what programs and debuggers look at: `LockCount` (see
//! `words/section.rs`), `RecursionCount`, `OwningThread`, `SpinCount`, `DebugInfo`. `LockSemaphore` stays 0: waiters
//! wait by the section's address.
//!
//! Order: owner and recursion count are written by the owner alone. Another thread may read an old owner, but never itself:
//! what it wrote itself last was that it left.

use c_interface::{Ptr, field};
use nt_abi::native::{RtlCriticalSection, RtlCriticalSectionDebug};
use nt_abi::synchronization::{CRITICAL_SECTION_ALL_FLAG_BITS, CriticalSectionFlags};
use nt_abi::{NtResult, NtStatus};

use crate::words::atomic::{AtomicU32, AtomicUsize, Ordering};
use crate::words::parking::Parking;
use crate::words::section;

/// `SpinCount` of a section that nobody gave one: found out as it goes, 2,000 at most.
const DYNAMIC_SPINS: u32 = CriticalSectionFlags::DYNAMIC_SPIN.0 | 2000;

/// The most looks before a wait. A thread that has looked this often in vain does better to let others have the processor;
/// Windows' own number for its heaps is 4,000.
const MOST_SPINS: u32 = 4000;

type Section = Ptr<RtlCriticalSection>;

#[inline]
fn lock_count<'a>(section: Section) -> &'a AtomicU32 {
    field!(section, RtlCriticalSection, lock_count).atomic()
}

#[inline]
fn recursion_count<'a>(section: Section) -> &'a AtomicU32 {
    field!(section, RtlCriticalSection, recursion_count).atomic()
}

#[inline]
fn owner<'a>(section: Section) -> &'a AtomicUsize {
    field!(section, RtlCriticalSection, owning_thread)
        .cast::<usize>()
        .atomic()
}

#[inline]
fn spin_count<'a>(section: Section) -> &'a AtomicUsize {
    field!(section, RtlCriticalSection, spin_count)
        .cast::<usize>()
        .atomic()
}

/// The debug information, if there is any.
fn debug_info(section: Section) -> Option<Ptr<RtlCriticalSectionDebug>> {
    let info = field!(section, RtlCriticalSection, debug_info).read();
    (info != 0 && info != RtlCriticalSection::NO_DEBUG_INFO).then(|| Ptr::at(info))
}

/// Makes a section. `debug_info` is memory for debug information, which the caller gets back from [`delete`].
///
/// # NT
/// `RtlInitializeCriticalSectionEx`; with no flags `RtlInitializeCriticalSectionAndSpinCount` and
/// `RtlInitializeCriticalSection`, where bit 31 of the spin count, which once meant that an event is made at once, is to be
/// left out.
///
/// # Errors
/// `INVALID_PARAMETER_2` for a spin count over `00FF_FFFF`; `INVALID_PARAMETER_3` for unknown flags.
pub fn initialize<P: Parking>(
    parking: &P,
    section: Ptr<RtlCriticalSection>,
    spins: u32,
    flags: CriticalSectionFlags,
    debug_info: Option<Ptr<RtlCriticalSectionDebug>>,
) -> NtResult {
    if spins & CRITICAL_SECTION_ALL_FLAG_BITS != 0 {
        return Err(NtStatus::INVALID_PARAMETER_2);
    }
    if !CriticalSectionFlags::all().contains(flags) {
        return Err(NtStatus::INVALID_PARAMETER_3);
    }
    let spins = match spins {
        _ if parking.processors() == 1 => 0,
        0 => DYNAMIC_SPINS,
        spins => spins,
    };
    if let Some(info) = debug_info {
        info.write(RtlCriticalSectionDebug {
            critical_section: section.raw(),
            r#type: u16::from(flags.contains(CriticalSectionFlags::RESOURCE_TYPE)),
            ..Default::default()
        });
    }
    section.write(RtlCriticalSection {
        debug_info: debug_info.map_or(RtlCriticalSection::NO_DEBUG_INFO, Ptr::raw),
        lock_count: section::FREE,
        spin_count: spins.into(),
        ..Default::default()
    });
    Ok(())
}

/// Takes it; waits as long as it takes.
///
/// When a wait has lasted for `timeout`, in NT's form, `overdue` is called, as often as that happens; Windows raises
/// `STATUS_POSSIBLE_DEADLOCK` there. The timeout is `Peb::critical_section_timeout`; `None` for never.
///
/// # NT
/// `RtlEnterCriticalSection`.
///
/// # Errors
/// `ACCESS_VIOLATION` for a section of zeros, that was never made or is deleted, which Windows answers with that
/// exception, because its wait looks for debug information there.
#[inline]
pub fn enter<P: Parking>(
    parking: &P,
    section: Ptr<RtlCriticalSection>,
    timeout: impl FnOnce() -> Option<i64>,
    overdue: impl FnMut(),
) -> NtResult {
    match enter_plainly(parking, section, timeout, overdue) {
        NtStatus::SUCCESS => Ok(()),
        status => Err(status),
    }
}

/// As [`enter`], with a status as it is. An export that gives it on needs no frame: the slow way is a jump at the end.
#[inline]
#[must_use = "it may be no section"]
pub fn enter_plainly<P: Parking>(
    parking: &P,
    section: Ptr<RtlCriticalSection>,
    timeout: impl FnOnce() -> Option<i64>,
    overdue: impl FnMut(),
) -> NtStatus {
    let thread = parking.thread_id();
    if section::try_enter(lock_count(section)) {
        take(section, thread);
        return NtStatus::SUCCESS;
    }
    enter_slowly(parking, section, timeout, overdue)
}

/// Counts the owner once more, or waits.
#[inline(never)]
fn enter_slowly<P: Parking>(
    parking: &P,
    section: Section,
    timeout: impl FnOnce() -> Option<i64>,
    overdue: impl FnMut(),
) -> NtStatus {
    let thread = parking.thread_id();
    let count = lock_count(section);
    if owner(section).load(Ordering::Relaxed) == thread {
        again(section);
        return NtStatus::SUCCESS;
    }
    if count.load(Ordering::Relaxed) == 0 {
        // Held, with as many waiters as there cannot be.
        return NtStatus::ACCESS_VIOLATION;
    }
    if let Some(info) = debug_info(section) {
        field!(info, RtlCriticalSectionDebug, contention_count)
            .atomic()
            .fetch_add(1, Ordering::Relaxed);
    }
    let (address, spins) = (section.address(), spins(section));
    section::enter_contended(parking, count, address, spins, timeout(), overdue);
    take(section, thread);
    NtStatus::SUCCESS
}

/// How often to look before waiting, of the section's own count.
fn spins(section: Section) -> u32 {
    let count = spin_count(section).load(Ordering::Relaxed);
    let count = u32::try_from(count & 0xFFFF_FFFF).unwrap_or(0);
    (count & !CRITICAL_SECTION_ALL_FLAG_BITS).min(MOST_SPINS)
}

/// Notes the owner.
#[inline]
fn take(section: Section, thread: usize) {
    owner(section).store(thread, Ordering::Relaxed);
    recursion_count(section).store(1, Ordering::Relaxed);
}

/// Notes that the owner has it once more.
#[inline]
fn again(section: Section) {
    let count = recursion_count(section);
    count.store(
        count.load(Ordering::Relaxed).wrapping_add(1),
        Ordering::Relaxed,
    );
}

/// Takes it if nobody has it, not even the caller. For functions whose every instruction counts.
#[inline]
pub fn enter_at_once<P: Parking>(parking: &P, section: Ptr<RtlCriticalSection>) -> bool {
    let thread = parking.thread_id();
    let entered = section::try_enter(lock_count(section));
    if entered {
        take(section, thread);
    }
    entered
}

/// Takes it if nobody else has it.
///
/// # NT
/// `RtlTryEnterCriticalSection`.
#[inline]
pub fn try_enter<P: Parking>(parking: &P, section: Ptr<RtlCriticalSection>) -> bool {
    let thread = parking.thread_id();
    if section::try_enter(lock_count(section)) {
        take(section, thread);
    } else if owner(section).load(Ordering::Relaxed) == thread {
        again(section);
    } else {
        return false;
    }
    true
}

/// Leaves it as often as once. Gives `SUCCESS`, or `RESOURCE_NOT_OWNED` if nobody has it: a status as it is, which costs an
/// export nothing.
///
/// Who leaves is not compared with who entered: Windows does not, and programs enter in one thread and leave in another.
///
/// # NT
/// `RtlLeaveCriticalSection`.
///
/// # Differs
/// Where Windows counts below zero, and the next thread to enter waits for ever, nothing happens here.
#[inline]
#[must_use = "nobody may have had it"]
pub fn leave<P: Parking>(parking: &P, section: Ptr<RtlCriticalSection>) -> NtStatus {
    let recursion = recursion_count(section);
    let seen = recursion.load(Ordering::Relaxed);
    if seen == 1 {
        recursion.store(0, Ordering::Relaxed);
        owner(section).store(0, Ordering::Relaxed);
        if section::leave(lock_count(section)) {
            return NtStatus::SUCCESS;
        }
    }
    leave_slowly(parking, section, seen)
}

/// Leaves it, whose owner the caller is, and gives an answer on: a function that ends so needs no frame, since the slow way
/// is a jump at its end.
#[inline]
pub fn leave_with<P: Parking, R>(parking: &P, section: Ptr<RtlCriticalSection>, answer: R) -> R {
    let recursion = recursion_count(section);
    let seen = recursion.load(Ordering::Relaxed);
    if seen == 1 {
        recursion.store(0, Ordering::Relaxed);
        owner(section).store(0, Ordering::Relaxed);
        if section::leave(lock_count(section)) {
            return answer;
        }
    }
    leave_slowly_with(parking, section, seen, answer)
}

#[inline(never)]
fn leave_slowly_with<P: Parking, R>(parking: &P, section: Section, seen: u32, answer: R) -> R {
    // It is the caller's.
    let _ = leave_slowly(parking, section, seen);
    // Where the compiler sees what comes back it keeps that itself, over a call for which the caller then needs a frame.
    core::hint::black_box(answer)
}

/// Frees what somebody waits for, and was had once; otherwise counts one down, or says that nobody has it.
#[inline(never)]
fn leave_slowly<P: Parking>(parking: &P, section: Section, seen: u32) -> NtStatus {
    if seen == 1 {
        section::leave_contended(parking, lock_count(section), section.address());
    } else if seen == 0 || seen > i32::MAX.unsigned_abs() {
        return NtStatus::RESOURCE_NOT_OWNED;
    } else {
        recursion_count(section).store(seen - 1, Ordering::Relaxed);
    }
    NtStatus::SUCCESS
}

/// Ends it, and gives the debug information back to who made it. Nobody may have it or wait for it.
///
/// # NT
/// `RtlDeleteCriticalSection`. It leaves zeros, as Windows does: a section that looks held.
pub fn delete(section: Ptr<RtlCriticalSection>) -> Option<Ptr<RtlCriticalSectionDebug>> {
    let info = debug_info(section);
    section.write(RtlCriticalSection::default());
    info
}

/// Sets how often to look before waiting, and says how often it was.
///
/// # NT
/// `RtlSetCriticalSectionSpinCount`. On one processor it stays 0.
pub fn set_spin_count<P: Parking>(
    parking: &P,
    section: Ptr<RtlCriticalSection>,
    spins: u32,
) -> u32 {
    let spins = if parking.processors() == 1 { 0 } else { spins };
    let wide = usize::try_from(spins).unwrap_or(0);
    let before = spin_count(section).swap(wide, Ordering::Relaxed);
    u32::try_from(before & 0xFFFF_FFFF).unwrap_or(0)
}

/// Whether somebody has it, at this moment.
///
/// # NT
/// `RtlIsCriticalSectionLocked`.
pub fn is_locked(section: Ptr<RtlCriticalSection>) -> bool {
    recursion_count(section).load(Ordering::Relaxed) != 0
}

/// Whether the caller has it.
///
/// # NT
/// `RtlIsCriticalSectionLockedByThread`.
pub fn is_locked_by_caller<P: Parking>(parking: &P, section: Ptr<RtlCriticalSection>) -> bool {
    owner(section).load(Ordering::Relaxed) == parking.thread_id() && is_locked(section)
}

/// How often the caller has it.
///
/// # NT
/// `RtlGetCriticalSectionRecursionCount`.
pub fn recursion<P: Parking>(parking: &P, section: Ptr<RtlCriticalSection>) -> u32 {
    if is_locked_by_caller(parking, section) {
        recursion_count(section).load(Ordering::Relaxed)
    } else {
        0
    }
}
