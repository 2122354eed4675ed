/* Imported when it is first called. */
__declspec(dllimport) int Real(int number);
__declspec(dllexport) int Late(int number) { return Real(number); }
__declspec(dllexport) int Later(int number) { return number - 1; }
int __stdcall Entry(void *base, unsigned reason, void *context) { return 1; }
