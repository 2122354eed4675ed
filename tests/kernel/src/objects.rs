//! Callbacks that watch handles being made, while processors really make handles at once.

use core::sync::atomic::{AtomicU64, Ordering};

use ke::info;
use ke::thread::{ThreadHandle, ThreadStart};
use ke::wait::{WaitOptions, wait_for_one};
use nt_abi::access::AccessMask;
use ob::callbacks::{self, Operation, Registration, TypeCallbacks};
use ob::handle_table::{Duplicate, DuplicateOptions};
use ob::{
    Caller, CreateParameters, HandleAttributes, HandleTable, ObjectBody, ObjectType, Subject,
    TypeDescription, create,
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

struct Probe;

impl ObjectBody for Probe {
    fn kind() -> &'static ObjectType {
        &PROBE
    }
}

/// Calls before and after a handle was made; handles by the rights that they got.
static ASKED_BEFORE: AtomicU64 = AtomicU64::new(0);
static TOLD: AtomicU64 = AtomicU64::new(0);
static WHOLE: AtomicU64 = AtomicU64::new(0);
static CUT: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicU64 = AtomicU64::new(0);

const WATCH: Registration = Registration {
    altitude: "320000",
    types: &[TypeCallbacks {
        kind: &PROBE,
        operations: &[Operation::Create, Operation::Duplicate],
        before: Some(|about| {
            ASKED_BEFORE.fetch_add(1, Ordering::SeqCst);
            about.desired -= AccessMask(0x0001);
            // A right that was not asked for is not given, whatever a callback wants.
            about.desired |= AccessMask(0x0400);
        }),
        after: Some(|_| _ = TOLD.fetch_add(1, Ordering::SeqCst)),
    }],
};

/// Makes an object with a handle and a copy of that handle; gives the rights of both.
fn rights(table: &HandleTable) -> Result<[AccessMask; 2], &'static str> {
    let caller = Caller {
        table,
        ..Caller::kernel()
    };
    let parameters = CreateParameters {
        access: ASKED,
        ..CreateParameters::KERNEL
    };
    let handle = create(Probe, &parameters)
        .and_then(|created| created.into_handle(&caller))
        .map_err(|_| "an object cannot be made")?;
    let copy = Duplicate {
        source: caller,
        handle,
        target: Some(table),
        access: ASKED,
        attributes: HandleAttributes::empty(),
        options: DuplicateOptions::empty(),
        subject: Some(Subject::kernel()),
    };
    let copy = copy.perform().map_err(|_| "a handle cannot be copied")?;
    let mut rights = [AccessMask::NONE; 2];
    for (slot, handle) in rights.iter_mut().zip([Some(handle), copy]) {
        let handle = handle.ok_or("there is no copy")?;
        *slot = table.entry(handle).map_err(|_| "a handle is lost")?.granted;
        caller
            .close(handle)
            .map_err(|_| "a handle does not close")?;
    }
    Ok(rights)
}

/// Makes handles again and again: each has all rights or those that the callback leaves.
fn make_handles(rounds: u64) {
    let table = HandleTable::new(8, None);
    for _ in 0..rounds {
        let Ok(both) = rights(&table) else {
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

/// A callback takes rights away while it is registered, and never afterwards, whatever other processors do meanwhile.
pub(crate) fn object_callbacks() -> TestResult {
    const THREADS: usize = 8;
    const REGISTRATIONS: u64 = 200;
    ob::register_type(&PROBE).map_err(|_| "no memory for a type")?;
    let table = HandleTable::new(8, None);
    let mut threads = [const { None }; THREADS];
    for slot in &mut threads {
        let start = ThreadStart {
            routine: make_handles,
            argument: 2_000,
        };
        let thread = ThreadHandle::create(ke::process::system(), start)
            .map_err(|_| "no memory for a thread")?;
        thread.start();
        *slot = Some(thread);
    }
    for _ in 0..REGISTRATIONS {
        let watch = callbacks::register(WATCH).map_err(|_| "no memory for a registration")?;
        if rights(&table)? != [STRIPPED; 2] {
            return Err("a callback that is registered takes no rights");
        }
        callbacks::unregister(&watch);
        // Handles of other threads are made all the time: a call that still came would be counted here.
        let calls = [&ASKED_BEFORE, &TOLD].map(|calls| calls.load(Ordering::SeqCst));
        if rights(&table)? != [ASKED; 2]
            || [&ASKED_BEFORE, &TOLD].map(|calls| calls.load(Ordering::SeqCst)) != calls
        {
            return Err("a callback that is not registered any more is called");
        }
    }
    for thread in threads.iter().flatten() {
        wait_for_one(thread.thread().header(), &WaitOptions::kernel());
    }
    let [whole, cut, wrong] = [&WHOLE, &CUT, &WRONG].map(|count| count.load(Ordering::SeqCst));
    info!("{whole} handles with all rights, {cut} with fewer, {wrong} with wrong ones");
    if wrong != 0 {
        return Err("a handle has rights that nobody gave it");
    }
    if (PROBE.objects().0, PROBE.handles().0) != (0, 0) {
        return Err("objects or handles are left");
    }
    Ok(())
}
