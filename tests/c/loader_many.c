/* build: loader_log.dll */
/* Two hundred DLLs that import from each other, in circles too: who is told what and how often, in which order, from one
   thread and from four. An argument says how often each of the four loads or frees something. */
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "checks.h"

#define LOADER_LOG __declspec(dllimport)
#include "loader_log.h"

#define COUNT MOST_DLLS
#define THREADS 4
#define IMPORTS 3

typedef int (*number_function)(void);
typedef char *(*text_function)(void);

/* Whom each DLL needs; who can be reached from whom by imports. */
static short needs[COUNT][6];
static char reach[COUNT][COUNT];
static volatile LONG came, went, wrong;

struct notification {
    ULONG Flags;
    const UNICODE_STRING *FullDllName, *BaseDllName;
    PVOID DllBase;
    ULONG SizeOfImage;
};
DECLSPEC_IMPORT NTSTATUS NTAPI LdrRegisterDllNotification(ULONG, VOID(CALLBACK *)(ULONG, const struct notification *, PVOID),
                                                          PVOID, PVOID *);
DECLSPEC_IMPORT NTSTATUS NTAPI LdrUnregisterDllNotification(PVOID);

static VOID CALLBACK notified(ULONG reason, const struct notification *data, PVOID context) {
    if (context != &needs || data->BaseDllName->Length != 12 * sizeof(WCHAR) || data->BaseDllName->Buffer[0] != 'm')
        return;
    InterlockedIncrement(reason == 1 ? &came : &went);
}

static const char *name_of(int number) {
    static __declspec(thread) char name[16];
    snprintf(name, sizeof name, "many_%03d.dll", number);
    return name;
}

static number_function function_of(HMODULE dll, const char *name) {
    return (number_function)(ULONG_PTR)GetProcAddress(dll, name);
}

static int number_in(const char *name) { return atoi(name + 5); }

/* Learns the graph from the DLLs: of each the names that it imports from. */
static int learn(void) {
    int good = 1;
    for (int number = 0; number < COUNT; number++) {
        HMODULE dll = LoadLibraryA(name_of(number));
        const char(*names)[9] = dll ? (const void *)GetProcAddress(dll, "names") : NULL;
        if (!names)
            return 0;
        for (int i = 0; i < 6; i++)
            needs[number][i] = (short)number_in(names[i]);
        good = good && number_in(names[6]) == number && FreeLibrary(dll);
    }
    for (int from = 0; from < COUNT; from++) {
        int stack[COUNT * IMPORTS + 1], top = 0;
        stack[top++] = from;
        while (top) {
            int at = stack[--top];
            if (reach[from][at])
                continue;
            reach[from][at] = 1;
            for (int i = 0; i < IMPORTS; i++)
                stack[top++] = needs[at][i];
        }
    }
    return good;
}

static int is_loaded(int number) { return GetModuleHandleA(name_of(number)) != NULL; }

static int nothing_is_left(void) {
    int left = 0;
    for (int number = 0; number < COUNT; number++) {
        const struct loader_entry *entry = &loader_entries[number];
        left += is_loaded(number) || entry->attached != entry->detached || entry->callbacks != 2 * entry->attached;
    }
    return left == 0 && came == went;
}

/* Whether the imports of a loaded DLL lead to whom they should. */
static int is_right(HMODULE dll, int number) {
    number_function sum = function_of(dll, "sum"), value = function_of(dll, "value_a"), data = function_of(dll, "data_is_right");
    const short *to = needs[number];
    return sum && value && data && value() == number && data() && sum() == to[0] + 1000 * to[1] + 1000000 * to[2];
}

