/* The table of virtual functions of std::type_info, to which every description of a type refers: each image has its own.

   Compilers write descriptions as objects of that class: the table's address, a word for whoever makes a readable name, the
   name. They know the table by its name alone. In C++ this file would describe the class itself, by a description that
   refers to the table. */

#if defined(__i386__)
#define METHOD __thiscall
#else
#define METHOD
#endif

/* The destructor. Nobody allocates or destroys descriptions. */
static void *METHOD destroy(void *self, unsigned flags) {
    (void)flags;
    return self;
}

extern void *(METHOD *const type_info_table[])(void *, unsigned) __asm__("??_7type_info@@6B@");
void *(METHOD *const type_info_table[])(void *, unsigned) = {destroy};

/* The image's list of readable names: vcruntime140.dll keeps it. */
struct __declspec(align(16)) {
    void *list[2];
} __type_info_root_node;

/* Brings in what a program of C++ does with exceptions that nobody catches. */
#if defined(__i386__)
#pragma comment(linker, "/include:_kit_name_filter")
#else
#pragma comment(linker, "/include:kit_name_filter")
#endif
