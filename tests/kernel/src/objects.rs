//! Callbacks that watch handles being made, while processors really make handles at once.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ke::clock;
use ke::schedule::yield_execution;
use ke::thread::{ThreadHandle, ThreadStart};
use ke::wait::{WaitOptions, wait_for_one};
use ke::{SpinLock, info};
use nt_abi::access::AccessMask;
use ob::callbacks::{self, Operation, PostOperation, PreOperation, Registration, TypeCallbacks};
use ob::handle_table::{Duplicate, DuplicateOptions};
use ob::{
    AnyObject, Caller, CreateParameters, HandleAttributes, HandleTable, ObjectBody, ObjectType,
    Subject, TypeDescription, create,
};

type TestResult = Result<(), &'static str>;

/// Both rights are asked for; the callback takes the second one.
const ASKED: AccessMask = AccessMask(0x0011);
const STRIPPED: AccessMask = AccessMask(0x0010);

static PROBE: ObjectType = ObjectType::new(TypeDescription {
    name: "Probe",
    valid_access: AccessMask::PROCESS_ALL_ACCESS,
    allows_callbacks: true,
    ..TypeDescription::PLAIN
});

struct Probe {
    /// Whether each call about it is written down.
    is_watched: bool,
}

impl ObjectBody for Probe {
    fn kind() -> &'static ObjectType {
        &PROBE
    }
}

/// The processes of the watched object's two handles, and of everybody else's.
const SOURCE: u32 = 8;
const TARGET: u32 = 12;
const OTHERS: u32 = 16;

/// What a callback was told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    Before {
        operation: Operation,
        object: usize,
        is_kernel_handle: bool,
        processes: [u32; 2],
        rights: [AccessMask; 2],
    },
    After {
        operation: Operation,
        object: usize,
        is_kernel_handle: bool,
        granted: AccessMask,
    },
}

/// The calls about the watched object. There is room for one more than there may be.
static CALLS: SpinLock<[Option<Call>; 5]> = SpinLock::new([None; 5]);
/// Calls before and after a handle was made; those before with wrong contents; handles by the rights that they got.
static ASKED_BEFORE: AtomicU64 = AtomicU64::new(0);
static TOLD: AtomicU64 = AtomicU64::new(0);
static ASKED_WRONGLY: AtomicU64 = AtomicU64::new(0);
static WHOLE: AtomicU64 = AtomicU64::new(0);
static CUT: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicU64 = AtomicU64::new(0);
/// The other threads are to end.
static ENOUGH: AtomicBool = AtomicBool::new(false);

fn write_down(object: &AnyObject, call: Call) {
    if object.body::<Probe>().is_some_and(|probe| probe.is_watched)
        && let Some(slot) = CALLS.acquire().iter_mut().find(|slot| slot.is_none())
    {
        *slot = Some(call);
    }
}

fn before(about: &mut PreOperation<'_>) {
    ASKED_BEFORE.fetch_add(1, Ordering::SeqCst);
    let (processes, rights) = (
        [about.source_process, about.target_process],
        [about.original, about.desired],
    );
    if rights != [ASKED; 2] || about.is_kernel_handle {
        ASKED_WRONGLY.fetch_add(1, Ordering::SeqCst);
    }
    let call = Call::Before {
        operation: about.operation,
        object: about.object.address(),
        is_kernel_handle: about.is_kernel_handle,
        processes,
        rights,
    };
    write_down(about.object, call);
    about.desired -= AccessMask(0x0001);
    // A right that was not asked for is not given, whatever a callback wants.
    about.desired |= AccessMask(0x0400);
}

fn after(about: &PostOperation<'_>) {
    TOLD.fetch_add(1, Ordering::SeqCst);
    let call = Call::After {
        operation: about.operation,
        object: about.object.address(),
        is_kernel_handle: about.is_kernel_handle,
        granted: about.granted,
    };
    write_down(about.object, call);
}

const WATCH: Registration = Registration {
    altitude: "320000",
    types: &[TypeCallbacks {
        kind: &PROBE,
        operations: &[Operation::Create, Operation::Duplicate],
        before: Some(before),
        after: Some(after),
    }],
};

/// The calls that there must be about an object: about its handle, then about the copy in another process.
fn expected_calls(object: usize) -> [Option<Call>; 5] {
    let about = |operation, processes| {
        let before = Call::Before {
            operation,
            object,
            is_kernel_handle: false,
            processes,
            rights: [ASKED; 2],
        };
        let after = Call::After {
            operation,
            object,
            is_kernel_handle: false,
            granted: STRIPPED,
        };
        [Some(before), Some(after)]
    };
    let [first, second] = about(Operation::Create, [SOURCE; 2]);
    let [third, fourth] = about(Operation::Duplicate, [SOURCE, TARGET]);
    [first, second, third, fourth, None]
}

