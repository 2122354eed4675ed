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
//!   dropped. On version 3 a write to ICC_PMR_EL1 is self-synchronising (IHI 0069, ICC_PMR_EL1); lowering it is followed
//!   by DSB, so that the redistributor hears of it soon.

use core::arch::asm;
use core::fmt;
use core::sync::atomic::Ordering;

use aarch64_cpu::asm::barrier;
use boards::{InterruptController, LoaderBlock, MAX_PROCESSORS, PhysRange};
use gic::{Acknowledged, Error, Registers, SystemRegisters, v2, v3};

use super::boot;
use super::per_processor::{self, PerProcessor};
use crate::contract::PhysAddr;
use crate::memory::DeviceWindow;

/// More redistributors than that in one region are not looked at: a damaged type register has no last one.
const MOST_REDISTRIBUTORS: usize = 512;

pub(super) struct Window(DeviceWindow);

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

/// Of version 3; there before the controller is.
static REDISTRIBUTORS: spin::Once<Redistributors> = spin::Once::new();

/// The controller that was found.
pub(super) enum Controller {
    V2(v2::Gic<Window>),
    V3 {
        gic: v3::Gic<Window>,
        view: v3::MaskView,
    },
}

impl Controller {
    pub(super) fn lines(&self) -> u32 {
        match self {
            Self::V2(gic) => gic.lines(),
            Self::V3 { gic, .. } => gic.lines(),
        }
    }

    pub(super) fn acknowledge(&self) -> Option<Acknowledged> {
        let acknowledged = match self {
            Self::V2(gic) => gic.acknowledge(),
            Self::V3 { .. } => v3::acknowledge(&System),
        };
        barrier::dsb(barrier::SY);
        acknowledged
    }

    pub(super) fn end(&self, acknowledged: Acknowledged) {
        barrier::dsb(barrier::SY);
        match self {
            Self::V2(gic) => gic.end(acknowledged),
            Self::V3 { .. } => v3::end(&System, acknowledged),
        }
    }

    pub(super) fn set_mask(&self, level: u8) {
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

    pub(super) fn disable(&self, intid: u32) {
        match self {
            Self::V2(gic) => gic.disable(intid),
            Self::V3 { gic, .. } => gic.disable(intid),
        }
    }

    /// This processor's redistributor. Interrupts are off.
    fn own_redistributor() -> Option<&'static Window> {
        let own = per_processor::current().hardware_id.load(Ordering::Relaxed);
        REDISTRIBUTORS
            .get()?
            .iter()
            .flatten()
            .find(|one| one.affinity == own)
            .map(|one| &one.window)
    }

    pub(super) fn enable_private(&self, intid: u32, level: u8) {
        match self {
            Self::V2(gic) => gic.enable_private(intid, level),
            Self::V3 { .. } => {
                if let Some(own) = Self::own_redistributor() {
                    v3::enable_private(own, intid, level);
                }
            }
        }
    }

    pub(super) fn initialize_processor(&self, level: u8) -> Result<(), Error> {
        match self {
            Self::V2(gic) => {
                let mask = gic.initialize_processor(level)?;
                per_processor::current()
                    .target_mask
                    .store(mask, Ordering::Relaxed);
            }
            Self::V3 { view, .. } => {
                // Asked of each processor: without them, the first access would be an undefined instruction.
                if !boot::has_gic_system_registers() {
                    return Err(Error::SystemRegisters);
                }
                let own = Self::own_redistributor().ok_or(Error::NoInterface)?;
                v3::initialize_processor(own, &System, *view, level)?;
            }
        }
        Ok(())
    }

    /// Routes a shared interrupt to a processor and enables it.
    pub(super) fn connect(
        &self,
        intid: u32,
        level: u8,
        trigger: gic::Trigger,
        target: &PerProcessor,
    ) {
        match self {
            Self::V2(gic) => gic.connect(
                intid,
                level,
                trigger,
                target.target_mask.load(Ordering::Relaxed),
            ),
            Self::V3 { gic, .. } => gic.connect(
                intid,
                level,
                trigger,
                target.hardware_id.load(Ordering::Relaxed),
            ),
        }
    }

