// The debug sections of an Image as a small ELF file of its own in memory, opened by libdw.
//
//   Image ─▶ .debug_info .debug_abbrev .debug_addr, ranges, locations, strings ─▶ ELF ─▶ Dwarf*
//
// Why not the file as it is: libdw inflates every debug section when it opens a file, slowly, and
// .debug_line and .debug_frame, which nobody here asks for, are a third of the bytes; and headers
// nobody vouches for never reach libelf. Compressed sections (SHF_COMPRESSED) must promise a size
// that zlib can keep: at most 1032 times what is there.
//
// Nor can the input make libdw open another file: .gnu_debugaltlink is left out, and nobody asks
// for the split unit of a skeleton unit (the last argument of dwarf_get_units).
// Source: System V ABI, "Section Compression"; libelf and libdw of elfutils >= 0.188.
#pragma once

#include <elfutils/libdw.h>
#include <libelf.h>

#include <memory>
#include <vector>

#include "base/result.h"
#include "read/elf/image.h"

namespace geist::read {

class DebugElf {
 public:
  // Fails when the image has no .debug_info, or sections that cannot be what they say.
  static Result<DebugElf> open(const Image& image);

  Dwarf* dwarf() const { return dwarf_.get(); }

 private:
  struct EndElf {
    void operator()(Elf* elf) const { elf_end(elf); }
  };
  struct EndDwarf {
    void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
  };

  // Order matters: the Dwarf lives in the Elf, the Elf in the bytes.
  std::vector<u8> bytes_;
  std::unique_ptr<Elf, EndElf> elf_;
  std::unique_ptr<Dwarf, EndDwarf> dwarf_;
};

}  // namespace geist::read
