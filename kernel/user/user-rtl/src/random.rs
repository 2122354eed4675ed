//! Random numbers of 31 bits, from a seed of the caller's. Nothing that has to be secret may come from here.
//!
//! `RtlUniform` is Lehmer's generator with a multiplier of -19 modulo 2^31 - 1, and with Windows' own way of reducing:
//! modulo 2^32 first, then odd numbers up and even numbers down.
//!
//! `RtlRandom` shuffles what that gives: a table of numbers, of which each call takes one and puts a new one in its place
//! (MacLaren and Marsaglia, "Uniform Random Number Generators", 1965). The table is the process's, so what a seed gives
//! depends on who asked before, as in Windows; the numbers that it begins with are other ones than there.

use core::sync::atomic::{AtomicU32, Ordering};

use c_interface::{Ptr, exports};

const LARGEST: u32 = 0x7FFF_FFFF;

/// The number after a number.
const fn next(seed: u32) -> u32 {
    let number = seed.wrapping_mul(0xFFFF_FFED).wrapping_add(0x7FFF_FFC3);
    match number {
        0x7FFF_FFFE | 0x7FFF_FFFF => 0,
        0xFFFF_FFFF => 1,
        ..=LARGEST => number | 1,
        _ => number.wrapping_add(number & 1) & LARGEST,
    }
}

const ENTRIES: usize = 128;

const fn first_numbers() -> [AtomicU32; ENTRIES] {
    let mut numbers = [const { AtomicU32::new(0) }; ENTRIES];
    let mut number = 0x2545_F491;
    let mut index = 0;
    while index < ENTRIES {
        number = next(number);
        numbers[index] = AtomicU32::new(number);
        index += 1;
    }
    numbers
}

static NUMBERS: [AtomicU32; ENTRIES] = first_numbers();
/// The number that the last call of `RtlRandomEx` gave: it says which one comes next.
static LAST: AtomicU32 = AtomicU32::new(0x7FFF_FFA5);

/// Takes the number in a place that another number says, and puts a new one there.
fn exchange(place: u32, new: u32) -> u32 {
    let place = usize::from(place.to_le_bytes()[0]) % ENTRIES;
    NUMBERS[place].swap(new, Ordering::Relaxed)
}

exports! {
    /// The number after the seed, less than 2^31 - 1; it becomes the seed.
    fn RtlUniform(seed: Ptr<u32>) -> u32 {
        let number = next(seed.read());
        seed.write(number);
        number
    }

    /// A random number less than 2^31 - 1; the seed goes on two steps.
    fn RtlRandom(seed: Ptr<u32>) -> u32 {
        let new = next(seed.read());
        let place = next(new);
        seed.write(place);
        exchange(new, place)
    }

    /// As `RtlRandom`, in one step.
    fn RtlRandomEx(seed: Ptr<u32>) -> u32 {
        let new = next(seed.read());
        seed.write(new);
        let number = exchange(LAST.load(Ordering::Relaxed), new);
        LAST.store(number, Ordering::Relaxed);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_windows() {
        // As Wine gives them, whose own tests have run on Windows.
        let mut seed = 0;
        let seed_at = Ptr::of(&mut seed);
        for number in [
            0x7FFF_FFC3,
            0x44B,
            0x7FFF_AE33,
            0x6_11FB,
            0x7F8C_AA23,
            0x88F_5F2B,
        ] {
            assert_eq!(RtlUniform(seed_at), number);
            assert_eq!(seed_at.read(), number);
        }
        for (seed, number) in [
            (1, 0x7FFF_FFB1),
            (2, 0x7FFF_FF9D),
            (0x7FFF_FFFF, 0x7FFF_FFD6),
            (0x8000_0000, 0x7FFF_FFC4),
            (0xFFFF_FFFF, 0x7FFF_FFD7),
            (0x1234_5678, 0x261D_94DB),
            (0x7FFF_FFFE, 0x7FFF_FFEA),
            (0xFFFF_FFFE, 0x7FFF_FFE9),
        ] {
            seed_at.write(seed);
            assert_eq!(RtlUniform(seed_at), number, "{seed:#x}");
        }
    }

    #[test]
    fn random_numbers_are_spread() {
        for generator in [|seed| RtlRandom(seed), |seed| RtlRandomEx(seed)] {
            let mut seed = 12345;
            let mut buckets = [0u32; 16];
            for _ in 0..16_000 {
                let number = generator(Ptr::of(&mut seed));
                assert!(number <= LARGEST);
                buckets[number as usize >> 27] += 1;
            }
            assert!(
                buckets.iter().all(|count| (800..1200).contains(count)),
                "{buckets:?}"
            );
        }
    }

    #[test]
    fn a_seed_goes_on_as_documented() {
        let mut seed = 0;
        RtlRandom(Ptr::of(&mut seed));
        assert_eq!(seed, 0x44B, "two steps");
        seed = 0;
        RtlRandomEx(Ptr::of(&mut seed));
        assert_eq!(seed, 0x7FFF_FFC3, "one step");
    }
}
