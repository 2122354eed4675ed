//! A program's own lock over alerts by thread id, as Windows' slim reader and writer locks are one: no handle, no object,
//! and no wake-up that is lost.
//!
//! The word counts sharers, or says that somebody has it alone. Who cannot have it says that it waits, looks once more, and
//! waits for an alert. Who leaves the lock free takes back the next one's word that it waits, and alerts it. An alert that
//! comes too late ends the next wait, which looks again.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

use nt_abi::NtStatus;
use nt_abi::services::arguments::ThreadInformationClass;
use nt_abi::w64::ThreadBasicInformation;
use test_programs::check::Outcome;
use test_programs::services::*;
use test_programs::threads::{SUSPENDED, join, spawn_with};
use test_programs::{expect, holds, status};

const THREADS: usize = 4;
/// Turns of each thread at least; waits of all of them at least, and turns at most if there are not as many.
const TURNS: u64 = 2000;
const WAITS: u64 = 200;
const MOST_TURNS: u64 = 1_000_000;

/// In the word: somebody has it alone; else it is how many share it, times this.
const ALONE: u64 = 1;
const SHARE: u64 = 2;

static WORD: AtomicU64 = AtomicU64::new(0);
static WAITING: [AtomicBool; THREADS] = [const { AtomicBool::new(false) }; THREADS];
static IDS: [AtomicU64; THREADS] = [const { AtomicU64::new(0) }; THREADS];
/// Waits that an alert has ended, and the first status that nobody expects.
static ALERTED: AtomicU64 = AtomicU64::new(0);
static UNEXPECTED: AtomicU32 = AtomicU32::new(0);
/// What the lock is for: two words that only it keeps equal.
static PAIR: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
static UNEQUAL: AtomicU64 = AtomicU64::new(0);
static ADDED: AtomicU64 = AtomicU64::new(0);

fn is_taken(alone: bool) -> bool {
    let taken = |word| {
        if alone {
            (word == 0).then_some(ALONE)
        } else {
            (word & ALONE == 0).then_some(word + SHARE)
        }
    };
    WORD.fetch_update(SeqCst, SeqCst, taken).is_ok()
}

fn take(own: usize, alone: bool) {
    while !is_taken(alone) {
        WAITING[own].store(true, SeqCst);
        // Who freed it before that did not see that somebody waits.
        if is_taken(alone) {
            break;
        }
        match NtWaitForAlertByThreadId(address_of_word(), NULL) {
            NtStatus::ALERTED => ALERTED.fetch_add(1, SeqCst),
            status => u64::from(UNEXPECTED.swap(status.0, SeqCst)),
        };
    }
    WAITING[own].store(false, SeqCst);
}

fn address_of_word() -> u64 {
    core::ptr::from_ref(&WORD).addr() as u64
}

fn free(own: usize, alone: bool) {
    let part = if alone { ALONE } else { SHARE };
    if WORD.fetch_sub(part, SeqCst) != part {
        return;
    }
    let mut others = (1..THREADS).map(|next| (own + next) % THREADS);
    if let Some(other) = others.find(|other| WAITING[*other].swap(false, SeqCst)) {
        match NtAlertThreadByThreadId(IDS[other].load(SeqCst)) {
            // It found the lock free by itself, and has ended since.
            NtStatus::SUCCESS | NtStatus::INVALID_CID => {}
            status => UNEXPECTED.store(status.0, SeqCst),
        }
    }
}

extern "C" fn takes_turns(own: u64) -> u32 {
    for turn in 0..MOST_TURNS {
        if turn >= TURNS && ALERTED.load(SeqCst) >= WAITS {
            break;
        }
        let alone = !(turn + own).is_multiple_of(4);
        take(own as usize, alone);
        let [left, right] = PAIR.each_ref().map(|word| word.load(Relaxed));
        if left != right {
            UNEQUAL.fetch_add(1, SeqCst);
        }
        if alone {
            PAIR[0].store(left + 1, Relaxed);
            if turn.is_multiple_of(8) {
                // Others come meanwhile, and have to wait.
                let _ = NtYieldExecution();
            }
            PAIR[1].store(right + 1, Relaxed);
            ADDED.fetch_add(1, SeqCst);
        }
        free(own as usize, alone);
    }
    0
}

pub(super) fn threads_share_a_lock_over_alerts_by_id() -> Outcome {
    let mut threads = [0u64; THREADS];
    for (own, thread) in threads.iter_mut().enumerate() {
        *thread = spawn_with(takes_turns, own as u64, SUSPENDED)?;
        let mut basic = ThreadBasicInformation::default();
        status!(NtQueryInformationThread(
            *thread,
            ThreadInformationClass(0),
            &mut basic,
            size_of::<ThreadBasicInformation>() as u32,
            NULL
        ));
        IDS[own].store(basic.client_id.unique_thread, SeqCst);
    }
    for thread in threads {
        status!(NtResumeThread(thread, NULL));
    }
    for thread in threads {
        join(thread)?;
    }
    expect!(NtStatus(UNEXPECTED.load(SeqCst)), NtStatus::SUCCESS);
    expect!(UNEQUAL.load(SeqCst), 0);
    expect!(
        PAIR.each_ref().map(|word| word.load(SeqCst)),
        [ADDED.load(SeqCst); 2]
    );
    expect!(WORD.load(SeqCst), 0);
    // Without waits nothing of the services would be shown.
    holds!(ALERTED.load(SeqCst) >= WAITS);
    Ok(())
}
