//! The two pointer widths as types, for code that is written once and runs on either: a WoW64 thunk, a capture of a structure.

/// A pointer width.
pub trait Width {
    /// A pointer or handle of this width, as a number: it comes from a program and proves nothing.
    type Pointer: Copy + Into<u64> + TryFrom<u64>;

    /// How wide a pointer is, in bytes.
    const POINTER_BYTES: usize;

    /// The structure `T` in this width, whichever of its two forms `T` is.
    type Of<T: BothWidths>;
}

/// A structure that exists in both widths.
pub trait BothWidths {
    /// Its form with 64-bit pointers.
    type W64;
    /// Its form with 32-bit pointers.
    type W32;
}

/// 64-bit pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct W64;

/// 32-bit pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct W32;

impl Width for W64 {
    type Pointer = u64;
    const POINTER_BYTES: usize = 8;
    type Of<T: BothWidths> = T::W64;
}

impl Width for W32 {
    type Pointer = u32;
    const POINTER_BYTES: usize = 4;
    type Of<T: BothWidths> = T::W32;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{w32, w64};

    fn bytes<T: BothWidths, W: Width>() -> usize {
        size_of::<W::Of<T>>()
    }

    #[test]
    fn generic_code_finds_both_forms() {
        assert_eq!(bytes::<w64::UnicodeString, W32>(), 8);
        assert_eq!(bytes::<w32::UnicodeString, W64>(), 16);
        assert_eq!(size_of::<<W32 as Width>::Pointer>(), W32::POINTER_BYTES);
        assert_eq!(size_of::<<W64 as Width>::Pointer>(), W64::POINTER_BYTES);
    }
}
