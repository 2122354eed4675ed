//! Faults on purpose: each must end in the bug check that Windows has for it. The dialogue of the test looks at the report;
//! to come back here is to fail.

use arch::Machine;
use arch::contract::{Fault, Irql, PAGE_BYTES, PAGE_SIZE, SelfTest, VirtAddr};
use arch::user::read_word;
use ke::{SpinLock, info, irql};
use mm::AddressSpace;
use mm::address_space::{AddressSpaceHandle, Allocation, Limits, SpaceOptions};
use mm::paging::PagingFile;
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::{NtResult, NtStatus};

/// Provokes the fault that a test's name asks for.
pub(crate) fn provoke(name: &str) -> Result<(), &'static str> {
    // Touching what is not mapped at a raised level has a code of its own.
    if name == "fault-read-at-dispatch" {
        let _dispatch = irql::raise(Irql::Dispatch);
        return refused(Machine::provoke(Fault::ReadUnmapped));
    }
    if name == "fault-paged-out-at-dispatch" {
        return touch_paged_out();
    }
    if name == "panic" {
        panic!("a panic on purpose");
    }
    let fault = match name {
        "fault-read-unmapped" => Fault::ReadUnmapped,
        "fault-write-unmapped" => Fault::WriteUnmapped,
        "fault-write-text" => Fault::WriteText,
        "fault-write-read-only" => Fault::WriteReadOnly,
        "fault-execute-data" => Fault::ExecuteData,
        "fault-illegal-instruction" => Fault::IllegalInstruction,
        "fault-general-protection" => Fault::GeneralProtection,
        "fault-divide-by-zero" => Fault::DivideByZero,
        "fault-breakpoint" => Fault::Breakpoint,
        "fault-misaligned" => Fault::Misaligned,
        "fault-misaligned-pc" => Fault::MisalignedPc,
        "fault-misaligned-stack" => Fault::MisalignedStack,
        "fault-stack-overflow" => Fault::StackOverflow,
        "fault-double-fault" => Fault::DoubleFault,
        "fault-bus-error" => Fault::BusError,
        "fault-floating-point-unavailable" => Fault::FloatingPointUnavailable,
        _ => return Err("there is no test of that name"),
    };
    refused(Machine::provoke(fault))
}

/// Pages of the paging file of this test, which is in memory.
const PAGES: usize = 16;

struct InMemory(SpinLock<[[u8; PAGE_BYTES]; PAGES]>);

static FILE: InMemory = InMemory(SpinLock::new([[0; PAGE_BYTES]; PAGES]));

impl PagingFile for InMemory {
    fn pages(&self) -> u32 {
        u32::try_from(PAGES).unwrap_or(0)
    }

    fn read(&self, place: u32, into: &mut [u8]) -> NtResult {
        let pages = self.0.acquire();
        let page = pages.get(place as usize).ok_or(NtStatus::END_OF_FILE)?;
        into.copy_from_slice(page);
        Ok(())
    }

    fn write(&self, place: u32, from: &[u8]) -> NtResult {
        let mut pages = self.0.acquire();
        let page = pages.get_mut(place as usize).ok_or(NtStatus::END_OF_FILE)?;
        page.copy_from_slice(from);
        Ok(())
    }
}

/// Takes all pages out of the working set, and writes them to the paging file.
fn page_out(space: &AddressSpace) -> Result<(), &'static str> {
    let taken = space.empty_working_set();
    let written = mm::modified_writer::write_modified(taken);
    if taken == 0 || written == 0 || mm::paging::counts().in_use == 0 {
        return Err("the page was not paged out");
    }
    Ok(())
}

/// A copy from a page of a process that was paged out: below Dispatch it is brought back, and at Dispatch it cannot be.
fn touch_paged_out() -> Result<(), &'static str> {
    const PAGE: VirtAddr = VirtAddr(0x10_0000);
    let space = AddressSpaceHandle::create(&SpaceOptions::default()).map_err(|_| "no space")?;
    let request = Allocation {
        base: PAGE.0,
        size: PAGE_SIZE,
        zero_bits: 0,
        kind: AllocationType::RESERVE | AllocationType::COMMIT,
        protection: PageProtection::READWRITE,
        limits: Limits::ANYWHERE,
    };
    space.allocate(&request).map_err(|_| "no page")?;
    if space.write(PAGE.0, &[0x5A; 8]).count != 8 {
        return Err("the page was not written");
    }
    let mut read_back = [0; 8];
    mm::paging::add(&FILE).map_err(|_| "no paging file")?;
    page_out(&space)?;
    if space.read(PAGE.0, &mut read_back).count != 8 || read_back != [0x5A; 8] {
        return Err("the page did not come back as it was");
    }
    let read = || {
        let _dispatch = irql::raise(Irql::Dispatch);
        arch::memory::activate(space.id());
        let read = read_word(PAGE);
        arch::memory::activate(None);
        read
    };
    if read() != Ok(0x5A5A_5A5A_5A5A_5A5A) {
        return Err("a page that is there was not read at Dispatch");
    }
    info!("read while it was there");
    if space.write(PAGE.0, &[0xA5; 8]).count != 8 {
        return Err("the page was not written again");
    }
    page_out(&space)?;
    let _ = read();
    info!("the machine went on after the fault");
    Err("a page that was paged out was touched at Dispatch and nothing stopped")
}

fn refused<E>(outcome: Result<(), E>) -> Result<(), &'static str> {
    info!("the machine went on after the fault");
    match outcome {
        Ok(()) => Err("the fault was provoked and nothing stopped"),
        Err(_) => Err("this machine has no such fault"),
    }
}
