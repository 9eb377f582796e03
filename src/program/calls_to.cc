#include "program/calls_to.h"

#include <algorithm>
#include <bitset>
#include <cstring>

namespace geist::program {
namespace {

constexpr u8 kCallRel32 = 0xe8, kJmpRel32 = 0xe9;
constexpr usize kBytes = 5;

// Says no to nearly all that is not wanted, so that the search proper is rare.
class Wanted {
 public:
  explicit Wanted(std::span<const ImageAddr> entries) : entries_(entries.begin(), entries.end()) {
    std::sort(entries_.begin(), entries_.end());
    for (ImageAddr entry : entries_) maybe_.set(place(entry));
  }
  bool has(ImageAddr entry) const {
    return maybe_.test(place(entry)) && std::binary_search(entries_.begin(), entries_.end(), entry);
  }

 private:
  static usize place(ImageAddr entry) { return (entry.value >> 4) % (1 << 16); }
  std::vector<ImageAddr> entries_;
  std::bitset<1 << 16> maybe_;
};

}  // namespace

std::vector<CallPlace> find_calls_to(const read::GoBinary& binary,
                                     std::span<const ImageAddr> entries) {
  std::vector<CallPlace> found;
  const read::ModuleData& module = binary.module();
  std::optional<ByteView> text = binary.image().find_bytes(module.text, module.etext - module.text);
  if (!text || entries.empty()) return found;
  const Wanted wanted(entries);
  for (usize i = 0; i + kBytes <= text->size(); ++i) {
    const u8 opcode = (*text)[i];
    if (opcode != kCallRel32 && opcode != kJmpRel32) continue;
    i32 distance;
    std::memcpy(&distance, text->data() + i + 1, sizeof distance);
    const ImageAddr at = module.text + i;
    const ImageAddr target = at + kBytes + static_cast<u64>(static_cast<i64>(distance));
    if (wanted.has(target)) found.push_back({at, target, opcode == kJmpRel32});
  }
  return found;
}

}  // namespace geist::program
