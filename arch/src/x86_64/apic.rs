//! The local APIC, by registers of the processor (x2APIC) or by its page (xAPIC).
//!
//! x2APIC is used wherever CPUID has it: no page, 32-bit ids, one write to send an
//! interrupt. The register numbers below are the page's byte offsets; the MSR is
//! 0x800 + offset / 16.
//!
//! QEMU 10.0 ends with "Bad icount read" when the timer's registers are accessed as
//! MSRs under `-icount`, because it does not end a translated block there. Runs that
//! count instructions therefore want a processor without x2APIC (`-cpu max,-x2apic`).
//!
//! **Order.** What a processor wrote before it sends an interrupt must be visible to
//! the one that takes it. A store to the xAPIC's page is uncached: x86 keeps it
//! behind all earlier stores. A WRMSR to an x2APIC register is not serialising and
//! may overtake earlier stores (SDM volume 3, 11.12.3), so `send` puts MFENCE (all
//! earlier stores are visible) and LFENCE (WRMSR does not start before that) ahead.

use core::arch::asm;
use core::sync::atomic::{AtomicU8, Ordering};

use boards::InterruptController;

use super::features::{Features, features};
use super::per_processor;
use super::registers::{APIC_BASE, IoPort, Msr};
use super::trap::SPURIOUS_VECTOR;
use crate::Machine;
use crate::contract::{PhysAddr, Processor};
use crate::memory::DeviceWindow;

/// A register, by its byte offset in the page.
#[derive(Clone, Copy)]
pub(super) struct Register(u16);

const TASK_PRIORITY: Register = Register(0x80);
const END_OF_INTERRUPT: Register = Register(0xB0);
const SPURIOUS: Register = Register(0xF0);
const ERROR_STATUS: Register = Register(0x280);
const COMMAND: Register = Register(0x300);
const COMMAND_HIGH: Register = Register(0x310);
/// The timer's vector and mode.
pub(super) const TIMER_ENTRY: Register = Register(0x320);
/// The line of the old controllers.
pub(super) const LINE_0: Register = Register(0x350);
const LINE_1: Register = Register(0x360);
const ERROR_ENTRY: Register = Register(0x370);
/// Where the timer counts down from.
pub(super) const TIMER_INITIAL: Register = Register(0x380);
/// Where it is.
pub(super) const TIMER_CURRENT: Register = Register(0x390);
/// What its clock is divided by.
pub(super) const TIMER_DIVIDE: Register = Register(0x3E0);

/// In an entry of the local vector table: held back.
pub(super) const MASKED: u32 = 1 << 16;
const DELIVER_NMI: u32 = 4 << 8;
const DELIVER_INIT: u32 = 5 << 8;
const DELIVER_STARTUP: u32 = 6 << 8;
const ASSERT: u32 = 1 << 14;
const SEND_PENDING: u32 = 1 << 12;
/// In the spurious vector's register: the APIC is on.
const SOFTWARE_ENABLE: u32 = 1 << 8;

const NOT_INITIALIZED: u8 = 0;
const XAPIC: u8 = 1;
const X2APIC: u8 = 2;

static MODE: AtomicU8 = AtomicU8::new(NOT_INITIALIZED);
static WINDOW: spin::Once<DeviceWindow> = spin::Once::new();

/// The highest id that an xAPIC can address; 255 means all.
const LAST_XAPIC_ID: u32 = 254;

impl Register {
    fn msr(self) -> Msr {
        // SAFETY: used in x2APIC mode only, where the register exists. What is written selects interrupts, which the
        // stubs take; INIT and start-up commands go to processors that are off.
        unsafe { Msr::new(0x800 + u32::from(self.0 >> 4)) }
    }
}

/// Reads a register; 0 before [`initialize`].
pub(super) fn read(register: Register) -> u32 {
    // Relaxed: the mode is written before other processors start, and the window's Once orders itself.
    match MODE.load(Ordering::Relaxed) {
        // The upper half of a 32-bit register's MSR is reserved and reads as zero.
        X2APIC => (register.msr().read() & 0xFFFF_FFFF) as u32,
        XAPIC => WINDOW
            .get()
            .map_or(0, |window| window.read32(u64::from(register.0))),
        _ => 0,
    }
}

/// Writes a register; does nothing before [`initialize`].
pub(super) fn write(register: Register, value: u32) {
    match MODE.load(Ordering::Relaxed) {
        X2APIC => register.msr().write(u64::from(value)),
        XAPIC => {
            if let Some(window) = WINDOW.get() {
                window.write32(u64::from(register.0), value);
            }
        }
        _ => {}
    }
}

