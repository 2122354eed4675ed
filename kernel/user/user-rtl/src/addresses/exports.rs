//! The exports, in pairs.

use core::fmt::Write;

use c_interface::{Ptr, exports};
use nt_abi::NtStatus;

use super::{Text, Unit, read, write};

/// Notes where reading ended, and what was read.
fn answer<T: zerocopy::IntoBytes + zerocopy::Immutable, U>(
    text: Ptr<U>,
    read: read::Read<T>,
    terminator: Ptr<usize>,
    address: Ptr<T>,
) -> NtStatus {
    terminator.write_optional(text.add(read.end).address());
    match read.value {
        Some(value) => {
            address.write(value);
            NtStatus::SUCCESS
        }
        None => NtStatus::INVALID_PARAMETER,
    }
}

/// The groups of an address as it lies in memory: each with its high byte first.
fn groups(address: Ptr<[u16; 8]>) -> [u16; 8] {
    address.read().map(u16::from_be)
}

/// An address as it lies in memory.
fn in_memory(read: read::Read<[u16; 8]>) -> read::Read<[u16; 8]> {
    read::Read {
        value: read.value.map(|groups| groups.map(u16::to_be)),
        ..read
    }
}

/// Copies text if there is room; says how much it needs.
fn copy_within<U: Unit>(text: &write::Text, to: Ptr<U>, units: Ptr<u32>) -> NtStatus {
    if to.is_null() || units.is_null() {
        return NtStatus::INVALID_PARAMETER;
    }
    let room = units.read();
    units.write(text.terminated());
    if room < text.terminated() {
        return NtStatus::INVALID_PARAMETER;
    }
    text.copy_to(to);
    NtStatus::SUCCESS
}

fn ipv4_with_port<U: Unit>(
    at: Ptr<U>,
    strict: bool,
    address: Ptr<[u8; 4]>,
    port: Ptr<u16>,
) -> Option<()> {
    let text = Text { at: at.non_null()? };
    let read = read::ipv4(&text, 0, strict);
    address.non_null()?.write(read.value?);
    let mut end = read.end;
    if text.char(end) == b':' {
        let found = read::port(&text, end + 1);
        end = found.end;
        if text.ends(end) {
            port.non_null()?.write(found.value?.to_be());
        }
    }
    text.ends(end).then_some(())
}

fn ipv6_with_more<U: Unit>(
    at: Ptr<U>,
    address: Ptr<[u16; 8]>,
    scope: Ptr<u32>,
    port: Ptr<u16>,
) -> Option<()> {
    let text = Text { at: at.non_null()? };
    let bracket = text.char(0) == b'[';
    let read = in_memory(read::ipv6(&text, usize::from(bracket)));
    let (address, scope, port) = (address.non_null()?, scope.non_null()?, port.non_null()?);
    address.write(read.value?);
    let mut end = read.end;
    let (mut scope_number, mut port_number) = (0, 0);
    if text.char(end) == b'%' {
        let found = read::scope(&text, end + 1);
        scope_number = found.value?;
        end = found.end;
    }
    if bracket {
        if text.char(end) != b']' {
            return None;
        }
        end += 1;
        if text.char(end) == b':' {
            let found = read::port(&text, end + 1);
            port_number = found.value?;
            end = found.end;
        }
    }
    if !text.ends(end) {
        return None;
    }
    scope.write(scope_number);
    port.write(port_number.to_be());
    Some(())
}

fn status(outcome: Option<()>) -> NtStatus {
    outcome.map_or(NtStatus::INVALID_PARAMETER, |()| NtStatus::SUCCESS)
}

fn ipv4_text(address: [u8; 4], port: u16) -> write::Text {
    write::Text::new(|text| {
        write::ipv4(address, text)?;
        match u16::from_be(port) {
            0 => Ok(()),
            port => write!(text, ":{port}"),
        }
    })
}

