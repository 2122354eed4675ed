//! Windows onto device registers.
//!
//! A window is made once for a device and stays: the firmware's tables name a
//! few dozen at most. Accesses are volatile, of the register's own width, and
//! checked against the window's length, so driver code above needs no `unsafe`.
//! RAM is refused, reserved or not, and so is the image: a window cannot become a
//! second owner of a page.

use core::sync::atomic::{AtomicU64, Ordering};

use boards::PhysRange;

use super::boot_tables::{KERNEL_ROOT, PoolAccess};
use super::{frame, layout, table};
use crate::Machine;
use crate::contract::{MemoryType, PAGE_SIZE, PhysAddr, Protection, Translation, VirtAddr};

/// Why a window was not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeviceError {
    /// The range is empty or wraps, or lies beyond the machine's physical addresses.
    BadRange,
    /// The range touches RAM.
    IsRam,
    /// No room for it: tables or addresses.
    NoRoom,
}

/// Device registers, mapped.
#[derive(Debug)]
pub struct DeviceWindow {
    start: VirtAddr,
    length: u64,
}

static NEXT: AtomicU64 = AtomicU64::new(layout::DEVICES.start.0);

impl DeviceWindow {
    /// Maps `length` bytes of registers at `physical`.
    ///
    /// # Errors
    /// See [`DeviceError`].
    pub fn map(physical: PhysAddr, length: u64) -> Result<Self, DeviceError> {
        let range = PhysRange::new(physical.0, length)
            .filter(|range| !range.is_empty())
            .ok_or(DeviceError::BadRange)?;
        if range.end > 1 << 48 {
            return Err(DeviceError::BadRange);
        }
        let pages = PhysRange {
            start: range.start & !(PAGE_SIZE - 1),
            end: range.end.next_multiple_of(PAGE_SIZE),
        };
        if frame::is_ram(pages) {
            return Err(DeviceError::IsRam);
        }
        // A page stays unmapped behind each window, so that an access beyond its end faults. Addresses of a window that then
        // fails are not used again; what it mapped before shows registers that nobody has the address of.
        let start = NEXT
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
                let end = next.checked_add(pages.length())?.checked_add(PAGE_SIZE)?;
                (end <= layout::DEVICES.end.0).then_some(end)
            })
            .map_err(|_| DeviceError::NoRoom)?;
        let guard = KERNEL_ROOT.acquire();
        let root = guard.ok_or(DeviceError::NoRoom)?;
        let target = table::Target {
            physical: PhysAddr(pages.start),
            protection: Protection::ReadWrite,
            memory_type: MemoryType::Device,
        };
        table::map(
            &mut PoolAccess,
            root,
            VirtAddr(start),
            pages.length(),
            target,
        )
        .map_err(|_| DeviceError::NoRoom)?;
        Machine::publish_entries();
        Ok(Self {
            start: VirtAddr(start + (range.start - pages.start)),
            length,
        })
    }

    /// Bytes of registers.
    pub fn length(&self) -> u64 {
        self.length
    }

    fn address<T>(&self, offset: u64) -> *mut T {
        let size = size_of::<T>() as u64;
        assert!(
            offset.is_multiple_of(size)
                && offset
                    .checked_add(size)
                    .is_some_and(|end| end <= self.length),
            "register offset {offset:#x} is outside its device window of {:#x} bytes",
            self.length
        );
        (self.start.0 + offset) as *mut T
    }
}

macro_rules! register_access {
    ($($read:ident $write:ident $type:ty;)*) => {
        impl DeviceWindow {
            $(
                /// Reads the register at `offset` bytes.
                ///
                /// # Panics
                /// If the register is not aligned or not within the window: a driver's mistake.
                pub fn $read(&self, offset: u64) -> $type {
                    // SAFETY: `address` checked that the register lies in this window, which is mapped for good as device
                    // memory; no Rust object is there.
                    unsafe { self.address::<$type>(offset).read_volatile() }
                }

                /// Writes the register at `offset` bytes.
                ///
                /// # Panics
                /// If the register is not aligned or not within the window: a driver's mistake.
                pub fn $write(&self, offset: u64, value: $type) {
                    // SAFETY: as for reading.
                    unsafe { self.address::<$type>(offset).write_volatile(value) }
                }
            )*
        }
    };
}

register_access! {
    read8 write8 u8;
    read16 write16 u16;
    read32 write32 u32;
    read64 write64 u64;
}
