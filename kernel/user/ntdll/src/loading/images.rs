//! Which image an address is in.

use c_interface::{Ptr, field};
use nt_abi::native::{LdrDataTableEntry, Peb, PebLdrData, Size, TpPoolStackInformation};

use rtl::utf16::Case;

use super::LOADER;
use crate::{process, start};

/// Where an image lies, and its function table.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct ImageRange {
    /// Its first byte.
    pub(crate) base: u64,
    /// Bytes of it.
    size: u64,
    /// Where the function table is, and its bytes.
    functions: u64,
    function_bytes: usize,
}

/// Offsets in an image's headers.
const NT_HEADERS: usize = 0x3C;
/// From the headers of an image: its size.
const SIZE_OF_IMAGE: usize = 0x50;
/// From the headers of an image: how much stack its threads reserve, and behind it how much they commit.
const STACK_RESERVE: usize = 0x60;

fn headers(base: Ptr<u8>) -> Ptr<u8> {
    let offset = base.byte_add(NT_HEADERS).cast::<u32>().read();
    base.byte_add(offset as usize)
}

/// Bytes of an image whose headers were found good when it was mapped.
pub(super) fn size_of_image(base: Ptr<u8>) -> usize {
    headers(base).byte_add(SIZE_OF_IMAGE).cast::<u32>().read() as usize
}

/// The stacks that an image wants for its threads, in bytes.
pub(crate) fn stack_of(base: Ptr<u8>) -> TpPoolStackInformation {
    let sizes = headers(base).byte_add(STACK_RESERVE).cast::<Size>();
    TpPoolStackInformation {
        stack_reserve: sizes.read(),
        stack_commit: sizes.add(1).read(),
    }
}

impl ImageRange {
    /// Whether an address is in it.
    #[inline]
    pub(crate) fn contains(&self, address: u64) -> bool {
        address.wrapping_sub(self.base) < self.size
    }

    /// Bytes of the image; `None` if they are not all in it.
    pub(crate) fn bytes<'a>(&self, address: u64, length: usize) -> Option<&'a [u8]> {
        let offset = address.checked_sub(self.base)?;
        let end = offset.checked_add(length as u64)?;
        (end <= self.size).then(|| Ptr::at(address).slice(length))
    }

    /// Where its function table begins.
    pub(crate) fn function_table(&self) -> Ptr<u8> {
        Ptr::at(self.functions)
    }

    /// Bytes of the function table.
    pub(crate) fn function_bytes(&self) -> usize {
        self.function_bytes
    }
}

/// Calls `visit` with each module until it gives something.
fn find_module<R>(mut visit: impl FnMut(Ptr<LdrDataTableEntry>) -> Option<R>) -> Option<R> {
    let ldr = Ptr::<PebLdrData>::at(field!(process::peb(), Peb, ldr).read()).non_null()?;
    let head = field!(ldr, PebLdrData, in_load_order_module_list);
    let mut link = head.read().flink;
    while link != head.raw() {
        // The links are the entry's first field.
        let entry = Ptr::<LdrDataTableEntry>::at(link);
        if let Some(found) = visit(entry) {
            return Some(found);
        }
        link = field!(entry, LdrDataTableEntry, in_load_order_links)
            .read()
            .flink;
    }
    None
}

fn contains(entry: Ptr<LdrDataTableEntry>, address: u64) -> bool {
    let base = field!(entry, LdrDataTableEntry, dll_base).read();
    let size = field!(entry, LdrDataTableEntry, size_of_image).read();
    address.wrapping_sub(base) < u64::from(size)
}

/// The image that an address is in.
pub(crate) fn image_at(address: u64) -> Option<ImageRange> {
    let image = LOADER.code_image(Ptr::<u8>::at(address).address())?;
    Some(ImageRange {
        base: image.base.raw(),
        size: image.size.into(),
        functions: image.functions.raw(),
        function_bytes: image.functions_size as usize,
    })
}

/// The base of the module with a name.
pub(super) fn base_of(name: rtl::Utf16Str<'_>) -> Option<Ptr<u8>> {
    let _lists = LOADER.system().share_modules();
    find_module(|entry| {
        let fields = entry.read();
        let known = rtl::Utf16Str::new(start::units(&fields.base_dll_name));
        known
            .equals(name, Case::Insensitive)
            .then(|| Ptr::at(fields.dll_base))
    })
}

/// Gives the name of the module that an address is in, and the place in it, to `with`.
pub(crate) fn with_module_name<R>(
    address: u64,
    with: impl FnOnce(rtl::Utf16Str<'_>, u64) -> R,
) -> Option<R> {
    let _lists = LOADER.system().share_modules();
    let entry = find_module(|entry| contains(entry, address).then_some(entry))?;
    let fields = entry.read();
    let name = rtl::Utf16Str::new(start::units(&fields.base_dll_name));
    Some(with(name, address - fields.dll_base))
}
