//! Tables, code and stacks that make no sense: an error or a wrong answer, but no panic, and no more work than there is data.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]
#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers at random may lose bits"
)]

mod support;

use std::cell::Cell;

use nt_abi::context::{Amd64Context, Arm64Context, ArmContext};
use nt_abi::exception::{
    Amd64NonvolatileContextPointers, Arm64NonvolatileContextPointers,
    ArmNonvolatileContextPointers, ExceptionDisposition, ExceptionFlags, HandlerTypes,
};
use nt_abi::w64::ExceptionRecord;
use pe::{unwind_arm, unwind_arm64, unwind_x64};
use support::Random;
use unwind::c_handler::{CPlatform, c_specific_handler};
use unwind::handler_call::HandlerCall;
use unwind::machine::{Amd64, Arm64, Machine};
use unwind::platform::{Platform, Purpose, Scratch, StackLimits};
use unwind::{FunctionEntry, Functions, Memory, UnwindRequest, amd64, arm, arm64, search, unwind};
use zerocopy::FromZeros;

const IMAGE: u64 = 0x1000_0000;
const IMAGE_BYTES: usize = 0x1000;
const STACK: u64 = 0x2000_0000;
const STACK_BYTES: u64 = 0x1000;

/// A process in which everything is at random, and whatever is read is counted.
struct Chaos<M: Machine> {
    image: Vec<u8>,
    stack: Vec<u64>,
    functions: Vec<(u32, u32, M::Function)>,
    random: Cell<u64>,
    reads: Cell<u64>,
    calls: u64,
    contexts: [M::Context; 3],
}

/// What is not a context's address gives the first one.
fn slot(address: u64) -> usize {
    (address as usize).min(2)
}

impl<M: Machine> Chaos<M> {
    fn next(&self) -> u64 {
        let mut random = Random(self.random.get());
        let value = random.next();
        self.random.set(random.0);
        value
    }

    /// A number that may be an address of the stack, of the image, or anything.
    fn word(&self) -> u64 {
        let value = self.next();
        match value % 8 {
            0..=3 => STACK + (value >> 8) % (STACK_BYTES / 8 + 8) * 8,
            4 | 5 => IMAGE + (value >> 8) % (IMAGE_BYTES as u64 / 4) * 4,
            6 => (value >> 8) % 0x100,
            _ => value,
        }
    }
}

impl<M: Machine> Memory for Chaos<M> {
    fn read(&self, address: u64) -> Option<u64> {
        self.reads.set(self.reads.get() + 1);
        let offset = address.checked_sub(STACK)?;
        self.stack.get(offset as usize / 8).copied()
    }

    fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        self.reads.set(self.reads.get() + 1);
        let rva = usize::try_from(address.checked_sub(IMAGE)?).ok()?;
        self.image.get(rva..)?.get(..length)
    }
}

impl<M: Machine> Functions for Chaos<M> {
    type Function = M::Function;

    fn find(&self, pc: u64) -> Option<FunctionEntry<M::Function>> {
        let rva = u32::try_from(pc.checked_sub(IMAGE)?).ok()?;
        let found = self
            .functions
            .iter()
            .find(|(begin, end, _)| (*begin..*end).contains(&rva))?;
        Some(FunctionEntry {
            image_base: IMAGE,
            address: 0,
            function: found.2,
        })
    }
}

impl<M: Machine> Platform for Chaos<M> {
    type Machine = M;

    fn stack_limits(&self) -> StackLimits {
        StackLimits {
            low: STACK,
            high: STACK + STACK_BYTES,
        }
    }

    fn record(&self, _address: u64) -> ExceptionRecord {
        ExceptionRecord {
            exception_flags: ExceptionFlags(self.next() as u32),
            exception_code: if self.next().is_multiple_of(4) {
                0x8000_0029
            } else {
                0xE1
            },
            number_parameters: self.next() as u32,
            ..ExceptionRecord::default()
        }
    }

    fn set_flags(&mut self, _record: u64, _flags: ExceptionFlags) {}

    fn set_parameter(&mut self, _record: u64, _index: usize, _value: u64) {}

    fn context(&self, address: u64) -> M::Context {
        self.contexts[slot(address)]
    }

