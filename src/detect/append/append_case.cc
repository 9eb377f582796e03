// The victims of an append, found while it waits.
#include "detect/append/append_case.h"

#include <algorithm>

#include <fmt/format.h>

#include "detect/append/removal.h"
#include "detect/append/roots.h"
#include "heap/goroutines.h"
#include "judge/clock.h"
#include "judge/heap_views.h"
#include "judge/stack_views.h"
#include "judge/test_names.h"
#include "judge/values.h"
#include "program/header_flow.h"

namespace geist::detect::append {
namespace {

constexpr usize kMaxCandidates = 8;  // of one case
constexpr u64 kPrintedElements = 4;  // of the overwritten ones, before they are gone
constexpr u32 kMaxFrames = 64;

// From the operand's start on, as much as is worth reading while the append waits.
std::vector<u8> read_array(const process::Memory& memory, const abi::Event& event) {
  constexpr u64 kMaxBytes = 8192;
  const std::optional<u64> size = checked_mul(event.append.cap, event.append.elem_size);
  if (!size) return {};
  std::vector<u8> bytes(std::min(*size, kMaxBytes));
  if (!memory.read(TargetAddr(event.append.old_ptr), bytes)) bytes.clear();
  return bytes;
}

}  // namespace

Clerk append_clerk(Desk& desk) {
  auto last_scan_s = std::make_shared<double>(0.0005);
  auto habits = std::make_shared<WordHabits>();
  auto removals = std::make_shared<Removals>(desk.context());
  Clerk clerk;
  clerk.detector = abi::kAppend;
  clerk.fits = [&desk](const abi::Event& event) {
    const u64 size = desk.context().plan.sites[event.site].site.elem_size;
    return size == 0 || size == event.append.elem_size;
  };
  clerk.open = [&desk, last_scan_s, habits, removals](Opening opening) -> std::unique_ptr<Case> {
    const probe::ProbedSite* site = removals->site_of(*opening.event);
    const bool is_nothing = site == nullptr;
    if (is_nothing) site = &desk.context().plan.sites[opening.event->site];
    auto c = std::make_unique<AppendCase>(desk, std::move(opening), *site, *habits);
    if (is_nothing) return c;
    habits->note(c->event());
    *last_scan_s = c->find_victims();
    return c;
  };
  clerk.next_cost_s = [last_scan_s] { return *last_scan_s; };
  return clerk;
}

AppendCase::AppendCase(Desk& desk, Opening opening, const probe::ProbedSite& site,
                       const WordHabits& habits)
    : Case(std::move(opening)), desk_(desk), context_(desk.context()), habits_(habits) {
  write_.event = &event();
  write_.sweepgen = context_.spans.sweepgen().value_or(0);
  Append& append = write_.append;
  append.event = &event();
  append.site = &site;
  const read::Function function = context_.binary.pclntab().function(append.site->site.function);
  const read::SourceFrame source =
      context_.binary.pclntab().source_frames(function, append.site->site.call)[0];
  append.file = source.file;
  append.line = source.line;
  append.array = find_array(context_, event(), site.site.type_addr);
  append.stack = {TargetAddr(event().regs[x86::kRsp]), {event().stack, event().stack_size}};
  append.frames = heap::unwind(context_.binary, context_.bias(), append.site->site.branch,
                               append.stack, kMaxFrames)
                      .frames;
}

double AppendCase::find_victims() {
  double scan_s = 0;
  if (write_.append.site->site.is_removal) {
    add_view(make_kept_view(write_.append));
  } else {
    scan_s = find_views();
    leave_out_owners();
    note_cut();
  }
  if (is_written()) leave_out_unchanged();
  if (write_.candidates.empty()) return scan_s;
  if (!is_written()) write_.array_before = read_array(context_.memory, event());
  print_before();
  note_goroutines();
  return scan_s;
}

double AppendCase::find_views() {
  for (View& view : find_stack_views(context_, write_.append)) add_view(std::move(view));
  for (View& view : find_parked_views(context_, write_.append)) add_view(std::move(view));
  return add_heap_views();
}

// What stands there now is what was written.
void AppendCase::leave_out_unchanged() {
  const std::vector<u8> now = read_destination();
  for (Candidate& candidate : write_.candidates) candidate.appended = now;
  std::erase_if(write_.candidates,
                [&](const Candidate& c) { return now.empty() || !shows_change(c.view, now); });
}

Case::Range AppendCase::written() const {
  return {TargetAddr(write_.append.dest()), TargetAddr(write_.append.dest_end())};
}

void AppendCase::add_view(View view) {
  for (const Candidate& other : write_.candidates) {
    if (other.view.header_word() && other.view.header_word() == view.header_word()) return;
  }
  if (write_.candidates.size() >= kMaxCandidates) {
    ++context_.left_out.victims;
    return;
  }
  Candidate candidate;
  candidate.view = std::move(view);
  candidate.family = write_.candidates.size();
  write_.candidates.push_back(std::move(candidate));
}

double AppendCase::add_heap_views() {
  const double begin_s = judge::seconds(CLOCK_PROCESS_CPUTIME_ID);
  bool incomplete = false;
  std::vector<std::vector<View>> views =
      find_heap_views(context_, {&write_.append}, {desk_.options().max_scan_bytes}, &incomplete);
  const double scan_s = judge::seconds(CLOCK_PROCESS_CPUTIME_ID) - begin_s;
  if (incomplete) ++context_.left_out.heap;
  drop_garbage(views[0]);
  for (View& view : views[0]) add_view(std::move(view));
  return scan_s;
}

// Headers in objects that nobody can reach any more, but the collector has not taken yet, are no
// victims. Asked of small heaps only: the append waits. Twice, as a pointer may move behind our
// back while the others run.
void AppendCase::drop_garbage(std::vector<View>& views) {
  constexpr u64 kMaxBytes = u64{8} << 20;
  constexpr int kTimes = 2;
  const std::optional<std::vector<u64>> roots = find_append_roots(context_, write_.append);
  if (!roots) return;
  const heap::StandingGoroutine standing{TargetAddr(event().g), TargetAddr(event().regs[x86::kRsp]),
                                         &*roots};
  std::vector<TargetAddr> objects;
  for (const View& view : views)
    objects.push_back(view.holder == findings::Holder::kHeap ? view.object : view.ptr_word);
  std::vector<bool> ever_reached(views.size(), false);
  for (int i = 0; i < kTimes && !objects.empty(); ++i) {
    std::vector<bool> reached;
    std::optional<bool> all = context_.scanner.is_reachable(objects, kMaxBytes, &reached, standing);
    if (all != false) return;
    for (usize k = 0; k < reached.size(); ++k) ever_reached[k] = ever_reached[k] || reached[k];
  }
  usize index = 0;
  std::erase_if(views, [&](const View&) { return !ever_reached[index++]; });
}

// The elements that are about to be overwritten, as text, while what they point to is there.
void AppendCase::print_before() {
  ImageAddr type = write_.append.site->site.type_addr;
  ByteView old{event().old_bytes, event().old_size};
  u64 size = event().append.elem_size;
  judge::ValuePrinter printer(context_);
  for (u64 i = 0; size > 1 && i < kPrintedElements && (i + 1) * size <= old.size(); ++i) {
    write_.before.push_back(printer.print(old.subspan(i * size, size), type));
  }
}

void AppendCase::note_goroutines() {
  constexpr usize kMaxNoted = 10000;
  for (const heap::Goroutine& g : heap::read_goroutines(
           context_.memory, context_.binary.layout(), context_.symbols, context_.bias(), nullptr)) {
    if (write_.goroutines.size() < kMaxNoted) write_.goroutines.push_back({g.g, g.goid});
  }
}

// The id of the goroutine that made an access after the event; empty when it is not sure. One that
// had its g at the event and has it now had it in between.
std::string AppendCase::find_goroutine(const Access& access) const {
  auto then = std::ranges::find_if(write_.goroutines,
                                   [&](const KnownGoroutine& k) { return k.g.value == access.g; });
  if (then == write_.goroutines.end()) return "";
  std::optional<heap::Goroutine> now =
      heap::read_goroutine(context_.memory, context_.binary.layout(), then->g);
  bool is_same =
      now && now->goid == then->goid && access.sp >= now->stack_lo && access.sp < now->stack_hi;
  return is_same ? fmt::format("{}", now->goid) : "";
}

void AppendCase::on_kept() {
  write_.test = find_test_name(context_, write_.append);
  for (Candidate& candidate : write_.candidates) candidate.handed_on = is_handed_on(candidate.view);
}

// Does the operand begin a variable of the appending function, which goes on to hand that, pointer
// and length, to a call?
bool AppendCase::is_handed_on(const View& view) const {
  bool is_variable = view.same_frame && view.live_for_sure && view.len_known &&
                     !view.in_stack_object && (!view.name.empty() || view.told_by_code);
  if (!is_variable || !view.surrounds(event()) || write_.append.old_len() == 0) return false;
  const sites::AppendSite& site = write_.append.site->site;
  const read::Pclntab& functions = context_.binary.pclntab();
  const program::FunctionCode* code = context_.codes.find(functions.function(site.function));
  return code != nullptr &&
         program::hands_header_on(*code, site.inplace_entry, view.ptr_from, view.len_from,
                                  program::callees_of(context_.binary));
}

}  // namespace geist::detect::append
