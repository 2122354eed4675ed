//! Instructions of Thumb-2, as far as prologs and epilogs have them, carried out one by one.
//!
//! Written from the architecture's manual, without a look at unwind data: what a function does to the registers is the
//! truth that undoing it is held against.

use nt_abi::context::ArmContext;
use unwind::Memory;

use super::{Process, Random};

pub(crate) const SP: usize = 13;
pub(crate) const LR: usize = 14;

/// The registers; the program counter is the last of the integer ones.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Registers {
    pub(crate) r: [u32; 16],
    pub(crate) d: [u64; 32],
}

/// Which registers were stored on the stack.
#[derive(Clone, Default)]
pub(crate) struct Stored {
    r: [bool; 16],
    d: [bool; 32],
}

impl Registers {
    pub(crate) fn random(random: &mut Random) -> Self {
        let mut registers = Self {
            r: [0; 16],
            d: [0; 32],
        };
        registers.r.fill_with(|| random.next() as u32);
        registers.d.fill_with(|| random.next());
        registers
    }

    pub(crate) fn pc(&self) -> u32 {
        self.r[15]
    }

    /// Changes what a function's body may change: what nobody keeps, and what the prolog has stored, but for one register.
    pub(crate) fn shuffle(&mut self, random: &mut Random, stored: &Stored, frame: Option<usize>) {
        for number in (0..13).chain([LR]) {
            let is_kept = (4..=11).contains(&number) || number == LR;
            if (!is_kept || stored.r[number]) && frame != Some(number) {
                self.r[number] = random.next() as u32;
            }
        }
        for number in 0..32 {
            if !(8..16).contains(&number) || stored.d[number] {
                self.d[number] = random.next();
            }
        }
    }

    pub(crate) fn context(&self) -> ArmContext {
        let mut context = ArmContext::default();
        context.r.copy_from_slice(&self.r[..13]);
        (context.sp, context.lr, context.pc) = (self.r[SP], self.r[LR], self.r[15]);
        context.d = self.d;
        context
    }
}

/// What a caller finds after the call: its instruction, its stack pointer, the registers that functions keep.
#[derive(PartialEq, Debug)]
pub(crate) struct Kept {
    pub(crate) pc: u32,
    pub(crate) sp: u32,
    r: [u32; 8],
    d: [u64; 8],
}

impl Kept {
    /// What the caller shall find of a function that is entered with these registers.
    pub(crate) fn at_entry(registers: &Registers) -> Self {
        let mut context = registers.context();
        context.pc = context.lr;
        Self::of(&context)
    }

    pub(crate) fn of(context: &ArmContext) -> Self {
        Self {
            pc: context.pc,
            sp: context.sp,
            r: core::array::from_fn(|index| context.r[4 + index]),
            d: core::array::from_fn(|index| context.d[8 + index]),
        }
    }
}

/// What an instruction does, as far as it matters.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Effect {
    Push(u16),
    Pop(u16),
    PushFloats(usize, usize),
    PopFloats(usize, usize),
    /// A register gets another one plus a number.
    Add(usize, usize, i32),
    /// A register gets another one minus a third one.
    Subtract(usize, usize, usize),
    Move(usize, u32),
    MoveTop(usize, u32),
    /// A register is stored, the stack pointer moving down before.
    StorePre(usize, i32),
    /// A register is loaded, the stack pointer moving up behind.
    LoadPost(usize, i32),
    Call(i32),
    Branch(i32),
    Leave,
    OtherBranch,
    Other,
}

/// An instruction and its bytes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Instruction {
    pub(crate) effect: Effect,
    pub(crate) length: u32,
}

fn bits(word: u32, low: u32, count: u32) -> u32 {
    word >> low & ((1 << count) - 1)
}

fn sign(value: u32, bits: u32) -> i32 {
    ((value << (32 - bits)) as i32) >> (32 - bits)
}

/// An immediate of the 32-bit instructions: a byte, repeated or rotated.
fn expand(code: u32) -> u32 {
    let byte = code & 0xFF;
    match code >> 8 {
        0 => byte,
        1 => byte | byte << 16,
        2 => byte << 8 | byte << 24,
        3 => byte * 0x0101_0101,
        _ => (0x80 | byte & 0x7F).rotate_right(code >> 7),
    }
}

pub(crate) fn decode(process: &Process, rva: u32) -> Instruction {
    let first = u32::from(process.half(rva));
    if first >> 11 < 0b11101 {
        return Instruction {
            effect: narrow(first),
            length: 2,
        };
    }
    let second = u32::from(process.half(rva + 2));
    Instruction {
        effect: wide(first, second),
        length: 4,
    }
}

