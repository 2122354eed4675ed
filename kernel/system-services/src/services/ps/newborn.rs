//! A new process and its jobs.

use nt_abi::access::AccessMask;
use nt_abi::process_creation::{ProcessCreateFlags as Flags, PsAttributeNumber};
use nt_abi::security::Privilege;
use nt_abi::services::arguments::Handle;
use nt_abi::{NtResult, NtStatus};
use ob::Object;
use ps::job::{self, Breakaway};
use ps::{Job, Process};

use super::attributes::Attributes;
use crate::Caller;
use crate::capture;

/// A process that may still be given up: it ends then, and leaves its jobs.
pub(super) struct Newborn(Option<Object<Process>>);

/// The most jobs that a list of them has.
const MOST_JOBS: usize = 64;

impl Newborn {
    /// Puts a new process into its parent's jobs, and those that an attribute names; it takes over its parent's settings.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD` for a breakaway by force; those of [`job::inherit`] and [`job::assign`].
    pub(super) fn begin(
        caller: &Caller<'_>,
        parent: &Process,
        process: &Object<Process>,
        flags: Flags,
        list: &Attributes,
    ) -> NtResult<Self> {
        let newborn = Self(Some(process.clone()));
        process.inherit_settings(parent);
        let breakaway = if flags.contains(Flags::FORCE_BREAKAWAY) {
            caller.require_privilege(Privilege::TCB)?;
            Breakaway::Forced
        } else if flags.contains(Flags::BREAKAWAY) {
            Breakaway::Wanted
        } else {
            Breakaway::None
        };
        job::inherit(parent, process, breakaway)?;
        if let Some(jobs) = list.find(PsAttributeNumber::JOB_LIST) {
            if jobs.size == 0 || !jobs.size.is_multiple_of(8) {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            let count = usize::try_from(jobs.size / 8).unwrap_or(usize::MAX);
            if count > MOST_JOBS {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            for handle in capture::read_array::<u64>(jobs.value, count)? {
                let right = AccessMask::JOB_OBJECT_ASSIGN_PROCESS;
                let job = caller.reference::<Job>(Handle(handle), right)?;
                job::assign(&job, process)?;
            }
        }
        if parent.is_ending() {
            // Perhaps because a job that the child has come into was ended: whoever did that looked for members until it
            // found none, and this look comes after the child became one.
            return Err(NtStatus::PROCESS_IS_TERMINATING);
        }
        Ok(newborn)
    }

    /// It lives.
    pub(super) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Newborn {
    fn drop(&mut self) {
        if let Some(process) = self.0.take() {
            process.end(NtStatus::UNSUCCESSFUL);
        }
    }
}
