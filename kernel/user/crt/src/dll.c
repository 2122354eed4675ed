/* Where DLLs in C begin: initialisers, then the DLL's own function. */
#include <windows.h>

typedef int (*initialiser)(void);
typedef void (*constructor)(void);
extern const initialiser __xi_a, __xi_z;
extern const constructor __xc_a, __xc_z;

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
    return DllMain(instance, reason, reserved);
}
