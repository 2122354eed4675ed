//! Paths of DOS and Win32: full paths, NT's names for them, the current directory, files searched along a path, short names
//! and names with wildcards.
//!
//! What a path means is worked out in `rtl`; here are the process's current directories, its memory, and questions to the
//! file systems, for which ntdll names the services ([`files`]).

pub mod current;
pub mod files;
pub mod full_paths;
pub mod matching;
pub mod nt_names;
pub mod search;
pub mod short_names;
#[cfg(test)]
mod testing;

use c_interface::{Ptr, blocks};
use nt_abi::NtStatus;
use nt_abi::native::UnicodeString;
use rtl::Utf16Str;
use rtl::dos_path::DosPath;

use crate::strings::{set, string_length};

/// Text that ends with a zero; none is empty.
fn terminated<'a>(text: Ptr<u16>) -> &'a [u16] {
    match text.non_null() {
        Some(text) => text.slice(crate::strings::units_before_zero(text)),
        None => &[],
    }
}

/// Writes text and a zero.
fn put(to: Ptr<u16>, text: Utf16Str<'_>) {
    to.write_array(text.units());
    to.add(text.len()).write(0);
}

/// Writes where a path's last component is, in a copy of the path.
fn put_file_part(file_part: Ptr<Ptr<u16>>, path: &DosPath, copy: Ptr<u16>) {
    let place = path.file_part.map_or(Ptr::NULL, |start| copy.add(start));
    file_part.cast::<usize>().write_optional(place.address());
}

/// Makes a string of text, with a buffer of its own that ends with a zero.
fn make_string(string: Ptr<UnicodeString>, text: Utf16Str<'_>) -> Result<Ptr<u16>, NtStatus> {
    let bytes = text.len() * 2;
    if bytes > usize::from(u16::MAX - 2) {
        return Err(NtStatus::NAME_TOO_LONG);
    }
    let block = blocks::allocate(bytes + 2).ok_or(NtStatus::NO_MEMORY)?;
    put(block.cast(), text);
    set(
        string,
        string_length(bytes),
        string_length(bytes + 2),
        block,
    );
    Ok(block.cast())
}
