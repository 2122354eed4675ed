//! How a flat program comes into an address space: a PE file, copied section by section.

use mm::AddressSpace;
use mm::address_space::{Allocation, FreeKind, Limits};
use nt_abi::memory::{AllocationType, PageProtection};
use nt_abi::{NtResult, NtStatus};
use pe::Image;

/// An image that is in an address space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Loaded {
    /// Where it begins.
    pub base: u64,
    /// Where it is to be started.
    pub entry: u64,
}

/// Copies an image into an address space, at the address that it prefers or anywhere, relocated then.
///
/// # Differs
/// NT maps it as a section that all processes share. Each process has a copy of its own here.
///
/// # Errors
/// The reader's statuses for a file that is no image; `IMAGE_MACHINE_TYPE_MISMATCH` for one of another machine than
/// `machine`; `CONFLICTING_ADDRESSES` for one that cannot be relocated and whose place is taken; those of memory.
pub fn load(space: &AddressSpace, file: &[u8], machine: u16) -> NtResult<Loaded> {
    let image = Image::from_file(file)?;
    let headers = *image.headers();
    if headers.machine.0 != machine {
        return Err(NtStatus::IMAGE_MACHINE_TYPE_MISMATCH);
    }
    let size = u64::from(headers.size_of_image);
    let at = |base| Allocation {
        base,
        size,
        zero_bits: 0,
        kind: AllocationType::COMMIT | AllocationType::RESERVE,
        protection: PageProtection::READWRITE,
        limits: Limits::ANYWHERE,
    };
    let range = match space.allocate(&at(headers.image_base)) {
        Ok(range) => range,
        Err(_) if headers.is_relocatable() => space.allocate(&at(0))?,
        Err(status) => return Err(status),
    };
    let base = range.start.0;
    let filled = fill(space, &image, base);
    if let Err(status) = filled.and_then(|()| protect(space, &image, base)) {
        // The allocation is whole, so releasing it cannot fail.
        let _ = space.free(base, 0, FreeKind::Release);
        return Err(status);
    }
    Ok(Loaded {
        base,
        entry: base + u64::from(headers.entry_point_rva),
    })
}

fn fill(space: &AddressSpace, image: &Image<'_>, base: u64) -> NtResult {
    let size = usize::try_from(image.headers().size_of_image).map_err(|_| NtStatus::NO_MEMORY)?;
    let mut bytes = alloc::vec::Vec::new();
    bytes
        .try_reserve_exact(size)
        .map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    bytes.resize(size, 0);
    image.copy_mapped(&mut bytes)?;
    let delta = base.wrapping_sub(image.headers().image_base);
    if delta != 0 {
        pe::relocate_in_place(&mut bytes, delta)?;
    }
    match space.write(base, &bytes).status {
        NtStatus::SUCCESS => Ok(()),
        status => Err(status),
    }
}

fn protect(space: &AddressSpace, image: &Image<'_>, base: u64) -> NtResult {
    for part in image.subsections() {
        let size = u64::from(part.size);
        if size > 0 {
            space.protect(base + u64::from(part.rva), size, private(part.protection.0))?;
        }
    }
    Ok(())
}

/// What a copy that is the process's own permits, where a shared one would be copied on writes.
fn private(protection: u32) -> PageProtection {
    match PageProtection(protection) {
        PageProtection::WRITECOPY => PageProtection::READWRITE,
        PageProtection::EXECUTE_WRITECOPY => PageProtection::EXECUTE_READWRITE,
        other => other,
    }
}
