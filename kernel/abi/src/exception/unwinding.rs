//! What a language handler is called with, what it answers, and what unwinding tells of where registers were saved.
//!
//! The shapes are those of `winnt.h` and `setjmp.h`. A handler is a function of four arguments: the record, the establisher
//! frame, the context and the dispatcher context; it answers an [`ExceptionDisposition`].

use crate::context::{Amd64Context, Arm64Context, M128A};
use crate::layout::layout;
use crate::numbers::{flags, numbers};

numbers! {
    /// `EXCEPTION_DISPOSITION`: what a language handler answers.
    pub struct ExceptionDisposition: u32 {
        /// Go on with the context.
        CONTINUE_EXECUTION = 0, "ExceptionContinueExecution";
        /// Look further.
        CONTINUE_SEARCH = 1, "ExceptionContinueSearch";
        /// The exception happened in a handler that another one's search had called.
        NESTED_EXCEPTION = 2, "ExceptionNestedException";
        /// The exception or the unwind met a handler that another unwind had called.
        COLLIDED_UNWIND = 3, "ExceptionCollidedUnwind";
    }
}

flags! {
    /// The kinds of language handlers, `UNW_FLAG_*`.
    pub struct HandlerTypes: u32, "UNW_FLAG_" {
        /// Called when a handler is searched.
        EHANDLER = 1;
        /// Called when the stack is unwound.
        UHANDLER = 2;
        /// x64: the control PC is known to be in no epilog.
        NO_EPILOGUE = 0x8000_0000;
    }
}

