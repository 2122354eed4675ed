//! Virtual memory with further parameters: required addresses, placeholders.
//!
//! Expectations: the documentation of `VirtualAlloc2` and `VirtualFree` and of the services below them, and what Wine's tests of ntdll and kernelbase publish.
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
    use nt_abi::memory::{AllocationType, MemExtendedParameter, PageProtection};
    use nt_abi::w64::MemAddressRequirements;
    use test_programs::check::Outcome;
    use test_programs::memory::*;
    use test_programs::services::*;
    use test_programs::{expect, holds, status};

    test_programs::checks! {
        addresses_are_required,
        what_cannot_be_required,
        placeholders_are_cut_replaced_and_joined,
        what_placeholders_are_not,
        a_section_needs_no_further_parameters,
    }

    const COMMIT: AllocationType = AllocationType::COMMIT;
    const RESERVE: AllocationType = AllocationType::RESERVE;
    const BOTH: AllocationType = AllocationType::COMMIT.union(AllocationType::RESERVE);
    const RELEASE: AllocationType = AllocationType::RELEASE;
    const RW: PageProtection = PageProtection::READWRITE;
    const NOACCESS: PageProtection = PageProtection::NOACCESS;

    fn allocate_ex(
        base: u64,
        size: u64,
        kind: AllocationType,
        protection: PageProtection,
        parameters: &[MemExtendedParameter],
    ) -> Result<u64, NtStatus> {
        let (mut base, mut size) = (base, size);
        let count = u32::try_from(parameters.len()).unwrap_or(0);
        let status = NtAllocateVirtualMemoryEx(
            CURRENT_PROCESS,
            &mut base,
            &mut size,
            kind.0,
            protection.0,
            Address(parameters.as_ptr() as usize as u64),
            count,
        );
        done(status, base)
    }

    fn required(lowest: u64, highest: u64, alignment: u64, base: u64) -> Result<u64, NtStatus> {
        let mut requirements = MemAddressRequirements {
            lowest_starting_address: lowest,
            highest_ending_address: highest,
            alignment,
        };
        let parameter = MemExtendedParameter {
            kind: 1,
            value: address_of(&mut requirements),
        };
        allocate_ex(base, PAGE, RESERVE, RW, &[parameter])
    }

    fn addresses_are_required() -> Outcome {
        let base = required(0x5000_0000, 0x5FFF_FFFF, 0x100_0000, 0)?;
        holds!((0x5000_0000..0x6000_0000).contains(&base));
        expect!(base % 0x100_0000, 0);
        free(base, 0, RELEASE)?;
        let base = required(0, 0, 0x4000_0000, 0)?;
        expect!(base % 0x4000_0000, 0);
        free(base, 0, RELEASE)?;
        // The range is full.
        let base = required(0x5000_0000, 0x5000_FFFF, 0, 0)?;
        expect!(base, 0x5000_0000);
        expect!(
            required(0x5000_0000, 0x5000_FFFF, 0, 0),
            Err(NtStatus::NO_MEMORY)
        );
        free(base, 0, RELEASE)?;
        let base = allocate_ex(0, PAGE, BOTH, RW, &[])?;
        status!(write(base, b"x"));
        free(base, 0, RELEASE)?;
        Ok(())
    }

    fn what_cannot_be_required() -> Outcome {
        let bad = Err(NtStatus::INVALID_PARAMETER);
        expect!(required(0, 0, 0x8000, 0), bad);
        expect!(required(0, 0, 0x3_0000, 0), bad);
        expect!(required(0x1000, 0, 0, 0), bad);
        expect!(required(0, 0x5000_0000, 0, 0), bad);
        expect!(required(0x6000_0000, 0x5FFF_FFFF, 0, 0), bad);
        expect!(required(KERNEL, 0, 0, 0), bad);
        expect!(required(0, 0x5FFF_FFFF, 0, 0x5000_0000), bad);
        let parameter = |kind, value| MemExtendedParameter { kind, value };
        let with =
            |parameters: &[MemExtendedParameter]| allocate_ex(0, PAGE, RESERVE, RW, parameters);
        expect!(with(&[parameter(0, 0)]), bad);
        expect!(with(&[parameter(60, 0)]), bad);
        expect!(with(&[parameter(2, 0), parameter(2, 0)]), bad);
        expect!(
            with(&[parameter(1, NOTHING)]),
            Err(NtStatus::ACCESS_VIOLATION)
        );
        expect!(allocate_ex(0, 0, RESERVE, RW, &[]), bad);
        expect!(allocate_ex(0, PAGE, AllocationType(0), RW, &[]), bad);
        let (mut base, mut size) = (0u64, PAGE);
        status!(
            NtAllocateVirtualMemoryEx(
                CURRENT_PROCESS,
                &mut base,
                &mut size,
                RESERVE.0,
                4u32,
                NULL,
                1u32
            ),
            INVALID_PARAMETER
        );
        Ok(())
    }

    const PLACEHOLDER: AllocationType =
        AllocationType::RESERVE.union(AllocationType::RESERVE_PLACEHOLDER);
    const REPLACE: AllocationType =
        AllocationType::RESERVE.union(AllocationType::REPLACE_PLACEHOLDER);
    const PRESERVE: AllocationType =
        AllocationType::RELEASE.union(AllocationType::PRESERVE_PLACEHOLDER);
    const COALESCE: AllocationType =
        AllocationType::RELEASE.union(AllocationType::COALESCE_PLACEHOLDERS);

    fn placeholders_are_cut_replaced_and_joined() -> Outcome {
        let size = 6 * PAGE;
        let base = allocate_ex(0, size, PLACEHOLDER, NOACCESS, &[])?;
        let about = query(base)?;
        expect!(
            (about.state, about.kind),
            (RESERVE, AllocationType::PRIVATE)
        );
        expect!(
            (about.region_size, about.allocation_protect),
            (size, NOACCESS)
        );
        // Three of it.
        expect!(
            free(base + 2 * PAGE, PAGE, PRESERVE),
            Ok((base + 2 * PAGE, PAGE))
        );
        expect!(query(base)?.region_size, 2 * PAGE);
        expect!(query(base + 2 * PAGE)?.region_size, PAGE);
        expect!(query(base + 3 * PAGE)?.allocation_base, base + 3 * PAGE);
        // The middle becomes memory, and a placeholder again.
        let middle = base + 2 * PAGE;
        expect!(
            allocate_ex(middle, PAGE, REPLACE | COMMIT, RW, &[]),
            Ok(middle)
        );
        status!(write(middle, b"between"));
        expect!(region(middle), Ok((COMMIT, RW, PAGE)));
        expect!(free(middle, PAGE, PRESERVE), Ok((middle, PAGE)));
        expect!(region(middle)?.0, RESERVE);
        expect!(read::<1>(middle), Err(NtStatus::PARTIAL_COPY));
        expect!(free(base, size, COALESCE), Ok((base, size)));
        expect!(query(base)?.region_size, size);
        expect!(free(base, 0, RELEASE), Ok((base, size)));
        expect!(query(base)?.state, AllocationType::FREE);
        Ok(())
    }

    fn what_placeholders_are_not() -> Outcome {
        let conflict = Err(NtStatus::CONFLICTING_ADDRESSES);
        let bad = Err(NtStatus::INVALID_PARAMETER);
        expect!(allocate_ex(0, PAGE, PLACEHOLDER, RW, &[]), bad);
        expect!(
            allocate_ex(0, PAGE, PLACEHOLDER | COMMIT, NOACCESS, &[]),
            bad
        );
        let alone = AllocationType::REPLACE_PLACEHOLDER | COMMIT;
        expect!(allocate_ex(0x10_0000, PAGE, alone, RW, &[]), bad);
        let base = allocate_ex(0, 4 * PAGE, PLACEHOLDER, NOACCESS, &[])?;
        expect!(
            allocate(base, PAGE, COMMIT, RW).map(|(base, _)| base),
            conflict
        );
        expect!(allocate_ex(base, 2 * PAGE, REPLACE, RW, &[]), conflict);
        expect!(allocate_ex(base + PAGE, PAGE, REPLACE, RW, &[]), conflict);
        expect!(protect(base, PAGE, RW).map(|_| base), conflict);
        expect!(
            free(base, 4 * PAGE, PRESERVE).map(|(base, _)| base),
            conflict
        );
        expect!(
            free(base, 4 * PAGE, COALESCE).map(|(base, _)| base),
            conflict
        );
        expect!(free(base, 0, PRESERVE), Err(NtStatus::INVALID_PARAMETER_3));
        free(base, 0, RELEASE)?;
        let (base, _) = allocate(0, PAGE, RESERVE, RW)?;
        expect!(free(base, PAGE, PRESERVE).map(|(base, _)| base), conflict);
        expect!(allocate_ex(base, PAGE, REPLACE, RW, &[]), conflict);
        free(base, 0, RELEASE)?;
        Ok(())
    }

    fn a_section_needs_no_further_parameters() -> Outcome {
        /// `SEC_COMMIT`.
        const SEC_COMMIT: u32 = 0x0800_0000;
        let all = nt_abi::access::AccessMask::SECTION_ALL_ACCESS;
        let (mut section, size, mut base, mut length) = (0u64, 0x2000i64, 0u64, 0u64);
        status!(NtCreateSectionEx(
            &mut section,
            all,
            NULL,
            &size,
            RW.0,
            SEC_COMMIT,
            0u64,
            NULL,
            0u32
        ));
        status!(NtMapViewOfSection(
            section,
            CURRENT_PROCESS,
            &mut base,
            0u64,
            0u64,
            NULL,
            &mut length,
            nt_abi::services::arguments::SectionInherit(2),
            0u32,
            RW.0
        ));
        expect!(length, 0x2000);
        status!(write(base + 0x1FF8, &[7; 8]));
        expect!(read(base + 0x1FF8), Ok([7u8; 8]));
        status!(NtUnmapViewOfSection(CURRENT_PROCESS, base));
        status!(NtClose(section));
        status!(
            NtCreateSectionEx(
                Address(KERNEL),
                all,
                NULL,
                &size,
                RW.0,
                SEC_COMMIT,
                0u64,
                NULL,
                0u32
            ),
            ACCESS_VIOLATION
        );
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
