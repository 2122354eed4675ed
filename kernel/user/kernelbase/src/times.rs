//! Dates and times of Win32: from and to moments, of MS-DOS, of other time zones.

use rtl::time::PER_SECOND;
use rtl::{Time, TimeFields};

use crate::error::{Error, Win};
use crate::structures::{SystemTime, TimeZoneInformation};

/// In 100 ns.
const MINUTE: i64 = 60 * PER_SECOND;

fn small(number: i16) -> u16 {
    u16::try_from(number).unwrap_or_default()
}

/// The date and time of day of a moment.
///
/// # Errors
/// `INVALID_PARAMETER`: it is negative.
pub fn fields(time: i64) -> Win<SystemTime> {
    let fields = Time(time).fields().ok_or(Error::INVALID_PARAMETER)?;
    Ok(SystemTime {
        year: small(fields.year),
        month: small(fields.month),
        day_of_week: small(fields.weekday),
        day: small(fields.day),
        hour: small(fields.hour),
        minute: small(fields.minute),
        second: small(fields.second),
        milliseconds: small(fields.milliseconds),
    })
}

/// The fields as NT has them; what does not fit is out of range there too.
fn nt_fields(time: &SystemTime) -> TimeFields {
    let small = |number: u16| i16::try_from(number).unwrap_or(i16::MAX);
    TimeFields {
        year: small(time.year),
        month: small(time.month),
        day: small(time.day),
        hour: small(time.hour),
        minute: small(time.minute),
        second: small(time.second),
        milliseconds: small(time.milliseconds),
        weekday: small(time.day_of_week),
    }
}

/// The moment of a date and time of day; the weekday is not looked at.
///
/// # Errors
/// `INVALID_PARAMETER`: there is none.
pub fn moment(time: &SystemTime) -> Win<i64> {
    let time = nt_fields(time).time().ok_or(Error::INVALID_PARAMETER)?;
    Ok(time.0)
}

/// The moment of a date and time of MS-DOS.
///
/// # Errors
/// `INVALID_PARAMETER`: there is none.
pub fn from_dos(date: u16, time: u16) -> Win<i64> {
    moment(&SystemTime {
        year: 1980 + (date >> 9),
        month: date >> 5 & 0xF,
        day: date & 0x1F,
        hour: time >> 11,
        minute: time >> 5 & 0x3F,
        second: (time & 0x1F) * 2,
        ..SystemTime::default()
    })
}

/// The date and time of MS-DOS of a moment, which is rounded up to two seconds.
///
/// # Errors
/// `INVALID_PARAMETER`: it is before 1980 or after 2107.
pub fn to_dos(time: i64) -> Win<(u16, u16)> {
    let rounded = time
        .checked_add(2 * PER_SECOND - 1)
        .ok_or(Error::INVALID_PARAMETER)?;
    let fields = fields(rounded)?;
    let years = fields.year.checked_sub(1980).filter(|&years| years < 128);
    let years = years.ok_or(Error::INVALID_PARAMETER)?;
    let date = years << 9 | fields.month << 5 | fields.day;
    let clock = fields.hour << 11 | fields.minute << 5 | (fields.second / 2);
    Ok((date, clock))
}

/// Whether a time zone has summer time.
fn has_summer(zone: &TimeZoneInformation) -> bool {
    zone.daylight_date.month != 0 && zone.standard_date.month != 0
}

/// When a time zone changes in the year of a local time, as local time by the clock before the change.
fn change(date: &SystemTime, near: i64) -> Win<i64> {
    // A date with a year of its own is meant literally, and must not be looked for from now on.
    let from = if date.year == 0 { Time(near) } else { Time(0) };
    let found = nt_fields(date).cutover(from, true);
    Ok(found.ok_or(Error::INVALID_PARAMETER)?.0)
}

/// What is added to local time to make it UTC, in minutes, in summer or winter.
fn bias(zone: &TimeZoneInformation, summer: bool) -> i64 {
    let further = if summer {
        zone.daylight_bias
    } else {
        zone.standard_bias
    };
    i64::from(zone.bias) + i64::from(further)
}

/// Whether it is summer at a local time. `at` gives the local time by the clock that counts before a change: that of winter for the
/// beginning of summer, that of summer for its end.
fn is_summer(zone: &TimeZoneInformation, at: impl Fn(bool) -> i64) -> Win<bool> {
    if !has_summer(zone) {
        return Ok(false);
    }
    let (by_winter, by_summer) = (at(false), at(true));
    let begins = change(&zone.daylight_date, by_winter)?;
    let ends = change(&zone.standard_date, by_summer)?;
    Ok(if begins < ends {
        by_winter >= begins && by_summer < ends
    } else {
        // The southern half of the world.
        by_winter >= begins || by_summer < ends
    })
}

/// The local time of a moment in a time zone.
///
/// # Errors
/// `INVALID_PARAMETER`: one of the zone's dates is none, or the moment.
pub fn local(zone: &TimeZoneInformation, time: i64) -> Win<i64> {
    let local = |summer| time - bias(zone, summer) * MINUTE;
    let summer = is_summer(zone, local)?;
    Ok(local(summer))
}

