//! Resources.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use c_interface::Ptr;
use nt_abi::NtStatus;
use nt_abi::native::{Handle, RtlResource};

use super::host::{Host, Pair, ROUNDS, THREADS, in_threads, until};
use crate::Parking;
use crate::resource::*;

type Resource = Ptr<RtlResource>;

fn resource(host: &Host, memory: &mut RtlResource) -> Resource {
    let resource = Ptr::of(memory);
    initialize(host, resource, None).unwrap();
    resource
}

fn active(resource: Resource) -> i32 {
    resource.read().number_of_active.cast_signed()
}

#[test]
fn the_owner_may_take_it_again_and_share_it() {
    let host = Host::new(1);
    let mut memory = RtlResource::default();
    let resource = resource(&host, &mut memory);
    assert_eq!(release(&host, resource), Err(NtStatus::RESOURCE_NOT_OWNED));
    assert_eq!(acquire_exclusive(&host, resource, false), Ok(true));
    assert_eq!(
        resource.read().exclusive_owner_thread,
        host.thread_id() as Handle
    );
    assert_eq!(acquire_exclusive(&host, resource, false), Ok(true));
    assert_eq!(acquire_shared(&host, resource, true), Ok(true));
    assert_eq!(active(resource), -3);
    in_threads(1, |_| {
        assert_eq!(acquire_shared(&host, resource, false), Ok(false));
        assert_eq!(acquire_exclusive(&host, resource, false), Ok(false));
        assert_eq!(
            convert_to_shared(&host, resource),
            Err(NtStatus::RESOURCE_NOT_OWNED)
        );
    });
    release(&host, resource).unwrap();
    release(&host, resource).unwrap();
    assert_eq!(
        convert_to_exclusive(&host, resource),
        Err(NtStatus::RESOURCE_NOT_OWNED)
    );
    convert_to_shared(&host, resource).unwrap();
    assert_eq!(
        (active(resource), resource.read().exclusive_owner_thread),
        (1, 0)
    );
    in_threads(1, |_| {
        assert_eq!(acquire_shared(&host, resource, false), Ok(true));
        assert_eq!(acquire_exclusive(&host, resource, false), Ok(false));
        assert_eq!(active(resource), 2);
        release(&host, resource).unwrap();
    });
    convert_to_exclusive(&host, resource).unwrap();
    assert_eq!(active(resource), -1);
    release(&host, resource).unwrap();
    assert_eq!(active(resource), 0);
    assert_eq!(host.calls(), 0);
    assert_eq!(delete(resource), None);
    assert_eq!(
        acquire_shared(&host, resource, true),
        Err(NtStatus::ACCESS_VIOLATION)
    );
}

#[test]
fn writers_and_readers() {
    let host = Host::new(2);
    let mut memory = RtlResource::default();
    let resource = resource(&host, &mut memory);
    let pair = Pair::default();
    let written: u64 = in_threads(THREADS, |index| {
        let mut written = 0;
        for round in 0..ROUNDS / 20 {
            match (round * 3 + index) % 8 {
                0 | 1 => {
                    acquire_exclusive(&host, resource, true).unwrap();
                    pair.add();
                    written += 1;
                }
                2 => {
                    acquire_exclusive(&host, resource, true).unwrap();
                    pair.add();
                    written += 1;
                    let mine = pair.look();
                    convert_to_shared(&host, resource).unwrap();
                    assert_eq!(pair.look(), mine);
                }
                3 => {
                    acquire_shared(&host, resource, true).unwrap();
                    pair.look();
                    convert_to_exclusive(&host, resource).unwrap();
                    pair.add();
                    written += 1;
                }
                _ => {
                    acquire_shared(&host, resource, true).unwrap();
                    pair.look();
                }
            }
            release(&host, resource).unwrap();
        }
        written
    })
    .into_iter()
    .sum();
    assert_eq!((pair.look(), active(resource)), (written, 0));
    let end = resource.read();
    assert_eq!(
        (
            end.number_of_waiting_shared,
            end.number_of_waiting_exclusive
        ),
        (0, 0)
    );
    assert_eq!(end.exclusive_owner_thread, 0);
}

#[test]
fn both_sides_have_their_turn() {
    let host = Host::new(1);
    let mut memory = RtlResource::default();
    let resource = resource(&host, &mut memory);
    acquire_shared(&host, resource, true).unwrap();
    let order = AtomicU64::new(0);
    let waiting = || {
        let now = resource.read();
        (
            now.number_of_waiting_shared,
            now.number_of_waiting_exclusive,
        )
    };
    thread::scope(|scope| {
        for alone in 1..=2 {
            scope.spawn(|| {
                acquire_exclusive(&host, resource, true).unwrap();
                let turn = order.fetch_add(1, Ordering::Relaxed);
                assert!(turn == 0 || turn == 3, "{turn}");
                until(|| waiting().0 == 2 || turn == 3);
                release(&host, resource).unwrap();
            });
            until(|| waiting() == (0, alone));
        }
        assert_eq!(
            acquire_shared(&host, resource, false),
            Ok(false),
            "sharers do not pass"
        );
        for sharer in 1..=2 {
            scope.spawn(|| {
                acquire_shared(&host, resource, true).unwrap();
                let turn = order.fetch_add(1, Ordering::Relaxed);
                assert!(turn == 1 || turn == 2, "{turn}");
                until(|| order.load(Ordering::Relaxed) == 3);
                release(&host, resource).unwrap();
            });
            until(|| waiting() == (sharer, 2));
        }
        release(&host, resource).unwrap();
    });
    assert_eq!((order.load(Ordering::Relaxed), active(resource)), (4, 0));
}
