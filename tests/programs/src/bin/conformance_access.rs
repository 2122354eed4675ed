//! The access check for servers, privileges, audits; acting for nobody.
//!
//! Expectations: the documentation of the `Token` functions of Win32 and of `AccessCheck`, and what Wine's tests of
//! advapi32 and ntdll publish. The program runs with a token that has all privileges.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use core::sync::atomic::{AtomicU32, Ordering};

    use nt_abi::access::{AccessMask, GenericMapping};
    use nt_abi::security::{Luid, LuidAndAttributes, Privilege, PrivilegeAttributes};
    use nt_abi::services::arguments::EventType;
    use test_programs::buffer::Buffer;
    use test_programs::check::{Failed, Outcome};
    use test_programs::names::Named;
    use test_programs::services::*;
    use test_programs::threads::{join, spawn};
    use test_programs::tokens::*;
    use test_programs::{expect, status};
    use zerocopy::{Immutable, IntoBytes};

    test_programs::checks! {
        a_restricted_token_is_denied_what_its_list_denies,
        a_thread_acts_for_nobody,
        servers_check_access,
        servers_check_privileges,
        audits_ask_for_a_client,
        audits_are_for_those_with_the_privilege,
    }

    const KERNEL: Address = Address(0xFFFF_8000_0000_0000);

    /// `TOKEN_PRIVILEGES` with one privilege.
    fn one(privilege: u32, attributes: PrivilegeAttributes) -> Buffer<16> {
        let mut list = Buffer::<16>::new();
        list.0[0] = 1;
        put(
            &mut list,
            4,
            &LuidAndAttributes {
                luid: Luid::new(privilege),
                attributes,
            },
        );
        list
    }

    fn put<const N: usize>(into: &mut Buffer<N>, at: usize, what: &(impl IntoBytes + Immutable)) {
        let bytes = what.as_bytes();
        into.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn adjust(token: u64, list: &Buffer<16>) -> nt_abi::NtStatus {
        NtAdjustPrivilegesToken(token, false, &list.0, 0u32, NULL, NULL)
    }

    /// `TOKEN_GROUPS` with one SID.
    fn group(sid: u64) -> Buffer<24> {
        let mut list = Buffer::<24>::new();
        list.0[0] = 1;
        put(&mut list, 8, &sid);
        list
    }

    fn a_restricted_token_is_denied_what_its_list_denies() -> Outcome {
        // Restricted to somebody of whom no list speaks, it may open nothing.
        let token = own()?;
        let acts = client(token, 2)?;
        let mut guests = Buffer::<16>(GUESTS);
        let list = group(address_of(&mut guests));
        let mut restricted = 0u64;
        status!(NtFilterToken(
            acts,
            0u32,
            NULL,
            NULL,
            &list.0,
            &mut restricted
        ));
        let descriptor = everyone_reads();
        expect!(
            checked(restricted, &descriptor, 1)?,
            (0, nt_abi::NtStatus::ACCESS_DENIED.0)
        );
        expect!(checked(acts, &descriptor, 1)?, (1, 0));
        for handle in [token, acts, restricted] {
            status!(NtClose(handle));
        }
        Ok(())
    }

    /// What a thread found that acts for nobody: becoming so, opening its token as its process, making a named event.
    static FOUND: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

    extern "C" fn acts_for_nobody(_: u64) -> u32 {
        let (mut token, mut event) = (0u64, 0u64);
        let mut name = Named::new("\\BaseNamedObjects\\Nobody");
        let found = [
            NtImpersonateAnonymousToken(CURRENT_THREAD),
            NtOpenThreadToken(CURRENT_THREAD, QUERY, true, &mut token),
            NtCreateEvent(
                &mut event,
                AccessMask::EVENT_ALL_ACCESS,
                name.get(),
                EventType(0),
                false,
            ),
        ];
        for (slot, status) in FOUND.iter().zip(found) {
            slot.store(status.0, Ordering::SeqCst);
        }
        number(token, TYPE).unwrap_or(0)
    }

    fn a_thread_acts_for_nobody() -> Outcome {
        let mut token = 0u64;
        let thread = spawn(acts_for_nobody, 0)?;
        join(thread)?;
        let found = |index: usize| nt_abi::NtStatus(FOUND[index].load(Ordering::SeqCst));
        status!(found(0));
        status!(found(1));
        // Everyone may make objects there; nobody is not everyone.
        status!(found(2), ACCESS_DENIED);
        // It was the other thread alone.
        status!(
            NtOpenThreadToken(CURRENT_THREAD, QUERY, true, &mut token),
            NO_TOKEN
        );
        status!(NtImpersonateAnonymousToken(0u64), INVALID_HANDLE);
        Ok(())
    }

    const MAPPING: GenericMapping = GenericMapping {
        generic_read: AccessMask(1),
        generic_write: AccessMask(2),
        generic_execute: AccessMask(4),
        generic_all: AccessMask(0x000F_0007),
    };

    /// Everyone may read; it belongs to the system.
    fn everyone_reads() -> Buffer<80> {
        let mut descriptor = Buffer::<80>::new();
        descriptor.0[..4].copy_from_slice(&[1, 0, 4, 0x80]);
        descriptor.0[4] = 20;
        descriptor.0[8] = 32;
        descriptor.0[16] = 44;
        descriptor.0[20..32].copy_from_slice(&SYSTEM);
        descriptor.0[32..44].copy_from_slice(&SYSTEM);
        let list = [2, 0, 28, 0, 1, 0, 0, 0, 0, 0, 20, 0, 1, 0, 0, 0];
        descriptor.0[44..60].copy_from_slice(&list);
        descriptor.0[60..72].copy_from_slice(&EVERYONE);
        descriptor
    }

    /// What the check grants, and its status.
    fn checked(token: u64, of: &Buffer<80>, wanted: u32) -> Result<(u32, u32), Failed> {
        let (mut used, mut length) = (Buffer::<20>::new(), 20u32);
        let (mut granted, mut outcome) = (0xDEADu32, 0xDEADu32);
        status!(NtAccessCheck(
            &of.0,
            token,
            AccessMask(wanted),
            &MAPPING,
            &mut used.0,
            &mut length,
            &mut granted,
            &mut outcome
        ));
        Ok((granted, outcome))
    }

    fn servers_check_access() -> Outcome {
        let token = own()?;
        let client = client(token, 1)?;
        let mut descriptor = everyone_reads();
        let denied = nt_abi::NtStatus::ACCESS_DENIED.0;
        expect!(checked(client, &descriptor, 1)?, (1, 0));
        expect!(checked(client, &descriptor, 2)?, (0, denied));
        expect!(checked(client, &descriptor, 3)?, (0, denied));
        // The owner reads the list and changes it.
        expect!(checked(client, &descriptor, 0x0006_0001)?, (0x0006_0001, 0));
        expect!(checked(client, &descriptor, 0x0200_0000)?, (0x0006_0001, 0));
        let (mut used, mut length) = (Buffer::<20>::new(), 20u32);
        let (mut granted, mut outcome) = (0u32, 0u32);
        let mut check = |token: u64, descriptor: Address, wanted: u32, room: u32| {
            length = room;
            let status = NtAccessCheck(
                descriptor,
                token,
                AccessMask(wanted),
                &MAPPING,
                &mut used.0,
                &mut length,
                &mut granted,
                &mut outcome,
            );
            (status, length)
        };
        let good = Address(address_of(&mut descriptor));
        status!(check(token, good, 1, 20).0, NO_IMPERSONATION_TOKEN);
        status!(check(client, good, 0x8000_0000, 20).0, GENERIC_NOT_MAPPED);
        status!(check(client, NULL, 1, 20).0, INVALID_SECURITY_DESCR);
        status!(check(client, KERNEL, 1, 20).0, ACCESS_VIOLATION);
        status!(check(0, good, 1, 20).0, INVALID_HANDLE);
        let (status, needed) = check(client, good, 1, 0);
        status!(status, BUFFER_TOO_SMALL);
        expect!(needed, 20);
        // Without an owner it is none that could be asked about.
        descriptor.0[4] = 0;
        let nobodys = Address(address_of(&mut descriptor));
        status!(check(client, nobodys, 1, 20).0, INVALID_SECURITY_DESCR);
        status!(NtClose(client));
        status!(NtClose(token));
        Ok(())
    }

    fn servers_check_privileges() -> Outcome {
        let token = own()?;
        let mut set = Buffer::<32>::new();
        let mut held = 0xFFu8;
        let entry = |privilege: Privilege| LuidAndAttributes {
            luid: privilege.into(),
            attributes: PrivilegeAttributes::empty(),
        };
        // One that is enabled and one that the system never has; one of them will do.
        set.0[0] = 2;
        put(&mut set, 8, &entry(Privilege::CHANGE_NOTIFY));
        put(&mut set, 20, &entry(Privilege::MACHINE_ACCOUNT));
        status!(NtPrivilegeCheck(token, &mut set.0, &mut held));
        expect!(held, 1);
        let used = PrivilegeAttributes::USED_FOR_ACCESS;
        expect!(set.at::<LuidAndAttributes>(8).attributes, used);
        expect!(
            set.at::<LuidAndAttributes>(20).attributes,
            PrivilegeAttributes::empty()
        );
        // All of them.
        set.0[4] = 1;
        status!(NtPrivilegeCheck(token, &mut set.0, &mut held));
        expect!(held, 0);
        let nobody = client(token, 0)?;
        status!(
            NtPrivilegeCheck(nobody, &mut set.0, &mut held),
            BAD_IMPERSONATION_LEVEL
        );
        status!(NtPrivilegeCheck(token, KERNEL, &mut held), ACCESS_VIOLATION);
        set.0[3] = 0x7F;
        status!(
            NtPrivilegeCheck(token, &mut set.0, &mut held),
            INVALID_PARAMETER
        );
        status!(NtClose(nobody));
        status!(NtClose(token));
        Ok(())
    }

    fn audits_ask_for_a_client() -> Outcome {
        let mut subsystem = test_programs::names::Wide::new("Tests");
        let name = subsystem.counted();
        let descriptor = everyone_reads();
        let (mut granted, mut outcome, mut generate) = (0u32, 0u32, 9u8);
        status!(
            NtAccessCheckAndAuditAlarm(
                &name,
                0u64,
                &name,
                &name,
                &descriptor.0,
                AccessMask(1),
                &MAPPING,
                false,
                &mut granted,
                &mut outcome,
                &mut generate
            ),
            NO_IMPERSONATION_TOKEN
        );
        status!(NtCloseObjectAuditAlarm(&name, 0u64, true));
        let token = own()?;
        status!(adjust(
            token,
            &one(Privilege::AUDIT.0, PrivilegeAttributes::empty())
        ));
        let refused = NtCloseObjectAuditAlarm(&name, 0u64, true);
        status!(adjust(
            token,
            &one(Privilege::AUDIT.0, PrivilegeAttributes::ENABLED)
        ));
        status!(refused, PRIVILEGE_NOT_HELD);
        status!(NtClose(token));
        Ok(())
    }

    fn audits_are_for_those_with_the_privilege() -> Outcome {
        let mut subsystem = test_programs::names::Wide::new("Tests");
        let name = subsystem.counted();
        let mut set = Buffer::<20>::new();
        set.0[0] = 1;
        put(
            &mut set,
            8,
            &LuidAndAttributes {
                luid: Privilege::AUDIT.into(),
                attributes: PrivilegeAttributes::ENABLED,
            },
        );
        let set = set;
        // An opening, a deletion, a privilege used on an object, and one used in a service.
        let all = |client: u64, generate: &mut u8, on_close: bool, set: &Buffer<20>| {
            [
                NtOpenObjectAuditAlarm(
                    &name,
                    0u64,
                    &name,
                    &name,
                    NULL,
                    client,
                    AccessMask(1),
                    AccessMask(1),
                    NULL,
                    false,
                    true,
                    generate,
                ),
                NtPrivilegeObjectAuditAlarm(&name, 0u64, client, AccessMask(1), &set.0, true),
                NtPrivilegedServiceAuditAlarm(&name, &name, client, &set.0, true),
                NtDeleteObjectAuditAlarm(&name, 0u64, on_close),
            ]
        };
        let token = own()?;
        let (nobody, mut generate) = (client(token, 0)?, 9u8);
        let (good, level) = (
            nt_abi::NtStatus::SUCCESS,
            nt_abi::NtStatus::BAD_IMPERSONATION_LEVEL,
        );
        expect!(all(token, &mut generate, true, &set), [good; 4]);
        expect!(generate, 0);
        expect!(
            all(nobody, &mut generate, true, &set),
            [level, level, level, good]
        );
        let invalid = nt_abi::NtStatus::INVALID_HANDLE;
        expect!(
            all(0, &mut generate, true, &set),
            [invalid, invalid, invalid, good]
        );
        let mut endless = Buffer::<20>(set.0);
        endless.0[3] = 0x7F;
        let wrong = nt_abi::NtStatus::INVALID_PARAMETER;
        expect!(
            all(token, &mut generate, true, &endless),
            [good, wrong, wrong, good]
        );
        status!(adjust(
            token,
            &one(Privilege::AUDIT.0, PrivilegeAttributes::empty())
        ));
        let refused = all(token, &mut generate, true, &set);
        // Of an object whose opening was not audited, the deletion is not.
        let unasked = NtDeleteObjectAuditAlarm(&name, 0u64, false);
        status!(adjust(
            token,
            &one(Privilege::AUDIT.0, PrivilegeAttributes::ENABLED)
        ));
        expect!(refused, [nt_abi::NtStatus::PRIVILEGE_NOT_HELD; 4]);
        status!(unasked);
        status!(
            NtDeleteObjectAuditAlarm(KERNEL, 0u64, true),
            ACCESS_VIOLATION
        );
        status!(
            NtPrivilegedServiceAuditAlarm(&name, &name, token, KERNEL, true),
            ACCESS_VIOLATION
        );
        status!(
            NtPrivilegeObjectAuditAlarm(KERNEL, 0u64, token, AccessMask(1), &set.0, true),
            ACCESS_VIOLATION
        );
        status!(NtClose(nobody));
        status!(NtClose(token));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
