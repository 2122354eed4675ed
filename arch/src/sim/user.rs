//! Threads of the simulated machine: stacks that are strands, and user mode that is a closure.
//!
//! User mode is what a test makes it: a function of the thread's registers, called
//! each time `run_user` is, that says why it left. One call is a stretch of user
//! code without interruption: interrupts come between stretches, and a stretch
//! that returns `UserExit::Interrupted` wanted nothing and is followed by the next.
//! What it knows from one stretch to the next is in its registers, so that it may be
//! suspended, redirected and ended like any program.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::rc::Rc;

use super::state::with;
use super::{strand, user_memory};
use crate::Machine;
use crate::contract::{
    Access, Exception, ExceptionClass, FaultReason, Processor, Threads, UserExit,
    UserState as Contract, VirtAddr,
};
use crate::thread::Context;

/// What user mode does, as a test says it.
pub(super) type Program = dyn Fn(&UserState) -> UserExit;

/// Arguments in registers.
const ARGUMENTS: usize = 8;

/// A thread's user registers.
pub struct UserState {
    pub(super) arguments: [AtomicU64; ARGUMENTS],
    pc: AtomicU64,
    sp: AtomicU64,
    result: AtomicU64,
    teb: AtomicU64,
    simd: [AtomicU64; 4],
    attention: AtomicU32,
}

impl Contract for UserState {
    const NEW: Self = Self {
        arguments: [const { AtomicU64::new(0) }; ARGUMENTS],
        pc: AtomicU64::new(0),
        sp: AtomicU64::new(0),
        result: AtomicU64::new(0),
        teb: AtomicU64::new(0),
        simd: [const { AtomicU64::new(0) }; 4],
        attention: AtomicU32::new(0),
    };

    const MACHINE: u16 = 0;
    const RETURN_ADDRESS_BYTES: u64 = 0;
    const REGISTER_ARGUMENTS: usize = ARGUMENTS;

    fn argument(&self, index: usize) -> u64 {
        let register = self.arguments.get(index);
        register.map_or(0, |register| register.load(Ordering::Relaxed))
    }

    fn stack_arguments(&self) -> VirtAddr {
        self.sp()
    }

    fn set_argument(&self, index: usize, value: u64) {
        if let Some(register) = self.arguments.get(index) {
            register.store(value, Ordering::Relaxed);
        }
    }

    fn set_result(&self, value: u64) {
        self.result.store(value, Ordering::Relaxed);
    }

    fn pc(&self) -> VirtAddr {
        VirtAddr(self.pc.load(Ordering::Relaxed))
    }

    fn set_pc(&self, pc: VirtAddr) {
        self.pc.store(pc.0, Ordering::Relaxed);
    }

    fn sp(&self) -> VirtAddr {
        VirtAddr(self.sp.load(Ordering::Relaxed))
    }

    fn set_sp(&self, sp: VirtAddr) {
        self.sp.store(sp.0, Ordering::Relaxed);
    }

    fn set_teb(&self, teb: VirtAddr) {
        self.teb.store(teb.0, Ordering::Relaxed);
    }

    fn reset(&self) {
        let words = [&self.pc, &self.sp, &self.result, &self.teb];
        for word in words.into_iter().chain(&self.arguments).chain(&self.simd) {
            word.store(0, Ordering::Relaxed);
        }
        self.attention.store(0, Ordering::Relaxed);
    }

    fn attention(&self) -> &AtomicU32 {
        &self.attention
    }
}

/// What only the program of a test, and its checks, look at.
impl UserState {
    /// What the last system call returned.
    pub fn result(&self) -> u64 {
        self.result.load(Ordering::Relaxed)
    }

    /// Where user mode finds its TEB.
    pub fn teb(&self) -> VirtAddr {
        VirtAddr(self.teb.load(Ordering::Relaxed))
    }
}

