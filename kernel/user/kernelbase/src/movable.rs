//! Global and local memory: blocks of a heap, and handles of blocks that may move.
//!
//! A fixed block is its own handle. The handle of a movable block is the address of the second word of an [`Entry`], which
//! is a block of the heap itself; blocks are aligned to two words, so a handle can be told from a fixed block. Before a
//! movable block's bytes stands its handle, since whoever has only the bytes' address may ask for it.
//!
//! # NT
//! "Global and Local Functions", Microsoft Learn. Both families are the same functions.

use c_interface::Ptr;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::error::{Error, Win};

/// `GMEM_*` and `LMEM_*`.
pub mod flags {
    /// The block may move.
    pub const MOVEABLE: u32 = 0x0002;
    /// Its bytes are zero.
    pub const ZEROINIT: u32 = 0x0040;
    /// To a reallocation: only the flags change.
    pub const MODIFY: u32 = 0x0080;
    /// The block may be discarded.
    pub const DISCARDABLE: u32 = 0x0F00;
    /// The block was discarded.
    pub const DISCARDED: u32 = 0x4000;
    /// What is wrong about a handle, as `GlobalFlags` tells it.
    pub const INVALID_HANDLE: u32 = 0x8000;
}

/// Where blocks come from.
pub trait Blocks {
    /// A block, its bytes zero if that is wanted.
    fn allocate(&self, bytes: usize, zero: bool) -> Option<Ptr<u8>>;
    /// Changes the size of a block, which moves if it may; it stays as it is if there is no memory.
    fn reallocate(
        &self,
        block: Ptr<u8>,
        bytes: usize,
        zero: bool,
        may_move: bool,
    ) -> Option<Ptr<u8>>;
    /// Its size; `None`: it is no block.
    fn size(&self, block: Ptr<u8>) -> Option<usize>;
    /// Takes a block back.
    fn free(&self, block: Ptr<u8>) -> bool;
}

/// What stands behind a handle.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Entry {
    /// How often it is locked, in the lowest byte; [`MARK`]; in between the flags.
    state: usize,
    /// The bytes; 0: they were discarded.
    bytes: usize,
}

/// Says that a word is an entry's state.
const MARK: usize = 0x5AB4_0000;
const MARK_MASK: usize = 0xFFFF_0000;
/// In the state: the block may be discarded.
const MAY_BE_DISCARDED: usize = 0x100;
/// The most that a block can be locked.
const MOST_LOCKS: usize = 0xFF;
/// Before a movable block's bytes: its handle, and as much again, to keep the alignment.
const HEADER: usize = 2 * size_of::<usize>();

/// What a handle or an address is.
enum Memory {
    Fixed(Ptr<u8>),
    Movable(Ptr<Entry>),
}

/// The memory behind a handle or an address of either kind.
fn memory(handle: Ptr<u8>) -> Win<Memory> {
    if handle.address() % HEADER != size_of::<usize>() {
        return Ok(Memory::Fixed(handle));
    }
    let entry = handle.byte_sub(size_of::<usize>()).cast::<Entry>();
    if entry.read().state & MARK_MASK == MARK {
        Ok(Memory::Movable(entry))
    } else {
        Err(Error::INVALID_HANDLE)
    }
}

fn handle_of(entry: Ptr<Entry>) -> Ptr<u8> {
    entry.cast::<u8>().byte_add(size_of::<usize>())
}

/// The block that has a movable block's bytes.
fn whole(bytes: usize) -> Ptr<u8> {
    Ptr::new(bytes - HEADER)
}

/// Bytes with the header before them that says whose they are.
fn new_bytes(blocks: &impl Blocks, handle: Ptr<u8>, size: usize, zero: bool) -> Win<usize> {
    let size = size.checked_add(HEADER).ok_or(Error::NOT_ENOUGH_MEMORY)?;
    let whole = blocks
        .allocate(size, zero)
        .ok_or(Error::NOT_ENOUGH_MEMORY)?;
    whole.cast::<usize>().write(handle.address());
    Ok(whole.address() + HEADER)
}

