//! The test kernel: boots as the product does, then runs the case that `test=NAME` on its command line chooses.
//!
//! | module | cases |
//! |---|---|
//! | [`device_line`] | `device-line-N`: line N is the console's |
//! | [`faults`] | `fault-...`: each must end in its bug check |
//! | [`interrupts`] | `clock-rate`, `irql-masks`, `dpc`, `dpc-watchdog`, `freeze` |
//! | [`locks`] | `spin-lock`, `spin-lock-parallel`, `queued-spin-lock` |
//! | [`litmus`] | `litmus` |
//! | [`memory`] | `pool-exhaustion`, `kernel-stacks` |
//! | [`objects`] | `object-callbacks` |
//! | [`registers`] | `registers`, `registers-faults` |
//! | [`threads`] | `wait-storm`, `thread-creation`, `thread-creation-parallel`, `affinity`, `timers`, `ping-pong`, `waiters` |
//! | [`user_mode`] | `user-mode`, `user-mode-cost` |
//! | [`user_memory`] | `user-memory`, `user-flush` |
//! | [`user_threads`] | `user-interrupt`, `user-stop`, `user-registers` |
//! | [`workers`] | `workers`, `workers-system` |
//! | [`coalescing`] | `timer-coalescing` |
//! | [`process`] | the user halves that these run in |
//!
//! The last line of a case is `test: NAME: passed` or `test: NAME: FAILED: why`, and the exit code says the same.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]
#![deny(unsafe_code)]

#[cfg(target_os = "none")]
extern crate alloc;

#[cfg(target_os = "none")]
mod coalescing;
#[cfg(target_os = "none")]
mod device_line;
#[cfg(target_os = "none")]
mod faults;
#[cfg(target_os = "none")]
mod interrupts;
#[cfg(target_os = "none")]
mod litmus;
#[cfg(target_os = "none")]
mod locks;
#[cfg(target_os = "none")]
mod memory;
#[cfg(target_os = "none")]
mod objects;
#[cfg(target_os = "none")]
mod process;
#[cfg(target_os = "none")]
mod registers;
#[cfg(target_os = "none")]
mod threads;
#[cfg(target_os = "none")]
mod user_memory;
#[cfg(target_os = "none")]
mod user_mode;
#[cfg(target_os = "none")]
mod user_threads;
#[cfg(target_os = "none")]
mod workers;

#[cfg(target_os = "none")]
mod kernel {
    use arch::contract::{BootInfo, ExitCode};
    use ke::{error, info};
    use ntoskrnl::{Program, Running};

    use crate::{
        coalescing, device_line, faults, interrupts, litmus, locks, memory, objects, registers,
        threads, user_memory, user_mode, user_threads, workers,
    };

    static PROGRAM: Program = Program {
        symbols: include_bytes!(env!("TARN_SYMBOLS")),
        then,
    };

    arch::kernel_entry!(start);

    fn start(boot: BootInfo) -> ! {
        registers::interpose();
        ntoskrnl::start(&boot, &PROGRAM)
    }

    fn then(running: &Running) -> ExitCode {
        let Some(name) = running.options().test else {
            error!("no test=NAME on the command line");
            return ExitCode::CheckFailed;
        };
        match run(name) {
            Ok(()) => {
                info!("test: {name}: passed");
                ExitCode::Success
            }
            Err(why) => {
                error!("test: {name}: FAILED: {why}");
                ExitCode::CheckFailed
            }
        }
    }

    fn run(name: &str) -> Result<(), &'static str> {
        if let Some(line) = name.strip_prefix("device-line-") {
            let line = line.parse().map_err(|_| "the line is no number")?;
            return device_line::device_line(line);
        }
        match name {
            "clock-rate" => interrupts::clock_rate(),
            "irql-masks" => interrupts::irql_masks(),
            "dpc" => interrupts::dpcs(),
            "dpc-watchdog" => interrupts::dpc_watchdog(),
            "freeze" => interrupts::freeze(),
            "spin-lock" => locks::spin_lock(1_000_000),
            // Where processors really run at once each handover waits for the host's scheduler: fewer do.
            "spin-lock-parallel" => locks::spin_lock(20_000),
            "queued-spin-lock" => locks::queued_spin_lock(),
            "pool-exhaustion" => memory::pool_exhaustion(),
            "kernel-stacks" => memory::kernel_stacks(),
            "registers" => registers::survive_interrupts(),
            "registers-faults" => registers::survive_faults(),
            "wait-storm" => threads::wait_storm(),
            "thread-creation" => threads::thread_creation(100_000),
            // Where processors really run at once each thread waits for the host's scheduler: fewer do.
            "thread-creation-parallel" => threads::thread_creation(3_000),
            "affinity" => threads::affinity(),
            "timers" => threads::timers(),
            "ping-pong" => threads::ping_pong(10_000),
            "user-mode" => user_mode::every_exit(),
            "user-mode-cost" => user_mode::cost(),
            "user-memory" => user_memory::copies(),
            "user-flush" => user_memory::flush(),
            "user-interrupt" => user_threads::interrupted(),
            "user-stop" => user_threads::stopped(),
            "user-registers" => user_threads::registers(),
            "timer-coalescing" => coalescing::coalescing(),
            "waiters" => threads::waiters(10_000),
            "litmus" => litmus::litmus(),
            "object-callbacks" => objects::object_callbacks(),
            "workers" => workers::workers(),
            "workers-system" => workers::system_workers(),
            _ => faults::provoke(name),
        }
    }
}

/// On a host there is no machine to boot.
#[cfg(not(target_os = "none"))]
fn main() {
    println!("This program is a kernel: start it with `cargo xtask test`.");
}
