//! The checks of this program that stand alone, and what all of them share.

use nt_abi::NtStatus;
use nt_abi::access::AccessMask;
use nt_abi::memory::{AllocationType, PageProtection, SectionAttributes};
use nt_abi::primitives::ObjectAttributeFlags;
use nt_abi::services::arguments::{EventType, SectionInformationClass, SectionInherit};
use nt_abi::w64::{IoStatusBlock, SectionBasicInformation, SectionImageInformation};
use test_programs::check::Outcome;
use test_programs::memory::*;
use test_programs::names::Named;
use test_programs::services::*;
use test_programs::{expect, holds, status};
use zerocopy::FromZeros as _;

mod queries;

use queries::{
    a_section_can_be_asked_about, a_view_replaces_a_placeholder, ask, what_needs_a_file,
};

test_programs::list_of_checks! {
    two_views_show_the_same_bytes,
    a_view_that_copies_keeps_its_writes,
    what_cannot_be_created,
    what_cannot_be_mapped,
    rights_limit_views,
    a_section_has_a_name,
    reserved_pages_are_committed_for_all_views,
    a_section_can_be_asked_about,
    a_view_replaces_a_placeholder,
    what_needs_a_file,
}

const ALL: AccessMask = AccessMask::SECTION_ALL_ACCESS;
const SEC_COMMIT: u32 = SectionAttributes::COMMIT.0;
const RO: PageProtection = PageProtection::READONLY;
const RW: PageProtection = PageProtection::READWRITE;
const UNMAP: SectionInherit = SectionInherit(2);

fn create(size: i64, protection: u32, attributes: u32) -> Result<u64, NtStatus> {
    let mut section = 0u64;
    let status = NtCreateSection(&mut section, ALL, NULL, &size, protection, attributes, 0u64);
    done(status, section)
}

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

fn map(section: u64, protection: PageProtection) -> Result<(u64, u64), NtStatus> {
    let (status, base, size) = map_at(section, (0, 0, 0), 0, protection);
    done(status, (base, size))
}

fn unmap(base: u64) -> NtStatus {
    NtUnmapViewOfSection(CURRENT_PROCESS, base)
}

fn two_views_show_the_same_bytes() -> Outcome {
    let section = create(0x2_1234, RW.0, SEC_COMMIT)?;
    let (one, size) = map(section, RW)?;
    expect!((one % 0x1_0000, size), (0, 0x2_2000));
    let (two, _) = map(section, RO)?;
    holds!(one != two);
    status!(write(one + 0x1_0010, b"shared"));
    expect!(read(two + 0x1_0010), Ok(*b"shared"));
    let (status, part, size) = map_at(section, (0, 0x1000, 0x1_0000), 0, RO);
    status!(status);
    expect!(size, 0x1000);
    expect!(read(part + 0x10), Ok(*b"shared"));
    let about = query(part)?;
    expect!(about.kind, AllocationType::MAPPED);
    expect!((about.allocation_protect, about.region_size), (RO, 0x1000));
    status!(write(two, b"no"), PARTIAL_COPY);
    // The views keep the section.
    status!(NtClose(section));
    status!(unmap(part + 0xFFF));
    status!(unmap(part), NOT_MAPPED_VIEW);
    expect!(read(two + 0x1_0010), Ok(*b"shared"));
    expect!(
        free(one, 0, AllocationType::RELEASE),
        Err(NtStatus::UNABLE_TO_DELETE_SECTION)
    );
    status!(unmap(one));
    status!(unmap(two));
    status!(unmap(KERNEL), NOT_MAPPED_VIEW);
    status!(unmap(NOTHING), NOT_MAPPED_VIEW);
    status!(NtUnmapViewOfSection(0u64, one), INVALID_HANDLE);
    Ok(())
}

fn a_view_that_copies_keeps_its_writes() -> Outcome {
    let section = create(0x2000, RW.0, SEC_COMMIT)?;
    let (shared, _) = map(section, RW)?;
    let (copies, _) = map(section, PageProtection::WRITECOPY)?;
    status!(write(shared, b"original"));
    expect!(read(copies), Ok(*b"original"));
    expect!(query(copies)?.protect, PageProtection::WRITECOPY);
    status!(write(copies, b"mine"));
    expect!(read(copies), Ok(*b"mineinal"));
    expect!(read(shared), Ok(*b"original"));
    // A copy is the process's own; the other page is not one.
    expect!(region(copies)?.1, RW);
    expect!(region(copies + PAGE)?.1, PageProtection::WRITECOPY);
    status!(write(shared, b"later"));
    status!(write(shared + PAGE, b"seen"));
    expect!(read(copies), Ok(*b"mine"));
    expect!(read(copies + PAGE), Ok(*b"seen"));
    status!(unmap(copies));
    status!(unmap(shared));
    status!(NtClose(section));
    Ok(())
}

