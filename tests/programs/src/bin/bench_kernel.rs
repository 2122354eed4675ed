//! Measures what programs ask of the kernel, for `cargo xtask bench kernel`.
//!
//! Each measure is a loop. It runs once to warm up, then with a number of iterations and with twice that number; the
//! difference is printed, in ticks of the processor's counter: `bench: NAME TICKS HERTZ ITERATIONS`.
#![cfg_attr(target_os = "windows", no_std, no_main)]
#![deny(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and numbers of a test are small, and its addresses have 64 bits as usize has"
)]

#[cfg(target_os = "windows")]
mod program {
    use core::fmt::Write;
    use core::hint::black_box;
    use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use nt_abi::NtStatus;
    use nt_abi::access::AccessMask;
    use nt_abi::memory::{AllocationType, PageProtection};
    use nt_abi::primitives::ObjectAttributeFlags;
    use nt_abi::services::arguments::EventType;
    use nt_abi::services::{State, by_name};
    use test_programs::check::{Failed, Outcome, line};
    use test_programs::names::Named;
    use test_programs::processes::{Options, number, start as start_process, start_with};
    use test_programs::services::*;
    use test_programs::status;
    use test_programs::threads::{join, spawn};

    test_programs::program!(start);

    /// A measure: does something so many times; the ticks that it took.
    type Measure = fn(u64) -> Result<u64, Failed>;

    /// The service that measures with threads need.
    const THREADS: &str = "NtCreateThreadEx";
    /// The service that measures with processes need.
    const PROCESSES: &str = "NtCreateUserProcess";
    /// Our programs.
    const OWN: &str = r"\??\C:\bench_kernel.exe";
    const NOTHING: &str = r"\??\C:\nothing.exe";
    /// The events of a ping-pong between processes.
    const PING_NAME: &str = r"\BaseNamedObjects\Ping";
    const PONG_NAME: &str = r"\BaseNamedObjects\Pong";
    /// A page's bytes.
    const PAGE: u64 = 0x1000;
    /// `DUPLICATE_SAME_ACCESS`.
    const SAME_ACCESS: u32 = 2;
    /// A service without arguments.
    type Call = fn() -> NtStatus;
    /// Services that do next to nothing, the best suited first.
    const CHEAP: [(&str, Call); 4] = [
        ("NtGetCurrentProcessorNumber", NtGetCurrentProcessorNumber),
        (
            "NtQueryPortInformationProcess",
            NtQueryPortInformationProcess,
        ),
        ("NtFlushWriteBuffer", NtFlushWriteBuffer),
        ("NtYieldExecution", NtYieldExecution),
    ];

    fn start() -> u32 {
        // With a number behind its name the program is the other side of a ping-pong.
        if let Some(times) = number(1) {
            return u32::from(answer_as_process(times).is_err());
        }
        let measures: [(&str, u64, &str, Measure); 8] = [
            ("null-call", 20_000, "", null_call),
            ("thread-ping-pong", 2_000, THREADS, thread_ping_pong),
            ("process-ping-pong", 2_000, PROCESSES, process_ping_pong),
            ("thread", 500, THREADS, thread),
            ("process", 100, PROCESSES, process),
            ("page-fault", 2_000, "", page_fault),
            ("memory", 2_000, "", memory),
            ("handle", 2_000, "", handle),
        ];
        let mut failed = 0;
        for (name, iterations, needed, measure) in measures {
            if needed.is_empty() || is_done(needed) {
                failed += u32::from(report(name, iterations, measure).is_err());
            } else {
                line(format_args!("bench: {name}: not yet"));
            }
        }
        failed
    }

    fn is_done(service: &str) -> bool {
        by_name(service).is_some_and(|service| service.state == State::Done)
    }

    fn report(name: &str, iterations: u64, measure: Measure) -> Outcome {
        measure(iterations / 10)?;
        let (once, twice) = (measure(iterations)?, measure(iterations * 2)?);
        let (_, rate) = counter();
        // Twice the work that takes no longer was not done, or not measured.
        let Some(more) = twice.checked_sub(once).filter(|more| *more > 0) else {
            line(format_args!(
                "{name}: {iterations} times took {once} ticks, twice that {twice}"
            ));
            return Err(Failed);
        };
        line(format_args!("bench: {name} {more} {rate} {iterations}"));
        Ok(())
    }

    /// The ticks that something takes.
    fn ticks(what: impl FnOnce() -> Outcome) -> Result<u64, Failed> {
        let (before, _) = counter();
        what()?;
        Ok(counter().0.wrapping_sub(before))
    }

    fn null_call(times: u64) -> Result<u64, Failed> {
        let Some((name, service)) = CHEAP.iter().find(|(service, _)| is_done(service)) else {
            return Err(Failed);
        };
        if times < 10_000 {
            line(format_args!("the null call is {name}"));
        }
        // The loop is a few instructions, which count as the call's.
        ticks(|| {
            for _ in 0..times {
                black_box(service());
            }
            Ok(())
        })
    }

    /// What the two threads of a ping-pong wait for, and how often.
    static PING: AtomicU64 = AtomicU64::new(0);
    static PONG: AtomicU64 = AtomicU64::new(0);

    /// The other thread of a ping-pong.
    extern "C" fn answer(times: u64) -> u32 {
        let (ping, pong) = (PING.load(Relaxed), PONG.load(Relaxed));
        for _ in 0..times {
            let _ = NtWaitForSingleObject(ping, false, NULL);
            let _ = NtSetEvent(pong, NULL);
        }
        0
    }

