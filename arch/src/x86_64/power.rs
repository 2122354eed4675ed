//! The ways out: the debug port, ACPI, reset, and halting.
//!
//! QEMU's `isa-debug-exit` ends the emulator with status (value << 1) | 1, so the
//! exit code is written plus 0x10, which keeps it apart from QEMU's own 1. The port
//! is written only if the command line named it.
//!
//! S5 by ACPI wants the sleep type from the `_S5_` package of the DSDT, which is AML;
//! the loader block does not have it. QEMU's is 0, which is what is written. On a
//! machine with another one nothing happens, and the processor halts.

use core::sync::atomic::{AtomicU8, AtomicU16, Ordering};

use boards::{LoaderBlock, PowerControl};

use super::registers::IoPort;
use super::{Machine, apic, interrupts, shootdown};
use crate::contract::{ExitChannel, ExitCode, Power, Processor, ProcessorSet};

/// In PM1a_CNT: go to the state that SLP_TYP (bits 12:10) names.
const SLEEP: u16 = 1 << 13;
const S5: u16 = 0;
/// Looks at whether the processors stopped that were sent an NMI, before they are given up.
const FREEZE_PATIENCE: u32 = 4_000_000;

// Relaxed throughout: each value stands for itself, and they are written before other processors start.
/// The debug port; 0 if none was named.
static EXIT_PORT: AtomicU16 = AtomicU16::new(0);
static PM1A_CONTROL: AtomicU16 = AtomicU16::new(0);
static RESET_PORT: AtomicU16 = AtomicU16::new(0);
static RESET_VALUE: AtomicU8 = AtomicU8::new(0);
/// The debug port that the entry code found in the command line, for [`Power::give_up`]; 0 if none is named there.
static NAMED_PORT: AtomicU16 = AtomicU16::new(0);

/// A port that the firmware or the command line names.
fn port(number: u16) -> Option<IoPort> {
    // SAFETY: it is used on the way out only: no Rust code runs after what it does.
    (number != 0).then(|| unsafe { IoPort::new(number) })
}

/// Stops this processor, whatever state it is in.
pub(super) fn halt() -> ! {
    loop {
        Machine::disable_interrupts();
        ::x86_64::instructions::hlt();
    }
}

/// Keeps the port for [`Power::give_up`], which may come before the command line is read, or after it is out of reach.
pub(super) fn remember_exit_port(port: u16) {
    NAMED_PORT.store(port, Ordering::Relaxed);
}

/// Stops every other processor, even one with interrupts disabled: by NMI.
pub(super) fn freeze_others() {
    // Whoever does not stop cannot be helped: the caller goes on either way.
    let _all_stopped = freeze(shootdown::others());
}

/// Stops these processors, even with interrupts disabled: by NMI. False if one of them did not stop in time.
pub(super) fn freeze(targets: ProcessorSet) -> bool {
    interrupts::begin_freezing();
    for number in targets.iter() {
        interrupts::send(number, apic::Message::Nmi);
    }
    (0..FREEZE_PATIENCE).any(|_| {
        Machine::relax();
        shootdown::have_left(targets)
    })
}

fn exit_by_port(named: &AtomicU16, code: ExitCode) {
    if let Some(port) = port(named.load(Ordering::Relaxed)) {
        port.write32(u32::from(code as u8) + 0x10);
    }
}

/// A short wait without a clock: reads of a port that takes about a microsecond each.
fn pause() {
    // SAFETY: the POST code port; reading it changes nothing.
    let post = unsafe { IoPort::new(0x80) };
    for _ in 0..50_000 {
        post.read8();
    }
}

impl Power for Machine {
    fn initialize_power(loader: &LoaderBlock) {
        if let PowerControl::Acpi {
            pm1a_control,
            reset_port,
            reset_value,
        } = loader.power
        {
            PM1A_CONTROL.store(pm1a_control, Ordering::Relaxed);
            RESET_PORT.store(reset_port, Ordering::Relaxed);
            RESET_VALUE.store(reset_value, Ordering::Relaxed);
        }
    }

    fn set_exit_channel(channel: ExitChannel) {
        let port = if let ExitChannel::DebugPort(port) = channel {
            port
        } else {
            0
        };
        EXIT_PORT.store(port, Ordering::Relaxed);
    }

    fn power_off(code: ExitCode) -> ! {
        Self::disable_interrupts();
        exit_by_port(&EXIT_PORT, code);
        if let Some(control) = port(PM1A_CONTROL.load(Ordering::Relaxed)) {
            // The other bits stay, the sleep type goes in first (ACPI 16.1.5 wants it so on some hardware).
            let rest = control.read16() & !(SLEEP | 7 << 10);
            control.write16(rest | S5 << 10);
            control.write16(rest | S5 << 10 | SLEEP);
            pause();
        }
        Self::stop()
    }

    fn reset() -> ! {
        Self::disable_interrupts();
        if let Some(register) = port(RESET_PORT.load(Ordering::Relaxed)) {
            register.write8(RESET_VALUE.load(Ordering::Relaxed));
            pause();
        }
        // The chipset's reset control: a hard reset, in two steps.
        // SAFETY: it resets; no Rust code runs after.
        let chipset = unsafe { IoPort::new(0xCF9) };
        chipset.write8(0x02);
        chipset.write8(0x06);
        pause();
        // The keyboard controller's line to the processor's reset.
        // SAFETY: as above.
        let keyboard = unsafe { IoPort::new(0x64) };
        keyboard.write8(0xFE);
        pause();
        Self::power_off(ExitCode::Success)
    }

    fn give_up(code: ExitCode) -> ! {
        Self::disable_interrupts();
        exit_by_port(&EXIT_PORT, code);
        exit_by_port(&NAMED_PORT, code);
        Self::stop()
    }
}
