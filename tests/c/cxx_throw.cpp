// build: -Wno-exceptions
// Exceptions of C++ inside of one program: which block catches, what it gets, what is destroyed and when. Says `ok` or
// `failed` of each expectation, which are those of the C++ standard, and which a
// run-time for x86 that is compatible with Windows' meets; ends with the number of failures.
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

struct First {
    int first = 1;
    virtual ~First() {}
    virtual int who() const { return 1; }
};
struct Second {
    int second = 2;
    virtual ~Second() {}
    virtual int whose() const { return 2; }
};
struct Both : First, Second {
    int both = 3;
    int who() const override { return 3; }
    int whose() const override { return 3; }
};
struct Left : virtual First {
    int left = 4;
};
struct Right : virtual First {
    int right = 5;
};
struct Diamond : Left, Right {
    int diamond = 6;
    int who() const override { return 6; }
};
struct Twice1 : First {};
struct Twice2 : First {};
struct Twice : Twice1, Twice2 {};
struct Hidden : private First {};

__declspec(noinline) static void bases() {
    try {
        throw Both();
    } catch (Second &caught) {
        check(caught.second == 2 && caught.whose() == 3, "the second base class, by reference");
        check(static_cast<Both &>(caught).both == 3, "which is a part of the whole");
    }
    try {
        throw Both();
    } catch (Second caught) {
        check(caught.second == 2 && caught.whose() == 2, "a copy of the base class is no more than that");
    }
    static Both both;
    try {
        throw &both;
    } catch (Second *caught) {
        check(caught == static_cast<Second *>(&both), "a pointer to the base class");
    }
    try {
        throw static_cast<Both *>(nullptr);
    } catch (Second *caught) {
        check(caught == nullptr, "a null pointer stays null");
    }
    try {
        throw Diamond();
    } catch (First &caught) {
        check(caught.first == 1 && caught.who() == 6, "a virtual base class, by reference");
    }
    try {
        throw Diamond();
    } catch (Diamond caught) {
        check(caught.first == 1 && caught.right == 5 && caught.who() == 6, "a class with virtual bases, by value");
    }
    try {
        throw Diamond();
    } catch (Right caught) {
        check(caught.first == 1 && caught.right == 5 && caught.who() == 1, "of such a class a base, by value");
    }
    static Diamond diamond;
    try {
        throw &diamond;
    } catch (const First *caught) {
        check(caught == &diamond, "a pointer to a virtual base class");
    }
    try {
        throw Twice();
    } catch (First &) {
        tell('a');
    } catch (Twice2 &) {
        tell('t');
    }
    check(was("t"), "a base class that is there twice does not catch");
    try {
        throw Hidden();
    } catch (First &) {
        tell('p');
    } catch (...) {
        tell('e');
    }
    check(was("e"), "nor does a private one");
    try {
        throw First();
    } catch (Both &) {
        tell('b');
    } catch (First &) {
        tell('f');
    }
    check(was("f"), "nor does a derived one");
}

enum class Colour { red = 3 };

__declspec(noinline) static int add(int left, int right) { return left + right; }

__declspec(noinline) static void others() {
    try {
        throw Colour::red;
    } catch (int) {
        tell('i');
    } catch (Colour caught) {
        check(caught == Colour::red, "an enumeration");
        tell('c');
    }
    check(was("c"), "which is no number");
    try {
        throw add;
    } catch (int (*function)(int, int)) {
        check(function(2, 3) == 5, "a function");
    }
    try {
        throw & First::first;
    } catch (int First::*member) {
        First first;
        check(first.*member == 1, "a pointer to a member");
    }
    try {
        throw 0x123456789ABCDEFLL;
    } catch (long long &caught) {
        caught++;
        check(caught == 0x123456789ABCDF0LL, "a long number, by reference");
    }
    struct {
        int a, b, c;
    } plain = {1, 2, 3};
    try {
        throw plain;
    } catch (decltype(plain) &caught) {
        check(caught.c == 3 && &caught != &plain, "a copy of a structure without a name");
    }
}

int main() {
    kinds();
    objects();
    bases();
    others();
    return finish();
}
