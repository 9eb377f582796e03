// The header of an ELF file that geist writes itself: 64 bits, little-endian, x86-64.
// Source: System V ABI, "Object Files" chapter 4.
#pragma once

#include <elf.h>

#include "base/ints.h"

namespace geist::read {

// Of the file type ET_…; without sections and segments.
Elf64_Ehdr make_elf_header(u16 type);

}  // namespace geist::read
