//! The unwind codes that a packed entry stands for.
//!
//! The prolog of a packed function is, in this order: push the arguments' registers; push integer registers; link the frame;
//! push float registers; take more of the stack, unless the push has done it with registers that nobody needs. The epilog
//! undoes the same in the other order, ends as it says it does, and may give back the stack in its own way.

use nt_abi::NtResult;
use pe::unwind_arm::{Packed, Return, UnwindCode};

/// The most codes of a prolog or an epilog.
const MOST: usize = 8;
/// The link register's bit among registers to push or pop.
const LR: u16 = 1 << 14;
/// The frame pointer's bit.
const FRAME: u16 = 1 << 11;
/// The registers that an instruction of one halfword can push or pop, besides the link register.
const LOW: u16 = 0xFF;
/// What an instruction of one halfword can add to the stack pointer, in bytes.
const MOST_NARROW: u16 = 0x7F * 4;

/// Codes, in the order in which they are done.
pub(super) struct Codes {
    codes: [UnwindCode; MOST],
    count: usize,
}

impl Codes {
    fn new() -> Self {
        Self {
            codes: [UnwindCode::End(0); MOST],
            count: 0,
        }
    }

    fn add(&mut self, code: UnwindCode) {
        // There is room for all that there can be; the last one stays the end.
        if let Some(place) = self.codes.get_mut(self.count) {
            *place = code;
        }
        self.count += 1;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = NtResult<UnwindCode>> + use<'_> {
        self.codes.iter().copied().map(Ok)
    }
}

/// The codes that undo the prolog, and those of the epilog.
pub(super) fn codes(packed: &Packed) -> (Codes, Codes) {
    (prolog(packed), epilog(packed))
}

/// The integer registers that are saved besides those that fold a stack adjustment.
fn saved(packed: &Packed) -> u16 {
    let from_r4 = ((1 << packed.integer_registers) - 1) << 4;
    from_r4 | if packed.chained { FRAME } else { 0 } | if packed.saves_lr { LR } else { 0 }
}

/// The registers that are pushed or popped for the words that they take: the highest of r0 to r3.
fn folding(packed: &Packed, is_folded: bool) -> u16 {
    let words = packed.stack_adjust / 4;
    match is_folded {
        true => (1 << 4) - (1 << (4 - words.min(4))),
        false => 0,
    }
}

fn allocate(codes: &mut Codes, bytes: u16) {
    if bytes > 0 {
        codes.add(UnwindCode::Allocate {
            bytes: u32::from(bytes),
            wide: bytes > MOST_NARROW,
        });
    }
}

fn pop_floats(codes: &mut Codes, packed: &Packed) {
    if let Some(last) = packed.float_registers.checked_sub(1) {
        codes.add(UnwindCode::PopFloats {
            first: 8,
            last: 8 + last,
        });
    }
}

/// A pop of registers. Those that are only taken off are among r0 to r3, which nobody keeps.
fn pop(codes: &mut Codes, registers: u16, wide: bool) {
    if registers != 0 {
        codes.add(UnwindCode::Pop { registers, wide });
    }
}

fn prolog(packed: &Packed) -> Codes {
    let mut codes = Codes::new();
    if !packed.folded_in_prolog {
        allocate(&mut codes, packed.stack_adjust);
    }
    pop_floats(&mut codes, packed);
    let registers = saved(packed) | folding(packed, packed.folded_in_prolog);
    if packed.chained {
        // A frame pointer that points to the link at the stack pointer needs no addition.
        let only_link = registers & !(FRAME | LR) == 0;
        codes.add(UnwindCode::Nop { wide: !only_link });
    }
    pop(&mut codes, registers, registers & !(LOW | LR) != 0);
    if packed.homes_arguments {
        allocate(&mut codes, 16);
    }
    codes
}

fn epilog(packed: &Packed) -> Codes {
    let mut codes = Codes::new();
    if !packed.folded_in_epilog {
        allocate(&mut codes, packed.stack_adjust);
    }
    pop_floats(&mut codes, packed);
    let pops_pc = packed.returns == Return::Pop;
    // With homes above it, the return address is loaded and they are taken off in one instruction.
    let loads_pc = pops_pc && packed.homes_arguments;
    let mut registers = saved(packed) | folding(packed, packed.folded_in_epilog);
    if loads_pc {
        registers &= !LR;
    }
    // One halfword has room for the program counter, but not for the link register.
    let narrow = if pops_pc { LOW | LR } else { LOW };
    pop(&mut codes, registers, registers & !narrow != 0);
    if loads_pc {
        codes.add(UnwindCode::PopLr(20));
    } else if packed.homes_arguments {
        allocate(&mut codes, 16);
    }
    codes.add(UnwindCode::End(match packed.returns {
        Return::Branch => 1,
        Return::WideBranch => 2,
        Return::Pop | Return::Elsewhere => 0,
    }));
    codes
}
