//! Jobs: processes that are ruled together.
//!
//! A process is in one job, or in a chain of them: each job of the chain is *in* the next one. A job's members are the
//! processes that are in it or in a job in it. What is to hold for a process is what the strictest job of its chain says.
//!
//! Who belongs to what changes under one lock for all jobs ([`HIERARCHY`]), which is held while address spaces are asked
//! and never while a process is ended: its end takes the lock itself. What a job says of itself has a lock of its own,
//! under which nothing is dropped and nobody called.
//!
//! | module | what |
//! |---|---|
//! | `members` | who is in which job: assignment, inheritance, end |
//! | [`limits`] | which limits there are, and what several of them make |
//! | `settings` | setting limits, and what comes of it for the members |
//! | `memory` | what members commit |
//! | [`accounting`] | what members used; limits of time |
//! | [`port`] | what the job's completion port is told |
//!
//! # NT
//! `EJOB`, `PsJobType`; "Nested Jobs", "Job Objects".

pub mod accounting;
pub mod limits;
mod members;
mod memory;
pub mod port;
mod settings;

use alloc::vec::Vec;

use ex::FastMutex;
use ke::SpinLock;
use ke::dispatcher::{Event, EventKind};
use nt_abi::access::{AccessMask, GenericMapping};
use nt_abi::job::{EndOfJobTimeAction, JobLimitFlags, JobObjectMessage, JobUiLimits};
use nt_abi::{NtResult, NtStatus};
use ob::object_type::{CloseOperation, Procedures};
use ob::quota::object_size;
use ob::{AnyObject, Object, ObjectBody, ObjectType, TypeDescription, Waiting};

use crate::Process;
use crate::client_id;
use accounting::Accounting;
use limits::{Effective, Limits};
pub use members::{Breakaway, MOST_NESTED, assign, inherit};
pub(crate) use members::{Membership, leave};
use memory::{JOB_PLACES, JobMemory};
use port::Port;

/// The type of jobs.
///
/// # NT
/// `PsJobType`.
pub static JOB: ObjectType = ObjectType::new(TypeDescription {
    name: "Job",
    mapping: GenericMapping {
        generic_read: AccessMask::STANDARD_RIGHTS_READ.union(AccessMask::JOB_OBJECT_QUERY),
        generic_write: AccessMask::STANDARD_RIGHTS_WRITE
            .union(AccessMask::JOB_OBJECT_ASSIGN_PROCESS)
            .union(AccessMask::JOB_OBJECT_SET_ATTRIBUTES)
            .union(AccessMask::JOB_OBJECT_TERMINATE),
        generic_execute: AccessMask::STANDARD_RIGHTS_EXECUTE.union(AccessMask::SYNCHRONIZE),
        generic_all: AccessMask::JOB_OBJECT_ALL_ACCESS,
    },
    valid_access: AccessMask::JOB_OBJECT_ALL_ACCESS,
    waiting: Waiting::Body(wait_header),
    security_required: true,
    procedures: Procedures {
        close: Some(closed),
        ..Procedures::NONE
    },
    non_paged_charge: object_size::<Job>(size_of::<JobMemory>()),
    ..TypeDescription::PLAIN
});

fn wait_header(object: &AnyObject) -> Option<&'static ke::dispatcher::Header> {
    Some(object.body::<Job>()?.over.header())
}

/// The last handle was closed: nobody hears of the job any more, and it may have promised to end its processes then.
fn closed(close: &CloseOperation<'_>) {
    if close.system_handles != 1 {
        return;
    }
    let Some(job) = close.object.body::<Job>() else {
        return;
    };
    drop(job.replace_port(None));
    if job.limits().has(JobLimitFlags::KILL_ON_JOB_CLOSE) {
        job.end_members(NtStatus::SUCCESS);
    }
}

/// Held while a process comes into a job or leaves it, and while limits are set.
static HIERARCHY: FastMutex<()> = FastMutex::new(());

/// What a process ends with that a limit does not allow: `ERROR_NOT_ENOUGH_QUOTA`.
pub const LIMIT_EXIT_STATUS: NtStatus = NtStatus(1816);

/// A job.
///
/// # NT
/// `EJOB`.
pub struct Job {
    /// Set when its time is over and its processes have ended.
    over: Event,
    memory: &'static JobMemory,
    state: SpinLock<State>,
}

