/* build: /export:loader_failing_value */
/* A DLL that does not want to be loaded. */
#include <windows.h>

int loader_failing_value(void) { return 1; }

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved) {
    (void)instance, (void)reserved;
    return reason != DLL_PROCESS_ATTACH;
}
