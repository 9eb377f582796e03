module example.com/dwarf_program

go 1.21
