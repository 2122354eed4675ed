// Exceptions of C++ and of the system in one program: __try around C++ frames, system exceptions through C++ frames, jumps over
// both. Expectations are what Microsoft documents for /EHsc: destructors and catch blocks are C++'s alone, __finally and
// __except see everything, and an unwind for a jump runs destructors too. A run-time for x86 that is compatible with Windows'
// says the same, but that there neither a jump nor __except runs destructors (their unwinds have no record of the exception),
// and objects of exceptions that are thrown or left by way of __except are not all destroyed.
#include <excpt.h>
#include <setjmp.h>
#include <windows.h>

#include "cxx_checks.h"

#define OWN 0xE0001234
#define CXX 0xE06D7363

static int living;

struct Object {
    int value;
    explicit Object(int value) : value(value) { living++; }
    Object(const Object &other) : value(other.value) { living++; }
    ~Object() { living--; }
};

static int telling(char what, int answer) {
    tell(what);
    return answer;
}

__declspec(noinline) static void raise() { RaiseException(OWN, 0, 0, nullptr); }

__declspec(noinline) static void throws(int value) {
    Local a('a');
    throw Object(value);
}

__declspec(noinline) static void raises() {
    Local a('a');
    raise();
    tell('x');
}

__declspec(noinline) static void catches_all(void (*function)()) {
    Local b('b');
    try {
        Local c('c');
        function();
    } catch (...) {
        tell('e');
    }
}

static void throws_one() { throws(1); }

__declspec(noinline) static void except_takes_cxx() {
    DWORD code = 0;
    __try {
        throws_one();
        tell('x');
    } __except (telling('f', (code = GetExceptionCode()) == CXX ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH)) {
        tell('h');
    }
    check(code == CXX && was("fah"), "__except takes an exception of C++, and destructors run behind its filter");
}

__declspec(noinline) static int parameters_are_right(EXCEPTION_POINTERS *pointers) {
    EXCEPTION_RECORD *record = pointers->ExceptionRecord;
    return record->ExceptionFlags == EXCEPTION_NONCONTINUABLE && record->NumberParameters == (sizeof(void *) == 8 ? 4 : 3) &&
           record->ExceptionInformation[0] == 0x19930520 &&
           reinterpret_cast<Object *>(record->ExceptionInformation[1])->value == 21;
}

__declspec(noinline) static void record_of_cxx() {
    __try {
        throws(21);
    } __except (parameters_are_right(GetExceptionInformation())) {
        tell('h');
    }
    check(was("ah"), "the record of a throw: magic number, object, description");
}

__declspec(noinline) static void cxx_lets_own_pass() {
    __try {
        catches_all(raises);
        tell('x');
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        tell(GetExceptionCode() == OWN ? 'h' : '?');
    }
    check(was("h"), "C++ frames that were compiled for C++ alone take no part in others' exceptions");
}

__declspec(noinline) static void with_finally(void (*function)()) {
    __try {
        function();
        tell('n');
    } __finally {
        tell(AbnormalTermination() ? 'F' : 'f');
    }
}

static void finally_and_throw() { with_finally(throws_one); }
static void nothing() {}

__declspec(noinline) static void finally_sees_cxx() {
    living = 0;
    try {
        finally_and_throw();
    } catch (Object &caught) {
        tell_number(caught.value);
    }
    check(was("aF1") && living == 0, "__finally runs in its turn when C++ unwinds");
    with_finally(nothing);
    check(was("nf"), "and knows when it does not");
}

__declspec(noinline) static void throw_and_catch(int value) {
    try {
        throws(value);
    } catch (const Object &caught) {
        tell_number(caught.value);
    }
}

static int filter_with_catch() {
    throw_and_catch(3);
    return EXCEPTION_EXECUTE_HANDLER;
}

__declspec(noinline) static void catch_in_filter() {
    living = 0;
    __try {
        raise();
    } __except (filter_with_catch()) {
        tell('h');
    }
    check(was("a3h") && living == 0, "a filter may throw and catch");
}

static void finally_with_catch() {
    __try {
        throws_one();
    } __finally {
        throw_and_catch(3);
    }
}

__declspec(noinline) static void catch_in_finally() {
    living = 0;
    try {
        finally_with_catch();
    } catch (const Object &caught) {
        tell_number(caught.value);
    }
    check(was("aa31") && living == 0, "so may a __finally block, while another exception is on its way");
}

static void finally_that_throws() {
    __try {
        throws_one();
    } __finally {
        throws(2);
    }
}

__declspec(noinline) static void throw_in_finally() {
    try {
        finally_that_throws();
    } catch (const Object &caught) {
        tell_number(caught.value);
    }
    check(was("aa2"), "an exception in a __finally block replaces the first");
}

__declspec(noinline) static void raises_in_catch() {
    try {
        throws(4);
    } catch (const Object &caught) {
        tell_number(caught.value);
        raise();
        tell('x');
    }
}

__declspec(noinline) static void own_out_of_catch() {
    living = 0;
    __try {
        raises_in_catch();
    } __except (telling('f', EXCEPTION_EXECUTE_HANDLER)) {
        tell(GetExceptionCode() == OWN ? 'h' : '?');
    }
    check(was("a4fh"), "a system's exception leaves a catch block");
    check(living == 0, "its object is over then");
    throw_and_catch(5);
    check(was("a5"), "and what is thrown next is caught as ever");
}

static void throw_behind_except() {
    __try {
        raise();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        throws(6);
    }
}

__declspec(noinline) static void cxx_out_of_except() {
    living = 0;
    try {
        throw_behind_except();
    } catch (const Object &caught) {
        tell_number(caught.value);
    }
    check(was("a6") && living == 0, "an __except block may throw");
}

static jmp_buf place;

__declspec(noinline) static void jumps() {
    Local a('a');
    longjmp(place, 7);
}

__declspec(noinline) static void jump_in_own_frames() {
    static volatile int rounds;
    int got = setjmp(place);
    if (got == 0) {
        rounds++;
        longjmp(place, 0);
    }
    check(got == 1 && rounds == 1, "a jump with 0 comes back with 1");
}

static void jump_through_finally() { with_finally(jumps); }

__declspec(noinline) static void jump_over_frames() {
    int got = setjmp(place);
    if (got == 0)
        jump_through_finally();
    tell_number(got);
    check(sizeof(void *) == 4 ? was("F7") : was("aF7"), "a jump over frames unwinds them");
}

// Registers that functions keep, and a jump back many times.
__declspec(noinline) static void many_jumps() {
    static volatile int count;
    count = 0;
    volatile double kept = 2.5;
    jmp_buf here;
    while (count < 100) {
        if (setjmp(here) == 0)
            longjmp(here, count + 1);
        count = count + 1;
        kept = kept + 1.0;
    }
    check(count == 100 && kept == 102.5, "a hundred jumps");
}

int main() {
    except_takes_cxx();
    record_of_cxx();
    cxx_lets_own_pass();
    finally_sees_cxx();
    catch_in_filter();
    catch_in_finally();
    throw_in_finally();
    cxx_out_of_except();
    jump_in_own_frames();
    jump_over_frames();
    many_jumps();
    own_out_of_catch();
    return finish();
}
