//! Text between units and bytes: `MultiByteToWideChar` and what goes with it.

use crate::code_pages::{self, Fallback};
use crate::structures::CpInfo;
use crate::wide;
use crate::win::*;

/// How many elements a caller means: with a negative number all, and the terminator.
fn count_of(count: i32, all: impl FnOnce() -> usize) -> usize {
    usize::try_from(count).unwrap_or_else(|_| all() + 1)
}

/// A number of elements as functions return it.
fn told(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn to_units(
    page: u32,
    flags: u32,
    from: Ptr<u8>,
    count: i32,
    into: Ptr<u16>,
    room: i32,
) -> Win<i32> {
    let room = usize::try_from(room).map_err(|_| Error::INVALID_PARAMETER)?;
    if from.is_null()
        || count == 0
        || (into.is_null() && room != 0)
        || from.address() == into.address()
    {
        return Err(Error::INVALID_PARAMETER);
    }
    let encoding = code_pages::encoding(page).ok_or(Error::INVALID_PARAMETER)?;
    let bytes = from.slice(count_of(count, || wide::byte_length(from)));
    code_pages::decode(encoding, flags, bytes, into.slice_mut(room)).map(told)
}

/// What a caller wants in the place of what is missing.
struct Wanted {
    default: Ptr<u8>,
    used: Ptr<u32>,
}

fn to_bytes(
    page: u32,
    flags: u32,
    from: Ptr<u16>,
    count: i32,
    into: Ptr<u8>,
    room: i32,
    wanted: &Wanted,
) -> Win<i32> {
    let room = usize::try_from(room).map_err(|_| Error::INVALID_PARAMETER)?;
    if from.is_null()
        || count == 0
        || (into.is_null() && room != 0)
        || from.address() == into.address()
    {
        return Err(Error::INVALID_PARAMETER);
    }
    let encoding = code_pages::encoding(page).ok_or(Error::INVALID_PARAMETER)?;
    let is_utf8 = code_pages::number(page) == code_pages::UTF8;
    if is_utf8 && !(wanted.default.is_null() && wanted.used.is_null()) {
        return Err(Error::INVALID_PARAMETER);
    }
    let units = from.slice(count_of(count, || wide::length(from)));
    let mut fallback = Fallback {
        default: wanted.default.non_null().map(wide::bytes),
        used: false,
    };
    let written = code_pages::encode(encoding, flags, units, into.slice_mut(room), &mut fallback);
    wanted.used.write_optional(Bool::from(fallback.used));
    written.map(told)
}

/// What a code page is; the name of the larger structure follows for those who want it.
fn info(page: u32) -> Win<CpInfo> {
    code_pages::encoding(page).ok_or(Error::INVALID_PARAMETER)?;
    let is_utf8 = code_pages::number(page) == code_pages::UTF8;
    Ok(CpInfo {
        max_char_size: if is_utf8 { 4 } else { 1 },
        default_char: [b'?', 0],
        ..CpInfo::default()
    })
}

/// The name of a code page, as `GetCPInfoEx` tells it.
fn name(page: u32) -> &'static str {
    match page {
        1252 => "1252  (ANSI - Latin I)",
        437 => "437   (OEM - United States)",
        20127 => "20127 (US-ASCII)",
        28591 => "28591 (ISO 8859-1 Latin I)",
        _ => "65001 (UTF-8)",
    }
}

/// Bytes of `CPINFOEX` before the name: the plain structure without its padding, the default unit, the page.
const NAME_OFFSET: usize = 24;

/// `CPINFOEX` but for the name.
fn give_info_ex(page: u32, into: Ptr<u8>) -> Win<&'static str> {
    let plain = info(page)?;
    let number = code_pages::number(page);
    into.cast::<CpInfo>().write(plain);
    let default = if number == code_pages::UTF8 {
        0xFFFD
    } else {
        u16::from(b'?')
    };
    into.byte_add(18).cast::<u16>().write(default);
    into.byte_add(20).cast::<u32>().write(number);
    Ok(name(number))
}

