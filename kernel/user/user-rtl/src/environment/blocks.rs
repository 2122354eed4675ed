//! Whole blocks: made, given back, made the process's.

use c_interface::{Ptr, blocks as heap, exports};
use nt_abi::NtStatus;

use super::{Own, length, view};
use crate::conversions::page::{self, Page};

/// `RTL_CREATE_ENVIRONMENT_TRANSLATE`: the source has bytes of the process's code page.
const TRANSLATE: u32 = 1;
/// `RTL_CREATE_ENVIRONMENT_TRANSLATE_FROM_OEM`: with it, of the OEM code page.
const TRANSLATE_FROM_OEM: u32 = 2;
/// `RTL_CREATE_ENVIRONMENT_EMPTY`: a block without variables.
const EMPTY: u32 = 4;

/// A new block with these variables.
pub(super) fn copy(units: &[u16]) -> Result<Ptr<u16>, NtStatus> {
    let block = heap::allocate((units.len() + 1) * 2).ok_or(NtStatus::NO_MEMORY)?;
    let block: Ptr<u16> = block.cast();
    block.write_array(units);
    block.add(units.len()).write(0);
    Ok(block)
}

/// A new block of one whose text has bytes.
fn translate(page: &Page, source: Ptr<u8>) -> Result<Ptr<u16>, NtStatus> {
    let mut end = 0;
    while source.byte_add(end).read() != 0 {
        while source.byte_add(end).read() != 0 {
            end += 1;
        }
        end += 1;
    }
    let bytes = source.slice(end);
    let units = page.units_of(bytes);
    let block = heap::allocate((units + 1) * 2).ok_or(NtStatus::NO_MEMORY)?;
    let block: Ptr<u16> = block.cast();
    page.decode(bytes, block, units);
    block.add(units).write(0);
    Ok(block)
}

/// A copy of the process's own block.
fn copy_own() -> Result<Ptr<u16>, NtStatus> {
    match Own::acquire() {
        Some(own) => copy(view(own.block())),
        None => copy(&[]),
    }
}

fn create(source: Ptr<u8>, flags: u32) -> Result<Ptr<u16>, NtStatus> {
    if flags & !(TRANSLATE | TRANSLATE_FROM_OEM | EMPTY) != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    match (source.non_null(), flags) {
        (_, flags) if flags & EMPTY != 0 => copy(&[]),
        (None, _) => copy_own(),
        (Some(source), flags) if flags & TRANSLATE_FROM_OEM != 0 => translate(&page::oem(), source),
        (Some(source), flags) if flags & TRANSLATE != 0 => translate(&page::ansi(), source),
        (Some(source), _) => copy(view(source.cast())),
    }
}

fn answer(into: Ptr<Ptr<u16>>, block: Result<Ptr<u16>, NtStatus>) -> NtStatus {
    match block {
        Ok(block) => {
            into.cast::<usize>().write(block.address());
            NtStatus::SUCCESS
        }
        Err(status) => status,
    }
}

/// Whether text is a block that ends with two zeros in so many units, and each variable has a name and an equals sign.
fn is_block(units: &[u16]) -> bool {
    units.ends_with(&[0, 0])
        && rtl::environment::variables(units)
            .all(|variable| variable.value.is_some() && !variable.name.is_empty())
}

exports! {
    /// Makes a block without variables, or a copy of the process's own.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    fn RtlCreateEnvironment(inherit: u8, into: Ptr<Ptr<u16>>) -> NtStatus {
        answer(into, if inherit == 0 { copy(&[]) } else { copy_own() })
    }

    /// Makes a copy of a block, or of the process's own for none. Bit 0 of the flags says that the source has bytes, bit 1
    /// that they are of the OEM code page; bit 2 asks for a block without variables.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: other flags. `NO_MEMORY`.
    fn RtlCreateEnvironmentEx(source: Ptr<u8>, into: Ptr<Ptr<u16>>, flags: u32) -> NtStatus {
        answer(into, create(source, flags))
    }

    /// Gives a block back.
    fn RtlDestroyEnvironment(block: Ptr<u16>) -> NtStatus {
        heap::free(block.cast());
        NtStatus::SUCCESS
    }

    /// Makes a block the process's own. The old one goes to the caller, or back to the heap.
    fn RtlSetCurrentEnvironment(block: Ptr<u16>, previous: Ptr<Ptr<u16>>) {
        let Some(own) = Own::acquire() else {
            return;
        };
        let bytes = block.non_null().map_or(0, |block| (length(block) + 1) * 2);
        let old = own.replace(block, bytes);
        match previous.non_null() {
            Some(previous) => previous.cast::<usize>().write(old.address()),
            None => heap::free(old.cast()),
        }
    }

    /// Makes a copy of text, whose size is in bytes, the process's environment.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`: the text is no block. `NO_MEMORY`.
    fn RtlSetEnvironmentStrings(text: Ptr<u16>, bytes: usize) -> NtStatus {
        let units = text.slice(bytes / 2);
        if !bytes.is_multiple_of(2) || !is_block(units) {
            return NtStatus::INVALID_PARAMETER;
        }
        let Some(own) = Own::acquire() else {
            return NtStatus::UNSUCCESSFUL;
        };
        match copy(view(text)) {
            Ok(block) => {
                heap::free(own.replace(block, (length(block) + 1) * 2).cast());
                NtStatus::SUCCESS
            }
            Err(status) => status,
        }
    }
}

