//! Processors that take turns: scheduling points, halting, time, panics, and that a seed is a run.

mod common;

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use arch::contract::{
    Clock, Console, ExitCode, InterruptLine, Interrupts, Irql, Power, Processor, ProcessorNumber,
    ProcessorSet, ProcessorStart, StartError, Trigger,
};
use arch::lock::FloorLock;
use arch::{Machine, sim};
use boards::EnableMethod;
use common::{Upcalls, come_up, panic_text, set_upcalls};

/// Powers a machine on and starts all its processors, which run `upcalls.started`.
fn boot(processors: u32, seed: u64, change: impl FnOnce(&mut Upcalls)) -> sim::Running {
    let running = sim::boot_multiprocessor(processors, seed);
    set_upcalls(change);
    for number in 1..processors {
        assert!(sim::start_processor(ProcessorNumber(number)));
    }
    running
}

thread_local! {
    static TRACE: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// Runs three processors for ten thousand points; gives who made each step, and the machine's own digest.
fn trace(seed: u64) -> (Vec<u32>, (u64, u64)) {
    fn step() {
        Machine::set_irql(Irql::Dispatch);
        TRACE.with_borrow_mut(|trace| trace.push(Machine::number().0));
        Machine::set_irql(Irql::Passive);
    }
    // When a machine ends, its processors may make a step more.
    TRACE.take();
    let _machine = boot(3, seed, |upcalls| {
        upcalls.clock = || TRACE.with_borrow_mut(|trace| trace.push(100 + Machine::number().0));
        upcalls.started = |_| {
            come_up();
            Machine::start_clock(700);
            loop {
                step();
            }
        };
    });
    Machine::start_clock(500);
    while sim::fingerprint().0 < 10_000 {
        step();
    }
    (TRACE.take(), sim::fingerprint())
}

#[test]
fn a_seed_is_a_run() {
    let one = trace(1);
    assert!(one == trace(1), "the same seed");
    for who in [0, 1, 2, 100, 101, 102] {
        assert!(
            one.0.iter().filter(|found| **found == who).count() > 20,
            "{who}"
        );
    }
    let other = trace(2);
    assert!(one.0 != other.0, "another seed");
    assert_ne!(one.1, other.1);
}

#[test]
fn a_spinning_processor_lets_the_others_go_on() {
    static FLAG: AtomicU32 = AtomicU32::new(0);
    for seed in 0..100 {
        FLAG.store(0, Relaxed);
        let _machine = boot(2, seed, |upcalls| {
            upcalls.started = |_| {
                for round in 0..10 {
                    while FLAG.load(Relaxed) != 2 * round {
                        Machine::relax();
                    }
                    FLAG.store(2 * round + 1, Relaxed);
                }
            };
        });
        for round in 0..10 {
            while FLAG.load(Relaxed) != 2 * round + 1 {
                Machine::relax();
            }
            FLAG.store(2 * round + 2, Relaxed);
        }
    }
}

#[test]
fn the_floors_lock_is_contended_and_excludes() {
    static LOCK: FloorLock<(u32, bool)> = FloorLock::new((0, false));
    static CONTENDED: AtomicU32 = AtomicU32::new(0);
    fn work() {
        for _ in 0..20 {
            if LOCK.acquire_within(1).is_none() {
                CONTENDED.fetch_add(1, Relaxed);
            }
            let mut inside = LOCK.acquire();
            assert!(!inside.1);
            inside.1 = true;
            // A point inside: others find the lock taken.
            let enabled = Machine::disable_interrupts();
            assert!(!enabled);
            inside.1 = false;
            inside.0 += 1;
        }
    }
    for seed in 0..50 {
        LOCK.acquire().0 = 0;
        let _machine = boot(3, seed, |upcalls| upcalls.started = |_| work());
        work();
        while LOCK.acquire().0 < 60 {
            Machine::relax();
        }
    }
    assert!(CONTENDED.load(Relaxed) > 50);
}

#[test]
fn a_halted_processor_wakes_by_an_interrupt_that_its_mask_allows() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    static WOKEN: AtomicU32 = AtomicU32::new(0);
    for seed in 0..100 {
        CALLS.store(0, Relaxed);
        WOKEN.store(0, Relaxed);
        let _machine = boot(2, seed, |upcalls| {
            upcalls.call = || _ = CALLS.fetch_add(1, Relaxed);
            upcalls.started = |_| {
                come_up();
                for wanted in 1..=5 {
                    while CALLS.load(Relaxed) < wanted {
                        Machine::halt_unless(|| CALLS.load(Relaxed) >= wanted);
                    }
                    WOKEN.store(wanted, Relaxed);
                }
            };
        });
        for round in 1..=5 {
            Machine::send_ipi(ProcessorSet::only(ProcessorNumber(1)));
            while WOKEN.load(Relaxed) < round {
                Machine::relax();
            }
        }
        assert_eq!(CALLS.load(Relaxed), 5);
    }
}

