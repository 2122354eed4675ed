@ What a compiler calls before it takes a large frame. Nothing is touched here: nobody runs this.
    .syntax unified
    .thumb
    .text
    .globl __chkstk
    .thumb_func
__chkstk:
    bx lr
