//! The kernel below the locks: threads that wait for alerts.

use ::std::cell::Cell;
use ::std::sync::Mutex;

use loom::thread::{self, Thread};

use super::atomic::{AtomicUsize, Ordering};
use super::bucket::{Bucket, Buckets};
use super::parking::{Alert, Parking};

loom::lazy_static! {
    static ref THREADS: Mutex<Vec<Thread>> = Mutex::new(Vec::new());
}

loom::thread_local! {
    static OWN: Cell<usize> = Cell::new(0);
}

/// A process, whose queues are all in one bucket; a lock is handed over after `PATIENCE` vain wakes.
pub(super) struct Kernel<const PATIENCE: usize> {
    buckets: Buckets<1>,
    processors: u32,
    between: AtomicUsize,
}

impl<const PATIENCE: usize> Kernel<PATIENCE> {
    /// A process in which nobody waits, its words used once.
    pub(super) fn new(processors: u32) -> Self {
        let kernel = Self {
            buckets: Buckets::new(),
            processors,
            between: AtomicUsize::new(0),
        };
        kernel.between.load(Ordering::Relaxed);
        kernel.buckets.forget();
        kernel
    }
}

impl<const PATIENCE_: usize> Parking for Kernel<PATIENCE_> {
    const PATIENCE: usize = PATIENCE_;
    const SPINS: u32 = 1;

    fn thread_id(&self) -> usize {
        OWN.with(|own| {
            if own.get() == 0 {
                let mut threads = THREADS.lock().unwrap();
                threads.push(thread::current());
                own.set(threads.len());
            }
            own.get()
        })
    }

    fn wait_for_alert(&self, _address: usize, timeout: Option<i64>) -> Alert {
        if timeout.is_some() {
            // The time is always over. What others do first, they do between two steps of the caller.
            return Alert::TimedOut;
        }
        thread::park();
        Alert::Alerted
    }

    fn alert(&self, thread: usize) {
        // Others may go on between what the caller did last and the alert, which orders more than a lock may count on.
        self.between.load(Ordering::Relaxed);
        let thread = THREADS.lock().unwrap()[thread - 1].clone();
        thread.unpark();
    }

    fn interrupt_time(&self) -> i64 {
        0
    }

    fn processors(&self) -> u32 {
        self.processors
    }

    fn relax(&self) {
        thread::yield_now();
    }

    fn bucket(&self, address: usize) -> &Bucket {
        self.buckets.bucket(address)
    }
}
