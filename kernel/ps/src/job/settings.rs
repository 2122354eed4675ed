//! Setting limits of a job, and what comes of them for its processes.

use core::sync::atomic::Ordering;

use arch::contract::{PAGE_SIZE, ProcessorSet};
use mm::address_space::WorkingSetLimits;
use nt_abi::job::{JobLimitFlags as Flags, JobUiLimits};
use nt_abi::{NtResult, NtStatus};

use super::limits::{Effective, Limits};
use super::{HIERARCHY, Job, accounting, chain};
use crate::Process;

impl Job {
    /// Sets its limits, and applies them to its processes.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for processors that the job around it does not have.
    #[doc(alias = "NtSetInformationJobObject")]
    pub fn set_limits(&self, mut limits: Limits) -> NtResult {
        {
            let _hierarchy = HIERARCHY.acquire();
            if limits.has(Flags::AFFINITY) {
                let around = chain(self.outer())
                    .fold(Effective::default(), |all, job| all.and(&job.limits()));
                if around
                    .affinity
                    .is_some_and(|all| limits.affinity & !all != 0)
                {
                    return Err(NtStatus::INVALID_PARAMETER);
                }
            }
            let used = self.used();
            {
                let mut state = self.state.acquire();
                if limits.has(Flags::PRESERVE_JOB_TIME) {
                    limits.job_time = state.limits.job_time;
                    limits.flags |= state.limits.flags & Flags::JOB_TIME;
                    limits.flags -= Flags::PRESERVE_JOB_TIME;
                } else if limits.has(Flags::JOB_TIME) {
                    state.accounting.begin_period(&used);
                    state.time_is_over = false;
                }
                accounting::limits_change(state.limits.flags, limits.flags);
                state.limits = limits;
            }
            if limits.has(Flags::JOB_TIME) {
                self.over.clear();
            }
            let or_none = |flag, value| if limits.has(flag) { value } else { 0 };
            let process = or_none(Flags::PROCESS_MEMORY, limits.process_memory);
            let job = or_none(Flags::JOB_MEMORY, limits.job_memory);
            self.memory.process_limit.store(process, Ordering::Relaxed);
            self.memory.limit.store(job, Ordering::Relaxed);
            let mut after = 0;
            while let Some(process) = self.member_after(after) {
                after = process.id();
                apply(&process);
            }
        }
        accounting::watch();
        Ok(())
    }

    /// Sets what its processes may not do on the desktop.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for flags that nobody knows, and for a job that is in another one, which cannot have them.
    pub fn set_ui_limits(&self, limits: JobUiLimits) -> NtResult {
        let _hierarchy = HIERARCHY.acquire();
        if !JobUiLimits::all().contains(limits) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut state = self.state.acquire();
        if state.outer.is_some() && !limits.is_empty() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        state.ui_limits = limits;
        Ok(())
    }
}

/// What a process's jobs make of its settings.
pub(crate) fn effective(process: &Process) -> Effective {
    chain(process.job()).fold(Effective::default(), |all, job| all.and(&job.limits()))
}

/// Makes a process keep the limits of its jobs.
pub(super) fn apply(process: &Process) {
    let limits = effective(process);
    let scheduled = process.scheduled();
    if let Some(affinity) = limits.affinity {
        // The processors of a limit run: it was looked when it was set.
        let _ = ke::schedule::set_process_affinity(scheduled, ProcessorSet(affinity));
    }
    if let Some(class) = limits.priority_class {
        process.put_class(class);
    }
    if let Some((least, most)) = limits.working_set {
        // Limits that no working set has are left as they are.
        let _ = process.space().set_working_set_limits(WorkingSetLimits {
            minimum: least / PAGE_SIZE,
            maximum: most / PAGE_SIZE,
        });
    }
}
