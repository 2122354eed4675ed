//! Strings made unreadable at a glance: each byte is combined with the one before it and a seed. It protects nothing.

use c_interface::{Ptr, exports};
use nt_abi::native::UnicodeString;

/// What the first byte is combined with, beside the seed.
const FIRST: u8 = 0x43;

exports! {
    /// Scrambles a string in place. A seed of 0 is replaced by another one.
    ///
    /// # Differs
    /// Windows takes the new seed from the clock; here it is 1.
    fn RtlRunEncodeUnicodeString(seed: Ptr<u8>, string: Ptr<UnicodeString>) {
        if seed.read() == 0 {
            seed.write(1);
        }
        let seed = seed.read();
        let string = string.read();
        let text = Ptr::<u8>::at(string.buffer);
        let mut before = FIRST | seed;
        for index in 0..usize::from(string.length) {
            let place = text.byte_add(index);
            let scrambled = place.read() ^ before;
            place.write(scrambled);
            before = scrambled ^ seed;
        }
    }

    /// Takes back what `RtlRunEncodeUnicodeString` did.
    fn RtlRunDecodeUnicodeString(seed: u8, string: Ptr<UnicodeString>) {
        let string = string.read();
        let text = Ptr::<u8>::at(string.buffer);
        let mut before = FIRST | seed;
        for index in 0..usize::from(string.length) {
            let place = text.byte_add(index);
            let scrambled = place.read();
            place.write(scrambled ^ before);
            before = scrambled ^ seed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{contents, unicode};
    use super::*;

    #[test]
    fn what_was_scrambled_comes_back() {
        for seed in [0, 1, 0x43, 0xFF] {
            let string = unicode("password", 16);
            let mut used = seed;
            RtlRunEncodeUnicodeString(Ptr::of(&mut used), string.ptr());
            assert_ne!(used, 0);
            assert_ne!(string.whole()[0], u16::from(b'p'));
            RtlRunDecodeUnicodeString(used, string.ptr());
            assert_eq!(contents(&string.get()), "password");
        }
    }
}
