#include "base/own_build.h"

#include <elf.h>
#include <link.h>

namespace geist {
namespace {

// Notes of our own image, as the loader mapped them: name and description are padded to 4 bytes.
ByteView find_build_id(ByteView notes) {
  ByteReader reader(notes);
  while (reader.remaining() >= sizeof(Elf64_Nhdr)) {
    u32 name_size = reader.read_u32();
    u32 desc_size = reader.read_u32();
    u32 type = reader.read_u32();
    ByteView name = reader.read_bytes((u64{name_size} + 3) & ~u64{3});
    ByteView desc = reader.read_bytes(desc_size);
    reader.skip((4 - desc_size % 4) % 4);
    if (reader.failed()) return {};
    if (type == NT_GNU_BUILD_ID && name_size == 4 && std::memcmp(name.data(), "GNU", 4) == 0)
      return desc;
  }
  return {};
}

int visit_first(dl_phdr_info* info, usize, void* out) {
  for (usize i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    ByteView found = find_build_id(
        {reinterpret_cast<const u8*>(info->dlpi_addr + segment.p_vaddr), segment.p_memsz});
    if (!found.empty()) *static_cast<ByteView*>(out) = found;
  }
  return 1;  // the executable comes first; the libraries are not asked
}

}  // namespace

ByteView own_build_id() {
  ByteView id;
  dl_iterate_phdr(visit_first, &id);
  return id;
}

}  // namespace geist
