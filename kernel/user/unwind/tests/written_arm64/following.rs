//! Following a function from its first instruction to its last, and undoing it at each of them.

use nt_abi::NtStatus;
use nt_abi::context::{Arm64Context, Arm64ContextFlags};
use nt_abi::exception::{Arm64NonvolatileContextPointers, HandlerTypes};
use pe::Image;
use unwind::arm64;

use crate::support::arm64::{Effect, Kept, LR, Registers, SP, Simulator, Stored, decode};
use crate::support::tools::{Target, assemble};
use crate::support::{IMAGE_BASE, Process, Random, STACK_HIGH, exported};

/// Builds a text whose function under test begins at `start` and ends at `end`.
pub(crate) fn process(name: &str, text: &str) -> (Process, u32, u32) {
    let text = format!(
        "    .text\n    .globl start\n    .globl end\n{text}\n    .section .drectve,\"yn\"\n    .ascii \" /export:end\"\n"
    );
    let built = assemble(Target::Arm64, name, &text);
    let image = Image::from_file(&built.bytes).unwrap();
    let mut process = Process::new(&built.bytes);
    process.fill_stack(&mut Random(1));
    let (start, end) = (exported(&image, b"start"), exported(&image, b"end"));
    (process, start, end)
}

pub(crate) fn at_entry(start: u32) -> Registers {
    let mut registers = Registers::random(&mut Random(2));
    registers.pc = IMAGE_BASE + u64::from(start);
    registers.x[SP] = STACK_HIGH - 0x2000;
    registers.x[LR] = 0x7FF7_1234_5678;
    registers
}

pub(crate) fn code(process: &Process, start: u32, end: u32) -> Vec<Effect> {
    (start..end)
        .step_by(4)
        .map(|rva| decode(process.word(rva)))
        .collect()
}

/// Carries out a function and undoes it at each instruction. Gives how many there were.
pub(crate) fn follow(name: &str, text: &str) -> usize {
    let (mut process, start, end) = process(name, text);
    let registers = at_entry(start);
    let expected = Kept::at_entry(&registers);
    let code = code(&process, start, end);
    let mut simulator = Simulator {
        process: &mut process,
        registers,
        random: Random(3),
        probe: 0,
        stored: Stored::default(),
    };
    for (index, effect) in code.iter().enumerate() {
        check(simulator.process, &simulator.registers, &expected);
        if !simulator.step(*effect) {
            assert_eq!(index + 1, code.len(), "{name} is not straight");
        }
    }
    code.len()
}

pub(crate) fn undo(
    process: &Process,
    context: &mut Arm64Context,
) -> Result<Arm64NonvolatileContextPointers, NtStatus> {
    let pc = context.pc;
    let function = process.find_arm64(pc);
    let mut saved = Arm64NonvolatileContextPointers::default();
    let wanted = HandlerTypes::EHANDLER;
    arm64::virtual_unwind(
        process,
        wanted,
        function.as_ref(),
        pc,
        context,
        Some(&mut saved),
    )?;
    Ok(saved)
}

pub(crate) fn check(process: &Process, registers: &Registers, expected: &Kept) {
    let mut context = registers.context();
    let at = registers.pc - IMAGE_BASE;
    let saved = undo(process, &mut context).unwrap_or_else(|error| panic!("{error} at {at:#x}"));
    assert_eq!(Kept::of(&context), *expected, "at {at:#x}");
    assert!(
        context
            .context_flags
            .contains(Arm64ContextFlags::UNWOUND_TO_CALL)
    );
    // Where a register is said to be found, there it is.
    for (index, place) in saved.integer.into_iter().enumerate() {
        let value = context.x[19 + index];
        match place {
            0 => assert_eq!(registers.x[19 + index], value, "x{} at {at:#x}", 19 + index),
            // The link register is found with its signature.
            place => assert_eq!(
                process.load(place) & ((1 << 48) - 1),
                value & ((1 << 48) - 1)
            ),
        }
    }
    for (index, place) in saved.float.into_iter().enumerate() {
        let value = context.v[8 + index][0];
        match place {
            0 => assert_eq!(registers.v[8 + index].0, value, "d{} at {at:#x}", 8 + index),
            place => assert_eq!(process.load(place), value, "d{} at {at:#x}", 8 + index),
        }
    }
}
