// Any bytes as an ELF file: refused with a reason, or every question has an answer.
#include "read/elf/image.h"

extern "C" int LLVMFuzzerTestOneInput(const geist::u8* data, geist::usize size) {
  using namespace geist;
  Result<read::Image> parsed = read::Image::from_bytes({data, data + size}, "input");
  if (!parsed.ok()) {
    GEIST_CHECK(!parsed.error().message().empty());
    return 0;
  }
  read::Image image = std::move(parsed).value();
  image.build_id();
  image.has_interpreter();
  image.find_word_places(image.entry().value);
  for (const read::Symbol& symbol : image.read_symbols()) image.find_word(symbol.addr);
  for (const read::Section& section : image.sections()) {
    image.find_section(section.name);
    image.find_section_bytes(section.name);
    image.find_word(section.addr);
    std::optional<ByteView> bytes = image.find_bytes(section.addr, section.size);
    GEIST_CHECK(!bytes || bytes->size() == section.size);
  }
  for (const read::Segment& segment : image.segments()) {
    image.find_bytes_from(segment.vaddr);
    image.find_word(segment.vaddr + segment.mem_size);
  }
  return 0;
}