    fn set_context(&mut self, address: u64, context: &M::Context) {
        self.contexts[slot(address)] = *context;
    }

    fn set_registers(&mut self, _address: u64, _registers: &M::Registers) {}

    fn call_handler(
        &mut self,
        _purpose: Purpose,
        _record: u64,
        _context: u64,
        dispatcher: &mut M::Dispatcher,
    ) -> ExceptionDisposition {
        self.calls += 1;
        if self.next().is_multiple_of(2) {
            *dispatcher = M::dispatcher(&HandlerCall {
                control_pc: self.word(),
                behind_call: self.next().is_multiple_of(2),
                image_base: self.word(),
                function_entry: self.word(),
                establisher_frame: self.word(),
                target: self.word(),
                context: self.next() % 3,
                handler: self.word(),
                handler_data: self.word(),
                history_table: 0,
                scope_index: self.next() as u32,
                registers: 0,
            });
        }
        match self.next() % 16 {
            0 => ExceptionDisposition::NESTED_EXCEPTION,
            1..=8 => ExceptionDisposition::COLLIDED_UNWIND,
            9 => ExceptionDisposition(self.next() as u32),
            _ => ExceptionDisposition::CONTINUE_SEARCH,
        }
    }
}

impl<M: Machine> CPlatform for Chaos<M> {
    fn dispatcher(&self, _address: u64) -> M::Dispatcher {
        M::dispatcher(&HandlerCall {
            control_pc: IMAGE + self.next() % 0x100,
            image_base: IMAGE,
            handler_data: IMAGE + self.next() % IMAGE_BYTES as u64,
            target: IMAGE + self.next() % 0x100,
            scope_index: self.next() as u32 % 4,
            ..HandlerCall::default()
        })
    }

    fn set_scope_index(&mut self, _dispatcher: u64, _index: u32) {}

    fn call_filter(&mut self, _: u64, _: u64, _: u64, _: u64, _: u64) -> i32 {
        self.calls += 1;
        (self.next() % 3) as i32 - 1
    }

    fn call_termination(&mut self, _: u64, _: u64, _: u64) {
        self.calls += 1;
    }
}

/// An image at random, in which bytes that mean something are more frequent than others.
fn image(random: &mut Random, frequent: &[u8]) -> Vec<u8> {
    (0..IMAGE_BYTES)
        .map(|_| match random.below(4) {
            0 => random.next() as u8,
            1 => 0,
            _ => frequent[random.below(frequent.len() as u64) as usize],
        })
        .collect()
}

/// Where unwind data is that looks good, 32 bytes for each function.
const PLAUSIBLE: usize = 0xC00;

/// Makes a process of a seed. Entries have their unwind data anywhere; `plausible` makes some of it look good.
fn chaos<M: Machine>(
    seed: u64,
    frequent: &[u8],
    plausible: impl Fn(&mut [u8]),
    function: impl Fn(&mut Random, u32) -> Option<M::Function>,
    context: impl Fn(&Chaos<M>) -> M::Context,
    empty: M::Context,
) -> Chaos<M> {
    let mut random = Random(seed);
    let mut image = image(&mut random, frequent);
    for number in 0..16 {
        plausible(&mut image[PLAUSIBLE + number * 0x20..][..0x20]);
    }
    let functions = (0..16).filter_map(|number| {
        let begin = number * 0x100;
        Some((begin, begin + 0x100, function(&mut random, begin)?))
    });
    let functions = functions.collect();
    let mut chaos = Chaos {
        image,
        stack: Vec::new(),
        functions,
        random: Cell::new(random.0),
        reads: Cell::new(0),
        calls: 0,
        contexts: [empty; 3],
    };
    chaos.stack = (0..STACK_BYTES / 8).map(|_| chaos.word()).collect();
    for index in 0..3 {
        chaos.contexts[index] = context(&chaos);
    }
    chaos
}

