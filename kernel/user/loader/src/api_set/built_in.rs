//! Who has which API set when the kernel gave no map.
//!
//! Whole families share a host, so prefixes are enough; the longest one that fits counts. The hosts are those of
//! Windows 10, as its own map says and Microsoft's page "Windows API sets" lists.

use rtl::{Case, Utf16Str, utf16};

const KERNEL32: Utf16Str<'static> = utf16!("kernel32.dll");
const KERNELBASE: Utf16Str<'static> = utf16!("kernelbase.dll");
const NTDLL: Utf16Str<'static> = utf16!("ntdll.dll");
const UCRTBASE: Utf16Str<'static> = utf16!("ucrtbase.dll");
const COMBASE: Utf16Str<'static> = utf16!("combase.dll");
const ADVAPI32: Utf16Str<'static> = utf16!("advapi32.dll");
const SECHOST: Utf16Str<'static> = utf16!("sechost.dll");
const SHCORE: Utf16Str<'static> = utf16!("shcore.dll");
const SHLWAPI: Utf16Str<'static> = utf16!("shlwapi.dll");
const USER32: Utf16Str<'static> = utf16!("user32.dll");
const GDI32: Utf16Str<'static> = utf16!("gdi32.dll");

/// Beginnings of names, and hosts.
pub(super) type Hosts = [(Utf16Str<'static>, Utf16Str<'static>)];

/// Names that begin with `api-ms-win-core-`: what follows, longer beginnings first.
pub(super) const CORE: &Hosts = &[
    (utf16!("rtlsupport-"), NTDLL),
    (utf16!("com-"), COMBASE),
    (utf16!("marshal-"), COMBASE),
    (utf16!("winrt-"), COMBASE),
    (utf16!("shlwapi-legacy-"), SHLWAPI),
    (utf16!("shlwapi-obsolete-"), SHLWAPI),
    (utf16!("shutdown-"), ADVAPI32),
    (utf16!("apiquery-"), NTDLL),
    (utf16!("crt-"), NTDLL),
    (utf16!("privateprofile-"), KERNEL32),
    (utf16!("atoms-"), KERNEL32),
    (utf16!("kernel32-legacy-"), KERNEL32),
    (utf16!("kernel32-private-"), KERNEL32),
    (utf16!("toolhelp-"), KERNEL32),
    (utf16!(""), KERNELBASE),
];

/// Other names, longer beginnings first.
pub(super) const OTHERS: &Hosts = &[
    (utf16!("api-ms-win-crt-"), UCRTBASE),
    (utf16!("api-ms-win-eventing-classicprovider-"), KERNELBASE),
    (utf16!("api-ms-win-eventing-provider-"), KERNELBASE),
    (utf16!("api-ms-win-eventing-"), SECHOST),
    (utf16!("api-ms-win-security-base-"), KERNELBASE),
    (utf16!("api-ms-win-security-lsalookup-"), SECHOST),
    (utf16!("api-ms-win-security-sddl-"), SECHOST),
    (utf16!("api-ms-win-security-"), ADVAPI32),
    (utf16!("api-ms-win-service-"), SECHOST),
    (utf16!("api-ms-win-shcore-"), SHCORE),
    (utf16!("api-ms-win-gdi-"), GDI32),
    (utf16!("api-ms-win-downlevel-kernel32-"), KERNELBASE),
    (utf16!("api-ms-win-downlevel-advapi32-"), KERNELBASE),
    (utf16!("api-ms-win-downlevel-shlwapi-"), SHLWAPI),
    (utf16!("api-ms-win-rtcore-ntuser-"), USER32),
    (utf16!("ext-ms-win-advapi32-"), ADVAPI32),
    (utf16!("ext-ms-win-kernel32-"), KERNEL32),
    (utf16!("ext-ms-win-ntuser-"), USER32),
];

/// What most names begin with.
const CORE_PREFIX: Utf16Str<'static> = utf16!("api-ms-win-core-");

/// The DLL that has a contract.
pub(super) fn host(contract: Utf16Str<'_>) -> Option<Utf16Str<'static>> {
    let (table, rest) = if contract.starts_with(CORE_PREFIX, Case::Insensitive) {
        let rest = contract.units().get(CORE_PREFIX.len()..);
        (CORE, Utf16Str::new(rest.unwrap_or_default()))
    } else {
        (OTHERS, contract)
    };
    table
        .iter()
        .find(|(prefix, _)| rest.starts_with(*prefix, Case::Insensitive))
        .map(|(_, host)| *host)
}
