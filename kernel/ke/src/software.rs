//! Software interrupts: what a processor does on its way below Dispatch, and below Apc.
//!
//! Who wants a DPC run, a thread switched to or an APC delivered sets a bit of the
//! processor (`processor::Software`), and interrupts it if it is another one. The bits
//! are looked at where NT's software interrupts of Dispatch and Apc level would come:
//! when the level falls, and when an interrupt returns to below Dispatch. In this
//! order: DPCs, because they may make threads ready; then the switch; then, on the
//! thread that goes on, its APCs.

use arch::Machine;
use arch::contract::{Irql, Processor};

use crate::processor::{self, Software};
use crate::{apc, dpc, schedule};

/// Whether anything is asked for.
#[inline]
pub(crate) fn is_pending() -> bool {
    Machine::has_work()
}

/// Does what is asked for and possible at `level`, which is the present one, unless interrupts are disabled.
///
/// Whoever disabled them holds something that a DPC or another thread might want: it then waits for the way out of the next
/// interrupt, of which the clock's is never far.
#[cold]
#[inline(never)]
pub(crate) fn deliver_if_allowed(level: Irql) {
    let enabled = Machine::disable_interrupts();
    if enabled {
        deliver(level);
    }
    Machine::restore_interrupts(enabled);
}

/// Does what is asked for and possible at `level`, which is the present one. Interrupts are disabled before and after, and
/// enabled in between.
pub(crate) fn deliver(level: Irql) {
    loop {
        // Interrupts are disabled, so this is the processor that the code stays on until the level is raised.
        let me = processor::current();
        let pending = me.pending_software();
        if pending.contains(Software::DPC) {
            dpc::deliver();
        } else if pending.intersects(Software::DISPATCH | Software::QUANTUM_END) {
            Machine::set_irql(Irql::Dispatch);
            Machine::restore_interrupts(true);
            schedule::dispatch();
            Machine::disable_interrupts();
            Machine::set_irql(level);
        } else if pending.contains(Software::APC) && level < Irql::Apc {
            me.take_software(Software::APC);
            Machine::set_irql(Irql::Apc);
            Machine::restore_interrupts(true);
            apc::deliver();
            Machine::disable_interrupts();
            Machine::set_irql(level);
        } else {
            return;
        }
    }
}