fn x64(seed: u64) -> Chaos<Amd64> {
    // Versions with and without handler and chain, counts, steps; and instructions of epilogs.
    let frequent = [
        1, 2, 9, 0x19, 0x21, 0x22, 4, 8, 0x10, 0x20, 0x30, 0x50, 0x70, 0x02, 0x12, 0x03, 0x01,
        0x11, 0x64, 0x65, 0x78, 0x06, 0x16, 0x0A, 0x1A, 0x48, 0x83, 0xC4, 0x81, 0x8D, 0x65, 0x58,
        0x5B, 0x41, 0xC3, 0xE9, 0xEB, 0xFF, 0x25, 0xF3, 0xF2,
    ];
    chaos(
        seed,
        &frequent,
        // A handler, and two steps that take bytes of the stack.
        |bytes| bytes[..8].copy_from_slice(&[0x19, 0, 2, 0, 0, 0x02, 0, 0x12]),
        |random, begin| {
            let unwind_rva = match random.below(2) {
                0 => PLAUSIBLE as u32 + begin / 8,
                _ => random.below(IMAGE_BYTES as u64) as u32,
            };
            let function = unwind_x64::RuntimeFunction {
                begin_rva: begin,
                end_rva: begin + 0x100,
                unwind_rva,
            };
            (random.below(8) != 0).then_some(function)
        },
        |chaos| Amd64Context {
            rip: IMAGE + chaos.next() % IMAGE_BYTES as u64,
            rsp: STACK + (chaos.next() % 0x200) * 8,
            rbp: chaos.word(),
            rbx: chaos.word(),
            r13: chaos.word(),
            ..Amd64Context::default()
        },
        Amd64Context::new_zeroed(),
    )
}

fn arm64(seed: u64) -> Chaos<Arm64> {
    let frequent = [
        0x01, 0x02, 0x41, 0x81, 0x83, 0xC8, 0x42, 0xD0, 0xE1, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7,
        0xE8, 0xE9, 0xEA, 0xEB, 0xEC, 0xFC, 0xF8, 0xDE, 0xD9, 0x30, 0x70, 0x08, 0x10, 0x28,
    ];
    chaos(
        seed,
        &frequent,
        // 64 instructions, a handler; the link, and some bytes of the stack.
        |bytes| {
            bytes[..8].copy_from_slice(&[0x40, 0, 0x10, 0x08, 0x01, 0x81, 0xE4, 0xE3]);
        },
        |random, begin| {
            let word = match random.below(4) {
                0 => random.next() as u32,
                1 | 2 => PLAUSIBLE as u32 + begin / 8,
                _ => random.below(IMAGE_BYTES as u64) as u32 & !3,
            };
            unwind_arm64::RuntimeFunction::read(begin, word).ok()
        },
        |chaos| {
            let mut context = Arm64Context {
                pc: IMAGE + chaos.next() % (IMAGE_BYTES as u64 / 4) * 4,
                sp: STACK + (chaos.next() % 0x100) * 16,
                ..Arm64Context::default()
            };
            for register in &mut context.x {
                *register = chaos.word();
            }
            context
        },
        Arm64Context::new_zeroed(),
    )
}

/// The most that undoing one function reads: parts of a function, each with codes that read two words, and the code of an
/// epilog; a context.
const MOST_READS: u64 = 32 * (255 * 2 + 8) + 2048;
/// The most calls of handlers in one walk: frames of eight bytes, some without any in between.
const MOST_CALLS: u64 = STACK_BYTES / 8 * 20;

