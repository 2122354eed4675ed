//! Dates and times as text: pictures such as `dddd, MMMM d` and what becomes of them.
//!
//! # NT
//! "Day, Month, Year, and Era Format Pictures" and "Hour, Minute, and Second Format Pictures", Microsoft Learn.

use alloc::vec::Vec;

use crate::error::{Error, Win};
use crate::locale::{Locale, kind};
use crate::structures::SystemTime;
use crate::times;

/// `DATE_*`.
pub mod date_flags {
    /// `DATE_SHORTDATE`.
    pub const SHORT: u32 = 1;
    /// `DATE_LONGDATE`.
    pub const LONG: u32 = 2;
    /// `DATE_YEARMONTH`.
    pub const YEAR_MONTH: u32 = 8;
    /// `DATE_MONTHDAY`.
    pub const MONTH_DAY: u32 = 0x80;
    /// Those that name a picture, of which there can be one.
    pub const PICTURES: u32 = SHORT | LONG | YEAR_MONTH | MONTH_DAY;
    /// `DATE_USE_ALT_CALENDAR`, `DATE_LTRREADING`, `DATE_RTLREADING`, `DATE_AUTOLAYOUT`, `LOCALE_NOUSEROVERRIDE`: they make no
    /// difference here.
    pub const OTHERS: u32 = 0x8000_0074;
}

/// `TIME_*`.
pub mod time_flags {
    /// `TIME_NOMINUTESORSECONDS`.
    pub const NO_MINUTES: u32 = 1;
    /// `TIME_NOSECONDS`.
    pub const NO_SECONDS: u32 = 2;
    /// `TIME_NOTIMEMARKER`.
    pub const NO_MARKER: u32 = 4;
    /// `TIME_FORCE24HOURFORMAT`.
    pub const FORCE_24_HOURS: u32 = 8;
    /// All of them, and `LOCALE_NOUSEROVERRIDE`.
    pub const ALL: u32 = 0x8000_000F;
}

const QUOTE: u16 = b'\'' as u16;

/// What a picture is made of.
enum Part<'a> {
    /// A letter, as often as it stands there.
    Field(u8, usize),
    /// Text.
    Text(&'a [u16]),
}

/// The parts of a picture.
struct Parts<'a> {
    rest: &'a [u16],
    /// Which letters mean something.
    letters: &'static [u8],
    /// Between quotes.
    quoted: bool,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        loop {
            let &unit = self.rest.first()?;
            let (text, after) = self.rest.split_at(1);
            if unit == QUOTE {
                self.rest = after;
                // Two quotes in a quotation are one.
                if self.quoted && after.first() == Some(&QUOTE) {
                    self.rest = &after[1..];
                    return Some(Part::Text(text));
                }
                self.quoted = !self.quoted;
                continue;
            }
            let letter = u8::try_from(unit).unwrap_or(0);
            if self.quoted || !self.letters.contains(&letter) {
                self.rest = after;
                return Some(Part::Text(text));
            }
            let count = self.rest.iter().take_while(|&&next| next == unit).count();
            self.rest = &self.rest[count..];
            return Some(Part::Field(letter, count));
        }
    }
}

/// Appends a number in decimal digits, at least so many.
fn put_number(number: u16, least: usize, into: &mut Vec<u16>) {
    let digits = rtl::numerals::Digits::new(u64::from(number), 10, rtl::numerals::Letters::Small);
    let digits = digits.as_bytes();
    into.extend((digits.len()..least).map(|_| u16::from(b'0')));
    into.extend(digits.iter().map(|&digit| u16::from(digit)));
}

fn put_text(text: &str, into: &mut Vec<u16>) {
    into.extend(text.encode_utf16());
}

