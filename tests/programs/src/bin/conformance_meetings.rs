//! Threads that wait for each other: for any and for all, for what is abandoned or pulsed, by key, by id, at a port.
//!
//! Expectations: the documentation of the wait functions, `PulseEvent` and "Mutex Objects", and what
//! Wine's tests of ntdll and kernel32 publish. Where a thread has to wait already, it says so by
//! `NtSignalAndWaitForSingleObject`, which signals and waits in one step.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
#[path = "conformance_meetings/lock.rs"]
mod lock;

#[cfg(target_os = "windows")]
mod program {
    use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

    use nt_abi::NtStatus;
    use nt_abi::access::AccessMask;
    use nt_abi::object_information::MutantBasicInformation;
    use nt_abi::services::arguments::{EventType, MutantInformationClass, WaitType};
    use nt_abi::w64::IoStatusBlock;
    use test_programs::check::Outcome;
    use test_programs::services::*;
    use test_programs::threads::{join, spawn};
    use test_programs::{expect, holds, status};

    use super::lock::threads_share_a_lock_over_alerts_by_id;

    test_programs::checks! {
        another_thread_ends_a_wait_for_any,
        a_wait_for_all_takes_nothing_before_all_are_there,
        the_last_of_sixty_four_objects_ends_a_wait,
        a_pulse_lets_all_go_who_wait_for_a_notification,
        a_pulse_lets_one_go_who_waits_for_a_synchronization,
        an_abandoned_mutant_says_so_once,
        an_abandoned_mutant_of_several_is_named,
        threads_meet_by_key,
        a_thread_is_alerted_by_its_id,
        threads_share_a_lock_over_alerts_by_id,
        a_thread_is_alerted_by_its_handle,
        a_port_wakes_who_waits,
        a_port_that_is_closed_wakes_who_waits,
    }

    const NOTIFICATION: EventType = EventType(0);
    const SYNCHRONIZATION: EventType = EventType(1);
    const ALL: WaitType = WaitType(0);
    const ANY: WaitType = WaitType(1);
    const NOW: i64 = 0;
    /// 100 ns in a millisecond.
    const MS: i64 = 10_000;

    fn event(kind: EventType) -> u64 {
        let mut event = 0u64;
        let status = NtCreateEvent(&mut event, AccessMask::EVENT_ALL_ACCESS, NULL, kind, false);
        assert!(status.is_success(), "{status}");
        event
    }

    fn semaphore() -> u64 {
        let mut semaphore = 0u64;
        let all = AccessMask::SEMAPHORE_ALL_ACCESS;
        let status = NtCreateSemaphore(&mut semaphore, all, NULL, 0i32, 1000i32);
        assert!(status.is_success(), "{status}");
        semaphore
    }

    fn pause(milliseconds: i64) {
        let delay = -milliseconds * MS;
        let status = NtDelayExecution(false, &delay);
        assert!(status.is_success(), "{status}");
    }

    fn close_all(handles: &[u64]) -> Outcome {
        for handle in handles {
            status!(NtClose(*handle));
        }
        Ok(())
    }

