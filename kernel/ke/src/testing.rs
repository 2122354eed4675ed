//! The simulated machine as tests want it: on, with this kernel registered and nothing stopped.
//!
//! For this crate's tests, and with the feature `testing` for those of the crates above: threads are closures, which
//! run on as many processors as a test wants, in an order that a seed decides.

use std::boxed::Box;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arch::Machine;
use arch::contract::{
    Irql, PAGE_SIZE, Processor, ProcessorNumber, Protection, VirtAddr, VirtRange,
};
use arch::memory::{KernelMapping, layout};
use arch::sim::{self, Running, SpareFrames};
use nt_abi::{NtResult, NtStatus};

use crate::thread::{StackSource, ThreadHandle, ThreadStart};
use crate::{clock, processor, schedule, thread};

/// Powers the simulated machine on with `processors` processors that all count as running; there are no threads.
pub fn boot(processors: u32) -> Running {
    let running = sim::boot(processors);
    prepare(processors);
    running
}

fn prepare(processors: u32) {
    crate::register();
    processor::forget();
    schedule::forget();
    crate::dispatcher::forget();
    crate::keyed::forget();
    crate::lock_order::forget();
    clock::forget();
    thread::forget();
    processor::pretend_active(processors);
    crate::bug_check::forget();
    crate::thread::set_stack_source(StackSource {
        make: make_stack,
        take_back: |mapping| mapping.destroy(&mut SpareFrames),
    });
}

/// A stack of one page: the simulated machine keeps what is on it elsewhere. Its frames come from the top of RAM, where a memory
/// manager that is under test comes last.
///
/// Stacks of threads that are not joined stay mapped. So they are far above those of the memory manager, which begin where
/// the region does and are met by its tests in the same program.
fn make_stack() -> NtResult<KernelMapping> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let slot = NEXT.fetch_add(1, Ordering::Relaxed) % 100_000;
    let middle = layout::STACKS.start.0 + layout::STACKS.length() / 2;
    let start = VirtAddr(middle + (slot * 2 + 1) * PAGE_SIZE);
    KernelMapping::create(
        VirtRange::of_pages(start, 1),
        Protection::ReadWrite,
        &mut SpareFrames,
    )
    .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)
}

type Body = Box<dyn FnOnce() + Send>;

static BODIES: Mutex<Option<HashMap<u64, Body>>> = Mutex::new(None);

fn run_body(number: u64) {
    let body = BODIES
        .lock()
        .expect("no test panics here")
        .as_mut()
        .and_then(|bodies| bodies.remove(&number));
    if let Some(body) = body {
        body();
    }
}

/// A thread of the system process that runs a closure, and is not started yet.
///
/// # Panics
/// If there is no memory for it.
pub fn thread(body: impl FnOnce() + Send + 'static) -> ThreadHandle {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    BODIES
        .lock()
        .expect("no test panics here")
        .get_or_insert_default()
        .insert(number, Box::new(body));
    let start = ThreadStart::kernel(run_body, number);
    ThreadHandle::create(crate::process::system(), start).expect("there is memory")
}

/// The same, started.
///
/// # Panics
/// As [`thread`] does.
pub fn spawn(body: impl FnOnce() + Send + 'static) -> ThreadHandle {
    let thread = thread(body);
    thread.start();
    thread
}

/// Waits until a thread has ended.
///
/// # Panics
/// If the wait ends otherwise.
pub fn join(thread: &ThreadHandle) {
    let options = crate::wait::WaitOptions::kernel();
    assert_eq!(
        crate::wait::wait_for_one(thread.thread().header(), &options),
        NtStatus::WAIT_0
    );
}

/// Powers a machine on whose processors all run and take turns by `seed`; the calling code is the first one's idle thread.
///
/// # Panics
/// If there is no memory for the idle threads.
pub fn boot_multiprocessor(processors: u32, seed: u64) -> Running {
    let running = sim::boot_multiprocessor(processors, seed);
    prepare(1);
    Machine::set_irql(Irql::Dispatch);
    thread::adopt_idle().expect("there is memory");
    Machine::set_irql(Irql::Passive);
    clock::start_on_this_processor();
    for number in 1..processors {
        assert!(sim::start_processor(ProcessorNumber(number)));
        while !processor::active().contains(ProcessorNumber(number)) {
            Machine::relax();
        }
    }
    running
}

/// Powers a machine on whose processors all run, and runs `body` there as a thread; ends when that has ended.
///
/// # Panics
/// If `body` does, or a thread that it made.
pub fn run(processors: u32, seed: u64, body: impl FnOnce() + Send + 'static) {
    let _machine = boot_multiprocessor(processors, seed);
    static DONE: AtomicBool = AtomicBool::new(false);
    DONE.store(false, Ordering::Relaxed);
    let _main = spawn(move || {
        body();
        DONE.store(true, Ordering::Relaxed);
    });
    while !DONE.load(Ordering::Relaxed) {
        processor::idle_once();
    }
}
