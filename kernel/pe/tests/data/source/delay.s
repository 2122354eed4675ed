    .text
    .globl __delayLoadHelper2
__delayLoadHelper2: ret
