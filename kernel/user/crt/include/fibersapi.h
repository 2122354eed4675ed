/* Fibers of Win32. */
#pragma once

#include "windef.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FIBER_FLAG_FLOAT_SWITCH 1
#define ERROR_ALREADY_FIBER 1280L
#define ERROR_ALREADY_THREAD 1281L

DECLSPEC_IMPORT LPVOID WINAPI ConvertThreadToFiberEx(LPVOID, DWORD);
DECLSPEC_IMPORT BOOL WINAPI ConvertFiberToThread(void);
DECLSPEC_IMPORT LPVOID WINAPI CreateFiberEx(SIZE_T, SIZE_T, DWORD, VOID(WINAPI *)(LPVOID), LPVOID);
DECLSPEC_IMPORT BOOL WINAPI IsThreadAFiber(void);

/* NT_TIB.FiberData. */
static inline PVOID GetCurrentFiber(void) {
    PVOID fiber;
#if defined(__x86_64__)
    __asm__ volatile("movq %%gs:0x20, %0" : "=r"(fiber));
#elif defined(__i386__)
    __asm__ volatile("movl %%fs:0x10, %0" : "=r"(fiber));
#else
    __asm__ volatile("ldr %0, [x18, #0x20]" : "=r"(fiber));
#endif
    return fiber;
}

static inline PVOID GetFiberData(void) { return *(PVOID *)GetCurrentFiber(); }

#ifdef __cplusplus
}
#endif
