//! The checks of this program that stand alone, and what all of them share.

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

mod copies;

use copies::{
    a_filtered_token_can_do_less, a_token_can_be_made, copies_keep_to_their_level,
    settings_ask_for_privileges, tokens_compare,
};

test_programs::list_of_checks! {
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
