//! Checks and digests of bytes: CRC-32, CRC-64, SHA-1, MD5, MD4.
//!
//! The contexts of the digests lie in the program's memory and have Windows' layouts; what is in their spare fields stays.

use c_interface::{Ptr, exports};
use rtl::crc::{crc32, crc64};
use rtl::digest::{Blocks, Compress, Md4, Md5, Sha1};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `A_SHA_CTX`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct ShaContext {
    spare: [u32; 6],
    state: [u32; 5],
    /// Bytes, the high half first.
    length: [u32; 2],
    rest: [u8; 64],
}

/// `MD5_CTX`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Md5Context {
    /// Bits, the low half first.
    length: [u32; 2],
    state: [u32; 4],
    rest: [u8; 64],
    digest: [u8; 16],
}

/// `MD4_CTX`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Md4Context {
    state: [u32; 4],
    /// Bits, the low half first.
    length: [u32; 2],
    rest: [u8; 64],
    digest: [u8; 16],
}

/// A context as the program has it.
trait Context: FromBytes + IntoBytes + Immutable {
    /// Its digest.
    type State: Compress;
    fn blocks(&self) -> Blocks<Self::State>;
    fn set(&mut self, blocks: Blocks<Self::State>);
}

/// The halves of a number, the low one first.
fn halves(number: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
    [
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    ]
}

fn whole([low, high]: [u32; 2]) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

impl Context for ShaContext {
    type State = Sha1;

    fn blocks(&self) -> Blocks<Sha1> {
        let [high, low] = self.length;
        Blocks {
            state: Sha1(self.state),
            length: whole([low, high]),
            rest: self.rest,
        }
    }

    fn set(&mut self, blocks: Blocks<Sha1>) {
        let [low, high] = halves(blocks.length);
        (self.state, self.length, self.rest) = (blocks.state.0, [high, low], blocks.rest);
    }
}

impl Context for Md5Context {
    type State = Md5;

    fn blocks(&self) -> Blocks<Md5> {
        Blocks {
            state: Md5(self.state),
            length: whole(self.length) / 8,
            rest: self.rest,
        }
    }

    fn set(&mut self, blocks: Blocks<Md5>) {
        self.length = halves(blocks.length.wrapping_mul(8));
        (self.state, self.rest) = (blocks.state.0, blocks.rest);
    }
}

impl Context for Md4Context {
    type State = Md4;

    fn blocks(&self) -> Blocks<Md4> {
        Blocks {
            state: Md4(self.state),
            length: whole(self.length) / 8,
            rest: self.rest,
        }
    }

    fn set(&mut self, blocks: Blocks<Md4>) {
        self.length = halves(blocks.length.wrapping_mul(8));
        (self.state, self.rest) = (blocks.state.0, blocks.rest);
    }
}

fn begin<C: Context>(at: Ptr<C>) {
    let mut context = at.read();
    let rest = context.blocks().rest;
    context.set(Blocks {
        rest,
        ..Blocks::new()
    });
    at.write(context);
}

fn update<C: Context>(at: Ptr<C>, bytes: Ptr<u8>, size: u32) {
    let mut context = at.read();
    let mut blocks = context.blocks();
    blocks.update(bytes.slice(usize::try_from(size).unwrap_or(usize::MAX)));
    context.set(blocks);
    at.write(context);
}

