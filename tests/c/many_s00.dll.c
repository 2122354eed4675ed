/* build: loader_log.dll needs=many_a00.dll:value_a needs=many_b00.dll:value_b@2 needs=many_c00.dll:value_c needs=many_f00.dll:value_f /delayload:many_f00.dll /export:value_a=value,@1 /export:value_b=value,@2 /export:value_c=value,@3 /export:value_f=value,@4 /export:far_name=many_d00.value_a /export:far_ordinal=many_d00.#2 /export:far_chain=many_e00.far_name /export:names,DATA /export:sum /export:late /export:own_text /export:data_is_right /dynamicbase /fixed:no copies=200 only-for=loader_many */
/* One of many DLLs, which import from each other. Texts such as many_a00 become other names in each of them. */
#include <windows.h>

#define LOADER_LOG __declspec(dllimport)
#include "loader_log.h"

/* Whom it needs, and itself last. */
const char names[7][9] = {"many_a00", "many_b00", "many_c00", "many_d00", "many_e00", "many_f00", "many_s00"};
static __declspec(thread) char thread_text[9] = "many_s00";
static __declspec(thread) int thread_zero;
/* Addresses in data are what relocations are for. */
static const char *const text = names[6], *volatile const *const text_pointer = (const char *volatile const *)&text;

static int number_of(const char *name) { return (name[5] - '0') * 100 + (name[6] - '0') * 10 + name[7] - '0'; }

int value(void) { return number_of(*text_pointer); }

__declspec(dllimport) int value_a(void);
__declspec(dllimport) int value_b(void);
__declspec(dllimport) int value_c(void);
__declspec(dllimport) int value_f(void);

/* What its imports give, each in its own place. */
int sum(void) { return value_a() + 1000 * value_b() + 1000000 * value_c(); }

int late(void) { return value_f(); }

/* The calling thread's own copy of a text; NULL if it is not as it should be when nobody changed it. */
char *own_text(void) {
    /* Not what the compiler knows of the names: they change afterwards. */
    const volatile char *own = *text_pointer;
    int good = thread_zero == 0;
    for (int i = 0; i < 9; i++)
        good = good && thread_text[i] == own[i];
    return good ? thread_text : NULL;
}

extern BYTE __ImageBase[];

/* Whether addresses in data were relocated to where the image is. */
int data_is_right(void) { return *text_pointer == names[6] && (ULONG_PTR)*text_pointer - (ULONG_PTR)__ImageBase < 0x100000; }

/* What delayed imports call first. */
DECLSPEC_IMPORT FARPROC NTAPI LdrResolveDelayLoadedAPI(PVOID, const void *, PVOID, PVOID, PVOID, ULONG);
FARPROC __delayLoadHelper2(const void *descriptor, PVOID slot) {
    return LdrResolveDelayLoadedAPI(__ImageBase, descriptor, NULL, NULL, slot, 0);
}

static void NTAPI callback(PVOID base, DWORD reason, PVOID reserved) {
    (void)base, (void)reserved;
    loader_called_back(value(), reason);
}

#pragma section(".CRT$XLM", read)
__declspec(allocate(".CRT$XLM")) const PIMAGE_TLS_CALLBACK own_callback = callback;

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved) {
    (void)instance, (void)reserved;
    return loader_told(value(), reason);
}
