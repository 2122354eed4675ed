//! Undoing functions of ARM32, that a compiler made and that are written as the packed form has them, at every instruction
//! of theirs; see `compiled_x64.rs`.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]
#![allow(
    clippy::cast_possible_truncation,
    reason = "addresses of this machine have 32 bits"
)]

mod support;

use std::fmt::Write;

use nt_abi::NtStatus;
use nt_abi::context::{ArmContext, ArmContextFlags};
use nt_abi::exception::{ArmNonvolatileContextPointers, HandlerTypes};
use pe::Image;
use pe::unwind_arm::{RuntimeFunction, UnwindCode, UnwindData, UnwindRecord};
use support::arm::{
    Effect, Instruction, Kept, LR, Registers, SP, Simulator, Stored, decode, leaves, takes_back,
};
use support::tools::{Target, assemble, build};
use support::{IMAGE_BASE, Process, Random, STACK_HIGH, exported};
use unwind::{FunctionEntry, Memory, arm};
use zerocopy::IntoBytes;

/// How often each kind of place was looked at.
#[derive(Default, Debug)]
struct Count {
    straight: u32,
    body: u32,
    out: u32,
    packed: u32,
}

struct Checker {
    entry: FunctionEntry<RuntimeFunction>,
    expected: Kept,
}

impl Checker {
    /// Undoes the function with these registers in it; it must be as if it had not been called.
    fn check(&self, process: &Process, registers: &Registers) {
        let mut context = registers.context();
        let mut saved = ArmNonvolatileContextPointers::default();
        let pc = u64::from(registers.pc());
        let wanted = HandlerTypes::EHANDLER;
        let entry = Some(&self.entry);
        let undone =
            arm::virtual_unwind(process, wanted, entry, pc, &mut context, Some(&mut saved));
        let place = format!("{:#x} of {:x?}", pc - IMAGE_BASE, self.entry.function);
        let undone = undone.unwrap_or_else(|error| panic!("{error} at {place}"));
        assert_eq!(Kept::of(&context), self.expected, "at {place}");
        assert_eq!(undone.establisher_frame, u64::from(context.sp));
        // Where a register is said to be found, there it is.
        for (index, address) in saved.integer.into_iter().enumerate() {
            let value = context.r[4 + index];
            match address {
                0 => assert_eq!(registers.r[4 + index], value, "r{} at {place}", 4 + index),
                _ => assert_eq!(process.read32(u64::from(address)), Some(value)),
            }
        }
    }
}

/// The register from which the stack pointer is restored, if the unwind data says so, and whether that comes first: then
/// the stack pointer may be anywhere below.
fn frame_register(image: &Image<'_>, function: RuntimeFunction) -> (Option<usize>, bool) {
    let UnwindData::Record(rva) = function.unwind else {
        return (None, false);
    };
    let record = UnwindRecord::read(image, rva).unwrap();
    let mut codes = record.prolog().map(Result::unwrap);
    let place = codes.position(|code| matches!(code, UnwindCode::MoveSp(_)));
    let register = record.prolog().find_map(|code| match code.unwrap() {
        UnwindCode::MoveSp(register) => Some(usize::from(register)),
        _ => None,
    });
    (register, place == Some(0))
}

/// The instructions of a function, with their addresses.
fn instructions(process: &Process, begin: u32, length: u32) -> Vec<(u32, Instruction)> {
    let mut all = Vec::new();
    let mut rva = begin;
    while rva < begin + length {
        let instruction = decode(process, rva);
        all.push((rva, instruction));
        rva += instruction.length;
    }
    all
}

/// The instructions that end a function or leave it, with those before them that take registers back.
fn ways_out(code: &[(u32, Instruction)], length: u32) -> Vec<core::ops::Range<usize>> {
    let begin = code[0].0;
    let mut all = Vec::new();
    for (index, (rva, instruction)) in code.iter().enumerate() {
        let out = match instruction.effect {
            Effect::Branch(distance) => {
                let target = rva.wrapping_add_signed(distance);
                !(begin..begin + length).contains(&target)
            }
            effect => leaves(effect),
        };
        if out {
            let before = code[..index].iter().rev();
            let count = before
                .take_while(|(_, before)| takes_back(before.effect))
                .count();
            all.push(index - count..index + 1);
        }
    }
    all
}

