//! Exceptions on x64.
//!
//! Offsets in a context are those of `Amd64Context`, which asserts them.

use core::arch::naked_asm;

use c_interface::{Function, Ptr};
use nt_abi::context::{Amd64Context, Amd64ContextFlags};
use nt_abi::exception::{Amd64DispatcherContext, Amd64JumpBuffer};
use nt_abi::native::ExceptionRecord;
use stubs::call::{Address, NtContinue};

use super::personality::{collided_unwind, nested_exception};
use super::restore::go_on;

/// This machine.
pub type Machine = unwind::machine::Amd64;
/// `CONTEXT` of this machine.
pub type Context = Amd64Context;
/// `DISPATCHER_CONTEXT` of this machine.
pub type DispatcherContext = Amd64DispatcherContext;
/// `_JUMP_BUFFER` of this machine.
pub type JumpBuffer = Amd64JumpBuffer;

/// From the frame of a function that calls a handler to where it keeps the dispatcher context.
const SAVED_DISPATCHER: u64 = 0x20;

/// The dispatcher context of the call that a frame belongs to.
pub(super) fn saved_dispatcher(frame: u64) -> Ptr<DispatcherContext> {
    let place = Ptr::<u64>::at(frame.wrapping_add(SAVED_DISPATCHER));
    Ptr::at(place.read())
}

/// Stores the caller's registers, as they are when the call has returned.
///
/// # NT
/// `RtlCaptureContext`. The flags are `CONTEXT_FULL | CONTEXT_SEGMENTS`. The context is aligned to 16 bytes.
// SAFETY: the body follows the C convention; it writes to the context alone, and every register but the stack's is as it was.
#[unsafe(naked)]
// SAFETY: the name is NT's.
#[unsafe(no_mangle)]
pub extern "C" fn RtlCaptureContext(context: Ptr<Context>) {
    naked_asm!(
        ".seh_proc RtlCaptureContext",
        "pushfq",
        ".seh_stackalloc 8",
        ".seh_endprologue",
        "mov [rcx + 0x78], rax",
        "mov [rcx + 0x80], rcx",
        "mov [rcx + 0x88], rdx",
        "mov [rcx + 0x90], rbx",
        "mov [rcx + 0xA0], rbp",
        "mov [rcx + 0xA8], rsi",
        "mov [rcx + 0xB0], rdi",
        "mov [rcx + 0xB8], r8",
        "mov [rcx + 0xC0], r9",
        "mov [rcx + 0xC8], r10",
        "mov [rcx + 0xD0], r11",
        "mov [rcx + 0xD8], r12",
        "mov [rcx + 0xE0], r13",
        "mov [rcx + 0xE8], r14",
        "mov [rcx + 0xF0], r15",
        "lea rax, [rsp + 0x10]",
        "mov [rcx + 0x98], rax",
        "mov rax, [rsp + 0x08]",
        "mov [rcx + 0xF8], rax",
        "mov eax, [rsp]",
        "mov [rcx + 0x44], eax",
        "mov word ptr [rcx + 0x38], cs",
        "mov word ptr [rcx + 0x3A], ds",
        "mov word ptr [rcx + 0x3C], es",
        "mov word ptr [rcx + 0x3E], fs",
        "mov word ptr [rcx + 0x40], gs",
        "mov word ptr [rcx + 0x42], ss",
        "fxsave64 [rcx + 0x100]",
        "stmxcsr [rcx + 0x34]",
        "mov dword ptr [rcx + 0x30], {flags}",
        "mov rax, [rcx + 0x78]",
        "popfq",
        "ret",
        ".seh_endproc",
        flags = const Amd64ContextFlags::FULL.0 | Amd64ContextFlags::SEGMENTS.0,
    )
}

/// Whether a context is restored without the kernel: it has the registers of [`RtlCaptureContext`] and no others.
pub(super) fn goes_on_without_kernel(flags: Amd64ContextFlags) -> bool {
    let more = Amd64ContextFlags(
        Amd64ContextFlags::DEBUG_REGISTERS.0 & !Amd64ContextFlags::AMD64.0
            | Amd64ContextFlags::XSTATE.0 & !Amd64ContextFlags::AMD64.0,
    );
    flags.contains(Amd64ContextFlags::FULL) && !flags.intersects(more)
}

