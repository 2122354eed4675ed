//! Undoing functions that a compiler made for ARM64, at every instruction of theirs; see `compiled_x64.rs`.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use nt_abi::exception::HandlerTypes;
use pe::Image;
use pe::unwind_arm64::{
    Epilogs, RegisterKind, RuntimeFunction, UnwindCode, UnwindData, UnwindRecord,
};
use support::arm64::{Effect, Kept, LR, Registers, SP, Simulator, Stored, decode, takes_back};
use support::canonical::{assembly, shapes};
use support::readobj::{self, Arm64Function};
use support::tools::{Built, Target, assemble, build};
use support::{IMAGE_BASE, Process, Random, STACK_HIGH, exported};
use unwind::{FunctionEntry, arm64};

fn integer(register: u8) -> String {
    format!("x{register}")
}

/// An unwind code as the instruction of a prolog or epilog, as LLVM's reader prints it.
fn line(code: UnwindCode, is_epilog: bool) -> String {
    let one = |name: String, offset: u16, moves: bool| match (is_epilog, moves) {
        (false, false) => format!("str {name}, [sp, #{offset}]"),
        (false, true) => format!("str {name}, [sp, #-{offset}]!"),
        (true, false) => format!("ldr {name}, [sp, #{offset}]"),
        (true, true) => format!("ldr {name}, [sp], #{offset}"),
    };
    let two = |first: String, second: String, offset: u16, moves: bool| match (is_epilog, moves) {
        (false, false) => format!("stp {first}, {second}, [sp, #{offset}]"),
        (false, true) => format!("stp {first}, {second}, [sp, #-{offset}]!"),
        (true, false) => format!("ldp {first}, {second}, [sp, #{offset}]"),
        (true, true) => format!("ldp {first}, {second}, [sp], #{offset}"),
    };
    let float = |register: u8| format!("d{register}");
    match code {
        UnwindCode::Allocate(bytes) if is_epilog => format!("add sp, #{bytes}"),
        UnwindCode::Allocate(bytes) => format!("sub sp, #{bytes}"),
        UnwindCode::SaveR19R20Pre(size) => two("x19".into(), "x20".into(), size, true),
        UnwindCode::SaveFpLr(offset) => two("x29".into(), "x30".into(), offset, false),
        UnwindCode::SaveFpLrPre(size) => two("x29".into(), "x30".into(), size, true),
        UnwindCode::SavePair(at) => two(
            integer(at.register),
            integer(at.register + 1),
            at.offset,
            false,
        ),
        UnwindCode::SavePairPre(at) => two(
            integer(at.register),
            integer(at.register + 1),
            at.offset,
            true,
        ),
        UnwindCode::Save(at) => one(integer(at.register), at.offset, false),
        UnwindCode::SavePre(at) => one(integer(at.register), at.offset, true),
        UnwindCode::SaveLrPair(at) => two(integer(at.register), "lr".into(), at.offset, false),
        UnwindCode::SaveFloatPair(at) => {
            two(float(at.register), float(at.register + 1), at.offset, false)
        }
        UnwindCode::SaveFloatPairPre(at) => {
            two(float(at.register), float(at.register + 1), at.offset, true)
        }
        UnwindCode::SaveFloat(at) => one(float(at.register), at.offset, false),
        UnwindCode::SaveFloatPre(at) => one(float(at.register), at.offset, true),
        UnwindCode::SetFrame if is_epilog => "mov sp, fp".into(),
        UnwindCode::SetFrame => "mov fp, sp".into(),
        UnwindCode::AddFrame(offset) if is_epilog => format!("sub sp, fp, #{offset}"),
        UnwindCode::AddFrame(offset) => format!("add fp, sp, #{offset}"),
        UnwindCode::SaveAny {
            kind,
            register,
            pair,
            moves_stack,
            offset,
        } => {
            let letter = match kind {
                RegisterKind::Integer => 'x',
                RegisterKind::Double => 'd',
                RegisterKind::Quad => 'q',
            };
            let name = |register: u8| format!("{letter}{register}");
            match pair {
                true => two(name(register), name(register + 1), offset, moves_stack),
                false => one(name(register), offset, moves_stack),
            }
        }
        UnwindCode::Nop => "nop".into(),
        UnwindCode::SaveNext if is_epilog => "restore next".into(),
        UnwindCode::SaveNext => "save next".into(),
        UnwindCode::End => "end".into(),
        UnwindCode::SignLr if is_epilog => "autibsp".into(),
        UnwindCode::SignLr => "pacibsp".into(),
        other => format!("{other:?}"),
    }
}

