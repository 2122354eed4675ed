//! Asynchronous procedure calls: what a thread is made to run.
//!
//! | form | runs | at | held back by |
//! |---|---|---|---|
//! | special kernel | as soon as the level is below Apc | Apc | Apc level |
//! | kernel | as above, if none is running and no critical region is entered | Passive | critical regions |
//! | user | in user mode, when the thread waits alertably or asks for it | user mode | |
//! | special user | in user mode, as soon as the thread goes there | user mode | |
//!
//! An APC's kernel part runs first, at Apc level, in each case; it may change or
//! take away the rest. For user mode that rest is an address and three values, which
//! `ps` hands to ntdll's dispatcher.
//!
//! A kernel APC runs in the address space of the process that it was made for, its thread's own: while the thread is attached
//! to another one it waits. One that is made for the space that its thread uses at the moment ([`Apc::of_current_space`])
//! waits for that one instead, as NT's do that complete I/O of an attached thread.
//!
//! A thread's **attention** (a word that the floor looks at on the way to user mode)
//! says that it has something to do there: [`ATTENTION_USER_APC`], or a bit of `ps`.
//! A wait on behalf of user mode ends while the attention is wanted.

mod alert;
pub(crate) mod attention;
mod delivery;
mod region;

use core::sync::atomic::Ordering;

use arch::AtomicRef;
use arch::contract::UserState;
use nt_abi::NtResult;

use crate::arena::{Arena, Chunks, Slot, no_chunks};
use crate::dispatcher::list::{Linked, Links, List};
use crate::dispatcher::{self, Database, Field, Word};
use crate::process::Process;
use crate::processor;
use crate::thread::{self, State, Thread};
use crate::wait::{WaitOptions, wait_for_one};

pub use alert::{alert, alert_by_id, test_alert, wait_for_alert_by_id};
pub use attention::request_attention;
use attention::{kick_for_kernel_apc, waits_alertably_for_user, want_attention};
pub(crate) use delivery::deliver;
pub use delivery::take_user_apc;
pub use region::{
    CriticalRegion, GuardedRegion, are_all_apcs_disabled, are_apcs_disabled, critical_region,
    guarded_region,
};

/// User APCs are to be delivered.
pub const ATTENTION_USER_APC: u32 = 1;
/// A special user APC is to be delivered: on the way to user mode, without an end to a wait that is not alertable.
pub const ATTENTION_SPECIAL_USER_APC: u32 = 1 << 31;

/// When an APC runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Form {
    /// At Apc level, held back by nothing but that level.
    SpecialKernel = 0,
    /// At Passive, one at a time.
    Kernel = 1,
    /// In user mode, when the thread waits alertably or asks for it.
    User = 2,
    /// In user mode, when the thread next goes there.
    SpecialUser = 3,
}

impl Word for Form {
    fn pack(self) -> u64 {
        self as u64
    }

    fn unpack(word: u64) -> Self {
        match word {
            1 => Self::Kernel,
            2 => Self::User,
            3 => Self::SpecialUser,
            _ => Self::SpecialKernel,
        }
    }
}

/// What an APC does; the same for all of a kind, hence a static.
pub struct ApcRoutines {
    /// Runs at Apc level in the thread, when the APC is out of the queue. It may give the APC back.
    pub kernel: fn(apc: &'static Apc, call: &mut ApcCall),
    /// Runs at Passive in the thread, for [`Form::Kernel`].
    pub normal: Option<fn(call: &ApcCall)>,
    /// Runs instead of all that if the thread ends first.
    pub run_down: fn(apc: &'static Apc),
}

/// What the rest of an APC gets: an address in user mode, and three values.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ApcCall {
    /// The routine in user mode; 0: none.
    pub routine: u64,
    /// The first value, set when the APC was made (`NormalContext`).
    pub context: u64,
    /// The other two, set when it was queued.
    pub arguments: [u64; 2],
}

/// An APC.
///
/// # NT
/// `KAPC`.
pub struct Apc {
    links: Links<Apc>,
    routines: AtomicRef<ApcRoutines>,
    thread: AtomicRef<Thread>,
    /// The process in whose address space a kernel APC runs.
    home: AtomicRef<Process>,
    form: Field<Form>,
    routine: Field<u64>,
    context: Field<u64>,
    arguments: [Field<u64>; 2],
    inserted: Field<bool>,
    free: AtomicRef<Apc>,
}

/// The list of APCs of a thread.
pub(crate) enum Queue {}

impl Linked<Queue> for Apc {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl Slot for Apc {
    fn make(_number: u32) -> Self {
        Self::new()
    }