    /// Sends a software-generated interrupt.
    pub(super) fn send<'a>(
        &self,
        intid: u32,
        targets: impl Iterator<Item = &'a PerProcessor> + Clone,
    ) {
        barrier::dsb(barrier::ISHST);
        match self {
            Self::V2(gic) => {
                let mask = targets.fold(0, |mask, block| {
                    mask | block.target_mask.load(Ordering::Relaxed)
                });
                gic.send(intid, mask);
            }
            Self::V3 { .. } => v3::send(
                &System,
                intid,
                targets.map(|block| block.hardware_id.load(Ordering::Relaxed)),
            ),
        }
    }

    /// One line for people.
    pub(super) fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::V2(gic) => write!(out, "GICv2, {} lines", gic.lines()),
            Self::V3 { gic, .. } => {
                let count = REDISTRIBUTORS
                    .get()
                    .map_or(0, |all| all.iter().flatten().count());
                write!(out, "GICv3, {} lines, {count} redistributors", gic.lines())
            }
        }
    }
}

/// Takes over the controller that the loader block describes.
pub(super) fn find(loader: &LoaderBlock) -> Result<Controller, &'static str> {
    match &loader.interrupt_controller {
        InterruptController::GicV2 {
            distributor,
            cpu_interface,
        } => {
            let gic = v2::Gic::new(map(*distributor, 0x1000)?, map(*cpu_interface, 0x1000)?);
            Ok(Controller::V2(gic.map_err(Error::message)?))
        }
        InterruptController::GicV3 {
            distributor,
            redistributors: regions,
        } => {
            if !boot::has_gic_system_registers() {
                return Err(
                    "the firmware describes a GICv3, but the processor has no system registers for it",
                );
            }
            let gic = v3::Gic::new(map(*distributor, 0x1_0000)?).map_err(Error::message)?;
            let view = gic.mask_view(&System).map_err(Error::message)?;
            let redistributors = redistributors(regions, loader)?;
            REDISTRIBUTORS.call_once(|| redistributors);
            Ok(Controller::V3 { gic, view })
        }
        InterruptController::Apic { .. } => Err("the firmware describes no GIC"),
    }
}

fn map(range: PhysRange, length: u64) -> Result<Window, &'static str> {
    let window = DeviceWindow::map(PhysAddr(range.start), length.min(range.length()));
    window
        .map(Window)
        .map_err(|_| "the GIC's registers cannot be mapped")
}

/// Finds and maps the redistributors of the processors that the loader block lists.
fn redistributors(
    regions: &[PhysRange],
    loader: &LoaderBlock,
) -> Result<Redistributors, &'static str> {
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
            let wanted = loader
                .processors
                .iter()
                .any(|processor| processor.hardware_id == one.affinity);
            if let (true, Some(slot)) = (wanted, found.get_mut(count)) {
                let range = PhysRange {
                    start: one.address,
                    end: one.address + v3::REDISTRIBUTOR_LENGTH,
                };
                match map(range, v3::REDISTRIBUTOR_LENGTH) {
                    Ok(window) => {
                        *slot = Some(Redistributor {
                            affinity: one.affinity,
                            window,
                        })
                    }
                    Err(reason) => failed = Some(reason),
                }
                count += 1;
            }
        });
    }
    let has_one = |id: u64| found.iter().flatten().any(|one| one.affinity == id);
    match failed {
        Some(reason) => Err(reason),
        None if loader
            .processors
            .iter()
            .all(|processor| has_one(processor.hardware_id)) =>
        {
            Ok(found)
        }
        None => Err("the GIC has no redistributor for one of the processors"),
    }
}

fn read_typer(redistributor: PhysAddr) -> Option<u64> {
    let window = DeviceWindow::map(redistributor, 0x1000).ok()?;
    Some(window.read64(v3::GICR_TYPER))
}