    extern "C" fn nothing(_: u64) -> u32 {
        0
    }

    fn thread_ping_pong(times: u64) -> Result<u64, Failed> {
        let (ping, pong) = (event()?, event()?);
        PING.store(ping, Relaxed);
        PONG.store(pong, Relaxed);
        let other = spawn(answer, times)?;
        let taken = ticks(|| {
            for _ in 0..times {
                status!(NtSetEvent(ping, NULL));
                status!(NtWaitForSingleObject(pong, false, NULL));
            }
            Ok(())
        });
        join(other)?;
        for handle in [ping, pong] {
            status!(NtClose(handle));
        }
        taken
    }

    /// An event with a name, made or found.
    fn named_event(name: &str) -> Result<u64, Failed> {
        let mut event = 0u64;
        let mut name = Named::new(name).flags(ObjectAttributeFlags::OPENIF);
        let status = NtCreateEvent(
            &mut event,
            AccessMask::EVENT_ALL_ACCESS,
            name.get(),
            EventType(1),
            false,
        );
        if status.is_success() {
            Ok(event)
        } else {
            Err(Failed)
        }
    }

    fn answer_as_process(times: u64) -> Outcome {
        let (ping, pong) = (named_event(PING_NAME)?, named_event(PONG_NAME)?);
        for _ in 0..times {
            status!(NtWaitForSingleObject(ping, false, NULL));
            status!(NtSetEvent(pong, NULL));
        }
        Ok(())
    }

    fn process_ping_pong(times: u64) -> Result<u64, Failed> {
        let (ping, pong) = (named_event(PING_NAME)?, named_event(PONG_NAME)?);
        // One more, before which the other process has begun.
        let mut words = Words::new();
        let _ = write!(words, "bench_kernel.exe {}", times + 1);
        let other = start_with(OWN, words.text(), Options::default())?;
        status!(NtSetEvent(ping, NULL));
        status!(NtWaitForSingleObject(pong, false, NULL));
        let taken = ticks(|| {
            for _ in 0..times {
                status!(NtSetEvent(ping, NULL));
                status!(NtWaitForSingleObject(pong, false, NULL));
            }
            Ok(())
        });
        other.join()?;
        status!(NtClose(ping));
        status!(NtClose(pong));
        taken
    }

    fn process(times: u64) -> Result<u64, Failed> {
        ticks(|| {
            for _ in 0..times {
                start_process(NOTHING)?.join()?;
            }
            Ok(())
        })
    }

    /// A short text that is put together.
    struct Words {
        bytes: [u8; 64],
        length: usize,
    }

    impl Words {
        fn new() -> Self {
            Self {
                bytes: [0; 64],
                length: 0,
            }
        }

        fn text(&self) -> &str {
            core::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
        }
    }

    impl Write for Words {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            let end = self.length + text.len();
            let place = self.bytes.get_mut(self.length..end);
            place
                .ok_or(core::fmt::Error)?
                .copy_from_slice(text.as_bytes());
            self.length = end;
            Ok(())
        }
    }

    fn thread(times: u64) -> Result<u64, Failed> {
        ticks(|| {
            for _ in 0..times {
                join(spawn(nothing, 0)?)?;
            }
            Ok(())
        })
    }

    fn page_fault(times: u64) -> Result<u64, Failed> {
        let (mut base, mut size) = (0u64, times * PAGE);
        status!(NtAllocateVirtualMemory(
            CURRENT_PROCESS,
            &mut base,
            0u64,
            &mut size,
            (AllocationType::RESERVE | AllocationType::COMMIT).bits(),
            PageProtection::READWRITE.bits()
        ));
        let taken = ticks(|| {
            for page in 0..times {
                fill(base + page * PAGE, &[1]);
            }
            Ok(())
        });
        release(base)?;
        taken
    }

    fn release(mut base: u64) -> Outcome {
        let mut size = 0u64;
        status!(NtFreeVirtualMemory(
            CURRENT_PROCESS,
            &mut base,
            &mut size,
            AllocationType::RELEASE.bits()
        ));
        Ok(())
    }

    fn memory(times: u64) -> Result<u64, Failed> {
        ticks(|| {
            for _ in 0..times {
                let (mut base, mut size) = (0u64, PAGE);
                status!(NtAllocateVirtualMemory(
                    CURRENT_PROCESS,
                    &mut base,
                    0u64,
                    &mut size,
                    (AllocationType::RESERVE | AllocationType::COMMIT).bits(),
                    PageProtection::READWRITE.bits()
                ));
                release(base)?;
            }
            Ok(())
        })
    }

    fn handle(times: u64) -> Result<u64, Failed> {
        let event = event()?;
        let taken = ticks(|| {
            for _ in 0..times {
                let mut copy = 0u64;
                status!(NtDuplicateObject(
                    CURRENT_PROCESS,
                    event,
                    CURRENT_PROCESS,
                    &mut copy,
                    AccessMask::NONE,
                    0u32,
                    SAME_ACCESS
                ));
                status!(NtClose(copy));
            }
            Ok(())
        });
        status!(NtClose(event));
        taken
    }

    /// An event that lets one waiter through.
    fn event() -> Result<u64, Failed> {
        let mut event = 0u64;
        status!(NtCreateEvent(
            &mut event,
            AccessMask::EVENT_ALL_ACCESS,
            NULL,
            EventType(1),
            false
        ));
        Ok(event)
    }
}

#[cfg(not(target_os = "windows"))]
fn main() {
    test_programs::say_where_to_run();
}
