/* build: loader_failing.dll */
/* Cannot start: a DLL that it imports from refuses. */
#include <stdio.h>

__declspec(dllimport) int loader_failing_value(void);

int main(void) {
    printf("started with %d\n", loader_failing_value());
    return 0;
}
