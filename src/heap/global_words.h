// The words of data and bss that the collector takes for pointers.
// Source: runtime/symtab.go moduledata.gcdatamask and gcbssmask, go1.21 to go1.27.
#pragma once

#include <optional>
#include <vector>

#include "base/address.h"
#include "process/memory.h"
#include "read/go/go_binary.h"

namespace geist::heap {

enum class GlobalSection { kData, kBss };

struct GlobalWord {
  TargetAddr at;
  u64 value = 0;  // not zero
};

// Ascending. Nothing when section or mask cannot be read, or are larger than any program's.
std::optional<std::vector<GlobalWord>> read_global_words(const process::Memory& memory,
                                                         const read::GoBinary& binary,
                                                         LoadBias bias, GlobalSection section);

// Where the section begins in the image, and its bytes.
ImageAddr begin_of(const read::GoBinary& binary, GlobalSection section);
u64 size_of(const read::GoBinary& binary, GlobalSection section);

}  // namespace geist::heap
