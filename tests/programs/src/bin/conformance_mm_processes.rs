//! Memory of two processes: what they share, and what one does to the other's.
//!
//! Expectations: the documentation of `VirtualAllocEx`, `VirtualProtectEx`, `VirtualQueryEx`, `WriteProcessMemory` and
//! `MapViewOfFile2`, and what Wine's tests of kernel32 and ntdll publish.
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
    use nt_abi::memory::{AllocationType, PageProtection, SectionAttributes};
    use nt_abi::services::arguments::{MemoryInformationClass, SectionInherit};
    use nt_abi::w64::MemoryBasicInformation;
    use test_programs::check::{Failed, Outcome};
    use test_programs::memory::{self, PAGE, done};
    use test_programs::processes::{Child, Options, start_with};
    use test_programs::services::*;
    use test_programs::{expect, status};
    use zerocopy::FromZeros as _;

    test_programs::checks! {
        a_child_has_memory_of_its_own,
        rights_limit_what_is_done_to_a_child,
        a_section_joins_two_processes,
        a_program_is_shared_until_it_is_written,
        a_process_that_has_ended_has_no_memory,
    }

    const PROGRAM: &str = r"\??\C:\nothing.exe";
    const OWN_PROGRAM: &str = r"\??\C:\conformance_mm_processes.exe";
    const BOTH: u32 = 0x3000;
    const RELEASE: u32 = AllocationType::RELEASE.0;
    const RW: PageProtection = PageProtection::READWRITE;
    const RO: PageProtection = PageProtection::READONLY;

    /// A child whose thread has not begun.
    fn child_of(program: &str) -> Result<Child, Failed> {
        let options = Options {
            thread_flags: 1,
            ..Options::default()
        };
        start_with(program, program, options)
    }

    fn end(child: Child) -> Outcome {
        status!(NtTerminateProcess(child.process, NtStatus(0)));
        child.join()
    }

    fn allocate_in(process: u64, size: u64) -> Result<u64, NtStatus> {
        let (mut base, mut size) = (0u64, size);
        let status = NtAllocateVirtualMemory(process, &mut base, 0u64, &mut size, BOTH, RW.0);
        done(status, base)
    }

    fn query_in(process: u64, address: u64) -> Result<MemoryBasicInformation, NtStatus> {
        let mut found = MemoryBasicInformation::new_zeroed();
        let size = size_of::<MemoryBasicInformation>();
        let class = MemoryInformationClass(0);
        let status = NtQueryVirtualMemory(process, address, class, &mut found, size, NULL);
        done(status, found)
    }

    fn protect_in(
        process: u64,
        base: u64,
        protection: PageProtection,
    ) -> Result<PageProtection, NtStatus> {
        let (mut base, mut size, mut before) = (base, PAGE, 0u32);
        let status =
            NtProtectVirtualMemory(process, &mut base, &mut size, protection.0, &mut before);
        done(status, PageProtection(before))
    }

    fn free_in(process: u64, base: u64) -> NtStatus {
        let (mut base, mut size) = (base, 0u64);
        NtFreeVirtualMemory(process, &mut base, &mut size, RELEASE)
    }

    fn read_in<const N: usize>(process: u64, at: u64) -> Result<[u8; N], NtStatus> {
        let mut bytes = [0u8; N];
        let status = NtReadVirtualMemory(process, at, &mut bytes, N, NULL);
        done(status, bytes)
    }

    fn write_in(process: u64, at: u64, bytes: &[u8]) -> NtStatus {
        NtWriteVirtualMemory(process, at, bytes, bytes.len(), NULL)
    }

    fn a_child_has_memory_of_its_own() -> Outcome {
        let child = child_of(PROGRAM)?;
        let base = allocate_in(child.process, 3 * PAGE)?;
        status!(write_in(child.process, base + PAGE - 2, b"over a border"));
        expect!(
            read_in(child.process, base + PAGE - 2),
            Ok(*b"over a border")
        );
        expect!(protect_in(child.process, base + PAGE, RO), Ok(RW));
        let found = query_in(child.process, base + PAGE)?;
        expect!((found.protect, found.region_size), (RO, PAGE));
        let mut count = 0u64;
        status!(
            NtWriteVirtualMemory(child.process, base + PAGE - 2, b"cut", 3u64, &mut count),
            PARTIAL_COPY
        );
        expect!(count, 2);
        expect!(read_in(child.process, base + PAGE - 2), Ok(*b"cuer"));
        // The same address is another page here, or none.
        holds_apart(base)?;
        status!(free_in(child.process, base));
        expect!(
            read_in::<1>(child.process, base),
            Err(NtStatus::PARTIAL_COPY)
        );
        end(child)
    }

    fn holds_apart(base: u64) -> Outcome {
        if let Ok(here) = memory::read::<4>(base + PAGE - 2) {
            test_programs::holds!(here != *b"cuer");
        }
        Ok(())
    }

    fn rights_limit_what_is_done_to_a_child() -> Outcome {
        let child = child_of(PROGRAM)?;
        let base = allocate_in(child.process, PAGE)?;
        let with = |rights: AccessMask| {
            let mut handle = 0u64;
            let own = CURRENT_PROCESS;
            let status =
                NtDuplicateObject(own, child.process, own, &mut handle, rights, 0u32, 0u32);
            done(status, handle)
        };
        let denied = NtStatus::ACCESS_DENIED;
        let operates = with(AccessMask::PROCESS_VM_OPERATION)?;
        expect!(read_in::<1>(operates, base), Err(denied));
        expect!(write_in(operates, base, b"x"), denied);
        expect!(query_in(operates, base).err(), Some(denied));
        expect!(protect_in(operates, base, RO), Ok(RW));
        expect!(protect_in(operates, base, RW), Ok(RO));
        status!(NtClose(operates));
        let reads = with(AccessMask::PROCESS_VM_READ | AccessMask::PROCESS_QUERY_INFORMATION)?;
        expect!(read_in(reads, base), Ok([0u8; 4]));
        expect!(query_in(reads, base)?.protect, RW);
        expect!(write_in(reads, base, b"x"), denied);
        expect!(protect_in(reads, base, RO), Err(denied));
        expect!(allocate_in(reads, PAGE), Err(denied));
        expect!(free_in(reads, base), denied);
        status!(NtClose(reads));
        end(child)
    }

    fn map_in(section: u64, process: u64, protection: PageProtection) -> Result<u64, NtStatus> {
        let (mut base, mut size) = (0u64, 0u64);
        let status = NtMapViewOfSection(
            section,
            process,
            &mut base,
            0u64,
            0u64,
            NULL,
            &mut size,
            SectionInherit(2),
            0u32,
            protection.0,
        );
        done(status, base)
    }

    fn a_section_joins_two_processes() -> Outcome {
        let child = child_of(PROGRAM)?;
        let mut section = 0u64;
        let size = 0x2000i64;
        status!(NtCreateSection(
            &mut section,
            AccessMask::SECTION_ALL_ACCESS,
            NULL,
            &size,
            RW.0,
            SectionAttributes::COMMIT.0,
            0u64
        ));
        let here = map_in(section, CURRENT_PROCESS.0, RW)?;
        let there = map_in(section, child.process, RW)?;
        let copies = map_in(section, child.process, PageProtection::WRITECOPY)?;
        status!(NtClose(section));
        status!(memory::write(here + PAGE, b"from here"));
        expect!(read_in(child.process, there + PAGE), Ok(*b"from here"));
        expect!(read_in(child.process, copies + PAGE), Ok(*b"from here"));
        status!(write_in(child.process, there + PAGE, b"from there"));
        expect!(memory::read(here + PAGE), Ok(*b"from there"));
        status!(write_in(child.process, copies + PAGE, b"alone"));
        expect!(memory::read(here + PAGE), Ok(*b"from there"));
        expect!(read_in(child.process, copies + PAGE), Ok(*b"alonethere"));
        status!(NtUnmapViewOfSection(child.process, there));
        expect!(memory::read(here + PAGE), Ok(*b"from there"));
        end(child)?;
        // What a process that has ended wrote is there still.
        expect!(memory::read(here + PAGE), Ok(*b"from there"));
        status!(NtUnmapViewOfSection(CURRENT_PROCESS, here));
        Ok(())
    }

    fn a_program_is_shared_until_it_is_written() -> Outcome {
        let child = child_of(OWN_PROGRAM)?;
        let here: fn() -> Outcome = a_program_is_shared_until_it_is_written;
        let code = here as usize as u64;
        // All processes of a program have it where the first one has it.
        let found = query_in(child.process, code)?;
        expect!(found.kind, AllocationType::IMAGE);
        expect!(found.allocation_base, memory::query(code)?.allocation_base);
        expect!(found.protect, PageProtection::EXECUTE_READ);
        let before = memory::read::<8>(code)?;
        expect!(read_in(child.process, code), Ok(before));
        expect!(
            write_in(child.process, code, b"patched!"),
            NtStatus::PARTIAL_COPY
        );
        let all = PageProtection::EXECUTE_READWRITE;
        expect!(
            protect_in(child.process, code, all),
            Ok(PageProtection::EXECUTE_READ)
        );
        status!(write_in(child.process, code, b"patched!"));
        status!(NtFlushInstructionCache(child.process, code, 8u64));
        expect!(read_in(child.process, code), Ok(*b"patched!"));
        expect!(memory::read(code), Ok(before));
        // Another child has the program as it was.
        let other = child_of(OWN_PROGRAM)?;
        expect!(read_in(other.process, code), Ok(before));
        end(other)?;
        end(child)
    }

    fn a_process_that_has_ended_has_no_memory() -> Outcome {
        let child = child_of(PROGRAM)?;
        let base = allocate_in(child.process, PAGE)?;
        status!(NtTerminateProcess(child.process, NtStatus(0)));
        status!(NtWaitForSingleObject(child.process, false, NULL));
        let ends = NtStatus::PROCESS_IS_TERMINATING;
        expect!(allocate_in(child.process, PAGE), Err(ends));
        expect!(free_in(child.process, base), ends);
        expect!(protect_in(child.process, base, RO), Err(ends));
        expect!(query_in(child.process, base).err(), Some(ends));
        expect!(write_in(child.process, base, b"x"), ends);
        expect!(NtUnmapViewOfSection(child.process, base), ends);
        child.close()
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