    fn free_link(&self) -> &AtomicRef<Self> {
        &self.free
    }
}

/// What programs may queue to each other as they like. Kernel APCs have a store of their own: one for each thread that waits
/// for another's context, and there are no more threads than stacks for them.
static USER_APCS: Arena<Apc, 128, 4096> = Arena::new(&USER_APCS_CHUNKS);
static USER_APCS_CHUNKS: Chunks<Apc, 4096> = no_chunks();
static KERNEL_APCS: Arena<Apc, 32, 1024> = Arena::new(&KERNEL_APCS_CHUNKS);
static KERNEL_APCS_CHUNKS: Chunks<Apc, 1024> = no_chunks();

/// Bytes of memory that an APC takes: what a process may be charged for it.
pub const APC_BYTES: usize = size_of::<Apc>();

/// A thread's APCs.
pub(crate) struct ApcState {
    kernel: List<Apc, Queue>,
    user: List<Apc, Queue>,
    /// A kernel APC's normal part is running.
    in_progress: Field<bool>,
    /// Critical regions entered; written by the thread alone.
    disabled: Field<u32>,
    /// Guarded regions entered; written by the thread alone.
    special_disabled: Field<u32>,
    /// Whether APCs may be queued: not any more when the thread ends.
    accepts: Field<bool>,
    suspension: Apc,
}

impl ApcState {
    pub(crate) const fn new() -> Self {
        Self {
            kernel: List::new(),
            user: List::new(),
            in_progress: Field::zero(),
            disabled: Field::zero(),
            special_disabled: Field::zero(),
            accepts: Field::zero(),
            suspension: Apc::new(),
        }
    }

    pub(crate) fn reset(&self, database: &Database) {
        self.in_progress.set(database, false);
        self.disabled.set(database, 0);
        self.special_disabled.set(database, 0);
        self.accepts.set(database, true);
        self.suspension.inserted.set(database, false);
    }

    pub(crate) fn accepts(&self, database: &Database) -> bool {
        self.accepts.get(database)
    }

    /// Whether a kernel APC of `thread`, whose state this is, could run now, were the level below Apc.
    #[inline]
    pub(crate) fn kernel_deliverable(&self, database: &Database, thread: &Thread) -> bool {
        !self.kernel.is_empty(database) && self.next_kernel(database, thread).is_some()
    }

    /// The kernel APC that could run now, were the level below Apc.
    fn next_kernel(&self, database: &Database, thread: &Thread) -> Option<&'static Apc> {
        if self.special_disabled.get(database) > 0 {
            return None;
        }
        let special_only = self.disabled.get(database) > 0 || self.in_progress.get(database);
        let space = thread.space_owner();
        let mut next = self.kernel.first(database);
        while let Some(apc) = next {
            // Special ones come first.
            if special_only && apc.form.get(database) != Form::SpecialKernel {
                return None;
            }
            if is_same(apc.home.get(), space) {
                return Some(apc);
            }
            next = self.kernel.next(database, apc);
        }
        None
    }

    pub(crate) fn has_user(&self, database: &Database) -> bool {
        !self.user.is_empty(database)
    }
}

impl Apc {
    const fn new() -> Self {
        Self {
            links: Links::new(),
            routines: AtomicRef::none(),
            thread: AtomicRef::none(),
            home: AtomicRef::none(),
            form: Field::zero(),
            routine: Field::zero(),
            context: Field::zero(),
            arguments: [const { Field::zero() }; 2],
            inserted: Field::zero(),
            free: AtomicRef::none(),
        }
    }

    /// Makes one for a thread; `call.arguments` come when it is queued.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "KeInitializeApc")]
    pub fn take(
        thread: &'static Thread,
        form: Form,
        routines: &'static ApcRoutines,
        routine: u64,
        context: u64,
    ) -> NtResult<&'static Self> {
        let apc = match form {
            Form::User | Form::SpecialUser => USER_APCS.take()?,
            Form::Kernel | Form::SpecialKernel => KERNEL_APCS.take()?,
        };
        let database = dispatcher::lock();
        apc.fill(&database, thread, form, routines, routine, context);
        Ok(apc)
    }

    fn fill(
        &self,
        database: &Database,
        thread: &'static Thread,
        form: Form,
        routines: &'static ApcRoutines,
        routine: u64,
        context: u64,
    ) {
        self.thread.set(Some(thread));
        self.home.set(thread.process());
        self.routines.set(Some(routines));
        self.form.set(database, form);
        self.routine.set(database, routine);
        self.context.set(database, context);
        self.inserted.set(database, false);
    }

    /// Makes it one for the address space that its thread uses at the moment, instead of its process's own. For an APC of the
    /// calling thread that is in no queue.
    ///
    /// # NT
    /// `CurrentApcEnvironment`; the other is `OriginalApcEnvironment`.
    pub fn of_current_space(&'static self) -> &'static Self {
        if let Some(thread) = self.thread.get() {
            self.home.set(thread.space_owner());
        }
        self
    }

    /// The first value of its call, set when it was made: for those who run it down.
    pub fn context(&self) -> u64 {
        self.context.glance()
    }

    /// Gives one back that is in no queue.
    pub fn give_back(&'static self) {
        // The form is what it was taken with: nothing changes it.
        match self.form.glance() {
            Form::User | Form::SpecialUser => USER_APCS.give_back(self),
            Form::Kernel | Form::SpecialKernel => KERNEL_APCS.give_back(self),
        }
    }

    /// The thread that it is for.
    pub fn thread(&self) -> Option<&'static Thread> {
        self.thread.get()
    }

