//! Tokens of a test program: its own, copies to act with, and whose they may be.

use nt_abi::access::AccessMask;
use nt_abi::security::{ImpersonationLevel, SecurityQualityOfService};
use nt_abi::services::arguments::{TokenInformationClass, TokenType};
use nt_abi::w64::ObjectAttributes;
use zerocopy::FromZeros as _;

use crate::check::Failed;
use crate::services::{
    CURRENT_PROCESS, NtDuplicateToken, NtOpenProcessToken, NtQueryInformationToken, address_of,
};
use crate::{expect, status};

/// Every right to a token.
pub const ALL: AccessMask = AccessMask::TOKEN_ALL_ACCESS;
/// The right to ask a token.
pub const QUERY: AccessMask = AccessMask::TOKEN_QUERY;
/// `TokenImpersonation`.
pub const IMPERSONATION: TokenType = TokenType(2);
/// `TokenType`, the class.
pub const TYPE: TokenInformationClass = TokenInformationClass(8);

/// Local System, S-1-5-18.
pub const SYSTEM: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
/// Everyone, S-1-1-0.
pub const EVERYONE: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
/// Guests, S-1-5-32-546, whom the system's token does not have.
pub const GUESTS: [u8; 16] = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x22, 2, 0, 0];

/// A handle to the own process's token, with all rights.
///
/// # Errors
/// If it cannot be opened.
pub fn own() -> Result<u64, Failed> {
    let mut token = 0u64;
    status!(NtOpenProcessToken(CURRENT_PROCESS, ALL, &mut token));
    Ok(token)
}

/// What a token says in a class whose answer is a number.
///
/// # Errors
/// If it does not say it, or in another length.
pub fn number(token: u64, class: TokenInformationClass) -> Result<u32, Failed> {
    let (mut value, mut length) = (0u32, 0u32);
    status!(NtQueryInformationToken(
        token,
        class,
        &mut value,
        4u32,
        &mut length
    ));
    expect!(length, 4);
    Ok(value)
}

/// Attributes with an impersonation level, which is kept in `qos`.
pub fn with_level(qos: &mut SecurityQualityOfService, level: u32) -> ObjectAttributes {
    *qos = SecurityQualityOfService {
        length: 12,
        impersonation_level: ImpersonationLevel(level),
        context_tracking_mode: 0,
        effective_only: 0,
        padding: 0,
    };
    ObjectAttributes {
        length: 48,
        security_quality_of_service: address_of(qos),
        ..ObjectAttributes::new_zeroed()
    }
}

/// A copy of a token for acting, of that level.
///
/// # Errors
/// If it cannot be made.
pub fn client(token: u64, level: u32) -> Result<u64, Failed> {
    let mut qos = SecurityQualityOfService::new_zeroed();
    let attributes = with_level(&mut qos, level);
    let mut made = 0u64;
    status!(NtDuplicateToken(
        token,
        ALL,
        &attributes,
        false,
        IMPERSONATION,
        &mut made
    ));
    Ok(made)
}
