/* Structured exceptions: what filters answer, and what they may ask. */
#pragma once

#include "winnt.h"

#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

#ifdef __cplusplus
extern "C" {
#endif
unsigned long __cdecl _exception_code(void);
void *__cdecl _exception_info(void);
int __cdecl _abnormal_termination(void);
#ifdef __cplusplus
}
#endif

#define GetExceptionCode _exception_code
#define GetExceptionInformation() ((EXCEPTION_POINTERS *)_exception_info())
#define AbnormalTermination _abnormal_termination
