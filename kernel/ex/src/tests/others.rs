//! Quotas, lookaside lists, callbacks, identifiers, times.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::vec::Vec;

use ke::testing::{join, run, spawn};
use nt_abi::NtStatus;

use super::{MS, scheduling_point};
use crate::identifier::{allocate_luid, allocate_uuids, set_uuid_seed};
use crate::pool::{self, PoolBox, PoolTag, TagUsage};
use crate::time::{self, ZonePart};
use crate::{CallbackList, LookasideList, Quota, QuotaKind};

#[test]
fn quota_is_charged_up_to_its_limit_and_given_back() {
    for seed in 0..20 {
        run(3, seed, || {
            let block = Quota::new().expect("memory");
            block.set_limit(QuotaKind::PagedPool, 1000);
            assert!(block.charge(QuotaKind::NonPagedPool, u64::MAX).is_ok());
            let workers: Vec<_> = (0..4)
                .map(|_| {
                    let block = block.clone();
                    spawn(move || {
                        for _ in 0..20 {
                            let charge = block.charge(QuotaKind::PagedPool, 300);
                            scheduling_point();
                            assert!(block.usage(QuotaKind::PagedPool).usage <= 1000);
                            if let Err(status) = charge.map(drop) {
                                assert_eq!(status, NtStatus::QUOTA_EXCEEDED);
                            }
                        }
                    })
                })
                .collect();
            workers.iter().for_each(join);
            let usage = block.usage(QuotaKind::PagedPool);
            assert_eq!((usage.usage, usage.limit), (0, 1000));
            assert!(usage.peak >= 300 && usage.peak <= 900 && usage.peak.is_multiple_of(300));
        });
    }
}

#[test]
fn a_lookaside_list_keeps_places_and_its_depth_follows_the_use() {
    run(1, 1, || {
        const TAG: PoolTag = PoolTag(*b"TstL");
        let list = LookasideList::new(TAG);
        let ended = Arc::new(());
        {
            let held: Vec<_> = (0..20)
                .map(|_| list.allocate(ended.clone()).expect("memory"))
                .collect();
            assert_eq!(list.counters().allocation_misses, 20);
            assert_eq!(Arc::strong_count(&held[0]), 21);
        }
        assert_eq!(Arc::strong_count(&ended), 1, "the values ended");
        let counters = list.counters();
        assert_eq!(
            (counters.kept, counters.frees, counters.free_misses),
            (4, 20, 16)
        );
        for _ in 0..5 {
            let held: Vec<_> = (0..50)
                .map(|_| list.allocate(ended.clone()).expect("memory"))
                .collect();
            drop(held);
            list.adjust();
        }
        assert!(list.counters().depth >= 50);
        let misses = list.counters().allocation_misses;
        let held: Vec<_> = (0..50)
            .map(|_| list.allocate(ended.clone()).expect("memory"))
            .collect();
        assert_eq!(list.counters().allocation_misses, misses);
        drop(held);
        (0..30).for_each(|_| list.adjust());
        assert_eq!((list.counters().depth, list.counters().kept), (4, 4));
        drop(list);
        assert_eq!(pool::usage(TAG).bytes, 0);
    });
}

#[test]
fn what_each_tag_has_is_listed() {
    run(1, 1, || {
        const TAG: PoolTag = PoolTag(*b"TstU");
        let _one = PoolBox::new(TAG, 7u64).expect("memory");
        let empty = TagUsage {
            tag: pool::OTHER,
            allocations: 0,
            frees: 0,
            bytes: 0,
        };
        let mut usages = [empty; 128];
        let count = pool::usages(&mut usages);
        let mine = usages[..count].iter().find(|usage| usage.tag == TAG);
        assert_eq!(mine.map(|usage| usage.bytes), Some(8));
        assert_eq!(pool::usages(&mut []), count);
    });
}

#[test]
fn callbacks_are_told_in_order_until_they_are_removed() {
    static TOLD: AtomicU64 = AtomicU64::new(0);
    fn tell(context: u64, what: &u64) {
        let told = TOLD.load(SeqCst);
        TOLD.store(told * 10 + context * what, SeqCst);
    }
    run(1, 1, || {
        let list = CallbackList::new();
        let numbers: Vec<_> = [1, 2, 3]
            .map(|context| list.add(tell, context).expect("memory"))
            .into();
        list.tell(&1);
        assert_eq!(TOLD.swap(0, SeqCst), 123);
        list.remove(numbers[1]);
        list.remove(numbers[1]);
        list.tell(&2);
        assert_eq!(TOLD.load(SeqCst), 26);
    });
}

#[test]
fn identifiers_are_given_out_once() {
    run(1, 1, || {
        let first = allocate_luid();
        assert!(first >= 1001);
        assert_eq!(allocate_luid(), first + 1);
        set_uuid_seed([1, 2, 3, 4, 5, 6], 9);
        ke::clock::set_system_time(1_000_000 * MS);
        let one = allocate_uuids().expect("time has passed");
        assert_eq!((one.node, one.sequence), ([1, 2, 3, 4, 5, 6], 9));
        (0..100).for_each(|_| scheduling_point());
        let other = allocate_uuids().expect("time has passed");
        assert!(other.start >= one.start + u64::from(one.count));
        ke::clock::set_system_time(500_000 * MS);
        let back = allocate_uuids().expect("another sequence");
        assert_eq!(back.sequence, 10);
    });
}

#[test]
fn local_time_is_system_time_less_the_bias() {
    run(1, 1, || {
        ke::clock::set_system_time(3_600_000 * MS * 24);
        time::note_boot_time();
        time::set_zone(-60, ZonePart::Standard);
        let now = time::time_of_day();
        assert_eq!(now.zone_bias, -3_600_000 * 10_000);
        assert_eq!(now.zone_id, 1);
        assert!(now.boot_time <= now.current_time);
        assert_eq!(
            time::to_local(now.current_time),
            now.current_time + 3_600_000 * MS
        );
        assert_eq!(
            time::from_local(time::to_local(now.current_time)),
            now.current_time
        );
        time::set_zone(0, ZonePart::Unknown);
    });
}
