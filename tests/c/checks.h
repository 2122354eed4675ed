/* Checks with names: a line each, and how many failed in the end. */
#pragma once

#include <stdio.h>

static int checks, failures;

static inline void check(int good, const char *what) {
    printf("%s %s\n", good ? "ok     " : "failed ", what);
    checks++;
    failures += !good;
}

/* The last line, and what a program of checks ends with. */
static inline int finish(void) {
    printf("%d checks, %d failed\n", checks, failures);
    return failures;
}
