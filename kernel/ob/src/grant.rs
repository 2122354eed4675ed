//! Making and ending handles, as far as the object is concerned.
//!
//! The order is NT's: callbacks may take rights away, then the handle is counted (an exclusive object may refuse it),
//! then the type's own procedure may refuse it, then the process is charged; only then it is put into the table, and
//! callbacks hear of it. Each step that fails takes back those before it.
//!
//! # NT
//! `ObpIncrementHandleCount`, `ObpDecrementHandleCount`.

use nt_abi::access::AccessMask;
use nt_abi::{NtResult, NtStatus};
use rtl::NoMemory;

use crate::handle_table::{HandleAttributes, HandleTable};
use crate::header::{Header, HeaderFlags, ProcessHandles};
use crate::object_type::{CloseOperation, OpenOperation};
use crate::quota::{Charge, Charged};
use crate::{AnyObject, Handle, Mode, callbacks, name};

/// How a handle comes about.
///
/// # NT
/// `OB_OPEN_REASON`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenReason {
    /// With its object.
    Create,
    /// To an object that was there.
    Open,
    /// From another handle.
    Duplicate,
    /// From the same handle of the parent process.
    Inherit,
}

/// Whether a process wants an object for itself (`OBJ_EXCLUSIVE`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sharing {
    Shared,
    Exclusive,
}

/// A handle that is to be.
#[derive(Clone, Copy)]
pub(crate) struct NewHandle<'a> {
    pub(crate) object: &'a AnyObject,
    pub(crate) reason: OpenReason,
    pub(crate) mode: Mode,
    pub(crate) granted: AccessMask,
    pub(crate) attributes: HandleAttributes,
    pub(crate) sharing: Sharing,
    /// The process that another handle is duplicated from.
    pub(crate) source_process: u32,
}

/// Makes a handle.
///
/// # Errors
/// `ACCESS_DENIED` if another process has the object for itself; `INVALID_PARAMETER` for an exclusive handle that is to
/// be inherited, or to an object that is not exclusive; what the type's procedure, the quota and the table say.
pub(crate) fn make(table: &HandleTable, new: &NewHandle<'_>) -> NtResult<Handle> {
    make_with(table, new, |granted| table.put(new, granted))
}

/// The same, put into the table by `put`.
pub(crate) fn make_with(
    table: &HandleTable,
    new: &NewHandle<'_>,
    put: impl FnOnce(AccessMask) -> NtResult<Handle>,
) -> NtResult<Handle> {
    let kind = new.object.head().kind();
    // What a child inherits is not filtered, as in NT.
    let is_watched = kind.description().allows_callbacks && new.reason != OpenReason::Inherit;
    let mut granted = new.granted;
    if is_watched {
        granted = callbacks::before(table, new, granted);
    }
    let process_handles = count(table.process(), new)?;
    // From here on the handle is counted, and closing it takes that back.
    let result = approve(table, new, granted, process_handles).and_then(|allowed| {
        granted = allowed;
        put(allowed)
    });
    match result {
        Err(_) => close(table, new.object, granted),
        Ok(_) if is_watched => callbacks::after(table, new, granted),
        Ok(_) => {}
    }
    result
}

/// Asks the type's procedure and charges the process.
fn approve(
    table: &HandleTable,
    new: &NewHandle<'_>,
    granted: AccessMask,
    process_handles: u32,
) -> NtResult<AccessMask> {
    let kind = new.object.head().kind();
    let granted = match kind.procedures().open {
        None => granted,
        Some(open) => {
            let allowed = open(&OpenOperation {
                object: new.object,
                reason: new.reason,
                mode: new.mode,
                process: table.process(),
                granted,
                process_handles,
            })?;
            kind.valid_rights(allowed)
        }
    };
    // Who has one handle and makes another of it was asked when the first one was made.
    if !matches!(new.reason, OpenReason::Duplicate | OpenReason::Inherit) {
        charge(table, new.object)?;
    }
    Ok(granted)
}

