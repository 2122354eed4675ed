//! Access masks, and lists of privileges.

use c_interface::{Ptr, exports};
use nt_abi::security::{AccessMask, GenericMapping, Luid, LuidAndAttributes};

use super::room;

exports! {
    /// Replaces generic rights by what they mean.
    fn RtlMapGenericMask(mask: Ptr<AccessMask>, mapping: Ptr<GenericMapping>) {
        mask.write(mapping.read().map(mask.read()));
    }

    /// Whether all wanted rights are granted (`BOOLEAN`).
    fn RtlAreAllAccessesGranted(granted: u32, wanted: u32) -> u8 {
        u8::from(granted & wanted == wanted)
    }

    /// Whether one of the wanted rights is granted (`BOOLEAN`).
    fn RtlAreAnyAccessesGranted(granted: u32, wanted: u32) -> u8 {
        u8::from(granted & wanted != 0)
    }

    /// Copies an identifier.
    fn RtlCopyLuid(to: Ptr<Luid>, from: Ptr<Luid>) {
        to.write(from.read());
    }

    /// Whether two identifiers are the same (`BOOLEAN`).
    fn RtlEqualLuid(left: Ptr<Luid>, right: Ptr<Luid>) -> u8 {
        u8::from(left.read() == right.read())
    }

    /// Copies privileges.
    fn RtlCopyLuidAndAttributesArray(count: u32, from: Ptr<LuidAndAttributes>, to: Ptr<LuidAndAttributes>) {
        let bytes = room(count).saturating_mul(size_of::<LuidAndAttributes>());
        to.cast::<u8>().copy_from(from.cast(), bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generic_rights_become_specific_ones() {
        let mut mapping = GenericMapping {
            generic_read: AccessMask(1),
            generic_write: AccessMask(2),
            generic_execute: AccessMask(4),
            generic_all: AccessMask(0xF),
        };
        for (asked, expected) in [
            (0x8000_0000, 1),
            (0x6000_0100, 0x106),
            (0x1000_0000, 0xF),
            (0x55, 0x55),
        ] {
            let mut mask = AccessMask(asked);
            RtlMapGenericMask(Ptr::of(&mut mask), Ptr::of(&mut mapping));
            assert_eq!(mask.0, expected);
        }
    }

    #[test]
    fn granted_is_all_or_any() {
        assert_eq!(
            (
                RtlAreAllAccessesGranted(5, 4),
                RtlAreAllAccessesGranted(5, 6)
            ),
            (1, 0)
        );
        assert_eq!(
            (
                RtlAreAnyAccessesGranted(5, 6),
                RtlAreAnyAccessesGranted(5, 2)
            ),
            (1, 0)
        );
        assert_eq!(
            (
                RtlAreAllAccessesGranted(0, 0),
                RtlAreAnyAccessesGranted(0, 0)
            ),
            (1, 0)
        );
    }

    #[test]
    fn identifiers_have_two_halves() {
        let mut luid = Luid { low: 1, high: 2 };
        let mut copy = Luid::default();
        let (luid, copy) = (Ptr::of(&mut luid), Ptr::of(&mut copy));
        assert_eq!(RtlEqualLuid(luid, copy), 0);
        RtlCopyLuid(copy, luid);
        assert_eq!(RtlEqualLuid(luid, copy), 1);
        copy.write(Luid { low: 1, high: 3 });
        assert_eq!(RtlEqualLuid(luid, copy), 0);
    }
}
