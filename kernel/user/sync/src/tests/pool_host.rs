//! A process for thread pools, made of the host's threads, with events and semaphores.

use std::boxed::Box;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};
use std::vec::Vec;

use c_interface::Ptr;
use nt_abi::native::Handle;
use nt_abi::{NtResult, NtStatus};

use super::host::{Host, system_time};
use crate::thread_pool::{PoolKernel, Role, ThreadPools, run};
use crate::{Alert, Bucket, Parking};

/// Signals that are there: each wait takes one; an event has one at most.
struct Object {
    signals: u32,
    most: u32,
}

/// A process. It is never given up, as its threads may outlive a test.
pub(super) struct Process {
    own: OnceLock<&'static Process>,
    host: Host,
    pools: ThreadPools,
    objects: Mutex<HashMap<Handle, Object>>,
    changed: Condvar,
    next: AtomicUsize,
    /// Threads that were started, and those that have not ended.
    pub(super) started: AtomicUsize,
    pub(super) alive: AtomicUsize,
    /// How many starts fail from now on.
    pub(super) failures: AtomicUsize,
    /// How long a worker waits for work, in units of 100 ns.
    pub(super) idle_time: AtomicU64,
    /// References to a module.
    pub(super) module: AtomicUsize,
}

impl Process {
    pub(super) fn new(processors: u32) -> &'static Self {
        let process: &'static Self = Box::leak(Box::new(Self {
            own: OnceLock::new(),
            host: Host::new(processors),
            pools: ThreadPools::new(),
            objects: Mutex::default(),
            changed: Condvar::new(),
            next: AtomicUsize::new(0x100),
            started: AtomicUsize::new(0),
            alive: AtomicUsize::new(0),
            failures: AtomicUsize::new(0),
            idle_time: AtomicU64::new(20 * 10_000_000),
            module: AtomicUsize::new(0),
        }));
        assert!(process.own.set(process).is_ok());
        process
    }

    /// A semaphore without signals.
    pub(super) fn semaphore(&self) -> Handle {
        self.object(u32::MAX)
    }

    /// An event that one wait takes.
    pub(super) fn event(&self) -> Handle {
        self.object(1)
    }

    fn object(&self, most: u32) -> Handle {
        let handle = Ptr::<u8>::new(self.next.fetch_add(4, Ordering::Relaxed)).raw();
        let object = Object { signals: 0, most };
        self.objects.lock().unwrap().insert(handle, object);
        handle
    }

    pub(super) fn close(&self, handle: Handle) {
        self.objects.lock().unwrap().remove(&handle);
        self.changed.notify_all();
    }

    pub(super) fn signal(&self, handle: Handle, count: u32) {
        let mut objects = self.objects.lock().unwrap();
        let object = objects.get_mut(&handle).expect("an object");
        object.signals = object.signals.saturating_add(count).min(object.most);
        self.changed.notify_all();
    }

    /// Waits so many milliseconds for one object; whether it was signalled.
    pub(super) fn wait(&self, handle: Handle, milliseconds: i64) -> bool {
        self.wait_any(&[handle], Some(-milliseconds * 10_000)) == NtStatus::SUCCESS
    }
}

impl Parking for Process {
    fn thread_id(&self) -> usize {
        self.host.thread_id()
    }

    fn wait_for_alert(&self, address: usize, timeout: Option<i64>) -> Alert {
        // Numbers, not addresses, are waited by, and 0 is one of them.
        self.host.wait_for_alert(address.max(1), timeout)
    }

    fn alert(&self, thread: usize) {
        self.host.alert(thread);
    }

    fn interrupt_time(&self) -> i64 {
        self.host.interrupt_time()
    }

    fn processors(&self) -> u32 {
        self.host.processors()
    }

    fn relax(&self) {
        self.host.relax();
    }

    fn bucket(&self, address: usize) -> &Bucket {
        self.host.bucket(address)
    }
}

impl PoolKernel for Process {
    fn pools(&self) -> &ThreadPools {
        &self.pools
    }