static void check_one_load(int number) {
    long attached[COUNT];
    int right = 1, order = 1, expected = 0;
    LONG before = came;
    for (int i = 0; i < COUNT; i++)
        attached[i] = loader_entries[i].attached;
    HMODULE dll = LoadLibraryA(name_of(number));
    check(dll != NULL, "a DLL is loaded with all that it needs");
    for (int i = 0; i < COUNT; i++) {
        int wanted = reach[number][i];
        expected += wanted;
        right = right && is_loaded(i) == wanted && loader_entries[i].attached - attached[i] == wanted;
        for (int j = 0; wanted && j < IMPORTS; j++) {
            int needed = needs[i][j];
            /* Within a circle nobody is first. */
            if (!reach[needed][i])
                order = order && loader_entries[needed].came < loader_entries[i].came;
        }
    }
    check(right, "those that it needs are told once, and nobody else");
    check(order, "those that are needed are told first");
    check(came - before == expected, "who wants to know is told of each");
    right = 1;
    for (int i = 0; i < COUNT; i++)
        if (reach[number][i])
            right = right && is_right(GetModuleHandleA(name_of(i)), i);
    check(right, "imports by name and by ordinal lead to the right DLLs");
    check(LoadLibraryA(name_of(number)) == dll && FreeLibrary(dll) && is_loaded(number), "a second reference is one");
    check(FreeLibrary(dll), "it is freed");
    order = 1;
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; reach[number][i] && j < IMPORTS; j++)
            if (!reach[needs[i][j]][i])
                order = order && loader_entries[needs[i][j]].went > loader_entries[i].went;
    check(order, "those that are needed hear last that they go");
    check(nothing_is_left(), "nothing is left");
}

static void procedures(void) {
    HMODULE dll = LoadLibraryA(name_of(3));
    const short *to = needs[3];
    check(function_of(dll, "value_a") && function_of(dll, "value_a") == function_of(dll, (const char *)2),
          "an export is found by name and by ordinal");
    check(function_of(dll, (const char *)1) == function_of(dll, "value_c"), "several names may be one function");
    SetLastError(0);
    check(!function_of(dll, "nothing") && GetLastError() == ERROR_PROC_NOT_FOUND, "a name that is not there");
    SetLastError(0);
    check(!function_of(dll, (const char *)1000) && GetLastError() == ERROR_PROC_NOT_FOUND, "an ordinal that is not there");
    check(!is_loaded(to[3]), "a DLL that an export leads to is not there yet");
    number_function far_name = function_of(dll, "far_name");
    check(far_name && far_name() == to[3] && is_loaded(to[3]), "it is loaded when the export is asked for");
    check(function_of(dll, "far_ordinal") == far_name, "an export leads to an ordinal");
    number_function chain = function_of(dll, "far_chain");
    check(chain && chain() == needs[to[4]][3], "an export leads to one that leads further");
    number_function late = function_of(dll, "late");
    check(late() == to[5] && is_loaded(to[5]) && late() == to[5], "a delayed import brings its DLL");
    check(FreeLibrary(dll) && nothing_is_left(), "all of them go with the DLL that needed them");
}

static DWORD WINAPI look_at_storage(LPVOID argument) {
    HMODULE dll = argument;
    text_function own_text = (text_function)(ULONG_PTR)GetProcAddress(dll, "own_text");
    char *text = own_text();
    if (!text || own_text() != text)
        return 1;
    text[0] = '?';
    return own_text() == NULL ? 0 : 2;
}

