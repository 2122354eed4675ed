//! Security descriptors of objects: read, replaced, refused.
//!
//! Expectations: the documentation of `ZwQuerySecurityObject` and `ZwSetSecurityObject`, [MS-DTYP] 2.4.6.
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
    use nt_abi::security::{
        DescriptorControl, SecurityDescriptor64, SecurityDescriptorRelative, SecurityInformation,
    };
    use nt_abi::services::arguments::EventType;
    use test_programs::buffer::Buffer;
    use test_programs::check::{Failed, Outcome};
    use test_programs::names::Named;
    use test_programs::objects::event;
    use test_programs::services::*;
    use test_programs::{expect, holds, status};

    test_programs::checks! {
        a_descriptor_is_read_and_replaced,
        a_descriptor_may_be_absolute,
        descriptors_ask_for_rights,
    }

    const NOTIFICATION: EventType = EventType(0);

    const KERNEL: Address = Address(0xFFFF_8000_0000_0000);

    const ALL: AccessMask = AccessMask::EVENT_ALL_ACCESS;

    /// Everyone, S-1-1-0.
    const EVERYONE: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];

    /// A list with one entry that allows Everyone to wait.
    const WAITING: [u8; 28] = [
        2, 0, 28, 0, 1, 0, 0, 0, 0, 0, 20, 0, 0, 0, 0x10, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0,
    ];

    fn parts(handle: u64, wanted: SecurityInformation) -> Result<Buffer<512>, Failed> {
        let mut answer = Buffer::<512>::new();
        let mut needed = 0u32;
        status!(
            NtQuerySecurityObject(handle, wanted.0, NULL, 0u32, &mut needed),
            BUFFER_TOO_SMALL
        );
        status!(NtQuerySecurityObject(
            handle,
            wanted.0,
            &mut answer.0,
            needed,
            &mut needed
        ));
        Ok(answer)
    }

    fn a_descriptor_is_read_and_replaced() -> Outcome {
        let mut handle = 0u64;
        let mut name = Named::new("\\BaseNamedObjects\\Secured");
        status!(NtCreateEvent(
            &mut handle,
            ALL,
            name.get(),
            NOTIFICATION,
            false
        ));
        let told = parts(handle, SecurityInformation::OWNER)?;
        let head: SecurityDescriptorRelative = told.at(0);
        holds!(head.control.contains(DescriptorControl::SELF_RELATIVE));
        holds!(head.owner != 0);
        expect!((head.group, head.dacl, head.sacl), (0, 0, 0));
        let mut new = Buffer::<64>::new();
        new.0[..4].copy_from_slice(&[1, 0, 4, 0x80]);
        new.0[16] = 20;
        new.0[20..48].copy_from_slice(&WAITING);
        status!(NtSetSecurityObject(
            handle,
            SecurityInformation::DACL.0,
            &new.0
        ));
        let told = parts(handle, SecurityInformation::DACL)?;
        let head: SecurityDescriptorRelative = told.at(0);
        let dacl = head.dacl as usize;
        expect!(told.at::<[u8; 28]>(dacl), WAITING);
        // Whoever opens it now may wait and nothing else; whoever owns it may still read and write the list.
        let mut opened = 0u64;
        status!(NtOpenEvent(
            &mut opened,
            AccessMask::SYNCHRONIZE,
            name.get()
        ));
        status!(NtClose(opened));
        let set = AccessMask::EVENT_MODIFY_STATE;
        status!(NtOpenEvent(&mut opened, set, name.get()), ACCESS_DENIED);
        status!(NtOpenEvent(&mut opened, AccessMask::WRITE_DAC, name.get()));
        status!(NtClose(opened));
        // Damaged ones change nothing.
        new.0[0] = 2;
        let dacl = SecurityInformation::DACL.0;
        status!(NtSetSecurityObject(handle, dacl, &new.0), UNKNOWN_REVISION);
        new.0[0] = 1;
        new.0[16] = 21;
        status!(
            NtSetSecurityObject(handle, dacl, &new.0),
            INVALID_SECURITY_DESCR
        );
        new.0[16] = 20;
        new.0[22] = 7;
        status!(NtSetSecurityObject(handle, dacl, &new.0), INVALID_ACL);
        status!(NtSetSecurityObject(handle, dacl, NULL), ACCESS_VIOLATION);
        status!(NtSetSecurityObject(handle, dacl, KERNEL), ACCESS_VIOLATION);
        status!(NtClose(handle));
        Ok(())
    }

    fn a_descriptor_may_be_absolute() -> Outcome {
        let (mut owner, mut list) = (Buffer::<12>(EVERYONE), Buffer::<28>(WAITING));
        let mut absolute = SecurityDescriptor64 {
            revision: 1,
            resource_manager_control: 0,
            control: DescriptorControl::DACL_PRESENT,
            padding: 0,
            owner: 0,
            group: address_of(&mut owner),
            sacl: 0xFFFF_8000_0000_0000,
            dacl: address_of(&mut list),
        };
        // The audit list is not marked as present, so that its address means nothing.
        let mut handle = 0u64;
        let mut secured = Named::unnamed().secured(address_of(&mut absolute));
        status!(NtCreateEvent(
            &mut handle,
            ALL,
            secured.get(),
            NOTIFICATION,
            false
        ));
        let told = parts(
            handle,
            SecurityInformation::DACL | SecurityInformation::GROUP,
        )?;
        let head: SecurityDescriptorRelative = told.at(0);
        let (dacl, group) = (head.dacl as usize, head.group as usize);
        expect!(told.at::<[u8; 28]>(dacl), WAITING);
        expect!(told.at::<[u8; 12]>(group), EVERYONE);
        status!(NtClose(handle));
        let mut elsewhere = SecurityDescriptor64 {
            dacl: 0xFFFF_8000_0000_0000,
            ..absolute
        };
        let mut secured = Named::unnamed().secured(address_of(&mut elsewhere));
        let made = NtCreateEvent(&mut handle, ALL, secured.get(), NOTIFICATION, false);
        status!(made, ACCESS_VIOLATION);
        Ok(())
    }

    fn descriptors_ask_for_rights() -> Outcome {
        let event = event()?;
        let mut waits = 0u64;
        let (own, right) = (CURRENT_PROCESS, AccessMask::SYNCHRONIZE);
        status!(NtDuplicateObject(
            own, event, own, &mut waits, right, 0u32, 0u32
        ));
        let mut answer = Buffer::<256>::new();
        let mut needed = 0u32;
        let mut query = |handle: u64, part: SecurityInformation| {
            NtQuerySecurityObject(handle, part.0, &mut answer.0, 256u32, &mut needed)
        };
        status!(query(waits, SecurityInformation::OWNER), ACCESS_DENIED);
        status!(query(waits, SecurityInformation::DACL), ACCESS_DENIED);
        status!(query(event, SecurityInformation::DACL));
        // The audit list has a right of its own, which no generic right contains.
        status!(query(event, SecurityInformation::SACL), ACCESS_DENIED);
        status!(query(0, SecurityInformation::DACL), INVALID_HANDLE);
        let null = Buffer::<20>([
            1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ]);
        let dacl = SecurityInformation::DACL.0;
        status!(NtSetSecurityObject(waits, dacl, &null.0), ACCESS_DENIED);
        let owner = SecurityInformation::OWNER.0;
        status!(
            NtSetSecurityObject(event, owner, &null.0),
            INVALID_SECURITY_DESCR
        );
        status!(
            NtQuerySecurityObject(event, dacl, &mut answer.0, 256u32, KERNEL),
            ACCESS_VIOLATION
        );
        status!(NtClose(waits));
        status!(NtClose(event));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
