//! Things that are done once.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::vec::Vec;

use c_interface::{Function, Ptr};
use nt_abi::NtStatus;
use nt_abi::native::{Pointer, RtlRunOnce};
use nt_abi::synchronization::RunOnceFlags;

use super::host::{Host, Pair, THREADS, in_threads, until};
use crate::run_once::*;

const NONE: RunOnceFlags = RunOnceFlags(0);
const CHECK_ONLY: RunOnceFlags = RunOnceFlags::CHECK_ONLY;
const ASYNC: RunOnceFlags = RunOnceFlags::ASYNC;
const FAILED: RunOnceFlags = RunOnceFlags::INIT_FAILED;

/// What the documentation of `InitOnceBeginInitialize` and `InitOnceComplete` says, with the values that programs see.
#[test]
fn each_call_has_its_answer() {
    let host = Host::new(1);
    let mut memory = RtlRunOnce { ptr: 9 };
    let once = Ptr::of(&mut memory);
    initialize(once);
    let value = || once.read().ptr;
    let mut result: Pointer = 0;
    let place = Ptr::of(&mut result);
    let begin = |flags| begin(&host, once, flags, place);
    let complete = |flags, context| complete(&host, once, flags, context);
    assert_eq!(begin(CHECK_ONLY), Err(NtStatus::UNSUCCESSFUL));
    assert_eq!(
        begin(CHECK_ONLY | ASYNC),
        Err(NtStatus::INVALID_PARAMETER_2)
    );
    assert_eq!(begin(FAILED), Err(NtStatus::INVALID_PARAMETER_2));
    assert_eq!(complete(NONE, 0), Err(NtStatus::UNSUCCESSFUL));
    // One thread does it.
    assert_eq!(begin(NONE), Ok(NtStatus::PENDING));
    assert_eq!(value(), 1);
    assert_eq!(begin(CHECK_ONLY), Err(NtStatus::UNSUCCESSFUL));
    assert_eq!(begin(ASYNC), Err(NtStatus::INVALID_PARAMETER_2));
    assert_eq!(complete(ASYNC, 0), Err(NtStatus::INVALID_PARAMETER_2));
    assert_eq!(complete(NONE, 0xFF1), Err(NtStatus::INVALID_PARAMETER_3));
    assert_eq!(complete(FAILED, 0xFF0), Err(NtStatus::INVALID_PARAMETER_3));
    assert_eq!(
        complete(FAILED | ASYNC, 0),
        Err(NtStatus::INVALID_PARAMETER_2)
    );
    assert_eq!((complete(FAILED, 0), value()), (Ok(()), 0));
    assert_eq!(begin(NONE), Ok(NtStatus::PENDING));
    assert_eq!(
        (complete(NONE, 0xDEAD_BEE0), value()),
        (Ok(()), 0xDEAD_BEE2)
    );
    for flags in [NONE, CHECK_ONLY, ASYNC] {
        place.write(0);
        assert_eq!(begin(flags), Ok(NtStatus::SUCCESS));
        assert_eq!(place.read(), 0xDEAD_BEE0);
    }
    assert_eq!(complete(NONE, 0), Err(NtStatus::UNSUCCESSFUL));
    // Several do it, and one is first.
    initialize(once);
    assert_eq!(begin(ASYNC), Ok(NtStatus::PENDING));
    assert_eq!((begin(ASYNC), value()), (Ok(NtStatus::PENDING), 3));
    assert_eq!(begin(NONE), Err(NtStatus::INVALID_PARAMETER_2));
    assert_eq!(complete(NONE, 0), Err(NtStatus::INVALID_PARAMETER_2));
    assert_eq!(complete(FAILED, 0), Err(NtStatus::INVALID_PARAMETER_2));
    assert_eq!((complete(ASYNC, 0xF0), value()), (Ok(()), 0xF2));
    assert_eq!(complete(ASYNC, 0xE0), Err(NtStatus::UNSUCCESSFUL));
    assert_eq!(host.calls(), 0);
}

