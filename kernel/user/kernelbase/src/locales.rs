//! What programs ask of locales, and dates and numbers as text.

use alloc::vec::Vec;

use nt_abi::native::Teb;
use ntdll_imports::{NtQueryDefaultLocale, NtQueryDefaultUILanguage, NtQueryInstallUILanguage};

use crate::locale::numbers::{self, Format};
use crate::locale::{EN_US, Locale, dates, kind};
use crate::structures::{CurrencyFormat, NumberFormat, SystemTime};
use crate::time;
use crate::times;
use crate::wide::{self, Wide};
use crate::win::*;

/// `LOCALE_CUSTOM_UNSPECIFIED`.
const UNSPECIFIED: u32 = 0x1000;

/// `LOCALE_ENUMPROCEX`: a name, what the locale is, a context; whether to go on.
type LocaleEnumeration = Function<fn(Ptr<u16>, u32, usize) -> u32>;

/// A locale by its identifier.
fn by_id(id: u32) -> Win<Locale> {
    Locale::of_id(id).ok_or(Error::INVALID_PARAMETER)
}

/// A locale by its name.
fn by_name(name: Ptr<u16>) -> Win<Locale> {
    Locale::of_name(name.non_null().map(wide::units)).ok_or(Error::INVALID_PARAMETER)
}

/// Gives text with its terminator as the functions of this family do: the count with it, 0 if it fails; with no room
/// only the count.
fn give(text: Win<Vec<u16>>, into: Ptr<u16>, capacity: i32) -> i32 {
    answer(text.and_then(|text| give_units(&text, into, capacity)), 0)
}

fn give_units(text: &[u16], into: Ptr<u16>, capacity: i32) -> Win<i32> {
    let capacity = usize::try_from(capacity).map_err(|_| Error::INVALID_PARAMETER)?;
    let count = i32::try_from(text.len()).map_err(|_| Error::INVALID_PARAMETER)?;
    if capacity == 0 {
        return Ok(count);
    }
    if into.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    if text.len() > capacity {
        return Err(Error::INSUFFICIENT_BUFFER);
    }
    into.write_array(text);
    Ok(count)
}

/// The same in bytes of the ANSI code page.
fn give_bytes(text: Win<Vec<u16>>, into: Ptr<u8>, capacity: i32) -> i32 {
    let given = text.and_then(|text| {
        let capacity = usize::try_from(capacity).map_err(|_| Error::INVALID_PARAMETER)?;
        let count = wide::ansi_length(&text);
        if capacity > 0 {
            if into.is_null() {
                return Err(Error::INVALID_PARAMETER);
            }
            if count > capacity {
                return Err(Error::INSUFFICIENT_BUFFER);
            }
            wide::to_ansi(&text, into.slice_mut(capacity))?;
        }
        i32::try_from(count).map_err(|_| Error::INVALID_PARAMETER)
    });
    answer(given, 0)
}

/// Text with a terminator.
fn terminated(text: Win<Vec<u16>>) -> Win<Vec<u16>> {
    text.map(|mut text| {
        text.push(0);
        text
    })
}

