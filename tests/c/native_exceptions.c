/* build: /entry:start /subsystem:native */
/* Exceptions with nothing but ntdll: caught, continued, with __finally in between. Ends with the number of failures. */
#include <excpt.h>

static int failures;

static void say(const char *text) {
    WCHAR wide[128];
    USHORT length = 0;
    while (text[length] && length < 127) {
        wide[length] = (WCHAR)text[length];
        length++;
    }
    UNICODE_STRING string = {(USHORT)(length * 2), (USHORT)(length * 2), wide};
    NtDisplayString(&string);
}

static void check(int good, const char *what) {
    say(good ? "ok      " : "failed  ");
    say(what);
    say("\n");
    failures += !good;
}

static volatile int order;

__declspec(noinline) static void touch(volatile int *place) { *place = 1; }

__declspec(noinline) static int caught(void) {
    volatile int state = 0;
    __try {
        state = 1;
        touch((volatile int *)16);
        state = 2;
    } __except (GetExceptionCode() == STATUS_ACCESS_VIOLATION) {
        return state == 1 ? 7 : 8;
    }
    return 9;
}

__declspec(noinline) static void raise(DWORD code) {
    EXCEPTION_RECORD record = {0};
    record.ExceptionCode = code;
    RtlRaiseException(&record);
    order = order * 10 + 5;
}

__declspec(noinline) static void with_finally(void) {
    __try {
        raise(0xE0000001);
    } __finally {
        order = order * 10 + 2;
    }
}

static int filter(EXCEPTION_POINTERS *pointers) {
    order = order * 10 + 1;
    return pointers->ExceptionRecord->ExceptionCode == 0xE0000001 ? EXCEPTION_EXECUTE_HANDLER
                                                                 : EXCEPTION_CONTINUE_EXECUTION;
}

__declspec(noinline) static void outer(void) {
    __try {
        with_finally();
    } __except (filter(GetExceptionInformation())) {
        order = order * 10 + 3;
    }
}

__declspec(noinline) static void continued(void) {
    __try {
        raise(0xE0000002);
        order = order * 10 + 4;
    } __except (filter(GetExceptionInformation())) {
        order = -1;
    }
}

void start(void) {
    check(caught() == 7, "an access violation is caught in its own function");
    outer();
    check(order == 123, "filter, __finally, __except");
    order = 0;
    continued();
    check(order == 154, "execution goes on behind a filter that says so");
    NtTerminateProcess((HANDLE)(LONG_PTR)-1, failures);
}
