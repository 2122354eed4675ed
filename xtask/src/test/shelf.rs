//! Things that one thread makes one after the other, and others wait for.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::Result;

/// Where what is made is put.
pub(crate) struct Shelf<K, T> {
    contents: Mutex<Contents<K, T>>,
    changed: Condvar,
}

struct Contents<K, T> {
    made: BTreeMap<K, Arc<T>>,
    /// Nothing more is made.
    closed: bool,
    /// Something could not be made, so that nobody is to begin anything more.
    failed: bool,
}

impl<K: Ord + Clone, T> Shelf<K, T> {
    /// One with nothing on it.
    pub(crate) fn new() -> Self {
        Self {
            contents: Mutex::new(Contents {
                made: BTreeMap::new(),
                closed: false,
                failed: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// Makes all that is wanted, in this order, to the first error.
    pub(crate) fn fill(&self, wanted: &[K], mut make: impl FnMut(&K) -> Result<T>) -> Result<()> {
        let _closes = Closes(self);
        let filled = wanted.iter().try_for_each(|key| {
            let thing = make(key)?;
            self.lock().made.insert(key.clone(), Arc::new(thing));
            self.changed.notify_all();
            Ok(())
        });
        self.lock().failed = filled.is_err();
        filled
    }

    /// Waits for one thing. `None`: it will not come, or something else could not be made.
    pub(crate) fn wait_for(&self, key: &K) -> Option<Arc<T>> {
        let mut contents = self.lock();
        loop {
            if contents.failed {
                return None;
            }
            if let Some(thing) = contents.made.get(key) {
                return Some(Arc::clone(thing));
            }
            if contents.closed {
                return None;
            }
            contents = self
                .changed
                .wait(contents)
                .expect("no thread panics while it holds the contents");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Contents<K, T>> {
        self.contents
            .lock()
            .expect("no thread panics while it holds the contents")
    }
}

/// Whoever waits is told that nothing more comes, however the making ends.
struct Closes<'a, K, T>(&'a Shelf<K, T>);

impl<K, T> Drop for Closes<'_, K, T> {
    fn drop(&mut self) {
        // Contents that somebody panicked over are closed as well.
        let contents = self.0.contents.lock();
        contents.unwrap_or_else(PoisonError::into_inner).closed = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_gets_its_own_as_soon_as_it_is_made() {
        /// Far longer than a thread needs to come round; a wait that is not ended fails by it.
        const LIMIT: Duration = Duration::from_secs(60);
        let shelf = Shelf::new();
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            // Dropped with this closure, also by a panic: then the making ends, and every wait with it.
            let (go_on, may_go_on) = mpsc::channel();
            let (shelf, first) = (&shelf, tell.clone());
            scope.spawn(move || first.send(shelf.wait_for(&1)));
            scope.spawn(move || tell.send(shelf.wait_for(&2)));
            scope.spawn(move || {
                shelf.fill(&[1, 2], |key| {
                    if *key == 2 {
                        may_go_on.recv()?;
                    }
                    Ok(key * 10)
                })
            });
            // The first is there while the second is not yet made.
            let got = || told.recv_timeout(LIMIT).expect("a wait ends");
            assert_eq!(got().as_deref(), Some(&10));
            go_on.send(()).expect("it waits");
            assert_eq!(got().as_deref(), Some(&20));
        });
        assert!(shelf.wait_for(&3).is_none(), "nobody wanted it");
    }

    #[test]
    fn an_error_ends_the_making_and_every_wait() {
        let shelf = Shelf::new();
        let mut asked = Vec::new();
        thread::scope(|scope| {
            let third = scope.spawn(|| shelf.wait_for(&3));
            let filled = shelf.fill(&[1, 2, 3], |key| {
                asked.push(*key);
                anyhow::ensure!(*key != 2, "no");
                Ok(())
            });
            assert!(filled.is_err());
            assert!(third.join().expect("no panic").is_none());
        });
        assert_eq!(asked, [1, 2]);
        assert!(shelf.wait_for(&1).is_none(), "nothing is to begin now");
    }

    #[test]
    fn a_panic_ends_every_wait() {
        let shelf: Shelf<u32, ()> = Shelf::new();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| shelf.wait_for(&1));
            let filled = catch_unwind(AssertUnwindSafe(|| {
                shelf.fill(&[1], |_| panic!("on purpose"))
            }));
            assert!(filled.is_err());
            assert!(waiter.join().expect("no panic").is_none());
        });
    }
}
