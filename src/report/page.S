// The parts of the HTML page as they lie in page/, for html.cc.
        .macro part name, file
        .globl  geist_page_\name\()_begin
        .globl  geist_page_\name\()_end
geist_page_\name\()_begin:
        .incbin "\file"
geist_page_\name\()_end:
        .endm
        .section .rodata
        part html, GEIST_PAGE_HTML
        part style, GEIST_PAGE_STYLE
        part script, GEIST_PAGE_SCRIPT
        .section .note.GNU-stack, "", @progbits
