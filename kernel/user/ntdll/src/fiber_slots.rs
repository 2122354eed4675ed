//! Slots of each fiber (FLS): a value of a fiber, or of a thread that has none, for each index that a program took.
//!
//! A fiber's values are a block that `TEB.FlsData` leads to; it is made when the first value is set. When a fiber or thread
//! goes, and when an index is given back, the index's function is called with each value that is not 0.
//!
//! Blocks are in a list, since an index that is given back concerns the values of all fibers. The list, the indexes and the
//! blocks' ends are under one lock, which is not held while a function is called.

use alloc::vec::Vec;

use c_interface::{Function, Ptr, exports, field};
use entries::locked::Locked;
use nt_abi::native::Teb;
use nt_abi::{NtResult, NtStatus};

use crate::parking::Threads;
use crate::process;

/// `FLS_MAXIMUM_AVAILABLE` since Windows 10, version 2004; the index 0 is never given.
const MOST: usize = 4096;
/// How many slots come into being at once.
const STEP: usize = 64;

/// Called with a value that goes: `PFLS_CALLBACK_FUNCTION`.
type Callback = fn(usize);

struct Index {
    used: bool,
    callback: Function<Callback>,
}

/// The values of one fiber.
struct Values {
    slots: Vec<usize>,
}

struct Slots {
    indexes: Vec<Index>,
    /// Addresses of the blocks of all fibers, as they stand in TEBs and fibers; 0 where one has gone.
    fibers: Vec<Values>,
    /// Places in `fibers` that are free.
    free: Vec<usize>,
}

static SLOTS: Locked<Threads, Slots> = Locked::new(Slots {
    indexes: Vec::new(),
    fibers: Vec::new(),
    free: Vec::new(),
});

/// Where the TEB says which block is the fiber's: its place in the list and 1; 0 for none.
fn own() -> Ptr<usize> {
    field!(process::teb(), Teb, fls_data).cast()
}

impl Slots {
    fn allocate(&mut self, callback: Function<Callback>) -> NtResult<u32> {
        if self.indexes.is_empty() {
            self.add_index(Function::default(), true)?;
        }
        let place = match self.indexes.iter().position(|index| !index.used) {
            Some(place) => {
                if let Some(index) = self.indexes.get_mut(place) {
                    *index = Index {
                        used: true,
                        callback,
                    };
                }
                place
            }
            None => self.add_index(callback, true)?,
        };
        u32::try_from(place).map_err(|_| NtStatus::NO_MEMORY)
    }

    fn add_index(&mut self, callback: Function<Callback>, used: bool) -> NtResult<usize> {
        if self.indexes.len() >= MOST {
            return Err(NtStatus::NO_MEMORY);
        }
        self.indexes
            .try_reserve(1)
            .map_err(|_| NtStatus::NO_MEMORY)?;
        self.indexes.push(Index { used, callback });
        Ok(self.indexes.len() - 1)
    }

    /// Whether a program has that index.
    fn has(&self, index: usize) -> bool {
        index != 0 && self.indexes.get(index).is_some_and(|index| index.used)
    }

    /// The calling fiber's values.
    fn values(&mut self) -> Option<&mut Values> {
        let place = own().read().checked_sub(1)?;
        self.fibers.get_mut(place)
    }

    /// The calling fiber's values, which are made if there are none.
    fn make_values(&mut self) -> NtResult<&mut Values> {
        if own().read() == 0 {
            let place = match self.free.pop() {
                Some(place) => place,
                None => {
                    self.fibers
                        .try_reserve(1)
                        .map_err(|_| NtStatus::NO_MEMORY)?;
                    self.fibers.push(Values { slots: Vec::new() });
                    self.fibers.len() - 1
                }
            };
            own().write(place + 1);
        }
        self.values().ok_or(NtStatus::NO_MEMORY)
    }
}

