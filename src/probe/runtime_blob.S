        .section .rodata
        .balign 16
        .globl  geist_runtime_blob_begin
        .globl  geist_runtime_blob_end
geist_runtime_blob_begin:
        .incbin GEIST_RUNTIME_BLOB_FILE
geist_runtime_blob_end:
        .section .note.GNU-stack, "", @progbits