#[test]
fn time_leaps_when_all_sleep() {
    static TICKS: AtomicU32 = AtomicU32::new(0);
    let _machine = boot(2, 7, |upcalls| {
        upcalls.clock = || _ = TICKS.fetch_add(1, Relaxed);
        upcalls.started = |_| {
            come_up();
            loop {
                Machine::halt_unless(|| false);
            }
        };
    });
    TICKS.store(0, Relaxed);
    Machine::start_clock(1_000_000);
    for _ in 0..1000 {
        Machine::halt_unless(|| false);
    }
    assert_eq!(TICKS.load(Relaxed), 1000);
    assert!(Machine::counter() >= 1_000_000_000);
    assert!(sim::fingerprint().0 < 100_000, "not by counting");
}

#[test]
fn a_scripted_device_wakes_its_processor() {
    static HERE: AtomicU32 = AtomicU32::new(9);
    let _machine = boot(2, 3, |upcalls| {
        upcalls.leave = |_| HERE.store(Machine::number().0, Relaxed);
        upcalls.started = |_| {
            come_up();
            Machine::halt_unless(|| false);
        };
    });
    let line = InterruptLine(40);
    Machine::connect_line(line, Irql::Device5, Trigger::Edge, ProcessorNumber(1))
        .expect("it is free");
    sim::script_interrupt(50_000, line);
    HERE.store(9, Relaxed);
    while HERE.load(Relaxed) == 9 {
        Machine::relax();
    }
    assert_eq!(HERE.load(Relaxed), 1);
    assert!(Machine::counter() >= 50_000);
}

#[test]
fn a_machine_that_sleeps_for_ever_fails_with_its_state() {
    let _machine = boot(2, 0, |upcalls| {
        upcalls.started = |_| {
            come_up();
            loop {
                Machine::halt_unless(|| false);
            }
        };
    });
    let text = panic_text(|| {
        loop {
            Machine::halt_unless(|| false);
        }
    });
    assert!(text.contains("sleeps for ever"), "{text}");
    assert!(text.contains("processor 1: Halted at Passive"), "{text}");
}

#[test]
fn a_machine_that_spins_for_ever_reaches_its_limit() {
    let _machine = boot(2, 0, |_| {});
    sim::set_point_limit(5000);
    let text = panic_text(|| {
        loop {
            Machine::relax();
        }
    });
    assert!(text.contains("limit of points"), "{text}");
    assert!(text.contains("processor 1: Stopped"), "{text}");
}

#[test]
fn a_panic_of_any_processor_is_the_tests_own() {
    for seed in 0..50 {
        let text = panic_text(|| {
            let _machine = boot(3, seed, |upcalls| {
                upcalls.started = |number| {
                    come_up();
                    if number.0 == 2 {
                        Machine::set_irql(Irql::Dispatch);
                        panic!("processor two fails");
                    }
                    loop {
                        Machine::halt_unless(|| false);
                    }
                };
            });
            loop {
                Machine::halt_unless(|| false);
            }
        });
        assert_eq!(text, "processor two fails");
        assert_eq!(Machine::number(), ProcessorNumber::BOOT);
    }
}

#[test]
fn another_processor_may_end_the_machine() {
    let _machine = sim::boot_multiprocessor(2, 5);
    set_upcalls(|upcalls| {
        upcalls.started = |_| {
            Machine::write_bytes(b"last words");
            Machine::power_off(ExitCode::BugCheck)
        };
    });
    let code = sim::ended(|| {
        assert!(sim::start_processor(ProcessorNumber(1)));
        loop {
            Machine::relax();
        }
    });
    assert_eq!(code, ExitCode::BugCheck);
    assert_eq!(sim::console_output(), "last words");
    assert!(!sim::start_processor(ProcessorNumber(1)), "it is off");
}

