// Functions whose prologs and epilogs have as many shapes as the compiler knows: registers that are saved, sizes of the
// frame, frame pointers, arguments that are stored, stacks that grow, calls at the end. What they compute does not matter.

typedef unsigned long long u64;

#define SHAPE __declspec(dllexport) __attribute__((noinline))

u64 opaque(u64 value);
u64 take(void *memory);
double opaque_float(double value);

#if defined(__x86_64__)
#define I1 "rbx"
#define I2 I1, "rsi"
#define I3 I2, "rdi"
#define I4 I3, "r12"
#define I5 I4, "r13"
#define I6 I5, "r14"
#define I7 I6, "r15"
#define I_ODD "r12", "r14"
#define F1 "xmm6"
#define F2 F1, "xmm7"
#define F3 F2, "xmm8"
#define F4 F3, "xmm9"
#define F8 F4, "xmm10", "xmm11", "xmm12", "xmm13"
#define F_ODD "xmm7", "xmm15"
#elif defined(__arm__)
#define I1 "r4"
#define I2 I1, "r5"
#define I3 I2, "r6"
#define I4 I3, "r7"
#define I5 I4, "r8"
#define I6 I5, "r9"
#define I7 I6, "r10"
#define I_ODD "r5", "r8"
#define F1 "d8"
#define F2 F1, "d9"
#define F3 F2, "d10"
#define F4 F3, "d11"
#define F8 F4, "d12", "d13", "d14", "d15"
#define F_ODD "d9", "d14"
#else
#define I1 "x19"
#define I2 I1, "x20"
#define I3 I2, "x21"
#define I4 I3, "x22"
#define I5 I4, "x23"
#define I6 I5, "x24", "x25"
#define I7 I6, "x26", "x27", "x28"
#define I_ODD "x21", "x26"
#define F1 "d8"
#define F2 F1, "d9"
#define F3 F2, "d10"
#define F4 F3, "d11"
#define F8 F4, "d12", "d13", "d14", "d15"
#define F_ODD "d9", "d14"
#endif

// A function that uses registers, calls another one or not, and has a frame of some size.
#define SAVES(name, ...)                                                                           \
    SHAPE u64 leaf_##name(u64 a) {                                                                 \
        __asm__ volatile("" ::: __VA_ARGS__);                                                      \
        return a + 1;                                                                              \
    }                                                                                              \
    SHAPE u64 calls_##name(u64 a) {                                                                \
        __asm__ volatile("" ::: __VA_ARGS__);                                                      \
        return opaque(a) + a;                                                                      \
    }                                                                                              \
    SHAPE u64 frame_##name(u64 a) {                                                                \
        u64 room[20];                                                                              \
        __asm__ volatile("" ::: __VA_ARGS__);                                                      \
        return take(room) + a;                                                                     \
    }                                                                                              \
    SHAPE u64 large_##name(u64 a) {                                                                \
        u64 room[600];                                                                             \
        __asm__ volatile("" ::: __VA_ARGS__);                                                      \
        return take(room) + a;                                                                     \
    }                                                                                              \
    SHAPE u64 huge_##name(u64 a) {                                                                 \
        u64 room[20000];                                                                           \
        __asm__ volatile("" ::: __VA_ARGS__);                                                      \
        return take(room) + a;                                                                     \
    }                                                                                              \
    SHAPE u64 tail_##name(u64 a) {                                                                 \
        u64 result = opaque(a);                                                                    \
        __asm__ volatile("" ::: __VA_ARGS__);                                                      \
        return opaque(result);                                                                     \
    }                                                                                              \
    SHAPE u64 dynamic_##name(u64 a) {                                                              \
        void *room = __builtin_alloca(a);                                                          \
        __asm__ volatile("" ::: __VA_ARGS__);                                                      \
        return take(room) + a;                                                                     \
    }                                                                                              \
    SHAPE u64 aligned_##name(u64 a) {                                                              \
        _Alignas(64) char room[64];                                                                \
        __asm__ volatile("" ::: __VA_ARGS__);                                                      \
        return take(room) + a;                                                                     \
    }                                                                                              \
    SHAPE u64 varargs_##name(u64 count, ...) {                                                     \
        __builtin_va_list list;                                                                    \
        __builtin_va_start(list, count);                                                           \
        u64 sum = 0;                                                                               \
        while (count--)                                                                            \
            sum += opaque(__builtin_va_arg(list, u64));                                            \
        __asm__ volatile("" ::: __VA_ARGS__);                                                      \
        __builtin_va_end(list);                                                                    \
        return sum;                                                                                \
    }                                                                                              \
    SHAPE u64 returns_##name(u64 a) {                                                              \
        __asm__ volatile("" ::: __VA_ARGS__);                                                      \
        if (a == 1)                                                                                \
            return opaque(1);                                                                      \
        if (opaque(a) == 2)                                                                        \
            return opaque(2) + 1;                                                                  \
        return opaque(3) + a;                                                                      \
    }

SAVES(none, "memory")
SAVES(i1, I1)
SAVES(i2, I2)
SAVES(i3, I3)
SAVES(i4, I4)
SAVES(i5, I5)
SAVES(i6, I6)
SAVES(i7, I7)
SAVES(i_odd, I_ODD)
SAVES(f1, F1)
SAVES(f2, F2)
SAVES(f3, F3)
SAVES(f8, F8)
SAVES(f_odd, F_ODD)
SAVES(i1f1, I1, F1)
SAVES(i2f2, I2, F2)
SAVES(i3f2, I3, F2)
SAVES(i4f4, I4, F4)
SAVES(i7f8, I7, F8)
SAVES(odds, I_ODD, F_ODD)

SHAPE u64 leaf(u64 a) {
    return a * 3;
}

SHAPE u64 many(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g, u64 h, u64 i, u64 j) {
    return opaque(a) + opaque(b) + opaque(c) + opaque(d) + opaque(e) + opaque(f) + opaque(g) + opaque(h) + opaque(i)
        + opaque(j);
}

SHAPE u64 passes_many(u64 a) {
    return many(a, a + 1, a + 2, a + 3, a + 4, a + 5, a + 6, a + 7, a + 8, a + 9) + a;
}

SHAPE double floats(double a, double b, double c) {
    return opaque_float(a) * opaque_float(b) + opaque_float(c) * a * b * c;
}

SHAPE u64 loop(u64 *a, u64 n) {
    u64 sum = 0;
    for (u64 i = 0; i < n; i++)
        sum += opaque(a[i]) ^ i;
    return sum;
}

typedef u64 function(u64);

SHAPE u64 through_pointer(function **f, u64 a) {
    opaque(a);
    return (*f)(a);
}

SHAPE u64 never_returns(u64 a) {
    if (opaque(a))
        __builtin_trap();
    for (;;)
        opaque(a);
}
