//! Kernel stacks that are switched, and user mode that is entered and left like a function.
//!
//! The safe face of all this is `arch::thread` and `arch::user`; the methods here
//! are what a machine contributes to it. User mode is a call: `run_user` loads a
//! thread's user registers and returns when user mode wants something, so the
//! code above is an ordinary loop with ordinary borrows, and every interruption
//! of user mode finds the thread's registers in one place, its [`UserState`].

use core::sync::atomic::AtomicU64;

use super::{Exception, PhysAddr, UserProtection, VirtAddr, VirtRange};
use crate::memory::SpaceId;
use crate::thread::Context;

/// Why user mode was left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserExit {
    /// It executed SVC or SYSCALL for the service with that number.
    SystemCall(u32),
    /// It met an exception.
    Exception(Exception),
    /// Its thread's attention is wanted: an APC, a suspension, its end.
    Interrupted,
}

/// A thread's registers as user mode has them, while it is not in user mode.
///
/// Every register is an atomic word (accessed relaxed, so at no cost), because one thread may read and write those of
/// another. What is read of a thread that runs meanwhile means nothing; it is never unsound.
pub trait UserState: Sync {
    /// A state with all registers zero.
    const NEW: Self;

    /// What PE files call this machine (`IMAGE_FILE_MACHINE_*`); 0 if there are none for it.
    const MACHINE: u16;

    /// Bytes of a return address that a call leaves on the stack.
    const RETURN_ADDRESS_BYTES: u64;

    /// How many arguments of a system call are in registers.
    const REGISTER_ARGUMENTS: usize;

    /// An argument of a system call, or of a function that user mode is made to start with; `index` is below
    /// [`REGISTER_ARGUMENTS`](Self::REGISTER_ARGUMENTS), and 0 is given beyond.
    fn argument(&self, index: usize) -> u64;

    /// Where a system call's further arguments are: the address of the one with the index `REGISTER_ARGUMENTS`.
    fn stack_arguments(&self) -> VirtAddr;

    /// Sets an argument for a function that user mode is made to start with.
    fn set_argument(&self, index: usize, value: u64);

    /// Sets what a system call returns.
    fn set_result(&self, value: u64);

    /// The program counter: behind a system call's instruction, at an exception's.
    fn pc(&self) -> VirtAddr;

    /// Sets the program counter.
    fn set_pc(&self, pc: VirtAddr);

    /// The stack pointer.
    fn sp(&self) -> VirtAddr;

    /// Sets the stack pointer.
    fn set_sp(&self, sp: VirtAddr);

    /// Makes the thread go on at a routine of the 64-bit ABI, such as a dispatcher, whatever mode it was in: no single step,
    /// string instructions upwards.
    fn enter_routine(&self, pc: VirtAddr, sp: VirtAddr) {
        self.set_pc(pc);
        self.set_sp(sp);
    }

    /// Sets what user mode finds its TEB by: x18, or the GS base. Takes effect when the thread is switched to next, or
    /// at once if it is the one that runs.
    fn set_teb(&self, teb: VirtAddr);

    /// Makes all registers those of a thread that has run nothing: zero, flags as the ABI wants them.
    fn reset(&self);

    /// The word that, while it is not zero, keeps this thread from going on in user mode; the kernel above owns its bits.
    fn attention(&self) -> &core::sync::atomic::AtomicU32;
}

/// What a machine gives to threads.
pub trait Threads {
    /// A thread's user registers.
    type UserState: UserState;

    /// Lays a stack out so that the first switch to it calls `thread::arrive` with `argument`; gives the stack pointer.
    ///
    /// # Safety
    /// `top` is the end of a writable stack of at least a page that nobody uses.
    unsafe fn prepare_stack(top: VirtAddr, argument: u64) -> u64;

    /// Saves what a called function must keep on this stack, stores the stack pointer to `save`, and goes on where the
    /// stack `load` left off. Returns, on this stack again, with what the switch back carried.
    ///
    /// # Safety
    /// `load` is what `prepare_stack` gave or a switch stored, and nobody else goes on there. Interrupts are disabled.
    unsafe fn switch_stack(save: &AtomicU64, load: u64, carried: u64) -> u64;

    /// What [`set_current_context`](Self::set_current_context) last set on this processor: one load, so a thread finds its
    /// own context even while it may be moved.
    fn current_context() -> Option<&'static Context>;

