/* The filter of exceptions that nobody handles: it answers what the argument names. Expectations are those of Microsoft's
   documentation of SetUnhandledExceptionFilter. */
#include <excpt.h>
#include <string.h>
#include <windows.h>

#include "checks.h"

static int answer;
static int asked;

static LONG WINAPI filter(EXCEPTION_POINTERS *pointers) {
    asked++;
    printf("asked about %08lx\n", pointers->ExceptionRecord->ExceptionCode);
    return answer;
}

static LONG WINAPI another(EXCEPTION_POINTERS *pointers) {
    (void)pointers;
    return EXCEPTION_EXECUTE_HANDLER;
}

static DWORD WINAPI raise(LPVOID code) {
    RaiseException((DWORD)(ULONG_PTR)code, 0, 0, NULL);
    return 9;
}

/* In a thread of its own, which has no frame of main's around it. */
static DWORD raised_in_thread(DWORD code) {
    DWORD ended = 0;
    HANDLE thread = CreateThread(NULL, 0, raise, (LPVOID)(ULONG_PTR)code, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    GetExitCodeThread(thread, &ended);
    CloseHandle(thread);
    return ended;
}

static int handled_before(void) {
    __try {
        RaiseException(0xE0000001, 0, 0, NULL);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return asked == 0;
    }
    return 0;
}

int main(int count, char **words) {
    const char *word = count > 1 ? words[1] : "";
    check(SetUnhandledExceptionFilter(another) == NULL && SetUnhandledExceptionFilter(filter) == another,
          "the filter before is given back");
    check(handled_before(), "what a frame handles, the filter does not see");
    answer = EXCEPTION_CONTINUE_EXECUTION;
    check(raised_in_thread(0xE0000002) == 9 && asked == 1, "a thread goes on if the filter says so");
    if (strcmp(word, "execute") == 0)
        answer = EXCEPTION_EXECUTE_HANDLER;
    else if (strcmp(word, "search") == 0)
        answer = EXCEPTION_CONTINUE_SEARCH;
    else
        return finish();
    raised_in_thread(0xE0000003);
    printf("failed the process goes on\n");
    return 1;
}
