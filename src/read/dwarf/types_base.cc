#include "read/dwarf/types_base.h"

#include <array>
#include <string_view>

namespace geist::read {
namespace {

// abi.Type (internal/abi/type.go, go1.21 to go1.27): Size_ uintptr at 0, Kind_ uint8 at 23. Up to
// go1.23 the three upper bits of Kind_ are flags.
constexpr u64 kSizeOffset = 0;
constexpr u64 kKindOffset = 23;
constexpr u64 kKindEnd = 24;
constexpr u8 kKindMask = 0x1f;
constexpr usize kSamplesForSection = 8;

bool holds_samples(const Image& image, ImageAddr base,
                   const std::vector<RuntimeTypeSample>& samples) {
  for (const RuntimeTypeSample& sample : samples) {
    std::optional<ByteView> bytes = image.find_bytes(base + sample.offset, kKindEnd);
    if (!bytes) return false;
    u8 kind = (*bytes)[kKindOffset] & kKindMask;
    if (kind != static_cast<u8>(sample.kind)) return false;
    if (find_int<u64>(*bytes, kSizeOffset) != sample.size_bytes) return false;
  }
  return !samples.empty();
}

}  // namespace

std::optional<ImageAddr> find_types_base(const Image& image,
                                         const std::vector<RuntimeTypeSample>& samples) {
  if (std::optional<Symbol> symbol = image.find_symbol("runtime.types")) {
    if (holds_samples(image, symbol->addr, samples)) return symbol->addr;
  }
  if (samples.size() < kSamplesForSection) return std::nullopt;
  constexpr std::array<std::string_view, 4> kSections = {".go.type", ".data.rel.ro.go.type",
                                                         ".data.rel.ro", ".rodata"};
  for (std::string_view name : kSections) {
    const Section* section = image.find_section(name);
    if (section != nullptr && holds_samples(image, section->addr, samples)) return section->addr;
  }
  return std::nullopt;
}

}  // namespace geist::read
