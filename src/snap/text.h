// Answers as text for people: 100 columns, human sizes, names short.
#pragma once

#include <string>

#include "snap/answers.h"

namespace geist::snap {

struct SummaryFacts {
  std::string target;  // "process 123 (./server)", "core.123"
  std::string go;
  double pause_ms = -1;  // negative: nothing was stopped
  double seconds = 0;
};
std::string emit_summary(const Snapshot& snapshot, const SummaryFacts& facts);
// What was lost while the graph was made, a line each; empty when nothing was.
std::string emit_losses(const heap::GraphStats& stats);
std::string emit_types(const std::vector<TypeRow>& rows, u64 most);
std::string emit_tree(const std::vector<TreeRow>& rows);
std::string emit_paths(const std::vector<PathRow>& rows);
std::string emit_sharing(const SharingAnswer& answer);
std::string emit_pins(const std::vector<PinRow>& rows, u64 most);
std::string emit_goroutines(const std::vector<GoroutineRow>& rows, u64 most);
std::string emit_rings(const RingAnswer& answer);

}  // namespace geist::snap
