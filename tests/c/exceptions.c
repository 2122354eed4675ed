/* Structured exceptions as clang compiles them: scopes in scopes, exceptions in filters and in __finally, vectored
   handlers, guard pages, the end of the stack. What is expected is what Microsoft's documentation of the language says.
   A run-time for x86 that is compatible with Windows' says the same, but calls no continue handlers behind a vectored handler
   that continues. */
#include <excpt.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "checks.h"

#define OWN 0xE0001234

/* What happened, in order. */
static char happened[64];

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

static int noting(const char *what, int answer) {
    note(what);
    return answer;
}

__declspec(noinline) static void raise(DWORD code) { RaiseException(code, 0, 0, NULL); }
__declspec(noinline) static void write_to(volatile int *place) { *place = 1; }

__declspec(noinline) static void scopes_in_scopes(void) {
    __try {
        __try {
            __try {
                raise(OWN);
            } __finally {
                note(AbnormalTermination() ? "F1" : "f1");
            }
        } __except (noting("S", EXCEPTION_CONTINUE_SEARCH)) {
            note("X");
        }
    } __except (noting("T", EXCEPTION_EXECUTE_HANDLER)) {
        note("H");
    }
    check(noted("STF1H"), "filters are asked inside out, then __finally, then the block");
}

__declspec(noinline) static void normal_end(void) {
    __try {
        note("a");
    } __finally {
        note(AbnormalTermination() ? "X" : "f");
    }
    check(noted("af"), "__finally runs when nothing is raised, and knows it");
}

__declspec(noinline) static void deep(int depth) {
    __try {
        if (depth == 0)
            raise(OWN);
        else
            deep(depth - 1);
    } __finally {
        note(".");
    }
}

__declspec(noinline) static void many_frames(void) {
    __try {
        deep(20);
    } __except (GetExceptionCode() == OWN) {
        note("H");
    }
    check(noted(".....................H"), "each of 21 frames is unwound once");
}

/* The scope whose filter raises is asked about that exception too. */
static int filter_that_raises(DWORD code) {
    if (code == OWN) {
        note("r");
        raise(OWN + 1);
    }
    note("s");
    return EXCEPTION_CONTINUE_SEARCH;
}

__declspec(noinline) static void raised_in_filter(void) {
    __try {
        __try {
            raise(OWN);
        } __except (filter_that_raises(GetExceptionCode())) {
            note("X");
        }
    } __except (noting(GetExceptionCode() == OWN + 1 ? "N" : "O", EXCEPTION_EXECUTE_HANDLER)) {
        note(GetExceptionCode() == OWN + 1 ? "n" : "o");
    }
    check(noted("rsNn"), "an exception in a filter is given to the scopes around it");
}

__declspec(noinline) static void raised_in_finally(void) {
    __try {
        __try {
            __try {
                raise(OWN);
            } __finally {
                note("1");
                raise(OWN + 1);
            }
        } __finally {
            note("2");
        }
    } __except (noting(GetExceptionCode() == OWN ? "O" : "N", EXCEPTION_EXECUTE_HANDLER)) {
        note(GetExceptionCode() == OWN ? "o" : "n");
    }
    check(noted("O1N2n"), "an exception in __finally replaces the first: the unwinds collide");
}

__declspec(noinline) static void finally_that_raises(void) {
    __try {
        raise(OWN);
    } __finally {
        note("a");
        raise(OWN + 2);
    }
}

__declspec(noinline) static void collided_over_frames(void) {
    __try {
        __try {
            finally_that_raises();
        } __except (GetExceptionCode() == OWN ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
            note("X");
        }
    } __except (GetExceptionCode() == OWN + 2 ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
        note("h");
    }
    check(noted("ah"), "unwinds that collide go on behind the frame that raised");
}

__declspec(noinline) static int left_by_return(void) {
    __try {
        __try {
            return 5;
        } __finally {
            note("r");
        }
    } __finally {
        note("s");
    }
}

__declspec(noinline) static void left_early(void) {
    check(left_by_return() == 5 && noted("rs"), "a return runs the __finally blocks that it leaves");
}

