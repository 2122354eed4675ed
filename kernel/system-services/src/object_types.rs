//! The types of objects that are the services' own: dispatcher objects with a name, and what is little more than that.

use alloc::collections::VecDeque;

use ex::{FastMutex, KeyedEvent, Quota, QuotaCharge};
use ke::SpinLock;
use ke::dispatcher::{Event, Header, Mutant, OBJECT_BYTES, Queue, Semaphore, TIMER_BYTES, Timer};
use nt_abi::NtResult;
use nt_abi::access::{AccessMask, GenericMapping};
use ob::quota::object_size;
use ob::{AnyObject, CloseOperation, ObjectBody, ObjectType, Procedures, TypeDescription, Waiting};

/// Declares a type whose body is a dispatcher object.
macro_rules! dispatcher_types {
    ($(
        $(#[$doc:meta])*
        $constant:ident, $body:ident($inner:ty), $name:literal: query $query:expr, modify $modify:expr, all $all:expr;
    )*) => {$(
        $(#[$doc])*
        pub(crate) static $constant: ObjectType = ObjectType::new(TypeDescription {
            name: $name,
            mapping: GenericMapping {
                generic_read: AccessMask::STANDARD_RIGHTS_READ.union($query),
                generic_write: AccessMask::STANDARD_RIGHTS_WRITE.union($modify),
                generic_execute: AccessMask::STANDARD_RIGHTS_EXECUTE.union(AccessMask::SYNCHRONIZE),
                generic_all: $all,
            },
            valid_access: $all,
            waiting: Waiting::Body(|object: &AnyObject| -> Option<&'static Header> {
                object.body::<$body>().map(|body| body.0.header())
            }),
            non_paged_charge: object_size::<$body>(OBJECT_BYTES),
            ..TypeDescription::PLAIN
        });

        /// The body of such an object.
        pub(crate) struct $body(pub(crate) $inner);

        impl ObjectBody for $body {
            fn kind() -> &'static ObjectType {
                &$constant
            }
        }
    )*};
}

dispatcher_types! {
    /// Events.
    EVENT, EventBody(Event), "Event":
        query AccessMask::EVENT_QUERY_STATE, modify AccessMask::EVENT_MODIFY_STATE, all AccessMask::EVENT_ALL_ACCESS;
    /// Mutants.
    MUTANT, MutantBody(Mutant), "Mutant":
        query AccessMask::MUTANT_QUERY_STATE, modify AccessMask::NONE, all AccessMask::MUTANT_ALL_ACCESS;
    /// Semaphores.
    SEMAPHORE, SemaphoreBody(Semaphore), "Semaphore":
        query AccessMask::SEMAPHORE_QUERY_STATE, modify AccessMask::SEMAPHORE_MODIFY_STATE,
        all AccessMask::SEMAPHORE_ALL_ACCESS;
}

/// Timers.
pub(crate) static TIMER: ObjectType = ObjectType::new(TypeDescription {
    name: "Timer",
    mapping: GenericMapping {
        generic_read: AccessMask::STANDARD_RIGHTS_READ.union(AccessMask::TIMER_QUERY_STATE),
        generic_write: AccessMask::STANDARD_RIGHTS_WRITE.union(AccessMask::TIMER_MODIFY_STATE),
        generic_execute: AccessMask::STANDARD_RIGHTS_EXECUTE.union(AccessMask::SYNCHRONIZE),
        generic_all: AccessMask::TIMER_ALL_ACCESS,
    },
    valid_access: AccessMask::TIMER_ALL_ACCESS,
    waiting: Waiting::Body(|object| {
        let body = object.body::<TimerBody>()?;
        Some(body.timer.header())
    }),
    non_paged_charge: object_size::<TimerBody>(TIMER_BYTES),
    ..TypeDescription::PLAIN
});

/// A timer.
pub(crate) struct TimerBody {
    pub(crate) timer: Timer,
    /// The number of the APC that it queues when it is due; whoever sets it or stops it has this lock.
    pub(crate) apc: FastMutex<Option<u64>>,
}