    fn start_thread(&self, role: Role, _stack_reserve: usize, _stack_commit: usize) -> NtResult {
        let failures = &self.failures;
        let failed = failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        });
        if failed.is_ok() {
            return Err(NtStatus::NO_MEMORY);
        }
        self.started.fetch_add(1, Ordering::Relaxed);
        self.alive.fetch_add(1, Ordering::Relaxed);
        let process = *self.own.get().expect("it knows itself");
        thread::spawn(move || {
            run(process, role.number());
            process.alive.fetch_sub(1, Ordering::Relaxed);
        });
        Ok(())
    }

    fn idle_time(&self) -> i64 {
        self.idle_time.load(Ordering::Relaxed).cast_signed()
    }

    fn system_time(&self) -> i64 {
        system_time()
    }

    fn create_event(&self) -> NtResult<Handle> {
        Ok(self.event())
    }

    fn wait_for_any(&self, handles: &[Handle], timeout: Option<i64>) -> NtStatus {
        self.wait_any(handles, timeout)
    }

    fn set_event(&self, event: Handle) {
        self.signal(event, 1);
    }

    fn release_semaphore(&self, semaphore: Handle, count: u32) {
        self.signal(semaphore, count);
    }

    fn release_mutant(&self, mutant: Handle) {
        self.signal(mutant, 1);
    }

    fn hold_module(&self, _base: usize) {
        self.module.fetch_add(1, Ordering::Relaxed);
    }

    fn release_module(&self, _base: usize) {
        self.module.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Process {
    fn wait_any(&self, handles: &[Handle], timeout: Option<i64>) -> NtStatus {
        assert!(handles.len() <= 64, "the service takes no more");
        let units = timeout.map(|time| {
            if time < 0 {
                -time
            } else {
                (time - system_time()).max(0)
            }
        });
        let end =
            units.map(|units| Instant::now() + Duration::from_nanos(units.unsigned_abs() * 100));
        let mut objects = self.objects.lock().unwrap();
        // As the service: a handle that is closed later does not matter to a wait that has begun.
        if handles.iter().any(|handle| !objects.contains_key(handle)) {
            return NtStatus::INVALID_HANDLE;
        }
        loop {
            for (index, handle) in handles.iter().enumerate() {
                if let Some(object) = objects.get_mut(handle)
                    && object.signals != 0
                {
                    object.signals -= 1;
                    return NtStatus(u32::try_from(index).unwrap());
                }
            }
            let Some(end) = end else {
                objects = self.changed.wait(objects).unwrap();
                continue;
            };
            let now = Instant::now();
            if now >= end {
                return NtStatus::TIMEOUT;
            }
            objects = self.changed.wait_timeout(objects, end - now).unwrap().0;
        }
    }
}

/// A test's own counters, which its callbacks find through their context.
pub(super) struct Tally {
    pub(super) process: &'static Process,
    pub(super) count: AtomicU64,
    pub(super) other: AtomicU64,
    pub(super) thread: AtomicUsize,
    /// Something to wait for, and something to signal.
    pub(super) gate: Handle,
    pub(super) done: Handle,
}

impl Tally {
    fn new(process: &'static Process) -> &'static Self {
        Box::leak(Box::new(Self {
            process,
            count: AtomicU64::new(0),
            other: AtomicU64::new(0),
            thread: AtomicUsize::new(0),
            gate: process.semaphore(),
            done: process.semaphore(),
        }))
    }

    pub(super) fn context(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The tally that a callback's context names.
    pub(super) fn of(context: usize) -> &'static Self {
        let tallies = TALLIES.lock().unwrap();
        let found = tallies.iter().find(|tally| tally.context() == context);
        found.copied().expect("a tally that is listed")
    }

    /// Lists it for callbacks.
    pub(super) fn listed(process: &'static Process) -> &'static Self {
        let tally = Self::new(process);
        TALLIES.lock().unwrap().push(tally);
        tally
    }
}

static TALLIES: Mutex<Vec<&'static Tally>> = Mutex::new(Vec::new());
