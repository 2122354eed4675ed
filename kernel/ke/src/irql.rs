//! Raising and lowering the interrupt request level.
//!
//! To raise gives a guard; to drop the guard is to lower again, and lowering
//! below Dispatch is the moment when DPCs run. Guards must be dropped in the
//! reverse order in which they were made, which scopes do by themselves; a guard
//! dropped out of order is caught and stops the machine, because the level would
//! be wrong from then on.

use core::marker::PhantomData;

use arch::Machine;
use arch::contract::{Irql, Processor};
use nt_abi::BugCheckCode;

use crate::{bug_check, software};

/// The level is raised until this is dropped.
#[must_use = "the level falls again when the guard is dropped"]
pub struct IrqlGuard {
    before: Irql,
    raised_to: Irql,
    // The level belongs to a processor: a guard must not travel to another thread.
    _stays_here: PhantomData<*const ()>,
}

/// The level of this processor now.
#[doc(alias = "KeGetCurrentIrql")]
pub fn current() -> Irql {
    Machine::irql()
}

/// Raises the level to `level`, or keeps it if it is that already.
///
/// A level that is lower than the present one is a bug check `IRQL_NOT_GREATER_OR_EQUAL`, as in NT.
#[doc(alias = "KeRaiseIrql")]
#[inline]
pub fn raise(level: Irql) -> IrqlGuard {
    let before = Machine::irql();
    if level < before {
        wrong_level(before, level);
    }
    if level > Irql::Dispatch {
        if level != before {
            Machine::set_irql(level);
        }
    } else if level != before {
        Machine::set_software_irql(level);
    }
    IrqlGuard {
        before,
        raised_to: level,
        _stays_here: PhantomData,
    }
}

impl Drop for IrqlGuard {
    #[doc(alias = "KeLowerIrql")]
    #[inline]
    fn drop(&mut self) {
        fall(self.raised_to, self.before);
    }
}

/// The level is Dispatch until this is dropped: a guard of which the level is known, so that less is to be looked at.
#[must_use = "the level falls again when the guard is dropped"]
pub(crate) struct DispatchGuard {
    before: Irql,
    // As in `IrqlGuard`.
    _stays_here: PhantomData<*const ()>,
}

/// [`raise`] to Dispatch.
#[inline]
pub(crate) fn raise_to_dispatch() -> DispatchGuard {
    let before = Machine::irql();
    if before > Irql::Dispatch {
        wrong_level(before, Irql::Dispatch);
    }
    if before != Irql::Dispatch {
        Machine::set_software_irql(Irql::Dispatch);
    }
    DispatchGuard {
        before,
        _stays_here: PhantomData,
    }
}

impl DispatchGuard {
    /// The level to which this processor falls when the guard is dropped.
    pub(crate) fn before(&self) -> Irql {
        self.before
    }

    /// The same as a guard of any level.
    pub(crate) fn into_guard(self) -> IrqlGuard {
        let before = self.before;
        core::mem::forget(self);
        IrqlGuard {
            before,
            raised_to: Irql::Dispatch,
            _stays_here: PhantomData,
        }
    }
}

impl Drop for DispatchGuard {
    #[inline]
    fn drop(&mut self) {
        fall(Irql::Dispatch, self.before);
    }
}

/// What the drop of a guard does.
#[inline]
fn fall(raised_to: Irql, before: Irql) {
    let now = Machine::irql();
    if now != raised_to {
        wrong_level(now, raised_to);
    }
    if before == raised_to {
        return;
    }
    if raised_to > Irql::Dispatch {
        lower_to(before);
    } else {
        Machine::set_software_irql(before);
        deliver_below_dispatch(before);
    }
}

/// Raises the level from Passive to Apc for good, for the delivery of APCs, which lowers it again by itself.
pub(crate) fn raise_for_apc() {
    Machine::set_irql(Irql::Apc);
}

/// Sets a lower level and does what became possible.
#[inline]
pub(crate) fn lower_to(level: Irql) {
    // The level falls first. An interrupt that asks for a software interrupt between the two lines finds the processor below
    // Dispatch and delivers it on its own way out; one that came before left it pending, and the look that follows sees it.
    // A thread that is moved in between looks at another processor's: what it needs there, that one does by itself.
    Machine::set_irql(level);
    deliver_below_dispatch(level);
}

#[inline]
fn deliver_below_dispatch(level: Irql) {
    if level < Irql::Dispatch && software::is_pending() {
        software::deliver_if_allowed(level);
    }
}

#[cold]
fn wrong_level(found: Irql, needed: Irql) -> ! {
    bug_check::stop(
        BugCheckCode::IRQL_NOT_GREATER_OR_EQUAL,
        [u64::from(found.level()), u64::from(needed.level()), 0, 0],
    )
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicU64, Ordering};

    use arch::contract::Clock;
    use arch::sim;

    use super::*;
    use crate::dpc::Dpc;

    #[test]
    fn guards_nest_and_restore() {
        let _machine = crate::testing::boot(1);
        {
            let _dispatch = raise(Irql::Dispatch);
            assert_eq!(current(), Irql::Dispatch);
            {
                let _high = raise(Irql::High);
                assert_eq!(current(), Irql::High);
            }
            assert_eq!(current(), Irql::Dispatch);
            let same = raise(Irql::Dispatch);
            drop(same);
            assert_eq!(current(), Irql::Dispatch);
        }
        assert_eq!(current(), Irql::Passive);
    }

    #[test]
    fn with_interrupts_off_a_dpc_waits_for_the_next_interrupt() {
        static LATER: Dpc = Dpc::new(|_, _| _ = RAN.fetch_add(1, Ordering::Relaxed));
        static RAN: AtomicU64 = AtomicU64::new(0);
        let _machine = crate::testing::boot(1);
        let enabled = Machine::disable_interrupts();
        {
            let _dispatch = raise(Irql::Dispatch);
            assert!(LATER.queue([0; 2]));
        }
        assert_eq!(
            RAN.load(Ordering::Relaxed),
            0,
            "it ran under somebody's disabled interrupts"
        );
        assert!(
            !Machine::disable_interrupts(),
            "lowering the level enabled interrupts"
        );
        Machine::restore_interrupts(enabled);
        crate::clock::start_on_this_processor();
        sim::advance(Machine::counter_frequency());
        assert_eq!(RAN.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn raising_to_a_lower_level_stops_the_machine() {
        let _machine = crate::testing::boot(1);
        let code = sim::ended(|| {
            let _high = core::mem::ManuallyDrop::new(raise(Irql::Clock));
            let _ = core::mem::ManuallyDrop::new(raise(Irql::Dispatch));
        });
        assert_eq!(code, arch::contract::ExitCode::BugCheck);
        assert!(sim::console_output().contains("IRQL_NOT_GREATER_OR_EQUAL"));
    }
}
