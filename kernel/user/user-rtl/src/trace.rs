//! Event tracing, as a system answers on which no session listens: providers register and are told of nobody, events go
//! nowhere, and that is no error.
//!
//! A provider's callback would be called when a session enables it; none does. An answer is an error of Win32, not a status.
//!
//! # Differs
//! Sessions cannot be started here: what starts, stops and asks for them is not exported.

use core::sync::atomic::{AtomicU32, Ordering};

use c_interface::{Ptr, exports, field};
use nt_abi::native::Teb;
use nt_abi::primitives::Guid;

use crate::errors::RtlSetLastWin32Error;
use crate::given;

/// `ERROR_SUCCESS`.
const DONE: u32 = 0;
/// `ERROR_INVALID_HANDLE`.
const INVALID_HANDLE: u32 = 6;
/// `ERROR_INVALID_PARAMETER`.
const INVALID_PARAMETER: u32 = 87;
/// `INVALID_PROCESSTRACE_HANDLE` and other handles that are none.
const NO_HANDLE: u64 = u64::MAX;

/// What an event says, and other structures that nobody looks at.
type Unread = Ptr<u8>;

static LAST_HANDLE: AtomicU32 = AtomicU32::new(0);

/// A handle that no other registration has.
fn register(handle: Ptr<u64>) -> u32 {
    if handle.is_null() {
        return INVALID_PARAMETER;
    }
    let number = LAST_HANDLE.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    handle.write(u64::from(number.max(1)));
    DONE
}

fn unregister(handle: u64) -> u32 {
    let given = u64::from(LAST_HANDLE.load(Ordering::Relaxed));
    if handle == 0 || handle > given {
        INVALID_HANDLE
    } else {
        DONE
    }
}

/// Whether an event that nobody hears was told by somebody.
fn told(handle: u64) -> u32 {
    if handle == 0 { INVALID_HANDLE } else { DONE }
}

/// An identifier of an activity, new in this process.
fn new_activity() -> Guid {
    let number = LAST_HANDLE.fetch_add(1, Ordering::Relaxed);
    let of_thread = given::teb().map_or(0, |teb| field!(teb, Teb, client_id).read().unique_process);
    let time = crate::time::RtlGetSystemTimePrecise();
    let [low, high] = [time, time >> 32].map(|part| {
        let [a, b, c, d, ..] = part.to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    });
    let [a, b, c, d] = high.to_le_bytes();
    let [e, f, g, h] = number.to_le_bytes();
    let process = of_thread.to_le_bytes();
    Guid {
        data1: low,
        data2: u16::from_le_bytes([a, b]),
        data3: u16::from_le_bytes([c, d]),
        data4: [process[0], process[1], process[2], process[3], e, f, g, h],
    }
}

/// `EVENT_ACTIVITY_CTRL_*`: asks for the thread's activity, sets it, makes one, and both at once.
fn activity(control: u32, id: Ptr<Guid>) -> u32 {
    let Some(teb) = given::teb().filter(|_| !id.is_null()) else {
        return INVALID_PARAMETER;
    };
    let current = field!(teb, Teb, activity_id);
    match control {
        1 => id.write(current.read()),
        2 => current.write(id.read()),
        3 => id.write(new_activity()),
        4 => {
            let old = current.read();
            current.write(id.read());
            id.write(old);
        }
        5 => {
            id.write(current.read());
            current.write(new_activity());
        }
        _ => return INVALID_PARAMETER,
    }
    DONE
}

