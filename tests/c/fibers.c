/* Fibers: whose stack, data and slots are current, exceptions inside of one, the end of a fiber's stack, and how fibers and
   threads end. */
#include <excpt.h>
#include <string.h>
#include <windows.h>

#include "checks.h"

static LPVOID main_fiber, first, second;
static char happened[256];

static void note(const char *what) {
    if (strlen(happened) + strlen(what) < sizeof happened)
        strcat(happened, what);
}

static int noted(const char *expected) {
    int same = strcmp(happened, expected) == 0;
    if (!same)
        printf("        happened: %s\n", happened);
    happened[0] = 0;
    return same;
}

static VOID WINAPI ping(LPVOID data) {
    for (;;) {
        note(data);
        SwitchToFiber(second);
    }
}

static VOID WINAPI pong(LPVOID data) {
    for (int i = 0; i < 3; i++) {
        note(data);
        SwitchToFiber(first);
    }
    note("!");
    SwitchToFiber(main_fiber);
}

static void conversion(void) {
    check(!IsThreadAFiber(), "a thread is no fiber");
    SetLastError(0);
    check(!ConvertFiberToThread() && GetLastError() == ERROR_ALREADY_THREAD, "and cannot become a thread");
    main_fiber = ConvertThreadToFiber((LPVOID)0x1234);
    check(main_fiber && IsThreadAFiber() && GetCurrentFiber() == main_fiber, "it becomes a fiber");
    check(GetFiberData() == (PVOID)0x1234, "with its data");
    SetLastError(0);
    check(!ConvertThreadToFiber(NULL) && GetLastError() == ERROR_ALREADY_FIBER, "and only once");
}

static void turns(void) {
    first = CreateFiber(0, ping, "a");
    second = CreateFiber(0, pong, "b");
    check(first && second, "two fibers are made");
    SwitchToFiber(first);
    check(noted("abababa!"), "fibers run in turn");
    DeleteFiber(first);
    DeleteFiber(second);
}

static volatile ULONG_PTR place;
static VOID WINAPI looking(LPVOID data) {
    int here;
    place = (ULONG_PTR)&here;
    check(GetFiberData() == data && GetCurrentFiber() == first && IsThreadAFiber(), "a fiber knows its data and itself");
    SwitchToFiber(main_fiber);
    check(place == (ULONG_PTR)&here, "it goes on where it was");
    SwitchToFiber(main_fiber);
}

static void stacks(void) {
    int here;
    MEMORY_BASIC_INFORMATION mine, its;
    first = CreateFiber(0x10000, looking, "data");
    SwitchToFiber(first);
    VirtualQuery(&here, &mine, sizeof mine);
    VirtualQuery((LPVOID)place, &its, sizeof its);
    check(mine.AllocationBase != its.AllocationBase, "a fiber has a stack of its own");
    SwitchToFiber(first);
    DeleteFiber(first);
    VirtualQuery((LPVOID)place, &its, sizeof its);
    check(its.State == 0x10000, "which goes with it");
}

/* What functions keep for their callers: many values, of both kinds, that live across a switch. */
static double spread(double seed, LPVOID to) {
    volatile double start = seed;
    double a = start + 1, b = start * 2, c = start + 3, d = start * 4, e = start + 5, f = start * 6;
    long g = (long)start, h = g * 3, i = g * 5, j = g * 7, k = g * 9, l = g * 11;
    SwitchToFiber(to);
    return a + b + c + d + e + f + (double)(g + h + i + j + k + l);
}

static volatile double sum;
static VOID WINAPI spreading(LPVOID data) {
    (void)data;
    sum = spread(1000, main_fiber);
    SwitchToFiber(main_fiber);
}

static void registers(void) {
    first = CreateFiberEx(0, 0x40000, FIBER_FLAG_FLOAT_SWITCH, spreading, NULL);
    double own = spread(10, first);
    SwitchToFiber(first);
    check(own == 159 + 360, "registers of the thread's fiber are kept");
    check(sum == 15009 + 36000, "and those of the other");
    DeleteFiber(first);
}

/* A call: the compiler keeps scopes for what calls raise. */
__declspec(noinline) static void write_to(volatile int *place) { *place = 1; }

static int filter_noting(const char *what, int answer) {
    note(what);
    return answer;
}

static VOID WINAPI failing(LPVOID data) {
    (void)data;
    for (int i = 0; i < 2; i++) {
        __try {
            __try {
                write_to(NULL);
            } __finally {
                note("f");
            }
        } __except (filter_noting("s", GetExceptionCode() == STATUS_ACCESS_VIOLATION)) {
            note("h");
        }
        __try {
            note("1");
            SwitchToFiber(main_fiber);
            note("2");
            RaiseException(0xE0001111, 0, 0, NULL);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            note("x");
        }
    }
    SwitchToFiber(main_fiber);
}

static void exceptions(void) {
    first = CreateFiber(0, failing, NULL);
    __try {
        SwitchToFiber(first);
        note("m");
        RaiseException(0xE0002222, 0, 0, NULL);
    } __except (filter_noting("t", EXCEPTION_EXECUTE_HANDLER)) {
        note("c");
    }
    check(noted("sfh1mtc"), "each fiber has its own scopes, and another's are not asked");
    SwitchToFiber(first);
    SwitchToFiber(first);
    check(noted("2xsfh12x"), "a scope that was left by a switch is there on the way back");
    DeleteFiber(first);
}

