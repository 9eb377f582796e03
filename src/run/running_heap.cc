// See running_heap.h. A picture of the heap is dear: it is made when a name needs it, and for
// latent findings at times that grow apart.
#include "run/running_heap.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "detect/latent/latent.h"
#include "process/process_info.h"
#include "process/signs_of_life.h"

namespace geist::run {
namespace {

constexpr u32 kMaxTakenForNames = 4, kMaxTakenForObjects = 8;
constexpr i64 kMaxKibForNames = i64{256} << 10;  // in memory; a graph of it takes a second
constexpr auto kKeepCopyFor = std::chrono::milliseconds(200);
constexpr double kMaxLookStepS = 60;
constexpr double kMaxShareOfTime = 0.05;  // for looks, which take longer the larger the heap is

}  // namespace

RunningHeap::RunningHeap(judge::Context& context, process::ProbedProcess& process, Uses uses)
    : context_(context), process_(process), uses_(uses) {
  if (!uses.names) return;
  context.find_heap_path = [this](const judge::View& view) { return path_to(view); };
}

// Null when it cannot be had.
HeapSource* RunningHeap::take() {
  last_.reset();
  heap::HeapImage known;
  known.binary = &context_.binary;
  known.debug = context_.debug;
  known.symbols = context_.symbols;
  known.bias = context_.bias();
  const process::SignsOfLife meanwhile(process_.ring);
  auto heap = HeapSource::copy(process_.pid, known);
  Status made = heap.ok() ? heap.value()->make_graph() : Status(heap.take_error());
  taken_at_ = Clock::now();
  if (made.ok())
    last_ = std::move(heap).value();
  else
    why_not_ = made.error().message();
  return last_.get();
}

// Is the header there as the judge has seen it?
bool RunningHeap::shows(const HeapSource& heap, const judge::View& view) const {
  const process::Memory& memory = heap.memory();
  return memory.find<u64>(view.ptr_word) == view.ptr &&
         (!view.len_word || memory.find<u64>(view.len_word) == view.len);
}

// As long as the program can afford it.
bool RunningHeap::is_small_enough() const {
  const std::optional<i64> resident_kib = process::find_status_number(process_.pid, "VmRSS");
  return resident_kib && *resident_kib <= kMaxKibForNames;
}

bool RunningHeap::take_for_name() {
  if (taken_for_names_ == kMaxTakenForNames || !is_small_enough()) return false;
  ++taken_for_names_;
  return take() != nullptr;
}

std::vector<std::string> RunningHeap::paths_to_objects(std::span<const TargetAddr> objects) {
  std::vector<std::string> paths(objects.size());
  if (!uses_.objects || objects.empty()) return paths;
  if (taken_for_objects_ == kMaxTakenForObjects || !is_small_enough()) return paths;
  ++taken_for_objects_;
  if (take() == nullptr) return paths;
  const snap::Snapshot& snapshot = last_->snapshot();
  for (usize i = 0; i < objects.size(); ++i) {
    const heap::ObjectId id = snapshot.graph.find_object(objects[i]);
    if (id != heap::kNoObject && snapshot.paths.is_named(id)) paths[i] = snapshot.paths.path_to(id);
  }
  return paths;
}

std::string RunningHeap::path_to(const judge::View& view) {
  if (!view.ptr_word) return "";
  if ((!last_ || !shows(*last_, view)) && (!take_for_name() || !shows(*last_, view))) return "";
  const snap::Snapshot& snapshot = last_->snapshot();
  heap::ObjectId holder = snapshot.graph.find_object(view.ptr_word);
  if (holder == heap::kNoObject || !snapshot.paths.is_named(holder)) return "";
  return snapshot.paths.path_to(holder, view.ptr_word - snapshot.graph.addr(holder));
}

void RunningHeap::turn(double now_s) {
  if (last_ && Clock::now() - taken_at_ > kKeepCopyFor) last_.reset();
  if (!uses_.latent || now_s < next_look_s_) return;
  const Clock::time_point begin = Clock::now();
  look();
  const std::chrono::duration<double> took = Clock::now() - begin;
  look_step_s_ = std::min(look_step_s_ * 2, kMaxLookStepS);
  next_look_s_ = now_s + took.count() + std::max(look_step_s_, took.count() / kMaxShareOfTime);
}

void RunningHeap::look_for_latent_at_end() {
  if (uses_.latent) look();
}

void RunningHeap::look() {
  const HeapSource* heap = take();
  if (heap == nullptr) return;
  u64 left_out = 0;
  for (const findings::Finding& found : detect::latent::find_latent(heap->snapshot(), &left_out)) {
    auto [at, is_new] = latent_.try_emplace(found.fingerprint, found);
    if (!is_new) ++at->second.count;
  }
  latent_left_out_ = std::max(latent_left_out_, left_out);
}

void RunningHeap::add_latent(findings::Report& report) const {
  for (const auto& [fingerprint, finding] : latent_) report.findings.push_back(finding);
  report.lost["latent_left_out"] += latent_left_out_;
  if (uses_.latent && context_.debug == nullptr)
    report.notes.push_back(
        "few latent findings or none: this binary has no debug information (-ldflags=-s -w), which "
        "says of which types its variables are");
  if (uses_.latent && !why_not_.empty())
    report.notes.push_back("no latent findings from a look at the heap that failed: " + why_not_);
}

}  // namespace geist::run
