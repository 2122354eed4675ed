//! Looking at registers: undoing a function with all that its caller may want to know, and registers as text.

use core::fmt;

use c_interface::Ptr;
use nt_abi::NtResult;
use nt_abi::exception::HandlerTypes;
use unwind::{FunctionEntry, Functions, Memory, Unwound};

use super::machine::{Context, Machine};

#[cfg(target_arch = "x86_64")]
use nt_abi::exception::Amd64NonvolatileContextPointers as ContextPointers;
#[cfg(target_arch = "aarch64")]
use nt_abi::exception::Arm64NonvolatileContextPointers as ContextPointers;
#[cfg(target_arch = "x86_64")]
use unwind::amd64::virtual_unwind;
#[cfg(target_arch = "aarch64")]
use unwind::arm64::virtual_unwind;

/// An entry of the machine's function tables.
type Function = <Machine as unwind::machine::Machine>::Function;

/// Undoes a function; `saved` is where a `KNONVOLATILE_CONTEXT_POINTERS` is that wants to know where registers were, or null.
///
/// # Errors
/// Those of `unwind`.
pub fn undo<M>(
    memory: &M,
    wanted: HandlerTypes,
    function: Option<&FunctionEntry<Function>>,
    control_pc: u64,
    context: &mut Context,
    saved: Ptr<u8>,
) -> NtResult<Unwound>
where
    M: Memory + Functions<Function = Function>,
{
    let place = saved.cast::<ContextPointers>();
    let mut pointers = place.read_optional();
    let undone = virtual_unwind(
        memory,
        wanted,
        function,
        control_pc,
        context,
        pointers.as_mut(),
    )?;
    if let Some(pointers) = pointers {
        place.write(pointers);
    }
    Ok(undone)
}

/// Registers as text, a few lines.
#[derive(Debug)]
pub struct Shown<'a>(pub &'a Context);

#[cfg(target_arch = "x86_64")]
impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.0;
        let registers = [
            ("rax", c.rax),
            ("rbx", c.rbx),
            ("rcx", c.rcx),
            ("rdx", c.rdx),
            ("rsi", c.rsi),
            ("rdi", c.rdi),
            ("rbp", c.rbp),
            ("rsp", c.rsp),
            ("r8", c.r8),
            ("r9", c.r9),
            ("r10", c.r10),
            ("r11", c.r11),
            ("r12", c.r12),
            ("r13", c.r13),
            ("r14", c.r14),
            ("r15", c.r15),
            ("rip", c.rip),
            ("flags", u64::from(c.e_flags)),
        ];
        rows(f, &registers)
    }
}

#[cfg(target_arch = "aarch64")]
impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 31] = [
            "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
            "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25",
            "x26", "x27", "x28", "fp", "lr",
        ];
        let c = self.0;
        let mut registers = [("", 0); 34];
        for ((row, name), value) in registers.iter_mut().zip(NAMES).zip(c.x) {
            *row = (name, value);
        }
        registers[31] = ("sp", c.sp);
        registers[32] = ("pc", c.pc);
        registers[33] = ("cpsr", u64::from(c.cpsr));
        rows(f, &registers)
    }
}

/// Four in a row.
fn rows(f: &mut fmt::Formatter<'_>, registers: &[(&str, u64)]) -> fmt::Result {
    for row in registers.chunks(4) {
        f.write_str(" ")?;
        for (name, value) in row {
            write!(f, " {name:>5} {value:016x}")?;
        }
        f.write_str("\n")?;
    }
    Ok(())
}