    /// Queues it; false if it is queued already, or its thread takes none any more.
    #[doc(alias = "KeInsertQueueApc")]
    pub fn queue(&'static self, arguments: [u64; 2], increment: u8) -> bool {
        let database = dispatcher::lock();
        self.set_arguments(&database, arguments);
        self.queue_locked(&database, increment)
    }

    /// The values that its routine gets; one that is queued already keeps those that it was queued with.
    pub(crate) fn set_arguments(&self, database: &Database, arguments: [u64; 2]) {
        if !self.inserted.get(database) {
            for (field, value) in self.arguments.iter().zip(arguments) {
                field.set(database, value);
            }
        }
    }

    pub(crate) fn queue_locked(&'static self, database: &Database, increment: u8) -> bool {
        let Some(thread) = self.thread.get() else {
            return false;
        };
        if self.inserted.get(database) || !thread.apc.accepts.get(database) {
            return false;
        }
        self.inserted.set(database, true);
        match self.form.get(database) {
            Form::SpecialKernel => {
                insert_special(database, &thread.apc.kernel, self);
                kick_for_kernel_apc(database, thread, increment);
            }
            Form::Kernel => {
                thread.apc.kernel.push_back(database, self);
                kick_for_kernel_apc(database, thread, increment);
            }
            Form::User => {
                thread.apc.user.push_back(database, self);
                if waits_alertably_for_user(database, thread) {
                    want_attention(database, thread, ATTENTION_USER_APC, increment);
                }
            }
            Form::SpecialUser => {
                insert_special(database, &thread.apc.user, self);
                if waits_alertably_for_user(database, thread) {
                    want_attention(database, thread, ATTENTION_USER_APC, increment);
                }
                let attention = thread.user().attention();
                attention.fetch_or(ATTENTION_SPECIAL_USER_APC, Ordering::Relaxed);
                if thread.state.get(database) == State::Running {
                    processor::request_look(database, thread.processor.get(database));
                }
            }
        }
        true
    }

    /// Takes it out of its queue; false if it is in none.
    #[doc(alias = "KeRemoveQueueApc")]
    pub fn remove(&'static self) -> bool {
        let database = dispatcher::lock();
        let inserted = self.inserted.get(&database);
        if let Some(thread) = self.thread.get().filter(|_| inserted) {
            match self.form.get(&database) {
                Form::User | Form::SpecialUser => thread.apc.user.remove(&database, self),
                _ => thread.apc.kernel.remove(&database, self),
            }
            self.inserted.set(&database, false);
        }
        inserted
    }

    fn call(&self, database: &Database) -> ApcCall {
        ApcCall {
            routine: self.routine.get(database),
            context: self.context.get(database),
            arguments: [
                self.arguments[0].get(database),
                self.arguments[1].get(database),
            ],
        }
    }
}

/// Puts a special APC behind those of its form, and before the others.
fn insert_special(database: &Database, queue: &List<Apc, Queue>, apc: &'static Apc) {
    let form = apc.form.get(database);
    let mut last = None;
    let mut next = queue.first(database);
    while let Some(earlier) = next.filter(|other| other.form.get(database) == form) {
        last = Some(earlier);
        next = queue.next(database, earlier);
    }
    match last {
        Some(last) => queue.insert_behind(database, last, apc),
        None => queue.push_front(database, apc),
    }
}

fn is_same(one: Option<&'static Process>, other: Option<&'static Process>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => core::ptr::eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

/// The calling thread ends: what is queued is run down, and nothing more is.
pub(crate) fn run_down(thread: &'static Thread) {
    loop {
        let database = dispatcher::lock();
        thread.apc.accepts.set(&database, false);
        let next = match thread.apc.kernel.pop_front(&database) {
            Some(apc) => Some(apc),
            None => thread.apc.user.pop_front(&database),
        };
        let Some(apc) = next else { return };
        apc.inserted.set(&database, false);
        drop(database);
        if let Some(routines) = apc.routines.get() {
            (routines.run_down)(apc);
        }
    }
}

static SUSPENSION: ApcRoutines = ApcRoutines {
    kernel: |_, _| (),
    normal: Some(|_| {
        let thread = thread::current();
        // It waits for nothing but its own resumption, whatever alerts come.
        let _ = wait_for_one(&thread.resume_event, &WaitOptions::suspended());
    }),
    run_down: |_| (),
};

/// Makes a thread wait until it is resumed, as soon as it takes kernel APCs.
pub(crate) fn request_suspension(database: &Database, thread: &'static Thread) {
    let apc = &thread.apc.suspension;
    if !apc.inserted.get(database) {
        apc.fill(database, thread, Form::Kernel, &SUSPENSION, 0, 0);
        apc.queue_locked(database, 0);
    }
}