fn ascii(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn information(locale: Win<Locale>, kind: u32) -> Win<Vec<u16>> {
    let mut units = Vec::new();
    locale?.answer(kind, |unit| units.push(unit))?;
    Ok(units)
}

/// A date or time that the caller gives, or now.
fn given_or_now(given: Ptr<SystemTime>) -> Win<SystemTime> {
    given
        .read_optional()
        .map_or_else(|| times::fields(time::local_now()), Ok)
}

fn date(
    locale: Win<Locale>,
    flags: u32,
    given: Ptr<SystemTime>,
    picture: Option<&[u16]>,
) -> Win<Vec<u16>> {
    let locale = locale?;
    let moment = given_or_now(given)?;
    let named: Vec<u16>;
    let picture = match picture {
        Some(_) if flags & dates::date_flags::PICTURES != 0 => return Err(Error::INVALID_FLAGS),
        Some(picture) => picture,
        None => {
            named = dates::date_picture(locale, flags)?.encode_utf16().collect();
            &named
        }
    };
    terminated(dates::date(locale, picture, &moment))
}

fn time_of_day(
    locale: Win<Locale>,
    flags: u32,
    given: Ptr<SystemTime>,
    picture: Option<&[u16]>,
) -> Win<Vec<u16>> {
    let locale = locale?;
    let moment = given_or_now(given)?;
    let named: Vec<u16>;
    let picture = match picture {
        Some(picture) => picture,
        None => {
            named = locale.known(kind::TIME_FORMAT).encode_utf16().collect();
            &named
        }
    };
    terminated(dates::time(locale, picture, &moment, flags))
}

/// How numbers are shown that a caller says nothing of.
fn usual(locale: Locale, money: bool) -> Format {
    let text = |kind| locale.known(kind).encode_utf16().collect::<Vec<u16>>();
    // Money that is owed stands in brackets, other numbers have a minus sign.
    let negative = u32::from(!money);
    Format {
        digits: 2,
        leading_zero: true,
        grouping: 3,
        decimal: text(kind::DECIMAL),
        thousand: text(kind::THOUSAND),
        negative,
        currency: money.then(|| (0, text(kind::CURRENCY))),
    }
}

/// A string of units, or of bytes of the ANSI code page.
fn string_at(place: nt_abi::native::Pointer, bytes: bool) -> Win<Vec<u16>> {
    if place == 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    if bytes {
        return Ok(Wide::from_ansi(Ptr::at(place))?.units().to_vec());
    }
    Ok(wide::units(Ptr::at(place)).to_vec())
}

/// How numbers are shown, as a caller says it.
fn number_format(given: Ptr<NumberFormat>, locale: Locale, bytes: bool) -> Win<Format> {
    let Some(given) = given.read_optional() else {
        return Ok(usual(locale, false));
    };
    Ok(Format {
        digits: given.digits,
        leading_zero: given.leading_zero != 0,
        grouping: given.grouping,
        decimal: string_at(given.decimal, bytes)?,
        thousand: string_at(given.thousand, bytes)?,
        negative: given.negative,
        currency: None,
    })
}

/// How money is shown, as a caller says it.
fn currency_format(given: Ptr<CurrencyFormat>, locale: Locale, bytes: bool) -> Win<Format> {
    let Some(given) = given.read_optional() else {
        return Ok(usual(locale, true));
    };
    Ok(Format {
        digits: given.digits,
        leading_zero: given.leading_zero != 0,
        grouping: given.grouping,
        decimal: string_at(given.decimal, bytes)?,
        thousand: string_at(given.thousand, bytes)?,
        negative: given.negative,
        currency: Some((given.positive, string_at(given.currency, bytes)?)),
    })
}

/// A number or an amount as text. With a format of his own a caller says nothing else.
fn number(flags: u32, text: &[u16], has_format: bool, format: Win<Format>) -> Win<Vec<u16>> {
    /// `LOCALE_NOUSEROVERRIDE`.
    const NO_OVERRIDE: u32 = 0x8000_0000;
    if flags & !NO_OVERRIDE != 0 || has_format && flags != 0 {
        return Err(Error::INVALID_FLAGS);
    }
    terminated(numbers::format(text, &format?))
}

/// The default locale, as the kernel has it.
fn default_locale(user: bool) -> u32 {
    let mut id = 0_u32;
    let status = NtQueryDefaultLocale(user, &mut id);
    if status.is_success() && id != 0 {
        id
    } else {
        EN_US
    }
}

/// A language's identifier in 16 bits.
fn language(id: u32) -> u16 {
    let [a, b, ..] = id.to_le_bytes();
    u16::from_le_bytes([a, b])
}

/// A list of languages, ended by two terminators: the one that is here, by name or by identifier.
fn preferred_languages(flags: u32, count: Ptr<u32>, into: Ptr<u16>, capacity: Ptr<u32>) -> Win {
    /// `MUI_LANGUAGE_ID`.
    const BY_ID: u32 = 4;
    let list: &str = if flags & BY_ID != 0 {
        "0409\0\0"
    } else {
        "en-US\0\0"
    };
    let units: Vec<u16> = list.encode_utf16().collect();
    let needed = u32::try_from(units.len()).unwrap_or(u32::MAX);
    let room = capacity.read();
    capacity.write(needed);
    count.write(1);
    if into.is_null() && room == 0 {
        return Ok(());
    }
    if into.is_null() || room < needed {
        return Err(Error::INSUFFICIENT_BUFFER);
    }
    into.write_array(&units);
    Ok(())
}

exports! {
    /// What a locale says (`LCTYPE`); how many units, 0 if it fails.
    fn GetLocaleInfoW(locale: u32, kind: u32, into: Ptr<u16>, capacity: i32) -> i32 {
        give(information(by_id(locale), kind), into, capacity)
    }

    /// What a locale says (`LCTYPE`); how many units, 0 if it fails.
    fn GetLocaleInfoEx(name: Ptr<u16>, kind: u32, into: Ptr<u16>, capacity: i32) -> i32 {
        give(information(by_name(name), kind), into, capacity)
    }

    /// What a locale says (`LCTYPE`); how many bytes, 0 if it fails.
    fn GetLocaleInfoA(locale: u32, kind: u32, into: Ptr<u8>, capacity: i32) -> i32 {
        let told = information(by_id(locale), kind);
        if kind & kind::RETURN_NUMBER != 0 || kind & !kind::MODIFIERS == kind::FONT_SIGNATURE {
            // Not text: bytes as they are.
            let given = give(told, into.cast(), capacity / 2);
            return given * 2;
        }
        give_bytes(told, into, capacity)
    }

    /// Sets what a locale says.
    ///
    /// # Differs
    /// There is nowhere to keep it.
    fn SetLocaleInfoW(_locale: u32, _kind: u32, _text: Ptr<u16>) -> Bool {
        truth(Err(Error::NOT_SUPPORTED))
    }

    /// Sets what a locale says.
    ///
    /// # Differs
    /// There is nowhere to keep it.
    fn SetLocaleInfoA(_locale: u32, _kind: u32, _text: Ptr<u8>) -> Bool {
        truth(Err(Error::NOT_SUPPORTED))
    }

    /// The user's locale.
    fn GetUserDefaultLCID() -> u32 {
        default_locale(true)
    }

    /// The system's locale.
    fn GetSystemDefaultLCID() -> u32 {
        default_locale(false)
    }

    /// The language of the user's locale.
    fn GetUserDefaultLangID() -> u16 {
        language(default_locale(true))
    }

    /// The language of the system's locale.
    fn GetSystemDefaultLangID() -> u16 {
        language(default_locale(false))
    }

    /// The language of the user's windows.
    fn GetUserDefaultUILanguage() -> u16 {
        let mut id = 0_u16;
        let status = NtQueryDefaultUILanguage(&mut id);
        if status.is_success() && id != 0 { id } else { language(EN_US) }
    }

    /// The language that the system was installed with.
    fn GetSystemDefaultUILanguage() -> u16 {
        let mut id = 0_u16;
        let status = NtQueryInstallUILanguage(&mut id);
        if status.is_success() && id != 0 { id } else { language(EN_US) }
    }

    /// The language of this thread's windows.
    fn GetThreadUILanguage() -> u16 {
        GetUserDefaultUILanguage()
    }

    /// Sets the language of this thread's windows: there is one.
    fn SetThreadUILanguage(_language: u16) -> u16 {
        GetUserDefaultUILanguage()
    }

    /// The name of the user's locale; its length with the terminator.
    fn GetUserDefaultLocaleName(into: Ptr<u16>, capacity: i32) -> i32 {
        give(Ok(ascii(Locale::EnUs.name())), into, capacity)
    }

    /// The name of the system's locale; its length with the terminator.
    fn GetSystemDefaultLocaleName(into: Ptr<u16>, capacity: i32) -> i32 {
        give(Ok(ascii(Locale::EnUs.name())), into, capacity)
    }

    /// This thread's locale.
    fn GetThreadLocale() -> u32 {
        match field!(teb(), Teb, current_locale).read() {
            0 => default_locale(true),
            id => id,
        }
    }

    /// Sets this thread's locale.
    fn SetThreadLocale(locale: u32) -> Bool {
        truth(by_id(locale).map(|found| field!(teb(), Teb, current_locale).write(found.id())))
    }

    /// The locale that an identifier means.
    fn ConvertDefaultLocale(locale: u32) -> u32 {
        Locale::of_id(locale).map_or(locale, Locale::id)
    }

    /// The identifier of a locale's name; 0: there is none.
    fn LocaleNameToLCID(name: Ptr<u16>, _flags: u32) -> u32 {
        answer(by_name(name).map(Locale::id), 0)
    }

    /// The name of a locale's identifier; its length with the terminator.
    fn LCIDToLocaleName(locale: u32, into: Ptr<u16>, capacity: i32, _flags: u32) -> i32 {
        if locale == UNSPECIFIED {
            return answer(Err(Error::INVALID_PARAMETER), 0);
        }
        give(by_id(locale).map(|locale| ascii(locale.name())), into, capacity)
    }

    /// The locale that comes nearest to a name; its name's length with the terminator.
    fn ResolveLocaleName(name: Ptr<u16>, into: Ptr<u16>, capacity: i32) -> i32 {
        give(Ok(ascii(by_name(name).map_or("", Locale::name))), into, capacity)
    }

    /// Whether a locale is there.
    fn IsValidLocale(locale: u32, _flags: u32) -> Bool {
        // The numbers that stand for others are no locales.
        Bool::from(Locale::is_id(locale))
    }

    /// Whether a locale is there.
    fn IsValidLocaleName(name: Ptr<u16>) -> Bool {
        Bool::from(!name.is_null() && by_name(name).is_ok())
    }

    /// Tells each locale to a function, as its identifier in text.
    fn EnumSystemLocalesW(each: Function<fn(Ptr<u16>) -> u32>, _flags: u32) -> Bool {
        let mut text = ascii("00000409");
        each.call(wide::place(&mut text));
        TRUE
    }

    /// Tells each locale to a function, as its identifier in text.
    fn EnumSystemLocalesA(each: Function<fn(Ptr<u8>) -> u32>, _flags: u32) -> Bool {
        let mut text = *b"00000409\0";
        each.call(wide::place(&mut text));
        TRUE
    }

    /// Tells each locale to a function, by name.
    fn EnumSystemLocalesEx(each: LocaleEnumeration, _flags: u32, context: usize, _reserved: Ptr<u8>) -> Bool {
        /// `LOCALE_WINDOWS | LOCALE_SPECIFICDATA`.
        const KIND: u32 = 0x21;
        for locale in [Locale::Invariant, Locale::EnUs] {
            let mut text = ascii(locale.name());
            if each.call(wide::place(&mut text), KIND, context) == FALSE {
                break;
            }
        }
        TRUE
    }

    /// A date as text; its length with the terminator, 0 if it fails.
    fn GetDateFormatW(locale: u32, flags: u32, given: Ptr<SystemTime>, picture: Ptr<u16>, into: Ptr<u16>, capacity: i32) -> i32 {
        let picture = picture.non_null().map(wide::units);
        give(date(by_id(locale), flags, given, picture), into, capacity)
    }

    /// A date as text; its length with the terminator, 0 if it fails.
    fn GetDateFormatEx(name: Ptr<u16>, flags: u32, given: Ptr<SystemTime>, picture: Ptr<u16>, into: Ptr<u16>, capacity: i32, _calendar: Ptr<u16>) -> i32 {
        let picture = picture.non_null().map(wide::units);
        give(date(by_name(name), flags, given, picture), into, capacity)
    }

    /// A date as text; its length with the terminator, 0 if it fails.
    fn GetDateFormatA(locale: u32, flags: u32, given: Ptr<SystemTime>, picture: Ptr<u8>, into: Ptr<u8>, capacity: i32) -> i32 {
        let shown = Wide::from_ansi(picture).and_then(|text| {
            date(by_id(locale), flags, given, picture.non_null().map(|_| text.units()))
        });
        give_bytes(shown, into, capacity)
    }

    /// A time of day as text; its length with the terminator, 0 if it fails.
    fn GetTimeFormatW(locale: u32, flags: u32, given: Ptr<SystemTime>, picture: Ptr<u16>, into: Ptr<u16>, capacity: i32) -> i32 {
        let picture = picture.non_null().map(wide::units);
        give(time_of_day(by_id(locale), flags, given, picture), into, capacity)
    }

    /// A time of day as text; its length with the terminator, 0 if it fails.
    fn GetTimeFormatEx(name: Ptr<u16>, flags: u32, given: Ptr<SystemTime>, picture: Ptr<u16>, into: Ptr<u16>, capacity: i32) -> i32 {
        let picture = picture.non_null().map(wide::units);
        give(time_of_day(by_name(name), flags, given, picture), into, capacity)
    }

    /// A time of day as text; its length with the terminator, 0 if it fails.
    fn GetTimeFormatA(locale: u32, flags: u32, given: Ptr<SystemTime>, picture: Ptr<u8>, into: Ptr<u8>, capacity: i32) -> i32 {
        let shown = Wide::from_ansi(picture).and_then(|text| {
            time_of_day(by_id(locale), flags, given, picture.non_null().map(|_| text.units()))
        });
        give_bytes(shown, into, capacity)
    }

    /// A number as text; its length with the terminator, 0 if it fails.
    fn GetNumberFormatW(locale: u32, flags: u32, text: Ptr<u16>, format: Ptr<NumberFormat>, into: Ptr<u16>, capacity: i32) -> i32 {
        let shown = by_id(locale).and_then(|locale| {
            number(flags, wide::units(text), !format.is_null(), number_format(format, locale, false))
        });
        give(shown, into, capacity)
    }

    /// A number as text; its length with the terminator, 0 if it fails.
    fn GetNumberFormatEx(name: Ptr<u16>, flags: u32, text: Ptr<u16>, format: Ptr<NumberFormat>, into: Ptr<u16>, capacity: i32) -> i32 {
        let shown = by_name(name).and_then(|locale| {
            number(flags, wide::units(text), !format.is_null(), number_format(format, locale, false))
        });
        give(shown, into, capacity)
    }

    /// A number as text; its length with the terminator, 0 if it fails.
    fn GetNumberFormatA(locale: u32, flags: u32, text: Ptr<u8>, format: Ptr<NumberFormat>, into: Ptr<u8>, capacity: i32) -> i32 {
        let shown = by_id(locale).and_then(|locale| {
            let text = Wide::from_ansi(text)?;
            number(flags, text.units(), !format.is_null(), number_format(format, locale, true))
        });
        give_bytes(shown, into, capacity)
    }

    /// An amount of money as text; its length with the terminator, 0 if it fails.
    fn GetCurrencyFormatW(locale: u32, flags: u32, text: Ptr<u16>, format: Ptr<CurrencyFormat>, into: Ptr<u16>, capacity: i32) -> i32 {
        let shown = by_id(locale).and_then(|locale| {
            number(flags, wide::units(text), !format.is_null(), currency_format(format, locale, false))
        });
        give(shown, into, capacity)
    }

    /// An amount of money as text; its length with the terminator, 0 if it fails.
    fn GetCurrencyFormatEx(name: Ptr<u16>, flags: u32, text: Ptr<u16>, format: Ptr<CurrencyFormat>, into: Ptr<u16>, capacity: i32) -> i32 {
        let shown = by_name(name).and_then(|locale| {
            number(flags, wide::units(text), !format.is_null(), currency_format(format, locale, false))
        });
        give(shown, into, capacity)
    }

    /// An amount of money as text; its length with the terminator, 0 if it fails.
    fn GetCurrencyFormatA(locale: u32, flags: u32, text: Ptr<u8>, format: Ptr<CurrencyFormat>, into: Ptr<u8>, capacity: i32) -> i32 {
        let shown = by_id(locale).and_then(|locale| {
            let text = Wide::from_ansi(text)?;
            number(flags, text.units(), !format.is_null(), currency_format(format, locale, true))
        });
        give_bytes(shown, into, capacity)
    }

    /// The languages that the user prefers.
    fn GetUserPreferredUILanguages(flags: u32, count: Ptr<u32>, into: Ptr<u16>, capacity: Ptr<u32>) -> Bool {
        truth(preferred_languages(flags, count, into, capacity))
    }

    /// The languages that the system prefers.
    fn GetSystemPreferredUILanguages(flags: u32, count: Ptr<u32>, into: Ptr<u16>, capacity: Ptr<u32>) -> Bool {
        truth(preferred_languages(flags, count, into, capacity))
    }

    /// The languages that this process prefers.
    fn GetProcessPreferredUILanguages(flags: u32, count: Ptr<u32>, into: Ptr<u16>, capacity: Ptr<u32>) -> Bool {
        truth(preferred_languages(flags, count, into, capacity))
    }

    /// The languages that this thread prefers.
    fn GetThreadPreferredUILanguages(flags: u32, count: Ptr<u32>, into: Ptr<u16>, capacity: Ptr<u32>) -> Bool {
        truth(preferred_languages(flags, count, into, capacity))
    }

    /// Sets the languages that this thread prefers: there is one.
    fn SetThreadPreferredUILanguages(_flags: u32, _list: Ptr<u16>, count: Ptr<u32>) -> Bool {
        count.write_optional(1);
        TRUE
    }

    /// Sets the languages that this process prefers: there is one.
    fn SetProcessPreferredUILanguages(_flags: u32, _list: Ptr<u16>, count: Ptr<u32>) -> Bool {
        count.write_optional(1);
        TRUE
    }

    /// The version of sorting (`NLSVERSIONINFO`): that of Windows 8's weights.
    fn GetNLSVersion(function: u32, locale: u32, version: Ptr<u32>) -> Bool {
        truth(by_id(locale).and_then(|_| give_version(function, version)))
    }

    /// The version of sorting (`NLSVERSIONINFOEX`): that of Windows 8's weights.
    fn GetNLSVersionEx(function: u32, name: Ptr<u16>, version: Ptr<u32>) -> Bool {
        truth(by_name(name).and_then(|_| give_version(function, version)))
    }

    /// Whether all of a string is Unicode that sorting knows.
    fn IsNLSDefinedString(_function: u32, _flags: u32, _version: Ptr<u8>, text: Ptr<u16>, count: i32) -> Bool {
        let units = crate::strings::view(text, count);
        Bool::from(units.iter().all(|&unit| crate::characters::class(unit) != 0))
    }

    /// The user's place in the world: the United States.
    fn GetUserGeoID(_class: u32) -> i32 {
        244
    }
}

/// Fills a structure that says its own size.
fn give_version(function: u32, version: Ptr<u32>) -> Win {
    /// `COMPARE_STRING`.
    const COMPARE_STRING: u32 = 1;
    /// Of Windows 8 and later.
    const SORTING: u32 = 0x0006_0101;
    if function != COMPARE_STRING {
        return Err(Error::INVALID_FLAGS);
    }
    let size = version.read();
    if size != 12 && size != 32 {
        return Err(Error::INSUFFICIENT_BUFFER);
    }
    version.add(1).write(SORTING);
    version.add(2).write(SORTING);
    if size == 32 {
        version.add(3).write(SORTING);
        version.add(4).cast::<u8>().fill(0, 16);
    }
    Ok(())
}
