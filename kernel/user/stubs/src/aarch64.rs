//! Entering the kernel on ARM64.
//!
//! As Windows does it, the number is in the instruction itself, where the kernel finds it in the syndrome register.
//! Arguments are in `x0` to `x7` and then on the stack from `sp` on; the status comes back in `x0`.

// The compiler calls this before it takes a frame larger than a page, and expects a C library to have it: it touches
// each page from the top down, so that the guard page below the stack is met and never stepped over. `x15` holds the
// size in units of 16 bytes; `x16` and `x17` may change.
core::arch::global_asm!(
    ".globl __chkstk",
    "__chkstk:",
    "    lsl x16, x15, #4",
    "    mov x17, sp",
    "1:  sub x17, x17, #4096",
    "    ldr xzr, [x17]",
    "    subs x16, x16, #4096",
    "    b.hi 1b",
    "    ret",
);

/// `CONTEXT` of this machine.
pub type Context = nt_abi::context::Arm64Context;

/// Makes a context ask for all registers.
pub fn full(context: &mut Context) {
    context.context_flags = nt_abi::context::Arm64ContextFlags::ALL;
}

/// Makes a thread go on at another place.
pub fn set_pc(context: &mut Context, pc: u64) {
    context.pc = pc;
}

/// A function's first argument.
pub fn first_argument(context: &Context) -> u64 {
    context.x[0]
}

/// Sets a function's first argument.
pub fn set_first_argument(context: &mut Context, value: u64) {
    context.x[0] = value;
}

/// Where the kernel makes a thread run a user APC: the routine and its arguments are at the stack pointer, then the
/// context to go on with (`Arm64ApcFrame`).
// SAFETY: the kernel alone enters here, with the frame on the stack; the name is NT's.
#[unsafe(naked)]
// SAFETY: as above.
#[unsafe(no_mangle)]
unsafe extern "C" fn KiUserApcDispatcher() {
    core::arch::naked_asm!(
        "ldp x16, x0, [sp]",
        "ldp x1, x2, [sp, #0x10]",
        "blr x16",
        "add x0, sp, #0x30",
        "ldr w1, [sp, #0x20]",
        "bl {go_on}",
        "brk #0xF000",
        go_on = sym crate::NtContinue,
    )
}

/// Where the kernel makes a thread look at its exception (`Arm64ExceptionFrame`).
// SAFETY: the kernel alone enters here, with the frame on the stack; the name is NT's.
#[unsafe(naked)]
// SAFETY: as above.
#[unsafe(no_mangle)]
unsafe extern "C" fn KiUserExceptionDispatcher() {
    core::arch::naked_asm!(
        "add x0, sp, #0x3B0",
        "mov x1, sp",
        "bl {handle}",
        "cbz w0, 1f",
        "mov x0, sp",
        "mov w1, #0",
        "bl {go_on}",
        "brk #0xF000",
        "1: add x0, sp, #0x3B0",
        "mov x1, sp",
        "mov w2, #0",
        "bl {raise}",
        "brk #0xF000",
        handle = sym crate::dispatchers::handle_exception,
        go_on = sym crate::NtContinue,
        raise = sym crate::NtRaiseException,
    )
}

/// The address of the calling thread's TEB.
pub fn teb() -> u64 {
    let teb;
    // SAFETY: reads a register.
    unsafe {
        core::arch::asm!("mov {}, x18", out(reg) teb, options(nomem, nostack, preserves_flags))
    };
    teb
}

/// The body of the stub for a service's number.
macro_rules! enter_kernel {
    ($number:expr) => {
        core::arch::naked_asm!("svc #{number}", "ret", number = const $number)
    };
}
pub(crate) use enter_kernel;

/// A counter that goes on at a constant rate, and that rate in hertz.
pub(crate) fn counter() -> (u64, u64) {
    let (count, rate): (u64, u64);
    // SAFETY: the kernel lets user mode read the counter, which has no effect.
    unsafe {
        core::arch::asm!("isb", "mrs {}, cntvct_el0", out(reg) count, options(nomem, nostack, preserves_flags))
    };
    // SAFETY: as above.
    unsafe {
        core::arch::asm!("mrs {}, cntfrq_el0", out(reg) rate, options(nomem, nostack, preserves_flags))
    };
    (count, rate)
}

/// Enters the kernel with a number that is no service's.
// SAFETY: the body is the machine's entry, which follows the C convention and keeps what a callee has to keep.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn no_service(
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
) -> nt_abi::NtStatus {
    enter_kernel!(0xFFF0)
}
