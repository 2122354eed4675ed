//! Where and how soon threads run, as far as it is set of them and not against what their jobs say.
//!
//! What a job says is looked at and what is wanted is set under one lock, so that no limit comes between the two.

use arch::contract::ProcessorSet;
use nt_abi::{NtResult, NtStatus};

use crate::settings::PriorityClass;
use crate::{Process, Thread, job};

impl Process {
    /// Sets its priority class, unless a job says another one.
    #[doc(alias = "PsSetProcessPriorityByClass")]
    pub fn set_class(&self, class: PriorityClass) {
        job::with_limits(self, |limits| {
            self.put_class(limits.priority_class.unwrap_or(class));
        });
    }

    /// Sets its priority class; nobody changes what its jobs say meanwhile.
    pub(crate) fn put_class(&self, class: PriorityClass) {
        self.settings().set_class(class);
        // A class's priority is one.
        let _ = ke::schedule::set_process_base_priority(self.scheduled(), class.base_priority());
    }

    /// Sets the processors that its threads may use.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for processors that do not run, or that its jobs do not allow; `PROCESS_IS_TERMINATING`.
    pub fn set_affinity(&self, mask: u64) -> NtResult {
        if mask == 0 || mask & !ke::processor::active().0 != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        job::with_limits(self, |limits| {
            if limits.affinity.is_some_and(|allowed| mask & !allowed != 0) {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            if self.is_ending() {
                return Err(NtStatus::PROCESS_IS_TERMINATING);
            }
            ke::schedule::set_process_affinity(self.scheduled(), ProcessorSet(mask)).map(drop)
        })
    }

    /// Says whether it is what the user works with: its threads have longer turns then.
    pub fn set_foreground(&self, foreground: bool) {
        /// `PspForegroundQuantum`: what a foreground process has more.
        const TIMES: u8 = 3;
        self.settings().set_foreground(foreground);
        let units = if foreground {
            ke::process::SHORT_QUANTUM * TIMES
        } else {
            ke::process::SHORT_QUANTUM
        };
        self.scheduled().set_quantum(units);
    }
}

impl Thread {
    /// Sets the processors that it may use.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for none, and for some that its process does not have.
    pub fn set_affinity(&self, mask: u64) -> NtResult {
        // Under the lock under which those of the process change.
        job::with_limits(self.process(), |_| {
            let allowed = ke::schedule::process_affinity(self.process().scheduled());
            if mask == 0 || mask & !allowed.0 != 0 {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            ke::schedule::set_affinity(self.scheduled(), ProcessorSet(mask)).map(drop)
        })
    }
}