fn check_function(
    process: &mut Process,
    probe: u32,
    entry: FunctionEntry<RuntimeFunction>,
    length: u32,
    (frame, sp_is_free): (Option<usize>, bool),
    count: &mut Count,
) {
    let begin = entry.function.begin_rva;
    let mut random = Random(u64::from(begin));
    let mut registers = Registers::random(&mut random);
    let address = |rva: u32| IMAGE_BASE as u32 + rva;
    registers.r[15] = address(begin);
    registers.r[SP] = STACK_HIGH as u32 - 0x1000;
    registers.r[LR] = 0x0123_4567;
    let checker = Checker {
        entry,
        expected: Kept::at_entry(&registers),
    };
    count.packed += u32::from(matches!(entry.function.unwind, UnwindData::Packed(_)));
    let mut simulator = Simulator {
        process,
        registers,
        random,
        probe,
        stored: Stored::default(),
    };
    let code = instructions(simulator.process, begin, length);
    let outs = ways_out(&code, length);
    let in_way_out = |index: usize| outs.iter().any(|out| out.contains(&index));
    let mut run = 0;
    for (index, (_, instruction)) in code.iter().enumerate() {
        if in_way_out(index) && run > 0 && !matches!(instruction.effect, Effect::Push(_)) {
            break;
        }
        checker.check(simulator.process, &simulator.registers);
        count.straight += 1;
        if !simulator.step(*instruction) {
            break;
        }
        run = index + 1;
    }
    let (body, stored) = (simulator.registers.clone(), simulator.stored.clone());
    for (index, (rva, _)) in code.iter().enumerate().skip(run + 1) {
        if in_way_out(index) {
            continue;
        }
        simulator.registers = body.clone();
        simulator
            .registers
            .shuffle(&mut simulator.random, &stored, frame);
        if sp_is_free {
            simulator.registers.r[SP] -= simulator.random.below(64) as u32 * 8;
        }
        simulator.registers.r[15] = address(*rva);
        checker.check(simulator.process, &simulator.registers);
        count.body += 1;
    }
    for out in outs {
        simulator.registers = body.clone();
        simulator
            .registers
            .shuffle(&mut simulator.random, &stored, frame);
        simulator.registers.r[15] = address(code[out.start].0);
        for (_, instruction) in &code[out] {
            checker.check(simulator.process, &simulator.registers);
            count.out += 1;
            if !simulator.step(*instruction) {
                break;
            }
        }
    }
}

#[test]
fn every_instruction_of_compiled_functions() {
    for (name, flags) in [
        ("plain", ["-O0", "-fno-omit-frame-pointer"]),
        ("optimised", ["-O2", "-fomit-frame-pointer"]),
        // Not for size: there clang 19 folds stack into pushes and describes a frame pointer that is elsewhere.
        ("some", ["-O1", "-fno-omit-frame-pointer"]),
    ] {
        let built = build(Target::Arm, name, &["shapes.c"], &flags);
        let image = Image::from_file(&built.bytes).unwrap();
        let mut process = Process::new(&built.bytes);
        process.fill_stack(&mut Random(0));
        // The address of Thumb code is odd.
        let probe = IMAGE_BASE as u32 + (exported(&image, b"__chkstk") & !1);
        let mut count = Count::default();
        let functions: Vec<_> = process.arm().collect();
        assert!(functions.len() > 200, "{name}: {}", functions.len());
        for (entry, length) in functions {
            let frame = frame_register(&image, entry.function);
            check_function(&mut process, probe, entry, length, frame, &mut count);
        }
        assert!(
            count.straight > 1000 && count.body > 800,
            "{name}: {count:?}"
        );
        assert!(count.out > 300 && count.packed > 10, "{name}: {count:?}");
    }
}

/// What the fields of a packed entry say.
#[derive(Clone, Copy, Debug)]
struct Shape {
    homes: bool,
    /// The last integer register that is saved.
    integer: Option<u32>,
    /// The last float register that is saved.
    float: Option<u32>,
    lr: bool,
    chain: bool,
    /// 0 pops the program counter, 1 and 2 branch.
    returns: u32,
    /// Words of the stack.
    words: u32,
    folded: (bool, bool),
}

