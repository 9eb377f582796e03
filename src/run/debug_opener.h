// DWARF is opened beside everything up to the first event: it takes its time on large binaries.
#pragma once

#include <future>
#include <memory>
#include <string>

#include "process/shared_ring.h"
#include "read/dwarf/debug_info.h"
#include "read/go/go_binary.h"

namespace geist::run {

// How long an append of the program may wait for the debug information to be read.
inline constexpr u32 kUnreadyTimeoutUs = 1500000;

class DebugOpener {
 public:
  explicit DebugOpener(const read::GoBinary& binary);
  // Waits until it is open, and shows the running program signs of life meanwhile. Null when there
  // is none, or none that can be read.
  read::DebugInfo* wait(process::SharedRing& ring);
  // Not empty when there is some and it cannot be read; after wait().
  const std::string& why_not() const { return why_not_; }

 private:
  std::unique_ptr<read::DebugInfo> info_;
  std::string why_not_;
  std::future<void> done_;  // last: its end waits for the work, which uses the two above
};

}  // namespace geist::run