/// Loads the registers of a context and goes on there, as a return from an interrupt does.
// SAFETY: the body does not return, so there is no convention for it to break; it reads the context before it leaves the stack.
#[unsafe(naked)]
pub(super) extern "C" fn resume(context: Ptr<Context>) -> ! {
    naked_asm!(
        ".seh_proc {this}",
        "sub rsp, 0x28",
        ".seh_stackalloc 0x28",
        ".seh_endprologue",
        // What the return takes: RIP, CS, RFLAGS, RSP, SS.
        "mov rax, [rcx + 0xF8]",
        "mov [rsp], rax",
        "movzx eax, word ptr [rcx + 0x38]",
        "mov [rsp + 0x08], rax",
        "mov eax, [rcx + 0x44]",
        "mov [rsp + 0x10], rax",
        "mov rax, [rcx + 0x98]",
        "mov [rsp + 0x18], rax",
        "movzx eax, word ptr [rcx + 0x42]",
        "mov [rsp + 0x20], rax",
        "fxrstor64 [rcx + 0x100]",
        "ldmxcsr [rcx + 0x34]",
        "mov rax, [rcx + 0x78]",
        "mov rdx, [rcx + 0x88]",
        "mov rbx, [rcx + 0x90]",
        "mov rbp, [rcx + 0xA0]",
        "mov rsi, [rcx + 0xA8]",
        "mov rdi, [rcx + 0xB0]",
        "mov r8, [rcx + 0xB8]",
        "mov r9, [rcx + 0xC0]",
        "mov r10, [rcx + 0xC8]",
        "mov r11, [rcx + 0xD0]",
        "mov r12, [rcx + 0xD8]",
        "mov r13, [rcx + 0xE0]",
        "mov r14, [rcx + 0xE8]",
        "mov r15, [rcx + 0xF0]",
        "mov rcx, [rcx + 0x80]",
        "iretq",
        ".seh_endproc",
        this = sym resume,
    )
}

/// Asks the kernel to restore a context.
pub(super) fn continue_in_kernel(context: Ptr<Context>) -> ! {
    let _refused = NtContinue(Address(context.raw()), false);
    // SAFETY: it raises an exception, which is all that is wanted.
    unsafe { core::arch::asm!("ud2", options(noreturn, nostack)) }
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
        "sub rsp, 0x28",
        ".seh_stackalloc 0x28",
        ".seh_endprologue",
        "mov [rsp + {saved}], r9",
        "call qword ptr [r9 + 0x30]",
        // An epilog that begins at the return address would hide the handler.
        "nop",
        "add rsp, 0x28",
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
        "sub rsp, 0x28",
        ".seh_stackalloc 0x28",
        ".seh_endprologue",
        "mov [rsp + {saved}], r9",
        "call qword ptr [r9 + 0x30]",
        "nop",
        "add rsp, 0x28",
        "ret",
        ".seh_handler {personality}, @except, @unwind",
        ".seh_endproc",
        this = sym execute_handler_for_unwind,
        personality = sym collided_unwind,
        saved = const SAVED_DISPATCHER,
    )
}

/// Calls a filter of C: `pointers` is the address of the `EXCEPTION_POINTERS`, `frame` that of the function's frame.
pub fn call_filter(
    filter: u64,
    pointers: u64,
    frame: u64,
    _dispatcher: Ptr<DispatcherContext>,
) -> i32 {
    let filter = Ptr::<u8>::at(filter).address();
    Function::<fn(u64, u64) -> i32>::new(filter).call(pointers, frame)
}

/// Calls a `__finally` block of C, of a function that an exception leaves.
pub fn call_termination(block: u64, frame: u64, _dispatcher: Ptr<DispatcherContext>) {
    let block = Ptr::<u8>::at(block).address();
    Function::<fn(u64, u64)>::new(block).call(1, frame);
}

/// Calls a function that ends an unwind, in a frame from which a walk comes to the context: a copy of it lies at the stack
/// pointer, and above it a machine frame with its RIP and RSP. Then goes on with the copy, where the function says.
// SAFETY: the body does not return; it uses the stack below itself.
#[unsafe(naked)]
pub(super) extern "C" fn consolidate(
    context: Ptr<Context>,
    callback: Ptr<u8>,
    record: Ptr<ExceptionRecord>,
) -> ! {
    naked_asm!(
        ".seh_proc {this}",
        "sub rsp, 0x4F8",
        ".seh_stackalloc 0x4F8",
        ".seh_endprologue",
        "mov rsi, rcx",
        "mov rdi, rsp",
        "mov ecx, 0x4D0 / 8",
        "rep movsq",
        "mov rax, [rsp + 0xF8]",
        "mov [rsp + 0x4D0], rax",
        "mov rax, [rsp + 0x98]",
        "mov [rsp + 0x4E8], rax",
        "jmp {call}",
        ".seh_endproc",
        this = sym consolidate,
        call = sym call_consolidated,
    )
}

