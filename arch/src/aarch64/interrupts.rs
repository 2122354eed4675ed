//! The GIC under this machine: `gic`'s logic over mapped registers and MSR/MRS, and the barriers.
//!
//! **Ordering.** Stores to memory and accesses to the controller are not ordered
//! with each other by themselves:
//!
//! * before a software-generated interrupt, DSB ISHST: what this processor wrote is visible to the others before the
//!   controller is told. The receiver takes an exception after that, acknowledges, and executes DSB before it reads:
//!   without it a load could be satisfied before the acknowledge, which is the event that the sender's stores precede.
//! * before the end of an interrupt, DSB: the handler's stores to the device have arrived, so a level-triggered line
//!   is down before the controller samples it again.
//! * after the mask is raised, on version 2, the mask register is read back and DSB and ISB wait for it. An interrupt
//!   that was signalled before but is taken after is masked by then, so its acknowledge finds nothing: spurious, and
//!   dropped. On version 3 a write to ICC_PMR_EL1 is self-synchronising (IHI 0069, 12.1.6); lowering it is followed
//!   by DSB, so that the redistributor hears of it soon.

use core::arch::asm;
use core::fmt;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use aarch64_cpu::asm::barrier;
use boards::{InterruptController, LoaderBlock, MAX_PROCESSORS, PhysRange};
use gic::{Acknowledged, Error, Registers, SystemRegisters, v2, v3};

use super::per_processor::{self, BLOCKS};
use super::{Machine, boot, timer};
use crate::contract::{
    Console, InterruptLine, Interrupts, Irql, LineError, PhysAddr, Processor, ProcessorNumber, ProcessorSet, Trigger,
};
use crate::dispatch::take_interrupt;
use crate::lock::FloorLock;
use crate::memory::DeviceWindow;

/// The software-generated interrupt that processors call each other with.
const IPI: u32 = 0;
/// More redistributors than that in one region are not looked at: a damaged type register has no last one.
const MOST_REDISTRIBUTORS: usize = 512;

struct Window(DeviceWindow);

impl Registers for Window {
    fn read32(&self, offset: u64) -> u32 {
        self.0.read32(offset)
    }

    fn write32(&self, offset: u64, value: u32) {
        self.0.write32(offset, value);
    }

    fn read64(&self, offset: u64) -> u64 {
        self.0.read64(offset)
    }

    fn write64(&self, offset: u64, value: u64) {
        self.0.write64(offset, value);
    }
}

/// This processor's `ICC_*_EL1`, by their encodings, which every assembler knows.
struct System;

macro_rules! system_register {
    ($read:ident, $name:literal) => {
        fn $read(&self) -> u64 {
            let value: u64;
            // SAFETY: reads a register of the interrupt controller, whose effects are the caller's business. Without
            // `nomem`: an acknowledge comes before what follows it.
            unsafe { asm!(concat!("mrs {}, ", $name), out(reg) value, options(nostack, preserves_flags)) };
            value
        }
    };
    ($write:ident = $name:literal) => {
        fn $write(&self, value: u64) {
            // SAFETY: writes a register of the interrupt controller; the vectors handle whatever it lets through. The ISB
            // makes it take effect before the next instruction.
            unsafe { asm!(concat!("msr ", $name, ", {}"), "isb", in(reg) value, options(nostack, preserves_flags)) };
        }
    };
}

impl SystemRegisters for System {
    system_register!(system_register_enable, "S3_0_C12_C12_5");
    system_register!(set_system_register_enable = "S3_0_C12_C12_5");
    system_register!(priority_mask, "S3_0_C4_C6_0");
    system_register!(set_priority_mask = "S3_0_C4_C6_0");
    system_register!(set_binary_point = "S3_0_C12_C12_3");
    system_register!(control, "S3_0_C12_C12_4");
    system_register!(set_control = "S3_0_C12_C12_4");
    system_register!(set_group_enable = "S3_0_C12_C12_7");
    system_register!(acknowledge, "S3_0_C12_C12_0");
    system_register!(end = "S3_0_C12_C12_1");
    system_register!(send = "S3_0_C12_C11_5");
}

