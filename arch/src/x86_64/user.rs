//! User mode, as a function that is called and returns: a thread's registers and why it came back.
//!
//! The entry code (`user_entry`) stores the registers of whatever leaves user mode
//! in the register area of the thread's [`UserState`], then returns to the caller
//! of [`UserState::run`]. What is not in that area (SIMD registers, the bases of FS
//! and GS) stays in the processor until another thread is switched to.
//!
//! **What the way back may find.** IRET and SYSRET run in kernel mode, so what they
//! refuse would be a fault of the kernel's. They find code and stack selectors that
//! the processor itself pushed or the constants below, flags that came from user mode
//! or out of [`sanitised`], and a program counter that the way back looks at, because
//! it may be anything that another thread set.
//!
//! **Bases.** GS shows the processor's block in kernel mode; a thread's TEB is then in
//! `KERNEL_GS_BASE`, which SWAPGS exchanges. User mode cannot write either base but by
//! loading a selector, whose descriptors all lie below 4 GiB: CR4.FSGSBASE stays off,
//! since the entries that look at the GS base to see whose it is (`vectors`) could be
//! deceived by a user's base in the upper half. A thread that is switched to finds
//! its TEB in GS again, and FS as it left it.

use core::arch::asm;
use core::cell::UnsafeCell;
use core::mem::offset_of;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::descriptors::{USER_CODE_64, USER_DATA};
use super::registers::{FS_BASE, KERNEL_GS_BASE};
use super::simd::{self, SimdState};
use super::user_entry::{self, BAD_PC, INTERRUPTED, SYSTEM_CALL};
use super::{Machine, exception, idt, per_processor};
use crate::contract::{
    Access, Exception, ExceptionClass, FaultReason, Processor, Threads, UserExit,
    UserState as Contract, VirtAddr,
};

/// A thread's user registers. Up to `ss` it is laid out for the entry code and for the processor.
#[repr(C, align(64))]
pub struct UserState {
    pub(super) rax: AtomicU64,
    pub(super) rbx: AtomicU64,
    pub(super) rcx: AtomicU64,
    pub(super) rdx: AtomicU64,
    pub(super) rsi: AtomicU64,
    pub(super) rdi: AtomicU64,
    pub(super) rbp: AtomicU64,
    pub(super) r8: AtomicU64,
    pub(super) r9: AtomicU64,
    pub(super) r10: AtomicU64,
    pub(super) r11: AtomicU64,
    pub(super) r12: AtomicU64,
    pub(super) r13: AtomicU64,
    pub(super) r14: AtomicU64,
    pub(super) r15: AtomicU64,
    /// Which vector it was, or `BY_SYSCALL`; see `user_entry`.
    pub(super) vector: AtomicU64,
    pub(super) error: AtomicU64,
    // From here on the processor pushes.
    pub(super) rip: AtomicU64,
    pub(super) cs: AtomicU64,
    pub(super) rflags: AtomicU64,
    pub(super) rsp: AtomicU64,
    pub(super) ss: AtomicU64,
    // RSP0 points here while user mode runs.
    /// The kernel's stack pointer in `tarn_run_user`.
    pub(super) kernel_rsp: AtomicU64,
    pub(super) attention: AtomicU32,
    /// The SIMD registers are those of a thread that has run nothing, whatever `simd` holds; until they are saved there.
    simd_is_fresh: AtomicBool,
    teb: AtomicU64,
    fs_base: AtomicU64,
    simd: UnsafeCell<SimdState>,
}

// SAFETY: all fields but `simd` are atomic; `simd` is touched only by `leave` and `enter`, which the scheduler's claim of the
// thread's context keeps apart (`arch::thread`).
unsafe impl Sync for UserState {}

/// Bytes of the register area.
pub(super) const AREA: usize = offset_of!(UserState, kernel_rsp);
// The processor aligns RSP0 to 16 before it pushes.
const _: () = assert!(AREA.is_multiple_of(16) && align_of::<UserState>().is_multiple_of(16));
const _: () = assert!(offset_of!(UserState, vector) + 7 * 8 == AREA);

