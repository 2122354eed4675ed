//! Searching handlers and unwinding to them, on scripted stacks of both machines.
//!
//! What is expected is what the documents say of the algorithm: "x64 exception handling" (Microsoft), "Programming against
//! the x64 exception handling support" (Skywing), and the meaning of the flags in `winnt.h`.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]
#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of a test are small"
)]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use nt_abi::NtStatus;
use nt_abi::exception::{ExceptionDisposition, ExceptionFlags};
use nt_abi::w64::ExceptionRecord;
use support::thread::{BASE, FREE, Handling, Landing, Part, Rig, Scope, Thread, Unhandled};
use unwind::machine::{Amd64, Arm64};
use unwind::platform::{Platform, StackLimits};
use unwind::{UnwindOutcome, UnwindRequest};

/// Functions of the scripts.
const A: usize = FREE;
const B: usize = FREE + 1;
const C: usize = FREE + 2;
const D: usize = FREE + 3;
const E: usize = FREE + 4;

const NONE: ExceptionFlags = ExceptionFlags::empty();
const SEARCH: ExceptionDisposition = ExceptionDisposition::CONTINUE_SEARCH;
const CONTINUE: ExceptionDisposition = ExceptionDisposition::CONTINUE_EXECUTION;

/// A test of each machine.
macro_rules! on_both {
    ($($(#[$doc:meta])* fn $name:ident;)*) => {
        mod x64 { $(#[test] fn $name() { super::$name::<super::Amd64>(); })* }
        mod arm64 { $(#[test] fn $name() { super::$name::<super::Arm64>(); })* }
    };
}

on_both! {
    fn frames_are_asked_from_the_inside;
    fn what_handlers_see;
    fn nobody_wants_it;
    fn what_cannot_be_continued;
    fn answers_that_there_are_not;
    fn nested_searches;
    fn nested_flag_ends_at_the_frame;
    fn excepts_and_finallys;
    fn filters_answer;
    fn an_exception_in_a_filter;
    fn an_exception_in_a_finally;
    fn collided_unwinds_run_no_block_twice;
    fn a_search_skips_what_is_unwound;
    fn a_second_unwind_may_stop_earlier;
    fn an_exception_inside_of_a_finally;
    fn unwinding_out_of_a_filter;
    fn unwinding_in_an_unwind_handler;
    fn unwinds_to_the_end;
    fn targets_that_are_no_frames;
    fn stacks_that_make_no_sense;
    fn consolidation;
    fn scopes_in_pieces;
    fn leaving_a_scope_within_a_function;
    fn a_call_at_the_end_of_a_scope;
    fn stubborn_handlers_come_to_an_end;
}

/// Runs a script that nobody handles an exception of; gives its record.
fn unhandled<M: Rig>(
    thread: &mut Thread<M>,
    script: impl FnOnce(&mut Thread<M>),
) -> ExceptionRecord {
    let outcome = catch_unwind(AssertUnwindSafe(|| script(thread)));
    match outcome.unwrap_err().downcast::<Unhandled>() {
        Ok(unhandled) => unhandled.0,
        Err(other) => std::panic::resume_unwind(other),
    }
}

/// A handler that says its name and the record's code and flags, and answers.
fn says<M: Rig>(
    name: &'static str,
    answer: ExceptionDisposition,
) -> impl Fn(&mut Thread<M>, Handling) -> ExceptionDisposition {
    move |thread, handling| {
        let record = thread.record(handling.record);
        thread.say(format!(
            "{name} {:x} {:?}",
            record.exception_code, record.exception_flags
        ));
        answer
    }
}

fn filter(begin: u32, end: u32, number: u32, target: u32) -> Scope {
    Scope {
        begin,
        end,
        part: Part::Filter(number, target),
    }
}

fn always(begin: u32, end: u32, target: u32) -> Scope {
    Scope {
        begin,
        end,
        part: Part::Always(target),
    }
}

fn finally(begin: u32, end: u32, number: u32) -> Scope {
    Scope {
        begin,
        end,
        part: Part::Finally(number),
    }
}

/// A `__finally` block that says its name.
fn block<M: Rig>(thread: &mut Thread<M>, number: u32, name: &'static str) {
    thread.part(number, move |thread, _| {
        thread.say(name);
        0
    });
}

/// A filter that says its name and what it sees, and answers.
fn asks<M: Rig>(thread: &mut Thread<M>, number: u32, name: &'static str, answer: i32) {
    thread.part(number, move |thread, handling| {
        let code = thread.record(handling.record).exception_code;
        thread.say(format!("{name} {code:x}"));
        answer
    });
}

fn frames_are_asked_from_the_inside<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.handled(A, says("a", SEARCH));
    thread.handled(B, says("b", CONTINUE));
    thread.plain(C);
    thread.handled(D, says("d", SEARCH));
    thread.call(A, |thread| {
        thread.call(B, |thread| {
            thread.call(C, |thread| {
                thread.call(D, |thread| {
                    thread.raise(0xE1, NONE);
                    thread.say("goes on");
                });
            });
        });
    });
    assert_eq!(thread.trace, ["d e1 0", "b e1 0", "goes on"]);
}

fn what_handlers_see<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.handled(A, |thread, handling| {
        let call = thread.dispatcher_at(handling.dispatcher);
        assert_eq!(call.control_pc, Thread::<M>::place(A, 0x70));
        assert_eq!(call.image_base, BASE);
        assert_eq!(call.function_entry, 0xE000 + A as u64);
        assert_eq!(call.establisher_frame, handling.frame);
        assert_eq!(call.scope_index, 0);
        assert_eq!(call.handler_data, BASE + 0x10000 + 0x200 * A as u64 + 12);
        // The exception's registers are those of the function that raised it, and the walk's those of the caller.
        let raised = Platform::context(thread, handling.context);
        assert_eq!(M::pc(&raised), Thread::<M>::place(B, 0x88));
        assert_eq!(M::pc(&Platform::context(thread, call.context)), 0);
        thread.say(format!("frame {:x}", handling.frame));
        CONTINUE
    });
    thread.plain(B);
    let mut frame = 0;
    thread.call(A, |thread| {
        frame = thread.frame();
        thread.at(A, 0x70);
        thread.call(B, |thread| {
            thread.at(B, 0x88);
            thread.raise(0xE1, NONE);
        });
    });
    assert_eq!(thread.trace, [format!("frame {frame:x}")]);
}

fn nobody_wants_it<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.handled(A, says("a", SEARCH));
    let record = unhandled(&mut thread, |thread| {
        thread.call(A, |thread| {
            thread.raise(0xE1, ExceptionFlags::SOFTWARE_ORIGINATE)
        });
    });
    assert_eq!(record.exception_flags, ExceptionFlags::SOFTWARE_ORIGINATE);
    assert_eq!(thread.trace, ["a e1 SOFTWARE_ORIGINATE"]);
}

fn what_cannot_be_continued<M: Rig>() {
    for by_handler in [false, true] {
        let mut thread = Thread::<M>::new();
        thread.handled(A, |thread, handling| {
            let record = thread.record(handling.record);
            let about = thread.record(record.exception_record).exception_code;
            thread.say(format!("a {:?} about {about:x}", record.code()));
            SEARCH
        });
        thread.handled(B, move |thread, handling| {
            let record = thread.record(handling.record);
            if record.exception_code != 0xE1 {
                return SEARCH;
            }
            if by_handler {
                thread.set_record_flags(handling.record, ExceptionFlags::NONCONTINUABLE);
            }
            CONTINUE
        });
        let flags = if by_handler {
            NONE
        } else {
            ExceptionFlags::NONCONTINUABLE
        };
        let record = unhandled(&mut thread, |thread| {
            thread.call(A, |thread| {
                thread.call(B, |thread| thread.raise(0xE1, flags));
            });
        });
        assert_eq!(record.code(), NtStatus::NONCONTINUABLE_EXCEPTION);
        assert_eq!(record.exception_flags, ExceptionFlags::NONCONTINUABLE);
        let expected = format!("a {:?} about e1", NtStatus::NONCONTINUABLE_EXCEPTION);
        assert_eq!(thread.trace, [expected]);
    }
}

fn answers_that_there_are_not<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.handled(A, |thread, handling| {
        match thread.record(handling.record).exception_code {
            0xE1 => ExceptionDisposition(4),
            _ => SEARCH,
        }
    });
    let record = unhandled(&mut thread, |thread| {
        thread.call(A, |thread| thread.raise(0xE1, NONE));
    });
    assert_eq!(record.code(), NtStatus::INVALID_DISPOSITION);
    assert_eq!(record.exception_flags, ExceptionFlags::NONCONTINUABLE);
}

/// An exception in a handler is searched through the frames again; those up to the one whose handler it is are told.
fn nested_searches<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.handled(A, says("a", CONTINUE));
    thread.handled(B, |thread, handling| {
        let record = thread.record(handling.record);
        thread.say(format!(
            "b {:x} {:?}",
            record.exception_code, record.exception_flags
        ));
        if record.exception_code == 0xE1 {
            thread.raise(0xE2, NONE);
            thread.say("b goes on");
        }
        SEARCH
    });
    thread.handled(C, says("c", SEARCH));
    thread.call(A, |thread| {
        thread.call(B, |thread| {
            thread.call(C, |thread| {
                thread.raise(0xE1, NONE);
                thread.say("goes on");
            });
        });
    });
    assert_eq!(
        thread.trace,
        [
            "c e1 0",
            "b e1 0",
            // Found through the handler's own frames, which is why these calls are nested.
            "c e2 NESTED_CALL",
            "b e2 NESTED_CALL",
            "a e2 0",
            "b goes on",
            "a e1 0",
            "goes on",
        ]
    );
}

/// The outermost of several interrupted frames counts.
fn nested_flag_ends_at_the_frame<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.handled(A, says("a", CONTINUE));
    thread.handled(B, |thread, handling| {
        let record = thread.record(handling.record);
        thread.say(format!(
            "b {:x} {:?}",
            record.exception_code, record.exception_flags
        ));
        if record.exception_code == 0xE1 {
            thread.raise(0xE2, NONE);
        }
        SEARCH
    });
    thread.handled(C, |thread, handling| {
        let record = thread.record(handling.record);
        thread.say(format!(
            "c {:x} {:?}",
            record.exception_code, record.exception_flags
        ));
        if record.exception_code == 0xE2 {
            thread.raise(0xE3, NONE);
        }
        SEARCH
    });
    thread.call(A, |thread| {
        thread.call(B, |thread| {
            thread.call(C, |thread| thread.raise(0xE1, NONE));
        });
    });
    assert_eq!(
        thread.trace,
        [
            "c e1 0",
            "b e1 0",
            "c e2 NESTED_CALL",
            // From the handler of c, called for e2, out to the handler of b, called for e1.
            "c e3 NESTED_CALL",
            "b e3 NESTED_CALL",
            "a e3 0",
            "b e2 NESTED_CALL",
            "a e2 0",
            "a e1 0",
        ]
    );
}

