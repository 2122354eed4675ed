//! What the processes of jobs use of processors, and limits of it.
//!
//! Whoever charges time does it in a clock interrupt, which is no place to walk jobs: a thread of the system looks four times
//! a second, as long as there is a limit of time.
//!
//! # NT
//! `PspEnforceLimits`.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use ke::dispatcher::Due;
use ke::thread::Mode;
use ke::wait::delay;
use nt_abi::job::{EndOfJobTimeAction, JobLimitFlags as Flags, JobObjectMessage as Message};
use ob::Object;

use super::{HIERARCHY, Job, LIMIT_EXIT_STATUS, chain};
use crate::Process;
use crate::client_id;

/// What a process has used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Used {
    /// Time in user mode, in 100 ns.
    pub user: u64,
    /// Time in kernel mode, in 100 ns.
    pub kernel: u64,
    /// Page faults.
    pub faults: u64,
}

impl Used {
    pub(super) fn by(process: &Process) -> Self {
        let (kernel, user) = process.scheduled().times();
        Self {
            user,
            kernel,
            faults: process.space().counters().page_fault_count,
        }
    }

    fn add(&mut self, other: &Self) {
        self.user = self.user.saturating_add(other.user);
        self.kernel = self.kernel.saturating_add(other.kernel);
        self.faults = self.faults.saturating_add(other.faults);
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            user: self.user.saturating_sub(before.user),
            kernel: self.kernel.saturating_sub(before.kernel),
            faults: self.faults.saturating_sub(before.faults),
        }
    }
}

/// What a job remembers of its processes.
#[derive(Clone, Copy, Default)]
pub(super) struct Accounting {
    /// What those used that have ended.
    ended: Used,
    /// What all had used when the limit of the job's time was set.
    period_began: Used,
    /// Processes that came in, or wanted to.
    pub(super) total: u32,
    /// Processes that a limit ended.
    pub(super) terminated: u32,
}

impl Accounting {
    pub(super) fn add(&mut self, used: &Used) {
        self.ended.add(used);
    }

    pub(super) fn begin_period(&mut self, used: &Used) {
        self.period_began = *used;
    }
}

/// What queries tell of a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// By all processes that it ever had.
    pub total: Used,
    /// Since the limit of its time was set.
    pub period: Used,
    /// Processes that came in, or wanted to.
    pub processes: u32,
    /// Processes that are in it.
    pub active: u32,
    /// Processes that a limit ended.
    pub terminated: u32,
}

impl Job {
    /// What its processes have used, those that have ended too.
    pub fn used(&self) -> Used {
        let mut used = self.state.acquire().accounting.ended;
        let mut after = 0;
        // One at a time: address spaces are not asked under the job's lock.
        while let Some(process) = self.member_after(after) {
            after = process.id();
            used.add(&Used::by(&process));
        }
        used
    }

    /// The process with the lowest number above `after`.
    pub(super) fn member_after(&self, after: u32) -> Option<Object<Process>> {
        let state = self.state.acquire();
        let later = state.members.iter().filter(|member| member.id() > after);
        later.min_by_key(|member| member.id()).cloned()
    }

    /// What queries tell.
    pub fn report(&self) -> Report {
        let total = self.used();
        let state = self.state.acquire();
        let accounting = &state.accounting;
        Report {
            total,
            period: total.since(&accounting.period_began),
            processes: accounting.total,
            active: u32::try_from(state.members.len()).unwrap_or(u32::MAX),
            terminated: accounting.terminated,
        }
    }

    fn count_terminated(&self) {
        let accounting = &mut self.state.acquire().accounting;
        accounting.terminated = accounting.terminated.saturating_add(1);
    }

    /// Ends a process that has used more time than each may.
    fn enforce_process_time(&self, process: &Process) {
        let limits = self.limits();
        if !limits.has(Flags::PROCESS_TIME) || process.is_ending() {
            return;
        }
        let (_, user) = process.scheduled().times();
        if user > limits.process_time && process.end(LIMIT_EXIT_STATUS) {
            self.count_terminated();
            self.tell(Message::END_OF_PROCESS_TIME, process.id());
        }
    }

    /// Does what is to be done if all have used more time than they may together.
    fn enforce_job_time(&self) {
        let limits = self.limits();
        if !limits.has(Flags::JOB_TIME) || self.report().period.user <= limits.job_time {
            return;
        }
        if self.end_of_time() == EndOfJobTimeAction::POST_AT_END_OF_JOB && self.has_port() {
            // It hears of it once; its processes go on without a limit.
            let _hierarchy = HIERARCHY.acquire();
            if self.limits() != limits {
                return;
            }
            let after = limits.flags - Flags::JOB_TIME;
            self.state.acquire().limits.flags = after;
            limits_change(limits.flags, after);
            self.tell(Message::END_OF_JOB_TIME, 0);
            return;
        }
        let is_empty = {
            let mut state = self.state.acquire();
            state.time_is_over = true;
            state.members.is_empty()
        };
        while let Some(process) = self.member(|process| !process.is_ending()) {
            if process.end(LIMIT_EXIT_STATUS) {
                self.count_terminated();
            }
        }
        if is_empty {
            self.over.set();
        }
    }
}

/// How often it is looked, in 100 ns.
const INTERVAL: u64 = 2_500_000;

static WATCHING: AtomicBool = AtomicBool::new(false);

/// Jobs with a limit of time.
static TIMED: AtomicU32 = AtomicU32::new(0);

/// A job's limits change, or it goes.
pub(super) fn limits_change(before: Flags, after: Flags) {
    let timed = |flags: Flags| flags.intersects(Flags::PROCESS_TIME | Flags::JOB_TIME);
    match (timed(before), timed(after)) {
        (false, true) => {
            TIMED.fetch_add(1, Ordering::AcqRel);
        }
        (true, false) => {
            TIMED.fetch_sub(1, Ordering::AcqRel);
        }
        _ => {}
    }
}

fn processes() -> impl Iterator<Item = Object<Process>> {
    let mut after = 0;
    core::iter::from_fn(move || {
        let process = client_id::next_after::<Process>(after)?;
        after = process.id();
        Some(process)
    })
}

/// Sees to it that limits of time are enforced, if there are any.
pub(super) fn watch() {
    if TIMED.load(Ordering::Acquire) == 0 || WATCHING.swap(true, Ordering::AcqRel) {
        return;
    }
    if ke::thread::start_system_thread(enforce, 0).is_err() {
        // Whoever sets a limit or comes into a job tries again.
        WATCHING.store(false, Ordering::Release);
    }
}

fn enforce(_: u64) {
    loop {
        delay(Due::In(INTERVAL), Mode::Kernel, false);
        for process in processes() {
            for job in chain(process.job()) {
                job.enforce_process_time(&process);
                job.enforce_job_time();
            }
        }
        if TIMED.load(Ordering::Acquire) == 0 {
            WATCHING.store(false, Ordering::Release);
            // A limit that came meanwhile has nobody else.
            return watch();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_counts_from_its_beginning() {
        let used = |user| Used {
            user,
            kernel: 2 * user,
            faults: 3,
        };
        let mut accounting = Accounting::default();
        accounting.add(&used(5));
        accounting.add(&used(7));
        assert_eq!(accounting.ended.user, 12);
        assert_eq!(accounting.ended.kernel, 24);
        accounting.begin_period(&used(10));
        let since = accounting.ended.since(&accounting.period_began);
        assert_eq!((since.user, since.kernel), (2, 4));
    }
}