exports! {
    /// The CRC-32 of bytes that follow those of which `before` is the CRC; 0 for none.
    fn RtlComputeCrc32(before: u32, bytes: Ptr<u8>, size: u32) -> u32 {
        crc32(before, bytes.slice(usize::try_from(size).unwrap_or(usize::MAX)))
    }

    /// As `RtlComputeCrc32`, with the arguments in another order.
    fn RtlCrc32(bytes: Ptr<u8>, size: usize, before: u32) -> u32 {
        crc32(before, bytes.slice(size))
    }

    /// The CRC-64 of bytes that follow those of which `before` is the CRC; 0 for none.
    fn RtlCrc64(bytes: Ptr<u8>, size: usize, before: u64) -> u64 {
        crc64(before, bytes.slice(size))
    }

    /// Begins a SHA-1.
    fn A_SHAInit(context: Ptr<ShaContext>) {
        begin(context);
    }

    /// Takes bytes into a SHA-1.
    fn A_SHAUpdate(context: Ptr<ShaContext>, bytes: Ptr<u8>, size: u32) {
        update(context, bytes, size);
    }

    /// Ends a SHA-1; the context begins anew.
    fn A_SHAFinal(context: Ptr<ShaContext>, digest: Ptr<[u8; 20]>) {
        digest.write(context.read().blocks().finish().bytes());
        begin(context);
    }

    /// Begins an MD5.
    fn MD5Init(context: Ptr<Md5Context>) {
        begin(context);
    }

    /// Takes bytes into an MD5.
    fn MD5Update(context: Ptr<Md5Context>, bytes: Ptr<u8>, size: u32) {
        update(context, bytes, size);
    }

    /// Ends an MD5; the digest is in the context.
    fn MD5Final(context: Ptr<Md5Context>) {
        let mut ended = context.read();
        ended.digest = ended.blocks().finish().bytes();
        context.write(ended);
    }

    /// Begins an MD4.
    fn MD4Init(context: Ptr<Md4Context>) {
        begin(context);
    }

    /// Takes bytes into an MD4.
    fn MD4Update(context: Ptr<Md4Context>, bytes: Ptr<u8>, size: u32) {
        update(context, bytes, size);
    }

    /// Ends an MD4; the digest is in the context.
    fn MD4Final(context: Ptr<Md4Context>) {
        let mut ended = context.read();
        ended.digest = ended.blocks().finish().bytes();
        context.write(ended);
    }
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros;

    use super::*;

    fn at(bytes: &[u8]) -> Ptr<u8> {
        Ptr::new(bytes.as_ptr().expose_provenance())
    }

    #[test]
    fn checks_go_on_from_a_value() {
        assert_eq!(RtlComputeCrc32(0, at(b"123456789"), 9), 0xCBF4_3926);
        assert_eq!(
            RtlCrc32(at(b"6789"), 4, RtlCrc32(at(b"12345"), 5, 0)),
            0xCBF4_3926
        );
        assert_eq!(RtlCrc64(at(b"123456789"), 9, 0), 0xAE8B_1486_0A79_9888);
    }

    #[test]
    fn a_sha_context_is_laid_out_as_windows_has_it() {
        let mut context = ShaContext {
            spare: [0xCCCC_CCCC; 6],
            ..ShaContext::new_zeroed()
        };
        let context = Ptr::of(&mut context);
        A_SHAInit(context);
        A_SHAUpdate(context, at(b"abc"), 3);
        // As Wine's context is then.
        let words: [u32; 14] =
            core::array::from_fn(|index| context.cast::<u32>().add(index).read());
        assert_eq!(words[..6], [0xCCCC_CCCC; 6]);
        assert_eq!(
            words[6..13],
            [
                0x6745_2301,
                0xEFCD_AB89,
                0x98BA_DCFE,
                0x1032_5476,
                0xC3D2_E1F0,
                0,
                3
            ]
        );
        assert_eq!(words[13], 0x0063_6261);
        let mut digest = [0; 20];
        A_SHAFinal(context, Ptr::of(&mut digest));
        assert_eq!(digest[..4], [0xA9, 0x99, 0x3E, 0x36]);
        A_SHAFinal(context, Ptr::of(&mut digest));
        assert_eq!(
            digest[..4],
            [0xDA, 0x39, 0xA3, 0xEE],
            "begun anew: that of nothing"
        );
    }

    #[test]
    fn message_digests_end_in_their_contexts() {
        let mut md5 = Md5Context::new_zeroed();
        let at_md5 = Ptr::of(&mut md5);
        MD5Init(at_md5);
        MD5Update(at_md5, at(b"ab"), 2);
        MD5Update(at_md5, at(b"c"), 1);
        assert_eq!(at_md5.read().length, [24, 0]);
        MD5Final(at_md5);
        assert_eq!(md5.digest[..4], [0x90, 0x01, 0x50, 0x98]);
        let mut md4 = Md4Context::new_zeroed();
        let at_md4 = Ptr::of(&mut md4);
        MD4Init(at_md4);
        assert_eq!(at_md4.read().state[0], 0x6745_2301);
        MD4Update(at_md4, at(b"abc"), 3);
        MD4Final(at_md4);
        assert_eq!(md4.digest[..4], [0xA4, 0x48, 0x01, 0x7A]);
        assert_eq!(
            (size_of::<Md5Context>(), size_of::<Md4Context>()),
            (104, 104)
        );
    }
}
