//! Wine's answers ([`super::wine`]), and both ways for what it does not export.

extern crate std;

use std::format;
use std::string::String;
use std::vec::Vec;

use nt_abi::NtStatus;

use super::wine::*;
use super::*;

fn terminated(text: &str) -> (Vec<u8>, Vec<u16>) {
    let bytes = text.bytes().chain([0]).collect();
    (bytes, text.encode_utf16().chain([0]).collect())
}

fn at<T>(units: &mut [T]) -> Ptr<T> {
    Ptr::of(&mut units[0])
}

#[test]
fn ipv4_is_read_as_wine_does() {
    for (text, strict, end, address, takes, _) in IPV4 {
        let (mut bytes, mut units) = terminated(text);
        let strict = u8::from(*strict);
        let expected = address.map_or([0xAB; 4], u32::to_be_bytes);
        let (mut found, mut stop) = ([0xAB; 4], 0);
        let (text_at, stop_at, to) = (at(&mut bytes), Ptr::of(&mut stop), Ptr::of(&mut found));
        let status = RtlIpv4StringToAddressA(text_at, strict, stop_at, to);
        assert_eq!(status.is_success(), address.is_some(), "{text} {strict}");
        assert_eq!(
            (stop_at.read() - text_at.address(), to.read()),
            (*end, expected),
            "{text} {strict}"
        );
        let wide = at(&mut units);
        assert_eq!(RtlIpv4StringToAddressW(wide, strict, stop_at, to), status);
        assert_eq!(stop_at.read() - wide.address(), 2 * end);
        let mut port = 0x1234;
        let status = RtlIpv4StringToAddressExW(wide, strict, to, Ptr::of(&mut port));
        assert_eq!(status.is_success(), *takes, "{text}");
    }
}

#[test]
fn ports_are_read_as_wine_does() {
    for (text, expected) in IPV4_PORTS {
        let (mut bytes, _) = terminated(text);
        let (mut address, mut port) = ([0; 4], 0x1234);
        let status =
            RtlIpv4StringToAddressExA(at(&mut bytes), 0, Ptr::of(&mut address), Ptr::of(&mut port));
        let found = status.is_success().then_some(port);
        assert_eq!(found, *expected, "{text}");
        assert_eq!(address, [1; 4], "written in any case");
    }
    let (mut bytes, _) = terminated("1.1.1.1");
    let (mut address, mut port) = ([0; 4], 0x1234);
    RtlIpv4StringToAddressExA(at(&mut bytes), 0, Ptr::of(&mut address), Ptr::of(&mut port));
    assert_eq!(port, 0x1234, "left alone without one");
}

fn hex(address: [u16; 8]) -> String {
    address
        .iter()
        .map(|group| format!("{:04x}", u16::from_be(*group)))
        .collect()
}

#[test]
fn ipv6_is_read_as_wine_does() {
    for (text, expected, more) in IPV6 {
        let (mut bytes, mut units) = terminated(text);
        let (mut address, mut stop) = ([0u16; 8], 0);
        let text_at = at(&mut bytes);
        let status = RtlIpv6StringToAddressA(text_at, Ptr::of(&mut stop), Ptr::of(&mut address));
        let found = status
            .is_success()
            .then(|| (stop - text_at.address(), hex(address)));
        let found = found
            .as_ref()
            .map(|(end, address)| (*end, address.as_str()));
        assert_eq!(found, *expected, "{text}");
        let (mut wide_address, mut wide_stop) = ([0u16; 8], 0);
        let wide = at(&mut units);
        let again =
            RtlIpv6StringToAddressW(wide, Ptr::of(&mut wide_stop), Ptr::of(&mut wide_address));
        assert_eq!((again, wide_address), (status, address));
        assert_eq!(wide_stop - wide.address(), 2 * (stop - text_at.address()));
        assert_eq!(with_more(wide), *more, "{text}");
    }
    for (text, expected) in IPV6_MORE {
        let (_, mut units) = terminated(text);
        assert_eq!(with_more(at(&mut units)), *expected, "{text}");
    }
}

fn with_more(text: Ptr<u16>) -> Option<(u32, u16)> {
    let (mut address, mut scope, mut port) = ([0; 8], 0x0BAD, 0x1234);
    let status = RtlIpv6StringToAddressExW(
        text,
        Ptr::of(&mut address),
        Ptr::of(&mut scope),
        Ptr::of(&mut port),
    );
    if status.is_success() {
        return Some((scope, port));
    }
    assert_eq!((scope, port), (0x0BAD, 0x1234), "not written");
    None
}

