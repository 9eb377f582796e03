// DWARF is opened beside the search for sites; both take their time on large binaries.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "read/dwarf/debug_info.h"
#include "read/go/go_binary.h"

namespace geist::cli {

class DebugOpener {
 public:
  explicit DebugOpener(const read::GoBinary& binary);
  ~DebugOpener() { join(); }
  // Waits until it is open; null when there is none, or none that can be read.
  read::DebugInfo* join();
  // Not empty when there is some and it cannot be read; after join().
  const std::string& why_not() const { return why_not_; }

 private:
  std::unique_ptr<read::DebugInfo> info_;
  std::string why_not_;
  std::thread thread_;
};

}  // namespace geist::cli
