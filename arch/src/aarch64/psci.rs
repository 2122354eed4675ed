//! PSCI: the firmware's power interface, called by HVC or SMC as the tree says (Arm DEN0022).

use core::arch::asm;

use boards::PsciConduit;

pub(super) const CPU_ON: u64 = 0xC400_0003;
pub(super) const SYSTEM_OFF: u64 = 0x8400_0008;
pub(super) const SYSTEM_RESET: u64 = 0x8400_0009;

/// Calls the firmware; its status, 0 or negative.
pub(super) fn call(conduit: PsciConduit, function: u64, arguments: [u64; 3]) -> i64 {
    let status: u64;
    match conduit {
        PsciConduit::Hvc => {
            // SAFETY: the functions called here change nothing that Rust knows of; SMCCC lets a call change x0 to x17 alone.
            unsafe {
                asm!("hvc #0", inout("x0") function => status, inout("x1") arguments[0] => _, inout("x2") arguments[1] => _,
                    inout("x3") arguments[2] => _, out("x4") _, out("x5") _, out("x6") _, out("x7") _, out("x8") _, out("x9") _,
                    out("x10") _, out("x11") _, out("x12") _, out("x13") _, out("x14") _, out("x15") _, out("x16") _, out("x17") _,
                    options(nostack));
            }
        }
        PsciConduit::Smc => {
            // SAFETY: as above.
            unsafe {
                asm!("smc #0", inout("x0") function => status, inout("x1") arguments[0] => _, inout("x2") arguments[1] => _,
                    inout("x3") arguments[2] => _, out("x4") _, out("x5") _, out("x6") _, out("x7") _, out("x8") _, out("x9") _,
                    out("x10") _, out("x11") _, out("x12") _, out("x13") _, out("x14") _, out("x15") _, out("x16") _, out("x17") _,
                    options(nostack));
            }
        }
    }
    // The status is a signed 32-bit number; some firmware leaves the upper half of x0 as it was.
    let low = u32::try_from(status & 0xFFFF_FFFF).unwrap_or_default();
    i64::from(low.cast_signed())
}
