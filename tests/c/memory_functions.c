/* build: -fno-builtin */
/* Functions on memory: each size, each place in 16 bytes, and each overlap, beside a loop over bytes. What is expected is
   what the C standard says. */
#include <string.h>

#include "checks.h"

#define ROOM 1024
#define MOST 300

static unsigned char bytes[ROOM], expected[ROOM];

static void fill(void) {
    for (int i = 0; i < ROOM; i++)
        bytes[i] = expected[i] = (unsigned char)(i * 7 + (i >> 8));
}

/* The loops must not become calls of what is tested. */
static void move(int to, int from, int size) {
    static unsigned char copy[ROOM];
    volatile unsigned char *between = copy;
    for (int i = 0; i < size; i++)
        between[i] = expected[from + i];
    for (int i = 0; i < size; i++)
        expected[to + i] = between[i];
}

static void set(int to, int byte, int size) {
    volatile unsigned char *place = expected;
    for (int i = 0; i < size; i++)
        place[to + i] = (unsigned char)byte;
}

static int same(void) {
    for (int i = 0; i < ROOM; i++)
        if (bytes[i] != expected[i])
            return 0;
    return 1;
}

static int next_size(int size) { return size < 140 ? size + 1 : size + 13; }

static void copies(void) {
    int good = 1;
    for (int size = 0; size < MOST; size = next_size(size))
        for (int place = 0; place < 16; place++) {
            fill();
            good &= memcpy(bytes + 400 + place, bytes + 16 - place, (size_t)size) == bytes + 400 + place;
            move(400 + place, 16 - place, size);
            good &= same();
        }
    check(good, "memcpy");
}

static void moves(void) {
    static const int distances[] = {-150, -65, -64, -33, -16, -15, -9, -8, -3, -1, 0, 1, 2, 7, 8, 15, 16, 17, 31, 32, 63, 64, 65, 150};
    int good = 1;
    for (int size = 0; size < MOST; size = next_size(size))
        for (int i = 0; i < (int)(sizeof distances / sizeof *distances); i++) {
            const int from = 300 + i, to = from + distances[i];
            fill();
            good &= memmove(bytes + to, bytes + from, (size_t)size) == bytes + to;
            move(to, from, size);
            good &= same();
        }
    check(good, "memmove");
}

static void sets(void) {
    int good = 1;
    for (int size = 0; size < MOST; size = next_size(size))
        for (int place = 0; place < 16; place++) {
            fill();
            good &= memset(bytes + 100 + place, 0x1A5, (size_t)size) == bytes + 100 + place;
            set(100 + place, 0xA5, size);
            good &= same();
        }
    check(good, "memset");
}

static int sign(int number) { return (number > 0) - (number < 0); }

static void compares(void) {
    int good = 1;
    for (int size = 1; size < MOST; size = next_size(size))
        for (int place = 0; place < 16; place++) {
            unsigned char *left = bytes + 16 + place, *right = bytes + 500;
            fill();
            memcpy(right, left, (size_t)size);
            good &= memcmp(left, right, (size_t)size) == 0;
            left[size - 1] = 0x80, right[size - 1] = 0x7F;
            right[size] ^= 1;
            good &= sign(memcmp(left, right, (size_t)size)) == 1;
            good &= sign(memcmp(right, left, (size_t)size)) == -1;
            good &= memcmp(left, right, (size_t)size - 1) == 0;
        }
    check(good, "memcmp");
}

int main(void) {
    copies();
    moves();
    sets();
    compares();
    return finish();
}
