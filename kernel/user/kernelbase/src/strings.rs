//! Strings: compared, mapped, classified, copied.

use core::cmp::Ordering;

use rtl::utf16::{downcase, upcase};
use rtl::{Case, Utf16Str};

use crate::characters;
use crate::locale::Locale;
use crate::sorting::{self, Options, flags};
use crate::wide::{self, Wide};
use crate::win::*;

/// `LCMAP_LOWERCASE`.
const MAP_LOWER: u32 = 0x100;
/// `LCMAP_UPPERCASE`; both together are `LCMAP_TITLECASE`.
const MAP_UPPER: u32 = 0x200;
/// `LCMAP_SORTKEY`.
const MAP_SORT_KEY: u32 = 0x400;
/// `LCMAP_BYTEREV`.
const MAP_REVERSE_BYTES: u32 = 0x800;
/// `LCMAP_LINGUISTIC_CASING`: capitals as languages have them, not file names.
const MAP_LINGUISTIC: u32 = 0x100_0000;

/// `CT_CTYPE1`, `CT_CTYPE2`, `CT_CTYPE3`.
const KIND_1: u32 = 1;
const KIND_2: u32 = 2;
const KIND_3: u32 = 4;

/// A string of a counted or terminated form: negative means terminated.
pub(crate) fn view<'a>(string: Ptr<u16>, count: i32) -> &'a [u16] {
    match usize::try_from(count) {
        Ok(count) => string.slice(count),
        Err(_) => wide::units(string),
    }
}

/// The same with its terminator, as functions have it that give as much as they are given.
fn view_whole<'a>(string: Ptr<u16>, count: i32) -> &'a [u16] {
    match usize::try_from(count) {
        Ok(count) => string.slice(count),
        Err(_) => string.slice(wide::length(string) + 1),
    }
}

/// A string of bytes as units.
fn wide_view(string: Ptr<u8>, count: i32) -> Win<Wide> {
    let bytes = match usize::try_from(count) {
        Ok(count) => string.slice(count),
        Err(_) => wide::bytes(string),
    };
    Wide::from_bytes(wide::ansi(), bytes)
}

/// `CSTR_LESS_THAN`, `CSTR_EQUAL`, `CSTR_GREATER_THAN`.
const fn told(order: Ordering) -> i32 {
    match order {
        Ordering::Less => 1,
        Ordering::Equal => 2,
        Ordering::Greater => 3,
    }
}

/// Compares as people expect it.
fn compare(bits: u32, first: (Ptr<u16>, i32), second: (Ptr<u16>, i32)) -> Win<i32> {
    // `LOCALE_USE_CP_ACP` is of old.
    if bits & !(flags::ALL | 0x4000_0000) != 0 {
        return Err(Error::INVALID_FLAGS);
    }
    if first.0.is_null() || second.0.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    let order = sorting::compare(
        view(first.0, first.1),
        view(second.0, second.1),
        Options::of(bits),
    );
    Ok(told(order))
}

/// Compares by code units.
fn compare_ordinal(first: &[u16], second: &[u16], ignore_case: bool) -> Ordering {
    let case = if ignore_case {
        Case::Insensitive
    } else {
        Case::Sensitive
    };
    Utf16Str::new(first).compare(Utf16Str::new(second), case)
}

