//! What `arch::contract` promises of a processor, as far as locks ask for it.

use crate::Machine;

/// A processor.
pub trait Processor {
    /// Lets others go on.
    fn relax();
}

impl Processor for Machine {
    fn relax() {
        loom::thread::yield_now();
    }
}
