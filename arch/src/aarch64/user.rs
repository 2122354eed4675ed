//! User mode, as a function that is called and returns.
//!
//! While a thread is in user mode `SP_EL1` points just behind the register area of
//! its [`UserState`], so an entry from EL0 stores the registers where they belong
//! with no address to compute. Then it takes up the kernel stack where `run_user`
//! left it and returns to `run_user`'s caller. Interrupts alone are handled on the
//! way and go back to user mode, unless the thread's attention is wanted: that they
//! do not return to the caller saves the common case the trip through its loop.
//!
//! Only what the entry saves is in the register area; SIMD registers and the
//! thread pointers stay in the processor until another thread is switched to.
//!
//! What user mode may set of PSTATE are the condition flags, and SS: everything else
//! comes out of [`sanitised`] as user mode with nothing masked.
//!
//! **Single step.** A thread that is to stop after one instruction has SS in its PSTATE,
//! and `MDSCR_EL1.SS` is set for as long as that thread runs, in the kernel too, where
//! nothing is stepped (KDE is 0). What the instruction did not get to (a page that is not
//! there, an interrupt) leaves SS as it was, so the step goes on; a system call is itself
//! the instruction, and the step is over before the next one. The exception ends it, and
//! so does everything that makes the thread go on elsewhere.

use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;
use core::mem::offset_of;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use aarch64_cpu::registers::{FAR_EL1, Readable, TPIDR_EL0, Writeable};

use super::simd::{self, SimdState};
use super::vectors::{INTERRUPT, SYNCHRONOUS};
use super::{Machine, interrupts, syndrome};
use crate::contract::{
    Exception, ExceptionClass, Processor, Threads, UserExit, UserState as Contract, VirtAddr,
};

/// A thread's user registers. The first part is laid out for the entry code below.
#[repr(C, align(16))]
pub struct UserState {
    pub(super) x: [AtomicU64; 31],
    pub(super) sp: AtomicU64,
    pub(super) pc: AtomicU64,
    pub(super) pstate: AtomicU64,
    /// The syndrome of the last entry.
    esr: AtomicU64,
    _aligns: AtomicU64,
    // SP_EL1 points here while user mode runs.
    /// The kernel's stack pointer in `run_user`.
    kernel_sp: AtomicU64,
    attention: AtomicU32,
    /// The SIMD registers are those of a thread that has run nothing, whatever `simd` holds; until they are saved there.
    simd_is_fresh: AtomicBool,
    /// The thread stops after its next instruction.
    stepping: AtomicBool,
    thread_pointer: AtomicU64,
    simd: UnsafeCell<SimdState>,
}

// SAFETY: all fields but `simd` are atomic; `simd` is touched only by `leave` and `enter`, which the scheduler's claim of the
// thread's context keeps apart (`arch::thread`).
unsafe impl Sync for UserState {}

/// Bytes of the register area.
pub(super) const AREA: usize = offset_of!(UserState, kernel_sp);
const PC: usize = offset_of!(UserState, pc);
const SP: usize = offset_of!(UserState, sp);
const ESR: usize = offset_of!(UserState, esr);
const KERNEL_SP: usize = AREA;
const ATTENTION: usize = offset_of!(UserState, attention);
const _: () = assert!(AREA.is_multiple_of(16) && PC == 256 && SP == 248);

/// N, Z, C, V.
const FLAGS: u64 = 0xF << 28;

/// SS.
pub(super) const SINGLE_STEP: u64 = 1 << 21;

/// PSTATE of user mode with those condition flags and that SS: EL0, AArch64, nothing masked.
pub(super) const fn sanitised(pstate: u64) -> u64 {
    pstate & (FLAGS | SINGLE_STEP)
}

/// `MDSCR_EL1.SS`, and nothing else of that register: no breakpoints, no debug exceptions of the kernel's own code.
const STEP_ENABLED: u64 = 1;

/// Whether this processor's user mode is stepped.
fn enable_step(enabled: bool) {
    let control = if enabled { STEP_ENABLED } else { 0 };
    // SAFETY: the register says which debug exceptions user mode meets; those of the kernel stay off.
    unsafe { asm!("msr mdscr_el1, {}", "isb", in(reg) control, options(nostack, preserves_flags)) };
}

/// Makes this processor ready to step user mode: the lock that reset leaves on debug exceptions goes.
pub(super) fn initialize_debug() {
    enable_step(false);
    // SAFETY: the lock keeps debug exceptions away, of which the only one that is ever enabled is the step.
    unsafe {
        asm!(
            "msr oslar_el1, xzr",
            "isb",
            options(nostack, preserves_flags)
        )
    };
}

