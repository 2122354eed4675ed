/* Code that is made at run time, with unwind data made by hand: exceptions go through it, are handled in it and see its
   handlers called, with each of the three ways to say where the unwind data is. */
#include <excpt.h>
#include <string.h>
#include <windows.h>

#include "checks.h"

#define OWN 0xE0001234

/* What DISPATCHER_CONTEXT begins with on both machines. */
typedef struct {
    DWORD64 ControlPc, ImageBase;
    PRUNTIME_FUNCTION FunctionEntry;
    DWORD64 EstablisherFrame, TargetPc;
    PCONTEXT ContextRecord;
    PEXCEPTION_ROUTINE LanguageHandler;
    PVOID HandlerData;
} dispatcher;

/* Places in a page of code. */
#define FIRST 0x100
#define SECOND 0x140
#define THUNK 0x180
#define UNWIND 0x200
#define PACKED 0x280
#define MAGIC 0x600DDA7A

/* A function calls the one that it is given, in a frame of its own. */
#if defined(__x86_64__)
static const BYTE function_code[] = {
    0x55,                   /* push rbp */
    0x48, 0x83, 0xEC, 0x20, /* sub rsp, 32 */
    0xFF, 0xD1,             /* call rcx */
    0x90,                   /* nop: an address at which an epilog begins is taken for one in it */
    0x48, 0x83, 0xC4, 0x20, /* add rsp, 32 */
    0x5D, 0xC3              /* pop rbp; ret */
};
#define BEHIND_CALL 7
/* mov rax, imm64; jmp rax */
static const BYTE thunk_code[] = {0x48, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xE0};
#define THUNK_TARGET 2
/* Version 1 with a handler for both; 5 bytes of prolog; 32 bytes are allocated, RBP is pushed. */
static const BYTE unwind_data[] = {0x19, 5, 2, 0, 5, 0x32, 1, 0x50};
static const BYTE unwind_without[] = {0x01, 5, 2, 0, 5, 0x32, 1, 0x50};
#define WORD_WITHOUT PACKED
#else
static const DWORD function_code[] = {
    0xA9BF7BFD, /* stp x29, x30, [sp, #-16]! */
    0x910003FD, /* mov x29, sp */
    0xD63F0000, /* blr x0 */
    0xA8C17BFD, /* ldp x29, x30, [sp], #16 */
    0xD65F03C0  /* ret */
};
#define BEHIND_CALL 12
/* ldr x16, 8; br x16 */
static const DWORD thunk_code[] = {0x58000050, 0xD61F0200, 0, 0};
#define THUNK_TARGET 8
/* 5 instructions, a handler, one epilog at the end whose codes begin at byte 1, one word of codes: set_fp, save_fplr_x, end. */
static const DWORD unwind_data[] = {5 | 1 << 20 | 1 << 21 | 1 << 22 | 1 << 27, 0xE3E481E1};
static const DWORD unwind_without[] = {0};
/* The same frame in the short form: 5 instructions, a chained frame of 16 bytes. */
#define WORD_WITHOUT (1 | 5 << 2 | 3 << 21 | 1 << 23)
#endif

typedef ULONG_PTR (*made_function)(void (*)(void));

/* What the handler saw, and what it is to do. */
static int searched, unwound, take_it;
static dispatcher seen;
static BYTE *current;

static EXCEPTION_DISPOSITION handler(PEXCEPTION_RECORD record, PVOID frame, PCONTEXT context, PVOID given) {
    dispatcher *dispatched = given;
    if (record->ExceptionFlags & EXCEPTION_UNWIND) {
        unwound++;
        return ExceptionContinueSearch;
    }
    searched++;
    seen = *dispatched;
    if (take_it)
        RtlUnwindEx(frame, current + FIRST + BEHIND_CALL, record, (PVOID)77, context, NULL);
    return ExceptionContinueSearch;
}

static void put(BYTE *page, DWORD at, const void *bytes, size_t size) { memcpy(page + at, bytes, size); }

