//! Compressing and decompressing buffers; the formats are in [`rtl::compression`].
//!
//! What an algorithm needs beside its buffers is in a workspace of the caller's, whose size he asked for.
//!
//! # Differs
//! XPRESS and XPRESS with Huffman are read, not written.

use c_interface::{Ptr, exports};
use nt_abi::{NtResult, NtStatus};
use rtl::compression::huffman::Codes;
use rtl::compression::lznt1_encoder::{Engine, SCRATCH};
use rtl::compression::{huffman, lznt1, lznt1_encoder, xpress};

/// `COMPRESSION_FORMAT_*`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Lznt1,
    Xpress,
    XpressHuffman,
}

impl Format {
    /// The format of a number, whose upper half is the engine.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for none and the default, `UNSUPPORTED_COMPRESSION` for one that is not known.
    fn new(number: u16) -> NtResult<Self> {
        match number & 0xFF {
            0 | 1 => Err(NtStatus::INVALID_PARAMETER),
            2 => Ok(Self::Lznt1),
            3 => Ok(Self::Xpress),
            4 => Ok(Self::XpressHuffman),
            _ => Err(NtStatus::UNSUPPORTED_COMPRESSION),
        }
    }
}

/// `COMPRESSION_ENGINE_*`.
fn engine(number: u16) -> NtResult<Engine> {
    match number & 0xFF00 {
        0 => Ok(Engine::Standard),
        0x100 => Ok(Engine::Maximum),
        _ => Err(NtStatus::NOT_SUPPORTED),
    }
}

/// The workspace may begin at an odd address; what is in it is made of 16-bit words.
fn aligned<T>(workspace: Ptr<u8>) -> Ptr<T> {
    workspace.byte_add(workspace.address() % 2).cast()
}

/// The size of a workspace for so many bytes.
const fn with_alignment(bytes: usize) -> usize {
    bytes + 2
}

/// A buffer of a caller's.
#[derive(Clone, Copy)]
struct Buffer {
    at: Ptr<u8>,
    size: u32,
}

impl Buffer {
    fn size(self) -> usize {
        usize::try_from(self.size).unwrap_or(usize::MAX)
    }

    fn bytes<'a>(self) -> &'a [u8] {
        self.at.slice(self.size())
    }

    fn bytes_mut<'a>(self) -> &'a mut [u8] {
        self.at.slice_mut(self.size())
    }
}

/// Writes how much came of it.
fn answer(result: NtResult<usize>, length: Ptr<u32>) -> NtStatus {
    match result {
        Ok(bytes) => {
            // Not more than a buffer has.
            length.write_optional(u32::try_from(bytes).unwrap_or(u32::MAX));
            NtStatus::SUCCESS
        }
        Err(status) => status,
    }
}

/// The sizes of the workspaces for compressing, and for decompressing a part or with a workspace.
fn workspace_sizes(number: u16) -> NtResult<[usize; 2]> {
    let format = Format::new(number)?;
    engine(number)?;
    Ok(match format {
        Format::Lznt1 => [with_alignment(2 * SCRATCH), lznt1::CHUNK],
        Format::Xpress => [0, lznt1::CHUNK],
        Format::XpressHuffman => [0, with_alignment(size_of::<Codes>())],
    })
}

fn compress(number: u16, from: Buffer, to: Buffer, workspace: Ptr<u8>) -> NtResult<usize> {
    let format = Format::new(number)?;
    let engine = engine(number)?;
    if format != Format::Lznt1 {
        return Err(NtStatus::UNSUPPORTED_COMPRESSION);
    }
    let [scratch] = aligned::<[u16; SCRATCH]>(workspace).slice_mut(1) else {
        return Err(NtStatus::INVALID_PARAMETER);
    };
    lznt1_encoder::compress(from.bytes(), to.bytes_mut(), engine, scratch)
}

/// Decompresses; without a workspace if the format needs none.
fn decompress(
    number: u16,
    from: Buffer,
    to: Buffer,
    workspace: Option<Ptr<u8>>,
) -> NtResult<usize> {
    match (Format::new(number)?, workspace) {
        (Format::Lznt1, _) => lznt1::decompress(from.bytes(), to.bytes_mut()),
        (Format::Xpress, _) => xpress::decompress(from.bytes(), to.bytes_mut()),
        (Format::XpressHuffman, Some(workspace)) => {
            match aligned::<Codes>(workspace).slice_mut(1) {
                [codes] => huffman::decompress(from.bytes(), to.bytes_mut(), codes),
                _ => Err(NtStatus::INVALID_PARAMETER),
            }
        }
        (Format::XpressHuffman, None) => Err(NtStatus::UNSUPPORTED_COMPRESSION),
    }
}