#[cfg(test)]
mod tests {
    use c_interface::field;
    use nt_abi::native::RtlUserProcessParameters;

    use super::*;
    use crate::process::testing::begin;
    use crate::strings::testing::{narrow, wide};

    fn made(create: impl FnOnce(Ptr<Ptr<u16>>) -> NtStatus) -> Ptr<u16> {
        let mut block = Ptr::NULL;
        assert_eq!(create(Ptr::of(&mut block)), NtStatus::SUCCESS);
        block
    }

    fn is(block: Ptr<u16>, text: &str) {
        let units = block.slice(length(block) + 1);
        assert!(units.iter().copied().eq(text.encode_utf16()), "{units:x?}");
    }

    #[test]
    fn blocks_are_made_of_others() {
        let parameters = begin();
        let own = wide("a=1\0B=2\0");
        field!(parameters, RtlUserProcessParameters, environment).write(own.ptr().raw());
        is(made(|into| RtlCreateEnvironment(0, into)), "\0");
        is(made(|into| RtlCreateEnvironment(1, into)), "a=1\0B=2\0\0");
        is(
            made(|into| RtlCreateEnvironmentEx(Ptr::NULL, into, 0)),
            "a=1\0B=2\0\0",
        );
        is(
            made(|into| RtlCreateEnvironmentEx(Ptr::NULL, into, EMPTY)),
            "\0",
        );
        let source = wide("c=3\0");
        is(
            made(|into| RtlCreateEnvironmentEx(source.ptr().cast(), into, 0)),
            "c=3\0\0",
        );
        let source = narrow("d=\u{81}\0e=\u{E4}\0");
        is(
            made(|into| RtlCreateEnvironmentEx(source.ptr(), into, TRANSLATE)),
            "d=\u{81}\0e=ä\0\0",
        );
        is(
            made(|into| RtlCreateEnvironmentEx(source.ptr(), into, TRANSLATE | TRANSLATE_FROM_OEM)),
            "d=ü\0e=Σ\0\0",
        );
        let mut block = Ptr::NULL;
        assert_eq!(
            RtlCreateEnvironmentEx(Ptr::NULL, Ptr::of(&mut block), 8),
            NtStatus::INVALID_PARAMETER
        );
    }

    #[test]
    fn the_process_gets_another_block() {
        let parameters = begin();
        let original = wide("a=1\0");
        field!(parameters, RtlUserProcessParameters, environment).write(original.ptr().raw());
        super::super::adopt().unwrap();
        let adopted = field!(parameters, RtlUserProcessParameters, environment).read();
        assert_ne!(adopted, original.ptr().raw());
        assert_eq!(
            field!(parameters, RtlUserProcessParameters, environment_size).read(),
            10
        );
        let other = made(|into| RtlCreateEnvironment(0, into));
        let mut previous = Ptr::NULL;
        RtlSetCurrentEnvironment(other, Ptr::of(&mut previous));
        assert_eq!(previous.raw(), adopted);
        assert_eq!(
            field!(parameters, RtlUserProcessParameters, environment_size).read(),
            2
        );
        RtlSetCurrentEnvironment(previous, Ptr::NULL);

        let text = wide("x=1\0y=2\0");
        assert_eq!(RtlSetEnvironmentStrings(text.ptr(), 18), NtStatus::SUCCESS);
        is(
            Ptr::at(field!(parameters, RtlUserProcessParameters, environment).read()),
            "x=1\0y=2\0\0",
        );
        assert_eq!(
            RtlSetEnvironmentStrings(text.ptr(), 16),
            NtStatus::INVALID_PARAMETER,
            "one zero"
        );
        assert_eq!(
            RtlSetEnvironmentStrings(text.ptr(), 17),
            NtStatus::INVALID_PARAMETER
        );
        assert_eq!(
            RtlSetEnvironmentStrings(wide("x\0").ptr(), 6),
            NtStatus::INVALID_PARAMETER,
            "no value"
        );
        assert!(field!(parameters, RtlUserProcessParameters, environment_version).read() >= 4);
    }
}
