//! Virtual memory: allocating, freeing, protecting.
//!
//! Expectations: the documentation of `VirtualAlloc` and its kin and of the services below them, "Memory Protection
//! Constants", and what Wine's tests of ntdll publish.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use nt_abi::NtStatus;
    use nt_abi::access::AccessMask;
    use nt_abi::memory::{AllocationType, PageProtection};
    use test_programs::check::Outcome;
    use test_programs::memory::*;
    use test_programs::services::*;
    use test_programs::{expect, holds, status};

    test_programs::checks! {
        addresses_are_reserved_committed_and_released,
        what_cannot_be_allocated,
        arguments_are_looked_at_in_order,
        addresses_below_a_limit,
        what_cannot_be_freed,
        a_part_is_decommitted_or_released,
        protections_change,
        what_cannot_be_protected,
        a_guard_page_reports_one_access,
        pages_that_are_reset,
    }

    const COMMIT: AllocationType = AllocationType::COMMIT;
    const RESERVE: AllocationType = AllocationType::RESERVE;
    const BOTH: AllocationType = AllocationType::COMMIT.union(AllocationType::RESERVE);
    const DECOMMIT: AllocationType = AllocationType::DECOMMIT;
    const RELEASE: AllocationType = AllocationType::RELEASE;
    const RW: PageProtection = PageProtection::READWRITE;
    const RO: PageProtection = PageProtection::READONLY;
    const NONE: PageProtection = PageProtection(0);

    fn addresses_are_reserved_committed_and_released() -> Outcome {
        let (base, size) = allocate(0, 0x1_2345, RESERVE, RW)?;
        expect!((base % 0x1_0000, size), (0, 0x1_3000));
        let about = query(base + PAGE + 5)?;
        expect!(
            (about.base_address, about.allocation_base),
            (base + PAGE, base)
        );
        expect!((about.state, about.protect), (RESERVE, NONE));
        expect!(about.allocation_protect, RW);
        expect!(about.region_size, size - PAGE);
        expect!(about.kind, AllocationType::PRIVATE);
        expect!(read::<1>(base), Err(NtStatus::PARTIAL_COPY));
        // Commit rounds to pages, and can be said again.
        expect!(
            allocate(base + PAGE + 7, PAGE, COMMIT, RW),
            Ok((base + PAGE, 2 * PAGE))
        );
        expect!(region(base + PAGE), Ok((COMMIT, RW, 2 * PAGE)));
        expect!(read(base + PAGE), Ok([0; 16]));
        status!(write(base + PAGE + 10, b"content"));
        expect!(allocate(base, size, COMMIT, RW), Ok((base, size)));
        expect!(read(base + PAGE + 10), Ok(*b"content"));
        expect!(region(base), Ok((COMMIT, RW, size)));
        expect!(free(base, 0, RELEASE), Ok((base, size)));
        expect!(query(base)?.state, AllocationType::FREE);
        expect!(free(base, 0, RELEASE), Err(NtStatus::MEMORY_NOT_ALLOCATED));
        Ok(())
    }

    fn what_cannot_be_allocated() -> Outcome {
        let refused = |base, size, kind: u32, protection: u32| {
            allocate(base, size, AllocationType(kind), PageProtection(protection)).err()
        };
        let number_5 = Some(NtStatus::INVALID_PARAMETER_5);
        expect!(refused(0, PAGE, 0, 4), number_5);
        expect!(refused(0, PAGE, 0x1, 4), number_5);
        expect!(refused(0, PAGE, 0x10_0000, 4), number_5);
        expect!(refused(0, PAGE, 0x4000_0000 | 0x2000, 4), number_5);
        expect!(refused(0, PAGE, 0x8_0000 | 0x1000, 4), number_5);
        expect!(refused(0, PAGE, 0x20_0000 | 0x1000, 4), number_5);
        expect!(refused(0, PAGE, 0x2000 | 0x4_0000, 1), number_5);
        for protection in [0, 3, 0x104 | 0x200, 0x101, 0x8, 0x80, 0x1_0000] {
            expect!(
                refused(0, PAGE, BOTH.0, protection),
                Some(NtStatus::INVALID_PAGE_PROTECTION)
            );
        }
        expect!(
            refused(0, 0, BOTH.0, 4),
            Some(NtStatus::INVALID_PARAMETER_4)
        );
        expect!(
            refused(0x1000_0000, u64::MAX - 0x100, BOTH.0, 4),
            Some(NtStatus::INVALID_PARAMETER_4)
        );
        expect!(
            refused(KERNEL, PAGE, BOTH.0, 4),
            Some(NtStatus::INVALID_PARAMETER_2)
        );
        expect!(
            refused(0, 1 << 46, BOTH.0, 4),
            Some(NtStatus::COMMITMENT_LIMIT)
        );
        let conflict = Some(NtStatus::CONFLICTING_ADDRESSES);
        let (base, _) = allocate(0, 2 * PAGE, RESERVE, RW)?;
        expect!(refused(base, PAGE, RESERVE.0, 4), conflict);
        expect!(refused(base + PAGE, PAGE, RESERVE.0, 4), conflict);
        expect!(refused(base, 3 * PAGE, COMMIT.0, 4), conflict);
        free(base, 0, RELEASE)?;
        expect!(refused(base, PAGE, COMMIT.0, 4), conflict);
        Ok(())
    }

    /// What is wrong with the kind comes before what is wrong with a pointer, and that before the handle.
    fn arguments_are_looked_at_in_order() -> Outcome {
        let (mut base, mut size) = (0u64, PAGE);
        let kind = BOTH.0;
        let bad = NULL;
        let call = |process: u64, base: Address, size: Address, bits: u64, kind, protection| {
            NtAllocateVirtualMemory(process, base, bits, size, kind, protection)
        };
        status!(call(0, bad, bad, 22, 0, 0), INVALID_PARAMETER_3);
        status!(call(0, bad, bad, 0, 0, 0), INVALID_PARAMETER_5);
        status!(call(0, bad, bad, 0, kind, 0), INVALID_PAGE_PROTECTION);
        status!(call(0, bad, bad, 0, kind, 4), ACCESS_VIOLATION);
        let here = Address(address_of(&mut base));
        let length = Address(address_of(&mut size));
        status!(call(0, here, Address(KERNEL), 0, kind, 4), ACCESS_VIOLATION);
        status!(
            call(0, here, Address(NOTHING), 0, kind, 4),
            ACCESS_VIOLATION
        );
        let odd = Address(length.0 + 1);
        status!(call(0, here, odd, 0, kind, 4), DATATYPE_MISALIGNMENT);
        status!(call(0, here, length, 0, kind, 4), INVALID_HANDLE);
        status!(
            call(CURRENT_THREAD.0, here, length, 0, kind, 4),
            OBJECT_TYPE_MISMATCH
        );
        let reader = own_process(AccessMask::PROCESS_VM_READ)?;
        status!(call(reader, here, length, 0, kind, 4), ACCESS_DENIED);
        status!(NtClose(reader));
        let owner = own_process(AccessMask::PROCESS_VM_OPERATION)?;
        status!(call(owner, here, length, 0, kind, 4));
        status!(NtFreeVirtualMemory(owner, here, length, RELEASE.0));
        status!(NtClose(owner));
        // The same of the others.
        status!(NtFreeVirtualMemory(0, bad, bad, 0), INVALID_PARAMETER_4);
        status!(
            NtFreeVirtualMemory(0, bad, bad, RELEASE.0),
            ACCESS_VIOLATION
        );
        let mut before = 0u32;
        status!(
            NtProtectVirtualMemory(0, bad, bad, 0, bad),
            INVALID_PAGE_PROTECTION
        );
        status!(
            NtProtectVirtualMemory(0, here, length, 4, bad),
            ACCESS_VIOLATION
        );
        status!(
            NtProtectVirtualMemory(0, here, length, 4, &mut before),
            INVALID_HANDLE
        );
        Ok(())
    }

    fn addresses_below_a_limit() -> Outcome {
        let with_bits = |bits: u64| {
            let (mut base, mut size) = (0u64, PAGE);
            let status =
                NtAllocateVirtualMemory(CURRENT_PROCESS, &mut base, bits, &mut size, RESERVE.0, 4);
            done(status, base)
        };
        for (bits, below) in [
            (1, 0x8000_0000),
            (10, 0x40_0000),
            (0x1AAA_AAAA, 0x2000_0000),
            (u64::from(u32::MAX), 1 << 32),
        ] {
            let base = with_bits(bits)?;
            holds!(base < below);
            free(base, 0, RELEASE)?;
        }
        expect!(with_bits(22), Err(NtStatus::INVALID_PARAMETER_3));
        expect!(with_bits(31), Err(NtStatus::INVALID_PARAMETER_3));
        expect!(with_bits(21), Err(NtStatus::NO_MEMORY));
        let (low, _) = allocate(0, PAGE, RESERVE, RW)?;
        let (high, _) = allocate(0, PAGE, RESERVE | AllocationType::TOP_DOWN, RW)?;
        holds!(high > low);
        holds!(high > 1 << 46);
        free(low, 0, RELEASE)?;
        free(high, 0, RELEASE)?;
        Ok(())
    }

    fn what_cannot_be_freed() -> Outcome {
        let (base, size) = allocate(0, 4 * PAGE, BOTH, RW)?;
        expect!(
            free(base, 0, AllocationType(RELEASE.0 | DECOMMIT.0)),
            Err(NtStatus::INVALID_PARAMETER_4)
        );
        expect!(
            free(base, 0, AllocationType(0x1_0000)),
            Err(NtStatus::INVALID_PARAMETER_4)
        );
        expect!(
            free(KERNEL, PAGE, RELEASE),
            Err(NtStatus::INVALID_PARAMETER_2)
        );
        expect!(
            free(base, u64::MAX - 10, RELEASE),
            Err(NtStatus::INVALID_PARAMETER_3)
        );
        for kind in [RELEASE, DECOMMIT] {
            expect!(
                free(base + PAGE, 0, kind),
                Err(NtStatus::FREE_VM_NOT_AT_BASE)
            );
            expect!(free(base, size + 1, kind), Err(NtStatus::UNABLE_TO_FREE_VM));
            expect!(
                free(base + size, PAGE, kind),
                Err(NtStatus::MEMORY_NOT_ALLOCATED)
            );
        }
        expect!(region(base), Ok((COMMIT, RW, size)));
        free(base, 0, RELEASE)?;
        Ok(())
    }

    fn a_part_is_decommitted_or_released() -> Outcome {
        let (base, size) = allocate(0, 5 * PAGE, BOTH, RW)?;
        status!(write(base + PAGE, b"gone"));
        expect!(free(base + PAGE + 1, 1, DECOMMIT), Ok((base + PAGE, PAGE)));
        expect!(region(base), Ok((COMMIT, RW, PAGE)));
        expect!(region(base + PAGE), Ok((RESERVE, NONE, PAGE)));
        expect!(region(base + 2 * PAGE), Ok((COMMIT, RW, 3 * PAGE)));
        expect!(
            allocate(base + PAGE, PAGE, COMMIT, RO),
            Ok((base + PAGE, PAGE))
        );
        expect!(region(base + PAGE), Ok((COMMIT, RO, PAGE)));
        expect!(read(base + PAGE), Ok([0; 4]));
        // What is released in the middle leaves two allocations.
        status!(write(base + 4 * PAGE, b"stays"));
        expect!(
            free(base + 2 * PAGE, PAGE, RELEASE),
            Ok((base + 2 * PAGE, PAGE))
        );
        expect!(query(base + 2 * PAGE)?.state, AllocationType::FREE);
        expect!(query(base + PAGE)?.allocation_base, base);
        expect!(query(base + 4 * PAGE)?.allocation_base, base + 3 * PAGE);
        expect!(read(base + 4 * PAGE), Ok(*b"stays"));
        expect!(free(base, 0, RELEASE), Ok((base, 2 * PAGE)));
        expect!(
            free(base + 3 * PAGE, 0, RELEASE),
            Ok((base + 3 * PAGE, size - 3 * PAGE))
        );
        Ok(())
    }

    fn protections_change() -> Outcome {
        let (base, size) = allocate(0, 3 * PAGE, BOTH, RW)?;
        status!(write(base + PAGE, b"kept"));
        expect!(protect(base + PAGE, 1, RO), Ok(RW));
        expect!(region(base), Ok((COMMIT, RW, PAGE)));
        expect!(region(base + PAGE), Ok((COMMIT, RO, PAGE)));
        status!(write(base + PAGE, b"no"), PARTIAL_COPY);
        expect!(read(base + PAGE), Ok(*b"kept"));
        let all = PageProtection::EXECUTE_READWRITE;
        // The old protection is the first page's.
        expect!(protect(base, size, all), Ok(RW));
        expect!(region(base), Ok((COMMIT, all, size)));
        status!(write(base + PAGE, b"yes!"));
        expect!(protect(base, size, PageProtection::NOACCESS), Ok(all));
        expect!(read::<1>(base + PAGE), Err(NtStatus::PARTIAL_COPY));
        expect!(
            protect(base, size, PageProtection::EXECUTE_READ),
            Ok(PageProtection::NOACCESS)
        );
        expect!(read(base + PAGE), Ok(*b"yes!"));
        expect!(query(base)?.allocation_protect, RW);
        free(base, 0, RELEASE)?;
        Ok(())
    }

    fn what_cannot_be_protected() -> Outcome {
        let (base, size) = allocate(0, 3 * PAGE, RESERVE, RW)?;
        allocate(base, PAGE, COMMIT, RW)?;
        expect!(protect(base, size, RO), Err(NtStatus::NOT_COMMITTED));
        expect!(region(base), Ok((COMMIT, RW, PAGE)));
        expect!(
            protect(base, size + PAGE, RO),
            Err(NtStatus::CONFLICTING_ADDRESSES)
        );
        expect!(protect(base, 0, RO), Err(NtStatus::INVALID_PARAMETER_3));
        expect!(
            protect(base, u64::MAX, RO),
            Err(NtStatus::INVALID_PARAMETER_3)
        );
        expect!(
            protect(KERNEL, PAGE, RO),
            Err(NtStatus::INVALID_PARAMETER_2)
        );
        expect!(
            protect(base, PAGE, PageProtection::WRITECOPY),
            Err(NtStatus::INVALID_PAGE_PROTECTION)
        );
        free(base, 0, RELEASE)?;
        expect!(
            protect(base, PAGE, RO),
            Err(NtStatus::CONFLICTING_ADDRESSES)
        );
        Ok(())
    }

    fn a_guard_page_reports_one_access() -> Outcome {
        let guarded = RW | PageProtection::GUARD;
        let (base, size) = allocate(0, 2 * PAGE, BOTH, guarded)?;
        expect!(region(base), Ok((COMMIT, guarded, size)));
        expect!(read::<4>(base + 8), Err(NtStatus::PARTIAL_COPY));
        expect!(region(base), Ok((COMMIT, RW, PAGE)));
        expect!(read(base + 8), Ok([0; 4]));
        expect!(region(base + PAGE), Ok((COMMIT, guarded, PAGE)));
        status!(write(base + PAGE, b"x"), PARTIAL_COPY);
        status!(write(base + PAGE, b"x"));
        // It can be made one again, with what it has.
        expect!(protect(base + PAGE, PAGE, guarded), Ok(RW));
        expect!(read::<1>(base + PAGE), Err(NtStatus::PARTIAL_COPY));
        expect!(read(base + PAGE), Ok(*b"x"));
        free(base, 0, RELEASE)?;
        Ok(())
    }

    fn pages_that_are_reset() -> Outcome {
        let (base, size) = allocate(0, 2 * PAGE, BOTH, RW)?;
        status!(write(base, b"perhaps"));
        // The protection is looked at, and of no consequence.
        allocate(base, size, AllocationType::RESET, PageProtection::NOACCESS)?;
        expect!(region(base), Ok((COMMIT, RW, size)));
        status!(write(base, b"certain"));
        expect!(read(base), Ok(*b"certain"));
        expect!(
            allocate(base, size, AllocationType::RESET, NONE).err(),
            Some(NtStatus::INVALID_PAGE_PROTECTION)
        );
        free(base, 0, RELEASE)?;
        expect!(
            allocate(base, size, AllocationType::RESET, RW).err(),
            Some(NtStatus::CONFLICTING_ADDRESSES)
        );
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