#[test]
fn a_lock_that_another_processor_held_at_the_end_is_free() {
    static LOCK: FloorLock<u32> = FloorLock::new(0);
    for seed in 0..100 {
        let _machine = boot(3, seed, |upcalls| {
            upcalls.started = |_| {
                come_up();
                loop {
                    let mut value = LOCK.acquire();
                    for _ in 0..5 {
                        Machine::relax();
                    }
                    *value += 1;
                }
            };
        });
        for _ in 0..seed {
            Machine::relax();
        }
    }
    assert!(LOCK.acquire_within(1).is_some());
}

#[test]
fn a_processor_is_started_once_and_plays_itself() {
    let _machine = boot(2, 5, |upcalls| {
        upcalls.started = |_| {
            loop {
                Machine::relax();
            }
        };
    });
    assert!(!sim::start_processor(ProcessorNumber(1)));
    assert!(!sim::start_processor(ProcessorNumber(2)));
    let text = panic_text(|| sim::on_processor(ProcessorNumber(1), || {}));
    assert!(text.contains("plays itself"), "{text}");
}

#[test]
fn the_contracts_own_call_starts_a_processor() {
    static UP: AtomicU32 = AtomicU32::new(0);
    let _machine = sim::boot_multiprocessor(2, 5);
    set_upcalls(|upcalls| upcalls.started = |number| UP.store(number.0, Relaxed));
    let start = |number| ProcessorStart {
        number: ProcessorNumber(number),
        hardware_id: u64::from(number),
        enable_method: EnableMethod::Psci,
        psci: None,
        stack_top: sim::kernel_stack().into_stack(),
        emergency_stack_top: sim::kernel_stack().into_stack(),
    };
    assert_eq!(Machine::start_processor(start(1)), Ok(()));
    while UP.load(Relaxed) == 0 {
        Machine::relax();
    }
    assert_eq!(UP.load(Relaxed), 1);
    assert_eq!(sim::started_processors(), [ProcessorNumber(1)]);
    assert_eq!(
        Machine::start_processor(start(1)),
        Err(StartError::Firmware(-4)),
        "it is on already"
    );
    assert_eq!(
        Machine::start_processor(start(2)),
        Err(StartError::BadHardwareId)
    );
}

#[test]
fn what_a_strand_holds_when_the_machine_ends_is_freed_as_far_as_can_be() {
    /// What a kernel's guard does that finds another level than its own.
    struct Stubborn;
    impl Drop for Stubborn {
        fn drop(&mut self) {
            Machine::power_off(ExitCode::CheckFailed);
        }
    }
    /// What waits for a processor that does not run any more.
    struct Patient;
    impl Drop for Patient {
        fn drop(&mut self) {
            loop {
                Machine::relax();
            }
        }
    }
    static LOCK: FloorLock<u32> = FloorLock::new(0);
    fn die() {
        let _outer = LOCK.acquire();
        // A point, at which others may end the machine.
        Machine::relax();
        Machine::power_off(ExitCode::BugCheck);
    }
    let ends: [fn(); 3] = [
        die,
        || {
            let _stubborn = Stubborn;
            die();
        },
        || {
            let _patient = Patient;
            die();
        },
    ];
    for seed in 0..60 {
        let end = ends[usize::try_from(seed % 3).expect("a remainder")];
        let _machine = boot(3, seed, |upcalls| upcalls.started = |_| Machine::stop());
        assert_eq!(sim::ended(end), ExitCode::BugCheck);
        assert!(LOCK.acquire_within(1).is_some());
        let inner = sim::ended(|| {
            assert_eq!(sim::ended(end), ExitCode::BugCheck);
            Machine::power_off(ExitCode::CannotBoot);
        });
        assert_eq!(inner, ExitCode::CannotBoot);
    }
}

#[test]
#[should_panic(expected = "the machine was not ended")]
fn a_machine_that_was_to_end_and_did_not_is_a_failure() {
    let _machine = sim::boot(1);
    sim::ended(|| {});
}
