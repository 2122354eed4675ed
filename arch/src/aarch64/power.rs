//! The ways out: the host's exit code, PSCI, the Raspberry Pi's watchdog, and standing still.
//!
//! Each way falls through to the next when it does not work, so a machine without
//! a listening host still goes off, and one that cannot go off still stops.

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use boards::{LoaderBlock, PowerControl, PsciConduit};

use super::{Machine, psci, semihosting, window};
use crate::contract::{ExitChannel, ExitCode, PhysAddr, Power, Processor, VirtAddr};

/// The BCM2835's power manager (Broadcom's manual leaves it out; Linux' `bcm2835_wdt` has the registers).
const PM_RSTC: u64 = 0x1C;
const PM_RSTS: u64 = 0x20;
const PM_WDOG: u64 = 0x24;
const PM_PASSWORD: u32 = 0x5A00_0000;
const RSTC_FULL_RESET: u32 = 0x20;
const RSTC_CONFIGURATION: u32 = 0x30;
/// Partition 63, spread over the even bits: the firmware then halts instead of booting.
const RSTS_HALT: u32 = 0x555;

const NO_CONDUIT: u8 = 0;
const HVC: u8 = 1;
const SMC: u8 = 2;

/// How the machine goes off, written once by `initialize_power`.
static CONDUIT: AtomicU8 = AtomicU8::new(NO_CONDUIT);
static POWER_MANAGER: AtomicU64 = AtomicU64::new(0);
static HOST_LISTENS: AtomicBool = AtomicBool::new(false);

fn firmware(function: u64) {
    match CONDUIT.load(Ordering::Relaxed) {
        HVC => _ = psci::call(PsciConduit::Hvc, function, [0; 3]),
        SMC => _ = psci::call(PsciConduit::Smc, function, [0; 3]),
        _ => {}
    }
}

/// Sets the watchdog off, with or without the mark that makes the firmware halt.
fn watchdog(halt: bool) {
    let manager = POWER_MANAGER.load(Ordering::Relaxed);
    if manager == 0 {
        return;
    }
    let register = |offset: u64| VirtAddr(manager + offset).0 as *mut u32;
    // SAFETY: the window shows the power manager's registers for good.
    let status = unsafe { register(PM_RSTS).read_volatile() } & !(RSTS_HALT | 0xFF00_0000);
    // SAFETY: as above.
    unsafe {
        register(PM_RSTS).write_volatile(PM_PASSWORD | status | if halt { RSTS_HALT } else { 0 })
    };
    // SAFETY: as above; ten ticks of 16 microseconds.
    unsafe { register(PM_WDOG).write_volatile(PM_PASSWORD | 10) };
    // SAFETY: as above.
    let control =
        unsafe { register(PM_RSTC).read_volatile() } & !(RSTC_CONFIGURATION | 0xFF00_0000);
    // SAFETY: as above; from here the watchdog counts.
    unsafe { register(PM_RSTC).write_volatile(PM_PASSWORD | control | RSTC_FULL_RESET) };
}

impl Power for Machine {
    fn initialize_power(loader: &LoaderBlock) {
        match loader.power {
            PowerControl::Psci => {
                let conduit = match loader.psci {
                    Some(PsciConduit::Hvc) => HVC,
                    Some(PsciConduit::Smc) => SMC,
                    None => NO_CONDUIT,
                };
                CONDUIT.store(conduit, Ordering::Relaxed);
            }
            PowerControl::Bcm2835Pm(range) => {
                if let Some(manager) =
                    window::map_device(PhysAddr(range.start), range.length().min(0x1000))
                {
                    POWER_MANAGER.store(manager.0, Ordering::Relaxed);
                }
            }
            PowerControl::Acpi { .. } | PowerControl::None => {}
        }
    }

    fn set_exit_channel(channel: ExitChannel) {
        HOST_LISTENS.store(channel == ExitChannel::Semihosting, Ordering::Relaxed);
    }

    fn power_off(code: ExitCode) -> ! {
        if HOST_LISTENS.load(Ordering::Relaxed) {
            semihosting::exit(code);
        }
        firmware(psci::SYSTEM_OFF);
        watchdog(true);
        Self::stop()
    }

    fn reset() -> ! {
        firmware(psci::SYSTEM_RESET);
        watchdog(false);
        Self::stop()
    }

    fn give_up(code: ExitCode) -> ! {
        Self::disable_interrupts();
        semihosting::exit(code);
        firmware(psci::SYSTEM_OFF);
        watchdog(true);
        Self::stop()
    }
}