    /// Handles that a check and its threads share.
    static HANDLES: [AtomicU64; 64] = [const { AtomicU64::new(0) }; 64];
    /// Released by each thread that waits.
    static READY: AtomicU64 = AtomicU64::new(0);
    /// What threads got.
    static GOT: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];
    static PASSED: AtomicU32 = AtomicU32::new(0);

    fn share(handles: &[u64]) {
        for (place, handle) in HANDLES.iter().zip(handles) {
            place.store(*handle, SeqCst);
        }
        READY.store(semaphore(), SeqCst);
        PASSED.store(0, SeqCst);
        for got in &GOT {
            got.store(u32::MAX, SeqCst);
        }
    }

    fn shared(index: usize) -> u64 {
        HANDLES[index].load(SeqCst)
    }

    /// Waits until a thread waits.
    fn until_ready() -> Outcome {
        status!(
            NtWaitForSingleObject(READY.load(SeqCst), false, NULL),
            WAIT_0
        );
        Ok(())
    }

    /// Says that it is ready and goes on with what it does; for what must only come soon.
    fn say_ready() {
        let status = NtReleaseSemaphore(READY.load(SeqCst), 1i32, NULL);
        assert!(status.is_success(), "{status}");
    }

    fn got(status: NtStatus, index: u64) -> u32 {
        GOT[index as usize].store(status.0, SeqCst);
        PASSED.fetch_add(1, SeqCst);
        0
    }

    fn result(index: usize) -> NtStatus {
        NtStatus(GOT[index].load(SeqCst))
    }

    fn all_shared(count: usize) -> [u64; 64] {
        let mut handles = [0; 64];
        for (handle, place) in handles.iter_mut().zip(&HANDLES[..count]) {
            *handle = place.load(SeqCst);
        }
        handles
    }

    extern "C" fn waits_for_any_of_three(index: u64) -> u32 {
        let handles = all_shared(3);
        say_ready();
        got(
            NtWaitForMultipleObjects(3u32, &handles, ANY, false, NULL),
            index,
        )
    }

    fn another_thread_ends_a_wait_for_any() -> Outcome {
        for which in 0..3usize {
            let events = [(); 3].map(|()| event(SYNCHRONIZATION));
            share(&events);
            let thread = spawn(waits_for_any_of_three, 0)?;
            until_ready()?;
            pause(5);
            status!(NtSetEvent(events[which], NULL));
            join(thread)?;
            expect!(result(0).0 as usize, which);
            close_all(&events)?;
        }
        Ok(())
    }

    extern "C" fn waits_for_all_of_three(index: u64) -> u32 {
        let handles = all_shared(3);
        say_ready();
        got(
            NtWaitForMultipleObjects(3u32, &handles, ALL, false, NULL),
            index,
        )
    }

    fn a_wait_for_all_takes_nothing_before_all_are_there() -> Outcome {
        let events = [(); 3].map(|()| event(SYNCHRONIZATION));
        share(&events);
        let thread = spawn(waits_for_all_of_three, 0)?;
        until_ready()?;
        pause(20);
        status!(NtSetEvent(events[0], NULL));
        status!(NtSetEvent(events[2], NULL));
        pause(20);
        expect!(PASSED.load(SeqCst), 0);
        // Nobody has taken it.
        status!(NtWaitForSingleObject(events[0], false, &NOW), WAIT_0);
        status!(NtSetEvent(events[1], NULL));
        pause(20);
        expect!(PASSED.load(SeqCst), 0);
        status!(NtSetEvent(events[0], NULL));
        join(thread)?;
        status!(result(0), WAIT_0);
        for event in events {
            status!(NtWaitForSingleObject(event, false, &NOW), TIMEOUT);
        }
        close_all(&events)
    }

    extern "C" fn waits_for_any_of_64(index: u64) -> u32 {
        let handles = all_shared(64);
        say_ready();
        got(
            NtWaitForMultipleObjects(64u32, &handles, ANY, false, NULL),
            index,
        )
    }

    fn the_last_of_sixty_four_objects_ends_a_wait() -> Outcome {
        let events = [(); 64].map(|()| event(SYNCHRONIZATION));
        share(&events);
        let thread = spawn(waits_for_any_of_64, 0)?;
        until_ready()?;
        pause(5);
        status!(NtSetEvent(events[63], NULL));
        join(thread)?;
        expect!(result(0).0, 63);
        close_all(&events)
    }

    extern "C" fn signals_and_waits(index: u64) -> u32 {
        let ready = READY.load(SeqCst);
        got(
            NtSignalAndWaitForSingleObject(ready, shared(0), false, NULL),
            index,
        )
    }

    fn a_pulse_lets_all_go_who_wait_for_a_notification() -> Outcome {
        let event = event(NOTIFICATION);
        share(&[event]);
        let threads = [spawn(signals_and_waits, 0)?, spawn(signals_and_waits, 1)?];
        until_ready()?;
        until_ready()?;
        status!(NtPulseEvent(event, NULL));
        for (index, thread) in threads.into_iter().enumerate() {
            join(thread)?;
            status!(result(index), WAIT_0);
        }
        status!(NtWaitForSingleObject(event, false, &NOW), TIMEOUT);
        close_all(&[event])
    }

    fn a_pulse_lets_one_go_who_waits_for_a_synchronization() -> Outcome {
        let event = event(SYNCHRONIZATION);
        share(&[event]);
        let threads = [spawn(signals_and_waits, 0)?, spawn(signals_and_waits, 1)?];
        until_ready()?;
        until_ready()?;
        status!(NtPulseEvent(event, NULL));
        while PASSED.load(SeqCst) == 0 {
            pause(1);
        }
        pause(20);
        expect!(PASSED.load(SeqCst), 1);
        status!(NtSetEvent(event, NULL));
        for thread in threads {
            join(thread)?;
        }
        close_all(&[event])
    }

    extern "C" fn keeps_what_it_takes(index: u64) -> u32 {
        got(
            NtWaitForSingleObject(shared(index as usize), false, NULL),
            index,
        )
    }

    fn mutant() -> u64 {
        let mut mutant = 0u64;
        let all = AccessMask::MUTANT_ALL_ACCESS;
        let status = NtCreateMutant(&mut mutant, all, NULL, false);
        assert!(status.is_success(), "{status}");
        mutant
    }

    fn is_abandoned(mutant: u64) -> bool {
        let mut told = MutantBasicInformation::default();
        let class = MutantInformationClass(0);
        let status = NtQueryMutant(mutant, class, &mut told, 8u32, NULL);
        assert!(status.is_success(), "{status}");
        told.abandoned_state != 0
    }

    fn an_abandoned_mutant_says_so_once() -> Outcome {
        let mutant = mutant();
        share(&[mutant]);
        holds!(!is_abandoned(mutant));
        join(spawn(keeps_what_it_takes, 0)?)?;
        status!(result(0), WAIT_0);
        holds!(is_abandoned(mutant));
        status!(NtWaitForSingleObject(mutant, false, NULL), ABANDONED_WAIT_0);
        holds!(!is_abandoned(mutant));
        status!(NtReleaseMutant(mutant, NULL));
        status!(NtWaitForSingleObject(mutant, false, NULL), WAIT_0);
        status!(NtReleaseMutant(mutant, NULL));
        close_all(&[mutant])
    }

    fn an_abandoned_mutant_of_several_is_named() -> Outcome {
        let both = [event(NOTIFICATION), mutant()];
        share(&both);
        join(spawn(keeps_what_it_takes, 1)?)?;
        let status = NtWaitForMultipleObjects(2u32, &both, ANY, false, NULL);
        expect!(status.0, NtStatus::ABANDONED_WAIT_0.0 + 1);
        status!(NtReleaseMutant(both[1], NULL));
        join(spawn(keeps_what_it_takes, 1)?)?;
        status!(NtSetEvent(both[0], NULL));
        status!(
            NtWaitForMultipleObjects(2u32, &both, ALL, false, NULL),
            ABANDONED_WAIT_0
        );
        status!(NtReleaseMutant(both[1], NULL));
        close_all(&both)
    }

    extern "C" fn waits_by_key(index: u64) -> u32 {
        got(
            NtWaitForKeyedEvent(shared(0), 0x1000u64, false, NULL),
            index,
        )
    }

    fn threads_meet_by_key() -> Outcome {
        let mut event = 0u64;
        let all = AccessMask::KEYEDEVENT_ALL_ACCESS;
        status!(NtCreateKeyedEvent(&mut event, all, NULL, 0u32));
        for handle in [event, 0] {
            share(&[handle]);
            let thread = spawn(waits_by_key, 0)?;
            let soon = -10 * MS;
            // Another key is another one's.
            status!(
                NtReleaseKeyedEvent(handle, 0x1008u64, false, &soon),
                TIMEOUT
            );
            expect!(PASSED.load(SeqCst), 0);
            // Whoever comes first waits for the other.
            status!(NtReleaseKeyedEvent(handle, 0x1000u64, false, NULL));
            join(thread)?;
            status!(result(0));
        }
        close_all(&[event])
    }

    static ID: AtomicU64 = AtomicU64::new(0);

    extern "C" fn waits_to_be_alerted_by_id(index: u64) -> u32 {
        // Its number is the owner's of a mutant that it takes.
        let mut owner = [0u64; 2];
        let _ = NtWaitForSingleObject(shared(0), false, NULL);
        let class = MutantInformationClass(1);
        let _ = NtQueryMutant(shared(0), class, &mut owner, 16u32, NULL);
        let _ = NtReleaseMutant(shared(0), NULL);
        ID.store(owner[1], SeqCst);
        say_ready();
        got(NtWaitForAlertByThreadId(0u64, NULL), index)
    }

    fn a_thread_is_alerted_by_its_id() -> Outcome {
        let mutant = mutant();
        for wait in [0, 20] {
            share(&[mutant]);
            let thread = spawn(waits_to_be_alerted_by_id, 0)?;
            until_ready()?;
            pause(wait);
            let ids = [ID.load(SeqCst)];
            status!(NtAlertMultipleThreadByThreadId(&ids, 1u32, NULL, 0u32));
            join(thread)?;
            status!(result(0), ALERTED);
            // It has ended, and so has its number.
            status!(NtAlertThreadByThreadId(ids[0]), INVALID_CID);
        }
        close_all(&[mutant])
    }

    extern "C" fn waits_alertably(index: u64) -> u32 {
        say_ready();
        got(NtWaitForSingleObject(shared(0), true, NULL), index)
    }

    fn a_thread_is_alerted_by_its_handle() -> Outcome {
        let event = event(NOTIFICATION);
        for wait in [0, 20] {
            share(&[event]);
            let thread = spawn(waits_alertably, 0)?;
            until_ready()?;
            pause(wait);
            status!(NtAlertThread(thread));
            join(thread)?;
            status!(result(0), ALERTED);
        }
        close_all(&[event])
    }

    fn port() -> u64 {
        let mut port = 0u64;
        let all = AccessMask::IO_COMPLETION_ALL_ACCESS;
        let status = NtCreateIoCompletion(&mut port, all, NULL, 0u32);
        assert!(status.is_success(), "{status}");
        port
    }

    extern "C" fn takes_a_packet(index: u64) -> u32 {
        let (mut key, mut value, mut block) = (0u64, 0u64, IoStatusBlock::default());
        say_ready();
        let status = NtRemoveIoCompletion(shared(0), &mut key, &mut value, &mut block, NULL);
        ID.fetch_add(key, SeqCst);
        got(status, index)
    }

    fn a_port_wakes_who_waits() -> Outcome {
        let port = port();
        share(&[port]);
        ID.store(0, SeqCst);
        let threads = [spawn(takes_a_packet, 0)?, spawn(takes_a_packet, 1)?];
        until_ready()?;
        until_ready()?;
        pause(20);
        expect!(PASSED.load(SeqCst), 0);
        for key in [100u64, 23] {
            status!(NtSetIoCompletion(port, key, 0u64, NtStatus::SUCCESS, 0u64));
        }
        for (index, thread) in threads.into_iter().enumerate() {
            join(thread)?;
            status!(result(index));
        }
        expect!(ID.load(SeqCst), 123);
        close_all(&[port])
    }

    fn a_port_that_is_closed_wakes_who_waits() -> Outcome {
        let port = port();
        share(&[port]);
        let thread = spawn(takes_a_packet, 0)?;
        until_ready()?;
        pause(30);
        status!(NtClose(port));
        join(thread)?;
        // Who comes only after the close has no handle any more.
        holds!(result(0) == NtStatus::ABANDONED_WAIT_0 || result(0) == NtStatus::INVALID_HANDLE);
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
