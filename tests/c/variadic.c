/* ntdll's functions with an ellipsis: arguments in registers and on the stack, of all sizes, reach them. */
#include <stddef.h>
#include <string.h>
#include <windows.h>

#include "checks.h"

DECLSPEC_IMPORT int __cdecl sprintf(char *, const char *, ...);
DECLSPEC_IMPORT int __cdecl sprintf_s(char *, size_t, const char *, ...);
DECLSPEC_IMPORT int __cdecl _snprintf(char *, size_t, const char *, ...);
DECLSPEC_IMPORT int __cdecl _snprintf_s(char *, size_t, size_t, const char *, ...);
DECLSPEC_IMPORT int __cdecl _snwprintf(wchar_t *, size_t, const wchar_t *, ...);
DECLSPEC_IMPORT int __cdecl _snwprintf_s(wchar_t *, size_t, size_t, const wchar_t *, ...);
DECLSPEC_IMPORT int __cdecl swprintf_s(wchar_t *, size_t, const wchar_t *, ...);
DECLSPEC_IMPORT int __cdecl sscanf(const char *, const char *, ...);
DECLSPEC_IMPORT int __cdecl _snscanf_s(const char *, size_t, const char *, ...);
DECLSPEC_IMPORT int __cdecl swscanf_s(const wchar_t *, const wchar_t *, ...);
DECLSPEC_IMPORT ULONG __cdecl DbgPrint(const char *, ...);
DECLSPEC_IMPORT ULONG __cdecl DbgPrintEx(ULONG, ULONG, const char *, ...);
DECLSPEC_IMPORT VOID NTAPI DbgBreakPoint(void);

/* Called by address, so that the compiler makes nothing else of them. */
#define CALL(function) ((__typeof__(function) *volatile){function})

static char text[256];
static wchar_t wide[256];

static int is(int length, const char *expected) {
    int same = length == (int)strlen(expected) && strcmp(text, expected) == 0;
    if (!same)
        printf("        %d: %s\n", length, text);
    return same;
}

static int wide_is(int length, const char *expected) {
    size_t at = 0;
    while (expected[at] && wide[at] == (unsigned char)expected[at])
        at++;
    return length == (int)at && !expected[at] && !wide[at];
}

static void printing(void) {
    check(is(CALL(sprintf)(text, "%d %s", 5, "five"), "5 five"), "two arguments behind two named ones");
    check(is(CALL(sprintf)(text, "%d%d%d%d%d%d%d%d%d%d", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), "0123456789"),
          "more than fit into registers");
    check(is(CALL(sprintf)(text, "%I64d %s %I64x %c %d", -1234567890123LL, "x", 0xFEDCBA9876543210ULL, 'c', -1),
             "-1234567890123 x fedcba9876543210 c -1"),
          "of all sizes");
    check(is(CALL(sprintf_s)(text, sizeof text, "%s%s%s%s%s%s", "a", "b", "c", "d", "e", "f"), "abcdef"),
          "behind three named ones");
    check(is(CALL(_snprintf)(text, sizeof text, "%*d|%-*d|", 4, 7, 3, 8), "   7|8  |"), "widths");
    check(is(CALL(_snprintf_s)(text, sizeof text, 100, "%d %d %d %d %d %d", 1, 2, 3, 4, 5, 6), "1 2 3 4 5 6"),
          "behind four named ones");
    check(CALL(_snprintf)(text, 3, "%d", 12345) == -1 && memcmp(text, "123", 3) == 0, "what does not fit is cut");
    check(wide_is(CALL(_snwprintf)(wide, 256, L"%d %s %u", -3, L"wide", 4u), "-3 wide 4"), "wide text");
    check(wide_is(CALL(_snwprintf_s)(wide, 256, 200, L"%x-%x-%x-%x-%x", 1, 2, 3, 4, 5), "1-2-3-4-5"), "of four named ones");
    check(wide_is(CALL(swprintf_s)(wide, 256, L"%c%c", L'o', L'k'), "ok"), "of three");
}

static void reading(void) {
    int a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    char word[16] = "";
    check(CALL(sscanf)("1 2 3 4 5 6 7 8 end", "%d %d %d %d %d %d %d %d %s", &a, &b, &c, &d, &e, &f, &g, &h, word) == 9,
          "nine things are read");
    check(a == 1 && b == 2 && c == 3 && d == 4 && e == 5 && f == 6 && g == 7 && h == 8 && strcmp(word, "end") == 0,
          "into their places");
    a = 0;
    check(CALL(_snscanf_s)("123456", 3, "%d", &a) == 1 && a == 123, "no more than allowed");
    check(CALL(swscanf_s)(L"7,8", L"%d,%d", &a, &b) == 2 && a == 7 && b == 8, "wide text");
}

static void debugging(void) {
    check(CALL(DbgPrint)("%s %d\n", "nobody hears", 1) == 0, "a debugger that is not there is told");
    check(CALL(DbgPrintEx)(77, 0, "%s %d\n", "this", 2) == 0, "also of a component");
    int stopped = 0;
    __try {
        DbgBreakPoint();
    } __except (GetExceptionCode() == STATUS_BREAKPOINT) {
        stopped = 1;
    }
    check(stopped, "a breakpoint without a debugger is an exception");
}

int main(void) {
    printing();
    reading();
    debugging();
    return finish();
}