fn narrow(word: u32) -> Effect {
    match word >> 8 {
        0xB4 => Effect::Push((word & 0xFF) as u16),
        0xB5 => Effect::Push((word & 0xFF) as u16 | 1 << 14),
        0xBC => Effect::Pop((word & 0xFF) as u16),
        0xBD => Effect::Pop((word & 0xFF) as u16 | 1 << 15),
        0xB0 if word & 0x80 == 0 => Effect::Add(SP, SP, (bits(word, 0, 7) * 4) as i32),
        0xB0 => Effect::Add(SP, SP, -((bits(word, 0, 7) * 4) as i32)),
        0x46 => {
            let to = (bits(word, 7, 1) << 3 | bits(word, 0, 3)) as usize;
            Effect::Add(to, bits(word, 3, 4) as usize, 0)
        }
        0xA8..=0xAF => Effect::Add(bits(word, 8, 3) as usize, SP, (bits(word, 0, 8) * 4) as i32),
        0x47 if word & 0x80 == 0 => Effect::Leave,
        0x47 => Effect::Other,
        0xE0..=0xE7 => Effect::Branch(sign(bits(word, 0, 11), 11) * 2 + 4),
        0xD0..=0xDF | 0xB1 | 0xB3 | 0xB9 | 0xBB => Effect::OtherBranch,
        // If-then: what follows may not be done.
        0xBF if word & 0xF != 0 => Effect::OtherBranch,
        _ => Effect::Other,
    }
}

fn wide(first: u32, second: u32) -> Effect {
    let to = bits(second, 8, 4) as usize;
    let (rt, offset) = (bits(second, 12, 4) as usize, bits(second, 0, 8) as i32);
    let base = bits(first, 0, 4) as usize;
    let code = bits(first, 10, 1) << 11 | bits(second, 12, 3) << 8 | bits(second, 0, 8);
    let moved = bits(first, 0, 4) << 12 | code;
    let floats = |first_register: u32| {
        let register = (bits(first, 6, 1) << 4 | first_register) as usize;
        (register, register + bits(second, 0, 8) as usize / 2 - 1)
    };
    match first {
        0xE92D => Effect::Push(second as u16),
        0xE8BD => Effect::Pop(second as u16),
        0xF84D if second & 0xF00 == 0xD00 => Effect::StorePre(rt, offset),
        0xF85D if second & 0xF00 == 0xB00 => Effect::LoadPost(rt, offset),
        0xED2D | 0xED6D if second & 0xF00 == 0xB00 => {
            let (low, high) = floats(bits(second, 12, 4));
            Effect::PushFloats(low, high)
        }
        0xECBD | 0xECFD if second & 0xF00 == 0xB00 => {
            let (low, high) = floats(bits(second, 12, 4));
            Effect::PopFloats(low, high)
        }
        0xEBAD if second & 0xF0F0 == 0 => Effect::Subtract(to, SP, bits(second, 0, 4) as usize),
        _ if first & 0xFBE0 == 0xF100 && second >> 15 == 0 => {
            Effect::Add(to, base, expand(code) as i32)
        }
        _ if first & 0xFBE0 == 0xF1A0 && second >> 15 == 0 => {
            Effect::Add(to, base, -(expand(code) as i32))
        }
        _ if first & 0xFBF0 == 0xF200 && second >> 15 == 0 => Effect::Add(to, base, code as i32),
        _ if first & 0xFBF0 == 0xF2A0 && second >> 15 == 0 => Effect::Add(to, base, -(code as i32)),
        _ if first & 0xFBF0 == 0xF240 && second >> 15 == 0 => Effect::Move(to, moved),
        _ if first & 0xFBF0 == 0xF2C0 && second >> 15 == 0 => Effect::MoveTop(to, moved),
        _ if first & 0xFBF0 == 0xF040 && base == 15 && second >> 15 == 0 => {
            Effect::Move(to, expand(code))
        }
        _ if first >> 11 == 0b11110 && second >> 15 == 1 => branch(first, second),
        _ => Effect::Other,
    }
}

fn branch(first: u32, second: u32) -> Effect {
    let s = bits(first, 10, 1);
    let i1 = !(bits(second, 13, 1) ^ s) & 1;
    let i2 = !(bits(second, 11, 1) ^ s) & 1;
    let distance =
        s << 24 | i1 << 23 | i2 << 22 | bits(first, 0, 10) << 12 | bits(second, 0, 11) << 1;
    let distance = sign(distance, 25) + 4;
    match (bits(second, 14, 1), bits(second, 12, 1)) {
        (1, _) => Effect::Call(distance),
        (0, 1) => Effect::Branch(distance),
        _ => Effect::OtherBranch,
    }
}