/// CF, PF, AF, ZF, SF, TF, DF, OF, RF, AC, ID: what is user mode's own business.
const FREE_FLAGS: u64 = 0x0025_0DD5;
/// #DB.
const DEBUG: u64 = 1;
/// TF.
const SINGLE_STEP: u64 = 1 << 8;
/// DF.
const DIRECTION: u64 = 1 << 10;
/// IF, and the bit that is always 1.
const FIXED_FLAGS: u64 = 0x202;

/// Flags of user mode as near to these as it may have: interrupts enabled, IOPL 0, NT 0.
pub(super) const fn sanitised(rflags: u64) -> u64 {
    rflags & FREE_FLAGS | FIXED_FLAGS
}

impl Contract for UserState {
    const NEW: Self = Self {
        rax: AtomicU64::new(0),
        rbx: AtomicU64::new(0),
        rcx: AtomicU64::new(0),
        rdx: AtomicU64::new(0),
        rsi: AtomicU64::new(0),
        rdi: AtomicU64::new(0),
        rbp: AtomicU64::new(0),
        r8: AtomicU64::new(0),
        r9: AtomicU64::new(0),
        r10: AtomicU64::new(0),
        r11: AtomicU64::new(0),
        r12: AtomicU64::new(0),
        r13: AtomicU64::new(0),
        r14: AtomicU64::new(0),
        r15: AtomicU64::new(0),
        vector: AtomicU64::new(0),
        error: AtomicU64::new(0),
        rip: AtomicU64::new(0),
        cs: AtomicU64::new(USER_CODE_64 as u64),
        rflags: AtomicU64::new(sanitised(0)),
        rsp: AtomicU64::new(0),
        ss: AtomicU64::new(USER_DATA as u64),
        kernel_rsp: AtomicU64::new(0),
        attention: AtomicU32::new(0),
        simd_is_fresh: AtomicBool::new(true),
        teb: AtomicU64::new(0),
        fs_base: AtomicU64::new(0),
        simd: UnsafeCell::new(SimdState::NEW),
    };

    const MACHINE: u16 = 0x8664;
    const RETURN_ADDRESS_BYTES: u64 = 8;
    const REGISTER_ARGUMENTS: usize = 4;

    /// SYSCALL takes RCX for itself, so the stubs move the first argument to R10.
    #[inline]
    fn argument(&self, index: usize) -> u64 {
        match index {
            0 => self.r10.load(Relaxed),
            1 => self.rdx.load(Relaxed),
            2 => self.r8.load(Relaxed),
            3 => self.r9.load(Relaxed),
            _ => 0,
        }
    }

    /// Behind the return address and the four words that a called function may keep its register arguments in.
    #[inline]
    fn stack_arguments(&self) -> VirtAddr {
        VirtAddr(self.rsp.load(Relaxed).wrapping_add(5 * 8))
    }

    fn set_argument(&self, index: usize, value: u64) {
        let register = match index {
            0 => &self.rcx,
            1 => &self.rdx,
            2 => &self.r8,
            3 => &self.r9,
            _ => return,
        };
        register.store(value, Relaxed);
        self.return_by_iret();
    }

    #[inline]
    fn set_result(&self, value: u64) {
        self.rax.store(value, Relaxed);
    }

    fn pc(&self) -> VirtAddr {
        VirtAddr(self.rip.load(Relaxed))
    }

    fn set_pc(&self, pc: VirtAddr) {
        self.rip.store(pc.0, Relaxed);
    }

    fn sp(&self) -> VirtAddr {
        VirtAddr(self.rsp.load(Relaxed))
    }

    fn set_sp(&self, sp: VirtAddr) {
        self.rsp.store(sp.0, Relaxed);
    }

    fn enter_routine(&self, pc: VirtAddr, sp: VirtAddr) {
        self.set_pc(pc);
        self.set_sp(sp);
        self.cs.store(u64::from(USER_CODE_64), Relaxed);
        self.ss.store(u64::from(USER_DATA), Relaxed);
        let flags = self.rflags.load(Relaxed) & !(SINGLE_STEP | DIRECTION);
        self.rflags.store(flags, Relaxed);
        self.return_by_iret();
    }

    /// A TEB in the kernel's half is none: a base there would look like the kernel's own.
    fn set_teb(&self, teb: VirtAddr) {
        let enabled = Machine::disable_interrupts();
        let base = if teb.0 >> 47 == 0 { teb.0 } else { 0 };
        self.teb.store(base, Relaxed);
        if self.runs_here() {
            KERNEL_GS_BASE.write(base);
        }
        Machine::restore_interrupts(enabled);
    }

