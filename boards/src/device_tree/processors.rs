//! The processors under `/cpus`.
//!
//! Only an entry that contradicts itself is an error; a way to start a processor
//! that Tarn does not know is not, since the machine runs without that processor.
//!
//! Devicetree Specification 0.4, 3.7 and 3.8; Linux binding `arm/cpus.yaml`.

use super::blob::{be_u32, be_u64};
use super::node::Node;
use crate::discovery_error::DiscoveryError;
use crate::loader_block::{EnableMethod, PHYSICAL_ADDRESS_LIMIT, PhysRange, ProcessorDescription};
use crate::processor_list::{ProcessorList, Processors};

/// Aff3 and Aff2 to Aff0 of `MPIDR_EL1`; between them stand flags.
const AFFINITY: u64 = 0xff_00ff_ffff;

/// The processors found so far.
pub(super) struct ProcessorSurvey {
    list: ProcessorList,
    position: u32,
}

impl ProcessorSurvey {
    /// Starts on the processor with these bits in `MPIDR_EL1`.
    pub(super) fn new(boot_processor: u64) -> Self {
        Self {
            list: ProcessorList::new(boot_processor & AFFINITY),
            position: 0,
        }
    }

    /// Takes a child of `/cpus`, if it is a processor; gives the release word that it waits at, if it does.
    pub(super) fn look_at(
        &mut self,
        node: &Node<'_, '_>,
    ) -> Result<Option<PhysRange>, DiscoveryError> {
        if !node.is_of_type("cpu") && node.base_name() != "cpu" {
            return Ok(None);
        }
        let firmware_id = self.position;
        self.position = self.position.saturating_add(1);
        let hardware_id = node
            .reg_number()
            .filter(|id| id & !AFFINITY == 0)
            .ok_or_else(|| node.error("its reg is not the affinity bits of a processor"))?;
        if self.list.has(hardware_id) {
            return Err(node.error("another processor has the same reg"));
        }
        let enable_method = if self.list.is_boot(hardware_id) {
            EnableMethod::Boot
        } else if !may_start(node) {
            return Ok(None);
        } else if let Some(method) = enable_method(node)? {
            method
        } else {
            self.list.leave_out(1);
            return Ok(None);
        };
        self.list.add(ProcessorDescription {
            hardware_id,
            firmware_id,
            enable_method,
        });
        Ok(match enable_method {
            EnableMethod::SpinTable { release_address } => PhysRange::new(release_address, 8),
            _ => None,
        })
    }

    /// The usable processors, and how many more there are. Without PSCI, those that
    /// need it are left out.
    pub(super) fn finish(mut self, has_psci: bool) -> Result<(Processors, u32), DiscoveryError> {
        if !has_psci {
            self.list.leave_out_started_by(EnableMethod::Psci);
        }
        self.list.finish()
    }
}

/// Whether `status` lets the processor be started: `disabled` means that it waits
/// to be, if there is a method (3.8.1), so only failed and taken ones are out.
fn may_start(node: &Node<'_, '_>) -> bool {
    node.property("status").is_none()
        || matches!(node.text("status"), Some("okay" | "ok" | "disabled"))
}

/// How the processor is started. `None` if Tarn does not know the method or there is none.
fn enable_method(node: &Node<'_, '_>) -> Result<Option<EnableMethod>, DiscoveryError> {
    for method in node.enable_methods() {
        match method {
            "psci" => return Ok(Some(EnableMethod::Psci)),
            "spin-table" => {
                let release_address = release_address(node)?;
                return Ok(Some(EnableMethod::SpinTable { release_address }));
            }
            _ => {}
        }
    }
    Ok(None)
}

fn release_address(node: &Node<'_, '_>) -> Result<u64, DiscoveryError> {
    let value = node.property("cpu-release-addr").unwrap_or_default();
    let address = match value.len() {
        4 => be_u32(value, 0).map(u64::from),
        8 => be_u64(value, 0),
        _ => None,
    };
    address
        .filter(|address| {
            *address != 0 && address.is_multiple_of(8) && *address < PHYSICAL_ADDRESS_LIMIT
        })
        .ok_or_else(|| node.error("its cpu-release-addr is not the address of 8 bytes of memory"))
}
