//! Exceptions on ARM64.
//!
//! Offsets in a context are those of `Arm64Context`, which asserts them.

use core::arch::naked_asm;

use c_interface::{Ptr, field};
use nt_abi::context::{Arm64Context, Arm64ContextFlags};
use nt_abi::exception::{Arm64DispatcherContext, Arm64JumpBuffer};
use nt_abi::native::ExceptionRecord;
use stubs::call::{Address, NtContinue};

use super::personality::{collided_unwind, nested_exception};
use super::restore::go_on;

/// This machine.
pub type Machine = unwind::machine::Arm64;
/// `CONTEXT` of this machine.
pub type Context = Arm64Context;
/// `DISPATCHER_CONTEXT` of this machine.
pub type DispatcherContext = Arm64DispatcherContext;
/// `_JUMP_BUFFER` of this machine.
pub type JumpBuffer = Arm64JumpBuffer;

/// From where a function that calls a handler keeps the dispatcher context to its frame, which is the stack pointer that it
/// was called with.
const SAVED_DISPATCHER: u64 = 0x10;

/// The dispatcher context of the call that a frame belongs to.
pub(super) fn saved_dispatcher(frame: u64) -> Ptr<DispatcherContext> {
    let place = Ptr::<u64>::at(frame.wrapping_sub(SAVED_DISPATCHER));
    Ptr::at(place.read())
}

/// Stores the caller's registers, as they are when the call has returned.
///
/// # NT
/// `RtlCaptureContext`. The flags are `CONTEXT_FULL`.
// SAFETY: the body follows the C convention; it writes to the context alone, and every register but X16 is as it was.
#[unsafe(naked)]
// SAFETY: the name is NT's.
#[unsafe(no_mangle)]
pub extern "C" fn RtlCaptureContext(context: Ptr<Context>) {
    naked_asm!(
        "stp x0, x1, [x0, #0x08]",
        "stp x2, x3, [x0, #0x18]",
        "stp x4, x5, [x0, #0x28]",
        "stp x6, x7, [x0, #0x38]",
        "stp x8, x9, [x0, #0x48]",
        "stp x10, x11, [x0, #0x58]",
        "stp x12, x13, [x0, #0x68]",
        "stp x14, x15, [x0, #0x78]",
        "stp x16, x17, [x0, #0x88]",
        "stp x18, x19, [x0, #0x98]",
        "stp x20, x21, [x0, #0xA8]",
        "stp x22, x23, [x0, #0xB8]",
        "stp x24, x25, [x0, #0xC8]",
        "stp x26, x27, [x0, #0xD8]",
        "stp x28, x29, [x0, #0xE8]",
        "mov x16, sp",
        "stp x30, x16, [x0, #0xF8]",
        "str x30, [x0, #0x108]",
        "stp q0, q1, [x0, #0x110]",
        "stp q2, q3, [x0, #0x130]",
        "stp q4, q5, [x0, #0x150]",
        "stp q6, q7, [x0, #0x170]",
        "stp q8, q9, [x0, #0x190]",
        "stp q10, q11, [x0, #0x1B0]",
        "stp q12, q13, [x0, #0x1D0]",
        "stp q14, q15, [x0, #0x1F0]",
        "stp q16, q17, [x0, #0x210]",
        "stp q18, q19, [x0, #0x230]",
        "stp q20, q21, [x0, #0x250]",
        "stp q22, q23, [x0, #0x270]",
        "stp q24, q25, [x0, #0x290]",
        "stp q26, q27, [x0, #0x2B0]",
        "stp q28, q29, [x0, #0x2D0]",
        "stp q30, q31, [x0, #0x2F0]",
        "mrs x16, fpcr",
        "str w16, [x0, #0x310]",
        "mrs x16, fpsr",
        "str w16, [x0, #0x314]",
        "mrs x16, nzcv",
        "str w16, [x0, #0x04]",
        "mov w16, #{flags_low}",
        "movk w16, #{flags_high}, lsl #16",
        "str w16, [x0]",
        "ret",
        flags_low = const Arm64ContextFlags::FULL.0 & 0xFFFF,
        flags_high = const Arm64ContextFlags::FULL.0 >> 16,
    )
}

/// Whether a context is restored without the kernel: it has the registers of [`RtlCaptureContext`] and no others, and
/// stands behind a call, where X16 and X17 hold nothing: one of them is needed to get there.
pub(super) fn goes_on_without_kernel(flags: Arm64ContextFlags) -> bool {
    let debug =
        Arm64ContextFlags(Arm64ContextFlags::DEBUG_REGISTERS.0 & !Arm64ContextFlags::MACHINE.0);
    flags.contains(Arm64ContextFlags::FULL | Arm64ContextFlags::UNWOUND_TO_CALL)
        && !flags.intersects(debug)
}

