//! Copies from and to user memory, and translations that are forgotten.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arch::Machine;
use arch::contract::{
    Access, FrameNumber, PAGE_BYTES, PAGE_SIZE, Processor, ProcessorNumber, ProcessorSet, UserCode,
    UserProtection, VirtAddr, VirtRange,
};
use arch::memory::{AddressSpace, Frame, SpaceId, UserEntry, activate, user_frame};
use arch::user::{UserFault, copy_in, copy_out};
use ke::process::system;
use ke::processor::active;
use ke::thread::{ThreadHandle, ThreadStart};
use ke::wait::{WaitOptions, wait_for_one};
use ke::{clock, info, schedule};
use mm::frames;

use crate::process::{DATA, Process, leave_space};

const NEXT: VirtAddr = VirtAddr(DATA.0 + PAGE_SIZE);
/// What the pager brings to [`NEXT`], once it has something.
static LATER: AtomicU64 = AtomicU64::new(0);
static PAGED: AtomicU32 = AtomicU32::new(0);
static PROCESS: ke::SpinLock<Option<Process>> = ke::SpinLock::new(None);

fn check(condition: bool, why: &'static str) -> Result<(), &'static str> {
    condition.then_some(()).ok_or(why)
}

/// Brings a page to [`NEXT`] when it is written.
fn pager(address: VirtAddr, access: Access) -> bool {
    if LATER.load(Ordering::Relaxed) == 0
        || !VirtRange::of_pages(NEXT, 1).contains(address)
        || access != Access::Write
        || !interrupts_enabled()
    {
        return false;
    }
    PAGED.fetch_add(1, Ordering::Relaxed);
    let mut process = PROCESS.acquire();
    process.as_mut().is_some_and(|process| {
        process
            .map(NEXT, UserProtection::ReadWrite, &[0x77; 64])
            .is_ok()
    })
}

fn interrupts_enabled() -> bool {
    let enabled = Machine::disable_interrupts();
    Machine::restore_interrupts(enabled);
    enabled
}

fn with_process<R>(then: impl FnOnce(&mut Process) -> R) -> Result<R, &'static str> {
    PROCESS
        .acquire()
        .as_mut()
        .map(then)
        .ok_or("there is no process")
}

/// Bytes of any length and at any address arrive; what is not there or not to be written is refused; a pager is asked.
pub(crate) fn copies() -> Result<(), &'static str> {
    ke::exception::set_pager(pager);
    // The first one pays for the table of spaces, which stays.
    Process::with(UserCode::Endless)?.ok_or("no code")?.end()?;
    let before = frames::counts();
    let process = Process::with(UserCode::Endless)?.ok_or("no code")?;
    process.enter()?;
    *PROCESS.acquire() = Some(process);

    lengths()?;
    limits()?;
    paging()?;
    entries()?;
    let process = PROCESS.acquire().take().ok_or("there is no process")?;
    destruction(process)?;
    check(
        frames::counts() == before,
        "frames are missing after the process went",
    )
}

fn lengths() -> Result<(), &'static str> {
    let mut source = [0_u8; 200];
    for (byte, value) in source.iter_mut().zip(1..) {
        *byte = value;
    }
    for length in 0..150 {
        for offset in 0..9 {
            let at = VirtAddr(DATA.0 + 256 + offset as u64);
            copy_out(VirtAddr(DATA.0 + 250), &[0xEE; 200]).map_err(|_| "a page was not written")?;
            copy_out(at, &source[offset..offset + length]).map_err(|_| "a page was not written")?;
            let mut found = [0; 200];
            copy_in(&mut found[..length + 2], VirtAddr(at.0 - 1))
                .map_err(|_| "a page was not read")?;
            check(
                found[0] == 0xEE
                    && found[1..=length] == source[offset..offset + length]
                    && found[length + 1] == 0xEE,
                "a copy is not the bytes that were to be copied",
            )?;
        }
    }
    Ok(())
}