/// Whether an instruction may be one of those in front of a function's end: they take registers and the stack back.
pub(crate) fn takes_back(effect: Effect) -> bool {
    match effect {
        Effect::Pop(registers) => registers >> 15 == 0,
        Effect::PopFloats(..) => true,
        Effect::LoadPost(register, _) => register != 15,
        Effect::Add(SP, from, _) => matches!(from, SP | 7 | 11),
        _ => false,
    }
}

/// Whether an instruction ends a function.
pub(crate) fn leaves(effect: Effect) -> bool {
    match effect {
        Effect::Leave => true,
        Effect::Pop(registers) => registers >> 15 != 0,
        Effect::LoadPost(register, _) => register == 15,
        _ => false,
    }
}

/// Carries out instructions.
pub(crate) struct Simulator<'p> {
    pub(crate) process: &'p mut Process,
    pub(crate) registers: Registers,
    pub(crate) random: Random,
    /// The function that only touches the stack, and gives the bytes of the words in r4.
    pub(crate) probe: u32,
    pub(crate) stored: Stored,
}

impl Simulator<'_> {
    fn load(&self, address: u32) -> u32 {
        let word = self.process.read32(u64::from(address));
        word.unwrap_or_else(|| panic!("{address:#x} is not on the stack"))
    }

    /// Carries out an instruction; gives whether control goes on behind it.
    pub(crate) fn step(&mut self, instruction: Instruction) -> bool {
        let pc = self.registers.pc();
        let r = &mut self.registers.r;
        match instruction.effect {
            effect if leaves(effect) => return false,
            Effect::Push(registers) => self.push(registers),
            Effect::Pop(registers) => {
                for number in (0..16).filter(|number| registers >> number & 1 != 0) {
                    self.registers.r[number] = self.load(self.registers.r[SP]);
                    self.registers.r[SP] += 4;
                }
            }
            Effect::PushFloats(first, last) => {
                for number in (first..=last).rev() {
                    let value = self.registers.d[number];
                    self.push_word((value >> 32) as u32);
                    self.push_word(value as u32);
                    self.stored.d[number] = true;
                }
            }
            Effect::PopFloats(first, last) => {
                for number in first..=last {
                    let sp = self.registers.r[SP];
                    let high = u64::from(self.load(sp + 4));
                    self.registers.d[number] = high << 32 | u64::from(self.load(sp));
                    self.registers.r[SP] += 8;
                }
            }
            Effect::Add(to, from, value) => r[to] = r[from].wrapping_add_signed(value),
            Effect::Subtract(to, from, by) => r[to] = r[from].wrapping_sub(r[by]),
            Effect::Move(to, value) => r[to] = value,
            Effect::MoveTop(to, value) => r[to] = r[to] & 0xFFFF | value << 16,
            Effect::StorePre(register, offset) => {
                r[SP] = r[SP].wrapping_sub(offset.cast_unsigned());
                let (address, value) = (r[SP], r[register]);
                self.store(address, value);
                self.stored.r[register] = true;
            }
            Effect::LoadPost(register, offset) => {
                let value = self.load(self.registers.r[SP]);
                self.registers.r[register] = value;
                self.registers.r[SP] += offset.cast_unsigned();
            }
            Effect::Call(distance) => {
                if pc.wrapping_add_signed(distance) != self.probe {
                    return false;
                }
                r[4] <<= 2;
                r[LR] = pc + 5;
            }
            Effect::Branch(_) | Effect::OtherBranch | Effect::Leave => return false,
            Effect::Other => {
                for number in [0, 1, 2, 3, 12] {
                    self.registers.r[number] = self.random.next() as u32;
                }
            }
        }
        self.registers.r[15] = pc + instruction.length;
        true
    }

    fn store(&mut self, address: u32, value: u32) {
        let place = u64::from(address & !7);
        let old = self.process.load(place);
        let new = match address & 4 {
            0 => old & !0xFFFF_FFFF | u64::from(value),
            _ => old & 0xFFFF_FFFF | u64::from(value) << 32,
        };
        self.process.store(place, new);
    }

    fn push_word(&mut self, value: u32) {
        self.registers.r[SP] -= 4;
        self.store(self.registers.r[SP], value);
    }

    fn push(&mut self, registers: u16) {
        for number in (0..16).rev().filter(|number| registers >> number & 1 != 0) {
            self.push_word(self.registers.r[number]);
            self.stored.r[number] = true;
        }
    }
}
