//! Everything that has a width, with 64-bit pointers: the structures, and the types that their declarations are made of.

pub use crate::{
    accounting::w64::*, debug::w64::*, exception::w64::*, heap::w64::*, job::w64::*,
    loader::w64::*, memory::w64::*, object_information::w64::*, peb::w64::*, primitives::w64::*,
    process_creation::w64::*, process_information::w64::*, process_parameters::w64::*,
    synchronization::w64::*, system_information::activity::w64::*,
    system_information::machine::w64::*, teb::w64::*, thread_information::w64::*,
};

/// A pointer, as a number: it comes from a program and proves nothing.
pub type Pointer = u64;
/// `HANDLE`, as a number.
pub type Handle = u64;
/// `SIZE_T`, `ULONG_PTR`, `KAFFINITY`.
pub type Size = u64;
/// `SSIZE_T`, `LONG_PTR`.
pub type SignedSize = i64;
/// A field that only the 64-bit form has.
pub type Only64<T> = T;
/// A field that only the 32-bit form has: nothing here.
pub type Only32<T> = [T; 0];
/// `TEB.SystemReserved1`.
pub type TebSystemReserved1 = [Pointer; 30];
/// `TEB.SpareBytes`.
pub type TebSpareBytes = [u8; 2];
/// `TEB.Instrumentation`.
pub type TebInstrumentation = [Pointer; 11];
/// `PEB.GdiHandleBuffer`.
pub type PebGdiHandleBuffer = [u32; 60];
/// The union of `PS_CREATE_INFO`.
pub type PsCreateInfoData = [u64; 9];
/// The union of `DBGUI_WAIT_STATE_CHANGE`.
pub type DbgUiStateInfo = [Pointer; 20];
/// The union of `RTL_HEAP_WALK_ENTRY`.
pub type HeapWalkDetails = [u32; 6];
