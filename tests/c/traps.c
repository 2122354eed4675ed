/* Instructions that trap, as a program meets them: what the filter of a frame and a vectored handler are told, and that
   execution goes on where they say, with the registers that they set. Expectations are those of Microsoft's documentation
   of EXCEPTION_RECORD and of the conventions on ARM64; what the processor does besides is in its maker's manual. */
#include <excpt.h>
#include <string.h>
#include <windows.h>

#include "checks.h"

/* What is to fault is in functions of its own: the compiler takes calls alone for what can raise. */
#define TRAPS __declspec(noinline) static

/* What a filter was told last. */
static EXCEPTION_RECORD told;
static DWORD64 told_pc;
static int times;

static int note(EXCEPTION_POINTERS *pointers) {
    told = *pointers->ExceptionRecord;
    told_pc = CONTEXT_PC(pointers->ContextRecord);
    times++;
    return EXCEPTION_EXECUTE_HANDLER;
}

/* Calls a function, and says whether its one exception is this one. */
static int raises(void (*function)(void), DWORD code, DWORD parameters) {
    memset(&told, 0, sizeof told);
    times = 0;
    __try {
        function();
    } __except (note(GetExceptionInformation())) {
    }
    if (times != 1 || told.ExceptionCode != code || told.NumberParameters != parameters)
        printf("        %d times: %08lx with %lu parameters, %llx %llx\n", times, told.ExceptionCode, told.NumberParameters,
               told.ExceptionInformation[0], told.ExceptionInformation[1]);
    return times == 1 && told.ExceptionCode == code && told.NumberParameters == parameters && told.ExceptionFlags == 0;
}

static int is_inside(void (*function)(void)) {
    return told.ExceptionAddress == (PVOID)told_pc && told_pc - (DWORD64)function < 0x80;
}

#if defined(__aarch64__)
TRAPS void illegal(void) { __asm__ volatile("udf #0"); }
TRAPS void privileged(void) { __asm__ volatile("msr daifset, #2"); }
TRAPS void divide(void) { __asm__ volatile("brk #0xF004"); }
TRAPS void break_here(void) { __asm__ volatile("brk #0xF000"); }
/* An exclusive load, which needs its natural alignment also where plain ones do not. */
TRAPS int misaligned(char *place) {
    int value;
    __asm__ volatile("ldxr %w0, [%1]" : "=r"(value) : "r"(place));
    return value;
}
#define BREAKPOINT_SIZE 4
#else
TRAPS void illegal(void) { __asm__ volatile("ud2"); }
TRAPS void privileged(void) { __asm__ volatile("cli"); }
TRAPS void divide(void) { __asm__ volatile("xorl %%ecx, %%ecx; xorl %%edx, %%edx; movl $6, %%eax; divl %%ecx" ::: "eax", "ecx", "edx"); }
TRAPS void overflow(void) { __asm__ volatile("movl $0x80000000, %%eax; cltd; movl $-1, %%ecx; idivl %%ecx" ::: "eax", "ecx", "edx"); }
TRAPS void break_here(void) { __asm__ volatile("int3"); }
#define BREAKPOINT_SIZE 1
#endif

static volatile int *where;
TRAPS void read(void) { (void)*where; }
TRAPS void write(void) { *where = 1; }

static void instructions(void) {
    check(raises(illegal, STATUS_ILLEGAL_INSTRUCTION, 0) && is_inside(illegal), "an illegal instruction, and where it is");
    check(raises(privileged, STATUS_PRIVILEGED_INSTRUCTION, 0) && is_inside(privileged), "an instruction of the kernel");
    check(raises(divide, STATUS_INTEGER_DIVIDE_BY_ZERO, 0) && is_inside(divide), "a division by zero");
#if !defined(__aarch64__)
    check(raises(overflow, STATUS_INTEGER_OVERFLOW, 0) && is_inside(overflow), "a quotient that is too large");
#endif
    check(raises(break_here, STATUS_BREAKPOINT, 1) && is_inside(break_here), "a breakpoint");
    where = (volatile int *)0x1238;
    check(raises(read, STATUS_ACCESS_VIOLATION, 2) && told.ExceptionInformation[0] == 0 && told.ExceptionInformation[1] == 0x1238,
          "a read of what is not there");
    check(raises(write, STATUS_ACCESS_VIOLATION, 2) && told.ExceptionInformation[0] == 1 && told.ExceptionInformation[1] == 0x1238,
          "a write to what is not there");
}

