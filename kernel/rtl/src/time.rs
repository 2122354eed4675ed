//! NT's time: counted in 100 ns since the first moment of 1601.
//!
//! That year begins a Gregorian cycle of 400 years, so the leap year comes last in each group of 4 years, the leap day
//! is left out in the last group of the first three centuries of each cycle, and a date is a matter of division. No
//! leap seconds, no time zones: this is universal time as a clock without them would show it.
//!
//! # NT
//! `LARGE_INTEGER` times, `TIME_FIELDS` and their routines.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// 100 ns units in a millisecond.
pub const PER_MILLISECOND: i64 = 10_000;
/// 100 ns units in a second.
pub const PER_SECOND: i64 = 1_000 * PER_MILLISECOND;
/// 100 ns units in a day.
pub const PER_DAY: i64 = 24 * 60 * 60 * PER_SECOND;

/// From 1601 to 1970, in seconds.
const UNIX_EPOCH: i64 = 11_644_473_600;
/// From 1970 to 1980, in seconds.
const FROM_1970_TO_1980: i64 = 315_532_800;

const DAYS_IN_4_YEARS: i64 = 4 * 365 + 1;
const DAYS_IN_CENTURY: i64 = 25 * DAYS_IN_4_YEARS - 1;
const DAYS_IN_CYCLE: i64 = 4 * DAYS_IN_CENTURY + 1;

/// Days before each month of a year without a leap day, and in the whole year.
const DAYS_BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// A moment, in 100 ns since 1601-01-01 00:00 UTC. What is negative has no date.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(transparent)]
pub struct Time(pub i64);

/// A moment as people write it.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[doc(alias = "TIME_FIELDS")]
#[repr(C)]
pub struct TimeFields {
    /// 1601 to 30,828.
    pub year: i16,
    /// 1 to 12.
    pub month: i16,
    /// 1 to 31.
    pub day: i16,
    /// 0 to 23.
    pub hour: i16,
    /// 0 to 59.
    pub minute: i16,
    /// 0 to 59.
    pub second: i16,
    /// 0 to 999.
    pub milliseconds: i16,
    /// 0 is Sunday. It is not looked at on the way back.
    pub weekday: i16,
}

/// Whether a year has a 29 February.
pub const fn is_leap_year(year: i16) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

impl Time {
    /// The moment that Unix counts as `seconds` since 1970; `None` where NT's count overflows.
    #[doc(alias = "RtlSecondsSince1970ToTime")]
    pub fn from_unix_seconds(seconds: i64) -> Option<Self> {
        let since_1601 = seconds.checked_add(UNIX_EPOCH)?;
        since_1601.checked_mul(PER_SECOND).map(Self)
    }

    /// Whole seconds since 1970, negative before; what is less than a second is left out downwards.
    ///
    /// # NT
    /// `RtlTimeToSecondsSince1970`, which refuses what is outside of 32 bits without a sign.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(PER_SECOND) - UNIX_EPOCH
    }

    /// The moment so many seconds after 1970.
    #[doc(alias = "RtlSecondsSince1970ToTime")]
    pub fn from_seconds_since_1970(seconds: u32) -> Self {
        Self((UNIX_EPOCH + i64::from(seconds)) * PER_SECOND)
    }

    /// The moment so many seconds after 1980.
    #[doc(alias = "RtlSecondsSince1980ToTime")]
    pub fn from_seconds_since_1980(seconds: u32) -> Self {
        Self((UNIX_EPOCH + FROM_1970_TO_1980 + i64::from(seconds)) * PER_SECOND)
    }

    /// Whole seconds since 1970; `None` if 32 bits do not hold them.
    #[doc(alias = "RtlTimeToSecondsSince1970")]
    pub fn seconds_since_1970(self) -> Option<u32> {
        u32::try_from(self.unix_seconds()).ok()
    }

    /// Whole seconds since 1980; `None` if 32 bits do not hold them.
    #[doc(alias = "RtlTimeToSecondsSince1980")]
    pub fn seconds_since_1980(self) -> Option<u32> {
        u32::try_from(self.unix_seconds() - FROM_1970_TO_1980).ok()
    }

    /// The date and the time of day; `None` for a negative time.
    ///
    /// # NT
    /// `RtlTimeToTimeFields`.
    pub fn fields(self) -> Option<TimeFields> {
        if self.0 < 0 {
            return None;
        }
        let days = self.0 / PER_DAY;
        let milliseconds = self.0 % PER_DAY / PER_MILLISECOND;
        let (year, day_of_year) = year_of(days);
        let year = i16::try_from(year).ok()?;
        let (month, day) = month_of(year, day_of_year);
        let small = |number: i64| i16::try_from(number).ok();
        Some(TimeFields {
            year,
            month: small(month)?,
            day: small(day)?,
            hour: small(milliseconds / 3_600_000)?,
            minute: small(milliseconds / 60_000 % 60)?,
            second: small(milliseconds / 1_000 % 60)?,
            milliseconds: small(milliseconds % 1_000)?,
            weekday: small((days + 1) % 7)?, // 1 January 1601 was a Monday.
        })
    }
}

