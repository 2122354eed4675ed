//! The register file across interrupts, and across page faults of the kernel's own.
//!
//! The test kernel puts itself between the floor and `ke`: it is called first for every interrupt, so each clock interrupt
//! can do to the SIMD registers what a thread switch would.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arch::contract::{
    Access, Clock, Exception, InterruptLine, Irql, Kernel, PAGE_SIZE, Processor, ProcessorNumber,
    RegisterChanged, SelfTest, UserCode, UserProtection, VirtAddr, VirtRange,
};
use arch::user::read_word;
use arch::{Machine, SimdState, TrapFrame};
use ke::{error, info};

use crate::process::{DATA, Process};
use crate::user_threads;

const INTERRUPTS: u64 = 100_000;
/// Clock interrupts a second while the registers are held.
const RATE: u64 = 50_000;

static HOLDING: AtomicBool = AtomicBool::new(false);
static TAKEN: AtomicU64 = AtomicU64::new(0);

struct Scrambler;

impl Kernel for Scrambler {
    fn clock_interrupt(&self, in_user_mode: bool) {
        if HOLDING.load(Ordering::Relaxed) && Machine::number() == ProcessorNumber::BOOT {
            change_simd(TAKEN.fetch_add(1, Ordering::Release));
        }
        user_threads::clock_interrupt();
        ke::upcalls().clock_interrupt(in_user_mode);
    }

    fn interprocessor_interrupt(&self) {
        ke::upcalls().interprocessor_interrupt();
    }

    fn device_interrupt(&self, line: InterruptLine) {
        ke::upcalls().device_interrupt(line);
    }

    fn leave_interrupt(&self, interrupted: Irql) {
        ke::upcalls().leave_interrupt(interrupted);
    }

    fn exception(&self, exception: &Exception, frame: &mut TrapFrame) {
        ke::upcalls().exception(exception, frame);
    }

    fn user_page_fault(&self, address: VirtAddr, access: Access) -> bool {
        ke::upcalls().user_page_fault(address, access)
    }

    fn processor_started(&self, number: ProcessorNumber) -> ! {
        ke::upcalls().processor_started(number)
    }
}

/// What a switch to another thread and back does to the SIMD registers.
fn change_simd(seed: u64) {
    let mut simd = SimdState::default();
    Machine::save_simd(&mut simd);
    Machine::scramble_simd(seed);
    Machine::restore_simd(&simd);
}

/// Puts this module between the floor and `ke`; before `ke` announces itself.
pub(crate) fn interpose() {
    arch::set_kernel(&Scrambler);
}

/// Every general and SIMD register keeps its value across 100 000 clock interrupts, each of which saves the SIMD registers,
/// overwrites every one, and loads them again.
pub(crate) fn survive_interrupts() -> Result<(), &'static str> {
    let usual = Machine::counter_frequency() / ke::clock::TICKS_PER_SECOND;
    HOLDING.store(true, Ordering::Relaxed);
    Machine::start_clock(Machine::counter_frequency() / RATE);
    let held = Machine::hold_registers(&TAKEN, INTERRUPTS, 0x0123_4567_89AB_CDEF);
    HOLDING.store(false, Ordering::Relaxed);
    Machine::start_clock(usual);
    let (count, size) = Machine::simd_shape();
    info!(
        "{} clock interrupts; {count} SIMD registers of {size} bytes",
        TAKEN.load(Ordering::Relaxed)
    );
    held.map_err(tell)
}

fn tell(changed: RegisterChanged) -> &'static str {
    error!(
        "{} was {:#x} and is {:#x}",
        changed.name, changed.expected, changed.found
    );
    "a register did not keep its value"
}

const FAULTS: u64 = 100_000;
/// A page of user memory that is not there when it is written.
const ABSENT: VirtAddr = VirtAddr(DATA.0 + PAGE_SIZE);
/// The page behind it, which nobody brings.
const NOWHERE: VirtAddr = VirtAddr(ABSENT.0 + PAGE_SIZE);
static BROUGHT: AtomicU64 = AtomicU64::new(0);
static PROCESS: ke::SpinLock<Option<Process>> = ke::SpinLock::new(None);

fn pager(address: VirtAddr, _: Access) -> bool {
    let enabled = Machine::disable_interrupts();
    change_simd(address.0 ^ BROUGHT.load(Ordering::Relaxed));
    Machine::restore_interrupts(enabled);
    if !VirtRange::of_pages(ABSENT, 1).contains(address) {
        return false;
    }
    BROUGHT.fetch_add(1, Ordering::Relaxed);
    let mut process = PROCESS.acquire();
    process
        .as_mut()
        .is_some_and(|process| process.map(ABSENT, UserProtection::ReadWrite, &[]).is_ok())
}

/// Every general and SIMD register keeps its value while the kernel writes to user memory that is brought meanwhile, or that
/// nobody brings.
pub(crate) fn survive_faults() -> Result<(), &'static str> {
    ke::exception::set_pager(pager);
    let process = Process::with(UserCode::Endless)?.ok_or("no code")?;
    process.enter()?;
    *PROCESS.acquire() = Some(process);
    for round in 0..FAULTS {
        let seed = round.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let word = !seed;
        let to = VirtAddr(ABSENT.0 + 8 * (round % (PAGE_SIZE / 8)));
        if Machine::write_held(NOWHERE, word, seed).map_err(tell)? {
            return Err("a word was written to what is not there");
        }
        let written = Machine::write_held(to, word, seed).map_err(tell)?;
        if !written || read_word(to) != Ok(word) {
            return Err("the word was not written");
        }
        if let Some(process) = PROCESS.acquire().as_mut() {
            process.unmap(ABSENT);
        }
    }
    let brought = BROUGHT.load(Ordering::Relaxed);
    info!("{brought} page faults");
    if brought != FAULTS {
        return Err("not each write met a page fault, or one met two");
    }
    let process = PROCESS.acquire().take().ok_or("there is no process")?;
    process.end()
}