exports! {
    /// Reads bytes of a code page as units; gives how many, 0 if it fails.
    fn MultiByteToWideChar(page: u32, flags: u32, from: Ptr<u8>, count: i32, into: Ptr<u16>, room: i32) -> i32 {
        answer(to_units(page, flags, from, count, into, room), 0)
    }

    /// Writes units as bytes of a code page; gives how many, 0 if it fails.
    fn WideCharToMultiByte(page: u32, flags: u32, from: Ptr<u16>, count: i32, into: Ptr<u8>, room: i32, default: Ptr<u8>, used: Ptr<u32>) -> i32 {
        answer(to_bytes(page, flags, from, count, into, room, &Wanted { default, used }), 0)
    }

    /// The ANSI code page.
    fn GetACP() -> u32 {
        code_pages::ANSI
    }

    /// The OEM code page.
    fn GetOEMCP() -> u32 {
        code_pages::OEM
    }

    /// Whether a code page is there.
    fn IsValidCodePage(page: u32) -> Bool {
        // The numbers that stand for others are no code pages.
        let is_here = page > 3 && code_pages::encoding(page).is_some();
        truth(if is_here { Ok(()) } else { Err(Error::INVALID_PARAMETER) })
    }

    /// What a code page is.
    fn GetCPInfo(page: u32, into: Ptr<CpInfo>) -> Bool {
        if into.is_null() {
            return truth(Err(Error::INVALID_PARAMETER));
        }
        // The last two bytes are not the structure's.
        truth(info(page).map(|found| into.cast::<u8>().copy_from(Ptr::of_shared(&found).cast(), 18)))
    }

    /// What a code page is, with its name.
    fn GetCPInfoExW(page: u32, _flags: u32, into: Ptr<u8>) -> Bool {
        truth(give_info_ex(page, into).map(|name| {
            let place = into.byte_add(NAME_OFFSET).cast::<u16>();
            for (index, unit) in name.encode_utf16().chain([0]).enumerate() {
                place.add(index).write(unit);
            }
        }))
    }

    /// What a code page is, with its name.
    fn GetCPInfoExA(page: u32, _flags: u32, into: Ptr<u8>) -> Bool {
        truth(give_info_ex(page, into).map(|name| {
            let place = into.byte_add(NAME_OFFSET);
            place.write_array(name.as_bytes());
            place.add(name.len()).write(0);
        }))
    }

    /// Whether a byte is the first of two: no page here has such.
    fn IsDBCSLeadByte(_byte: u8) -> Bool {
        FALSE
    }

    /// Whether a byte is the first of two in a code page: no page here has such.
    fn IsDBCSLeadByteEx(_page: u32, _byte: u8) -> Bool {
        FALSE
    }

    /// Tells each code page that is there to a function, as a number in text, until it says no.
    fn EnumSystemCodePagesW(each: Function<fn(Ptr<u16>) -> u32>, _flags: u32) -> Bool {
        for page in code_pages::ALL {
            let mut text = [0_u16; 8];
            let digits = rtl::numerals::Digits::new(u64::from(page), 10, rtl::numerals::Letters::Small);
            for (place, digit) in text.iter_mut().zip(digits.as_bytes()) {
                *place = u16::from(*digit);
            }
            if each.call(wide::place(&mut text)) == FALSE {
                break;
            }
        }
        TRUE
    }

    /// Tells each code page that is there to a function, as a number in text, until it says no.
    fn EnumSystemCodePagesA(each: Function<fn(Ptr<u8>) -> u32>, _flags: u32) -> Bool {
        for page in code_pages::ALL {
            let mut text = [0_u8; 8];
            let digits = rtl::numerals::Digits::new(u64::from(page), 10, rtl::numerals::Letters::Small);
            for (place, digit) in text.iter_mut().zip(digits.as_bytes()) {
                *place = *digit;
            }
            if each.call(wide::place(&mut text)) == FALSE {
                break;
            }
        }
        TRUE
    }
}
