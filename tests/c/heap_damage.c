/* Damages a heap in the way that the argument names, and uses it: the process ends there. */
#include <stdio.h>
#include <string.h>
#include <windows.h>

#define COUNT 64

static char *blocks[COUNT];

static void scribble(char *from, size_t size) {
    for (volatile char *place = from; size > 0; size--)
        *place++ = 0x41;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    HANDLE heap = GetProcessHeap();
    for (int i = 0; i < COUNT; i++)
        blocks[i] = HeapAlloc(heap, 0, strcmp(what, "large") ? 40 : 0x6000);
    if (!strcmp(what, "overrun"))
        scribble(blocks[20], 160);
    else if (!strcmp(what, "large"))
        scribble(blocks[20], 0x6000 + 160);
    else if (!strcmp(what, "underrun"))
        scribble(blocks[20] - 16, 16);
    else if (!strcmp(what, "twice"))
        HeapFree(heap, 0, blocks[20]);
    else if (!strcmp(what, "middle"))
        blocks[20] += 16;
    else if (!strcmp(what, "stack"))
        blocks[20] = (char *)blocks;
    /* Blocks beside it are damaged too, so all are freed. */
    for (int i = 0; i < COUNT; i++)
        HeapFree(heap, 0, blocks[i]);
    printf("nobody saw it\n");
    return 1;
}
