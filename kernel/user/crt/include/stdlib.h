/* Memory, numbers and ends: what the kit's library has of <stdlib.h>. */
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
__declspec(noreturn) void exit(int code);
__declspec(noreturn) void _exit(int code);
__declspec(noreturn) void abort(void);
int atexit(void (*function)(void));
int atoi(const char *text);
long strtol(const char *text, char **end, int base);
unsigned long strtoul(const char *text, char **end, int base);
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
char *getenv(const char *name);
#ifdef __cplusplus
}
#endif
