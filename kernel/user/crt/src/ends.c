/* How programs in C end: functions for the end. A DLL has its own, which are called when it goes. */
#include <stdlib.h>
#include <windows.h>

void kit_run_at_exit(void);

/* Functions for the end, the last first. */
#define MOST_AT_EXIT 64
static void (*at_exit[MOST_AT_EXIT])(void);
static LONG at_exit_count;

int atexit(void (*function)(void)) {
    if (at_exit_count == MOST_AT_EXIT)
        return 1;
    at_exit[at_exit_count++] = function;
    return 0;
}

/* For an exit, and for a DLL that goes. */
void kit_run_at_exit(void) {
    while (at_exit_count > 0)
        at_exit[--at_exit_count]();
}

void exit(int code) {
    kit_run_at_exit();
    ExitProcess((UINT)code);
}

void _exit(int code) { ExitProcess((UINT)code); }

void abort(void) {
    /* What Windows' library ends with. */
    TerminateProcess(GetCurrentProcess(), 3);
    for (;;)
        ;
}
