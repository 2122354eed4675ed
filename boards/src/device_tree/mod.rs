//! The machine as a flattened device tree describes it (ARM64).
//!
//! The tree is walked twice. The survey takes what stands for itself: memory,
//! processors, the interrupt controller, what the boot loader chose. The wiring
//! takes what refers to that: the timer and the console, whose interrupts are
//! numbers of the controller found before, and the console that an alias names.
//! Both walks check all that they pass, so there is no separate validation.

#[cfg(test)]
mod against_fdt;
mod blob;
mod console;
mod interrupts;
mod level;
mod node;
mod processors;
mod survey;

use arrayvec::ArrayVec;

pub use self::blob::device_tree_length;
pub use self::console::console_hint;

use self::blob::Blob;
use self::console::ConsoleSearch;
use self::interrupts::Gic;
use self::node::Node;
use self::survey::Survey;
use crate::discovery_error::{Device, DiscoveryError, tail};
use crate::loader_block::{LoaderBlock, PowerControl, TimerDescription};
use crate::range_list;

/// Reads the device tree at the start of `tree`, which may be longer than the tree.
///
/// `boot_processor` is what identifies the processor that runs this: the affinity
/// bits of its `MPIDR_EL1`; other bits are ignored.
///
/// The tree's own bytes are not among the reserved ranges, since it does not know
/// where it lies: the caller adds them by [`LoaderBlock::reserve`]. The initial RAM
/// disk is.
///
/// # Errors
///
/// Every [`DiscoveryError`] but those of PVH and ACPI: the tree is damaged, a node
/// that is needed says what cannot be, there is no usable memory, no interrupt
/// controller or timer with a driver, or the boot processor is not listed.
pub fn from_device_tree(tree: &[u8], boot_processor: u64) -> Result<LoaderBlock, DiscoveryError> {
    let blob = Blob::open(tree)?;
    let mut survey = Survey::new(boot_processor);
    survey.memory_reservations(&blob)?;
    blob.visit(&mut |node| survey.look_at(node))?;

    let (gic, interrupt_controller) = survey.gic.take().ok_or(DiscoveryError::NoDriver {
        machine: tail(&survey.machine),
        device: Device::InterruptController,
    })?;
    let mut timer = None;
    let mut console = ConsoleSearch::new(survey.chosen, survey.aliases, gic);
    blob.visit(&mut |node| {
        if timer.is_none() && node.is_compatible(&["arm,armv8-timer"]) && node.is_available() {
            timer = Some(generic_timer(node, gic)?);
        }
        console.look_at(node)
    })?;
    let timer = timer.ok_or(DiscoveryError::NoDriver {
        machine: tail(&survey.machine),
        device: Device::Timer,
    })?;

    range_list::round_inwards(&mut survey.memory);
    if survey.memory.is_empty() {
        return Err(DiscoveryError::NoUsableMemory);
    }
    let (processors, processors_left_out) = survey.processors.finish(survey.psci.is_some())?;
    Ok(LoaderBlock {
        machine: survey.machine,
        command_line: survey.command_line,
        memory: survey.memory,
        reserved: survey.reserved,
        processors,
        processors_left_out,
        console: console.found(),
        interrupt_controller,
        timer,
        psci: survey.psci,
        power: match (survey.psci, survey.power_manager) {
            (Some(_), _) => PowerControl::Psci,
            (None, Some(registers)) => PowerControl::Bcm2835Pm(registers),
            (None, None) => PowerControl::None,
        },
        initrd: survey.initrd,
    })
}

/// Reads the node of the generic timer (Linux binding `arm,arch_timer.yaml`).
///
/// Its interrupts stand in the order secure physical, non-secure physical, virtual,
/// hypervisor, unless `interrupt-names` says otherwise.
fn generic_timer(node: &Node<'_, '_>, gic: Gic) -> Result<TimerDescription, DiscoveryError> {
    let mut names: ArrayVec<&str, 8> = ArrayVec::new();
    for name in node.texts("interrupt-names").take(8) {
        names.push(name);
    }
    let interrupt = |wanted: &str, usual: u32| {
        let index = match names.iter().position(|name| *name == wanted) {
            Some(index) => u32::try_from(index).ok()?,
            None if names.is_empty() => usual,
            None => return None,
        };
        node.gic_interrupt(index, gic)
    };
    Ok(TimerDescription::Generic {
        virtual_interrupt: interrupt("virt", 2)
            .ok_or_else(|| node.error("it has no virtual timer interrupt at the GIC"))?,
        physical_interrupt: interrupt("phys", 1)
            .ok_or_else(|| node.error("it has no physical timer interrupt at the GIC"))?,
        frequency: node
            .cell("clock-frequency", "its clock-frequency is not one cell")?
            .filter(|&frequency| frequency != 0),
    })
}