fn limits() -> Result<(), &'static str> {
    let mut bytes = [0; 64];
    let end = VirtAddr(NEXT.0 - 16);
    check(
        copy_in(&mut bytes[..16], end).is_ok(),
        "a page's end was not read",
    )?;
    for length in 17..64 {
        check(
            copy_in(&mut bytes[..length], end) == Err(UserFault)
                && copy_out(end, &bytes[..length]) == Err(UserFault),
            "memory was copied that is not there",
        )?;
    }
    let nowhere = [
        0,
        8,
        0xFFFF,
        0x7FFF_FFFF_0000,
        0x7FFF_FFFF_FFFF,
        0x8000_0000_0000,
        0xFFFF_8000_0000_0000,
        Machine::number as *const () as usize as u64,
        u64::MAX - 3,
    ];
    for address in nowhere.map(VirtAddr) {
        check(
            copy_in(&mut bytes, address) == Err(UserFault)
                && copy_out(address, &bytes) == Err(UserFault),
            "memory was copied that is not user mode's",
        )?;
    }
    let code = crate::process::CODE;
    check(
        copy_in(&mut bytes, code).is_ok() && copy_out(code, &bytes) == Err(UserFault),
        "a page that user mode may not write was written for it",
    )
}

fn paging() -> Result<(), &'static str> {
    let bytes = [0x55; 100];
    let across = VirtAddr(NEXT.0 - 50);
    check(
        copy_out(across, &bytes) == Err(UserFault) && PAGED.load(Ordering::Relaxed) == 0,
        "a page was written before the pager had it",
    )?;
    LATER.store(1, Ordering::Relaxed);
    let mut found = [0; 102];
    check(
        copy_in(&mut found, across) == Err(UserFault),
        "the pager's refusal was ignored",
    )?;
    check(
        copy_out(across, &bytes).is_ok() && PAGED.load(Ordering::Relaxed) == 1,
        "the pager was not asked once",
    )?;
    copy_in(&mut found, across).map_err(|_| "the page that was brought is not there")?;
    check(
        found[..100] == bytes && found[100..] == [0x77; 2],
        "the copy did not go on where the page was missing",
    )?;
    LATER.store(0, Ordering::Relaxed);
    with_process(|process| process.unmap(NEXT))?;
    check(
        copy_in(&mut found, across) == Err(UserFault),
        "a page that is gone was read",
    )
}

/// Entries say what was set; a frame that is shown has its uses counted and cannot be taken back.
fn entries() -> Result<(), &'static str> {
    let data = with_process(|process| -> Result<FrameNumber, &'static str> {
        let (space, frame) = (&mut process.space, process.data);
        let twin = VirtAddr(0x5000_0000);
        space
            .map(twin, frame, UserProtection::Read, &mut *frames::lock())
            .map_err(|_| "a frame was not shown twice")?;
        check(user_frame::uses(frame) == Some(2), "a use was not counted")?;
        check(
            space.entry(twin)
                == UserEntry::Present {
                    frame,
                    protection: UserProtection::Read,
                },
            "an entry does not say what was mapped",
        )?;
        check(
            Frame::reclaim(frame).is_none(),
            "a shown frame was taken back",
        )?;
        space.unmap(VirtRange::of_pages(twin, 1), &mut |_, _| 0x1234_5678);
        check(
            space.entry(twin) == UserEntry::Absent(0x1234_5678)
                && user_frame::uses(frame) == Some(1),
            "what is left of an unmapped page is not what was set",
        )?;
        space
            .set_absent(twin, 0, &mut *frames::lock())
            .map_err(|_| "a software value was not cleared")?;
        // Read-only, and back.
        space.protect(VirtRange::of_pages(DATA, 1), &mut |_, _, old| {
            old.without_write()
        });
        Ok(frame)
    })??;
    check(
        copy_out(DATA, &[1]) == Err(UserFault),
        "a page was written after it was made read-only",
    )?;
    with_process(|process| {
        process
            .space
            .protect(VirtRange::of_pages(DATA, 1), &mut |_, _, _| {
                UserProtection::ReadWrite
            });
    })?;
    check(
        copy_out(DATA, &[1]).is_ok() && user_frame::uses(data) == Some(1),
        "a page was not written after that was permitted again",
    )
}

fn destruction(process: Process) -> Result<(), &'static str> {
    let id = process.space.id();
    let data = process.data;
    let Process { space, .. } = process;
    let space = match space.destroy(&mut *frames::lock(), &mut |_, _| {}) {
        Err(space) => space,
        Ok(()) => return Err("an active address space was destroyed"),
    };
    Process { space, data }.end()?;
    check(
        !activate_at_dispatch(id),
        "a dead address space was activated",
    )
}

fn activate_at_dispatch(id: SpaceId) -> bool {
    let _dispatch = ke::irql::raise(arch::contract::Irql::Dispatch);
    activate(Some(id))
}

/// How often the main processor went on, twice a round; and how many of the others followed, once in each half.
static STEP: AtomicU32 = AtomicU32::new(0);
static DONE: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];
static WRONG: AtomicU32 = AtomicU32::new(0);
static SPACE: AtomicU32 = AtomicU32::new(0);
const ROUNDS: u32 = 20;

