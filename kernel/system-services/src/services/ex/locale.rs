//! Locales and languages: which ones programs get that ask for none.
//!
//! # Differs
//! NT keeps them in the registry, so that they outlast the machine's next start, and a locale for each user. Here are
//! one for the system and one for all users, which begin as English (United States).

use core::sync::atomic::{AtomicU32, Ordering};

use nt_abi::security::Privilege;
use nt_abi::services::arguments::{Boolean, Out};
use nt_abi::{NtResult, NtStatus};

use crate::Caller;
use crate::capture::Pointer;

/// English (United States): the language of the installation.
const ENGLISH: u16 = 0x0409;

static SYSTEM_LOCALE: AtomicU32 = AtomicU32::new(ENGLISH as u32);
static USER_LOCALE: AtomicU32 = AtomicU32::new(ENGLISH as u32);
static USER_LANGUAGE: AtomicU32 = AtomicU32::new(ENGLISH as u32);

const fn locale(user_profile: Boolean) -> &'static AtomicU32 {
    if user_profile.is_true() {
        &USER_LOCALE
    } else {
        &SYSTEM_LOCALE
    }
}

pub(crate) fn nt_query_default_locale(
    _caller: &Caller<'_>,
    user_profile: Boolean,
    default_locale_id: Out<u32>,
) -> NtResult {
    default_locale_id.write(&locale(user_profile).load(Ordering::Relaxed))
}

/// Changes a locale.
///
/// # Errors
/// `INVALID_PARAMETER` for what is no locale: the upper 12 bits are reserved, and the language is not 0.
/// `PRIVILEGE_NOT_HELD` for the system's, unless the caller acts for the system: NT protects it by its registry key.
pub(crate) fn nt_set_default_locale(
    caller: &Caller<'_>,
    user_profile: Boolean,
    default_locale_id: u32,
) -> NtResult {
    if default_locale_id >> 20 != 0 || default_locale_id & 0xFFFF == 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if !user_profile.is_true() {
        caller.require_privilege(Privilege::TCB)?;
    }
    locale(user_profile).store(default_locale_id, Ordering::Relaxed);
    Ok(())
}

pub(crate) fn nt_query_default_ui_language(
    _caller: &Caller<'_>,
    default_ui_language_id: Out<u16>,
) -> NtResult {
    let [low, high, ..] = USER_LANGUAGE.load(Ordering::Relaxed).to_le_bytes();
    default_ui_language_id.write(&u16::from_le_bytes([low, high]))
}

/// The bits of a language's number that say which one it is; the others say where it is spoken.
const PRIMARY: u16 = 0x3FF;
/// `LANG_INVARIANT`: of no people.
const INVARIANT: u16 = 0x7F;

/// Changes the language of all users' menus and messages; 0 takes back what was set.
///
/// # Errors
/// `INVALID_PARAMETER` for what is no language: the neutral ones, which stand for what is set, and the invariant one.
pub(crate) fn nt_set_default_ui_language(
    _caller: &Caller<'_>,
    default_ui_language_id: u16,
) -> NtResult {
    let language = match default_ui_language_id {
        0 => ENGLISH,
        id if matches!(id & PRIMARY, 0 | INVARIANT) => return Err(NtStatus::INVALID_PARAMETER),
        id => id,
    };
    USER_LANGUAGE.store(u32::from(language), Ordering::Relaxed);
    Ok(())
}

pub(crate) fn nt_query_install_ui_language(
    _caller: &Caller<'_>,
    install_ui_language_id: Out<u16>,
) -> NtResult {
    install_ui_language_id.write(&ENGLISH)
}