/// A redistributor and the affinity of its processor.
struct Redistributor {
    affinity: u64,
    window: Window,
}

type Redistributors = [Option<Redistributor>; MAX_PROCESSORS];

enum Controller {
    V2(v2::Gic<Window>),
    V3 { gic: v3::Gic<Window>, view: v3::MaskView },
}

static CONTROLLER: spin::Once<Controller> = spin::Once::new();
/// Of version 3; there before the controller is.
static REDISTRIBUTORS: spin::Once<Redistributors> = spin::Once::new();
/// The right to change the distributor's shared registers.
static ROUTES: FloorLock<()> = FloorLock::new(());
/// The level of each connected line; 0 means none. Written under `ROUTES`, before the line is enabled.
static LINE_LEVELS: [AtomicU8; gic::FIRST_SPECIAL as usize] = [const { AtomicU8::new(0) }; gic::FIRST_SPECIAL as usize];
static SPURIOUS: AtomicU64 = AtomicU64::new(0);

impl Controller {
    fn lines(&self) -> u32 {
        match self {
            Self::V2(gic) => gic.lines(),
            Self::V3 { gic, .. } => gic.lines(),
        }
    }

    fn acknowledge(&self) -> Option<Acknowledged> {
        let acknowledged = match self {
            Self::V2(gic) => gic.acknowledge(),
            Self::V3 { .. } => v3::acknowledge(&System),
        };
        barrier::dsb(barrier::SY);
        acknowledged
    }

    fn end(&self, acknowledged: Acknowledged) {
        barrier::dsb(barrier::SY);
        match self {
            Self::V2(gic) => gic.end(acknowledged),
            Self::V3 { .. } => v3::end(&System, acknowledged),
        }
    }

    fn set_mask(&self, level: u8) {
        match self {
            Self::V2(gic) => {
                gic.set_mask(level);
                barrier::dsb(barrier::SY);
                barrier::isb(barrier::SY);
            }
            Self::V3 { view, .. } => {
                v3::set_mask(&System, *view, level);
                barrier::dsb(barrier::SY);
            }
        }
    }

    fn disable(&self, intid: u32) {
        match self {
            Self::V2(gic) => gic.disable(intid),
            Self::V3 { gic, .. } => gic.disable(intid),
        }
    }

    /// This processor's redistributor. Interrupts are off.
    fn own_redistributor() -> Option<&'static Window> {
        let own = per_processor::current().hardware_id.load(Ordering::Relaxed);
        REDISTRIBUTORS.get()?.iter().flatten().find(|one| one.affinity == own).map(|one| &one.window)
    }

    fn enable_private(&self, intid: u32, level: u8) {
        match self {
            Self::V2(gic) => gic.enable_private(intid, level),
            Self::V3 { .. } => {
                if let Some(own) = Self::own_redistributor() {
                    v3::enable_private(own, intid, level);
                }
            }
        }
    }

    fn initialize_processor(&self, level: u8) -> Result<(), Error> {
        match self {
            Self::V2(gic) => {
                let mask = gic.initialize_processor(level)?;
                per_processor::current().target_mask.store(mask, Ordering::Relaxed);
            }
            Self::V3 { view, .. } => {
                let own = Self::own_redistributor().ok_or(Error::NoInterface)?;
                v3::initialize_processor(own, &System, *view, level)?;
            }
        }
        Ok(())
    }
}

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