fn what_cannot_be_created() -> Outcome {
    let number_6 = Err(NtStatus::INVALID_PARAMETER_6);
    for attributes in [0, 0x0C00_0000, 0x0900_0000, 0x0800_0001, 0x1000_0000] {
        expect!(create(PAGE.cast_signed(), 4, attributes), number_6);
    }
    for protection in [0, 1, 6, 0x104] {
        expect!(
            create(0x1000, protection, SEC_COMMIT),
            Err(NtStatus::INVALID_PAGE_PROTECTION)
        );
    }
    expect!(create(0, 4, SEC_COMMIT), Err(NtStatus::INVALID_PARAMETER_4));
    expect!(
        create(1 << 40, 4, SEC_COMMIT),
        Err(NtStatus::COMMITMENT_LIMIT)
    );
    expect!(create(-1, 4, SEC_COMMIT), Err(NtStatus::SECTION_TOO_BIG));
    expect!(
        create(0x1000, 0x10, 0x0100_0000),
        Err(NtStatus::INVALID_FILE_FOR_SECTION)
    );
    let size = 0x1000i64;
    let at = |handle: Address, size: Address| {
        NtCreateSection(handle, ALL, NULL, size, 4u32, SEC_COMMIT, 0u64)
    };
    let mut handle = 0u64;
    let place = Address(address_of(&mut handle));
    status!(at(NULL, NULL), ACCESS_VIOLATION);
    status!(at(Address(KERNEL), NULL), ACCESS_VIOLATION);
    status!(at(place, Address(NOTHING)), ACCESS_VIOLATION);
    status!(at(place, NULL), INVALID_PARAMETER_4);
    status!(
        NtCreateSection(NULL, ALL, NULL, &size, 4u32, 0u32, 0u64),
        INVALID_PARAMETER_6
    );
    Ok(())
}

fn what_cannot_be_mapped() -> Outcome {
    let section = create(0x3_0000, RO.0, SEC_COMMIT)?;
    let odd = |base, size, offset, kind, protection: u32| {
        map_at(
            section,
            (base, size, offset),
            kind,
            PageProtection(protection),
        )
        .0
    };
    status!(odd(0, 0, 0, 0, 0), INVALID_PAGE_PROTECTION);
    status!(odd(0, 0, 0, 0x1000, 2), INVALID_PARAMETER_9);
    status!(odd(0, 0, 0, 0x4000, 2), INVALID_PARAMETER_9);
    status!(odd(0, 0, 0, 0, 4), SECTION_PROTECTION);
    status!(odd(0, 0, 0, 0, 0x20), SECTION_PROTECTION);
    status!(odd(0, 0, 0x1000, 0, 2), MAPPED_ALIGNMENT);
    status!(odd(0x1000_1000, 0, 0, 0, 2), MAPPED_ALIGNMENT);
    status!(odd(0, 0, 0x3_0000, 0, 2), INVALID_VIEW_SIZE);
    status!(odd(0, 0x3_0001, 0, 0, 2), INVALID_VIEW_SIZE);
    status!(odd(0, 0x2_0000, 0x2_0000, 0, 2), INVALID_VIEW_SIZE);
    status!(odd(KERNEL, 0, 0, 0, 2), INVALID_PARAMETER_3);
    status!(odd(0, u64::MAX, 0, 0, 2), INVALID_PARAMETER_3);
    let (base, _) = map(section, RO)?;
    status!(odd(base, 0, 0, 0, 2), CONFLICTING_ADDRESSES);
    status!(unmap(base));
    let (mut base, mut size) = (0u64, 0u64);
    let mut with = |section: u64, process: u64, bits: u64, inherit: u32| {
        NtMapViewOfSection(
            section,
            process,
            &mut base,
            bits,
            0u64,
            NULL,
            &mut size,
            SectionInherit(inherit),
            0u32,
            2u32,
        )
    };
    let own = CURRENT_PROCESS.0;
    status!(with(section, own, 22, 2), INVALID_PARAMETER_4);
    status!(with(section, own, 0, 3), INVALID_PARAMETER_8);
    status!(with(section, own, 0, 0), INVALID_PARAMETER_8);
    status!(with(0, own, 0, 2), INVALID_HANDLE);
    status!(with(section, 0, 0, 2), INVALID_HANDLE);
    status!(with(own, own, 0, 2), OBJECT_TYPE_MISMATCH);
    let reader = own_process(AccessMask::PROCESS_VM_READ)?;
    status!(with(section, reader, 0, 2), ACCESS_DENIED);
    status!(NtClose(reader));
    status!(NtClose(section));
    Ok(())
}

