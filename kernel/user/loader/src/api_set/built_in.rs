//! Who has which API set when the kernel gave no map.
//!
//! Whole families share a host, so prefixes are enough; the longest one that fits counts. The hosts are those of
//! Windows 10, as its own map says and Microsoft's page "Windows API sets" lists.

use rtl::{Case, Utf16Str, utf16};

use super::CRT;

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

/// Beginnings of names, and hosts; longer beginnings first.
pub(super) const HOSTS: [(Utf16Str<'static>, Utf16Str<'static>); 34] = [
    (utf16!("api-ms-win-core-rtlsupport-"), NTDLL),
    (utf16!("api-ms-win-core-com-"), COMBASE),
    (utf16!("api-ms-win-core-marshal-"), COMBASE),
    (utf16!("api-ms-win-core-winrt-"), COMBASE),
    (utf16!("api-ms-win-core-shlwapi-legacy-"), SHLWAPI),
    (utf16!("api-ms-win-core-shlwapi-obsolete-"), SHLWAPI),
    (utf16!("api-ms-win-core-shutdown-"), ADVAPI32),
    (utf16!("api-ms-win-core-apiquery-"), NTDLL),
    (utf16!("api-ms-win-core-crt-"), NTDLL),
    (utf16!("api-ms-win-core-privateprofile-"), KERNEL32),
    (utf16!("api-ms-win-core-atoms-"), KERNEL32),
    (utf16!("api-ms-win-core-appcompat-l1-1"), KERNELBASE),
    (utf16!("api-ms-win-core-kernel32-legacy-"), KERNEL32),
    (utf16!("api-ms-win-core-kernel32-private-"), KERNEL32),
    (utf16!("api-ms-win-core-toolhelp-"), KERNEL32),
    (utf16!("api-ms-win-core-"), KERNELBASE),
    (CRT, UCRTBASE),
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

/// The DLL that has a contract.
pub(super) fn host(contract: Utf16Str<'_>) -> Option<Utf16Str<'static>> {
    HOSTS
        .iter()
        .find(|(prefix, _)| contract.starts_with(*prefix, Case::Insensitive))
        .map(|(_, host)| *host)
}
