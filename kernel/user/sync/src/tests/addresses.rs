//! Waiting on addresses.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use c_interface::Ptr;
use nt_abi::NtStatus;

use super::host::{Host, Pair, ROUNDS, THREADS, in_threads, milliseconds, until};
use crate::wait_on_address::*;

fn address<T>(of: &T) -> usize {
    Ptr::of_shared(of).address()
}

#[test]
fn sizes_and_neighbours_are_told_apart() {
    let host = Host::new(1);
    let memory: [u64; 2] = [0x8877_6655_4433_2211, 0x1817_1615_1413_1211];
    let base = address(&memory);
    let now = Some(0);
    for size in [1, 2, 4, 8] {
        for offset in 0..8 {
            // The same bytes elsewhere, then with one bit of the last byte other.
            let mut bytes = [0u8; 8];
            Ptr::<u8>::new(base + offset).read_array(&mut bytes);
            bytes[size..].fill(0xEE);
            let at = address(&bytes);
            assert_eq!(
                wait(&host, base + offset, at, size, now),
                Ok(NtStatus::TIMEOUT),
                "{size} at {offset}"
            );
            bytes[size - 1] ^= 0x80;
            let at = address(&bytes);
            assert_eq!(
                wait(&host, base + offset, at, size, None),
                Ok(NtStatus::SUCCESS),
                "{size} at {offset}"
            );
        }
    }
    for size in [0, 3, 5, 16, usize::MAX] {
        assert_eq!(
            wait(&host, base, base, size, None),
            Err(NtStatus::INVALID_PARAMETER)
        );
    }
}

#[test]
fn one_or_all_are_woken_in_the_order_they_came() {
    let host = Host::new(1);
    let word = AtomicU32::new(7);
    let (seven, order) = (7u32, AtomicU64::new(0));
    let sleep = |own: u64| {
        let status = wait(&host, address(&word), address(&seven), 4, None);
        assert_eq!(status, Ok(NtStatus::SUCCESS));
        assert_eq!(order.fetch_add(1, Ordering::Relaxed).min(2), own.min(2));
    };
    thread::scope(|scope| {
        for own in 0..5 {
            scope.spawn(move || sleep(own));
            until(|| host.waits.load(Ordering::Relaxed) == own + 1);
        }
        // Others' addresses wake nobody, not even neighbours in the same queue.
        wake_all(&host, address(&word) + 1);
        wake_single(&host, address(&order));
        for count in 1..=2 {
            wake_single(&host, address(&word));
            until(|| order.load(Ordering::Relaxed) == count);
        }
        wake_all(&host, address(&word));
    });
    assert_eq!(order.load(Ordering::Relaxed), 5);
    assert_eq!(host.alerts.load(Ordering::Relaxed), 5);
}

#[test]
fn times_come_and_are_not_early() {
    let host = Host::new(2);
    let word = 7u32;
    let start = Instant::now();
    let status = wait(&host, address(&word), address(&word), 4, milliseconds(30));
    assert_eq!(status, Ok(NtStatus::TIMEOUT));
    assert!(start.elapsed() >= Duration::from_millis(30));
}

/// A lock as programs make it of these functions: 0 free, 1 held, 2 held with waiters.
#[test]
fn programs_can_make_locks_of_it() {
    for processors in [1, 2] {
        let host = Host::new(processors);
        let word = AtomicU32::new(0);
        let (two, pair) = (2u32, Pair::default());
        in_threads(THREADS, |_| {
            for _ in 0..ROUNDS {
                if word
                    .compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed)
                    .is_err()
                {
                    while word.swap(2, Ordering::Acquire) != 0 {
                        wait(&host, address(&word), address(&two), 4, None).unwrap();
                    }
                }
                pair.add();
                if word.swap(0, Ordering::Release) == 2 {
                    wake_single(&host, address(&word));
                }
            }
        });
        assert_eq!(pair.look(), (THREADS * ROUNDS) as u64);
    }
}
