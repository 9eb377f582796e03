// Any bytes as the debug sections of a program: opened or refused with a reason, and every question
// has an answer.
//
//   input:  sections, one after the other:  u8 which (0x80: marked as compressed), u32 size, bytes
//
// An empty input stands for the hand-made sections of the unit tests, DWARF 4 or 5, which mutations
// start from.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "../unit/read/dwarf_bytes.h"
#include "read/dwarf/debug_info.h"

namespace {

using namespace geist;
using namespace geist::read;

const std::vector<std::string> kNames = {
    ".debug_info",     ".debug_abbrev", ".debug_loc", ".debug_loclists", ".debug_ranges",
    ".debug_rnglists", ".debug_addr",   ".debug_str", ".debug_line_str", ".debug_str_offsets"};
constexpr u8 kCompressed = 0x80;

std::vector<u8> make_input(const DebugSections& sections) {
  ByteWriter input;
  for (usize i = 0; i < kNames.size(); i++) {
    auto it = sections.find(kNames[i]);
    if (it == sections.end()) continue;
    input.u8_(i).u32_(it->second.size());
    input.bytes.insert(input.bytes.end(), it->second.begin(), it->second.end());
  }
  return input.bytes;
}

std::vector<u8> make_program(const u8* data, usize size) {
  DebugSections sections;
  std::vector<std::string> compressed;
  ByteReader reader(ByteView(data, size));
  while (reader.remaining() >= 5) {
    u8 which = reader.read_u8();
    const std::string& name = kNames[(which & ~kCompressed) % kNames.size()];
    ByteView bytes = reader.read_bytes(std::min<u64>(reader.read_u32(), reader.remaining()));
    sections[name].assign(bytes.begin(), bytes.end());
    if ((which & kCompressed) != 0) compressed.push_back(name);
  }
  return make_debug_elf(sections, compressed);
}

void check_type(const DebugType* type, int depth) {
  if (type == nullptr || depth == 0) return;
  check_type(type->elem, depth - 1);
  usize budget = 8;
  for (const DebugType::Field& field : type->fields) {
    if (budget-- == 0) return;
    check_type(field.type, depth - 1);
  }
}

void check_variables(const std::vector<Variable>& variables) {
  for (const Variable& variable : variables) {
    GEIST_CHECK(variable.type != nullptr || variable.is_escaped);
    GEIST_CHECK(!variable.pieces.empty());
    u64 end = 0;
    for (const Piece& piece : variable.pieces) {
      GEIST_CHECK(piece.byte_offset >= end);
      end = u64{piece.byte_offset} + piece.size_bytes;
    }
    GEIST_CHECK(variable.is_escaped || end <= variable.type->size_bytes);
    check_type(variable.type, 6);
  }
}

}  // namespace

extern "C" usize LLVMFuzzerMutate(u8* data, usize size, usize max_size);

extern "C" usize LLVMFuzzerCustomMutator(u8* data, usize size, usize max_size, unsigned seed) {
  std::vector<u8> sound = make_input(make_debug_sections(seed % 2 == 0 ? 4 : 5));
  if (size < 16 && sound.size() <= max_size) {
    std::memcpy(data, sound.data(), sound.size());
    size = sound.size();
  }
  return LLVMFuzzerMutate(data, size, max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
  Result<Image> opened = Image::from_bytes(make_program(data, size), "input");
  if (!opened.ok()) return 0;  // bytes that look packed
  Image image = std::move(opened).value();
  Result<std::unique_ptr<DebugInfo>> result = DebugInfo::open(image);
  if (!result.ok()) {
    GEIST_CHECK(!result.error().message().empty());
    return 0;
  }
  if (result.value() == nullptr) return 0;
  DebugInfo& info = *result.value();
  // Every fourth place of the made-up code, by the input which ones: all together take most of an
  // execution's time.
  for (u64 pc = 0xff8 + 0x10 * (size % 4); pc <= 0x1148; pc += 0x40) {
    check_variables(info.variables_at(ImageAddr(pc), ImageAddr(pc + size % 2)));
  }
  for (u64 addr : {u64{0}, u64{0x5008}, ~u64{0}}) {
    std::optional<GlobalVariable> global = info.find_global(ImageAddr(addr));
    GEIST_CHECK(!global || global->addr <= ImageAddr(addr));
    check_type(info.find_type(ImageAddr(addr)), 6);
  }
  for (const char* name : {"main.Node", "main.Alias", "[]int"})
    check_type(info.find_type_named(name), 6);
  for (const DebugInfo::Capture& capture : info.captures_of("main.outer.func1"))
    check_type(capture.type, 6);
  return 0;
}
