/* The heap under eight threads, which hand blocks to each other, against a model: of each block its size, and what was written
   into it. An argument says how many operations each thread does. */
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "checks.h"

#define THREADS 8
#define OWN 48
#define SHARED 64
#define HEAPS 4
#define HEAP_REALLOC_IN_PLACE_ONLY 0x10
#define STRIDE 1021

/* What is known of a block; without an address there is none. */
struct block {
    BYTE *address;
    SIZE_T size;
    BYTE seed;
    int heap;
};

static HANDLE heaps[HEAPS];
static struct block blocks[THREADS * OWN + SHARED];
/* Blocks on their way from thread to thread. */
static struct block *shared[SHARED];
static volatile LONG wrong, refused, done;
static LONG operations;

static void complain(const char *what, const struct block *block) {
    if (InterlockedIncrement(&wrong) < 10)
        printf("        %s: heap %d, block %p of %zu bytes\n", what, block->heap, block->address, block->size);
}

static DWORD next(ULONGLONG *random) {
    *random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (DWORD)(*random >> 33);
}

static BYTE expected(const struct block *block, SIZE_T at) { return (BYTE)(block->seed + at * 7 + (at >> 8)); }

/* The next place of a block that is written and checked: its ends, and some between. */
static SIZE_T after(const struct block *block, SIZE_T at) {
    if (at < 64 || at + 64 >= block->size)
        return at + 1;
    return at + STRIDE < block->size - 64 ? at + STRIDE : block->size - 64;
}

static void fill(struct block *block, BYTE seed) {
    block->seed = seed;
    for (SIZE_T at = 0; at < block->size; at = after(block, at))
        block->address[at] = expected(block, at);
}

/* Whether a block has what was written, up to a size that it may have had before. */
static int is_whole(const struct block *block) {
    for (SIZE_T at = 0; at < block->size; at = after(block, at))
        if (block->address[at] != expected(block, at))
            return 0;
    return HeapSize(heaps[block->heap], 0, block->address) == block->size;
}

static int is_zero(const BYTE *from, SIZE_T size) {
    for (SIZE_T at = 0; at < size; at += at < 64 || at + 64 >= size ? 1 : STRIDE)
        if (from[at])
            return 0;
    return 1;
}

static SIZE_T random_size(ULONGLONG *random) {
    DWORD kind = next(random) % 100, value = next(random);
    if (kind < 60)
        return value % 257;
    if (kind < 85)
        return value % 4097;
    if (kind < 95)
        return value % 0x10001;
    return value % (kind < 99 ? 0x90000 : 0x180000);
}

static void allocate(struct block *block, ULONGLONG *random) {
    DWORD flags = next(random) % 4 ? 0 : HEAP_ZERO_MEMORY;
    block->heap = (int)(next(random) % HEAPS);
    block->size = random_size(random);
    block->address = HeapAlloc(heaps[block->heap], flags, block->size);
    if (!block->address) {
        /* One heap has an end. */
        if (block->heap != HEAPS - 1)
            complain("no block", block);
        InterlockedIncrement(&refused);
        return;
    }
    if ((ULONG_PTR)block->address % 16)
        complain("a block at an odd place", block);
    if (flags && !is_zero(block->address, block->size))
        complain("a block that is not zero", block);
    fill(block, (BYTE)next(random));
}

static void reallocate(struct block *block, ULONGLONG *random) {
    DWORD flags = (next(random) % 4 ? 0 : HEAP_REALLOC_IN_PLACE_ONLY) | (next(random) % 4 ? 0 : HEAP_ZERO_MEMORY);
    SIZE_T size = random_size(random), before = block->size;
    BYTE *address = HeapReAlloc(heaps[block->heap], flags, block->address, size);
    if (!address) {
        InterlockedIncrement(&refused);
        if (!(flags & HEAP_REALLOC_IN_PLACE_ONLY) && block->heap != HEAPS - 1)
            complain("a block that does not change its size", block);
        if (!is_whole(block))
            complain("a block that was changed though it was refused", block);
        return;
    }
    if (flags & HEAP_REALLOC_IN_PLACE_ONLY && address != block->address)
        complain("a block that moved and should not", block);
    SIZE_T kept = size < before ? size : before;
    for (SIZE_T at = 0; at < kept; at = after(block, at))
        if (address[at] != expected(block, at)) {
            complain("a block that lost what was in it", block);
            break;
        }
    if (flags & HEAP_ZERO_MEMORY && size > before && !is_zero(address + before, size - before))
        complain("a block that grew by something", block);
    block->address = address;
    block->size = size;
    fill(block, (BYTE)next(random));
}