fn fragment(
    number: u16,
    from: Buffer,
    to: Buffer,
    offset: u32,
    workspace: Ptr<u8>,
) -> NtResult<usize> {
    if Format::new(number)? != Format::Lznt1 {
        return Err(NtStatus::UNSUPPORTED_COMPRESSION);
    }
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    match workspace.cast::<[u8; lznt1::CHUNK]>().slice_mut(1) {
        [scratch] => lznt1::fragment(from.bytes(), offset, to.bytes_mut(), scratch),
        _ => Err(NtStatus::INVALID_PARAMETER),
    }
}

exports! {
    /// How large the workspaces are, for `RtlCompressBuffer`, and for `RtlDecompressFragment` and `RtlDecompressBufferEx`.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` without a format, `UNSUPPORTED_COMPRESSION` for one that is not known, `NOT_SUPPORTED` for an engine
    /// that is not.
    fn RtlGetCompressionWorkSpaceSize(format: u16, compressing: Ptr<u32>, fragments: Ptr<u32>) -> NtStatus {
        match workspace_sizes(format) {
            Ok([first, second]) => {
                answer(Ok(first), compressing);
                answer(Ok(second), fragments)
            }
            Err(status) => status,
        }
    }

    /// Compresses a buffer; the size of the chunks is the format's.
    ///
    /// # Errors
    /// As `RtlGetCompressionWorkSpaceSize`; `BUFFER_TOO_SMALL`.
    fn RtlCompressBuffer(
        format: u16,
        from: Ptr<u8>,
        from_size: u32,
        to: Ptr<u8>,
        to_size: u32,
        _chunk_size: u32,
        length: Ptr<u32>,
        workspace: Ptr<u8>,
    ) -> NtStatus {
        let (from, to) = (Buffer { at: from, size: from_size }, Buffer { at: to, size: to_size });
        answer(compress(format, from, to, workspace), length)
    }

    /// Decompresses a buffer, as much as there is room for.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` without a format, `UNSUPPORTED_COMPRESSION` for one that is not known or needs a workspace,
    /// `BAD_COMPRESSION_BUFFER`.
    fn RtlDecompressBuffer(
        format: u16,
        to: Ptr<u8>,
        to_size: u32,
        from: Ptr<u8>,
        from_size: u32,
        length: Ptr<u32>,
    ) -> NtStatus {
        let (from, to) = (Buffer { at: from, size: from_size }, Buffer { at: to, size: to_size });
        answer(decompress(format, from, to, None), length)
    }

    /// As `RtlDecompressBuffer`, with a workspace for formats that need one.
    ///
    /// # Errors
    /// As `RtlDecompressBuffer`.
    fn RtlDecompressBufferEx(
        format: u16,
        to: Ptr<u8>,
        to_size: u32,
        from: Ptr<u8>,
        from_size: u32,
        length: Ptr<u32>,
        workspace: Ptr<u8>,
    ) -> NtStatus {
        let (from, to) = (Buffer { at: from, size: from_size }, Buffer { at: to, size: to_size });
        answer(decompress(format, from, to, workspace.non_null()), length)
    }

    /// Decompresses from some byte of the contents on, as much as there is room for: LZNT1 alone can do it.
    ///
    /// # Errors
    /// As `RtlDecompressBuffer`; `BAD_COMPRESSION_BUFFER` also if the contents end before.
    fn RtlDecompressFragment(
        format: u16,
        to: Ptr<u8>,
        to_size: u32,
        from: Ptr<u8>,
        from_size: u32,
        offset: u32,
        length: Ptr<u32>,
        workspace: Ptr<u8>,
    ) -> NtStatus {
        let (from, to) = (Buffer { at: from, size: from_size }, Buffer { at: to, size: to_size });
        answer(fragment(format, from, to, offset, workspace), length)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec;
    use std::vec::Vec;

    use super::*;

    fn at(bytes: &mut [u8]) -> Ptr<u8> {
        Ptr::new(bytes.as_mut_ptr().expose_provenance())
    }

    #[test]
    fn a_buffer_goes_both_ways() {
        let mut plain: Vec<u8> = b"To be, or not to be, that is the question. ".repeat(200);
        let size = u32::try_from(plain.len()).expect("short");
        for format in [2, 0x102] {
            let (mut compressing, mut fragments) = (0, 0);
            let status = RtlGetCompressionWorkSpaceSize(
                format,
                Ptr::of(&mut compressing),
                Ptr::of(&mut fragments),
            );
            assert_eq!(status, NtStatus::SUCCESS);
            for odd in [0, 1] {
                let mut workspace = vec![0; compressing as usize + odd];
                let workspace = at(&mut workspace[odd..]);
                let mut compressed = vec![0; 9000];
                let mut length = 0;
                let status = RtlCompressBuffer(
                    format,
                    at(&mut plain),
                    size,
                    at(&mut compressed),
                    9000,
                    4096,
                    Ptr::of(&mut length),
                    workspace,
                );
                assert_eq!(status, NtStatus::SUCCESS);
                assert!(length < 1200);
                let mut out = vec![0; plain.len()];
                let mut read = 0;
                let status = RtlDecompressBuffer(
                    2,
                    at(&mut out),
                    size,
                    at(&mut compressed),
                    length,
                    Ptr::of(&mut read),
                );
                assert_eq!((status, read), (NtStatus::SUCCESS, size));
                assert_eq!(out, plain);
                let mut scratch = vec![0; fragments as usize];
                let status = RtlDecompressFragment(
                    2,
                    at(&mut out),
                    10,
                    at(&mut compressed),
                    length,
                    5000,
                    Ptr::of(&mut read),
                    at(&mut scratch),
                );
                assert_eq!((status, read), (NtStatus::SUCCESS, 10));
                assert_eq!(out[..10], plain[5000..5010]);
            }
        }
    }

    #[test]
    fn formats_that_are_not_there_are_named() {
        let mut bytes = [0; 100];
        let (bytes, mut length) = (at(&mut bytes), 0);
        let mut decompress = |format| {
            RtlDecompressBuffer(
                format,
                bytes,
                4,
                bytes.byte_add(50),
                3,
                Ptr::of(&mut length),
            )
        };
        assert_eq!(decompress(0), NtStatus::INVALID_PARAMETER);
        assert_eq!(decompress(1), NtStatus::INVALID_PARAMETER);
        assert_eq!(
            decompress(4),
            NtStatus::UNSUPPORTED_COMPRESSION,
            "it needs a workspace"
        );
        assert_eq!(decompress(5), NtStatus::UNSUPPORTED_COMPRESSION);
        let mut size = 0;
        let mut sizes =
            |format| RtlGetCompressionWorkSpaceSize(format, Ptr::of(&mut size), Ptr::NULL);
        assert_eq!(sizes(0x302), NtStatus::NOT_SUPPORTED);
        assert_eq!(sizes(0), NtStatus::INVALID_PARAMETER);
    }

    #[test]
    fn the_other_formats_are_read() {
        let mut repeated = [
            0xFF, 0xFF, 0xFF, 0x1F, 0x61, 0x62, 0x63, 0x17, 0, 0x0F, 0xFF, 0x26, 1,
        ];
        let mut out = [0; 300];
        let mut length = 0;
        let status = RtlDecompressBuffer(
            3,
            at(&mut out),
            300,
            at(&mut repeated),
            13,
            Ptr::of(&mut length),
        );
        assert_eq!((status, length), (NtStatus::SUCCESS, 300));
        assert_eq!(out[..], *b"abc".repeat(100));
        // Codes of 9 bits for all: "a" is 001100001.
        let mut bytes = [0x99; 260];
        bytes[256..].copy_from_slice(&[0x80, 0x30, 0, 0]);
        let mut workspace = vec![0; with_alignment(size_of::<Codes>())];
        let status = RtlDecompressBufferEx(
            4,
            at(&mut out),
            1,
            at(&mut bytes),
            260,
            Ptr::of(&mut length),
            at(&mut workspace),
        );
        assert_eq!((status, length, out[0]), (NtStatus::SUCCESS, 1, b'a'));
    }
}
