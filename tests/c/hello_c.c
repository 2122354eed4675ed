/* Says hello, and what it was given; ends with the number of its arguments. */
#include <stdio.h>

int main(int argc, char **argv) {
    printf("Hello from C.\n");
    for (int i = 1; i < argc; i++)
        printf("argument %d: %s\n", i, argv[i]);
    return argc - 1;
}
