// What tests of C++ exceptions have in common. It needs ntdll alone.
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

static int checks, failures;

// Shows a text on the console.
static inline void say(const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int length = _vsnprintf(text, sizeof text - 1, format, arguments);
    va_end(arguments);
    if (length < 0)
        length = sizeof text - 1;
    WCHAR wide[256];
    for (int i = 0; i < length; i++)
        wide[i] = static_cast<unsigned char>(text[i]);
    UNICODE_STRING string = {static_cast<USHORT>(length * 2), static_cast<USHORT>(length * 2), wide};
    NtDisplayString(&string);
}

// Counts an expectation, and tells if it is not met.
static inline void check(bool good, const char *what) {
    checks++;
    failures += !good;
    if (!good)
        say("failed: %s\n", what);
}

// Tells the counts and ends the process with the number of failures.
static inline void finish() {
    say("%d checks, %d failed\n", checks, failures);
    NtTerminateProcess(reinterpret_cast<HANDLE>(static_cast<LONG_PTR>(-1)), failures);
}

// What happened, a letter each.
static char story[256];
static unsigned told;

static inline void tell(char what) {
    if (told < sizeof story - 1)
        story[told++] = what;
    story[told] = 0;
}

// Whether that happened and nothing else; begins a new story.
static inline bool was(const char *expected) {
    bool same = true;
    for (unsigned i = 0; same && i <= told; i++)
        same = story[i] == expected[i];
    if (!same)
        say("story \"%s\", expected \"%s\"\n", story, expected);
    told = 0;
    story[0] = 0;
    return same;
}

// Tells when it goes.
struct Local {
    char name;
    explicit Local(char name) : name(name) {}
    ~Local() { tell(name); }
};
