//! The serial port, polled: PL011 (Arm DDI 0183) and the BCM2835's mini UART.
//!
//! The firmware set the port up, or the emulator needs none of that; clocks are
//! not known here, so the rate is left alone. Nothing waits without a limit: a port
//! that does not take a byte within a tenth of a second is treated as stuck and
//! waited for no more until it moves.
//!
//! Lines of several processors are kept apart by a lock that is taken with
//! patience, not unconditionally: a report from a machine whose processor died with
//! the lock comes out late and possibly mixed, but it comes out. For the same reason
//! what the port is lies outside of the lock.

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use boards::{Console as ConsoleDescription, ConsoleKind};

use super::{Machine, semihosting, window};
use crate::contract::{Clock, Console, PhysAddr, Processor, VirtAddr};
use crate::lock::{FloorLock, FloorLockGuard};

const NO_PORT: u8 = 0;
const PL011: u8 = 1;
const MINI_UART: u8 = 2;

/// How often a writer looks for the lock before it writes without: some tenths of a second.
const PATIENCE: u32 = 4_000_000;

static KIND: AtomicU8 = AtomicU8::new(NO_PORT);
static BASE: AtomicU64 = AtomicU64::new(0);
static STUCK: AtomicBool = AtomicBool::new(false);
static LINE: FloorLock<()> = FloorLock::new(());
/// Whether somebody has waited for the lock in vain. The next look only once, so that a long report does not wait at each piece.
static LOCK_GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// The right to write, or `None` when it is not to be had and one writes all the same.
fn acquire_line() -> Option<FloorLockGuard<'static, ()>> {
    let tries = if LOCK_GIVEN_UP.load(Ordering::Relaxed) {
        1
    } else {
        PATIENCE
    };
    let line = LINE.acquire_within(tries);
    if line.is_none() {
        LOCK_GIVEN_UP.store(true, Ordering::Relaxed);
    }
    line
}

/// An open port.
#[derive(Clone, Copy)]
struct Port {
    base: u64,
    /// Offset of the data register.
    data: u64,
    /// Offset of the status register, its bit (and that bit's value) when a byte can be sent, and when one has arrived.
    status: u64,
    can_send: (u32, u32),
    has_byte: (u32, u32),
}

impl Port {
    fn open() -> Option<Self> {
        // Acquire: pairs with the release in `open_console`, so the base is there when the kind is.
        let kind = KIND.load(Ordering::Acquire);
        let base = BASE.load(Ordering::Relaxed);
        match kind {
            // UARTFR: TXFF is bit 5, RXFE is bit 4.
            PL011 => Some(Self {
                base,
                data: 0,
                status: 0x18,
                can_send: (1 << 5, 0),
                has_byte: (1 << 4, 0),
            }),
            // AUX_MU_LSR: bit 5 "transmitter can take a byte", bit 0 "byte received".
            MINI_UART => Some(Self {
                base,
                data: 0,
                status: 0x14,
                can_send: (1 << 5, 1 << 5),
                has_byte: (1, 1),
            }),
            _ => None,
        }
    }

    fn read(self, offset: u64) -> u32 {
        // SAFETY: the window shows the port's registers for good; status has no effects, data gives up a byte that is ours.
        unsafe { ((self.base + offset) as *const u32).read_volatile() }
    }

    fn is(self, (bit, value): (u32, u32)) -> bool {
        self.read(self.status) & bit == value
    }

    fn send(self, byte: u8) {
        if !self.is(self.can_send) {
            let limit = if STUCK.load(Ordering::Relaxed) {
                0
            } else {
                Machine::counter_frequency() / 10
            };
            let start = Machine::counter();
            while !self.is(self.can_send) {
                if Machine::counter().wrapping_sub(start) >= limit {
                    STUCK.store(true, Ordering::Relaxed);
                    return;
                }
                Machine::relax();
            }
        }
        STUCK.store(false, Ordering::Relaxed);
        self.write(self.data, u32::from(byte));
    }

    fn write(self, offset: u64, value: u32) {
        // SAFETY: as for `read`; the port sends a byte, or interrupts otherwise than before.
        unsafe { ((self.base + offset) as *mut u32).write_volatile(value) };
    }
}

/// Switches a PL011 on that nobody has switched on: QEMU leaves it so (and complains of use, but works). One that is on was
/// set up by the firmware and stays as it is.
fn enable_pl011(base: VirtAddr) {
    const UARTCR: u64 = 0x30;
    /// UARTEN, TXE, RXE.
    const ON: u32 = 1 | 1 << 8 | 1 << 9;
    let control = (base.0 + UARTCR) as *mut u32;
    // SAFETY: the window shows the port's registers for good.
    if unsafe { control.read_volatile() } & 1 == 0 {
        // SAFETY: as above.
        unsafe { control.write_volatile(ON) };
    }
}

/// Registers of a PL011's interrupts: the mask, what is signalled, what clears it. The mini UART has others, and no test
/// machine has its console there.
const UARTIMSC: u64 = 0x38;
const UARTMIS: u64 = 0x40;
const UARTICR: u64 = 0x44;
/// The transmit interrupt in all three.
const TRANSMIT: u32 = 1 << 5;

/// The open port, if it is a PL011.
fn pl011() -> Option<Port> {
    (KIND.load(Ordering::Acquire) == PL011)
        .then(Port::open)
        .flatten()
}

/// For the self-test: see the contract's.
pub(super) fn let_interrupt(enabled: bool) {
    if let Some(port) = pl011() {
        port.write(UARTIMSC, if enabled { TRANSMIT } else { 0 });
    }
}

/// For the self-test: see the contract's.
pub(super) fn settle_interrupt() -> bool {
    let Some(port) = pl011().filter(|port| port.read(UARTMIS) & TRANSMIT != 0) else {
        return false;
    };
    port.write(UARTICR, TRANSMIT);
    true
}

impl Console for Machine {
    fn open_console(console: &ConsoleDescription) {
        let kind = match console.kind {
            ConsoleKind::Pl011 => PL011,
            ConsoleKind::Bcm2835Aux => MINI_UART,
            ConsoleKind::Uart16550Port => return,
        };
        if let Some(base) =
            window::map_device(PhysAddr(console.base), console.length.clamp(0x20, 0x1000))
        {
            let _line = acquire_line();
            if kind == PL011 {
                enable_pl011(base);
            }
            KIND.store(NO_PORT, Ordering::Relaxed);
            BASE.store(base.0, Ordering::Relaxed);
            KIND.store(kind, Ordering::Release);
        }
    }

    fn write_bytes(bytes: &[u8]) {
        let _line = acquire_line();
        let Some(port) = Port::open() else {
            semihosting::write(bytes);
            return;
        };
        for byte in bytes {
            if *byte == b'\n' {
                port.send(b'\r');
            }
            port.send(*byte);
        }
    }

    fn read_byte() -> Option<u8> {
        let port = Port::open()?;
        port.is(port.has_byte)
            .then(|| port.read(port.data).to_le_bytes()[0])
    }
}
