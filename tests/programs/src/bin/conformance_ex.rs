//! Events.
//!
//! Expectations: the documentation of `NtCreateEvent` and its kin, and what Wine's tests of ntdll publish.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use nt_abi::access::AccessMask;
    use nt_abi::object_information::EventBasicInformation;
    use nt_abi::primitives::ObjectAttributeFlags;
    use nt_abi::services::arguments::{EventInformationClass, EventType};
    use test_programs::check::Outcome;
    use test_programs::names::Named;
    use test_programs::services::*;
    use test_programs::{expect, holds, status};

    test_programs::checks! {
        an_event_is_set_and_reset,
        a_synchronization_event_satisfies_one_wait,
        a_pulse_leaves_an_event_clear,
        an_event_has_a_name,
        an_existing_event_is_opened_if_that_is_wanted,
        no_event_is_of_a_third_type,
        an_event_tells_its_type_and_state,
        queries_of_events_refuse_what_is_wrong,
        boost_priority_is_for_synchronization_events,
        services_of_events_ask_for_rights,
        services_of_events_refuse_bad_handles,
        services_of_events_refuse_bad_pointers,
    }

    const NOTIFICATION: EventType = EventType(0);
    const SYNCHRONIZATION: EventType = EventType(1);
    /// Where the kernel lives.
    const KERNEL: Address = Address(0xFFFF_8000_0000_0000);
    /// Where nothing ever is.
    const UNMAPPED: Address = Address(0x1000);
    /// Not at all.
    const NOW: i64 = 0;

    fn event(kind: EventType, set: bool) -> u64 {
        let mut event = 0u64;
        let status = NtCreateEvent(&mut event, AccessMask::EVENT_ALL_ACCESS, NULL, kind, set);
        assert!(status.is_success(), "{status}");
        event
    }

    fn is_signalled(handle: u64) -> bool {
        NtWaitForSingleObject(handle, false, &NOW) == nt_abi::NtStatus::WAIT_0
    }

    fn an_event_is_set_and_reset() -> Outcome {
        let (event, mut before) = (event(NOTIFICATION, false), -1i32);
        status!(NtSetEvent(event, &mut before));
        expect!(before, 0);
        status!(NtSetEvent(event, &mut before));
        expect!(before, 1);
        status!(NtWaitForSingleObject(event, false, NULL), WAIT_0);
        status!(NtWaitForSingleObject(event, false, &NOW), WAIT_0);
        status!(NtResetEvent(event, &mut before));
        expect!(before, 1);
        status!(NtWaitForSingleObject(event, false, &NOW), TIMEOUT);
        status!(NtSetEvent(event, NULL));
        status!(NtClearEvent(event));
        status!(NtWaitForSingleObject(event, false, &NOW), TIMEOUT);
        status!(NtClose(event));
        status!(NtClose(event), INVALID_HANDLE);
        Ok(())
    }

    fn a_synchronization_event_satisfies_one_wait() -> Outcome {
        let event = event(SYNCHRONIZATION, true);
        status!(NtWaitForSingleObject(event, false, &NOW), WAIT_0);
        status!(NtWaitForSingleObject(event, false, &NOW), TIMEOUT);
        status!(NtClose(event));
        Ok(())
    }

    fn a_pulse_leaves_an_event_clear() -> Outcome {
        let (event, mut before) = (event(NOTIFICATION, true), -1i32);
        status!(NtPulseEvent(event, &mut before));
        expect!(before, 1);
        holds!(!is_signalled(event));
        status!(NtPulseEvent(event, &mut before));
        expect!(before, 0);
        holds!(!is_signalled(event));
        status!(NtClose(event));
        Ok(())
    }

    fn an_event_has_a_name() -> Outcome {
        let (mut first, mut second) = (0u64, 0u64);
        let mut name = Named::new("\\BaseNamedObjects\\Conformance");
        status!(NtCreateEvent(
            &mut first,
            AccessMask::EVENT_ALL_ACCESS,
            name.get(),
            NOTIFICATION,
            true
        ));
        status!(
            NtCreateEvent(
                &mut second,
                AccessMask::EVENT_ALL_ACCESS,
                name.get(),
                NOTIFICATION,
                true
            ),
            OBJECT_NAME_COLLISION
        );
        status!(
            NtOpenMutant(&mut second, AccessMask::MUTANT_ALL_ACCESS, name.get()),
            OBJECT_TYPE_MISMATCH
        );
        status!(NtOpenEvent(
            &mut second,
            AccessMask::EVENT_MODIFY_STATE,
            name.get()
        ));
        status!(NtClearEvent(second));
        holds!(!is_signalled(first));
        status!(NtClose(second));
        status!(NtClose(first));
        status!(
            NtOpenEvent(&mut second, AccessMask::EVENT_ALL_ACCESS, name.get()),
            OBJECT_NAME_NOT_FOUND
        );
        Ok(())
    }

    fn an_existing_event_is_opened_if_that_is_wanted() -> Outcome {
        let (mut first, mut second) = (0u64, 0u64);
        let all = AccessMask::EVENT_ALL_ACCESS;
        let mut name = Named::new("\\BaseNamedObjects\\OpenIf").flags(ObjectAttributeFlags::OPENIF);
        status!(NtCreateEvent(
            &mut first,
            all,
            name.get(),
            NOTIFICATION,
            true
        ));
        status!(
            NtCreateEvent(&mut second, all, name.get(), SYNCHRONIZATION, false),
            OBJECT_NAME_EXISTS
        );
        // It is the first one still.
        holds!(is_signalled(second));
        holds!(is_signalled(first));
        // What a failed call leaves in the handle's place is nobody's promise.
        let mut other = 0u64;
        status!(
            NtCreateSemaphore(&mut other, all, name.get(), 0i32, 1i32),
            OBJECT_TYPE_MISMATCH
        );
        status!(NtClose(second));
        status!(NtClose(first));
        Ok(())
    }

    fn no_event_is_of_a_third_type() -> Outcome {
        let mut event = 0u64;
        status!(
            NtCreateEvent(
                &mut event,
                AccessMask::EVENT_ALL_ACCESS,
                NULL,
                EventType(2),
                false
            ),
            INVALID_PARAMETER
        );
        Ok(())
    }

    const EVENT_BASIC: EventInformationClass = EventInformationClass(0);

    fn an_event_tells_its_type_and_state() -> Outcome {
        for (kind, set) in [(NOTIFICATION, true), (SYNCHRONIZATION, false)] {
            let event = event(kind, set);
            let (mut told, mut length) = (EventBasicInformation::default(), 0u32);
            status!(NtQueryEvent(
                event,
                EVENT_BASIC,
                &mut told,
                8u32,
                &mut length
            ));
            expect!(told.event_type.0, kind.0);
            expect!(told.event_state, i32::from(set));
            expect!(length, 8);
            // The query takes nothing.
            expect!(is_signalled(event), set);
            status!(NtQueryEvent(event, EVENT_BASIC, &mut told, 8u32, NULL));
            status!(NtClose(event));
        }
        Ok(())
    }

    fn queries_of_events_refuse_what_is_wrong() -> Outcome {
        let event = event(NOTIFICATION, false);
        let mut told = EventBasicInformation::default();
        let class = EventInformationClass(1);
        status!(
            NtQueryEvent(event, class, &mut told, 8u32, NULL),
            INVALID_INFO_CLASS
        );
        for length in [0u32, 7, 9] {
            status!(
                NtQueryEvent(event, EVENT_BASIC, &mut told, length, NULL),
                INFO_LENGTH_MISMATCH
            );
        }
        for bad in [NULL, UNMAPPED, KERNEL] {
            status!(
                NtQueryEvent(event, EVENT_BASIC, bad, 8u32, NULL),
                ACCESS_VIOLATION
            );
        }
        let odd = Address(address_of(&mut told) + 2);
        status!(
            NtQueryEvent(event, EVENT_BASIC, odd, 8u32, NULL),
            DATATYPE_MISALIGNMENT
        );
        status!(
            NtQueryEvent(event, EVENT_BASIC, &mut told, 8u32, KERNEL),
            ACCESS_VIOLATION
        );
        let mut weak = 0u64;
        status!(NtCreateEvent(
            &mut weak,
            AccessMask::EVENT_MODIFY_STATE,
            NULL,
            NOTIFICATION,
            false
        ));
        status!(
            NtQueryEvent(weak, EVENT_BASIC, &mut told, 8u32, NULL),
            ACCESS_DENIED
        );
        status!(NtClose(weak));
        status!(NtClose(event));
        Ok(())
    }

    fn boost_priority_is_for_synchronization_events() -> Outcome {
        let (one, other) = (event(SYNCHRONIZATION, false), event(NOTIFICATION, false));
        status!(NtSetEventBoostPriority(one));
        holds!(is_signalled(one));
        status!(NtSetEventBoostPriority(other), INVALID_PARAMETER);
        status!(NtClose(one));
        status!(NtClose(other));
        Ok(())
    }

    fn services_of_events_ask_for_rights() -> Outcome {
        let mut event = 0u64;
        let access = AccessMask::EVENT_QUERY_STATE;
        status!(NtCreateEvent(&mut event, access, NULL, NOTIFICATION, true));
        status!(NtSetEvent(event, NULL), ACCESS_DENIED);
        status!(NtResetEvent(event, NULL), ACCESS_DENIED);
        status!(NtClearEvent(event), ACCESS_DENIED);
        status!(NtPulseEvent(event, NULL), ACCESS_DENIED);
        status!(NtSetEventBoostPriority(event), ACCESS_DENIED);
        status!(NtWaitForSingleObject(event, false, &NOW), ACCESS_DENIED);
        status!(NtReleaseMutant(event, NULL), OBJECT_TYPE_MISMATCH);
        status!(NtClose(event));
        Ok(())
    }

    fn services_of_events_refuse_bad_handles() -> Outcome {
        for bad in [0u64, 0x7777_7770, u64::MAX - 5] {
            status!(NtSetEvent(bad, NULL), INVALID_HANDLE);
            status!(NtResetEvent(bad, NULL), INVALID_HANDLE);
            status!(NtClearEvent(bad), INVALID_HANDLE);
            status!(NtPulseEvent(bad, NULL), INVALID_HANDLE);
            status!(NtSetEventBoostPriority(bad), INVALID_HANDLE);
            let mut told = EventBasicInformation::default();
            status!(
                NtQueryEvent(bad, EVENT_BASIC, &mut told, 8u32, NULL),
                INVALID_HANDLE
            );
            status!(NtWaitForSingleObject(bad, false, &NOW), INVALID_HANDLE);
        }
        // The process is no event.
        status!(NtSetEvent(CURRENT_PROCESS, NULL), OBJECT_TYPE_MISMATCH);
        Ok(())
    }

    fn services_of_events_refuse_bad_pointers() -> Outcome {
        let all = AccessMask::EVENT_ALL_ACCESS;
        let mut name = Named::new("\\BaseNamedObjects\\Nobody");
        for bad in [NULL, UNMAPPED, KERNEL] {
            status!(
                NtCreateEvent(bad, all, name.get(), NOTIFICATION, false),
                ACCESS_VIOLATION
            );
            status!(NtOpenEvent(bad, all, name.get()), ACCESS_VIOLATION);
        }
        let mut handle = 0u64;
        // Nothing was made.
        status!(
            NtOpenEvent(&mut handle, all, name.get()),
            OBJECT_NAME_NOT_FOUND
        );
        for bad in [UNMAPPED, KERNEL] {
            status!(
                NtCreateEvent(&mut handle, all, bad, NOTIFICATION, false),
                ACCESS_VIOLATION
            );
            let event = event(NOTIFICATION, false);
            status!(NtSetEvent(event, bad), ACCESS_VIOLATION);
            holds!(!is_signalled(event));
            status!(NtWaitForSingleObject(event, false, bad), ACCESS_VIOLATION);
            status!(NtClose(event));
        }
        let event = event(NOTIFICATION, false);
        let mut words = [0u64; 2];
        let odd = Address(address_of(&mut words) + 1);
        status!(NtSetEvent(event, odd), DATATYPE_MISALIGNMENT);
        holds!(!is_signalled(event));
        status!(NtClose(event));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
