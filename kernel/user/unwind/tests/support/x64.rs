//! Instructions of x64, as far as prologs and epilogs have them, carried out one by one.
//!
//! Written from the processor's manual, without a look at unwind data: what a function does to the registers is the truth that
//! undoing it is held against. `iced-x86` decodes.

use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic,
    OpAccess, OpKind, Register,
};
use nt_abi::context::{Amd64Context, M128A};

use unwind::Memory;

use super::{IMAGE_BASE, Process, Random};

/// Numbers of registers that functions keep.
const KEPT: [usize; 7] = [3, 6, 7, 12, 13, 14, 15];
pub(crate) const RSP: usize = 4;
pub(crate) const RBP: usize = 5;

/// The registers.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Registers {
    pub(crate) integer: [u64; 16],
    pub(crate) xmm: [(u64, u64); 16],
    pub(crate) rip: u64,
}

impl Registers {
    pub(crate) fn random(random: &mut Random) -> Self {
        let mut registers = Self {
            integer: [0; 16],
            xmm: [(0, 0); 16],
            rip: 0,
        };
        registers.integer.fill_with(|| random.next());
        registers.xmm.fill_with(|| (random.next(), random.next()));
        registers
    }

    /// Changes what a function's body may change: what nobody keeps, and what the prolog has stored, but for one register.
    pub(crate) fn shuffle(&mut self, random: &mut Random, stored: &Stored, frame: Option<usize>) {
        for (number, register) in self.integer.iter_mut().enumerate() {
            let is_kept = KEPT.contains(&number) || matches!(number, RSP | RBP);
            let may_change = !is_kept || number != RSP && stored.integer[number];
            if may_change && frame != Some(number) {
                *register = random.next();
            }
        }
        for (number, register) in self.xmm.iter_mut().enumerate() {
            if number < 6 || stored.xmm[number] {
                *register = (random.next(), random.next());
            }
        }
    }

    pub(crate) fn context(&self) -> Amd64Context {
        let mut context = Amd64Context::default();
        let [
            rax,
            rcx,
            rdx,
            rbx,
            rsp,
            rbp,
            rsi,
            rdi,
            r8,
            r9,
            r10,
            r11,
            r12,
            r13,
            r14,
            r15,
        ] = self.integer;
        (context.rax, context.rcx, context.rdx, context.rbx) = (rax, rcx, rdx, rbx);
        (context.rsp, context.rbp, context.rsi, context.rdi) = (rsp, rbp, rsi, rdi);
        (context.r8, context.r9, context.r10, context.r11) = (r8, r9, r10, r11);
        (context.r12, context.r13, context.r14, context.r15) = (r12, r13, r14, r15);
        context.rip = self.rip;
        for (register, (low, high)) in context.float_save.xmm_registers.iter_mut().zip(self.xmm) {
            *register = M128A {
                low,
                high: high.cast_signed(),
            };
        }
        context
    }
}

/// Which registers were stored on the stack.
#[derive(Clone, Default)]
pub(crate) struct Stored {
    integer: [bool; 16],
    xmm: [bool; 16],
}

/// What a caller finds after the call: its instruction, its stack pointer, the registers that functions keep.
#[derive(PartialEq, Debug)]
pub(crate) struct Kept {
    rip: u64,
    rsp: u64,
    rbp: u64,
    integer: [u64; 7],
    xmm: [(u64, u64); 10],
}

impl Kept {
    /// What the caller shall find of a function that is entered with these registers.
    pub(crate) fn at_entry(registers: &Registers, process: &Process) -> Self {
        let rsp = registers.integer[RSP];
        Self {
            rip: process.load(rsp),
            rsp: rsp + 8,
            rbp: registers.integer[RBP],
            integer: KEPT.map(|number| registers.integer[number]),
            xmm: core::array::from_fn(|index| registers.xmm[6 + index]),
        }
    }

    pub(crate) fn rip(&self) -> u64 {
        self.rip
    }

    pub(crate) fn rsp(&self) -> u64 {
        self.rsp
    }