impl ObjectBody for TimerBody {
    fn kind() -> &'static ObjectType {
        &TIMER
    }
}

/// Keyed events. To wait for the object itself is to wait for nothing, as for all of NT's in paged pool.
pub(crate) static KEYED_EVENT: ObjectType = ObjectType::new(TypeDescription {
    name: "KeyedEvent",
    mapping: GenericMapping {
        generic_read: AccessMask::STANDARD_RIGHTS_READ.union(AccessMask::KEYEDEVENT_WAIT),
        generic_write: AccessMask::STANDARD_RIGHTS_WRITE.union(AccessMask::KEYEDEVENT_WAKE),
        generic_execute: AccessMask::STANDARD_RIGHTS_EXECUTE,
        generic_all: AccessMask::KEYEDEVENT_ALL_ACCESS,
    },
    valid_access: AccessMask::KEYEDEVENT_ALL_ACCESS.union(AccessMask::SYNCHRONIZE),
    waiting: Waiting::Always,
    paged_charge: object_size::<KeyedEventBody>(0),
    ..TypeDescription::PLAIN
});

/// A keyed event.
pub(crate) struct KeyedEventBody(pub(crate) KeyedEvent);

impl ObjectBody for KeyedEventBody {
    fn kind() -> &'static ObjectType {
        &KEYED_EVENT
    }
}

/// Completion ports.
pub(crate) static IO_COMPLETION: ObjectType = ObjectType::new(TypeDescription {
    name: "IoCompletion",
    mapping: GenericMapping {
        generic_read: AccessMask::STANDARD_RIGHTS_READ.union(AccessMask::IO_COMPLETION_QUERY_STATE),
        generic_write: AccessMask::STANDARD_RIGHTS_WRITE
            .union(AccessMask::IO_COMPLETION_MODIFY_STATE),
        generic_execute: AccessMask::STANDARD_RIGHTS_EXECUTE.union(AccessMask::SYNCHRONIZE),
        generic_all: AccessMask::IO_COMPLETION_ALL_ACCESS,
    },
    valid_access: AccessMask::IO_COMPLETION_ALL_ACCESS,
    waiting: Waiting::Body(|object| {
        let body = object.body::<PortBody>()?;
        Some(body.filled.header())
    }),
    non_paged_charge: object_size::<PortBody>(2 * OBJECT_BYTES),
    procedures: Procedures {
        close: Some(close_port),
        ..Procedures::NONE
    },
    ..TypeDescription::PLAIN
});

/// What a completion port hands on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Packet {
    pub(crate) key: u64,
    pub(crate) value: u64,
    pub(crate) status: u32,
    pub(crate) information: u64,
}

/// What waits in a port.
pub(crate) struct Packets {
    pub(crate) list: VecDeque<Packet>,
    /// For the list's room.
    pub(crate) charge: Option<QuotaCharge>,
}

/// A completion port.
pub(crate) struct PortBody {
    /// Who waits, and how many may work at once.
    pub(crate) queue: Queue,
    /// What waits, first come first. As many as the queue has entries, but for those that somebody is about to take.
    pub(crate) packets: SpinLock<Packets>,
    /// The process that made it, which is charged for their room.
    pub(crate) quota: Quota,
    /// Set while there are packets: what a wait for the object itself waits for.
    pub(crate) filled: Event,
}

impl ObjectBody for PortBody {
    fn kind() -> &'static ObjectType {
        &IO_COMPLETION
    }
}

/// Nobody has a handle any more, so nobody will ever fill it: whoever waits is told.
fn close_port(close: &CloseOperation<'_>) {
    if close.system_handles == 1
        && let Some(port) = close.object.body::<PortBody>()
    {
        port.queue.run_down();
    }
}

pub(crate) fn register() -> NtResult {
    let kinds = [
        &EVENT,
        &MUTANT,
        &SEMAPHORE,
        &TIMER,
        &KEYED_EVENT,
        &IO_COMPLETION,
    ];
    for kind in kinds {
        ob::register_type(kind)?;
    }
    Ok(())
}
