//! Who is in which job.

use ke::SpinLock;
use nt_abi::job::{JobLimitFlags as Flags, JobObjectMessage as Message};
use nt_abi::{NtResult, NtStatus};
use ob::Object;

use super::memory::ProcessMemory;
use super::{HIERARCHY, Job, LIMIT_EXIT_STATUS, accounting, chain, port, same};
use crate::Process;

/// What a process knows of its jobs.
pub(crate) struct Membership {
    /// The innermost one; a process that has ended keeps it.
    job: SpinLock<Option<Object<Job>>>,
    memory: SpinLock<Option<&'static ProcessMemory>>,
}

impl Membership {
    /// In no job.
    pub(crate) const fn none() -> Self {
        Self {
            job: SpinLock::new(None),
            memory: SpinLock::new(None),
        }
    }

    /// The innermost job.
    pub(crate) fn job(&self) -> Option<Object<Job>> {
        self.job.acquire().clone()
    }
}

/// How a new process stands to the jobs of the one that makes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Breakaway {
    /// In the same jobs, but for those that let it go silently.
    None,
    /// Out of those that allow it (`CREATE_BREAKAWAY_FROM_JOB`).
    Wanted,
    /// Out of all; the caller saw to it that this is allowed.
    Forced,
}

/// Puts a process into a job; the job comes into the one that the process was in.
///
/// # NT
/// "AssignProcessToJobObject function", "Nested Jobs".
///
/// # Errors
/// `PROCESS_IS_TERMINATING`; `ACCESS_DENIED` if the process is in a job with which this one makes no hierarchy: it has or
/// had processes of its own, is in another one, limits what they may do on the desktop, or would be one of more than
/// [`MOST_NESTED`] that are in one another. `QUOTA_EXCEEDED` if a limit does
/// not allow it, and the process is ended then; `INSUFFICIENT_RESOURCES`.
pub fn assign(job: &Object<Job>, process: &Object<Process>) -> NtResult {
    let admitted = {
        let _hierarchy = HIERARCHY.acquire();
        admit(job, process)
    };
    match admitted {
        Err(NtStatus::QUOTA_EXCEEDED) => {
            process.end(LIMIT_EXIT_STATUS);
        }
        Ok(()) => accounting::watch(),
        Err(_) => {}
    }
    admitted
}

/// Puts a new process into the jobs of the one that makes it. To be called before it has a thread; if it fails, the new
/// process has to be [ended](Process::end), as whenever one that is in a job is given up.
///
/// # Errors
/// `ACCESS_DENIED` if it is to break away and the job does not let it; otherwise as [`assign`].
#[doc(alias = "PspInheritJob")]
pub fn inherit(parent: &Process, child: &Object<Process>, breakaway: Breakaway) -> NtResult {
    if breakaway == Breakaway::Forced {
        return Ok(());
    }
    let lets_go = |job: &Object<Job>| {
        let flags = job.limits().flags;
        flags.contains(Flags::SILENT_BREAKAWAY_OK)
            || (breakaway == Breakaway::Wanted && flags.contains(Flags::BREAKAWAY_OK))
    };
    let Some(innermost) = parent.job() else {
        return Ok(());
    };
    if breakaway == Breakaway::Wanted && !lets_go(&innermost) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    match chain(Some(innermost)).find(|job| !lets_go(job)) {
        Some(job) => assign(&job, child),
        None => Ok(()),
    }
}

fn admit(job: &Object<Job>, process: &Object<Process>) -> NtResult {
    if process.is_ending() {
        return Err(NtStatus::PROCESS_IS_TERMINATING);
    }
    let current = process.job();
    let mut comes_into = None;
    if let Some(current) = &current {
        if same(current, job) {
            return Ok(());
        }
        if must_nest(job, current)? {
            comes_into = Some(current.clone());
        }
    }
    let is_current = |job: &Object<Job>| current.as_ref().is_some_and(|current| same(current, job));
    let entered = || chain(Some(job.clone())).take_while(|job| !is_current(job));
    // Whatever can be refused comes before anything that stays: a job that was refused is in no other because of it.
    let memory = ProcessMemory::take(process.id(), job.memory)?;
    let make_room = |job: Object<Job>| {
        let reserved = job.state.acquire().members.try_reserve(1);
        reserved.map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)
    };
    let admitted = entered()
        .try_for_each(make_room)
        .and_then(|()| entered().try_for_each(|job| job.count_newcomer(process)));
    if let Err(status) = admitted {
        memory.give_back();
        return Err(status);
    }
    if let Some(outer) = comes_into {
        job.memory.outer.set(Some(outer.memory));
        job.state.acquire().outer = Some(outer);
    }
    for job in entered() {
        // There is room, and only whoever has the hierarchy takes it.
        job.state.acquire().members.push(process.clone());
    }
    let membership = process.membership();
    let left = membership.job.acquire().replace(job.clone());
    drop(left);
    process.space().set_quota(Some(memory));
    let before = membership.memory.acquire().replace(memory);
    if let Some(before) = before {
        before.give_back();
    }
    for job in entered() {
        job.tell(Message::NEW_PROCESS, process.id());
    }
    super::settings::apply(process);
    Ok(())
}

