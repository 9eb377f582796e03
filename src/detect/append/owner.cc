// Whose slice does an append write into on purpose? The header that its operand was loaded from is
// the owner's; and an append whose result nobody keeps and nobody reads through was made for
// whoever has the array, since else it would do nothing at all.
#include <algorithm>
#include <set>

#include "detect/append/append_case.h"
#include "detect/append/empty_start.h"
#include "detect/append/filled_variable.h"
#include "judge/route.h"
#include "program/write_cursor.h"

namespace geist::detect::append {

using program::CursorUse;

namespace {

bool covers_all(const Append& append, const View& view) {
  return view.len_known && view.ptr <= append.event->append.old_ptr &&
         view.end(append.event->append.elem_size) >= append.dest_end();
}

// Not a variable that the compiler moves between registers and its frame.
bool is_in_memory(const View& view) {
  return view.holder == findings::Holder::kHeap || view.holder == findings::Holder::kGlobal ||
         view.in_stack_object;
}

// A word of the appending frame that has the operand's pointer, without a length beside it, may be a
// part of the very slice that is filled again: parts of a variable are loaded by an index.
bool may_be_operands(const Append& append, const View& view) {
  return !view.len_known && view.same_frame && view.ptr == append.event->append.old_ptr;
}

// How many slices of one frame count as holders. The slice that the operand was cut from in a frame
// may have been cut from a longer one there; but one that begins where it does is another.
struct FrameHolders {
  judge::Activation frame;
  usize count = 0;
};
void count_in_frame(std::vector<FrameHolders>& frames, const Candidate& candidate,
                    const std::vector<Candidate>& candidates) {
  const View& view = candidate.view;
  const bool has_twin =
      !candidate.is_handed && std::ranges::any_of(candidates, [&](const Candidate& c) {
        return c.is_handed && c.view.frame == view.frame && c.view.ptr == view.ptr;
      });
  auto known = std::ranges::find(frames, view.frame, &FrameHolders::frame);
  if (known == frames.end()) known = frames.insert(known, {view.frame, 0});
  known->count += has_twin ? 2 : 1;
}

// Is there one holder of the array, so that there is no doubt for whom the append writes? The same
// slice in several frames was handed down; variables of the append's own frame count when there is
// nobody else, each slice once.
bool has_one_holder(const Append& append, const std::vector<Candidate>& candidates) {
  std::set<TargetAddr> in_memory;
  std::set<std::pair<u64, u64>> in_own_frame;
  std::vector<FrameHolders> in_frames;
  for (const Candidate& candidate : candidates) {
    const View& view = candidate.view;
    if (!covers_all(append, view)) continue;
    if (is_in_memory(view)) {
      in_memory.insert(view.ptr_word);
      continue;
    }
    if (view.same_frame) {
      in_own_frame.emplace(view.ptr, view.len);
      continue;
    }
    if (view.g.value != append.event->g) return false;
    count_in_frame(in_frames, candidate, candidates);
  }
  usize in_frame = 0;
  for (const FrameHolders& holders : in_frames) in_frame = std::max(in_frame, holders.count);
  const usize others = in_memory.size() + in_frame;
  if (others != 0) return others == 1;
  return in_own_frame.size() == 1 || std::ranges::any_of(candidates, &Candidate::is_handed);
}

// Of a slice whose length is not known, only the one that was handed down is known to reach that
// far.
bool may_be_meant(const Append& append, const Candidate& candidate) {
  return covers_all(append, candidate.view) || candidate.is_handed;
}

}  // namespace

// What becomes of its result, in its function and in those that it is handed back to.
// `homes`: stores of it in the append's function that do not keep it.
static CursorUse follow_result(Context& context, const Append& append, EmptyStart& start,
                               const program::CallUse& calls, const std::set<u32>& homes) {
  constexpr CursorUse kKept{true, true, 0};
  const sites::AppendSite& site = append.site->site;
  const std::optional<program::Location> ptr = program::location_of(site.old_ptr);
  if (append.frames.empty() || !ptr) return kKept;
  const program::Callees callees = program::callees_of(context.binary);
  // What growslice gives back is the result and nothing else; the operand's pointer may be the
  // caller's slice as well, and code that is not optimized has stored it before the branch.
  const bool grows = !site.is_plain;
  CursorUse all;
  x86::RegMask held = grows              ? x86::bit(x86::kRax)
                      : ptr->is_register() ? x86::bit(ptr->reg)
                                           : 0;
  std::optional<i64> slot =
      grows || ptr->is_register() ? std::nullopt : std::optional(ptr->slot);
  const ImageAddr from = grows ? site.behind_call() : site.inplace_entry;
  for (usize i = 0; i < append.frames.size() && (held != 0 || slot); ++i) {
    const program::FunctionCode* code =
        i > kMaxCallers ? nullptr : context.codes.find(append.frames[i].function);
    const std::optional<u32> first =
        code == nullptr ? std::nullopt
                        : code->find_insn(i == 0 ? from : append.frames[i].pc);
    const std::optional<u32> branch = i == 0 && code ? code->find_insn(site.branch) : first;
    if (!first || !branch || (i != 0 && *first == 0)) return kKept;
    const u32 append_at = i == 0 ? *branch : *first - 1;
    // Further up each call is another round.
    const program::AppendLoop loop{
        append_at, start.blocks(i).value_or(std::set<u32>{code->block_of(append_at)}),
        i == 0 ? homes : std::set<u32>()};
    const CursorUse use =
        program::follow_cursor(*code, *first, held, slot, callees, calls, &loop);
    if (use.is_kept) return kKept;
    all.is_read |= use.is_read;
    held = use.returned;
    slot = std::nullopt;
  }
  return held == 0 ? all : kKept;
}

// Which candidates are the slice that the operand was cut from?
AppendCase::Owners AppendCase::note_owners() {
  const auto words = find_operand_words(context_, write_.append);
  const std::vector<judge::LoadedWord> handed = find_handed_words(context_, write_.append);
  auto has = [](const std::vector<judge::LoadedWord>& all, TargetAddr word) {
    return word && std::ranges::count(all, word, &judge::LoadedWord::at) != 0;
  };
  Owners owners;
  for (Candidate& candidate : write_.candidates) {
    const View& view = candidate.view;
    candidate.is_owner = words && has(*words, view.ptr_word);
    candidate.is_handed = !view.same_frame && !is_in_memory(view) && has(handed, view.ptr_word);
    owners.has_owner |= candidate.is_owner && covers_all(write_.append, view);
    owners.is_cut |= candidate.is_handed && covers_all(write_.append, view);
  }
  owners.is_cut |= owners.has_owner;
  // Cut from a header in memory that is none of them, it is for who has that.
  const bool is_others = !owners.has_owner && words &&
                         !std::ranges::all_of(*words, &judge::LoadedWord::is_variable);
  owners.has_aim = owners.has_owner ||
                   (!is_others && has_one_holder(write_.append, write_.candidates));
  return owners;
}

void AppendCase::leave_out_owners() {
  const Append& append = write_.append;
  if (write_.candidates.empty()) return;
  Owners owners = note_owners();
  const program::CallUse calls = program::call_use(context_.codes);
  EmptyStart start(context_, append, calls);
  bool was_empty = start.was_empty();
  std::optional<std::set<u32>> homes;
  if (!was_empty && !owners.has_owner) homes = find_homes_of_filled(context_, append, calls);
  if (homes) {
    was_empty = true;
    owners.has_aim = has_one_holder(append, write_.candidates);
  }
  for (Candidate& candidate : write_.candidates) {
    candidate.is_refilled = candidate.is_owner && was_empty;
    candidate.is_meant = was_empty && may_be_operands(append, candidate.view);
  }
  // With another length than none somebody may have wanted a slice of his own, and asked for its
  // length only. Where he computed what to leave of the owner's slice, the rest of it is his aim.
  if (!owners.has_aim || !(was_empty || (owners.is_cut && start.was_cut_at_place()))) return;
  const CursorUse use =
      follow_result(context_, append, start, calls, homes.value_or(std::set<u32>()));
  if (use.is_kept || (use.is_read && !was_empty)) return;
  for (Candidate& candidate : write_.candidates) {
    const bool is_aim = !owners.has_owner || candidate.is_owner || candidate.is_handed ||
                        candidate.view.same_frame;
    candidate.is_meant |= is_aim && may_be_meant(append, candidate);
  }
  // Who looks back at what he has kept may use the array as a stack of his own, and forget whose it
  // is; and who asks for the length alone of what he cut at a place may have wanted his own.
  if (use.is_read || !was_empty) return;
  std::erase_if(write_.candidates, [](const Candidate& candidate) { return candidate.is_meant; });
  write_.is_owner_left_out = owners.has_owner;
}

// A buffer that is filled by position is as long as its array, and what is appended to is cut from
// its header. Is the victim, that begins with the operand and is longer than the result, no such
// buffer?
void AppendCase::note_cut() {
  const bool any = std::ranges::any_of(write_.candidates, [&](const Candidate& candidate) {
    return candidate.view.may_be_cut(event());
  });
  if (!any || write_.identity || write_.append.old_len() == 0) return;
  const std::optional<std::vector<judge::LoadedWord>> sources =
      find_operand_sources(context_, write_.append);
  if (!sources) return;
  for (Candidate& candidate : write_.candidates) {
    View& view = candidate.view;
    const bool is_source = 
        std::ranges::count(*sources, view.ptr_word, &judge::LoadedWord::at) != 0;
    const bool is_array = view.holder == findings::Holder::kStack && !view.same_frame &&
                          view.ptr_word && view.len_word == view.ptr_word + 8;
    view.not_cut = (is_in_memory(view) || is_array) && view.len_known && view.len < view.cap &&
                   !is_source;
  }
}

}  // namespace geist::detect::append