/// Maps text: to capitals, to small letters, or to a key that it can be sorted by.
fn map(bits: u32, from: &[u16], into: Ptr<u16>, capacity: i32) -> Win<i32> {
    let capacity = usize::try_from(capacity).map_err(|_| Error::INVALID_PARAMETER)?;
    if bits & MAP_SORT_KEY != 0 {
        return sort_key(bits, from, into.cast(), capacity);
    }
    let allowed = MAP_LOWER
        | MAP_UPPER
        | MAP_REVERSE_BYTES
        | MAP_LINGUISTIC
        | flags::IGNORE_ACCENTS
        | flags::IGNORE_SYMBOLS;
    if bits & !allowed != 0 || bits & (MAP_LOWER | MAP_UPPER | MAP_REVERSE_BYTES | 6) == 0 {
        return Err(Error::INVALID_FLAGS);
    }
    let ignore_signs = bits & flags::IGNORE_SYMBOLS != 0;
    let ignore_marks = bits & flags::IGNORE_ACCENTS != 0;
    if (ignore_signs || ignore_marks) && bits & (MAP_LOWER | MAP_UPPER) != 0 {
        return Err(Error::INVALID_FLAGS);
    }
    let is_linguistic = bits & MAP_LINGUISTIC != 0;
    let capital = |unit| match upcase(unit) {
        same if same == unit && is_linguistic => characters::capital(unit),
        other => other,
    };
    let is_kept = |unit: &u16| {
        !(ignore_signs
            && characters::class(*unit) & (characters::first::PUNCT | characters::first::SPACE)
                != 0
            || ignore_marks && characters::processing(*unit) & characters::third::NONSPACING != 0)
    };
    let mut begins = true;
    let mut count = 0;
    for &unit in from.iter().filter(|unit| is_kept(unit)) {
        let mapped = match bits & (MAP_LOWER | MAP_UPPER) {
            MAP_LOWER => downcase(unit),
            MAP_UPPER => capital(unit),
            0 => unit,
            _ if begins => capital(unit),
            _ => downcase(unit),
        };
        begins = !characters::is_alphabetic(unit);
        let mapped = if bits & MAP_REVERSE_BYTES != 0 {
            mapped.swap_bytes()
        } else {
            mapped
        };
        if capacity > 0 {
            if count >= capacity {
                return Err(Error::INSUFFICIENT_BUFFER);
            }
            into.add(count).write(mapped);
        }
        count += 1;
    }
    i32::try_from(count).map_err(|_| Error::INVALID_PARAMETER)
}

fn sort_key(bits: u32, from: &[u16], into: Ptr<u8>, capacity: usize) -> Win<i32> {
    if bits & !(MAP_SORT_KEY | MAP_REVERSE_BYTES | flags::ALL) != 0 {
        return Err(Error::INVALID_FLAGS);
    }
    // A terminator weighs nothing.
    let mut count = 0;
    sorting::sort_key(from, Options::of(bits), |byte| {
        if count < capacity {
            into.add(count).write(byte);
        }
        count += 1;
    });
    if capacity > 0 && count > capacity {
        return Err(Error::INSUFFICIENT_BUFFER);
    }
    i32::try_from(count).map_err(|_| Error::INVALID_PARAMETER)
}

/// What mapping functions look at before they map.
fn map_checked(bits: u32, from: Ptr<u16>, count: i32, into: Ptr<u16>, capacity: i32) -> Win<i32> {
    if from.is_null() || count == 0 || (into.is_null() && capacity != 0) {
        return Err(Error::INVALID_PARAMETER);
    }
    let changes_length = bits & (MAP_SORT_KEY | flags::IGNORE_SYMBOLS | flags::IGNORE_ACCENTS) != 0;
    if from == into && changes_length {
        return Err(Error::INVALID_FLAGS);
    }
    map(bits, view_whole(from, count), into, capacity)
}

fn map_bytes(bits: u32, from: Ptr<u8>, count: i32, into: Ptr<u8>, capacity: i32) -> Win<i32> {
    if from.is_null() || count == 0 || (into.is_null() && capacity != 0) {
        return Err(Error::INVALID_PARAMETER);
    }
    let text = wide_view(from, count)?;
    if bits & MAP_SORT_KEY != 0 {
        return sort_key(
            bits,
            text.units(),
            into,
            usize::try_from(capacity).map_err(|_| Error::INVALID_PARAMETER)?,
        );
    }
    let units = if count < 0 {
        view_whole(text.ptr(), -1)
    } else {
        text.units()
    };
    let mut mapped = wide::room(units.len().max(1))?;
    let length = i32::try_from(mapped.len()).map_err(|_| Error::INVALID_PARAMETER)?;
    let count = map(bits, units, wide::place(&mut mapped), length)?;
    let mapped = &mapped[..usize::try_from(count).unwrap_or_default()];
    let needed = wide::ansi_length(mapped);
    if capacity > 0 {
        let capacity = usize::try_from(capacity).map_err(|_| Error::INVALID_PARAMETER)?;
        wide::to_ansi(mapped, into.slice_mut(capacity))?;
    }
    i32::try_from(needed).map_err(|_| Error::INVALID_PARAMETER)
}