/// Finds the local APIC and decides how it is reached. Once, on the processor that booted.
pub(super) fn initialize(controller: &InterruptController) -> Result<(), &'static str> {
    let InterruptController::Apic {
        local_apic,
        has_8259,
        ..
    } = controller
    else {
        return Err("the firmware describes no local APIC");
    };
    if *has_8259 {
        silence_8259s();
    }
    if features().contains(Features::X2APIC) {
        MODE.store(X2APIC, Ordering::Relaxed);
        return Ok(());
    }
    let window = DeviceWindow::map(PhysAddr(*local_apic), 0x1000).map_err(
        |_| "the local APIC's registers, where the MADT says they are, cannot be mapped",
    )?;
    WINDOW.call_once(|| window);
    MODE.store(XAPIC, Ordering::Relaxed);
    Ok(())
}

/// Masks the two old interrupt controllers. They are moved off the exceptions' vectors first: a spurious interrupt of
/// theirs cannot be masked.
fn silence_8259s() {
    // SAFETY: the 8259s are at these ports on every PC that has them; they write no memory.
    let first = unsafe { IoPort::new(0x20) };
    // SAFETY: as above.
    let second = unsafe { IoPort::new(0xA0) };
    for (controller, vector, wiring) in [(first, 0x20, 4), (second, 0x28, 2)] {
        controller.write8(0x11);
        for word in [vector, wiring, 0x01, 0xFF] {
            controller.offset(1).write8(word);
        }
    }
}

/// Turns this processor's local APIC on, with everything of its own masked but NMI; an error if it does not answer.
pub(super) fn enable_on_this_processor() -> Result<(), &'static str> {
    const ENABLE: u64 = 1 << 11;
    const ENABLE_X2APIC: u64 = 1 << 10;
    let is_x2apic = is_x2apic();
    let base = APIC_BASE.read() | ENABLE;
    APIC_BASE.write(base);
    if is_x2apic {
        // From "off" only by way of xAPIC (SDM volume 3, 11.12.5).
        APIC_BASE.write(base | ENABLE_X2APIC);
    }
    write(TIMER_ENTRY, MASKED);
    write(LINE_0, MASKED);
    write(LINE_1, DELIVER_NMI);
    write(ERROR_ENTRY, MASKED);
    // CR8 holds the level; this is the same register, seen from the other side, and its low digit must be 0.
    write(TASK_PRIORITY, u32::from(per_processor::mask()) << 4);
    write(SPURIOUS, u32::from(SPURIOUS_VECTOR) | SOFTWARE_ENABLE);
    write(ERROR_STATUS, 0);
    // Where nothing answers all bits read as one; no APIC has all of them.
    match read(SPURIOUS) {
        u32::MAX => Err("nothing answers where the processor's local APIC should be"),
        value if value & SOFTWARE_ENABLE == 0 => {
            Err("the processor's local APIC cannot be turned on")
        }
        _ => Ok(()),
    }
}

/// Whether the registers are reached as MSRs.
pub(super) fn is_x2apic() -> bool {
    MODE.load(Ordering::Relaxed) == X2APIC
}

/// Whether a processor with that id can be addressed.
pub(super) fn can_address(id: u32) -> bool {
    match MODE.load(Ordering::Relaxed) {
        X2APIC => id != u32::MAX,
        XAPIC => id <= LAST_XAPIC_ID,
        _ => false,
    }
}

/// Tells the local APIC that the interrupt in service is over.
pub(super) fn end_of_interrupt() {
    write(END_OF_INTERRUPT, 0);
}

/// What one processor can send another.
#[derive(Clone, Copy)]
pub(super) enum Message {
    /// An interrupt.
    Vector(u8),
    /// One that nothing masks.
    Nmi,
    /// Back to the state after reset, waiting for start-up.
    Init,
    /// Begin in real mode at this page below 1 MiB.
    StartUp(u8),
}

impl Message {
    fn command(self) -> u32 {
        ASSERT
            | match self {
                Self::Vector(vector) => u32::from(vector),
                Self::Nmi => DELIVER_NMI,
                Self::Init => DELIVER_INIT,
                Self::StartUp(page) => DELIVER_STARTUP | u32::from(page),
            }
    }
}

/// Sends to the processor with that APIC id. What was written before is visible to it when the message arrives.
pub(super) fn send(id: u32, message: Message) {
    if is_x2apic() {
        // SAFETY: fences; see the module's comment. Not `nomem`: the compiler must not move stores behind it either.
        unsafe { asm!("mfence", "lfence", options(nostack, preserves_flags)) };
        COMMAND
            .msr()
            .write(u64::from(id) << 32 | u64::from(message.command()));
        return;
    }
    // Two writes: an interrupt in between could send one of its own and leave its target in the upper half.
    let enabled = Machine::disable_interrupts();
    wait_until_sent();
    write(COMMAND_HIGH, id << 24);
    write(COMMAND, message.command());
    Machine::restore_interrupts(enabled);
}

/// Waits, not for ever, until the previous message left. An APIC that stays busy gets the next one regardless.
fn wait_until_sent() {
    for _ in 0..100_000 {
        if read(COMMAND) & SEND_PENDING == 0 {
            return;
        }
        Machine::relax();
    }
}