impl Shape {
    fn packed(self, length: u32) -> u32 {
        let (register, is_float) = match (self.integer, self.float) {
            (Some(last), _) => (last - 4, 0),
            (_, Some(last)) => (last - 8, 1),
            _ => (7, 1),
        };
        let adjust = match self.folded {
            (false, false) => self.words,
            (prolog, epilog) => {
                0x3F0 | u32::from(epilog) << 3 | u32::from(prolog) << 2 | (self.words - 1)
            }
        };
        let fields = [
            (1, 0),
            (length / 2, 2),
            (self.returns, 13),
            (u32::from(self.homes), 15),
            (register, 16),
            (is_float, 19),
            (u32::from(self.lr), 20),
            (u32::from(self.chain), 21),
            (adjust, 22),
        ];
        fields
            .iter()
            .fold(0, |word, (value, shift)| word | value << shift)
    }

    /// The names of the integer registers that are pushed, in order.
    fn registers(self, folded: bool) -> Vec<String> {
        let first = if folded { 4 - self.words } else { 4 };
        let mut names: Vec<_> = (first..4).map(|number| format!("r{number}")).collect();
        names.extend((4..=self.integer.unwrap_or(3)).map(|number| format!("r{number}")));
        names.extend(self.chain.then(|| "r11".to_owned()));
        names
    }

    /// The function in assembly language, as the document's table of instructions has it, and its bytes.
    fn assembly(self) -> (String, u32) {
        let mut text = String::new();
        let mut bytes = 0;
        let mut add = |instruction: String, wide: bool| {
            let suffix = if wide { ".w" } else { ".n" };
            writeln!(text, "    {}", instruction.replace("?", suffix)).unwrap();
            bytes += if wide { 4 } else { 2 };
        };
        let is_wide = |names: &[String], also: &[&str]| {
            let low = |name: &String| {
                let number = name
                    .strip_prefix('r')
                    .and_then(|digits| digits.parse().ok());
                number.is_some_and(|number: u32| number < 8) || also.contains(&name.as_str())
            };
            !names.iter().all(low)
        };
        if self.homes {
            add("push? {r0-r3}".into(), false);
        }
        let mut pushed = self.registers(self.folded.0);
        pushed.extend(self.lr.then(|| "lr".to_owned()));
        if !pushed.is_empty() {
            add(
                format!("push? {{{}}}", pushed.join(", ")),
                is_wide(&pushed, &["lr"]),
            );
        }
        if self.chain {
            match pushed.len() - 2 {
                0 => add("mov? r11, sp".into(), false),
                others => add(format!("add? r11, sp, #{}", others * 4), true),
            }
        }
        if let Some(last) = self.float {
            add(format!("vpush {{d8-d{last}}}"), true);
        }
        let adjust = self.words * 4;
        let wide_adjust = adjust > 508;
        let name = if wide_adjust {
            ("subw", "addw")
        } else {
            ("sub", "add")
        };
        if adjust > 0 && !self.folded.0 {
            add(format!("{} sp, sp, #{adjust}", name.0), wide_adjust);
        }
        for _ in 0..3 {
            add("nop?".into(), false);
        }
        if adjust > 0 && !self.folded.1 {
            add(format!("{} sp, sp, #{adjust}", name.1), wide_adjust);
        }
        if let Some(last) = self.float {
            add(format!("vpop {{d8-d{last}}}"), true);
        }
        let mut popped = self.registers(self.folded.1);
        let loads_pc = self.homes && self.returns == 0;
        if self.lr && !loads_pc {
            popped.push(if self.returns == 0 { "pc" } else { "lr" }.into());
        }
        if !popped.is_empty() {
            add(
                format!("pop? {{{}}}", popped.join(", ")),
                is_wide(&popped, &["pc"]),
            );
        }
        match (self.homes, loads_pc) {
            (true, true) => add("ldr pc, [sp], #0x14".into(), true),
            (true, false) => add("add? sp, sp, #0x10".into(), false),
            _ => {}
        }
        match self.returns {
            1 => add("bx lr".into(), false),
            2 => add("b? callee".into(), true),
            _ => {}
        }
        (text, bytes)
    }
}