/// Gives memory; its handle.
///
/// # Errors
/// `NOT_ENOUGH_MEMORY`.
pub fn allocate(blocks: &impl Blocks, wanted: u32, size: usize) -> Win<Ptr<u8>> {
    let zero = wanted & flags::ZEROINIT != 0;
    if wanted & flags::MOVEABLE == 0 {
        // A block of no size would be none.
        let block = blocks.allocate(size.max(1), zero);
        return block.ok_or(Error::NOT_ENOUGH_MEMORY);
    }
    let entry = blocks
        .allocate(size_of::<Entry>(), false)
        .ok_or(Error::NOT_ENOUGH_MEMORY)?
        .cast::<Entry>();
    // Memory of no size is discarded from the beginning.
    let bytes = if size == 0 {
        Ok(0)
    } else {
        new_bytes(blocks, handle_of(entry), size, zero)
    };
    match bytes {
        Ok(bytes) => {
            let discardable = if wanted & flags::DISCARDABLE != 0 {
                MAY_BE_DISCARDED
            } else {
                0
            };
            entry.write(Entry {
                state: MARK | discardable,
                bytes,
            });
            Ok(handle_of(entry))
        }
        Err(error) => {
            blocks.free(entry.cast());
            Err(error)
        }
    }
}

/// Takes memory back.
///
/// # Errors
/// `INVALID_HANDLE`.
pub fn free(blocks: &impl Blocks, handle: Ptr<u8>) -> Win {
    match memory(handle)? {
        Memory::Fixed(block) => {
            if blocks.free(block) {
                Ok(())
            } else {
                Err(Error::INVALID_HANDLE)
            }
        }
        Memory::Movable(entry) => {
            let Entry { bytes, .. } = entry.read();
            // No handle any more, whatever becomes of the block.
            entry.write(Entry { state: 0, bytes: 0 });
            if bytes != 0 {
                blocks.free(whole(bytes));
            }
            blocks.free(entry.cast());
            Ok(())
        }
    }
}

/// Where the bytes are, and stay until they are unlocked.
///
/// # Errors
/// `INVALID_HANDLE`; `DISCARDED`: there are none.
pub fn lock(handle: Ptr<u8>) -> Win<Ptr<u8>> {
    let entry = match memory(handle)? {
        Memory::Fixed(block) => return Ok(block),
        Memory::Movable(entry) => entry,
    };
    let Entry { state, bytes } = entry.read();
    if bytes == 0 {
        return Err(Error::DISCARDED);
    }
    if state & MOST_LOCKS < MOST_LOCKS {
        entry.write(Entry {
            state: state + 1,
            bytes,
        });
    }
    Ok(Ptr::new(bytes))
}

/// Lets the bytes move again; whether they are still locked.
///
/// # Errors
/// `INVALID_HANDLE`; `NOT_LOCKED`.
pub fn unlock(handle: Ptr<u8>) -> Win<bool> {
    let entry = match memory(handle)? {
        Memory::Fixed(_) => return Ok(true),
        Memory::Movable(entry) => entry,
    };
    let Entry { state, bytes } = entry.read();
    match state & MOST_LOCKS {
        0 => Err(Error::NOT_LOCKED),
        count => {
            entry.write(Entry {
                state: state - 1,
                bytes,
            });
            Ok(count > 1)
        }
    }
}

/// How many bytes there are.
///
/// # Errors
/// `INVALID_HANDLE`.
pub fn size(blocks: &impl Blocks, handle: Ptr<u8>) -> Win<usize> {
    match memory(handle)? {
        Memory::Fixed(block) => blocks.size(block).ok_or(Error::INVALID_HANDLE),
        Memory::Movable(entry) => match entry.read().bytes {
            0 => Ok(0),
            bytes => blocks
                .size(whole(bytes))
                .map(|size| size - HEADER)
                .ok_or(Error::INVALID_HANDLE),
        },
    }
}

/// How often memory is locked, and whether it is or may be discarded (`GlobalFlags`).
///
/// # Errors
/// `INVALID_HANDLE`.
pub fn state(blocks: &impl Blocks, handle: Ptr<u8>) -> Win<u32> {
    match memory(handle)? {
        Memory::Fixed(block) => blocks.size(block).map(|_| 0).ok_or(Error::INVALID_HANDLE),
        Memory::Movable(entry) => {
            let Entry { state, bytes } = entry.read();
            let locks = u32::from(state.to_le_bytes()[0]);
            let discardable = if state & MAY_BE_DISCARDED != 0 {
                0x100
            } else {
                0
            };
            let discarded = if bytes == 0 { flags::DISCARDED } else { 0 };
            Ok(locks | discardable | discarded)
        }
    }
}

