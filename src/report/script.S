// What is the same in every script for gdb, as it lies in script/, for debugger.cc.
        .section .rodata
        .globl  geist_gdb_script_begin
        .globl  geist_gdb_script_end
geist_gdb_script_begin:
        .incbin GEIST_GDB_SCRIPT
geist_gdb_script_end:
        .section .note.GNU-stack, "", @progbits
