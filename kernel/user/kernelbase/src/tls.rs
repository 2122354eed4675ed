//! Slots of each thread: those whose indexes programs ask for, and those that fibers have.

use c_interface::blocks;
use nt_abi::native::{Peb, Pointer, Teb};
use nt_abi::teb::TLS_MINIMUM_AVAILABLE;
use nt_abi::thread_information::ThreadInformationClass as Class;
use ntdll_imports::{
    RtlAcquirePebLock, RtlAreBitsSet, RtlClearBits, RtlFindClearBitsAndSet, RtlFlsAlloc,
    RtlFlsFree, RtlFlsGetValue, RtlFlsSetValue, RtlReleasePebLock,
};

use crate::threads;
use crate::win::*;

/// `TLS_OUT_OF_INDEXES`, `FLS_OUT_OF_INDEXES`.
const NO_INDEX: u32 = u32::MAX;
/// Slots in the TEB.
#[allow(clippy::cast_possible_truncation, reason = "they are few")]
const IN_TEB: u32 = TLS_MINIMUM_AVAILABLE as u32;
/// `TLS_EXPANSION_SLOTS`: slots that each thread gets when it needs them.
const FURTHER: u32 = 1024;

/// Has the lock of the PEB.
struct PebLock;

impl PebLock {
    fn acquire() -> Self {
        RtlAcquirePebLock();
        Self
    }
}

impl Drop for PebLock {
    fn drop(&mut self) {
        RtlReleasePebLock();
    }
}

/// A slot of this thread; `None`: the thread has none of those beyond the TEB.
fn slot(index: u32) -> Option<Ptr<Pointer>> {
    let place = if index < IN_TEB {
        field!(teb(), Teb, tls_slots)
            .cast::<Pointer>()
            .add(index as usize)
    } else {
        let further = Ptr::<Pointer>::at(field!(teb(), Teb, tls_expansion_slots).read());
        further.non_null()?.add((index - IN_TEB) as usize)
    };
    Some(place)
}

/// A slot of this thread, which gets those beyond the TEB if it has none.
fn slot_to_write(index: u32) -> Win<Ptr<Pointer>> {
    if index >= IN_TEB + FURTHER {
        return Err(Error::INVALID_PARAMETER);
    }
    if let Some(slot) = slot(index) {
        return Ok(slot);
    }
    let bytes = FURTHER as usize * size_of::<Pointer>();
    let block = blocks::allocate(bytes).ok_or(Error::NOT_ENOUGH_MEMORY)?;
    block.fill(0, bytes);
    field!(teb(), Teb, tls_expansion_slots).write(block.raw());
    slot(index).ok_or(Error::NOT_ENOUGH_MEMORY)
}

/// Takes an index from a bitmap.
fn take(bitmap: Pointer) -> Option<u32> {
    match RtlFindClearBitsAndSet(Ptr::at(bitmap), 1, 0) {
        NO_INDEX => None,
        index => Some(index),
    }
}

fn allocate() -> Win<u32> {
    let _lock = PebLock::acquire();
    if let Some(index) = take(field!(peb(), Peb, tls_bitmap).read()) {
        slot_to_write(index)?.write(0);
        return Ok(index);
    }
    let bitmap = field!(peb(), Peb, tls_expansion_bitmap).read();
    let index = take(bitmap).ok_or(Error::NOT_ENOUGH_MEMORY)?;
    match slot_to_write(IN_TEB + index) {
        Ok(slot) => {
            slot.write(0);
            Ok(IN_TEB + index)
        }
        Err(error) => {
            RtlClearBits(Ptr::at(bitmap), index, 1);
            Err(error)
        }
    }
}

fn free(index: u32) -> Win {
    let (bitmap, bit) = if index < IN_TEB {
        (field!(peb(), Peb, tls_bitmap).read(), index)
    } else if index < IN_TEB + FURTHER {
        (
            field!(peb(), Peb, tls_expansion_bitmap).read(),
            index - IN_TEB,
        )
    } else {
        return Err(Error::INVALID_PARAMETER);
    };
    let bitmap = Ptr::at(bitmap);
    let _lock = PebLock::acquire();
    if RtlAreBitsSet(bitmap, bit, 1) == 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    // All threads lose what they have there before the index is anyone else's.
    threads::set(Handle::CURRENT_THREAD, Class::ZERO_TLS_CELL, &index)?;
    RtlClearBits(bitmap, bit, 1);
    Ok(())
}

exports! {
    /// Takes an index for a slot of each thread.
    fn TlsAlloc() -> u32 {
        answer(allocate(), NO_INDEX)
    }

    /// Gives an index back.
    fn TlsFree(index: u32) -> Bool {
        truth(free(index))
    }

    /// What this thread has in a slot. The last error becomes 0, since null is a value.
    fn TlsGetValue(index: u32) -> Ptr<u8> {
        if index >= IN_TEB + FURTHER {
            return answer(Err(Error::INVALID_PARAMETER), Ptr::NULL);
        }
        set_last_error(Error::SUCCESS);
        slot(index).map_or(Ptr::NULL, |slot| Ptr::at(slot.read()))
    }

    /// What this thread has in a slot; the last error stays.
    fn TlsGetValue2(index: u32) -> Ptr<u8> {
        if index >= IN_TEB + FURTHER {
            return Ptr::NULL;
        }
        slot(index).map_or(Ptr::NULL, |slot| Ptr::at(slot.read()))
    }

    /// Puts something in a slot of this thread.
    fn TlsSetValue(index: u32, value: Ptr<u8>) -> Bool {
        truth(slot_to_write(index).map(|slot| slot.write(value.raw())))
    }

    /// Takes an index for a slot of each fiber, with a function that is called when what is there goes.
    fn FlsAlloc(callback: Ptr<u8>) -> u32 {
        let mut index = NO_INDEX;
        let status = RtlFlsAlloc(callback, Ptr::of(&mut index));
        answer(check(status).map(|()| index), NO_INDEX)
    }

    /// Gives an index back.
    fn FlsFree(index: u32) -> Bool {
        truth_of(RtlFlsFree(index))
    }

    /// What this fiber has in a slot. The last error becomes 0, since null is a value.
    fn FlsGetValue(index: u32) -> Ptr<u8> {
        let mut value = 0_usize;
        let status = RtlFlsGetValue(index, Ptr::of(&mut value));
        answer(check(status).map(|()| {
            set_last_error(Error::SUCCESS);
            Ptr::new(value)
        }), Ptr::NULL)
    }

    /// What this fiber has in a slot; the last error stays.
    fn FlsGetValue2(index: u32) -> Ptr<u8> {
        let mut value = 0_usize;
        let _status = RtlFlsGetValue(index, Ptr::of(&mut value));
        Ptr::new(value)
    }

    /// Puts something in a slot of this fiber.
    fn FlsSetValue(index: u32, value: Ptr<u8>) -> Bool {
        truth_of(RtlFlsSetValue(index, value))
    }
}
