/* Where forwarders lead. */
__declspec(dllexport) int Real(int number) { return number + 1; }
__declspec(dllexport) int Second(int number) { return number + 2; }
int __stdcall Entry(void *base, unsigned reason, void *context) { return 1; }