fn ipv6_text(groups: &[u16; 8], scope: u32, port: u16) -> write::Text {
    write::Text::new(|text| {
        let port = u16::from_be(port);
        if port != 0 {
            text.write_str("[")?;
        }
        write::ipv6(groups, text)?;
        if scope != 0 {
            write!(text, "%{scope}")?;
        }
        match port {
            0 => Ok(()),
            port => write!(text, "]:{port}"),
        }
    })
}

exports! {
    /// Reads an IPv4 address; gives where it ends, also where reading failed.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`.
    fn RtlIpv4StringToAddressA(text: Ptr<u8>, strict: u8, terminator: Ptr<usize>, address: Ptr<[u8; 4]>) -> NtStatus {
        answer(text, read::ipv4(&Text { at: text }, 0, strict != 0), terminator, address)
    }

    /// As `RtlIpv4StringToAddressA`, of UTF-16.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`.
    fn RtlIpv4StringToAddressW(text: Ptr<u16>, strict: u8, terminator: Ptr<usize>, address: Ptr<[u8; 4]>) -> NtStatus {
        answer(text, read::ipv4(&Text { at: text }, 0, strict != 0), terminator, address)
    }

    /// Reads an IPv4 address, and a port (high byte first) if there is one.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`, also if something else follows.
    fn RtlIpv4StringToAddressExA(text: Ptr<u8>, strict: u8, address: Ptr<[u8; 4]>, port: Ptr<u16>) -> NtStatus {
        status(ipv4_with_port(text, strict != 0, address, port))
    }

    /// As `RtlIpv4StringToAddressExA`, of UTF-16.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`, also if something else follows.
    fn RtlIpv4StringToAddressExW(text: Ptr<u16>, strict: u8, address: Ptr<[u8; 4]>, port: Ptr<u16>) -> NtStatus {
        status(ipv4_with_port(text, strict != 0, address, port))
    }

    /// Writes an IPv4 address, terminated, in 16 units at most; gives where it ends.
    fn RtlIpv4AddressToStringA(address: Ptr<[u8; 4]>, to: Ptr<u8>) -> Ptr<u8> {
        ipv4_text(address.read(), 0).copy_to(to)
    }

    /// As `RtlIpv4AddressToStringA`, as UTF-16.
    fn RtlIpv4AddressToStringW(address: Ptr<[u8; 4]>, to: Ptr<u16>) -> Ptr<u16> {
        ipv4_text(address.read(), 0).copy_to(to)
    }

    /// Writes an IPv4 address, and a port (high byte first) that is not 0, terminated; gives how many units that needs.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` if there is no room.
    fn RtlIpv4AddressToStringExA(address: Ptr<[u8; 4]>, port: u16, to: Ptr<u8>, units: Ptr<u32>) -> NtStatus {
        if address.is_null() {
            return NtStatus::INVALID_PARAMETER;
        }
        copy_within(&ipv4_text(address.read(), port), to, units)
    }

    /// As `RtlIpv4AddressToStringExA`, as UTF-16.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` if there is no room.
    fn RtlIpv4AddressToStringExW(address: Ptr<[u8; 4]>, port: u16, to: Ptr<u16>, units: Ptr<u32>) -> NtStatus {
        if address.is_null() {
            return NtStatus::INVALID_PARAMETER;
        }
        copy_within(&ipv4_text(address.read(), port), to, units)
    }

    /// Reads an IPv6 address; gives where it ends, also where reading failed.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`.
    fn RtlIpv6StringToAddressA(text: Ptr<u8>, terminator: Ptr<usize>, address: Ptr<[u16; 8]>) -> NtStatus {
        answer(text, in_memory(read::ipv6(&Text { at: text }, 0)), terminator, address)
    }

    /// As `RtlIpv6StringToAddressA`, of UTF-16.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`.
    fn RtlIpv6StringToAddressW(text: Ptr<u16>, terminator: Ptr<usize>, address: Ptr<[u16; 8]>) -> NtStatus {
        answer(text, in_memory(read::ipv6(&Text { at: text }, 0)), terminator, address)
    }

    /// Reads an IPv6 address, a scope if there is one, and, if it is in brackets, a port (high byte first).
    ///
    /// # Errors
    /// `INVALID_PARAMETER`, also if something else follows.
    fn RtlIpv6StringToAddressExA(text: Ptr<u8>, address: Ptr<[u16; 8]>, scope: Ptr<u32>, port: Ptr<u16>) -> NtStatus {
        status(ipv6_with_more(text, address, scope, port))
    }

    /// As `RtlIpv6StringToAddressExA`, of UTF-16.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`, also if something else follows.
    fn RtlIpv6StringToAddressExW(text: Ptr<u16>, address: Ptr<[u16; 8]>, scope: Ptr<u32>, port: Ptr<u16>) -> NtStatus {
        status(ipv6_with_more(text, address, scope, port))
    }

    /// Writes an IPv6 address, terminated, in 46 units at most; gives where it ends.
    fn RtlIpv6AddressToStringA(address: Ptr<[u16; 8]>, to: Ptr<u8>) -> Ptr<u8> {
        ipv6_text(&groups(address), 0, 0).copy_to(to)
    }

    /// As `RtlIpv6AddressToStringA`, as UTF-16.
    fn RtlIpv6AddressToStringW(address: Ptr<[u16; 8]>, to: Ptr<u16>) -> Ptr<u16> {
        ipv6_text(&groups(address), 0, 0).copy_to(to)
    }

    /// Writes an IPv6 address, a scope and a port (high byte first) that are not 0, terminated; gives how many units that
    /// needs.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` if there is no room.
    fn RtlIpv6AddressToStringExA(
        address: Ptr<[u16; 8]>,
        scope: u32,
        port: u16,
        to: Ptr<u8>,
        units: Ptr<u32>,
    ) -> NtStatus {
        if address.is_null() {
            return NtStatus::INVALID_PARAMETER;
        }
        copy_within(&ipv6_text(&groups(address), scope, port), to, units)
    }

    /// As `RtlIpv6AddressToStringExA`, as UTF-16.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` if there is no room.
    fn RtlIpv6AddressToStringExW(
        address: Ptr<[u16; 8]>,
        scope: u32,
        port: u16,
        to: Ptr<u16>,
        units: Ptr<u32>,
    ) -> NtStatus {
        if address.is_null() {
            return NtStatus::INVALID_PARAMETER;
        }
        copy_within(&ipv6_text(&groups(address), scope, port), to, units)
    }

    /// Reads an Ethernet address, such as 01-23-45-67-89-AB; gives where it ends, also where reading failed.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`.
    fn RtlEthernetStringToAddressA(text: Ptr<u8>, terminator: Ptr<usize>, address: Ptr<[u8; 6]>) -> NtStatus {
        answer(text, read::ethernet(&Text { at: text }), terminator, address)
    }

    /// As `RtlEthernetStringToAddressA`, of UTF-16.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`.
    fn RtlEthernetStringToAddressW(text: Ptr<u16>, terminator: Ptr<usize>, address: Ptr<[u8; 6]>) -> NtStatus {
        answer(text, read::ethernet(&Text { at: text }), terminator, address)
    }

    /// Writes an Ethernet address, terminated, in 18 units; gives where it ends.
    fn RtlEthernetAddressToStringA(address: Ptr<[u8; 6]>, to: Ptr<u8>) -> Ptr<u8> {
        write::Text::new(|text| write::ethernet(address.read(), text)).copy_to(to)
    }

    /// As `RtlEthernetAddressToStringA`, as UTF-16.
    fn RtlEthernetAddressToStringW(address: Ptr<[u8; 6]>, to: Ptr<u16>) -> Ptr<u16> {
        write::Text::new(|text| write::ethernet(address.read(), text)).copy_to(to)
    }
}