fn excepts_and_finallys<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.scoped(A, &[filter(0x30, 0x60, 1, 0xA0)]);
    thread.handled(B, says("b", SEARCH));
    thread.scoped(
        C,
        &[
            finally(0x30, 0x50, 2),
            finally(0x20, 0x60, 3),
            finally(0x70, 0x80, 4),
        ],
    );
    thread.plain(D);
    asks(&mut thread, 1, "filter", 1);
    block(&mut thread, 2, "inner");
    block(&mut thread, 3, "outer");
    block(&mut thread, 4, "elsewhere");
    let landing = thread.call(A, |thread| {
        thread.call(B, |thread| {
            thread.call(C, |thread| {
                thread.call(D, |thread| thread.raise(0xE0000001, NONE));
            });
        });
    });
    // The block begins with the code where a result is.
    assert_eq!(
        landing,
        Some(Landing {
            offset: 0xA0,
            result: 0xE000_0001
        })
    );
    assert_eq!(
        thread.trace,
        [
            "b e0000001 0",
            "filter e0000001",
            "inner",
            "outer",
            "b e0000001 UNWINDING"
        ]
    );
}

fn filters_answer<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.scoped(A, &[always(0x30, 0x60, 0xC0)]);
    thread.scoped(
        B,
        &[filter(0x38, 0x50, 1, 0xA0), filter(0x30, 0x60, 2, 0xB0)],
    );
    asks(&mut thread, 1, "no", 0);
    thread.part(2, |thread, handling| {
        let code = thread.record(handling.record).exception_code;
        thread.say(format!("asked {code:x}"));
        match code {
            0xE1 => -1,
            0xE2 => 5,
            _ => 0,
        }
    });
    let mut landings = Vec::new();
    for code in [0xE1, 0xE2, 0xE3] {
        let outer = thread.call(A, |thread| {
            let inner = thread.call(B, |thread| {
                thread.raise(code, NONE);
                thread.say("goes on");
            });
            landings.push(inner.map(|landing| landing.offset));
        });
        landings.push(outer.map(|landing| landing.offset));
    }
    assert_eq!(landings, [None, None, Some(0xB0), None, Some(0xC0)]);
    assert_eq!(
        thread.trace,
        [
            "no e1", "asked e1", "goes on", "no e2", "asked e2", "no e3", "asked e3"
        ]
    );
}