    /// Remembers what this processor runs. Interrupts are disabled.
    fn set_current_context(context: &'static Context);

    /// Saves the user registers that no interruption saves: SIMD, and those that user mode keeps its thread data by.
    /// Interrupts are disabled.
    fn leave_user_state(from: &Self::UserState);

    /// Loads them, and makes entries from user mode arrive in `to`. Interrupts are disabled.
    fn enter_user_state(to: &Self::UserState);

    /// Runs user mode with the registers in `state` until something is wanted. Interrupts are disabled, before and after.
    ///
    /// # Safety
    /// `state` is what [`enter_user_state`](Self::enter_user_state) was last called with on this thread.
    unsafe fn run_user(state: &Self::UserState) -> UserExit;

    /// Enables interrupts, which [`run_user`](Self::run_user) left disabled, for a system call. Other words for
    /// `restore_interrupts(true)`: a compiler that met those twice would make one of the two ways on which they are.
    fn begin_system_call();

    /// Looks closer at an exception of user mode, where the machine reports several under one code: with interrupts enabled,
    /// so that the instruction can be read, in the thread whose registers `user` are. Gives the exception as NT tells them
    /// apart.
    fn examine(exception: Exception, _user: &Self::UserState) -> Exception {
        exception
    }

    /// Copies from user memory, eight bytes at a time where it can; false if an address could not be read.
    ///
    /// # IRQL
    /// Below [`Irql::Dispatch`](super::Irql::Dispatch); from there on a page that is not there is an exception of the kernel.
    ///
    /// # Safety
    /// `to` is valid for writes of `length` bytes; `from..from + length` is in the user half.
    unsafe fn copy_from_user(to: *mut u8, from: VirtAddr, length: usize) -> bool;

    /// Copies to user memory; false if an address could not be written.
    ///
    /// # IRQL
    /// As [`copy_from_user`](Self::copy_from_user).
    ///
    /// # Safety
    /// `from` is valid for reads of `length` bytes; `to..to + length` is in the user half.
    unsafe fn copy_to_user(to: VirtAddr, from: *const u8, length: usize) -> bool;

    /// Reads eight bytes of user memory, what most copies are; `None` if the address could not be read.
    ///
    /// # IRQL
    /// As [`copy_from_user`](Self::copy_from_user).
    ///
    /// # Safety
    /// The eight bytes are in the user half.
    unsafe fn read_user_word(from: VirtAddr) -> Option<u64> {
        let mut bytes = [0; 8];
        // SAFETY: the caller's promise; the array has eight bytes.
        unsafe { Self::copy_from_user(bytes.as_mut_ptr(), from, 8) }
            .then(|| u64::from_ne_bytes(bytes))
    }

    /// Writes eight bytes of user memory; false if the address could not be written.
    ///
    /// # IRQL
    /// As [`copy_from_user`](Self::copy_from_user).
    ///
    /// # Safety
    /// The eight bytes are in the user half.
    unsafe fn write_user_word(to: VirtAddr, word: u64) -> bool {
        let bytes = word.to_ne_bytes();
        // SAFETY: the caller's promise; the array has eight bytes.
        unsafe { Self::copy_to_user(to, bytes.as_ptr(), 8) }
    }
}

/// What a machine gives to address spaces of processes.
pub trait UserTranslation {
    /// Whether a process's root table holds the kernel's upper half too (x86-64), or has a register of its own (ARM64).
    const ROOT_HOLDS_KERNEL: bool;

    /// How many address spaces there can be at a time, at most 65536.
    fn most_spaces() -> u32;

    /// A page's entry for user mode: never executable or, on machines that can refuse it, accessible in kernel mode.
    fn user_leaf(address: PhysAddr, protection: UserProtection) -> u64;

    /// Reads a present entry that [`user_leaf`](Self::user_leaf) made.
    fn decode_user(entry: u64) -> (PhysAddr, UserProtection);

    /// Makes what was written to a page fetchable as instructions, on every processor, where that does not come of itself.
    /// Called before a page is first shown as executable.
    fn publish_code(_page: PhysAddr) {}

    /// What [`activate_user`](Self::activate_user) was last given on this processor.
    fn active_space() -> Option<SpaceId>;

    /// Makes a root table this processor's user half, or an empty one. Interrupts are disabled.
    ///
    /// # Safety
    /// The root is the root table of that space, alive until another one is activated here.
    unsafe fn activate_user(space: Option<(SpaceId, PhysAddr)>);

    /// Forgets translations of `ranges` in a space on every processor, all with one question to the others; returns when none
    /// uses the old ones. Not called with interrupts disabled or above [`Irql::Dispatch`](super::Irql::Dispatch).
    fn invalidate_user(id: SpaceId, ranges: &[VirtRange]);

    /// Forgets all translations of a space on every processor, so that its number can be given to another one.
    fn invalidate_space(id: SpaceId);
}
