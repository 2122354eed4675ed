//! A heap that runs out when a test says so.

mod common;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use arch::contract::{Irql, Processor, ProcessorNumber};
use arch::counted::Counted;
use arch::sim::{self, alloc_failure};
use arch::{Machine, thread::Context};
use common::{leak, set_upcalls};

#[global_allocator]
static HEAP: sim::FailingAllocator = sim::FailingAllocator;

fn try_allocate() -> bool {
    Vec::<u8>::new().try_reserve_exact(100).is_ok()
}

#[test]
fn allocations_fail_after_so_many_and_only_here() {
    static LOOKED: AtomicBool = AtomicBool::new(false);
    for successes in 0..4 {
        alloc_failure::fail_after(successes);
        let got = [(); 6].map(|()| try_allocate());
        let failed = alloc_failure::never();
        for (index, got) in (0..).zip(got) {
            assert_eq!(got, index < successes);
        }
        assert_eq!(failed, 6 - successes);
        assert!(try_allocate());
    }
    let other = std::thread::spawn(|| {
        alloc_failure::fail_after(0);
        let got = try_allocate();
        while !LOOKED.load(Relaxed) {
            std::hint::spin_loop();
        }
        (got, alloc_failure::never())
    });
    assert!(try_allocate(), "it is armed for one host thread");
    LOOKED.store(true, Relaxed);
    assert_eq!(other.join().expect("it does not panic"), (false, 1));
}

#[test]
fn a_counted_value_that_finds_no_memory_comes_back() {
    alloc_failure::fail_after(0);
    let refused = Counted::new(1u8, String::new());
    assert_eq!(alloc_failure::never(), 1);
    let back = refused.expect_err("there was no memory");
    assert_eq!((back.0, back.1.len()), (1, 0));
    assert_eq!(*Counted::new(1u8, 2u32).expect("there is now"), 2);
}

#[test]
fn the_machine_itself_needs_no_heap_of_the_kernels() {
    static DONE: AtomicBool = AtomicBool::new(false);
    let context: &Context = leak(Context::new());
    let _machine = sim::boot_multiprocessor(2, 1);
    set_upcalls(|upcalls| {
        upcalls.started = |_| DONE.store(true, Relaxed);
    });
    let stack = sim::kernel_stack();
    alloc_failure::fail_after(0);
    let prepared = context.prepare(stack, |_| Machine::stop(), 1);
    let started = sim::start_processor(ProcessorNumber(1));
    Machine::set_irql(Irql::Dispatch);
    Machine::set_irql(Irql::Passive);
    while !DONE.load(Relaxed) {
        Machine::relax();
    }
    assert_eq!(alloc_failure::never(), 0);
    assert!(prepared.is_ok() && started);
}

#[test]
#[should_panic(expected = "its text is on the heap: 7")]
fn a_panic_is_told_in_spite_of_it() {
    alloc_failure::fail_after(0);
    panic!("its text is on the heap: {}", std::hint::black_box(7));
}
