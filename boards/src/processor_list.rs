//! The processors that a machine has, as the firmware lists them one by one.
//!
//! Which of them the kernel runs on is known to the processor and not to the
//! firmware's tables, so it is recognised by its hardware id and always kept, even
//! when the list is full. A processor that cannot be started costs the machine that
//! processor, not the boot: it is counted and left out.

use arrayvec::ArrayVec;

use crate::discovery_error::DiscoveryError;
use crate::loader_block::{EnableMethod, MAX_PROCESSORS, ProcessorDescription};

/// Processors as a loader block holds them.
pub(crate) type Processors = ArrayVec<ProcessorDescription, MAX_PROCESSORS>;

/// The processors listed so far.
pub(crate) struct ProcessorList {
    boot: u64,
    list: Processors,
    left_out: u32,
}

impl ProcessorList {
    /// An empty list on the machine whose processor `boot` runs this.
    pub(crate) fn new(boot: u64) -> Self {
        Self {
            boot,
            list: Processors::new(),
            left_out: 0,
        }
    }

    /// Whether `hardware_id` is the processor that runs this.
    pub(crate) fn is_boot(&self, hardware_id: u64) -> bool {
        hardware_id == self.boot
    }

    /// Whether `hardware_id` is in the list.
    pub(crate) fn has(&self, hardware_id: u64) -> bool {
        self.list
            .iter()
            .any(|processor| processor.hardware_id == hardware_id)
    }

    /// Adds a processor; into a full list only the boot processor, in place of the last.
    pub(crate) fn add(&mut self, processor: ProcessorDescription) {
        if self.list.is_full() {
            self.leave_out(1);
            if processor.enable_method != EnableMethod::Boot {
                return;
            }
            self.list.pop();
        }
        self.list.push(processor);
    }

    /// Counts processors that are usable but not in the list.
    pub(crate) fn leave_out(&mut self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.left_out = self.left_out.saturating_add(count);
    }

    /// Leaves out the processors that are started by `method`.
    pub(crate) fn leave_out_started_by(&mut self, method: EnableMethod) {
        let all = self.list.len();
        self.list
            .retain(|processor| processor.enable_method != method);
        self.leave_out(all.saturating_sub(self.list.len()));
    }

    /// The list, and how many usable processors are not in it.
    ///
    /// # Errors
    ///
    /// [`DiscoveryError::BootProcessorNotListed`].
    pub(crate) fn finish(self) -> Result<(Processors, u32), DiscoveryError> {
        if !self.has(self.boot) {
            return Err(DiscoveryError::BootProcessorNotListed {
                hardware_id: self.boot,
            });
        }
        Ok((self.list, self.left_out))
    }
}
