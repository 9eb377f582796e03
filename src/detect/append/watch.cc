// What is watched for an append: the victims' length words, the most promising first, and parts of
// the changed bytes; and what an access to them says about whose header was read.
#include <time.h>

#include <algorithm>

#include "base/go_symbol.h"
#include "detect/append/append_case.h"
#include "detect/append/chunks.h"
#include "detect/append/removal.h"
#include "judge/clock.h"
#include "judge/through.h"
#include "program/header_flow.h"

namespace geist::detect::append {
// Who compares strings may read the length of one only: another word of the changed bytes, or the
// place that a header is copied to, is worth more than a third victim.
static constexpr usize kMostHeaders = 2;

// A header's word is read and written as a whole, so one byte of it tells as much as eight. On a
// stack it costs less: each sample has a copy of the stack, which the kernel makes byte by byte,
// and every watched byte in it is a trap of its own.
static u32 header_bytes(bool on_stack) {
  return on_stack ? 1 : 8;
}

// How much a watch of this victim promises. Stack slots are reused soon, so heap and globals come
// first; the bugs are in modules rather than in the standard library; an emptied buffer that is
// filled again is nearly always meant, but not for those who are left when its owner is left out.
int AppendCase::rank_of(const View& view) const {
  const abi::AppendFacts& facts = event().append;
  int rank = rank_bonus();
  if (view.holder == findings::Holder::kHeap || view.holder == findings::Holder::kGlobal) rank += 4;
  if (view.live_for_sure) rank += 4;
  if (view.len_word) rank += 2;
  if (view.name.empty() && !view.len_known) rank -= 4;
  const bool emptied =
      view.ptr <= facts.old_ptr && view.len > facts.new_len && facts.new_len == facts.num;
  if (!emptied || write_.is_owner_left_out) rank += 3;
  if (view.same_frame) rank -= 1;
  return rank;
}

// Is the holder of `b` what that of `a` has grown into? Then nobody is likely to look at `a` again,
// though a word that nobody uses any more may still lead there.
static bool looks_outgrown(Context& context, const View& a, const View& b) {
  constexpr u64 kMostBytes = 4096;
  const bool may_be = a.holder == findings::Holder::kHeap && b.holder == a.holder &&
                      a.object != b.object && b.object_size > a.object_size &&
                      a.ptr_word - a.object == b.ptr_word - b.object && a.object_size <= kMostBytes;
  if (!may_be) return false;
  std::vector<u8> old(a.object_size), grown(a.object_size);
  return context.memory.read(a.object, old) && context.memory.read(b.object, grown) && old == grown;
}

// The bugs are in modules rather than in the standard library.
int AppendCase::rank_bonus() const {
  constexpr int kProgram = 16;
  const read::Pclntab& functions = context_.binary.pclntab();
  return is_standard_library(functions.function(write_.append.site->site.function).name) ? 0
                                                                                         : kProgram;
}

std::optional<int> AppendCase::rank() {
  const std::vector<Candidate>& candidates = write_.candidates;
  if (candidates.empty()) return std::nullopt;
  std::vector<std::pair<int, usize>> ranked;
  for (usize i = 0; i < candidates.size(); ++i) {
    const View& view = candidates[i].view;
    const bool is_outgrown = std::ranges::any_of(candidates, [&](const Candidate& other) {
      return looks_outgrown(context_, view, other.view);
    });
    constexpr int kOutgrown = 12;
    ranked.emplace_back((is_outgrown ? kOutgrown : 0) - rank_of(view), i);
  }
  std::ranges::sort(ranked);
  by_rank_.clear();
  for (const auto& [negative_rank, index] : ranked) by_rank_.push_back(index);
  return -ranked[0].first;
}

// The last part but the first that is nobody's only one.
bool AppendCase::give_up_word(Registers& registers) {
  std::vector<TargetAddr> parts;
  for (usize index : watched_) {
    for (const Evidence& e : write_.candidates[index].evidence) {
      if (std::ranges::count(parts, e.element_word()) == 0) parts.push_back(e.element_word());
    }
  }
  auto is_only_one = [&](TargetAddr part) {
    return std::ranges::any_of(watched_, [&](usize index) {
      const std::vector<Evidence>& all = write_.candidates[index].evidence;
      return all.size() == 1 && all[0].element_word() == part;
    });
  };
  while (parts.size() > 1 && is_only_one(parts.back())) parts.pop_back();
  if (parts.size() <= 1) return false;
  const TargetAddr part = parts.back();
  registers.remove(*this, part);
  for (usize index : watched_) {
    std::vector<Evidence> kept;
    for (Evidence& e : write_.candidates[index].evidence)
      if (e.element_word() != part) kept.push_back(std::move(e));
    write_.candidates[index].evidence = std::move(kept);
  }
  return true;
}

// An element is taken out of a list, and then the next: what stands in front of that shows the first
// change as before.
bool AppendCase::give_way(Registers& registers, const Range& to) {
  const u64 now_ns = judge::nanoseconds(CLOCK_MONOTONIC);
  std::vector<TargetAddr> given_up;
  bool is_any_left = false;
  for (usize index : watched_) {
    const Candidate& candidate = write_.candidates[index];
    for (Evidence& evidence : write_.candidates[index].evidence) {
      const TargetAddr part = evidence.element_word();
      const Range range{part, part + std::max<usize>(evidence.part_size(), 1)};
      if (!range.overlaps(to)) {
        const bool is_open = evidence.verdict() == Verdict::kOpen;
        is_any_left |= is_open && !candidate.closed && registers.watches(*this, part);
        continue;
      }
      evidence.end_part(now_ns);
      if (std::ranges::count(given_up, part) == 0) given_up.push_back(part);
    }
  }
  if (!is_any_left) return false;
  for (TargetAddr part : given_up) registers.remove(*this, part);
  return true;
}

// A variable whose address was taken may be read by whoever has its address.
static HeaderWord make_header_word(const View& view) {
  const bool is_variable = view.holder == findings::Holder::kStack && !view.in_stack_object;
  return {view.header_word(), view.ptr_word, view.header_word() == view.ptr_word,
          is_variable ? view.frame : Activation{}};
}

static WatchedPart make_part(const abi::Event& event, const Chunk& chunk) {
  const std::optional<ByteView> before = find_part(ByteView{event.old_bytes, event.old_size},
                                                   chunk.at.value - event.append.dest, chunk.size);
  return {chunk.at, before ? std::vector<u8>(before->begin(), before->end()) : std::vector<u8>{}};
}

// Is this victim, in memory of its own, watched since before it was changed?
bool AppendCase::watches_as(usize index, const View& view) const {
  const Candidate& candidate = write_.candidates[index];
  const View& own = candidate.view;
  const bool is_memory = own.in_stack_object || own.holder == findings::Holder::kHeap ||
                         own.holder == findings::Holder::kGlobal;
  const bool is_followed = candidate.watched_throughout && !candidate.closed && !candidate.moved &&
                           !candidate.confirmed && !candidate.copy_missing && !candidate.lost_track;
  return is_memory && is_followed && own.header_word() == view.header_word() &&
         own.ptr == view.ptr && own.len == view.len;
}

// The same line of the same call, over the same place, with the victims that are watched here.
bool AppendCase::is_repeated_by(const AppendCase& next) const {
  const abi::Event &a = event(), &b = next.event();
  const bool is_again = a.site == b.site && a.context == b.context && a.g == b.g &&
                        write_.append.activation() == next.write_.append.activation() &&
                        a.append.dest == b.append.dest && a.append.dest_size <= b.append.dest_size;
  const usize picked = std::min(kMostHeaders, next.by_rank_.size());
  if (!is_again || watched_.empty() || watched_.size() != picked) return false;
  return std::ranges::all_of(watched_, [&](usize index) {
    return std::any_of(next.by_rank_.begin(), next.by_rank_.begin() + static_cast<i64>(picked),
                       [&](usize i) { return watches_as(index, next.write_.candidates[i].view); });
  });
}

// A loop that appends to one slice writes over what it has put there before, some of it as it was:
// `/10` after `/11` has the same length. To the next case that would be no change, but to the
// victims it is one.
bool AppendCase::goes_on_with(const Case& next) {
  const auto* again = dynamic_cast<const AppendCase*>(&next);
  const bool is_changed = std::ranges::any_of(watched_, [&](usize index) {
    return std::ranges::any_of(
        write_.candidates[index].evidence,
        [](const Evidence& e) { return e.change() == Change::kMade && !e.was_written_again(); });
  });
  const bool are_appends = again != nullptr && !write_.identity && !again->write_.identity;
  if (!are_appends || !is_changed || !is_repeated_by(*again)) return false;
  for (usize index : watched_) {
    Candidate& candidate = write_.candidates[index];
    candidate.appended.clear();
    candidate.change_was_copied = false;
    for (Evidence& evidence : candidate.evidence) evidence.expect_again();
  }
  return true;
}

bool AppendCase::watch(Registers& registers) {
  const usize free = registers.free_words();
  // Length words first, then as many parts of the changed bytes as there are registers left, at
  // least one.
  usize headers = 0;
  for (usize index : by_rank_) {
    const View& view = write_.candidates[index].view;
    const TargetAddr header = view.header_word();
    // One that is watched for another append as well takes no register.
    const bool is_shared = header && registers.watches(header);
    const bool room = is_shared || headers < std::min(free - 1, kMostHeaders);
    const bool on_stack = view.holder == findings::Holder::kStack;
    if (header && (!room || !registers.add(*this, header, header_bytes(on_stack), on_stack)))
      continue;
    if (header) headers += is_shared ? 0 : 1;
    watched_.push_back(index);
  }
  if (watched_.empty()) return false;
  std::vector<const View*> views;
  for (usize index : watched_) views.push_back(&write_.candidates[index].view);
  std::vector<Chunk> chunks;
  const bool is_removal = write_.append.site->site.is_removal;
  const bool is_dear = is_removal && write_.append.array.on_stack;
  for (Chunk chunk : choose_chunks(context_, write_.append, habits_, views, free - headers)) {
    const std::optional<Chunk> changing =
        is_removal ? find_changing(context_, write_.append, chunk) : std::nullopt;
    if (is_removal && !changing) continue;
    if (is_dear) chunk = *changing;
    if (registers.add(*this, chunk.at, chunk.size, write_.append.array.on_stack))
      chunks.push_back(chunk);
  }
  begin_evidence(chunks);
  return true;
}

void AppendCase::begin_evidence(const std::vector<Chunk>& chunks) {
  for (usize index : watched_) {
    Candidate& candidate = write_.candidates[index];
    for (const Chunk& chunk : chunks) {
      const bool is_covered =
          chunk.at.value >= candidate.view.ptr &&
          chunk.at.value + chunk.size <= candidate.view.end(event().append.elem_size);
      if (!is_covered) continue;
      candidate.evidence.emplace_back(make_header_word(candidate.view), make_part(event(), chunk),
                                      write_.append, trust_in(candidate.view),
                                      make_route(candidate.view));
      Evidence& evidence = candidate.evidence.back();
      evidence.count_left_out_in(&context_.left_out);
      if (const std::optional<Activation> call = refiller()) evidence.expect_refills_by(*call);
      if (!is_written()) continue;
      const std::optional<ByteView> part = find_part(
          candidate.appended, chunk.at.value - event().append.dest, evidence.part_size());
      if (part) evidence.begin_written(*part, judge::nanoseconds(CLOCK_MONOTONIC));
    }
    candidate.change_watched = !candidate.evidence.empty();
    candidate.watched_throughout = candidate.view.len_word && candidate.change_watched;
  }
}

// What a read of the header word says, by where the word is.
HeaderTrust AppendCase::trust_in(const View& view) const {
  bool bare_pointer = !view.len_known && view.name.empty();
  if (bare_pointer) return HeaderTrust::kSameRegister;
  const bool is_variable = view.holder == findings::Holder::kStack && !view.in_stack_object;
  if (view.may_be_cut(event()) && !is_variable) return HeaderTrust::kWhole;
  return view.same_frame && !view.in_stack_object ? HeaderTrust::kBesideResult : HeaderTrust::kFull;
}

// Was the pointer loaded, for this read or as an argument of the call that led to it, out of the
// victim's own word? After the stack has moved, when nobody watches that word, only where its
// function leaves it alone.
bool AppendCase::takes_victims_pointer(const Access& access, const View& victim) const {
  if (victim.holder != findings::Holder::kStack) return false;
  usize frame = 0;
  while (frame < access.frames.size() && !(access.activation(frame) == victim.frame)) ++frame;
  if (frame == access.frames.size()) return false;
  if (frame > 0 && write_.append.was_under_way(access.activation(frame - 1))) return false;
  const program::FunctionCode* code = context_.codes.find(access.frames[frame].function);
  if (code == nullptr) return false;
  bool is_taken = frame == 0 ? !victim.may_be_cut(event()) &&
                                   loads_victim_pointer(*code, access, victim, event())
                             : passes_victim(*code, access, frame, victim, event());
  return is_taken && (access.stack_hi == victim.stack_hi || is_left_alone(victim));
}

// By the code's word, where it tells. Else right through the victim: by its own word. Or by DWARF's
// word: at the access, in the victim's own frame, the register the address was made from is the
// pointer of the victim's variable, and of no other; or a frame of the reader was handed the
// victim's very header.
std::function<RouteAnswer(const Access&)> AppendCase::make_route(const View& view) const {
  return [this, victim = view](const Access& access) -> RouteAnswer {
    if (access.frames.empty()) return {};
    if (victim.told_by_source) return find_kept_route(context_, write_.append, access);
    RouteAnswer answer = find_route(context_, write_.append, victim, access);
    // Who fills a buffer by position reads it through its own pointer, but not as the slice that
    // its header describes: w.buf[:w.n].
    if (victim.may_be_cut(event()) && answer.route != Route::kOther) {
      if (!victim.not_cut) answer = {};
      answer.needs_whole = true;
    }
    if (answer.route == Route::kUnknown && shows_victim(victim, access))
      answer = {Route::kVictim, {}, false};
    return answer;
  };
}

bool AppendCase::shows_victim(const View& victim, const Access& access) const {
  if (takes_victims_pointer(access, victim)) return true;
  if (context_.debug == nullptr) return false;
  if (holds_victim_header(*context_.debug, access, victim, write_.append)) return true;
  const bool may_be_named = !victim.surrounds(event()) && !victim.name.empty() && access.insn &&
                            access.base != x86::kNoReg && access.activation(0) == victim.frame;
  return may_be_named && names_pointer(*context_.debug, access, victim, event());
}

void AppendCase::on_watch_end(bool early, u64 held_ns) {
  constexpr u64 kAWhileNs = 50'000'000;
  for (usize index : std::exchange(watched_, {})) {
    Candidate& candidate = write_.candidates[index];
    if (!early) continue;
    candidate.watched_a_while = candidate.watched_throughout && held_ns > kAWhileNs;
    candidate.watched_throughout = false;
    candidate.change_watched = false;
  }
}

bool AppendCase::move_header_watch(TargetAddr from, TargetAddr to, bool on_stack) {
  return desk_.registers().move(*this, from, to, header_bytes(on_stack), on_stack);
}

}  // namespace geist::detect::append