/* Fills a page: two functions, one with a handler and one without, what leads to the handler, and the unwind data. */
static BYTE *make_code(void) {
    BYTE *page = VirtualAlloc(NULL, 0x1000, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    ULONG_PTR target = (ULONG_PTR)handler;
    DWORD handler_and_data[2] = {THUNK, MAGIC}, old;
    put(page, FIRST, function_code, sizeof function_code);
    put(page, SECOND, function_code, sizeof function_code);
    put(page, THUNK, thunk_code, sizeof thunk_code);
    put(page, THUNK + THUNK_TARGET, &target, sizeof target);
    put(page, UNWIND, unwind_data, sizeof unwind_data);
    put(page, UNWIND + sizeof unwind_data, handler_and_data, sizeof handler_and_data);
    put(page, PACKED, unwind_without, sizeof unwind_without);
    VirtualProtect(page, 0x1000, PAGE_EXECUTE_READ, &old);
    FlushInstructionCache(GetCurrentProcess(), page, 0x1000);
    return page;
}

static void make_entries(RUNTIME_FUNCTION *entries) {
    entries[0].BeginAddress = FIRST;
    entries[0].UnwindData = UNWIND;
    entries[1].BeginAddress = SECOND;
    entries[1].UnwindData = WORD_WITHOUT;
#if defined(__x86_64__)
    entries[0].EndAddress = FIRST + sizeof function_code;
    entries[1].EndAddress = SECOND + sizeof function_code;
#endif
}

static made_function function_at(BYTE *page, DWORD at) {
    current = page;
    return (made_function)(ULONG_PTR)(page + at);
}

static void raise_own(void) { RaiseException(OWN, 0, 0, NULL); }

static int finally_count;

__declspec(noinline) static void call_with_finally(BYTE *page, DWORD at, void (*callee)(void)) {
    __try {
        function_at(page, at)(callee);
    } __finally {
        finally_count++;
    }
}

/* Whether an exception goes through a function of a page, and is caught behind it. */
__declspec(noinline) static int goes_through(BYTE *page, DWORD at, void (*callee)(void)) {
    searched = unwound = finally_count = 0;
    __try {
        call_with_finally(page, at, callee);
    } __except (GetExceptionCode() == OWN ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
        return finally_count == 1;
    }
    return 0;
}

static PRUNTIME_FUNCTION look_up(BYTE *place, BYTE *expected_base) {
    DWORD64 base = 0;
    PRUNTIME_FUNCTION found = RtlLookupFunctionEntry((ULONG_PTR)place, &base, NULL);
    return found && base != (ULONG_PTR)expected_base ? (PRUNTIME_FUNCTION)1 : found;
}

static void check_handler(BYTE *page, RUNTIME_FUNCTION *entries) {
    check(goes_through(page, FIRST, raise_own), "an exception goes through a function with a handler");
    check(searched == 1 && unwound == 1, "the handler is asked once, and told of the unwind once");
    check(seen.ImageBase == (ULONG_PTR)page, "the handler learns the base");
    check(seen.FunctionEntry == entries, "the handler learns the function's entry");
    check(*(DWORD *)seen.HandlerData == MAGIC, "the handler gets its data");
    check(goes_through(page, SECOND, raise_own), "an exception goes through a function without a handler");
    check(searched == 0, "nobody else's handler is asked");
    take_it = 1;
    check(function_at(page, FIRST)(raise_own) == 77, "a handler unwinds to its own function, which returns");
    take_it = 0;
}

static void with_a_table(BYTE *page) {
    static RUNTIME_FUNCTION entries[2];
    make_entries(entries);
    check(!look_up(page + FIRST, page), "code that nobody described has no entry");
    check(RtlAddFunctionTable(entries, 2, (ULONG_PTR)page), "a table is added");
    check(look_up(page + FIRST, page) == &entries[0], "the first byte of a function is found");
    check(look_up(page + FIRST + sizeof function_code - 1, page) == &entries[0], "the last byte of a function is found");
    check(!look_up(page + FIRST + sizeof function_code, page), "the byte behind a function is in none");
    check(look_up(page + SECOND, page) == &entries[1], "the second function is found");
    check_handler(page, &entries[0]);
    check(RtlDeleteFunctionTable(entries), "the table is removed");
    check(!RtlDeleteFunctionTable(entries), "a table that is not there cannot be removed");
    check(!look_up(page + FIRST, page), "afterwards nothing is found");
}

static RUNTIME_FUNCTION answered[2];
static int asked, asked_wrongly;

static PRUNTIME_FUNCTION NTAPI answer(DWORD64 pc, PVOID context) {
    DWORD64 at = pc - (ULONG_PTR)context;
    asked++;
    asked_wrongly += at >= 0x1000;
    return at >= FIRST && at < SECOND ? &answered[0] : at >= SECOND && at < THUNK ? &answered[1] : NULL;
}

static void with_a_callback(BYTE *page) {
    DWORD64 base = (ULONG_PTR)page;
    make_entries(answered);
    check(!RtlInstallFunctionTableCallback(base, base, 0x1000, answer, page, NULL),
          "an identifier without its two low bits is refused");
    check(RtlInstallFunctionTableCallback(base | 3, base, 0x1000, answer, page, NULL), "a callback is installed");
    check(look_up(page + SECOND + 1, page) == &answered[1], "the callback's answer is what is found");
    check(!look_up(page + THUNK, page), "the callback may say that there is none");
    check_handler(page, &answered[0]);
    check(asked > 0 && asked_wrongly == 0, "the callback is asked of its own range only, with its context");
    check(RtlDeleteFunctionTable((PRUNTIME_FUNCTION)(base | 3)), "the callback is removed by its identifier");
    check(!look_up(page + SECOND, page), "afterwards it is not asked");
}

static void with_a_growing_table(BYTE *page) {
    static RUNTIME_FUNCTION entries[2];
    PVOID table = NULL;
    ULONG_PTR base = (ULONG_PTR)page;
    make_entries(entries);
    check(RtlAddGrowableFunctionTable(&table, entries, 1, 2, base, base + 0x1000) == 0 && table, "a growing table is added");
    check(look_up(page + FIRST, page) == &entries[0], "its first function is found");
    check(!look_up(page + SECOND, page), "one that it does not have yet is not");
    RtlGrowFunctionTable(table, 2);
    check(look_up(page + SECOND, page) == &entries[1], "it is when the table has grown");
    check_handler(page, &entries[0]);
    RtlDeleteGrowableFunctionTable(table);
    check(!look_up(page + FIRST, page), "afterwards nothing is found");
}

static BYTE *inner_page;

static void call_inner(void) { function_at(inner_page, SECOND)(raise_own); }

static ULONG frames;

static void count_frames(void) {
    PVOID stack[32];
    USHORT count = RtlCaptureStackBackTrace(0, 32, stack, NULL);
    for (USHORT i = 0; i < count; i++)
        frames += (BYTE *)stack[i] == current + SECOND + BEHIND_CALL;
    frames += count > 3 ? 10 : 0;
}

/* Frames of two pages, one within the other, with frames of the program between. */
static void two_pages(BYTE *outer, BYTE *inner) {
    static RUNTIME_FUNCTION entries[2][2];
    make_entries(entries[0]);
    make_entries(entries[1]);
    RtlAddFunctionTable(entries[0], 2, (ULONG_PTR)outer);
    RtlAddFunctionTable(entries[1], 2, (ULONG_PTR)inner);
    inner_page = inner;
    check(goes_through(outer, FIRST, call_inner), "an exception goes through code of two pages");
    check(searched == 1 && seen.ImageBase == (ULONG_PTR)outer, "the outer one's handler is asked");
    function_at(inner, SECOND)(count_frames);
    check(frames == 11, "a walk over the stack goes through");
    check(RtlDeleteFunctionTable(entries[0]) && RtlDeleteFunctionTable(entries[1]), "both tables are removed");
}

/* Entries that are not in the order of addresses. */
static void unsorted(BYTE *page) {
    RUNTIME_FUNCTION entries[2];
    make_entries(entries);
    RUNTIME_FUNCTION first = entries[0];
    entries[0] = entries[1];
    entries[1] = first;
    check(RtlAddFunctionTable(entries, 2, (ULONG_PTR)page), "a table that is not sorted is added");
    check(look_up(page + FIRST, page) == &entries[1] && look_up(page + SECOND, page) == &entries[0], "both functions are found");
    check(goes_through(page, FIRST, raise_own), "an exception goes through");
    check(RtlDeleteFunctionTable(entries), "the table is removed");
}

int main(void) {
    BYTE *page = make_code(), *other = make_code();
    with_a_table(page);
    with_a_callback(page);
    with_a_growing_table(page);
    two_pages(page, other);
    unsorted(other);
    return finish();
}
