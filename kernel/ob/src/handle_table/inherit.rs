//! The handles that a new process begins with.

use nt_abi::NtResult;
use rtl::IdTable;

use super::{Entry, HandleAttributes, HandleTable};
use crate::grant::{self, NewHandle, OpenReason, Sharing};
use crate::{Handle, Mode};

impl HandleTable {
    /// Takes over the parent's inheritable handles that are `wanted`, with the same numbers. The table is new and nobody
    /// else has it yet.
    ///
    /// # NT
    /// `ObDupHandleProcess`; `wanted` is the list of `PROC_THREAD_ATTRIBUTE_HANDLE_LIST`, if there is one.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`, `QUOTA_EXCEEDED`; the table then has some of them. A handle that its type does not let be
    /// made is left out, as in NT.
    #[doc(alias = "ObDupHandleProcess")]
    #[doc(alias = "ExDupHandleTable")]
    pub fn inherit(&self, parent: &HandleTable, wanted: impl Fn(Handle) -> bool) -> NtResult {
        let mut after = Handle::NULL;
        while let Some((handle, entry)) = parent.next_after(after) {
            after = handle;
            if !entry.attributes.contains(HandleAttributes::INHERIT) || !wanted(handle) {
                continue;
            }
            let new = NewHandle {
                object: &entry.object,
                reason: OpenReason::Inherit,
                mode: Mode::Kernel,
                granted: entry.granted,
                attributes: entry.attributes,
                sharing: Sharing::Shared,
                source_process: parent.process,
            };
            let mut is_full = false;
            let made = grant::make_with(self, &new, |granted| {
                let value = self.value(handle)?;
                let mut entries = self.entries.acquire();
                entries
                    .charge(self.quota(), IdTable::<Entry>::pages_for(value))
                    .inspect_err(|_| is_full = true)?;
                let made = entries.table.insert_at(value, Entry::of(&new, granted));
                if made.is_err() {
                    is_full = true;
                    entries.give_back_missing(self.quota());
                }
                made?;
                Ok(handle)
            });
            match made {
                Err(status) if is_full || status == nt_abi::NtStatus::QUOTA_EXCEEDED => {
                    return Err(status);
                }
                _ => {}
            }
        }
        Ok(())
    }
}
