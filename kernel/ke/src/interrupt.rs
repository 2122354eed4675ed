//! Interrupt objects: which routine serves a device's line.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::Machine;
use arch::contract::{InterruptLine, Interrupts, Irql, LineError, ProcessorNumber, Trigger};
use arch::lock::FloorLock;

use crate::processor;

/// Lines that can be connected: the shared interrupts of a GIC end at 1019, global system interrupts far below.
const LINES: usize = 1020;

/// Serves the interrupt, at the object's level; true if it was the device's.
///
/// # NT
/// `PKSERVICE_ROUTINE`.
pub type ServiceRoutine = fn(interrupt: &'static InterruptObject) -> bool;

/// A device's interrupt and who serves it.
///
/// # NT
/// `KINTERRUPT`. # Differs: it lives for good; a line has one object, chains of shared lines come with the PCI bus.
pub struct InterruptObject {
    line: InterruptLine,
    level: Irql,
    trigger: Trigger,
    target: ProcessorNumber,
    routine: ServiceRoutine,
    served: AtomicU64,
    not_claimed: AtomicU64,
}

static CONNECTED: [FloorLock<Option<&'static InterruptObject>>; LINES] =
    [const { FloorLock::new(None) }; LINES];
static UNEXPECTED: AtomicU64 = AtomicU64::new(0);

impl InterruptObject {
    /// Describes an interrupt; [`connect`](Self::connect) makes it arrive.
    pub const fn new(
        line: InterruptLine,
        level: Irql,
        trigger: Trigger,
        target: ProcessorNumber,
        routine: ServiceRoutine,
    ) -> Self {
        Self {
            line,
            level,
            trigger,
            target,
            routine,
            served: AtomicU64::new(0),
            not_claimed: AtomicU64::new(0),
        }
    }

    /// Lets the line interrupt its processor.
    ///
    /// # Errors
    /// See [`LineError`].
    #[doc(alias = "IoConnectInterrupt")]
    pub fn connect(&'static self) -> Result<(), LineError> {
        let slot = CONNECTED
            .get(self.line.0 as usize)
            .ok_or(LineError::NoSuchLine)?;
        {
            let mut slot = slot.acquire();
            if slot.is_some() {
                return Err(LineError::InUse);
            }
            *slot = Some(self);
        }
        let connected = Machine::connect_line(self.line, self.level, self.trigger, self.target);
        if connected.is_err() {
            *slot.acquire() = None;
        }
        connected
    }

    /// Stops the line. Its routine may still be running on another processor when this returns.
    #[doc(alias = "IoDisconnectInterrupt")]
    pub fn disconnect(&'static self) {
        let Some(slot) = CONNECTED.get(self.line.0 as usize) else {
            return;
        };
        let mut slot = slot.acquire();
        if slot.is_some_and(|connected| core::ptr::eq(connected, self)) {
            Machine::disconnect_line(self.line);
            *slot = None;
        }
    }

    /// Interrupts that its routine claimed.
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    /// Interrupts that its routine said were not its device's.
    pub fn not_claimed(&self) -> u64 {
        self.not_claimed.load(Ordering::Relaxed)
    }
}

/// Interrupts of lines that nobody has connected.
pub fn unexpected() -> u64 {
    UNEXPECTED.load(Ordering::Relaxed)
}

/// A line interrupted.
pub(crate) fn serve(line: InterruptLine) {
    processor::current()
        .interrupts
        .fetch_add(1, Ordering::Relaxed);
    // The slot is copied under its lock and the routine called outside: disconnecting never waits for a routine.
    let object = CONNECTED
        .get(line.0 as usize)
        .and_then(|slot| *slot.acquire());
    match object {
        Some(object) if (object.routine)(object) => object.served.fetch_add(1, Ordering::Relaxed),
        Some(object) => object.not_claimed.fetch_add(1, Ordering::Relaxed),
        None => UNEXPECTED.fetch_add(1, Ordering::Relaxed),
    };
}

#[cfg(test)]
mod tests {
    use arch::sim;

    use super::*;
    use crate::dpc::Dpc;
    use crate::{irql, testing};

    static LEVELS_SEEN: AtomicU64 = AtomicU64::new(0);
    static DPC_SAW: AtomicU64 = AtomicU64::new(0);
    static LATER: Dpc = Dpc::new(|_, [from, _]| {
        DPC_SAW.store(
            from << 8 | u64::from(irql::current().level()),
            Ordering::Relaxed,
        );
    });
    static DEVICE: InterruptObject = InterruptObject::new(
        InterruptLine(40),
        Irql::Device6,
        Trigger::Level,
        ProcessorNumber(1),
        |_| {
            LEVELS_SEEN.store(u64::from(irql::current().level()), Ordering::Relaxed);
            assert!(LATER.queue([7, 0]));
            assert!(!LATER.queue([8, 0]), "it is queued already");
            true
        },
    );

    #[test]
    fn a_line_is_served_at_its_level_and_its_dpc_runs_on_the_way_out() {
        let _machine = testing::boot(2);
        DEVICE.connect().expect("the line is free");
        assert_eq!(DEVICE.connect(), Err(LineError::InUse));
        sim::interrupt(InterruptLine(40));
        assert_eq!(LEVELS_SEEN.load(Ordering::Relaxed), 6);
        assert_eq!(DPC_SAW.load(Ordering::Relaxed), 7 << 8 | 2);

        DPC_SAW.store(0, Ordering::Relaxed);
        sim::on_processor(ProcessorNumber(1), || {
            let dispatch = irql::raise(Irql::Dispatch);
            sim::interrupt(InterruptLine(40));
            assert_eq!(DPC_SAW.load(Ordering::Relaxed), 0, "no DPC at Dispatch");
            drop(dispatch);
            assert_eq!(
                DPC_SAW.load(Ordering::Relaxed),
                7 << 8 | 2,
                "it runs when the level falls"
            );
        });

        DEVICE.disconnect();
        assert_eq!(DEVICE.served(), 2);
    }

    #[test]
    fn a_masked_line_waits_until_the_level_falls() {
        static QUIET: InterruptObject = InterruptObject::new(
            InterruptLine(41),
            Irql::Device4,
            Trigger::Edge,
            ProcessorNumber(0),
            |_| true,
        );
        let _machine = testing::boot(1);
        QUIET.connect().expect("the line is free");
        let device = irql::raise(Irql::Device4);
        sim::interrupt(InterruptLine(41));
        assert_eq!(QUIET.served(), 0);
        drop(device);
        assert_eq!(QUIET.served(), 1);
        QUIET.disconnect();
    }
}
