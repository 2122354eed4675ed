//! Checks what the standard library does on the system: memory, threads, locks, panics, the environment, time.
//! Ends with the number of checks that failed.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex, Once, OnceLock, RwLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

static FAILED: AtomicU32 = AtomicU32::new(0);

fn check(name: &str, holds: bool) {
    println!("{} {name}", if holds { "ok" } else { "failed" });
    if !holds {
        FAILED.fetch_add(1, Ordering::Relaxed);
    }
}

fn main() -> ExitCode {
    memory();
    panics();
    threads();
    meetings();
    surroundings();
    let failed = FAILED.load(Ordering::Relaxed);
    println!("{failed} failed");
    ExitCode::from(u8::try_from(failed).unwrap_or(u8::MAX))
}

fn memory() {
    let mut map = BTreeMap::new();
    for number in 0..10_000_u32 {
        map.insert(number.wrapping_mul(2_654_435_761), number.to_string());
    }
    let sum: usize = map.values().map(String::len).sum();
    // 10 of one digit, 90 of two, 900 of three, 9000 of four.
    check("10000 strings in a map", sum == 10 + 180 + 2_700 + 36_000);
    let mut large = vec![0_u8; 8 << 20];
    large[(8 << 20) - 1] = 7;
    large.extend_from_slice(&[9; 100]);
    check(
        "a block of 8 MiB grows",
        large[(8 << 20) - 1] == 7 && large[8 << 20] == 9,
    );
    #[repr(align(4096))]
    struct Aligned([u8; 4096]);
    let page = Box::new(Aligned([3; 4096]));
    check(
        "a block is aligned",
        (&raw const *page).addr() % 4096 == 0 && page.0[4095] == 3,
    );
}

struct Counted<'c>(&'c Cell<u32>);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[inline(never)]
fn deep(levels: u32, dropped: &Cell<u32>) -> u32 {
    let _counted = Counted(dropped);
    assert!(levels > 0, "the bottom");
    deep(levels - 1, dropped) + 1
}

fn panics() {
    panic::set_hook(Box::new(|_| {}));
    let dropped = Cell::new(0);
    let result = panic::catch_unwind(AssertUnwindSafe(|| deep(50, &dropped)));
    let text = result.unwrap_err().downcast::<&str>().map(|text| *text);
    check(
        "a panic is caught with its text",
        text.is_ok_and(|text| text == "the bottom"),
    );
    check("51 values were dropped on the way", dropped.get() == 51);
    let numbers = [1, 2, 3];
    let index = env::args().count() + 10;
    let result = panic::catch_unwind(|| numbers[index]);
    check("an index that is too large panics", result.is_err());
    let nested = panic::catch_unwind(|| {
        struct Catches;
        impl Drop for Catches {
            fn drop(&mut self) {
                let inner = panic::catch_unwind(|| panic::panic_any(2));
                check(
                    "a panic within the unwinding of another",
                    inner.is_err_and(|value| value.is::<i32>()),
                );
            }
        }
        let _catches = Catches;
        panic::panic_any(1_u64);
    });
    check(
        "and the outer one goes on",
        nested.is_err_and(|value| value.is::<u64>()),
    );
    let _ = panic::take_hook();
}

thread_local! {
    static OWN: Cell<u32> = const { Cell::new(5) };
}

struct Told(mpsc::Sender<u32>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send(77);
    }
}

thread_local! {
    static TOLD: Cell<Option<Told>> = const { Cell::new(None) };
}