exports! {
    /// Registers a provider; nobody will enable it.
    fn EtwEventRegister(provider: Ptr<Guid>, _callback: usize, _context: usize, handle: Ptr<u64>) -> u32 {
        if provider.is_null() { INVALID_PARAMETER } else { register(handle) }
    }

    /// Ends a registration.
    fn EtwEventUnregister(handle: u64) -> u32 {
        unregister(handle)
    }

    /// Says more of a provider; nobody wants to know.
    fn EtwEventSetInformation(handle: u64, _class: u32, _information: Unread, _size: u32) -> u32 {
        told(handle)
    }

    /// Whether somebody wants an event: nobody (`BOOLEAN`).
    fn EtwEventEnabled(_handle: u64, _descriptor: Unread) -> u8 {
        0
    }

    /// Whether somebody wants events of a level and keywords: nobody (`BOOLEAN`).
    fn EtwEventProviderEnabled(_handle: u64, _level: u8, _keyword: u64) -> u8 {
        0
    }

    /// Tells an event.
    fn EtwEventWrite(handle: u64, _descriptor: Unread, _count: u32, _data: Unread) -> u32 {
        told(handle)
    }

    /// Tells an event, with a filter and activities.
    fn EtwEventWriteEx(
        handle: u64,
        _descriptor: Unread,
        _filter: u64,
        _flags: u32,
        _activity: Ptr<Guid>,
        _related: Ptr<Guid>,
        _count: u32,
        _data: Unread,
    ) -> u32 {
        told(handle)
    }

    /// Tells an event, with flags and activities.
    fn EtwEventWriteFull(
        handle: u64,
        _descriptor: Unread,
        _flags: u16,
        _activity: Ptr<Guid>,
        _related: Ptr<Guid>,
        _count: u32,
        _data: Unread,
    ) -> u32 {
        told(handle)
    }

    /// Tells an event, with activities.
    fn EtwEventWriteTransfer(
        handle: u64,
        _descriptor: Unread,
        _activity: Ptr<Guid>,
        _related: Ptr<Guid>,
        _count: u32,
        _data: Unread,
    ) -> u32 {
        told(handle)
    }

    /// Tells an event that is text.
    fn EtwEventWriteString(handle: u64, _level: u8, _keyword: u64, _text: Ptr<u16>) -> u32 {
        told(handle)
    }

    /// Tells that a scenario begins.
    fn EtwEventWriteStartScenario(handle: u64, _descriptor: Unread, _count: u32, _data: Unread) -> u32 {
        told(handle)
    }

    /// Tells that a scenario ends.
    fn EtwEventWriteEndScenario(handle: u64, _descriptor: Unread, _count: u32, _data: Unread) -> u32 {
        told(handle)
    }

    /// Tells an event of a provider that is not registered.
    fn EtwEventWriteNoRegistration(provider: Ptr<Guid>, _descriptor: Unread, _count: u32, _data: Unread) -> u32 {
        if provider.is_null() { INVALID_PARAMETER } else { DONE }
    }

    /// Asks for the thread's activity or sets it (`EVENT_ACTIVITY_CTRL_*`).
    fn EtwEventActivityIdControl(control: u32, id: Ptr<Guid>) -> u32 {
        activity(control, id)
    }

    /// Registers a provider of the older kind; nobody will enable it.
    fn EtwRegisterTraceGuidsW(
        request: usize,
        _context: usize,
        _control: Ptr<Guid>,
        _count: u32,
        _classes: Unread,
        _image: Ptr<u16>,
        _resource: Ptr<u16>,
        handle: Ptr<u64>,
    ) -> u32 {
        if request == 0 { INVALID_PARAMETER } else { register(handle) }
    }

    /// As `EtwRegisterTraceGuidsW`.
    fn EtwRegisterTraceGuidsA(
        request: usize,
        _context: usize,
        _control: Ptr<Guid>,
        _count: u32,
        _classes: Unread,
        _image: Ptr<u8>,
        _resource: Ptr<u8>,
        handle: Ptr<u64>,
    ) -> u32 {
        if request == 0 { INVALID_PARAMETER } else { register(handle) }
    }

    /// Ends a registration of the older kind.
    fn EtwUnregisterTraceGuids(handle: u64) -> u32 {
        unregister(handle)
    }

    /// Whose events a provider of the older kind tells: nobody's.
    fn EtwGetTraceLoggerHandle(_buffer: Unread) -> u64 {
        RtlSetLastWin32Error(INVALID_HANDLE);
        NO_HANDLE
    }

    /// The level that a session wants: there is none.
    fn EtwGetTraceEnableLevel(_session: u64) -> u8 {
        RtlSetLastWin32Error(INVALID_HANDLE);
        0
    }

    /// The flags that a session wants: there is none.
    fn EtwGetTraceEnableFlags(_session: u64) -> u32 {
        RtlSetLastWin32Error(INVALID_HANDLE);
        0
    }

    /// Tells an event to a session: there is none.
    fn EtwLogTraceEvent(_session: u64, _event: Unread) -> u32 {
        INVALID_HANDLE
    }

    /// Tells a message to a session: there is none. `_list` is the variable arguments of `EtwTraceMessage`.
    fn EtwTraceMessageVa(_session: u64, _flags: u32, _provider: Ptr<Guid>, _number: u16, _list: Unread) -> u32 {
        INVALID_HANDLE
    }

    /// Registers for notifications; none will come.
    fn EtwNotificationRegister(
        provider: Ptr<Guid>,
        _kind: u32,
        _callback: usize,
        _context: usize,
        handle: Ptr<u64>,
    ) -> u32 {
        if provider.is_null() { INVALID_PARAMETER } else { register(handle) }
    }

    /// Ends a registration for notifications.
    fn EtwNotificationUnregister(handle: u64, context: Ptr<usize>) -> u32 {
        context.write_optional(0);
        unregister(handle)
    }

    /// Whether the user takes part in the customer experience programme: no (`BOOL`).
    fn WinSqmIsOptedIn() -> u32 {
        0
    }

    /// Whether an event of that programme is wanted: no (`BOOL`).
    fn WinSqmEventEnabled(_descriptor: Unread, _keyword: Unread) -> u32 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::testing;

    const PROVIDER: Guid = Guid {
        data1: 1,
        data2: 2,
        data3: 3,
        data4: [4; 8],
    };

    #[test]
    fn a_provider_registers_and_is_not_enabled() {
        let mut provider = PROVIDER;
        let provider = Ptr::of(&mut provider);
        let (mut first, mut second) = (0, 0);
        assert_eq!(EtwEventRegister(provider, 0, 0, Ptr::of(&mut first)), DONE);
        assert_eq!(EtwEventRegister(provider, 0, 0, Ptr::of(&mut second)), DONE);
        assert!(first != 0 && second != 0 && first != second);
        assert_eq!(EtwEventEnabled(first, Ptr::NULL), 0);
        assert_eq!(EtwEventWrite(first, Ptr::NULL, 0, Ptr::NULL), DONE);
        assert_eq!(EtwEventWrite(0, Ptr::NULL, 0, Ptr::NULL), INVALID_HANDLE);
        assert_eq!(EtwEventUnregister(first), DONE);
        assert_eq!(EtwEventUnregister(0), INVALID_HANDLE);
        assert_eq!(EtwEventUnregister(u64::MAX), INVALID_HANDLE);
        assert_eq!(
            EtwEventRegister(Ptr::NULL, 0, 0, Ptr::of(&mut first)),
            INVALID_PARAMETER
        );
        assert_eq!(
            EtwEventRegister(provider, 0, 0, Ptr::NULL),
            INVALID_PARAMETER
        );
    }

    #[test]
    fn the_thread_has_an_activity() {
        testing::begin();
        let mut id = PROVIDER;
        let id = Ptr::of(&mut id);
        assert_eq!(EtwEventActivityIdControl(2, id), DONE);
        id.write(Guid::default());
        assert_eq!(EtwEventActivityIdControl(4, id), DONE);
        assert_eq!(id.read(), PROVIDER, "the old one");
        assert_eq!(EtwEventActivityIdControl(1, id), DONE);
        assert_eq!(id.read(), Guid::default());
        EtwEventActivityIdControl(3, id);
        let first = id.read();
        EtwEventActivityIdControl(3, id);
        assert_ne!(id.read(), first, "each is new");
        assert_eq!(EtwEventActivityIdControl(6, id), INVALID_PARAMETER);
        assert_eq!(EtwEventActivityIdControl(1, Ptr::NULL), INVALID_PARAMETER);
    }
}
