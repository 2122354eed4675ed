/* The heap where memory ends: a million operations with more blocks than there is room for. What cannot be had is refused
   properly, and what was given back can be had again. */
#include <excpt.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "checks.h"

#define HEAP_GENERATE_EXCEPTIONS 4
#define MOST 60000
#define LARGE 0x20000

struct block {
    BYTE *address;
    SIZE_T size;
};

static struct block blocks[MOST];
static int count, wrong;
static SIZE_T total;

static DWORD next(void) {
    static ULONGLONG random = 12345;
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (DWORD)(random >> 33);
}

/* A block, with its number written to both ends; 0 if there is none. */
static int take(HANDLE heap, SIZE_T size) {
    BYTE *address = HeapAlloc(heap, 0, size);
    if (!address)
        return 0;
    address[0] = (BYTE)size;
    address[size - 1] = (BYTE)size;
    blocks[count].address = address;
    blocks[count++].size = size;
    total += size;
    return 1;
}

static void give(HANDLE heap, int number) {
    struct block *block = &blocks[number];
    wrong += block->address[0] != (BYTE)block->size || block->address[block->size - 1] != (BYTE)block->size;
    wrong += !HeapFree(heap, 0, block->address);
    total -= block->size;
    *block = blocks[--count];
}

static SIZE_T fill_up(HANDLE heap) {
    while (count < MOST && take(heap, LARGE))
        ;
    while (count < MOST && take(heap, 0x1000))
        ;
    return total;
}

__declspec(noinline) static void touch(volatile BYTE *room, int size) {
    for (int at = size - 1; at >= 0; at -= 0x400)
        room[at] = 1;
}

/* The stack gets its pages now: later there would be none for it. */
__declspec(noinline) static void grow_stack(void) {
    BYTE room[0x8000];
    touch(room, sizeof room);
}

static int raises(HANDLE heap) {
    __try {
        return HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, LARGE) == NULL ? 0 : -1;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode() == STATUS_NO_MEMORY;
    }
}

static void under_pressure(HANDLE heap, int operations) {
    int refused = 0;
    for (int i = 0; i < operations; i++) {
        DWORD what = next() % 16;
        SIZE_T size = what < 12 ? next() % 3000 + 1 : next() % LARGE + 1;
        if (count < MOST && what % 8 != 7) {
            if (take(heap, size))
                continue;
            refused++;
            /* A tenth goes, so that there is room for a while. */
            for (int gone = count / 10; gone > 0; gone--)
                give(heap, (int)(next() % (DWORD)count));
        } else if (count) {
            give(heap, (int)(next() % (DWORD)count));
        }
    }
    printf("        %d operations, %d refused, %zu MB in use\n", operations, refused, total >> 20);
    check(refused > 10, "memory ended again and again");
    check(wrong == 0, "blocks keep what is in them");
}

int main(int argc, char **argv) {
    int operations = argc > 1 ? atoi(argv[1]) : 1000000;
    HANDLE heap = HeapCreate(0, 0, 0);
    grow_stack();
    SIZE_T most = fill_up(heap);
    printf("        %zu MB are all that there is\n", most >> 20);
    check(count > 0 && count < MOST, "memory ends");
    check(!HeapAlloc(heap, 0, LARGE), "there is no more");
    check(raises(heap) == 1, "who wants an exception gets STATUS_NO_MEMORY");
    SIZE_T before = HeapSize(heap, 0, blocks[0].address);
    check(!HeapReAlloc(heap, 0, blocks[0].address, 2 * LARGE) && HeapSize(heap, 0, blocks[0].address) == before,
          "a block that cannot grow stays as it is");
    check(HeapValidate(heap, 0, NULL), "the heap is good when it is full");
    while (count)
        give(heap, count - 1);
    check(wrong == 0, "all blocks have what was written");
    under_pressure(heap, operations);
    check(HeapValidate(heap, 0, NULL), "the heap is good afterwards");
    while (count)
        give(heap, count - 1);
    check(HeapDestroy(heap), "it is given up");
    heap = HeapCreate(0, 0, 0);
    SIZE_T again = fill_up(heap);
    check(again > most - most / 20, "as much as at first can be had again");
    check(HeapDestroy(heap), "a heap is given up with all its blocks");
    return finish();
}
