//! The handler of C.

use unwind::machine::{Amd64, Arm64};
use unwind::platform::Platform;

use crate::scripts::*;
use crate::support::thread::{Landing, Rig, Thread};

on_both! {
    fn excepts_and_finallys;
    fn filters_answer;
    fn scopes_in_pieces;
    fn leaving_a_scope_within_a_function;
    fn a_call_at_the_end_of_a_scope;
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