impl Contract for UserState {
    const NEW: Self = Self {
        x: [const { AtomicU64::new(0) }; 31],
        sp: AtomicU64::new(0),
        pc: AtomicU64::new(0),
        pstate: AtomicU64::new(0),
        esr: AtomicU64::new(0),
        _aligns: AtomicU64::new(0),
        kernel_sp: AtomicU64::new(0),
        attention: AtomicU32::new(0),
        simd_is_fresh: AtomicBool::new(true),
        stepping: AtomicBool::new(false),
        thread_pointer: AtomicU64::new(0),
        simd: UnsafeCell::new(SimdState::NEW),
    };

    const MACHINE: u16 = 0xAA64;
    const RETURN_ADDRESS_BYTES: u64 = 0;
    const REGISTER_ARGUMENTS: usize = 8;

    #[inline]
    fn argument(&self, index: usize) -> u64 {
        if index < Self::REGISTER_ARGUMENTS {
            self.x[index].load(Relaxed)
        } else {
            0
        }
    }

    fn stack_arguments(&self) -> VirtAddr {
        self.sp()
    }

    fn set_argument(&self, index: usize, value: u64) {
        if index < Self::REGISTER_ARGUMENTS {
            self.x[index].store(value, Relaxed);
        }
    }

    #[inline]
    fn set_result(&self, value: u64) {
        self.x[0].store(value, Relaxed);
    }

    fn pc(&self) -> VirtAddr {
        VirtAddr(self.pc.load(Relaxed))
    }

    fn set_pc(&self, pc: VirtAddr) {
        self.pc.store(pc.0, Relaxed);
    }

    fn sp(&self) -> VirtAddr {
        VirtAddr(self.sp.load(Relaxed))
    }

    fn set_sp(&self, sp: VirtAddr) {
        self.sp.store(sp.0, Relaxed);
    }

    fn enter_routine(&self, pc: VirtAddr, sp: VirtAddr) {
        self.set_pc(pc);
        self.set_sp(sp);
        self.stop_stepping();
    }

    fn set_teb(&self, teb: VirtAddr) {
        self.x[18].store(teb.0, Relaxed);
    }

    fn reset(&self) {
        for register in &self.x {
            register.store(0, Relaxed);
        }
        self.sp.store(0, Relaxed);
        self.pc.store(0, Relaxed);
        self.pstate.store(sanitised(0), Relaxed);
        self.thread_pointer.store(0, Relaxed);
        self.attention.store(0, Relaxed);
        self.set_stepping(false);
        let enabled = Machine::disable_interrupts();
        self.simd_is_fresh.store(true, Relaxed);
        // What no entry saves is in the processor while the thread runs.
        if self.runs_here() {
            TPIDR_EL0.set(0);
            simd::restore(&SimdState::NEW);
        }
        Machine::restore_interrupts(enabled);
    }

    #[inline]
    fn attention(&self) -> &AtomicU32 {
        &self.attention
    }
}

impl UserState {
    /// Whether the thread is the one that this processor runs, so that what no entry saves is in the processor. Interrupts
    /// are disabled.
    pub(super) fn runs_here(&self) -> bool {
        Machine::current_context().is_some_and(|own| core::ptr::eq(own.user(), self))
    }

    /// Says whether the thread stops after its next instruction. SS in its PSTATE is set apart from this.
    pub(super) fn set_stepping(&self, stepping: bool) {
        if self.stepping.load(Relaxed) == stepping {
            return;
        }
        let enabled = Machine::disable_interrupts();
        self.stepping.store(stepping, Relaxed);
        if self.runs_here() {
            enable_step(stepping);
        }
        Machine::restore_interrupts(enabled);
    }

    /// The step is over, or is of no interest any more.
    fn stop_stepping(&self) {
        let pstate = self.pstate.load(Relaxed) & !SINGLE_STEP;
        self.pstate.store(pstate, Relaxed);
        self.set_stepping(false);
    }

    /// Saves what an entry does not.
    pub(super) fn leave(&self) {
        self.thread_pointer.store(TPIDR_EL0.get(), Relaxed);
        self.simd_is_fresh.store(false, Relaxed);
        // SAFETY: see the `Sync` implementation: nobody else touches it now.
        simd::save(unsafe { &mut *self.simd.get() });
    }

