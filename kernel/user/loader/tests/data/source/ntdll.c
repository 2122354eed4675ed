/* Stands for ntdll: the loader is told its machine by it. */
__declspec(dllexport) int NtClose(void *handle) { return handle != 0; }
__declspec(dllexport) int NtYieldExecution(void) { return 1; }
