/* Measures what ntdll does for programs, for `cargo xtask bench user`.

   Each measure is a loop. It runs once to warm up, then with a number of iterations and with twice that number; the
   difference is printed, in ticks of the performance counter: `bench: NAME TICKS HERTZ ITERATIONS`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

typedef LONGLONG (*measure)(int times);

static LONGLONG now(void) {
    LARGE_INTEGER counter;
    QueryPerformanceCounter(&counter);
    return counter.QuadPart;
}

static void fail(const char *what) {
    printf("failed: %s, error %lu\n", what, (unsigned long)GetLastError());
    ExitProcess(1);
}

static LONGLONG critical_section(int times) {
    CRITICAL_SECTION section;
    InitializeCriticalSection(&section);
    LONGLONG before = now();
    for (int i = 0; i < times; i++) {
        EnterCriticalSection(&section);
        LeaveCriticalSection(&section);
    }
    LONGLONG ticks = now() - before;
    DeleteCriticalSection(&section);
    return ticks;
}

static LONGLONG slim_lock(int times) {
    SRWLOCK lock = SRWLOCK_INIT;
    LONGLONG before = now();
    for (int i = 0; i < times; i++) {
        AcquireSRWLockExclusive(&lock);
        ReleaseSRWLockExclusive(&lock);
    }
    return now() - before;
}

static LONGLONG slim_lock_shared(int times) {
    SRWLOCK lock = SRWLOCK_INIT;
    LONGLONG before = now();
    for (int i = 0; i < times; i++) {
        AcquireSRWLockShared(&lock);
        ReleaseSRWLockShared(&lock);
    }
    return now() - before;
}

/* A program has other blocks of a size when it allocates and frees one. */
static LONGLONG blocks(int times, SIZE_T size) {
    HANDLE heap = GetProcessHeap();
    static void *other[64];
    for (int i = 0; i < 64; i++)
        if (!(other[i] = HeapAlloc(heap, 0, size)))
            fail("a block of the heap");
    LONGLONG before = now();
    for (int i = 0; i < times; i++) {
        void *block = HeapAlloc(heap, 0, size);
        if (!block || !HeapFree(heap, 0, block))
            fail("a block of the heap");
    }
    LONGLONG ticks = now() - before;
    for (int i = 0; i < 64; i++)
        HeapFree(heap, 0, other[i]);
    return ticks;
}

static LONGLONG heap_64(int times) { return blocks(times, 64); }

static LONGLONG heap_4096(int times) { return blocks(times, 4096); }

/* The two frames between: each does something after its call, so that it stays. */
static volatile int came_back;

__declspec(noinline) static void raises(void) {
    RaiseException(0xE0000001, 0, 0, NULL);
    came_back++;
}

__declspec(noinline) static void calls(void) {
    raises();
    came_back++;
}

static LONGLONG exception(int times) {
    volatile int caught = 0;
    LONGLONG before = now();
    for (int i = 0; i < times; i++) {
        __try {
            calls();
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            caught++;
        }
    }
    LONGLONG ticks = now() - before;
    if (caught != times || came_back)
        fail("an exception is caught each time");
    return ticks;
}

static LONGLONG library(int times) {
    LONGLONG before = now();
    for (int i = 0; i < times; i++) {
        HMODULE module = LoadLibraryA("bench_first.dll");
        if (!module || !FreeLibrary(module))
            fail("a DLL is loaded and freed");
    }
    return now() - before;
}

/* The child ends with the low half of the counter that its main saw. */
static LONGLONG process_to_main(int times) {
    LONGLONG ticks = 0;
    for (int i = 0; i < times; i++) {
        STARTUPINFOA start = {.cb = sizeof start};
        PROCESS_INFORMATION made;
        DWORD seen;
        LONGLONG before = now();
        if (!CreateProcessA("C:\\bench_main.exe", NULL, NULL, NULL, FALSE, 0, NULL, NULL, &start, &made))
            fail("a process is made");
        WaitForSingleObject(made.hProcess, INFINITE);
        if (!GetExitCodeProcess(made.hProcess, &seen))
            fail("the process has an exit code");
        CloseHandle(made.hThread);
        CloseHandle(made.hProcess);
        ticks += (DWORD)(seen - (DWORD)before);
    }
    return ticks;
}

static const struct {
    const char *name;
    int times;
    measure run;
} measures[] = {
    {"critical-section", 20000, critical_section},
    {"slim-lock", 20000, slim_lock},
    {"slim-lock-shared", 20000, slim_lock_shared},
    {"heap-64", 20000, heap_64},
    {"heap-4096", 10000, heap_4096},
    {"exception", 2000, exception},
    {"library", 200, library},
    {"process-to-main", 40, process_to_main},
};

/* With an argument: the measure of that name alone. */
int main(int argc, char **argv) {
    LARGE_INTEGER rate;
    QueryPerformanceFrequency(&rate);
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
        int times = measures[i].times;
        if (argc > 1 && strcmp(argv[1], measures[i].name))
            continue;
        came_back = 0;
        measures[i].run(times / 10);
        LONGLONG once = measures[i].run(times), twice = measures[i].run(times * 2);
        if (twice <= once)
            fail(measures[i].name);
        printf("bench: %s %lld %lld %d\n", measures[i].name, twice - once, rate.QuadPart, times);
    }
    return 0;
}
