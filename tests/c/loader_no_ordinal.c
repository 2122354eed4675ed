/* build: needs=loader_log.dll:absent_function@777 */
/* Cannot start: an ordinal that it imports is not in the DLL. */
#include <stdio.h>

__declspec(dllimport) int absent_function(void);

int main(void) {
    printf("started with %d\n", absent_function());
    return 0;
}
