//! Contexts: who may be switched to and when, stacks that come back, user mode.

mod common;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use arch::contract::{
    Access, Exception, ExceptionClass, FaultReason, Interrupts, Irql, Processor, ProcessorNumber,
    ProcessorSet, SelfTest, UserExit, UserState as _, VirtAddr,
};
use arch::thread::{Context, ContextError, current_thread, leave, switch};
use arch::{Machine, SimdState, sim};
use common::{leak, panic_text, set_upcalls};

/// The contexts of the present test, by thread number: 0 is the test's own.
fn context(thread: u32) -> &'static Context {
    thread_local! {
        static CONTEXTS: RefCell<BTreeMap<u32, &'static Context>> = const { RefCell::new(BTreeMap::new()) };
    }
    CONTEXTS.with_borrow_mut(|contexts| {
        *contexts
            .entry(thread)
            .or_insert_with(|| leak(Context::new()))
    })
}

/// Powers the machine on, with the test as thread 0.
fn boot() -> sim::Running {
    let running = sim::boot(2);
    set_upcalls(|_| {});
    context(0).adopt(0).expect("it is fresh");
    running
}

fn prepare(thread: u32, routine: fn(u32) -> !) {
    context(thread)
        .prepare(sim::kernel_stack(), routine, thread)
        .expect("it is empty");
}

fn retire(thread: u32) {
    sim::give_stack_back(context(thread).retire().expect("it ended"));
}

/// Comes back to the test, again and again.
fn echo(thread: u32) -> ! {
    loop {
        assert_eq!(current_thread(), Some(thread));
        switch(context(thread), context(0));
    }
}

/// Comes back to the test once.
fn end(thread: u32) -> ! {
    leave(context(thread), context(0))
}

#[test]
fn a_switch_goes_on_where_the_context_was_left() {
    fn count(thread: u32) -> ! {
        let mut own = 100;
        loop {
            assert_eq!(current_thread(), Some(thread));
            assert_eq!(
                Machine::irql(),
                Irql::Dispatch,
                "the level is the processor's"
            );
            SEEN.store(own, Relaxed);
            own += 1;
            switch(context(thread), context(0));
        }
    }
    static SEEN: AtomicU64 = AtomicU64::new(0);
    let _machine = boot();
    assert_eq!(current_thread(), Some(0));
    prepare(5, count);
    Machine::set_irql(Irql::Dispatch);
    for round in 0..10 {
        switch(context(0), context(5));
        assert_eq!(current_thread(), Some(0));
        assert_eq!(SEEN.load(Relaxed), 100 + round);
    }
    Machine::set_irql(Irql::Passive);
}

#[test]
fn interrupts_are_as_they_were_on_each_side() {
    fn look(thread: u32) -> ! {
        assert!(Machine::disable_interrupts(), "a first switch enables them");
        switch(context(thread), context(0));
        assert!(!Machine::disable_interrupts(), "they were disabled here");
        leave(context(thread), context(0))
    }
    let _machine = boot();
    prepare(1, look);
    switch(context(0), context(1));
    assert!(Machine::disable_interrupts(), "they were enabled here");
    switch(context(0), context(1));
    assert!(!Machine::disable_interrupts());
    Machine::restore_interrupts(true);
    retire(1);
}

#[test]
fn an_ended_context_gives_its_stack_back_and_can_be_prepared_again() {
    let _machine = boot();
    for _ in 0..3 {
        prepare(1, end);
        assert!(!context(1).has_ended());
        assert!(context(1).retire().is_none(), "it did not run yet");
        switch(context(0), context(1));
        assert!(context(1).has_ended());
        retire(1);
        assert!(context(1).retire().is_none(), "the stack is given once");
    }
}

#[test]
fn twenty_thousand_contexts_one_after_another() {
    fn short(thread: u32) -> ! {
        ENDS.fetch_add(thread, Relaxed);
        end(thread)
    }
    static ENDS: AtomicU32 = AtomicU32::new(0);
    let _machine = boot();
    for _ in 0..20_000 {
        prepare(1, short);
        switch(context(0), context(1));
        retire(1);
    }
    assert_eq!(ENDS.load(Relaxed), 20_000);
}

