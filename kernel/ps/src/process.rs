//! Processes.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use arch::counted::Counted;
use ke::SpinLock;
use ke::process::{NORMAL_BASE_PRIORITY, ProcessHandle};
use mm::{AddressSpace, AddressSpaceHandle, SpaceOptions};
use nt_abi::access::{AccessMask, GenericMapping};
use nt_abi::{NtResult, NtStatus};
use ob::{
    AnyObject, CreateParameters, HandleTable, Object, ObjectBody, ObjectType, TypeDescription,
    Waiting,
};
use se::Token;

use crate::client_id::ClientId;

/// A token, shared by those who act with it.
pub type SharedToken = Counted<(), Token>;

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
    ..TypeDescription::PLAIN
});

fn wait_header(object: &AnyObject) -> Option<&'static ke::dispatcher::Header> {
    let process = object.body::<Process>()?;
    Some(process.scheduled.process().header())
}

/// A process.
///
/// # NT
/// `EPROCESS`.
pub struct Process {
    id: ClientId,
    parent: u32,
    scheduled: ProcessHandle,
    space: &'static AddressSpace,
    /// Taken when the last thread has ended.
    memory: SpinLock<Option<AddressSpaceHandle>>,
    handles: HandleTable,
    token: SpinLock<SharedToken>,
    /// Threads that were started and have not ended.
    threads: AtomicU32,
    /// No thread can be added any more.
    ends: AtomicBool,
    exit_status: AtomicU32,
    peb: AtomicU64,
    create_time: u64,
    exit_time: AtomicU64,
}

impl ObjectBody for Process {
    fn kind() -> &'static ObjectType {
        &PROCESS
    }
}

/// How a process is to be made.
pub struct ProcessParameters {
    /// The number of the process that makes it; 0: the kernel.
    pub parent: u32,
    /// With which token it acts.
    pub token: SharedToken,
}

impl Process {
    /// Makes a process without threads.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`, `NO_MEMORY`.
    #[doc(alias = "PspCreateProcess")]
    pub fn create(
        parameters: ProcessParameters,
        object: &CreateParameters<'_>,
    ) -> NtResult<ob::Created<Self>> {
        let id = ClientId::take()?;
        let memory = AddressSpaceHandle::create(&SpaceOptions::default())?;
        let space = memory.space();
        let scheduled = ProcessHandle::create(space.id(), NORMAL_BASE_PRIORITY)?;
        scheduled.process().set_memory(space.number());
        let handles = HandleTable::new(id.number(), None);
        let process = Self {
            parent: parameters.parent,
            scheduled,
            space,
            memory: SpinLock::new(Some(memory)),
            handles,
            token: SpinLock::new(parameters.token),
            threads: AtomicU32::new(0),
            ends: AtomicBool::new(false),
            exit_status: AtomicU32::new(NtStatus::PENDING.0),
            peb: AtomicU64::new(0),
            create_time: ke::clock::system_time(),
            exit_time: AtomicU64::new(0),
            id,
        };
        let created = ob::create(process, object)?;
        let erased = Object::as_erased(&created.object).clone();
        created.object.id.stand_for(erased);
        Ok(created)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.id.number()
    }

    /// The number of the process that made it.
    pub fn parent(&self) -> u32 {
        self.parent
    }

    /// Its memory. After its end nothing is in it.
    pub fn space(&self) -> &'static AddressSpace {
        self.space
    }

    /// Its handles.
    pub fn handles(&self) -> &HandleTable {
        &self.handles
    }

    /// The scheduler's part of it.
    pub fn scheduled(&self) -> &'static ke::process::Process {
        self.scheduled.process()
    }

    /// The token that it acts with.
    #[doc(alias = "PsReferencePrimaryToken")]
    pub fn token(&self) -> SharedToken {
        self.token.acquire().clone()
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

    /// When it was made and when it ended (0: not yet), in 100 ns since 1601.
    pub fn times(&self) -> (u64, u64) {
        (self.create_time, self.exit_time.load(Ordering::Relaxed))
    }

    /// Whether it is ending, or has ended.
    pub fn is_ending(&self) -> bool {
        self.ends.load(Ordering::Acquire)
    }

    /// A thread is to be started.
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING`.
    pub(crate) fn add_thread(&self) -> NtResult {
        self.threads.fetch_add(1, Ordering::AcqRel);
        if self.is_ending() {
            // The thread never runs; if it was the last that kept the process, whoever else ended has seen to the rest.
            self.threads.fetch_sub(1, Ordering::AcqRel);
            return Err(NtStatus::PROCESS_IS_TERMINATING);
        }
        Ok(())
    }

    /// Begins its end with that status, unless it has begun: no thread is added any more. True for the first.
    pub(crate) fn begin_end(&self, status: NtStatus) -> bool {
        let first = !self.ends.swap(true, Ordering::AcqRel);
        if first {
            self.exit_status.store(status.0, Ordering::Relaxed);
        }
        first
    }

    /// One of its threads, the calling one, has ended with that status. The last one takes the process apart.
    #[doc(alias = "PspExitProcess")]
    pub(crate) fn thread_ended(&self, status: NtStatus) {
        if self.threads.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        self.begin_end(status);
        self.handles.close_all();
        let memory = self.memory.acquire().take();
        drop(memory);
        self.exit_time
            .store(ke::clock::system_time(), Ordering::Relaxed);
        self.scheduled.process().set_ended();
        self.id.clear();
    }
}
