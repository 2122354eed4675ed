//! The boot RAM disk: memory that the firmware filled, read-only from here on.

use boards::{LoaderBlock, PhysRange};

use crate::Machine;
use crate::contract::{PhysAddr, Translation};

/// The bytes of the boot RAM disk, after [`initialize`](super::initialize); `None` if there is none, or if the firmware put
/// it where memory is not reserved.
pub fn ram_disk(loader: &LoaderBlock) -> Option<&'static [u8]> {
    let range = loader.initrd?;
    let within = |outer: &PhysRange| outer.start <= range.start && range.end <= outer.end;
    if !loader.memory.iter().any(within) || !loader.reserved.iter().any(within) {
        return None;
    }
    let length = usize::try_from(range.length()).ok()?;
    let pointer = Machine::physical_pointer(PhysAddr(range.start));
    // SAFETY: the range is RAM, so it is in the physical map, and reserved, so no frame of it is ever given out and nobody
    // writes it; the firmware initialised it, and bytes take any value.
    Some(unsafe { core::slice::from_raw_parts(pointer.cast_const(), length) })
}
