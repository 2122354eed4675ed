/* Jumps out of calls: the compiler knows setjmp, vcruntime140.dll has it. */
#pragma once

#if defined(__x86_64__)
#define _JBLEN 16
typedef struct __declspec(align(16)) _SETJMP_FLOAT128 {
    unsigned long long Part[2];
} _JBTYPE;
#elif defined(__aarch64__)
#define _JBLEN 24
typedef unsigned long long _JBTYPE;
#else
#define _JBLEN 16
typedef int _JBTYPE;
#endif
typedef _JBTYPE jmp_buf[_JBLEN];

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__i386__)
int __cdecl _setjmp3(jmp_buf buffer, int count, ...);
#define setjmp(buffer) _setjmp3(buffer, 0)
#else
int __cdecl _setjmp(jmp_buf buffer);
#define setjmp _setjmp
#endif
__declspec(noreturn) void __cdecl longjmp(jmp_buf buffer, int value);
#ifdef __cplusplus
}
#endif
