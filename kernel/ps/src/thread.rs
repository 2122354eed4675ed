//! Threads.
//!
//! A thread is made with its stack and its TEB. Both go back when it ends, however it ends, and if it is never started; a
//! process that ends gives all of its memory back at once.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arch::contract::{UserState, VirtAddr};
use ex::RundownProtection;
use ke::SpinLock;
use ke::thread::{ThreadHandle, ThreadStart, make_end};
use nt_abi::BugCheckCode;
use nt_abi::access::{AccessMask, GenericMapping};
use nt_abi::{NtResult, NtStatus};
use ob::object_type::{OpenOperation, Procedures};
use ob::quota::object_size;
use ob::{AnyObject, CreateParameters, Object, ObjectBody, ObjectType, TypeDescription, Waiting};

use crate::Process;
use crate::client_id::{self, ClientId};
use crate::environment;
use crate::quota::QueuedApcs;
use crate::settings::ThreadSettings;
use crate::token::{self, SharedToken};
use crate::user_stack::{StackRequest, UserStack};

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
    procedures: Procedures {
        open: Some(implied_rights),
        ..Procedures::NONE
    },
    non_paged_charge: object_size::<Thread>(ke::thread::THREAD_BYTES),
    ..TypeDescription::PLAIN
});

fn wait_header(object: &AnyObject) -> Option<&'static ke::dispatcher::Header> {
    let thread = object.body::<Thread>()?;
    Some(thread.scheduled.thread().header())
}

/// Who may ask for everything may ask for what everybody may know; the same for setting and resuming.
///
/// # NT
/// `PspThreadOpen`.
#[doc(alias = "PspThreadOpen")]
fn implied_rights(open: &OpenOperation<'_>) -> NtResult<AccessMask> {
    let mut granted = open.granted;
    for (right, implied) in [
        (
            AccessMask::THREAD_QUERY_INFORMATION,
            AccessMask::THREAD_QUERY_LIMITED_INFORMATION,
        ),
        (
            AccessMask::THREAD_SET_INFORMATION,
            AccessMask::THREAD_SET_LIMITED_INFORMATION,
        ),
        (AccessMask::THREAD_SUSPEND_RESUME, AccessMask::THREAD_RESUME),
    ] {
        if granted.contains(right) {
            granted |= implied;
        }
    }
    Ok(granted)
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
    /// Who uses the TEB from another thread is inside: it does not go away meanwhile.
    teb_use: RundownProtection,
    stack: UserStack,
    /// The routine that it starts at, as whoever made it said.
    start_address: AtomicU64,
    create_time: u64,
    exit_time: AtomicU64,
    settings: ThreadSettings,
    /// How many timers are to call something in it.
    pub armed_timers: AtomicU32,
    queued_apcs: QueuedApcs,
}

impl ObjectBody for Thread {
    fn kind() -> &'static ObjectType {
        &THREAD
    }
}

/// How a thread is to be made.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadParameters {
    /// Its routine.
    pub start: u64,
    /// What that gets.
    pub argument: u64,
    /// Its stack.
    pub stack: StackRequest,
    /// Whether it waits to be resumed before it runs.
    pub suspended: bool,
}

/// What a thread does from its first moment in the kernel to its end: gives what it ends with.
pub type UserMode = fn(&Object<Thread>) -> NtStatus;

static USER_MODE: spin::Once<UserMode> = spin::Once::new();

/// Told of a thread that ends, in that thread, when nothing of user mode runs in it any more.
pub type EndObserver = fn(&Object<Thread>);

static END_OBSERVER: spin::Once<EndObserver> = spin::Once::new();

/// Names who is told of threads that end. The first call counts.
pub fn set_end_observer(observer: EndObserver) {
    END_OBSERVER.call_once(|| observer);
}

/// Names the loop that threads of processes run. The first call counts.
pub fn set_user_mode(user_mode: UserMode) {
    USER_MODE.call_once(|| user_mode);
}