#[test]
fn undoing_functions() {
    let (mut undone, mut refused, mut handlers) = (0u32, 0u32, 0u32);
    for seed in 0..12_000 {
        let chaos = x64(seed);
        let mut context = chaos.contexts[0];
        let function = chaos.find(context.rip);
        let mut saved = Amd64NonvolatileContextPointers::default();
        let wanted = HandlerTypes(chaos.next() as u32);
        let rip = context.rip;
        let function = function.as_ref();
        let result = amd64::virtual_unwind(
            &chaos,
            wanted,
            function,
            rip,
            &mut context,
            Some(&mut saved),
        );
        match result {
            Ok(unwound) => {
                undone += 1;
                handlers += u32::from(unwound.handler.is_some());
            }
            Err(_) => refused += 1,
        }
        assert!(chaos.reads.get() <= MOST_READS, "{}", chaos.reads.get());
    }
    // Both happen, so both are tested.
    assert!(
        undone > 1000 && refused > 1000 && handlers > 100,
        "{undone} {refused} {handlers}"
    );
    let (mut undone, mut refused, mut handlers) = (0u32, 0u32, 0u32);
    for seed in 0..12_000 {
        let chaos = arm64(seed);
        let mut context = chaos.contexts[0];
        let function = chaos.find(context.pc);
        let mut saved = Arm64NonvolatileContextPointers::default();
        let wanted = HandlerTypes(chaos.next() as u32);
        let pc = context.pc;
        let function = function.as_ref();
        let result =
            arm64::virtual_unwind(&chaos, wanted, function, pc, &mut context, Some(&mut saved));
        match result {
            Ok(unwound) => {
                undone += 1;
                handlers += u32::from(unwound.handler.is_some());
            }
            Err(_) => refused += 1,
        }
        assert!(chaos.reads.get() <= 255 * 4 * 40, "{}", chaos.reads.get());
    }
    assert!(
        undone > 1000 && refused > 1000 && handlers > 100,
        "{undone} {refused} {handlers}"
    );
}

#[test]
fn undoing_functions_of_arm32() {
    let (mut undone, mut refused) = (0u32, 0u32);
    for seed in 0..12_000 {
        let chaos = arm64(seed);
        let word = match chaos.next() % 3 {
            0 => chaos.next() as u32,
            _ => chaos.next() as u32 % (IMAGE_BYTES as u32 / 4) * 4,
        };
        let Ok(function) = unwind_arm::RuntimeFunction::read(0x101, word) else {
            continue;
        };
        let entry = FunctionEntry {
            image_base: IMAGE,
            address: 0,
            function,
        };
        let mut context = ArmContext {
            pc: IMAGE as u32 + 0x100 + (chaos.next() % 0x100) as u32,
            sp: STACK as u32 + (chaos.next() % 0x400) as u32 * 4,
            ..ArmContext::default()
        };
        for register in &mut context.r {
            *register = chaos.word() as u32;
        }
        let mut saved = ArmNonvolatileContextPointers::default();
        let pc = u64::from(context.pc);
        let wanted = HandlerTypes(chaos.next() as u32);
        let saved = Some(&mut saved);
        match arm::virtual_unwind(&chaos, wanted, Some(&entry), pc, &mut context, saved) {
            Ok(_) => undone += 1,
            Err(_) => refused += 1,
        }
        assert!(chaos.reads.get() <= 255 * 4 * 64, "{}", chaos.reads.get());
    }
    assert!(undone > 500 && refused > 500, "{undone} {refused}");
}

/// Walks to the end of everything, with handlers that answer anything.
fn walk<M: Machine>(chaos: &mut Chaos<M>) -> u64 {
    let scratch = Scratch {
        context: 1,
        registers: 0,
    };
    search(chaos, 0, 0, scratch);
    assert!(chaos.calls <= MOST_CALLS, "{}", chaos.calls);
    let searched = chaos.calls;
    chaos.calls = 0;
    let request = UnwindRequest {
        target_frame: (chaos.next().is_multiple_of(2)).then(|| chaos.word()),
        target_pc: chaos.word(),
        record: 0,
        result: 0,
        history_table: 0,
    };
    unwind(chaos, request, scratch);
    assert!(chaos.calls <= MOST_CALLS, "{}", chaos.calls);
    searched + chaos.calls
}

#[test]
fn walking_over_stacks() {
    let mut calls = [0; 2];
    for seed in 0..6_000 {
        calls[0] += walk(&mut x64(seed));
        calls[1] += walk(&mut arm64(seed));
    }
    assert!(calls.iter().all(|calls| *calls > 1000), "{calls:?}");
}

#[test]
fn tables_of_scopes() {
    let mut calls = 0;
    for seed in 0..6_000 {
        let mut chaos = x64(seed);
        // Counts that are small as often as not, so that there is a table.
        let _ = c_specific_handler(&mut chaos, 0, 0, 0, 0);
        calls += chaos.calls;
        let mut chaos = arm64(seed);
        let _ = c_specific_handler(&mut chaos, 0, 0, 0, 0);
        calls += chaos.calls;
    }
    assert!(calls > 100, "{calls}");
}