/// Sets what user mode does from now on, for every thread, until the machine is powered off.
///
/// `program` is called with a thread's registers and says why it leaves user mode;
/// [`UserExit::Interrupted`] means that it goes on when interrupts had their chance.
pub fn set_user_mode(program: impl Fn(&UserState) -> UserExit + 'static) {
    let program = Rc::new(program);
    with(|machine| machine.user_mode = Some(program));
}

/// Reads user memory as the program of a thread.
///
/// # Errors
/// The exception that the access meets, to be returned by the program.
pub fn user_load(state: &UserState, from: VirtAddr, into: &mut [u8]) -> Result<(), UserExit> {
    user_memory::load(from, into).map_err(|fault| exit(state, fault, Access::Read))
}

/// Writes user memory as the program of a thread.
///
/// # Errors
/// The exception that the access meets, to be returned by the program.
pub fn user_store(state: &UserState, to: VirtAddr, bytes: &[u8]) -> Result<(), UserExit> {
    user_memory::store(to, bytes).map_err(|fault| exit(state, fault, Access::Write))
}

/// Fetches an instruction at the program counter, which gives nothing but the exception that it may meet.
///
/// # Errors
/// That exception, to be returned by the program.
pub fn user_fetch(state: &UserState) -> Result<(), UserExit> {
    user_memory::fetch(state.pc()).map_err(|fault| exit(state, fault, Access::Execute))
}

fn exit(state: &UserState, fault: (VirtAddr, FaultReason), access: Access) -> UserExit {
    let (address, reason) = fault;
    UserExit::Exception(Exception {
        class: ExceptionClass::PageFault { access, reason },
        pc: state.pc(),
        address: Some(address),
        syndrome: 0,
        from_user: true,
    })
}

impl Threads for Machine {
    type UserState = UserState;

    unsafe fn prepare_stack(_top: VirtAddr, argument: u64) -> u64 {
        strand::for_context(argument)
    }

    unsafe fn switch_stack(save: &AtomicU64, load: u64, carried: u64) -> u64 {
        // SAFETY: `thread` carries the address of the context that it leaves, which lives for good.
        let from = unsafe { &*(carried as *const Context) };
        strand::switch_to(save, load, carried, from.is_leaving())
    }

    fn current_context() -> Option<&'static Context> {
        with(|machine| machine.me().context)
    }

    fn set_current_context(context: &'static Context) {
        with(|machine| machine.me().context = Some(context));
    }

    fn leave_user_state(from: &UserState) {
        let simd = with(|machine| machine.me().simd);
        for (word, value) in from.simd.iter().zip(simd) {
            word.store(value, Ordering::Relaxed);
        }
    }

    fn enter_user_state(to: &UserState) {
        let simd = to.simd.each_ref().map(|word| word.load(Ordering::Relaxed));
        with(|machine| {
            machine.me().simd = simd;
            machine.me().user_state = Some(to);
        });
    }

    unsafe fn run_user(state: &UserState) -> UserExit {
        loop {
            // Interrupts that wait come as soon as user mode is entered. The thread may come back on another processor.
            Self::restore_interrupts(true);
            Self::disable_interrupts();
            if state.attention.load(Ordering::Relaxed) != 0 {
                return UserExit::Interrupted;
            }
            let (program, entered) = with(|machine| {
                let program = machine.user_mode.clone();
                (program, machine.me().user_state)
            });
            assert_eq!(
                entered,
                Some(core::ptr::from_ref(state)),
                "user mode runs with registers that were not entered on this processor"
            );
            let program = program.expect("a test that enters user mode sets it first");
            match program(state) {
                UserExit::Interrupted => {}
                exit => return exit,
            }
        }
    }

    fn begin_system_call() {
        Self::restore_interrupts(true);
    }

    unsafe fn copy_from_user(to: *mut u8, from: VirtAddr, length: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { user_memory::copy_from_user(to, from, length) }
    }

    unsafe fn copy_to_user(to: VirtAddr, from: *const u8, length: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { user_memory::copy_to_user(to, from, length) }
    }
}