    pub(crate) fn of(context: &Amd64Context) -> Self {
        let xmm = |index: usize| {
            let register = context.float_save.xmm_registers[6 + index];
            (register.low, register.high.cast_unsigned())
        };
        Self {
            rip: context.rip,
            rsp: context.rsp,
            rbp: context.rbp,
            integer: [
                context.rbx,
                context.rsi,
                context.rdi,
                context.r12,
                context.r13,
                context.r14,
                context.r15,
            ],
            xmm: core::array::from_fn(xmm),
        }
    }
}

/// The instructions of a function, in the order of addresses.
pub(crate) fn decode(process: &Process, begin_rva: u32, end_rva: u32) -> Vec<Instruction> {
    let code = &process.image[begin_rva as usize..end_rva as usize];
    let ip = IMAGE_BASE + u64::from(begin_rva);
    let mut decoder = Decoder::with_ip(64, code, ip, DecoderOptions::NONE);
    decoder.iter().collect()
}

/// Whether an instruction ends a function.
pub(crate) fn is_end(instruction: &Instruction, function: core::ops::Range<u64>) -> bool {
    match instruction.flow_control() {
        FlowControl::Return => true,
        FlowControl::UnconditionalBranch => !function.contains(&instruction.near_branch_target()),
        // A jump to another function has a prefix, or goes through an import's address.
        FlowControl::IndirectBranch => {
            instruction.memory_base() == Register::RIP
                || instruction.len() > 2 && instruction.code() == Code::Jmp_rm64
        }
        _ => false,
    }
}

/// Whether an instruction may be one of those in front of a function's end: they take registers and the stack back.
pub(crate) fn takes_back(instruction: &Instruction) -> bool {
    let from_frame = matches!(instruction.memory_base(), Register::RSP | Register::RBP);
    match instruction.mnemonic() {
        Mnemonic::Pop => true,
        Mnemonic::Add | Mnemonic::Lea => instruction.op0_register() == Register::RSP,
        Mnemonic::Mov if instruction.op0_register() == Register::RSP => true,
        Mnemonic::Mov | Mnemonic::Movaps | Mnemonic::Movups | Mnemonic::Movapd => {
            instruction.op1_kind() == OpKind::Memory
                && from_frame
                && instruction.op0_kind() == OpKind::Register
                && (instruction.op0_register().is_gpr64() || instruction.op0_register().is_xmm())
        }
        _ => false,
    }
}

/// Whether an instruction begins an epilog, or is inside of one.
pub(crate) fn is_epilog(instruction: &Instruction) -> bool {
    match instruction.mnemonic() {
        Mnemonic::Pop | Mnemonic::Ret | Mnemonic::Jmp => true,
        Mnemonic::Add | Mnemonic::Lea => instruction.op0_register() == Register::RSP,
        _ => false,
    }
}