/// What a job says of itself.
struct State {
    /// The job that it is in.
    outer: Option<Object<Job>>,
    /// Processes that are in it, or in a job in it, and have not ended.
    members: Vec<Object<Process>>,
    limits: Limits,
    ui_limits: JobUiLimits,
    end_of_time: EndOfJobTimeAction,
    port: Option<Port>,
    accounting: Accounting,
    /// Its time is over; when its last process has ended, it is signalled.
    time_is_over: bool,
}

impl ObjectBody for Job {
    fn kind() -> &'static ObjectType {
        &JOB
    }
}

impl Job {
    /// A job without limits, in no other.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn new() -> NtResult<Self> {
        let over = Event::new(EventKind::Notification, false)?;
        Ok(Self {
            over,
            memory: JOB_PLACES.take(JobMemory::new)?,
            state: SpinLock::new(State {
                outer: None,
                members: Vec::new(),
                limits: Limits::default(),
                ui_limits: JobUiLimits::empty(),
                end_of_time: EndOfJobTimeAction::TERMINATE_AT_END_OF_JOB,
                port: None,
                accounting: Accounting::default(),
                time_is_over: false,
            }),
        })
    }

    /// Its limits.
    pub fn limits(&self) -> Limits {
        self.state.acquire().limits
    }

    /// What its processes may not do on the desktop.
    pub fn ui_limits(&self) -> JobUiLimits {
        self.state.acquire().ui_limits
    }

    /// What happens when its time is over.
    pub fn end_of_time(&self) -> EndOfJobTimeAction {
        self.state.acquire().end_of_time
    }

    /// Says what happens when its time is over.
    pub fn set_end_of_time(&self, action: EndOfJobTimeAction) {
        self.state.acquire().end_of_time = action;
    }

    /// The most that one of its processes, and all of them together, committed; in bytes.
    pub fn memory_peaks(&self) -> (u64, u64) {
        use core::sync::atomic::Ordering::Relaxed;
        let memory = self.memory;
        (memory.peak_process.load(Relaxed), memory.peak.load(Relaxed))
    }

    /// What all of its processes commit, in bytes.
    pub fn committed(&self) -> u64 {
        self.memory.used.load(core::sync::atomic::Ordering::Relaxed)
    }

    /// The job that it is in.
    pub fn outer(&self) -> Option<Object<Self>> {
        self.state.acquire().outer.clone()
    }

    /// The numbers of its processes.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn member_ids(&self) -> NtResult<Vec<u32>> {
        let mut ids = Vec::new();
        loop {
            let wanted = {
                let state = self.state.acquire();
                if ids.capacity() >= state.members.len() {
                    ids.extend(state.members.iter().map(|member| member.id()));
                    return Ok(ids);
                }
                state.members.len()
            };
            ids.try_reserve(wanted)
                .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        }
    }

    /// Ends all processes that are in it, with that status.
    #[doc(alias = "PspTerminateAllProcessesInJob")]
    pub fn end_members(&self, status: NtStatus) {
        while let Some(process) = self.member(|process| !process.is_ending()) {
            process.end(status);
        }
    }

    /// The first of its processes that is so.
    fn member(&self, is_so: impl Fn(&Process) -> bool) -> Option<Object<Process>> {
        let state = self.state.acquire();
        let mut members = state.members.iter();
        members.find(|member| is_so(member)).cloned()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        accounting::limits_change(self.limits().flags, JobLimitFlags::empty());
        self.memory.clear();
        JOB_PLACES.give_back(self.memory);
    }
}

/// A job and those around it, the innermost first.
pub fn chain(innermost: Option<Object<Job>>) -> impl Iterator<Item = Object<Job>> {
    core::iter::successors(innermost, |job| job.outer())
}

/// Does something with what its jobs say of a process; they say the same until it is done.
pub(crate) fn with_limits<T>(process: &Process, action: impl FnOnce(Effective) -> T) -> T {
    let _hierarchy = HIERARCHY.acquire();
    action(settings::effective(process))
}

/// Whether two references are to the same job.
fn same(one: &Object<Job>, other: &Object<Job>) -> bool {
    Object::as_erased(one).same(Object::as_erased(other))
}

/// A process wanted to commit more than a limit of the job with that place allows.
fn memory_limit_met(process: u32, place: &'static JobMemory, message: JobObjectMessage) {
    let Ok(found) = client_id::look_up::<Process>(u64::from(process)) else {
        // It has not run yet: whoever makes it gets the status.
        return;
    };
    let job = chain(found.job()).find(|job| core::ptr::eq(job.memory, place));
    if let Some(job) = job {
        job.tell(message, process);
    }
}
