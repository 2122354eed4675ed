/* Memory: blocks of the process heap. */
#include <stdint.h>
#include <stdlib.h>
#include <windows.h>

void *malloc(size_t size) { return HeapAlloc(GetProcessHeap(), 0, size); }

void *calloc(size_t count, size_t size) {
    if (size && count > SIZE_MAX / size)
        return NULL;
    return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, count * size);
}

void *realloc(void *block, size_t size) {
    if (!block)
        return malloc(size);
    if (!size) {
        free(block);
        return NULL;
    }
    return HeapReAlloc(GetProcessHeap(), 0, block, size);
}

void free(void *block) {
    if (block)
        HeapFree(GetProcessHeap(), 0, block);
}
