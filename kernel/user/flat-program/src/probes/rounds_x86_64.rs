//! The same for x86-64.

use core::arch::x86_64::__cpuid;
use core::arch::{asm, global_asm};
use core::mem::offset_of;

use nt_abi::context::Amd64Context;
use nt_abi::services::number;

/// All registers: general ones in the order of the processor's numbers, without RSP.
///
/// From `x87` to `reserved` it is what FXSAVE stores.
#[repr(C, align(16))]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RegisterFile {
    /// RAX, RCX, RDX, RBX, RBP, RSI, RDI, R8 to R15.
    pub general: [u64; GENERAL],
    /// RFLAGS.
    pub flags: u64,
    /// The x87 control word, status word, and one bit for each register that is in use; the last instruction's, none.
    x87: [u16; 4],
    /// Where the last x87 instruction and its operand were: nowhere.
    x87_last: [u64; 2],
    /// MXCSR.
    pub control: u32,
    /// Nothing.
    pub status: u32,
    /// The x87 registers, ten bytes each.
    x87_registers: [[u64; 2]; 8],
    /// XMM0 to XMM15.
    pub vectors: [[u64; 2]; 16],
    reserved: [u64; 12],
    /// The upper halves of YMM0 to YMM15, if there are any.
    uppers: [[u64; 2]; 16],
    /// Not zero if there are upper halves.
    has_uppers: u64,
    padding: u64,
}

impl RegisterFile {
    /// One to be stored to, which has nothing of this one's.
    #[must_use]
    pub fn blank(&self) -> Self {
        Self {
            has_uppers: self.has_uppers,
            ..Self::default()
        }
    }

    /// Fills the registers that only this machine has.
    pub fn fill_others(&mut self, mut next: impl FnMut() -> u64) {
        /// Rounding and precision; what is not here is set: no exceptions.
        const X87_CONTROL: u64 = 0x0F00;
        /// The flags of exceptions, all masked, and of conditions; the top of the stack.
        const X87_STATUS: u64 = 0x7F7F;
        self.x87 = [
            (next() & X87_CONTROL) as u16 | 0x7F,
            (next() & X87_STATUS) as u16,
            (next() & 0xFF) as u16,
            0,
        ];
        for register in &mut self.x87_registers {
            *register = [next(), next() & 0xFFFF];
        }
        self.has_uppers = u64::from(has_uppers());
        if has_uppers() {
            for upper in &mut self.uppers {
                *upper = [next(), next()];
            }
        }
    }
}

/// Whether a file has all registers that the processor has, up to AVX.
pub fn carries_all() -> bool {
    has_uppers() == (__cpuid(1).ecx & AVX != 0)
}

/// The processor has AVX.
const AVX: u32 = 1 << 28;

/// Whether the processor has AVX and the kernel lets programs use it.
fn has_uppers() -> bool {
    const OSXSAVE: u32 = 1 << 27;
    /// SSE and AVX.
    const STATE: u32 = 6;
    if __cpuid(1).ecx & (OSXSAVE | AVX) != OSXSAVE | AVX {
        return false;
    }
    let enabled: u32;
    // SAFETY: OSXSAVE says that there is XGETBV, which reads a register.
    unsafe {
        asm!("xgetbv", in("ecx") 0, out("eax") enabled, out("edx") _, options(nomem, nostack));
    }
    enabled & STATE == STATE
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

/// Overwrites every x87 and SSE register and the general ones that a function may change.
///
/// Not the upper halves of AVX's: contexts do not have them, so a handler's stay the thread's.
pub fn scramble() {
    // SAFETY: says which registers it changes.
    unsafe {
        asm!(
            "sub rsp, 16", "fnstcw [rsp]", "fninit",
            "fldpi", "fldpi", "fldpi", "fldpi", "fldpi", "fldpi", "fldpi", "fldpi",
            "fninit", "fldcw [rsp]", "add rsp, 16",
            "pcmpeqd xmm0, xmm0", "pcmpeqd xmm1, xmm1", "pcmpeqd xmm2, xmm2", "pcmpeqd xmm3, xmm3",
            "pcmpeqd xmm4, xmm4", "pcmpeqd xmm5, xmm5", "pcmpeqd xmm6, xmm6", "pcmpeqd xmm7, xmm7",
            "pcmpeqd xmm8, xmm8", "pcmpeqd xmm9, xmm9", "pcmpeqd xmm10, xmm10", "pcmpeqd xmm11, xmm11",
            "pcmpeqd xmm12, xmm12", "pcmpeqd xmm13, xmm13", "pcmpeqd xmm14, xmm14", "pcmpeqd xmm15, xmm15",
            "mov rax, 0x5A5A5A5A", "mov rcx, rax", "mov rdx, rax", "mov r8, rax", "mov r9, rax", "mov r10, rax",
            "mov r11, rax",
            out("st(0)") _, out("st(1)") _, out("st(2)") _, out("st(3)") _, out("st(4)") _, out("st(5)") _, out("st(6)") _,
            out("st(7)") _,
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
            "    fnstcw [rsp + 0x3C]",
            "    fxrstor64 [rcx + {legacy}]",
            "    cmp qword ptr [rcx + {has_uppers}], 0",
            "    je 7f",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
            "    vinsertf128 ymm\\n, ymm\\n, [rcx + {uppers} + \\n * 16], 1",
            ".endr",
            "7:  push [rcx + 15 * 8]",
            "    popfq",
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
            "    cld",
            "    fxsave64 [rax + {legacy}]",
            // Which bits MXCSR has.
            "    mov dword ptr [rax + {status}], 0",
            "    cmp qword ptr [rax + {has_uppers}], 0",
            "    je 7f",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
            "    vextractf128 [rax + {uppers} + \\n * 16], ymm\\n, 1",
            ".endr",
            "    vzeroupper",
            "7:  fninit",
            "    fldcw [rsp + 0x3C]",
            "    ldmxcsr [rsp + 0x38]",
            ".irp n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
            "    movups xmm\\n, [rsp + 0x40 + (\\n - 6) * 16]",
            ".endr",
            "    add rsp, 0xE8",
            ".irp r, r15, r14, r13, r12, rdi, rsi, rbp, rbx",
            "    pop \\r",
            ".endr",
            "    ret",
            legacy = const offset_of!(RegisterFile, x87),
            status = const offset_of!(RegisterFile, status),
            uppers = const offset_of!(RegisterFile, uppers),
            has_uppers = const offset_of!(RegisterFile, has_uppers),
            $($operands)*
        );
    };
}

// FXSAVE's area: 512 bytes, aligned, with MXCSR, the x87 registers and the SSE registers at its offsets.
const _: () = {
    let legacy = offset_of!(RegisterFile, x87);
    assert!(legacy % 16 == 0 && offset_of!(RegisterFile, uppers) - legacy == 512);
    assert!(offset_of!(RegisterFile, control) - legacy == 24);
    assert!(offset_of!(RegisterFile, x87_registers) - legacy == 32);
    assert!(offset_of!(RegisterFile, vectors) - legacy == 160);
};

round!(yields = "tarn_round_yields": "mov eax, {number}", "syscall"; number = const number::NtYieldExecution);
round!(tests_alert = "tarn_round_tests_alert": "mov eax, {number}", "syscall"; number = const number::NtTestAlert);
round!(writes = "tarn_round_writes": "mov [rsi], al";);
round!(breaks = "tarn_round_breaks": "int3";);
round!(steps = "tarn_round_steps": "int3", "nop";);
round!(spins = "tarn_round_spins": "2: lea rcx, [rcx - 1]", "jrcxz 3f", "jmp 2b", "3:";);
