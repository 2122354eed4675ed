//! Exceptions as a program sees them: the record, and what the kernel puts on the stack before it enters ntdll.
//!
//! The kernel enters user mode at four exports of ntdll. `LdrInitializeThunk` starts a thread; the other three continue one
//! whose registers are saved on its own stack, in a frame that the stack pointer points to:
//!
//! | export | on x64 | on ARM64 |
//! |---|---|---|
//! | `KiUserExceptionDispatcher` | [`Amd64ExceptionFrame`] | [`Arm64ExceptionFrame`] |
//! | `KiUserApcDispatcher` | [`Amd64ApcFrame`] | [`Arm64ApcFrame`] |
//! | `KiUserCallbackDispatcher` | [`Amd64CallbackFrame`] | [`Arm64CallbackFrame`] |
//!
//! The two machines differ in where an APC's routine and arguments are. On x64 they are in the home slots of the context
//! itself: P1Home to P3Home hold the arguments, P4Home the routine, and the dispatcher loads RCX, RDX, R8 from them, puts
//! the context's address into R9 and calls. On ARM64, where a context has no homes, they stand in a frame before it.
//! The machine frames are there for the unwinder, which walks through the dispatcher as through an interrupt handler.
//!
//! The facts: the unwind data that Windows' ntdll has for these exports (on x64 a machine frame at a fixed distance), the
//! descriptions of KiUserExceptionDispatcher and KiUserApcDispatcher by Skywing and others ("A catalog of NTDLL kernel mode
//! to user mode callbacks", nynaeve.net), and Wine's ntdll, which lays out the same frames so that programs which
//! replace the dispatchers work.

mod unwinding;

pub use unwinding::*;

use crate::NtStatus;
use crate::context::{Amd64Context, Arm64Context, ContextEx};
use crate::layout::{layout, layouts};
use crate::numbers::flags;

layouts! {
    /// `EXCEPTION_RECORD`: what happened.
    pub struct ExceptionRecord (0x98, 0x50) {
        /// An `NtStatus`, see [`code`](Self::code).
        0x00 0x00 exception_code: u32,
        0x04 0x04 exception_flags: ExceptionFlags,
        /// Another record that this one happened during.
        0x08 0x08 exception_record: Pointer,
        /// The instruction.
        0x10 0x0C exception_address: Pointer,
        /// How many of the parameters count.
        0x18 0x10 number_parameters: u32,
        0x1C 0x14 reserved: Only64<u32>,
        /// For an access violation: 0 read, 1 write, 8 execute; then the address.
        0x20 0x14 exception_information: [Size; EXCEPTION_MAXIMUM_PARAMETERS],
    }

    /// `EXCEPTION_POINTERS`: what a filter gets.
    pub struct ExceptionPointers (0x10, 0x08) {
        0x00 0x00 exception_record: Pointer,
        0x08 0x04 context_record: Pointer,
    }
}

/// `EXCEPTION_MAXIMUM_PARAMETERS`.
pub const EXCEPTION_MAXIMUM_PARAMETERS: usize = 15;

impl w64::ExceptionRecord {
    /// The exception's code.
    pub const fn code(&self) -> NtStatus {
        NtStatus(self.exception_code)
    }
}

impl w32::ExceptionRecord {
    /// The exception's code.
    pub const fn code(&self) -> NtStatus {
        NtStatus(self.exception_code)
    }
}

flags! {
    /// `EXCEPTION_RECORD.ExceptionFlags`.
    pub struct ExceptionFlags: u32, "EXCEPTION_" {
        /// To continue after it is an error.
        NONCONTINUABLE = 0x01;
        /// Handlers are called to unwind.
        UNWINDING = 0x02;
        /// The unwind ends the thread.
        EXIT_UNWIND = 0x04;
        /// The stack is not aligned or outside of its limits.
        STACK_INVALID = 0x08;
        /// The exception happened in a handler.
        NESTED_CALL = 0x10;
        /// The frame that is called is the target of the unwind.
        TARGET_UNWIND = 0x20;
        /// Two frames' unwinds ran into one another.
        COLLIDED_UNWIND = 0x40;
        /// Raised by software, not by the machine.
        SOFTWARE_ORIGINATE = 0x80;
    }
}

layout! {
    /// `MACHINE_FRAME`: what an x64 processor pushes for an interrupt.
    pub struct MachineFrame (0x28) {
        0x00 rip: u64,
        0x08 cs: u64,
        0x10 e_flags: u64,
        0x18 rsp: u64,
        0x20 ss: u64,
    }

    /// At RSP on entry to x64's `KiUserExceptionDispatcher`.
    pub struct Amd64ExceptionFrame (0x5C0, align 16) {
        0x000 context: Amd64Context,
        0x4D0 context_ex: ContextEx,
        0x4E8 reserved0: u64,
        0x4F0 exception_record: w64::ExceptionRecord,
        0x588 reserved1: u64,
        /// RIP and RSP of the context again.
        0x590 machine_frame: MachineFrame,
        0x5B8 reserved2: u64,
    }

    /// At RSP on entry to x64's `KiUserApcDispatcher`.
    pub struct Amd64ApcFrame (0x500, align 16) {
        /// Its homes hold the arguments and the routine.
        0x000 context: Amd64Context,
        /// RIP and RSP of the context again.
        0x4D0 machine_frame: MachineFrame,
        0x4F8 reserved: u64,
    }

    /// At RSP on entry to x64's `KiUserCallbackDispatcher`; the argument's bytes follow.
    pub struct Amd64CallbackFrame (0x58) {
        /// Homes for the callee.
        0x00 homes: [u64; 4],
        /// Where the argument's bytes are.
        0x20 argument: u64,
        0x28 argument_length: u32,
        /// Index into the PEB's `kernel_callback_table`.
        0x2C number: u32,
        0x30 machine_frame: MachineFrame,
    }

    /// At SP on entry to ARM64's `KiUserExceptionDispatcher`.
    pub struct Arm64ExceptionFrame (0x470, align 16) {
        0x000 context: Arm64Context,
        0x390 context_ex: ContextEx,
        0x3A8 reserved0: u64,
        0x3B0 exception_record: w64::ExceptionRecord,
        0x448 reserved1: u64,
        /// SP of the context again.
        0x450 sp: u64,
        /// PC of the context again.
        0x458 pc: u64,
        /// The 16 bytes below a stack pointer belong to the thread.
        0x460 red_zone: [u64; 2],
    }

    /// At SP on entry to ARM64's `KiUserApcDispatcher`.
    pub struct Arm64ApcFrame (0x3D0, align 16) {
        0x000 routine: u64,
        0x008 arguments: [u64; 3],
        /// 1 if the thread is to test for more alerts when it continues.
        0x020 alertable: u64,
        0x028 reserved: u64,
        0x030 context: Arm64Context,
        /// The 16 bytes below a stack pointer belong to the thread.
        0x3C0 red_zone: [u64; 2],
    }

    /// At SP on entry to ARM64's `KiUserCallbackDispatcher`; the argument's bytes follow.
    pub struct Arm64CallbackFrame (0x30) {
        /// Where the argument's bytes are.
        0x00 argument: u64,
        0x08 argument_length: u32,
        /// Index into the PEB's `kernel_callback_table`.
        0x0C number: u32,
        0x10 reserved: u64,
        0x18 lr: u64,
        0x20 sp: u64,
        0x28 pc: u64,
    }
}
