/* Thread pools of Win32, timer queues and registered waits. */
#pragma once

#include "windef.h"
#include "winnt.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct _TP_CALLBACK_INSTANCE *PTP_CALLBACK_INSTANCE;
typedef struct _TP_POOL *PTP_POOL;
typedef struct _TP_WORK *PTP_WORK;
typedef struct _TP_TIMER *PTP_TIMER;
typedef struct _TP_WAIT *PTP_WAIT;
typedef struct _TP_CLEANUP_GROUP *PTP_CLEANUP_GROUP;
typedef DWORD TP_WAIT_RESULT;
typedef VOID(NTAPI *PTP_SIMPLE_CALLBACK)(PTP_CALLBACK_INSTANCE, PVOID);
typedef VOID(NTAPI *PTP_WORK_CALLBACK)(PTP_CALLBACK_INSTANCE, PVOID, PTP_WORK);
typedef VOID(NTAPI *PTP_TIMER_CALLBACK)(PTP_CALLBACK_INSTANCE, PVOID, PTP_TIMER);
typedef VOID(NTAPI *PTP_WAIT_CALLBACK)(PTP_CALLBACK_INSTANCE, PVOID, PTP_WAIT, TP_WAIT_RESULT);
typedef VOID(NTAPI *PTP_CLEANUP_GROUP_CANCEL_CALLBACK)(PVOID, PVOID);
typedef VOID(NTAPI *WAITORTIMERCALLBACK)(PVOID, BOOLEAN);
typedef enum _TP_CALLBACK_PRIORITY {
    TP_CALLBACK_PRIORITY_HIGH,
    TP_CALLBACK_PRIORITY_NORMAL,
    TP_CALLBACK_PRIORITY_LOW
} TP_CALLBACK_PRIORITY;

typedef struct _TP_CALLBACK_ENVIRON_V3 {
    DWORD Version;
    PTP_POOL Pool;
    PTP_CLEANUP_GROUP CleanupGroup;
    PTP_CLEANUP_GROUP_CANCEL_CALLBACK CleanupGroupCancelCallback;
    PVOID RaceDll, ActivationContext;
    PTP_SIMPLE_CALLBACK FinalizationCallback;
    union {
        DWORD Flags;
        struct {
            DWORD LongFunction : 1;
            DWORD Persistent : 1;
            DWORD Private : 30;
        } s;
    } u;
    TP_CALLBACK_PRIORITY CallbackPriority;
    DWORD Size;
} TP_CALLBACK_ENVIRON, *PTP_CALLBACK_ENVIRON;

typedef struct _TP_POOL_STACK_INFORMATION {
    SIZE_T StackReserve, StackCommit;
} TP_POOL_STACK_INFORMATION, *PTP_POOL_STACK_INFORMATION;

static inline VOID InitializeThreadpoolEnvironment(PTP_CALLBACK_ENVIRON environment) {
    environment->Version = 3;
    environment->Pool = NULL;
    environment->CleanupGroup = NULL;
    environment->CleanupGroupCancelCallback = NULL;
    environment->RaceDll = NULL;
    environment->ActivationContext = NULL;
    environment->FinalizationCallback = NULL;
    environment->u.Flags = 0;
    environment->CallbackPriority = TP_CALLBACK_PRIORITY_NORMAL;
    environment->Size = sizeof *environment;
}

static inline VOID SetThreadpoolCallbackPool(PTP_CALLBACK_ENVIRON environment, PTP_POOL pool) {
    environment->Pool = pool;
}

static inline VOID SetThreadpoolCallbackCleanupGroup(PTP_CALLBACK_ENVIRON environment, PTP_CLEANUP_GROUP group,
                                                     PTP_CLEANUP_GROUP_CANCEL_CALLBACK cancel) {
    environment->CleanupGroup = group;
    environment->CleanupGroupCancelCallback = cancel;
}

static inline VOID SetThreadpoolCallbackPriority(PTP_CALLBACK_ENVIRON environment, TP_CALLBACK_PRIORITY priority) {
    environment->CallbackPriority = priority;
}

static inline VOID SetThreadpoolCallbackRunsLong(PTP_CALLBACK_ENVIRON environment) { environment->u.s.LongFunction = 1; }

#define WT_EXECUTEDEFAULT 0
#define WT_EXECUTEINWAITTHREAD 4
#define WT_EXECUTEONLYONCE 8
#define WT_EXECUTELONGFUNCTION 16
#define WT_EXECUTEINTIMERTHREAD 32