fn threads() {
    let counter = Arc::new(Mutex::new(0_u32));
    let workers: Vec<_> = (0..8_u32)
        .map(|number| {
            let counter = Arc::clone(&counter);
            thread::spawn(move || {
                OWN.set(OWN.get() + number);
                for _ in 0..1_000 {
                    *counter.lock().unwrap() += 1;
                }
                OWN.get()
            })
        })
        .collect();
    let owns: Vec<u32> = workers
        .into_iter()
        .map(|worker| worker.join().unwrap())
        .collect();
    check("8 threads count to 8000", *counter.lock().unwrap() == 8_000);
    check(
        "each has storage of its own",
        owns == (5..13).collect::<Vec<_>>() && OWN.get() == 5,
    );
    let (sender, receiver) = mpsc::channel();
    let worker = thread::Builder::new().name("told".into()).spawn(move || {
        TOLD.set(Some(Told(sender)));
        thread::current().name().map(str::to_owned)
    });
    let name = worker.unwrap().join().unwrap();
    check("a thread has a name", name.as_deref() == Some("told"));
    check(
        "what a thread stores is dropped at its end",
        receiver.recv() == Ok(77),
    );
    panic::set_hook(Box::new(|_| {}));
    let worker = thread::spawn(|| panic!("in a thread"));
    check(
        "a thread's panic is given to who joins it",
        worker.join().is_err(),
    );
    let _ = panic::take_hook();
    let mut numbers = [0_u32; 4];
    thread::scope(|scope| {
        for (index, number) in (1..).zip(&mut numbers) {
            scope.spawn(move || *number = index * index);
        }
    });
    check("threads of a scope borrow", numbers == [1, 4, 9, 16]);
}

fn meetings() {
    let pair = Arc::new((Mutex::new(0_u32), Condvar::new()));
    let other = Arc::clone(&pair);
    let worker = thread::spawn(move || {
        for turn in 0..100 {
            let mut value = other
                .1
                .wait_while(other.0.lock().unwrap(), |value| *value != turn * 2)
                .unwrap();
            *value += 1;
            other.1.notify_all();
        }
    });
    for turn in 0..100 {
        let mut value = pair
            .1
            .wait_while(pair.0.lock().unwrap(), |value| *value != turn * 2 + 1)
            .unwrap();
        *value += 1;
        pair.1.notify_all();
    }
    worker.join().unwrap();
    check("two threads take 200 turns", *pair.0.lock().unwrap() == 200);
    let barrier = Barrier::new(4);
    let (once, runs, leaders) = (Once::new(), AtomicU32::new(0), AtomicU32::new(0));
    let lock = RwLock::new(0_u32);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                if barrier.wait().is_leader() {
                    leaders.fetch_add(1, Ordering::Relaxed);
                }
                once.call_once(|| {
                    runs.fetch_add(1, Ordering::Relaxed);
                });
                for _ in 0..500 {
                    let _ = *lock.read().unwrap();
                    *lock.write().unwrap() += 1;
                }
            });
        }
    });
    check("one of 4 leads at a barrier", leaders.into_inner() == 1);
    check("what is done once is done once", runs.into_inner() == 1);
    check(
        "a lock of readers and writers",
        lock.into_inner().unwrap() == 2_000,
    );
    let value: OnceLock<String> = OnceLock::new();
    check(
        "a value is made once",
        value.get_or_init(|| "made".into()) == "made",
    );
    let (_sender, receiver) = mpsc::channel::<()>();
    check(
        "a wait ends by its timeout",
        receiver.recv_timeout(Duration::from_millis(20)).is_err(),
    );
}

fn surroundings() {
    check(
        "a variable that is not there",
        env::var_os("TARN_NOT_THERE").is_none(),
    );
    // SAFETY: no other thread runs.
    unsafe { env::set_var("TARN_THERE", "grüße") };
    check(
        "a variable that was set",
        env::var("TARN_THERE").as_deref() == Ok("grüße"),
    );
    check(
        "and is listed",
        env::vars().any(|(name, value)| name == "TARN_THERE" && value == "grüße"),
    );
    let before = Instant::now();
    thread::sleep(Duration::from_millis(30));
    check(
        "sleeping takes its time",
        before.elapsed() >= Duration::from_millis(30),
    );
    check(
        "the program has a path",
        env::current_exe().is_ok_and(|path| path.ends_with("rust_std.exe")),
    );
    check(
        "there are processors",
        thread::available_parallelism().is_ok_and(|count| count.get() >= 1),
    );
}