    fn reset(&self) {
        for register in [
            &self.rax,
            &self.rbx,
            &self.rcx,
            &self.rdx,
            &self.rsi,
            &self.rdi,
            &self.rbp,
            &self.r8,
            &self.r9,
            &self.r10,
            &self.r11,
            &self.r12,
            &self.r13,
            &self.r14,
            &self.r15,
            &self.rip,
            &self.rsp,
            &self.fs_base,
        ] {
            register.store(0, Relaxed);
        }
        self.return_by_iret();
        self.cs.store(u64::from(USER_CODE_64), Relaxed);
        self.ss.store(u64::from(USER_DATA), Relaxed);
        self.rflags.store(sanitised(0), Relaxed);
        self.attention.store(0, Relaxed);
        self.set_teb(VirtAddr(0));
        let enabled = Machine::disable_interrupts();
        self.simd_is_fresh.store(true, Relaxed);
        if self.runs_here() {
            FS_BASE.write(0);
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

    /// The registers are no longer those that a SYSCALL left.
    pub(super) fn return_by_iret(&self) {
        self.vector.store(0, Relaxed);
    }

    /// Saves what an entry does not.
    pub(super) fn leave(&self) {
        self.fs_base.store(FS_BASE.read(), Relaxed);
        self.simd_is_fresh.store(false, Relaxed);
        // SAFETY: see the `Sync` implementation: nobody else touches it now.
        simd::save(unsafe { &mut *self.simd.get() });
    }

    /// Loads what an entry does not, and makes entries from user mode arrive here.
    pub(super) fn enter(&self) {
        per_processor::current().set_user_state(core::ptr::from_ref(self).addr() as u64);
        load_data_segments();
        FS_BASE.write(self.fs_base.load(Relaxed));
        KERNEL_GS_BASE.write(self.teb.load(Relaxed));
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
        // SAFETY: the registers are a user mode's, as the module says; the entry code finds this state by RSP0 and the block
        // and comes back here.
        match unsafe { user_entry::tarn_run_user(self) } {
            SYSTEM_CALL => self.system_call(),
            INTERRUPTED => UserExit::Interrupted,
            kind => self.exception(kind),
        }
    }

    #[inline]
    fn system_call(&self) -> UserExit {
        UserExit::SystemCall((self.rax.load(Relaxed) & 0xFFFF_FFFF) as u32)
    }

    /// What happened; interrupts are still disabled, so CR2 is still this exception's.
    #[cold]
    fn exception(&self, kind: u64) -> UserExit {
        if kind == BAD_PC {
            return UserExit::Exception(Exception {
                class: ExceptionClass::PageFault {
                    access: Access::Execute,
                    reason: FaultReason::NotMapped,
                },
                pc: self.pc(),
                address: Some(self.pc()),
                syndrome: 0,
                from_user: true,
            });
        }
        let vector = self.vector.load(Relaxed);
        if vector == u64::from(idt::SYSTEM_CALL_VECTOR) {
            return self.system_call();
        }
        if vector == DEBUG {
            // As NT has it: who looks at the exception goes on without another one, unless it wants it.
            let flags = self.rflags.load(Relaxed) & !SINGLE_STEP;
            self.rflags.store(flags, Relaxed);
        }
        let mut rip = self.rip.load(Relaxed);
        if exception::acknowledge(vector) {
            rip = rip.wrapping_sub(1);
            self.rip.store(rip, Relaxed);
        }
        UserExit::Exception(exception::of_user_mode(
            vector,
            self.error.load(Relaxed),
            rip,
        ))
    }
}

/// The data segments as 64-bit code starts with them: what the last thread loaded is not the next one's to see.
fn load_data_segments() {
    // SAFETY: both are flat data segments of every processor's table, or none; the kernel uses neither of the registers.
    unsafe {
        asm!("mov ds, {data:e}", "mov es, {data:e}", "mov fs, {none:e}",
            data = in(reg) u32::from(USER_DATA), none = in(reg) 0_u32, options(nostack, preserves_flags));
    }
}