DECLSPEC_IMPORT PTP_POOL WINAPI CreateThreadpool(PVOID);
DECLSPEC_IMPORT VOID WINAPI CloseThreadpool(PTP_POOL);
DECLSPEC_IMPORT VOID WINAPI SetThreadpoolThreadMaximum(PTP_POOL, DWORD);
DECLSPEC_IMPORT BOOL WINAPI SetThreadpoolThreadMinimum(PTP_POOL, DWORD);
DECLSPEC_IMPORT BOOL WINAPI SetThreadpoolStackInformation(PTP_POOL, PTP_POOL_STACK_INFORMATION);
DECLSPEC_IMPORT BOOL WINAPI QueryThreadpoolStackInformation(PTP_POOL, PTP_POOL_STACK_INFORMATION);
DECLSPEC_IMPORT PTP_CLEANUP_GROUP WINAPI CreateThreadpoolCleanupGroup(void);
DECLSPEC_IMPORT VOID WINAPI CloseThreadpoolCleanupGroupMembers(PTP_CLEANUP_GROUP, BOOL, PVOID);
DECLSPEC_IMPORT VOID WINAPI CloseThreadpoolCleanupGroup(PTP_CLEANUP_GROUP);
DECLSPEC_IMPORT BOOL WINAPI TrySubmitThreadpoolCallback(PTP_SIMPLE_CALLBACK, PVOID, PTP_CALLBACK_ENVIRON);
DECLSPEC_IMPORT PTP_WORK WINAPI CreateThreadpoolWork(PTP_WORK_CALLBACK, PVOID, PTP_CALLBACK_ENVIRON);
DECLSPEC_IMPORT VOID WINAPI SubmitThreadpoolWork(PTP_WORK);
DECLSPEC_IMPORT VOID WINAPI WaitForThreadpoolWorkCallbacks(PTP_WORK, BOOL);
DECLSPEC_IMPORT VOID WINAPI CloseThreadpoolWork(PTP_WORK);
DECLSPEC_IMPORT PTP_TIMER WINAPI CreateThreadpoolTimer(PTP_TIMER_CALLBACK, PVOID, PTP_CALLBACK_ENVIRON);
DECLSPEC_IMPORT VOID WINAPI SetThreadpoolTimer(PTP_TIMER, FILETIME *, DWORD, DWORD);
DECLSPEC_IMPORT BOOL WINAPI SetThreadpoolTimerEx(PTP_TIMER, FILETIME *, DWORD, DWORD);
DECLSPEC_IMPORT BOOL WINAPI IsThreadpoolTimerSet(PTP_TIMER);
DECLSPEC_IMPORT VOID WINAPI WaitForThreadpoolTimerCallbacks(PTP_TIMER, BOOL);
DECLSPEC_IMPORT VOID WINAPI CloseThreadpoolTimer(PTP_TIMER);
DECLSPEC_IMPORT PTP_WAIT WINAPI CreateThreadpoolWait(PTP_WAIT_CALLBACK, PVOID, PTP_CALLBACK_ENVIRON);
DECLSPEC_IMPORT VOID WINAPI SetThreadpoolWait(PTP_WAIT, HANDLE, FILETIME *);
DECLSPEC_IMPORT BOOL WINAPI SetThreadpoolWaitEx(PTP_WAIT, HANDLE, FILETIME *, PVOID);
DECLSPEC_IMPORT VOID WINAPI WaitForThreadpoolWaitCallbacks(PTP_WAIT, BOOL);
DECLSPEC_IMPORT VOID WINAPI CloseThreadpoolWait(PTP_WAIT);
DECLSPEC_IMPORT BOOL WINAPI CallbackMayRunLong(PTP_CALLBACK_INSTANCE);
DECLSPEC_IMPORT VOID WINAPI DisassociateCurrentThreadFromCallback(PTP_CALLBACK_INSTANCE);
DECLSPEC_IMPORT VOID WINAPI SetEventWhenCallbackReturns(PTP_CALLBACK_INSTANCE, HANDLE);
DECLSPEC_IMPORT VOID WINAPI ReleaseSemaphoreWhenCallbackReturns(PTP_CALLBACK_INSTANCE, HANDLE, DWORD);
DECLSPEC_IMPORT VOID WINAPI ReleaseMutexWhenCallbackReturns(PTP_CALLBACK_INSTANCE, HANDLE);
DECLSPEC_IMPORT VOID WINAPI LeaveCriticalSectionWhenCallbackReturns(PTP_CALLBACK_INSTANCE, LPCRITICAL_SECTION);
DECLSPEC_IMPORT VOID WINAPI FreeLibraryWhenCallbackReturns(PTP_CALLBACK_INSTANCE, HMODULE);

DECLSPEC_IMPORT BOOL WINAPI QueueUserWorkItem(DWORD(WINAPI *)(LPVOID), PVOID, ULONG);
DECLSPEC_IMPORT BOOL WINAPI RegisterWaitForSingleObject(HANDLE *, HANDLE, WAITORTIMERCALLBACK, PVOID, ULONG, ULONG);
DECLSPEC_IMPORT BOOL WINAPI UnregisterWait(HANDLE);
DECLSPEC_IMPORT BOOL WINAPI UnregisterWaitEx(HANDLE, HANDLE);
DECLSPEC_IMPORT HANDLE WINAPI CreateTimerQueue(void);
DECLSPEC_IMPORT BOOL WINAPI CreateTimerQueueTimer(HANDLE *, HANDLE, WAITORTIMERCALLBACK, PVOID, DWORD, DWORD, ULONG);
DECLSPEC_IMPORT BOOL WINAPI ChangeTimerQueueTimer(HANDLE, HANDLE, ULONG, ULONG);
DECLSPEC_IMPORT BOOL WINAPI DeleteTimerQueueTimer(HANDLE, HANDLE, HANDLE);
DECLSPEC_IMPORT BOOL WINAPI DeleteTimerQueueEx(HANDLE, HANDLE);

#ifdef __cplusplus
}
#endif
