//! Processes.
//!
//! A process **lives** from its making until its last thread has ended, or until it is ended before it had one. Then its
//! handles are closed and its memory is given back, at once and by whoever ended last; the object remains, with its exit
//! status and times, while anybody has a handle. Who asks something of the memory of such a process is told
//! `PROCESS_IS_TERMINATING`.

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use ex::{Quota, QuotaKind};
use ke::SpinLock;
use ke::clock::ResolutionRequest;
use ke::process::{NORMAL_BASE_PRIORITY, ProcessHandle};
use mm::{AddressSpace, AddressSpaceHandle, SpaceOptions};
use nt_abi::BugCheckCode;
use nt_abi::access::{AccessMask, GenericMapping};
use nt_abi::{NtResult, NtStatus};
use ob::object_type::{CloseOperation, OpenOperation, Procedures};
use ob::quota::object_size;
use ob::{
    AnyObject, CreateParameters, Handle, HandleTable, Object, ObjectBody, ObjectType,
    TypeDescription, Waiting,
};

use crate::client_id::ClientId;
use crate::image::Loaded;
use crate::job;
use crate::quota;
use crate::settings::ProcessSettings;
pub use crate::token::SharedToken;

/// The type of processes.
///
/// # NT
/// `PsProcessType`.
pub static PROCESS: ObjectType = ObjectType::new(TypeDescription {
    name: "Process",
    mapping: GenericMapping {
        generic_read: AccessMask::STANDARD_RIGHTS_READ
            .union(AccessMask::PROCESS_VM_READ)
            .union(AccessMask::PROCESS_QUERY_INFORMATION),
        generic_write: AccessMask::STANDARD_RIGHTS_WRITE
            .union(AccessMask::PROCESS_CREATE_PROCESS)
            .union(AccessMask::PROCESS_CREATE_THREAD)
            .union(AccessMask::PROCESS_VM_OPERATION)
            .union(AccessMask::PROCESS_VM_WRITE)
            .union(AccessMask::PROCESS_DUP_HANDLE)
            .union(AccessMask::PROCESS_TERMINATE)
            .union(AccessMask::PROCESS_SET_QUOTA)
            .union(AccessMask::PROCESS_SET_INFORMATION),
        generic_execute: AccessMask::STANDARD_RIGHTS_EXECUTE
            .union(AccessMask::SYNCHRONIZE)
            .union(AccessMask::PROCESS_QUERY_LIMITED_INFORMATION)
            .union(AccessMask::PROCESS_TERMINATE),
        generic_all: AccessMask::PROCESS_ALL_ACCESS,
    },
    valid_access: AccessMask::PROCESS_ALL_ACCESS,
    waiting: Waiting::Body(wait_header),
    security_required: true,
    allows_callbacks: true,
    procedures: Procedures {
        open: Some(implied_rights),
        close: Some(closed),
        ..Procedures::NONE
    },
    non_paged_charge: object_size::<Process>(ke::process::PROCESS_BYTES),
    ..TypeDescription::PLAIN
});

fn wait_header(object: &AnyObject) -> Option<&'static ke::dispatcher::Header> {
    let process = object.body::<Process>()?;
    Some(process.scheduled.process().header())
}

/// Who may ask for everything may ask for what everybody may know; the same for setting.
///
/// # NT
/// `PspProcessOpen`.
#[doc(alias = "PspProcessOpen")]
fn implied_rights(open: &OpenOperation<'_>) -> NtResult<AccessMask> {
    let mut granted = open.granted;
    if granted.contains(AccessMask::PROCESS_QUERY_INFORMATION) {
        granted |= AccessMask::PROCESS_QUERY_LIMITED_INFORMATION;
    }
    if granted.contains(AccessMask::PROCESS_SET_INFORMATION) {
        granted |= AccessMask::PROCESS_SET_LIMITED_INFORMATION;
    }
    Ok(granted)
}