#[test]
fn many_contexts_at_once_are_left_behind_without_harm() {
    fn hold(thread: u32) -> ! {
        struct Loud;
        impl Drop for Loud {
            fn drop(&mut self) {
                panic!("what is on a stack that is left is forgotten, not dropped");
            }
        }
        let _loud = Loud;
        echo(thread)
    }
    {
        let _machine = boot();
        for thread in 1..500 {
            prepare(thread, hold);
            switch(context(0), context(thread));
        }
    }
    // The machine is off; what is static in the kernel above is made as new.
    for thread in 1..500 {
        sim::give_stack_back(context(thread).forget().expect("it has a stack"));
    }
    context(0).forget();
    let _machine = boot();
    prepare(1, end);
    switch(context(0), context(1));
    retire(1);
}

#[test]
fn a_context_that_is_in_use_is_not_prepared_or_adopted() {
    let _machine = boot();
    let refused = |thread: u32| {
        let result = context(thread).prepare(sim::kernel_stack(), echo, thread);
        let (error, stack) = result.expect_err("it is in use");
        sim::give_stack_back(stack);
        error
    };
    assert_eq!(refused(0), ContextError::InUse, "it runs");
    prepare(1, end);
    assert_eq!(refused(1), ContextError::InUse, "it is prepared");
    assert_eq!(context(1).adopt(1), Err(ContextError::InUse));
    assert_eq!(context(0).adopt(0), Err(ContextError::InUse));
    switch(context(0), context(1));
    assert_eq!(
        refused(1),
        ContextError::InUse,
        "it ended and has its stack"
    );
    retire(1);
}

