//! The security cookie: the number between a function's buffers and its return address.
//!
//! An image brings one that everybody knows, and the loader makes it one that nobody can guess. If somebody did so before, it
//! stays: code that runs with the old one would find its stack smashed.

use nt_abi::NtResult;
use nt_abi::loader::LdrEntryFlags;
use nt_abi::native::Pointer;

use crate::loader::Loader;
use crate::module::{Module, own};
use crate::number::low32;
use crate::system::System;
use crate::view::{BAD, POINTER, View};

/// What compilers write into images with 64-bit and 32-bit addresses.
const DEFAULT_64: u64 = 0x0000_2B99_2DDF_A232;
const DEFAULT_32: u64 = 0xBB40_E64E;
/// What the first compilers wrote.
const DEFAULT_16: u64 = 0xBB40;

impl<S: System> Loader<S> {
    /// Gives an image its security cookie, if it wants one.
    ///
    /// # Errors
    /// Those of [`System::protect`].
    pub(crate) fn initialize_cookie(&self, module: Module) -> NtResult {
        let view = module.view();
        module.set(LdrEntryFlags::LOAD_CONFIG_PROCESSED, true);
        if own!(module, load_config).read().rva == 0 {
            return Ok(());
        }
        // A damaged load configuration is as good as none: nothing in it is needed to run.
        let Some(rva) = cookie_rva(&view) else {
            return Ok(());
        };
        let Ok(place) = view.place::<Pointer>(rva, POINTER) else {
            return Ok(());
        };
        let known = u64::from_le_bytes({
            let mut bytes = [0; 8];
            bytes[..size_of::<Pointer>()].copy_from_slice(&place.read().to_le_bytes());
            bytes
        });
        if ![DEFAULT_64, DEFAULT_32, DEFAULT_16].contains(&known) {
            return Ok(());
        }
        let cookie = own_cookie(self.system.random());
        match self.with_writable(&view, rva, POINTER, || place.write(cookie)) {
            // It is in no section: what is damaged is not needed to run.
            Err(status) if status == BAD => Ok(()),
            other => other,
        }
    }
}

fn cookie_rva(view: &View) -> Option<u32> {
    let config = view.image().ok()?.load_config().ok()??;
    Some(config.security_cookie_rva).filter(|rva| *rva != 0)
}

/// A cookie of the process's width: never the default, never 0, and with 64-bit addresses without the top 16 bits, which
/// would come from no overflow of a string.
#[allow(
    clippy::unnecessary_cast,
    reason = "an address has another width elsewhere"
)]
fn own_cookie(random: u64) -> Pointer {
    let value = if Pointer::BITS == 64 {
        random & 0x0000_FFFF_FFFF_FFFF
    } else {
        u64::from(low32(random ^ random >> 32))
    };
    let value = match value {
        0 | DEFAULT_64 | DEFAULT_32 | DEFAULT_16 => value + 1,
        value => value,
    };
    value as Pointer
}
