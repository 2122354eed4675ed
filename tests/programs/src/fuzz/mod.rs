//! A fuzzer of the system services, whose grammar is their table.
//!
//! A service is chosen, its arguments are made up by their kinds, it is called, and its status is counted. What is wrong
//! with a kernel shows in four ways: it stops (bug check), it hangs, it ends the program, or it breaks the simple promise
//! that is asked of it every [`BETWEEN_PROMISES`] calls.
//!
//! The program has to survive what it asks for. Its own state is in its image and on its stack, whose addresses no service
//! is given: pointers lead into [`Ground`], addresses to unmap or protect into its sacrificial part. What a service
//! writes there is overwritten before another one can take it for an address. Calls that would end or stop the program
//! are in [`rules`], each with its reason.
//!
//! | module | what |
//! |---|---|
//! | `ground` | memory that services are given |
//! | `handles` | handles that are open, and some that are not |
//! | `rules` | services that are called with care, or not at all |
//! | `structures` | what their pointers point to |
//! | `tally` | what the services answered |
//! | `values` | arguments by their kinds |
#![allow(
    clippy::cast_possible_truncation,
    reason = "what is cut off a random number is as random as the rest, and programs have 64-bit addresses"
)]

mod ground;
mod handles;
mod rules;
mod structures;
mod tally;
mod values;

use nt_abi::NtStatus;
use nt_abi::access::AccessMask;
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::services::arguments::{ArgumentKind, Direction, EventType, Target};
use nt_abi::services::{MAXIMUM_ARGUMENTS, SERVICES, Service, State};

use crate::check::{Failed, Outcome, line};
use crate::processes::number;
use crate::services::{
    CURRENT_PROCESS, NULL, NtAllocateVirtualMemory, NtClose, NtCreateEvent, NtFreeVirtualMemory,
    NtResetEvent, NtSetEvent, NtUnmapViewOfSection, NtWaitForSingleObject, number_at, raw,
};
use crate::{expect, status};

use ground::Ground;
use handles::Handles;
use rules::Rule;
use tally::Tally;
use values::Maker;

/// Calls from one look at the kernel's promise to the next.
const BETWEEN_PROMISES: u64 = 1024;
/// One call in so many is of a service that is not done, or of none.
const SELDOM: u64 = 64;
/// Allocations that are kept for a while before they are given back.
const KEPT: usize = 8;
/// More services than the table has.
const MOST: usize = 1024;

/// How much is called, and what.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The number of calls.
    pub calls: u64,
    /// What the arguments are drawn from: the same seed makes the same calls.
    pub seed: u64,
}

impl Plan {
    /// What the command line asks for: calls and seed; a million calls with seed 1 if it says nothing.
    pub fn asked_for() -> Self {
        Self {
            calls: number(1).unwrap_or(1_000_000),
            seed: number(2).unwrap_or(1),
        }
    }
}

