//! A user half for tests, with the code that is to run in it.

use arch::Machine;
use arch::contract::{
    FrameNumber, PAGE_BYTES, PAGE_SIZE, SelfTest, UserCode, UserExit, UserProtection, UserState,
    VirtAddr, VirtRange,
};
use arch::memory::{AddressSpace, Frame, FrameSource, activate, layout, user_frame};
use arch::thread::Context;
use ke::irql;
use mm::frames;

/// Where the code is, read and execute.
pub(crate) const CODE: VirtAddr = VirtAddr(0x4000_0000);
/// A page to read and write, and behind it nothing.
pub(crate) const DATA: VirtAddr = VirtAddr(0x7FFF_1234_5000);
/// The stack's only page.
pub(crate) const STACK: VirtAddr = VirtAddr(0x20_0000);

/// A user half with a page of code, one of data, and one of stack.
pub(crate) struct Process {
    pub(crate) space: AddressSpace,
    pub(crate) data: FrameNumber,
}

impl Process {
    /// Makes one, with the code in it if the machine has that code.
    pub(crate) fn with(code: UserCode) -> Result<Option<Self>, &'static str> {
        let Some(code) = Machine::user_code(code) else {
            return Ok(None);
        };
        let space = AddressSpace::create(&mut *frames::lock()).map_err(|_| "no address space")?;
        let mut process = Self {
            space,
            data: FrameNumber(0),
        };
        process.map(CODE, UserProtection::ReadExecute, code)?;
        process.map(STACK, UserProtection::ReadWrite, &[])?;
        process.data = process.map(DATA, UserProtection::ReadWrite, &[])?;
        Ok(Some(process))
    }

    /// Maps a new page that begins with `contents`, as much of it as fits; the rest is zero.
    pub(crate) fn map(
        &mut self,
        page: VirtAddr,
        protection: UserProtection,
        contents: &[u8],
    ) -> Result<FrameNumber, &'static str> {
        let mut frame = frames::lock().allocate().ok_or("no frame")?;
        let number = {
            frame.zero();
            frame.into_user()
        };
        let contents = &contents[..contents.len().min(PAGE_BYTES)];
        user_frame::write(number, 0, contents).map_err(|_| "a user frame was not written")?;
        self.space
            .map(page, number, protection, &mut *frames::lock())
            .map_err(|_| "a user page was not mapped")?;
        Ok(number)
    }

    /// Unmaps a page and gives its frame back.
    pub(crate) fn unmap(&mut self, page: VirtAddr) {
        self.unmap_range(VirtRange::of_pages(page, 1));
    }

    fn unmap_range(&mut self, range: VirtRange) {
        self.space.unmap(range, &mut |_, frame| {
            if let Some(frame) = Frame::reclaim(frame) {
                frames::lock().free(frame);
            }
            0
        });
    }

    /// Makes it what this processor's user mode sees.
    pub(crate) fn enter(&self) -> Result<(), &'static str> {
        let _dispatch = irql::raise(arch::contract::Irql::Dispatch);
        if activate(Some(self.space.id())) {
            Ok(())
        } else {
            Err("a living address space was not activated")
        }
    }

    /// Takes it apart; everything goes back.
    pub(crate) fn end(mut self) -> Result<(), &'static str> {
        leave_space();
        self.unmap_range(layout::USER);
        self.space
            .destroy(&mut *frames::lock(), &mut |_, _| {})
            .map_err(|_| "an address space that is active nowhere was not destroyed")
    }
}

/// No user half on this processor.
pub(crate) fn leave_space() {
    let _dispatch = irql::raise(arch::contract::Irql::Dispatch);
    activate(None);
}

/// Starts the code from its beginning, with two arguments, until it wants something.
pub(crate) fn run(context: &'static Context, first: u64, second: u64) -> UserExit {
    prepare(context, first, second);
    context.run_user()
}

/// Makes the context's user registers those of the code's beginning.
pub(crate) fn prepare(context: &'static Context, first: u64, second: u64) {
    let user = context.user();
    user.reset();
    user.set_pc(CODE);
    user.set_sp(VirtAddr(STACK.0 + PAGE_SIZE));
    user.set_argument(0, first);
    user.set_argument(1, second);
}
