//! Threads.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arch::contract::{UserState, VirtAddr};
use ke::SpinLock;
use ke::apc::request_attention;
use ke::thread::{ThreadHandle, ThreadStart};
use nt_abi::access::{AccessMask, GenericMapping};
use nt_abi::{NtResult, NtStatus};
use ob::{AnyObject, CreateParameters, Object, ObjectBody, ObjectType, TypeDescription, Waiting};

use crate::Process;
use crate::client_id::{self, ClientId};
use crate::process::SharedToken;

/// A thread's attention is wanted because it is to end; above `ke`'s bits.
pub const ATTENTION_END: u32 = 1 << 16;

/// The type of threads.
///
/// # NT
/// `PsThreadType`.
pub static THREAD: ObjectType = ObjectType::new(TypeDescription {
    name: "Thread",
    mapping: GenericMapping {
        generic_read: AccessMask::STANDARD_RIGHTS_READ
            .union(AccessMask::THREAD_GET_CONTEXT)
            .union(AccessMask::THREAD_QUERY_INFORMATION),
        generic_write: AccessMask::STANDARD_RIGHTS_WRITE
            .union(AccessMask::THREAD_TERMINATE)
            .union(AccessMask::THREAD_SUSPEND_RESUME)
            .union(AccessMask::THREAD_ALERT)
            .union(AccessMask::THREAD_SET_INFORMATION)
            .union(AccessMask::THREAD_SET_CONTEXT),
        generic_execute: AccessMask::STANDARD_RIGHTS_EXECUTE
            .union(AccessMask::SYNCHRONIZE)
            .union(AccessMask::THREAD_QUERY_LIMITED_INFORMATION)
            .union(AccessMask::THREAD_RESUME),
        generic_all: AccessMask::THREAD_ALL_ACCESS,
    },
    valid_access: AccessMask::THREAD_ALL_ACCESS,
    waiting: Waiting::Body(wait_header),
    security_required: true,
    allows_callbacks: true,
    ..TypeDescription::PLAIN
});

fn wait_header(object: &AnyObject) -> Option<&'static ke::dispatcher::Header> {
    let thread = object.body::<Thread>()?;
    Some(thread.scheduled.thread().header())
}

/// A thread of a process.
///
/// # NT
/// `ETHREAD`.
pub struct Thread {
    id: ClientId,
    scheduled: ThreadHandle,
    process: Object<Process>,
    impersonates: SpinLock<Option<SharedToken>>,
    exit_status: AtomicU32,
    teb: AtomicU64,
    /// The routine that it starts at, as whoever made it said.
    start_address: u64,
    create_time: u64,
    exit_time: AtomicU64,
}

impl ObjectBody for Thread {
    fn kind() -> &'static ObjectType {
        &THREAD
    }
}

/// Where a thread begins in user mode.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserStart {
    /// The first instruction.
    pub pc: u64,
    /// The stack pointer.
    pub sp: u64,
    /// The first arguments.
    pub arguments: [u64; 2],
    /// The address of its TEB; 0: none.
    pub teb: u64,
}

/// What a thread does from its first moment in the kernel to its end: gives what it ends with.
pub type UserMode = fn(&Object<Thread>) -> NtStatus;

static USER_MODE: spin::Once<UserMode> = spin::Once::new();

/// Names the loop that threads of processes run. The first call counts.
pub fn set_user_mode(user_mode: UserMode) {
    USER_MODE.call_once(|| user_mode);
}

impl Thread {
    /// Makes a thread of a process; [`start`](Self::start) lets it run.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "PspCreateThread")]
    pub fn create(
        process: &Object<Process>,
        start: &UserStart,
        object: &CreateParameters<'_>,
    ) -> NtResult<ob::Created<Self>> {
        let id = ClientId::take()?;
        let scheduled = ThreadHandle::create(
            process.scheduled(),
            ThreadStart {
                routine: begin,
                argument: u64::from(id.number()),
            },
        )?;
        let user = scheduled.thread().user();
        user.set_pc(VirtAddr(start.pc));
        user.set_sp(VirtAddr(start.sp));
        user.set_teb(VirtAddr(start.teb));
        for (index, argument) in start.arguments.iter().enumerate() {
            user.set_argument(index, *argument);
        }
        let thread = Self {
            scheduled,
            process: process.clone(),
            impersonates: SpinLock::new(None),
            exit_status: AtomicU32::new(NtStatus::PENDING.0),
            teb: AtomicU64::new(start.teb),
            start_address: start.pc,
            create_time: ke::clock::system_time(),
            exit_time: AtomicU64::new(0),
            id,
        };
        ob::create(thread, object)
    }

    /// Lets it run.
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING`; the thread then never runs.
    pub fn start(this: &Object<Self>) -> NtResult {
        this.process.add_thread()?;
        this.id.stand_for(Object::as_erased(this).clone());
        this.scheduled.start();
        Ok(())
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.id.number()
    }

    /// Its process.
    pub fn process(&self) -> &Object<Process> {
        &self.process
    }

    /// The scheduler's part of it.
    pub fn scheduled(&self) -> &'static ke::thread::Thread {
        self.scheduled.thread()
    }

    /// The token that it acts with instead of its process's.
    #[doc(alias = "PsReferenceImpersonationToken")]
    pub fn impersonates(&self) -> Option<SharedToken> {
        self.impersonates.acquire().clone()
    }

    /// The address of its TEB; 0: none.
    pub fn teb(&self) -> u64 {
        self.teb.load(Ordering::Relaxed)
    }

    /// Where it began.
    pub fn start_address(&self) -> u64 {
        self.start_address
    }

    /// What it ended with; `PENDING` while it runs.
    pub fn exit_status(&self) -> NtStatus {
        NtStatus(self.exit_status.load(Ordering::Relaxed))
    }

    /// When it was made and when it ended (0: not yet), in 100 ns since 1601.
    pub fn times(&self) -> (u64, u64) {
        (self.create_time, self.exit_time.load(Ordering::Relaxed))
    }

    /// Makes it end with that status as soon as it is not in the kernel's hands any more. The first status counts.
    #[doc(alias = "PspTerminateThreadByPointer")]
    pub fn end(&self, status: NtStatus) {
        let _ = self.exit_status.compare_exchange(
            NtStatus::PENDING.0,
            status.0,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        let thread = self.scheduled.thread();
        request_attention(thread, ATTENTION_END);
        // A thread that is suspended ends as well.
        while ke::thread::resume(thread) > 1 {}
    }
}

/// Ends a process: no thread is added any more, and each of those that it has ends.
#[doc(alias = "PspTerminateAllThreads")]
pub fn end_process(process: &Object<Process>, status: NtStatus) {
    process.begin_end(status);
    process.scheduled().request_attention(ATTENTION_END);
}

/// The first thing that a thread of a process does.
fn begin(number: u64) {
    let Ok(thread) = client_id::look_up::<Thread>(number) else {
        // It was never started, and only gives its stack back.
        return;
    };
    let status = USER_MODE
        .get()
        .map_or(NtStatus::NOT_IMPLEMENTED, |run| run(&thread));
    exit(&thread, status);
}

/// The calling thread ends; nothing of user mode runs in it any more.
#[doc(alias = "PspExitThread")]
fn exit(thread: &Object<Thread>, status: NtStatus) {
    let _ = thread.exit_status.compare_exchange(
        NtStatus::PENDING.0,
        status.0,
        Ordering::Relaxed,
        Ordering::Relaxed,
    );
    thread
        .exit_time
        .store(ke::clock::system_time(), Ordering::Relaxed);
    thread.process.thread_ended(status);
    thread.id.clear();
}
