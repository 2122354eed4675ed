// build: cxx_a.dll cxx_c.dll
// Exceptions of C++ that pass from image to image: a program and three DLLs, which call each other in a row and the program
// from the last one. Each image describes types for itself; they are the same if their names are. Expectations are those of
// the C++ standard for one program; a run-time for x86 that is compatible with Windows' meets them too.
#include "cxx_dlls.h"

#include <windows.h>

#include "cxx_checks.h"

static int round_of_throw;

// A base class of the program's own, of the same name as the DLLs' class of another file.
struct Own : Unrelated {
    explicit Own(int value) { number = value; }
};

static int call_back(int what) {
    Local p('p');
    switch (round_of_throw) {
    case 1:
        throw Own(42);
    case 2:
        throw 2.5f;
    default:
        return what;
    }
}

// Throws what the last DLL made, out of the program's own frame.
static int throw_derived(int what) {
    Local p('p');
    (void)what;
    return c_call(THROW_DERIVED, tell, nullptr);
}

__declspec(noinline) static void down_and_up() {
    check(a_call(NOTHING, tell, call_back) == 0 && was("cba"), "calls return");
    try {
        a_call(THROW_INT, tell, call_back);
        tell('x');
    } catch (int caught) {
        tell_number(caught);
    }
    check(was("cba5"), "a number passes three DLLs");
    try {
        a_call(THROW_DERIVED, tell, call_back);
        tell('x');
    } catch (const Base &caught) {
        tell_number(caught.who());
        check(caught.base == 10 && c_living() == 1, "its object is one");
    }
    check(was("cba3") && c_living() == 0, "an object passes, is what it was, and is destroyed at the end");
    try {
        a_call(THROW_POINTER, tell, call_back);
        tell('x');
    } catch (Base *caught) {
        tell_number(caught->who());
    }
    check(was("cba3"), "a pointer passes");
}

__declspec(noinline) static void back_and_forth() {
    round_of_throw = 0;
    check(a_call(CALL_BACK, tell, call_back) == CALL_BACK + 1 && was("pcba"), "a call back returns");
    round_of_throw = 1;
    check(a_call(CALL_BACK, tell, call_back) == 42, "what the program throws is caught in the first DLL");
    check(was("pcbAa"), "and all in between is destroyed");
    round_of_throw = 2;
    try {
        a_call(CALL_BACK, tell, call_back);
        tell('x');
    } catch (float caught) {
        tell(caught == 2.5f ? 'f' : '?');
    }
    check(was("pcbaf"), "or in the program itself");
}

__declspec(noinline) static void deep() {
    const int living = c_living();
    check(a_call(CATCH_IN_C, tell, throw_derived) == 103, "thrown in the last DLL, through the program, caught in that DLL");
    check(was("cpCcba") && c_living() == living, "in the right order");
    try {
        a_call(PASS_AGAIN, tell, throw_derived);
        tell('x');
    } catch (Base &caught) {
        tell_number(caught.who());
        check(caught.base == 11, "a handler on the way changed it");
    }
    check(was("cp1c2ba3") && c_living() == living, "thrown again in two DLLs, it stays the same object");
}

static int nested(int what) {
    (void)what;
    try {
        a_call(THROW_INT, tell, nullptr);
    } catch (int caught) {
        tell_number(caught);
        throw Own(7);
    }
    return 0;
}

__declspec(noinline) static void in_each_other() {
    check(a_call(CALL_BACK, tell, nested) == 7, "an exception inside of a call back of an exception's way");
    check(was("cba5cbAa"), "each is caught where it belongs");
}

// A DLL that is loaded and freed again: its tables are known as long as it is there.
__declspec(noinline) static void loaded_later() {
    typedef int (*call)(int, note_function, callback_function);
    for (int i = 0; i < 3; i++) {
        HMODULE module = LoadLibraryA("cxx_later.dll");
        call function = module ? reinterpret_cast<call>(reinterpret_cast<void *>(GetProcAddress(module, "later_call"))) : nullptr;
        check(function != nullptr, "a DLL is loaded at run time");
        if (!function)
            return;
        try {
            function(9, tell, nullptr);
            tell('x');
        } catch (int caught) {
            tell_number(caught);
        }
        check(was("l9"), "what it throws is caught");
        FreeLibrary(module);
    }
}

int main() {
    down_and_up();
    back_and_forth();
    deep();
    in_each_other();
    loaded_later();
    return finish();
}