fn number(register: Register) -> usize {
    assert!(register.is_gpr64(), "{register:?}");
    register.number()
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
    fn address(&self, instruction: &Instruction) -> Option<u64> {
        let base = match instruction.memory_base() {
            Register::None => 0,
            base if base.is_gpr64() => self.registers.integer[base.number()],
            _ => return None,
        };
        let has_index = instruction.memory_index() != Register::None;
        let address = base.wrapping_add(instruction.memory_displacement64());
        (!has_index && instruction.segment_prefix() == Register::None).then_some(address)
    }

    fn push(&mut self, value: u64) {
        self.registers.integer[RSP] -= 8;
        self.process.store(self.registers.integer[RSP], value);
    }

    fn pop(&mut self) -> u64 {
        let rsp = &mut self.registers.integer[RSP];
        *rsp += 8;
        self.process.load(*rsp - 8)
    }

    /// Carries out an instruction; gives whether control goes on behind it.
    pub(crate) fn step(&mut self, instruction: &Instruction) -> bool {
        if !matches!(
            instruction.flow_control(),
            FlowControl::Next | FlowControl::Call
        ) {
            return false;
        }
        if instruction.flow_control() == FlowControl::Call
            && instruction.near_branch_target() != self.probe
        {
            return false;
        }
        if !self.known(instruction) {
            self.unknown(instruction);
        }
        self.registers.rip = instruction.next_ip();
        true
    }

    /// Carries out an instruction that prologs and epilogs have.
    fn known(&mut self, instruction: &Instruction) -> bool {
        let (first, second) = (instruction.op0_kind(), instruction.op1_kind());
        let register = instruction.op0_register();
        match (instruction.mnemonic(), first, second) {
            (Mnemonic::Call | Mnemonic::Nop, ..) => {}
            (Mnemonic::Push, OpKind::Register, _) => {
                self.push(self.registers.integer[number(register)]);
                self.stored.integer[number(register)] = true;
            }
            (Mnemonic::Pop, OpKind::Register, _) => {
                let value = self.pop();
                self.registers.integer[number(register)] = value;
            }
            (Mnemonic::Sub | Mnemonic::Add | Mnemonic::And, OpKind::Register, _)
                if register == Register::RSP =>
            {
                let value = match second {
                    OpKind::Register => self.registers.integer[number(instruction.op1_register())],
                    _ => instruction.immediate(1),
                };
                let rsp = &mut self.registers.integer[RSP];
                *rsp = match instruction.mnemonic() {
                    Mnemonic::Sub => rsp.wrapping_sub(value),
                    Mnemonic::Add => rsp.wrapping_add(value),
                    _ => *rsp & value,
                };
            }
            (Mnemonic::Lea, OpKind::Register, OpKind::Memory) if register.is_gpr64() => {
                let Some(address) = self.address(instruction) else {
                    return false;
                };
                self.registers.integer[register.number()] = address;
            }
            (Mnemonic::Mov, OpKind::Register, OpKind::Register) if register.is_gpr64() => {
                let from = number(instruction.op1_register());
                self.registers.integer[register.number()] = self.registers.integer[from];
            }
            (Mnemonic::Mov, OpKind::Register, OpKind::Immediate32 | OpKind::Immediate64) => {
                self.registers.integer[register.full_register().number()] =
                    instruction.immediate(1);
            }
            _ => return self.moves_memory(instruction),
        }
        true
    }

    /// Carries out a move between a register and the stack.
    fn moves_memory(&mut self, instruction: &Instruction) -> bool {
        let is_move = matches!(
            instruction.mnemonic(),
            Mnemonic::Mov | Mnemonic::Movaps | Mnemonic::Movups | Mnemonic::Movapd
        );
        let stores = instruction.op0_kind() == OpKind::Memory;
        let register = match stores {
            true => instruction.op1_register(),
            false => instruction.op0_register(),
        };
        // Other memory than the stack is the body's.
        let is_stack = |address: &u64| self.process.read(*address).is_some();
        let Some(address) = self
            .address(instruction)
            .filter(is_stack)
            .filter(|_| is_move)
        else {
            return false;
        };
        if !stores && instruction.op1_kind() != OpKind::Memory {
            return false;
        }
        if register.is_gpr64() {
            match stores {
                true => self
                    .process
                    .store(address, self.registers.integer[register.number()]),
                false => self.registers.integer[register.number()] = self.process.load(address),
            }
            return true;
        }
        if register.is_xmm() {
            if stores {
                let (low, high) = self.registers.xmm[register.number()];
                self.process.store(address, low);
                self.process.store(address + 8, high);
                self.stored.xmm[register.number()] = true;
            } else {
                let value = (self.process.load(address), self.process.load(address + 8));
                self.registers.xmm[register.number()] = value;
            }
            return true;
        }
        false
    }

    /// An instruction of the body: what it writes is of no importance, but where it is.
    fn unknown(&mut self, instruction: &Instruction) {
        let mut factory = InstructionInfoFactory::new();
        let info = factory.info(instruction);
        for used in info.used_registers() {
            let writes = !matches!(used.access(), OpAccess::Read | OpAccess::CondRead);
            let register = used.register().full_register();
            if writes && register.is_gpr64() {
                assert_ne!(register, Register::RSP, "{instruction:?}: not simulated");
                self.registers.integer[register.number()] = self.random.next();
            }
            if writes && register.is_vector_register() {
                self.registers.xmm[register.number()] = (self.random.next(), self.random.next());
            }
        }
    }
}
