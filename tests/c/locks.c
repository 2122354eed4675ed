/* Locks under eight threads, and slots of threads. Every count is exact: what is protected is changed in two steps, which
   nobody may see halfway. */
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#pragma comment(lib, "synchronization")

#include "checks.h"

#define THREADS 8
#define ROUNDS 2000

static volatile LONG wrong;

static LONG add(volatile LONG *to, LONG amount) { return __atomic_add_fetch(to, amount, __ATOMIC_SEQ_CST); }
static LONG read_count(volatile LONG *from) { return __atomic_load_n(from, __ATOMIC_SEQ_CST); }

/* Runs a function in eight threads, and waits for them. */
static void in_threads(LPTHREAD_START_ROUTINE function) {
    HANDLE threads[THREADS];
    for (ULONG_PTR i = 0; i < THREADS; i++)
        threads[i] = CreateThread(NULL, 0, function, (LPVOID)i, 0, NULL);
    WaitForMultipleObjects(THREADS, threads, TRUE, INFINITE);
    for (int i = 0; i < THREADS; i++)
        CloseHandle(threads[i]);
}

/* What the locks protect: both are always alike. */
static volatile LONG here, there;

static void change(void) {
    if (here != there)
        add(&wrong, 1);
    here = here + 1;
    if (here % 64 == 0)
        SleepEx(0, FALSE);
    there = there + 1;
}

static int changed(int times) {
    int good = here == times && there == times && wrong == 0;
    if (!good)
        printf("        %ld and %ld of %d, %ld times seen halfway\n", here, there, times, wrong);
    here = there = wrong = 0;
    return good;
}

static CRITICAL_SECTION section;
static DWORD WINAPI with_section(LPVOID number) {
    for (int i = 0; i < ROUNDS; i++) {
        if (((ULONG_PTR)number & 1) && i % 3 == 0) {
            while (!TryEnterCriticalSection(&section))
                SleepEx(0, FALSE);
        } else {
            EnterCriticalSection(&section);
        }
        EnterCriticalSection(&section);
        change();
        LeaveCriticalSection(&section);
        LeaveCriticalSection(&section);
    }
    return 0;
}

static void critical_sections(void) {
    InitializeCriticalSection(&section);
    in_threads(with_section);
    check(changed(THREADS * ROUNDS), "a critical section is one thread's");
    check(section.LockCount == -1 && section.RecursionCount == 0 && section.OwningThread == NULL, "and nobody's afterwards");
    DeleteCriticalSection(&section);
    InitializeCriticalSectionAndSpinCount(&section, 500);
    in_threads(with_section);
    check(changed(THREADS * ROUNDS), "also one whose waiters look first");
    DeleteCriticalSection(&section);
}

static SRWLOCK lock = SRWLOCK_INIT;
static DWORD WINAPI with_lock(LPVOID number) {
    (void)number;
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 4) {
            AcquireSRWLockShared(&lock);
            if (here != there)
                add(&wrong, 1);
            ReleaseSRWLockShared(&lock);
        } else {
            AcquireSRWLockExclusive(&lock);
            change();
            ReleaseSRWLockExclusive(&lock);
        }
    }
    return 0;
}

static void slim_locks(void) {
    in_threads(with_lock);
    check(changed(THREADS * ROUNDS / 4), "a slim lock is one thread's, or those who only look");
    check(lock.Ptr == NULL, "and nobody's afterwards");
    AcquireSRWLockShared(&lock);
    check(TryAcquireSRWLockShared(&lock) && !TryAcquireSRWLockExclusive(&lock), "who looks shares with others who look");
    ReleaseSRWLockShared(&lock);
    ReleaseSRWLockShared(&lock);
    check(TryAcquireSRWLockExclusive(&lock) && !TryAcquireSRWLockShared(&lock), "who changes shares with nobody");
    ReleaseSRWLockExclusive(&lock);
}

