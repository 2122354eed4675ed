//! The 16550 serial port.
//!
//! Until a port is opened, output goes to COM1 at 0x3F8: the firmware's tables that
//! would name a port may be what is being complained about, and since the first PC
//! that is where one is. Writing to it where there is none is harmless.
//!
//! Every wait is bounded: a transmitter that does not become free within the time
//! for several bytes is taken to be dead and not waited for again, so a missing or
//! stuck port costs output but never a hang. The lock keeps lines whole; who cannot
//! get it writes without, because a report that is jumbled is better than none.

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use boards::{Console as ConsoleDescription, ConsoleKind};

use super::Machine;
use super::registers::IoPort;
use crate::contract::Console;
use crate::lock::{FloorLock, FloorLockGuard};

const COM1: u16 = 0x3F8;

const LINE_CONTROL: u16 = 3;
const LINE_STATUS: u16 = 5;
const DATA_READY: u8 = 1;
const HOLDING_EMPTY: u8 = 1 << 5;
const ALL_SENT: u8 = 1 << 6;
/// What a port reads as that nothing answers.
const NOTHING_THERE: u8 = 0xFF;

/// Looks at the line status before the transmitter is given up: at a microsecond a look, the time of some 200 bytes.
const PATIENCE: u32 = 20_000;
/// Looks at the lock: the holder may be a processor that was stopped.
const LOCK_PATIENCE: u32 = 1_000_000;

/// The open port; 0 before there is one.
static PORT: AtomicU16 = AtomicU16::new(0);
static IS_DEAD: AtomicBool = AtomicBool::new(false);
static LINES: FloorLock<()> = FloorLock::new(());
/// The lock did not become free once: its holder is lost, and nobody waits for it again.
static LOCK_GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// The lock, unless it is taken and its holder does not give it back.
fn lines() -> Option<FloorLockGuard<'static, ()>> {
    let tries = if LOCK_GIVEN_UP.load(Ordering::Relaxed) {
        1
    } else {
        LOCK_PATIENCE
    };
    let guard = LINES.acquire_within(tries);
    if guard.is_none() {
        LOCK_GIVEN_UP.store(true, Ordering::Relaxed);
    }
    guard
}

/// The open port, COM1 if there is none yet.
fn port() -> IoPort {
    // Relaxed throughout this file: the values are independent of each other and of other memory.
    let number = match PORT.load(Ordering::Relaxed) {
        0 => {
            open(COM1);
            COM1
        }
        number => number,
    };
    named(number)
}

fn named(number: u16) -> IoPort {
    // SAFETY: a serial port that the firmware describes, or COM1; a 16550 does not write to memory.
    unsafe { IoPort::new(number) }
}

/// Sets a port to 115200 baud, 8 bits, no parity, one stop bit, FIFOs on, interrupts off.
fn open(number: u16) {
    let port = named(number);
    wait_for(port, ALL_SENT);
    for (offset, value) in [
        (1, 0x00),
        (LINE_CONTROL, 0x80),
        (0, 1),
        (1, 0),
        (LINE_CONTROL, 0x03),
        (2, 0xC7),
        (4, 0x03),
    ] {
        port.offset(offset).write8(value);
    }
    IS_DEAD.store(false, Ordering::Relaxed);
    PORT.store(number, Ordering::Relaxed);
}

/// Waits for a bit of the line status; false if it does not come.
fn wait_for(port: IoPort, bit: u8) -> bool {
    (0..PATIENCE).any(|_| port.offset(LINE_STATUS).read8() & bit != 0)
}

fn put(port: IoPort, byte: u8) {
    if !IS_DEAD.load(Ordering::Relaxed) && !wait_for(port, HOLDING_EMPTY) {
        IS_DEAD.store(true, Ordering::Relaxed);
    }
    port.write8(byte);
}

fn put_all(bytes: &[u8]) {
    let port = port();
    for &byte in bytes {
        if byte == b'\n' {
            put(port, b'\r');
        }
        put(port, byte);
    }
}

/// Writes past the lock, for who cannot wait.
pub(super) struct LastResort;

impl fmt::Write for LastResort {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        put_all(text.as_bytes());
        Ok(())
    }
}

const INTERRUPT_ENABLE: u16 = 1;
/// In the enabling register: when the transmitter is empty.
const WHEN_EMPTY: u8 = 1 << 1;
/// Reading it settles the transmitter's interrupt.
const INTERRUPT_IDENTITY: u16 = 2;
/// What it reads as, in its lower four bits, when that is the one.
const IS_EMPTY: u8 = 0b0010;
const MODEM_CONTROL: u16 = 4;
/// DTR, RTS and, if it is to interrupt, OUT2: a PC's gate between the port and the line.
const MODEM_LINES: u8 = 0x03;
const OUT2: u8 = 1 << 3;

/// For the self-test: see the contract's.
pub(super) fn let_interrupt(enabled: bool) {
    let port = port();
    let (gate, when) = if enabled { (OUT2, WHEN_EMPTY) } else { (0, 0) };
    port.offset(MODEM_CONTROL).write8(MODEM_LINES | gate);
    port.offset(INTERRUPT_ENABLE).write8(when);
}

/// For the self-test: see the contract's.
pub(super) fn settle_interrupt() -> bool {
    port().offset(INTERRUPT_IDENTITY).read8() & 0xF == IS_EMPTY
}

impl Console for Machine {
    fn open_console(console: &ConsoleDescription) {
        if console.kind == ConsoleKind::Uart16550Port
            && let Ok(number) = u16::try_from(console.base)
            && number != 0
        {
            let _lines = lines();
            open(number);
        }
    }

    fn write_bytes(bytes: &[u8]) {
        let _lines = lines();
        put_all(bytes);
    }

    fn read_byte() -> Option<u8> {
        let port = port();
        let status = port.offset(LINE_STATUS).read8();
        (status & DATA_READY != 0 && status != NOTHING_THERE).then(|| port.read8())
    }
}