__declspec(noinline) static int deeper(int depth) {
    volatile char room[1024];
    room[depth % 1024] = (char)depth;
    return depth > 1000000 ? 0 : deeper(depth + 1) + room[depth % 1024];
}

static VOID WINAPI overflowing(LPVOID data) {
    (void)data;
    __try {
        deeper(0);
        note("?");
    } __except (filter_noting("o", GetExceptionCode() == STATUS_STACK_OVERFLOW)) {
        note("h");
    }
    SwitchToFiber(main_fiber);
}

static void overflow(void) {
    first = CreateFiberEx(0x1000, 0x40000, 0, overflowing, NULL);
    SwitchToFiber(first);
    check(noted("oh"), "the end of a fiber's stack is an exception that can be handled");
    DeleteFiber(first);
    first = CreateFiberEx(0x1000, 0x100000, 0, overflowing, NULL);
    SwitchToFiber(first);
    check(noted("oh"), "also on one whose stack grew before");
    DeleteFiber(first);
}

static DWORD slot;
static VOID CALLBACK slot_ends(PVOID value) { note(value); }

static VOID WINAPI with_slot(LPVOID data) {
    check(FlsGetValue(slot) == NULL, "a fiber's slots are empty at first");
    FlsSetValue(slot, data);
    SwitchToFiber(main_fiber);
    check(FlsGetValue(slot) == data, "a fiber has its value again");
    SwitchToFiber(main_fiber);
}

static void slots(void) {
    slot = FlsAlloc(slot_ends);
    check(slot != FLS_OUT_OF_INDEXES, "an index is taken");
    FlsSetValue(slot, "m");
    first = CreateFiber(0, with_slot, "1");
    second = CreateFiber(0, with_slot, "2");
    SwitchToFiber(first);
    SwitchToFiber(second);
    check(strcmp(FlsGetValue(slot), "m") == 0, "values of other fibers are not this one's");
    SwitchToFiber(first);
    SwitchToFiber(second);
    DeleteFiber(first);
    check(noted("1"), "a fiber that goes has its value's function called");
    FlsFree(slot);
    int both = strlen(happened) == 2 && strchr(happened, 'm') && strchr(happened, '2');
    check(both, "an index that is given back has its function called for each fiber");
    happened[0] = 0;
    DeleteFiber(second);
    check(noted(""), "values are not told of twice");
}

static VOID WINAPI returning(LPVOID data) { note(data); }
static VOID WINAPI deleting_itself(LPVOID data) {
    note(data);
    DeleteFiber(GetCurrentFiber());
    note("?");
}

static DWORD WINAPI thread_with_fiber(LPVOID routine) {
    ConvertThreadToFiberEx(NULL, 0);
    SwitchToFiber(CreateFiber(0, (LPFIBER_START_ROUTINE)routine, "r"));
    note("?");
    return 77;
}

static void ends(void) {
    DWORD code = 0;
    HANDLE thread = CreateThread(NULL, 0, thread_with_fiber, (LPVOID)returning, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    GetExitCodeThread(thread, &code);
    check(noted("r") && code == 1, "a thread ends with its fiber's routine");
    CloseHandle(thread);
    thread = CreateThread(NULL, 0, thread_with_fiber, (LPVOID)deleting_itself, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    GetExitCodeThread(thread, &code);
    check(noted("r") && code == 1, "a thread ends that deletes the fiber it is on");
    CloseHandle(thread);
}

/* A fiber that is made by one thread, and goes on in another. */
static LPVOID other_main;
static char wanderer;
static VOID WINAPI wandering(LPVOID data) {
    (void)data;
    DWORD before = GetCurrentThreadId();
    SwitchToFiber(main_fiber);
    check(GetCurrentThreadId() != before && GetFiberData() == &wanderer, "a fiber goes on in another thread");
    SwitchToFiber(other_main);
}

static DWORD WINAPI other_thread(LPVOID fiber) {
    other_main = ConvertThreadToFiber(NULL);
    SwitchToFiber(fiber);
    return !ConvertFiberToThread();
}

static void wander(void) {
    DWORD code = 99;
    first = CreateFiber(0, wandering, &wanderer);
    SwitchToFiber(first);
    HANDLE thread = CreateThread(NULL, 0, other_thread, first, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    GetExitCodeThread(thread, &code);
    check(code == 0, "the other thread goes on, and is a thread again");
    CloseHandle(thread);
    DeleteFiber(first);
}

static VOID WINAPI counting(LPVOID data) {
    for (;;) {
        ++*(int *)data;
        SwitchToFiber(main_fiber);
    }
}

static void many(void) {
    static LPVOID fibers[100];
    static int counts[100];
    int good = 1;
    for (int i = 0; i < 100; i++)
        good &= (fibers[i] = CreateFiberEx(0x1000, 0x10000, 0, counting, &counts[i])) != NULL;
    for (int round = 0; round < 50; round++)
        for (int i = 0; i < 100; i++)
            SwitchToFiber(fibers[i]);
    for (int i = 0; i < 100; i++) {
        good &= counts[i] == 50;
        DeleteFiber(fibers[i]);
    }
    check(good, "100 fibers run 50 times each");
}

int main(void) {
    conversion();
    turns();
    stacks();
    registers();
    exceptions();
    overflow();
    slots();
    ends();
    wander();
    many();
    check(ConvertFiberToThread() && !IsThreadAFiber(), "the thread is one again");
    return finish();
}
