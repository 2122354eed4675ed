//! Looks at a program's PE header before a machine is started for it: what cannot run is told at once.

use std::fmt;

use anyhow::{Result, bail};
use object::LittleEndian;
use object::pe::{
    IMAGE_DOS_SIGNATURE, IMAGE_FILE_DLL, IMAGE_FILE_MACHINE_AMD64, IMAGE_FILE_MACHINE_ARM64,
    IMAGE_FILE_MACHINE_ARMNT, IMAGE_FILE_MACHINE_I386, IMAGE_NT_SIGNATURE, ImageDosHeader,
    ImageNtHeaders32, Machine,
};
use object::read::ReadRef;

/// The machine that a PE file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeMachine(pub(crate) u16);

impl PeMachine {
    /// Whether programs for it are 32-bit ones, which need WoW64.
    pub(crate) fn is_32_bit(self) -> bool {
        matches!(
            Machine(self.0),
            IMAGE_FILE_MACHINE_I386 | IMAGE_FILE_MACHINE_ARMNT
        )
    }
}

impl fmt::Display for PeMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Machine(self.0) {
            IMAGE_FILE_MACHINE_ARM64 => write!(f, "ARM64"),
            IMAGE_FILE_MACHINE_AMD64 => write!(f, "x86-64"),
            IMAGE_FILE_MACHINE_I386 => write!(f, "32-bit x86"),
            IMAGE_FILE_MACHINE_ARMNT => write!(f, "32-bit ARM"),
            Machine(other) => write!(f, "a machine with the number {other:#x}"),
        }
    }
}

/// The machine of a PE program; otherwise a clause that says what the file is instead.
pub(crate) fn machine(file: &[u8]) -> Result<PeMachine> {
    let dos: Option<&ImageDosHeader> = file.read_at(0).ok();
    let Some(dos) = dos.filter(|dos| dos.e_magic.get(LittleEndian) == IMAGE_DOS_SIGNATURE) else {
        bail!("is no Windows program: it does not begin with MZ");
    };
    // What differs between 32 and 64 bits comes behind the file header.
    let headers: Option<&ImageNtHeaders32> = file.read_at(dos.nt_headers_offset().into()).ok();
    let Some(headers) = headers.filter(|nt| nt.signature.get(LittleEndian) == IMAGE_NT_SIGNATURE)
    else {
        bail!("is a program for DOS or 16-bit Windows, or damaged: it has no PE header");
    };
    let flags = headers.file_header.characteristics.get(LittleEndian);
    if flags.contains(IMAGE_FILE_DLL) {
        bail!("is a library (DLL), no program");
    }
    Ok(PeMachine(headers.file_header.machine.get(LittleEndian).0))
}

/// The smallest file that is looked through: headers for a machine, with these characteristics.
#[cfg(test)]
pub(crate) fn sample(machine: u16, characteristics: u16) -> Vec<u8> {
    let mut file = vec![0; 0x40 + 24 + 96];
    file[..2].copy_from_slice(b"MZ");
    file[0x3c] = 0x40;
    file[0x40..0x42].copy_from_slice(b"PE");
    file[0x44..0x46].copy_from_slice(&machine.to_le_bytes());
    file[0x56..0x58].copy_from_slice(&characteristics.to_le_bytes());
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_read() {
        assert_eq!(machine(&sample(0xaa64, 0x22)).unwrap().to_string(), "ARM64");
        assert!(machine(&sample(0x14c, 2)).unwrap().is_32_bit());
        assert!(machine(&sample(0x1c4, 2)).unwrap().is_32_bit());
        assert!(!machine(&sample(0x8664, 2)).unwrap().is_32_bit());
    }

    #[test]
    fn what_is_no_program_is_named() {
        let said = |file: &[u8]| machine(file).unwrap_err().to_string();
        assert!(said(b"\x7fELF").contains("no Windows program"));
        assert!(said(b"").contains("no Windows program"));
        assert!(said(&sample(0xaa64, 0x2022)).contains("DLL"));
        let mut dos = sample(0xaa64, 2);
        dos[0x40] = b'N';
        assert!(said(&dos).contains("DOS"));
        let whole = sample(0xaa64, 2);
        for length in 0..whole.len() {
            assert!(machine(&whole[..length]).is_err());
        }
    }
}