/* A queue of eight places between four threads that put and four that take. */
static CONDITION_VARIABLE not_full = CONDITION_VARIABLE_INIT, not_empty = CONDITION_VARIABLE_INIT;
static LONG queue[8];
static int queued, taken_from, put_to;
static volatile LONG total;

static void put(LONG value) {
    queue[put_to] = value;
    put_to = (put_to + 1) % 8;
    queued++;
}

static LONG take(void) {
    LONG value = queue[taken_from];
    taken_from = (taken_from + 1) % 8;
    queued--;
    return value;
}

static DWORD WINAPI with_slim_variable(LPVOID number) {
    for (LONG i = 1; i <= ROUNDS; i++) {
        AcquireSRWLockExclusive(&lock);
        if ((ULONG_PTR)number & 1) {
            while (queued == 8)
                SleepConditionVariableSRW(&not_full, &lock, INFINITE, 0);
            put(i);
        } else {
            while (queued == 0)
                SleepConditionVariableSRW(&not_empty, &lock, INFINITE, 0);
            add(&total, take());
        }
        ReleaseSRWLockExclusive(&lock);
        WakeConditionVariable((ULONG_PTR)number & 1 ? &not_empty : &not_full);
    }
    return 0;
}

static DWORD WINAPI with_section_variable(LPVOID number) {
    for (LONG i = 1; i <= ROUNDS; i++) {
        EnterCriticalSection(&section);
        if ((ULONG_PTR)number & 1) {
            while (queued == 8)
                SleepConditionVariableCS(&not_full, &section, INFINITE);
            put(i);
        } else {
            while (queued == 0)
                SleepConditionVariableCS(&not_empty, &section, INFINITE);
            add(&total, take());
        }
        LeaveCriticalSection(&section);
        if ((ULONG_PTR)number & 1)
            WakeAllConditionVariable(&not_empty);
        else
            WakeAllConditionVariable(&not_full);
    }
    return 0;
}

static void condition_variables(void) {
    const LONG expected = 4 * (ROUNDS * (ROUNDS + 1) / 2);
    total = 0;
    in_threads(with_slim_variable);
    check(total == expected && queued == 0, "everything that is put in is taken out once, with a slim lock");
    total = 0;
    InitializeCriticalSection(&section);
    in_threads(with_section_variable);
    check(total == expected && queued == 0, "and with a critical section");
    EnterCriticalSection(&section);
    SetLastError(0);
    check(!SleepConditionVariableCS(&not_full, &section, 5) && GetLastError() == ERROR_TIMEOUT, "a wait has an end");
    check(section.OwningThread == (HANDLE)(ULONG_PTR)GetCurrentThreadId(), "with the section taken again");
    LeaveCriticalSection(&section);
    DeleteCriticalSection(&section);
}

/* A number that the threads change in turn: each waits for its own. */
static volatile LONG turn;
static DWORD WINAPI in_turn(LPVOID number) {
    for (LONG i = 0; i < ROUNDS / 4; i++) {
        LONG mine = i * THREADS + (LONG)(LONG_PTR)number, now;
        while ((now = read_count(&turn)) != mine)
            WaitOnAddress(&turn, &now, sizeof now, INFINITE);
        change();
        add(&turn, 1);
        WakeByAddressAll((PVOID)&turn);
    }
    return 0;
}

