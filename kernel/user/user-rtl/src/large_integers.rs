//! Numbers of 64 bits for compilers that have none: exports of the 32-bit ntdll.

use c_interface::{Ptr, exports};

/// A shift by more than 63 bits is one by the rest.
fn places(count: u8) -> u32 {
    u32::from(count) & 63
}

/// The high half of a product.
fn high_of_product(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    u64::try_from(product >> 64).unwrap_or_default()
}

exports! {
    /// The sum.
    fn RtlLargeIntegerAdd(left: i64, right: i64) -> i64 {
        left.wrapping_add(right)
    }

    /// The difference.
    fn RtlLargeIntegerSubtract(left: i64, right: i64) -> i64 {
        left.wrapping_sub(right)
    }

    /// The number with the other sign.
    fn RtlLargeIntegerNegate(number: i64) -> i64 {
        number.wrapping_neg()
    }

    /// The number shifted up; of the count 6 bits matter.
    fn RtlLargeIntegerShiftLeft(number: i64, count: u8) -> i64 {
        number << places(count)
    }

    /// The number shifted down, with zeros from above; of the count 6 bits matter.
    fn RtlLargeIntegerShiftRight(number: u64, count: u8) -> u64 {
        number >> places(count)
    }

    /// The number shifted down, with its sign from above; of the count 6 bits matter.
    fn RtlLargeIntegerArithmeticShift(number: i64, count: u8) -> i64 {
        number >> places(count)
    }

    /// A signed 32-bit number as a 64-bit one.
    fn RtlConvertLongToLargeInteger(number: i32) -> i64 {
        i64::from(number)
    }

    /// An unsigned 32-bit number as a 64-bit one.
    fn RtlConvertUlongToLargeInteger(number: u32) -> u64 {
        u64::from(number)
    }

    /// The product of signed 32-bit numbers.
    fn RtlEnlargedIntegerMultiply(left: i32, right: i32) -> i64 {
        i64::from(left) * i64::from(right)
    }

    /// The product of unsigned 32-bit numbers.
    fn RtlEnlargedUnsignedMultiply(left: u32, right: u32) -> u64 {
        u64::from(left) * u64::from(right)
    }

    /// The product of a signed 64-bit and a signed 32-bit number, its lower 64 bits.
    fn RtlExtendedIntegerMultiply(left: i64, right: i32) -> i64 {
        left.wrapping_mul(i64::from(right))
    }

    /// The lower 32 bits of a quotient, and the remainder.
    ///
    /// # Panics
    /// For a divisor of 0, as the processor's own division.
    fn RtlEnlargedUnsignedDivide(dividend: u64, divisor: u32, remainder: Ptr<u32>) -> u32 {
        let divisor = u64::from(divisor);
        let low = |number: u64| u32::try_from(number & 0xFFFF_FFFF).unwrap_or_default();
        remainder.write_optional(low(dividend % divisor));
        low(dividend / divisor)
    }

    /// The quotient by a 32-bit number, and the remainder, which has the dividend's sign.
    ///
    /// # Panics
    /// For a divisor of 0, as the processor's own division.
    fn RtlExtendedLargeIntegerDivide(dividend: i64, divisor: u32, remainder: Ptr<i32>) -> i64 {
        let divisor = i64::from(divisor);
        let [a, b, c, d, ..] = (dividend % divisor).to_le_bytes();
        remainder.write_optional(i32::from_le_bytes([a, b, c, d]));
        dividend / divisor
    }

    /// The quotient, and the remainder, of numbers without sign.
    ///
    /// # Panics
    /// For a divisor of 0, as the processor's own division.
    fn RtlLargeIntegerDivide(dividend: u64, divisor: u64, remainder: Ptr<u64>) -> u64 {
        remainder.write_optional(dividend % divisor);
        dividend / divisor
    }

    /// The quotient by a number of which the caller has the reciprocal: a fraction of 2^64, and how far to shift.
    fn RtlExtendedMagicDivide(dividend: i64, reciprocal: u64, shift: u8) -> i64 {
        let quotient = high_of_product(dividend.unsigned_abs(), reciprocal) >> places(shift);
        let quotient = quotient.cast_signed();
        if dividend < 0 { quotient.wrapping_neg() } else { quotient }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_divides() {
        // As Wine gives them: 2/3 * 2^64, shifted by 1, divides by 3.
        for (dividend, quotient) in [
            (3, 1),
            (-3, -1),
            (0x0333_3333_3333_333F, 0x0111_1111_1111_1115),
            (i64::MAX, 0x2AAA_AAAA_AAAA_AAAA),
            (i64::MIN, -0x2AAA_AAAA_AAAA_AAAA),
            (1, 0),
            (0, 0),
        ] {
            assert_eq!(
                RtlExtendedMagicDivide(dividend, 0xAAAA_AAAA_AAAA_AAAB, 1),
                quotient
            );
        }
        // The reciprocal of 10,000 that wdm.h's kin have: 100 ns to milliseconds.
        assert_eq!(
            RtlExtendedMagicDivide(1_000_000, 0xD1B7_1758_E219_652C, 13),
            100
        );
        assert_eq!(
            RtlExtendedMagicDivide(-1_000_000, 0xD1B7_1758_E219_652C, 13),
            -100
        );
    }

    #[test]
    fn quotients_and_remainders() {
        let mut rest = 0;
        assert_eq!(RtlExtendedLargeIntegerDivide(-7, 2, Ptr::of(&mut rest)), -3);
        assert_eq!(rest, -1);
        let mut rest = 0;
        assert_eq!(
            RtlEnlargedUnsignedDivide(0x123_4567_89AB, 0x1000, Ptr::of(&mut rest)),
            0x1234_5678
        );
        assert_eq!(rest, 0x9AB);
        let mut rest = 9;
        assert_eq!(
            RtlLargeIntegerDivide(0xFFFF_FFFF_FFFF_FFF0, 3, Ptr::of(&mut rest)),
            0x5555_5555_5555_5550
        );
        assert_eq!(rest, 0);
        assert_eq!(RtlLargeIntegerDivide(10, 3, Ptr::NULL), 3);
    }

    #[test]
    fn shifts_and_products() {
        assert_eq!(
            (
                RtlLargeIntegerShiftLeft(1, 65),
                RtlLargeIntegerShiftLeft(1, 64)
            ),
            (2, 1)
        );
        assert_eq!(RtlLargeIntegerArithmeticShift(-256, 4), -16);
        assert_eq!(
            RtlLargeIntegerShiftRight(0xFFFF_FFFF_FFFF_FF00, 4),
            0x0FFF_FFFF_FFFF_FFF0
        );
        assert_eq!(RtlExtendedIntegerMultiply(1 << 32, -3), -(3 << 32));
        assert_eq!(RtlEnlargedIntegerMultiply(i32::MIN, -1), 1 << 31);
        assert_eq!(
            RtlEnlargedUnsignedMultiply(u32::MAX, u32::MAX),
            0xFFFF_FFFE_0000_0001
        );
        assert_eq!(RtlLargeIntegerNegate(i64::MIN), i64::MIN);
        assert_eq!(RtlConvertLongToLargeInteger(-1), -1);
        assert_eq!(RtlConvertUlongToLargeInteger(u32::MAX), 0xFFFF_FFFF);
        assert_eq!(RtlLargeIntegerAdd(i64::MAX, 1), i64::MIN);
        assert_eq!(RtlLargeIntegerSubtract(1, 2), -1);
    }
}