/// Classifies each unit.
fn classify(kind: u32, text: &[u16], into: Ptr<u16>) -> Win {
    let of = match kind {
        KIND_1 => characters::class,
        KIND_2 => characters::direction,
        KIND_3 => characters::processing,
        _ => return Err(Error::INVALID_PARAMETER),
    };
    for (index, &unit) in text.iter().enumerate() {
        into.add(index).write(of(unit));
    }
    Ok(())
}

/// A locale that a caller names; comparisons are the same in all that are here.
fn locale_of(name: Ptr<u16>) -> Win<Locale> {
    let name = name.non_null().map(wide::units);
    Locale::of_name(name).ok_or(Error::INVALID_PARAMETER)
}

/// Where a part of a string is (`FIND_*`): from the beginning, the end, or just there.
fn find_ordinal(bits: u32, text: &[u16], part: &[u16], ignore_case: bool) -> Win<Option<usize>> {
    const STARTS: u32 = 0x10_0000;
    const ENDS: u32 = 0x20_0000;
    const FROM_START: u32 = 0x40_0000;
    const FROM_END: u32 = 0x80_0000;
    let is_at = |at: usize| {
        let there = text.get(at..at + part.len());
        there.is_some_and(|there| compare_ordinal(there, part, ignore_case) == Ordering::Equal)
    };
    let Some(last) = text.len().checked_sub(part.len()) else {
        return Ok(None);
    };
    Ok(match bits {
        STARTS => is_at(0).then_some(0),
        ENDS => is_at(last).then_some(last),
        0 | FROM_START => (0..=last).find(|&at| is_at(at)),
        FROM_END => (0..=last).rev().find(|&at| is_at(at)),
        _ => return Err(Error::INVALID_FLAGS),
    })
}

