/* build: bench_first.dll bench_second.dll */
/* The program of which bench_user.exe measures how long it takes to main: with two DLLs beside the system's. */
#include <windows.h>

__declspec(dllimport) int first(int number);
__declspec(dllimport) int second(int number);

int main(void) {
    LARGE_INTEGER counter;
    QueryPerformanceCounter(&counter);
    /* Both DLLs do what they should: otherwise the counter is wrong. */
    return (int)(counter.LowPart + (DWORD)(second(first(1)) - 6));
}
