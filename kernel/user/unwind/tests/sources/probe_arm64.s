// What a compiler calls before it takes a large frame. Nothing is touched here: nobody runs this.
    .text
    .globl __chkstk
__chkstk:
    ret