/// The filter is asked again, about the second exception.
fn an_exception_in_a_filter<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.scoped(A, &[filter(0x30, 0x60, 1, 0xA0)]);
    thread.scoped(B, &[filter(0x30, 0x60, 2, 0xB0), finally(0x30, 0x60, 3)]);
    asks(&mut thread, 1, "outer", 1);
    block(&mut thread, 3, "finally");
    thread.part(2, |thread, handling| {
        let record = thread.record(handling.record);
        thread.say(format!(
            "inner {:x} {:?}",
            record.exception_code, record.exception_flags
        ));
        if record.exception_code == 0xE1 {
            thread.raise(0xE2, NONE);
        }
        0
    });
    let landing = thread.call(A, |thread| {
        thread.call(B, |thread| thread.raise(0xE1, NONE));
    });
    assert_eq!(landing.unwrap().result, 0xE2);
    assert_eq!(
        thread.trace,
        ["inner e1 0", "inner e2 NESTED_CALL", "outer e2", "finally"]
    );
}

fn an_exception_in_a_finally<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.scoped(A, &[filter(0x30, 0x60, 1, 0xA0)]);
    thread.handled(B, says("b", SEARCH));
    thread.scoped(C, &[finally(0x30, 0x60, 2)]);
    asks(&mut thread, 1, "filter", 1);
    thread.part(2, |thread, _| {
        thread.say("finally");
        thread.raise(0xE2, NONE);
        0
    });
    let landing = thread.call(A, |thread| {
        thread.call(B, |thread| {
            thread.call(C, |thread| thread.raise(0xE1, NONE));
        });
    });
    assert_eq!(landing.unwrap().result, 0xE2);
    assert_eq!(
        thread.trace,
        [
            "b e1 0",
            "filter e1",
            "finally",
            "b e2 0",
            "filter e2",
            // The second unwind comes to the first one in c, whose scopes are all left, and goes on in b.
            "b e2 UNWINDING",
        ]
    );
}

