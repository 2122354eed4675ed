//! Entering the kernel on x86-64.
//!
//! As Windows does it, the number is in `eax`, and the first argument moves from `rcx` to `r10`, because `syscall`
//! puts the return address into `rcx`. The others are in `rdx`, `r8` and `r9`, and then on the stack from `rsp + 40` on,
//! behind the return address and the callee's home area; the status comes back in `rax`.

// The compiler calls this before it takes a frame larger than a page, and expects a C library to have it: it touches
// each page from the top down, so that the guard page below the stack is met and never stepped over. `rax` holds the
// size in bytes and keeps it; `r10` and `r11` may change.
core::arch::global_asm!(
    ".globl __chkstk",
    "__chkstk:",
    "    mov r10, rsp",
    "    mov r11, rax",
    "1:  sub r10, 4096",
    "    test [r10], r10",
    "    sub r11, 4096",
    "    ja 1b",
    "    ret",
);

/// `CONTEXT` of this machine.
pub type Context = nt_abi::context::Amd64Context;

/// Makes a context ask for all registers.
pub fn full(context: &mut Context) {
    context.context_flags = nt_abi::context::Amd64ContextFlags::ALL;
}

/// Makes a thread go on at another place, which is 64-bit code, as if that were called.
pub fn set_pc(context: &mut Context, pc: u64) {
    context.seg_cs = 0x33;
    context.rip = pc;
    context.rsp = (context.rsp & !0xF) - 0x28;
}

/// A function's first argument.
pub fn first_argument(context: &Context) -> u64 {
    context.rcx
}

/// Sets a function's first argument.
pub fn set_first_argument(context: &mut Context, value: u64) {
    context.rcx = value;
}

/// Where the kernel makes a thread run a user APC: the context to go on with is at the stack pointer, with the arguments
/// and the routine in its homes (`Amd64ApcFrame`).
// SAFETY: the kernel alone enters here, with the frame on the stack; the name is NT's.
#[unsafe(naked)]
// SAFETY: as above.
#[unsafe(no_mangle)]
unsafe extern "C" fn KiUserApcDispatcher() {
    core::arch::naked_asm!(
        "mov rcx, [rsp]",
        "mov rdx, [rsp + 0x08]",
        "mov r8, [rsp + 0x10]",
        "mov rax, [rsp + 0x18]",
        "mov r9, rsp",
        "sub rsp, 0x20",
        "call rax",
        "add rsp, 0x20",
        "mov rcx, rsp",
        "mov edx, 1",
        "sub rsp, 0x20",
        "call {go_on}",
        "int3",
        go_on = sym crate::NtContinue,
    )
}

/// Where the kernel makes a thread look at its exception (`Amd64ExceptionFrame`).
// SAFETY: the kernel alone enters here, with the frame on the stack; the name is NT's.
#[unsafe(naked)]
// SAFETY: as above.
#[unsafe(no_mangle)]
unsafe extern "C" fn KiUserExceptionDispatcher() {
    core::arch::naked_asm!(
        "lea rcx, [rsp + 0x4F0]",
        "mov rdx, rsp",
        "sub rsp, 0x20",
        "call {handle}",
        "add rsp, 0x20",
        "test eax, eax",
        "jz 2f",
        "mov rcx, rsp",
        "xor edx, edx",
        "sub rsp, 0x20",
        "call {go_on}",
        "int3",
        "2: lea rcx, [rsp + 0x4F0]",
        "mov rdx, rsp",
        "xor r8d, r8d",
        "sub rsp, 0x20",
        "call {raise}",
        "int3",
        handle = sym crate::dispatchers::handle_exception,
        go_on = sym crate::NtContinue,
        raise = sym crate::NtRaiseException,
    )
}

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