__declspec(noinline) static void exception_in_handler_block(void) {
    __try {
        __try {
            raise(OWN);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            note("1");
            raise(OWN + 1);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        note(GetExceptionCode() == OWN + 1 ? "2" : "x");
    }
    check(noted("12"), "an exception in an __except block goes outward");
}

static int not_continuable(DWORD code) {
    if (code == OWN)
        return EXCEPTION_CONTINUE_EXECUTION;
    return code == STATUS_NONCONTINUABLE_EXCEPTION ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH;
}

__declspec(noinline) static void noncontinuable(void) {
    DWORD code = 0;
    __try {
        RaiseException(OWN, EXCEPTION_NONCONTINUABLE, 0, NULL);
    } __except (not_continuable(code = GetExceptionCode())) {
        note("h");
    }
    check(noted("h") && code == STATUS_NONCONTINUABLE_EXCEPTION, "to continue what cannot be continued is an exception");
}

static int parameters_are_right(EXCEPTION_POINTERS *pointers) {
    EXCEPTION_RECORD *record = pointers->ExceptionRecord;
    return record->NumberParameters == 3 && record->ExceptionInformation[0] == 7 && record->ExceptionInformation[2] == 9 &&
           CONTEXT_PC(pointers->ContextRecord) != 0;
}

__declspec(noinline) static void parameters(void) {
    const ULONG_PTR values[3] = {7, 8, 9};
    __try {
        RaiseException(OWN, 0, 3, values);
    } __except (parameters_are_right(GetExceptionInformation())) {
        note("p");
    }
    check(noted("p"), "a filter sees the parameters");
}

static void *mended;

static int mend(EXCEPTION_POINTERS *pointers) {
    EXCEPTION_RECORD *record = pointers->ExceptionRecord;
    if (record->ExceptionCode != STATUS_ACCESS_VIOLATION || record->ExceptionInformation[0] != 1 ||
        record->ExceptionInformation[1] != (ULONG_PTR)mended)
        return EXCEPTION_EXECUTE_HANDLER;
    return VirtualAlloc(mended, 4096, MEM_COMMIT, PAGE_READWRITE) ? EXCEPTION_CONTINUE_EXECUTION : EXCEPTION_EXECUTE_HANDLER;
}

__declspec(noinline) static void continued(void) {
    mended = VirtualAlloc(NULL, 4096, MEM_RESERVE, PAGE_READWRITE);
    __try {
        write_to(mended);
        note("w");
    } __except (mend(GetExceptionInformation())) {
        note("X");
    }
    check(noted("w") && *(int *)mended == 1, "a filter gives memory to who writes, and the write goes on");
    VirtualFree(mended, 0, MEM_RELEASE);
}

__declspec(noinline) static void guard_page(void) {
    char *page = VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE | PAGE_GUARD);
    __try {
        write_to((volatile int *)page);
        note("X");
    } __except (GetExceptionCode() == STATUS_GUARD_PAGE_VIOLATION) {
        note("g");
    }
    write_to((volatile int *)page);
    check(noted("g") && page[0] == 1, "a guard page is an exception once");
    VirtualFree(page, 0, MEM_RELEASE);
}

static LONG NTAPI vectored(EXCEPTION_POINTERS *pointers) {
    note("v");
    return pointers->ExceptionRecord->ExceptionCode == OWN ? EXCEPTION_CONTINUE_EXECUTION : EXCEPTION_CONTINUE_SEARCH;
}

static LONG NTAPI vectored_first(EXCEPTION_POINTERS *pointers) {
    (void)pointers;
    note("1");
    return EXCEPTION_CONTINUE_SEARCH;
}

static LONG NTAPI before_continuing(EXCEPTION_POINTERS *pointers) {
    (void)pointers;
    note("c");
    return EXCEPTION_CONTINUE_SEARCH;
}

__declspec(noinline) static void vectored_handlers(void) {
    PVOID one = AddVectoredExceptionHandler(1, vectored);
    PVOID two = AddVectoredExceptionHandler(1, vectored_first);
    PVOID three = AddVectoredContinueHandler(1, before_continuing);
    __try {
        raise(OWN);
        note("a");
        raise(OWN + 1);
    } __except (noting("f", EXCEPTION_EXECUTE_HANDLER)) {
        note("h");
    }
    check(noted("1vca1vfh"), "vectored handlers come before frames, continue handlers before going on");
    check(RemoveVectoredExceptionHandler(one) && RemoveVectoredExceptionHandler(two) &&
              RemoveVectoredContinueHandler(three) && !RemoveVectoredExceptionHandler(one),
          "vectored handlers are removed once");
    __try {
        raise(OWN);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        note("h");
    }
    check(noted("h"), "vectored handlers that are removed are not asked");
}