/// Three blocks in one function, of which the second raises: the first does not run again, the third does.
fn collided_unwinds_run_no_block_twice<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.scoped(A, &[always(0x30, 0x60, 0xA0)]);
    thread.scoped(
        B,
        &[
            finally(0x38, 0x50, 1),
            finally(0x34, 0x58, 2),
            finally(0x30, 0x60, 3),
        ],
    );
    block(&mut thread, 1, "one");
    block(&mut thread, 3, "three");
    thread.part(2, |thread, _| {
        thread.say("two");
        thread.raise(0xE2, NONE);
        0
    });
    let landing = thread.call(A, |thread| {
        thread.call(B, |thread| thread.raise(0xE1, NONE));
    });
    assert_eq!(landing.unwrap().result, 0xE2);
    assert_eq!(thread.trace, ["one", "two", "three"]);
}

/// Frames that an unwind has left are not asked about an exception in the handler of the next one; neither are scopes of
/// its function that are left.
fn a_search_skips_what_is_unwound<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.scoped(A, &[always(0x30, 0x60, 0xA0)]);
    thread.scoped(
        B,
        &[
            filter(0x3C, 0x48, 1, 0xB0),
            finally(0x38, 0x50, 2),
            filter(0x34, 0x60, 3, 0xC0),
        ],
    );
    thread.handled(C, says("c", SEARCH));
    asks(&mut thread, 1, "left", 0);
    asks(&mut thread, 3, "around", 0);
    thread.part(2, |thread, _| {
        thread.say("finally");
        thread.raise(0xE2, NONE);
        0
    });
    thread.call(A, |thread| {
        thread.call(B, |thread| {
            thread.call(C, |thread| thread.raise(0xE1, NONE));
        });
    });
    assert_eq!(
        thread.trace,
        [
            "c e1 0",
            "left e1",
            "around e1",
            "c e1 UNWINDING",
            "finally",
            "around e2"
        ]
    );
}

