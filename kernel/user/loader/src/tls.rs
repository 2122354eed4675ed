//! Static thread-local storage: for each thread, a block for each module that has some.
//!
//! Compiled code finds a variable by `TEB.ThreadLocalStoragePointer[index] + offset`, without asking anybody. So a block
//! must be there in every thread before the module's code runs, also in threads that run while a DLL is loaded. The
//! loader knows the threads that came through it, by a list through their TEBs.
//!
//! A thread's vector may become too short while the thread uses it. It gets a longer one, and the old one stays until the
//! thread ends: it may have read the vector's address a moment ago.

use core::sync::atomic::{AtomicU32, Ordering};

use c_interface::{Ptr, field};
use nt_abi::native::{ListEntry, Pointer, Teb};
use nt_abi::{NtResult, NtStatus};

use crate::list;
use crate::loader::Loader;
use crate::module::{Module, entry, own};
use crate::number::index;
use crate::registry::{Registry, block};
use crate::system::System;
use crate::view::BAD;

/// Words of 32 indexes.
const WORDS: usize = 64;
/// What entries have in `TlsIndex` if they have static TLS.
const HAS_TLS: u16 = u16::MAX;
/// Places that a vector has beyond those that are used, so that the next DLLs find room.
const SPARE: usize = 8;

/// Which indexes are in use: 2048 modules may have static TLS.
pub(crate) struct TlsIndexes {
    words: [AtomicU32; WORDS],
}

impl TlsIndexes {
    pub(crate) const fn new() -> Self {
        Self {
            words: [const { AtomicU32::new(0) }; WORDS],
        }
    }

    /// Takes the lowest free index.
    fn take(&self) -> Option<u32> {
        for (number, word) in (0_u32..).zip(&self.words) {
            let bits = word.load(Ordering::Relaxed);
            let free = bits.trailing_ones();
            if free < 32 {
                word.store(bits | 1 << free, Ordering::Relaxed);
                return Some(number * 32 + free);
            }
        }
        None
    }

    fn free(&self, taken: u32) {
        if let Some(word) = self.words.get(index(taken / 32)) {
            let bits = word.load(Ordering::Relaxed);
            word.store(bits & !(1 << (taken % 32)), Ordering::Relaxed);
        }
    }

    /// One more than the highest index in use.
    pub(crate) fn end(&self) -> usize {
        let used = self
            .words
            .iter()
            .enumerate()
            .rev()
            .find_map(|(number, word)| {
                let bits = word.load(Ordering::Relaxed);
                (bits != 0).then(|| number * 32 + 32 - index(bits.leading_zeros()))
            });
        used.unwrap_or(0)
    }
}

/// Before a vector: how many places it has, and the vector that it replaced.
const VECTOR_HEADER: usize = 2;

/// A thread's vector; null for none.
#[derive(Clone, Copy)]
struct Vector(Ptr<Pointer>);

impl Vector {
    fn of(teb: Ptr<Teb>) -> Self {
        Self(Ptr::at(
            field!(teb, Teb, thread_local_storage_pointer).read(),
        ))
    }

    fn block(self) -> Ptr<Pointer> {
        Ptr::new(
            self.0
                .address()
                .wrapping_sub(VECTOR_HEADER * size_of::<Pointer>()),
        )
    }

    fn capacity(self) -> usize {
        if self.0.is_null() {
            return 0;
        }
        Ptr::<u8>::at(self.block().read()).address()
    }

    fn replaced(self) -> Self {
        Self(Ptr::at(self.block().add(1).read()))
    }

    fn slot(self, number: u32) -> Ptr<Pointer> {
        self.0.add(index(number))
    }
}

impl<S: System> Loader<S> {
    /// Gives a module an index for its static TLS, if it has any, and each thread that is known a block.
    ///
    /// # Errors
    /// - `INVALID_IMAGE_FORMAT`: the directory leads out of the image.
    /// - `NO_MEMORY`: no block, or no index.
    pub(crate) fn register_tls(&self, registry: Registry, module: Module) -> NtResult {
        if own!(module, tls).read().rva == 0 {
            return Ok(());
        }
        let view = module.view();
        let Some(tls) = view.image()?.tls()? else {
            return Ok(());
        };
        view.place::<u8>(tls.template_rva, tls.template_size)?;
        let place = view.place::<u32>(tls.index_rva, 4)?;
        if tls.index_rva == 0 {
            return Err(BAD);
        }
        let alignment = match tls.characteristics >> 20 & 0xF {
            0 | 15 => 16,
            bits => 1 << (bits - 1),
        };
        let number = self.tls_indexes.take().ok_or(NtStatus::NO_MEMORY)?;
        own!(module, tls_index).write(number);
        own!(module, tls_template_rva).write(tls.template_rva);
        own!(module, tls_template_size).write(tls.template_size);
        own!(module, tls_zero_fill).write(tls.zero_fill);
        own!(module, tls_alignment).write(alignment);
        entry!(module, tls_index).write(HAS_TLS);
        self.with_writable(&view, tls.index_rva, 4, || place.write(number))?;
        for teb in threads(registry) {
            self.add_block(teb, module, number)?;
        }
        Ok(())
    }

