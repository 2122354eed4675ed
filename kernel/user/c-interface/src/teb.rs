//! Where the calling thread's TEB is: in a register that no compiler touches.

use nt_abi::native::Teb;

use crate::Ptr;

/// The calling thread's TEB.
#[cfg(all(target_os = "windows", target_arch = "aarch64"))]
#[inline]
pub fn teb() -> Ptr<Teb> {
    let teb: usize;
    // SAFETY: reads a register, which Windows keeps for this.
    unsafe {
        core::arch::asm!("mov {}, x18", out(reg) teb, options(nomem, nostack, preserves_flags));
    }
    Ptr::new(teb)
}

/// The calling thread's TEB.
#[cfg(all(target_os = "windows", target_arch = "x86_64"))]
#[inline]
pub fn teb() -> Ptr<Teb> {
    let teb: usize;
    // SAFETY: reads the TEB's own address from the TEB, to which GS refers.
    unsafe {
        core::arch::asm!("mov {}, gs:[0x30]", out(reg) teb, options(pure, readonly, nostack, preserves_flags));
    }
    Ptr::new(teb)
}

/// The calling thread's TEB.
#[cfg(all(target_os = "windows", target_arch = "x86"))]
#[inline]
pub fn teb() -> Ptr<Teb> {
    let teb: usize;
    // SAFETY: reads the TEB's own address from the TEB, to which FS refers.
    unsafe {
        core::arch::asm!("mov {}, fs:[0x18]", out(reg) teb, options(pure, readonly, nostack, preserves_flags));
    }
    Ptr::new(teb)
}

/// The calling thread's TEB.
#[cfg(all(target_os = "windows", target_arch = "arm"))]
#[inline]
pub fn teb() -> Ptr<Teb> {
    let teb: usize;
    // SAFETY: reads a register, which Windows keeps for this.
    unsafe {
        core::arch::asm!("mrc p15, 0, {}, c13, c0, 2", out(reg) teb, options(nomem, nostack, preserves_flags));
    }
    Ptr::new(teb)
}
