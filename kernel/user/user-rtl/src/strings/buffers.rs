//! Strings that grow: a small buffer of the caller's, and one of the heap's once that is too small.

use c_interface::{Ptr, blocks, exports, field};
use nt_abi::NtStatus;
use nt_abi::native::{Pointer, Size, UnicodeString};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `RTL_BUFFER`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct RtlBuffer {
    /// The buffer in use.
    pub buffer: Pointer,
    /// The caller's own buffer.
    pub static_buffer: Pointer,
    /// Of the buffer in use, in bytes.
    pub size: Size,
    /// Of the caller's own buffer, in bytes.
    pub static_size: Size,
    /// Reserved.
    pub reserved_for_allocated_size: Size,
    /// Reserved.
    pub reserved_for_i_malloc: Pointer,
}

const _: () = assert!(size_of::<RtlBuffer>() == if size_of::<usize>() == 8 { 0x30 } else { 0x18 });

/// `RTL_UNICODE_STRING_BUFFER`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct RtlUnicodeStringBuffer {
    /// The text.
    pub string: UnicodeString,
    /// Where it is.
    pub byte_buffer: RtlBuffer,
    /// Room for the zero of an empty string that has no buffer, and padding.
    pub minimum_static_buffer_for_terminal_nul: Size,
}

const _: () = assert!(
    size_of::<RtlUnicodeStringBuffer>() == if size_of::<usize>() == 8 { 0x48 } else { 0x24 }
);

/// Makes a buffer have so many bytes. What was in it stays.
fn ensure(buffer: Ptr<RtlBuffer>, bytes: usize, used: usize) -> Result<Ptr<u8>, NtStatus> {
    let mut now = buffer.read();
    let size = Ptr::<u8>::at(now.size).address();
    if bytes <= size {
        return Ok(Ptr::at(now.buffer));
    }
    let block = blocks::allocate(bytes).ok_or(NtStatus::NO_MEMORY)?;
    block.copy_from(Ptr::at(now.buffer), used);
    if now.buffer != now.static_buffer {
        blocks::free(Ptr::at(now.buffer));
    }
    now.buffer = block.raw();
    now.size = Ptr::<u8>::new(bytes).raw();
    buffer.write(now);
    Ok(block)
}

exports! {
    /// Puts strings behind the text of a buffer, which grows, and a zero behind them.
    ///
    /// # Errors
    /// `NAME_TOO_LONG`: no string is as long. `NO_MEMORY`. Nothing was written.
    fn RtlMultiAppendUnicodeStringBuffer(
        to: Ptr<RtlUnicodeStringBuffer>,
        count: u32,
        from: Ptr<UnicodeString>,
    ) -> NtStatus {
        let string = field!(to, RtlUnicodeStringBuffer, string);
        let old = usize::from(string.read().length);
        let sources = (0..count as usize).map(|index| from.add(index).read());
        let length = sources.clone().fold(old, |sum, source| sum.saturating_add(usize::from(source.length)));
        let Ok(maximum) = u16::try_from(length.saturating_add(2)) else {
            return NtStatus::NAME_TOO_LONG;
        };
        let buffer = match ensure(field!(to, RtlUnicodeStringBuffer, byte_buffer), length + 2, old) {
            Ok(buffer) => buffer,
            Err(status) => return status,
        };
        let mut end = buffer.byte_add(old);
        for source in sources {
            let bytes = usize::from(source.length);
            end.copy_from(Ptr::at(source.buffer), bytes);
            end = end.byte_add(bytes);
        }
        end.cast::<u16>().write(0);
        super::set(string, maximum - 2, maximum, buffer);
        NtStatus::SUCCESS
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Room, contents, unicode};
    use super::*;

    #[test]
    fn a_buffer_grows_out_of_the_callers() {
        let own = Room::filled(0x2D_u16, 6);
        let mut buffer = RtlUnicodeStringBuffer {
            string: UnicodeString {
                maximum_length: 12,
                buffer: own.ptr().raw(),
                ..UnicodeString::default()
            },
            byte_buffer: RtlBuffer {
                buffer: own.ptr().raw(),
                static_buffer: own.ptr().raw(),
                size: 12,
                static_size: 12,
                ..RtlBuffer::default()
            },
            ..RtlUnicodeStringBuffer::default()
        };
        let (first, second) = (unicode("ab", 4), unicode("cde", 6));
        let sources = Room::new(&[first.get(), second.get()]);
        let append = |buffer: &mut RtlUnicodeStringBuffer, count| {
            RtlMultiAppendUnicodeStringBuffer(Ptr::of(buffer), count, sources.ptr())
        };
        assert_eq!(append(&mut buffer, 2), NtStatus::SUCCESS);
        assert_eq!(buffer.string.buffer, own.ptr().raw());
        assert_eq!(own.text(), "abcde");
        assert_eq!(append(&mut buffer, 2), NtStatus::SUCCESS);
        assert_ne!(buffer.string.buffer, own.ptr().raw());
        assert_eq!(contents(&buffer.string), "abcdeabcde");
        assert_eq!(
            (buffer.string.length, buffer.string.maximum_length),
            (20, 22)
        );
        assert_eq!(append(&mut buffer, 1), NtStatus::SUCCESS);
        assert_eq!(contents(&buffer.string), "abcdeabcdeab");
        blocks::free(Ptr::at(buffer.byte_buffer.buffer));

        buffer.string.length = 0xFFFC;
        assert_eq!(append(&mut buffer, 1), NtStatus::NAME_TOO_LONG);
    }
}
