//! System worker threads. Pages: "System Worker Threads", "ExQueueWorkItem"; TRP7.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::vec::Vec;

use arch::contract::Irql;
use ke::dispatcher::{Due, Event, EventKind};
use ke::testing::run;
use ke::thread::Mode;
use ke::wait::{WaitOptions, delay, wait_for_one};
use nt_abi::NtStatus;

use super::MS;
use crate::worker::{self, WorkItem, WorkKind, WorkerLimits, Workers};

const LIMITS: WorkerLimits = WorkerLimits {
    minimum: 1,
    maximum: 30,
    patience: 30_000 * MS,
};

static GATE: Mutex<Option<std::sync::Arc<Event>>> = Mutex::new(None);
static DONE: AtomicU32 = AtomicU32::new(0);

fn until(what: impl Fn() -> bool) {
    for _ in 0..5_000 {
        if what() {
            return;
        }
        delay(Due::In(20 * MS), Mode::Kernel, false);
    }
    panic!("it never happens");
}

fn block(_: u64) {
    let gate = GATE.lock().expect("no panic").clone().expect("a gate");
    wait_for_one(gate.header(), &WaitOptions::kernel());
    DONE.fetch_add(1, SeqCst);
}

#[test]
fn of_a_thousand_items_ten_block_and_the_rest_finishes_while_the_pool_grows_and_shrinks() {
    for seed in 0..5 {
        run(4, seed, || {
            DONE.store(0, SeqCst);
            let gate =
                std::sync::Arc::new(Event::new(EventKind::Notification, false).expect("memory"));
            *GATE.lock().expect("no panic") = Some(gate.clone());
            let workers = Workers::start(LIMITS).expect("memory");
            assert_eq!(workers.threads(WorkKind::Delayed), 1);
            for number in 0..1000 {
                let routine = if number % 100 == 0 {
                    block
                } else {
                    |_| {
                        DONE.fetch_add(1, SeqCst);
                    }
                };
                workers
                    .queue_work(routine, number, WorkKind::Delayed)
                    .expect("memory");
            }
            until(|| DONE.load(SeqCst) == 990);
            assert!(workers.threads(WorkKind::Delayed) > 10, "the pool grew");
            assert_eq!(workers.threads(WorkKind::Critical), 1, "the others did not");
            gate.set();
            until(|| DONE.load(SeqCst) == 1000);
            *GATE.lock().expect("no panic") = None;
            until(|| workers.threads(WorkKind::Delayed) == LIMITS.minimum);
            workers
                .queue_work(|_| _ = DONE.fetch_add(1, SeqCst), 0, WorkKind::Delayed)
                .expect("memory");
            until(|| DONE.load(SeqCst) == 1001);
        });
    }
}

#[test]
fn each_queue_keeps_its_order_and_better_ones_go_first() {
    static ORDER: Mutex<Vec<u64>> = Mutex::new(Vec::new());
    fn note(number: u64) {
        assert_eq!(ke::irql::current(), Irql::Passive);
        ORDER.lock().expect("no panic").push(number);
    }
    for seed in 0..20 {
        run(1, seed, || {
            ORDER.lock().expect("no panic").clear();
            let workers = Workers::start(LIMITS).expect("memory");
            delay(Due::In(50 * MS), Mode::Kernel, false);
            {
                // Nothing runs until the level falls.
                let _dispatch = ke::irql::raise(Irql::Dispatch);
                let kinds = [
                    WorkKind::Delayed,
                    WorkKind::Critical,
                    WorkKind::Hypercritical,
                ];
                for number in 0..30 {
                    for (kind, tens) in kinds.into_iter().zip(1..) {
                        workers
                            .queue_work(note, tens * 100 + number, kind)
                            .expect("memory");
                    }
                }
            }
            until(|| ORDER.lock().expect("no panic").len() == 90);
            let expected: Vec<u64> = [3, 2, 1]
                .into_iter()
                .flat_map(|tens| (0..30).map(move |number| tens * 100 + number))
                .collect();
            assert_eq!(*ORDER.lock().expect("no panic"), expected);
        });
    }
}

#[test]
fn an_item_is_in_one_queue_at_most_and_may_be_queued_again_by_its_own_work() {
    static ITEM: WorkItem = WorkItem::new();
    static RAN: AtomicU64 = AtomicU64::new(0);
    fn again(left: u64) {
        RAN.fetch_add(1, SeqCst);
        if left > 0 {
            assert!(worker::queue_item(
                &ITEM,
                again,
                left - 1,
                WorkKind::Critical
            ));
        }
    }
    run(2, 1, || {
        assert_eq!(
            worker::queue_work(again, 0, WorkKind::Delayed),
            Err(NtStatus::INSUFFICIENT_RESOURCES),
            "there are no workers yet"
        );
        worker::start().expect("memory");
        {
            let _dispatch = ke::irql::raise(Irql::Dispatch);
            assert!(worker::queue_item(&ITEM, again, 9, WorkKind::Critical));
        }
        until(|| RAN.load(SeqCst) == 10);
        worker::queue_work(again, 0, WorkKind::Hypercritical).expect("memory");
        until(|| RAN.load(SeqCst) == 11);
    });
}