layout! {
    /// `UNWIND_HISTORY_TABLE_ENTRY`: a function that was found before.
    pub struct UnwindHistoryEntry (0x10) {
        0x00 image_base: u64,
        /// Where its entry in the function table is.
        0x08 function_entry: u64,
    }

    /// `UNWIND_HISTORY_TABLE` with 64-bit pointers: functions that one unwind found, for the next one over the same stack.
    pub struct UnwindHistoryTable (0xD8) {
        /// How many of the entries count.
        0x00 count: u32,
        0x04 local_hint: u8,
        0x05 global_hint: u8,
        0x06 search: u8,
        0x07 once: u8,
        /// The lowest address of a function in the table.
        0x08 low_address: u64,
        /// The highest one.
        0x10 high_address: u64,
        0x18 entry: [UnwindHistoryEntry; UNWIND_HISTORY_TABLE_SIZE],
    }

    /// `DISPATCHER_CONTEXT` of x64.
    pub struct Amd64DispatcherContext (0x50) {
        /// Where control left the function.
        0x00 control_pc: u64,
        /// Base of the image that the function is in.
        0x08 image_base: u64,
        /// Where its entry in the function table is.
        0x10 function_entry: u64,
        /// Its frame.
        0x18 establisher_frame: u64,
        /// Unwinding: where the target goes on.
        0x20 target_ip: u64,
        /// An [`Amd64Context`]: the registers in the function's caller while a handler is searched, and in the function
        /// itself while the stack is unwound.
        0x28 context_record: u64,
        /// The handler that is called.
        0x30 language_handler: u64,
        /// Its own data.
        0x38 handler_data: u64,
        /// An [`UnwindHistoryTable`], or 0.
        0x40 history_table: u64,
        /// The first scope of the function that is looked at; the handler of C keeps it.
        0x48 scope_index: u32,
        0x4C fill0: u32,
    }

    /// `DISPATCHER_CONTEXT` of ARM64.
    pub struct Arm64DispatcherContext (0x58) {
        /// Where control left the function.
        0x00 control_pc: u64,
        /// Base of the image that the function is in.
        0x08 image_base: u64,
        /// Where its entry in the function table is.
        0x10 function_entry: u64,
        /// Its frame: the stack pointer at the call of the function.
        0x18 establisher_frame: u64,
        /// Unwinding: where the target goes on.
        0x20 target_pc: u64,
        /// An [`Arm64Context`]: the registers in the function's caller while a handler is searched, and in the function
        /// itself while the stack is unwound.
        0x28 context_record: u64,
        /// The handler that is called.
        0x30 language_handler: u64,
        /// Its own data.
        0x38 handler_data: u64,
        /// An [`UnwindHistoryTable`], or 0.
        0x40 history_table: u64,
        /// The first scope of the function that is looked at; the handler of C keeps it.
        0x48 scope_index: u32,
        /// Whether the control PC is the return address of a call, and not an instruction that faulted.
        0x4C control_pc_is_unwound: u8,
        0x4D reserved: [u8; 3],
        /// An [`Arm64NonvolatileRegisters`]: those of the function where control left it.
        0x50 non_volatile_registers: u64,
    }

    /// `DISPATCHER_CONTEXT_NONVOLREG_ARM64`: what filters and `__finally` blocks of a function find in their registers.
    pub struct Arm64NonvolatileRegisters (0x98) {
        /// X19 to X28, then the frame pointer.
        0x00 integer: [u64; 11],
        /// D8 to D15.
        0x58 float: [u64; 8],
    }

    /// `KNONVOLATILE_CONTEXT_POINTERS` of x64: where each register was saved, or 0.
    pub struct Amd64NonvolatileContextPointers (0x100) {
        /// XMM0 to XMM15.
        0x00 floating_context: [u64; 16],
        /// RAX to R15, by number.
        0x80 integer_context: [u64; 16],
    }

    /// `KNONVOLATILE_CONTEXT_POINTERS` of ARM64: where each register was saved, or 0.
    pub struct Arm64NonvolatileContextPointers (0xA0) {
        /// X19 to X28, the frame pointer, the link register.
        0x00 integer: [u64; 12],
        /// D8 to D15.
        0x60 float: [u64; 8],
    }

    /// `KNONVOLATILE_CONTEXT_POINTERS` of ARM32: where each register was saved, or 0.
    pub struct ArmNonvolatileContextPointers (0x44) {
        /// R4 to R11.
        0x00 integer: [u32; 8],
        /// The link register.
        0x20 lr: u32,
        /// D8 to D15.
        0x24 float: [u32; 8],
    }

    /// `_JUMP_BUFFER` of x64: what `setjmp` saved. An unwind with the code `LONGJUMP` has its address as first parameter.
    pub struct Amd64JumpBuffer (0x100, align 16) {
        /// The frame to unwind to; 0 for a jump that unwinds nothing.
        0x00 frame: u64,
        0x08 rbx: u64,
        0x10 rsp: u64,
        0x18 rbp: u64,
        0x20 rsi: u64,
        0x28 rdi: u64,
        /// R12 to R15.
        0x30 r12: [u64; 4],
        0x50 rip: u64,
        0x58 mx_csr: u32,
        0x5C fp_csr: u16,
        0x5E spare: u16,
        /// XMM6 to XMM15.
        0x60 xmm6: [M128A; 10],
    }

    /// `_JUMP_BUFFER` of ARM64.
    pub struct Arm64JumpBuffer (0xC0) {
        /// The frame to unwind to; 0 for a jump that unwinds nothing.
        0x00 frame: u64,
        0x08 reserved: u64,
        /// X19 to X28, then the frame pointer.
        0x10 x19: [u64; 11],
        /// Where to go on.
        0x68 lr: u64,
        0x70 sp: u64,
        0x78 fpcr: u32,
        0x7C fpsr: u32,
        /// D8 to D15.
        0x80 d8: [u64; 8],
    }
}

/// Entries of an [`UnwindHistoryTable`].
pub const UNWIND_HISTORY_TABLE_SIZE: usize = 12;

impl Amd64JumpBuffer {
    /// Puts what `setjmp` saved into a context.
    pub fn restore(&self, context: &mut Amd64Context) {
        context.rbx = self.rbx;
        context.rsp = self.rsp;
        context.rbp = self.rbp;
        context.rsi = self.rsi;
        context.rdi = self.rdi;
        [context.r12, context.r13, context.r14, context.r15] = self.r12;
        context.rip = self.rip;
        context.mx_csr = self.mx_csr;
        context.float_save.mx_csr = self.mx_csr;
        context.float_save.control_word = self.fp_csr;
        context.float_save.xmm_registers[6..].copy_from_slice(&self.xmm6);
    }
}

impl Arm64JumpBuffer {
    /// Puts what `setjmp` saved into a context.
    pub fn restore(&self, context: &mut Arm64Context) {
        context.x[19..30].copy_from_slice(&self.x19);
        context.x[30] = self.lr;
        context.pc = self.lr;
        context.sp = self.sp;
        context.fpcr = self.fpcr;
        context.fpsr = self.fpsr;
        for (register, saved) in context.v[8..16].iter_mut().zip(self.d8) {
            register[0] = saved;
        }
    }
}
