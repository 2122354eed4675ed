/* build: needs=absent.dll:absent_function */
/* Cannot start: a DLL that it imports from is not there. */
#include <stdio.h>

__declspec(dllimport) int absent_function(void);

int main(void) {
    printf("started with %d\n", absent_function());
    return 0;
}