/// Loads the registers of a context, all but X16, X17 and X18, and goes on there.
// SAFETY: the body does not return, so there is no convention for it to break.
#[unsafe(naked)]
pub(super) extern "C" fn resume(context: Ptr<Context>) -> ! {
    naked_asm!(
        "ldr w16, [x0, #0x310]",
        "msr fpcr, x16",
        "ldr w16, [x0, #0x314]",
        "msr fpsr, x16",
        "ldr w16, [x0, #0x04]",
        "msr nzcv, x16",
        "ldp q0, q1, [x0, #0x110]",
        "ldp q2, q3, [x0, #0x130]",
        "ldp q4, q5, [x0, #0x150]",
        "ldp q6, q7, [x0, #0x170]",
        "ldp q8, q9, [x0, #0x190]",
        "ldp q10, q11, [x0, #0x1B0]",
        "ldp q12, q13, [x0, #0x1D0]",
        "ldp q14, q15, [x0, #0x1F0]",
        "ldp q16, q17, [x0, #0x210]",
        "ldp q18, q19, [x0, #0x230]",
        "ldp q20, q21, [x0, #0x250]",
        "ldp q22, q23, [x0, #0x270]",
        "ldp q24, q25, [x0, #0x290]",
        "ldp q26, q27, [x0, #0x2B0]",
        "ldp q28, q29, [x0, #0x2D0]",
        "ldp q30, q31, [x0, #0x2F0]",
        "ldp x2, x3, [x0, #0x18]",
        "ldp x4, x5, [x0, #0x28]",
        "ldp x6, x7, [x0, #0x38]",
        "ldp x8, x9, [x0, #0x48]",
        "ldp x10, x11, [x0, #0x58]",
        "ldp x12, x13, [x0, #0x68]",
        "ldp x14, x15, [x0, #0x78]",
        "ldr x19, [x0, #0xA0]",
        "ldp x20, x21, [x0, #0xA8]",
        "ldp x22, x23, [x0, #0xB8]",
        "ldp x24, x25, [x0, #0xC8]",
        "ldp x26, x27, [x0, #0xD8]",
        "ldp x28, x29, [x0, #0xE8]",
        "ldr x30, [x0, #0xF8]",
        "ldp x17, x16, [x0, #0x100]",
        // The stack pointer is the last to change: the context may be below the new one.
        "ldp x0, x1, [x0, #0x08]",
        "mov sp, x17",
        "ret x16",
    )
}

/// Asks the kernel to restore a context.
pub(super) fn continue_in_kernel(context: Ptr<Context>) -> ! {
    let _refused = NtContinue(Address(context.raw()), false);
    // SAFETY: it raises an exception, which is all that is wanted.
    unsafe { core::arch::asm!("udf #0", options(noreturn, nostack)) }
}

/// Calls a language handler for the search of one: `handler` of the dispatcher context.
///
/// # NT
/// Windows calls it `RtlpExecuteHandlerForException`.
// SAFETY: the body follows the C convention.
#[unsafe(naked)]
pub extern "C" fn execute_handler_for_exception(
    record: Ptr<ExceptionRecord>,
    frame: u64,
    context: Ptr<Context>,
    dispatcher: Ptr<DispatcherContext>,
) -> u32 {
    naked_asm!(
        ".seh_proc {this}",
        "stp x29, x30, [sp, #-0x20]!",
        ".seh_save_fplr_x 0x20",
        "mov x29, sp",
        ".seh_set_fp",
        ".seh_endprologue",
        "str x3, [sp, #0x20 - {saved}]",
        "ldr x16, [x3, #0x30]",
        "blr x16",
        // An epilog that begins at the return address would hide the handler from who does not look in front of it.
        "nop",
        ".seh_startepilogue",
        "ldp x29, x30, [sp], #0x20",
        ".seh_save_fplr_x 0x20",
        ".seh_endepilogue",
        "ret",
        ".seh_handler {personality}, @except, @unwind",
        ".seh_endproc",
        this = sym execute_handler_for_exception,
        personality = sym nested_exception,
        saved = const SAVED_DISPATCHER,
    )
}

