//! Which APC runs where and when. Pages: "Types of APCs", "Disabling APCs", "KeStackAttachProcess", "QueueUserAPC2".

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use arch::contract::UserState;
use nt_abi::NtStatus;

use crate::apc::{
    ATTENTION_SPECIAL_USER_APC, Apc, ApcRoutines, Form, are_all_apcs_disabled, critical_region,
    guarded_region, take_user_apc,
};
use crate::dispatcher::Due;
use crate::process::{ProcessHandle, attach};
use crate::testing::{join, run, spawn};
use crate::thread::{Mode, State};
use crate::wait::{WaitOptions, delay};

const MS: u64 = 10_000;

static RAN: AtomicU32 = AtomicU32::new(0);
static COUNTS: ApcRoutines = ApcRoutines {
    kernel: |apc, _| {
        RAN.fetch_add(1, SeqCst);
        apc.give_back();
    },
    normal: None,
    run_down: Apc::give_back,
};
static FOR_USER: ApcRoutines = ApcRoutines {
    kernel: |apc, _| apc.give_back(),
    normal: None,
    run_down: Apc::give_back,
};

fn queue_special() -> &'static Apc {
    let me = crate::thread::current();
    let apc = Apc::take(me, Form::SpecialKernel, &COUNTS, 0, 0).expect("memory");
    assert!(apc.queue([0; 2], 0));
    apc
}

#[test]
fn a_guarded_region_holds_back_what_a_critical_one_does_not() {
    run(1, 1, || {
        RAN.store(0, SeqCst);
        {
            let _critical = critical_region();
            queue_special();
            assert_eq!(RAN.load(SeqCst), 1);
            let _outer = guarded_region();
            {
                let _inner = guarded_region();
                assert!(are_all_apcs_disabled());
                queue_special();
            }
            queue_special();
            delay(Due::In(MS), Mode::Kernel, false);
            assert_eq!(RAN.load(SeqCst), 1, "not even in a wait");
        }
        assert_eq!(RAN.load(SeqCst), 3);
        assert!(!are_all_apcs_disabled());
    });
}

#[test]
fn an_attached_thread_takes_the_apcs_of_that_space_and_the_others_afterwards() {
    run(1, 1, || {
        RAN.store(0, SeqCst);
        let (one, other) = (
            ProcessHandle::create(None, 8).expect("memory"),
            ProcessHandle::create(None, 8).expect("memory"),
        );
        let me = crate::thread::current();
        {
            let _one = attach(one.process());
            queue_special();
            {
                let _other = attach(other.process());
                queue_special();
                let here = Apc::take(me, Form::SpecialKernel, &COUNTS, 0, 0).expect("memory");
                assert!(here.of_current_space().queue([0; 2], 0));
                assert_eq!(RAN.load(SeqCst), 1, "what is for this space");
            }
            assert_eq!(RAN.load(SeqCst), 1, "still not at home");
        }
        assert_eq!(RAN.load(SeqCst), 3);
    });
}

#[test]
fn a_special_user_apc_goes_first_and_ends_no_wait_that_is_not_alertable() {
    run(1, 1, || {
        let seen = Arc::new(AtomicU64::new(0));
        let mine = seen.clone();
        let worker = spawn(move || {
            let status = delay(Due::In(50 * MS), Mode::User, false);
            assert_eq!(status, NtStatus::SUCCESS, "the wait is not alertable");
            let attention = crate::thread::current().user().attention();
            assert_eq!(attention.load(SeqCst), ATTENTION_SPECIAL_USER_APC);
            let call = take_user_apc().expect("the special one");
            assert!(take_user_apc().is_none(), "the other one is not wanted yet");
            assert_eq!(attention.load(SeqCst), 0);
            mine.store(call.routine, SeqCst);
            let options = WaitOptions::user(true, Some(Due::In(1000 * MS)));
            let status = delay(options.timeout.expect("set"), options.mode, true);
            assert_eq!(status, NtStatus::USER_APC);
            let call = take_user_apc().expect("the ordinary one");
            mine.fetch_add(call.routine << 8, SeqCst);
            let status = delay(Due::In(1000 * MS), Mode::User, true);
            assert_eq!(status, NtStatus::USER_APC, "an alertable wait ends for it");
            mine.fetch_add(take_user_apc().expect("special").routine << 16, SeqCst);
        });
        let queue = |form, routine| {
            while worker.state() != State::Waiting {
                delay(Due::In(MS), Mode::Kernel, false);
            }
            let apc = Apc::take(worker.thread(), form, &FOR_USER, routine, 0).expect("memory");
            assert!(apc.queue([0; 2], 0));
        };
        queue(Form::User, 1);
        queue(Form::SpecialUser, 2);
        delay(Due::In(100 * MS), Mode::Kernel, false);
        queue(Form::SpecialUser, 3);
        join(&worker);
        assert_eq!(seen.load(SeqCst), 0x03_0102);
    });
}
