//! Undoing functions that a compiler made for x64, at every instruction of theirs.
//!
//! A simulator carries out a function's prolog, and then the end of each of its ways out. At each instruction, undoing the
//! function must give the registers that it was entered with. In the body the registers hold anything, but for the frame
//! pointer. What there is to decode is compared with what LLVM's reader prints.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use iced_x86::Instruction;
use nt_abi::exception::HandlerTypes;
use pe::Image;
use pe::unwind_x64::{RuntimeFunction, UnwindInfo, UnwindOperation, UnwindTail};
use support::readobj::{self, X64Function};
use support::tools::{Built, Target, build};
use support::x64::{
    Kept, RSP, Registers, Simulator, Stored, decode, is_end, is_epilog, takes_back,
};
use support::{IMAGE_BASE, Process, Random, STACK_HIGH, exported};
use unwind::{FunctionEntry, amd64};

const NAMES: [&str; 16] = [
    "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13",
    "R14", "R15",
];

/// An unwind code as LLVM's reader prints it.
fn line(info: &UnwindInfo<'_>, offset: u8, operation: UnwindOperation) -> String {
    let name = |register: u8| NAMES[usize::from(register)];
    let text = match operation {
        UnwindOperation::Push(register) => format!("PUSH_NONVOL reg={}", name(register)),
        UnwindOperation::Allocate(bytes @ ..=128) => format!("ALLOC_SMALL size={bytes}"),
        UnwindOperation::Allocate(bytes) => format!("ALLOC_LARGE size={bytes}"),
        UnwindOperation::SetFrame => format!(
            "SET_FPREG reg={}, offset=0x{:X}",
            name(info.frame_register.unwrap()),
            info.frame_offset
        ),
        UnwindOperation::Save { register, offset } => {
            format!("SAVE_NONVOL reg={}, offset=0x{offset:X}", name(register))
        }
        UnwindOperation::SaveXmm { register, offset } => {
            format!("SAVE_XMM128 reg=XMM{register}, offset=0x{offset:X}")
        }
        UnwindOperation::MachineFrame { error_code } => {
            format!(
                "PUSH_MACHFRAME errcode={}",
                if error_code { "yes" } else { "no" }
            )
        }
        UnwindOperation::Epilog { .. } => "EPILOG".into(),
    };
    format!("0x{offset:02X}: {text}")
}

/// What we decode is what LLVM's reader says.
fn compare(image: &Image<'_>, function: RuntimeFunction, said: &X64Function) {
    let info = UnwindInfo::read(image, function.unwind_rva).unwrap();
    let codes = info.codes.iter().map(Result::unwrap);
    let codes: Vec<_> = codes
        .map(|code| line(&info, code.prolog_offset, code.operation))
        .collect();
    assert_eq!(codes, said.codes, "{:#x}", function.begin_rva);
    assert_eq!(info.version, said.version);
    assert_eq!(u32::from(info.prolog_size), said.prolog_size);
    assert_eq!(function.end_rva, said.end_rva);
    let has_handler = matches!(info.tail, UnwindTail::Handler { .. });
    assert_eq!(has_handler, said.has_handler);
    let is_chained = matches!(info.tail, UnwindTail::Chained(_));
    assert_eq!(is_chained, said.is_chained);
}

/// How often each kind of place was looked at.
#[derive(Default, Debug)]
struct Count {
    prolog: u32,
    body: u32,
    epilog: u32,
    handlers: u32,
}

struct Checker<'a> {
    said: &'a X64Function,
    entry: FunctionEntry<RuntimeFunction>,
    expected: Kept,
    count: &'a mut Count,
}

impl Checker<'_> {
    /// Undoes the function with these registers in it; it must be as if it had not been called.
    fn check(&mut self, process: &Process, registers: &Registers, is_epilog: bool) {
        let mut context = registers.context();
        let wanted = HandlerTypes::EHANDLER;
        let rip = registers.rip;
        let entry = Some(&self.entry);
        let undone = amd64::virtual_unwind(process, wanted, entry, rip, &mut context, None);
        let place = format!("{:#x} in {:?}", rip - IMAGE_BASE, self.said);
        let undone = undone.unwrap_or_else(|error| panic!("{error} at {place}"));
        assert_eq!(Kept::of(&context), self.expected, "at {place}");
        let offset = rip - IMAGE_BASE - u64::from(self.said.begin_rva);
        let in_prolog = offset < u64::from(self.said.prolog_size);
        let expected = self.said.has_handler && !in_prolog && !is_epilog;
        assert_eq!(undone.handler.is_some(), expected, "handler at {place}");
        self.count.handlers += u32::from(expected);
        *match (in_prolog, is_epilog) {
            (true, _) => &mut self.count.prolog,
            (_, true) => &mut self.count.epilog,
            _ => &mut self.count.body,
        } += 1;
    }
}

