//! Entering the kernel on ARM64.
//!
//! As Windows does it, the number is in the instruction itself, where the kernel finds it in the syndrome register.
//! Arguments are in `x0` to `x7` and then on the stack from `sp` on; the status comes back in `x0`.

/// `CONTEXT` of this machine.
pub type Context = nt_abi::context::Arm64Context;

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
