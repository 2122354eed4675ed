// build: /entry:start /subsystem:native
// Exceptions of C++ inside of one program: which block catches, what it gets, what is destroyed and when. Says `ok` or
// `failed` of each expectation, which are those of the C++ standard; ends with the number of failures.
#include "cxx_checks.h"

// Counts how many there are.
struct Object {
    static int living;
    int value;
    explicit Object(int value) : value(value) { living++; }
    Object(const Object &other) : value(other.value) { living++; }
    ~Object() { living--; }
};
int Object::living;

template <class T> __declspec(noinline) static void thrower(T value) {
    Local local('t');
    throw value;
}

__declspec(noinline) static void kinds() {
    try {
        thrower(5);
        tell('x');
    } catch (int caught) {
        check(caught == 5, "an int is caught with its value");
        tell('c');
    }
    check(was("tc"), "locals go before the block begins");

    try {
        thrower(2.5);
    } catch (int) {
        tell('i');
    } catch (double caught) {
        check(caught == 2.5, "a double is caught with its value");
        tell('d');
    } catch (...) {
        tell('e');
    }
    check(was("td"), "the type decides, not the order");

    try {
        thrower('a');
    } catch (int) {
        tell('i');
    } catch (...) {
        tell('e');
    }
    check(was("te"), "a char is no int, but everything is an ellipsis");

    try {
        thrower("text");
    } catch (char *) {
        tell('m');
    } catch (const char *text) {
        check(text[0] == 't' && text[4] == 0, "a string arrives");
        tell('k');
    }
    check(was("tk"), "const is not thrown away");

    static int target;
    try {
        thrower(&target);
    } catch (const volatile void *pointer) {
        check(pointer == &target, "a pointer is caught as one to void");
        tell('v');
    }
    check(was("tv"), "qualifiers may be added");

    try {
        throw nullptr;
    } catch (void *pointer) {
        check(pointer == nullptr, "the null pointer is null");
        tell('n');
    }
    check(was("n"), "the null pointer is caught as a pointer");
}

__declspec(noinline) static void objects() {
    try {
        Object object(7);
        throw object;
    } catch (Object caught) {
        check(caught.value == 7, "an object is caught by value");
        check(Object::living == 2, "by value there is the object and its copy");
    }
    check(Object::living == 0, "both are gone behind the block");

    const Object *first = nullptr;
    try {
        try {
            throw Object(8);
        } catch (Object &caught) {
            first = &caught;
            caught.value = 9;
            throw;
        }
    } catch (const Object &caught) {
        check(&caught == first, "throw; throws the same object");
        check(caught.value == 9, "and what was done to it stays");
        check(Object::living == 1, "of which there is one");
    }
    check(Object::living == 0, "and none behind the last block");

    try {
        try {
            throw Object(1);
        } catch (Object &) {
            throw Object(2);
        }
    } catch (Object &caught) {
        check(caught.value == 2, "a block may throw something else");
        check(Object::living == 1, "then what it handled is gone");
    }
    check(Object::living == 0, "nothing is left");
}

extern "C" void start() {
    kinds();
    objects();
    finish();
}