impl TimeFields {
    /// The moment of a change of time, of the year that `now` is in or, unless `this_year`, of the next year if the moment is
    /// over; `None` if the fields name none. A year of 0 means each year: `day` is 1 to 5 then, the 5th weekday being the last
    /// one of the month. With a year, the moment must not be over.
    ///
    /// # NT
    /// `RtlCutoverTimeToSystemTime`; "`TIME_ZONE_INFORMATION`".
    #[doc(alias = "RtlCutoverTimeToSystemTime")]
    pub fn cutover(&self, now: Time, this_year: bool) -> Option<Time> {
        if self.year != 0 {
            return self.time().filter(|time| *time >= now);
        }
        let year = now.fields()?.year;
        let time = self.cutover_in(year)?;
        if this_year || time >= now {
            Some(time)
        } else {
            self.cutover_in(year.checked_add(1)?)
        }
    }

    /// The moment of a yearly change of time in a year.
    fn cutover_in(&self, year: i16) -> Option<Time> {
        if !(1..=5).contains(&self.day) || !(0..7).contains(&self.weekday) {
            return None;
        }
        let first = TimeFields {
            year,
            day: 1,
            ..*self
        };
        let weekday_of_first = first.time()?.fields()?.weekday;
        let length = days_before(year, self.month + 1)? - days_before(year, self.month)?;
        let mut day = 1 + (self.weekday - weekday_of_first).rem_euclid(7) + (self.day - 1) * 7;
        if i64::from(day) > length {
            day -= 7;
        }
        TimeFields { day, ..first }.time()
    }

    /// A span of time as days and a time of day; the days are in `day`, what they are too many for is lost.
    ///
    /// # NT
    /// `RtlTimeToElapsedTimeFields`, which leaves the weekday alone.
    #[doc(alias = "RtlTimeToElapsedTimeFields")]
    pub fn elapsed(span: i64) -> Self {
        let milliseconds = span % PER_DAY / PER_MILLISECOND;
        // Each is smaller than what its divisor says.
        let small = |number: i64| i16::try_from(number).unwrap_or_default();
        let [low, high, ..] = (span / PER_DAY).to_le_bytes();
        Self {
            day: i16::from_le_bytes([low, high]),
            hour: small(milliseconds / 3_600_000),
            minute: small(milliseconds / 60_000 % 60),
            second: small(milliseconds / 1_000 % 60),
            milliseconds: small(milliseconds % 1_000),
            ..Self::default()
        }
    }

    /// The last year all of whose moments can be counted.
    pub const LAST_YEAR: i16 = 30_827;

