//! The search for a handler.

use nt_abi::NtStatus;
use nt_abi::exception::{ExceptionDisposition, ExceptionFlags};
use unwind::machine::{Amd64, Arm64};
use unwind::platform::{Platform, StackLimits};
use unwind::{UnwindOutcome, UnwindRequest};

use crate::scripts::*;
use crate::support::thread::{BASE, Rig, Thread};

on_both! {
    fn frames_are_asked_from_the_inside;
    fn what_handlers_see;
    fn nobody_wants_it;
    fn what_cannot_be_continued;
    fn answers_that_there_are_not;
    fn nested_searches;
    fn nested_flag_ends_at_the_frame;
    fn nested_flag_of_the_outermost_frame;
    fn stacks_that_make_no_sense;
    fn stubborn_handlers_come_to_an_end;
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

/// The same, where the inner search had come further than the outer one.
fn nested_flag_of_the_outermost_frame<M: Rig>() {
    let mut thread = Thread::<M>::new();
    thread.handled(A, says("a", CONTINUE));
    for (function, name, raises_at) in [(B, "b", 0xE2), (C, "c", 0xE1)] {
        thread.handled(function, move |thread, handling| {
            let record = thread.record(handling.record);
            let code = record.exception_code;
            thread.say(format!("{name} {code:x} {:?}", record.exception_flags));
            if code == raises_at {
                thread.raise(code + 1, NONE);
            }
            SEARCH
        });
    }
    thread.call(A, |thread| {
        thread.call(B, |thread| {
            thread.call(C, |thread| thread.raise(0xE1, NONE));
        });
    });
    assert_eq!(
        thread.trace,
        [
            "c e1 0",
            "c e2 NESTED_CALL",
            "b e2 0",
            // From the handler of b, called for e2 inside of the handler of c, called for e1: up to b.
            "c e3 NESTED_CALL",
            "b e3 NESTED_CALL",
            "a e3 0",
            "a e2 0",
            "b e1 0",
            "a e1 0",
        ]
    );
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
