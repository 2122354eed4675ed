//! Registered handlers of x86: searches and unwinds over scripted lists.
//!
//! What is expected is what Matt Pietrek's article and `winnt.h` say.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]
#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of a test are small"
)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use nt_abi::NtStatus;
use nt_abi::exception::{ExceptionDisposition, ExceptionFlags};
use unwind::chain::{ChainPlatform, END, Registration, collided, nested, search, unwind};
use unwind::platform::Purpose;
use unwind::{SearchOutcome, UnwindOutcome};

const LOW: u32 = 0x10_0000;
const HIGH: u32 = 0x20_0000;
const SEARCH: ExceptionDisposition = ExceptionDisposition::CONTINUE_SEARCH;
const CONTINUE: ExceptionDisposition = ExceptionDisposition::CONTINUE_EXECUTION;

type Script = Rc<dyn Fn(&mut Thread, u32, u32) -> ExceptionDisposition>;

/// A thread whose handlers are scripts: they get the record and the registration.
struct Thread {
    first: u32,
    registrations: BTreeMap<u32, Registration>,
    scripts: Vec<Script>,
    records: BTreeMap<u32, ExceptionFlags>,
    /// Handlers that must not be called.
    refused: Vec<u32>,
    sp: u32,
    /// What a handler of our own has named.
    named: Option<u32>,
    trace: Rc<RefCell<Vec<String>>>,
}

impl Thread {
    fn new() -> Self {
        Self {
            first: END,
            registrations: BTreeMap::new(),
            scripts: Vec::new(),
            records: BTreeMap::new(),
            refused: Vec::new(),
            sp: HIGH,
            named: None,
            trace: Rc::default(),
        }
    }

    fn say(&self, text: impl Into<String>) {
        self.trace.borrow_mut().push(text.into());
    }

    fn trace(&self) -> Vec<String> {
        self.trace.borrow().clone()
    }

    /// Enters a function with a handler; gives its registration.
    fn enter(
        &mut self,
        script: impl Fn(&mut Self, u32, u32) -> ExceptionDisposition + 'static,
    ) -> u32 {
        self.sp -= 0x40;
        self.scripts.push(Rc::new(script));
        let registration = Registration {
            next: self.first,
            handler: 0x40_0000 + self.scripts.len() as u32,
        };
        self.first = self.sp;
        self.registrations.insert(self.sp, registration);
        self.sp
    }

    /// Enters a function whose handler says its name and the flags.
    fn says(&mut self, name: &'static str, answer: ExceptionDisposition) -> u32 {
        self.enter(move |thread, record, _| {
            thread.say(format!("{name} {record:x} {:?}", thread.flags(record)));
            answer
        })
    }

    fn raise(&mut self, record: u32, flags: ExceptionFlags) -> SearchOutcome {
        self.records.insert(record, flags);
        search(self, record, 0)
    }

    fn unwind(&mut self, record: u32, target: Option<u32>) -> UnwindOutcome {
        self.records.entry(record).or_default();
        unwind(self, target, record, 0)
    }
}

impl ChainPlatform for Thread {
    fn first(&self) -> u32 {
        self.first
    }

    fn set_first(&mut self, registration: u32) {
        self.first = registration;
    }

    fn registration(&self, address: u32) -> Option<Registration> {
        self.registrations.get(&address).copied()
    }

    fn stack_limits(&self) -> (u32, u32) {
        (LOW, HIGH)
    }

    fn may_call(&self, handler: u32) -> bool {
        !self.refused.contains(&handler)
    }

    fn flags(&self, record: u32) -> ExceptionFlags {
        self.records[&record]
    }

    fn set_flags(&mut self, record: u32, flags: ExceptionFlags) {
        self.records.insert(record, flags);
    }

    fn call_handler(
        &mut self,
        purpose: Purpose,
        record: u32,
        registration: u32,
        _context: u32,
        handler: u32,
        dispatcher: &mut u32,
    ) -> ExceptionDisposition {
        let script = Rc::clone(&self.scripts[(handler - 0x40_0001) as usize]);
        let before = (self.first, self.sp);
        // The function that calls handlers registers one of its own, which names the registration that it calls for.
        let own = self.enter(move |thread, record, _| {
            let flags = thread.flags(record);
            let (answer, name) = match purpose {
                Purpose::Search => nested(flags, registration),
                Purpose::Unwind => collided(flags, registration),
            };
            thread.say(format!("{purpose:?} interrupted"));
            thread.named = name;
            answer
        });
        let answer = script(self, record, registration);
        // It takes its registration off again, unless an unwind has.
        if self.first == own {
            self.first = before.0;
        }
        self.sp = before.1;
        if let Some(name) = self.named.take() {
            *dispatcher = name;
        }
        answer
    }
}

#[test]
fn handlers_are_asked_from_the_inside() {
    let mut thread = Thread::new();
    thread.says("a", SEARCH);
    thread.says("b", CONTINUE);
    thread.says("c", SEARCH);
    assert_eq!(
        thread.raise(1, ExceptionFlags::empty()),
        SearchOutcome::Continue
    );
    assert_eq!(thread.trace(), ["c 1 0", "b 1 0"]);
}

#[test]
fn nobody_wants_it() {
    let mut thread = Thread::new();
    thread.says("a", SEARCH);
    let flags = ExceptionFlags::SOFTWARE_ORIGINATE;
    assert_eq!(thread.raise(1, flags), SearchOutcome::Unhandled);
    assert_eq!(thread.flags(1), flags);
    assert_eq!(Thread::new().raise(1, flags), SearchOutcome::Unhandled);
}