/// The picture that flags name.
///
/// # Errors
/// `INVALID_FLAGS`.
pub fn date_picture(locale: Locale, flags: u32) -> Win<&'static str> {
    use date_flags::*;
    if flags & !(PICTURES | OTHERS) != 0 {
        return Err(Error::INVALID_FLAGS);
    }
    Ok(locale.known(match flags & PICTURES {
        0 | SHORT => kind::SHORT_DATE,
        LONG => kind::LONG_DATE,
        YEAR_MONTH => kind::YEAR_MONTH,
        MONTH_DAY => kind::MONTH_DAY,
        _ => return Err(Error::INVALID_FLAGS),
    }))
}

/// A date as a picture shows it.
///
/// # Errors
/// `INVALID_PARAMETER`: there is no such date.
pub fn date(locale: Locale, picture: &[u16], date: &SystemTime) -> Win<Vec<u16>> {
    // The weekday is what the calendar says, not what the caller does.
    let whole = SystemTime {
        hour: 0,
        minute: 0,
        second: 0,
        milliseconds: 0,
        ..*date
    };
    let date = times::fields(times::moment(&whole)?)?;
    // Weekdays are counted from Monday where their names are.
    let weekday = u32::from((date.day_of_week + 6) % 7);
    let month = u32::from(date.month - 1);
    let parts = Parts {
        rest: picture,
        letters: b"dMyg",
        quoted: false,
    };
    let mut shown = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => shown.extend_from_slice(text),
            Part::Field(b'd', count @ 1..=2) => put_number(date.day, count, &mut shown),
            Part::Field(b'd', 3) => {
                put_text(
                    locale.known(kind::FIRST_SHORT_DAY_NAME + weekday),
                    &mut shown,
                );
            }
            Part::Field(b'd', _) => {
                put_text(locale.known(kind::FIRST_DAY_NAME + weekday), &mut shown);
            }
            Part::Field(b'M', count @ 1..=2) => put_number(date.month, count, &mut shown),
            Part::Field(b'M', 3) => {
                put_text(
                    locale.known(kind::FIRST_SHORT_MONTH_NAME + month),
                    &mut shown,
                );
            }
            Part::Field(b'M', _) => {
                put_text(locale.known(kind::FIRST_MONTH_NAME + month), &mut shown);
            }
            Part::Field(b'y', count @ 1..=2) => put_number(date.year % 100, count, &mut shown),
            Part::Field(b'y', _) => put_number(date.year, 4, &mut shown),
            Part::Field(..) => put_text(ERA, &mut shown),
        }
    }
    Ok(shown)
}

/// The era of all dates that can be shown.
const ERA: &str = "A.D.";

