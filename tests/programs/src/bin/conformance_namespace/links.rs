//! Symbolic links, names that begin at a directory, directories behind directories.

use super::*;

fn link(path: &str, target: &str) -> Result<u64, Failed> {
    let mut handle = 0u64;
    let (mut name, mut target) = (Named::new(path), Wide::new(target));
    let target = target.counted();
    status!(NtCreateSymbolicLinkObject(
        &mut handle,
        LINK,
        name.get(),
        &target
    ));
    Ok(handle)
}

pub(super) fn a_link_is_made_read_and_followed() -> Outcome {
    let target = "\\BaseNamedObjects\\Target";
    let link = link("\\BaseNamedObjects\\Link", target)?;
    let event = event(target, 0)?;
    let mut handle = 0u64;
    let mut name = Named::new("\\BaseNamedObjects\\Link");
    status!(NtOpenEvent(&mut handle, EVENT, name.get()));
    status!(NtCompareObjects(handle, event));
    status!(NtClose(handle));
    status!(NtOpenSymbolicLinkObject(&mut handle, LINK, name.get()));
    status!(NtCompareObjects(handle, link));
    status!(NtClose(handle));
    let mut text = Buffer::<128>::new();
    let length = (2 * target.len()) as u16;
    let mut string = UnicodeString {
        length: 0,
        maximum_length: length - 2,
        reserved: 0,
        buffer: address_of(&mut text),
    };
    let mut needed = 0u32;
    status!(
        NtQuerySymbolicLinkObject(link, &mut string, &mut needed),
        BUFFER_TOO_SMALL
    );
    expect!(needed, u32::from(length) + 2);
    status!(
        NtQuerySymbolicLinkObject(link, &mut string, NULL),
        BUFFER_TOO_SMALL
    );
    string.maximum_length = length;
    status!(
        NtQuerySymbolicLinkObject(link, &mut string, &mut needed),
        BUFFER_TOO_SMALL
    );
    status!(NtQuerySymbolicLinkObject(link, &mut string, NULL));
    expect!(string.length, length);
    holds!(text.says(&string, target));
    string.maximum_length = 128;
    status!(NtQuerySymbolicLinkObject(link, &mut string, &mut needed));
    expect!(needed, u32::from(length) + 2);
    status!(
        NtQuerySymbolicLinkObject(0u64, &mut string, NULL),
        INVALID_HANDLE
    );
    status!(
        NtQuerySymbolicLinkObject(event, &mut string, NULL),
        OBJECT_TYPE_MISMATCH
    );
    status!(
        NtQuerySymbolicLinkObject(link, KERNEL, NULL),
        ACCESS_VIOLATION
    );
    status!(NtClose(link));
    status!(
        NtOpenEvent(&mut handle, EVENT, name.get()),
        OBJECT_NAME_NOT_FOUND
    );
    status!(NtClose(event));
    Ok(())
}

pub(super) fn links_refuse_what_is_wrong() -> Outcome {
    let mut handle = 0u64;
    let mut name = Named::new("\\BaseNamedObjects\\Bad");
    let mut text = Wide::new("\\Device");
    let good = text.counted();
    let all = LINK;
    status!(
        NtCreateSymbolicLinkObject(&mut handle, all, name.get(), NULL),
        ACCESS_VIOLATION
    );
    status!(
        NtCreateSymbolicLinkObject(NULL, all, NULL, &good),
        ACCESS_VIOLATION
    );
    let odd = UnicodeString { length: 3, ..good };
    status!(
        NtCreateSymbolicLinkObject(&mut handle, all, name.get(), &odd),
        INVALID_PARAMETER
    );
    let empty = UnicodeString {
        length: 0,
        maximum_length: 0,
        ..good
    };
    status!(
        NtCreateSymbolicLinkObject(&mut handle, all, name.get(), &empty),
        INVALID_PARAMETER
    );
    let elsewhere = UnicodeString {
        buffer: KERNEL.0,
        ..good
    };
    status!(
        NtCreateSymbolicLinkObject(&mut handle, all, name.get(), &elsewhere),
        ACCESS_VIOLATION
    );
    status!(
        NtOpenSymbolicLinkObject(&mut handle, all, NULL),
        INVALID_PARAMETER
    );
    status!(
        NtOpenSymbolicLinkObject(NULL, all, name.get()),
        ACCESS_VIOLATION
    );
    // A link to itself is followed a while and then given up.
    let circle = link("\\BaseNamedObjects\\Circle", "\\BaseNamedObjects\\Circle")?;
    let mut around = Named::new("\\BaseNamedObjects\\Circle");
    status!(
        NtOpenEvent(&mut handle, EVENT, around.get()),
        OBJECT_NAME_NOT_FOUND
    );
    status!(NtClose(circle));
    Ok(())
}