/// Random numbers: SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// One of several.
    pub(crate) fn of<T: Copy>(&mut self, values: &[T]) -> T {
        let place = self.below(values.len() as u64);
        values[place as usize]
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// What the fuzzer knows.
struct Fuzzer {
    random: Random,
    ground: Ground,
    handles: Handles,
    tally: Tally,
    /// Numbers of services that are done and may be called.
    done: [u16; MOST],
    done_count: usize,
    /// Bases of allocations and views that services made.
    kept: [u64; KEPT],
}

/// Calls services as planned; the exit code is 0 if the kernel kept its promises.
pub fn run(plan: Plan) -> u32 {
    let Some(ground) = Ground::new() else {
        line(format_args!("there is no memory to work with"));
        return 2;
    };
    let mut fuzzer = Fuzzer {
        random: Random(plan.seed),
        ground,
        handles: Handles::new(),
        tally: Tally::new(),
        done: [0; MOST],
        done_count: 0,
        kept: [0; KEPT],
    };
    fuzzer.list_services();
    line(format_args!(
        "fuzz: {} calls, seed {}, {} services done",
        plan.calls, plan.seed, fuzzer.done_count
    ));
    for call in 0..plan.calls {
        if call % BETWEEN_PROMISES == 0 && fuzzer.look(call).is_err() {
            fuzzer.tally.print();
            return 1;
        }
        fuzzer.call_one();
    }
    let kept = fuzzer.look(plan.calls).is_ok();
    fuzzer.tally.print();
    u32::from(!kept)
}

impl Fuzzer {
    fn list_services(&mut self) {
        for service in SERVICES {
            let called = !matches!(rules::rule(service), Rule::Never);
            if service.state == State::Done && called && self.done_count < MOST {
                self.done[self.done_count] = service.number;
                self.done_count += 1;
            }
        }
    }

    fn call_one(&mut self) {
        let any = self.done_count == 0 || self.random.once_in(SELDOM);
        let number = if any {
            // Some numbers are beyond the table's end.
            self.random.below(SERVICES.len() as u64 + 4) as u16
        } else {
            self.random.of(&self.done[..self.done_count])
        };
        let Some(service) = SERVICES.get(usize::from(number)) else {
            let status = raw(number, &[0; MAXIMUM_ARGUMENTS]);
            self.tally.count(None, number, status);
            return;
        };
        let rule = rules::rule(service);
        if matches!(rule, Rule::Never) {
            return;
        }
        let mut arguments = [0; MAXIMUM_ARGUMENTS];
        let mut maker = Maker {
            random: &mut self.random,
            ground: &self.ground,
            handles: &self.handles,
        };
        maker.arguments(service, rule, &mut arguments);
        let status = raw(number, &arguments);
        self.tally.count(Some(service.component), number, status);
        self.keep_results(service, &arguments, status);
    }

    /// Remembers what a service made, so that others are called with it and it does not stay for ever.
    fn keep_results(&mut self, service: &Service, arguments: &[u64], status: NtStatus) {
        if service.name == "NtClose" && status == NtStatus::SUCCESS {
            self.handles.closed(arguments[0]);
        }
        if !status.is_success() {
            return;
        }
        for (argument, address) in service.arguments.iter().zip(arguments) {
            let ArgumentKind::Pointer {
                direction: Direction::Out | Direction::InOut,
                target: Target::One(name),
                ..
            } = argument.kind
            else {
                continue;
            };
            // Where the service succeeded and the pointer is not null, it wrote there.
            if *address == 0 || !self.ground.contains(*address) {
                continue;
            }
            let made = number_at(*address);
            if name == "HANDLE" && argument.name != "target_handle" {
                self.handles.keep(&mut self.random, made, service.name);
            } else if name == "PVOID" && rules::makes_memory(service) {
                self.keep_memory(made);
            }
        }
    }

    fn keep_memory(&mut self, base: u64) {
        if self.ground.is_sacrificed(base) {
            return;
        }
        let place = self.random.below(KEPT as u64) as usize;
        give_back(self.kept[place]);
        self.kept[place] = base;
    }

    /// Gives back what was made, and looks whether the kernel does what it promises.
    fn look(&mut self, call: u64) -> Outcome {
        for base in &mut self.kept {
            give_back(*base);
            *base = 0;
        }
        self.ground.renew();
        self.handles.renew();
        let kept = promise();
        if kept.is_err() {
            line(format_args!("fuzz: a promise is broken before call {call}"));
        }
        kept
    }
}

/// Releases memory that a service made, whichever made it.
fn give_back(mut base: u64) {
    if base == 0 {
        return;
    }
    let mut size = 0u64;
    let freed = NtFreeVirtualMemory(
        CURRENT_PROCESS,
        &mut base,
        &mut size,
        AllocationType::RELEASE.bits(),
    );
    if freed != NtStatus::SUCCESS {
        let _ = NtUnmapViewOfSection(CURRENT_PROCESS, base);
    }
}

/// What has to work whatever was asked for before.
fn promise() -> Outcome {
    let (mut event, mut before, now) = (0u64, -1i32, 0i64);
    status!(NtCreateEvent(
        &mut event,
        AccessMask::EVENT_ALL_ACCESS,
        NULL,
        EventType(0),
        false
    ));
    status!(NtSetEvent(event, &mut before));
    expect!(before, 0);
    status!(NtWaitForSingleObject(event, false, &now));
    status!(NtResetEvent(event, &mut before));
    expect!(before, 1);
    status!(NtWaitForSingleObject(event, false, &now), TIMEOUT);
    status!(NtClose(event));
    status!(NtSetEvent(event, NULL), INVALID_HANDLE);
    let (mut base, mut size) = (0u64, 0x1000u64);
    status!(NtAllocateVirtualMemory(
        CURRENT_PROCESS,
        &mut base,
        0u64,
        &mut size,
        (AllocationType::COMMIT | AllocationType::RESERVE).bits(),
        PageProtection::READWRITE.bits()
    ));
    let fresh = number_at(base);
    give_back(base);
    if fresh != 0 {
        line(format_args!("fuzz: fresh memory holds {fresh:#x}"));
        return Err(Failed);
    }
    Ok(())
}
