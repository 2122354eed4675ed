/* build: /export:loader_entries,DATA /export:loader_order,DATA /export:loader_mistakes,DATA /export:loader_failing,DATA /export:loader_told /export:loader_called_back */
/* What many DLLs tell of themselves, in one place. Whoever writes holds the loader lock. */
#include <windows.h>

#include "loader_log.h"

struct loader_entry loader_entries[MOST_DLLS];
long loader_order, loader_mistakes, loader_failing = -1;

/* A DLL was called for a reason: says whether it may stay. */
int loader_told(int number, unsigned long reason) {
    struct loader_entry *entry = &loader_entries[number];
    switch (reason) {
    case DLL_PROCESS_ATTACH:
        loader_mistakes += entry->attached != entry->detached || entry->callbacks != entry->attached + entry->detached + 1;
        entry->attached++;
        entry->came = ++loader_order;
        return number != loader_failing;
    case DLL_PROCESS_DETACH:
        loader_mistakes += entry->attached != entry->detached + 1 || entry->callbacks != entry->attached + entry->detached + 1;
        entry->detached++;
        entry->went = ++loader_order;
        break;
    case DLL_THREAD_ATTACH:
        entry->threads_came++;
        break;
    default:
        entry->threads_went++;
    }
    return 1;
}

/* A TLS callback of a DLL was called. */
void loader_called_back(int number, unsigned long reason) {
    if (reason == DLL_PROCESS_ATTACH || reason == DLL_PROCESS_DETACH)
        loader_entries[number].callbacks++;
}
