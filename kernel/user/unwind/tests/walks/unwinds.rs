//! Unwinds, and exceptions in what they call.

use nt_abi::NtStatus;
use nt_abi::exception::ExceptionFlags;
use nt_abi::w64::ExceptionRecord;
use unwind::machine::{Amd64, Arm64};
use unwind::platform::Platform;
use unwind::{UnwindOutcome, UnwindRequest};

use crate::scripts::*;
use crate::support::thread::{Landing, Rig, Thread};

on_both! {
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
    fn consolidation;
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
