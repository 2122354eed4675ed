//! What the processes of jobs commit, and how much they may.
//!
//! The memory manager asks under the lock of an address space, so nothing here waits: the sums are atomic, and their places
//! are never given back, only used again. Each process of a job has a place, which refers to its job's; that refers to the
//! place of the job around it. A limit of 0 is none.
//!
//! # NT
//! `MiChargeJob...`; `PsReportProcessMemoryLimitViolation`.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arch::AtomicRef;
use ke::SpinLock;
use mm::address_space::Quota;
use nt_abi::job::JobObjectMessage;
use nt_abi::{NtResult, NtStatus};

/// Places that are used again, and never given back: others may look at them for good.
pub(super) struct Places<T: 'static> {
    free: SpinLock<Vec<&'static T>>,
}

impl<T> Places<T> {
    pub(super) const fn new() -> Self {
        Self {
            free: SpinLock::new(Vec::new()),
        }
    }

    /// A place: a used one as it was left, or a new one.
    pub(super) fn take(&self, make: impl FnOnce() -> T) -> NtResult<&'static T> {
        if let Some(place) = self.free.acquire().pop() {
            return Ok(place);
        }
        let mut memory = Vec::new();
        memory
            .try_reserve_exact(1)
            .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        memory.push(make());
        let place: &'static [T] = memory.leak();
        place.first().ok_or(NtStatus::INSUFFICIENT_RESOURCES)
    }

    pub(super) fn give_back(&self, place: &'static T) {
        let mut free = self.free.acquire();
        // Without memory to note it the place is lost.
        if free.try_reserve(1).is_ok() {
            free.push(place);
        }
    }
}

/// What the processes of a job, and of those in it, commit.
pub(super) struct JobMemory {
    pub(super) used: AtomicU64,
    pub(super) peak: AtomicU64,
    /// The most that one of its processes committed.
    pub(super) peak_process: AtomicU64,
    pub(super) limit: AtomicU64,
    pub(super) process_limit: AtomicU64,
    /// The job around it.
    pub(super) outer: AtomicRef<JobMemory>,
}

pub(super) static JOB_PLACES: Places<JobMemory> = Places::new();

impl JobMemory {
    pub(super) const fn new() -> Self {
        Self {
            used: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            peak_process: AtomicU64::new(0),
            limit: AtomicU64::new(0),
            process_limit: AtomicU64::new(0),
            outer: AtomicRef::none(),
        }
    }

    /// As a new one is.
    pub(super) fn clear(&self) {
        for value in [&self.used, &self.peak, &self.peak_process] {
            value.store(0, Ordering::Relaxed);
        }
        self.limit.store(0, Ordering::Relaxed);
        self.process_limit.store(0, Ordering::Relaxed);
        self.outer.set(None);
    }

    fn add(&self, bytes: u64) {
        let now = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak.fetch_max(now, Ordering::Relaxed);
    }

    /// Adds, unless the sum would be above the limit; false then.
    fn try_add(&self, bytes: u64) -> bool {
        let limit = match self.limit.load(Ordering::Relaxed) {
            0 => u64::MAX,
            limit => limit,
        };
        let added = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|sum| *sum <= limit)
            });
        if let Ok(before) = added {
            self.peak.fetch_max(before + bytes, Ordering::Relaxed);
        }
        added.is_ok()
    }

    fn take(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A job's place and those of the jobs around it, the innermost first.
fn chain(innermost: Option<&'static JobMemory>) -> impl Iterator<Item = &'static JobMemory> {
    core::iter::successors(innermost, |job| job.outer.get())
}

/// What a process of a job commits.
pub(super) struct ProcessMemory {
    /// The number of the process, for messages.
    process: AtomicU32,
    used: AtomicU64,
    job: AtomicRef<JobMemory>,
}

static PROCESS_PLACES: Places<ProcessMemory> = Places::new();

impl ProcessMemory {
    const fn new() -> Self {
        Self {
            process: AtomicU32::new(0),
            used: AtomicU64::new(0),
            job: AtomicRef::none(),
        }
    }

    /// A place for that process in that job.
    pub(super) fn take(process: u32, job: &'static JobMemory) -> NtResult<&'static Self> {
        let place = PROCESS_PLACES.take(Self::new)?;
        place.process.store(process, Ordering::Relaxed);
        place.used.store(0, Ordering::Relaxed);
        place.job.set(Some(job));
        Ok(place)
    }

    /// It is no address space's any more.
    pub(super) fn give_back(&'static self) {
        self.job.set(None);
        PROCESS_PLACES.give_back(self);
    }

    fn jobs(&self) -> impl Iterator<Item = &'static JobMemory> {
        chain(self.job.get())
    }

    fn refuse(&self, job: &'static JobMemory, message: JobObjectMessage) -> NtStatus {
        super::memory_limit_met(self.process.load(Ordering::Relaxed), job, message);
        NtStatus::COMMITMENT_LIMIT
    }

    /// What the process commits now; the address space's lock keeps others from changing it.
    fn set_used(&self, used: u64) {
        self.used.store(used, Ordering::Relaxed);
        for job in self.jobs() {
            job.peak_process.fetch_max(used, Ordering::Relaxed);
        }
    }
}

impl Quota for ProcessMemory {
    fn charge(&self, bytes: u64) -> NtResult {
        let sum = self
            .used
            .load(Ordering::Relaxed)
            .checked_add(bytes)
            .ok_or(NtStatus::COMMITMENT_LIMIT)?;
        let too_much = |job: &&'static JobMemory| {
            let limit = job.process_limit.load(Ordering::Relaxed);
            limit != 0 && sum > limit
        };
        if let Some(job) = self.jobs().find(too_much) {
            return Err(self.refuse(job, JobObjectMessage::PROCESS_MEMORY_LIMIT));
        }
        if let Some(refusing) = self.jobs().find(|job| !job.try_add(bytes)) {
            for job in self.jobs().take_while(|job| !core::ptr::eq(*job, refusing)) {
                job.take(bytes);
            }
            return Err(self.refuse(refusing, JobObjectMessage::JOB_MEMORY_LIMIT));
        }
        self.set_used(sum);
        Ok(())
    }

    fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        for job in self.jobs() {
            job.take(bytes);
        }
    }

    fn take_over(&self, bytes: u64) {
        for job in self.jobs() {
            job.add(bytes);
        }
        self.set_used(self.used.load(Ordering::Relaxed) + bytes);
    }
}
