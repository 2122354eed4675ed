//! Lists of physical ranges in fixed space: sorted, disjoint, never touching.
//!
//! Firmware lists ranges in any order, overlapping and in odd sizes. Each range
//! is merged with all that it touches at the moment it is inserted, so the list
//! is in order after every step and a list that repeats itself needs no space.
//! Rounding differs by meaning and so does its moment: reserved ranges grow
//! outwards before they go in; usable memory shrinks inwards only when the list
//! is complete, since two entries that share a page may have all of it together.

use arrayvec::ArrayVec;

use crate::discovery_error::DiscoveryError;
use crate::loader_block::{MAX_MEMORY_RANGES, PHYSICAL_ADDRESS_LIMIT, PhysRange};

/// Bytes in a page, on every machine that Tarn runs on.
const PAGE: u64 = 4096;

/// Ranges as a loader block holds them.
pub(crate) type RangeList = ArrayVec<PhysRange, MAX_MEMORY_RANGES>;

/// Adds `start..start + length`, cut off at the end of physical addresses, and
/// merges it with every range that it overlaps or touches.
///
/// # Errors
///
/// [`DiscoveryError::TooMany`] with `what` if it stands alone in a full list.
pub(crate) fn insert(
    list: &mut RangeList,
    range: PhysRange,
    what: &'static str,
) -> Result<(), DiscoveryError> {
    let mut range = PhysRange {
        start: range.start,
        end: range.end.min(PHYSICAL_ADDRESS_LIMIT),
    };
    if range.is_empty() {
        return Ok(());
    }
    // The list is sorted and disjoint, so what the range touches is one run of it.
    let first = list.iter().take_while(|old| old.end < range.start).count();
    let touched = list
        .iter()
        .skip(first)
        .take_while(|old| old.start <= range.end)
        .count();
    let behind = first.saturating_add(touched);
    if let (Some(low), Some(high)) = (list.get(first), list.get(behind.wrapping_sub(1)))
        && touched > 0
    {
        range = PhysRange {
            start: range.start.min(low.start),
            end: range.end.max(high.end),
        };
        list.drain(first..behind);
    }
    list.try_insert(first, range)
        .map_err(|_| DiscoveryError::TooMany {
            what,
            limit: MAX_MEMORY_RANGES,
        })
}

/// The smallest range of whole pages that holds all of `range`.
pub(crate) fn outwards(range: PhysRange) -> PhysRange {
    let end = match range.end.checked_next_multiple_of(PAGE) {
        Some(end) => end,
        None => PHYSICAL_ADDRESS_LIMIT,
    };
    PhysRange {
        start: range.start & !(PAGE - 1),
        end,
    }
}

/// Shrinks each range to the whole pages inside it and drops those without one.
pub(crate) fn round_inwards(list: &mut RangeList) {
    for range in list.iter_mut() {
        range.start = range.start.next_multiple_of(PAGE);
        range.end &= !(PAGE - 1);
    }
    list.retain(|range| !range.is_empty());
}
