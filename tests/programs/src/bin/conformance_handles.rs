//! Handles: copies, inheritance, protection, many threads that make and close them. How many there can be at a time is
//! `many_handles`.
//!
//! Expectations: the documentation of `ZwDuplicateObject`, `SetHandleInformation` and `CompareObjectHandles`, and what
//! Wine's tests of ntdll and kernel32 publish.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use core::sync::atomic::{AtomicU32, Ordering};

    use nt_abi::access::AccessMask;
    use nt_abi::object_information::ObjectHandleFlagInformation;
    use nt_abi::primitives::ObjectAttributeFlags;
    use nt_abi::services::arguments::{EventType, ObjectInformationClass};
    use nt_abi::w64::ObjectTypeInformation;
    use test_programs::buffer::Buffer;
    use test_programs::check::{Failed, Outcome};
    use test_programs::names::Named;
    use test_programs::objects::{SAME_ACCESS, basic, copy, event};
    use test_programs::services::*;
    use test_programs::threads::{join, spawn};
    use test_programs::{expect, status};
    use zerocopy::FromZeros as _;

    test_programs::checks! {
        a_copy_has_the_rights_that_it_asks_for,
        a_copy_may_close_its_source,
        a_pseudo_handle_becomes_a_real_one,
        a_protected_handle_cannot_be_closed,
        attributes_go_along_with_a_copy,
        handles_that_are_none_are_refused,
        handles_of_one_object_compare_as_such,
        a_storm_of_handles_leaves_nothing_behind,
    }

    const HANDLE_FLAG: ObjectInformationClass = ObjectInformationClass(4);

    const NOTIFICATION: EventType = EventType(0);

    const KERNEL: Address = Address(0xFFFF_8000_0000_0000);

    const CLOSE_SOURCE: u32 = 1;

    const SAME_ATTRIBUTES: u32 = 4;

    const ALL: AccessMask = AccessMask::EVENT_ALL_ACCESS;

    const NONE: AccessMask = AccessMask::NONE;

    fn flags(handle: u64) -> Result<(u8, u8), Failed> {
        let mut told = ObjectHandleFlagInformation::new_zeroed();
        status!(NtQueryObject(handle, HANDLE_FLAG, &mut told, 2u32, NULL));
        Ok((told.inherit, told.protect_from_close))
    }

    fn a_copy_has_the_rights_that_it_asks_for() -> Outcome {
        let event = event()?;
        let waits = copy(event, AccessMask::SYNCHRONIZE, 0, 0)?;
        status!(NtSetEvent(waits, NULL), ACCESS_DENIED);
        let same = copy(waits, ALL, 0, SAME_ACCESS)?;
        expect!(basic(same)?.granted_access, AccessMask::SYNCHRONIZE);
        let generic = copy(event, AccessMask::GENERIC_READ, 0, 0)?;
        expect!(basic(generic)?.granted_access, AccessMask(0x0002_0001));
        for handle in [event, waits, same, generic] {
            status!(NtClose(handle));
        }
        Ok(())
    }

    fn a_copy_may_close_its_source() -> Outcome {
        let source = event()?;
        let made = copy(source, NONE, 0, SAME_ACCESS | CLOSE_SOURCE)?;
        // The copy may have got its number.
        if made != source {
            status!(NtClose(source), INVALID_HANDLE);
        }
        // Without a target the source is merely closed.
        status!(NtDuplicateObject(
            CURRENT_PROCESS,
            made,
            0u64,
            NULL,
            NONE,
            0u32,
            CLOSE_SOURCE
        ));
        status!(NtClose(made), INVALID_HANDLE);
        // Also if the target is wrong, which is told.
        let source = event()?;
        let mut copy = 0u64;
        status!(
            NtDuplicateObject(
                CURRENT_PROCESS,
                source,
                0xDEAC_u64,
                &mut copy,
                NONE,
                0u32,
                CLOSE_SOURCE
            ),
            INVALID_HANDLE
        );
        status!(NtClose(source), INVALID_HANDLE);
        let source = event()?;
        status!(
            NtDuplicateObject(CURRENT_PROCESS, source, 0u64, &mut copy, NONE, 0u32, 0u32),
            INVALID_PARAMETER
        );
        status!(
            NtDuplicateObject(
                0xDEAC_u64,
                source,
                CURRENT_PROCESS,
                &mut copy,
                NONE,
                0u32,
                SAME_ACCESS
            ),
            INVALID_HANDLE
        );
        status!(
            NtDuplicateObject(
                CURRENT_PROCESS,
                source,
                CURRENT_PROCESS,
                KERNEL,
                NONE,
                0u32,
                SAME_ACCESS
            ),
            ACCESS_VIOLATION
        );
        status!(
            NtDuplicateObject(
                source,
                source,
                CURRENT_PROCESS,
                &mut copy,
                NONE,
                0u32,
                SAME_ACCESS
            ),
            OBJECT_TYPE_MISMATCH
        );
        status!(NtClose(source));
        Ok(())
    }

    fn a_pseudo_handle_becomes_a_real_one() -> Outcome {
        let process = copy(CURRENT_PROCESS.0, NONE, 0, SAME_ACCESS)?;
        let thread = copy(CURRENT_THREAD.0, NONE, 0, SAME_ACCESS)?;
        expect!(
            basic(process)?.granted_access,
            AccessMask::PROCESS_ALL_ACCESS
        );
        expect!(basic(thread)?.granted_access, AccessMask::THREAD_ALL_ACCESS);
        status!(NtCompareObjects(process, CURRENT_PROCESS));
        status!(NtCompareObjects(thread, CURRENT_THREAD));
        status!(NtCompareObjects(thread, CURRENT_PROCESS), NOT_SAME_OBJECT);
        status!(NtClose(process));
        status!(NtClose(thread));
        Ok(())
    }

    fn a_protected_handle_cannot_be_closed() -> Outcome {
        let event = event()?;
        expect!(flags(event)?, (0, 0));
        let mut set = ObjectHandleFlagInformation {
            inherit: 1,
            protect_from_close: 1,
        };
        status!(NtSetInformationObject(event, HANDLE_FLAG, &set, 2u32));
        expect!(flags(event)?, (1, 1));
        status!(NtClose(event), HANDLE_NOT_CLOSABLE);
        // A copy that is to close it is made, and the source stays.
        let made = copy(event, NONE, 0, SAME_ACCESS | CLOSE_SOURCE)?;
        expect!(flags(event)?, (1, 1));
        status!(NtClose(made));
        set.protect_from_close = 0;
        status!(NtSetInformationObject(event, HANDLE_FLAG, &set, 2u32));
        expect!(flags(event)?, (1, 0));
        status!(NtClose(event));
        Ok(())
    }

    fn attributes_go_along_with_a_copy() -> Outcome {
        let mut handle = 0u64;
        let mut inherited = Named::unnamed().flags(ObjectAttributeFlags::INHERIT);
        status!(NtCreateEvent(
            &mut handle,
            ALL,
            inherited.get(),
            NOTIFICATION,
            false
        ));
        expect!(flags(handle)?, (1, 0));
        let plain = copy(handle, NONE, 0, SAME_ACCESS)?;
        expect!(flags(plain)?, (0, 0));
        let same = copy(handle, NONE, 0, SAME_ACCESS | SAME_ATTRIBUTES)?;
        expect!(flags(same)?, (1, 0));
        let asked = copy(plain, NONE, 2, SAME_ACCESS)?;
        expect!(flags(asked)?, (1, 0));
        for handle in [handle, plain, same, asked] {
            status!(NtClose(handle));
        }
        Ok(())
    }

    fn handles_that_are_none_are_refused() -> Outcome {
        // None, one that never was, one of the kernel's, one that no table reaches.
        for handle in [0, 0xDEAC, 0xFFFF_FFFF_8000_0004, 0x1234_5678_9ABC_DEF0] {
            status!(NtClose(handle), INVALID_HANDLE);
            status!(NtSetEvent(handle, NULL), INVALID_HANDLE);
            status!(NtMakeTemporaryObject(handle), INVALID_HANDLE);
            status!(NtCompareObjects(handle, CURRENT_PROCESS), INVALID_HANDLE);
        }
        // The two lowest bits are the program's own.
        let event = event()?;
        status!(NtSetEvent(event | 3, NULL));
        status!(NtClose(event));
        Ok(())
    }

    fn handles_of_one_object_compare_as_such() -> Outcome {
        let (one, other) = (event()?, event()?);
        let again = copy(one, AccessMask::SYNCHRONIZE, 0, 0)?;
        status!(NtCompareObjects(one, one));
        status!(NtCompareObjects(one, again));
        status!(NtCompareObjects(one, other), NOT_SAME_OBJECT);
        status!(NtCompareObjects(one, 0u64), INVALID_HANDLE);
        for handle in [one, other, again] {
            status!(NtClose(handle));
        }
        Ok(())
    }

    /// How often each thread of the storm makes, copies and closes.
    const ROUNDS: u32 = 2_000;
    const THREADS: usize = 8;
    static REFUSED: AtomicU32 = AtomicU32::new(0);

    /// Makes objects with names that others make too, copies and closes their handles.
    extern "C" fn storms(seed: u64) -> u32 {
        let mut names = [
            Named::new("\\BaseNamedObjects\\Storm0").flags(ObjectAttributeFlags::OPENIF),
            Named::new("\\BaseNamedObjects\\Storm1").flags(ObjectAttributeFlags::OPENIF),
            Named::new("\\BaseNamedObjects\\Storm2").flags(ObjectAttributeFlags::OPENIF),
        ];
        for round in 0..ROUNDS {
            let name = &mut names[(round as usize + seed as usize) % 3];
            let mut made = 0u64;
            let first = NtCreateEvent(&mut made, ALL, name.get(), NOTIFICATION, false);
            let second = match copy(made, NONE, 0, SAME_ACCESS) {
                Ok(copied) => [NtClose(made), NtClose(copied)],
                Err(_) => [nt_abi::NtStatus::UNSUCCESSFUL; 2],
            };
            for status in [first, second[0], second[1]] {
                if !status.is_success() {
                    REFUSED.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        0
    }

    /// Events and handles of events in the whole system.
    fn events() -> Result<(u32, u32), Failed> {
        let event = event()?;
        let (mut answer, mut length) = (Buffer::<256>::new(), 0u32);
        let class = ObjectInformationClass(2);
        status!(NtQueryObject(
            event,
            class,
            &mut answer.0,
            256u32,
            &mut length
        ));
        let told: ObjectTypeInformation = answer.at(0);
        status!(NtClose(event));
        Ok((told.total_number_of_objects, told.total_number_of_handles))
    }

    fn a_storm_of_handles_leaves_nothing_behind() -> Outcome {
        let before = events()?;
        let mut threads = [0u64; THREADS];
        for (slot, seed) in threads.iter_mut().zip(0..) {
            *slot = spawn(storms, seed)?;
        }
        for thread in threads {
            join(thread)?;
        }
        expect!(REFUSED.load(Ordering::Relaxed), 0);
        expect!(events()?, before);
        // Their names are free again.
        let mut handle = 0u64;
        let mut name = Named::new("\\BaseNamedObjects\\Storm0");
        status!(
            NtOpenEvent(&mut handle, ALL, name.get()),
            OBJECT_NAME_NOT_FOUND
        );
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