/// The handle of memory whose bytes are at an address.
///
/// # Errors
/// `INVALID_HANDLE`.
pub fn handle(blocks: &impl Blocks, bytes: Ptr<u8>) -> Win<Ptr<u8>> {
    if !bytes.address().is_multiple_of(HEADER) || bytes.is_null() {
        // A handle is asked for its own.
        return match memory(bytes)? {
            Memory::Movable(_) => Ok(bytes),
            Memory::Fixed(_) => Err(Error::INVALID_HANDLE),
        };
    }
    let before = bytes.byte_sub(HEADER).cast::<usize>();
    // What is before a fixed block belongs to the heap, and can be looked at.
    let handle = Ptr::<u8>::new(before.read());
    if handle.address() % HEADER == size_of::<usize>()
        && blocks.size(bytes.byte_sub(HEADER)).is_some()
        && let Memory::Movable(entry) = memory(handle)?
        && entry.read().bytes == bytes.address()
    {
        return Ok(handle);
    }
    blocks
        .size(bytes)
        .map(|_| bytes)
        .ok_or(Error::INVALID_HANDLE)
}

/// Changes the size of memory, or with `MODIFY` what may be done with it; its handle.
///
/// # Errors
/// `INVALID_HANDLE`; `NOT_ENOUGH_MEMORY`; `INVALID_PARAMETER`: fixed memory cannot be made movable.
pub fn reallocate(blocks: &impl Blocks, handle: Ptr<u8>, size: usize, wanted: u32) -> Win<Ptr<u8>> {
    let zero = wanted & flags::ZEROINIT != 0;
    match memory(handle)? {
        Memory::Fixed(block) => {
            if wanted & flags::MODIFY != 0 {
                // A fixed block has no flags to change.
                return Ok(handle);
            }
            let may_move = wanted & flags::MOVEABLE != 0;
            blocks
                .reallocate(block, size, zero, may_move)
                .ok_or(Error::NOT_ENOUGH_MEMORY)
        }
        Memory::Movable(entry) => {
            if wanted & flags::MODIFY != 0 {
                let Entry { state, bytes } = entry.read();
                let discardable = if wanted & flags::DISCARDABLE != 0 {
                    MAY_BE_DISCARDED
                } else {
                    0
                };
                entry.write(Entry {
                    state: state & !MAY_BE_DISCARDED | discardable,
                    bytes,
                });
                return Ok(handle);
            }
            resize(blocks, entry, size, zero, wanted & flags::MOVEABLE != 0)?;
            Ok(handle)
        }
    }
}

