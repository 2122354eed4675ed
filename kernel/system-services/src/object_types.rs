//! The types of objects that are nothing but a dispatcher object with a name: events, mutants, semaphores.

use ke::dispatcher::{Event, Header, Mutant, Semaphore};
use nt_abi::NtResult;
use nt_abi::access::{AccessMask, GenericMapping};
use ob::{AnyObject, ObjectBody, ObjectType, TypeDescription, Waiting};

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

pub(crate) fn register() -> NtResult {
    for kind in [&EVENT, &MUTANT, &SEMAPHORE] {
        ob::register_type(kind)?;
    }
    Ok(())
}