/// The frame register's number, if the function has one.
fn frame_register(said: &X64Function) -> Option<usize> {
    let set = said
        .codes
        .iter()
        .find_map(|code| code.split_once("SET_FPREG reg="))?;
    let name = set.1.split(',').next()?;
    NAMES.iter().position(|known| *known == name)
}

/// The last instructions of each way out, with those before them that take registers back.
fn ways_out(code: &[Instruction], begin: u64, end: u64) -> Vec<&[Instruction]> {
    let mut all = Vec::new();
    for (index, instruction) in code.iter().enumerate() {
        if is_end(instruction, begin..end) {
            let before = code[..index].iter().rev();
            let count = before
                .take_while(|instruction| takes_back(instruction))
                .count();
            all.push(&code[index - count..=index]);
        }
    }
    all
}

fn check_function(
    process: &mut Process,
    probe: u64,
    entry: FunctionEntry<RuntimeFunction>,
    said: &X64Function,
    count: &mut Count,
) {
    let mut random = Random(u64::from(said.begin_rva) + 1);
    let mut registers = Registers::random(&mut random);
    let begin = IMAGE_BASE + u64::from(said.begin_rva);
    registers.rip = begin;
    // Eight bytes off, as behind a call; a page for arguments.
    registers.integer[RSP] = STACK_HIGH - 0x1008;
    let expected = Kept::at_entry(&registers, process);
    let code = decode(process, said.begin_rva, said.end_rva);
    let mut checker = Checker {
        said,
        entry,
        expected,
        count,
    };
    let end = IMAGE_BASE + u64::from(said.end_rva);
    let outs = ways_out(&code, begin, end);
    let in_way_out = |ip: u64| {
        let inside = |out: &&[Instruction]| out.iter().any(|instruction| instruction.ip() == ip);
        outs.iter().any(inside)
    };
    // From the entry on, as far as the code goes straight ahead.
    let mut simulator = Simulator {
        process,
        registers,
        random,
        probe,
        stored: Stored::default(),
    };
    let mut body = None;
    for instruction in &code {
        if body.is_none() && instruction.ip() - begin >= u64::from(said.prolog_size) {
            body = Some((simulator.registers.clone(), simulator.stored.clone()));
        }
        let past_prolog = instruction.ip() - begin >= u64::from(said.prolog_size);
        if past_prolog && in_way_out(instruction.ip()) {
            break;
        }
        checker.check(simulator.process, &simulator.registers, false);
        if !simulator.step(instruction) {
            break;
        }
    }
    let (body, stored) =
        body.unwrap_or_else(|| panic!("the prolog of {said:?} was not run to its end"));
    // Anywhere in the body, with anything in the registers but the frame pointer.
    let frame = frame_register(said);
    for instruction in &code {
        let past_prolog = instruction.ip() - begin >= u64::from(said.prolog_size);
        if !past_prolog || in_way_out(instruction.ip()) {
            continue;
        }
        simulator.registers = body.clone();
        simulator
            .registers
            .shuffle(&mut simulator.random, &stored, frame);
        // With a frame pointer, the stack pointer may be anywhere below.
        if frame.is_some() {
            simulator.registers.integer[RSP] -= simulator.random.below(64) * 16;
        }
        simulator.registers.rip = instruction.ip();
        checker.check(simulator.process, &simulator.registers, false);
    }
    for out in outs {
        simulator.registers = body.clone();
        simulator
            .registers
            .shuffle(&mut simulator.random, &stored, frame);
        simulator.registers.rip = out[0].ip();
        for (index, instruction) in out.iter().enumerate() {
            let rest_is_epilog = out[index..].iter().all(is_epilog);
            checker.check(simulator.process, &simulator.registers, rest_is_epilog);
            if !simulator.step(instruction) {
                break;
            }
        }
    }
}

fn check_image(built: &Built) -> Count {
    let image = Image::from_file(&built.bytes).unwrap();
    let mut process = Process::new(&built.bytes);
    process.fill_stack(&mut Random(0));
    let said = readobj::x64(&built.readobj(&["--unwind"]));
    let functions: Vec<_> = process.x64().collect();
    assert_eq!(functions.len(), said.len());
    let probe = exported(&image, b"__chkstk");
    let mut count = Count::default();
    for (entry, said) in functions.into_iter().zip(&said) {
        assert_eq!(entry.function.begin_rva, said.begin_rva);
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
    ] {
        let built = build(Target::X64, name, &["shapes.c", "scopes.c"], &flags);
        let count = check_image(&built);
        // No part of the test may fall asleep.
        assert!(count.prolog > 500 && count.body > 2000, "{name}: {count:?}");
        assert!(
            count.epilog > 800 && count.handlers > 60,
            "{name}: {count:?}"
        );
    }
}