static volatile LONG tokens;
static DWORD WINAPI with_tokens(LPVOID number) {
    (void)number;
    for (int i = 0; i < ROUNDS / 4; i++) {
        LONG none = 0, have = read_count(&tokens);
        while (have <= 0 || !__atomic_compare_exchange_n(&tokens, &have, have - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            if (have <= 0)
                WaitOnAddress(&tokens, &none, sizeof none, INFINITE);
            have = read_count(&tokens);
        }
        change();
        add(&tokens, 1);
        WakeByAddressSingle((PVOID)&tokens);
    }
    return 0;
}

static void addresses(void) {
    LONG value = 5, same = 5, another = 6;
    turn = 0;
    in_threads(in_turn);
    check(turn == THREADS * (ROUNDS / 4) && changed(THREADS * (ROUNDS / 4)), "threads that wait for a value take turns");
    tokens = 1;
    in_threads(with_tokens);
    check(tokens == 1 && changed(THREADS * (ROUNDS / 4)), "a lock made of a value has one owner");
    check(WaitOnAddress(&value, &another, sizeof value, INFINITE), "another value is not waited for");
    SetLastError(0);
    check(!WaitOnAddress(&value, &same, sizeof value, 5) && GetLastError() == ERROR_TIMEOUT, "a wait for a value has an end");
}

static INIT_ONCE onces[50];
static volatile LONG done, refused;
static BOOL CALLBACK initialise(PINIT_ONCE once, PVOID parameter, PVOID *context) {
    (void)once;
    SleepEx(0, FALSE);
    add(&done, 1);
    *context = parameter;
    return TRUE;
}

static DWORD WINAPI once_each(LPVOID number) {
    (void)number;
    for (ULONG_PTR i = 0; i < 50; i++) {
        LPVOID context = NULL;
        if (!InitOnceExecuteOnce(&onces[i], initialise, (PVOID)((i + 1) * 16), &context) || context != (PVOID)((i + 1) * 16))
            add(&wrong, 1);
    }
    return 0;
}

static INIT_ONCE failing = INIT_ONCE_STATIC_INIT;
static BOOL CALLBACK third_time(PINIT_ONCE once, PVOID parameter, PVOID *context) {
    (void)once, (void)parameter, (void)context;
    return add(&done, 1) == 3;
}

static DWORD WINAPI until_it_is_done(LPVOID number) {
    (void)number;
    while (!InitOnceExecuteOnce(&failing, third_time, NULL, NULL))
        add(&refused, 1);
    return 0;
}

static void once(void) {
    in_threads(once_each);
    check(done == 50 && wrong == 0, "each of 50 things is done once, and all see what came of it");
    done = refused = 0;
    in_threads(until_it_is_done);
    check(done == 3 && refused == 2, "what fails is tried again, until it is done");
    INIT_ONCE step = INIT_ONCE_STATIC_INIT;
    BOOL pending = FALSE;
    LPVOID context = NULL;
    check(InitOnceBeginInitialize(&step, 0, &pending, &context) && pending, "it can be done in two steps");
    check(InitOnceComplete(&step, 0, (LPVOID)0x40), "the second");
    check(InitOnceBeginInitialize(&step, 0, &pending, &context) && !pending && context == (LPVOID)0x40, "is the last");
}

static SYNCHRONIZATION_BARRIER barrier;
static volatile LONG arrived, last;
static DWORD WINAPI at_barrier(LPVOID number) {
    (void)number;
    for (LONG i = 1; i <= 200; i++) {
        add(&arrived, 1);
        if (EnterSynchronizationBarrier(&barrier, 0))
            add(&last, 1);
        if (read_count(&arrived) < i * THREADS)
            add(&wrong, 1);
        EnterSynchronizationBarrier(&barrier, 0);
    }
    return 0;
}

static void barriers(void) {
    InitializeSynchronizationBarrier(&barrier, THREADS, -1);
    in_threads(at_barrier);
    check(arrived == 200 * THREADS && wrong == 0, "nobody passes a barrier before all have come");
    check(last == 200, "and one is the last each time");
    DeleteSynchronizationBarrier(&barrier);
}

static HANDLE mutex, semaphore;
static volatile LONG inside;
static DWORD WINAPI with_mutex(LPVOID number) {
    (void)number;
    for (int i = 0; i < ROUNDS / 10; i++) {
        WaitForSingleObject(mutex, INFINITE);
        change();
        ReleaseMutex(mutex);
        WaitForSingleObject(semaphore, INFINITE);
        if (add(&inside, 1) > 3)
            add(&wrong, 1);
        add(&inside, -1);
        ReleaseSemaphore(semaphore, 1, NULL);
    }
    return 0;
}

static void objects(void) {
    LONG before = 0;
    mutex = CreateMutexW(NULL, FALSE, NULL);
    semaphore = CreateSemaphoreW(NULL, 3, 3, NULL);
    in_threads(with_mutex);
    check(changed(THREADS * (ROUNDS / 10)), "a mutex is one thread's, and a semaphore of three is three threads'");
    SetLastError(0);
    check(!ReleaseSemaphore(semaphore, 1, &before) && GetLastError() == 298, "a semaphore has a limit");
    CloseHandle(mutex);
    CloseHandle(semaphore);
}

static DWORD indexes[100], fiber_index;
static volatile LONG told;
static VOID CALLBACK value_goes(PVOID value) { add(&told, (LONG)(LONG_PTR)value); }

static DWORD WINAPI with_slots(LPVOID number) {
    for (ULONG_PTR i = 0; i < 100; i++) {
        if (TlsGetValue(indexes[i]) != NULL)
            add(&wrong, 1);
        TlsSetValue(indexes[i], (LPVOID)(i * 8 + (ULONG_PTR)number));
    }
    if (FlsGetValue(fiber_index) != NULL)
        add(&wrong, 1);
    FlsSetValue(fiber_index, (PVOID)((ULONG_PTR)number + 1));
    SleepEx(1, FALSE);
    for (ULONG_PTR i = 0; i < 100; i++)
        if (TlsGetValue(indexes[i]) != (LPVOID)(i * 8 + (ULONG_PTR)number))
            add(&wrong, 1);
    return 0;
}

static void slots(void) {
    int different = 1;
    for (int i = 0; i < 100; i++) {
        indexes[i] = TlsAlloc();
        for (int j = 0; j < i; j++)
            different &= indexes[i] != indexes[j];
    }
    check(different && indexes[99] != TLS_OUT_OF_INDEXES, "100 indexes are taken");
    fiber_index = FlsAlloc(value_goes);
    in_threads(with_slots);
    check(wrong == 0, "each thread has its own values");
    check(told == 36, "each thread's end tells of its value once");
    for (int i = 0; i < 100; i++)
        TlsFree(indexes[i]);
    SetLastError(0);
    check(!TlsFree(indexes[0]) && GetLastError() == 87, "an index that was given back cannot be given back");
    check(FlsFree(fiber_index) && !FlsFree(fiber_index), "nor one of fibers");
}

static volatile LONG timer_calls;
static VOID CALLBACK timer_routine(LPVOID argument, DWORD low, DWORD high) {
    (void)low, (void)high;
    add(argument, 1);
}

static void waitable_timers(void) {
    LARGE_INTEGER due = {.QuadPart = -20 * 10000};
    HANDLE timer = CreateWaitableTimerW(NULL, TRUE, NULL);
    check(WaitForSingleObject(timer, 0) == WAIT_TIMEOUT, "a timer that is not set is not signalled");
    check(SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE) && WaitForSingleObject(timer, INFINITE) == WAIT_OBJECT_0, "one that is set comes");
    check(WaitForSingleObject(timer, 0) == WAIT_OBJECT_0, "and stays signalled");
    due.QuadPart = -36000000000LL;
    SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE);
    check(WaitForSingleObject(timer, 0) == WAIT_TIMEOUT, "until it is set again");
    check(CancelWaitableTimer(timer) && WaitForSingleObject(timer, 10) == WAIT_TIMEOUT, "one that was stopped does not come");
    due.QuadPart = -10 * 10000;
    SetWaitableTimer(timer, &due, 0, timer_routine, (LPVOID)&timer_calls, FALSE);
    check(SleepEx(INFINITE, TRUE) == WAIT_IO_COMPLETION && timer_calls == 1, "its routine is called in an alertable wait");
    CloseHandle(timer);
}

int main(void) {
    critical_sections();
    slim_locks();
    condition_variables();
    addresses();
    once();
    barriers();
    objects();
    slots();
    waitable_timers();
    return finish();
}
