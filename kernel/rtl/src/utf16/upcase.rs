//! The capital of a UTF-16 unit, as NT's kernel has it.
//!
//! Names of objects, keys and files are equal if their capitals are. Whoever decides what a capital is decides which
//! files can be in one directory, so the table can never follow Unicode: it is the one that Microsoft publishes for
//! Windows 8 and later ([MS-UCODEREF] 3.1.5.3), and stays it.
//!
//! What Windows did to arrive there, and what the test derives it by:
//!
//! - One unit becomes one unit: `ß` stays, since its capital is `SS`, and so does all beyond the Basic Multilingual
//!   Plane, which is two surrogates.
//! - The way back must lead to the same letter. Dotless `ı`, long `ſ`, final `ς`, the micro sign, the Greek letters
//!   that are symbols and the combining iota stay as they are: their Unicode capitals are the capitals of others.
//!   So no two letters have one capital.
//! - Digraphs in title case (`ǅ`) stay; those in lower case (`ǆ`) become upper case (`Ǆ`).
//! - A Greek letter with a small iota below becomes the capital with the iota beside it, though Unicode's full mapping
//!   makes two letters of it.
//! - Letters that came after Unicode 5.1, or whose capitals did, have none: modern Georgian, Cherokee, a number of
//!   phonetic letters.
//!
//! # Differs
//! Wine's tables have the same rules with the letters of later Unicode versions.

/// Letters at a fixed distance from each other, whose capitals are at the same distances.
#[derive(Clone, Copy)]
struct Run {
    first: u16,
    last: u16,
    step: u16,
    /// What is added to a letter, wrapping, to make it its capital.
    distance: u16,
}

const fn run(first: u16, last: u16, step: u16, first_capital: u16) -> Run {
    Run {
        first,
        last,
        step,
        distance: first_capital.wrapping_sub(first),
    }
}