/// The second exception is caught between the first one's handler and its target: the first unwind is forgotten.
fn a_second_unwind_may_stop_earlier<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.scoped(A, &[filter(0x30, 0x60, 1, 0xA0)]);
    thread.scoped(B, &[filter(0x30, 0x60, 2, 0xB0), finally(0x30, 0x60, 3)]);
    thread.scoped(C, &[finally(0x30, 0x60, 4)]);
    asks(&mut thread, 1, "a", 1);
    thread.part(2, |thread, handling| {
        i32::from(thread.record(handling.record).exception_code == 0xE2)
    });
    block(&mut thread, 3, "not run");
    thread.part(4, |thread, _| {
        thread.raise(0xE2, NONE);
        0
    });
    let outer = thread.call(A, |thread| {
        let inner = thread.call(B, |thread| {
            thread.call(C, |thread| thread.raise(0xE1, NONE));
        });
        assert_eq!(
            inner,
            Some(Landing {
                offset: 0xB0,
                result: 0xE2
            })
        );
        thread.say("lands in b");
    });
    assert_eq!(outer, None);
    assert_eq!(thread.trace, ["a e1", "lands in b"]);
}

/// An exception that is caught within a `__finally` block is nobody else's.
fn an_exception_inside_of_a_finally<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.scoped(A, &[always(0x30, 0x60, 0xA0)]);
    thread.scoped(B, &[finally(0x30, 0x60, 1), finally(0x30, 0x60, 2)]);
    thread.scoped(C, &[always(0x30, 0x60, 0xC0)]);
    block(&mut thread, 2, "two");
    thread.part(1, |thread, _| {
        let landing = thread.call(C, |thread| thread.raise(0xE2, NONE));
        thread.say(format!("caught {:x}", landing.unwrap().result));
        0
    });
    let landing = thread.call(A, |thread| {
        thread.call(B, |thread| thread.raise(0xE1, NONE));
    });
    assert_eq!(landing.unwrap().result, 0xE1);
    assert_eq!(thread.trace, ["caught e2", "two"]);
}

fn request(frame: u64, pc: u64, result: u64) -> UnwindRequest {
    UnwindRequest {
        target_frame: Some(frame),
        target_pc: pc,
        record: 0,
        result,
        history_table: 0,
    }
}

