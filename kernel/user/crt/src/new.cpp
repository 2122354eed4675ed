// C++'s operators for memory.
#include <stdlib.h>

extern "C" __declspec(noreturn) void abort(void);

// Without std::bad_alloc, which is the program's library's, a program that has no memory ends.
static void *allocate(size_t size) {
    void *block = malloc(size ? size : 1);
    if (!block)
        abort();
    return block;
}

void *operator new(size_t size) { return allocate(size); }
void *operator new[](size_t size) { return allocate(size); }
void operator delete(void *block) noexcept { free(block); }
void operator delete[](void *block) noexcept { free(block); }
void operator delete(void *block, size_t) noexcept { free(block); }
void operator delete[](void *block, size_t) noexcept { free(block); }
