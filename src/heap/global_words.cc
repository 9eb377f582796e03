#include "heap/global_words.h"

#include <algorithm>

namespace geist::heap {
namespace {

constexpr u64 kMaxBytes = u64{1} << 32;
constexpr u64 kBitvectorBytes = 16;  // runtime/stack.go bitvector {n int32, bytedata *uint8}

}  // namespace

ImageAddr begin_of(const read::GoBinary& binary, GlobalSection section) {
  return section == GlobalSection::kData ? binary.module().data : binary.module().bss;
}

u64 size_of(const read::GoBinary& binary, GlobalSection section) {
  const read::ModuleData& module = binary.module();
  const ImageAddr begin = begin_of(binary, section);
  const ImageAddr end = section == GlobalSection::kData ? module.edata : module.ebss;
  return end > begin ? end - begin : 0;
}

std::optional<std::vector<GlobalWord>> read_global_words(const process::Memory& memory,
                                                         const read::GoBinary& binary,
                                                         LoadBias bias, GlobalSection section) {
  const TargetAddr first = bias.to_target(begin_of(binary, section));
  const TargetAddr mask_at = bias.to_target(binary.module().addr) +
                             binary.layout().moduledata_gcdatamask +
                             (section == GlobalSection::kData ? 0 : kBitvectorBytes);
  const u64 bits = static_cast<u32>(memory.find<i32>(mask_at).value_or(0));
  const TargetAddr mask_bytes(memory.find<u64>(mask_at + 8).value_or(0));
  const u64 words = std::min(bits, size_of(binary, section) / 8);
  if (words == 0 || words * 8 > kMaxBytes) return std::nullopt;
  std::vector<u8> mask((words + 7) / 8);
  std::vector<u64> values(words);
  if (!memory.read(mask_bytes, mask) ||
      !memory.read(first, {reinterpret_cast<u8*>(values.data()), words * 8}))
    return std::nullopt;
  std::vector<GlobalWord> found;
  for (u64 i = 0; i < words; ++i) {
    if ((mask[i / 8] >> (i % 8) & 1) != 0 && values[i] != 0)
      found.push_back({first + i * 8, values[i]});
  }
  return found;
}

}  // namespace geist::heap