/// Makes an object with a handle in one table and a copy in another; gives the rights of both, and the object's address.
fn rights(
    [table, target]: [&HandleTable; 2],
    is_watched: bool,
) -> Result<([AccessMask; 2], usize), &'static str> {
    let caller = Caller {
        table,
        ..Caller::kernel()
    };
    let parameters = CreateParameters {
        access: ASKED,
        ..CreateParameters::KERNEL
    };
    let handle = create(Probe { is_watched }, &parameters)
        .and_then(|created| created.into_handle(&caller))
        .map_err(|_| "an object cannot be made")?;
    let copy = Duplicate {
        source: caller,
        handle,
        target: Some(target),
        access: ASKED,
        attributes: HandleAttributes::empty(),
        options: DuplicateOptions::empty(),
        subject: Some(Subject::kernel()),
    };
    let copy = copy.perform().map_err(|_| "a handle cannot be copied")?;
    let mut rights = [AccessMask::NONE; 2];
    let mut object = 0;
    for (slot, (table, handle)) in rights
        .iter_mut()
        .zip([(table, Some(handle)), (target, copy)])
    {
        let handle = handle.ok_or("there is no copy")?;
        let entry = table.entry(handle).map_err(|_| "a handle is lost")?;
        (*slot, object) = (entry.granted, entry.object.address());
        drop(entry);
        Caller { table, ..caller }
            .close(handle)
            .map_err(|_| "a handle does not close")?;
    }
    Ok((rights, object))
}

/// Makes handles until it is enough: each has all rights or those that the callback leaves.
fn make_handles(_: u64) {
    let table = HandleTable::new(OTHERS, None);
    while !ENOUGH.load(Ordering::SeqCst) {
        let Ok((both, _)) = rights([&table; 2], false) else {
            WRONG.fetch_add(1, Ordering::SeqCst);
            return;
        };
        for granted in both {
            let count = match granted {
                ASKED => &WHOLE,
                STRIPPED => &CUT,
                _ => &WRONG,
            };
            count.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Waits until other threads have made more handles of a kind.
fn meets(count: &AtomicU64) -> bool {
    let deadline = clock::deadline(60_000);
    let before = count.load(Ordering::SeqCst);
    while count.load(Ordering::SeqCst) == before {
        if clock::has_passed(deadline) {
            return false;
        }
        yield_execution();
    }
    true
}

/// Registers, looks, unregisters, and looks again.
fn one_registration(tables: [&HandleTable; 2]) -> TestResult {
    *CALLS.acquire() = [None; 5];
    let watch = callbacks::register(WATCH).map_err(|_| "no memory for a registration")?;
    let (both, object) = rights(tables, true)?;
    let met = meets(&CUT);
    callbacks::unregister(&watch);
    if both != [STRIPPED; 2] {
        return Err("a callback that is registered takes no rights");
    }
    if *CALLS.acquire() != expected_calls(object) {
        return Err("the calls about an object are not those that there must be");
    }
    if !met {
        return Err("handles of other processors do not meet a registration");
    }
    // Handles of other threads are made all the time: a call that still came would be counted here.
    let counted = || [&ASKED_BEFORE, &TOLD].map(|calls| calls.load(Ordering::SeqCst));
    let calls = counted();
    let (both, _) = rights(tables, true)?;
    if !meets(&WHOLE) {
        return Err("handles of other processors still meet what is not registered");
    }
    if both != [ASKED; 2] || counted() != calls {
        return Err("a callback that is not registered any more is called");
    }
    Ok(())
}

/// A callback takes rights away while it is registered, and never afterwards, whatever other processors do meanwhile; it is
/// called once for each handle, before and after.
pub(crate) fn object_callbacks() -> TestResult {
    const THREADS: usize = 6;
    const REGISTRATIONS: u64 = 40;
    ob::register_type(&PROBE).map_err(|_| "no memory for a type")?;
    let tables = [SOURCE, TARGET].map(|process| HandleTable::new(process, None));
    let mut threads = [const { None }; THREADS];
    for slot in &mut threads {
        let start = ThreadStart::kernel(make_handles, 0);
        let thread = ThreadHandle::create(ke::process::system(), start)
            .map_err(|_| "no memory for a thread")?;
        thread.start();
        *slot = Some(thread);
    }
    let result = (0..REGISTRATIONS).try_for_each(|_| one_registration(tables.each_ref()));
    ENOUGH.store(true, Ordering::SeqCst);
    for thread in threads.iter().flatten() {
        wait_for_one(thread.thread().header(), &WaitOptions::kernel());
    }
    result?;
    let [whole, cut, wrong] = [&WHOLE, &CUT, &WRONG].map(|count| count.load(Ordering::SeqCst));
    info!("{whole} handles with all rights, {cut} with fewer, {wrong} with wrong ones");
    if wrong != 0 {
        return Err("a handle has rights that nobody gave it");
    }
    if ASKED_WRONGLY.load(Ordering::SeqCst) != 0 {
        return Err("a callback is told rights that nobody asked for");
    }
    // Who was asked took a right away: the watched object's two handles each time, and the others'.
    if ASKED_BEFORE.load(Ordering::SeqCst) != cut + 2 * REGISTRATIONS {
        return Err("a handle was not asked for once");
    }
    if (PROBE.objects().0, PROBE.handles().0) != (0, 0) {
        return Err("objects or handles are left");
    }
    Ok(())
}