/// A filter that unwinds by itself: its search's frames are undone, without a word to the handlers that were asked.
fn unwinding_out_of_a_filter<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.plain(A);
    thread.handled(B, says("b", SEARCH));
    thread.scoped(C, &[filter(0x30, 0x60, 1, 0xC0), finally(0x30, 0x60, 2)]);
    block(&mut thread, 2, "finally");
    let landing = thread.call(A, |thread| {
        let frame = thread.frame();
        thread.part(1, move |thread, _| {
            let outcome = thread.unwind(request(frame, Thread::<M>::place(A, 0xD0), 7));
            panic!("{outcome:?}");
        });
        thread.call(B, |thread| {
            thread.call(C, |thread| thread.raise(0xE1, NONE));
        });
    });
    assert_eq!(
        landing,
        Some(Landing {
            offset: 0xD0,
            result: 7
        })
    );
    assert_eq!(thread.trace, ["finally", "b c0000027 UNWINDING"]);
}

/// An unwind in a handler that an unwind calls: the handler is called once more, for both collided and, if it is the
/// target, that.
fn unwinding_in_an_unwind_handler<M: Rig>() {
    for to_itself in [false, true] {
        let mut thread = Thread::<M>::new();
        thread.scoped(A, &[always(0x30, 0x60, 0xA0)]);
        thread.handled(B, says("b", SEARCH));
        thread.plain(D);
        let target = std::rc::Rc::new(std::cell::Cell::new(0));
        let known = std::rc::Rc::clone(&target);
        thread.handled(C, move |thread, handling| {
            let record = thread.record(handling.record);
            let flags = record.exception_flags;
            let call = thread.dispatcher_at(handling.dispatcher);
            thread.say(format!("c {:x} {flags:?}", record.exception_code));
            if flags == ExceptionFlags::UNWINDING {
                let frame = if to_itself {
                    handling.frame
                } else {
                    known.get()
                };
                let outcome = thread.unwind(request(frame, Thread::<M>::place(C, 0xE0), 9));
                panic!("{outcome:?}");
            }
            if flags.contains(ExceptionFlags::COLLIDED_UNWIND) {
                assert_eq!(call.target, Thread::<M>::place(C, 0xE0));
                assert_eq!(call.control_pc, Thread::<M>::place(C, 0x40));
            }
            SEARCH
        });
        let mut inner = None;
        let outer = thread.call(A, |thread| {
            thread.call(B, |thread| {
                target.set(thread.frame());
                inner = thread.call(C, |thread| {
                    thread.call(D, |thread| thread.raise(0xE1, NONE));
                });
                thread.say("in b");
            });
        });
        if to_itself {
            assert_eq!(
                inner,
                Some(Landing {
                    offset: 0xE0,
                    result: 9
                })
            );
            assert_eq!(outer, None);
            assert_eq!(
                thread.trace,
                [
                    "c e1 0",
                    "b e1 0",
                    "c e1 UNWINDING",
                    "c c0000027 UNWINDING | TARGET_UNWIND | COLLIDED_UNWIND",
                    "in b"
                ]
            );
        } else {
            assert_eq!((inner, outer), (None, None));
            assert_eq!(
                thread.trace,
                [
                    "c e1 0",
                    "b e1 0",
                    "c e1 UNWINDING",
                    "c c0000027 UNWINDING | COLLIDED_UNWIND",
                    "b c0000027 UNWINDING | TARGET_UNWIND"
                ]
            );
        }
    }
}

fn unwinds_to_the_end<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.handled(A, says("a", SEARCH));
    thread.scoped(B, &[finally(0x30, 0x60, 1), always(0x30, 0x60, 0xB0)]);
    block(&mut thread, 1, "finally");
    thread.call(A, |thread| {
        thread.call(B, |thread| {
            let outcome = thread.unwind(UnwindRequest {
                target_frame: None,
                ..request(0, 0, 0)
            });
            assert_eq!(outcome, UnwindOutcome::NoTarget);
        });
    });
    assert_eq!(
        thread.trace,
        ["finally", "a c0000027 UNWINDING | EXIT_UNWIND"]
    );
}