__declspec(noinline) static int endless(volatile char *before) {
    volatile char here[512];
    here[0] = before ? before[0] : 1;
    return here[0] > 100 ? 0 : endless(here) + here[0];
}

static DWORD WINAPI overflow(LPVOID argument) {
    (void)argument;
    DWORD code = 0;
    __try {
        endless(NULL);
    } __except (code = GetExceptionCode(), EXCEPTION_EXECUTE_HANDLER) {
        return code;
    }
    return 0;
}

__declspec(noinline) static void stack_overflow(void) {
    DWORD code = 0;
    HANDLE thread = CreateThread(NULL, 0, overflow, NULL, 0, NULL);
    check(WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0 && GetExitCodeThread(thread, &code) &&
              code == STATUS_STACK_OVERFLOW,
          "the end of the stack is an exception that can be caught");
    CloseHandle(thread);
}

/* What is to fault is in functions of its own: the compiler takes calls alone for what can raise. */
__declspec(noinline) static void illegal(void) {
#if defined(__aarch64__)
    __asm__ volatile(".inst 0");
#else
    __asm__ volatile("ud2");
#endif
}

__declspec(noinline) static void breakpoint(void) { __debugbreak(); }

#if !defined(__aarch64__)
__declspec(noinline) static int divide(volatile int by) { return 7 / by; }
#endif

__declspec(noinline) static void instructions(void) {
    __try {
        illegal();
        note("X");
    } __except (GetExceptionCode() == STATUS_ILLEGAL_INSTRUCTION) {
        note("i");
    }
    __try {
        breakpoint();
        note("X");
    } __except (GetExceptionCode() == STATUS_BREAKPOINT) {
        note("b");
    }
    check(noted("ib"), "illegal instructions and breakpoints are exceptions");
#if !defined(__aarch64__)
    __try {
        note(divide(0) ? "X" : "Y");
    } __except (GetExceptionCode() == STATUS_INTEGER_DIVIDE_BY_ZERO) {
        note("d");
    }
    check(noted("d"), "a division by zero is an exception");
#endif
}

static volatile int resumed;

__declspec(noinline) static void captured(void) {
    CONTEXT context;
    resumed = 0;
    RtlCaptureContext(&context);
    if (resumed++ < 3)
        RtlRestoreContext(&context, NULL);
    check(resumed == 4, "a thread goes back to a captured context");
    resumed = 0;
    RtlCaptureContext(&context);
    if (resumed++ < 3)
        NtContinue(&context, FALSE);
    check(resumed == 4, "a thread goes back to a captured context through the kernel");
}

static void NTAPI apc_that_raises(ULONG_PTR argument) {
    __try {
        raise(OWN + (DWORD)argument);
    } __except (GetExceptionCode() == OWN + 3) {
        note("c");
    }
}

static void NTAPI apc_that_lets_raise(ULONG_PTR argument) { raise(OWN + (DWORD)argument); }

__declspec(noinline) static void apcs(void) {
    QueueUserAPC(apc_that_raises, GetCurrentThread(), 3);
    check(SleepEx(0, TRUE) == 0xC0 && noted("c"), "an APC catches what it raises");
    __try {
        QueueUserAPC(apc_that_lets_raise, GetCurrentThread(), 4);
        SleepEx(0, TRUE);
        note("X");
    } __except (GetExceptionCode() == OWN + 4) {
        note("o");
    }
    check(noted("o"), "what an APC does not catch goes to the code that it interrupted");
}

int main(void) {
    scopes_in_scopes();
    normal_end();
    many_frames();
    raised_in_filter();
    raised_in_finally();
    collided_over_frames();
    left_early();
    exception_in_handler_block();
    noncontinuable();
    parameters();
    continued();
    guard_page();
    vectored_handlers();
    stack_overflow();
    instructions();
    captured();
    apcs();
    return finish();
}
