/* The types of Win32, as far as programs of this kit need them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WINAPI __stdcall
#define CALLBACK __stdcall
#define NTAPI __stdcall
#define APIENTRY __stdcall
#define CONST const
#define VOID void
#define TRUE 1
#define FALSE 0
#define MAX_PATH 260
#define DECLSPEC_IMPORT __declspec(dllimport)

typedef int BOOL;
typedef unsigned char BYTE, UCHAR, BOOLEAN;
typedef char CHAR;
typedef wchar_t WCHAR;
typedef short SHORT;
typedef unsigned short WORD, USHORT, ATOM;
typedef int INT;
typedef unsigned int UINT;
typedef long LONG;
typedef unsigned long DWORD, ULONG;
typedef long long LONGLONG, LONG64, INT64;
typedef unsigned long long ULONGLONG, ULONG64, DWORD64, DWORDLONG, UINT64;
typedef uintptr_t ULONG_PTR, DWORD_PTR, UINT_PTR;
typedef intptr_t LONG_PTR, INT_PTR;
typedef size_t SIZE_T;
typedef void *PVOID, *LPVOID, *HANDLE, *HINSTANCE, *HMODULE, *HLOCAL, *HGLOBAL, *HRSRC;
typedef const void *LPCVOID, *PCVOID;
typedef CHAR *LPSTR, *PSTR;
typedef const CHAR *LPCSTR, *PCSTR;
typedef WCHAR *LPWSTR, *PWSTR;
typedef const WCHAR *LPCWSTR, *PCWSTR;
typedef BYTE *LPBYTE, *PBYTE;
typedef DWORD *LPDWORD, *PDWORD, *PULONG;
typedef LONG *PLONG, *LPLONG;
typedef SIZE_T *PSIZE_T;
typedef BOOL *LPBOOL, *PBOOL;
typedef LONG NTSTATUS;
typedef LONG HRESULT;
typedef INT_PTR(WINAPI *FARPROC)(void);

typedef union _LARGE_INTEGER {
    struct {
        DWORD LowPart;
        LONG HighPart;
    };
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
    struct {
        DWORD LowPart;
        DWORD HighPart;
    };
    ULONGLONG QuadPart;
} ULARGE_INTEGER;

typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME;

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink, *Blink;
} LIST_ENTRY;

typedef struct _GUID {
    unsigned long Data1;
    unsigned short Data2, Data3;
    unsigned char Data4[8];
} GUID;

#ifdef __cplusplus
}
#endif