exports! {
    /// Compares strings as people expect it: 1, 2 or 3, 0 if it fails.
    fn CompareStringW(_locale: u32, bits: u32, first: Ptr<u16>, first_count: i32, second: Ptr<u16>, second_count: i32) -> i32 {
        answer(compare(bits, (first, first_count), (second, second_count)), 0)
    }

    /// Compares strings as people expect it: 1, 2 or 3, 0 if it fails.
    fn CompareStringEx(
        locale: Ptr<u16>, bits: u32, first: Ptr<u16>, first_count: i32, second: Ptr<u16>, second_count: i32,
        _version: Ptr<u8>, _reserved: Ptr<u8>, _parameter: isize,
    ) -> i32 {
        let order = locale_of(locale).and_then(|_| compare(bits, (first, first_count), (second, second_count)));
        answer(order, 0)
    }

    /// Compares strings of the ANSI code page as people expect it: 1, 2 or 3, 0 if it fails.
    fn CompareStringA(_locale: u32, bits: u32, first: Ptr<u8>, first_count: i32, second: Ptr<u8>, second_count: i32) -> i32 {
        if first.is_null() || second.is_null() {
            return answer(Err(Error::INVALID_PARAMETER), 0);
        }
        let order = wide_view(first, first_count).and_then(|first| {
            let second = wide_view(second, second_count)?;
            compare(bits, (first.ptr(), -1), (second.ptr(), -1))
        });
        answer(order, 0)
    }

    /// Compares strings by their units: 1, 2 or 3, 0 if it fails.
    fn CompareStringOrdinal(first: Ptr<u16>, first_count: i32, second: Ptr<u16>, second_count: i32, ignore_case: Bool) -> i32 {
        if first.is_null() || second.is_null() {
            return answer(Err(Error::INVALID_PARAMETER), 0);
        }
        let (first, second) = (view(first, first_count), view(second, second_count));
        told(compare_ordinal(first, second, ignore_case != FALSE))
    }

    /// Finds a string in another one by their units; -1: it is not there.
    fn FindStringOrdinal(bits: u32, text: Ptr<u16>, count: i32, part: Ptr<u16>, part_count: i32, ignore_case: Bool) -> i32 {
        if text.is_null() || part.is_null() {
            return answer(Err(Error::INVALID_PARAMETER), -1);
        }
        let found = find_ordinal(bits, view(text, count), view(part, part_count), ignore_case != FALSE);
        let found = found.map(|at| at.and_then(|at| i32::try_from(at).ok()));
        set_last_error(Error::SUCCESS);
        answer(found, None).unwrap_or(-1)
    }

    /// Maps a string; gives how much it became, 0 if it fails.
    fn LCMapStringW(_locale: u32, bits: u32, from: Ptr<u16>, count: i32, into: Ptr<u16>, capacity: i32) -> i32 {
        answer(map_checked(bits, from, count, into, capacity), 0)
    }

    /// Maps a string; gives how much it became, 0 if it fails.
    fn LCMapStringEx(
        locale: Ptr<u16>, bits: u32, from: Ptr<u16>, count: i32, into: Ptr<u16>, capacity: i32,
        _version: Ptr<u8>, _reserved: Ptr<u8>, _parameter: isize,
    ) -> i32 {
        answer(locale_of(locale).and_then(|_| map_checked(bits, from, count, into, capacity)), 0)
    }

    /// Maps a string of the ANSI code page; gives how much it became, 0 if it fails.
    fn LCMapStringA(_locale: u32, bits: u32, from: Ptr<u8>, count: i32, into: Ptr<u8>, capacity: i32) -> i32 {
        answer(map_bytes(bits, from, count, into, capacity), 0)
    }

    /// What the characters of a string are.
    fn GetStringTypeW(kind: u32, text: Ptr<u16>, count: i32, into: Ptr<u16>) -> Bool {
        if text.is_null() || into.is_null() {
            return truth(Err(Error::INVALID_PARAMETER));
        }
        truth(classify(kind, view_whole(text, count), into))
    }

    /// What the characters of a string are.
    fn GetStringTypeExW(_locale: u32, kind: u32, text: Ptr<u16>, count: i32, into: Ptr<u16>) -> Bool {
        GetStringTypeW(kind, text, count, into)
    }

    /// What the characters of a string of the ANSI code page are.
    fn GetStringTypeA(_locale: u32, kind: u32, text: Ptr<u8>, count: i32, into: Ptr<u16>) -> Bool {
        if text.is_null() || into.is_null() {
            return truth(Err(Error::INVALID_PARAMETER));
        }
        truth(wide_view(text, count).and_then(|wide| {
            let units = if count < 0 { view_whole(wide.ptr(), -1) } else { wide.units() };
            classify(kind, units, into)
        }))
    }

    /// What the characters of a string of the ANSI code page are.
    fn GetStringTypeExA(locale: u32, kind: u32, text: Ptr<u8>, count: i32, into: Ptr<u16>) -> Bool {
        GetStringTypeA(locale, kind, text, count, into)
    }

    /// The length of a string; 0 of none.
    fn lstrlenW(string: Ptr<u16>) -> i32 {
        if string.is_null() {
            return answer(Err(Error::INVALID_PARAMETER), 0);
        }
        i32::try_from(wide::units(string).len()).unwrap_or(i32::MAX)
    }

    /// The length of a string; 0 of none.
    fn lstrlenA(string: Ptr<u8>) -> i32 {
        if string.is_null() {
            return answer(Err(Error::INVALID_PARAMETER), 0);
        }
        i32::try_from(wide::bytes(string).len()).unwrap_or(i32::MAX)
    }

    /// Compares strings as people expect it.
    fn lstrcmpW(first: Ptr<u16>, second: Ptr<u16>) -> i32 {
        compare_or_null(first, second, 0)
    }

    /// Compares strings as people expect it, whatever their case.
    fn lstrcmpiW(first: Ptr<u16>, second: Ptr<u16>) -> i32 {
        compare_or_null(first, second, flags::IGNORE_CASE)
    }

    /// Compares strings as people expect it.
    fn lstrcmpA(first: Ptr<u8>, second: Ptr<u8>) -> i32 {
        compare_bytes(first, second, 0)
    }

    /// Compares strings as people expect it, whatever their case.
    fn lstrcmpiA(first: Ptr<u8>, second: Ptr<u8>) -> i32 {
        compare_bytes(first, second, flags::IGNORE_CASE)
    }

    /// Copies a string.
    fn lstrcpyW(into: Ptr<u16>, from: Ptr<u16>) -> Ptr<u16> {
        into.write_array(from.slice(wide::length(from) + 1));
        into
    }

    /// Copies a string.
    fn lstrcpyA(into: Ptr<u8>, from: Ptr<u8>) -> Ptr<u8> {
        into.write_array(from.slice(wide::byte_length(from) + 1));
        into
    }

    /// Copies at most so much of a string, with the terminator.
    fn lstrcpynW(into: Ptr<u16>, from: Ptr<u16>, capacity: i32) -> Ptr<u16> {
        if let Some(most) = usize::try_from(capacity).ok().and_then(|capacity| capacity.checked_sub(1)) {
            let length = (0..most).take_while(|&at| from.add(at).read() != 0).count();
            into.write_array(from.slice(length));
            into.add(length).write(0);
        }
        into
    }

    /// Copies at most so much of a string, with the terminator.
    fn lstrcpynA(into: Ptr<u8>, from: Ptr<u8>, capacity: i32) -> Ptr<u8> {
        if let Some(most) = usize::try_from(capacity).ok().and_then(|capacity| capacity.checked_sub(1)) {
            let length = (0..most).take_while(|&at| from.add(at).read() != 0).count();
            into.write_array(from.slice(length));
            into.add(length).write(0);
        }
        into
    }

    /// Appends a string.
    fn lstrcatW(into: Ptr<u16>, from: Ptr<u16>) -> Ptr<u16> {
        lstrcpyW(into.add(wide::length(into)), from);
        into
    }

    /// Appends a string.
    fn lstrcatA(into: Ptr<u8>, from: Ptr<u8>) -> Ptr<u8> {
        lstrcpyA(into.add(wide::byte_length(into)), from);
        into
    }

    /// The length of a string; 0 of none. The name of old.
    fn lstrlen(string: Ptr<u8>) -> i32 {
        lstrlenA(string)
    }

    /// Compares strings as people expect it. The name of old.
    fn lstrcmp(first: Ptr<u8>, second: Ptr<u8>) -> i32 {
        lstrcmpA(first, second)
    }

    /// Compares strings as people expect it, whatever their case. The name of old.
    fn lstrcmpi(first: Ptr<u8>, second: Ptr<u8>) -> i32 {
        lstrcmpiA(first, second)
    }

    /// Copies a string. The name of old.
    fn lstrcpy(into: Ptr<u8>, from: Ptr<u8>) -> Ptr<u8> {
        lstrcpyA(into, from)
    }

    /// Copies at most so much of a string, with the terminator. The name of old.
    fn lstrcpyn(into: Ptr<u8>, from: Ptr<u8>, capacity: i32) -> Ptr<u8> {
        lstrcpynA(into, from, capacity)
    }

    /// Appends a string. The name of old.
    fn lstrcat(into: Ptr<u8>, from: Ptr<u8>) -> Ptr<u8> {
        lstrcatA(into, from)
    }

    /// A product divided, rounded, all in 64 bits in between; -1: it does not fit.
    fn MulDiv(number: i32, numerator: i32, denominator: i32) -> i32 {
        if denominator == 0 {
            return -1;
        }
        let product = i64::from(number) * i64::from(numerator);
        let divisor = i64::from(denominator);
        let half = divisor.abs() / 2;
        let magnitude = (product.abs() + half) / divisor.abs();
        let negative = (product < 0) != (divisor < 0);
        i32::try_from(if negative { -magnitude } else { magnitude }).unwrap_or(-1)
    }
}

/// Below, at or above 0; a null pointer is less than any string.
fn compare_or_null(first: Ptr<u16>, second: Ptr<u16>, bits: u32) -> i32 {
    match (first.is_null(), second.is_null()) {
        (true, true) => 0,
        (true, false) => -1,
        (false, true) => 1,
        (false, false) => {
            sorting::compare(wide::units(first), wide::units(second), Options::of(bits)) as i32
        }
    }
}

fn compare_bytes(first: Ptr<u8>, second: Ptr<u8>, bits: u32) -> i32 {
    match (Wide::from_ansi(first), Wide::from_ansi(second)) {
        (Ok(first), Ok(second)) => compare_or_null(first.ptr(), second.ptr(), bits),
        // Without memory for units, the bytes themselves have an order.
        _ => wide::bytes(first).cmp(wide::bytes(second)) as i32,
    }
}
