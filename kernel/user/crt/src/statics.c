/* C++'s variables of functions that are made when control first comes to them: by one thread, while others wait.

   The compiler gives each variable a guard and compares it with a number of the thread: a guard that is not above it was
   made before the thread last looked, and needs no call. */
#include <limits.h>
#include <windows.h>

enum { NOT_MADE = 0, BEING_MADE = -1 };

static SRWLOCK lock;
static CONDITION_VARIABLE changed;
/* What the guard of the variable that was made last has. */
static int epoch = INT_MIN;
__declspec(thread) int _Init_thread_epoch = INT_MIN;

/* Before a variable is made; leaves the guard at BEING_MADE if the caller is to make it. */
void _Init_thread_header(int *guard) {
    AcquireSRWLockExclusive(&lock);
    while (*guard == BEING_MADE)
        SleepConditionVariableSRW(&changed, &lock, INFINITE, 0);
    if (*guard == NOT_MADE)
        *guard = BEING_MADE;
    else
        _Init_thread_epoch = epoch;
    ReleaseSRWLockExclusive(&lock);
}

static void set(int *guard, int value) {
    *guard = value;
    ReleaseSRWLockExclusive(&lock);
    WakeAllConditionVariable(&changed);
}

/* The variable is made. */
void _Init_thread_footer(int *guard) {
    AcquireSRWLockExclusive(&lock);
    _Init_thread_epoch = ++epoch;
    set(guard, epoch);
}

/* Its constructor threw: the next one that comes by tries again. */
void _Init_thread_abort(int *guard) {
    AcquireSRWLockExclusive(&lock);
    set(guard, NOT_MADE);
}
