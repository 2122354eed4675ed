//! What is read, put where the caller wants it.

use c_interface::Ptr;

use super::directive::Size;
use crate::conversions::page;
use crate::printf::Unit;

/// Writes a zero behind so many characters.
pub(super) fn end(to: Ptr<u8>, length: usize, wide: bool) {
    if wide {
        to.cast::<u16>().add(length).write(0);
    } else {
        to.byte_add(length).write(0);
    }
}

/// Writes text as bytes or as units; gives how many there are.
pub(super) fn put_text<U: Unit>(from: Ptr<U>, count: usize, to: Ptr<u8>, wide: bool) -> usize {
    let page = page::ansi();
    match (U::WIDE, wide) {
        (false, true) => page.decode(from.cast::<u8>().slice(count), to.cast(), usize::MAX),
        (true, false) => page.encode(from.cast::<u16>().slice(count), to, usize::MAX),
        _ => {
            to.copy_from(from.cast(), count * size_of::<U>());
            count
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "what does not fit where the caller wants it is lost there"
)]
pub(super) fn store_number(place: Ptr<u8>, size: Size, value: u64) {
    match size {
        Size::Byte => place.write(value as u8),
        Size::Short => place.cast().write(value as u16),
        Size::Default | Size::Long => place.cast().write(value as u32),
        Size::Long64 => place.cast().write(value),
        Size::Pointer => place.cast().write(value as usize),
    }
}
