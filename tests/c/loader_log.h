/* What DLLs tell of themselves to loader_log.dll. */
#pragma once

#define MOST_DLLS 200

struct loader_entry {
    /* How often the entry point heard of a process, and of threads. */
    long attached, detached, threads_came, threads_went;
    /* How often the TLS callback heard of a process. */
    long callbacks;
    /* When the DLL came and went last, among all. */
    long came, went;
};

#ifndef LOADER_LOG
#define LOADER_LOG
#endif
LOADER_LOG extern struct loader_entry loader_entries[MOST_DLLS];
/* A number for each event; how often something came out of turn; the DLL whose entry point says no, or -1. */
LOADER_LOG extern long loader_order, loader_mistakes, loader_failing;
LOADER_LOG int loader_told(int number, unsigned long reason);
LOADER_LOG void loader_called_back(int number, unsigned long reason);
