//! Locks of user mode, from their own source (`kernel/user/sync/src/words`).
//!
//! | module | is |
//! |---|---|
//! | `bucket`, `queue`, `parking` | the table of those who wait, with its locks |
//! | `section`, `lock`, `condition`, `once`, `barrier`, `slist` | what threads wait for there |
//! | `atomic` | `loom`'s atomics |
//! | `block` | wait blocks that know when they are gone: one that is touched after its thread has returned fails the test |
//! | `kernel` | threads that wait for alerts; a wait that has a time may always be over at once |

mod atomic;
mod block;
mod kernel;
mod meetings;
mod tests;
mod waits;

macro_rules! their_own {
    ($($name:ident $path:literal;)*) => {$(
        #[path = $path]
        #[allow(
            dead_code,
            unreachable_pub,
            reason = "the file is user mode's, where others see it, and a model uses a part of it"
        )]
        mod $name;
    )*};
}

their_own! {
    barrier "../../../../kernel/user/sync/src/words/barrier.rs";
    bucket "../../../../kernel/user/sync/src/words/bucket.rs";
    condition "../../../../kernel/user/sync/src/words/condition.rs";
    lock "../../../../kernel/user/sync/src/words/lock.rs";
    once "../../../../kernel/user/sync/src/words/once.rs";
    parking "../../../../kernel/user/sync/src/words/parking.rs";
    queue "../../../../kernel/user/sync/src/words/queue.rs";
    section "../../../../kernel/user/sync/src/words/section.rs";
    slist "../../../../kernel/user/sync/src/words/slist.rs";
}
