//! What stands for itself in a device tree, collected in one walk.
//!
//! A node is recognised by what the specification makes the mark of its kind: the
//! root, `/chosen`, `/aliases`, `/cpus` and `/reserved-memory` by path, memory by
//! `device_type`, everything else by `compatible`. Node names are for people.
//! Nothing here is trusted to occur once: of two controllers the first counts.

use arrayvec::{ArrayString, ArrayVec};

use super::blob::{Blob, be_u32, be_u64};
use super::interrupts::Gic;
use super::level::Level;
use super::node::Node;
use super::processors::ProcessorSurvey;
use crate::discovery_error::{DiscoveryError, push_fitting};
use crate::loader_block::{
    InterruptController, MAX_COMMAND_LINE, PHYSICAL_ADDRESS_LIMIT, PhysRange, PsciConduit,
};
use crate::range_list::{self, RangeList};

const GIC_V2: [&str; 4] = [
    "arm,cortex-a15-gic",
    "arm,gic-400",
    "arm,cortex-a7-gic",
    "arm,cortex-a9-gic",
];
const GIC_V3: [&str; 1] = ["arm,gic-v3"];
const PSCI: [&str; 2] = ["arm,psci-0.2", "arm,psci-1.0"];
const BCM2835_PM: [&str; 3] = ["brcm,bcm2835-pm", "brcm,bcm2711-pm", "brcm,bcm2835-pm-wdt"];
/// The fewest bytes of registers that the drivers use.
const GIC_V2_LENGTH: u64 = 0x1000;
const GIC_V3_DISTRIBUTOR_LENGTH: u64 = 0x1_0000;
const GIC_V3_REDISTRIBUTOR_LENGTH: u64 = 0x2_0000;
const BCM2835_PM_LENGTH: u64 = 0x28;

/// What has been found so far.
pub(super) struct Survey<'a> {
    pub(super) machine: ArrayString<96>,
    pub(super) command_line: ArrayString<MAX_COMMAND_LINE>,
    /// In bytes, not yet rounded to pages.
    pub(super) memory: RangeList,
    pub(super) reserved: RangeList,
    pub(super) processors: ProcessorSurvey,
    pub(super) gic: Option<(Gic, InterruptController)>,
    pub(super) psci: Option<PsciConduit>,
    pub(super) power_manager: Option<PhysRange>,
    pub(super) initrd: Option<PhysRange>,
    /// The nodes that the search for the console needs.
    pub(super) chosen: Option<Level<'a>>,
    pub(super) aliases: Option<Level<'a>>,
}

impl<'a> Survey<'a> {
    pub(super) fn new(boot_processor: u64) -> Self {
        Self {
            machine: ArrayString::new(),
            command_line: ArrayString::new(),
            memory: RangeList::new(),
            reserved: RangeList::new(),
            processors: ProcessorSurvey::new(boot_processor),
            gic: None,
            psci: None,
            power_manager: None,
            initrd: None,
            chosen: None,
            aliases: None,
        }
    }

    /// Takes the ranges of the memory reservation block.
    pub(super) fn memory_reservations(&mut self, blob: &Blob<'a>) -> Result<(), DiscoveryError> {
        for entry in blob.reservations() {
            let (start, length) = entry?;
            self.reserve(PhysRange {
                start,
                end: start.saturating_add(length),
            })?;
        }
        Ok(())
    }

    /// Takes from a node what it says.
    pub(super) fn look_at(&mut self, node: &Node<'_, 'a>) -> Result<(), DiscoveryError> {
        match (node.depth(), node.base_name()) {
            (0, _) => self.root(node),
            (1, "chosen") => self.chosen(node)?,
            (1, "aliases") => self.aliases = Some(node.level()),
            (2, _) if node.parent().is_some_and(|parent| parent.is_at("/cpus")) => {
                if let Some(word) = self.processors.look_at(node)? {
                    // The processor looks at it until it is told where to go: nobody else's.
                    self.reserve(word)?;
                }
            }
            (2, _)
                if node
                    .parent()
                    .is_some_and(|parent| parent.is_at("/reserved-memory")) =>
            {
                self.reserved_memory(node)?;
            }
            _ => {}
        }
        if node.depth() == 1 && node.is_of_type("memory") {
            return self.memory(node);
        }
        self.device(node)
    }

    fn root(&mut self, node: &Node<'_, 'a>) {
        let name = node.text("model").or_else(|| node.text("compatible"));
        push_fitting(&mut self.machine, name.unwrap_or("unknown"));
    }

