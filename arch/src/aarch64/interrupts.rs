//! Taking interrupts, connecting lines, calling other processors.
//!
//! What the controller is and how accesses to it are ordered is `controller`'s
//! business. Here an interrupt that was acknowledged finds its level: that of the
//! call between processors, of the clock, or the one that its line was connected
//! with. Whatever else arrives is disabled, ended and counted as spurious.

use core::fmt;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use aarch64_cpu::asm::barrier;
use boards::LoaderBlock;

use super::controller::{self, Controller};
use super::per_processor::{self, BLOCKS};
use super::{Machine, timer};
use crate::contract::{
    InterruptLine, Interrupts, Irql, LineError, Processor, ProcessorNumber, ProcessorSet, Trigger,
};
use crate::dispatch::take_interrupt;
use crate::lock::FloorLock;

/// The software-generated interrupt that processors call each other with.
const IPI: u32 = 0;

static CONTROLLER: spin::Once<Controller> = spin::Once::new();
/// The right to change the distributor's shared registers.
static ROUTES: FloorLock<()> = FloorLock::new(());
/// The level of each connected line; 0 means none. Written under `ROUTES`, before the line is enabled.
static LINE_LEVELS: [AtomicU8; gic::FIRST_SPECIAL as usize] =
    [const { AtomicU8::new(0) }; gic::FIRST_SPECIAL as usize];
static SPURIOUS: AtomicU64 = AtomicU64::new(0);

/// Writes the priority mask for a level, once there is a controller. For `settle_mask` alone.
#[inline]
pub(super) fn write_mask(level: u8) {
    if let Some(controller) = CONTROLLER.get() {
        controller.set_mask(level);
    }
}

/// Enables a private interrupt of this processor. Interrupts are off.
pub(super) fn enable_private(intid: u32, level: Irql) {
    if let Some(controller) = CONTROLLER.get() {
        controller.enable_private(intid, level.level());
    }
}

/// The level that a line was connected with; 0 means none.
fn line_level(intid: u32) -> u8 {
    LINE_LEVELS
        .get(intid as usize)
        .map_or(0, |level| level.load(Ordering::Relaxed))
}

/// The vector's way here: an IRQ was signalled, in user mode or not.
pub(super) fn take(in_user_mode: bool) {
    let Some((controller, acknowledged)) = CONTROLLER
        .get()
        .and_then(|one| one.acknowledge().map(|taken| (one, taken)))
    else {
        SPURIOUS.fetch_add(1, Ordering::Relaxed);
        return;
    };
    let intid = acknowledged.intid();
    if intid == IPI {
        take_interrupt(
            Irql::Ipi,
            |kernel| kernel.interprocessor_interrupt(),
            || controller.end(acknowledged),
        );
    } else if timer::is_clock(intid) {
        timer::rearm();
        take_interrupt(
            Irql::Clock,
            |kernel| kernel.clock_interrupt(in_user_mode),
            || controller.end(acknowledged),
        );
    } else {
        match Irql::from_level(line_level(intid)).filter(|level| *level != Irql::Passive) {
            Some(level) => {
                take_interrupt(
                    level,
                    |kernel| kernel.device_interrupt(InterruptLine(intid)),
                    || controller.end(acknowledged),
                );
            }
            None => {
                // Disconnected while it was on its way, or something that nobody asked for: not again.
                SPURIOUS.fetch_add(1, Ordering::Relaxed);
                let routes = ROUTES.acquire();
                // Unless another processor has connected it since: then it stays enabled.
                if line_level(intid) == 0 {
                    controller.disable(intid);
                }
                drop(routes);
                controller.end(acknowledged);
            }
        }
    }
}

/// The level of the interrupted code as the mask knows it.
fn present_mask_level() -> u8 {
    let level = Machine::irql();
    if level.masks_hardware() {
        level.level()
    } else {
        0
    }
}

impl Interrupts for Machine {
    fn initialize(loader: &LoaderBlock) -> Result<(), &'static str> {
        let controller = controller::find(loader)?;
        CONTROLLER.call_once(|| controller);
        Ok(())
    }

    fn initialize_processor() -> Result<(), &'static str> {
        let controller = CONTROLLER
            .get()
            .ok_or("the interrupt controller was not set up")?;
        let enabled = Self::disable_interrupts();
        let level = present_mask_level();
        let result = controller.initialize_processor(level);
        if result.is_ok() {
            let block = per_processor::current();
            block.mask_level.store(level, Ordering::Relaxed);
            controller.enable_private(IPI, Irql::Ipi.level());
            // Release: whoever finds it set finds the target mask.
            block.takes_interrupts.store(true, Ordering::Release);
        }
        Self::restore_interrupts(enabled);
        result.map_err(gic::Error::message)
    }

    fn describe(out: &mut dyn fmt::Write) -> fmt::Result {
        match CONTROLLER.get() {
            Some(controller) => controller.describe(out),
            None => write!(out, "no interrupt controller"),
        }
    }

    fn connect_line(
        line: InterruptLine,
        level: Irql,
        trigger: Trigger,
        target: ProcessorNumber,
    ) -> Result<(), LineError> {
        let controller = CONTROLLER.get().ok_or(LineError::NoSuchLine)?;
        if !(Irql::Device3..=Irql::Device11).contains(&level) {
            return Err(LineError::NoVector);
        }
        if line.0 < gic::FIRST_SHARED {
            return Err(LineError::InUse);
        }
        // Acquire: pairs with `initialize_processor`. A processor that never came so far would never take the line.
        let block = BLOCKS
            .get(target.index())
            .filter(|block| block.takes_interrupts.load(Ordering::Acquire))
            .ok_or(LineError::NoVector)?;
        let _routes = ROUTES.acquire();
        let slot = LINE_LEVELS
            .get(line.0 as usize)
            .filter(|_| line.0 < controller.lines())
            .ok_or(LineError::NoSuchLine)?;
        if slot.load(Ordering::Relaxed) != 0 {
            return Err(LineError::InUse);
        }
        slot.store(level.level(), Ordering::Relaxed);
        let trigger = match trigger {
            Trigger::Level => gic::Trigger::Level,
            Trigger::Edge => gic::Trigger::Edge,
        };
        // The target must find the line's level, and what the caller prepared for its handler.
        barrier::dsb(barrier::ISHST);
        controller.connect(line.0, level.level(), trigger, block);
        Ok(())
    }

    fn disconnect_line(line: InterruptLine) {
        let Some(controller) = CONTROLLER.get() else {
            return;
        };
        let _routes = ROUTES.acquire();
        if let Some(slot) = LINE_LEVELS
            .get(line.0 as usize)
            .filter(|slot| slot.load(Ordering::Relaxed) != 0)
        {
            controller.disable(line.0);
            slot.store(0, Ordering::Relaxed);
        }
    }

    fn send_ipi(targets: ProcessorSet) {
        let blocks = targets
            .iter()
            .filter_map(|number| BLOCKS.get(number.index()));
        if let Some(controller) = CONTROLLER.get() {
            controller.send(IPI, blocks);
        }
    }

    fn spurious_count() -> u64 {
        SPURIOUS.load(Ordering::Relaxed)
    }
}