/// Without a handle nobody can give it its first thread: it ends, and leaves its jobs.
fn closed(close: &CloseOperation<'_>) {
    if close.system_handles == 1
        && let Some(process) = close.object.body::<Process>()
    {
        process.end_without_threads();
    }
}

/// A process.
///
/// # NT
/// `EPROCESS`.
pub struct Process {
    id: ClientId,
    parent: u32,
    scheduled: ProcessHandle,
    memory: AddressSpaceHandle,
    handles: HandleTable,
    quota: Quota,
    token: SpinLock<SharedToken>,
    life: SpinLock<Life>,
    /// What `life` says of the end, to be looked at without the lock.
    ends: AtomicBool,
    exit_status: AtomicU32,
    image: SpinLock<Option<Loaded>>,
    peb: AtomicU64,
    create_time: u64,
    exit_time: AtomicU64,
    /// How often it wants the clock to interrupt.
    resolution: SpinLock<Option<ResolutionRequest>>,
    membership: job::Membership,
    settings: ProcessSettings,
}

/// How far a process's life is.
struct Life {
    /// Threads that were started and have not ended.
    threads: u32,
    /// No thread can be added any more. When there is none left then, the process has ended.
    ends: bool,
}

impl ObjectBody for Process {
    fn kind() -> &'static ObjectType {
        &PROCESS
    }
}

/// How a process is to be made.
pub struct ProcessParameters<'a> {
    /// The number of the process that makes it; 0: the kernel.
    pub parent: u32,
    /// With which token it acts.
    pub token: SharedToken,
    /// Whose inheritable handles it gets, and which of them.
    pub inherit: Option<Inheritance<'a>>,
}

/// Which handles a new process gets.
pub struct Inheritance<'a> {
    /// Whose.
    pub from: &'a Process,
    /// Which of those that can be inherited, in ascending order and each once; `None`: all.
    pub only: Option<&'a [u64]>,
}

impl Process {
    /// Makes a process without threads.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`, `NO_MEMORY`, `QUOTA_EXCEEDED`; `INVALID_PARAMETER` if a handle that it is to get is none or
    /// cannot be inherited; those of the object's name and security.
    #[doc(alias = "PspCreateProcess")]
    pub fn create(
        parameters: ProcessParameters<'_>,
        object: &CreateParameters<'_>,
    ) -> NtResult<ob::Created<Self>> {
        let id = ClientId::take()?;
        let quota = quota::new()?;
        let memory = AddressSpaceHandle::create(&SpaceOptions::default())?;
        memory.set_pool_quota(quota.clone());
        let scheduled = ProcessHandle::create(memory.id(), NORMAL_BASE_PRIORITY)?;
        scheduled.process().set_memory(memory.number());
        let handles = HandleTable::new(id.number(), Some(quota.clone()));
        if let Some(inherit) = parameters.inherit {
            let found = Cell::new(0);
            let wanted = |handle: Handle| {
                let is_wanted = inherit
                    .only
                    .is_none_or(|list| list.binary_search(&handle.0).is_ok());
                found.set(found.get() + usize::from(is_wanted));
                is_wanted
            };
            let mut inherited = handles.inherit(inherit.from.handles(), wanted);
            if inherit.only.is_some_and(|list| list.len() != found.get()) {
                inherited = inherited.and(Err(NtStatus::INVALID_PARAMETER));
            }
            if let Err(status) = inherited {
                handles.close_all();
                return Err(status);
            }
        }
        let process = Self {
            parent: parameters.parent,
            scheduled,
            memory,
            handles,
            quota,
            token: SpinLock::new(parameters.token),
            life: SpinLock::new(Life {
                threads: 0,
                ends: false,
            }),
            ends: AtomicBool::new(false),
            exit_status: AtomicU32::new(NtStatus::PENDING.0),
            image: SpinLock::new(None),
            peb: AtomicU64::new(0),
            create_time: ke::clock::system_time(),
            exit_time: AtomicU64::new(0),
            resolution: SpinLock::new(None),
            membership: job::Membership::none(),
            settings: ProcessSettings::new(),
            id,
        };
        ob::create(process, object)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.id.number()
    }

