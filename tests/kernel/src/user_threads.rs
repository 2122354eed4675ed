//! User mode that is interrupted, and threads of it that take turns.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use arch::Machine;
use arch::contract::{
    Clock, ExitCode, Irql, Power, Processor, ProcessorNumber, ProcessorSet, UserCode, UserExit,
    UserState as _, VirtAddr,
};
use arch::memory::{SpaceId, activate, user_frame};
use arch::thread::{Context, leave, switch};
use ke::dpc::Dpc;
use ke::{error, info, irql};
use mm::KernelStack;

use crate::process::{CODE, DATA, Process, prepare};

/// The code that runs the test, and two threads.
static CONTEXTS: [Context; 3] = [const { Context::new() }; 3];
static RUNNING: AtomicBool = AtomicBool::new(false);
static TICKS: AtomicU64 = AtomicU64::new(0);

/// Called at each clock interrupt: at those of the processor that the threads run on, every thread's attention is wanted. If
/// another one's asked for it too, any interrupt could be the one at which user mode is left.
pub(crate) fn clock_interrupt() {
    if RUNNING.load(Ordering::Relaxed) && Machine::number() == ProcessorNumber::BOOT {
        TICKS.fetch_add(1, Ordering::Relaxed);
        for context in &CONTEXTS {
            context.user().attention().store(1, Ordering::Relaxed);
        }
    }
}

/// An endless loop in user mode is left when its thread's attention is wanted, and not before.
pub(crate) fn interrupted() -> Result<(), &'static str> {
    let main = &CONTEXTS[0];
    main.adopt(0)
        .map_err(|_| "the running code was not adopted")?;
    main.become_user_thread();
    let process = Process::with(UserCode::Endless)?.ok_or("no code")?;
    process.enter()?;
    let ticks = || ke::processor::prcb(Machine::number()).ticks();
    let before = ticks();
    RUNNING.store(true, Ordering::Relaxed);
    prepare(main, 0, 0);
    for _ in 0..10 {
        let exit = main.run_user();
        if exit != UserExit::Interrupted {
            error!("{exit:x?}");
            return Err("an endless loop ended");
        }
        let pc = main.user().pc();
        if pc.0.wrapping_sub(CODE.0) > 8 {
            error!("{pc}");
            return Err("an endless loop left itself");
        }
        main.user().attention().store(0, Ordering::Relaxed);
    }
    RUNNING.store(false, Ordering::Relaxed);
    let after = ticks();
    info!("{} ticks", after - before);
    if after - before < 10 {
        return Err("user mode was left without a reason");
    }
    process.end()
}

/// A processor in user mode is stopped by force, from another one.
pub(crate) fn stopped() -> Result<(), &'static str> {
    static STOP: Dpc = Dpc::new(|_, _| {
        let deadline = ke::clock::deadline(100);
        while !ke::clock::has_passed(deadline) {
            Machine::relax();
        }
        let stopped = Machine::stop_by_force(ProcessorSet::only(ProcessorNumber::BOOT));
        info!(
            "test: user-stop: {}",
            if stopped { "passed" } else { "FAILED" }
        );
        Machine::power_off(if stopped {
            ExitCode::Success
        } else {
            ExitCode::CheckFailed
        })
    });
    let main = &CONTEXTS[0];
    main.adopt(0)
        .map_err(|_| "the running code was not adopted")?;
    main.become_user_thread();
    let process = Process::with(UserCode::Endless)?.ok_or("no code")?;
    process.enter()?;
    STOP.set_target(ProcessorNumber(1));
    STOP.queue([0; 2]);
    prepare(main, 0, 0);
    error!("{:x?}", main.run_user());
    Err("user mode was left")
}

const SWITCHES: u32 = 4000;
static SWITCHED: AtomicU32 = AtomicU32::new(0);
static SPACES: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];
/// What each thread reports: 1 is that its registers kept their values.
static REPORTS: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