/// The second half of [`consolidate`], whose frame is what lies at the stack pointer. The homes at the front of the context
/// are the called function's home area.
// SAFETY: only `consolidate` jumps here; the body does not return.
#[unsafe(naked)]
extern "C" fn call_consolidated(
    context: Ptr<Context>,
    callback: Ptr<u8>,
    record: Ptr<ExceptionRecord>,
) -> ! {
    naked_asm!(
        ".seh_proc {this}",
        ".seh_pushframe",
        ".seh_stackalloc 0x4D0",
        ".seh_savereg rbx, 0x90",
        ".seh_savereg rbp, 0xA0",
        ".seh_savereg rsi, 0xA8",
        ".seh_savereg rdi, 0xB0",
        ".seh_savereg r12, 0xD8",
        ".seh_savereg r13, 0xE0",
        ".seh_savereg r14, 0xE8",
        ".seh_savereg r15, 0xF0",
        ".seh_savexmm xmm6, 0x200",
        ".seh_savexmm xmm7, 0x210",
        ".seh_savexmm xmm8, 0x220",
        ".seh_savexmm xmm9, 0x230",
        ".seh_savexmm xmm10, 0x240",
        ".seh_savexmm xmm11, 0x250",
        ".seh_savexmm xmm12, 0x260",
        ".seh_savexmm xmm13, 0x270",
        ".seh_savexmm xmm14, 0x280",
        ".seh_savexmm xmm15, 0x290",
        ".seh_endprologue",
        "mov rcx, r8",
        "call rdx",
        "mov [rsp + 0xF8], rax",
        "mov rcx, rsp",
        "call {go_on}",
        "int3",
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
        /// (`Amd64ExceptionFrame`).
        ///
        /// # NT
        /// `KiUserExceptionDispatcher`.
        // SAFETY: the kernel alone enters here, with the frame on the stack; the function called does not return. The homes
        // at the front of the context are the called function's home area.
        #[unsafe(naked)]
        // SAFETY: the name is NT's.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn KiUserExceptionDispatcher() {
            core::arch::naked_asm!(
                ".seh_proc KiUserExceptionDispatcher",
                ".seh_pushframe",
                ".seh_stackalloc 0x590",
                ".seh_savereg rbx, 0x90",
                ".seh_savereg rbp, 0xA0",
                ".seh_savereg rsi, 0xA8",
                ".seh_savereg rdi, 0xB0",
                ".seh_savereg r12, 0xD8",
                ".seh_savereg r13, 0xE0",
                ".seh_savereg r14, 0xE8",
                ".seh_savereg r15, 0xF0",
                ".seh_savexmm xmm6, 0x200",
                ".seh_savexmm xmm7, 0x210",
                ".seh_savexmm xmm8, 0x220",
                ".seh_savexmm xmm9, 0x230",
                ".seh_savexmm xmm10, 0x240",
                ".seh_savexmm xmm11, 0x250",
                ".seh_savexmm xmm12, 0x260",
                ".seh_savexmm xmm13, 0x270",
                ".seh_savexmm xmm14, 0x280",
                ".seh_savexmm xmm15, 0x290",
                ".seh_endprologue",
                "cld",
                "lea rcx, [rsp + 0x4F0]",
                "mov rdx, rsp",
                "call {dispatch}",
                "int3",
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
                // Homes, the context, the record's address.
                "sub rsp, 0x4F8",
                ".seh_stackalloc 0x4F8",
                ".seh_endprologue",
                "mov [rsp + 0x4F0], rcx",
                "lea rcx, [rsp + 0x20]",
                "call {capture}",
                // The registers are those of the caller already, but for what this function has changed.
                "mov rcx, [rsp + 0x4F0]",
                "mov [rsp + 0x20 + 0x80], rcx",
                "lea rax, [rsp + 0x500]",
                "mov [rsp + 0x20 + 0x98], rax",
                "mov rax, [rsp + 0x4F8]",
                "mov [rsp + 0x20 + 0xF8], rax",
                "lea rdx, [rsp + 0x20]",
                "call {raise}",
                "int3",
                ".seh_endproc",
                capture = sym $crate::exceptions::RtlCaptureContext,
                raise = sym $raise,
            )
        }
    };
}