#[test]
fn ipv6_is_written_as_wine_does() {
    for (address, expected) in IPV6_TEXTS {
        let mut groups: [u16; 8] = core::array::from_fn(|index| {
            let digits = &address[4 * index..4 * index + 4];
            u16::from_str_radix(digits, 16).expect("a number").to_be()
        });
        let mut text = [0xCC; 50];
        let text_at = at(&mut text);
        let end = RtlIpv6AddressToStringA(Ptr::of(&mut groups), text_at);
        let length = end.address() - text_at.address();
        assert_eq!(std::str::from_utf8(text_at.slice(length)), Ok(*expected));
        assert_eq!(text[length], 0);
        // And it is read again.
        let (mut back, mut stop) = ([0u16; 8], 0);
        RtlIpv6StringToAddressA(text_at, Ptr::of(&mut stop), Ptr::of(&mut back));
        assert_eq!(back, groups, "{expected}");
    }
}

#[test]
fn text_is_written_where_there_is_room() {
    let mut address = [1, 20, 255, 0];
    let address = Ptr::of(&mut address);
    let mut text = [0xCC; 30];
    let write = |port, text: &mut [u8], mut units| {
        let status = RtlIpv4AddressToStringExA(address, port, at(text), Ptr::of(&mut units));
        (status, units)
    };
    assert_eq!(write(0, &mut text, 10), (NtStatus::INVALID_PARAMETER, 11));
    assert_eq!(text, [0xCC; 30]);
    assert_eq!(write(0, &mut text, 11), (NtStatus::SUCCESS, 11));
    assert_eq!(&text[..12], b"1.20.255.0\0\xCC");
    assert_eq!(write(80u16.to_be(), &mut text, 30), (NtStatus::SUCCESS, 14));
    assert_eq!(&text[..14], b"1.20.255.0:80\0");
    let mut wide = [0u16; 16];
    let wide_at = at(&mut wide);
    assert_eq!(RtlIpv4AddressToStringW(address, wide_at), wide_at.add(10));
    assert_eq!(String::from_utf16_lossy(&wide[..10]), "1.20.255.0");
}

#[test]
fn scopes_and_ports_are_written() {
    let mut groups = [0x2001u16, 0xDB8, 0, 0, 1, 0, 0, 1].map(u16::to_be);
    let groups = Ptr::of(&mut groups);
    for (scope, port, expected) in [
        (5, 80, "[2001:db8::1:0:0:1%5]:80"),
        (5, 0, "2001:db8::1:0:0:1%5"),
        (0, 1, "[2001:db8::1:0:0:1]:1"),
        (0, 0, "2001:db8::1:0:0:1"),
    ] {
        let (mut text, mut units) = ([0u16; 65], 65);
        let status = RtlIpv6AddressToStringExW(
            groups,
            scope,
            u16::to_be(port),
            at(&mut text),
            Ptr::of(&mut units),
        );
        let length = expected.len();
        assert_eq!((status, units as usize), (NtStatus::SUCCESS, length + 1));
        assert_eq!(String::from_utf16_lossy(&text[..length]), expected);
    }
    let mut longest = [0xFFFFu16; 8];
    let (mut text, mut units) = ([0u8; 65], 65);
    let status = RtlIpv6AddressToStringExA(
        Ptr::of(&mut longest),
        u32::MAX,
        0xFFFF,
        at(&mut text),
        Ptr::of(&mut units),
    );
    assert_eq!((status, units), (NtStatus::SUCCESS, 59));
}

#[test]
fn ethernet_goes_both_ways() {
    let mut address = [1, 2, 0xAB, 4, 5, 0xFF];
    let (mut text, mut wide) = ([0u8; 18], [0u16; 18]);
    let (text_at, wide_at) = (at(&mut text), at(&mut wide));
    assert_eq!(
        RtlEthernetAddressToStringA(Ptr::of(&mut address), text_at),
        text_at.add(17)
    );
    assert_eq!(text_at.slice(18), b"01-02-AB-04-05-FF\0");
    RtlEthernetAddressToStringW(Ptr::of(&mut address), wide_at);
    let (mut back, mut stop) = ([0; 6], 0);
    let status = RtlEthernetStringToAddressW(wide_at, Ptr::of(&mut stop), Ptr::of(&mut back));
    assert_eq!((status, back), (NtStatus::SUCCESS, address));
    assert_eq!(stop, wide_at.add(17).address());
    for text in [
        "",
        "01-02-AB-04-05",
        "01-02-AB-04-05-",
        "01-02-AG-04-05-FF",
        "1-2-3-4-5-6",
    ] {
        let (mut bytes, _) = terminated(text);
        let status =
            RtlEthernetStringToAddressA(at(&mut bytes), Ptr::of(&mut stop), Ptr::of(&mut back));
        assert_eq!(status, NtStatus::INVALID_PARAMETER, "{text}");
    }
}