/// The capital of a unit; the unit itself, if it has none.
///
/// # NT
/// `RtlUpcaseUnicodeChar`.
pub const fn upcase(unit: u16) -> u16 {
    if unit < 0x80 {
        return match unit {
            0x61..=0x7A => unit - 0x20,
            _ => unit,
        };
    }
    // The first run that does not end before the unit; const functions may not call `partition_point`.
    let mut low = 0;
    let mut high = RUNS.len();
    while low < high {
        let middle = low + (high - low) / 2;
        if RUNS[middle].last < unit {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if low == RUNS.len() {
        return unit;
    }
    let run = &RUNS[low];
    if unit < run.first || !(unit - run.first).is_multiple_of(run.step) {
        return unit;
    }
    unit.wrapping_add(run.distance)
}

/// The small letter of a unit; the unit itself, if it is no capital that [`upcase`] makes.
///
/// Since no two letters have one capital, this is the way back.
///
/// # NT
/// `RtlDowncaseUnicodeChar`.
pub const fn downcase(unit: u16) -> u16 {
    if unit < 0x80 {
        return match unit {
            0x41..=0x5A => unit + 0x20,
            _ => unit,
        };
    }
    let mut low = 0;
    let mut high = BY_CAPITAL.len();
    while low < high {
        let middle = low + (high - low) / 2;
        if BY_CAPITAL[middle].last < unit {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if low == BY_CAPITAL.len() {
        return unit;
    }
    let run = &BY_CAPITAL[low];
    if unit < run.first || !(unit - run.first).is_multiple_of(run.step) {
        return unit;
    }
    unit.wrapping_add(run.distance)
}

/// The runs the other way round: capitals, ascending, and what is added to them.
static BY_CAPITAL: [Run; RUNS.len()] = by_capital();

const fn by_capital() -> [Run; RUNS.len()] {
    let mut sorted = RUNS;
    let mut done = 0;
    while done < sorted.len() {
        let run = &RUNS[done];
        let capitals = Run {
            first: run.first.wrapping_add(run.distance),
            last: run.last.wrapping_add(run.distance),
            step: run.step,
            distance: run.distance.wrapping_neg(),
        };
        let mut at = done;
        while at > 0 && sorted[at - 1].first > capitals.first {
            sorted[at] = sorted[at - 1];
            at -= 1;
        }
        sorted[at] = capitals;
        done += 1;
    }
    sorted
}

/// First letter, last letter, step, the first one's capital; ascending.
#[rustfmt::skip]
const RUNS: [Run; 134] = [
    run(0x0061, 0x007A, 1, 0x0041), run(0x00E0, 0x00F6, 1, 0x00C0), run(0x00F8, 0x00FE, 1, 0x00D8),
    run(0x00FF, 0x00FF, 1, 0x0178), run(0x0101, 0x012F, 2, 0x0100), run(0x0133, 0x0137, 2, 0x0132),
    run(0x013A, 0x0148, 2, 0x0139), run(0x014B, 0x0177, 2, 0x014A), run(0x017A, 0x017E, 2, 0x0179),
    run(0x0180, 0x0180, 1, 0x0243), run(0x0183, 0x0185, 2, 0x0182), run(0x0188, 0x0188, 1, 0x0187),
    run(0x018C, 0x018C, 1, 0x018B), run(0x0192, 0x0192, 1, 0x0191), run(0x0195, 0x0195, 1, 0x01F6),
    run(0x0199, 0x0199, 1, 0x0198), run(0x019A, 0x019A, 1, 0x023D), run(0x019E, 0x019E, 1, 0x0220),
    run(0x01A1, 0x01A5, 2, 0x01A0), run(0x01A8, 0x01A8, 1, 0x01A7), run(0x01AD, 0x01AD, 1, 0x01AC),
    run(0x01B0, 0x01B0, 1, 0x01AF), run(0x01B4, 0x01B6, 2, 0x01B3), run(0x01B9, 0x01B9, 1, 0x01B8),
    run(0x01BD, 0x01BD, 1, 0x01BC), run(0x01BF, 0x01BF, 1, 0x01F7), run(0x01C6, 0x01C6, 1, 0x01C4),
    run(0x01C9, 0x01C9, 1, 0x01C7), run(0x01CC, 0x01CC, 1, 0x01CA), run(0x01CE, 0x01DC, 2, 0x01CD),
    run(0x01DD, 0x01DD, 1, 0x018E), run(0x01DF, 0x01EF, 2, 0x01DE), run(0x01F3, 0x01F3, 1, 0x01F1),
    run(0x01F5, 0x01F5, 1, 0x01F4), run(0x01F9, 0x021F, 2, 0x01F8), run(0x0223, 0x0233, 2, 0x0222),
    run(0x023C, 0x023C, 1, 0x023B), run(0x0242, 0x0242, 1, 0x0241), run(0x0247, 0x024F, 2, 0x0246),
    run(0x0250, 0x0250, 1, 0x2C6F), run(0x0251, 0x0251, 1, 0x2C6D), run(0x0253, 0x0253, 1, 0x0181),
    run(0x0254, 0x0254, 1, 0x0186), run(0x0256, 0x0257, 1, 0x0189), run(0x0259, 0x0259, 1, 0x018F),
    run(0x025B, 0x025B, 1, 0x0190), run(0x0260, 0x0260, 1, 0x0193), run(0x0263, 0x0263, 1, 0x0194),
    run(0x0268, 0x0268, 1, 0x0197), run(0x0269, 0x0269, 1, 0x0196), run(0x026B, 0x026B, 1, 0x2C62),
    run(0x026F, 0x026F, 1, 0x019C), run(0x0271, 0x0271, 1, 0x2C6E), run(0x0272, 0x0272, 1, 0x019D),
    run(0x0275, 0x0275, 1, 0x019F), run(0x027D, 0x027D, 1, 0x2C64), run(0x0280, 0x0280, 1, 0x01A6),
    run(0x0283, 0x0283, 1, 0x01A9), run(0x0288, 0x0288, 1, 0x01AE), run(0x0289, 0x0289, 1, 0x0244),
    run(0x028A, 0x028B, 1, 0x01B1), run(0x028C, 0x028C, 1, 0x0245), run(0x0292, 0x0292, 1, 0x01B7),
    run(0x0371, 0x0373, 2, 0x0370), run(0x0377, 0x0377, 1, 0x0376), run(0x037B, 0x037D, 1, 0x03FD),
    run(0x03AC, 0x03AC, 1, 0x0386), run(0x03AD, 0x03AF, 1, 0x0388), run(0x03B1, 0x03C1, 1, 0x0391),
    run(0x03C3, 0x03CB, 1, 0x03A3), run(0x03CC, 0x03CC, 1, 0x038C), run(0x03CD, 0x03CE, 1, 0x038E),
    run(0x03D7, 0x03D7, 1, 0x03CF), run(0x03D9, 0x03EF, 2, 0x03D8), run(0x03F2, 0x03F2, 1, 0x03F9),
    run(0x03F8, 0x03F8, 1, 0x03F7), run(0x03FB, 0x03FB, 1, 0x03FA), run(0x0430, 0x044F, 1, 0x0410),
    run(0x0450, 0x045F, 1, 0x0400), run(0x0461, 0x0481, 2, 0x0460), run(0x048B, 0x04BF, 2, 0x048A),
    run(0x04C2, 0x04CE, 2, 0x04C1), run(0x04CF, 0x04CF, 1, 0x04C0), run(0x04D1, 0x0523, 2, 0x04D0),
    run(0x0561, 0x0586, 1, 0x0531), run(0x1D79, 0x1D79, 1, 0xA77D), run(0x1D7D, 0x1D7D, 1, 0x2C63),
    run(0x1E01, 0x1E95, 2, 0x1E00), run(0x1EA1, 0x1EFF, 2, 0x1EA0), run(0x1F00, 0x1F07, 1, 0x1F08),
    run(0x1F10, 0x1F15, 1, 0x1F18), run(0x1F20, 0x1F27, 1, 0x1F28), run(0x1F30, 0x1F37, 1, 0x1F38),
    run(0x1F40, 0x1F45, 1, 0x1F48), run(0x1F51, 0x1F57, 2, 0x1F59), run(0x1F60, 0x1F67, 1, 0x1F68),
    run(0x1F70, 0x1F71, 1, 0x1FBA), run(0x1F72, 0x1F75, 1, 0x1FC8), run(0x1F76, 0x1F77, 1, 0x1FDA),
    run(0x1F78, 0x1F79, 1, 0x1FF8), run(0x1F7A, 0x1F7B, 1, 0x1FEA), run(0x1F7C, 0x1F7D, 1, 0x1FFA),
    run(0x1F80, 0x1F87, 1, 0x1F88), run(0x1F90, 0x1F97, 1, 0x1F98), run(0x1FA0, 0x1FA7, 1, 0x1FA8),
    run(0x1FB0, 0x1FB1, 1, 0x1FB8), run(0x1FB3, 0x1FB3, 1, 0x1FBC), run(0x1FC3, 0x1FC3, 1, 0x1FCC),
    run(0x1FD0, 0x1FD1, 1, 0x1FD8), run(0x1FE0, 0x1FE1, 1, 0x1FE8), run(0x1FE5, 0x1FE5, 1, 0x1FEC),
    run(0x1FF3, 0x1FF3, 1, 0x1FFC), run(0x214E, 0x214E, 1, 0x2132), run(0x2170, 0x217F, 1, 0x2160),
    run(0x2184, 0x2184, 1, 0x2183), run(0x24D0, 0x24E9, 1, 0x24B6), run(0x2C30, 0x2C5E, 1, 0x2C00),
    run(0x2C61, 0x2C61, 1, 0x2C60), run(0x2C65, 0x2C65, 1, 0x023A), run(0x2C66, 0x2C66, 1, 0x023E),
    run(0x2C68, 0x2C6C, 2, 0x2C67), run(0x2C73, 0x2C73, 1, 0x2C72), run(0x2C76, 0x2C76, 1, 0x2C75),
    run(0x2C81, 0x2CE3, 2, 0x2C80), run(0x2D00, 0x2D25, 1, 0x10A0), run(0xA641, 0xA65F, 2, 0xA640),
    run(0xA663, 0xA66D, 2, 0xA662), run(0xA681, 0xA697, 2, 0xA680), run(0xA723, 0xA72F, 2, 0xA722),
    run(0xA733, 0xA76F, 2, 0xA732), run(0xA77A, 0xA77C, 2, 0xA779), run(0xA77F, 0xA787, 2, 0xA77E),
    run(0xA78C, 0xA78C, 1, 0xA78B), run(0xFF41, 0xFF5A, 1, 0xFF21),
];

#[cfg(test)]
mod tests {
    use core::ops::RangeInclusive;

    use super::*;

    /// Greek letters with an iota below, of which the standard library makes two, and the first one's capital.
    const IOTA_BELOW: [(RangeInclusive<u16>, u16); 6] = [
        (0x1F80..=0x1F87, 0x1F88),
        (0x1F90..=0x1F97, 0x1F98),
        (0x1FA0..=0x1FA7, 0x1FA8),
        (0x1FB3..=0x1FB3, 0x1FBC),
        (0x1FC3..=0x1FC3, 0x1FCC),
        (0x1FF3..=0x1FF3, 0x1FFC),
    ];

    /// Letters that have a capital only since a version of Unicode after 5.1. A standard library newer than this list
    /// may know more.
    #[rustfmt::skip]
    const AFTER_5_1: [RangeInclusive<u16>; 34] = [
        0x019B..=0x019B, 0x023F..=0x0240, 0x0252..=0x0252, 0x025C..=0x025C, 0x0261..=0x0261, 0x0264..=0x0266,
        0x026A..=0x026A, 0x026C..=0x026C, 0x0282..=0x0282, 0x0287..=0x0287, 0x029D..=0x029E, 0x03F3..=0x03F3,
        0x0525..=0x052F, 0x10D0..=0x10FA, 0x10FD..=0x10FF, 0x13F8..=0x13FD, 0x1C8A..=0x1C8A, 0x1D8E..=0x1D8E,
        0x2C5F..=0x2C5F, 0x2CEC..=0x2CEE, 0x2CF3..=0x2CF3, 0x2D27..=0x2D27, 0x2D2D..=0x2D2D, 0xA661..=0xA661,
        0xA699..=0xA69B, 0xA791..=0xA794, 0xA797..=0xA7A9, 0xA7B5..=0xA7C3, 0xA7C8..=0xA7CD, 0xA7CF..=0xA7D5,
        0xA7D7..=0xA7DB, 0xA7F6..=0xA7F6, 0xAB53..=0xAB53, 0xAB70..=0xABBF,
    ];

    fn only<I: Iterator<Item = char>>(mut characters: I) -> Option<char> {
        let first = characters.next()?;
        characters.next().is_none().then_some(first)
    }

    /// The capital by the rules above, from the standard library's Unicode tables.
    fn derived(unit: u16) -> u16 {
        if let Some((letters, first)) = IOTA_BELOW.iter().find(|row| row.0.contains(&unit)) {
            return unit - letters.start() + first;
        }
        let capital = || {
            let letter = char::from_u32(u32::from(unit))?;
            let capital = only(letter.to_uppercase())?;
            let back = only(capital.to_lowercase())?;
            let in_plane = u16::try_from(u32::from(capital)).ok()?;
            (back == letter).then_some(in_plane)
        };
        let late = AFTER_5_1.iter().any(|letters| letters.contains(&unit));
        capital().filter(|_| !late).unwrap_or(unit)
    }

    #[test]
    fn the_table_is_what_the_rules_say() {
        let mut letters = 0;
        for unit in 0..=u16::MAX {
            let capital = upcase(unit);
            assert_eq!(capital, derived(unit), "{unit:#06x}");
            assert_eq!(
                upcase(capital),
                capital,
                "{unit:#06x} has a capital's capital"
            );
            letters += u32::from(capital != unit);
        }
        assert_eq!(letters, 973);
    }

    #[test]
    fn the_way_back_leads_to_the_letter() {
        for unit in 0..=u16::MAX {
            let capital = upcase(unit);
            if capital == unit {
                // A capital's own letter is found from the letter; anything else stays.
                let letter = downcase(unit);
                assert!(letter == unit || upcase(letter) == unit, "{unit:#06x}");
            } else {
                assert_eq!(downcase(capital), unit, "{unit:#06x}");
            }
        }
        assert_eq!(downcase(0x0130), 0x0130, "a capital I with a dot");
        assert_eq!(downcase(0x1E9E), 0x1E9E, "a capital sharp s");
    }

    #[test]
    fn the_runs_are_in_order_and_whole() {
        let mut end = 0;
        for run in &RUNS {
            assert!(run.first > end && run.last >= run.first);
            assert!((run.last - run.first).is_multiple_of(run.step));
            end = run.last;
        }
    }

    #[test]
    fn letters_that_people_ask_about() {
        let rows = [
            ('a', 'A'),
            ('é', 'É'),
            ('ÿ', 'Ÿ'),
            ('я', 'Я'),
            ('σ', 'Σ'),
            ('ǆ', 'Ǆ'),
            ('ɐ', 'Ɐ'),
            ('ⅷ', 'Ⅷ'),
            ('ⓐ', 'Ⓐ'),
            ('ｚ', 'Ｚ'),
            ('ⴀ', 'Ⴀ'),
            ('ᾀ', 'ᾈ'),
            // Those that stay.
            ('ß', 'ß'),
            ('ı', 'ı'),
            ('ſ', 'ſ'),
            ('µ', 'µ'),
            ('ς', 'ς'),
            ('ǅ', 'ǅ'),
            ('ẞ', 'ẞ'),
            ('ა', 'ა'),
            ('İ', 'İ'),
            ('ϐ', 'ϐ'),
            ('\u{345}', '\u{345}'),
            ('[', '['),
            ('字', '字'),
        ];
        for (letter, capital) in rows {
            let unit = |letter: char| u16::try_from(u32::from(letter)).expect("one unit");
            assert_eq!(upcase(unit(letter)), unit(capital), "{letter}");
        }
        assert_eq!(upcase(0xD83D), 0xD83D, "half of a pair");
    }
}
