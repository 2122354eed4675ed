//! The registers of another thread: it saves and sets them itself, in an APC, because part of them is in its processor.
//!
//! # NT
//! `PspGetSetContextSpecialApc`.

use arch::contract::UserContext;
use arch::thread::UserState;
use ke::SpinLock;
use ke::apc::{Apc, ApcRoutines, Form};
use ke::dispatcher::{Event, EventKind};
use ke::wait::{WaitOptions, wait_for_one};
use nt_abi::{NtResult, NtStatus};
use ps::Thread;
use rtl::IdTable;
use rtl::id_table::{Reuse, Value};

use arch::counted::Counted;

/// `CONTEXT` of this machine.
pub(crate) type Context = <UserState as UserContext>::Context;

/// What is asked of the thread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Get,
    Set,
}

/// A request, shared by who asks and the thread that is asked.
struct Request {
    what: What,
    context: SpinLock<(Context, NtStatus)>,
    done: Event,
}

type SharedRequest = Counted<(), Request>;

/// Requests under way, by the number that their APC carries.
static REQUESTS: SpinLock<IdTable<SharedRequest>> = SpinLock::new(IdTable::new(Reuse::FirstFreed));

fn take_request(number: u64) -> Option<SharedRequest> {
    let number = u32::try_from(number).ok()?;
    REQUESTS.acquire().remove(Value(number))
}

static ROUTINES: ApcRoutines = ApcRoutines {
    kernel: |apc, call| {
        apc.give_back();
        if let Some(request) = take_request(call.context) {
            perform(&request);
        }
    },
    normal: None,
    run_down: |apc| {
        let number = apc.context();
        apc.give_back();
        if let Some(request) = take_request(number) {
            request.context.acquire().1 = NtStatus::UNSUCCESSFUL;
            request.done.set();
        }
    },
};

/// In the thread whose registers are meant.
fn perform(request: &Request) {
    let user = ke::thread::current().user();
    let mut context = request.context.acquire().0;
    match request.what {
        What::Get => user.save(&mut context),
        What::Set => user.load(&context),
    }
    *request.context.acquire() = (context, NtStatus::SUCCESS);
    request.done.set();
}

/// Fills in the registers that the context's flags ask for.
///
/// # Errors
/// `UNSUCCESSFUL` if the thread ends; `INSUFFICIENT_RESOURCES`.
#[doc(alias = "PsGetContextThread")]
pub(crate) fn get(thread: &Thread, context: Context) -> NtResult<Context> {
    ask(thread, What::Get, context)
}

/// Sets the registers that the context's flags name.
///
/// # Errors
/// As [`get`].
#[doc(alias = "PsSetContextThread")]
pub(crate) fn set(thread: &Thread, context: Context) -> NtResult {
    ask(thread, What::Set, context).map(|_| ())
}

fn ask(thread: &Thread, what: What, mut context: Context) -> NtResult<Context> {
    let scheduled = thread.scheduled();
    if core::ptr::eq(scheduled, ke::thread::current()) {
        match what {
            What::Get => scheduled.user().save(&mut context),
            What::Set => scheduled.user().load(&context),
        }
        return Ok(context);
    }
    let request = Request {
        what,
        context: SpinLock::new((context, NtStatus::PENDING)),
        done: Event::new(EventKind::Notification, false)?,
    };
    let request = Counted::new((), request).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    let number = REQUESTS.acquire().insert(request.clone())?;
    let queued = Apc::take(
        scheduled,
        Form::SpecialKernel,
        &ROUTINES,
        0,
        u64::from(number.0),
    )
    .and_then(|apc| {
        if apc.queue([0; 2], 0) {
            Ok(())
        } else {
            apc.give_back();
            Err(NtStatus::UNSUCCESSFUL)
        }
    });
    if let Err(status) = queued {
        drop(take_request(u64::from(number.0)));
        return Err(status);
    }
    wait_for_one(request.done.header(), &WaitOptions::kernel());
    let (context, status) = *request.context.acquire();
    match status {
        NtStatus::SUCCESS => Ok(context),
        status => Err(status),
    }
}