impl Values {
    fn set(&mut self, index: usize, value: usize) -> NtResult {
        if index >= self.slots.len() {
            let length = (index + 1).next_multiple_of(STEP);
            self.slots
                .try_reserve(length - self.slots.len())
                .map_err(|_| NtStatus::NO_MEMORY)?;
            self.slots.resize(length, 0);
        }
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = value;
        }
        Ok(())
    }

    fn take(&mut self, index: usize) -> usize {
        self.slots.get_mut(index).map_or(0, core::mem::take)
    }
}

/// Calls the functions of a fiber's values, and gives its block back. `data` is what `TEB.FlsData` has.
pub(crate) fn end_fiber(data: usize) {
    let Some(place) = data.checked_sub(1) else {
        return;
    };
    let mut index = 0;
    loop {
        let call = {
            let mut slots = SLOTS.lock();
            let values = slots.fibers.get_mut(place);
            let Some(values) = values.filter(|values| index < values.slots.len()) else {
                break;
            };
            let value = values.take(index);
            let callback = slots.indexes.get(index).map(|index| index.callback);
            callback
                .filter(|_| value != 0)
                .map(|callback| (callback, value))
        };
        if let Some((callback, value)) = call
            && let Some(callback) = callback.non_null()
        {
            callback.call(value);
        }
        index += 1;
    }
    let mut slots = SLOTS.lock();
    if let Some(values) = slots.fibers.get_mut(place) {
        values.slots = Vec::new();
        // Without memory for the place it is not used again.
        if slots.free.try_reserve(1).is_ok() {
            slots.free.push(place);
        }
    }
}

/// The calling thread goes.
pub(crate) fn end_thread() {
    let data = own().read();
    own().write(0);
    end_fiber(data);
}

/// Gives an index back: its function is called with the values of all fibers.
fn free(index: usize) -> NtResult {
    let callback = {
        let mut slots = SLOTS.lock();
        if !slots.has(index) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let found = slots.indexes.get_mut(index);
        found.map_or(Function::default(), |index| {
            core::mem::take(&mut index.callback)
        })
    };
    let mut place = 0;
    loop {
        let value = {
            let mut slots = SLOTS.lock();
            match slots.fibers.get_mut(place) {
                Some(values) => values.take(index),
                None => break,
            }
        };
        if value != 0
            && let Some(callback) = callback.non_null()
        {
            callback.call(value);
        }
        place += 1;
    }
    // Nobody gets the index before all its values are gone.
    if let Some(index) = SLOTS.lock().indexes.get_mut(index) {
        index.used = false;
    }
    Ok(())
}

exports! {
    /// Takes an index.
    fn RtlFlsAlloc(callback: Function<Callback>, index: Ptr<u32>) -> NtStatus {
        match SLOTS.lock().allocate(callback) {
            Ok(taken) => {
                index.write(taken);
                NtStatus::SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Gives an index back.
    fn RtlFlsFree(index: u32) -> NtStatus {
        free(index as usize).into()
    }

    /// The calling fiber's value; 0 if none was set.
    fn RtlFlsGetValue(index: u32, value: Ptr<usize>) -> NtStatus {
        let index = index as usize;
        if index == 0 || index >= MOST {
            return NtStatus::INVALID_PARAMETER;
        }
        let mut slots = SLOTS.lock();
        let found = slots.values().and_then(|values| values.slots.get(index).copied());
        value.write(found.unwrap_or(0));
        NtStatus::SUCCESS
    }

    /// Sets the calling fiber's value.
    fn RtlFlsSetValue(index: u32, value: usize) -> NtStatus {
        let index = index as usize;
        let mut slots = SLOTS.lock();
        if !slots.has(index) {
            return NtStatus::INVALID_PARAMETER;
        }
        slots.make_values().and_then(|values| values.set(index, value)).into()
    }

    /// Ends a fiber's values: flag 1 calls the functions, flag 2 gives the memory back. Here both go together.
    fn RtlProcessFlsData(data: usize, flags: u32) {
        if flags & 1 != 0 {
            end_fiber(data);
        }
    }
}