static void (*jump_to)(void);
TRAPS void jump(void) { jump_to(); }

static void execution(void) {
    char *page = VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    jump_to = (void (*)(void))page;
    check(raises(jump, STATUS_ACCESS_VIOLATION, 2) && told.ExceptionInformation[0] == 8 &&
              told.ExceptionInformation[1] == (ULONG_PTR)page && told.ExceptionAddress == page,
          "data is not executed");
    VirtualFree(page, 0, MEM_RELEASE);
    jump_to = NULL;
    check(raises(jump, STATUS_ACCESS_VIOLATION, 2) && told.ExceptionInformation[0] == 8 && told.ExceptionAddress == NULL,
          "a call of nothing");
}

static int behind_breakpoint(EXCEPTION_POINTERS *pointers) {
    note(pointers);
    CONTEXT_PC(pointers->ContextRecord) += BREAKPOINT_SIZE;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void breakpoints(void) {
    volatile int after = 0;
    times = 0;
    __try {
        break_here();
        after++;
        break_here();
        after++;
    } __except (behind_breakpoint(GetExceptionInformation())) {
        after = -10;
    }
    check(times == 2 && after == 2, "execution goes on behind a breakpoint");
}

/* What the registers are when a filter continues is what it made of them. */
#if defined(__aarch64__)
TRAPS DWORD64 reads_from(DWORD64 place) {
    register DWORD64 result __asm__("x9") = place;
    __asm__ volatile("ldr x9, [x9]" : "+r"(result)::"memory");
    return result;
}
#define REGISTER(context) ((context)->X[9])
#else
TRAPS DWORD64 reads_from(DWORD64 place) {
    register DWORD64 result __asm__("r9") = place;
    __asm__ volatile("movq (%%r9), %%r9" : "+r"(result)::"memory");
    return result;
}
#define REGISTER(context) ((context)->R9)
#endif

static DWORD64 answer = 0x1122334455667788;

static int another_place(EXCEPTION_POINTERS *pointers) {
    note(pointers);
    REGISTER(pointers->ContextRecord) = (DWORD64)&answer;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static LONG NTAPI vectored(EXCEPTION_POINTERS *pointers) { return another_place(pointers); }

static void mended_registers(void) {
    DWORD64 result = 0;
    times = 0;
    __try {
        result = reads_from(0x30);
    } __except (another_place(GetExceptionInformation())) {
    }
    check(times == 1 && result == answer, "a filter sets a register, and the instruction is done again");
    PVOID handler = AddVectoredExceptionHandler(1, vectored);
    result = reads_from(0x38);
    RemoveVectoredExceptionHandler(handler);
    check(times == 2 && result == answer && told.ExceptionInformation[1] == 0x38, "so does a vectored handler");
}

static volatile int cleaned;

TRAPS void cleans_up(void) {
    __try {
        illegal();
    } __finally {
        cleaned += AbnormalTermination() ? 1 : 100;
    }
}

static void unwound(void) {
    cleaned = 0;
    check(raises(cleans_up, STATUS_ILLEGAL_INSTRUCTION, 0) && cleaned == 1, "an instruction's exception is unwound as any other");
}

#if defined(__aarch64__)

static char bytes[32];

static int reports_misalignment(EXCEPTION_POINTERS *pointers) {
    note(pointers);
    return told.ExceptionCode == STATUS_DATATYPE_MISALIGNMENT ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH;
}

static void alignment(void) {
    char *odd = bytes + 1;
    int value;
    memset(bytes, 0x11, sizeof bytes);
    __asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(odd));
    check(value == 0x11111111, "plain loads need no alignment");
    times = 0;
    __try {
        misaligned(odd);
    } __except (reports_misalignment(GetExceptionInformation())) {
    }
    check(times == 1 && misaligned(odd + 3) == 0x11111111, "exclusive ones do: a datatype misalignment");
}

/* The processors that NT is made for need not be able to trap; then the control register does not keep the bits. */
TRAPS void float_divide(void) {
    __asm__ volatile("mov x1, #0x200; msr fpcr, x1; fmov s0, #1.0; movi v1.2d, #0; fdiv s0, s0, s1; msr fpcr, xzr" ::: "x1", "v0", "v1");
}

static void floating_point(void) {
    DWORD64 control, status;
    __asm__ volatile("msr fpsr, xzr; mov x1, #0x200; msr fpcr, x1; mrs %0, fpcr; msr fpcr, xzr" : "=r"(control)::"x1");
    if (control & 0x200) {
        check(raises(float_divide, STATUS_FLOAT_DIVIDE_BY_ZERO, 1), "a floating-point division by zero");
        __asm__ volatile("msr fpcr, xzr");
        return;
    }
    float_divide();
    __asm__ volatile("mrs %0, fpsr" : "=r"(status));
    check((status & 2) != 0, "a floating-point division by zero is noted, where the processor has no trap for it");
}

#else

/* Sets the trap flag, by which each instruction is followed by an exception. */
TRAPS void stepped(void) {
    __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop; nop; nop; nop" ::: "memory", "cc");
}

static DWORD64 steps[8];

static LONG NTAPI step(EXCEPTION_POINTERS *pointers) {
    note(pointers);
    if (told.ExceptionCode != STATUS_SINGLE_STEP)
        return EXCEPTION_CONTINUE_SEARCH;
    steps[(times - 1) & 7] = told_pc;
    /* The flag is asked for again each time. */
    if (!(pointers->ContextRecord->EFlags & 0x100) && times < 4)
        pointers->ContextRecord->EFlags |= 0x100;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void single_steps(void) {
    times = 0;
    PVOID handler = AddVectoredExceptionHandler(1, step);
    stepped();
    RemoveVectoredExceptionHandler(handler);
    check(times == 4 && steps[1] == steps[0] + 1 && steps[2] == steps[1] + 1 && steps[3] == steps[2] + 1,
          "a vectored handler walks from instruction to instruction");
    check(raises(stepped, STATUS_SINGLE_STEP, 0) && is_inside(stepped), "a single step is a frame's exception too");
}

TRAPS float quotient(float left, float right) {
    volatile float result = left / right;
    return result;
}

/* Exceptions off again, as a program starts. */
static int mask_sse(EXCEPTION_POINTERS *pointers) {
    note(pointers);
    pointers->ContextRecord->MxCsr = 0x1F80;
    memcpy(pointers->ContextRecord->FltSave + 24, &pointers->ContextRecord->MxCsr, 4);
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void set_mxcsr(unsigned value) { __asm__ volatile("ldmxcsr %0" ::"m"(value)); }

static void sse(void) {
    volatile float zero = 0, result = 0;
    times = 0;
    __try {
        set_mxcsr(0x1D80);
        result = quotient(1, zero);
    } __except (mask_sse(GetExceptionInformation())) {
    }
    set_mxcsr(0x1F80);
    /* An emulator may leave these traps out. */
    check(times == 0 || told.ExceptionCode == STATUS_FLOAT_DIVIDE_BY_ZERO,
          times ? "SSE: a division by zero" : "SSE: a division by zero does not trap on this machine");
    check(result > 1e38f, "and its result is infinity once it is masked");
}

/* The x87 tells of an error at the next of its instructions. */
TRAPS void x87_divide(void) {
    const WORD control = 0x37B;
    const float zero = 0;
    __asm__ volatile("fninit; fldcw %0; fld1; fdivs %1; fwait; fstp %%st(0)" ::"m"(control), "m"(zero) : "st");
}

/* Masks all and forgets what was found: the control word is the first of the area, the status word the second. */
static int mask_x87(EXCEPTION_POINTERS *pointers) {
    const WORD control = 0x37F;
    WORD status;
    note(pointers);
    memcpy(pointers->ContextRecord->FltSave, &control, 2);
    memcpy(&status, pointers->ContextRecord->FltSave + 2, 2);
    status &= 0x7F00;
    memcpy(pointers->ContextRecord->FltSave + 2, &status, 2);
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void x87(void) {
    int after = 0;
    times = 0;
    __try {
        x87_divide();
        after = 1;
    } __except (mask_x87(GetExceptionInformation())) {
    }
    check(times == 1 && told.ExceptionCode == STATUS_FLOAT_DIVIDE_BY_ZERO && after, "x87: a division by zero, which a filter masks");
    __asm__ volatile("fninit");
}

#endif

int main(void) {
    instructions();
    execution();
    breakpoints();
    mended_registers();
    unwound();
#if defined(__aarch64__)
    alignment();
    floating_point();
#else
    single_steps();
    sse();
    x87();
#endif
    return finish();
}
