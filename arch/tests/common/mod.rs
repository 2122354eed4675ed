//! What these tests have in common: a kernel whose upcalls a test sets, and looking at panics.
#![allow(dead_code, reason = "no test uses all of it")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use arch::contract::{
    Access, Exception, FrameNumber, InterruptLine, Irql, Kernel, ProcessorNumber, VirtAddr,
};
use arch::memory::{Frame, FrameSource};
use arch::{Machine, TrapFrame, sim};

/// What the kernel does; a test replaces what it needs.
#[derive(Clone, Copy)]
pub(crate) struct Upcalls {
    pub(crate) clock: fn(),
    pub(crate) call: fn(),
    pub(crate) leave: fn(Irql),
    pub(crate) fault: fn(VirtAddr, Access) -> bool,
    pub(crate) started: fn(ProcessorNumber),
}

const QUIET: Upcalls = Upcalls {
    clock: || {},
    call: || {},
    leave: |_| {},
    fault: |_, _| false,
    started: |_| {},
};

static UPCALLS: Mutex<Upcalls> = Mutex::new(QUIET);

fn upcalls() -> Upcalls {
    *UPCALLS.lock().unwrap_or_else(PoisonError::into_inner)
}

struct TestKernel;

impl Kernel for TestKernel {
    fn clock_interrupt(&self, _: bool) {
        (upcalls().clock)();
    }

    fn interprocessor_interrupt(&self) {
        (upcalls().call)();
    }

    fn device_interrupt(&self, _: InterruptLine) {}

    fn leave_interrupt(&self, interrupted: Irql) {
        (upcalls().leave)(interrupted);
    }

    fn exception(&self, _: &Exception, _: &mut TrapFrame) {}

    fn user_page_fault(&self, address: VirtAddr, access: Access) -> bool {
        (upcalls().fault)(address, access)
    }

    fn processor_started(&self, number: ProcessorNumber) -> ! {
        use arch::contract::Processor;
        (upcalls().started)(number);
        Machine::stop()
    }
}

/// Registers the kernel, all of whose upcalls do nothing but what `change` makes them do. With the machine on.
pub(crate) fn set_upcalls(change: impl FnOnce(&mut Upcalls)) {
    arch::set_kernel(&TestKernel);
    let mut upcalls = QUIET;
    change(&mut upcalls);
    *UPCALLS.lock().unwrap_or_else(PoisonError::into_inner) = upcalls;
}

/// A value that lives for good.
pub(crate) fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// The text of the panic that `body` ends with.
pub(crate) fn panic_text(body: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(body)).expect_err("it does not panic");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => match payload.downcast::<&str>() {
            Ok(text) => (*text).into(),
            Err(payload) => match payload.downcast::<sim::Ended>() {
                Ok(ended) => format!("{ended:?}"),
                Err(_) => "no text".into(),
            },
        },
    }
}

/// Frames, at most `left` of them, counted.
pub(crate) struct CountedFrames {
    pub(crate) left: usize,
    pub(crate) out: usize,
}

impl CountedFrames {
    pub(crate) fn new(left: usize) -> Self {
        Self { left, out: 0 }
    }
}

impl FrameSource for CountedFrames {
    fn allocate(&mut self) -> Option<Frame> {
        self.left = self.left.checked_sub(1)?;
        self.out += 1;
        let mut frame = sim::SpareFrames.allocate()?;
        // What the last owner left there.
        frame.bytes().fill(0xA7);
        Some(frame)
    }

    fn free(&mut self, frame: Frame) {
        self.left += 1;
        self.out -= 1;
        sim::SpareFrames.free(frame);
    }
}

/// A user frame filled with one byte.
pub(crate) fn user_frame(byte: u8) -> FrameNumber {
    let mut frame = sim::SpareFrames.allocate().expect("there is memory");
    frame.bytes().fill(byte);
    frame.into_user()
}

/// Takes a user frame back that nothing shows.
pub(crate) fn reclaim(frame: FrameNumber) {
    sim::SpareFrames.free(Frame::reclaim(frame).expect("nothing shows it"));
}

/// Numbers by a seed: SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// One of them.
    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = usize::try_from(self.below(choices.len() as u64)).expect("an index");
        choices[index]
    }
}

/// What a processor that was started does first, so that it is interrupted.
pub(crate) fn come_up() {
    use arch::contract::Processor;
    assert_eq!(Machine::irql(), Irql::High);
    assert!(!Machine::disable_interrupts());
    Machine::set_irql(Irql::Passive);
    Machine::restore_interrupts(true);
}
