//! What gets into a wait: APCs, alerts, suspension. Pages: "Types of APCs", "Waits and APCs".

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use nt_abi::NtStatus;

use super::objects::{event, pause, until_waiting};
use crate::apc::{self, Apc, ApcRoutines, Form};
use crate::dispatcher::EventKind;
use crate::irql;
use crate::testing::{join, run, spawn, thread};
use crate::thread::{Mode, resume, suspend};
use crate::wait::{WaitOptions, wait_for_one};

static NOTED: AtomicU64 = AtomicU64::new(0);

static NOTES: ApcRoutines = ApcRoutines {
    kernel: |apc, call| {
        NOTED.fetch_add(call.context + call.arguments[0], SeqCst);
        assert_eq!(irql::current(), arch::contract::Irql::Apc);
        apc.give_back();
    },
    normal: None,
    run_down: |apc| apc.give_back(),
};

#[test]
fn a_kernel_apc_runs_inside_a_wait_which_goes_on_afterwards() {
    for seed in 0..20 {
        run(2, seed, || {
            NOTED.store(0, SeqCst);
            let gate = Arc::new(event(EventKind::Notification));
            let mine = gate.clone();
            let waiter = spawn(move || {
                let status = wait_for_one(mine.header(), &WaitOptions::kernel());
                assert_eq!(status, NtStatus::WAIT_0);
                assert_eq!(NOTED.load(SeqCst), 7);
            });
            until_waiting(&waiter);
            let apc = Apc::take(waiter.thread(), Form::SpecialKernel, &NOTES, 0, 3)
                .expect("there is memory");
            assert!(apc.queue([4, 0], 0));
            pause();
            assert_eq!(NOTED.load(SeqCst), 7);
            assert!(!waiter.has_ended());
            gate.set();
            join(&waiter);
        });
    }
}

#[test]
fn a_user_apc_ends_an_alertable_wait_of_user_mode_and_no_other() {
    run(2, 5, || {
        let gate = Arc::new(event(EventKind::Notification));
        let statuses = Arc::new([const { AtomicU32::new(99) }; 2]);
        for (index, alertable) in [(0, true), (1, false)] {
            let (mine, statuses_of) = (gate.clone(), statuses.clone());
            let waiter = spawn(move || {
                let status = wait_for_one(mine.header(), &WaitOptions::user(alertable, None));
                statuses_of[index].store(status.0, SeqCst);
                while apc::take_user_apc().is_some() {}
            });
            until_waiting(&waiter);
            let apc =
                Apc::take(waiter.thread(), Form::User, &NOTES, 0x1000, 0).expect("there is memory");
            assert!(apc.queue([0; 2], 0));
            assert!(!apc.queue([0; 2], 0), "it is queued already");
            pause();
            gate.set();
            join(&waiter);
            gate.clear();
        }
        assert_eq!(statuses[0].load(SeqCst), NtStatus::USER_APC.0);
        assert_eq!(statuses[1].load(SeqCst), NtStatus::WAIT_0.0);
    });
}

#[test]
fn an_alert_ends_an_alertable_wait_or_the_next_one() {
    run(1, 5, || {
        let never = Arc::new(event(EventKind::Notification));
        let mine = never.clone();
        let waiter = spawn(move || {
            let alertable = WaitOptions::user(true, None);
            assert_eq!(wait_for_one(mine.header(), &alertable), NtStatus::ALERTED);
            assert_eq!(wait_for_one(mine.header(), &alertable), NtStatus::ALERTED);
            assert!(!apc::test_alert(Mode::User));
        });
        until_waiting(&waiter);
        assert!(!apc::alert(waiter.thread(), Mode::User));
        assert!(!apc::alert(waiter.thread(), Mode::User));
        join(&waiter);
    });
}

#[test]
fn a_suspended_thread_does_nothing_until_it_is_resumed_as_often() {
    for seed in 0..20 {
        run(2, seed, || {
            let count = Arc::new(AtomicU32::new(0));
            let stop = Arc::new(AtomicU32::new(0));
            let (mine, stops) = (count.clone(), stop.clone());
            let worker = spawn(move || {
                while stops.load(SeqCst) == 0 {
                    mine.fetch_add(1, SeqCst);
                    drop(irql::raise(arch::contract::Irql::Dispatch));
                }
            });
            assert_eq!(suspend(worker.thread()), Ok(0));
            assert_eq!(suspend(worker.thread()), Ok(1));
            pause();
            let before = count.load(SeqCst);
            pause();
            assert_eq!(count.load(SeqCst), before);
            assert_eq!(resume(worker.thread()), 2);
            pause();
            assert_eq!(count.load(SeqCst), before);
            assert_eq!(resume(worker.thread()), 1);
            pause();
            assert!(count.load(SeqCst) > before);
            assert_eq!(resume(worker.thread()), 0);
            stop.store(1, SeqCst);
            join(&worker);
            assert_eq!(
                suspend(worker.thread()),
                Err(NtStatus::THREAD_IS_TERMINATING)
            );
        });
    }
}

#[test]
fn a_thread_suspended_before_it_starts_waits_at_its_beginning() {
    run(1, 1, || {
        let ran = Arc::new(AtomicU32::new(0));
        let mine = ran.clone();
        let worker = thread(move || mine.store(1, SeqCst));
        assert_eq!(suspend(worker.thread()), Ok(0));
        worker.start();
        pause();
        assert_eq!(ran.load(SeqCst), 0);
        resume(worker.thread());
        join(&worker);
        assert_eq!(ran.load(SeqCst), 1);
    });
}
