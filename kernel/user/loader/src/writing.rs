//! Writing into images whose pages may not be written.
//!
//! Import tables mostly lie in read-only sections. They are made writable while addresses are written, in as few calls as
//! the image lets us. Pages that are executed stay executable: somebody may run there.

use c_interface::Ptr;
use nt_abi::NtResult;
use pe::{PageProtection, SectionCharacteristics};

use crate::loader::Loader;
use crate::module::{Module, own};
use crate::number::index;
use crate::system::System;
use crate::view::{BAD, View, page_span};

/// A section of an image, as far as it can be read. The headers count as one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Whether it may be written without more ado.
    pub(crate) writable: bool,
    executable: bool,
}

impl Part {
    /// The section that a place is in.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT`: it is in none.
    pub(crate) fn of(view: &View, rva: u32) -> NtResult<Self> {
        let image = view.image()?;
        if image.is_mapped_flat() {
            return Ok(Self {
                start: 0,
                end: view.readable,
                writable: true,
                executable: true,
            });
        }
        let headers = image.headers().size_of_headers;
        if rva < headers {
            return Ok(Self {
                start: 0,
                end: headers,
                writable: false,
                executable: false,
            });
        }
        let section = image
            .sections()
            .iter()
            .find(|section| {
                rva.checked_sub(section.rva)
                    .is_some_and(|offset| offset < section.size_in_memory())
            })
            .ok_or(BAD)?;
        let end = section.rva.saturating_add(section.size_in_memory());
        let has = |flag| section.characteristics.contains(flag);
        Ok(Self {
            start: section.rva,
            end: end.min(view.readable),
            writable: has(SectionCharacteristics::WRITE),
            executable: has(SectionCharacteristics::EXECUTE),
        })
    }

    /// The protection of its pages while they are written.
    const fn while_written(&self) -> u32 {
        if self.executable {
            PageProtection::EXECUTE_READ_WRITE.0
        } else {
            PageProtection::READ_WRITE.0
        }
    }
}

/// The part of an image that can be written at the moment.
#[derive(Default)]
pub(crate) struct Window {
    start: u32,
    end: u32,
    /// What the pages' protection was, if it was changed.
    before: Option<u32>,
}

impl<S: System> Loader<S> {
    /// Makes a table of addresses writable.
    ///
    /// # Errors
    /// - `INVALID_IMAGE_FORMAT`: it is in no section, or in several.
    /// - Those of [`System::protect`].
    pub(crate) fn open_window(
        &self,
        module: Module,
        window: &mut Window,
        rva: u32,
        bytes: u32,
    ) -> NtResult {
        let end = rva.checked_add(bytes).ok_or(BAD)?;
        if window.start <= rva && end <= window.end {
            return Ok(());
        }
        let view = module.view();
        self.close_window(&view, window)?;
        let part = Part::of(&view, rva)?;
        if end > part.end {
            return Err(BAD);
        }
        if part.writable {
            (window.start, window.end) = (part.start, part.end);
            return Ok(());
        }
        // All address tables together, if the image says where they are.
        let table = own!(module, address_table).read();
        let table_end = table.rva.saturating_add(table.size);
        let whole = table.rva <= rva
            && end <= table_end
            && table.rva >= part.start
            && table_end <= part.end;
        let (from, length) = if whole {
            (table.rva, table.size)
        } else {
            (rva, bytes)
        };
        let (page, span) = page_span(from, length);
        let at = view.base.byte_add(index(page));
        let before = self.system.protect(at, index(span), part.while_written())?;
        *window = Window {
            start: from,
            end: from.saturating_add(length),
            before: Some(before),
        };
        Ok(())
    }

    /// Takes back what [`open_window`](Self::open_window) did.
    ///
    /// # Errors
    /// Those of [`System::protect`].
    pub(crate) fn close_window(&self, view: &View, window: &mut Window) -> NtResult {
        let Some(before) = window.before.take() else {
            return Ok(());
        };
        let (page, span) = page_span(window.start, window.end - window.start);
        let at = view.base.byte_add(index(page));
        (window.start, window.end) = (0, 0);
        self.system.protect(at, index(span), before).map(drop)
    }

    /// Does something that writes some bytes of an image.
    ///
    /// # Errors
    /// As [`open_window`](Self::open_window); nothing was done then.
    pub(crate) fn with_writable<T>(
        &self,
        view: &View,
        rva: u32,
        bytes: u32,
        act: impl FnOnce() -> T,
    ) -> NtResult<T> {
        let part = Part::of(view, rva)?;
        if rva.checked_add(bytes).is_none_or(|end| end > part.end) {
            return Err(BAD);
        }
        if part.writable {
            return Ok(act());
        }
        let (start, length) = page_span(rva, bytes);
        let at: Ptr<u8> = view.base.byte_add(index(start));
        let before = self
            .system
            .protect(at, index(length), part.while_written())?;
        let result = act();
        self.system.protect(at, index(length), before)?;
        Ok(result)
    }
}