    /// Reads `/chosen` (Devicetree Specification 0.4, 3.6, and for the RAM disk the
    /// Linux binding `chosen.txt`).
    fn chosen(&mut self, node: &Node<'_, 'a>) -> Result<(), DiscoveryError> {
        self.chosen = Some(node.level());
        if let Some(value) = node.property("bootargs") {
            let value = value.split(|&byte| byte == 0).next().unwrap_or_default();
            let text =
                core::str::from_utf8(value).map_err(|_| node.error("its bootargs is not UTF-8"))?;
            self.command_line = ArrayString::from(text).map_err(|_| DiscoveryError::TooMany {
                what: "bytes of command line",
                limit: MAX_COMMAND_LINE,
            })?;
        }
        let address = |name| match node.property(name) {
            None => Ok(None),
            Some(value) if value.len() == 4 => Ok(be_u32(value, 0).map(u64::from)),
            Some(value) if value.len() == 8 => Ok(be_u64(value, 0)),
            Some(_) => Err(node.error("an address of the initial RAM disk is not 4 or 8 bytes")),
        };
        match (address("linux,initrd-start")?, address("linux,initrd-end")?) {
            (None, None) => {}
            (Some(start), Some(end)) if start == end => {}
            (Some(start), Some(end)) if start < end && end <= PHYSICAL_ADDRESS_LIMIT => {
                let range = PhysRange { start, end };
                self.initrd = Some(range);
                self.reserve(range)?;
            }
            _ => {
                return Err(node
                    .error("its initial RAM disk has no start, no end or ends before it starts"));
            }
        }
        Ok(())
    }

    fn memory(&mut self, node: &Node<'_, 'a>) -> Result<(), DiscoveryError> {
        if !node.is_available() {
            return Ok(());
        }
        let mut entry = 0_u32;
        while let Some(range) = node.reg(entry)? {
            range_list::insert(&mut self.memory, range, "ranges of memory")?;
            entry = entry.saturating_add(1);
        }
        Ok(())
    }

    /// Reserves a child of `/reserved-memory` (3.5). One without `reg` asks for a
    /// size anywhere; Tarn has no driver that would want it.
    fn reserved_memory(&mut self, node: &Node<'_, 'a>) -> Result<(), DiscoveryError> {
        if !node.is_available() {
            return Ok(());
        }
        let mut entry = 0_u32;
        while let Some(range) = node.reg(entry)? {
            self.reserve(range)?;
            entry = entry.saturating_add(1);
        }
        Ok(())
    }

    fn device(&mut self, node: &Node<'_, 'a>) -> Result<(), DiscoveryError> {
        if !node.is_device() || !node.is_available() {
            return Ok(());
        }
        if self.gic.is_none() {
            let controller = if node.is_compatible(&GIC_V2) {
                Some(gic_v2(node)?)
            } else if node.is_compatible(&GIC_V3) {
                Some(gic_v3(node)?)
            } else {
                None
            };
            if let Some(controller) = controller {
                self.gic = Some((gic(node)?, controller));
            }
        }
        if self.psci.is_none() && node.is_compatible(&PSCI) {
            self.psci = Some(match node.text("method") {
                Some("hvc") => PsciConduit::Hvc,
                Some("smc") => PsciConduit::Smc,
                _ => return Err(node.error("its method is neither hvc nor smc")),
            });
        }
        if self.power_manager.is_none() && node.is_compatible(&BCM2835_PM) {
            self.power_manager = Some(node.registers(0, BCM2835_PM_LENGTH)?);
        }
        Ok(())
    }

    fn reserve(&mut self, range: PhysRange) -> Result<(), DiscoveryError> {
        if range.is_empty() {
            return Ok(());
        }
        range_list::insert(
            &mut self.reserved,
            range_list::outwards(range),
            "reserved ranges of memory",
        )
    }
}

/// What interrupts at this controller look like.
pub(super) fn gic(node: &Node<'_, '_>) -> Result<Gic, DiscoveryError> {
    let cells = node.cell("#interrupt-cells", "its #interrupt-cells is not one cell")?;
    match cells {
        Some(cells @ 3..=8) => Ok(Gic {
            handle: node.cell("phandle", "its phandle is not one cell")?,
            cells,
        }),
        _ => Err(node.error("its #interrupt-cells is not 3 or a little more")),
    }
}

/// Whether the node is an interrupt controller that there is a driver for.
pub(super) fn is_gic(node: &Node<'_, '_>) -> bool {
    (node.is_compatible(&GIC_V2) || node.is_compatible(&GIC_V3)) && node.is_available()
}

/// Reads a GICv2 (Linux binding `arm,gic.yaml`): distributor, CPU interface.
fn gic_v2(node: &Node<'_, '_>) -> Result<InterruptController, DiscoveryError> {
    Ok(InterruptController::GicV2 {
        distributor: node.registers(0, GIC_V2_LENGTH)?,
        cpu_interface: node.registers(1, GIC_V2_LENGTH)?,
    })
}

/// Reads a GICv3 (Linux binding `arm,gic-v3.yaml`): distributor, then as many
/// regions of redistributors as it says, one if it says nothing.
fn gic_v3(node: &Node<'_, '_>) -> Result<InterruptController, DiscoveryError> {
    let regions = node.cell(
        "#redistributor-regions",
        "its #redistributor-regions is not one cell",
    )?;
    let regions = regions.unwrap_or(1);
    if regions == 0 {
        return Err(node.error("it has no redistributors"));
    }
    let mut redistributors = ArrayVec::new();
    for region in 1..=regions {
        let limit = redistributors.capacity();
        redistributors
            .try_push(node.registers(region, GIC_V3_REDISTRIBUTOR_LENGTH)?)
            .map_err(|_| DiscoveryError::TooMany {
                what: "regions of redistributors",
                limit,
            })?;
    }
    Ok(InterruptController::GicV3 {
        distributor: node.registers(0, GIC_V3_DISTRIBUTOR_LENGTH)?,
        redistributors,
    })
}
