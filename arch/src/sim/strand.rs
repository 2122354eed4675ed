//! Strands: lines of execution with a stack of their own, of which one runs at a time.
//!
//! The test is a strand, each context of the kernel is one from its first switch on,
//! and so is each processor that was started, until it switches to a context. All
//! are on the one host thread that powered the machine on. A strand ends by
//! switching away for good: then its stack is taken back as soon as another strand
//! runs. Or it ends by a panic, which goes on in the test's strand (see `ending`).

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use super::ending;
use super::stack::{Stack, switch};
use super::state::{State, with};
use super::turns::{self, Activity};
use crate::contract::ProcessorNumber;

/// A strand's number, and what the kernel has for a stack pointer.
pub(super) type StrandId = u64;

/// The test's own strand.
pub(super) const BOOT_STRAND: StrandId = 1;

/// What a strand does first.
#[derive(Clone, Copy)]
pub(super) enum Start {
    /// It is the test.
    Boot,
    /// It runs the context that was prepared with this argument.
    Context(u64),
    /// It comes up as this processor.
    Processor(ProcessorNumber),
    /// It is a part of the test, which waits for it.
    Apart,
}

pub(super) struct Strand {
    start: Start,
    /// Where it goes on; boxed, because a switch stores it while the table may grow.
    stack_pointer: Box<AtomicU64>,
    /// The test's has none of ours, and one that did not run yet has none yet.
    stack: Option<Stack>,
    /// It unwinds because of the machine's end.
    unwinds: bool,
}

impl Strand {
    fn new(start: Start) -> Self {
        Self {
            start,
            stack_pointer: Box::new(AtomicU64::new(0)),
            stack: None,
            unwinds: false,
        }
    }

    pub(super) fn boot() -> Self {
        Self::new(Start::Boot)
    }

    pub(super) fn give_back(self) {
        if let Some(stack) = self.stack {
            stack.give_back();
        }
    }
}

/// Makes a strand for a context or a processor; it gets a stack when it first runs.
pub(super) fn make(machine: &mut State, start: Start) -> StrandId {
    let last = machine.strands.last_key_value();
    let id = last.map_or(BOOT_STRAND, |(id, _)| *id) + 1;
    machine.strands.insert(id, Strand::new(start));
    id
}

/// A strand that will run the context that is prepared with `argument`.
pub(super) fn for_context(argument: u64) -> StrandId {
    with(|machine| make(machine, Start::Context(argument)))
}

/// Goes on with another strand, on the processor whose turn it is; returns what is carried back.
pub(super) fn resume(to: StrandId, carried: u64) -> u64 {
    let (save, load) = with(|machine| {
        let from = machine.strand;
        assert_ne!(from, to, "a strand cannot be switched to itself");
        if from == machine.catcher() {
            machine.catcher_unwinds = ending::is_unwinding();
        }
        let saved = &machine.strands[&from].stack_pointer;
        let save = core::ptr::from_ref::<AtomicU64>(saved);
        let target = machine.strands.get_mut(&to);
        let target = target.expect("a stack pointer of this machine, of a stack that was not left");
        if target.stack.is_none() && to != BOOT_STRAND {
            let stack = Stack::take();
            let fresh = stack.lay_out(strand_main);
            target.stack_pointer.store(fresh, Ordering::Relaxed);
            target.stack = Some(stack);
        }
        machine.strand = to;
        (save, target.stack_pointer.load(Ordering::Relaxed))
    });
    // SAFETY: `save` is in a box of this strand's, which lasts until its stack is left for good; `load` was stored by the
    // target's last switch or is fresh, and since one strand runs at a time, nobody goes on there.
    let carried = unsafe { switch(save, load, carried) };
    arrived();
    carried
}

/// Runs `body` on a strand of its own, and meets its panic as if it ran here. The caller is whom panics of all strands
/// reach from now on, until it takes itself off the list of catchers.
pub(super) fn run_apart(mut body: &mut dyn FnMut()) {
    let strand = with(|machine| {
        let strand = make(machine, Start::Apart);
        machine.catchers.push(machine.strand);
        strand
    });
    resume(strand, core::ptr::from_mut(&mut body).addr() as u64);
}

/// A strand goes on: the stack of one that ended is left now; and who catches panics meets that of another.
fn arrived() {
    let failure = with(|machine| {
        if let Some(ended) = machine.ended.take()
            && ended != BOOT_STRAND
            && let Some(strand) = machine.strands.remove(&ended)
        {
            strand.give_back();
        }
        if machine.strand != machine.catcher() {
            return None;
        }
        let failure = machine.failure.take()?;
        Some((failure, machine.catcher_unwinds))
    });
    if let Some((failure, unwinds)) = failure {
        turns::stop_the_others();
        with(|machine| machine.ending = None);
        // A test that is failing already goes on with its own failure: two at a time would end the process.
        if !unwinds {
            resume_unwind(failure);
        }
    }
}

/// Where a fresh strand begins.
extern "C" fn strand_main(carried: u64) -> ! {
    arrived();
    let start = with(|machine| machine.strands[&machine.strand].start);
    let result = catch_unwind(AssertUnwindSafe(|| -> () {
        match start {
            // SAFETY: `thread` switched here, with the argument of `prepare_stack`.
            Start::Context(argument) => unsafe { crate::thread::arrive(carried, argument) },
            Start::Processor(number) => match crate::kernel() {
                Some(kernel) => kernel.processor_started(number),
                None => panic!("a processor started, and no kernel is registered"),
            },
            Start::Apart => {
                // SAFETY: `run_apart` waits, with the reference alive and untouched, until this strand ends.
                let body = unsafe { &mut *(carried as *mut &mut dyn FnMut()) };
                body();
            }
            Start::Boot => unreachable!("the test's strand is never fresh"),
        }
    }));
    match result {
        Ok(()) => {
            let catcher = with(|machine| {
                machine.ended = Some(machine.strand);
                machine.catcher()
            });
            resume(catcher, 0);
        }
        Err(failure) => fail(failure),
    }
    unreachable!("a strand that ended was switched to")
}

/// Ends the running strand by a panic, which goes on in the strand that catches them.
pub(super) fn fail(failure: Box<dyn Any + Send>) {
    let (dropped, catcher) = with(|machine| {
        machine.ended = Some(machine.strand);
        let catcher = machine.catcher();
        let turn = machine.turn.index();
        machine.processors[turn].activity = Activity::Stopped;
        machine.processors[turn].strand = catcher;
        let dropped = if machine.is_stopping() {
            Some(failure)
        } else {
            machine.failure.replace(failure)
        };
        (dropped, catcher)
    });
    drop(dropped);
    resume(catcher, 0);
}

impl State {
    /// Whether the running strand unwinds because of the machine's end; from now on it does, if `unwinds` says so.
    pub(super) fn running_strand_unwinds(&mut self, unwinds: bool) -> bool {
        let Some(strand) = self.strands.get_mut(&self.strand) else {
            return false;
        };
        let before = strand.unwinds;
        strand.unwinds |= unwinds;
        before
    }

    /// The strand that the panics of others reach.
    pub(super) fn catcher(&self) -> StrandId {
        self.catchers.last().copied().unwrap_or(BOOT_STRAND)
    }
}

/// See `Threads::switch_stack`.
pub(super) fn switch_to(save: &AtomicU64, to: StrandId, carried: u64, for_good: bool) -> u64 {
    with(|machine| {
        save.store(machine.strand, Ordering::Relaxed);
        if for_good {
            machine.ended = Some(machine.strand);
        }
    });
    resume(to, carried)
}
