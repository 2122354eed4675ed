//! Names of types.

use core::fmt;

/// A number for a name, the same in all images.
///
/// # NT
/// What `type_info::hash_code` gives: Fowler, Noll and Vo's hash (FNV-1a) in the width of an address, whose halves are
/// mixed where it has 64 bits.
pub fn hash(name: &[u8]) -> usize {
    if size_of::<usize>() == 4 {
        let hash = name.iter().fold(0x811C_9DC5_u32, |hash, &byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        return usize::try_from(hash).unwrap_or(0);
    }
    let hash = name.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    usize::try_from(hash ^ hash >> 32).unwrap_or(0)
}

/// Writes a type's name as people write it.
///
/// # Errors
/// Those of writing.
pub fn readable(name: &[u8], out: &mut impl fmt::Write) -> fmt::Result {
    name.iter().try_for_each(|&byte| out.write_char(char::from(byte)))
}
