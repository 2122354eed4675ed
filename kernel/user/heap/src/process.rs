//! The heaps of a process: the list in its PEB.
//!
//! The list is an array that the PEB points to, with the process's own heap at its begin. The first array is what is left of
//! the PEB's page; one that is full is replaced by one twice as long, which the caller's memory is used for.

use c_interface::{Ptr, field};
use nt_abi::native::{Peb, Pointer};

/// The list of a process's heaps. Who uses it holds the lock that guards it.
#[derive(Clone, Copy)]
pub struct ProcessHeaps {
    peb: Ptr<Peb>,
}

impl ProcessHeaps {
    /// The list of the process that has this PEB.
    pub const fn of(peb: Ptr<Peb>) -> Self {
        Self { peb }
    }

    /// How many heaps there are.
    ///
    /// # NT
    /// `PEB.NumberOfHeaps`, no more than `PEB.MaximumNumberOfHeaps`, since a program can write there.
    pub fn count(self) -> u32 {
        let count = field!(self.peb, Peb, number_of_heaps).read();
        count.min(field!(self.peb, Peb, maximum_number_of_heaps).read())
    }

    fn array(self) -> Ptr<Pointer> {
        Ptr::at(field!(self.peb, Peb, process_heaps).read())
    }

    /// A heap of the list.
    pub fn get(self, index: u32) -> Option<usize> {
        (index < self.count())
            .then(|| Ptr::<u8>::at(self.array().add(index as usize).read()).address())
    }

    /// Gives the list an array for its first heaps.
    pub fn begin(self, array: Ptr<Pointer>, room: u32) {
        field!(self.peb, Peb, process_heaps).write(array.raw());
        field!(self.peb, Peb, maximum_number_of_heaps).write(room);
        field!(self.peb, Peb, number_of_heaps).write(0);
    }

    /// Adds a heap. Where the array is full, `allocate` gives room for a longer one, of so many bytes, and the old one is
    /// given: the caller frees it if it came from there. `Err` if there is no room.
    ///
    /// # Errors
    /// If `allocate` gives nothing.
    pub fn add(
        self,
        heap: usize,
        allocate: impl FnOnce(usize) -> Option<usize>,
    ) -> Result<Option<Ptr<Pointer>>, NoRoom> {
        let count = self.count();
        let room = field!(self.peb, Peb, maximum_number_of_heaps).read();
        let mut old = None;
        if count >= room {
            let more = room.max(16).checked_mul(2).ok_or(NoRoom)?;
            let bytes = (more as usize)
                .checked_mul(size_of::<Pointer>())
                .ok_or(NoRoom)?;
            let array = Ptr::<Pointer>::new(allocate(bytes).ok_or(NoRoom)?);
            let before = self.array();
            array
                .cast::<u8>()
                .copy_from(before.cast(), count as usize * size_of::<Pointer>());
            field!(self.peb, Peb, process_heaps).write(array.raw());
            field!(self.peb, Peb, maximum_number_of_heaps).write(more);
            old = Some(before);
        }
        self.array()
            .add(count as usize)
            .write(Ptr::<u8>::new(heap).raw());
        field!(self.peb, Peb, number_of_heaps).write(count + 1);
        Ok(old)
    }

    /// Takes a heap away; whether it was there. The others keep their order.
    pub fn remove(self, heap: usize) -> bool {
        let count = self.count();
        let Some(index) = (0..count).find(|&index| self.get(index) == Some(heap)) else {
            return false;
        };
        let place = self.array().add(index as usize).cast::<u8>();
        let behind = (count - index - 1) as usize * size_of::<Pointer>();
        place.copy_from(place.byte_add(size_of::<Pointer>()), behind);
        field!(self.peb, Peb, number_of_heaps).write(count - 1);
        true
    }

    /// Writes as many heaps as there is room for into an array, and gives how many there are.
    ///
    /// # NT
    /// `RtlGetProcessHeaps`.
    pub fn copy(self, room: u32, array: Ptr<Pointer>) -> u32 {
        let count = self.count();
        for index in 0..count.min(room) {
            array
                .add(index as usize)
                .write(self.array().add(index as usize).read());
        }
        count
    }

    /// Calls a function for each heap until one call gives an error.
    ///
    /// # NT
    /// `RtlEnumProcessHeaps`.
    ///
    /// # Errors
    /// The error that ended it.
    pub fn each<E>(self, mut does: impl FnMut(usize) -> Result<(), E>) -> Result<(), E> {
        for heap in (0..self.count()).filter_map(|index| self.get(index)) {
            does(heap)?;
        }
        Ok(())
    }
}

/// There is no room for a longer list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;
