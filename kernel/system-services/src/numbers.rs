//! Numbers in the widths that NT's structures have.

/// A number of 100 ns or of counts as a `LARGE_INTEGER`, which has a sign.
pub(crate) fn large(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A size or an amount as a `ULONG`; what is more than that is the most.
pub(crate) fn long<T: TryInto<u32>>(value: T) -> u32 {
    value.try_into().unwrap_or(u32::MAX)
}

/// A counter as a `ULONG` that wraps, as Windows' do: who takes the difference of two readings gets the right one.
pub(crate) fn wrapped(count: u64) -> u32 {
    (count & 0xFFFF_FFFF) as u32
}
