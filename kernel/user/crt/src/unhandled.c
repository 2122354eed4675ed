/* A program of C++ ends by std::terminate if nobody catches an exception of C++. What describes types, as every program does
   that throws, brings this in; programs in C have no part of it. */
#include <windows.h>

#define CXX_EXCEPTION 0xE06D7363

__declspec(noreturn) void terminate(void);
PVOID *__current_exception(void);
PVOID *__current_exception_context(void);

/* The beginning of this image: the linker knows it. */
extern char __ImageBase;

static LONG WINAPI terminate_for_cxx(EXCEPTION_POINTERS *pointers) {
    if (pointers->ExceptionRecord->ExceptionCode != CXX_EXCEPTION)
        return EXCEPTION_CONTINUE_SEARCH;
    *__current_exception() = pointers->ExceptionRecord;
    *__current_exception_context() = pointers->ContextRecord;
    terminate();
}

/* A DLL leaves to its program what there is of the process once. */
static int name_filter(void) {
    if (GetModuleHandleW(NULL) == (HMODULE)&__ImageBase)
        SetUnhandledExceptionFilter(terminate_for_cxx);
    return 0;
}

typedef int (*initialiser)(void);
#pragma section(".CRT$XIB", read)
__declspec(allocate(".CRT$XIB")) const initialiser kit_name_filter = name_filter;
