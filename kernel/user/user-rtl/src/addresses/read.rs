//! Reading addresses.

use super::{Text, Unit};

/// Where reading ended, and what was read.
pub(super) struct Read<T> {
    pub(super) end: usize,
    pub(super) value: Option<T>,
}

impl<T> Read<T> {
    fn good(end: usize, value: T) -> Self {
        Self {
            end,
            value: Some(value),
        }
    }

    fn bad(end: usize) -> Self {
        Self { end, value: None }
    }
}

/// Reads digits; gives the number, where they end, and whether it fits 32 bits.
fn digits<U: Unit>(text: &Text<U>, start: usize, base: u32) -> Read<u32> {
    let mut number = 0u32;
    let mut at = start;
    while let Some(digit) = text.digit(at, base) {
        let more = number
            .checked_mul(base)
            .and_then(|shifted| shifted.checked_add(digit));
        match more {
            Some(more) => number = more,
            None => return Read::bad(at),
        }
        at += 1;
    }
    if at == start {
        Read::bad(at)
    } else {
        Read::good(at, number)
    }
}

/// Reads a number as C writes them: `0x` for hexadecimal, `0` for octal.
fn c_number<U: Unit>(text: &Text<U>, start: usize) -> Read<u32> {
    if text.char(start) != b'0' {
        return digits(text, start, 10);
    }
    if matches!(text.char(start + 1), b'x' | b'X') {
        return digits(text, start + 2, 16);
    }
    let number = digits(text, start, 8);
    // 08 is no octal number, and not 0 either.
    match number.value {
        Some(_) if text.digit(number.end, 10).is_some() => Read::bad(number.end),
        _ => number,
    }
}

/// Reads a decimal number without zeros before it.
fn strict_number<U: Unit>(text: &Text<U>, start: usize) -> Read<u32> {
    if text.char(start) == b'0' {
        let next = text.char(start + 1);
        if next.is_ascii_digit() {
            return Read::bad(start + 1);
        }
        if matches!(next, b'x' | b'X') {
            return Read::bad(start + 2);
        }
    }
    digits(text, start, 10)
}

/// Reads an IPv4 address: four decimal numbers, or, unless `strict`, up to four as C writes them, of which the last one has
/// the bytes that are left.
pub(super) fn ipv4<U: Unit>(text: &Text<U>, start: usize, strict: bool) -> Read<[u8; 4]> {
    let mut parts = [0; 4];
    let mut count = 0;
    let mut at = start;
    loop {
        let number = if strict {
            strict_number(text, at)
        } else {
            c_number(text, at)
        };
        let Some(value) = number.value else {
            let behind_dot = number.end == at && text.char(at) == b'.';
            return Read::bad(number.end + usize::from(behind_dot));
        };
        parts[count] = value;
        count += 1;
        at = number.end;
        if text.char(at) != b'.' {
            break;
        }
        if count == parts.len() {
            return Read::bad(at);
        }
        at += 1;
    }
    if strict && count != parts.len() {
        return Read::bad(at);
    }
    let (last, bytes) = parts[..count].split_last().unwrap_or((&0, &[]));
    let rest = 32 - 8 * bytes.len();
    if bytes.iter().any(|byte| *byte > 255) || u64::from(*last) >> rest != 0 {
        return Read::bad(at);
    }
    let mut address = last.to_be_bytes();
    for (byte, part) in address.iter_mut().zip(bytes) {
        *byte = part.to_le_bytes()[0];
    }
    Read::good(at, address)
}

/// Reads a port: a number as C writes them, from 1 to 65,535.
pub(super) fn port<U: Unit>(text: &Text<U>, start: usize) -> Read<u16> {
    let number = c_number(text, start);
    match number.value.map(u16::try_from) {
        Some(Ok(port)) if port != 0 => Read::good(number.end, port),
        _ => Read::bad(number.end),
    }
}

/// Reads the decimal number of a scope.
pub(super) fn scope<U: Unit>(text: &Text<U>, start: usize) -> Read<u32> {
    digits(text, start, 10)
}

