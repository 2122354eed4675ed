// build: -Wno-potentially-evaluated-expression
// Types at run time: dynamic_cast, typeid, their exceptions, names of types, texts of exceptions. Expectations are those of
// the C++ standard; names are as Windows' library writes them. A run-time for x86 that is compatible with Windows' agrees but
// for the cast from a private base class, which it allows.
#include <string.h>
#include <typeinfo>

#include "cxx_checks.h"

namespace shapes {
struct Shape {
    int shape = 1;
    virtual ~Shape() {}
};
struct Named {
    int named = 2;
    virtual ~Named() {}
};
struct Circle : Shape, Named {
    int circle = 3;
};
class Square : public virtual Shape {
public:
    int square = 4;
};
class Tile : public virtual Shape {
public:
    int tile = 5;
};
class SquareTile : public Square, public Tile {
public:
    int both = 6;
};
struct Hidden : private Named {
    int hidden = 7;
    Named *named_part() { return this; }
};
struct Other {
    virtual ~Other() {}
};
template <class T, int size> struct Row {
    T items[size];
};
template <class T> struct Box {
    T item;
};
enum class Side : short { left };
union Either {
    int number;
    char letter;
};
} // namespace shapes

using namespace shapes;

// The compiler must not see what an object is.
template <class T> __declspec(noinline) static T *hide(T *object) {
    T *volatile hidden = object;
    return hidden;
}

__declspec(noinline) static void casts() {
    Circle circle;
    Shape *shape = hide<Shape>(&circle);
    Named *named = hide<Named>(&circle);
    check(dynamic_cast<Circle *>(shape) == &circle, "from the first base class down");
    check(dynamic_cast<Circle *>(named) == &circle, "from the second base class down");
    check(dynamic_cast<Named *>(shape) == named, "from one base class to the other");
    check(dynamic_cast<void *>(named) == &circle, "to the whole object");
    check(dynamic_cast<Other *>(shape) == nullptr, "to a class that it has not");
    check(dynamic_cast<Circle *>(hide<Shape>(nullptr)) == nullptr, "a null pointer stays null");
    Shape plain;
    check(dynamic_cast<Circle *>(hide(&plain)) == nullptr, "a base class alone is no derived class");

    SquareTile square_tile;
    Shape *virtual_base = hide<Shape>(&square_tile);
    check(dynamic_cast<Tile *>(virtual_base) == static_cast<Tile *>(&square_tile), "from a virtual base class down");
    Square *square = hide<Square>(&square_tile);
    Tile *tile = dynamic_cast<Tile *>(square);
    check(tile && tile->tile == 5, "from one side of a diamond to the other");
    check(dynamic_cast<SquareTile *>(tile)->both == 6, "and down from there");

    Hidden hidden;
    Named *inner = hide(hidden.named_part());
    check(dynamic_cast<Hidden *>(inner) == nullptr, "not from a private base class");
}

__declspec(noinline) static void thrown() {
    Shape shape;
    try {
        Circle &circle = dynamic_cast<Circle &>(*hide(&shape));
        tell_number(circle.circle);
    } catch (const std::bad_cast &caught) {
        tell('c');
        check(caught.what() && *caught.what(), "bad_cast has a text");
    }
    check(was("c"), "a cast of a reference throws");
    try {
        Circle &circle = dynamic_cast<Circle &>(*hide(&shape));
        tell_number(circle.circle);
    } catch (std::exception copy) {
        tell('e');
    }
    check(was("e"), "what is a std::exception, and can be copied as one");
    try {
        tell(typeid(*hide<Shape>(nullptr)).name()[0]);
    } catch (const std::bad_typeid &caught) {
        tell('t');
        check(caught.what() && *caught.what(), "bad_typeid has a text");
    }
    check(was("t"), "typeid of what null points to throws");
}

template <class T> static bool is_named(const char *name) {
    const char *got = typeid(T).name();
    if (strcmp(got, name) != 0)
        printf("        it is: %s\n", got);
    return strcmp(got, name) == 0 && typeid(T).name() == got;
}

#if defined(__i386__)
#define POINTER "*"
#else
#define POINTER "* __ptr64"
#endif

__declspec(noinline) static void names() {
    Circle circle;
    check(typeid(*hide<Shape>(&circle)) == typeid(Circle), "typeid of a reference is the object's");
    check(typeid(*hide<Shape>(&circle)) != typeid(Shape), "and not the reference's");
    check(typeid(const Circle &) == typeid(Circle), "const and & are no part of it");
    check(typeid(Circle).hash_code() == typeid(circle).hash_code(), "the same type, the same hash");
    check(typeid(Circle).hash_code() != typeid(Shape).hash_code(), "different types, different hashes");
    check(typeid(Circle).before(typeid(Shape)) != typeid(Shape).before(typeid(Circle)), "types have an order");
    check(strcmp(typeid(Circle).raw_name(), ".?AUCircle@shapes@@") == 0, "the compiler's name");
    check(is_named<int>("int"), "int");
    check(is_named<unsigned char>("unsigned char"), "unsigned char");
    check(is_named<signed char>("signed char"), "signed char");
    check(is_named<unsigned long>("unsigned long"), "unsigned long");
    check(is_named<long long>("__int64"), "long long");
    check(is_named<wchar_t>("wchar_t"), "wchar_t");
    check(is_named<bool>("bool"), "bool");
    check(is_named<double>("double"), "double");
    check(is_named<Circle>("struct shapes::Circle"), "a structure");
    check(is_named<SquareTile>("class shapes::SquareTile"), "a class");
    check(is_named<Either>("union shapes::Either"), "a union");
    check(is_named<Side>("enum shapes::Side"), "an enumeration");
    check(is_named<std::bad_cast>("class std::bad_cast"), "a class of the standard library");
    check(is_named<int *>("int " POINTER), "a pointer");
    check(is_named<const char *>("char const " POINTER), "a pointer to what is const");
    check(is_named<Circle **>("struct shapes::Circle " POINTER " " POINTER), "a pointer to a pointer");
    check(is_named<const int *const *>("int const " POINTER " const " POINTER), "with const between");
    check(is_named<Row<int, 5>>("struct shapes::Row<int,5>"), "a template's class");
    check(is_named<Row<Circle *, -300>[3]>("struct shapes::Row<struct shapes::Circle " POINTER ",-300> [3]"),
          "an array of such");
    check(is_named<Row<Row<char, 1>, 1>>("struct shapes::Row<struct shapes::Row<char,1>,1>"), "in itself");
    check(is_named<Box<Box<int>>>("struct shapes::Box<struct shapes::Box<int> >"), "with a space between the ends");
}

__declspec(noinline) static void texts() {
    char text[] = "of its own";
    std::exception *one = new std::exception(text);
    text[0] = 'x';
    std::exception other(*one);
    check(strcmp(one->what(), "of its own") == 0, "an exception has a text of its own");
    check(other.what() != one->what(), "and its copy another one");
    delete one;
    check(strcmp(other.what(), "of its own") == 0, "which outlives it");
    std::exception none, copy(none);
    check(strcmp(copy.what(), "Unknown exception") == 0, "none stays none");
    try {
        throw std::exception("thrown");
    } catch (std::exception caught) {
        check(strcmp(caught.what(), "thrown") == 0, "the text comes along");
    }
}

int main() {
    casts();
    thrown();
    names();
    texts();
    return finish();
}
