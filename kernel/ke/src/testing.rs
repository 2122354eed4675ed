//! The simulated machine as this crate's tests want it: on, with this kernel registered and nothing stopped.

use arch::sim::{self, Running};

/// Powers the simulated machine on with `processors` processors that all count as running.
pub(crate) fn boot(processors: u32) -> Running {
    let running = sim::boot(processors);
    crate::register();
    crate::processor::pretend_active(processors);
    crate::bug_check::forget();
    running
}
