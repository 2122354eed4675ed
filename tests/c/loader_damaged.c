/* build: loader_log.dll */
/* Tries to load damaged DLLs, and uses what comes of those that are loaded. Each is refused for a reason that Windows has, or
   is there and goes again. */
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "checks.h"

#define COUNT 240

static const DWORD reasons[] = {
    ERROR_NOT_ENOUGH_MEMORY, ERROR_MOD_NOT_FOUND, ERROR_PROC_NOT_FOUND, ERROR_INVALID_ORDINAL, ERROR_BAD_EXE_FORMAT, ERROR_DLL_INIT_FAILED,
};
#define REASONS (sizeof reasons / sizeof reasons[0])
static int refused[REASONS], loaded;

static DWORD WINAPI live_and_die(LPVOID argument) { return *(DWORD *)argument; }

static void use(HMODULE dll) {
    static const char *const names[] = {"first", "second", "third", "far_name", "far_ordinal", "far_away", "none"};
    DWORD number = 7;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        GetProcAddress(dll, names[i]);
    for (ULONG_PTR ordinal = 1; ordinal < 10; ordinal++)
        GetProcAddress(dll, (LPCSTR)ordinal);
    char path[260];
    GetModuleFileNameA(dll, path, sizeof path);
    for (DWORD place = 0; place < 0x8000; place += 0x404) {
        DWORD64 base;
        RtlLookupFunctionEntry((ULONG_PTR)dll + place, &base, NULL);
    }
    HANDLE thread = CreateThread(NULL, 0, live_and_die, &number, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

static int try_one(int number) {
    char name[32];
    snprintf(name, sizeof name, "damaged_%03d.dll", number);
    SetLastError(ERROR_SUCCESS);
    HMODULE dll = LoadLibraryA(name);
    if (dll) {
        loaded++;
        use(dll);
        return FreeLibrary(dll) && !GetModuleHandleA(name);
    }
    DWORD error = GetLastError();
    for (size_t i = 0; i < REASONS; i++)
        if (error == reasons[i]) {
            refused[i]++;
            return !GetModuleHandleA(name);
        }
    printf("        %s: error %lu\n", name, error);
    return 0;
}

int main(void) {
    HMODULE whole = LoadLibraryA("damaged.dll");
    check(whole != NULL, "the DLL is loaded where it is whole");
    const void *const **first = (const void *const **)(ULONG_PTR)GetProcAddress(whole, "first");
    const void **second = (const void **)(ULONG_PTR)GetProcAddress(whole, "second");
    check(first && *first[0] == (const void *)(ULONG_PTR)GetProcAddress(GetModuleHandleA("loader_log.dll"), "loader_told"),
          "its tables are right then");
    check(second && second[0] == first && second[1] == second, "and so are its addresses");
    check(GetProcAddress(whole, (LPCSTR)5) == (FARPROC)(ULONG_PTR)second, "and its ordinals");
    use(whole);
    check(FreeLibrary(whole), "it goes");
    int wrong = 0;
    for (int number = 0; number < COUNT; number++)
        wrong += !try_one(number);
    printf("        %d were loaded;", loaded);
    for (size_t i = 0; i < REASONS; i++)
        printf(" %d refused with %lu;", refused[i], reasons[i]);
    printf("\n");
    check(wrong == 0, "each damaged one is refused for a reason, or comes and goes");
    check(loaded > COUNT / 10 && loaded < COUNT * 9 / 10, "some of either kind");
    whole = LoadLibraryA("damaged.dll");
    check(whole && FreeLibrary(whole), "afterwards the whole one is loaded again");
    return finish();
}
