//! Faults on purpose.
//!
//! Each is a few instructions of assembly, so that what faults is exactly what the
//! test names, whatever the compiler thinks of it. Only the test kernel calls this;
//! in the product the linker drops it.

use core::arch::asm;
use core::sync::atomic::AtomicU64;

use super::{Machine, console, held_registers, spurious, user_code};
use crate::contract::{Fault, NotOnThisMachine, RegisterChanged, SelfTest, UserCode, VirtAddr};

/// An upper-half address where nothing ever is, far from any stack.
const UNMAPPED: u64 = 0xFFFF_F000_0000_0000;
/// Between the halves.
const NON_CANONICAL: u64 = 0x8000_0000_0000_0000;

static CONSTANT: u64 = 0x5A;
/// RET, in a page that is no code.
static DATA: AtomicU64 = AtomicU64::new(0xC3);

fn load(address: u64) {
    // SAFETY: it faults, which is what the caller asks for; what is loaded is dropped.
    unsafe { asm!("mov {0}, [{0}]", inout(reg) address => _, options(nostack, readonly)) };
}

fn store(address: u64) {
    // SAFETY: it faults, which is what the caller asks for. If it did not, a test that looks at the kernel's protection
    // has found it broken.
    unsafe { asm!("mov qword ptr [{}], 0", in(reg) address, options(nostack)) };
}

fn jump(address: u64) {
    // SAFETY: it faults at the target; if it did not, the target is a RET.
    unsafe { asm!("call {}", in(reg) address, clobber_abi("C")) };
}

/// Uses a kilobyte of stack a call, for ever.
#[expect(
    unconditional_recursion,
    reason = "that it does not return is its purpose"
)]
fn exhaust_stack(depth: u64) -> u64 {
    let mut page = [depth; 128];
    // The compiler must neither drop the array nor turn the recursion into a loop.
    core::hint::black_box(&mut page);
    exhaust_stack(depth + 1) + core::hint::black_box(page[7])
}

/// An undefined instruction while the stack is nowhere: its exception cannot be pushed.
fn double_fault() {
    // SAFETY: the stack is given up; the exception that follows is reported from the emergency stack and, should it be
    // resumed behind the UD2, finds RSP as it was.
    unsafe {
        asm!("mov {saved}, rsp", "mov rsp, {nowhere}", "ud2", "mov rsp, {saved}",
            saved = out(reg) _, nowhere = in(reg) UNMAPPED);
    }
}

/// An SSE instruction with CR0.TS set.
fn use_simd_while_off() {
    // SAFETY: TS only makes such instructions trap; it is clear again afterwards. XMM0 is no register of the compiler's.
    unsafe {
        asm!("mov {old}, cr0", "mov {new}, {old}", "or {new}, 8", "mov cr0, {new}", "xorps xmm0, xmm0", "mov cr0, {old}",
            old = out(reg) _, new = out(reg) _, options(nostack));
    }
}

impl SelfTest for Machine {
    fn provoke(fault: Fault) -> Result<(), NotOnThisMachine> {
        match fault {
            Fault::ReadUnmapped => load(0x10),
            Fault::WriteUnmapped => store(UNMAPPED),
            Fault::WriteText => store(jump as *const () as u64 & !7),
            Fault::WriteReadOnly => store((&raw const CONSTANT) as u64),
            Fault::ExecuteData => jump(DATA.as_ptr() as u64),
            Fault::GeneralProtection => load(NON_CANONICAL),
            Fault::IllegalInstruction => {
                // SAFETY: it faults, which is what the caller asks for.
                unsafe { asm!("ud2", options(nomem, nostack)) };
            }
            Fault::DivideByZero => {
                // SAFETY: as above.
                unsafe {
                    asm!("div {:e}", in(reg) 0, inout("eax") 1 => _, inout("edx") 0 => _, options(nomem, nostack))
                };
            }
            Fault::Breakpoint => {
                // SAFETY: as above.
                unsafe { asm!("int3", options(nomem, nostack)) };
            }
            Fault::StackOverflow => {
                exhaust_stack(0);
            }
            Fault::DoubleFault => double_fault(),
            Fault::FloatingPointUnavailable => use_simd_while_off(),
            // Alignment is checked in user mode alone; PC and SP may have any; a bus that nobody answers reads ones.
            Fault::Misaligned | Fault::MisalignedPc | Fault::MisalignedStack | Fault::BusError => {
                return Err(NotOnThisMachine);
            }
        }
        Ok(())
    }

    fn hold_registers(counter: &AtomicU64, target: u64, seed: u64) -> Result<(), RegisterChanged> {
        held_registers::hold(counter, target, seed)
    }

    fn write_held(to: VirtAddr, word: u64, seed: u64) -> Result<bool, RegisterChanged> {
        held_registers::write(to, word, seed)
    }

    fn scramble_simd(seed: u64) {
        held_registers::scramble(seed);
    }

    fn user_code(code: UserCode) -> Option<&'static [u8]> {
        Some(user_code::get(code))
    }

    fn let_console_interrupt(enabled: bool) {
        console::let_interrupt(enabled);
    }

    fn settle_console_interrupt() -> bool {
        console::settle_interrupt()
    }

    fn take_spurious_interrupt() -> bool {
        spurious::provoke()
    }

    fn simd_shape() -> (u32, u32) {
        held_registers::shape()
    }
}