impl Thread {
    /// Makes a thread of a process; [`start`](Self::start) lets it run.
    ///
    /// It begins at its routine, or at `RtlUserThreadStart` with the routine and its argument where the process has that.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`, `NO_MEMORY`, `COMMITMENT_LIMIT`; `PROCESS_IS_TERMINATING`; those of the object's name and
    /// security.
    #[doc(alias = "PspCreateThread")]
    pub fn create(
        process: &Object<Process>,
        parameters: &ThreadParameters,
        object: &CreateParameters<'_>,
    ) -> NtResult<ob::Created<Self>> {
        let id = ClientId::take()?;
        let scheduled = ThreadHandle::create(
            process.scheduled(),
            ThreadStart::user(begin, u64::from(id.number())),
        )?;
        scheduled.thread().set_client_id(process.id(), id.number());
        let space = process.space();
        let of_image = process.look_at_image(|image| {
            let headers = &image.information.headers;
            let sizes = (headers.stack_reserve, headers.stack_commit);
            (sizes, image.routines.thread_start)
        });
        let (sizes, begins_by) = of_image.unwrap_or(((0, 0), 0));
        let ids = (process.id(), id.number());
        let (stack, teb) =
            environment::create_thread_memory(space, process.peb(), ids, &parameters.stack, sizes)?;
        let user = scheduled.thread().user();
        user.set_sp(VirtAddr(first_stack_pointer(&stack)));
        user.set_teb(VirtAddr(teb));
        if begins_by == 0 {
            user.set_pc(VirtAddr(parameters.start));
            user.set_argument(0, parameters.argument);
        } else {
            user.set_pc(VirtAddr(begins_by));
            user.set_argument(0, parameters.start);
            user.set_argument(1, parameters.argument);
        }
        if parameters.suspended {
            // Of a thread that nobody else knows yet this cannot be refused.
            ke::thread::suspend(scheduled.thread())?;
        }
        let thread = Self {
            scheduled,
            process: process.clone(),
            impersonates: SpinLock::new(None),
            exit_status: AtomicU32::new(NtStatus::PENDING.0),
            teb: AtomicU64::new(teb),
            teb_use: RundownProtection::new(),
            stack,
            start_address: AtomicU64::new(parameters.start),
            create_time: ke::clock::system_time(),
            exit_time: AtomicU64::new(0),
            settings: ThreadSettings::new(),
            armed_timers: AtomicU32::new(0),
            queued_apcs: QueuedApcs::new(process.quota().clone()),
            id,
        };
        ob::create(thread, object)
    }

    /// The thread that calls, if it is one of a process.
    #[doc(alias = "PsGetCurrentThread")]
    pub fn current() -> Option<Object<Self>> {
        let (_, number) = ke::thread::try_current()?.client_id();
        client_id::look_up(u64::from(number)).ok()
    }

    /// Lets it run.
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING`; the thread then never runs.
    pub fn start(this: &Object<Self>) -> NtResult {
        Process::add_thread(&this.process)?;
        this.id.stand_for(Object::as_erased(this).clone());
        this.scheduled.start();
        if this.process.is_ending() {
            // The end began after `add_thread` and before the thread was on the process's list: it was not told. Whoever
            // began it took the dispatcher's lock after the process was marked, and `start` took it before this look.
            make_end(this.scheduled.thread(), ATTENTION_END);
        }
        Ok(())
    }

    /// Charges its process for one APC more that is queued to it.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`.
    pub fn charge_apc(&self) -> NtResult {
        self.queued_apcs.charge()
    }

