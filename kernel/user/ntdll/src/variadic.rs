//! Exports with an ellipsis, over those that take a list; and what a program tells its debugger.

use c_interface::{Ptr, exports};
use nt_abi::NtStatus;
use user_rtl::c_library::scanf::{_vsnscanf_s, _vsnwscanf_s, vsscanf, vsscanf_s, vswscanf_s};
use user_rtl::printf::exports::{
    _vsnprintf, _vsnprintf_s, _vsnwprintf, _vsnwprintf_s, _vswprintf, vsprintf, vsprintf_s,
    vswprintf_s,
};
use user_rtl::security::sids::vRtlInitializeSidEx;

entries::variadic_entries! {
    /// Writes formatted text.
    sprintf(2) => vsprintf;
    /// Writes formatted text into so much room; what does not fit is an error.
    sprintf_s(3) => vsprintf_s;
    /// Writes as much of formatted text as there is room for.
    _snprintf(3) => _vsnprintf;
    /// Writes formatted text into so much room, and no more than so much.
    _snprintf_s(4) => _vsnprintf_s;
    /// Writes formatted text.
    swprintf(2) => _vswprintf;
    /// Writes formatted text.
    _swprintf(2) => _vswprintf;
    /// Writes formatted text into so much room; what does not fit is an error.
    swprintf_s(3) => vswprintf_s;
    /// Writes as much of formatted text as there is room for.
    _snwprintf(3) => _vsnwprintf;
    /// Writes formatted text into so much room, and no more than so much.
    _snwprintf_s(4) => _vsnwprintf_s;
    /// Reads formatted text.
    sscanf(2) => vsscanf;
    /// Reads formatted text; places for text come with their room.
    sscanf_s(2) => vsscanf_s;
    /// Reads no more than so much of formatted text; places for text come with their room.
    _snscanf_s(3) => _vsnscanf_s;
    /// Reads formatted text; places for text come with their room.
    swscanf_s(2) => vswscanf_s;
    /// Reads no more than so much of formatted text; places for text come with their room.
    _snwscanf_s(3) => _vsnwscanf_s;
    /// Makes a SID of its parts.
    RtlInitializeSidEx(3) => vRtlInitializeSidEx;
    /// Tells a debugger something.
    DbgPrint(1) => print;
    /// Tells a debugger something of a component, at a level.
    DbgPrintEx(3) => vDbgPrintEx;
    /// As `DbgPrint`; nobody interrupts it.
    DbgPrintReturnControlC(1) => print;
}

/// What is told a debugger when there is none: on Windows, too, nobody hears it, and no program can see that.
extern "C" fn print(_format: Ptr<u8>, _list: Ptr<u8>) -> NtStatus {
    NtStatus::SUCCESS
}

exports! {
    /// Tells a debugger something of a component, at a level.
    ///
    /// # Differs
    /// No process has a debugger yet, nor has the kernel.
    fn vDbgPrintEx(_component: u32, _level: u32, format: Ptr<u8>, list: Ptr<u8>) -> NtStatus {
        print(format, list)
    }

    /// As `vDbgPrintEx`, with something before it.
    fn vDbgPrintExWithPrefix(_prefix: Ptr<u8>, _component: u32, _level: u32, format: Ptr<u8>, list: Ptr<u8>) -> NtStatus {
        print(format, list)
    }

    /// Stops for a debugger that the program called.
    fn DbgUserBreakPoint() {
        entries::variadic::DbgBreakPoint();
    }
}
