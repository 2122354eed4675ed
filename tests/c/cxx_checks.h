/* What tests of C++ exceptions have in common: checks, and what happened as a word, a letter for each event. */
#pragma once

#include "checks.h"

static char story[256];
static unsigned told;

static inline void tell(char what) {
    if (told < sizeof story - 1)
        story[told++] = what;
    story[told] = 0;
}

static inline void tell_number(int what) { tell(static_cast<char>('0' + what)); }

/* Whether that happened and nothing else; begins a new story. */
static inline bool was(const char *expected) {
    bool same = true;
    for (unsigned i = 0; same && i <= told; i++)
        same = story[i] == expected[i];
    if (!same)
        printf("story \"%s\", expected \"%s\"\n", story, expected);
    told = 0;
    story[0] = 0;
    return same;
}

/* Tells when it goes. */
struct Local {
    char name;
    explicit Local(char name) : name(name) {}
    ~Local() { tell(name); }
};
