//! Sizes: of pages, of headers, of the front end's buckets, of the back end's bins.

/// A page, in bytes.
pub(crate) const PAGE: usize = 0x1000;
/// Its shift.
pub(crate) const PAGE_SHIFT: u32 = 12;
/// What reservations begin at and are multiples of.
pub(crate) const UNIT: usize = 0x1_0000;
/// `MEMORY_ALLOCATION_ALIGNMENT`: what blocks begin at multiples of; 16 or 8 bytes.
pub(crate) const GRANULE: usize = 2 * size_of::<usize>();
/// Its shift.
pub(crate) const GRANULE_SHIFT: u32 = GRANULE.trailing_zeros();

/// Bytes before a small block.
pub(crate) const SMALL_HEADER: usize = 8;
/// Bytes before a block of the back end.
pub(crate) const BLOCK_HEADER: usize = 16;
/// Bytes before a large block. Windows' large blocks begin so far behind a page, too.
pub(crate) const LARGE_HEADER: usize = 4 * GRANULE;

/// The largest total (header and bytes) whose bucket is the total itself, in granules.
pub(crate) const LINEAR_END: usize = 64 * GRANULE;
/// The largest total that the front end serves.
pub(crate) const SMALL_END: usize = 0x4000;
/// How many buckets there are; bucket 0 is none.
pub(crate) const BUCKETS: usize = 65 + 8 * (SMALL_END / LINEAR_END).trailing_zeros() as usize;

/// The bucket of a total, which is at least a granule and at most [`SMALL_END`].
///
/// Above the linear ones there are eight for each doubling, so an eighth of a block is lost at most.
#[inline]
pub(crate) fn bucket_of(total: usize) -> usize {
    if total <= LINEAR_END {
        return total >> GRANULE_SHIFT;
    }
    let last = total - 1;
    let shift = last.ilog2();
    let eighth = (last >> (shift - 3)) & 7;
    65 + (((shift - LINEAR_END.ilog2()) as usize) << 3) + eighth
}

/// How far apart a bucket's blocks are, in bytes.
pub(crate) fn stride_of(bucket: usize) -> usize {
    if bucket <= 64 {
        return bucket << GRANULE_SHIFT;
    }
    let index = bucket - 65;
    let base = LINEAR_END << (index >> 3);
    base + ((index & 7) + 1) * (base >> 3)
}

/// How many bins the back end's free blocks are in.
pub(crate) const BINS: usize = 240;

/// The bin of a free block of so many granules: one for each size below eight, then eight for each doubling.
#[inline]
pub(crate) fn bin_of(granules: u32) -> usize {
    if granules < 8 {
        return granules as usize;
    }
    let shift = granules.ilog2();
    (((shift - 2) << 3) + ((granules >> (shift - 3)) & 7)) as usize
}

/// Rounds down to a power of two.
#[inline(always)]
pub(crate) const fn down(value: usize, to: usize) -> usize {
    value & !(to - 1)
}

/// Rounds up to a power of two; wraps at the end of memory.
#[inline(always)]
pub(crate) const fn up(value: usize, to: usize) -> usize {
    down(value.wrapping_add(to - 1), to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_total_has_the_smallest_bucket_that_holds_it() {
        for total in (GRANULE..=SMALL_END).step_by(GRANULE) {
            let bucket = bucket_of(total);
            assert!(bucket < BUCKETS, "{total}");
            assert!(stride_of(bucket) >= total, "{total}");
            assert!(
                bucket == 1 || stride_of(bucket - 1) < total,
                "{total} fits into bucket {}",
                bucket - 1
            );
            assert_eq!(stride_of(bucket) % GRANULE, 0);
        }
        assert_eq!(stride_of(BUCKETS - 1), SMALL_END);
    }

    #[test]
    fn bins_grow_with_the_size() {
        let mut last = 0;
        for granules in (1..5000).chain([1 << 20, (1 << 20) + (1 << 17), u32::MAX / 2, u32::MAX]) {
            let bin = bin_of(granules);
            assert!(bin >= last && bin < BINS, "{granules}");
            last = bin;
        }
        assert_eq!(bin_of(u32::MAX), BINS - 1);
    }
}