#[test]
fn misuse_is_a_panic() {
    type Misuse = fn();
    let misuses: [(Misuse, &str); 6] = [
        (|| switch(context(0), context(0)), "switched to itself"),
        (|| switch(context(1), context(0)), "not its own"),
        (|| switch(context(0), context(7)), "without a stack"),
        (|| switch(context(0), context(2)), "without a stack"),
        (|| context(1).become_user_thread(), "not its own"),
        (|| _ = context(1).run_user(), "not its own"),
    ];
    for (misuse, expected) in misuses {
        for thread in 0..8 {
            context(thread).forget();
        }
        let _machine = boot();
        prepare(1, echo);
        prepare(2, end);
        switch(context(0), context(2));
        let text = panic_text(misuse);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_panic_in_a_context_is_the_tests_own() {
    fn fail(_: u32) -> ! {
        panic!("thread one fails");
    }
    let _machine = boot();
    prepare(1, fail);
    assert_eq!(
        panic_text(|| switch(context(0), context(1))),
        "thread one fails"
    );
    assert_eq!(Machine::number(), ProcessorNumber::BOOT);
}

#[test]
fn one_strand_can_play_two_processors_with_threads() {
    fn number(thread: u32) -> ! {
        loop {
            NUMBER.store(Machine::number().0, Relaxed);
            switch(
                context(thread),
                context(if Machine::number().0 == 0 { 0 } else { 2 }),
            );
        }
    }
    static NUMBER: AtomicU32 = AtomicU32::new(9);
    let _machine = boot();
    prepare(1, number);
    switch(context(0), context(1));
    assert_eq!(NUMBER.load(Relaxed), 0);
    sim::on_processor(ProcessorNumber(1), || {
        assert_eq!(current_thread(), None);
        context(2).adopt(2).expect("it is fresh");
        switch(context(2), context(1));
        assert_eq!(NUMBER.load(Relaxed), 1, "it goes on elsewhere");
    });
}

/// Becomes a user thread and hands each exit to the test.
fn user_thread(thread: u32) -> ! {
    context(thread).become_user_thread();
    loop {
        let exit = context(thread).run_user();
        EXITS.with_borrow_mut(|exits| exits.push((thread, exit)));
        switch(context(thread), context(0));
    }
}

thread_local! {
    static EXITS: RefCell<Vec<(u32, UserExit)>> = const { RefCell::new(Vec::new()) };
}

fn take_exits() -> Vec<(u32, UserExit)> {
    EXITS.take()
}

#[test]
fn user_mode_runs_until_it_wants_something() {
    let _machine = boot();
    sim::set_user_mode(|state| {
        // A program that asks for the service of its first argument, three stretches after it came back.
        let pc = state.pc().0;
        state.set_pc(VirtAddr(pc + 4));
        if pc % 12 == 8 {
            UserExit::SystemCall(u32::try_from(state.argument(0)).expect("a small number"))
        } else {
            UserExit::Interrupted
        }
    });
    prepare(1, user_thread);
    let state = context(1).user();
    state.set_argument(0, 77);
    switch(context(0), context(1));
    assert_eq!(take_exits(), [(1, UserExit::SystemCall(77))]);
    assert_eq!(state.pc(), VirtAddr(12));
    state.set_result(5);
    assert_eq!(state.result(), 5);
    state.attention().store(1, Relaxed);
    switch(context(0), context(1));
    assert_eq!(take_exits(), [(1, UserExit::Interrupted)]);
    assert_eq!(state.pc(), VirtAddr(12), "it did not run");
    state.attention().store(0, Relaxed);
    state.set_argument(0, 78);
    switch(context(0), context(1));
    assert_eq!(take_exits(), [(1, UserExit::SystemCall(78))]);
    assert_eq!(state.argument(8), 0, "there is no ninth register");
    state.reset();
    assert_eq!((state.pc(), state.argument(0)), (VirtAddr(0), 0));
}

#[test]
fn attention_that_an_interrupt_wants_ends_user_mode() {
    let _machine = boot();
    set_upcalls(|upcalls| {
        upcalls.call = || context(1).user().attention().store(1, Relaxed);
    });
    sim::set_user_mode(|state| {
        state.set_pc(VirtAddr(state.pc().0 + 1));
        if state.pc().0 == 3 {
            // Another processor calls while the program runs.
            Machine::send_ipi(ProcessorSet::only(ProcessorNumber::BOOT));
        }
        UserExit::Interrupted
    });
    prepare(1, user_thread);
    switch(context(0), context(1));
    assert_eq!(take_exits(), [(1, UserExit::Interrupted)]);
    assert_eq!(context(1).user().pc(), VirtAddr(3));
}

#[test]
fn each_user_thread_keeps_its_simd_registers() {
    let _machine = boot();
    sim::set_user_mode(|state| {
        let mut found = SimdState::default();
        Machine::save_simd(&mut found);
        let round = state.argument(0);
        if round > 0 {
            let mut expected = SimdState::default();
            Machine::scramble_simd(state.argument(1) + round - 1);
            Machine::save_simd(&mut expected);
            assert_eq!(found, expected);
        }
        Machine::scramble_simd(state.argument(1) + round);
        state.set_argument(0, round + 1);
        UserExit::SystemCall(0)
    });
    for thread in 1..4 {
        prepare(thread, user_thread);
        context(thread)
            .user()
            .set_argument(1, u64::from(thread) * 1000);
    }
    for round in 0..30u32 {
        switch(context(0), context(1 + round % 3));
        Machine::scramble_simd(u64::from(round));
    }
    assert_eq!(take_exits().len(), 30);
}

#[test]
fn a_fault_of_user_mode_is_an_exit() {
    let _machine = boot();
    sim::set_user_mode(|state| {
        match state.argument(0) {
            0 => sim::user_load(state, VirtAddr(0x5004), &mut [0; 8]),
            1 => sim::user_store(state, VirtAddr(0x6000), &[0; 1]),
            _ => sim::user_fetch(state),
        }
        .map_or_else(|exit| exit, |()| UserExit::SystemCall(0))
    });
    prepare(1, user_thread);
    let state = context(1).user();
    state.set_pc(VirtAddr(0x1234));
    let expected = [
        (Access::Read, 0x5004),
        (Access::Write, 0x6000),
        (Access::Execute, 0x1234),
    ];
    for (kind, (access, address)) in (0..).zip(expected) {
        state.set_argument(0, kind);
        switch(context(0), context(1));
        let exception = Exception {
            class: ExceptionClass::PageFault {
                access,
                reason: FaultReason::NotMapped,
            },
            pc: VirtAddr(0x1234),
            address: Some(VirtAddr(address)),
            syndrome: 0,
            from_user: true,
        };
        assert_eq!(take_exits(), [(1, UserExit::Exception(exception))]);
    }
}