fn rights_limit_views() -> Outcome {
    let section = create(0x1000, PageProtection::EXECUTE_READWRITE.0, SEC_COMMIT)?;
    let with = |rights: AccessMask| {
        let mut handle = 0u64;
        let own = CURRENT_PROCESS;
        let status = NtDuplicateObject(own, section, own, &mut handle, rights, 0u32, 0u32);
        done(status, handle)
    };
    let reads = with(AccessMask::SECTION_MAP_READ)?;
    expect!(map(reads, RW), Err(NtStatus::ACCESS_DENIED));
    expect!(
        map(reads, PageProtection::EXECUTE_READ),
        Err(NtStatus::ACCESS_DENIED)
    );
    for protection in [RO, PageProtection::WRITECOPY, PageProtection::NOACCESS] {
        let (base, _) = map(reads, protection)?;
        status!(unmap(base));
    }
    status!(NtClose(reads));
    let writes = with(AccessMask::SECTION_MAP_WRITE)?;
    let (base, _) = map(writes, RW)?;
    status!(unmap(base));
    expect!(map(writes, RO), Err(NtStatus::ACCESS_DENIED));
    let mut about = SectionBasicInformation::new_zeroed();
    status!(ask(writes, 0, &mut about), ACCESS_DENIED);
    status!(NtClose(writes));
    status!(NtClose(section));
    Ok(())
}

fn a_section_has_a_name() -> Outcome {
    let mut name = Named::new("\\BaseNamedObjects\\ConformanceSection");
    let (mut one, mut two) = (0u64, 0u64);
    let size = 0x1000i64;
    let named = |handle: &mut u64, name: &mut Named| {
        NtCreateSection(handle, ALL, name.get(), &size, 4u32, SEC_COMMIT, 0u64)
    };
    status!(named(&mut one, &mut name));
    status!(named(&mut two, &mut name), OBJECT_NAME_COLLISION);
    let mut again =
        Named::new("\\BaseNamedObjects\\ConformanceSection").flags(ObjectAttributeFlags::OPENIF);
    status!(named(&mut two, &mut again), OBJECT_NAME_EXISTS);
    let (first, _) = map(one, RW)?;
    let (second, _) = map(two, RW)?;
    status!(write(first, b"one"));
    expect!(read(second), Ok(*b"one"));
    status!(NtClose(two));
    status!(NtOpenSection(
        &mut two,
        AccessMask::SECTION_MAP_READ,
        name.get()
    ));
    expect!(map(two, RW), Err(NtStatus::ACCESS_DENIED));
    status!(NtClose(two));
    status!(
        NtOpenEvent(&mut two, AccessMask::EVENT_ALL_ACCESS, name.get()),
        OBJECT_TYPE_MISMATCH
    );
    status!(NtClose(one));
    status!(
        NtOpenSection(&mut two, ALL, name.get()),
        OBJECT_NAME_NOT_FOUND
    );
    status!(unmap(first));
    status!(unmap(second));
    Ok(())
}

fn reserved_pages_are_committed_for_all_views() -> Outcome {
    let section = create(0x10_0000, RW.0, SectionAttributes::RESERVE.0)?;
    let (one, _) = map(section, RW)?;
    let (two, _) = map(section, RW)?;
    let reserve = AllocationType::RESERVE;
    expect!(region(one), Ok((reserve, PageProtection(0), 0x10_0000)));
    status!(write(one, b"no"), PARTIAL_COPY);
    allocate(one + PAGE, PAGE, AllocationType::COMMIT, RW)?;
    status!(write(one + PAGE, b"yes"));
    expect!(read(two + PAGE), Ok(*b"yes"));
    expect!(region(two + PAGE)?.0, AllocationType::COMMIT);
    expect!(region(two + 2 * PAGE)?.0, reserve);
    status!(unmap(one));
    status!(unmap(two));
    status!(NtClose(section));
    Ok(())
}
