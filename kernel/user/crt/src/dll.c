/* Where DLLs in C begin and end: initialisers, then the DLL's own function; at the end that, then functions for the end. */
#include <windows.h>

typedef int (*initialiser)(void);
typedef void (*constructor)(void);
extern const initialiser __xi_a, __xi_z;
extern const constructor __xc_a, __xc_z;

void kit_run_at_exit(void);
BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved);

BOOL WINAPI _DllMainCRTStartup(HINSTANCE instance, DWORD reason, LPVOID reserved) {
    if (reason == DLL_PROCESS_ATTACH) {
        for (const initialiser *each = &__xi_a; each < &__xi_z; each++)
            if (*each && (*each)() != 0)
                return FALSE;
        for (const constructor *each = &__xc_a; each < &__xc_z; each++)
            if (*each)
                (*each)();
    }
    BOOL done = DllMain(instance, reason, reserved);
    if (reason == DLL_PROCESS_DETACH)
        kit_run_at_exit();
    return done;
}
