/* Functions, data, and names that are another module's: see the link line for those. */
__declspec(dllexport) int Add(int a, int b) { return a + b; }
__declspec(dllexport) int Subtract(int a, int b) { return a - b; }
__declspec(dllexport) int Counter = 7;
__declspec(dllexport) int *CounterAddress = &Counter;
int Nameless(int a) { return a * 3; }
int __stdcall Entry(void *base, unsigned reason, void *context) { return 1; }
