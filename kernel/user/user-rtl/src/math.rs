//! C's functions of numbers with a fraction, as ntdll has them; the work is the crate `libm`'s.
//!
//! The 32-bit x86 ntdll has some of them twice: `_CIcos`, `_CIlog`, `_CIpow`, `_CIsin` and `_CIsqrt` take their arguments in
//! x87 registers. Its entries store them and call the ones here.

use c_interface::exports;

exports! {
    /// The absolute value of a number.
    cdecl fn abs(number: i32) -> i32 {
        number.wrapping_abs()
    }

    /// The absolute value of a number.
    cdecl fn labs(number: i32) -> i32 {
        number.wrapping_abs()
    }

    /// The absolute value.
    cdecl fn fabs(number: f64) -> f64 {
        libm::fabs(number)
    }

    /// The nearest whole number that is not larger.
    cdecl fn floor(number: f64) -> f64 {
        libm::floor(number)
    }

    /// The nearest whole number that is not smaller.
    cdecl fn ceil(number: f64) -> f64 {
        libm::ceil(number)
    }

    /// The square root.
    cdecl fn sqrt(number: f64) -> f64 {
        libm::sqrt(number)
    }

    /// The sine of an angle in radians.
    cdecl fn sin(angle: f64) -> f64 {
        libm::sin(angle)
    }

    /// The cosine of an angle in radians.
    cdecl fn cos(angle: f64) -> f64 {
        libm::cos(angle)
    }

    /// The tangent of an angle in radians.
    cdecl fn tan(angle: f64) -> f64 {
        libm::tan(angle)
    }

    /// The angle in radians whose tangent a number is.
    cdecl fn atan(number: f64) -> f64 {
        libm::atan(number)
    }

    /// The angle in radians of a point, from -π to π.
    cdecl fn atan2(y: f64, x: f64) -> f64 {
        libm::atan2(y, x)
    }

    /// The power of e.
    cdecl fn exp(exponent: f64) -> f64 {
        libm::exp(exponent)
    }

    /// The natural logarithm.
    cdecl fn log(number: f64) -> f64 {
        libm::log(number)
    }

    /// The logarithm to the base 10.
    cdecl fn log10(number: f64) -> f64 {
        libm::log10(number)
    }

    /// The power of a number.
    cdecl fn pow(base: f64, exponent: f64) -> f64 {
        libm::pow(base, exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hosts' C library is the judge: both are right to the last bit or next to it.
    fn near(left: f64, right: f64) -> bool {
        left == right
            || left.is_nan() && right.is_nan()
            || left.to_bits().abs_diff(right.to_bits()) <= 1
    }

    #[test]
    fn the_hosts_library_says_the_same() {
        extern crate std;
        for number in [
            0.0,
            -0.0,
            1.0,
            -1.5,
            0.1,
            1e-300,
            123.456,
            1e10,
            -7.0,
            f64::INFINITY,
            f64::NAN,
        ] {
            for (ours, theirs) in [
                (sin(number), number.sin()),
                (cos(number), number.cos()),
                (tan(number), number.tan()),
                (atan(number), number.atan()),
                (exp(number), number.exp()),
                (log(number), number.ln()),
                (log10(number), number.log10()),
                (sqrt(number), number.sqrt()),
                (floor(number), number.floor()),
                (ceil(number), number.ceil()),
                (fabs(number), number.abs()),
                (pow(number, 2.5), number.powf(2.5)),
                (atan2(number, -2.0), number.atan2(-2.0)),
            ] {
                assert!(near(ours, theirs), "{number}: {ours} {theirs}");
            }
        }
    }

    #[test]
    fn the_smallest_number_has_no_absolute_value() {
        assert_eq!((abs(-5), labs(5), abs(i32::MIN)), (5, 5, i32::MIN));
    }
}
