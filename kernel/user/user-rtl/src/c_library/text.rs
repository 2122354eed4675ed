//! Text that ends with a zero, of bytes or of units: what the functions of both kinds have in common.

use c_interface::Ptr;

use crate::printf::Unit;

/// The small letter of an ASCII capital.
pub(super) const fn fold(unit: u16) -> u16 {
    match unit {
        0x41..=0x5A => unit + 0x20,
        _ => unit,
    }
}

/// The capital of an ASCII letter.
pub(super) const fn capital(unit: u16) -> u16 {
    match unit {
        0x61..=0x7A => unit - 0x20,
        _ => unit,
    }
}

/// A difference as comparisons without regard to case give it for bytes: where addresses have 32 bits, only its sign.
pub(super) const fn as_wide_as_addresses(difference: i32) -> i32 {
    if size_of::<usize>() == 8 {
        difference
    } else {
        difference.signum()
    }
}

/// The unit at a place.
#[inline]
pub(super) fn at<U: Unit>(text: Ptr<U>, index: usize) -> u16 {
    text.add(index).read().into()
}

/// How many units there are before the zero.
#[inline]
pub(super) fn length<U: Unit>(text: Ptr<U>) -> usize {
    length_up_to(text, usize::MAX)
}

/// How many units there are before the zero, but no more than so many; what is behind them is not looked at.
#[inline]
pub(super) fn length_up_to<U: Unit>(text: Ptr<U>, most: usize) -> usize {
    let mut length = 0;
    while length < most && at(text, length) != 0 {
        length += 1;
    }
    length
}

/// The first such unit, which may be the zero; null: there is none.
pub(super) fn find<U: Unit>(text: Ptr<U>, wanted: u16) -> Ptr<U> {
    let mut index = 0;
    loop {
        match at(text, index) {
            unit if unit == wanted => return text.add(index),
            0 => return Ptr::NULL,
            _ => index += 1,
        }
    }
}

/// The last such unit, which may be the zero; null: there is none.
pub(super) fn find_last<U: Unit>(text: Ptr<U>, wanted: u16) -> Ptr<U> {
    let found = (0..=length(text))
        .rev()
        .find(|index| at(text, *index) == wanted);
    found.map_or(Ptr::NULL, |index| text.add(index))
}

/// How far the first units that differ are from each other, after a change of each, within so many.
pub(super) fn compare<U: Unit>(
    left: Ptr<U>,
    right: Ptr<U>,
    most: usize,
    change: fn(u16) -> u16,
) -> i32 {
    for index in 0..most {
        let (own, other) = (change(at(left, index)), change(at(right, index)));
        if own != other {
            return i32::from(own) - i32::from(other);
        }
        if own == 0 {
            break;
        }
    }
    0
}

/// How many units from the beginning on are among a set, or are not.
pub(super) fn span<U: Unit>(text: Ptr<U>, set: Ptr<U>, among: bool) -> usize {
    let mut length = 0;
    loop {
        let unit = at(text, length);
        if unit == 0 || is_among(unit, set) != among {
            return length;
        }
        length += 1;
    }
}

fn is_among<U: Unit>(unit: u16, set: Ptr<U>) -> bool {
    (0..)
        .map(|index| at(set, index))
        .take_while(|other| *other != 0)
        .any(|other| other == unit)
}

/// The first unit that is among a set; null: there is none.
pub(super) fn find_any<U: Unit>(text: Ptr<U>, set: Ptr<U>) -> Ptr<U> {
    let place = text.add(span(text, set, false));
    if at(place, 0) == 0 { Ptr::NULL } else { place }
}

/// Where one text is in another; null: it is not.
pub(super) fn find_text<U: Unit>(text: Ptr<U>, wanted: Ptr<U>) -> Ptr<U> {
    let count = length(wanted);
    let mut index = 0;
    loop {
        if compare(text.add(index), wanted, count, |unit| unit) == 0 {
            return text.add(index);
        }
        if at(text, index) == 0 {
            return Ptr::NULL;
        }
        index += 1;
    }
}

/// Copies text of this length, and a zero.
pub(super) fn copy<U: Unit>(to: Ptr<U>, from: Ptr<U>, count: usize) {
    to.cast::<u8>()
        .copy_from(from.cast(), count * size_of::<U>());
    end(to.add(count));
}

/// Writes a zero.
pub(super) fn end<U: Unit>(place: Ptr<U>) {
    place.write(U::from(0));
}

/// Copies as much as there is of text, and fills up with zeros.
pub(super) fn copy_filled<U: Unit>(to: Ptr<U>, from: Ptr<U>, count: usize) {
    let own = length_up_to(from, count);
    to.cast::<u8>().copy_from(from.cast(), own * size_of::<U>());
    to.add(own)
        .cast::<u8>()
        .fill(0, (count - own) * size_of::<U>());
}

/// Changes each unit in its place.
pub(super) fn change<U: Unit>(text: Ptr<U>, change: impl Fn(U) -> U) {
    for index in 0..length(text) {
        let place = text.add(index);
        place.write(change(place.read()));
    }
}

/// The next word of a text that is cut into words by units of a set: from a text, or from where the last call stopped.
pub(super) fn token<U: Unit>(text: Ptr<U>, set: Ptr<U>, rest: Ptr<Ptr<U>>) -> Ptr<U> {
    let rest = rest.cast::<usize>();
    let Some(start) = text.non_null().or_else(|| Ptr::new(rest.read()).non_null()) else {
        return Ptr::NULL;
    };
    let word = start.add(span(start, set, true));
    if at(word, 0) == 0 {
        rest.write(word.address());
        return Ptr::NULL;
    }
    let behind = word.add(span(word, set, false));
    if at(behind, 0) == 0 {
        rest.write(behind.address());
    } else {
        end(behind);
        rest.write(behind.add(1).address());
    }
    word
}
