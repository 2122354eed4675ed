//! Instructions of ARM64, as far as prologs and epilogs have them, carried out one by one.
//!
//! Written from the architecture's manual, without a look at unwind data: what a function does to the registers is the
//! truth that undoing it is held against.

use nt_abi::context::Arm64Context;
use unwind::Memory;

use super::{Process, Random};

pub(crate) const FP: usize = 29;
pub(crate) const LR: usize = 30;
/// The stack pointer, where a register's number means it.
pub(crate) const SP: usize = 31;

/// The registers. The stack pointer is the last of the integer ones.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Registers {
    pub(crate) x: [u64; 32],
    pub(crate) v: [(u64, u64); 32],
    pub(crate) pc: u64,
}

/// Which registers were stored on the stack.
#[derive(Clone, Default)]
pub(crate) struct Stored {
    x: [bool; 32],
    v: [bool; 32],
}

impl Registers {
    pub(crate) fn random(random: &mut Random) -> Self {
        let mut registers = Self {
            x: [0; 32],
            v: [(0, 0); 32],
            pc: 0,
        };
        registers.x.fill_with(|| random.next());
        registers.v.fill_with(|| (random.next(), random.next()));
        registers
    }

    /// Changes what a function's body may change: what nobody keeps, and what the prolog has stored.
    pub(crate) fn shuffle(&mut self, random: &mut Random, stored: &Stored, keep_frame: bool) {
        for (number, register) in self.x.iter_mut().enumerate() {
            let may_change = match number {
                SP => false,
                FP => stored.x[FP] && !keep_frame,
                19..FP | LR => stored.x[number],
                _ => true,
            };
            if may_change {
                *register = random.next();
            }
        }
        for (number, register) in self.v.iter_mut().enumerate() {
            match number {
                8..16 if !stored.v[number] => register.1 = random.next(),
                _ => *register = (random.next(), random.next()),
            }
        }
    }

    pub(crate) fn context(&self) -> Arm64Context {
        let mut context = Arm64Context::default();
        context.x.copy_from_slice(&self.x[..31]);
        context.sp = self.x[SP];
        context.pc = self.pc;
        for (register, (low, high)) in context.v.iter_mut().zip(self.v) {
            *register = [low, high];
        }
        context
    }
}

/// What a caller finds after the call: its instruction, its stack pointer, the registers that functions keep.
#[derive(PartialEq, Debug)]
pub(crate) struct Kept {
    pc: u64,
    sp: u64,
    x: [u64; 11],
    d: [u64; 8],
}

impl Kept {
    /// What the caller shall find of a function that is entered with these registers.
    pub(crate) fn at_entry(registers: &Registers) -> Self {
        let mut context = registers.context();
        context.pc = registers.x[LR];
        Self::of(&context)
    }

    pub(crate) fn of(context: &Arm64Context) -> Self {
        Self {
            pc: context.pc,
            sp: context.sp,
            x: core::array::from_fn(|index| context.x[19 + index]),
            d: core::array::from_fn(|index| context.v[8 + index][0]),
        }
    }
}

/// What an instruction does, as far as it matters.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Effect {
    /// `ldp`, `ldr`, `stp`, `str` of a register or two: where, which, in which direction.
    Memory {
        load: bool,
        float: bool,
        bytes: u64,
        first: usize,
        second: Option<usize>,
        base: usize,
        offset: i64,
        writeback: Option<i64>,
    },
    /// A register gets another one plus a number.
    Add { to: usize, from: usize, value: i64 },
    /// A register gets another one minus a shifted one.
    SubtractShifted {
        to: usize,
        from: usize,
        by: usize,
        shift: u32,
    },
    /// A register gets some bits of another one.
    And { to: usize, from: usize, mask: u64 },
    /// A register gets a number, or a part of one.
    Move { to: usize, value: u64, mask: u64 },
    /// A register gets another one.
    Copy { to: usize, from: usize },
    /// `pacibsp`
    Sign,
    /// `autibsp`
    Authenticate,
    /// `bl`, so many bytes from here.
    Call(i64),
    /// `b`, so many bytes from here.
    Branch(i64),
    /// `ret`, `br`
    Leave,
    /// Something else that may go elsewhere.
    OtherBranch,
    /// Anything else: the register that its lowest bits name, whatever kind it is, may have changed.
    Other(usize),
}