std::thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

extern "system" fn initializer(
    once: Ptr<RtlRunOnce>,
    parameter: usize,
    context: Ptr<Pointer>,
) -> u32 {
    assert_eq!(once.read().ptr, 1, "it is at it");
    CALLS.set(CALLS.get() + 1);
    context.write_optional(parameter as Pointer);
    u32::from(parameter != 0)
}

#[test]
fn a_function_is_called_until_it_succeeds() {
    let host = Host::new(1);
    let mut memory = RtlRunOnce::default();
    let once = Ptr::of(&mut memory);
    let function = Function::new(initializer as *const () as usize);
    let mut result: Pointer = 7;
    let place = Ptr::of(&mut result);
    let execute = |parameter, place| execute(&host, once, function, parameter, place);
    assert_eq!(execute(0, place), Err(NtStatus::UNSUCCESSFUL));
    assert_eq!(execute(0, Ptr::NULL), Err(NtStatus::UNSUCCESSFUL));
    assert_eq!(
        execute(0x42, place),
        Err(NtStatus::INVALID_PARAMETER_3),
        "no context, and nobody hangs"
    );
    assert_eq!((execute(0x40, place), place.read()), (Ok(()), 0x40));
    assert_eq!((execute(0x50, place), place.read()), (Ok(()), 0x40));
    assert_eq!(execute(0x50, Ptr::NULL), Ok(()));
    assert_eq!(CALLS.get(), 4);
}

#[test]
fn many_race_to_do_it_once() {
    for (round, mode) in (0..4000).map(|round| (round, [NONE, ASYNC][round % 2])) {
        let host = Host::new(1 + u32::from(round % 3 == 0));
        let memory = RtlRunOnce::default();
        let once = Ptr::of_shared(&memory);
        let (pair, done) = (Pair::default(), AtomicU64::new(0));
        in_threads(THREADS / 2, |index| {
            let mut result: Pointer = 0;
            let place = Ptr::of(&mut result);
            loop {
                let status = begin(&host, once, mode, place).unwrap();
                if status == NtStatus::SUCCESS {
                    break;
                }
                if mode == ASYNC {
                    let mine = (index + 1) << 4;
                    match complete(&host, once, ASYNC, mine) {
                        Ok(()) => {
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(NtStatus::OBJECT_NAME_COLLISION | NtStatus::UNSUCCESSFUL) => {}
                        Err(status) => panic!("{status}"),
                    }
                } else {
                    pair.add();
                    // Twice in vain.
                    if pair.look() < 3 {
                        complete(&host, once, FAILED, 0).unwrap();
                    } else {
                        complete(&host, once, NONE, 0x70).unwrap();
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            if mode == NONE {
                assert_eq!((pair.look(), place.read()), (3, 0x70));
            }
        });
        assert_eq!(done.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn others_wait_for_the_one_who_is_at_it() {
    let host = Host::new(1);
    let memory = RtlRunOnce::default();
    let once = Ptr::of_shared(&memory);
    assert_eq!(begin(&host, once, NONE, Ptr::NULL), Ok(NtStatus::PENDING));
    thread::scope(|scope| {
        let others: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| begin(&host, once, NONE, Ptr::NULL)))
            .collect();
        until(|| host.waits.load(Ordering::Relaxed) == 3);
        // It fails: one of them does it next, and the others wait for that one.
        complete(&host, once, FAILED, 0).unwrap();
        until(|| host.waits.load(Ordering::Relaxed) >= 5);
        complete(&host, once, NONE, 0x10).unwrap();
        let mut ends: Vec<_> = others
            .into_iter()
            .map(|other| other.join().unwrap().unwrap().0)
            .collect();
        ends.sort_unstable();
        assert_eq!(ends, [0, 0, NtStatus::PENDING.0]);
    });
}