fn resize(blocks: &impl Blocks, entry: Ptr<Entry>, size: usize, zero: bool, may_move: bool) -> Win {
    let Entry { state, bytes } = entry.read();
    let locked = state & MOST_LOCKS != 0;
    let bytes = match (bytes, size) {
        (0, 0) => 0,
        (0, _) => new_bytes(blocks, handle_of(entry), size, zero)?,
        (_, 0) if locked => return Err(Error::INVALID_HANDLE),
        (_, 0) => {
            blocks.free(whole(bytes));
            0
        }
        _ => {
            let size = size.checked_add(HEADER).ok_or(Error::NOT_ENOUGH_MEMORY)?;
            let moved = blocks.reallocate(whole(bytes), size, zero, may_move || !locked);
            moved.ok_or(Error::NOT_ENOUGH_MEMORY)?.address() + HEADER
        }
    };
    entry.write(Entry { state, bytes });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;

    /// A heap that knows its blocks.
    #[derive(Default)]
    struct Model {
        /// Addresses and the memory there.
        blocks: RefCell<BTreeMap<usize, Vec<u128>>>,
        /// Sizes in bytes.
        sizes: RefCell<BTreeMap<usize, usize>>,
    }

    impl Blocks for Model {
        fn allocate(&self, bytes: usize, zero: bool) -> Option<Ptr<u8>> {
            let fill = if zero { 0 } else { u128::MAX };
            let mut memory = vec![fill; bytes / 16 + 1];
            let place = Ptr::<u8>::new(memory.as_mut_ptr().expose_provenance());
            self.blocks.borrow_mut().insert(place.address(), memory);
            self.sizes.borrow_mut().insert(place.address(), bytes);
            Some(place)
        }

        fn reallocate(
            &self,
            block: Ptr<u8>,
            bytes: usize,
            zero: bool,
            may_move: bool,
        ) -> Option<Ptr<u8>> {
            if !may_move {
                return None;
            }
            let before = self.size(block)?;
            let new = self.allocate(bytes, zero)?;
            new.copy_from(block, before.min(bytes));
            self.free(block);
            Some(new)
        }

        fn size(&self, block: Ptr<u8>) -> Option<usize> {
            self.sizes.borrow().get(&block.address()).copied()
        }

        fn free(&self, block: Ptr<u8>) -> bool {
            self.sizes.borrow_mut().remove(&block.address());
            self.blocks.borrow_mut().remove(&block.address()).is_some()
        }
    }

    #[test]
    fn fixed_memory_is_its_own_handle() {
        let model = Model::default();
        let block = allocate(&model, flags::ZEROINIT, 20).unwrap();
        assert_eq!(lock(block), Ok(block));
        assert_eq!(unlock(block), Ok(true));
        assert_eq!(size(&model, block), Ok(20));
        assert_eq!(handle(&model, block), Ok(block));
        assert_eq!(block.slice(20), [0; 20]);
        assert_eq!(free(&model, block), Ok(()));
        assert_eq!(free(&model, block), Err(Error::INVALID_HANDLE));
    }

    #[test]
    fn locks_of_movable_memory_are_counted() {
        let model = Model::default();
        let memory = allocate(&model, flags::MOVEABLE, 10).unwrap();
        assert_eq!(unlock(memory), Err(Error::NOT_LOCKED));
        let bytes = lock(memory).unwrap();
        assert_ne!(bytes, memory);
        assert_eq!(lock(memory), Ok(bytes));
        assert_eq!(state(&model, memory), Ok(2));
        assert_eq!(unlock(memory), Ok(true));
        assert_eq!(unlock(memory), Ok(false));
        assert_eq!(size(&model, memory), Ok(10));
        assert_eq!(handle(&model, bytes), Ok(memory));
        assert_eq!(handle(&model, memory), Ok(memory));
        assert_eq!(free(&model, memory), Ok(()));
        assert!(model.blocks.borrow().is_empty(), "nothing is left");
    }

    #[test]
    fn memory_of_no_size_is_discarded() {
        let model = Model::default();
        let memory = allocate(&model, flags::MOVEABLE, 0).unwrap();
        assert_eq!(lock(memory), Err(Error::DISCARDED));
        assert_eq!(state(&model, memory), Ok(flags::DISCARDED));
        assert_eq!(reallocate(&model, memory, 8, flags::MOVEABLE), Ok(memory));
        assert_eq!(size(&model, memory), Ok(8));
        assert_eq!(reallocate(&model, memory, 0, flags::MOVEABLE), Ok(memory));
        assert_eq!(state(&model, memory), Ok(flags::DISCARDED));
        assert_eq!(free(&model, memory), Ok(()));
        assert!(model.blocks.borrow().is_empty(), "nothing is left");
    }

    #[test]
    fn bytes_survive_a_move() {
        let model = Model::default();
        let memory = allocate(&model, flags::MOVEABLE | flags::ZEROINIT, 4).unwrap();
        let bytes = lock(memory).unwrap();
        bytes.write_array(&[1, 2, 3, 4]);
        unlock(memory).unwrap();
        reallocate(&model, memory, 400, flags::MOVEABLE).unwrap();
        let moved = lock(memory).unwrap();
        assert_eq!(moved.slice(4), [1, 2, 3, 4]);
        assert_eq!(handle(&model, moved), Ok(memory));
    }

    #[test]
    fn flags_can_be_changed() {
        let model = Model::default();
        let memory = allocate(&model, flags::MOVEABLE, 4).unwrap();
        reallocate(&model, memory, 0, flags::MODIFY | 0x100).unwrap();
        assert_eq!(state(&model, memory), Ok(0x100));
        assert_eq!(size(&model, memory), Ok(4));
    }
}
