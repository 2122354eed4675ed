//! Security descriptors of objects: read, replaced, refused; the levels and audits of their SACLs.
//!
//! Expectations: the documentation of `ZwQuerySecurityObject` and `ZwSetSecurityObject`, [MS-DTYP] 2.4.6; of "Mandatory
//! Integrity Control" and "SACL Access Right".
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
        DescriptorControl, LuidAndAttributes, Privilege, PrivilegeAttributes, SecurityDescriptor64,
        SecurityDescriptorRelative, SecurityInformation, SidAndAttributes64,
    };
    use nt_abi::services::arguments::{EventType, ThreadInformationClass, TokenInformationClass};
    use test_programs::buffer::Buffer;
    use test_programs::check::{Failed, Outcome};
    use test_programs::names::Named;
    use test_programs::objects::{basic, event};
    use test_programs::services::*;
    use test_programs::tokens::{client, own};
    use test_programs::{expect, holds, status};
    use zerocopy::IntoBytes as _;

    test_programs::checks! {
        a_descriptor_is_read_and_replaced,
        a_descriptor_may_be_absolute,
        descriptors_ask_for_rights,
        levels_forbid_what_their_labels_say,
        what_a_low_thread_makes_is_low,
        an_audit_list_needs_a_privilege,
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

    /// `ThreadImpersonationToken`.
    const IMPERSONATION_TOKEN: ThreadInformationClass = ThreadInformationClass(5);
    /// `TokenIntegrityLevel`.
    const INTEGRITY_LEVEL: TokenInformationClass = TokenInformationClass(25);
    const UNTRUSTED: u16 = 0;
    const LOW: u16 = 0x1000;
    const HIGH: u16 = 0x3000;
    /// `SYSTEM_MANDATORY_LABEL_NO_WRITE_UP` and `_NO_READ_UP`.
    const NO_WRITE_UP: u8 = 1;
    const NO_READ_UP: u8 = 2;

    /// The SID of a level, S-1-16-level.
    const fn level_sid(level: u16) -> [u8; 12] {
        let [low, high] = level.to_le_bytes();
        [1, 1, 0, 0, 0, 0, 0, 16, low, high, 0, 0]
    }

    /// A list with one entry: `SYSTEM_MANDATORY_LABEL_ACE`.
    fn label(level: u16, policy: u8) -> [u8; 28] {
        let mut list = [0; 28];
        list[..16].copy_from_slice(&[2, 0, 28, 0, 1, 0, 0, 0, 0x11, 0, 20, 0, policy, 0, 0, 0]);
        list[16..].copy_from_slice(&level_sid(level));
        list
    }

    /// A descriptor that has nothing but this audit list.
    fn with_audits(list: &[u8; 28]) -> Buffer<48> {
        let mut descriptor = Buffer::<48>::new();
        descriptor.0[..4].copy_from_slice(&[1, 0, 0x10, 0x80]);
        descriptor.0[12] = 20;
        descriptor.0[20..].copy_from_slice(list);
        descriptor
    }

    /// Does something as this process's user at a level.
    fn at_level(level: u16, act: impl FnOnce() -> Outcome) -> Outcome {
        let own = own()?;
        let token = client(own, 2)?;
        let mut sid = Buffer::<12>(level_sid(level));
        let label = SidAndAttributes64 {
            sid: address_of(&mut sid),
            ..zerocopy::FromZeros::new_zeroed()
        };
        let length = size_of::<SidAndAttributes64>() as u32;
        status!(NtSetInformationToken(
            token,
            INTEGRITY_LEVEL,
            &label,
            length
        ));
        let nobody = 0u64;
        status!(NtSetInformationThread(
            CURRENT_THREAD,
            IMPERSONATION_TOKEN,
            &token,
            8u32
        ));
        let outcome = act();
        status!(NtSetInformationThread(
            CURRENT_THREAD,
            IMPERSONATION_TOKEN,
            &nobody,
            8u32
        ));
        status!(NtClose(token));
        status!(NtClose(own));
        outcome
    }

    /// What opening the event with that right says; it is closed again.
    fn opened(name: &mut Named, access: AccessMask) -> Result<nt_abi::NtStatus, Failed> {
        let mut handle = 0u64;
        let status = NtOpenEvent(&mut handle, access, name.get());
        if status == nt_abi::NtStatus::SUCCESS {
            status!(NtClose(handle));
        }
        Ok(status)
    }

    fn levels_forbid_what_their_labels_say() -> Outcome {
        let (reads, writes) = (
            AccessMask::EVENT_QUERY_STATE,
            AccessMask::EVENT_MODIFY_STATE,
        );
        let mut name = Named::new("\\BaseNamedObjects\\Levelled");
        let mut handle = 0u64;
        status!(NtCreateEvent(
            &mut handle,
            ALL,
            name.get(),
            NOTIFICATION,
            false
        ));
        // Without a label it is as if it said Medium and no writing; the list of who may would let all.
        at_level(LOW, || {
            status!(opened(&mut name, reads)?);
            status!(opened(&mut name, writes)?, ACCESS_DENIED);
            status!(opened(&mut name, AccessMask::WRITE_DAC)?, ACCESS_DENIED);
            let mut most = 0u64;
            status!(NtOpenEvent(
                &mut most,
                AccessMask::MAXIMUM_ALLOWED,
                name.get()
            ));
            let granted = basic(most)?.granted_access;
            holds!(granted.contains(reads));
            holds!(!granted.intersects(writes | AccessMask::WRITE_DAC | AccessMask::DELETE));
            status!(NtClose(most));
            Ok(())
        })?;
        let set = |list: [u8; 28]| {
            let descriptor = with_audits(&list);
            NtSetSecurityObject(handle, SecurityInformation::LABEL.0, &descriptor.0)
        };
        status!(set(label(LOW, NO_WRITE_UP)));
        at_level(LOW, || {
            status!(opened(&mut name, writes)?);
            Ok(())
        })?;
        status!(set(label(HIGH, NO_WRITE_UP | NO_READ_UP)));
        at_level(LOW, || {
            status!(opened(&mut name, reads)?, ACCESS_DENIED);
            status!(opened(&mut name, writes)?, ACCESS_DENIED);
            Ok(())
        })?;
        at_level(HIGH, || {
            status!(opened(&mut name, reads | writes)?);
            Ok(())
        })?;
        // Who has a handle keeps it.
        status!(NtSetEvent(handle, NULL));
        status!(NtClose(handle));
        Ok(())
    }

    fn what_a_low_thread_makes_is_low() -> Outcome {
        at_level(LOW, || {
            let mut name = Named::new("\\BaseNamedObjects\\Low");
            let mut made = 0u64;
            status!(NtCreateEvent(
                &mut made,
                ALL,
                name.get(),
                NOTIFICATION,
                false
            ));
            let told = parts(made, SecurityInformation::LABEL)?;
            let head: SecurityDescriptorRelative = told.at(0);
            holds!(head.sacl != 0);
            expect!(
                told.at::<[u8; 28]>(head.sacl as usize),
                label(LOW, NO_WRITE_UP)
            );
            // Its maker can write to it.
            status!(opened(&mut name, AccessMask::EVENT_MODIFY_STATE)?);
            status!(NtClose(made));
            Ok(())
        })?;
        // There is a level below, of those who have no name to give.
        at_level(UNTRUSTED, || {
            let mut name = Named::new("\\BaseNamedObjects\\Untrusted");
            let mut made = 0u64;
            status!(
                NtCreateEvent(&mut made, ALL, name.get(), NOTIFICATION, false),
                ACCESS_DENIED
            );
            Ok(())
        })
    }

    /// Lets this process use its privilege for audit lists, or no longer.
    fn use_security_privilege(on: bool) -> Outcome {
        let attributes = if on {
            PrivilegeAttributes::ENABLED
        } else {
            PrivilegeAttributes::empty()
        };
        let mut list = Buffer::<16>::new();
        list.0[0] = 1;
        let entry = LuidAndAttributes {
            luid: Privilege::SECURITY.into(),
            attributes,
        };
        list.0[4..].copy_from_slice(entry.as_bytes());
        let token = own()?;
        status!(NtAdjustPrivilegesToken(
            token, false, &list.0, 0u32, NULL, NULL
        ));
        status!(NtClose(token));
        Ok(())
    }

    fn an_audit_list_needs_a_privilege() -> Outcome {
        let right = AccessMask::ACCESS_SYSTEM_SECURITY;
        let mut name = Named::new("\\BaseNamedObjects\\Audited");
        let mut made = 0u64;
        status!(NtCreateEvent(
            &mut made,
            ALL,
            name.get(),
            NOTIFICATION,
            false
        ));
        status!(opened(&mut name, right)?, PRIVILEGE_NOT_HELD);
        use_security_privilege(true)?;
        let mut handle = 0u64;
        status!(NtOpenEvent(&mut handle, right, name.get()));
        // `SYSTEM_AUDIT_ACE` for what Everyone does with success.
        let mut audits = [0; 28];
        audits[..16].copy_from_slice(&[2, 0, 28, 0, 1, 0, 0, 0, 2, 0x40, 20, 0, 2, 0, 0, 0]);
        audits[16..].copy_from_slice(&EVERYONE);
        let descriptor = with_audits(&audits);
        let sacl = SecurityInformation::SACL;
        status!(
            NtSetSecurityObject(made, sacl.0, &descriptor.0),
            ACCESS_DENIED
        );
        status!(NtSetSecurityObject(handle, sacl.0, &descriptor.0));
        let told = parts(handle, sacl)?;
        let head: SecurityDescriptorRelative = told.at(0);
        expect!(told.at::<[u8; 28]>(head.sacl as usize), audits);
        use_security_privilege(false)?;
        status!(opened(&mut name, right)?, PRIVILEGE_NOT_HELD);
        // Audits deny nobody.
        status!(opened(&mut name, AccessMask::EVENT_MODIFY_STATE)?);
        status!(NtClose(handle));
        status!(NtClose(made));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
