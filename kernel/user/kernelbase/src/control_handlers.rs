//! Who wants to hear of Ctrl+C and its kin.
//!
//! # Limits
//! The console of today sends no such events, so nobody is called; a program that registers itself at its start goes on.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use nt_abi::native::RtlUserProcessParameters;

use crate::lock::SlimLock;
use crate::win::*;

/// The bit of a process's console flags that says that Ctrl+C is ignored; processes inherit it.
const IGNORES_CONTROL_C: u32 = 1;

/// The handlers' addresses, the last one first to be asked. Under the lock, in a block of the heap.
static HANDLERS: AtomicUsize = AtomicUsize::new(0);
static COUNT: AtomicUsize = AtomicUsize::new(0);
static LOCK: SlimLock = SlimLock::new();

/// The handlers that are registered.
fn handlers() -> &'static [usize] {
    Ptr::<usize>::new(HANDLERS.load(Relaxed)).slice(COUNT.load(Relaxed))
}

/// Registers others in their place.
fn replace(new: &[usize]) -> Win {
    let bytes = size_of_val(new).max(1);
    let block = c_interface::blocks::allocate(bytes).ok_or(Error::NOT_ENOUGH_MEMORY)?;
    block.cast::<usize>().write_array(new);
    let old = HANDLERS.swap(block.address(), Relaxed);
    COUNT.store(new.len(), Relaxed);
    c_interface::blocks::free(Ptr::new(old));
    Ok(())
}

/// The handlers as a list that can be changed.
fn copied() -> Win<Vec<usize>> {
    let known = handlers();
    let mut copy = Vec::new();
    copy.try_reserve(known.len() + 1)
        .map_err(|_| Error::NOT_ENOUGH_MEMORY)?;
    copy.extend_from_slice(known);
    Ok(copy)
}

fn add(handler: usize) -> Win {
    let _held = LOCK.acquire();
    let mut changed = copied()?;
    changed.push(handler);
    replace(&changed)
}

/// Takes the handler away that was registered last among equal ones.
fn remove(handler: usize) -> Win {
    let _held = LOCK.acquire();
    let mut changed = copied()?;
    let place = changed.iter().rposition(|&known| known == handler);
    changed.remove(place.ok_or(Error::INVALID_PARAMETER)?);
    replace(&changed)
}

/// Says whether this process, and those that it makes, ignore Ctrl+C.
fn ignore_control_c(ignore: bool) {
    let place = field!(parameters(), RtlUserProcessParameters, console_flags);
    let others = place.read() & !IGNORES_CONTROL_C;
    place.write(others | (u32::from(ignore) * IGNORES_CONTROL_C));
}

exports! {
    /// Has a function hear of Ctrl+C and its kin, or not any more; null: whether Ctrl+C is ignored.
    fn SetConsoleCtrlHandler(handler: usize, wanted: Bool) -> Bool {
        if handler == 0 {
            ignore_control_c(wanted != FALSE);
            return TRUE;
        }
        truth(if wanted == FALSE { remove(handler) } else { add(handler) })
    }
}
