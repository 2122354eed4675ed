// Functions with scopes of C's exception handling, in each other and side by side.

typedef unsigned long long u64;

#define SHAPE __declspec(dllexport) __attribute__((noinline))

u64 opaque(u64 value);
u64 take(void *memory);

SHAPE u64 catches(u64 a) {
    u64 b = 1;
    __try {
        b = opaque(a);
    } __except (1) {
        return a;
    }
    return b + 1;
}

SHAPE u64 filters(u64 a) {
    u64 b = a;
    __try {
        b = take(&b);
    } __except (opaque(b) + a) {
        return b + 1;
    }
    return b;
}

SHAPE u64 finishes(u64 a) {
    u64 b = a;
    __try {
        b = take(&b);
    } __finally {
        opaque(b);
        b = 3;
    }
    return b;
}

SHAPE u64 nests(u64 a) {
    u64 b = a;
    __try {
        __try {
            b = take(&b);
            __try {
                b += opaque(b);
            } __except (opaque(b)) {
                b = opaque(1);
            }
        } __finally {
            opaque(b);
        }
        opaque(b + 2);
    } __except (opaque(b) == 7) {
        return b + 1;
    }
    return b;
}

SHAPE u64 large_filters(u64 a) {
    u64 room[2000];
    room[1] = a;
    __try {
        a = take(room);
    } __except (opaque(room[1])) {
        return room[2];
    }
    return a;
}

SHAPE u64 side_by_side(u64 a, double x) {
    u64 b = a;
    __try {
        b = take(&b);
    } __except (opaque(x)) {
        b = 1;
    }
    __try {
        b += take(&b);
    } __finally {
        b = opaque(b);
    }
    return opaque(b) + (u64)x;
}