/// Calls a language handler for an unwind.
///
/// # NT
/// Windows calls it `RtlpExecuteHandlerForUnwind`.
// SAFETY: the body follows the C convention.
#[unsafe(naked)]
pub extern "C" fn execute_handler_for_unwind(
    record: Ptr<ExceptionRecord>,
    frame: u64,
    context: Ptr<Context>,
    dispatcher: Ptr<DispatcherContext>,
) -> u32 {
    naked_asm!(
        ".seh_proc {this}",
        "stp x29, x30, [sp, #-0x20]!",
        ".seh_save_fplr_x 0x20",
        "mov x29, sp",
        ".seh_set_fp",
        ".seh_endprologue",
        "str x3, [sp, #0x20 - {saved}]",
        "ldr x16, [x3, #0x30]",
        "blr x16",
        "nop",
        ".seh_startepilogue",
        "ldp x29, x30, [sp], #0x20",
        ".seh_save_fplr_x 0x20",
        ".seh_endepilogue",
        "ret",
        ".seh_handler {personality}, @except, @unwind",
        ".seh_endproc",
        this = sym execute_handler_for_unwind,
        personality = sym collided_unwind,
        saved = const SAVED_DISPATCHER,
    )
}

/// Calls a filter of C: `pointers` is the address of the `EXCEPTION_POINTERS`.
///
/// The filter is a part of its function: it gets the function's frame pointer as its second argument, and finds in the
/// registers that functions keep what the function had there.
pub fn call_filter(
    filter: u64,
    pointers: u64,
    _frame: u64,
    dispatcher: Ptr<DispatcherContext>,
) -> i32 {
    let registers = field!(dispatcher, DispatcherContext, non_volatile_registers).read();
    call_part(pointers, 0, filter, registers)
}

/// Calls a `__finally` block of C, of a function that an exception leaves; as [`call_filter`].
pub fn call_termination(block: u64, _frame: u64, dispatcher: Ptr<DispatcherContext>) {
    let registers = field!(dispatcher, DispatcherContext, non_volatile_registers).read();
    call_part(1, 0, block, registers);
}

/// Calls a part of a function with the registers that the function had (`Arm64NonvolatileRegisters`). The second argument
/// becomes the function's frame pointer.
// SAFETY: the body follows the C convention: it saves all that it loads.
#[unsafe(naked)]
extern "C" fn call_part(argument: u64, frame: u64, part: u64, registers: u64) -> i32 {
    naked_asm!(
        ".seh_proc {this}",
        "stp x29, x30, [sp, #-0xA0]!",
        ".seh_save_fplr_x 0xA0",
        "stp x19, x20, [sp, #0x10]",
        ".seh_save_regp x19, 0x10",
        "stp x21, x22, [sp, #0x20]",
        ".seh_save_regp x21, 0x20",
        "stp x23, x24, [sp, #0x30]",
        ".seh_save_regp x23, 0x30",
        "stp x25, x26, [sp, #0x40]",
        ".seh_save_regp x25, 0x40",
        "stp x27, x28, [sp, #0x50]",
        ".seh_save_regp x27, 0x50",
        "stp d8, d9, [sp, #0x60]",
        ".seh_save_fregp d8, 0x60",
        "stp d10, d11, [sp, #0x70]",
        ".seh_save_fregp d10, 0x70",
        "stp d12, d13, [sp, #0x80]",
        ".seh_save_fregp d12, 0x80",
        "stp d14, d15, [sp, #0x90]",
        ".seh_save_fregp d14, 0x90",
        ".seh_endprologue",
        "ldp x19, x20, [x3]",
        "ldp x21, x22, [x3, #0x10]",
        "ldp x23, x24, [x3, #0x20]",
        "ldp x25, x26, [x3, #0x30]",
        "ldp x27, x28, [x3, #0x40]",
        "ldr x29, [x3, #0x50]",
        "ldp d8, d9, [x3, #0x58]",
        "ldp d10, d11, [x3, #0x68]",
        "ldp d12, d13, [x3, #0x78]",
        "ldp d14, d15, [x3, #0x88]",
        "mov x1, x29",
        "blr x2",
        "nop",
        ".seh_startepilogue",
        "ldp d14, d15, [sp, #0x90]",
        ".seh_save_fregp d14, 0x90",
        "ldp d12, d13, [sp, #0x80]",
        ".seh_save_fregp d12, 0x80",
        "ldp d10, d11, [sp, #0x70]",
        ".seh_save_fregp d10, 0x70",
        "ldp d8, d9, [sp, #0x60]",
        ".seh_save_fregp d8, 0x60",
        "ldp x27, x28, [sp, #0x50]",
        ".seh_save_regp x27, 0x50",
        "ldp x25, x26, [sp, #0x40]",
        ".seh_save_regp x25, 0x40",
        "ldp x23, x24, [sp, #0x30]",
        ".seh_save_regp x23, 0x30",
        "ldp x21, x22, [sp, #0x20]",
        ".seh_save_regp x21, 0x20",
        "ldp x19, x20, [sp, #0x10]",
        ".seh_save_regp x19, 0x10",
        "ldp x29, x30, [sp], #0xA0",
        ".seh_save_fplr_x 0xA0",
        ".seh_endepilogue",
        "ret",
        ".seh_endproc",
        this = sym call_part,
    )
}