    /// An APC that [`charge_apc`](Self::charge_apc) was called for is queued no more.
    pub fn apc_is_over(&self) {
        self.queued_apcs.give_back();
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

    /// Makes it act with that token, or with its process's again. A token with which the process may not act is replaced
    /// by a copy of the level Identification.
    ///
    /// # NT
    /// `PsImpersonateClient`.
    ///
    /// # Errors
    /// `BAD_TOKEN_TYPE` for a primary token; `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "PsImpersonateClient")]
    pub fn set_impersonation(&self, token: Option<SharedToken>) -> NtResult {
        let token = match token {
            None => None,
            Some(token) => Some(token::for_impersonation(
                &self.process.token().state(),
                token,
            )?),
        };
        let before = core::mem::replace(&mut *self.impersonates.acquire(), token);
        drop(before);
        Ok(())
    }

    /// What is set of it.
    pub fn settings(&self) -> &ThreadSettings {
        &self.settings
    }

    /// The address of its TEB; 0: it has none any more.
    pub fn teb(&self) -> u64 {
        self.teb.load(Ordering::Relaxed)
    }

    /// Does something with its TEB, which stays where it is meanwhile; `None` if it has none any more.
    ///
    /// Without this another thread's TEB is only a number: the thread may end, and something else be at that address.
    pub fn with_teb<T>(&self, action: impl FnOnce(u64) -> T) -> Option<T> {
        // The thread waits with its end for who is inside: nobody may be stopped there.
        let _not_suspended = ke::apc::critical_region();
        let _inside = self.teb_use.enter()?;
        match self.teb() {
            0 => None,
            teb => Some(action(teb)),
        }
    }

    /// The stack that it was made with.
    pub fn stack(&self) -> UserStack {
        self.stack
    }

    /// Where it began, or what it was said to be since.
    pub fn start_address(&self) -> u64 {
        self.start_address.load(Ordering::Relaxed)
    }

    /// Says where it began.
    pub fn set_start_address(&self, address: u64) {
        self.start_address.store(address, Ordering::Relaxed);
    }

    /// What it ended with; `PENDING` while it runs.
    pub fn exit_status(&self) -> NtStatus {
        NtStatus(self.exit_status.load(Ordering::Relaxed))
    }

    /// What it ended with, as far as others are told: `PENDING` until it has ended.
    pub fn exit_status_if_ended(&self) -> NtStatus {
        if self.scheduled.has_ended() {
            self.exit_status()
        } else {
            NtStatus::PENDING
        }
    }

    /// When it was made and when it ended (0: not yet), in 100 ns since 1601.
    pub fn times(&self) -> (u64, u64) {
        (self.create_time, self.exit_time.load(Ordering::Relaxed))
    }

    /// Makes it end with that status as soon as it is not in the kernel's hands any more. The first status counts.
    #[doc(alias = "PspTerminateThreadByPointer")]
    pub fn end(&self, status: NtStatus) {
        self.set_exit_status(status);
        make_end(self.scheduled.thread(), ATTENTION_END);
    }

    /// Whether it is made to end, or has ended.
    pub fn is_ending(&self) -> bool {
        self.exit_status() != NtStatus::PENDING || self.process.is_ending()
    }

    /// The first status counts.
    fn set_exit_status(&self, status: NtStatus) {
        let _ = self.exit_status.compare_exchange(
            NtStatus::PENDING.0,
            status.0,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }

    /// Gives back what it has of the process's memory.
    fn free_environment(&self) {
        self.teb_use.wait();
        let teb = self.teb.swap(0, Ordering::Relaxed);
        if teb != 0 && !self.process.is_ending() {
            // What is left of an address space that has ended is gone already.
            let space = self.process.space();
            space.free_thread(teb, self.stack.allocation_base);
        }
    }
}

/// The threads of a process that were started and have not ended, with ascending numbers.
pub fn threads_of(process: &Process) -> impl Iterator<Item = Object<Thread>> {
    let number = process.id();
    let mut after = 0;
    core::iter::from_fn(move || {
        loop {
            let thread = client_id::next_after::<Thread>(after)?;
            after = thread.id();
            if thread.process.id() == number {
                return Some(thread);
            }
        }
    })
}

/// Ends every thread of a process but one, with that status; the process remains, and may get other threads.
pub fn end_others(process: &Process, except: &Thread, status: NtStatus) {
    for thread in threads_of(process) {
        if thread.id() != except.id() {
            thread.end(status);
        }
    }
}

/// As after a call: aligned as the machine wants it, with room for what a function may store for its caller.
fn first_stack_pointer(stack: &UserStack) -> u64 {
    /// Windows leaves the home area of four arguments and some more.
    const ROOM: u64 = 0x50;
    ((stack.base - ROOM) & !0xF) - <arch::thread::UserState as UserState>::RETURN_ADDRESS_BYTES
}

impl Drop for Thread {
    fn drop(&mut self) {
        // Only one that never ran has something left.
        self.free_environment();
    }
}

/// The first thing that a thread of a process does.
fn begin(number: u64) {
    let Ok(thread) = client_id::look_up::<Thread>(number) else {
        // It was never started, and only gives its stack back.
        return;
    };
    // A process that began to end before the thread was one of its own could not tell it so.
    let status = if thread.is_ending() {
        match thread.exit_status() {
            NtStatus::PENDING => NtStatus::THREAD_IS_TERMINATING,
            status => status,
        }
    } else {
        USER_MODE
            .get()
            .map_or(NtStatus::NOT_IMPLEMENTED, |run| run(&thread))
    };
    exit(&thread, status);
}

/// The calling thread ends; nothing of user mode runs in it any more.
#[doc(alias = "PspExitThread")]
fn exit(thread: &Object<Thread>, status: NtStatus) {
    let status = match thread.process.is_ending() {
        true => thread.process.exit_status(),
        false => status,
    };
    thread.set_exit_status(status);
    if thread.settings.break_on_termination.load(Ordering::Relaxed) {
        /// `PsThreadType`'s number in the bug check.
        const THREAD_OBJECT: u64 = 6;
        ke::bug_check::stop(
            BugCheckCode::CRITICAL_OBJECT_TERMINATION,
            [
                THREAD_OBJECT,
                u64::from(thread.id()),
                u64::from(status.0),
                0,
            ],
        );
    }
    thread.free_environment();
    thread
        .exit_time
        .store(ke::clock::system_time(), Ordering::Relaxed);
    if let Some(observer) = END_OBSERVER.get() {
        observer(thread);
    }
    thread.queued_apcs.give_all_back();
    thread.process.thread_ended(status);
    thread.id.clear();
}
