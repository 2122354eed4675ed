//! Everything that has a width, with 32-bit pointers: the structures, and the types that their declarations are made of.

pub use crate::{
    accounting::w32::*, debug::w32::*, exception::w32::*, heap::w32::*, job::w32::*,
    loader::w32::*, memory::w32::*, object_information::w32::*, peb::w32::*, primitives::w32::*,
    process_creation::w32::*, process_information::w32::*, process_parameters::w32::*,
    synchronization::w32::*, system_information::activity::w32::*,
    system_information::machine::w32::*, teb::w32::*, thread_information::w32::*,
};

/// A pointer, as a number: it comes from a program and proves nothing.
pub type Pointer = u32;
/// `HANDLE`, as a number.
pub type Handle = u32;
/// `SIZE_T`, `ULONG_PTR`, `KAFFINITY`.
pub type Size = u32;
/// `SSIZE_T`, `LONG_PTR`.
pub type SignedSize = i32;
/// A field that only the 32-bit form has.
pub type Only32<T> = T;
/// A field that only the 64-bit form has: nothing here.
pub type Only64<T> = [T; 0];
/// `TEB.SystemReserved1`.
pub type TebSystemReserved1 = [Pointer; 26];
/// `TEB.SpareBytes`.
pub type TebSpareBytes = [u8; 22];
/// `TEB.Instrumentation`.
pub type TebInstrumentation = [Pointer; 9];
/// `PEB.GdiHandleBuffer`.
pub type PebGdiHandleBuffer = [u32; 34];
/// The union of `PS_CREATE_INFO`.
pub type PsCreateInfoData = [u64; 8];
/// The union of `DBGUI_WAIT_STATE_CHANGE`.
pub type DbgUiStateInfo = [Pointer; 21];
/// The union of `RTL_HEAP_WALK_ENTRY`.
pub type HeapWalkDetails = [u32; 4];
