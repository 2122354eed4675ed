/* Thread-local storage: what an image has that uses it. The compiler names _tls_index, the linker looks for _tls_used. */
#include <windows.h>

/* The linker sorts the pieces of .tls, and the callbacks, between these. */
ULONG _tls_index = 0;
#pragma section(".tls", read, write)
#pragma section(".tls$ZZZ", read, write)
#pragma section(".CRT$XLA", read)
#pragma section(".CRT$XLZ", read)
__declspec(allocate(".tls")) char _tls_start = 0;
__declspec(allocate(".tls$ZZZ")) char _tls_end = 0;
__declspec(allocate(".CRT$XLA")) const PIMAGE_TLS_CALLBACK __xl_a = 0;
__declspec(allocate(".CRT$XLZ")) const PIMAGE_TLS_CALLBACK __xl_z = 0;

#pragma section(".rdata$T", read)
__declspec(allocate(".rdata$T")) const struct {
    ULONG_PTR start, end, index, callbacks;
    ULONG zero_fill, characteristics;
} _tls_used = {(ULONG_PTR)&_tls_start, (ULONG_PTR)&_tls_end, (ULONG_PTR)&_tls_index, (ULONG_PTR)(&__xl_a + 1), 0, 0};
