// Where DW_AT_go_runtime_type counts from: moduledata.types, found without reading moduledata.
//
// The attribute is an offset, not an address (R_ADDROFF, cmd/link/internal/ld/dwarf.go). The start
// is taken from the symbol runtime.types, else from the sections that begin with it, and believed
// only if the abi.Types found there have the size and kind that DWARF gives them.
#pragma once

#include <optional>
#include <vector>

#include "base/address.h"
#include "read/elf/image.h"
#include "read/go/types.h"

namespace geist::read {

// What DWARF says of one type that has an abi.Type.
struct RuntimeTypeSample {
  u64 offset = 0;
  u64 size_bytes = 0;
  Kind kind = Kind::kInvalid;
};

// Nothing when no candidate holds the samples. The symbol needs one sample to be believed, a
// section several: by chance a wrong place holds one or two.
std::optional<ImageAddr> find_types_base(const Image& image,
                                         const std::vector<RuntimeTypeSample>& samples);

}  // namespace geist::read
