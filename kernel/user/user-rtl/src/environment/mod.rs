//! Environment variables: blocks made, looked into, changed, and text with their values.
//!
//! A block is a block of the process heap, from which it is taken anew when a variable does not fit; so the process's own
//! block must be one too. [`adopt`] makes it so for the block that the kernel left behind the parameters.
//!
//! # NT
//! The functions take a block, or none for the process's own, under the PEB's lock. Its size is in the parameters, and is
//! that of its memory: a variable that goes leaves room behind.

pub mod blocks;
pub mod expansion;
pub mod variables;

use c_interface::{Ptr, field};
use nt_abi::NtStatus;
use nt_abi::native::{RtlUserProcessParameters, Size};

use crate::process::{PebLock, parameters};

/// How many units a block has, without its last zero.
fn length(block: Ptr<u16>) -> usize {
    let mut length = 0;
    while block.add(length).read() != 0 {
        while block.add(length).read() != 0 {
            length += 1;
        }
        length += 1;
    }
    length
}

/// A block's units, without its last zero.
fn view<'a>(block: Ptr<u16>) -> &'a [u16] {
    match block.non_null() {
        Some(block) => block.slice(length(block)),
        None => &[],
    }
}

/// The process's own block, under its lock.
struct Own {
    parameters: Ptr<RtlUserProcessParameters>,
    _lock: PebLock,
}

impl Own {
    /// Waits for the lock; `None`: the process has no parameters.
    fn acquire() -> Option<Self> {
        Some(Self {
            parameters: parameters()?,
            _lock: PebLock::acquire(),
        })
    }

    fn block(&self) -> Ptr<u16> {
        Ptr::at(field!(self.parameters, RtlUserProcessParameters, environment).read())
    }

    /// The size of its memory, in bytes.
    fn size(&self) -> usize {
        Ptr::<u8>::at(field!(self.parameters, RtlUserProcessParameters, environment_size).read())
            .address()
    }

    /// Makes another block, of this size, the process's; gives the old one.
    fn replace(&self, block: Ptr<u16>, bytes: usize) -> Ptr<u16> {
        let old = self.block();
        field!(self.parameters, RtlUserProcessParameters, environment).write(block.raw());
        field!(self.parameters, RtlUserProcessParameters, environment_size).write(size(bytes));
        self.changed();
        old
    }

    /// Tells whoever watches that the block has changed.
    fn changed(&self) {
        let version = field!(
            self.parameters,
            RtlUserProcessParameters,
            environment_version
        );
        version.write(version.read().wrapping_add(1));
    }
}

/// A size as a structure of the process has it.
const fn size(bytes: usize) -> Size {
    Ptr::<u8>::new(bytes).raw()
}

/// Calls something with a block's units, or with those of the process's own block for none.
fn with_block<R>(block: Ptr<u16>, call: impl FnOnce(&[u16]) -> R) -> R {
    if !block.is_null() {
        return call(view(block));
    }
    match Own::acquire() {
        Some(own) => call(view(own.block())),
        None => call(&[]),
    }
}

/// Makes the process's environment a block of the process heap: for the loader, before there is a second thread.
///
/// # Errors
/// `NO_MEMORY`.
pub fn adopt() -> Result<(), NtStatus> {
    let Some(own) = Own::acquire() else {
        return Ok(());
    };
    let units = view(own.block());
    let block = blocks::copy(units)?;
    own.replace(block, (units.len() + 1) * 2);
    Ok(())
}
