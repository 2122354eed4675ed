//! Blocks of the process heap, for exports whose caller frees what they gave, or hands over what they free.
//!
//! In ntdll these are blocks of the process heap, as the documentation of such exports promises. Where no process heap was
//! named, in tests on the host, they come from Rust's allocator.

use core::sync::atomic::{AtomicUsize, Ordering};

use alloc::alloc::Layout;

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

/// Before each block of Rust's: its length with this.
const HEADER: usize = 16;

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.checked_add(HEADER)?, HEADER).ok()
}

fn allocate_of_rust(bytes: usize) -> Option<Ptr<u8>> {
    let layout = layout(bytes)?;
    // SAFETY: its size is not zero.
    let place = unsafe { alloc::alloc::alloc(layout) };
    let whole = Ptr::<u8>::new(place.expose_provenance()).non_null()?;
    whole.cast::<usize>().write(bytes);
    Some(whole.byte_add(HEADER))
}

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