/// The moment of a local time in a time zone. An hour that comes twice is taken for the one in winter, as one is that never
/// comes.
///
/// # Errors
/// `INVALID_PARAMETER`: one of the zone's dates is none, or the time.
pub fn universal(zone: &TimeZoneInformation, local: i64) -> Win<i64> {
    let jump = i64::from(zone.standard_bias - zone.daylight_bias) * MINUTE;
    // By the clock of the summer, the hour that comes twice is over.
    let summer = is_summer(
        zone,
        |by_summer| {
            if by_summer { local + jump } else { local }
        },
    )?;
    Ok(local + bias(zone, summer) * MINUTE)
}

/// Milliseconds since boot: ticks, and the length of a tick in units of 2^-24 ms.
pub const fn milliseconds(ticks: u64, multiplier: u32) -> u64 {
    let low = (ticks & 0xFFFF_FFFF) * multiplier as u64;
    let high = (ticks >> 32) * multiplier as u64;
    (low >> 24) + (high << 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> SystemTime {
        let number = |range: core::ops::Range<usize>| text[range].parse().unwrap();
        SystemTime {
            year: number(0..4),
            month: number(5..7),
            day: number(8..10),
            hour: number(11..13),
            minute: number(14..16),
            second: number(17..19),
            ..SystemTime::default()
        }
    }

    fn at(text: &str) -> i64 {
        moment(&time(text)).unwrap()
    }

    /// The `n`th Sunday of a month at an hour.
    fn sunday(month: u16, n: u16, hour: u16) -> SystemTime {
        SystemTime {
            month,
            day: n,
            hour,
            ..SystemTime::default()
        }
    }

    fn new_york() -> TimeZoneInformation {
        TimeZoneInformation {
            bias: 300,
            standard_date: sunday(11, 1, 2),
            daylight_date: sunday(3, 2, 2),
            daylight_bias: -60,
            ..TimeZoneInformation::default()
        }
    }

    fn sydney() -> TimeZoneInformation {
        TimeZoneInformation {
            bias: -600,
            standard_date: sunday(4, 1, 3),
            daylight_date: sunday(10, 1, 2),
            daylight_bias: -60,
            ..TimeZoneInformation::default()
        }
    }

    #[test]
    fn moments_have_dates() {
        // The beginning of Unix time, from [MS-DTYP] and any table.
        assert_eq!(at("1970-01-01 00:00:00"), 116_444_736_000_000_000);
        let fields = fields(116_444_736_000_000_000).unwrap();
        assert_eq!((fields.year, fields.day_of_week), (1970, 4), "a Thursday");
        assert_eq!(super::fields(-1), Err(Error::INVALID_PARAMETER));
        assert_eq!(
            moment(&time("2023-02-29 00:00:00")),
            Err(Error::INVALID_PARAMETER)
        );
    }

    #[test]
    fn times_of_dos_count_two_seconds() {
        // "DosDateTimeToFileTime": bits 0-4 day, 5-8 month, 9-15 years from 1980; 0-4 half seconds, 5-10 minute, 11-15 hour.
        let date = 31 << 9 | 12 << 5 | 25;
        let clock = 13 << 11 | 45 << 5 | 29;
        assert_eq!(from_dos(date, clock), Ok(at("2011-12-25 13:45:58")));
        assert_eq!(to_dos(at("2011-12-25 13:45:57")), Ok((date, clock)));
        assert_eq!(
            to_dos(at("1979-12-31 23:00:00")),
            Err(Error::INVALID_PARAMETER)
        );
        assert_eq!(
            to_dos(at("2108-01-01 00:00:00")),
            Err(Error::INVALID_PARAMETER)
        );
    }

    #[test]
    fn time_zones_change_when_their_rules_say() {
        // Moments from the tz database (zdump -v America/New_York, Australia/Sydney), 2023.
        for (zone, utc, local_time) in [
            (new_york(), "2023-03-12 06:59:59", "2023-03-12 01:59:59"),
            (new_york(), "2023-03-12 07:00:00", "2023-03-12 03:00:00"),
            (new_york(), "2023-11-05 05:59:59", "2023-11-05 01:59:59"),
            (new_york(), "2023-11-05 06:00:00", "2023-11-05 01:00:00"),
            (sydney(), "2023-04-01 15:59:59", "2023-04-02 02:59:59"),
            (sydney(), "2023-04-01 16:00:00", "2023-04-02 02:00:00"),
            (sydney(), "2023-09-30 15:59:59", "2023-10-01 01:59:59"),
            (sydney(), "2023-09-30 16:00:00", "2023-10-01 03:00:00"),
        ] {
            assert_eq!(local(&zone, at(utc)), Ok(at(local_time)), "{utc}");
        }
    }

    #[test]
    fn local_times_are_moments_again() {
        for (zone, local_time, utc) in [
            (new_york(), "2023-07-04 12:00:00", "2023-07-04 16:00:00"),
            (new_york(), "2023-01-04 12:00:00", "2023-01-04 17:00:00"),
            (sydney(), "2023-01-04 12:00:00", "2023-01-04 01:00:00"),
            (sydney(), "2023-07-04 12:00:00", "2023-07-04 02:00:00"),
        ] {
            assert_eq!(
                universal(&zone, at(local_time)),
                Ok(at(utc)),
                "{local_time}"
            );
        }
    }

    #[test]
    fn ticks_are_milliseconds() {
        // 15.625 ms a tick.
        let multiplier = 0x0FA0_0000;
        assert_eq!(milliseconds(64, multiplier), 1000);
        assert_eq!(milliseconds(1 << 33, multiplier), (1 << 33) * 125 / 8);
    }
}
