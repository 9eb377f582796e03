// Goroutines by where they stand, and what only their stacks keep.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "snap/answers.h"

namespace geist::snap {

using heap::Goroutine;
using heap::GStatus;
using heap::HeapGraph;
using heap::ObjectId;
using heap::Root;
using heap::RootHolder;

namespace {

constexpr u64 kMaxStackBytes = u64{1} << 20;
constexpr u32 kMaxFrames = 64;  // the first frame outside of the runtime is not further down

std::string status_name(GStatus status) {
  switch (status) {
    case GStatus::kRunnable:
      return "runnable";
    case GStatus::kRunning:
      return "running";
    case GStatus::kSyscall:
      return "in a system call";
    case GStatus::kWaiting:
      return "waiting";
    case GStatus::kPreempted:
      return "preempted";
    default:
      return "in between";
  }
}

struct Place {
  std::string function, line;
};

Place find_place(const HeapGraph& graph, const Goroutine& goroutine) {
  const heap::HeapImage& image = graph.image();
  std::optional<heap::ParkedStack> stack =
      heap::unwind_stopped(*image.memory, *image.binary, image.bias, goroutine,
                           goroutine.status == GStatus::kRunning, kMaxStackBytes, kMaxFrames);
  if (!stack) return {};
  Place last;
  for (const heap::StackFrame& frame : stack->unwound.frames) {
    for (const read::SourceFrame& source :
         image.binary->pclntab().source_frames(frame.function, frame.lookup_pc())) {
      Place place{std::string(source.function),
                  base_name(std::string(source.file)) + ":" + std::to_string(source.line)};
      bool is_runtime =
          place.function.starts_with("runtime.") || place.function.starts_with("internal/runtime/");
      if (!is_runtime) return place;
      if (place.function != "runtime.goexit") last = place;  // the outermost says what it is for
    }
  }
  return last;
}

// By goroutine: what its stack reaches and no other root, as far as nothing but roots keeps it.
std::map<u64, u64> find_retained(const Snapshot& snapshot) {
  std::map<ObjectId, u64> owner;  // goid, or 0 when several roots reach it
  for (const Root& root : snapshot.graph.roots()) {
    const RootHolder& holder = snapshot.graph.holders()[root.holder];
    u64 goid = holder.kind == RootHolder::Kind::kStack ? holder.goid : 0;
    auto [it, is_new] = owner.try_emplace(HeapGraph::target(root.slot), goid);
    if (!is_new && it->second != goid) it->second = 0;
  }
  std::map<u64, u64> retained;
  for (const auto& [id, goid] : owner) {
    bool is_top = snapshot.dominators.idom(id) == heap::kNoObject;
    if (goid != 0 && is_top) retained[goid] += snapshot.dominators.retained(id);
  }
  return retained;
}

}  // namespace

std::vector<GoroutineRow> list_goroutines(const Snapshot& snapshot) {
  std::map<u64, u64> retained = find_retained(snapshot);
  std::map<std::string, GoroutineRow> rows;
  for (const Goroutine& goroutine : snapshot.graph.goroutines()) {
    Place place = find_place(snapshot.graph, goroutine);
    std::string status = status_name(goroutine.status);
    GoroutineRow& row = rows[status + "\n" + place.function + "\n" + place.line];
    row.status = status;
    row.function = place.function;
    row.place = place.line;
    row.goids.push_back(goroutine.goid);
    row.stack_bytes += goroutine.stack_hi - goroutine.stack_lo;
    row.retained += retained[goroutine.goid];
  }
  std::vector<GoroutineRow> sorted;
  for (auto& [key, row] : rows) {
    std::ranges::sort(row.goids);
    sorted.push_back(std::move(row));
  }
  std::ranges::stable_sort(sorted, [](const GoroutineRow& a, const GoroutineRow& b) {
    return a.goids.size() != b.goids.size() ? a.goids.size() > b.goids.size()
                                            : a.retained > b.retained;
  });
  return sorted;
}

}  // namespace geist::snap
