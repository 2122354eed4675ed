//! Waiting for the executive's objects: for one, for several, after a signal, by key.
//!
//! Expectations: the documentation of `WaitForMultipleObjects` and `SignalObjectAndWait`, and what Wine's tests of ntdll
//! and kernel32 publish.
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
    use nt_abi::object_information::SemaphoreBasicInformation;
    use nt_abi::services::arguments::{EventType, SemaphoreInformationClass, WaitType};
    use test_programs::check::Outcome;
    use test_programs::names::Named;
    use test_programs::services::*;
    use test_programs::{expect, holds, status};

    test_programs::checks! {
        waits_refuse_what_is_wrong,
        a_wait_for_any_takes_the_first_one,
        a_wait_for_all_takes_none_or_all,
        sixty_four_objects_can_be_waited_for,
        signal_and_wait_does_both,
        signal_and_wait_refuses_what_is_wrong,
        a_keyed_event_is_nothing_without_the_other_side,
        keyed_events_ask_for_rights,
        the_null_handle_is_the_systems_keyed_event,
    }

    const NOTIFICATION: EventType = EventType(0);
    const SYNCHRONIZATION: EventType = EventType(1);
    const ALL: WaitType = WaitType(0);
    const ANY: WaitType = WaitType(1);
    /// Where the kernel lives.
    const KERNEL: Address = Address(0xFFFF_8000_0000_0000);
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

    fn semaphore(count: i32, limit: i32) -> u64 {
        let mut semaphore = 0u64;
        let all = AccessMask::SEMAPHORE_ALL_ACCESS;
        let status = NtCreateSemaphore(&mut semaphore, all, NULL, count, limit);
        assert!(status.is_success(), "{status}");
        semaphore
    }

    const SEMAPHORE_BASIC: SemaphoreInformationClass = SemaphoreInformationClass(0);

    fn counts(semaphore: u64) -> (i32, i32) {
        let mut told = SemaphoreBasicInformation::default();
        let status = NtQuerySemaphore(semaphore, SEMAPHORE_BASIC, &mut told, 8u32, NULL);
        assert!(status.is_success(), "{status}");
        (told.current_count, told.maximum_count)
    }

    fn waits_refuse_what_is_wrong() -> Outcome {
        let (one, other) = (event(NOTIFICATION, true), event(NOTIFICATION, true));
        let both = [one, other];
        status!(
            NtWaitForMultipleObjects(0u32, &both, ANY, false, &NOW),
            INVALID_PARAMETER_1
        );
        status!(
            NtWaitForMultipleObjects(65u32, &both, ANY, false, &NOW),
            INVALID_PARAMETER_1
        );
        status!(
            NtWaitForMultipleObjects(2u32, &both, WaitType(2), false, &NOW),
            INVALID_PARAMETER_3
        );
        status!(
            NtWaitForMultipleObjects(2u32, &[one, one], ALL, false, &NOW),
            INVALID_PARAMETER_MIX
        );
        status!(
            NtWaitForMultipleObjects(2u32, &[one, one], ANY, false, &NOW),
            WAIT_0
        );
        status!(
            NtWaitForMultipleObjects(2u32, &[one, 0], ANY, false, &NOW),
            INVALID_HANDLE
        );
        status!(
            NtWaitForMultipleObjects(2u32, KERNEL, ANY, false, &NOW),
            ACCESS_VIOLATION
        );
        status!(
            NtWaitForMultipleObjects(2u32, &both, ANY, false, KERNEL),
            ACCESS_VIOLATION
        );
        status!(NtClose(one));
        status!(NtClose(other));
        Ok(())
    }

    fn a_wait_for_any_takes_the_first_one() -> Outcome {
        let events = [(); 3].map(|()| event(SYNCHRONIZATION, false));
        let wait = || NtWaitForMultipleObjects(3u32, &events, ANY, false, &NOW);
        status!(wait(), TIMEOUT);
        status!(NtSetEvent(events[2], NULL));
        status!(NtSetEvent(events[1], NULL));
        status!(wait(), WAIT_1);
        status!(wait(), WAIT_2);
        status!(wait(), TIMEOUT);
        for event in events {
            status!(NtClose(event));
        }
        Ok(())
    }

    fn a_wait_for_all_takes_none_or_all() -> Outcome {
        let (event, semaphore) = (event(SYNCHRONIZATION, true), semaphore(0, 2));
        let both = [event, semaphore];
        let wait = || NtWaitForMultipleObjects(2u32, &both, ALL, false, &NOW);
        status!(wait(), TIMEOUT);
        holds!(is_signalled(event));
        status!(NtSetEvent(event, NULL));
        status!(NtReleaseSemaphore(semaphore, 2i32, NULL));
        status!(wait(), WAIT_0);
        expect!(counts(semaphore), (1, 2));
        holds!(!is_signalled(event));
        status!(NtClose(event));
        status!(NtClose(semaphore));
        Ok(())
    }

    fn sixty_four_objects_can_be_waited_for() -> Outcome {
        let events = [(); 64].map(|()| event(SYNCHRONIZATION, false));
        let soon = -10_000i64;
        let any = || NtWaitForMultipleObjects(64u32, &events, ANY, false, &soon);
        status!(any(), TIMEOUT);
        status!(NtSetEvent(events[63], NULL));
        expect!(any().0, 63);
        for event in events {
            status!(NtSetEvent(event, NULL));
        }
        status!(
            NtWaitForMultipleObjects(64u32, &events, ALL, false, NULL),
            WAIT_0
        );
        status!(any(), TIMEOUT);
        for event in events {
            status!(NtClose(event));
        }
        Ok(())
    }

    fn signal_and_wait_does_both() -> Outcome {
        let (one, other) = (event(NOTIFICATION, false), event(NOTIFICATION, false));
        let signal = |what: u64, wait: u64| NtSignalAndWaitForSingleObject(what, wait, false, &NOW);
        status!(signal(one, other), TIMEOUT);
        holds!(is_signalled(one));
        status!(signal(other, other), WAIT_0);
        let semaphore = semaphore(0, 1);
        status!(signal(semaphore, one), WAIT_0);
        expect!(counts(semaphore), (1, 1));
        status!(signal(semaphore, one), SEMAPHORE_LIMIT_EXCEEDED);
        let mut mutant = 0u64;
        let all = AccessMask::MUTANT_ALL_ACCESS;
        status!(NtCreateMutant(&mut mutant, all, NULL, true));
        status!(signal(mutant, one), WAIT_0);
        status!(signal(mutant, one), MUTANT_NOT_OWNED);
        for handle in [one, other, semaphore, mutant] {
            status!(NtClose(handle));
        }
        Ok(())
    }

    fn signal_and_wait_refuses_what_is_wrong() -> Outcome {
        let (one, mut weak) = (event(NOTIFICATION, true), 0u64);
        let access = AccessMask::EVENT_QUERY_STATE;
        status!(NtCreateEvent(&mut weak, access, NULL, NOTIFICATION, false));
        let signal = |what: u64, wait: u64| NtSignalAndWaitForSingleObject(what, wait, false, &NOW);
        status!(signal(0, one), INVALID_HANDLE);
        status!(signal(one, 0), INVALID_HANDLE);
        status!(signal(one, weak), ACCESS_DENIED);
        status!(signal(weak, one), ACCESS_DENIED);
        status!(
            NtSignalAndWaitForSingleObject(CURRENT_PROCESS, one, false, &NOW),
            OBJECT_TYPE_MISMATCH
        );
        status!(
            NtSignalAndWaitForSingleObject(one, one, false, KERNEL),
            ACCESS_VIOLATION
        );
        status!(NtClose(one));
        status!(NtClose(weak));
        Ok(())
    }

    fn keyed_event(access: AccessMask) -> u64 {
        let mut event = 0u64;
        let status = NtCreateKeyedEvent(&mut event, access, NULL, 0u32);
        assert!(status.is_success(), "{status}");
        event
    }

    fn a_keyed_event_is_nothing_without_the_other_side() -> Outcome {
        let event = keyed_event(AccessMask::KEYEDEVENT_ALL_ACCESS);
        let soon = -10_000i64;
        for timeout in [NOW, soon] {
            status!(NtWaitForKeyedEvent(event, 8u64, false, &timeout), TIMEOUT);
            status!(NtReleaseKeyedEvent(event, 8u64, false, &timeout), TIMEOUT);
        }
        let mut handle = 0u64;
        let all = AccessMask::KEYEDEVENT_ALL_ACCESS;
        status!(
            NtCreateKeyedEvent(&mut handle, all, NULL, 1u32),
            INVALID_PARAMETER_4
        );
        // An odd key is refused before the handle is looked at.
        for handle in [event, 0xDEAD_BEE0] {
            status!(
                NtWaitForKeyedEvent(handle, 9u64, false, &NOW),
                INVALID_PARAMETER_1
            );
            status!(
                NtReleaseKeyedEvent(handle, 255u64, false, &NOW),
                INVALID_PARAMETER_1
            );
        }
        status!(
            NtWaitForKeyedEvent(0xDEAD_BEE0u64, 8u64, false, &NOW),
            INVALID_HANDLE
        );
        status!(
            NtWaitForKeyedEvent(event, 8u64, false, KERNEL),
            ACCESS_VIOLATION
        );
        status!(NtClose(event));
        Ok(())
    }

    fn keyed_events_ask_for_rights() -> Outcome {
        let reading = keyed_event(AccessMask::GENERIC_READ);
        status!(NtWaitForKeyedEvent(reading, 8u64, false, &NOW), TIMEOUT);
        status!(
            NtReleaseKeyedEvent(reading, 8u64, false, &NOW),
            ACCESS_DENIED
        );
        let writing = keyed_event(AccessMask::GENERIC_WRITE);
        status!(
            NtWaitForKeyedEvent(writing, 8u64, false, &NOW),
            ACCESS_DENIED
        );
        status!(NtReleaseKeyedEvent(writing, 8u64, false, &NOW), TIMEOUT);
        let other = event(NOTIFICATION, false);
        status!(
            NtWaitForKeyedEvent(other, 8u64, false, &NOW),
            OBJECT_TYPE_MISMATCH
        );
        for handle in [reading, writing, other] {
            status!(NtClose(handle));
        }
        Ok(())
    }

    fn the_null_handle_is_the_systems_keyed_event() -> Outcome {
        status!(NtWaitForKeyedEvent(0u64, 8u64, false, &NOW), TIMEOUT);
        status!(NtReleaseKeyedEvent(0u64, 8u64, false, &NOW), TIMEOUT);
        let mut handle = 0u64;
        let mut name = Named::new("\\KernelObjects\\CritSecOutOfMemoryEvent");
        let access = AccessMask::KEYEDEVENT_WAIT;
        status!(NtOpenKeyedEvent(&mut handle, access, name.get()));
        status!(NtWaitForKeyedEvent(handle, 8u64, false, &NOW), TIMEOUT);
        status!(NtClose(handle));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
