//! Virtual memory: copies, locked pages, write watches, advice.
//!
//! Expectations: the documentation of `ReadProcessMemory`, `VirtualLock`, `GetWriteWatch` and
//! `PrefetchVirtualMemory` and of the services below them, and what Wine's tests of ntdll and kernelbase publish.
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
    use nt_abi::services::arguments::VirtualMemoryInformationClass;
    use nt_abi::w64::MemoryRangeEntry;
    use test_programs::check::Outcome;
    use test_programs::memory::*;
    use test_programs::services::*;
    use test_programs::{expect, status};

    test_programs::checks! {
        memory_is_read_as_far_as_it_can_be,
        memory_is_written_as_far_as_it_can_be,
        what_cannot_be_read_or_written,
        pages_are_locked_and_unlocked,
        writes_are_watched,
        what_is_not_watched,
        caches_are_flushed,
        ranges_are_prefetched,
    }

    const COMMIT: AllocationType = AllocationType::COMMIT;
    const RESERVE: AllocationType = AllocationType::RESERVE;
    const BOTH: AllocationType = AllocationType::COMMIT.union(AllocationType::RESERVE);
    const RELEASE: AllocationType = AllocationType::RELEASE;
    const RW: PageProtection = PageProtection::READWRITE;
    const NOACCESS: PageProtection = PageProtection::NOACCESS;

    fn memory_is_read_as_far_as_it_can_be() -> Outcome {
        let (base, _) = allocate(0, 2 * PAGE, BOTH, RW)?;
        status!(write(base + PAGE - 4, b"last"));
        protect(base + PAGE, PAGE, NOACCESS)?;
        let (mut bytes, mut count) = ([0u8; 8], 77u64);
        let at = base + PAGE - 4;
        status!(
            NtReadVirtualMemory(CURRENT_PROCESS, at, &mut bytes, 8u64, &mut count),
            PARTIAL_COPY
        );
        expect!((count, &bytes[..4]), (4, &b"last"[..]));
        status!(NtReadVirtualMemory(
            CURRENT_PROCESS,
            at,
            &mut bytes,
            4u64,
            &mut count
        ));
        expect!(count, 4);
        status!(NtReadVirtualMemoryEx(
            CURRENT_PROCESS,
            at,
            &mut bytes,
            4u64,
            &mut count,
            0u32
        ));
        status!(
            NtReadVirtualMemory(CURRENT_PROCESS, NOTHING, &mut bytes, 8u64, &mut count),
            PARTIAL_COPY
        );
        expect!(count, 0);
        free(base, 0, RELEASE)?;
        Ok(())
    }

    fn memory_is_written_as_far_as_it_can_be() -> Outcome {
        let (base, _) = allocate(0, 2 * PAGE, BOTH, RW)?;
        protect(base + PAGE, PAGE, PageProtection::READONLY)?;
        let mut count = 77u64;
        status!(
            NtWriteVirtualMemory(
                CURRENT_PROCESS,
                base + PAGE - 3,
                b"passed",
                6u64,
                &mut count
            ),
            PARTIAL_COPY
        );
        expect!(count, 3);
        expect!(read(base + PAGE - 3), Ok(*b"pas\0\0\0"));
        // The source ends.
        protect(base + PAGE, PAGE, NOACCESS)?;
        let mut copy = [0u8; 0x40];
        let into = address_of(&mut copy);
        let from = Address(base + PAGE - 3);
        status!(
            NtWriteVirtualMemory(CURRENT_PROCESS, into, from, 0x40u64, &mut count),
            PARTIAL_COPY
        );
        expect!(count, 3);
        expect!(&read::<4>(into)?, b"pas\0");
        free(base, 0, RELEASE)?;
        Ok(())
    }

    fn what_cannot_be_read_or_written() -> Outcome {
        let (mut bytes, mut count) = ([0u8; 8], 77u64);
        let here = address_of(&mut bytes);
        let place = Address(here);
        let read = |process: u64, at: u64, to: Address, size: u64, count: &mut u64| {
            NtReadVirtualMemory(process, at, to, size, count)
        };
        let write = |process: u64, at: u64, from: Address, size: u64, count: &mut u64| {
            NtWriteVirtualMemory(process, at, from, size, count)
        };
        let own = CURRENT_PROCESS.0;
        // Nothing is done without looking at the handle.
        status!(read(0, here, place, 0, &mut count));
        expect!(count, 0);
        count = 77;
        status!(read(0, here, place, 8, &mut count), INVALID_HANDLE);
        expect!(count, 0);
        status!(write(0, here, place, 8, &mut count), INVALID_HANDLE);
        status!(read(own, KERNEL, place, 8, &mut count), ACCESS_VIOLATION);
        status!(write(own, KERNEL, place, 8, &mut count), ACCESS_VIOLATION);
        status!(
            read(own, here, Address(KERNEL), 8, &mut count),
            ACCESS_VIOLATION
        );
        status!(
            read(own, here, place, u64::MAX, &mut count),
            ACCESS_VIOLATION
        );
        status!(
            read(own, here, Address(NOTHING), 8, &mut count),
            ACCESS_VIOLATION
        );
        status!(
            write(own, here, Address(NOTHING), 8, &mut count),
            PARTIAL_COPY
        );
        status!(
            NtReadVirtualMemory(own, here, place, 8u64, Address(KERNEL)),
            ACCESS_VIOLATION
        );
        let writer = own_process(AccessMask::PROCESS_VM_WRITE | AccessMask::PROCESS_VM_OPERATION)?;
        status!(read(writer, here, place, 8, &mut count), ACCESS_DENIED);
        status!(write(writer, here, place, 8, &mut count));
        expect!(count, 8);
        status!(NtClose(writer));
        let reader = own_process(AccessMask::PROCESS_VM_READ)?;
        status!(write(reader, here, place, 8, &mut count), ACCESS_DENIED);
        status!(read(reader, here, place, 8, &mut count));
        status!(NtClose(reader));
        Ok(())
    }

    fn pages_are_locked_and_unlocked() -> Outcome {
        let (base, _) = allocate(0, 200 * PAGE, RESERVE, RW)?;
        allocate(base, 199 * PAGE, COMMIT, RW)?;
        let lock = |at: u64, size: u64, kind: u32| {
            let (mut at, mut size) = (at, size);
            (
                NtLockVirtualMemory(CURRENT_PROCESS, &mut at, &mut size, kind),
                at,
                size,
            )
        };
        let unlock = |at: u64, size: u64| {
            let (mut at, mut size) = (at, size);
            NtUnlockVirtualMemory(CURRENT_PROCESS, &mut at, &mut size, 1u32)
        };
        expect!(lock(base + 9, 1, 1), (NtStatus::SUCCESS, base, PAGE));
        expect!(lock(base, PAGE, 1), (NtStatus::WAS_LOCKED, base, PAGE));
        status!(unlock(base, 2 * PAGE), NOT_LOCKED);
        status!(unlock(base, PAGE));
        status!(unlock(base, PAGE), NOT_LOCKED);
        expect!(lock(base, PAGE, 0).0, NtStatus::INVALID_PARAMETER);
        expect!(lock(base, PAGE, 5).0, NtStatus::INVALID_PARAMETER);
        expect!(lock(base, 0, 1).0, NtStatus::INVALID_PARAMETER);
        expect!(lock(KERNEL, PAGE, 1).0, NtStatus::INVALID_PARAMETER);
        expect!(
            lock(base + 199 * PAGE, PAGE, 1).0,
            NtStatus::ACCESS_VIOLATION
        );
        // Less than a process's minimum can be locked, and that is 50 pages at first.
        expect!(lock(base, 100 * PAGE, 1).0, NtStatus::WORKING_SET_QUOTA);
        // What is given up is not locked any more.
        expect!(lock(base, PAGE, 1).0, NtStatus::SUCCESS);
        free(base, 0, RELEASE)?;
        status!(unlock(base, PAGE), NOT_LOCKED);
        Ok(())
    }

    fn watch(at: u64, size: u64, flags: u32, pages: &mut [u64; 4]) -> (NtStatus, u64, u32) {
        let (mut count, mut granularity) = (4u64, 0u32);
        let status = NtGetWriteWatch(
            CURRENT_PROCESS,
            flags,
            at,
            size,
            pages,
            &mut count,
            &mut granularity,
        );
        (status, count, granularity)
    }

    fn writes_are_watched() -> Outcome {
        let kind = BOTH | AllocationType::WRITE_WATCH;
        let (base, size) = allocate(0, 6 * PAGE, kind, RW)?;
        let mut pages = [0u64; 4];
        let good = |count| (NtStatus::SUCCESS, count, 0x1000);
        expect!(read(base), Ok([0u8; 1]));
        expect!(watch(base, size, 0, &mut pages), good(0));
        for page in [4, 1, 4] {
            status!(write(base + page * PAGE + 100, b"w"));
        }
        expect!(watch(base, size, 0, &mut pages), good(2));
        expect!(&pages[..2], &[base + PAGE, base + 4 * PAGE][..]);
        // Of a part of it, and then forgotten.
        expect!(watch(base + 2 * PAGE, 4 * PAGE, 1, &mut pages), good(1));
        expect!(pages[0], base + 4 * PAGE);
        expect!(watch(base, size, 0, &mut pages), good(1));
        status!(write(base + 4 * PAGE, b"again"));
        expect!(watch(base, size, 0, &mut pages), good(2));
        status!(NtResetWriteWatch(CURRENT_PROCESS, base, size));
        expect!(watch(base, size, 0, &mut pages), good(0));
        // More were written than there is room for.
        for page in 0..6 {
            status!(write(base + page * PAGE, b"w"));
        }
        expect!(watch(base, size, 1, &mut pages), good(4));
        expect!(watch(base, size, 1, &mut pages), good(2));
        expect!(&pages[..2], &[base + 4 * PAGE, base + 5 * PAGE][..]);
        free(base, 0, RELEASE)?;
        Ok(())
    }

    fn what_is_not_watched() -> Outcome {
        let (base, size) = allocate(0, 2 * PAGE, BOTH, RW)?;
        let mut pages = [0u64; 4];
        expect!(
            watch(base, size, 2, &mut pages).0,
            NtStatus::INVALID_PARAMETER_2
        );
        expect!(
            watch(KERNEL, size, 0, &mut pages).0,
            NtStatus::INVALID_PARAMETER_2
        );
        expect!(
            watch(base, u64::MAX, 0, &mut pages).0,
            NtStatus::INVALID_PARAMETER_3
        );
        expect!(
            watch(base, size, 0, &mut pages).0,
            NtStatus::INVALID_PARAMETER_1
        );
        status!(
            NtResetWriteWatch(CURRENT_PROCESS, base, size),
            INVALID_PARAMETER_1
        );
        let (mut none, mut granularity) = (0u64, 0u32);
        status!(
            NtGetWriteWatch(
                CURRENT_PROCESS,
                0u32,
                base,
                size,
                &mut pages,
                &mut none,
                &mut granularity
            ),
            INVALID_PARAMETER_5
        );
        free(base, 0, RELEASE)?;
        Ok(())
    }

    fn caches_are_flushed() -> Outcome {
        let (base, size) = allocate(0, 2 * PAGE, BOTH, PageProtection::EXECUTE_READWRITE)?;
        status!(write(base, b"code"));
        status!(NtFlushInstructionCache(CURRENT_PROCESS, base, size));
        status!(NtFlushInstructionCache(CURRENT_PROCESS, 0u64, 0u64));
        status!(NtFlushInstructionCache(0u64, base, size), INVALID_HANDLE);
        status!(NtFlushProcessWriteBuffers());
        status!(NtFlushWriteBuffer());
        free(base, 0, RELEASE)?;
        Ok(())
    }

    fn ranges_are_prefetched() -> Outcome {
        let (base, size) = allocate(0, 2 * PAGE, BOTH, RW)?;
        let entry = |base: u64, size: u64| MemoryRangeEntry {
            virtual_address: base,
            number_of_bytes: size,
        };
        let set = |class: u32, count: u64, entry: &MemoryRangeEntry, flags: &u32, length: u32| {
            let class = VirtualMemoryInformationClass(class);
            NtSetInformationVirtualMemory(CURRENT_PROCESS, class, count, entry, flags, length)
        };
        let good = entry(base, size);
        status!(set(0, 1, &good, &0, 4));
        status!(set(0, 1, &entry(0x1_0000_0000, PAGE), &0, 4));
        status!(set(99, 1, &good, &0, 4), INVALID_PARAMETER_2);
        status!(set(0, 0, &good, &0, 4), INVALID_PARAMETER_3);
        status!(set(0, 1, &entry(base, 0), &0, 4), INVALID_PARAMETER_4);
        status!(set(0, 1, &good, &1, 4), INVALID_PARAMETER_5);
        status!(set(0, 1, &good, &0, 8), INVALID_PARAMETER_6);
        status!(
            NtSetInformationVirtualMemory(
                CURRENT_PROCESS,
                VirtualMemoryInformationClass(0),
                1u64,
                NULL,
                &0u32,
                4u32
            ),
            ACCESS_VIOLATION
        );
        free(base, 0, RELEASE)?;
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
