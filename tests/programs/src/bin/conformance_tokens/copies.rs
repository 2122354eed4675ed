//! Tokens made of others, and new ones.

use super::*;

pub(super) fn copies_keep_to_their_level() -> Outcome {
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

pub(super) fn a_filtered_token_can_do_less() -> Outcome {
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

pub(super) fn settings_ask_for_privileges() -> Outcome {
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

pub(super) fn tokens_compare() -> Outcome {
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

pub(super) fn a_token_can_be_made() -> Outcome {
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
