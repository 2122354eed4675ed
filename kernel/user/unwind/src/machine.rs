//! What a walk over frames needs to know of a machine.

use nt_abi::NtResult;
use nt_abi::context::{Amd64Context, Arm64Context, Arm64ContextFlags};
use nt_abi::exception::{
    Amd64DispatcherContext, Arm64DispatcherContext, Arm64NonvolatileRegisters, HandlerTypes,
};
use pe::{unwind_arm64, unwind_x64};

use crate::handler_call::HandlerCall;
use crate::memory::{FunctionEntry, Functions, Memory, Unwound};

/// A machine whose functions have unwind data. Its types have no values.
pub trait Machine: Sized {
    /// `CONTEXT`.
    type Context: Copy;
    /// `DISPATCHER_CONTEXT`.
    type Dispatcher: Copy;
    /// An entry of its function tables.
    type Function: Copy;
    /// What filters and `__finally` blocks find in the registers that functions keep; nothing where they need none.
    type Registers: Copy;

    /// What a function's frame is aligned to, in bytes.
    const FRAME_ALIGNMENT: u64;

    /// Where control is.
    fn pc(context: &Self::Context) -> u64;

    /// The stack pointer.
    fn sp(context: &Self::Context) -> u64;

    /// Whether control is behind a call, and not at an instruction that was interrupted; a machine that does not need to
    /// know says no.
    fn is_behind_call(context: &Self::Context) -> bool;

    /// An address inside of the instruction at which, or in which, control left a function: a call may be the function's
    /// last instruction, and what follows it another function.
    fn left_at(pc: u64, behind_call: bool) -> u64;

    /// Undoes a function, see [`amd64::virtual_unwind`](crate::amd64::virtual_unwind).
    ///
    /// # Errors
    /// As there.
    fn undo<M>(
        memory: &M,
        wanted: HandlerTypes,
        function: Option<&FunctionEntry<Self::Function>>,
        control_pc: u64,
        context: &mut Self::Context,
    ) -> NtResult<Unwound>
    where
        M: Memory + Functions<Function = Self::Function>;

    /// Puts a value where a function returns its result.
    fn set_result(context: &mut Self::Context, value: u64);

    /// Makes control go on somewhere in the function, as behind a call.
    fn go_on_at(context: &mut Self::Context, pc: u64);

    /// The registers that functions keep.
    fn registers(context: &Self::Context) -> Self::Registers;

    /// A number made of all that an unwind takes from a context: another for nearly every other content.
    fn kept(context: &Self::Context) -> u64;

    /// Takes what belongs to the thread and no frame from another context: which registers count, how numbers are rounded
    /// and which of their exceptions are noted.
    fn take_thread_state(context: &mut Self::Context, from: &Self::Context);

    /// What a handler is called with, in the machine's layout.
    fn dispatcher(call: &HandlerCall) -> Self::Dispatcher;

    /// The same in the other direction.
    fn call(dispatcher: &Self::Dispatcher) -> HandlerCall;

    /// Whether the parameters of a consolidating unwind have a place for the address of the target's registers.
    const CONSOLIDATES_REGISTERS: bool;
}

/// x64.
#[derive(Clone, Copy, Debug)]
pub enum Amd64 {}

/// ARM64.
#[derive(Clone, Copy, Debug)]
pub enum Arm64 {}

/// A number made of many, in which the order counts.
fn digest(words: impl Iterator<Item = u64>) -> u64 {
    words.fold(0, |digest, word| digest.rotate_left(7) ^ word)
}

impl Machine for Amd64 {
    type Context = Amd64Context;
    type Dispatcher = Amd64DispatcherContext;
    type Function = unwind_x64::RuntimeFunction;
    type Registers = ();

    const FRAME_ALIGNMENT: u64 = 8;
    const CONSOLIDATES_REGISTERS: bool = false;

    fn pc(context: &Amd64Context) -> u64 {
        context.rip
    }

    fn sp(context: &Amd64Context) -> u64 {
        context.rsp
    }

    /// Compilers put an instruction behind a call that would be the last one of a function or a scope.
    fn is_behind_call(_context: &Amd64Context) -> bool {
        false
    }

    fn left_at(pc: u64, _behind_call: bool) -> u64 {
        pc
    }

    fn undo<M>(
        memory: &M,
        wanted: HandlerTypes,
        function: Option<&FunctionEntry<Self::Function>>,
        control_pc: u64,
        context: &mut Amd64Context,
    ) -> NtResult<Unwound>
    where
        M: Memory + Functions<Function = Self::Function>,
    {
        crate::amd64::virtual_unwind(memory, wanted, function, control_pc, context, None)
    }

    fn set_result(context: &mut Amd64Context, value: u64) {
        context.rax = value;
    }

    fn go_on_at(context: &mut Amd64Context, pc: u64) {
        context.rip = pc;
    }

    fn registers(_context: &Amd64Context) {}

    fn kept(context: &Amd64Context) -> u64 {
        let integers = [
            context.rip,
            context.rsp,
            context.rbp,
            context.rbx,
            context.rsi,
            context.rdi,
            context.r12,
            context.r13,
            context.r14,
            context.r15,
        ];
        let floats = &context.float_save.xmm_registers[6..];
        let halves = floats
            .iter()
            .flat_map(|float| [float.low, float.high.cast_unsigned()]);
        digest(integers.into_iter().chain(halves))
    }