    /// Takes a module's blocks away from all threads, and its index.
    pub(crate) fn release_tls(&self, registry: Registry, module: Module) {
        let Some(number) = module.tls_index() else {
            return;
        };
        for teb in threads(registry) {
            let vector = Vector::of(teb);
            if index(number) < vector.capacity() {
                let slot = vector.slot(number);
                self.free_block(Ptr::at(slot.read()));
                slot.write(0);
            }
        }
        self.tls_indexes.free(number);
        entry!(module, tls_index).write(0);
    }

    /// Makes a thread known, and gives it its blocks.
    ///
    /// # Errors
    /// `NO_MEMORY`; the thread is not known then.
    pub(crate) fn attach_tls(&self, registry: Registry, teb: Ptr<Teb>) -> NtResult {
        let links = field!(teb, Teb, tls_links);
        links.write(ListEntry::default());
        if let Err(status) = self.add_all_blocks(registry, teb) {
            self.free_storage(teb);
            return Err(status);
        }
        list::insert_tail(block!(registry, threads), links);
        Ok(())
    }

    /// Forgets a thread, with its blocks.
    pub(crate) fn detach_tls(&self, teb: Ptr<Teb>) {
        let links = field!(teb, Teb, tls_links);
        list::remove(links);
        links.write(ListEntry::default());
        self.free_storage(teb);
    }

    fn add_all_blocks(&self, registry: Registry, teb: Ptr<Teb>) -> NtResult {
        let end = self.tls_indexes.end();
        if end == 0 {
            return Ok(());
        }
        self.grow(teb, end)?;
        for module in registry.in_load_order() {
            if let Some(number) = module.tls_index() {
                self.add_block(teb, module, number)?;
            }
        }
        Ok(())
    }

    fn add_block(&self, teb: Ptr<Teb>, module: Module, number: u32) -> NtResult {
        let mut vector = Vector::of(teb);
        if index(number) >= vector.capacity() {
            vector = self.grow(teb, index(number) + 1)?;
        }
        let block = self.new_block(module)?;
        vector.slot(number).write(block.raw());
        Ok(())
    }

    /// Gives a thread a vector of at least that many places.
    fn grow(&self, teb: Ptr<Teb>, places: usize) -> NtResult<Vector> {
        let old = Vector::of(teb);
        let capacity = places + SPARE;
        let bytes = (capacity + VECTOR_HEADER) * size_of::<Pointer>();
        let block = self
            .system
            .allocate(bytes)
            .ok_or(NtStatus::NO_MEMORY)?
            .cast::<Pointer>();
        block.write(Ptr::<u8>::new(capacity).raw());
        block.add(1).write(old.0.raw());
        let new = Vector(block.add(VECTOR_HEADER));
        for place in 0..old.capacity() {
            new.0.add(place).write(old.0.add(place).read());
        }
        field!(teb, Teb, thread_local_storage_pointer).write(new.0.raw());
        Ok(new)
    }

    /// A block with the values that the image gives. Where its memory begins stands before it.
    fn new_block(&self, module: Module) -> NtResult<Ptr<u8>> {
        let template = own!(module, tls_template_size).read();
        let size = template.checked_add(own!(module, tls_zero_fill).read());
        let size = size.ok_or(NtStatus::NO_MEMORY)?;
        let alignment = index(own!(module, tls_alignment).read());
        let bytes = index(size)
            .checked_add(alignment + size_of::<Pointer>())
            .ok_or(NtStatus::NO_MEMORY)?;
        let memory = self.system.allocate(bytes).ok_or(NtStatus::NO_MEMORY)?;
        let start = (memory.address() + size_of::<Pointer>()).next_multiple_of(alignment);
        let block = Ptr::<u8>::new(start);
        block
            .byte_sub(size_of::<Pointer>())
            .cast::<Pointer>()
            .write(memory.raw());
        let from = module
            .base()
            .byte_add(index(own!(module, tls_template_rva).read()));
        block.copy_from(from, index(template));
        Ok(block)
    }

    fn free_block(&self, block: Ptr<u8>) {
        if !block.is_null() {
            let memory = block
                .byte_sub(size_of::<Pointer>())
                .cast::<Pointer>()
                .read();
            self.system.free(Ptr::at(memory));
        }
    }

    /// Frees everything that a thread has of static TLS.
    fn free_storage(&self, teb: Ptr<Teb>) {
        let mut vector = Vector::of(teb);
        field!(teb, Teb, thread_local_storage_pointer).write(0);
        for place in 0..vector.capacity() {
            self.free_block(Ptr::at(vector.0.add(place).read()));
        }
        while !vector.0.is_null() {
            let block = vector.block();
            vector = vector.replaced();
            self.system.free(block.cast());
        }
    }
}

/// The threads that are known.
pub(crate) fn threads(registry: Registry) -> impl Iterator<Item = Ptr<Teb>> {
    list::entries(block!(registry, threads)).map(|links| {
        let offset = core::mem::offset_of!(Teb, tls_links);
        links.byte_sub(offset).cast()
    })
}
