//! What stands in the page that every process sees: the system's version, what processors have, and the time, which the
//! clock's interrupt writes.
//!
//! # Differs
//! Features that not every processor of an architecture has are not told.

use core::mem::offset_of;
use core::sync::atomic::{Ordering, fence};

use arch::Machine;
use arch::contract::{Clock as _, PAGE_SIZE, UserState as _};
use arch::thread::UserState;
use ke::clock::TickData;
use nt_abi::NtResult;
use nt_abi::user_shared_data::{KsystemTime, KuserSharedData, NtProductType, ProcessorFeature};
use zerocopy::{FromZeros as _, IntoBytes as _};

use crate::numbers::{large, long};

/// `IMAGE_FILE_MACHINE_ARM64`.
const MACHINE_ARM64: u16 = 0xAA64;
/// `PROCESSOR_ARCHITECTURE_AMD64`, `PROCESSOR_ARCHITECTURE_ARM64`.
const ARCHITECTURES: (u16, u16) = (9, 12);

/// Where Windows' DLLs are.
const SYSTEM_ROOT: &str = r"C:\Windows";

/// `VER_SUITE_TERMINAL`, `VER_SUITE_SINGLEUSERTS`: what a workstation says.
const SUITES: u32 = 0x110;

/// Pages of a large page: 2 MiB on both architectures.
const LARGE_PAGE: u64 = 512;

/// What every processor that Tarn runs on has.
const AMD64_FEATURES: [ProcessorFeature; 8] = [
    ProcessorFeature::COMPARE_EXCHANGE_DOUBLE,
    ProcessorFeature::MMX_INSTRUCTIONS_AVAILABLE,
    ProcessorFeature::XMMI_INSTRUCTIONS_AVAILABLE,
    ProcessorFeature::RDTSC_INSTRUCTION_AVAILABLE,
    ProcessorFeature::PAE_ENABLED,
    ProcessorFeature::XMMI64_INSTRUCTIONS_AVAILABLE,
    ProcessorFeature::NX_ENABLED,
    ProcessorFeature::FASTFAIL_AVAILABLE,
];
const ARM64_FEATURES: [ProcessorFeature; 8] = [
    ProcessorFeature::COMPARE_EXCHANGE_DOUBLE,
    ProcessorFeature::NX_ENABLED,
    ProcessorFeature::ARM_VFP_32_REGISTERS_AVAILABLE,
    ProcessorFeature::ARM_NEON_INSTRUCTIONS_AVAILABLE,
    ProcessorFeature::FASTFAIL_AVAILABLE,
    ProcessorFeature::ARM_DIVIDE_INSTRUCTION_AVAILABLE,
    ProcessorFeature::ARM_64BIT_LOADSTORE_ATOMIC,
    ProcessorFeature::ARM_V8_INSTRUCTIONS_AVAILABLE,
];

/// What does not change while the system runs.
fn lasting() -> KuserSharedData {
    let mut page = KuserSharedData::new_zeroed();
    let (major, minor, build) = ps::environment::VERSION;
    let is_arm = UserState::MACHINE == MACHINE_ARM64;
    page.tick_count_multiplier = TickData::TICK_COUNT_MULTIPLIER;
    page.image_number_low = UserState::MACHINE;
    page.image_number_high = UserState::MACHINE;
    for (unit, place) in SYSTEM_ROOT.encode_utf16().zip(&mut page.nt_system_root) {
        *place = unit;
    }
    page.large_page_minimum = long(PAGE_SIZE * LARGE_PAGE);
    page.nt_build_number = u32::from(build);
    page.nt_product_type = NtProductType::WIN_NT;
    page.product_type_is_valid = 1;
    page.native_processor_architecture = if is_arm {
        ARCHITECTURES.1
    } else {
        ARCHITECTURES.0
    };
    page.nt_major_version = major;
    page.nt_minor_version = minor;
    for feature in if is_arm {
        ARM64_FEATURES
    } else {
        AMD64_FEATURES
    } {
        page.processor_features[feature.0 as usize] = 1;
    }
    page.suite_mask = SUITES;
    page.number_of_physical_pages = long(mm::frames::counts().total);
    page.qpc_frequency = large(Machine::counter_frequency());
    page.active_processor_count = ke::processor::active().count();
    page.active_group_count = 1;
    // Nobody has seen the counter before.
    page.cookie = long((Machine::counter().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) | 1);
    page
}

/// Writes a time in the order that readers rely on: the upper part, the lower, the upper again.
fn write_time(offset: usize, time: u64) {
    let time = KsystemTime::new(time.cast_signed());
    let parts = [
        (
            offset_of!(KsystemTime, high2_time),
            time.high2_time.to_le_bytes(),
        ),
        (
            offset_of!(KsystemTime, low_part),
            time.low_part.to_le_bytes(),
        ),
        (
            offset_of!(KsystemTime, high1_time),
            time.high1_time.to_le_bytes(),
        ),
    ];
    for (part, bytes) in parts {
        // The page is there, and this is in it.
        let _ = mm::shared_data::write(offset + part, &bytes);
        fence(Ordering::Release);
    }
}

/// The clock's interrupt on the first processor.
fn ticked(tick: &TickData) {
    write_time(
        offset_of!(KuserSharedData, interrupt_time),
        tick.interrupt_time,
    );
    write_time(offset_of!(KuserSharedData, system_time), tick.system_time);
    write_time(offset_of!(KuserSharedData, tick_count), tick.tick_count);
}

/// Fills the page, and has the clock keep it up to date.
///
/// # Errors
/// Those of writing it.
pub(crate) fn initialize() -> NtResult {
    mm::shared_data::write(0, lasting().as_bytes())?;
    ke::clock::set_tick_observer(ticked);
    Ok(())
}
