//! The lists of vectored handlers, while handlers come and go.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

use unwind::vectored::VectoredHandlers;

/// Calls every handler; `during` is done while each is called. Gives what was called.
fn walk(
    list: &mut VectoredHandlers,
    mut during: impl FnMut(&mut VectoredHandlers, usize),
) -> Vec<usize> {
    let mut called = Vec::new();
    let mut next = list.first();
    while let Some(call) = next {
        called.push(call.function);
        during(list, call.function);
        next = list.next(call);
    }
    called
}

fn all(list: &mut VectoredHandlers) -> Vec<usize> {
    walk(list, |_, _| {})
}

#[test]
fn first_and_last() {
    let mut list = VectoredHandlers::new();
    assert!(list.is_empty());
    for (first, function) in [(false, 1), (false, 2), (true, 3), (true, 4)] {
        list.add(first, function).unwrap();
    }
    assert_eq!(all(&mut list), [4, 3, 1, 2]);
}

#[test]
fn removed_once() {
    let mut list = VectoredHandlers::new();
    let one = list.add(false, 1).unwrap();
    // The same function twice is two handlers.
    let again = list.add(false, 1).unwrap();
    assert_ne!(one, again);
    assert!(list.remove(one));
    assert!(!list.remove(one));
    assert!(!list.remove(0));
    assert_eq!(all(&mut list), [1]);
    assert!(list.remove(again));
    assert!(list.is_empty());
}

#[test]
fn a_handler_that_removes_itself() {
    let mut list = VectoredHandlers::new();
    let handles = [1, 2, 3].map(|function| list.add(false, function).unwrap());
    let called = walk(&mut list, |list, function| {
        if function == 2 {
            assert!(list.remove(handles[1]));
            assert!(!list.remove(handles[1]));
        }
    });
    assert_eq!(called, [1, 2, 3]);
    assert_eq!(all(&mut list), [1, 3]);
}

#[test]
fn a_handler_that_removes_others_and_adds_some() {
    let mut list = VectoredHandlers::new();
    let handles = [1, 2, 3, 4].map(|function| list.add(false, function).unwrap());
    let called = walk(&mut list, |list, function| {
        if function == 2 {
            assert!(list.remove(handles[0]) && list.remove(handles[2]));
            list.add(false, 5).unwrap();
            list.add(true, 6).unwrap();
        }
    });
    // What comes behind is called, what comes before is not, and what is gone is not.
    assert_eq!(called, [1, 2, 4, 5]);
    assert_eq!(all(&mut list), [6, 2, 4, 5]);
}

#[test]
fn two_threads_in_one_list() {
    let mut list = VectoredHandlers::new();
    let handles = [1, 2, 3].map(|function| list.add(false, function).unwrap());
    let first = list.first().unwrap();
    let second = list.first().unwrap();
    assert!(list.remove(handles[0]));
    // Both are still in the handler that is gone; nobody else gets there.
    assert_eq!(all(&mut list), [2, 3]);
    let first = list.next(first).unwrap();
    let second = list.next(second).unwrap();
    assert_eq!((first.function, second.function), (2, 2));
    list.end(first);
    assert!(list.remove(handles[1]));
    assert_eq!(list.next(second).unwrap().function, 3);
    assert_eq!(all(&mut list), [3]);
}
