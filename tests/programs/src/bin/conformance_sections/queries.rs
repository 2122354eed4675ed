//! What sections say of themselves, placeholders, and what needs a file.

use super::*;

pub(super) fn ask<T>(section: u64, class: u32, information: &mut T) -> NtStatus {
    let class = SectionInformationClass(class);
    NtQuerySection(section, class, information, size_of::<T>(), NULL)
}

pub(super) fn a_section_can_be_asked_about() -> Outcome {
    let section = create(0x1234, RW.0, SEC_COMMIT)?;
    let mut about = SectionBasicInformation::new_zeroed();
    let mut length = 0u64;
    let basic = SectionInformationClass(0);
    status!(NtQuerySection(
        section,
        basic,
        &mut about,
        0x30u64,
        &mut length
    ));
    expect!(length, 0x18);
    expect!(about.base_address, 0);
    expect!(about.allocation_attributes, SectionAttributes::COMMIT);
    expect!(about.maximum_size, 0x2000);
    status!(
        NtQuerySection(section, basic, &mut about, 0x17u64, NULL),
        INFO_LENGTH_MISMATCH
    );
    status!(
        NtQuerySection(0u64, basic, NULL, 0u64, NULL),
        INFO_LENGTH_MISMATCH
    );
    status!(
        NtQuerySection(section, basic, NULL, 0x18u64, NULL),
        ACCESS_VIOLATION
    );
    status!(ask(0, 0, &mut about), INVALID_HANDLE);
    status!(ask(section, 99, &mut about), INVALID_INFO_CLASS);
    let mut image = SectionImageInformation::new_zeroed();
    status!(ask(section, 1, &mut image), SECTION_NOT_IMAGE);
    let mut size = 0x8000i64;
    status!(NtExtendSection(section, &mut size), SECTION_NOT_EXTENDED);
    status!(NtClose(section));
    Ok(())
}

/// Two views of one section beside each other: what is written at the end goes on at the start.
pub(super) fn a_view_replaces_a_placeholder() -> Outcome {
    let section = create(0x2000, RW.0, SEC_COMMIT)?;
    let (mut base, mut size) = (0u64, 0x4000u64);
    let placeholder = AllocationType::RESERVE | AllocationType::RESERVE_PLACEHOLDER;
    status!(NtAllocateVirtualMemoryEx(
        CURRENT_PROCESS,
        &mut base,
        &mut size,
        placeholder.0,
        1u32,
        NULL,
        0u32
    ));
    let preserve = AllocationType::RELEASE | AllocationType::PRESERVE_PLACEHOLDER;
    free(base, 0x2000, preserve)?;
    let view = |at: u64, size: u64| {
        let (mut at, mut size) = (at, size);
        NtMapViewOfSectionEx(
            section,
            CURRENT_PROCESS,
            &mut at,
            NULL,
            &mut size,
            AllocationType::REPLACE_PLACEHOLDER.0,
            RW.0,
            NULL,
            0u32,
        )
    };
    status!(view(base, 0x1000), CONFLICTING_ADDRESSES);
    status!(view(base, 0x2000));
    status!(view(base + 0x2000, 0x2000));
    status!(write(base + 0x1FFD, b"around"));
    expect!(read(base), Ok(*b"und"));
    let unmap_ex = |at: u64, flags: u32| NtUnmapViewOfSectionEx(CURRENT_PROCESS, at, flags);
    status!(unmap_ex(base, 4), INVALID_PARAMETER_3);
    status!(unmap_ex(base, 2));
    expect!(
        region(base),
        Ok((AllocationType::RESERVE, PageProtection(0), 0x2000))
    );
    status!(view(base, 0x2000));
    expect!(read(base), Ok(*b"und"));
    status!(unmap(base));
    expect!(query(base)?.state, AllocationType::FREE);
    status!(unmap_ex(base + 0x2000, 0));
    let (other, _) = map(section, RW)?;
    status!(unmap_ex(other, 2), CONFLICTING_ADDRESSES);
    status!(unmap(other));
    status!(NtClose(section));
    Ok(())
}

pub(super) fn what_needs_a_file() -> Outcome {
    let (mut section, mut event) = (0u64, 0u64);
    let size = 0x1000i64;
    let kind = EventType(0);
    status!(NtCreateEvent(
        &mut event,
        AccessMask::EVENT_ALL_ACCESS,
        NULL,
        kind,
        false
    ));
    let of_file = |section: &mut u64, file: u64| {
        NtCreateSection(section, ALL, NULL, &size, 4u32, SEC_COMMIT, file)
    };
    status!(of_file(&mut section, event), OBJECT_TYPE_MISMATCH);
    status!(of_file(&mut section, 0x7FFC), INVALID_HANDLE);
    status!(NtClose(event));
    let (base, size) = allocate(
        0,
        PAGE,
        AllocationType::COMMIT | AllocationType::RESERVE,
        RW,
    )?;
    let mut io = IoStatusBlock::new_zeroed();
    let (mut at, mut length) = (base, size);
    status!(
        NtFlushVirtualMemory(CURRENT_PROCESS, &mut at, &mut length, &mut io),
        NOT_MAPPED_VIEW
    );
    status!(NtAreMappedFilesTheSame(base, base), CONFLICTING_ADDRESSES);
    free(base, 0, AllocationType::RELEASE)?;
    status!(NtAreMappedFilesTheSame(base, base), INVALID_ADDRESS);
    Ok(())
}