fn shapes() -> Vec<Shape> {
    let mut all = Vec::new();
    let registers: Vec<(Option<u32>, Option<u32>)> = (4..=11)
        .map(|last| (Some(last), None))
        .chain((8..=14).map(|last| (None, Some(last))))
        .chain([(None, None)])
        .collect();
    let adjusts = [0, 2, 127, 128, 0x3F3]
        .map(|words| (words, (false, false)))
        .into_iter()
        .chain((1..=4).flat_map(|words| {
            [(true, false), (false, true), (true, true)].map(|folded| (words, folded))
        }))
        .collect::<Vec<_>>();
    for (integer, float) in registers {
        for (words, folded) in &adjusts {
            for bits in 0..8 {
                for returns in 0..3 {
                    let shape = Shape {
                        homes: bits & 1 != 0,
                        integer,
                        float,
                        lr: bits & 2 != 0,
                        chain: bits & 4 != 0,
                        returns,
                        words: *words,
                        folded: *folded,
                    };
                    // What the document forbids.
                    let bad_chain = shape.chain && (!shape.lr || integer == Some(11));
                    // Where the stack is taken above the floats, it cannot be given back below them.
                    let bad_fold = float.is_some() && folded.0 != folded.1;
                    if !bad_chain && !bad_fold && (shape.lr || returns != 0) {
                        all.push(shape);
                    }
                }
            }
        }
    }
    all
}

/// The usual forms, packed into one word as the document has it: each comes back from that word as what was written.
#[test]
fn every_instruction_of_packed_functions() {
    const ROOM: u32 = 64;
    let shapes = shapes();
    let mut text = String::from(
        "    .syntax unified\n    .thumb\n    .text\n    .globl start\n    .thumb_func\nstart:\ncallee:\n    bx lr\n",
    );
    let mut lengths = Vec::new();
    for shape in &shapes {
        let (function, bytes) = shape.assembly();
        assert!(bytes <= ROOM, "{shape:?}");
        writeln!(text, "    .balign {ROOM}\n{function}").unwrap();
        lengths.push(bytes);
    }
    let built = assemble(Target::Arm, "packed", &text);
    let image = Image::from_file(&built.bytes).unwrap();
    let first = (exported(&image, b"start") & !1) + ROOM;
    let mut process = Process::new(&built.bytes);
    process.fill_stack(&mut Random(0));
    let mut count = Count::default();
    for ((number, shape), length) in (0..).zip(&shapes).zip(lengths) {
        let begin = first + number * ROOM;
        let function = RuntimeFunction::read(begin | 1, shape.packed(length));
        let function = function.unwrap_or_else(|error| panic!("{error}: {shape:?}"));
        let entry = FunctionEntry {
            image_base: IMAGE_BASE,
            address: 0,
            function,
        };
        check_function(&mut process, 0, entry, length, (None, false), &mut count);
    }
    assert!(count.packed > 3000 && count.out > 9000, "{count:?}");
}

/// An entry whose record is bytes of a test's own: a function of 64 bytes at the image's start.
fn with_codes(header: u32, rest: &[u8]) -> (Process, FunctionEntry<RuntimeFunction>) {
    let mut image = vec![0; 0x1000];
    image[0x800..0x804].copy_from_slice(&header.to_le_bytes());
    image[0x804..][..rest.len()].copy_from_slice(rest);
    let entry = FunctionEntry {
        image_base: IMAGE_BASE,
        address: 0,
        function: RuntimeFunction::read(0x101, 0x800).unwrap(),
    };
    (Process::from_bytes(image), entry)
}

fn inside() -> ArmContext {
    let mut registers = Registers::random(&mut Random(5));
    registers.r[SP] = STACK_HIGH as u32 - 0x1000;
    registers.r[15] = IMAGE_BASE as u32 + 0x120;
    registers.context()
}

fn undo(
    process: &Process,
    entry: &FunctionEntry<RuntimeFunction>,
    context: &mut ArmContext,
) -> Result<bool, NtStatus> {
    let pc = u64::from(context.pc);
    let wanted = HandlerTypes::EHANDLER;
    let undone = arm::virtual_unwind(process, wanted, Some(entry), pc, context, None)?;
    Ok(undone.handler.is_some())
}

/// A handler belongs to the body alone; a conditional epilog is one under its condition alone.
#[test]
fn conditional_epilogs() {
    // 32 halfwords, a handler, one scope, one word of codes: 16 bytes of the stack. The scope is at 0x20, if equal.
    let header = 32 | 1 << 20 | 1 << 23 | 1 << 28;
    let scope = 0x10u32;
    for (condition, flags, is_epilog) in [
        (0xE, 0, true),
        (0x0, 1 << 30, true),
        (0x0, 0, false),
        (0x1, 0, true),
        (0xA, 1 << 31 | 1 << 28, true),
        (0xA, 1 << 31, false),
        (0xC, 1 << 30, false),
        (0xD, 1 << 30, true),
        (0x8, 1 << 29, true),
        (0x9, 1 << 29, false),
    ] {
        let mut rest = (scope | condition << 20).to_le_bytes().to_vec();
        rest.extend([0x04, 0xFD, 0xFF, 0xFF, 0, 1, 0, 0]);
        let (process, entry) = with_codes(header, &rest);
        let mut context = inside();
        context.cpsr = flags;
        let before = context;
        assert_eq!(
            undo(&process, &entry, &mut context),
            Ok(!is_epilog),
            "{condition:x}"
        );
        assert_eq!(context.sp, before.sp + 16);
        // Behind its first instruction, only a conditional one that holds has given back the stack.
        let mut context = before;
        context.pc += 2;
        assert_eq!(
            undo(&process, &entry, &mut context),
            Ok(!is_epilog),
            "{condition:x}"
        );
        assert_eq!(context.sp, before.sp + if is_epilog { 0 } else { 16 });
    }
}