static DWORD run_thread(LPTHREAD_START_ROUTINE routine, LPVOID argument) {
    DWORD code = 99;
    HANDLE thread = CreateThread(NULL, 0, routine, argument, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    GetExitCodeThread(thread, &code);
    CloseHandle(thread);
    return code;
}

static void storage(void) {
    HMODULE dll = LoadLibraryA(name_of(10));
    int loaded = 0, told = 1;
    long before = 0, after = 0;
    for (int i = 0; i < COUNT; i++) {
        loaded += is_loaded(i);
        before += loader_entries[i].threads_came;
    }
    check(run_thread(look_at_storage, dll) == 0, "a thread has storage as the DLL's data is");
    check(look_at_storage(dll) == 0, "so has the first one, whatever others wrote");
    for (int i = 0; i < COUNT; i++) {
        after += loader_entries[i].threads_came;
        told = told && loader_entries[i].threads_came == loader_entries[i].threads_went;
    }
    check(after - before == loaded && told, "each DLL hears once that the thread comes, and once that it goes");
    check(FreeLibrary(dll) && nothing_is_left(), "nothing is left");
}

static void failing_entry_point(void) {
    int failing = needs[5][0];
    long attached = loader_entries[5].attached;
    loader_failing = failing;
    SetLastError(0);
    check(!LoadLibraryA(name_of(5)) && GetLastError() == ERROR_DLL_INIT_FAILED, "an entry point fails, and the load");
    check(loader_entries[5].attached == attached, "who needs it is not called");
    check(loader_entries[failing].attached == loader_entries[failing].detached, "who failed hears that it goes");
    check(nothing_is_left(), "everything is given back");
    loader_failing = -1;
    HMODULE dll = LoadLibraryA(name_of(5));
    check(dll && is_right(dll, 5) && FreeLibrary(dll), "later the same DLL is loaded");
}

#define HELD 6

static DWORD WINAPI load_and_free(LPVOID argument) {
    ULONG_PTR random = (ULONG_PTR)argument & 0xFFFF;
    int rounds = (int)((ULONG_PTR)argument >> 16), held_numbers[HELD];
    HMODULE held[HELD] = {NULL};
    for (int round = 0; round < rounds; round++) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        int slot = (int)(random >> 33) % HELD, number = (int)(random >> 40) % COUNT;
        if (held[slot]) {
            if (!is_right(held[slot], held_numbers[slot]) || !FreeLibrary(held[slot]))
                InterlockedIncrement(&wrong);
            held[slot] = NULL;
            continue;
        }
        held[slot] = LoadLibraryA(name_of(number));
        held_numbers[slot] = number;
        if (!held[slot] || !is_right(held[slot], number))
            InterlockedIncrement(&wrong);
        if (held[slot] && round % 4 == 0) {
            number_function far_name = function_of(held[slot], round % 8 ? "far_name" : "far_chain");
            int target = round % 8 ? needs[number][3] : needs[needs[number][4]][3];
            if (!far_name || far_name() != target)
                InterlockedIncrement(&wrong);
        }
    }
    for (int slot = 0; slot < HELD; slot++)
        if (held[slot] && !FreeLibrary(held[slot]))
            InterlockedIncrement(&wrong);
    return 0;
}

static void four_threads(int rounds) {
    HANDLE threads[THREADS];
    LONG before = came;
    for (int i = 0; i < THREADS; i++) {
        ULONG_PTR argument = ((ULONG_PTR)rounds << 16) | (ULONG_PTR)(i * 77 + 5);
        threads[i] = CreateThread(NULL, 0, load_and_free, (LPVOID)argument, 0, NULL);
    }
    WaitForMultipleObjects(THREADS, threads, TRUE, INFINITE);
    for (int i = 0; i < THREADS; i++)
        CloseHandle(threads[i]);
    printf("        %d DLLs came and went\n", (int)(came - before));
    check(wrong == 0, "whatever four threads do, what they hold works");
    check(nothing_is_left(), "and nothing is left when they are done");
    int told = 1;
    for (int i = 0; i < COUNT; i++)
        told = told && loader_entries[i].attached == loader_entries[i].detached;
    check(told && loader_mistakes == 0, "each DLL heard in turn that it comes and goes");
}

int main(int argc, char **argv) {
    PVOID cookie = NULL;
    check(LdrRegisterDllNotification(0, notified, &needs, &cookie) == 0, "a function is registered for DLLs that come and go");
    check(learn(), "each DLL is loaded once");
    check(nothing_is_left(), "and goes again");
    check_one_load(0);
    check_one_load(60);
    check_one_load(COUNT - 1);
    procedures();
    storage();
    failing_entry_point();
    four_threads(argc > 1 ? atoi(argv[1]) : 200);
    check(LdrUnregisterDllNotification(cookie) == 0, "the registration ends");
    return finish();
}
