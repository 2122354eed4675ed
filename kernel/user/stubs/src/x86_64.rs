//! Entering the kernel on x86-64.
//!
//! As Windows does it, the number is in `eax`, and the first argument moves from `rcx` to `r10`, because `syscall`
//! puts the return address into `rcx`. The others are in `rdx`, `r8` and `r9`, and then on the stack from `rsp + 40` on,
//! behind the return address and the callee's home area; the status comes back in `rax`.

/// `CONTEXT` of this machine.
pub type Context = nt_abi::context::Amd64Context;

/// The address of the calling thread's TEB.
pub fn teb() -> u64 {
    let teb;
    // SAFETY: reads `NT_TIB.Self`, which the kernel has set.
    unsafe {
        core::arch::asm!("mov {}, gs:[0x30]", out(reg) teb, options(readonly, nostack, preserves_flags));
    }
    teb
}

/// The body of the stub for a service's number.
macro_rules! enter_kernel {
    ($number:expr) => {
        core::arch::naked_asm!(
            "mov r10, rcx",
            "mov eax, {number}",
            "syscall",
            "ret",
            number = const $number,
        )
    };
}
pub(crate) use enter_kernel;

/// A counter that goes on at a constant rate, and that rate in hertz.
///
/// The processor does not say the rate; where an emulator counts instructions, the counter is that count and a second has
/// 10^9 of them.
pub(crate) fn counter() -> (u64, u64) {
    let (low, high): (u32, u32);
    // SAFETY: the kernel lets user mode read the counter, which has no effect.
    unsafe {
        core::arch::asm!("lfence", "rdtsc", out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags))
    };
    (u64::from(high) << 32 | u64::from(low), 1_000_000_000)
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
