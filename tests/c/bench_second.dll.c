/* build: bench_first.dll */
/* The second DLL of bench_main.exe, which needs the first. */
__declspec(dllimport) int first(int number);
__declspec(dllexport) int second(int number) { return first(number) * 2; }