/// What we decode is what LLVM's reader says. Packed entries have nothing to decode but fields.
fn compare(image: &Image<'_>, function: RuntimeFunction, said: &Arm64Function) {
    let UnwindData::Record(rva) = function.unwind else {
        assert!(said.is_packed);
        return;
    };
    assert!(!said.is_packed);
    let record = UnwindRecord::read(image, rva).unwrap();
    let prolog: Vec<_> = record
        .prolog()
        .map(|code| line(code.unwrap(), false))
        .collect();
    assert_eq!(prolog, said.prolog, "{:#x}", function.begin_rva);
    assert_eq!(record.function_length, said.length);
    assert_eq!(record.handler_rva.is_some(), said.has_handler);
    assert_eq!(
        matches!(record.epilogs, Epilogs::AtEnd(_)),
        said.epilog_at_end
    );
    let mut epilogs = said.epilogs.iter();
    for epilog in record.epilogs.iter() {
        let codes = record.epilog(epilog).unwrap();
        let codes: Vec<_> = codes.map(|code| line(code.unwrap(), true)).collect();
        match epilogs.next() {
            Some((start, said)) => {
                assert_eq!(epilog.start.map(|start| start / 4), *start);
                assert_eq!(codes, *said, "{:#x}", function.begin_rva);
            }
            // An epilog at the end that is the prolog's mirror is not printed.
            None => assert_eq!(epilog.start, None),
        }
    }
    assert_eq!(epilogs.next(), None);
}

/// How often each kind of place was looked at.
#[derive(Default, Debug)]
struct Count {
    prolog: u32,
    body: u32,
    epilog: u32,
    handlers: u32,
    packed: u32,
}

/// Where an instruction is.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Prolog,
    Body,
    Epilog,
}

struct Checker<'a> {
    said: &'a Arm64Function,
    entry: FunctionEntry<RuntimeFunction>,
    expected: Kept,
    count: &'a mut Count,
}

impl Checker<'_> {
    /// Undoes the function with these registers in it; it must be as if it had not been called.
    fn check(&mut self, process: &Process, registers: &Registers, place: Place) {
        let mut context = registers.context();
        let wanted = HandlerTypes::UHANDLER;
        let entry = Some(&self.entry);
        let pc = registers.pc;
        let undone = arm64::virtual_unwind(process, wanted, entry, pc, &mut context, None);
        let at = format!("{:#x} in {:?}", pc - IMAGE_BASE, self.said);
        let undone = undone.unwrap_or_else(|error| panic!("{error} at {at}"));
        assert_eq!(Kept::of(&context), self.expected, "at {at}");
        assert_eq!(undone.establisher_frame, context.sp);
        let expected = self.said.has_handler && place == Place::Body;
        assert_eq!(undone.handler.is_some(), expected, "handler at {at}");
        self.count.handlers += u32::from(expected);
        *match place {
            Place::Prolog => &mut self.count.prolog,
            Place::Body => &mut self.count.body,
            Place::Epilog => &mut self.count.epilog,
        } += 1;
    }
}

