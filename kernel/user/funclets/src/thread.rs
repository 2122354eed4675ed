//! The block of thread-local storage.
//!
//! The linker makes an image's directory of thread-local storage from a structure with the name `_tls_used`; ntdll gives each
//! thread a copy of what is between the two marks, zeros here, and puts its address into the TEB's list, at the index that it
//! stores in `_tls_index`.

use c_interface::{Ptr, field};
use nt_abi::native::Teb;

/// Bytes of a thread's block, all zeros when the thread begins.
pub const BLOCK: usize = 128;

core::arch::global_asm!(
    ".section .tls,\"dw\"",
    ".p2align 4",
    "_tls_start:",
    ".zero 128",
    "_tls_end:",
    ".quad 0",
    ".data",
    ".globl _tls_index",
    ".p2align 3",
    "_tls_index: .quad 0",
    ".section .rdata,\"dr\"",
    "tls_callbacks: .quad 0",
    ".globl _tls_used",
    ".p2align 3",
    "_tls_used: .quad _tls_start, _tls_end, _tls_index, tls_callbacks",
    // No zeros behind the bytes; no particular alignment.
    ".long 0, 0",
    ".text",
);

const _: () = assert!(BLOCK == 128);

// SAFETY: declares what the text above makes.
unsafe extern "C" {
    #[link_name = "_tls_index"]
    static TLS_INDEX: u32;
    #[link_name = "_tls_used"]
    static TLS_USED: u64;
}

/// Keeps the directory in the image: the linker drops what nobody names.
#[used]
static DIRECTORY: &u64 = {
    // SAFETY: nobody writes there once the image is loaded.
    unsafe { &TLS_USED }
};

/// The calling thread's block.
#[inline]
pub fn thread_block() -> Ptr<u8> {
    // SAFETY: the loader wrote it before it called the image, and nobody writes it again.
    let index = unsafe { TLS_INDEX };
    let list = field!(c_interface::teb(), Teb, thread_local_storage_pointer).read();
    Ptr::new(Ptr::<usize>::at(list).add(index as usize).read())
}