/// The vector's way here: an IRQ was signalled.
pub(super) fn take() {
    let Some((controller, acknowledged)) = CONTROLLER.get().and_then(|one| one.acknowledge().map(|taken| (one, taken))) else {
        SPURIOUS.fetch_add(1, Ordering::Relaxed);
        return;
    };
    let intid = acknowledged.intid();
    if intid == IPI {
        take_interrupt(Irql::Ipi, |kernel| kernel.interprocessor_interrupt(), || controller.end(acknowledged));
    } else if timer::is_clock(intid) {
        timer::rearm();
        take_interrupt(Irql::Clock, |kernel| kernel.clock_interrupt(), || controller.end(acknowledged));
    } else {
        let level = LINE_LEVELS.get(intid as usize).map_or(0, |level| level.load(Ordering::Relaxed));
        match Irql::from_level(level).filter(|level| *level != Irql::Passive) {
            Some(level) => {
                take_interrupt(level, |kernel| kernel.device_interrupt(InterruptLine(intid)), || controller.end(acknowledged));
            }
            None => {
                // Disconnected while it was on its way, or something that nobody asked for: not again.
                SPURIOUS.fetch_add(1, Ordering::Relaxed);
                controller.disable(intid);
                controller.end(acknowledged);
            }
        }
    }
}

fn map(range: PhysRange, length: u64) -> Result<Window, &'static str> {
    let window = DeviceWindow::map(PhysAddr(range.start), length.min(range.length()));
    window.map(Window).map_err(|_| "the GIC's registers cannot be mapped")
}

/// Finds and maps the redistributors of the processors that the loader block lists.
fn redistributors(regions: &[PhysRange], loader: &LoaderBlock) -> Result<Redistributors, &'static str> {
    let mut found = [const { None }; MAX_PROCESSORS];
    let mut count = 0;
    let mut failed = None;
    for region in regions {
        let mut looked_at = 0;
        let mut typer = |address: u64| {
            looked_at += 1;
            read_typer(PhysAddr(address)).filter(|_| looked_at <= MOST_REDISTRIBUTORS)
        };
        v3::walk(region.start, region.end, &mut typer, &mut |one| {
            let wanted = loader.processors.iter().any(|processor| processor.hardware_id == one.affinity);
            if let (true, Some(slot)) = (wanted, found.get_mut(count)) {
                let range = PhysRange { start: one.address, end: one.address + v3::REDISTRIBUTOR_LENGTH };
                match map(range, v3::REDISTRIBUTOR_LENGTH) {
                    Ok(window) => *slot = Some(Redistributor { affinity: one.affinity, window }),
                    Err(reason) => failed = Some(reason),
                }
                count += 1;
            }
        });
    }
    let has_one = |id: u64| found.iter().flatten().any(|one| one.affinity == id);
    match failed {
        Some(reason) => Err(reason),
        None if loader.processors.iter().all(|processor| has_one(processor.hardware_id)) => Ok(found),
        None => Err("the GIC has no redistributor for one of the processors"),
    }
}

fn read_typer(redistributor: PhysAddr) -> Option<u64> {
    let window = DeviceWindow::map(redistributor, 0x1000).ok()?;
    Some(window.read64(v3::GICR_TYPER))
}

/// The level of the interrupted code as the mask knows it.
fn present_mask_level() -> u8 {
    let level = Machine::irql();
    if level.masks_hardware() { level.level() } else { 0 }
}