fn targets_that_are_no_frames<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.handled(A, says("a", SEARCH));
    thread.handled(B, says("b", SEARCH));
    thread.call(A, |thread| {
        let frame = thread.frame();
        thread.call(B, |thread| {
            // Between b and a: b is told, and then a is beyond the target.
            let outcome = thread.unwind(request(frame - 16, Thread::<M>::place(A, 0xA0), 0));
            let expected = UnwindOutcome::Raise(NtStatus::INVALID_UNWIND_TARGET);
            assert_eq!(outcome, expected);
            // Above everything: the stack ends first.
            let outcome = thread.unwind(request(frame + 0x8000, 0, 0));
            assert_eq!(outcome, UnwindOutcome::NoTarget);
        });
    });
    assert_eq!(
        thread.trace,
        [
            "b c0000027 UNWINDING",
            "b c0000027 UNWINDING",
            "a c0000027 UNWINDING"
        ]
    );
}

fn stacks_that_make_no_sense<M: Rig>() {
    // The outer frame is not in the limits, at one end or at the other; its handler is not called.
    for too_low in [true, false] {
        let mut thread = Thread::<M>::new();
        thread.handled(A, says("a", SEARCH));
        thread.handled(B, says("b", SEARCH));
        let record = unhandled(&mut thread, |thread| {
            thread.call(A, |thread| {
                let (frame, sp) = (thread.frame(), thread.frame() - M::frame(0));
                thread.call(B, |thread| {
                    thread.limits = if too_low {
                        StackLimits {
                            low: frame + 16,
                            high: u64::MAX,
                        }
                    } else {
                        StackLimits {
                            low: 0,
                            high: sp + 8,
                        }
                    };
                    let outcome = thread.unwind(request(frame, 0, 0));
                    assert_eq!(outcome, UnwindOutcome::Raise(NtStatus::BAD_STACK));
                    thread.raise(0xE1, NONE);
                });
            });
        });
        assert_eq!(record.exception_flags, ExceptionFlags::STACK_INVALID);
        match too_low {
            true => assert!(thread.trace.is_empty(), "{:?}", thread.trace),
            false => assert_eq!(thread.trace, ["b c0000027 UNWINDING", "b e1 0"]),
        }
    }
    // A frame that is not aligned.
    let mut thread = Thread::<M>::new();
    thread.handled(A, says("a", SEARCH));
    let record = unhandled(&mut thread, |thread| {
        thread.skew(4);
        thread.call(A, |thread| thread.raise(0xE1, NONE));
    });
    assert_eq!(record.exception_flags, ExceptionFlags::STACK_INVALID);
    assert!(thread.trace.is_empty(), "{:?}", thread.trace);
}

fn consolidation<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.handled(A, says("a", SEARCH));
    thread.plain(B);
    let mut parameters = [0; 15];
    parameters[10] = u64::MAX;
    let record = thread.new_record(ExceptionRecord {
        exception_code: NtStatus::UNWIND_CONSOLIDATE.0,
        number_parameters: 11,
        exception_information: parameters,
        ..ExceptionRecord::default()
    });
    let landing = thread.call(A, |thread| {
        let frame = thread.frame();
        thread.at(A, 0x60);
        thread.call(B, |thread| {
            let outcome = thread.unwind(UnwindRequest {
                record,
                ..request(frame, 0x1234, 5)
            });
            panic!("{outcome:?}");
        });
    });
    // It goes on where the function was: the record's function says where, when it has been called.
    assert_eq!(
        landing,
        Some(Landing {
            offset: 0x60,
            result: 5
        })
    );
    let filled = thread.record(record).exception_information[10];
    match M::CONSOLIDATES_REGISTERS {
        true => assert!(thread.registers.contains_key(&filled)),
        false => assert_eq!(filled, u64::MAX),
    }
    assert_eq!(thread.trace, ["a 80000029 UNWINDING | TARGET_UNWIND"]);
}