/// The instructions that end a function or leave it, with those before them that take registers back: where they begin.
fn ways_out(code: &[Effect]) -> Vec<core::ops::Range<usize>> {
    let bytes = code.len() as i64 * 4;
    let mut all = Vec::new();
    for (index, effect) in code.iter().enumerate() {
        let leaves = match effect {
            Effect::Leave => true,
            Effect::Branch(distance) => !(0..bytes).contains(&(index as i64 * 4 + distance)),
            _ => false,
        };
        if leaves {
            let before = code[..index].iter().rev();
            let count = before.take_while(|effect| takes_back(**effect)).count();
            all.push(index - count..index + 1);
        }
    }
    all
}

/// How many instructions of a way out are the epilog: as many as LLVM's reader says, or as the prolog's mirror has.
fn epilog_length(said: &Arm64Function, start: usize, end: usize) -> usize {
    let instructions = |codes: &[String]| codes.iter().filter(|code| *code != "end").count() + 1;
    for (scope, codes) in &said.epilogs {
        let length = instructions(codes);
        let begins = scope.map_or(said.length as usize / 4 - length, |scope| scope as usize);
        if (start..end).contains(&begins) {
            return end - begins;
        }
    }
    let is_end = end == said.length as usize / 4;
    if said.epilogs.is_empty() && (said.epilog_at_end || said.is_packed) && is_end {
        // The mirror of a packed prolog has neither the frame pointer nor the homes.
        let only_prolog = |code: &&String| {
            let stores_home = ["x0", "x2", "x4", "x6"]
                .iter()
                .any(|home| code.starts_with(&format!("stp {home}")));
            let is_only_prologs = ["mov x29, sp", "mov fp, sp", "nop"].contains(&code.as_str());
            said.is_packed && (is_only_prologs || stores_home)
        };
        return instructions(&said.prolog) - said.prolog.iter().filter(only_prolog).count();
    }
    0
}

fn check_function(
    process: &mut Process,
    probe: u64,
    entry: FunctionEntry<RuntimeFunction>,
    said: &Arm64Function,
    count: &mut Count,
) {
    let mut random = Random(u64::from(said.begin_rva) + 1);
    let mut registers = Registers::random(&mut random);
    let begin = IMAGE_BASE + u64::from(said.begin_rva);
    registers.pc = begin;
    registers.x[SP] = STACK_HIGH - 0x1000;
    registers.x[LR] = 0x7FF7_1234_5678;
    let expected = Kept::at_entry(&registers);
    let words = (0..said.length / 4).map(|index| process.word(said.begin_rva + index * 4));
    let code: Vec<_> = words.map(decode).collect();
    count.packed += u32::from(said.is_packed);
    let mut checker = Checker {
        said,
        entry,
        expected,
        count,
    };
    let mut simulator = Simulator {
        process,
        registers,
        random,
        probe,
        stored: Stored::default(),
    };
    let prolog = said.prolog.iter().filter(|code| *code != "end").count();
    let outs = ways_out(&code);
    let in_way_out = |index: usize| outs.iter().any(|out| out.contains(&index));
    let mut run = 0;
    for (index, effect) in code.iter().enumerate() {
        if index >= prolog && in_way_out(index) {
            break;
        }
        let place = if index < prolog {
            Place::Prolog
        } else {
            Place::Body
        };
        checker.check(simulator.process, &simulator.registers, place);
        if !simulator.step(*effect) {
            break;
        }
        run += 1;
    }
    assert!(
        run >= prolog,
        "the prolog of {said:?} was not run to its end"
    );
    // A function with a frame pointer may take more of the stack behind its prolog.
    let (body, stored) = (simulator.registers.clone(), simulator.stored.clone());
    let has_frame = said.prolog.iter().any(|code| {
        code.starts_with("mov fp") || code.starts_with("mov x29") || code.starts_with("add fp")
    });
    for index in (prolog..code.len()).filter(|index| !in_way_out(*index)) {
        simulator.registers = body.clone();
        simulator
            .registers
            .shuffle(&mut simulator.random, &stored, has_frame);
        if has_frame {
            simulator.registers.x[SP] -= simulator.random.below(64) * 16;
        }
        simulator.registers.pc = begin + index as u64 * 4;
        checker.check(simulator.process, &simulator.registers, Place::Body);
    }
    for out in outs {
        simulator.registers = body.clone();
        simulator
            .registers
            .shuffle(&mut simulator.random, &stored, has_frame);
        simulator.registers.pc = begin + out.start as u64 * 4;
        let epilog = out.end - epilog_length(said, out.start, out.end).min(out.len());
        for index in out {
            let place = if index >= epilog {
                Place::Epilog
            } else {
                Place::Body
            };
            checker.check(simulator.process, &simulator.registers, place);
            if !simulator.step(code[index]) {
                break;
            }
        }
    }
}

