//! Blocks of the process heap, for exports whose caller frees what they gave, or hands over what they free.
//!
//! In ntdll these are blocks of the process heap, as the documentation of such exports promises. Where no process heap was
//! named, in tests on the host, they come from Rust's allocator.

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::Ptr;

/// Gives a block of at least so many bytes, aligned for anything; null: there is no memory.
pub type Allocate = fn(usize) -> Ptr<u8>;
/// Takes a block back; null is none.
pub type Free = fn(Ptr<u8>);

static ALLOCATE: AtomicUsize = AtomicUsize::new(0);
static FREE: AtomicUsize = AtomicUsize::new(0);

/// Names the heap that blocks come from: once, before there is another thread.
pub fn set_heap(allocate: Allocate, free: Free) {
    FREE.store(free as usize, Ordering::Release);
    ALLOCATE.store(allocate as usize, Ordering::Release);
}

/// A block of at least so many bytes; `None`: there is no memory.
pub fn allocate(bytes: usize) -> Option<Ptr<u8>> {
    let named = ALLOCATE.load(Ordering::Acquire);
    if named == 0 {
        return allocate_of_rust(bytes);
    }
    // SAFETY: only `set_heap` stores there, and it stores such a function.
    let named = unsafe { core::mem::transmute::<usize, Allocate>(named) };
    named(bytes).non_null()
}

/// Takes a block back that [`allocate`] gave, or C code had from the process heap; null is none.
pub fn free(block: Ptr<u8>) {
    let named = FREE.load(Ordering::Acquire);
    if named == 0 {
        return free_of_rust(block);
    }
    // SAFETY: only `set_heap` stores there, and it stores such a function.
    let named = unsafe { core::mem::transmute::<usize, Free>(named) };
    named(block);
}

/// Rust's allocator in a DLL: blocks of the process heap.
///
/// Their alignment is that of the heap, twice a pointer's size; nothing here asks for more, and would get no memory.
#[derive(Debug)]
pub struct ProcessHeap;

/// What every block of a heap is aligned to.
const ALIGNMENT: usize = 2 * size_of::<usize>();

// SAFETY: blocks of a heap are apart from each other, and stay until they are given back. `realloc` copies, which is what
// the trait does by itself.
unsafe impl GlobalAlloc for ProcessHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = match layout.align() {
            ..=ALIGNMENT => allocate(layout.size()),
            _ => None,
        };
        block.map_or(core::ptr::null_mut(), |block| {
            core::ptr::with_exposed_provenance_mut(block.address())
        })
    }

    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        free(Ptr::new(block.expose_provenance()));
    }
}

/// Before each block of Rust's: its length with this.
#[cfg(not(target_os = "windows"))]
const HEADER: usize = 16;

#[cfg(not(target_os = "windows"))]
fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.checked_add(HEADER)?, HEADER).ok()
}

/// In a DLL Rust's allocator is this heap: before it is named there is none.
#[cfg(target_os = "windows")]
fn allocate_of_rust(_bytes: usize) -> Option<Ptr<u8>> {
    None
}

#[cfg(target_os = "windows")]
fn free_of_rust(_block: Ptr<u8>) {}

#[cfg(not(target_os = "windows"))]
fn allocate_of_rust(bytes: usize) -> Option<Ptr<u8>> {
    let layout = layout(bytes)?;
    // SAFETY: its size is not zero.
    let place = unsafe { alloc::alloc::alloc(layout) };
    let whole = Ptr::<u8>::new(place.expose_provenance()).non_null()?;
    whole.cast::<usize>().write(bytes);
    Some(whole.byte_add(HEADER))
}

#[cfg(not(target_os = "windows"))]
fn free_of_rust(block: Ptr<u8>) {
    if block.is_null() {
        return;
    }
    let whole = block.byte_sub(HEADER);
    if let Some(layout) = layout(whole.cast::<usize>().read()) {
        let place = core::ptr::with_exposed_provenance_mut(whole.address());
        // SAFETY: `allocate_of_rust` made it with this layout, as the caller says.
        unsafe { alloc::alloc::dealloc(place, layout) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_can_be_written_and_given_back() {
        let block = allocate(100).unwrap();
        block.fill(7, 100);
        assert_eq!(block.byte_add(99).read(), 7);
        assert_eq!(block.address() % 16, 0);
        free(block);
        free(Ptr::NULL);
    }
}
