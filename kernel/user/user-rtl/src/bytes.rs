//! Numbers with their bytes the other way round.
//!
//! The 32-bit x86 ntdll has them as `__fastcall`: the number in ECX, for the 64-bit one on the stack. Its entries pass it on.

use c_interface::exports;

exports! {
    /// The two bytes exchanged.
    fn RtlUshortByteSwap(number: u16) -> u16 {
        number.swap_bytes()
    }

    /// The four bytes the other way round.
    fn RtlUlongByteSwap(number: u32) -> u32 {
        number.swap_bytes()
    }

    /// The eight bytes the other way round.
    fn RtlUlonglongByteSwap(number: u64) -> u64 {
        number.swap_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_turned_round() {
        assert_eq!(RtlUshortByteSwap(0x1234), 0x3412);
        assert_eq!(RtlUlongByteSwap(0x1234_5678), 0x7856_3412);
        assert_eq!(
            RtlUlonglongByteSwap(0x0123_4567_89AB_CDEF),
            0xEFCD_AB89_6745_2301
        );
    }
}
