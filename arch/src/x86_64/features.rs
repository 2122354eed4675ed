//! What CPUID says, and the control bits that follow from it.
//!
//! CPUID is slow (under a hypervisor it always traps), so [`detect`] asks once,
//! on the processor that booted, and the answers are kept as one word of bits.
//! The other processors are taken to be of the same kind; one that lacks a bit
//! that is then set in its CR4 would fault while it starts, and is reported as a
//! processor that did not come up.

use core::arch::asm;
use core::arch::x86_64::{__cpuid, __cpuid_count};
use core::sync::atomic::{AtomicU32, Ordering};

use bitflags::bitflags;

bitflags! {
    /// Features that this machine uses when it finds them.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(super) struct Features: u32 {
        /// The local APIC is reached by registers of the processor, with 32-bit ids.
        const X2APIC = 1 << 0;
        /// The local APIC's timer can wait for a value of the TSC.
        const TSC_DEADLINE = 1 << 1;
        /// Blocks of 1 GiB.
        const GIGABYTE_BLOCKS = 1 << 2;
        /// The kernel cannot execute user pages.
        const SMEP = 1 << 3;
        /// The kernel cannot access user pages, unless it says so.
        const SMAP = 1 << 4;
        /// User mode cannot read descriptor-table registers.
        const UMIP = 1 << 5;
        /// XSAVE, and so a way to save what came after SSE.
        const XSAVE = 1 << 6;
        /// 256-bit registers.
        const AVX = 1 << 7;
        /// RDTSCP and its register.
        const RDTSCP = 1 << 8;
        /// An old Intel processor (family 15) that wants 10 ms between INIT and start-up.
        const SLOW_INIT = 1 << 9;
    }
}

static FEATURES: AtomicU32 = AtomicU32::new(0);

/// The features found by [`detect`]; none before.
pub(super) fn features() -> Features {
    // Relaxed: written once before any other processor runs; until then this processor reads its own write.
    Features::from_bits_retain(FEATURES.load(Ordering::Relaxed))
}

/// Asks CPUID, on the processor that booted.
pub(super) fn detect() {
    let basic = __cpuid(0);
    let version = __cpuid(1);
    let structured = if basic.eax >= 7 {
        __cpuid_count(7, 0)
    } else {
        __cpuid(0x4000_FFFF)
    };
    let extended = if __cpuid(0x8000_0000).eax >= 0x8000_0001 {
        __cpuid(0x8000_0001).edx
    } else {
        0
    };
    let mut found = Features::empty();
    found.set(Features::X2APIC, version.ecx & 1 << 21 != 0);
    found.set(Features::TSC_DEADLINE, version.ecx & 1 << 24 != 0);
    found.set(Features::XSAVE, version.ecx & 1 << 26 != 0);
    found.set(
        Features::AVX,
        found.contains(Features::XSAVE) && version.ecx & 1 << 28 != 0,
    );
    found.set(Features::GIGABYTE_BLOCKS, extended & 1 << 26 != 0);
    found.set(Features::RDTSCP, extended & 1 << 27 != 0);
    if basic.eax >= 7 {
        found.set(Features::SMEP, structured.ebx & 1 << 7 != 0);
        found.set(Features::SMAP, structured.ebx & 1 << 20 != 0);
        found.set(Features::UMIP, structured.ecx & 1 << 2 != 0);
    }
    // "Genu" in EBX: Intel.
    found.set(
        Features::SLOW_INIT,
        basic.ebx == 0x756E_6547 && version.eax >> 8 & 0xF == 15,
    );
    FEATURES.store(found.bits(), Ordering::Relaxed);
}

/// This processor's APIC id: 32 bits where CPUID gives them, else the 8 bits of the old leaf.
pub(super) fn apic_id() -> u32 {
    if __cpuid(0).eax >= 0xB {
        let topology = __cpuid_count(0xB, 0);
        // EBX counts the logical processors of this level; 0 says that the leaf is not there.
        if topology.ebx & 0xFFFF != 0 {
            return topology.edx;
        }
    }
    __cpuid(1).ebx >> 24
}

/// Sets this processor's control bits for the features that were found; the entry code set those that every one has.
pub(super) fn enable_on_this_processor() {
    const UMIP: u64 = 1 << 11;
    const OSXSAVE: u64 = 1 << 18;
    const SMEP: u64 = 1 << 20;
    const SMAP: u64 = 1 << 21;
    let found = features();
    let mut bits = 0;
    for (feature, bit) in [
        (Features::UMIP, UMIP),
        (Features::XSAVE, OSXSAVE),
        (Features::SMEP, SMEP),
        (Features::SMAP, SMAP),
    ] {
        if found.contains(feature) {
            bits |= bit;
        }
    }
    // SAFETY: the bits are ones that CPUID reports. No user page is mapped where the kernel runs, so SMEP and SMAP
    // refuse nothing that it does.
    unsafe {
        asm!("mov {cr4}, cr4", "or {cr4}, {bits}", "mov cr4, {cr4}",
            cr4 = out(reg) _, bits = in(reg) bits, options(nostack));
    }
    if found.contains(Features::XSAVE) {
        let components: u32 = if found.contains(Features::AVX) {
            0b111
        } else {
            0b011
        };
        // SAFETY: CR4.OSXSAVE is set above, and the components (x87, SSE, and AVX where it exists) are ones that
        // the processor has.
        unsafe {
            asm!("xsetbv", in("ecx") 0, in("eax") components, in("edx") 0, options(nomem, nostack))
        };
    }
}