/// A time of day as a picture shows it, without what the flags leave out.
///
/// # Errors
/// `INVALID_PARAMETER`: there is no such time; `INVALID_FLAGS`.
pub fn time(locale: Locale, picture: &[u16], time: &SystemTime, flags: u32) -> Win<Vec<u16>> {
    use time_flags::*;
    if flags & !ALL != 0 {
        return Err(Error::INVALID_FLAGS);
    }
    if time.hour > 23 || time.minute > 59 || time.second > 59 || time.milliseconds > 999 {
        return Err(Error::INVALID_PARAMETER);
    }
    let by_12 = match time.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let marker = if time.hour < 12 {
        kind::BEFORE_NOON
    } else {
        kind::AFTER_NOON
    };
    let marker = locale.known(marker);
    let parts = Parts {
        rest: picture,
        letters: b"hHmst",
        quoted: false,
    };
    let mut shown = Vec::new();
    // Where the last field ends: what separates it from one that is left out goes too.
    let mut end = 0;
    for part in parts {
        let (letter, count) = match part {
            Part::Text(text) => {
                shown.extend_from_slice(text);
                continue;
            }
            Part::Field(letter, count) => (letter, count),
        };
        let left_out = match letter {
            b'm' => flags & NO_MINUTES != 0,
            b's' => flags & (NO_MINUTES | NO_SECONDS) != 0,
            b't' => flags & NO_MARKER != 0,
            _ => false,
        };
        if left_out {
            shown.truncate(end);
            continue;
        }
        let least = count.min(2);
        match letter {
            b'h' if flags & FORCE_24_HOURS == 0 => put_number(by_12, least, &mut shown),
            b'h' | b'H' => put_number(time.hour, least, &mut shown),
            b'm' => put_number(time.minute, least, &mut shown),
            b's' => put_number(time.second, least, &mut shown),
            _ if count == 1 => shown.extend(marker.encode_utf16().take(1)),
            _ => put_text(marker, &mut shown),
        }
        end = shown.len();
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: SystemTime = SystemTime {
        year: 2002,
        month: 5,
        day_of_week: 0,
        day: 6,
        hour: 15,
        minute: 7,
        second: 9,
        milliseconds: 0,
    };

    fn shown(units: Win<Vec<u16>>) -> Win<String> {
        units.map(|units| String::from_utf16(&units).unwrap())
    }

    fn date_as(picture: &str) -> Win<String> {
        let picture: Vec<u16> = picture.encode_utf16().collect();
        shown(date(Locale::EnUs, &picture, &MOMENT))
    }

    fn time_as(picture: &str, flags: u32) -> Win<String> {
        let picture: Vec<u16> = picture.encode_utf16().collect();
        shown(time(Locale::EnUs, &picture, &MOMENT, flags))
    }

    #[test]
    fn pictures_of_dates() {
        // 6 May 2002 was a Monday. Recorded from Wine 8, and as the tables of the documentation say.
        for (picture, expected) in [
            ("ddd',' MMM dd yy", "Mon, May 06 02"),
            ("dddd, MMMM d, yyyy", "Monday, May 6, 2002"),
            ("M/d/yyyy", "5/6/2002"),
            ("d y", "6 2"),
            ("'d'''M", "d'5"),
            ("yyyyy", "2002"),
            ("", ""),
        ] {
            assert_eq!(date_as(picture), Ok(expected.into()), "{picture}");
        }
    }

    #[test]
    fn pictures_of_times() {
        for (picture, flags, expected) in [
            ("h:mm:ss tt", 0, "3:07:09 PM"),
            ("hh':'mm':'ss t", 0, "03:07:09 P"),
            ("HH:mm:ss", 0, "15:07:09"),
            ("h:mm:ss tt", time_flags::NO_SECONDS, "3:07 PM"),
            ("h:mm:ss tt", time_flags::NO_MINUTES, "3 PM"),
            ("h:mm:ss tt", time_flags::NO_MARKER, "3:07:09"),
            ("H'h' m'm'", 0, "15h 7m"),
        ] {
            assert_eq!(
                time_as(picture, flags),
                Ok(expected.into()),
                "{picture} {flags:x}"
            );
        }
        let flags = time_flags::FORCE_24_HOURS | time_flags::NO_MARKER;
        assert_eq!(time_as("h:mm:ss tt", flags), Ok("15:07:09".into()));
        assert_eq!(time_as("h", 0x40), Err(Error::INVALID_FLAGS));
    }

    #[test]
    fn flags_name_pictures() {
        assert_eq!(date_picture(Locale::EnUs, 0), Ok("M/d/yyyy"));
        assert_eq!(
            date_picture(Locale::EnUs, date_flags::LONG),
            Ok("dddd, MMMM d, yyyy")
        );
        assert_eq!(
            date_picture(Locale::EnUs, date_flags::LONG | date_flags::SHORT),
            Err(Error::INVALID_FLAGS)
        );
    }

    #[test]
    fn dates_that_are_none_are_refused() {
        let none = SystemTime { day: 32, ..MOMENT };
        let refused = Err(Error::INVALID_PARAMETER);
        assert_eq!(date(Locale::EnUs, &[], &none), refused);
        let late = SystemTime { hour: 24, ..MOMENT };
        assert_eq!(time(Locale::EnUs, &[], &late, 0), refused);
    }
}
