//! The simulated machine as this crate's tests want it: on, with the kernel core and the frames set up.

use arch::memory::FrameSource;
use arch::sim::{self, Running};

/// Powers the simulated machine on with one processor.
pub(crate) fn boot() -> Running {
    let running = sim::boot(1);
    ke::register();
    // Frames are set up once for all tests of this program.
    let _ = crate::frames::initialize();
    crate::shared_data::initialize().expect("there is memory");
    notice_what_the_floor_takes();
    running
}

/// The floor takes a page for good when the first address space is made; that it is missing shows when all frames are
/// wanted. Tests compare counts of frames, so it is to show before.
fn notice_what_the_floor_takes() {
    drop(crate::AddressSpaceHandle::create(
        &crate::SpaceOptions::default(),
    ));
    let mut taken = std::vec::Vec::new();
    while let Some(frame) = crate::frames::lock().allocate() {
        taken.push(frame);
    }
    for frame in taken {
        crate::frames::lock().free(frame);
    }
}