static void give_back(struct block *block) {
    if (!is_whole(block))
        complain("a block with something else in it", block);
    if (!HeapFree(heaps[block->heap], 0, block->address))
        complain("a block that cannot be freed", block);
    block->address = NULL;
}

static DWORD WINAPI torture(LPVOID argument) {
    struct block *own[OWN];
    LONG number = (LONG)(LONG_PTR)argument;
    ULONGLONG random = (ULONGLONG)number * 977 + 3;
    for (int i = 0; i < OWN; i++)
        own[i] = &blocks[number * OWN + i];
    for (LONG operation = 0; operation < operations; operation++) {
        struct block **place = &own[next(&random) % OWN], *block = *place;
        DWORD what = next(&random) % 16;
        if (what < 4)
            *place = InterlockedExchangePointer(&shared[next(&random) % SHARED], block);
        else if (!block->address)
            allocate(block, &random);
        else if (what < 8)
            reallocate(block, &random);
        else if (what < 13)
            give_back(block);
        else if (what == 13 && !HeapValidate(heaps[block->heap], 0, block->address))
            complain("a block that is not good", block);
        else if (!is_whole(block))
            complain("a block that somebody else wrote to", block);
        if (operation % 4096 == number && !HeapValidate(heaps[operation / 4096 % HEAPS], 0, NULL))
            complain("a heap that is not good", block);
        InterlockedIncrement(&done);
    }
    return 0;
}

static struct block *find(const void *address, int heap) {
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        if (blocks[i].address == address && blocks[i].heap == heap)
            return &blocks[i];
    return NULL;
}

/* How many blocks a walk over a heap finds, and whether each is one that the model has, with its size. */
static int walk(int heap, int *all_known) {
    PROCESS_HEAP_ENTRY entry;
    int found = 0;
    entry.lpData = NULL;
    HeapLock(heaps[heap]);
    while (HeapWalk(heaps[heap], &entry)) {
        if (!(entry.wFlags & PROCESS_HEAP_ENTRY_BUSY))
            continue;
        struct block *block = find(entry.lpData, heap);
        *all_known = *all_known && block && block->size == entry.cbData;
        found++;
    }
    *all_known = *all_known && GetLastError() == ERROR_NO_MORE_ITEMS;
    HeapUnlock(heaps[heap]);
    return found;
}

static void compare_with_walks(void) {
    for (int heap = 1; heap < HEAPS; heap++) {
        int known = 1, expected_blocks = 0, found = walk(heap, &known);
        for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
            expected_blocks += blocks[i].address && blocks[i].heap == heap;
        check(known && found == expected_blocks, "a walk finds each block once, with its size");
    }
}

static void compare_after_all(void) {
    int all = 1;
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        if (blocks[i].address)
            give_back(&blocks[i]);
    check(wrong == 0, "what is left in the end is whole");
    for (int heap = 1; heap < HEAPS; heap++)
        all = all && walk(heap, &all) == 0;
    check(all, "when all is freed, walks find nothing");
    for (int heap = 0; heap < HEAPS; heap++)
        all = all && HeapValidate(heaps[heap], 0, NULL);
    check(all, "all heaps are good");
    for (int heap = 1; heap < HEAPS; heap++)
        all = all && HeapDestroy(heaps[heap]);
    check(all, "heaps are given up");
}

int main(int argc, char **argv) {
    HANDLE threads[THREADS];
    operations = argc > 1 ? atoi(argv[1]) : 10000;
    heaps[0] = GetProcessHeap();
    heaps[1] = HeapCreate(0, 0, 0);
    heaps[2] = HeapCreate(0, 0x10000, 0);
    heaps[3] = HeapCreate(0, 0x1000, 0x300000);
    check(heaps[1] && heaps[2] && heaps[3], "heaps are made");
    for (int i = 0; i < SHARED; i++)
        shared[i] = &blocks[THREADS * OWN + i];
    for (LONG_PTR i = 0; i < THREADS; i++)
        threads[i] = CreateThread(NULL, 0, torture, (LPVOID)i, 0, NULL);
    WaitForMultipleObjects(THREADS, threads, TRUE, INFINITE);
    printf("        %d operations, %d of which were refused\n", (int)done, (int)refused);
    check(done == THREADS * operations, "all threads come to their end");
    check(wrong == 0, "no block lost anything, or had too much, or another one's place");
    compare_with_walks();
    compare_after_all();
    return finish();
}
