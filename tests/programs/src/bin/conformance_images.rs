//! Sections of images, and their views.
//!
//! Expectations: the documentation of `ZwCreateSection`, `ZwMapViewOfSection`, `CreateFileMapping` and `MapViewOfFile`,
//! and what Wine's tests of ntdll publish.
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
    use nt_abi::primitives::ObjectAttributeFlags;
    use nt_abi::services::arguments::{SectionInformationClass, SectionInherit};
    use nt_abi::w64::{SectionBasicInformation, SectionImageInformation};
    use test_programs::check::Outcome;
    use test_programs::memory::*;
    use test_programs::names::Named;
    use test_programs::services::*;
    use test_programs::{expect, holds, status};
    use zerocopy::FromZeros as _;

    test_programs::checks! {
        an_image_is_mapped_again,
        an_image_is_shared_until_it_is_written,
        an_image_is_known_by_its_name,
    }

    const ALL: AccessMask = AccessMask::SECTION_ALL_ACCESS;
    const RW: PageProtection = PageProtection::READWRITE;
    const UNMAP: SectionInherit = SectionInherit(2);

    /// A view: base, size, offset.
    fn map_at(
        section: u64,
        (base, size, offset): (u64, u64, i64),
        kind: u32,
        protection: PageProtection,
    ) -> (NtStatus, u64, u64) {
        let (mut base, mut size, mut offset) = (base, size, offset);
        let status = NtMapViewOfSection(
            section,
            CURRENT_PROCESS,
            &mut base,
            0u64,
            0u64,
            &mut offset,
            &mut size,
            UNMAP,
            kind,
            protection.0,
        );
        (status, base, size)
    }

    fn unmap(base: u64) -> NtStatus {
        NtUnmapViewOfSection(CURRENT_PROCESS, base)
    }

    fn ask<T>(section: u64, class: u32, information: &mut T) -> NtStatus {
        let class = SectionInformationClass(class);
        NtQuerySection(section, class, information, size_of::<T>(), NULL)
    }

    const OWN: &str = "\\KnownDlls\\conformance_images.exe";

    fn open_image(rights: AccessMask) -> Result<u64, NtStatus> {
        let mut section = 0u64;
        let status = NtOpenSection(&mut section, rights, Named::new(OWN).get());
        done(status, section)
    }

    fn own_base() -> Result<u64, NtStatus> {
        let here: fn() -> Outcome = an_image_is_mapped_again;
        Ok(query(here as usize as u64)?.allocation_base)
    }

    /// Where a number of the optional header is in the file.
    fn header(base: u64, at: u64) -> Result<u32, NtStatus> {
        let new = u32::from_le_bytes(read(base + 0x3C)?);
        Ok(u32::from_le_bytes(read(base + u64::from(new) + 24 + at)?))
    }

    fn an_image_is_mapped_again() -> Outcome {
        let section = open_image(ALL)?;
        let mut about = SectionImageInformation::new_zeroed();
        status!(ask(section, 1, &mut about));
        let own = own_base()?;
        let entry = u64::from(header(own, 16)?);
        expect!(about.transfer_address, own + entry);
        expect!((about.image_contains_code, about.loader_flags), (1, 0));
        holds!(about.maximum_stack_size >= about.committed_stack_size);
        let mut basic = SectionBasicInformation::new_zeroed();
        status!(ask(section, 0, &mut basic));
        expect!(
            basic.allocation_attributes,
            SectionAttributes::IMAGE | SectionAttributes::FILE
        );
        let size_of_image = header(own, 56)?;
        expect!(
            basic.maximum_size,
            i64::from(size_of_image.next_multiple_of(0x1000))
        );
        let mut original = 0u64;
        status!(ask(section, 3, &mut original));
        // Its base is taken: by the program itself.
        let (status, other, size) = map_at(section, (0, 0, 0), 0, PageProtection::EXECUTE);
        status!(status, IMAGE_NOT_AT_BASE);
        holds!(other != own);
        expect!(size, u64::from(size_of_image).next_multiple_of(0x1000));
        expect!(query(other)?.kind, AllocationType::IMAGE);
        expect!(
            query(other)?.allocation_protect,
            PageProtection::EXECUTE_WRITECOPY
        );
        status!(NtAreMappedFilesTheSame(own, other));
        // Headers and code are those of the first view, made for its base: a loader has to relocate this one.
        expect!(header(other, 24)?, header(own, 24)?);
        let code = own + u64::from(header(own, 20)?);
        expect!(read::<64>(other + (code - own))?, read::<64>(code)?);
        let ok = AllocationType::DIFFERENT_IMAGE_BASE_OK.0;
        let (status, third, _) = map_at(section, (0, 0, 0), ok, PageProtection::EXECUTE);
        status!(status);
        status!(unmap(third));
        status!(unmap(other));
        status!(NtClose(section));
        Ok(())
    }

    fn an_image_is_shared_until_it_is_written() -> Outcome {
        let section = open_image(ALL)?;
        let own = own_base()?;
        let (status, other, size) = map_at(section, (0, 0, 0), 0, PageProtection::READONLY);
        status!(status, IMAGE_NOT_AT_BASE);
        let code = other + u64::from(header(own, 20)?);
        let there = code - other + own;
        expect!(region(code)?.1, PageProtection::EXECUTE_READ);
        status!(write(code, b"patch"), PARTIAL_COPY);
        // What a loader does to relocate it.
        expect!(
            protect(code, PAGE, PageProtection::EXECUTE_READWRITE),
            Ok(PageProtection::EXECUTE_READ)
        );
        expect!(region(code)?.1, PageProtection::EXECUTE_WRITECOPY);
        let before = read::<5>(there)?;
        status!(write(code, b"patch"));
        expect!(read(code), Ok(*b"patch"));
        expect!(read(there), Ok(before));
        expect!(region(code)?.1, PageProtection::EXECUTE_READWRITE);
        // Its data is copied by whoever writes it.
        let mut page = other;
        while page < other + size && region(page)?.1 != PageProtection::WRITECOPY {
            page += PAGE;
        }
        if page < other + size {
            let before = read::<5>(page - other + own)?;
            status!(write(page, b"local"));
            expect!(read(page), Ok(*b"local"));
            expect!(read(page - other + own), Ok(before));
            expect!(region(page)?.1, RW);
        }
        status!(unmap(other));
        status!(NtClose(section));
        Ok(())
    }

    fn an_image_is_known_by_its_name() -> Outcome {
        let mut section = 0u64;
        let mut missing = Named::new("\\KnownDlls\\no such program.exe");
        status!(
            NtOpenSection(&mut section, ALL, missing.get()),
            OBJECT_NAME_NOT_FOUND
        );
        let mut capitals = Named::new("\\knowndlls\\CONFORMANCE_IMAGES.EXE")
            .flags(ObjectAttributeFlags::CASE_INSENSITIVE);
        status!(NtOpenSection(
            &mut section,
            AccessMask::SECTION_QUERY,
            capitals.get()
        ));
        let (status, ..) = map_at(section, (0, 0, 0), 0, PageProtection::EXECUTE);
        status!(status, ACCESS_DENIED);
        status!(NtClose(section));
        // It is permanent: it is there after its last handle.
        let again = open_image(AccessMask::SECTION_MAP_READ)?;
        status!(NtClose(again));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