pub(super) fn a_name_may_begin_at_a_directory() -> Outcome {
    let directory = directory("\\BaseNamedObjects\\Root")?;
    let event = event("Relative", directory)?;
    let mut handle = 0u64;
    let mut full = Named::new("\\BaseNamedObjects\\Root\\Relative");
    status!(NtOpenEvent(&mut handle, EVENT, full.get()));
    status!(NtClose(handle));
    let mut absolute = Named::new("\\Relative").under(directory);
    status!(
        NtOpenEvent(&mut handle, EVENT, absolute.get()),
        OBJECT_PATH_SYNTAX_BAD
    );
    let mut wrong = Named::new("Relative").under(event);
    status!(
        NtOpenEvent(&mut handle, EVENT, wrong.get()),
        OBJECT_TYPE_MISMATCH
    );
    let mut none = Named::new("Relative").under(0xDEAC);
    status!(NtOpenEvent(&mut handle, EVENT, none.get()), INVALID_HANDLE);
    // The directory's last handle goes, but what is in it keeps it; only its own name is gone.
    status!(NtClose(directory));
    status!(
        NtOpenEvent(&mut handle, EVENT, full.get()),
        OBJECT_PATH_NOT_FOUND
    );
    status!(NtClose(event));
    Ok(())
}

pub(super) fn a_second_directory_shows_behind_the_first() -> Outcome {
    let behind = directory("\\BaseNamedObjects\\Behind")?;
    let event = event("Shadowed", behind)?;
    let mut front = 0u64;
    status!(NtCreateDirectoryObjectEx(
        &mut front, DIRECTORY, NULL, behind, 0u32
    ));
    let mut handle = 0u64;
    let mut name = Named::new("Shadowed").under(front);
    status!(NtOpenEvent(&mut handle, EVENT, name.get()));
    status!(NtCompareObjects(handle, event));
    status!(NtClose(handle));
    let wrong = NtCreateDirectoryObjectEx(&mut handle, DIRECTORY, NULL, event, 0u32);
    status!(wrong, OBJECT_TYPE_MISMATCH);
    for handle in [front, event, behind] {
        status!(NtClose(handle));
    }
    Ok(())
}

/// Each directory is kept by the one whose shadow it is, so with the last handle all of them go, one after another.
pub(super) fn a_long_chain_of_shadows_ends() -> Outcome {
    const LENGTH: usize = 10_000;
    let mut last = directory("\\BaseNamedObjects\\Behind all")?;
    for _ in 0..LENGTH {
        let behind = last;
        status!(NtCreateDirectoryObjectEx(
            &mut last, DIRECTORY, NULL, behind, 0u32
        ));
        status!(NtClose(behind));
    }
    status!(NtClose(last));
    let mut name = Named::new("\\BaseNamedObjects\\Behind all");
    status!(
        NtOpenDirectoryObject(&mut last, DIRECTORY, name.get()),
        OBJECT_NAME_NOT_FOUND
    );
    Ok(())
}

pub(super) fn an_exclusive_object_has_one_owner() -> Outcome {
    let flags = ObjectAttributeFlags::EXCLUSIVE;
    let mut handle = 0u64;
    let mut name = Named::new("\\BaseNamedObjects\\Exclusive").flags(flags);
    status!(NtCreateEvent(
        &mut handle,
        EVENT,
        name.get(),
        NOTIFICATION,
        false
    ));
    let mut second = 0u64;
    let mut shared = Named::new("\\BaseNamedObjects\\Exclusive");
    status!(NtOpenEvent(&mut second, EVENT, shared.get()), ACCESS_DENIED);
    status!(NtOpenEvent(&mut second, EVENT, name.get()));
    status!(NtClose(second));
    status!(NtClose(handle));
    Ok(())
}
