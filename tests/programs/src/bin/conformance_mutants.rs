//! Mutants and semaphores, as one thread sees them.
//!
//! Expectations: the documentation of `CreateMutex` and `CreateSemaphore`, and what Wine's tests of ntdll publish.
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
    use nt_abi::object_information::{MutantBasicInformation, SemaphoreBasicInformation};
    use nt_abi::services::arguments::{MutantInformationClass, SemaphoreInformationClass};
    use nt_abi::w64::MutantOwnerInformation;
    use test_programs::check::Outcome;
    use test_programs::names::Named;
    use test_programs::services::*;
    use test_programs::{expect, holds, status};

    test_programs::checks! {
        a_mutant_counts_its_owners_acquisitions,
        a_mutant_tells_its_owner,
        queries_of_mutants_refuse_what_is_wrong,
        a_semaphore_keeps_to_its_limit,
        a_semaphore_cannot_begin_beyond_its_limit,
        queries_of_semaphores_refuse_what_is_wrong,
        a_semaphore_is_opened_by_its_name,
    }

    /// Where the kernel lives.
    const KERNEL: Address = Address(0xFFFF_8000_0000_0000);
    /// Not at all.
    const NOW: i64 = 0;

    const MUTANT_BASIC: MutantInformationClass = MutantInformationClass(0);
    const MUTANT_OWNER: MutantInformationClass = MutantInformationClass(1);

    fn mutant_state(mutant: u64) -> MutantBasicInformation {
        let mut told = MutantBasicInformation::default();
        let status = NtQueryMutant(mutant, MUTANT_BASIC, &mut told, 8u32, NULL);
        assert!(status.is_success(), "{status}");
        told
    }

    fn a_mutant_counts_its_owners_acquisitions() -> Outcome {
        let (mut mutant, mut before) = (0u64, -9i32);
        let all = AccessMask::MUTANT_ALL_ACCESS;
        status!(NtCreateMutant(&mut mutant, all, NULL, false));
        let state = mutant_state(mutant);
        expect!((state.current_count, state.owned_by_caller), (1, 0));
        status!(NtReleaseMutant(mutant, &mut before), MUTANT_NOT_OWNED);
        expect!(before, -9);
        status!(NtWaitForSingleObject(mutant, false, NULL), WAIT_0);
        status!(NtWaitForSingleObject(mutant, false, &NOW), WAIT_0);
        let state = mutant_state(mutant);
        expect!((state.current_count, state.owned_by_caller), (-1, 1));
        expect!(state.abandoned_state, 0);
        status!(NtReleaseMutant(mutant, &mut before));
        expect!(before, -1);
        status!(NtReleaseMutant(mutant, &mut before));
        expect!(before, 0);
        expect!(mutant_state(mutant).current_count, 1);
        status!(NtReleaseMutant(mutant, NULL), MUTANT_NOT_OWNED);
        status!(NtClose(mutant));
        status!(NtCreateMutant(&mut mutant, all, NULL, true));
        let state = mutant_state(mutant);
        expect!((state.current_count, state.owned_by_caller), (0, 1));
        status!(NtReleaseMutant(mutant, NULL));
        status!(NtClose(mutant));
        Ok(())
    }

    fn a_mutant_tells_its_owner() -> Outcome {
        let mut mutant = 0u64;
        let all = AccessMask::MUTANT_ALL_ACCESS;
        status!(NtCreateMutant(&mut mutant, all, NULL, false));
        let (mut owner, mut length) = (MutantOwnerInformation::default(), 0u32);
        status!(NtQueryMutant(
            mutant,
            MUTANT_OWNER,
            &mut owner,
            16u32,
            &mut length
        ));
        expect!(owner.client_id.unique_thread, 0);
        expect!(length, 16);
        status!(NtWaitForSingleObject(mutant, false, NULL), WAIT_0);
        status!(NtQueryMutant(mutant, MUTANT_OWNER, &mut owner, 16u32, NULL));
        holds!(owner.client_id.unique_process != 0);
        holds!(owner.client_id.unique_thread != 0);
        // It is this thread: an alert by its number reaches it.
        status!(NtAlertThreadByThreadId(owner.client_id.unique_thread));
        status!(NtWaitForAlertByThreadId(0u64, &NOW), ALERTED);
        status!(NtReleaseMutant(mutant, NULL));
        status!(NtClose(mutant));
        Ok(())
    }

    fn queries_of_mutants_refuse_what_is_wrong() -> Outcome {
        let (mut mutant, mut told) = (0u64, [0u64; 2]);
        let access = AccessMask::SYNCHRONIZE;
        status!(NtCreateMutant(&mut mutant, access, NULL, false));
        let mut query = |class: u32, length: u32| {
            NtQueryMutant(
                mutant,
                MutantInformationClass(class),
                &mut told,
                length,
                NULL,
            )
        };
        status!(query(2, 8), INVALID_INFO_CLASS);
        status!(query(0, 7), INFO_LENGTH_MISMATCH);
        status!(query(0, 16), INFO_LENGTH_MISMATCH);
        status!(query(1, 8), INFO_LENGTH_MISMATCH);
        status!(query(0, 8), ACCESS_DENIED);
        status!(query(1, 16), ACCESS_DENIED);
        status!(
            NtQueryMutant(0u64, MUTANT_BASIC, &mut told, 8u32, NULL),
            INVALID_HANDLE
        );
        status!(
            NtQueryMutant(mutant, MUTANT_BASIC, NULL, 8u32, NULL),
            ACCESS_VIOLATION
        );
        // No right is needed to release what one owns.
        status!(NtWaitForSingleObject(mutant, false, NULL), WAIT_0);
        status!(NtReleaseMutant(mutant, NULL));
        status!(NtClose(mutant));
        Ok(())
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

    fn a_semaphore_keeps_to_its_limit() -> Outcome {
        let (semaphore, mut before) = (semaphore(1, 3), -1i32);
        expect!(counts(semaphore), (1, 3));
        status!(NtReleaseSemaphore(semaphore, 2i32, &mut before));
        expect!(before, 1);
        status!(
            NtReleaseSemaphore(semaphore, 1i32, &mut before),
            SEMAPHORE_LIMIT_EXCEEDED
        );
        status!(
            NtReleaseSemaphore(semaphore, i32::MAX, NULL),
            SEMAPHORE_LIMIT_EXCEEDED
        );
        status!(NtReleaseSemaphore(semaphore, 0i32, NULL), INVALID_PARAMETER);
        status!(
            NtReleaseSemaphore(semaphore, -1i32, NULL),
            INVALID_PARAMETER
        );
        expect!(counts(semaphore), (3, 3));
        for left in [2, 1, 0] {
            status!(NtWaitForSingleObject(semaphore, false, &NOW), WAIT_0);
            expect!(counts(semaphore), (left, 3));
        }
        status!(NtWaitForSingleObject(semaphore, false, &NOW), TIMEOUT);
        status!(NtClose(semaphore));
        Ok(())
    }

    fn a_semaphore_cannot_begin_beyond_its_limit() -> Outcome {
        let mut handle = 0u64;
        let all = AccessMask::SEMAPHORE_ALL_ACCESS;
        for (count, limit) in [(2i32, 1i32), (-1, 1), (0, 0), (0, -1)] {
            status!(
                NtCreateSemaphore(&mut handle, all, NULL, count, limit),
                INVALID_PARAMETER
            );
        }
        Ok(())
    }

    fn a_semaphore_is_opened_by_its_name() -> Outcome {
        const NAME: &str = "\\BaseNamedObjects\\Semaphore of a test";
        let (mut made, mut opened, mut before) = (0u64, 0u64, 9u32);
        let all = AccessMask::SEMAPHORE_ALL_ACCESS;
        let modify = AccessMask::SEMAPHORE_MODIFY_STATE;
        let mut name = Named::new(NAME);
        status!(
            NtOpenSemaphore(&mut opened, all, name.get()),
            OBJECT_NAME_NOT_FOUND
        );
        status!(NtCreateSemaphore(&mut made, all, name.get(), 1i32, 3i32));
        status!(NtOpenSemaphore(&mut opened, modify, name.get()));
        // It is the same one, with that right alone.
        status!(NtReleaseSemaphore(opened, 1i32, &mut before));
        expect!(before, 1);
        expect!(counts(made), (2, 3));
        status!(NtWaitForSingleObject(opened, false, &NOW), ACCESS_DENIED);
        status!(NtClose(opened));
        status!(NtOpenSemaphore(KERNEL, all, name.get()), ACCESS_VIOLATION);
        status!(NtOpenSemaphore(&mut opened, all, KERNEL), ACCESS_VIOLATION);
        status!(
            NtOpenMutant(&mut opened, all, name.get()),
            OBJECT_TYPE_MISMATCH
        );
        status!(NtClose(made));
        status!(
            NtOpenSemaphore(&mut opened, all, name.get()),
            OBJECT_NAME_NOT_FOUND
        );
        Ok(())
    }

    fn queries_of_semaphores_refuse_what_is_wrong() -> Outcome {
        let (semaphore, mut told) = (semaphore(0, 1), [0u32; 4]);
        let class = SemaphoreInformationClass(1);
        status!(
            NtQuerySemaphore(semaphore, class, &mut told, 8u32, NULL),
            INVALID_INFO_CLASS
        );
        status!(
            NtQuerySemaphore(semaphore, SEMAPHORE_BASIC, &mut told, 9u32, NULL),
            INFO_LENGTH_MISMATCH
        );
        status!(
            NtQuerySemaphore(0u64, SEMAPHORE_BASIC, &mut told, 8u32, NULL),
            INVALID_HANDLE
        );
        status!(
            NtQuerySemaphore(semaphore, SEMAPHORE_BASIC, KERNEL, 8u32, NULL),
            ACCESS_VIOLATION
        );
        status!(NtClose(semaphore));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
