//! Access checks for parts of an object, groups of a token that are enabled and disabled, the token that a thread acts with.
//!
//! Expectations: the documentation of `AccessCheckByType`, `AccessCheckByTypeResultList`, `AdjustTokenGroups` and
//! `OpenThreadToken`. The program runs as the system.
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
    use nt_abi::access::{AccessMask, GenericMapping};
    use nt_abi::security::SecurityQualityOfService;
    use nt_abi::services::arguments::{
        AuditEventType, ObjectInformationClass, ThreadInformationClass, TokenInformationClass,
    };
    use test_programs::buffer::Buffer;
    use test_programs::check::{Failed, Outcome};
    use test_programs::names::Wide;
    use test_programs::services::*;
    use test_programs::threads::{SUSPENDED, join, spawn_with};
    use test_programs::tokens::*;
    use test_programs::{expect, status};
    use zerocopy::{FromZeros as _, Immutable, IntoBytes};

    test_programs::checks! {
        a_part_may_be_granted_alone,
        lists_of_parts_are_looked_at,
        groups_are_disabled_and_enabled,
        what_groups_cannot_be,
        a_threads_token_is_opened,
        a_token_has_no_claims,
        a_thread_acts_as_another,
        parts_are_checked_for_audits,
    }

    const KERNEL: Address = Address(0xFFFF_8000_0000_0000);

    /// Administrators, S-1-5-32-544.
    const ADMINISTRATORS: [u8; 16] = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
    fn put<const N: usize>(into: &mut Buffer<N>, at: usize, what: &(impl IntoBytes + Immutable)) {
        let bytes = what.as_bytes();
        into.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    const MAPPING: GenericMapping = GenericMapping {
        generic_read: AccessMask(1),
        generic_write: AccessMask(2),
        generic_execute: AccessMask(4),
        generic_all: AccessMask(0x000F_0007),
    };

    /// An object and two of its parts, by the first byte of their identifiers.
    const WHOLE: u8 = 0xAA;
    const PART: u8 = 1;
    const OTHER: u8 = 2;

    fn guid(first: u8) -> [u8; 16] {
        let mut guid = [0x5A; 16];
        guid[0] = first;
        guid
    }

    /// Everyone may read these parts; it belongs to the system.
    fn everyone_reads(parts: &[u8]) -> Buffer<160> {
        let mut descriptor = Buffer::<160>::new();
        descriptor.0[..4].copy_from_slice(&[1, 0, 4, 0x80]);
        descriptor.0[4] = 20;
        descriptor.0[8] = 32;
        descriptor.0[16] = 44;
        put(&mut descriptor, 20, &SYSTEM);
        put(&mut descriptor, 32, &SYSTEM);
        let (count, mut at) = (parts.len() as u8, 52);
        put(
            &mut descriptor,
            44,
            &[4, 0, 8 + 40 * count, 0, count, 0, 0, 0],
        );
        for part in parts {
            // ACCESS_ALLOWED_OBJECT_ACE: its mask, that it has a type, the type, for whom.
            put(
                &mut descriptor,
                at,
                &[5u8, 0, 40, 0, 1, 0, 0, 0, 1, 0, 0, 0],
            );
            put(&mut descriptor, at + 12, &guid(*part));
            put(&mut descriptor, at + 28, &EVERYONE);
            at += 40;
        }
        descriptor
    }

    /// `OBJECT_TYPE_LIST`s of levels and identifiers.
    struct Parts {
        list: Buffer<48>,
        guids: [[u8; 16]; 3],
    }

    impl Parts {
        fn new(parts: [(u16, u8); 3]) -> Self {
            Self {
                list: {
                    let mut list = Buffer::<48>::new();
                    for (at, (level, _)) in parts.iter().enumerate() {
                        put(&mut list, at * 16, level);
                    }
                    list
                },
                guids: parts.map(|(_, first)| guid(first)),
            }
        }

        fn get(&mut self) -> &Buffer<48> {
            for (at, guid) in self.guids.iter_mut().enumerate() {
                let address = address_of(guid);
                put(&mut self.list, at * 16 + 8, &address);
            }
            &self.list
        }
    }

    const TREE: [(u16, u8); 3] = [(0, WHOLE), (1, PART), (1, OTHER)];

    /// The answer for the whole.
    fn checked(token: u64, of: &Buffer<160>, count: u32) -> Result<(u32, NtStatus), Failed> {
        let (mut used, mut length) = (Buffer::<20>::new(), 20u32);
        let (mut granted, mut outcome, mut parts) = (9u32, 9u32, Parts::new(TREE));
        status!(NtAccessCheckByType(
            &of.0,
            NULL,
            token,
            AccessMask(1),
            &parts.get().0,
            count,
            &MAPPING,
            &mut used.0,
            &mut length,
            &mut granted,
            &mut outcome
        ));
        Ok((granted, NtStatus(outcome)))
    }

    /// The answers for the whole and its parts.
    fn each(
        token: u64,
        of: &Buffer<160>,
        tree: [(u16, u8); 3],
        count: u32,
    ) -> (NtStatus, [u32; 3], [u32; 3]) {
        let (mut used, mut length) = (Buffer::<20>::new(), 20u32);
        let (mut granted, mut outcome, mut parts) = ([9u32; 3], [9u32; 3], Parts::new(tree));
        let status = NtAccessCheckByTypeResultList(
            &of.0,
            NULL,
            token,
            AccessMask(1),
            &parts.get().0,
            count,
            &MAPPING,
            &mut used.0,
            &mut length,
            &mut granted,
            &mut outcome,
        );
        (status, granted, outcome)
    }

    fn a_part_may_be_granted_alone() -> Outcome {
        let token = own()?;
        let client = client(token, 1)?;
        let denied = NtStatus::ACCESS_DENIED;
        let (one, both, all) = (
            everyone_reads(&[PART]),
            everyone_reads(&[PART, OTHER]),
            everyone_reads(&[WHOLE]),
        );
        // The whole is granted with all of its parts.
        expect!(checked(client, &one, 3)?, (0, denied));
        expect!(checked(client, &both, 3)?, (1, NtStatus::SUCCESS));
        expect!(checked(client, &all, 3)?, (1, NtStatus::SUCCESS));
        let (status, granted, outcome) = each(client, &one, TREE, 3);
        status!(status);
        expect!(outcome, [denied.0, 0, denied.0]);
        expect!(granted[1], 1);
        expect!(granted[0] & 1, 0);
        expect!(granted[2] & 1, 0);
        for descriptor in [&both, &all] {
            let (status, granted, outcome) = each(client, descriptor, TREE, 3);
            status!(status);
            expect!((granted, outcome), ([1; 3], [0; 3]));
        }
        status!(NtClose(client));
        status!(NtClose(token));
        Ok(())
    }

    fn lists_of_parts_are_looked_at() -> Outcome {
        let token = own()?;
        let client = client(token, 1)?;
        let one = everyone_reads(&[PART]);
        // There has to be a list, which begins with the whole and leaves out no level.
        status!(each(client, &one, TREE, 0).0, INVALID_PARAMETER);
        let below = [(1, WHOLE), (1, PART), (1, OTHER)];
        status!(each(client, &one, below, 3).0, INVALID_PARAMETER);
        let gap = [(0, WHOLE), (2, PART), (1, OTHER)];
        status!(each(client, &one, gap, 3).0, INVALID_PARAMETER);
        let two = [(0, WHOLE), (0, PART), (1, OTHER)];
        status!(each(client, &one, two, 3).0, INVALID_PARAMETER);
        status!(each(token, &one, TREE, 3).0, NO_IMPERSONATION_TOKEN);
        status!(each(0, &one, TREE, 3).0, INVALID_HANDLE);
        status!(NtClose(client));
        status!(NtClose(token));
        Ok(())
    }

    /// `TOKEN_GROUPS` with one SID and its attributes.
    fn group(sid: u64, attributes: u32) -> Buffer<24> {
        let mut list = Buffer::<24>::new();
        list.0[0] = 1;
        put(&mut list, 8, &sid);
        put(&mut list, 16, &attributes);
        list
    }

    /// Enabled from the start, enabled, may be an owner: and the same without `SE_GROUP_ENABLED`.
    const ON: u32 = 0xE;
    const OFF: u32 = 0xA;

    fn groups_are_disabled_and_enabled() -> Outcome {
        let token = own()?;
        let client = client(token, 2)?;
        let mut administrators = Buffer::<16>(ADMINISTRATORS);
        let off = group(address_of(&mut administrators), 0);
        let (mut before, mut length) = (Buffer::<64>::new(), 0u32);
        let mut adjust = |reset: bool, list: Address| {
            before = Buffer::new();
            let status =
                NtAdjustGroupsToken(client, reset, list, 64u32, &mut before.0, &mut length);
            (status, before.at::<u32>(0), before.at::<u32>(16))
        };
        let (mut off, none) = (off, NULL);
        let off = Address(address_of(&mut off));
        // What changed is told as it was.
        expect!(adjust(false, off), (NtStatus::SUCCESS, 1, ON));
        expect!(adjust(false, off).1, 0);
        expect!(adjust(true, none), (NtStatus::SUCCESS, 1, OFF));
        expect!(adjust(true, none).1, 0);
        expect!(adjust(false, off), (NtStatus::SUCCESS, 1, ON));
        status!(NtClose(client));
        status!(NtClose(token));
        Ok(())
    }

    fn what_groups_cannot_be() -> Outcome {
        let token = own()?;
        let client = client(token, 2)?;
        let (mut everyone, mut guests) = (Buffer::<12>(EVERYONE), Buffer::<16>(GUESTS));
        let everyone = group(address_of(&mut everyone), 0);
        let guests = group(address_of(&mut guests), 4);
        let adjust = |token: u64, list: &Buffer<24>| {
            NtAdjustGroupsToken(token, false, &list.0, 0u32, NULL, NULL)
        };
        status!(adjust(client, &everyone), CANT_DISABLE_MANDATORY);
        status!(adjust(client, &guests), NOT_ALL_ASSIGNED);
        status!(adjust(0, &guests), INVALID_HANDLE);
        let mut reads = 0u64;
        status!(NtOpenProcessToken(CURRENT_PROCESS, QUERY, &mut reads));
        status!(adjust(reads, &guests), ACCESS_DENIED);
        status!(
            NtAdjustGroupsToken(client, false, NULL, 0u32, NULL, NULL),
            INVALID_PARAMETER
        );
        status!(
            NtAdjustGroupsToken(client, false, KERNEL, 0u32, NULL, NULL),
            ACCESS_VIOLATION
        );
        for handle in [reads, client, token] {
            status!(NtClose(handle));
        }
        Ok(())
    }

    /// `ThreadImpersonationToken`.
    fn act_with(token: u64) -> NtStatus {
        NtSetInformationThread(CURRENT_THREAD, ThreadInformationClass(5), &token, 8u32)
    }

    fn a_threads_token_is_opened() -> Outcome {
        /// `OBJ_INHERIT`.
        const INHERIT: u32 = 2;
        /// `ObjectHandleFlagInformation`: inherited, protected.
        const FLAGS: ObjectInformationClass = ObjectInformationClass(4);
        let token = own()?;
        let (client, mut opened, mut flags) = (client(token, 2)?, 0u64, [9u8; 2]);
        let open = |attributes: u32, handle: &mut u64| {
            NtOpenThreadTokenEx(CURRENT_THREAD, QUERY, true, attributes, handle)
        };
        status!(open(0, &mut opened), NO_TOKEN);
        status!(act_with(client));
        let found = open(INHERIT, &mut opened);
        let none = NtOpenThreadTokenEx(0u64, QUERY, true, 0u32, &mut 0u64);
        let nowhere = NtOpenThreadTokenEx(CURRENT_THREAD, QUERY, true, 0u32, KERNEL);
        status!(act_with(0));
        status!(found);
        status!(none, INVALID_HANDLE);
        status!(nowhere, ACCESS_VIOLATION);
        expect!(number(opened, TYPE)?, 2);
        status!(NtQueryObject(opened, FLAGS, &mut flags, 2u32, NULL));
        expect!(flags, [1, 0]);
        for handle in [opened, client, token] {
            status!(NtClose(handle));
        }
        Ok(())
    }

    fn a_token_has_no_claims() -> Outcome {
        let (token, mut answer, mut length) = (own()?, Buffer::<32>([9; 32]), 0u32);
        // TOKEN_SECURITY_ATTRIBUTES_INFORMATION: version 1, no attributes.
        status!(NtQuerySecurityAttributesToken(
            token,
            NULL,
            0u32,
            &mut answer.0,
            32u32,
            &mut length
        ));
        expect!(length, 16);
        expect!((answer.at::<u16>(0), answer.at::<u32>(4)), (1, 0));
        expect!(answer.at::<u64>(8), 0);
        status!(
            NtQuerySecurityAttributesToken(token, NULL, 0u32, NULL, 0u32, &mut length),
            BUFFER_TOO_SMALL
        );
        expect!(length, 16);
        status!(
            NtQuerySecurityAttributesToken(0u64, NULL, 0u32, &mut answer.0, 32u32, &mut length),
            INVALID_HANDLE
        );
        status!(
            NtQuerySecurityAttributesToken(token, NULL, 0u32, &mut answer.0, 32u32, KERNEL),
            ACCESS_VIOLATION
        );
        status!(NtClose(token));
        Ok(())
    }

    fn level_of_own() -> Result<(u32, u32), Failed> {
        /// `TokenImpersonationLevel`.
        const LEVEL: TokenInformationClass = TokenInformationClass(9);
        let mut token = 0u64;
        status!(NtOpenThreadToken(CURRENT_THREAD, QUERY, true, &mut token));
        let found = (number(token, TYPE)?, number(token, LEVEL)?);
        status!(NtClose(token));
        Ok(found)
    }

    extern "C" fn ends(_: u64) -> u32 {
        0
    }

    fn a_thread_acts_as_another() -> Outcome {
        let other = spawn_with(ends, 0, SUSPENDED)?;
        let mut qos = SecurityQualityOfService::new_zeroed();
        let act = |client: u64, qos: &SecurityQualityOfService| {
            NtImpersonateThread(CURRENT_THREAD, client, qos)
        };
        // The other one acts for nobody: it is its process's token that is copied.
        with_level(&mut qos, 2);
        status!(act(other, &qos));
        let found = level_of_own();
        status!(act_with(0));
        expect!(found?, (2, 2));
        let mut none = 0u64;
        status!(
            NtOpenThreadToken(CURRENT_THREAD, QUERY, true, &mut none),
            NO_TOKEN
        );
        // A thread that acts for a client hands on no more than it has.
        let token = own()?;
        let identified = client(token, 1)?;
        let class = ThreadInformationClass(5);
        status!(NtSetInformationThread(other, class, &identified, 8u32));
        status!(act(other, &qos), BAD_IMPERSONATION_LEVEL);
        with_level(&mut qos, 1);
        status!(act(other, &qos));
        let found = level_of_own();
        status!(act_with(0));
        expect!(found?, (2, 1));
        status!(act(0, &qos), INVALID_HANDLE);
        status!(act(token, &qos), OBJECT_TYPE_MISMATCH);
        for nowhere in [NULL, KERNEL] {
            let acted = NtImpersonateThread(CURRENT_THREAD, other, nowhere);
            status!(acted, ACCESS_VIOLATION);
        }
        status!(NtResumeThread(other, NULL));
        join(other)?;
        status!(NtClose(identified));
        status!(NtClose(token));
        Ok(())
    }

    /// Status, granted rights, outcomes.
    type Answer = (NtStatus, [u32; 3], [u32; 3]);

    /// The answers of the three checks that write audits: for the whole, for each part, and for each part of a client that its
    /// token names.
    fn audited(client: u64, of: &Buffer<160>, kind: u32, flags: u32) -> [Answer; 3] {
        let (mut subsystem, mut parts) = (Wide::new("Tests"), Parts::new(TREE));
        let (name, kind, wanted) = (subsystem.counted(), AuditEventType(kind), AccessMask(1));
        let (mut granted, mut outcome, mut generate) = ([[9u32; 3]; 3], [[9u32; 3]; 3], [9u8; 3]);
        let list = &parts.get().0;
        let status = [
            NtAccessCheckByTypeAndAuditAlarm(
                &name,
                0u64,
                &name,
                &name,
                &of.0,
                NULL,
                wanted,
                kind,
                flags,
                list,
                3u32,
                &MAPPING,
                false,
                &mut granted[0][0],
                &mut outcome[0][0],
                &mut generate[0],
            ),
            NtAccessCheckByTypeResultListAndAuditAlarm(
                &name,
                0u64,
                &name,
                &name,
                &of.0,
                NULL,
                wanted,
                kind,
                flags,
                list,
                3u32,
                &MAPPING,
                false,
                &mut granted[1],
                &mut outcome[1],
                &mut generate[1],
            ),
            NtAccessCheckByTypeResultListAndAuditAlarmByHandle(
                &name,
                0u64,
                client,
                &name,
                &name,
                &of.0,
                NULL,
                wanted,
                kind,
                flags,
                list,
                3u32,
                &MAPPING,
                false,
                &mut granted[2],
                &mut outcome[2],
                &mut generate[2],
            ),
        ];
        // Nothing of it was audited, so nothing of its closing is.
        let at = |index: usize| {
            let told = status[index] != NtStatus::SUCCESS || generate[index] == 0;
            let status = if told {
                status[index]
            } else {
                NtStatus::UNSUCCESSFUL
            };
            (status, granted[index], outcome[index])
        };
        [at(0), at(1), at(2)]
    }

    fn parts_are_checked_for_audits() -> Outcome {
        let token = own()?;
        let client = client(token, 1)?;
        let (one, both) = (everyone_reads(&[PART]), everyone_reads(&[PART, OTHER]));
        let denied = NtStatus::ACCESS_DENIED.0;
        let untouched = [9; 3];
        // Who acts for nobody has no client, but may name one.
        let [whole, each, by_handle] = audited(client, &one, 0, 0);
        status!(whole.0, NO_IMPERSONATION_TOKEN);
        status!(each.0, NO_IMPERSONATION_TOKEN);
        expect!((each.1, each.2), (untouched, untouched));
        status!(by_handle.0);
        expect!(by_handle.2, [denied, 0, denied]);
        status!(act_with(client));
        let answers = [
            audited(client, &one, 0, 0),
            audited(client, &both, 1, 0),
            audited(token, &both, 0, 0),
            audited(0, &both, 0, 0),
            audited(client, &both, 2, 0),
            audited(client, &both, 0, 2),
        ];
        let switch = |attributes: u32| {
            // SE_AUDIT_PRIVILEGE.
            let list = [1u32, 21, 0, attributes];
            NtAdjustPrivilegesToken(token, false, &list, 16u32, NULL, NULL)
        };
        let off = switch(0);
        let refused = audited(client, &both, 0, 0);
        let allowed = audited(client, &both, 0, 1);
        let on = switch(2);
        status!(act_with(0));
        status!(off);
        status!(on);
        let success = NtStatus::SUCCESS;
        let [whole, each, by_handle] = answers[0];
        expect!((whole.0, whole.1[0], whole.2[0]), (success, 0, denied));
        for parts in [each, by_handle] {
            expect!(
                (parts.0, parts.1[1], parts.2),
                (success, 1, [denied, 0, denied])
            );
        }
        for all in [answers[1], allowed] {
            expect!((all[0].0, all[0].1[0], all[0].2[0]), (success, 1, 0));
            expect!(all[1], (success, [1; 3], [0; 3]));
            expect!(all[2], all[1]);
        }
        status!(answers[2][2].0, NO_IMPERSONATION_TOKEN);
        status!(answers[3][2].0, INVALID_HANDLE);
        for wrong in [answers[4], answers[5]] {
            expect!(
                wrong.map(|answer| answer.0),
                [NtStatus::INVALID_PARAMETER; 3]
            );
        }
        expect!(
            refused.map(|answer| answer.0),
            [NtStatus::PRIVILEGE_NOT_HELD; 3]
        );
        status!(NtClose(client));
        status!(NtClose(token));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
