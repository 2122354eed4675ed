//! A thread's registers as user mode sees them: `CONTEXT`, and the frames in which it lies on a user stack.
//!
//! The structures are NT's and differ from machine to machine; what is done with them does not, and is done above the floor
//! by these traits. Nothing in a context is trusted: [`load`](UserContext::load) takes from it only what user mode may have.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::UserState;

/// A structure that goes to user memory and comes from there.
pub trait Plain: FromBytes + IntoBytes + Immutable + KnownLayout + Clone {}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout + Clone> Plain for T {}

/// An APC that user mode is to run: the routine and its three arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UserCall {
    /// The routine's address.
    pub routine: u64,
    /// Its arguments.
    pub arguments: [u64; 3],
}

/// What a machine's registers have to do with NT's structures for them.
pub trait UserContext: UserState {
    /// `CONTEXT`.
    type Context: Plain + Default;
    /// What is at the stack pointer on entry to `KiUserExceptionDispatcher`.
    type ExceptionFrame: Plain;
    /// What is at the stack pointer on entry to `KiUserApcDispatcher`.
    type ApcFrame: Plain;

    /// `CONTEXT_ALL`: every register that there is.
    const ALL: u32;
    /// Bytes below a thread's stack pointer that are still its own.
    const RED_ZONE: u64;

    /// Which registers a context holds, or is to hold.
    fn context_flags(context: &Self::Context) -> u32;

    /// Says which registers a context is to hold.
    fn set_context_flags(context: &mut Self::Context, flags: u32);

    /// Whether a context sets the register that a system call's result is in.
    fn sets_result(context: &Self::Context) -> bool;

    /// The stack pointer in a context.
    fn context_sp(context: &Self::Context) -> u64;

    /// The code that a program gives with a fast fail.
    fn fast_fail_code(&self) -> u64;

    /// What a program asks the debugger for, in a debug service.
    fn debug_service_code(&self) -> u64;

    /// Fills in the registers that the context's flags ask for, and leaves the others. For the thread whose registers they
    /// are: what no entry saves is in the processor.
    fn save(&self, context: &mut Self::Context);

    /// Takes the registers that the context's flags name, as far as user mode may have such values. For the thread whose
    /// registers they are.
    fn load(&self, context: &Self::Context);

    /// The frame of an exception: the registers as they were, and what happened.
    fn exception_frame(
        context: &Self::Context,
        record: &nt_abi::w64::ExceptionRecord,
    ) -> Self::ExceptionFrame;

    /// The frame of a user APC: the registers to go on with afterwards, and what to call; `alertable` says that the thread
    /// tests for more when it goes on.
    fn apc_frame(context: &Self::Context, call: &UserCall, alertable: bool) -> Self::ApcFrame;
}