    /// Loads what an entry does not.
    pub(super) fn enter(&self) {
        // Whatever the last thread left, which may have ended on its way to a step.
        enable_step(self.stepping.load(Relaxed));
        TPIDR_EL0.set(self.thread_pointer.load(Relaxed));
        if self.simd_is_fresh.load(Relaxed) {
            // What the slot's last thread left in the area is never loaded: `leave` writes over all of it first.
            return simd::restore(&SimdState::NEW);
        }
        // SAFETY: as in `leave`.
        simd::restore(unsafe { &*self.simd.get() });
    }

    /// See `Threads::run_user`.
    ///
    /// # Safety
    /// As there.
    #[inline]
    pub(super) unsafe fn run(&self) -> UserExit {
        // SAFETY: the registers are a user mode's, since every way to set PSTATE goes through `sanitised`; the entry code
        // finds this state by SP_EL1 and comes back here.
        let kind = unsafe { tarn_run_user(self) };
        let esr = self.esr.load(Relaxed);
        match kind {
            SYNCHRONOUS if syndrome::is_system_call(esr) => {
                UserExit::SystemCall((esr & 0xFFFF) as u32)
            }
            INTERRUPT => UserExit::Interrupted,
            kind => UserExit::Exception(self.exception(kind, esr)),
        }
    }

    /// What happened; interrupts are still disabled, so FAR_EL1 is still this exception's.
    #[cold]
    fn exception(&self, kind: u64, esr: u64) -> Exception {
        let synchronous = kind == SYNCHRONOUS;
        if synchronous && syndrome::is_step(esr) {
            self.stop_stepping();
        }
        Exception {
            class: if synchronous {
                syndrome::class(esr)
            } else {
                ExceptionClass::MachineCheck
            },
            pc: self.pc(),
            address: (synchronous && syndrome::has_address(esr)).then(|| VirtAddr(FAR_EL1.get())),
            syndrome: esr,
            from_user: true,
        }
    }
}

unsafe extern "C" {
    fn tarn_run_user(state: &UserState) -> u64;
}

/// An interrupt came in user mode.
extern "C" fn user_interrupt() {
    interrupts::take(true);
}

global_asm!(
    r#"
    .text
    .balign 16
    .global tarn_run_user
tarn_run_user:                      // (state) -> kind
    stp     x29, x30, [sp, #-112]!
    mov     x29, sp
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    str     x0, [sp, #96]
    str     x29, [x0, #{kernel_sp}] // SP
.Lenter_user:                       // x0: state
    add     sp, x0, #{area}
    ldp     x1, x2, [x0, #{pc}]
    ldr     x3, [x0, #{sp}]
    msr     elr_el1, x1
    msr     spsr_el1, x2
    msr     sp_el0, x3
    ldp     x2, x3, [x0, #16]
    ldp     x4, x5, [x0, #32]
    ldp     x6, x7, [x0, #48]
    ldp     x8, x9, [x0, #64]
    ldp     x10, x11, [x0, #80]
    ldp     x12, x13, [x0, #96]
    ldp     x14, x15, [x0, #112]
    ldp     x16, x17, [x0, #128]
    ldp     x18, x19, [x0, #144]
    ldp     x20, x21, [x0, #160]
    ldp     x22, x23, [x0, #176]
    ldp     x24, x25, [x0, #192]
    ldp     x26, x27, [x0, #208]
    ldp     x28, x29, [x0, #224]
    ldr     x30, [x0, #240]
    ldp     x0, x1, [x0]
    eret

    // From the vector: SP is the state, x0 and x1 are saved there, x0 is the kind.
    .global tarn_user_entry
tarn_user_entry:
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    mrs     x2, sp_el0
    mrs     x3, elr_el1
    mrs     x4, spsr_el1
    mrs     x5, esr_el1
    stp     x30, x2, [sp, #240]
    stp     x3, x4, [sp, #{pc}]
    str     x5, [sp, #{esr}]
    ldr     x2, [sp, #{kernel_sp}]
    mrs     x18, tpidr_el1
    mov     sp, x2
    cmp     x0, #{interrupt}
    b.eq    2f
1:  ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #112
    ret
2:  mov     x29, x2                 // a frame record is there: walks over the stack pass through
    bl      {user_interrupt}
    ldr     x0, [sp, #96]
    ldr     w1, [x0, #{attention}]
    cbz     w1, .Lenter_user
    mov     x0, #{interrupt}
    b       1b
    "#,
    area = const AREA,
    pc = const PC,
    sp = const SP,
    esr = const ESR,
    kernel_sp = const KERNEL_SP,
    attention = const ATTENTION,
    interrupt = const INTERRUPT,
    user_interrupt = sym user_interrupt,
);