    fn take_thread_state(context: &mut Amd64Context, from: &Amd64Context) {
        context.context_flags = from.context_flags;
        context.mx_csr = from.mx_csr;
        let (own, other) = (&mut context.float_save, &from.float_save);
        own.mx_csr = other.mx_csr;
        own.control_word = other.control_word;
        own.status_word = other.status_word;
        own.tag_word = other.tag_word;
    }

    fn dispatcher(call: &HandlerCall) -> Amd64DispatcherContext {
        Amd64DispatcherContext {
            control_pc: call.control_pc,
            image_base: call.image_base,
            function_entry: call.function_entry,
            establisher_frame: call.establisher_frame,
            target_ip: call.target,
            context_record: call.context,
            language_handler: call.handler,
            handler_data: call.handler_data,
            history_table: call.history_table,
            scope_index: call.scope_index,
            fill0: 0,
        }
    }

    fn call(dispatcher: &Amd64DispatcherContext) -> HandlerCall {
        HandlerCall {
            control_pc: dispatcher.control_pc,
            behind_call: false,
            image_base: dispatcher.image_base,
            function_entry: dispatcher.function_entry,
            establisher_frame: dispatcher.establisher_frame,
            target: dispatcher.target_ip,
            context: dispatcher.context_record,
            handler: dispatcher.language_handler,
            handler_data: dispatcher.handler_data,
            history_table: dispatcher.history_table,
            scope_index: dispatcher.scope_index,
            registers: 0,
        }
    }
}

impl Machine for Arm64 {
    type Context = Arm64Context;
    type Dispatcher = Arm64DispatcherContext;
    type Function = unwind_arm64::RuntimeFunction;
    type Registers = Arm64NonvolatileRegisters;

    const FRAME_ALIGNMENT: u64 = 16;
    const CONSOLIDATES_REGISTERS: bool = true;

    fn pc(context: &Arm64Context) -> u64 {
        context.pc
    }

    fn sp(context: &Arm64Context) -> u64 {
        context.sp
    }

    fn is_behind_call(context: &Arm64Context) -> bool {
        let flags = context.context_flags;
        flags.contains(Arm64ContextFlags::UNWOUND_TO_CALL)
    }

    fn left_at(pc: u64, behind_call: bool) -> u64 {
        if behind_call { pc.wrapping_sub(4) } else { pc }
    }

    fn undo<M>(
        memory: &M,
        wanted: HandlerTypes,
        function: Option<&FunctionEntry<Self::Function>>,
        control_pc: u64,
        context: &mut Arm64Context,
    ) -> NtResult<Unwound>
    where
        M: Memory + Functions<Function = Self::Function>,
    {
        crate::arm64::virtual_unwind(memory, wanted, function, control_pc, context, None)
    }

    fn set_result(context: &mut Arm64Context, value: u64) {
        context.x[0] = value;
    }

    fn go_on_at(context: &mut Arm64Context, pc: u64) {
        context.pc = pc;
        context.context_flags |= Arm64ContextFlags::UNWOUND_TO_CALL;
    }

    fn registers(context: &Arm64Context) -> Arm64NonvolatileRegisters {
        let mut registers = Arm64NonvolatileRegisters::default();
        registers.integer.copy_from_slice(&context.x[19..30]);
        for (register, halves) in registers.float.iter_mut().zip(&context.v[8..16]) {
            *register = halves[0];
        }
        registers
    }

    fn kept(context: &Arm64Context) -> u64 {
        let integers = context.x[19..].iter().copied();
        let floats = context.v[8..16].iter().map(|halves| halves[0]);
        digest(
            [context.pc, context.sp]
                .into_iter()
                .chain(integers)
                .chain(floats),
        )
    }

    fn take_thread_state(context: &mut Arm64Context, from: &Arm64Context) {
        let behind_call = context.context_flags & Arm64ContextFlags::UNWOUND_TO_CALL;
        context.context_flags =
            (from.context_flags - Arm64ContextFlags::UNWOUND_TO_CALL) | behind_call;
        context.fpcr = from.fpcr;
        context.fpsr = from.fpsr;
    }

    fn dispatcher(call: &HandlerCall) -> Arm64DispatcherContext {
        Arm64DispatcherContext {
            control_pc: call.control_pc,
            image_base: call.image_base,
            function_entry: call.function_entry,
            establisher_frame: call.establisher_frame,
            target_pc: call.target,
            context_record: call.context,
            language_handler: call.handler,
            handler_data: call.handler_data,
            history_table: call.history_table,
            scope_index: call.scope_index,
            control_pc_is_unwound: u8::from(call.behind_call),
            reserved: [0; 3],
            non_volatile_registers: call.registers,
        }
    }

    fn call(dispatcher: &Arm64DispatcherContext) -> HandlerCall {
        HandlerCall {
            control_pc: dispatcher.control_pc,
            behind_call: dispatcher.control_pc_is_unwound != 0,
            image_base: dispatcher.image_base,
            function_entry: dispatcher.function_entry,
            establisher_frame: dispatcher.establisher_frame,
            target: dispatcher.target_pc,
            context: dispatcher.context_record,
            handler: dispatcher.language_handler,
            handler_data: dispatcher.handler_data,
            history_table: dispatcher.history_table,
            scope_index: dispatcher.scope_index,
            registers: dispatcher.non_volatile_registers,
        }
    }
}