/// The dotted end of an IPv6 address: four decimal numbers.
fn dotted<U: Unit>(text: &Text<U>, start: usize) -> Read<[u8; 4]> {
    let mut address = [0; 4];
    let mut at = start;
    for (index, byte) in address.iter_mut().enumerate() {
        if index > 0 {
            if text.char(at) != b'.' {
                return Read::bad(at);
            }
            at += 1;
        }
        let number = digits(text, at, 10);
        match number.value.map(u8::try_from) {
            Some(Ok(value)) if number.end - at <= 3 => *byte = value,
            _ => return Read::bad(number.end),
        }
        at = number.end;
    }
    Read::good(at, address)
}

/// An IPv6 address in the making: groups of 16 bits, and where a run of zeros was left out.
#[derive(Default)]
struct Groups {
    groups: [u16; 8],
    count: usize,
    gap: Option<usize>,
}

impl Groups {
    /// How many groups there may be: what is left out is one at least.
    fn most(&self) -> usize {
        8 - usize::from(self.gap.is_some())
    }

    fn push(&mut self, group: u16) {
        self.groups[self.count] = group;
        self.count += 1;
    }

    /// Whether two more groups, dotted, would end the address.
    fn ends_with_two(&self) -> bool {
        match self.gap {
            Some(_) => self.count + 2 <= self.most(),
            None => self.count == 6,
        }
    }

    fn address(mut self) -> Option<[u16; 8]> {
        match self.gap {
            Some(gap) => {
                let behind = self.count - gap;
                self.groups.copy_within(gap..self.count, 8 - behind);
                self.groups[gap..8 - behind].fill(0);
            }
            None if self.count < 8 => return None,
            None => {}
        }
        Some(self.groups)
    }
}

/// Reads an IPv6 address. It ends before what cannot belong to it.
pub(super) fn ipv6<U: Unit>(text: &Text<U>, start: usize) -> Read<[u16; 8]> {
    let mut groups = Groups::default();
    let mut at = start;
    let mut after_gap = false;
    if text.char(at) == b':' {
        if text.char(at + 1) != b':' {
            return Read::bad(at);
        }
        groups.gap = Some(0);
        after_gap = true;
        at += 2;
    }
    while groups.count < groups.most() {
        let group = digits(text, at, 16);
        let Some(value) = group.value.filter(|_| group.end - at <= 4) else {
            // A run of zeros may be the end; a single colon may not.
            if after_gap && text.digit(at, 16).is_none() {
                break;
            }
            return Read::bad(group.end);
        };
        if text.char(group.end) == b'.' && groups.ends_with_two() {
            let last = dotted(text, at);
            let Some([a, b, c, d]) = last.value else {
                return Read::bad(last.end);
            };
            groups.push(u16::from_be_bytes([a, b]));
            groups.push(u16::from_be_bytes([c, d]));
            at = last.end;
            break;
        }
        groups.push(u16::try_from(value).unwrap_or_default());
        at = group.end;
        after_gap = false;
        if text.char(at) != b':' {
            break;
        }
        if text.char(at + 1) == b':' {
            if groups.gap.is_some() || groups.count == 8 {
                break;
            }
            groups.gap = Some(groups.count);
            after_gap = true;
            at += 2;
        } else if groups.count < groups.most() {
            at += 1;
        }
    }
    Read {
        end: at,
        value: groups.address(),
    }
}

/// Reads an Ethernet address: six bytes of two digits each, with dashes between.
pub(super) fn ethernet<U: Unit>(text: &Text<U>) -> Read<[u8; 6]> {
    let mut address = [0; 6];
    let mut at = 0;
    for (index, byte) in address.iter_mut().enumerate() {
        if index > 0 {
            if text.char(at) != b'-' {
                return Read::bad(at);
            }
            at += 1;
        }
        for _ in 0..2 {
            let Some(digit) = text.digit(at, 16) else {
                return Read::bad(at);
            };
            *byte = *byte << 4 | digit.to_le_bytes()[0];
            at += 1;
        }
    }
    Read::good(at, address)
}
