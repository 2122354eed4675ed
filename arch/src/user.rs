//! User memory, as the kernel may touch it: copied, never borrowed.
//!
//! What user mode can write may change at any time and may not be there at all.
//! So there are no references to it: bytes are copied in or out by code of the
//! floor that survives faults. A fault on the way is first the memory manager's
//! (`Kernel::user_page_fault`: a page that is merely not in memory yet is brought);
//! what it cannot resolve ends the copy with [`UserFault`].
//!
//! # IRQL
//! Below Dispatch. From there on nothing can wait for a page, so a page that is not there stops the machine (bug check 0xA);
//! only who knows that it is there and stays, as a locked page does, copies at Dispatch.

use crate::Machine;
use crate::contract::{Threads, VirtAddr};
use crate::memory::layout;

/// An address that user mode has no access to, or that is not in its half.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UserFault;

/// Whether the bytes are in the user half.
pub const fn is_user_range(address: VirtAddr, length: u64) -> bool {
    address.0 <= layout::USER.end.0 && length <= layout::USER.end.0 - address.0
}

/// Fills `into` from user memory at `from`.
///
/// # Errors
/// [`UserFault`]; `into` then holds part of what could be read.
#[inline]
pub fn copy_in(into: &mut [u8], from: VirtAddr) -> Result<(), UserFault> {
    if !is_user_range(from, into.len() as u64) {
        return Err(UserFault);
    }
    // SAFETY: the slice is valid for writes; the range was checked.
    if unsafe { Machine::copy_from_user(into.as_mut_ptr(), from, into.len()) } {
        Ok(())
    } else {
        Err(UserFault)
    }
}

/// Writes `bytes` to user memory at `to`.
///
/// # Errors
/// [`UserFault`]; some of the bytes may be written then.
#[inline]
pub fn copy_out(to: VirtAddr, bytes: &[u8]) -> Result<(), UserFault> {
    if !is_user_range(to, bytes.len() as u64) {
        return Err(UserFault);
    }
    // SAFETY: the slice is valid for reads; the range was checked.
    if unsafe { Machine::copy_to_user(to, bytes.as_ptr(), bytes.len()) } {
        Ok(())
    } else {
        Err(UserFault)
    }
}

/// Reads eight bytes of user memory at `from`.
///
/// # Errors
/// [`UserFault`].
#[inline]
pub fn read_word(from: VirtAddr) -> Result<u64, UserFault> {
    if !is_user_range(from, 8) {
        return Err(UserFault);
    }
    // SAFETY: the range was checked.
    unsafe { Machine::read_user_word(from) }.ok_or(UserFault)
}

/// Writes eight bytes to user memory at `to`.
///
/// # Errors
/// [`UserFault`]; some of the bytes may be written then, if they are not all in one page.
#[inline]
pub fn write_word(to: VirtAddr, word: u64) -> Result<(), UserFault> {
    if !is_user_range(to, 8) {
        return Err(UserFault);
    }
    // SAFETY: the range was checked.
    if unsafe { Machine::write_user_word(to, word) } {
        Ok(())
    } else {
        Err(UserFault)
    }
}
