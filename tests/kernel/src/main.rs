//! The test kernel: boots as the product does, then runs the case that `test=NAME` on its command line chooses.
//!
//! | module | cases |
//! |---|---|
//! | [`faults`] | `fault-...`: each must end in its bug check |
//! | [`interrupts`] | `clock-rate`, `irql-masks`, `dpc`, `dpc-watchdog`, `freeze` |
//! | [`locks`] | `spin-lock`, `spin-lock-parallel` |
//! | [`memory`] | `pool-exhaustion`, `kernel-stacks` |
//! | [`registers`] | `registers` |
//!
//! The last line of a case is `test: NAME: passed` or `test: NAME: FAILED: why`, and the exit code says the same.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]
#![deny(unsafe_code)]

#[cfg(target_os = "none")]
mod faults;
#[cfg(target_os = "none")]
mod interrupts;
#[cfg(target_os = "none")]
mod locks;
#[cfg(target_os = "none")]
mod memory;
#[cfg(target_os = "none")]
mod registers;

#[cfg(target_os = "none")]
mod kernel {
    use arch::contract::{BootInfo, ExitCode};
    use ke::{error, info};
    use ntoskrnl::{Program, Running};

    use crate::{faults, interrupts, locks, memory, registers};

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
        match name {
            "clock-rate" => interrupts::clock_rate(),
            "irql-masks" => interrupts::irql_masks(),
            "dpc" => interrupts::dpcs(),
            "dpc-watchdog" => interrupts::dpc_watchdog(),
            "freeze" => interrupts::freeze(),
            "spin-lock" => locks::spin_lock(1_000_000),
            // Where processors really run at once each handover waits for the host's scheduler: fewer do.
            "spin-lock-parallel" => locks::spin_lock(20_000),
            "pool-exhaustion" => memory::pool_exhaustion(),
            "kernel-stacks" => memory::kernel_stacks(),
            "registers" => registers::survive_interrupts(),
            _ => faults::provoke(name),
        }
    }
}

/// On a host there is no machine to boot.
#[cfg(not(target_os = "none"))]
fn main() {
    println!("This program is a kernel: start it with `cargo xtask test`.");
}
