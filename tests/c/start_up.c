/* What run-time libraries ask for before main, and the page that every process sees. */
#include <windows.h>

#include "checks.h"

DECLSPEC_IMPORT BOOL WINAPI SetConsoleCtrlHandler(BOOL(WINAPI *)(DWORD), BOOL);
DECLSPEC_IMPORT BOOL WINAPI IsProcessorFeaturePresent(DWORD);
DECLSPEC_IMPORT VOID WINAPI GetSystemTimeAsFileTime(FILETIME *);
DECLSPEC_IMPORT VOID WINAPI GetCurrentProcessorNumberEx(PVOID);
DECLSPEC_IMPORT DWORD WINAPI GetCurrentProcessorNumber(void);
DECLSPEC_IMPORT VOID WINAPI DebugBreak(void);

static BOOL WINAPI first_handler(DWORD event) { return event == 0; }
static BOOL WINAPI second_handler(DWORD event) { return event == 1; }

static void handlers(void) {
    SetLastError(0);
    check(!SetConsoleCtrlHandler(first_handler, FALSE) && GetLastError() == 87, "a handler that is not there cannot go");
    check(SetConsoleCtrlHandler(first_handler, TRUE) && SetConsoleCtrlHandler(second_handler, TRUE), "two come");
    check(SetConsoleCtrlHandler(first_handler, TRUE), "one of them twice");
    check(SetConsoleCtrlHandler(first_handler, FALSE) && SetConsoleCtrlHandler(first_handler, FALSE), "and goes twice");
    check(!SetConsoleCtrlHandler(first_handler, FALSE), "not more often");
    check(SetConsoleCtrlHandler(second_handler, FALSE), "the other is there still");
    check(SetConsoleCtrlHandler(NULL, TRUE) && SetConsoleCtrlHandler(NULL, FALSE), "Ctrl+C can be ignored");
}

static ULONGLONG now(void) {
    FILETIME time;
    GetSystemTimeAsFileTime(&time);
    return (ULONGLONG)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

static void shared_page(void) {
    ULONGLONG begun = now(), ticks = GetTickCount64();
    Sleep(50);
    check(now() > begun, "the time goes on");
    check(GetTickCount64() > ticks, "so does the tick count");
    check(*(volatile DWORD *)0x7FFE026C == 10 && *(volatile DWORD *)0x7FFE0260 == 19045, "the version is there");
    check(*(volatile WCHAR *)0x7FFE0030 == 'C' && *(volatile WCHAR *)0x7FFE0032 == ':', "and Windows' directory");
    check(IsProcessorFeaturePresent(2) && IsProcessorFeaturePresent(12), "processors exchange 64 bits, and have NX");
    check(!IsProcessorFeaturePresent(1) && !IsProcessorFeaturePresent(1000), "they emulate nothing");
}

static void others(void) {
    struct {
        WORD group;
        BYTE number, reserved;
    } processor = {9, 99, 9};
    GetCurrentProcessorNumberEx(&processor);
    check(processor.group == 0 && processor.number < 64 && GetCurrentProcessorNumber() < 64, "a thread knows its processor");
    int stopped = 0;
    __try {
        DebugBreak();
    } __except (GetExceptionCode() == STATUS_BREAKPOINT) {
        stopped = 1;
    }
    check(stopped, "a breakpoint without a debugger is an exception");
}

int main(void) {
    handlers();
    shared_page();
    others();
    return finish();
}