/// A thread of another processor: in each round it sees the page, and then that it is gone. Below Dispatch, where a page may
/// be missing; and above all other threads, since a switch would leave the space.
fn look(_: u64) {
    for round in 0..ROUNDS {
        wait_for_step(2 * round + 1);
        let Ok(id) = u16::try_from(SPACE.load(Ordering::Relaxed)) else {
            return;
        };
        let mut bytes = [0; 8];
        let known = activate_at_dispatch(SpaceId(id));
        if !known || copy_in(&mut bytes, DATA).is_err() || bytes != [0x42; 8] {
            WRONG.fetch_add(1, Ordering::Relaxed);
        }
        DONE[0].fetch_add(1, Ordering::Release);
        wait_for_step(2 * round + 2);
        if copy_in(&mut bytes, DATA).is_ok() {
            WRONG.fetch_add(1 << 16, Ordering::Relaxed);
        }
        leave_space();
        DONE[1].fetch_add(1, Ordering::Release);
    }
}

fn wait_for_step(wanted: u32) {
    while STEP.load(Ordering::Acquire) < wanted {
        Machine::relax();
    }
}

fn start_to_look(number: ProcessorNumber) -> Result<ThreadHandle, &'static str> {
    let thread = ThreadHandle::create(system(), ThreadStart::kernel(look, 0))
        .map_err(|_| "no memory for a thread")?;
    schedule::set_affinity(thread.thread(), ProcessorSet::only(number))
        .map_err(|_| "an active processor was refused")?;
    schedule::set_priority(thread.thread(), schedule::HIGHEST)
        .map_err(|_| "a priority was refused")?;
    thread.start();
    Ok(thread)
}

/// A page that is unmapped on one processor is gone on all that used it, and its space is destroyed when all have left.
pub(crate) fn flush() -> Result<(), &'static str> {
    let others = active().without(ProcessorNumber::BOOT);
    let mut threads: [Option<ThreadHandle>; 4] = [const { None }; 4];
    for (slot, number) in threads.iter_mut().zip(others.iter()) {
        *slot = Some(start_to_look(number)?);
    }
    Process::with(UserCode::Endless)?.ok_or("no code")?.end()?;
    let before = frames::counts();
    for round in 0..ROUNDS {
        let mut process = Process::with(UserCode::Endless)?.ok_or("no code")?;
        process.enter()?;
        copy_out(DATA, &[0x42; 8]).map_err(|_| "a page was not written")?;
        SPACE.store(u32::from(process.space.id().0), Ordering::Relaxed);
        STEP.store(2 * round + 1, Ordering::Release);
        wait_for(&DONE[0], others.count() * (round + 1))?;
        if round % 2 == 0 {
            leave_space();
        }
        process.unmap(DATA);
        let mut bytes = [0; 8];
        check(
            copy_in(&mut bytes, DATA) == Err(UserFault),
            "a page that is gone was read",
        )?;
        if !others.is_empty() {
            leave_space();
            process = refused(process)?;
        }
        STEP.store(2 * round + 2, Ordering::Release);
        wait_for(&DONE[1], others.count() * (round + 1))?;
        process.end()?;
    }
    info!(
        "{} other processors; {:#x} of them saw something else",
        others.count(),
        WRONG.load(Ordering::Relaxed)
    );
    check(
        WRONG.load(Ordering::Relaxed) == 0,
        "another processor still had the page, or never had it",
    )?;
    check(frames::counts() == before, "frames are missing")?;
    for thread in threads.iter().flatten() {
        wait_for_one(thread.thread().header(), &WaitOptions::kernel());
    }
    Ok(())
}

/// Active elsewhere, the space cannot be destroyed.
fn refused(process: Process) -> Result<Process, &'static str> {
    let Process { space, data } = process;
    let space: AddressSpace = space
        .destroy(&mut *frames::lock(), &mut |_, _| {})
        .err()
        .ok_or("an address space was destroyed that another processor uses")?;
    Ok(Process { space, data })
}

fn wait_for(count: &AtomicU32, wanted: u32) -> Result<(), &'static str> {
    let deadline = clock::deadline(20_000);
    while count.load(Ordering::Acquire) != wanted {
        if clock::has_passed(deadline) {
            return Err("the other processors do not get on");
        }
        Machine::relax();
    }
    Ok(())
}

const _: () = assert!(PAGE_BYTES == 4096);
