/* build: loader_log.dll /noentry /export:first,DATA /export:second,DATA,@5 /export:third=first,DATA /export:far_name=loader_log.loader_told /export:far_ordinal=loader_log.#2 /export:far_away=loader_many_absent.x /fixed:no mutants=240 only-for=loader_damaged */
/* A DLL of nothing but tables, of which damaged copies are made: imports, exports, thread-local data, addresses in data. It has
   no code of its own, so whatever becomes of it, nothing of it runs. */
#include <windows.h>

extern const void *__imp_loader_told, *__imp_loader_entries, *__imp_loader_order, *__imp_LdrLoadDll, *__imp_CreateFileW;

const void *const *first[8] = {&__imp_loader_told, &__imp_loader_entries, &__imp_loader_order, &__imp_LdrLoadDll, &__imp_CreateFileW};
const void *second[8] = {first, second, &first[7], &second[7]};

ULONG _tls_index;
static const char template[24] = "what threads begin with";
static PIMAGE_TLS_CALLBACK callbacks[2];
__attribute__((used)) const struct {
    const char *start, *end;
    ULONG *index;
    PIMAGE_TLS_CALLBACK *callbacks;
    ULONG zero_fill, characteristics;
} _tls_used = {template, template + sizeof template, &_tls_index, callbacks, 8, 0};
