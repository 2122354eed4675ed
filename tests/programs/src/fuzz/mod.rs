//! A fuzzer of the system services, whose grammar is their table.
//!
//! A service is chosen, its arguments are made up by their kinds, it is called, and its status is counted. What is wrong
//! with a kernel shows in four ways: it stops (bug check), it hangs, it ends the program, or it breaks the simple promise
//! that is asked of it every [`BETWEEN_PROMISES`] calls.
//!
//! The program has to survive what it asks for. Its own state is in its image and on its stack, whose addresses no service
//! is given: pointers lead into [`Ground`], addresses to unmap or protect into its sacrificial part. What a service
//! writes there is overwritten before another one can take it for an address. Calls that would end or stop the program
//! are in [`rules`], each with its reason; what may end or stop a process goes to a victim, which is made anew when it
//! has ended.
//!
//! | module | what |
//! |---|---|
//! | `ground` | memory that services are given |
//! | `handles` | handles that are open, and some that are not |
//! | `random` | where the choices come from |
//! | `rules` | services that are called with care, or not at all |
//! | `second` | another thread that calls services at the same time |
//! | `structures` | what their pointers point to |
//! | `tally` | what the services answered |
//! | `values` | arguments by their kinds |
//! | `victim` | a process that services may do anything to |
#![allow(
    clippy::cast_possible_truncation,
    reason = "what is cut off a random number is as random as the rest, and programs have 64-bit addresses"
)]

mod ground;
mod handles;
mod random;
mod rules;
mod second;
mod structures;
mod tally;
mod values;
mod victim;

use nt_abi::NtStatus;
use nt_abi::access::AccessMask;
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::services::arguments::{
    ArgumentKind, Direction, EventType, Target, ThreadInformationClass,
};
use nt_abi::services::{MAXIMUM_ARGUMENTS, SERVICES, Service, State};

use crate::check::{Failed, Outcome, line};
use crate::processes::number;
use crate::services::{
    CURRENT_PROCESS, CURRENT_THREAD, NULL, NtAllocateVirtualMemory, NtClose, NtCreateEvent,
    NtFreeVirtualMemory, NtResetEvent, NtSetEvent, NtSetInformationThread, NtUnmapViewOfSection,
    NtWaitForSingleObject, number_at, raw,
};
use crate::{expect, status};

use ground::Ground;
use handles::Handles;
use random::Random;
use rules::Rule;
use second::Second;
use tally::Tally;
use values::Maker;
use victim::Victim;

/// Calls from one look at the kernel's promise to the next.
const BETWEEN_PROMISES: u64 = 1024;
/// One call in so many is of a service that is not done, or of none.
const SELDOM: u64 = 64;
/// Calls from one look at the victim to the next, and those that one lives at most.
const BETWEEN_VICTIMS: u64 = 256;
const LIFE: u64 = 4096;
/// How often in a row no victim can be made until that counts as a failure: what takes all memory is given back meanwhile.
const PATIENCE: u32 = 64;
/// `ThreadImpersonationToken`.
const IMPERSONATION_TOKEN: ThreadInformationClass = ThreadInformationClass(5);
/// Allocations that are kept for a while before they are given back.
const KEPT: usize = 8;
/// More services than the table has.
const MOST: usize = 1024;

/// How much is called, and what.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The number of calls, of both threads together.
    pub calls: u64,
    /// What the arguments are drawn from: the same seed makes the same calls as long as the answers are the same.
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

/// Whose calls a fuzzer makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    /// The program's first thread's.
    First,
    /// The second thread's, which makes no handles.
    Second,
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
    role: Role,
    victim: Option<Victim>,
    victims: Victims,
}

/// What became of victims.
#[derive(Clone, Copy, Debug, Default)]
struct Victims {
    made: u64,
    /// Calls after which the present one was made.
    at: u64,
    /// How often in a row none could be made.
    refused: u32,
}

/// Calls services as planned; the exit code is 0 if the kernel kept its promises.
///
/// The first quarter of the calls is made by one thread while the second one sleeps: these calls are the same as long as the answers
/// are. Then the second thread joins in, and the victims come, whose threads run when they run.
pub fn run(plan: Plan) -> u32 {
    if victim::is_wanted() {
        return victim::live();
    }
    let Some(ground) = Ground::new() else {
        line(format_args!("there is no memory to work with"));
        return 2;
    };
    let Ok(second) = Second::start(&ground, plan.seed ^ 0x5EC0) else {
        return 2;
    };
    let mut fuzzer = Fuzzer::new(Random::new(plan.seed), ground);
    fuzzer.list_services(Role::First);
    line(format_args!(
        "fuzz: {} calls, seed {}, {} services done",
        plan.calls, plan.seed, fuzzer.done_count
    ));
    let alone = plan.calls / 4;
    let outcome = fuzzer
        .alone(alone)
        .and_then(|()| fuzzer.in_company(alone, plan, second));
    fuzzer.tally.print();
    let calls = fuzzer.tally.calls() + Second::calls();
    let kept = if outcome.is_ok() {
        "every promise kept"
    } else {
        "a promise broken"
    };
    line(format_args!("fuzz: {calls} calls, {kept}"));
    u32::from(outcome.is_err())
}