/// Frames that no prolog made.
#[test]
fn custom_frames() {
    let header = 32 | 1 << 28;
    let put = |process: &mut Process, bytes: &[u8]| {
        for (index, word) in bytes.chunks_exact(8).enumerate() {
            let word = u64::from_le_bytes(word.try_into().unwrap());
            process.store(STACK_HIGH - 0x1000 + index as u64 * 8, word);
        }
    };
    // A machine frame.
    let (mut process, entry) = with_codes(header, &[0xEE, 0x01, 0xFF, 0xFF]);
    put(
        &mut process,
        &[0x78, 0x56, 0x34, 0x12, 0x01, 0x02, 0x03, 0x04],
    );
    let mut context = inside();
    undo(&process, &entry, &mut context).unwrap();
    assert_eq!((context.sp, context.pc), (0x1234_5678, 0x0403_0201));
    assert_eq!(context.context_flags, ArmContextFlags(0));
    // A whole context.
    let (mut process, entry) = with_codes(header, &[0xEE, 0x02, 0xFF, 0xFF]);
    let mut interrupted = Registers::random(&mut Random(9)).context();
    interrupted.context_flags = ArmContextFlags::FULL;
    (interrupted.cpsr, interrupted.fpscr) = (0x6000_0030, 7);
    put(&mut process, interrupted.as_bytes());
    let mut context = inside();
    undo(&process, &entry, &mut context).unwrap();
    let expected = ArmContext {
        context_flags: ArmContextFlags(0),
        ..interrupted
    };
    assert_eq!(context, expected);
}

#[test]
fn refused_sequences() {
    for codes in [
        [0xEE, 0x00, 0xFF, 0xFF],
        [0xEE, 0x1F, 0xFF, 0xFF],
        [0xEF, 0x1F, 0xFF, 0xFF],
        [0xF0, 0xFF, 0xFF, 0xFF],
        // Floats from behind to before; r15; cut off.
        [0xF5, 0x98, 0xFF, 0xFF],
        [0xCF, 0xFF, 0xFF, 0xFF],
        [0xFB, 0xFB, 0xFB, 0xF8],
    ] {
        let (process, entry) = with_codes(32 | 1 << 28, &codes);
        let undone = undo(&process, &entry, &mut inside());
        assert_eq!(undone, Err(NtStatus::BAD_FUNCTION_TABLE), "{codes:x?}");
    }
    // Beyond the function's end.
    let (process, entry) = with_codes(8 | 1 << 28, &[0xFF; 4]);
    let undone = undo(&process, &entry, &mut inside());
    assert_eq!(undone, Err(NtStatus::BAD_FUNCTION_TABLE));
    // No stack.
    let (process, entry) = with_codes(32 | 1 << 28, &[0xD4, 0xFF, 0xFF, 0xFF]);
    let mut context = inside();
    context.sp = STACK_HIGH as u32 - 4;
    assert_eq!(
        undo(&process, &entry, &mut context),
        Err(NtStatus::BAD_STACK)
    );
}

#[test]
fn leaves_have_changed_nothing() {
    let process = Process::from_bytes(Vec::new());
    let mut context = inside();
    let before = context;
    let pc = u64::from(context.pc);
    let wanted = HandlerTypes::empty();
    arm::virtual_unwind(&process, wanted, None, pc, &mut context, None).unwrap();
    assert_eq!((context.pc, context.sp), (before.lr, before.sp));
    context.lr = context.pc;
    let pc = u64::from(context.pc);
    let again = arm::virtual_unwind(&process, wanted, None, pc, &mut context, None);
    assert_eq!(again, Err(NtStatus::BAD_FUNCTION_TABLE));
}
