/* Names that an image has in any case. */

/* The compiler marks with this name that floating-point numbers are used; nobody reads it. */
int _fltused = 0x9875;

/* C's and C++'s initialisers: the linker sorts them between these. */
typedef int (*initialiser)(void);
typedef void (*constructor)(void);
#pragma section(".CRT$XIA", read)
#pragma section(".CRT$XIZ", read)
#pragma section(".CRT$XCA", read)
#pragma section(".CRT$XCZ", read)
__declspec(allocate(".CRT$XIA")) const initialiser __xi_a = 0;
__declspec(allocate(".CRT$XIZ")) const initialiser __xi_z = 0;
__declspec(allocate(".CRT$XCA")) const constructor __xc_a = 0;
__declspec(allocate(".CRT$XCZ")) const constructor __xc_z = 0;