fn field(word: u32, low: u32, bits: u32) -> usize {
    (word >> low & ((1 << bits) - 1)) as usize
}

fn signed(word: u32, low: u32, bits: u32) -> i64 {
    let value = field(word, low, bits) as i64;
    (value << (64 - bits)) >> (64 - bits)
}

pub(crate) fn decode(word: u32) -> Effect {
    let (rd, rn, rm) = (field(word, 0, 5), field(word, 5, 5), field(word, 16, 5));
    match word {
        0xD503_237F => return Effect::Sign,
        0xD503_23FF => return Effect::Authenticate,
        _ => {}
    }
    match word >> 26 {
        0b00_0101 => return Effect::Branch(signed(word, 0, 26) * 4),
        0b10_0101 => return Effect::Call(signed(word, 0, 26) * 4),
        _ => {}
    }
    match word >> 24 {
        0b1101_0110 => {
            return match field(word, 21, 3) {
                0b000 | 0b010 => Effect::Leave,
                _ => Effect::OtherBranch,
            };
        }
        0b0101_0100 | 0b0011_0100..=0b0011_0111 | 0b1011_0100..=0b1011_0111 | 0b1101_0100 => {
            return Effect::OtherBranch;
        }
        // add, sub (immediate), 64 bits.
        0b1001_0001 | 0b1101_0001 => {
            let value = (field(word, 10, 12) << (12 * field(word, 22, 1))) as i64;
            let value = if word >> 30 & 1 == 0 { value } else { -value };
            return Effect::Add {
                to: rd,
                from: rn,
                value,
            };
        }
        _ => {}
    }
    // sub (extended register), 64 bits, `uxtx`.
    if word >> 21 == 0b110_0101_1001 && field(word, 13, 3) == 0b011 {
        return Effect::SubtractShifted {
            to: rd,
            from: rn,
            by: rm,
            shift: field(word, 10, 3) as u32,
        };
    }
    // and (immediate), 64 bits, of a mask that does not repeat: ones, rotated.
    if word >> 22 == 0b10_0100_1001 {
        let ones = u64::MAX >> (63 - field(word, 10, 6));
        return Effect::And {
            to: rd,
            from: rn,
            mask: ones.rotate_right(field(word, 16, 6) as u32),
        };
    }
    // mov (register), which is an `orr` with nothing, 64 bits.
    if word & 0xFFE0_FFE0 == 0xAA00_03E0 && rm != SP {
        return Effect::Copy { to: rd, from: rm };
    }
    // movz, movk.
    let (kind, shift) = (word >> 23 & 0xFF, 16 * field(word, 21, 2));
    if matches!(kind, 0b1010_0101 | 0b1110_0101) {
        let mask = if kind == 0b1010_0101 {
            u64::MAX
        } else {
            0xFFFF << shift
        };
        return Effect::Move {
            to: rd,
            value: (field(word, 5, 16) as u64) << shift,
            mask,
        };
    }
    memory(word).unwrap_or(Effect::Other(rd))
}

