// Any bytes as the data segment of an otherwise sound program.
#include <elf.h>

#include <cstring>
#include <vector>

#include "read/go/build_info.h"

namespace {

using namespace geist;

std::vector<u8> make_program(const u8* data, usize size) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_phoff = sizeof(header);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_W;
  segment.p_offset = sizeof(header) + sizeof(segment);
  segment.p_vaddr = 0x10000;
  segment.p_filesz = size;
  segment.p_memsz = size;
  std::vector<u8> bytes(sizeof(header) + sizeof(segment) + size);
  std::memcpy(bytes.data(), &header, sizeof(header));
  std::memcpy(bytes.data() + sizeof(header), &segment, sizeof(segment));
  if (size != 0) std::memcpy(bytes.data() + segment.p_offset, data, size);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
  Result<read::Image> image = read::Image::from_bytes(make_program(data, size), "input");
  if (!image.ok()) return 0;  // bytes that look packed
  Result<read::BuildInfo> info = read::read_build_info(image.value());
  if (info.ok()) {
    GEIST_CHECK(!info.value().release.text.empty());
    info.value().has_setting("-race", "true");
  } else {
    GEIST_CHECK(!info.error().message().empty());
  }
  return 0;
}
