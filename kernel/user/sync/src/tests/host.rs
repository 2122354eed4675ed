//! A kernel made of the host's threads, and threads to try locks with.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use std::vec::Vec;

use crate::{Alert, Bucket, Buckets, Parking};

/// How many threads most tests have.
pub(super) const THREADS: usize = 8;

/// How often each does something.
pub(super) const ROUNDS: usize = 100_000;

#[derive(Default)]
struct Token {
    alerted: Mutex<bool>,
    changed: Condvar,
}

static TOKENS: OnceLock<Mutex<HashMap<usize, Arc<Token>>>> = OnceLock::new();
static NEXT_THREAD: AtomicUsize = AtomicUsize::new(4);

std::thread_local! {
    static THREAD: Cell<usize> = const { Cell::new(0) };
}

fn token(thread: usize) -> Option<Arc<Token>> {
    let tokens = TOKENS.get_or_init(Mutex::default);
    tokens.lock().unwrap().get(&thread).cloned()
}

/// A process. It has few queues, so that things that have nothing to do with one another meet in one.
pub(super) struct Host {
    buckets: Buckets<2>,
    processors: u32,
    started: Instant,
    /// Calls of the kernel.
    pub(super) waits: AtomicU64,
    pub(super) alerts: AtomicU64,
}

impl Host {
    pub(super) fn new(processors: u32) -> Self {
        Self {
            buckets: Buckets::new(),
            processors,
            started: Instant::now(),
            waits: AtomicU64::new(0),
            alerts: AtomicU64::new(0),
        }
    }

    /// How often the kernel was entered.
    pub(super) fn calls(&self) -> u64 {
        self.waits.load(Ordering::Relaxed) + self.alerts.load(Ordering::Relaxed)
    }
}

/// The time of the calendar as NT has it.
pub(super) fn system_time() -> i64 {
    let since_1970 = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    i64::try_from(since_1970.as_nanos() / 100).unwrap() + 11_644_473_600 * 10_000_000
}

impl Parking for Host {
    fn thread_id(&self) -> usize {
        THREAD.with(|own| {
            if own.get() == 0 {
                let id = NEXT_THREAD.fetch_add(4, Ordering::Relaxed);
                own.set(id);
                let tokens = TOKENS.get_or_init(Mutex::default);
                tokens.lock().unwrap().insert(id, Arc::default());
            }
            own.get()
        })
    }

    fn wait_for_alert(&self, address: usize, timeout: Option<i64>) -> Alert {
        assert_ne!(address, 0, "a wait says what for");
        self.waits.fetch_add(1, Ordering::Relaxed);
        let token = token(self.thread_id()).unwrap();
        let left = timeout.map(|time| {
            let units = if time < 0 {
                -time
            } else {
                (time - system_time()).max(0)
            };
            Duration::from_nanos(units.unsigned_abs() * 100)
        });
        let end = left.map(|left| Instant::now() + left);
        let mut alerted = token.alerted.lock().unwrap();
        while !*alerted {
            let Some(end) = end else {
                alerted = token.changed.wait(alerted).unwrap();
                continue;
            };
            let now = Instant::now();
            if now >= end {
                return Alert::TimedOut;
            }
            alerted = token.changed.wait_timeout(alerted, end - now).unwrap().0;
        }
        *alerted = false;
        Alert::Alerted
    }

    fn alert(&self, thread: usize) {
        self.alerts.fetch_add(1, Ordering::Relaxed);
        if let Some(token) = token(thread) {
            *token.alerted.lock().unwrap() = true;
            token.changed.notify_one();
        }
    }

    fn interrupt_time(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_nanos() / 100).unwrap()
    }

    fn processors(&self) -> u32 {
        self.processors
    }

    fn relax(&self) {
        std::hint::spin_loop();
    }

    fn bucket(&self, address: usize) -> &Bucket {
        self.buckets.bucket(address)
    }
}

/// Runs a body in some threads at once, each with its number, and gives what they give.
pub(super) fn in_threads<T: Send>(count: usize, body: impl Fn(usize) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let body = &body;
        let threads: Vec<_> = (0..count)
            .map(|index| scope.spawn(move || body(index)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// Waits, as the test's own thread, until something is so.
pub(super) fn until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never is");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Tries something that a busy machine can make too slow, until it was fast enough once.
pub(super) fn in_time(what: impl Fn() -> Duration, limit: Duration) {
    let mut times = Vec::new();
    while times.len() < 20 {
        let took = what();
        if took < limit {
            return;
        }
        times.push(took);
    }
    panic!("never in {limit:?}: {times:?}");
}

/// Two numbers that are equal whenever nobody changes them; nothing but a lock orders them.
#[derive(Default)]
pub(super) struct Pair([AtomicU64; 2]);

impl Pair {
    pub(super) fn look(&self) -> u64 {
        let seen = self.0[0].load(Ordering::Relaxed);
        assert_eq!(
            seen,
            self.0[1].load(Ordering::Relaxed),
            "somebody is inside"
        );
        seen
    }

    pub(super) fn add(&self) {
        let seen = self.look();
        self.0[0].store(seen + 1, Ordering::Relaxed);
        self.0[1].store(seen + 1, Ordering::Relaxed);
    }
}

/// Milliseconds from now, in NT's form.
pub(super) const fn milliseconds(count: i64) -> Option<i64> {
    Some(-count * 10_000)
}
