// Addresses of the Go runtime's own variables: from .symtab, or, in stripped binaries, decoded from
// the instructions of runtime functions that load them (facts: runtime/mheap.go, runtime/proc.go;
// the patterns are in the .cc).
#pragma once

#include "base/address.h"
#include "base/result.h"
#include "read/go/go_binary.h"

namespace geist::heap {

struct RuntimeSymbols {
  ImageAddr mheap;    // runtime.mheap_
  ImageAddr allgptr;  // runtime.allgptr
  ImageAddr allglen;  // runtime.allglen
};

// Fails by name when one cannot be found; never guesses.
Result<RuntimeSymbols> find_runtime_symbols(const read::GoBinary& binary);
// The second way alone, as if the binary were stripped.
Result<RuntimeSymbols> decode_runtime_symbols(const read::GoBinary& binary);

}  // namespace geist::heap