fn check_image(built: &Built) -> Count {
    let image = Image::from_file(&built.bytes).unwrap();
    let mut process = Process::new(&built.bytes);
    process.fill_stack(&mut Random(0));
    let said = readobj::arm64(&built.readobj(&["--unwind"]));
    let functions: Vec<_> = process.arm64().collect();
    assert_eq!(functions.len(), said.len());
    let probe = exported(&image, b"__chkstk");
    let mut count = Count::default();
    for ((entry, length), said) in functions.into_iter().zip(&said) {
        assert_eq!(
            (entry.function.begin_rva, length),
            (said.begin_rva, said.length)
        );
        compare(&image, entry.function, said);
        let probe = IMAGE_BASE + u64::from(probe);
        check_function(&mut process, probe, entry, said, &mut count);
    }
    count
}

#[test]
fn every_instruction_of_compiled_functions() {
    for (name, flags) in [
        ("plain", ["-O0", "-fno-omit-frame-pointer"]),
        ("optimised", ["-O2", "-fomit-frame-pointer"]),
        ("framed", ["-O2", "-fno-omit-frame-pointer"]),
        ("small", ["-Oz", "-fomit-frame-pointer"]),
        ("signed", ["-O2", "-mbranch-protection=pac-ret+b-key"]),
    ] {
        let built = build(Target::Arm64, name, &["shapes.c", "scopes.c"], &flags);
        let count = check_image(&built);
        assert!(count.prolog > 500 && count.body > 2000, "{name}: {count:?}");
        assert!(
            count.epilog > 800 && count.handlers > 60,
            "{name}: {count:?}"
        );
    }
}

/// The usual forms, packed into one word as the document has it: each comes back from that word as what was written. Where
/// the assembler packs them as well, it is the same word.
#[test]
fn every_instruction_of_packed_functions() {
    let shapes = shapes();
    let built = assemble(Target::Arm64, "packed", &assembly(&shapes));
    let mut process = Process::new(&built.bytes);
    process.fill_stack(&mut Random(0));
    let mut said = readobj::arm64(&built.readobj(&["--unwind"]));
    let functions: Vec<_> = process.arm64().collect();
    assert_eq!((functions.len(), said.len()), (shapes.len(), shapes.len()));
    let mut count = Count::default();
    let mut by_assembler = 0;
    for (((entry, length), said), shape) in functions.into_iter().zip(&mut said).zip(&shapes) {
        let word = shape.packed(length);
        let function = RuntimeFunction::read(entry.function.begin_rva, word).unwrap();
        if said.is_packed {
            assert_eq!(function, entry.function, "{shape:?}");
            by_assembler += 1;
        }
        let entry = FunctionEntry { function, ..entry };
        said.is_packed = true;
        check_function(&mut process, 0, entry, said, &mut count);
    }
    // The assembler packs all but those with homes, and with one register beside the link register.
    assert!(by_assembler > 2000, "{by_assembler} of {}", shapes.len());
    assert!(count.prolog > 30_000 && count.epilog > 30_000, "{count:?}");
}