    /// The number of the process that made it.
    pub fn parent(&self) -> u32 {
        self.parent
    }

    /// Its memory, for as long as the process object is there. After its end nothing is in it, and nothing comes in.
    pub fn space(&self) -> &AddressSpace {
        &self.memory
    }

    /// Its handles.
    pub fn handles(&self) -> &HandleTable {
        &self.handles
    }

    /// What it takes of the pools, and how much it may.
    pub fn quota(&self) -> &Quota {
        &self.quota
    }

    /// The scheduler's part of it.
    pub fn scheduled(&self) -> &'static ke::process::Process {
        self.scheduled.process()
    }

    /// What it knows of its jobs.
    pub(crate) fn membership(&self) -> &job::Membership {
        &self.membership
    }

    /// What is set of it.
    pub fn settings(&self) -> &ProcessSettings {
        &self.settings
    }

    /// Takes over what a new process has from the one that makes it; before it has threads.
    pub fn inherit_settings(&self, parent: &Self) {
        for kind in [QuotaKind::PagedPool, QuotaKind::NonPagedPool] {
            self.quota.set_limit(kind, parent.quota.usage(kind).limit);
        }
        self.memory
            .set_pagefile_limit(parent.memory.pagefile_limit());
        self.settings.inherit(&parent.settings);
        self.set_class(self.settings.class());
        let affinity = ke::schedule::process_affinity(parent.scheduled());
        // What the parent may use can be used.
        let _ = ke::schedule::set_process_affinity(self.scheduled(), affinity);
        let disabled = ke::schedule::process_boosts_disabled(parent.scheduled());
        ke::schedule::set_process_boosts_disabled(self.scheduled(), disabled);
    }

    /// Replaces the token that it acts with, before its first thread was started.
    ///
    /// # Errors
    /// `BAD_TOKEN_TYPE` for an impersonation token; `NOT_SUPPORTED` once it has run.
    #[doc(alias = "PspAssignPrimaryToken")]
    pub fn set_token(&self, token: SharedToken) -> NtResult {
        if token.state().kind() != se::TokenKind::Primary {
            return Err(NtStatus::BAD_TOKEN_TYPE);
        }
        let life = self.life.acquire();
        if life.threads > 0 || life.ends {
            return Err(NtStatus::NOT_SUPPORTED);
        }
        let before = core::mem::replace(&mut *self.token.acquire(), token);
        drop(life);
        drop(before);
        Ok(())
    }

    /// Ends it if it has no thread.
    fn end_without_threads(&self) {
        let over = {
            let mut life = self.life.acquire();
            life.threads == 0 && self.begin_end(&mut life, NtStatus::SUCCESS)
        };
        if over {
            self.take_apart();
        }
    }

    /// The token that it acts with.
    #[doc(alias = "PsReferencePrimaryToken")]
    pub fn token(&self) -> SharedToken {
        self.token.acquire().clone()
    }

    /// The image that it runs, if one was mapped.
    pub fn image(&self) -> Option<Loaded> {
        *self.image.acquire()
    }

    /// What `look` finds in the image that it runs, if one was mapped.
    pub fn look_at_image<R>(&self, look: impl FnOnce(&Loaded) -> R) -> Option<R> {
        self.image.acquire().as_ref().map(look)
    }

    /// Says which image it runs.
    pub fn set_image(&self, image: Loaded) {
        *self.image.acquire() = Some(image);
    }

    /// The address of its PEB; 0 while there is none.
    pub fn peb(&self) -> u64 {
        self.peb.load(Ordering::Relaxed)
    }

    /// Says where its PEB is.
    pub fn set_peb(&self, address: u64) {
        self.peb.store(address, Ordering::Relaxed);
    }

    /// What it ended with; `PENDING` while it runs.
    #[doc(alias = "PsGetProcessExitStatus")]
    pub fn exit_status(&self) -> NtStatus {
        NtStatus(self.exit_status.load(Ordering::Relaxed))
    }

    /// What it ended with, as far as others are told: `PENDING` until it has ended.
    pub fn exit_status_if_ended(&self) -> NtStatus {
        if self.has_ended() {
            self.exit_status()
        } else {
            NtStatus::PENDING
        }
    }

    /// When it was made and when it ended (0: not yet), in 100 ns since 1601.
    pub fn times(&self) -> (u64, u64) {
        (self.create_time, self.exit_time.load(Ordering::Relaxed))
    }

    /// Replaces what it wants of the clock; gives what it wanted until now. At its end it wants nothing.
    pub fn set_resolution(&self, wanted: Option<ResolutionRequest>) -> Option<ResolutionRequest> {
        core::mem::replace(&mut *self.resolution.acquire(), wanted)
    }

    /// Whether it is ending, or has ended.
    pub fn is_ending(&self) -> bool {
        self.ends.load(Ordering::Acquire)
    }

    /// Whether it has ended: nothing of it is left but what this object says.
    pub fn has_ended(&self) -> bool {
        let life = self.life.acquire();
        life.ends && life.threads == 0
    }

    /// How many of its threads were started and have not ended.
    pub fn threads(&self) -> u32 {
        self.life.acquire().threads
    }

    /// A thread is to be started. From the first one on the process can be found by its number.
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING`.
    pub(crate) fn add_thread(this: &Object<Self>) -> NtResult {
        let first = {
            let mut life = this.life.acquire();
            if life.ends {
                return Err(NtStatus::PROCESS_IS_TERMINATING);
            }
            life.threads += 1;
            life.threads == 1
        };
        if first {
            this.id.stand_for(Object::as_erased(this).clone());
        }
        Ok(())
    }

    /// Ends it with that status, unless its end has begun: no thread is added any more, and each that there is ends. True for
    /// the first.
    #[doc(alias = "PspTerminateAllThreads")]
    pub fn end(&self, status: NtStatus) -> bool {
        let (first, over) = {
            let mut life = self.life.acquire();
            let first = self.begin_end(&mut life, status);
            (first, first && life.threads == 0)
        };
        if over {
            self.take_apart();
        } else {
            // Also for who is not the first: threads may have been suspended since.
            self.scheduled()
                .make_threads_end(crate::thread::ATTENTION_END);
        }
        first
    }

    /// The end begins, with that status, unless it has; true then.
    fn begin_end(&self, life: &mut Life, status: NtStatus) -> bool {
        if life.ends {
            return false;
        }
        life.ends = true;
        self.exit_status.store(status.0, Ordering::Relaxed);
        // Release: who sees it sees the status.
        self.ends.store(true, Ordering::Release);
        true
    }

    /// One of its threads, the calling one, has ended with that status. The last one takes the process apart.
    #[doc(alias = "PspExitProcess")]
    pub(crate) fn thread_ended(&self, status: NtStatus) {
        let last = {
            let mut life = self.life.acquire();
            life.threads -= 1;
            let last = life.threads == 0;
            if last {
                self.begin_end(&mut life, status);
            }
            last
        };
        if last {
            self.take_apart();
        }
    }

    /// No thread is left and none will come: everything goes back but the object. Called once.
    fn take_apart(&self) {
        if self.settings.break_on_termination.load(Ordering::Relaxed) {
            let status = u64::from(self.exit_status().0);
            ke::bug_check::stop(
                BugCheckCode::CRITICAL_PROCESS_DIED,
                [u64::from(self.id()), status, 0, 0],
            );
        }
        self.handles.close_all();
        self.memory.clear();
        drop(self.set_resolution(None));
        job::leave(self);
        self.exit_time
            .store(ke::clock::system_time(), Ordering::Relaxed);
        self.scheduled.process().set_ended();
        self.id.clear();
    }
}