impl Interrupts for Machine {
    fn initialize(loader: &LoaderBlock) -> Result<(), &'static str> {
        let controller = match &loader.interrupt_controller {
            InterruptController::GicV2 { distributor, cpu_interface } => {
                let gic = v2::Gic::new(map(*distributor, 0x1000)?, map(*cpu_interface, 0x1000)?);
                Controller::V2(gic.map_err(Error::message)?)
            }
            InterruptController::GicV3 { distributor, redistributors: regions } => {
                if !boot::has_gic_system_registers() {
                    return Err("the firmware describes a GICv3, but the processor has no system registers for it");
                }
                let gic = v3::Gic::new(map(*distributor, 0x1_0000)?).map_err(Error::message)?;
                let view = gic.mask_view(&System).map_err(Error::message)?;
                let redistributors = redistributors(regions, loader)?;
                REDISTRIBUTORS.call_once(|| redistributors);
                Controller::V3 { gic, view }
            }
            InterruptController::Apic { .. } => return Err("the firmware describes no GIC"),
        };
        CONTROLLER.call_once(|| controller);
        Ok(())
    }

    fn initialize_processor() {
        let Some(controller) = CONTROLLER.get() else { return };
        let enabled = Self::disable_interrupts();
        let level = present_mask_level();
        if let Err(error) = controller.initialize_processor(level) {
            Self::write_bytes(b"tarn: processor stopped: ");
            Self::write_bytes(error.message().as_bytes());
            Self::write_bytes(b"\n");
            Self::stop();
        }
        per_processor::current().mask_level.store(level, Ordering::Relaxed);
        controller.enable_private(IPI, Irql::Ipi.level());
        Self::restore_interrupts(enabled);
    }

    fn describe(out: &mut dyn fmt::Write) -> fmt::Result {
        match CONTROLLER.get() {
            Some(Controller::V2(gic)) => write!(out, "GICv2, {} lines", gic.lines()),
            Some(Controller::V3 { gic, .. }) => {
                let count = REDISTRIBUTORS.get().map_or(0, |all| all.iter().flatten().count());
                write!(out, "GICv3, {} lines, {count} redistributors", gic.lines())
            }
            None => write!(out, "no interrupt controller"),
        }
    }

    fn connect_line(line: InterruptLine, level: Irql, trigger: Trigger, target: ProcessorNumber) -> Result<(), LineError> {
        let controller = CONTROLLER.get().ok_or(LineError::NoSuchLine)?;
        if !(Irql::Device3..=Irql::Device11).contains(&level) {
            return Err(LineError::NoVector);
        }
        if line.0 < gic::FIRST_SHARED {
            return Err(LineError::InUse);
        }
        let block = BLOCKS.get(target.index()).ok_or(LineError::NoVector)?;
        let _routes = ROUTES.acquire();
        let slot = LINE_LEVELS.get(line.0 as usize).filter(|_| line.0 < controller.lines()).ok_or(LineError::NoSuchLine)?;
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
        match controller {
            Controller::V2(gic) => gic.connect(line.0, level.level(), trigger, block.target_mask.load(Ordering::Relaxed)),
            Controller::V3 { gic, .. } => gic.connect(line.0, level.level(), trigger, block.hardware_id.load(Ordering::Relaxed)),
        }
        Ok(())
    }

    fn disconnect_line(line: InterruptLine) {
        let Some(controller) = CONTROLLER.get() else { return };
        let _routes = ROUTES.acquire();
        if let Some(slot) = LINE_LEVELS.get(line.0 as usize).filter(|slot| slot.load(Ordering::Relaxed) != 0) {
            controller.disable(line.0);
            slot.store(0, Ordering::Relaxed);
        }
    }

    fn send_ipi(targets: ProcessorSet) {
        barrier::dsb(barrier::ISHST);
        match CONTROLLER.get() {
            Some(Controller::V2(gic)) => {
                let blocks = targets.iter().filter_map(|number| BLOCKS.get(number.index()));
                let mask = blocks.fold(0, |mask, block| mask | block.target_mask.load(Ordering::Relaxed));
                gic.send(IPI, mask);
            }
            Some(Controller::V3 { .. }) => send_to_affinities(targets),
            None => {}
        }
    }

    fn spurious_count() -> u64 {
        SPURIOUS.load(Ordering::Relaxed)
    }
}

/// Version 3 gathers targets into clusters, for which it goes over their affinities several times.
fn send_to_affinities(targets: ProcessorSet) {
    let affinities = (0..u64::BITS)
        .map(ProcessorNumber)
        .filter(move |number| targets.contains(*number))
        .filter_map(|number| BLOCKS.get(number.index()))
        .map(|block| block.hardware_id.load(Ordering::Relaxed));
    v3::send(&System, IPI, affinities);
}