/// Calls a function that ends an unwind, in a frame from which a walk comes to the context: a copy of it lies at the stack
/// pointer. Then goes on with the copy, where the function says.
// SAFETY: the body does not return; it uses the stack below itself.
#[unsafe(naked)]
pub(super) extern "C" fn consolidate(
    context: Ptr<Context>,
    callback: Ptr<u8>,
    record: Ptr<ExceptionRecord>,
) -> ! {
    naked_asm!(
        ".seh_proc {this}",
        "sub sp, sp, #0x390",
        ".seh_stackalloc 0x390",
        ".seh_endprologue",
        "mov x9, sp",
        "mov x10, #0x390",
        "2: ldp x11, x12, [x0], #0x10",
        "stp x11, x12, [x9], #0x10",
        "subs x10, x10, #0x10",
        "b.ne 2b",
        "b {call}",
        ".seh_endproc",
        this = sym consolidate,
        call = sym call_consolidated,
    )
}

/// The second half of [`consolidate`], whose frame is the context at the stack pointer.
// SAFETY: only `consolidate` jumps here; the body does not return.
#[unsafe(naked)]
extern "C" fn call_consolidated(
    context: Ptr<Context>,
    callback: Ptr<u8>,
    record: Ptr<ExceptionRecord>,
) -> ! {
    naked_asm!(
        ".seh_proc {this}",
        ".seh_context",
        ".seh_endprologue",
        "mov x0, x2",
        "blr x1",
        "str x0, [sp, #0x108]",
        "mov x0, sp",
        "bl {go_on}",
        "brk #0xF000",
        ".seh_endproc",
        this = sym call_consolidated,
        go_on = sym go_on,
    )
}

/// Makes the entries that call back, for this machine.
#[doc(hidden)]
#[macro_export]
macro_rules! __exception_entries {
    ($dispatch:path, $raise:path) => {
        /// Where the kernel brings an exception of the thread, with its registers and the record on the stack
        /// (`Arm64ExceptionFrame`).
        ///
        /// # NT
        /// `KiUserExceptionDispatcher`.
        // SAFETY: the kernel alone enters here, with the frame on the stack; the function called does not return.
        #[unsafe(naked)]
        // SAFETY: the name is NT's.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn KiUserExceptionDispatcher() {
            core::arch::naked_asm!(
                ".seh_proc KiUserExceptionDispatcher",
                ".seh_context",
                ".seh_endprologue",
                "add x0, sp, #0x3B0",
                "mov x1, sp",
                "bl {dispatch}",
                "brk #0xF000",
                ".seh_endproc",
                dispatch = sym $dispatch,
            )
        }

        /// Raises an exception where it was called.
        ///
        /// # NT
        /// `RtlRaiseException`.
        // SAFETY: the body follows the C convention; the function called does not return.
        #[unsafe(naked)]
        // SAFETY: the name is NT's.
        #[unsafe(no_mangle)]
        pub extern "C" fn RtlRaiseException(record: $crate::exceptions::Ptr<$crate::exceptions::ExceptionRecord>) {
            core::arch::naked_asm!(
                ".seh_proc RtlRaiseException",
                "stp x29, x30, [sp, #-0x20]!",
                ".seh_save_fplr_x 0x20",
                "mov x29, sp",
                ".seh_set_fp",
                "sub sp, sp, #0x390",
                ".seh_stackalloc 0x390",
                ".seh_endprologue",
                "str x0, [x29, #0x10]",
                "mov x0, sp",
                "bl {capture}",
                // The registers are those of the caller already, but for what this function has changed. It stands behind
                // a call, which its flags say.
                "ldr x0, [x29, #0x10]",
                "str x0, [sp, #0x08]",
                "ldp x9, x10, [x29]",
                "add x11, x29, #0x20",
                "stp x9, x10, [sp, #0xF0]",
                "stp x11, x10, [sp, #0x100]",
                "ldr w9, [sp]",
                "orr w9, w9, #0x20000000",
                "str w9, [sp]",
                "mov x1, sp",
                "bl {raise}",
                "brk #0xF000",
                ".seh_endproc",
                capture = sym $crate::exceptions::RtlCaptureContext,
                raise = sym $raise,
            )
        }
    };
}
