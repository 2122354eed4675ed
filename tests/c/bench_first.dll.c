/* The first DLL of bench_main.exe. */
__declspec(dllexport) int first(int number) { return number + 1; }