    /// The moment; `None` if a field is out of its range, the month does not have the day, or the year is after
    /// [`LAST_YEAR`](Self::LAST_YEAR). The weekday is not looked at.
    ///
    /// # NT
    /// `RtlTimeFieldsToTime`.
    pub fn time(&self) -> Option<Time> {
        let fields_are_in_range = (1601..=Self::LAST_YEAR).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (0..24).contains(&self.hour)
            && (0..60).contains(&self.minute)
            && (0..60).contains(&self.second)
            && (0..1000).contains(&self.milliseconds);
        if !fields_are_in_range {
            return None;
        }
        let before = days_before(self.year, self.month)?;
        let length = days_before(self.year, self.month + 1)? - before;
        let day = i64::from(self.day);
        if !(1..=length).contains(&day) {
            return None;
        }
        let years = i64::from(self.year) - 1601;
        let days = years * 365 + years / 4 - years / 100 + years / 400 + before + day - 1;
        let minutes = i64::from(self.hour) * 60 + i64::from(self.minute);
        let seconds = minutes * 60 + i64::from(self.second);
        let milliseconds = seconds * 1_000 + i64::from(self.milliseconds);
        Some(Time(days * PER_DAY + milliseconds * PER_MILLISECOND))
    }
}

/// The year that a day since 1601 is in, and how many of the year's days are before it.
const fn year_of(days: i64) -> (i64, i64) {
    let in_cycle = days % DAYS_IN_CYCLE;
    // The last century of a cycle, and the last year of four, are a day longer: their last day is no new one.
    let centuries = if in_cycle == DAYS_IN_CYCLE - 1 {
        3
    } else {
        in_cycle / DAYS_IN_CENTURY
    };
    let in_century = in_cycle - centuries * DAYS_IN_CENTURY;
    let in_4_years = in_century % DAYS_IN_4_YEARS;
    let years = if in_4_years == DAYS_IN_4_YEARS - 1 {
        3
    } else {
        in_4_years / 365
    };
    let year = 1601
        + days / DAYS_IN_CYCLE * 400
        + centuries * 100
        + in_century / DAYS_IN_4_YEARS * 4
        + years;
    (year, in_4_years - years * 365)
}

/// The month and day, both from 1, of a day of the year, from 0.
fn month_of(year: i16, day_of_year: i64) -> (i64, i64) {
    let mut month = 1;
    let mut first = 0;
    for next in 2..=12 {
        match days_before(year, next) {
            Some(before) if before <= day_of_year => {
                month = i64::from(next);
                first = before;
            }
            _ => break,
        }
    }
    (month, day_of_year - first + 1)
}

