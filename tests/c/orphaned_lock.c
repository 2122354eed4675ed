/* A thread ends with the process while it has a lock that a DLL's last call wants: the process ends all the same. */
#include <windows.h>

#include "checks.h"

static CRITICAL_SECTION section;
static HANDLE locked;

static DWORD WINAPI holding(LPVOID nothing) {
    EnterCriticalSection(&section);
    SetEvent(locked);
    SleepEx(INFINITE, FALSE);
    return nothing != NULL;
}

static VOID NTAPI at_the_end(PVOID base, DWORD reason, PVOID reserved) {
    (void)base, (void)reserved;
    if (reason != DLL_PROCESS_DETACH)
        return;
    printf("the last call wants the lock\n");
    EnterCriticalSection(&section);
    printf("nobody had it\n");
}

/* Variables of threads bring the image's directory for them, whose functions are called at the end. */
static __declspec(thread) volatile int of_thread;
#pragma section(".CRT$XLB", read)
__declspec(allocate(".CRT$XLB")) const PIMAGE_TLS_CALLBACK last_call = at_the_end;

int main(void) {
    of_thread = 1;
    InitializeCriticalSection(&section);
    locked = CreateEventW(NULL, FALSE, FALSE, NULL);
    CreateThread(NULL, 0, holding, NULL, 0, NULL);
    WaitForSingleObject(locked, INFINITE);
    return 0;
}