#[test]
fn answers() {
    for (answer, flags, expected) in [
        (
            CONTINUE,
            ExceptionFlags::NONCONTINUABLE,
            NtStatus::NONCONTINUABLE_EXCEPTION,
        ),
        (
            ExceptionDisposition::COLLIDED_UNWIND,
            ExceptionFlags::empty(),
            NtStatus::INVALID_DISPOSITION,
        ),
        (
            ExceptionDisposition(7),
            ExceptionFlags::empty(),
            NtStatus::INVALID_DISPOSITION,
        ),
    ] {
        let mut thread = Thread::new();
        thread.says("a", answer);
        assert_eq!(thread.raise(1, flags), SearchOutcome::Raise(expected));
    }
    let mut thread = Thread::new();
    let a = thread.says("a", SEARCH);
    thread.says("b", CONTINUE);
    let expected = UnwindOutcome::Raise(NtStatus::INVALID_DISPOSITION);
    assert_eq!(thread.unwind(1, Some(a)), expected);
}

/// The handler's own frames are asked first, and its registration is told that the call is nested.
#[test]
fn nested_searches() {
    let mut thread = Thread::new();
    thread.says("a", CONTINUE);
    thread.enter(|thread, record, _| {
        thread.say(format!("b {record:x} {:?}", thread.flags(record)));
        if record == 1 {
            assert_eq!(
                thread.raise(2, ExceptionFlags::empty()),
                SearchOutcome::Continue
            );
        }
        SEARCH
    });
    thread.says("c", SEARCH);
    assert_eq!(
        thread.raise(1, ExceptionFlags::empty()),
        SearchOutcome::Continue
    );
    assert_eq!(
        thread.trace(),
        [
            "c 1 0",
            "b 1 0",
            "Search interrupted",
            "c 2 NESTED_CALL",
            "b 2 NESTED_CALL",
            "a 2 0",
            "a 1 0"
        ]
    );
}

#[test]
fn unwinding_takes_registrations_off() {
    let mut thread = Thread::new();
    thread.says("a", SEARCH);
    let b = thread.says("b", SEARCH);
    thread.says("c", SEARCH);
    thread.says("d", SEARCH);
    assert_eq!(thread.unwind(1, Some(b)), UnwindOutcome::GoOn);
    assert_eq!(thread.first, b);
    assert_eq!(thread.trace(), ["d 1 UNWINDING", "c 1 UNWINDING"]);
    // Once more: nothing is left to do.
    assert_eq!(thread.unwind(1, Some(b)), UnwindOutcome::GoOn);
    assert_eq!(thread.trace().len(), 2);
}

#[test]
fn unwinding_to_the_end() {
    for (target, outcome, flags) in [
        (None, UnwindOutcome::NoTarget, "UNWINDING | EXIT_UNWIND"),
        (Some(END), UnwindOutcome::GoOn, "UNWINDING"),
    ] {
        let mut thread = Thread::new();
        thread.says("a", SEARCH);
        thread.says("b", SEARCH);
        assert_eq!(thread.unwind(1, target), outcome);
        assert_eq!(thread.first, END);
        assert_eq!(
            thread.trace(),
            [format!("b 1 {flags}"), format!("a 1 {flags}")]
        );
    }
}

/// An unwind in a handler that an unwind calls takes over what that one had to do.
#[test]
fn collided_unwinds() {
    let mut thread = Thread::new();
    let a = thread.says("a", SEARCH);
    thread.says("b", SEARCH);
    thread.enter(move |thread, record, _| {
        thread.say(format!("c {record:x}"));
        if record == 1 {
            assert_eq!(thread.unwind(2, Some(a)), UnwindOutcome::GoOn);
            assert_eq!(thread.first, a);
        }
        SEARCH
    });
    thread.says("d", SEARCH);
    assert_eq!(thread.unwind(1, None), UnwindOutcome::NoTarget);
    // The second one begins in the handler, meets the first one at c, and goes on behind it.
    assert_eq!(
        thread.trace()[..4],
        [
            "d 1 UNWINDING | EXIT_UNWIND",
            "c 1",
            "Unwind interrupted",
            "b 2 UNWINDING"
        ]
    );
}

#[test]
fn targets_that_are_not_registered() {
    let mut thread = Thread::new();
    let a = thread.says("a", SEARCH);
    let b = thread.says("b", SEARCH);
    for (target, status) in [
        (b - 4, NtStatus::INVALID_UNWIND_TARGET),
        (a - 4, NtStatus::INVALID_UNWIND_TARGET),
    ] {
        assert_eq!(thread.unwind(1, Some(target)), UnwindOutcome::Raise(status));
    }
}

#[test]
fn lists_that_make_no_sense() {
    type Damage = fn(&mut Thread, u32);
    let damages: [Damage; 6] = [
        |thread, _| thread.first = LOW - 8,
        |thread, _| thread.first = HIGH - 4,
        |thread, _| thread.first += 2,
        // No memory.
        |thread, _| thread.first -= 0x10,
        // To itself.
        |thread, b| thread.registrations.get_mut(&b).unwrap().next = b,
        |thread, b| {
            let handler = thread.registrations[&b].handler;
            thread.refused.push(handler);
        },
    ];
    for damage in damages {
        let mut thread = Thread::new();
        let a = thread.says("a", SEARCH);
        let b = thread.says("b", SEARCH);
        damage(&mut thread, b);
        let first = thread.first;
        assert_eq!(
            thread.raise(1, ExceptionFlags::empty()),
            SearchOutcome::Unhandled
        );
        assert!(thread.flags(1).contains(ExceptionFlags::STACK_INVALID));
        thread.first = first;
        if first >= LOW && first <= a {
            let expected = UnwindOutcome::Raise(NtStatus::BAD_STACK);
            assert_eq!(thread.unwind(2, Some(a)), expected);
        }
    }
}