/// The most jobs that are in one another: everything that asks what holds for a process walks them all.
///
/// # Differs
/// How many Windows allows is not documented.
pub const MOST_NESTED: usize = 32;

/// Whether `job` has to come into `current` first; false if it is in it already, at whatever depth.
fn must_nest(job: &Object<Job>, current: &Object<Job>) -> NtResult<bool> {
    if !job.ui_limits().is_empty() {
        return Err(NtStatus::ACCESS_DENIED);
    }
    if let Some(outer) = job.outer() {
        return match chain(Some(outer)).any(|outer| same(&outer, current)) {
            true => Ok(false),
            false => Err(NtStatus::ACCESS_DENIED),
        };
    }
    let around = chain(Some(current.clone()));
    let (depth, is_around) = around.fold((0, false), |(depth, is_around), outer| {
        (depth + 1, is_around || same(&outer, job))
    });
    if is_around || depth >= MOST_NESTED || job.state.acquire().accounting.total > 0 {
        return Err(NtStatus::ACCESS_DENIED);
    }
    Ok(true)
}

impl Job {
    /// A process wants to come in: it counts, whether it may or not.
    fn count_newcomer(&self, process: &Process) -> NtResult {
        let over = self.over.is_set();
        let (crowded, refused) = {
            let mut state = self.state.acquire();
            state.accounting.total = state.accounting.total.saturating_add(1);
            let limits = &state.limits;
            let crowded = limits.has(Flags::ACTIVE_PROCESS)
                && state.members.len() >= limits.active_processes as usize;
            let refused = crowded || (over && limits.has(Flags::JOB_TIME));
            if refused {
                state.accounting.terminated = state.accounting.terminated.saturating_add(1);
            }
            (crowded, refused)
        };
        if crowded {
            self.tell(Message::ACTIVE_PROCESS_LIMIT, 0);
        }
        if refused {
            ke::info!("process {} is one too many in its job", process.id());
            return Err(NtStatus::QUOTA_EXCEEDED);
        }
        Ok(())
    }

    /// A process of it has ended.
    fn member_ended(&self, process: &Process, used: &accounting::Used) {
        let (member, is_empty, is_over) = {
            let mut state = self.state.acquire();
            let mut members = state.members.iter();
            let place = members.position(|member| member.id() == process.id());
            let member = place.map(|place| state.members.remove(place));
            state.accounting.add(used);
            let is_empty = state.members.is_empty();
            (member, is_empty, is_empty && state.time_is_over)
        };
        // Whoever ends it has a reference of its own, so this is not the last one.
        drop(member);
        self.tell(port::message_of_end(process.exit_status()), process.id());
        if is_empty {
            self.tell(Message::ACTIVE_PROCESS_ZERO, 0);
        }
        if is_over {
            self.over.set();
        }
    }
}

/// A process has ended: what it used stays with its jobs. Its number is still its own.
#[doc(alias = "PspExitProcessFromJob")]
pub(crate) fn leave(process: &Process) {
    let _hierarchy = HIERARCHY.acquire();
    let membership = process.membership();
    let Some(memory) = membership.memory.acquire().take() else {
        return;
    };
    process.space().set_quota(None);
    memory.give_back();
    let used = accounting::Used::by(process);
    for job in chain(membership.job()) {
        job.member_ended(process, &used);
    }
}

impl Process {
    /// The innermost job that it is in.
    #[doc(alias = "PsGetProcessJob")]
    pub fn job(&self) -> Option<Object<Job>> {
        self.membership().job()
    }

    /// Whether it is in that job, or in one in it; `None`: in any.
    pub fn is_in_job(&self, job: Option<&Object<Job>>) -> bool {
        let mut jobs = chain(self.job());
        match job {
            None => jobs.next().is_some(),
            Some(wanted) => jobs.any(|job| same(&job, wanted)),
        }
    }
}