/// Charges the process for the object, if nobody is yet.
fn charge(table: &HandleTable, object: &AnyObject) -> NtResult {
    let Some(quota) = table.quota() else {
        return Ok(());
    };
    let description = object.head().kind().description();
    let (is_charged, beside) = object.head().with(|fields| {
        let descriptor = fields.descriptor.as_ref();
        let descriptor = descriptor.map_or(0, |descriptor| descriptor.bytes().len());
        let name = fields.name.as_ref();
        let name = name.map_or(0, |name| name.text.len() * size_of::<u16>());
        (fields.charged.is_some(), descriptor + name)
    });
    if is_charged {
        return Ok(());
    }
    let charged = Charged::take(
        quota,
        Charge {
            paged: description.paged_charge as usize + beside,
            non_paged: description.non_paged_charge as usize,
        },
    )?;
    // Two processes may have been charged at once: the object keeps one, the other charge is given back here.
    let too_much = object.head().with(|fields| match fields.charged {
        Some(_) => Some(charged),
        None => {
            fields.charged = Some(charged);
            None
        }
    });
    drop(too_much);
    Ok(())
}

/// Counts a handle; gives how many the process has now, if the type counts that.
fn count(process: u32, new: &NewHandle<'_>) -> NtResult<u32> {
    let header = new.object.head();
    let is_exclusive = header.flags().contains(HeaderFlags::EXCLUSIVE);
    let counts = header.kind().description().counts_per_process;
    if !is_exclusive && !counts && new.sharing == Sharing::Shared {
        header.handle_made();
        return Ok(0);
    }
    if new.sharing == Sharing::Exclusive
        && (!is_exclusive || new.attributes.contains(HandleAttributes::INHERIT))
    {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    header.with(|fields| {
        match (new.sharing, fields.exclusive) {
            (Sharing::Shared, None) => {}
            (Sharing::Exclusive, None) if header.handle_count() == 0 => {
                fields.exclusive = Some(process);
            }
            (Sharing::Exclusive, Some(owner)) if owner == process => {}
            _ => return Err(NtStatus::ACCESS_DENIED),
        }
        let mut handles = 0;
        if counts {
            let known = fields.processes.iter_mut();
            match known.into_iter().find(|known| known.process == process) {
                Some(known) => {
                    known.handles += 1;
                    handles = known.handles;
                }
                None => {
                    fields.processes.try_reserve(1).map_err(|_| NoMemory)?;
                    handles = 1;
                    fields.processes.push(ProcessHandles { process, handles });
                }
            }
        }
        header.handle_made();
        Ok(handles)
    })
}

/// What is to be done when a handle was taken out of its table.
///
/// # IRQL
/// Below Dispatch.
pub(crate) fn close(table: &HandleTable, object: &AnyObject, granted: AccessMask) {
    let process = table.process();
    let (process_handles, system_handles) = uncount(object.head(), process);
    if let Some(close) = object.head().kind().procedures().close {
        close(&CloseOperation {
            object,
            process,
            granted,
            process_handles,
            system_handles,
        });
    }
    if system_handles == 1 {
        name::leave_if_unused(object);
    }
}

/// Counts a handle less; gives how many the process and how many all had.
fn uncount(header: &Header, process: u32) -> (u32, u32) {
    let is_exclusive = header.flags().contains(HeaderFlags::EXCLUSIVE);
    if !is_exclusive && !header.kind().description().counts_per_process {
        return (0, header.handle_closed());
    }
    header.with(|fields| {
        let mut before = 0;
        let mut known = fields.processes.iter_mut();
        if let Some(index) = known.position(|known| known.process == process) {
            before = fields.processes[index].handles;
            fields.processes[index].handles -= 1;
            if before == 1 {
                fields.processes.swap_remove(index);
            }
        }
        let system = header.handle_closed();
        if system == 1 {
            fields.exclusive = None;
        }
        (before, system)
    })
}