/// Days of the year before a month, which may be the one after December.
fn days_before(year: i16, month: i16) -> Option<i64> {
    let days = DAYS_BEFORE.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    Some(days + i64::from(month > 2 && is_leap_year(year)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(date: [i16; 3], time: [i16; 4], weekday: i16) -> TimeFields {
        let [year, month, day] = date;
        let [hour, minute, second, milliseconds] = time;
        TimeFields {
            year,
            month,
            day,
            hour,
            minute,
            second,
            milliseconds,
            weekday,
        }
    }

    #[test]
    fn dates_that_are_known() {
        let rows = [
            (0, fields([1601, 1, 1], [0; 4], 1)),
            // Unix' first second, and the last that 32 bits with a sign count.
            (116_444_736_000_000_000, fields([1970, 1, 1], [0; 4], 4)),
            (
                137_919_572_470_000_000,
                fields([2038, 1, 19], [3, 14, 7, 0], 2),
            ),
            // Windows NT 3.1 is done.
            (
                123_882_480_000_000_000,
                fields([1993, 7, 27], [12, 0, 0, 0], 2),
            ),
            (
                125_911_583_999_990_000,
                fields([1999, 12, 31], [23, 59, 59, 999], 5),
            ),
            (125_911_584_000_000_000, fields([2000, 1, 1], [0; 4], 6)),
            (125_962_560_000_000_000, fields([2000, 2, 29], [0; 4], 2)),
            (
                128_166_372_003_061_629,
                fields([2007, 2, 22], [17, 0, 0, 306], 4),
            ),
            (i64::MAX, fields([30_828, 9, 14], [2, 48, 5, 477], 4)),
        ];
        for (time, expected) in rows {
            let found = Time(time).fields().expect("it is not negative");
            assert_eq!(found, expected, "{time}");
            let whole = time / PER_MILLISECOND * PER_MILLISECOND;
            let countable = expected.year <= TimeFields::LAST_YEAR;
            assert_eq!(expected.time(), countable.then_some(Time(whole)));
        }
        assert_eq!(Time(-1).fields(), None);
        assert_eq!(Time(i64::MIN).fields(), None);
    }

    /// A calendar that knows only how long months are counts up to the end: every day of two cycles of 400 years is
    /// compared with it, and the turns of year and of February after that.
    #[test]
    fn the_calendar_is_right_until_it_ends() {
        let mut expected = fields([1601, 1, 1], [12, 34, 56, 789], 1);
        let after_noon = 45_296_789 * PER_MILLISECOND;
        for day in 0.. {
            let time = Time(day * PER_DAY + after_noon);
            let turn = matches!(
                (expected.month, expected.day),
                (1, 1) | (2, 28..) | (3, 1) | (12, 31)
            );
            if turn || expected.year <= 2400 {
                assert_eq!(time.fields(), Some(expected), "day {day}");
                assert_eq!(expected.time(), Some(time), "day {day}");
            }
            expected.weekday = (expected.weekday + 1) % 7;
            expected.day += 1;
            let length = match expected.month {
                2 if is_leap_year(expected.year) => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            if expected.day > length {
                (expected.month, expected.day) = (expected.month + 1, 1);
            }
            if expected.month > 12 {
                (expected.year, expected.month) = (expected.year + 1, 1);
            }
            if expected.year > TimeFields::LAST_YEAR {
                assert_eq!(expected.time(), None);
                break;
            }
        }
        assert_eq!(expected.year, 30_828);
    }

    #[test]
    fn fields_out_of_range_are_refused() {
        let good = fields([2024, 2, 29], [23, 59, 59, 999], 0);
        assert!(good.time().is_some(), "the weekday is not looked at");
        let bad: [fn(&mut TimeFields); 20] = [
            |f| f.year = 2023,
            |f| f.year = 1600,
            |f| f.year = 30_828,
            |f| f.year = -1,
            |f| f.month = 0,
            |f| f.month = 13,
            |f| f.month = -1,
            |f| f.month = i16::MAX,
            |f| f.day = 0,
            |f| f.day = 30,
            |f| (f.month, f.day) = (4, 31),
            |f| (f.month, f.day) = (12, 32),
            |f| f.day = -1,
            |f| f.hour = 24,
            |f| f.hour = -1,
            |f| f.minute = 60,
            |f| f.minute = -1,
            |f| f.second = 60,
            |f| f.milliseconds = 1000,
            |f| f.milliseconds = i16::MIN,
        ];
        for (index, damage) in bad.iter().enumerate() {
            let mut fields = good;
            damage(&mut fields);
            assert_eq!(fields.time(), None, "{index}");
        }
        for (year, leap) in [(1900, false), (2000, true), (2100, false), (2023, false)] {
            assert_eq!(is_leap_year(year), leap);
            let day = fields([year, 2, 29], [0; 4], 0);
            assert_eq!(day.time().is_some(), leap);
        }
    }

    #[test]
    fn unix_seconds_go_both_ways() {
        for seconds in [0, -1, 743_774_400, i64::from(u32::MAX), -UNIX_EPOCH] {
            let time = Time::from_unix_seconds(seconds).expect("it is in range");
            assert_eq!(time.unix_seconds(), seconds);
            assert_eq!(Time(time.0 + PER_SECOND - 1).unix_seconds(), seconds);
        }
        assert_eq!(
            Time::from_unix_seconds(0),
            Some(Time(116_444_736_000_000_000))
        );
        assert_eq!(Time(-1).unix_seconds(), -UNIX_EPOCH - 1);
        assert_eq!(Time::from_unix_seconds(i64::MAX), None);
        assert_eq!(Time::from_unix_seconds(i64::MIN), None);
    }

    #[test]
    fn seconds_of_32_bits() {
        assert_eq!(Time(116_444_735_999_999_999).seconds_since_1970(), None);
        assert_eq!(Time(116_444_736_000_000_000).seconds_since_1970(), Some(0));
        let last = Time(116_444_736_000_000_000 + 4_294_967_295 * PER_SECOND + 9_999_999);
        assert_eq!(last.seconds_since_1970(), Some(u32::MAX));
        assert_eq!(Time(last.0 + 1).seconds_since_1970(), None);
        // 1 January 1980, where DOS begins.
        let dos = fields([1980, 1, 1], [0; 4], 2).time().expect("a date");
        assert_eq!(dos.seconds_since_1980(), Some(0));
        assert_eq!(Time::from_seconds_since_1980(0), dos);
        assert_eq!(Time::from_seconds_since_1970(315_532_800), dos);
        assert_eq!(Time(dos.0 - 1).seconds_since_1980(), None);
    }

    #[test]
    fn changes_of_time_that_are_known() {
        let moment = |date, time| fields(date, time, 0).time().expect("a date");
        let rule = |month, nth, hour| fields([0, month, nth], [hour, 0, 0, 0], 0);
        // Central Europe: the last Sundays of March and October; the United States: the second of March, the first of
        // November.
        for (rule, year, expected) in [
            (rule(3, 5, 2), 2023, moment([2023, 3, 26], [2, 0, 0, 0])),
            (rule(10, 5, 3), 2023, moment([2023, 10, 29], [3, 0, 0, 0])),
            (rule(3, 5, 2), 2024, moment([2024, 3, 31], [2, 0, 0, 0])),
            (rule(3, 2, 2), 2020, moment([2020, 3, 8], [2, 0, 0, 0])),
            (rule(11, 1, 2), 2020, moment([2020, 11, 1], [2, 0, 0, 0])),
            (rule(11, 1, 2), 2026, moment([2026, 11, 1], [2, 0, 0, 0])),
        ] {
            let new_year = moment([year, 1, 1], [0; 4]);
            let midsummer = moment([year, 12, 24], [0; 4]);
            assert_eq!(rule.cutover(new_year, true), Some(expected));
            assert_eq!(rule.cutover(new_year, false), Some(expected));
            assert_eq!(rule.cutover(midsummer, true), Some(expected));
            let next = rule.cutover(midsummer, false).expect("next year");
            assert_eq!(next.fields().map(|fields| fields.year), Some(year + 1));
            assert_eq!(next.fields().map(|fields| fields.weekday), Some(0));
        }
        let once = fields([2025, 6, 7], [1, 0, 0, 0], 6);
        let before = moment([2025, 6, 7], [1, 0, 0, 0]);
        assert_eq!(once.cutover(before, false), Some(before));
        assert_eq!(once.cutover(Time(before.0 + 1), false), None);
        assert_eq!(rule(3, 6, 0).cutover(before, true), None);
        assert_eq!(rule(13, 1, 0).cutover(before, true), None);
    }

    #[test]
    fn a_span_is_days_and_a_time_of_day() {
        let span = 400 * PER_DAY + 3 * 3_600 * PER_SECOND + 59 * PER_SECOND + 5 * PER_MILLISECOND;
        assert_eq!(
            TimeFields::elapsed(span),
            fields([0, 0, 400], [3, 0, 59, 5], 0)
        );
        // Wine gives these too.
        assert_eq!(TimeFields::elapsed(i64::MAX).day, -7169);
        assert_eq!(TimeFields::elapsed(-600_000_000).minute, -1);
    }
}
