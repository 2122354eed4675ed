//! Tokens: opening, copying, filtering, adjusting, asking, making.
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

    use nt_abi::access::AccessMask;
    use nt_abi::primitives::ObjectAttributeFlags;
    use nt_abi::security::{
        Luid, LuidAndAttributes, Privilege, PrivilegeAttributes, SecurityQualityOfService,
        SidAndAttributes64, TokenStatistics,
    };
    use nt_abi::services::arguments::{TokenInformationClass, TokenType};
    use test_programs::buffer::Buffer;
    use test_programs::check::{Failed, Outcome};
    use test_programs::services::*;
    use test_programs::tokens::*;

    use test_programs::{expect, holds, status};
    use zerocopy::{FromZeros as _, Immutable, IntoBytes};

    test_programs::checks! {
        a_process_has_a_token,
        a_token_tells_who_it_is,
        queries_of_tokens_refuse_what_is_wrong,
        privileges_are_switched,
        a_removed_privilege_is_gone,
        a_change_is_seen_through_every_handle,
        copies_keep_to_their_level,
        a_filtered_token_can_do_less,
        settings_ask_for_privileges,
        tokens_compare,
        a_token_can_be_made,
    }

    const PRIMARY: TokenType = TokenType(1);

    const KERNEL: Address = Address(0xFFFF_8000_0000_0000);

    const USER: TokenInformationClass = TokenInformationClass(1);

    const PRIVILEGES: TokenInformationClass = TokenInformationClass(3);

    const LEVEL: TokenInformationClass = TokenInformationClass(9);

    const STATISTICS: TokenInformationClass = TokenInformationClass(10);

    const SESSION: TokenInformationClass = TokenInformationClass(12);

    const IS_RESTRICTED: TokenInformationClass = TokenInformationClass(40);

    const CHANGE_NOTIFY: u32 = 23;

    fn statistics(token: u64) -> Result<TokenStatistics, Failed> {
        let (mut value, mut length) = (Buffer::<56>::new(), 0u32);
        status!(NtQueryInformationToken(
            token,
            STATISTICS,
            &mut value.0,
            56u32,
            &mut length
        ));
        Ok(value.at(0))
    }

    fn a_process_has_a_token() -> Outcome {
        let mut token = 0u64;
        status!(NtOpenProcessToken(CURRENT_PROCESS, QUERY, &mut token));
        expect!(number(token, TYPE)?, 1);
        status!(NtClose(token));
        status!(NtOpenProcessToken(0u64, QUERY, &mut token), INVALID_HANDLE);
        status!(
            NtOpenProcessToken(CURRENT_PROCESS, QUERY, NULL),
            ACCESS_VIOLATION
        );
        status!(
            NtOpenProcessToken(CURRENT_PROCESS, QUERY, KERNEL),
            ACCESS_VIOLATION
        );
        status!(
            NtOpenThreadToken(CURRENT_THREAD, QUERY, false, &mut token),
            NO_TOKEN
        );
        status!(
            NtOpenThreadToken(0u64, QUERY, false, &mut token),
            INVALID_HANDLE
        );
        let inherit = ObjectAttributeFlags::INHERIT.0;
        status!(NtOpenProcessTokenEx(
            CURRENT_PROCESS,
            QUERY,
            inherit,
            &mut token
        ));
        status!(NtClose(token));
        Ok(())
    }

    fn a_token_tells_who_it_is() -> Outcome {
        let token = own()?;
        let (mut answer, mut length) = (Buffer::<64>::new(), 0u32);
        status!(
            NtQueryInformationToken(token, USER, NULL, 0u32, &mut length),
            BUFFER_TOO_SMALL
        );
        expect!(length, 28);
        status!(NtQueryInformationToken(
            token,
            USER,
            &mut answer.0,
            64u32,
            &mut length
        ));
        let user: SidAndAttributes64 = answer.at(0);
        expect!(answer.offset_of(user.sid), 16);
        expect!(answer.at::<[u8; 12]>(16), SYSTEM);
        expect!(statistics(token)?.authentication_id, Luid::SYSTEM);
        // The pseudo handle of the process's token is good for looking.
        status!(NtQueryInformationToken(
            u64::MAX - 3,
            USER,
            &mut answer.0,
            64u32,
            &mut length
        ));
        status!(
            NtQueryInformationToken(u64::MAX - 4, USER, &mut answer.0, 64u32, &mut length),
            NO_TOKEN
        );
        status!(NtClose(token));
        Ok(())
    }

    fn queries_of_tokens_refuse_what_is_wrong() -> Outcome {
        let token = own()?;
        let query = |token: u64, class: u32| {
            let (mut value, mut length) = (0u64, 0u32);
            NtQueryInformationToken(
                token,
                TokenInformationClass(class),
                &mut value,
                4u32,
                &mut length,
            )
        };
        let (mut value, mut length) = (0u64, 0u32);
        status!(query(token, 0), INVALID_INFO_CLASS);
        status!(query(token, 99), INVALID_INFO_CLASS);
        status!(query(token, LEVEL.0), INVALID_PARAMETER);
        status!(query(0, TYPE.0), INVALID_HANDLE);
        status!(query(CURRENT_PROCESS.0, TYPE.0), OBJECT_TYPE_MISMATCH);
        // No logon made a pair of it.
        status!(query(token, 19), NO_SUCH_LOGON_SESSION);
        status!(
            NtQueryInformationToken(token, TYPE, KERNEL, 4u32, &mut length),
            ACCESS_VIOLATION
        );
        status!(
            NtQueryInformationToken(token, TYPE, &mut value, 4u32, NULL),
            ACCESS_VIOLATION
        );
        let mut weak = 0u64;
        status!(NtOpenProcessToken(
            CURRENT_PROCESS,
            AccessMask::TOKEN_DUPLICATE,
            &mut weak
        ));
        status!(query(weak, TYPE.0), ACCESS_DENIED);
        status!(NtClose(weak));
        status!(NtClose(token));
        Ok(())
    }

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

    /// Whether a privilege is enabled; `None` if the token does not have it.
    fn enabled(token: u64, privilege: u32) -> Result<Option<bool>, Failed> {
        let (mut answer, mut length) = (Buffer::<512>::new(), 0u32);
        status!(NtQueryInformationToken(
            token,
            PRIVILEGES,
            &mut answer.0,
            512u32,
            &mut length
        ));
        let count: u32 = answer.at(0);
        for index in 0..count as usize {
            let entry: LuidAndAttributes = answer.at(4 + 12 * index);
            if entry.luid == Luid::new(privilege) {
                return Ok(Some(
                    entry.attributes.contains(PrivilegeAttributes::ENABLED),
                ));
            }
        }
        Ok(None)
    }

    fn privileges_are_switched() -> Outcome {
        let token = own()?;
        expect!(enabled(token, CHANGE_NOTIFY)?, Some(true));
        let off = one(CHANGE_NOTIFY, PrivilegeAttributes::empty());
        let on = one(CHANGE_NOTIFY, PrivilegeAttributes::ENABLED);
        let (mut before, mut length) = (Buffer::<16>::new(), 0u32);
        // Without room for the state before nothing changes.
        status!(
            NtAdjustPrivilegesToken(token, false, &off.0, 4u32, &mut before.0, &mut length),
            BUFFER_TOO_SMALL
        );
        expect!(length, 16);
        expect!(enabled(token, CHANGE_NOTIFY)?, Some(true));
        status!(NtAdjustPrivilegesToken(
            token,
            false,
            &off.0,
            16u32,
            &mut before.0,
            &mut length
        ));
        expect!(enabled(token, CHANGE_NOTIFY)?, Some(false));
        expect!(before.at::<u32>(0), 1);
        expect!(before.at::<Luid>(4), Luid::new(CHANGE_NOTIFY));
        // Nothing changes the second time.
        status!(NtAdjustPrivilegesToken(
            token,
            false,
            &off.0,
            16u32,
            &mut before.0,
            &mut length
        ));
        expect!((length, before.at::<u32>(0)), (4, 0));
        status!(adjust(token, &on));
        expect!(enabled(token, CHANGE_NOTIFY)?, Some(true));
        status!(
            adjust(token, &one(6, PrivilegeAttributes::ENABLED)),
            NOT_ALL_ASSIGNED
        );
        status!(
            NtAdjustPrivilegesToken(token, false, NULL, 0u32, NULL, NULL),
            INVALID_PARAMETER
        );
        status!(
            NtAdjustPrivilegesToken(token, false, KERNEL, 0u32, NULL, NULL),
            ACCESS_VIOLATION
        );
        status!(
            NtAdjustPrivilegesToken(token, false, &off.0, 16u32, &mut before.0, NULL),
            ACCESS_VIOLATION
        );
        let mut weak = 0u64;
        status!(NtOpenProcessToken(CURRENT_PROCESS, QUERY, &mut weak));
        status!(adjust(weak, &on), ACCESS_DENIED);
        status!(NtClose(weak));
        status!(NtClose(token));
        Ok(())
    }

    fn a_removed_privilege_is_gone() -> Outcome {
        let token = own()?;
        let mut made = 0u64;
        status!(NtDuplicateToken(
            token, ALL, NULL, false, PRIMARY, &mut made
        ));
        status!(adjust(
            made,
            &one(CHANGE_NOTIFY, PrivilegeAttributes::REMOVED)
        ));
        expect!(enabled(made, CHANGE_NOTIFY)?, None);
        expect!(enabled(token, CHANGE_NOTIFY)?, Some(true));
        let on = one(CHANGE_NOTIFY, PrivilegeAttributes::ENABLED);
        status!(adjust(made, &on), NOT_ALL_ASSIGNED);
        status!(NtAdjustPrivilegesToken(made, true, NULL, 0u32, NULL, NULL));
        expect!(enabled(made, 20)?, Some(false));
        status!(NtClose(made));
        status!(NtClose(token));
        Ok(())
    }

    fn a_change_is_seen_through_every_handle() -> Outcome {
        let (first, second) = (own()?, own()?);
        status!(NtCompareObjects(first, second));
        let before = statistics(second)?;
        status!(adjust(first, &one(20, PrivilegeAttributes::empty())));
        expect!(enabled(second, 20)?, Some(false));
        let after = statistics(second)?;
        expect!(after.token_id, before.token_id);
        holds!(after.modified_id != before.modified_id);
        status!(adjust(second, &one(20, PrivilegeAttributes::ENABLED)));
        expect!(enabled(first, 20)?, Some(true));
        status!(NtClose(first));
        status!(NtClose(second));
        Ok(())
    }

    fn copies_keep_to_their_level() -> Outcome {
        let token = own()?;
        let looks = client(token, 1)?;
        expect!(number(looks, TYPE)?, 2);
        expect!(number(looks, LEVEL)?, 1);
        let mut qos = SecurityQualityOfService::new_zeroed();
        let attributes = with_level(&mut qos, 2);
        let mut made = 0u64;
        // Upwards there is no way, nor to a token for processes.
        status!(
            NtDuplicateToken(looks, ALL, &attributes, false, IMPERSONATION, &mut made),
            BAD_IMPERSONATION_LEVEL
        );
        status!(
            NtDuplicateToken(looks, ALL, NULL, false, PRIMARY, &mut made),
            BAD_IMPERSONATION_LEVEL
        );
        let acts = client(token, 2)?;
        status!(NtDuplicateToken(acts, ALL, NULL, false, PRIMARY, &mut made));
        status!(NtClose(made));
        let third = TokenType(3);
        status!(
            NtDuplicateToken(token, ALL, NULL, false, third, &mut made),
            INVALID_PARAMETER
        );
        status!(
            NtDuplicateToken(0u64, ALL, NULL, false, PRIMARY, &mut made),
            INVALID_HANDLE
        );
        status!(
            NtDuplicateToken(token, ALL, NULL, false, PRIMARY, NULL),
            ACCESS_VIOLATION
        );
        // No wish means the rights of the original.
        let mut weak = 0u64;
        let rights = AccessMask::TOKEN_DUPLICATE;
        status!(NtOpenProcessToken(CURRENT_PROCESS, rights, &mut weak));
        status!(NtDuplicateToken(
            weak,
            AccessMask::NONE,
            NULL,
            false,
            PRIMARY,
            &mut made
        ));
        let (mut value, mut length) = (0u32, 0u32);
        status!(
            NtQueryInformationToken(made, TYPE, &mut value, 4u32, &mut length),
            ACCESS_DENIED
        );
        for handle in [token, looks, acts, weak, made] {
            status!(NtClose(handle));
        }
        Ok(())
    }

    /// `TOKEN_GROUPS` with one SID.
    fn group(sid: u64) -> Buffer<24> {
        let mut list = Buffer::<24>::new();
        list.0[0] = 1;
        put(&mut list, 8, &sid);
        list
    }

    fn a_filtered_token_can_do_less() -> Outcome {
        let token = own()?;
        let mut made = 0u64;
        status!(NtFilterToken(token, 1u32, NULL, NULL, NULL, &mut made));
        expect!(enabled(made, CHANGE_NOTIFY)?, Some(true));
        expect!(enabled(made, 20)?, None);
        expect!(number(made, IS_RESTRICTED)?, 0);
        status!(NtClose(made));
        let mut everyone = Buffer::<12>(EVERYONE);
        let mut restricting = group(address_of(&mut everyone));
        status!(NtFilterToken(
            token,
            0u32,
            NULL,
            NULL,
            &restricting.0,
            &mut made
        ));
        expect!(number(made, IS_RESTRICTED)?, 1);
        status!(NtClose(made));
        restricting.0[16] = 4;
        status!(
            NtFilterToken(token, 0u32, NULL, NULL, &restricting.0, &mut made),
            INVALID_PARAMETER
        );
        status!(
            NtFilterToken(token, 16u32, NULL, NULL, NULL, &mut made),
            INVALID_PARAMETER
        );
        status!(
            NtFilterToken(token, 0u32, KERNEL, NULL, NULL, &mut made),
            ACCESS_VIOLATION
        );
        status!(NtClose(token));
        Ok(())
    }

    fn settings_ask_for_privileges() -> Outcome {
        let token = own()?;
        let mut made = 0u64;
        status!(NtDuplicateToken(
            token, ALL, NULL, false, PRIMARY, &mut made
        ));
        let session = 7u32;
        status!(NtSetInformationToken(made, SESSION, &session, 4u32));
        expect!(number(made, SESSION)?, 7);
        status!(
            NtSetInformationToken(made, SESSION, &session, 3u32),
            INFO_LENGTH_MISMATCH
        );
        status!(
            NtSetInformationToken(made, TYPE, &session, 4u32),
            INVALID_INFO_CLASS
        );
        status!(
            NtSetInformationToken(0u64, SESSION, &session, 4u32),
            INVALID_HANDLE
        );
        // An owner must be somebody whom the token may make owner.
        let mut guests = Buffer::<16>(GUESTS);
        let owner = address_of(&mut guests);
        let class = TokenInformationClass(4);
        status!(
            NtSetInformationToken(made, class, &owner, 8u32),
            INVALID_OWNER
        );
        let class = TokenInformationClass(5);
        status!(
            NtSetInformationToken(made, class, &owner, 8u32),
            INVALID_PRIMARY_GROUP
        );
        let off = one(Privilege::TCB.0, PrivilegeAttributes::empty());
        status!(adjust(token, &off));
        let refused = NtSetInformationToken(made, SESSION, &session, 4u32);
        status!(adjust(
            token,
            &one(Privilege::TCB.0, PrivilegeAttributes::ENABLED)
        ));
        status!(refused, PRIVILEGE_NOT_HELD);
        status!(NtClose(made));
        status!(NtClose(token));
        Ok(())
    }

    fn tokens_compare() -> Outcome {
        let token = own()?;
        let (mut same, mut made) = (0u8, 0u64);
        status!(NtDuplicateToken(
            token, ALL, NULL, false, PRIMARY, &mut made
        ));
        status!(NtCompareTokens(token, made, &mut same));
        expect!(same, 1);
        status!(adjust(
            made,
            &one(CHANGE_NOTIFY, PrivilegeAttributes::REMOVED)
        ));
        status!(NtCompareTokens(token, made, &mut same));
        expect!(same, 0);
        status!(NtCompareTokens(token, 0u64, &mut same), INVALID_HANDLE);
        status!(NtCompareTokens(token, made, KERNEL), ACCESS_VIOLATION);
        status!(NtClose(made));
        status!(NtClose(token));
        Ok(())
    }

    fn a_token_can_be_made() -> Outcome {
        let token = own()?;
        let mut user_sid = Buffer::<12>(SYSTEM);
        let sid = address_of(&mut user_sid);
        let user = [sid, 0];
        let groups = [0u64, 0];
        let privileges = one(CHANGE_NOTIFY, PrivilegeAttributes::ENABLED);
        let source = [0u64; 2];
        let (session, never) = (Luid::SYSTEM, i64::MAX);
        let mut made = 0u64;
        let mut make = || {
            NtCreateToken(
                &mut made,
                ALL,
                NULL,
                PRIMARY,
                &session,
                &never,
                &user,
                &groups,
                &privileges.0,
                NULL,
                &sid,
                NULL,
                &source,
            )
        };
        let create = Privilege::CREATE_TOKEN.0;
        status!(make(), PRIVILEGE_NOT_HELD);
        status!(adjust(token, &one(create, PrivilegeAttributes::ENABLED)));
        let outcome = make();
        status!(adjust(token, &one(create, PrivilegeAttributes::empty())));
        status!(outcome);
        expect!(enabled(made, CHANGE_NOTIFY)?, Some(true));
        expect!(enabled(made, 20)?, None);
        status!(NtClose(made));
        status!(NtClose(token));
        Ok(())
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
