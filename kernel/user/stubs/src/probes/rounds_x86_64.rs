//! The same for x86-64.

use core::arch::{asm, global_asm};

use nt_abi::context::Amd64Context;
use nt_abi::services::number;

/// All registers: general ones in the order of the processor's numbers, without RSP.
#[repr(C, align(16))]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegisterFile {
    /// RAX, RCX, RDX, RBX, RBP, RSI, RDI, R8 to R15.
    pub general: [u64; GENERAL],
    /// RFLAGS.
    pub flags: u64,
    /// XMM0 to XMM15.
    pub vectors: [[u64; 2]; 16],
    /// MXCSR.
    pub control: u32,
    /// Nothing.
    pub status: u32,
    /// Nothing.
    pub padding: u64,
}

/// How many general registers a file has.
pub const GENERAL: usize = 15;
/// CF, PF, AF, ZF, SF, DF, OF.
pub const FLAG_BITS: u64 = 0xCD5;
/// Rounding, flush to zero, denormals are zero, and the flags; what is not here is set: no exceptions.
pub const CONTROL_BITS: u32 = 0xE07F;
/// None.
pub const STATUS_BITS: u32 = 0;
/// RAX, RCX, R11: the result, and what the instruction takes for itself.
pub const LOST_IN_CALLS: &[usize] = &[0, 1, 10];
/// RSI.
pub const PLACE: usize = 5;
/// RCX.
pub const COUNT: usize = 1;

/// Flags that user mode always has.
pub const FIXED_FLAGS: u64 = 0x202;
/// Control bits that are always set: no exceptions.
pub const FIXED_CONTROL: u32 = 0x1F80;

/// Makes a thread go on behind the breakpoint that it met.
pub fn skip_breakpoint(context: &mut Amd64Context) {
    context.rip += 1;
}

/// Makes a thread stop after its next instruction.
pub fn step(context: &mut Amd64Context) {
    context.e_flags |= 0x100;
}

/// Overwrites every SIMD register and the general ones that a function may change.
pub fn scramble() {
    // SAFETY: says which registers it changes.
    unsafe {
        asm!(
            "pcmpeqd xmm0, xmm0", "pcmpeqd xmm1, xmm1", "pcmpeqd xmm2, xmm2", "pcmpeqd xmm3, xmm3",
            "pcmpeqd xmm4, xmm4", "pcmpeqd xmm5, xmm5", "pcmpeqd xmm6, xmm6", "pcmpeqd xmm7, xmm7",
            "pcmpeqd xmm8, xmm8", "pcmpeqd xmm9, xmm9", "pcmpeqd xmm10, xmm10", "pcmpeqd xmm11, xmm11",
            "pcmpeqd xmm12, xmm12", "pcmpeqd xmm13, xmm13", "pcmpeqd xmm14, xmm14", "pcmpeqd xmm15, xmm15",
            "mov rax, 0x5A5A5A5A", "mov rcx, rax", "mov rdx, rax", "mov r8, rax", "mov r9, rax", "mov r10, rax",
            "mov r11, rax",
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _, out("xmm6") _,
            out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _, out("xmm12") _,
            out("xmm13") _, out("xmm14") _, out("xmm15") _,
            out("rax") _, out("rcx") _, out("rdx") _, out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
}

macro_rules! round {
    ($name:ident = $symbol:literal: $($trap:literal),+; $($operands:tt)*) => {
        unsafe extern "C" {
            #[link_name = $symbol]
            pub(super) fn $name(from: &RegisterFile, to: &mut RegisterFile);
        }

        global_asm!(
            ".text",
            concat!(".globl ", $symbol),
            concat!($symbol, ":"),
            ".irp r, rbx, rbp, rsi, rdi, r12, r13, r14, r15",
            "    push \\r",
            ".endr",
            "    sub rsp, 0xE8",
            ".irp n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
            "    movups [rsp + 0x40 + (\\n - 6) * 16], xmm\\n",
            ".endr",
            "    mov [rsp + 0x30], rdx",
            "    stmxcsr [rsp + 0x38]",
            "    push [rcx + 15 * 8]",
            "    popfq",
            "    ldmxcsr [rcx + 384]",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
            "    movups xmm\\n, [rcx + 128 + \\n * 16]",
            ".endr",
            "    mov rax, [rcx]",
            "    mov rdx, [rcx + 2 * 8]",
            "    mov rbx, [rcx + 3 * 8]",
            "    mov rbp, [rcx + 4 * 8]",
            "    mov rsi, [rcx + 5 * 8]",
            "    mov rdi, [rcx + 6 * 8]",
            ".irp n, 8, 9, 10, 11, 12, 13, 14, 15",
            "    mov r\\n, [rcx + (\\n - 1) * 8]",
            ".endr",
            "    mov rcx, [rcx + 8]",
            $("    ", $trap,)+
            "    pushfq",
            "    push rax",
            "    mov rax, [rsp + 0x40]",
            "    mov [rax + 8], rcx",
            "    mov [rax + 2 * 8], rdx",
            "    mov [rax + 3 * 8], rbx",
            "    mov [rax + 4 * 8], rbp",
            "    mov [rax + 5 * 8], rsi",
            "    mov [rax + 6 * 8], rdi",
            ".irp n, 8, 9, 10, 11, 12, 13, 14, 15",
            "    mov [rax + (\\n - 1) * 8], r\\n",
            ".endr",
            "    pop rcx",
            "    mov [rax], rcx",
            "    pop rcx",
            "    mov [rax + 15 * 8], rcx",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
            "    movups [rax + 128 + \\n * 16], xmm\\n",
            ".endr",
            "    stmxcsr [rax + 384]",
            "    cld",
            "    ldmxcsr [rsp + 0x38]",
            ".irp n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
            "    movups xmm\\n, [rsp + 0x40 + (\\n - 6) * 16]",
            ".endr",
            "    add rsp, 0xE8",
            ".irp r, r15, r14, r13, r12, rdi, rsi, rbp, rbx",
            "    pop \\r",
            ".endr",
            "    ret",
            $($operands)*
        );
    };
}

round!(yields = "tarn_round_yields": "mov eax, {number}", "syscall"; number = const number::NtYieldExecution);
round!(tests_alert = "tarn_round_tests_alert": "mov eax, {number}", "syscall"; number = const number::NtTestAlert);
round!(writes = "tarn_round_writes": "mov [rsi], al";);
round!(breaks = "tarn_round_breaks": "int3";);
round!(steps = "tarn_round_steps": "int3", "nop";);
round!(spins = "tarn_round_spins": "2: lea rcx, [rcx - 1]", "jrcxz 3f", "jmp 2b", "3:";);
