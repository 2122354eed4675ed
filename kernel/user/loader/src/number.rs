//! Conversions between widths that say what they keep.

/// A number of an image as an index: on every machine that there is, 32 bits fit.
#[inline]
pub(crate) const fn index(value: u32) -> usize {
    value as usize
}

/// The lower half of a number.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "it is what this is for")]
pub(crate) const fn low32(value: u64) -> u32 {
    value as u32
}

/// A count as 32 bits; the largest number if it does not fit.
#[inline]
pub(crate) fn saturating(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