/// A scope that the compiler wrote in two pieces is one: an unwind from one to the other leaves nothing.
fn scopes_in_pieces<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.scoped(
        A,
        &[
            finally(0x34, 0x48, 1),
            finally(0x30, 0x50, 2),
            finally(0x80, 0xA0, 2),
        ],
    );
    thread.plain(B);
    block(&mut thread, 1, "inner");
    block(&mut thread, 2, "outer");
    for (target, expected) in [(0x90, vec!["inner"]), (0xC0, vec!["inner", "outer"])] {
        thread.trace.clear();
        let landing = thread.call(A, |thread| {
            let frame = thread.frame();
            thread.call(B, |thread| {
                thread.unwind(request(frame, Thread::<M>::place(A, target), 1));
            });
        });
        assert_eq!(landing.unwrap().offset, target);
        assert_eq!(thread.trace, expected, "{target:#x}");
    }
}

/// `goto` out of scopes, into the one around them: the inner ones end, the outer one does not.
fn leaving_a_scope_within_a_function<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.scoped(
        A,
        &[
            finally(0x38, 0x48, 1),
            filter(0x34, 0x50, 9, 0xD0),
            finally(0x30, 0x60, 2),
            finally(0x20, 0x80, 3),
        ],
    );
    thread.plain(B);
    for (number, name) in [(1, "one"), (2, "two"), (3, "three")] {
        block(&mut thread, number, name);
    }
    for (target, expected) in [
        (0x44, vec![]),
        (0x58, vec!["one"]),
        (0x70, vec!["one", "two"]),
        (0x90, vec!["one", "two", "three"]),
        // The block of the filter's scope: the scopes around it are not listed as around the block, but they are.
        (0xD0, vec!["one"]),
    ] {
        thread.trace.clear();
        thread.call(A, |thread| {
            let frame = thread.frame();
            thread.call(B, |thread| {
                thread.unwind(request(frame, Thread::<M>::place(A, target), 1));
            });
        });
        assert_eq!(thread.trace, expected, "{target:#x}");
    }
}

/// A call that is the last instruction of a scope returns behind it. ARM64 looks at the call; x64's compilers put an
/// instruction behind it.
fn a_call_at_the_end_of_a_scope<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.scoped(A, &[always(0x30, 0x44, 0xA0), always(0x44, 0x60, 0xB0)]);
    thread.plain(B);
    let landing = thread.call(A, |thread| {
        thread.at(A, 0x44);
        thread.call(B, |thread| thread.raise(0xE1, NONE));
    });
    let is_arm = M::FRAME_ALIGNMENT == 16;
    assert_eq!(landing.unwrap().offset, if is_arm { 0xA0 } else { 0xB0 });
    // An instruction that raises by itself is where it is.
    let landing = thread.call(A, |thread| {
        thread.at(A, 0x44);
        thread.raise(0xE1, NONE);
    });
    assert_eq!(landing.unwrap().offset, 0xB0);
}

/// A handler that always answers that it met another unwind does not get a walk to go on for ever.
fn stubborn_handlers_come_to_an_end<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.handled(A, |_, _| ExceptionDisposition::COLLIDED_UNWIND);
    thread.handled(B, |_, _| ExceptionDisposition::NESTED_EXCEPTION);
    thread.plain(E);
    let record = unhandled(&mut thread, |thread| {
        thread.call(A, |thread| {
            thread.call(B, |thread| {
                let outcome = thread.unwind(UnwindRequest {
                    target_frame: None,
                    ..request(0, 0, 0)
                });
                assert_eq!(outcome, UnwindOutcome::Raise(NtStatus::INVALID_DISPOSITION));
            });
            let outcome = thread.unwind(UnwindRequest {
                target_frame: None,
                ..request(0, 0, 0)
            });
            assert_eq!(outcome, UnwindOutcome::Raise(NtStatus::BAD_STACK));
            thread.raise(0xE1, NONE);
        });
    });
    assert!(
        record
            .exception_flags
            .contains(ExceptionFlags::STACK_INVALID)
    );
    assert!(thread.calls < 100, "{}", thread.calls);
}
