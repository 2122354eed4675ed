//! What objects of `std::exception` have besides their type: a text, which may be their own.

use core::ffi::CStr;

use c_interface::{Ptr, exports, field, teb};
use nt_abi::native::{Peb, Teb};
use ntdll_imports::{RtlAllocateHeap, RtlFreeHeap};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `__std_exception_data`.
#[derive(Clone, Copy, Default, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ExceptionData {
    /// Where the text is, or 0.
    pub what: usize,
    /// Whether the text is a block of the heap that belongs to the object: the lowest byte counts.
    is_own: usize,
}

impl ExceptionData {
    /// A text that nobody gives back.
    pub(crate) fn of(text: &'static CStr) -> Self {
        Self {
            what: text.as_ptr().expose_provenance(),
            is_own: 0,
        }
    }

    fn is_own(&self) -> bool {
        self.is_own & 0xFF != 0
    }
}

/// The process's heap, from which a C library's `malloc` takes its blocks.
fn heap() -> Ptr<u8> {
    let peb = Ptr::<Peb>::at(field!(teb(), Teb, process_environment_block).read());
    Ptr::at(field!(peb, Peb, process_heap).read())
}

/// A block of the heap with the same string of C; null if there is no memory.
fn duplicate(text: Ptr<u8>) -> Ptr<u8> {
    let length = (0..).take_while(|&at| text.add(at).read() != 0).count();
    let block = allocate(length + 1);
    if !block.is_null() {
        block.copy_from(text, length + 1);
    }
    block
}

/// A block of the heap; null if there is no memory.
pub(crate) fn allocate(bytes: usize) -> Ptr<u8> {
    RtlAllocateHeap(heap(), 0, bytes)
}

/// Gives a block back.
pub(crate) fn free(block: Ptr<u8>) {
    RtlFreeHeap(heap(), 0, block);
}

exports! {
    /// Copies what an object of `std::exception` has. Without memory the copy has no text.
    cdecl fn __std_exception_copy(from: Ptr<ExceptionData>, to: Ptr<ExceptionData>) {
        let given = from.read();
        to.write(match given.is_own() && given.what != 0 {
            false => ExceptionData { is_own: 0, ..given },
            true => {
                let what = duplicate(Ptr::new(given.what)).address();
                ExceptionData { what, is_own: usize::from(what != 0) }
            }
        });
    }

    /// Gives back what an object of `std::exception` has.
    cdecl fn __std_exception_destroy(data: Ptr<ExceptionData>) {
        let given = data.read();
        if given.is_own() {
            free(Ptr::new(given.what));
        }
        data.write(ExceptionData::default());
    }
}