/// Two threads hold values in all registers, each in its own address space, and are switched at each clock interrupt.
pub(crate) fn registers() -> Result<(), &'static str> {
    CONTEXTS[0]
        .adopt(0)
        .map_err(|_| "the running code was not adopted")?;
    let one = Process::with(UserCode::HoldRegisters)?.ok_or("no code")?;
    let two = Process::with(UserCode::HoldRegisters)?.ok_or("no code")?;
    for (thread, process) in (1_u32..).zip([&one, &two]) {
        let teb = 0x100 * thread as usize;
        user_frame::write(process.data, teb, &u64::from(thread).to_le_bytes())
            .map_err(|_| "a user frame was not written")?;
        SPACES[thread as usize].store(u32::from(process.space.id().0), Ordering::Relaxed);
        let stack = KernelStack::create()
            .ok()
            .and_then(KernelStack::into_mapping)
            .ok_or("no memory for a stack")?;
        CONTEXTS[thread as usize]
            .prepare_user(stack, body, thread)
            .map_err(|_| "a free context was not prepared")?;
    }
    let usual = Machine::counter_frequency() / ke::clock::TICKS_PER_SECOND;
    Machine::start_clock(Machine::counter_frequency() / 4000);
    RUNNING.store(true, Ordering::Relaxed);
    while SWITCHED.load(Ordering::Relaxed) < SWITCHES {
        turn(0, 1);
    }
    // Both may go on to compare.
    for process in [&one, &two] {
        user_frame::write(process.data, 0, &[1; 8]).map_err(|_| "a user frame was not written")?;
    }
    while !CONTEXTS[1].has_ended() || !CONTEXTS[2].has_ended() {
        turn(0, if CONTEXTS[1].has_ended() { 2 } else { 1 });
    }
    RUNNING.store(false, Ordering::Relaxed);
    Machine::start_clock(usual);
    let reports = [1, 2].map(|thread: usize| REPORTS[thread].load(Ordering::Relaxed));
    info!(
        "{} switches at {} clock interrupts; reports {reports:?}",
        SWITCHED.load(Ordering::Relaxed),
        TICKS.load(Ordering::Relaxed)
    );
    if reports != [1, 1] {
        return Err("a thread's registers did not keep their values");
    }
    one.end()?;
    two.end()
}

/// Goes on with another thread, in its address space.
fn turn(from: usize, to: usize) {
    let _dispatch = irql::raise(Irql::Dispatch);
    enter_space(to);
    switch(&CONTEXTS[from], &CONTEXTS[to]);
}

fn enter_space(thread: usize) {
    let id = SPACES[thread].load(Ordering::Relaxed);
    activate(u16::try_from(id).ok().filter(|id| *id != 0).map(SpaceId));
}

fn body(thread: u32) -> ! {
    // This test is its own scheduler: the switch came at Dispatch.
    Machine::set_irql(Irql::Passive);
    let own = thread as usize;
    let context = &CONTEXTS[own];
    let teb = VirtAddr(DATA.0 + 0x100 * u64::from(thread));
    let seed = 0x0123_4567_89AB_0000 * u64::from(thread) + 0x8D5 * u64::from(thread & 1);
    prepare(context, DATA.0, seed);
    context.user().set_teb(teb);
    let mut exit = context.run_user();
    loop {
        match exit {
            UserExit::Interrupted => {
                context.user().attention().store(0, Ordering::Relaxed);
                let count = SWITCHED.fetch_add(1, Ordering::Relaxed);
                // To the other thread, and now and then to the code that runs the test.
                let other = 3 - own;
                let next = if count % 5 == 4 || CONTEXTS[other].has_ended() {
                    0
                } else {
                    other
                };
                turn(own, next);
            }
            UserExit::SystemCall(1) => {
                let user = context.user();
                let kept = user.argument(0) == 0 && user.argument(1) == u64::from(thread);
                REPORTS[own].store(if kept { 1 } else { 2 }, Ordering::Relaxed);
                break;
            }
            _ => {
                error!("thread {thread}: {exit:x?}");
                REPORTS[own].store(3, Ordering::Relaxed);
                break;
            }
        }
        exit = context.run_user();
    }
    let _dispatch = irql::raise(Irql::Dispatch);
    enter_space(0);
    leave(context, &CONTEXTS[0])
}
