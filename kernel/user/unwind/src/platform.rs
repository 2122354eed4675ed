//! What the walks over a stack need of the process, and what they have in common.

use nt_abi::NtResult;
use nt_abi::exception::{ExceptionDisposition, ExceptionFlags, HandlerTypes};
use nt_abi::w64::ExceptionRecord;

use crate::handler_call::HandlerCall;
use crate::machine::Machine;
use crate::memory::{BAD_STACK, FunctionEntry, Functions, Handler, Memory};

/// How many frames in a row may have no bytes of the stack.
const MOST_EMPTY_FRAMES: u32 = 16;

/// The process in which handlers are searched and called. Records and contexts are where handlers see them, so they are
/// addresses here.
pub trait Platform: Memory + Functions<Function = <Self::Machine as Machine>::Function> {
    /// The process's machine.
    type Machine: Machine;

    /// The bounds of the thread's stack.
    fn stack_limits(&self) -> StackLimits;

    /// Reads an exception record.
    fn record(&self, address: u64) -> ExceptionRecord;

    /// Writes the flags of an exception record.
    fn set_flags(&mut self, record: u64, flags: ExceptionFlags);

    /// Writes a parameter of an exception record.
    fn set_parameter(&mut self, record: u64, index: usize, value: u64);

    /// Reads a context.
    fn context(&self, address: u64) -> <Self::Machine as Machine>::Context;

    /// Writes a context.
    fn set_context(&mut self, address: u64, context: &<Self::Machine as Machine>::Context);

    /// Writes the registers that filters and `__finally` blocks want.
    fn set_registers(&mut self, address: u64, registers: &<Self::Machine as Machine>::Registers);

    /// Calls a language handler, through one of the two functions of [`handler_call`](crate::handler_call). The frame is
    /// that of the dispatcher context.
    fn call_handler(
        &mut self,
        purpose: Purpose,
        record: u64,
        context: u64,
        dispatcher: &mut <Self::Machine as Machine>::Dispatcher,
    ) -> ExceptionDisposition;
}

/// What a handler is called for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// A handler for an exception is searched.
    Search,
    /// The stack is unwound.
    Unwind,
}

/// The bounds of a stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StackLimits {
    /// The lowest address that belongs to it.
    pub low: u64,
    /// The address behind its highest byte.
    pub high: u64,
}

impl StackLimits {
    /// Whether a frame is on the stack.
    fn has_frame<M: Machine>(self, frame: u64) -> bool {
        (self.low..=self.high).contains(&frame) && frame.is_multiple_of(M::FRAME_ALIGNMENT)
    }
}

/// Memory that a walk needs at addresses, which handlers see: its caller has it in its own frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scratch {
    /// Room for a context.
    pub context: u64,
    /// Room for [`Machine::Registers`].
    pub registers: u64,
}

/// A frame that a walk has come to. The registers are not in it: they are too many to be moved about.
pub(crate) struct Frame {
    /// What its handler is called with; the handler is 0 if it has none.
    pub(crate) call: HandlerCall,
    /// Whether it is a leaf, which has neither frame nor handler.
    pub(crate) is_leaf: bool,
    /// The stack pointer in the function, and in its caller.
    pub(crate) sp: (u64, u64),
}

impl Frame {
    /// The frame of the function that control is in. The registers become those in its caller.
    pub(crate) fn undo<M, P>(
        platform: &P,
        wanted: HandlerTypes,
        context: &mut M::Context,
    ) -> NtResult<Self>
    where
        M: Machine,
        P: Platform<Machine = M> + Functions<Function = M::Function>,
    {
        let (control_pc, sp) = (M::pc(context), M::sp(context));
        let behind_call = M::is_behind_call(context);
        let left_at = M::left_at(control_pc, behind_call);
        let function = platform.find(left_at);
        let undone = M::undo(platform, wanted, function.as_ref(), left_at, context)?;
        let base = function.map_or(0, |function| function.image_base);
        let address = |rva: u32| base.wrapping_add(u64::from(rva));
        let handler: Option<Handler> = undone.handler;
        Ok(Self {
            call: HandlerCall {
                control_pc,
                behind_call,
                image_base: base,
                function_entry: function.map_or(0, |function| function.address),
                establisher_frame: undone.establisher_frame,
                handler: handler.map_or(0, |handler| address(handler.rva)),
                handler_data: handler.map_or(0, |handler| address(handler.data_rva)),
                ..HandlerCall::default()
            },
            is_leaf: function.is_none(),
            sp: (sp, M::sp(context)),
        })
    }

    /// The frame that an interrupted unwind had come to, from what its handler was called with and the registers that this
    /// says; they become those in its caller.
    pub(crate) fn undo_interrupted<M, P>(
        platform: &P,
        call: HandlerCall,
        context: &mut M::Context,
    ) -> NtResult<Self>
    where
        M: Machine,
        P: Platform<Machine = M> + Functions<Function = M::Function>,
    {
        let sp = M::sp(context);
        let left_at = M::left_at(call.control_pc, call.behind_call);
        let function: Option<FunctionEntry<M::Function>> = platform.find(left_at);
        let wanted = HandlerTypes::empty();
        M::undo(platform, wanted, function.as_ref(), left_at, context)?;
        Ok(Self {
            call,
            is_leaf: false,
            sp: (sp, M::sp(context)),
        })
    }
}

/// Sees to it that a walk comes to an end: each frame is on the stack and above the one before it.
pub(crate) struct Progress {
    limits: StackLimits,
    /// The stack pointer in the caller of the last frame.
    reached: u64,
    empty_frames: u32,
}

impl Progress {
    pub(crate) fn new(limits: StackLimits) -> Self {
        Self {
            limits,
            reached: 0,
            empty_frames: 0,
        }
    }

    /// Whether the walk may go on from a frame to its caller.
    ///
    /// # Errors
    /// `BAD_STACK`: the frame is not on the stack, or not above the one before it.
    pub(crate) fn check<M: Machine>(&mut self, frame: &Frame) -> NtResult {
        let (from, to) = frame.sp;
        let on_stack = frame.is_leaf || self.limits.has_frame::<M>(frame.call.establisher_frame);
        self.empty_frames = if to > from { 0 } else { self.empty_frames + 1 };
        let rises = from >= core::mem::replace(&mut self.reached, to) && to >= from;
        let is_above = rises && to <= self.limits.high;
        if !on_stack || !is_above || self.empty_frames > MOST_EMPTY_FRAMES {
            return Err(BAD_STACK);
        }
        Ok(())
    }

    /// Whether a frame's caller is the end of the stack: nothing called the first function.
    pub(crate) fn is_end<M: Machine>(&self, outside: &M::Context) -> bool {
        M::pc(outside) == 0 || self.is_at_top::<M>(outside)
    }

    /// Whether a frame's caller would be above the stack.
    pub(crate) fn is_at_top<M: Machine>(&self, outside: &M::Context) -> bool {
        M::sp(outside) >= self.limits.high
    }
}
