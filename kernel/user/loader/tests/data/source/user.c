/* Imports of all kinds, static TLS with callbacks, and a security cookie. */
typedef __SIZE_TYPE__ size;

__declspec(dllimport) int Add(int a, int b);
__declspec(dllimport) int Forwarded(int number);
__declspec(dllimport) int ForwardedTwice(int number);
__declspec(dllimport) int Nameless(int number);
__declspec(dllimport) extern int Counter;
__declspec(dllimport) int Late(int number);
__declspec(dllimport) int Later(int number);
__declspec(dllimport) int NtClose(void *handle);

__declspec(thread) int first = 42;
__declspec(thread) char text[24] = "thread";
__declspec(thread) _Alignas(64) int aligned = 64;
__declspec(thread) int zero;

__declspec(dllexport) int Use(int number) {
    first += number;
    zero += aligned + text[number & 7];
    Counter++;
    return Add(Late(number), Later(number)) + Forwarded(number) + ForwardedTwice(number) + Nameless(first) + zero
        + NtClose((void *)1);
}

/* What a compiler's run-time library gives. */
unsigned _tls_index = 0xFFFFFFFF;
#pragma section(".tls", read, write)
#pragma section(".tls$ZZZ", read, write)
#pragma section(".CRT$XLA", read)
#pragma section(".CRT$XLB", read)
#pragma section(".CRT$XLZ", read)
__declspec(allocate(".tls")) char tls_start = 0;
__declspec(allocate(".tls$ZZZ")) char tls_end = 0;
typedef void (__stdcall *Callback)(void *base, unsigned reason, void *context);
void __stdcall OnThread(void *base, unsigned reason, void *context) {}
void __stdcall OnThreadToo(void *base, unsigned reason, void *context) { _tls_index += 0; }
__declspec(allocate(".CRT$XLA")) Callback const callbacks_start = 0;
__declspec(allocate(".CRT$XLB")) Callback const first_callback = OnThread;
__declspec(allocate(".CRT$XLB")) Callback const second_callback = OnThreadToo;
__declspec(allocate(".CRT$XLZ")) Callback const callbacks_end = 0;
const struct {
    void *start, *end;
    unsigned *index;
    const Callback *callbacks;
    unsigned zero_fill, characteristics;
} _tls_used = {&tls_start, &tls_end, &_tls_index, &callbacks_start + 1, 16, 0};

#if defined(_WIN64)
size __security_cookie = 0x00002B992DDFA232;
#else
size __security_cookie = 0xBB40E64E;
#endif
const struct {
    unsigned length, stamp, version, flags[2], timeout;
    size numbers[5];
#if defined(_WIN64)
    size affinity;
    unsigned heap_flags;
#else
    unsigned heap_flags;
    size affinity;
#endif
    unsigned short service_pack, dependent;
    size edit_list;
    size *cookie;
    size handlers[2];
} _load_config_used = {.length = sizeof(_load_config_used), .cookie = &__security_cookie};

void *__stdcall __delayLoadHelper2(void *descriptor, void *slot) { return 0; }
int _fltused;
#if defined(__i386__)
/* Where a thread's block has the vector of its storage. */
__asm__(".globl __tls_array\n.set __tls_array, 0x2C");
#endif
int __stdcall Entry(void *base, unsigned reason, void *context) { return 1; }