impl Fuzzer {
    fn new(random: Random, ground: Ground) -> Self {
        Self {
            random,
            ground,
            handles: Handles::new(),
            tally: Tally::new(),
            done: [0; MOST],
            done_count: 0,
            kept: [0; KEPT],
            role: Role::First,
            victim: None,
            victims: Victims::default(),
        }
    }

    fn alone(&mut self, end: u64) -> Outcome {
        for call in 0..end {
            if call.is_multiple_of(BETWEEN_PROMISES) {
                self.look(call, None)?;
            }
            self.call_one();
        }
        self.look(end, None)
    }

    /// The calls from `start` on, with victims and a second thread.
    fn in_company(&mut self, start: u64, plan: Plan, second: Second) -> Outcome {
        second.go_on();
        let mut call = start;
        while call + Second::calls() < plan.calls {
            if call.is_multiple_of(BETWEEN_PROMISES) {
                self.look(call, Some(&second))?;
            }
            if call.is_multiple_of(BETWEEN_VICTIMS) {
                self.see_to_victim(call)?;
                Second::tell(&self.handles);
            }
            self.call_one();
            call += 1;
        }
        self.look(call, Some(&second))?;
        second.end()?;
        line(format_args!(
            "fuzz: {} victims, {} calls of the second thread",
            self.victims.made,
            Second::calls()
        ));
        Ok(())
    }

    /// Makes a victim if there is none any more, or the one that there is is old.
    fn see_to_victim(&mut self, call: u64) -> Outcome {
        let is_old = call - self.victims.at > LIFE;
        if !is_old && self.victim.as_ref().is_some_and(Victim::lives) {
            return Ok(());
        }
        // The program acts as itself again, so that it may make one.
        let _ = NtSetInformationThread(CURRENT_THREAD, IMPERSONATION_TOKEN, &0u64, 8u32);
        if self.victim.take().is_some_and(|victim| !victim.end()) {
            line(format_args!(
                "fuzz: a process does not end, before call {call}"
            ));
            return Err(Failed);
        }
        match Victim::make(&mut self.random) {
            Ok(victim) => {
                let [first, second, third] = victim.threads;
                self.handles
                    .take_victim([victim.process, first, second, third]);
                self.victim = Some(victim);
                self.victims.made += 1;
                self.victims.refused = 0;
                self.victims.at = call;
            }
            Err(status) => {
                self.victims.refused += 1;
                if self.victims.refused > PATIENCE {
                    line(format_args!(
                        "fuzz: no process can be made any more, before call {call}: {status}"
                    ));
                    return Err(Failed);
                }
            }
        }
        Ok(())
    }

    fn list_services(&mut self, role: Role) {
        for service in SERVICES {
            let rule = rules::rule(service);
            let called = !matches!(rule, Rule::Never)
                && (role == Role::First || !rules::makes_handles(service));
            if service.state == State::Done && called && self.done_count < MOST {
                self.done[self.done_count] = service.number;
                self.done_count += 1;
            }
        }
        self.role = role;
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
            self.tally.count(None, status);
            return;
        };
        let rule = rules::rule(service);
        let makes_handles = self.role == Role::Second && rules::makes_handles(service);
        if matches!(rule, Rule::Never) || makes_handles {
            return;
        }
        let mut arguments = [0; MAXIMUM_ARGUMENTS];
        let mut maker = Maker {
            random: &mut self.random,
            ground: &self.ground,
            handles: &self.handles,
            victim: self.victim.as_ref(),
            aimed: false,
        };
        maker.arguments(service, rule, &mut arguments);
        let aimed = maker.aimed;
        if self.role == Role::Second {
            second::note_service(number);
        }
        let own_memory = rules::makes_memory(service) && self.is_own(service, &mut arguments);
        let status = raw(number, &arguments);
        self.tally.count(Some(service.component), status);
        if !aimed {
            self.keep_results(service, &arguments, status, own_memory);
        } else if service.name.starts_with("NtReadVirtualMemory") {
            // What was read may be addresses, which are the program's own as well.
            self.ground.clear();
        } else if rules::makes_handles(service) {
            self.keep_results(service, &arguments, status, own_memory);
        }
    }

    /// Whether memory that a service makes is this program's: a victim's is not given back here, where something else may
    /// be at its address.
    fn is_own(&self, service: &Service, arguments: &mut [u64; MAXIMUM_ARGUMENTS]) -> bool {
        let process = service
            .arguments
            .iter()
            .position(|argument| argument.name == "process");
        let Some(handle) = process.and_then(|place| arguments.get_mut(place)) else {
            return false;
        };
        if self.role == Role::Second {
            // What another handle is to may change until it is looked.
            *handle = CURRENT_PROCESS.0;
        }
        victim::is_own(*handle)
    }

    /// Remembers what a service made, so that others are called with it and it does not stay for ever.
    fn keep_results(
        &mut self,
        service: &Service,
        arguments: &[u64],
        status: NtStatus,
        own_memory: bool,
    ) {
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
            } else if name == "PVOID" && own_memory {
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

    fn give_all_back(&mut self) {
        for base in &mut self.kept {
            give_back(*base);
            *base = 0;
        }
    }

    /// Gives back what was made, and looks whether the kernel does what it promises.
    fn look(&mut self, call: u64, second: Option<&Second>) -> Outcome {
        self.give_all_back();
        let _ = self.ground.renew();
        self.handles.renew();
        let kept = second::undisturbed(second, promise);
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