/// The loads and stores that save and restore registers.
fn memory(word: u32) -> Option<Effect> {
    let (first, base) = (field(word, 0, 5), field(word, 5, 5));
    let float = word >> 26 & 1 != 0;
    let load = word >> 22 & 1 != 0;
    // Pairs: the kind in the two highest bits, the mode in bits 23 and 24.
    if word >> 27 & 0b111 == 0b101 && word >> 25 & 1 == 0 {
        let bytes = match (word >> 30, float) {
            (0b10, false) | (0b01, true) => 8,
            (0b10, true) => 16,
            _ => return None,
        };
        let distance = signed(word, 15, 7) * bytes as i64;
        let (offset, writeback) = match field(word, 23, 2) {
            1 => (0, Some(distance)),
            2 => (distance, None),
            3 => (distance, Some(distance)),
            _ => return None,
        };
        return Some(Effect::Memory {
            load,
            float,
            bytes,
            first,
            second: Some(field(word, 10, 5)),
            base,
            offset,
            writeback,
        });
    }
    if word >> 27 & 0b111 != 0b111 {
        return None;
    }
    // One register: the size in the two highest bits; for 16 bytes bit 23 is set, too.
    let wide = word >> 23 & 1 != 0;
    let bytes: u64 = match (word >> 30, wide) {
        (0b11, false) => 8,
        (0b00, true) if float => 16,
        _ => return None,
    };
    let (offset, writeback) = match field(word, 24, 2) {
        1 => ((field(word, 10, 12) as u64 * bytes) as i64, None),
        0 if word >> 21 & 1 == 0 => {
            let distance = signed(word, 12, 9);
            match field(word, 10, 2) {
                0 => (distance, None),
                1 => (0, Some(distance)),
                3 => (distance, Some(distance)),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(Effect::Memory {
        load,
        float,
        bytes,
        first,
        second: None,
        base,
        offset,
        writeback,
    })
}

/// Whether an instruction may be one of those in front of a function's end: they take registers and the stack back.
pub(crate) fn takes_back(effect: Effect) -> bool {
    match effect {
        Effect::Memory { load, base, .. } => load && base == SP,
        Effect::Add { to, from, .. } => to == SP && matches!(from, SP | FP),
        Effect::Authenticate => true,
        _ => false,
    }
}

/// Carries out instructions.
pub(crate) struct Simulator<'p> {
    pub(crate) process: &'p mut Process,
    pub(crate) registers: Registers,
    pub(crate) random: Random,
    /// The function that only touches the stack.
    pub(crate) probe: u64,
    pub(crate) stored: Stored,
}

impl Simulator<'_> {
    /// Carries out an instruction; gives whether control goes on behind it.
    pub(crate) fn step(&mut self, effect: Effect) -> bool {
        let pc = self.registers.pc;
        let x = &mut self.registers.x;
        match effect {
            Effect::Memory { .. } => self.memory(effect),
            Effect::Add { to, from, value } => x[to] = x[from].wrapping_add_signed(value),
            Effect::SubtractShifted {
                to,
                from,
                by,
                shift,
            } => x[to] = x[from].wrapping_sub(x[by] << shift),
            Effect::And { to, from, mask } => x[to] = x[from] & mask,
            Effect::Move { to, value, mask } => x[to] = x[to] & !mask | value,
            Effect::Copy { to, from } => x[to] = x[from],
            // Bits above an address's are its signature.
            Effect::Sign => x[LR] |= 0x55 << 56,
            Effect::Authenticate => x[LR] &= (1 << 48) - 1,
            Effect::Call(distance) => {
                if pc.wrapping_add_signed(distance) != self.probe {
                    return false;
                }
                x[LR] = pc + 4;
            }
            Effect::Branch(_) | Effect::Leave | Effect::OtherBranch => return false,
            // Registers that functions keep are changed behind the prolog alone, and there they are shuffled anyway.
            Effect::Other(register) => {
                if register < 18 {
                    x[register] = self.random.next();
                }
            }
        }
        self.registers.pc += 4;
        true
    }

    fn memory(&mut self, effect: Effect) {
        let Effect::Memory {
            load,
            float,
            bytes,
            first,
            second,
            base,
            offset,
            writeback,
        } = effect
        else {
            return;
        };
        let address = self.registers.x[base].wrapping_add_signed(offset);
        if let Some(distance) = writeback {
            self.registers.x[base] = self.registers.x[base].wrapping_add_signed(distance);
        }
        // Other memory than the stack is the body's.
        let is_stack = self.process.read(address).is_some();
        for (index, register) in [Some(first), second].into_iter().flatten().enumerate() {
            let place = address.wrapping_add(index as u64 * bytes);
            let value = if float {
                self.registers.v[register]
            } else {
                (self.registers.x[register], 0)
            };
            if !load && is_stack {
                // The zero register is stored, never the stack pointer.
                let low = if !float && register == SP { 0 } else { value.0 };
                self.process.store(place, low);
                if bytes == 16 {
                    self.process.store(place + 8, value.1);
                }
                if float {
                    self.stored.v[register] = true;
                } else {
                    self.stored.x[register] = true;
                }
            }
            if load {
                let low = if is_stack {
                    self.process.load(place)
                } else {
                    self.random.next()
                };
                if float {
                    let high = if bytes == 16 && is_stack {
                        self.process.load(place + 8)
                    } else {
                        0
                    };
                    self.registers.v[register] = (low, high);
                } else if register != SP {
                    self.registers.x[register] = low;
                }
            }
        }
    }
}
