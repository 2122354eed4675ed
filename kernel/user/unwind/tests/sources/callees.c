// What the other sources call: nothing that a compiler could look into, since it is built by itself.

typedef unsigned long long u64;

u64 opaque(u64 value) {
    __asm__ volatile("" : "+r"(value));
    return value;
}

u64 take(void *memory) {
    __asm__ volatile("" : : "r"(memory) : "memory");
    return 1;
}

double opaque_float(double value) {
    return value;
}

int __C_specific_handler(void *record, void *frame, void *context, void *dispatcher) {
    return 1;
}

int _fltused;
