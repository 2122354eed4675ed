//! The table against itself, against another implementation, and in use.

extern crate std;

use std::collections::BTreeSet;

use super::arguments::{ArgumentKind, Direction, Handle, In, Length, ServiceArgument, Target};
use super::*;
use crate::{NtResult, NtStatus};

#[test]
fn names_are_unique_and_sorted_in_each_group() {
    let names: BTreeSet<_> = SERVICES.iter().map(|service| service.name).collect();
    assert_eq!(names.len(), SERVICES.len());
    for group in SERVICES.chunk_by(|left, right| left.component == right.component) {
        assert!(
            group.is_sorted_by_key(|service| service.name),
            "{:?}",
            group[0].component
        );
    }
}

#[test]
fn a_number_is_the_place_in_the_table() {
    for (place, service) in SERVICES.iter().enumerate() {
        assert_eq!(usize::from(service.number), place);
        assert_eq!(
            by_name(service.name).map(|found| found.number),
            Some(service.number)
        );
    }
    assert_eq!(SERVICES[usize::from(number::NtClose)].name, "NtClose");
    assert!(by_name("NtNoSuchService").is_none());
    assert!(by_number(u16::MAX).is_none());
}

#[test]
fn functions_are_named_after_services() {
    for (service, function) in SERVICES.iter().zip(FUNCTION_NAMES) {
        assert_eq!(service.name.to_lowercase(), function.replace('_', ""));
    }
}

#[test]
fn notes_are_of_services_that_are_done() {
    for service in SERVICES.iter().filter(|service| !service.note().is_empty()) {
        assert_eq!(service.state, State::Done, "{}", service.name);
        assert!(service.note().ends_with('.'), "{}", service.name);
    }
    let partial = by_name("NtCreateSection").unwrap();
    assert!(partial.note().starts_with("No files"));
    assert_eq!(by_name("NtClose").unwrap().note(), "");
}

#[test]
fn arguments_fill_as_many_bytes_as_a_32_bit_ntdll_passes() {
    for &(name, bytes) in ntdll_i386::ARGUMENT_BYTES {
        let service = by_name(name).unwrap_or_else(|| panic!("{name} is not in the table"));
        let ours: usize = service
            .arguments
            .iter()
            .map(|argument| match argument.kind {
                ArgumentKind::Unsigned64 => 8,
                _ => 4,
            })
            .sum();
        assert_eq!(ours, bytes, "{name}");
    }
}

#[test]
fn lengths_are_where_the_table_says() {
    for service in SERVICES {
        assert!(
            service.arguments.len() <= MAXIMUM_ARGUMENTS,
            "{}",
            service.name
        );
        for (index, argument) in service.arguments.iter().enumerate() {
            let ArgumentKind::Pointer {
                target: Target::Array(_, length) | Target::Bytes(length),
                ..
            } = argument.kind
            else {
                continue;
            };
            let place = match length {
                Length::Next => index + 1,
                Length::Previous => index - 1,
                Length::Elsewhere => continue,
            };
            assert!(
                holds_a_length(service.arguments[place].kind),
                "{}: {} has no length",
                service.name,
                argument.name,
            );
        }
    }
}

/// Whether an argument is a number, or points to one that is updated.
fn holds_a_length(kind: ArgumentKind) -> bool {
    matches!(
        kind,
        ArgumentKind::Unsigned16
            | ArgumentKind::Unsigned32
            | ArgumentKind::Unsigned64
            | ArgumentKind::Size
            | ArgumentKind::Pointer {
                direction: Direction::InOut,
                target: Target::One("ULONG" | "SIZE_T"),
                ..
            }
    )
}

#[test]
fn arguments_ignore_what_is_above_their_width() {
    let garbage = 0xDEAD_BEEF_0000_0000;
    assert_eq!(u32::from_raw(garbage | 7), 7);
    assert_eq!(i32::from_raw(garbage | 0xFFFF_FFFF), -1);
    assert_eq!(
        NtStatus::from_raw(garbage | 0xC000_0001),
        NtStatus::UNSUCCESSFUL
    );
    assert!(!arguments::Boolean::from_raw(0xFFFF_FF00).is_true());
    assert_eq!(Handle::from_raw(u64::MAX), Handle::CURRENT_PROCESS);
    assert!(In::<u32>::from_raw(0).is_null());
}

/// A dispatcher over a table of two rows, one of which is done.
mod dispatching {
    use super::*;

    pub(super) struct Caller;

    crate::__service_dispatch! {
        [
            /// Runs a service, one of which is done.
            pub(super) fn dispatch_one(Caller);
            ob = self::handles;
        ]
        ob {
            /// Closes a handle.
            done NtClose = nt_close(handle: Handle);
            /// Compares handles.
            planned NtCompareObjects = nt_compare_objects(first: Handle, second: Handle);
        }
    }

    mod handles {
        use super::*;

        pub(super) fn nt_close(_caller: &Caller, handle: Handle) -> NtResult {
            if handle.is_null() {
                Err(NtStatus::INVALID_PARAMETER)
            } else {
                Ok(())
            }
        }
    }
}

#[test]
fn a_service_that_is_done_gets_its_arguments() {
    use dispatching::{Caller, dispatch_one};

    let close = |raw: &[u64]| dispatch_one(&Caller, number::NtClose, raw);
    assert_eq!(close(&[4]), NtStatus::SUCCESS);
    assert_eq!(close(&[0]), NtStatus::INVALID_PARAMETER);
    assert_eq!(close(&[]), NtStatus::ACCESS_VIOLATION);
    assert_eq!(
        dispatch_one(&Caller, u16::MAX, &[0; 0]),
        NtStatus::INVALID_SYSTEM_SERVICE
    );
    assert_eq!(
        dispatch_one(&Caller, number::NtCompareObjects, &[0; 0]),
        NtStatus::NOT_IMPLEMENTED
    );
}

/// What user mode's stubs would pass to the kernel, from the table in the same way.
#[expect(clippy::too_many_arguments, dead_code, reason = "arguments are NT's")]
mod stubs {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::services::arguments::*;

    macro_rules! stubs {
        ($($component:ident {
            $(
                #[doc = $summary:literal]
                $(#[doc = $note:literal])*
                $state:ident $name:ident = $function:ident($($argument:ident: $type:ty),* $(,)?);
            )*
        })*) => {$($(
            pub(super) fn $function($($argument: $type),*) -> (u16, Vec<u64>) {
                (number::$name, vec![$($argument.raw()),*])
            }
        )*)*};
    }
    crate::with_system_services!(stubs);
}

#[test]
fn stubs_have_the_tables_arguments() {
    let (number, raw) =
        stubs::nt_release_semaphore(Handle(4), -1, arguments::OptionalOut::new(0x1000));
    assert_eq!(
        by_number(number).map(|service| service.name),
        Some("NtReleaseSemaphore")
    );
    assert_eq!(raw, [4, u64::MAX, 0x1000]);
}
