// Watches: which victims and which bytes get the four debug registers, until when, and what an
// access to them says about whose header was read.
//
//   victims, the most promising first ─▶ session: length words + parts of the changed bytes
//   a new append ─▶ sessions of the same bytes give way, then those that promise less
#include <algorithm>

#include "base/go_symbol.h"
#include "judge/chunks.h"
#include "judge/clock.h"
#include "judge/through.h"
#include "judge/tracker.h"
#include "program/header_flow.h"

namespace geist::judge {
namespace {

constexpr u64 kSessionHoldNs = 50'000'000;  // a younger watch is not taken off for an equal one

}  // namespace

// A header's word is read and written as a whole, so one byte of it tells as much as eight. On a
// stack it costs less: each sample has a copy of the stack, which the kernel makes byte by byte,
// and every watched byte in it is a trap of its own.
static u32 header_bytes(bool on_stack) {
  return on_stack ? 1 : 8;
}

// How much a watch of this victim promises. Stack slots are reused soon, so heap and globals come
// first; the bugs are in modules rather than in the standard library; an emptied buffer that is
// filled again is nearly always meant.
static int rank_of(const Case& c, const View& view, bool in_library) {
  int rank = in_library ? 0 : 16;
  if (view.holder == findings::Holder::kHeap || view.holder == findings::Holder::kGlobal) rank += 4;
  if (view.live_for_sure) rank += 4;
  if (view.len_word) rank += 2;
  if (view.name.empty() && !view.len_known) rank -= 4;
  bool emptied = view.ptr <= c.event->append.old_ptr && view.len > c.event->append.new_len &&
                 c.event->append.new_len == c.event->append.num;
  if (!emptied) rank += 3;
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

void Tracker::watch_best(Case& c) {
  if (!watcher_.available() || c.candidates.empty()) return;
  read_samples();
  bool in_library =
      is_standard_library(context_.binary.pclntab().function(c.append.site->site.function).name);
  std::vector<std::pair<int, usize>> ranked;
  for (usize i = 0; i < c.candidates.size(); ++i) {
    const View& view = c.candidates[i].view;
    const bool is_outgrown = std::any_of(
        c.candidates.begin(), c.candidates.end(),
        [&](const Candidate& other) { return looks_outgrown(context_, view, other.view); });
    constexpr int kOutgrown = 12;
    ranked.emplace_back((is_outgrown ? kOutgrown : 0) - rank_of(c, view, in_library), i);
  }
  std::sort(ranked.begin(), ranked.end());
  int best = -ranked[0].first;
  give_way_to(c);
  make_room(best);
  if (watcher_.free_words() < 2) give_up_parts(c);
  std::vector<usize> by_rank;
  for (const auto& [negative_rank, index] : ranked) by_rank.push_back(index);
  if (!start_session(c, by_rank, best)) ++not_watched_;
}

// What this append is about to write over again shows an earlier append's change no longer: whoever
// was its victim and is still there is one of this append, too.
void Tracker::give_way_to(const Case& c) {
  for (usize i = sessions_.size(); i-- > 0;) {
    const Append& earlier = sessions_[i].of->append;
    const bool is_same_slot =
        earlier.dest() < c.append.dest_end() && c.append.dest() < earlier.dest_end();
    if (is_same_slot) end_session(i, true);
  }
}

// Room is made by watches that have seen enough, whose append changed nothing, that are old, or
// that promise less.
void Tracker::make_room(int rank) {
  if (watcher_.free_words() < 2) read_samples();
  for (usize i = sessions_.size(); i-- > 0 && watcher_.free_words() < 2;) {
    const Session& s = sessions_[i];
    bool old = nanoseconds(CLOCK_MONOTONIC) - s.since_ns > kSessionHoldNs;
    if (s.rank < rank || (old && s.rank <= rank + 4) || still_unchanged(*s.of))
      end_session(i, true);
  }
}

// More than one part of one append's change is worth less than another append's only one; but not
// than the same one's next change: which of its parts will be read is not known.
void Tracker::give_up_parts(const Case& c) {
  for (Session& session : sessions_) {
    if (session.of->append.site == c.append.site) continue;
    std::vector<TargetAddr> parts;
    for (usize index : session.candidates) {
      for (const Evidence& e : session.of->candidates[index].evidence) {
        const TargetAddr part = e.element_word();
        if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
      }
    }
    for (; parts.size() > 1 && watcher_.free_words() < 2; parts.pop_back()) {
      const TargetAddr part = parts.back();
      const bool is_only_one =
          std::any_of(session.candidates.begin(), session.candidates.end(), [&](usize index) {
            const std::vector<Evidence>& all = session.of->candidates[index].evidence;
            return all.size() == 1 && all[0].element_word() == part;
          });
      if (is_only_one) continue;
      watcher_.remove(part);
      std::erase(session.words, part);
      for (usize index : session.candidates) {
        std::vector<Evidence> kept;
        for (Evidence& e : session.of->candidates[index].evidence)
          if (e.element_word() != part) kept.push_back(std::move(e));
        session.of->candidates[index].evidence = std::move(kept);
      }
    }
  }
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

bool Tracker::start_session(Case& c, const std::vector<usize>& by_rank, int rank) {
  // Who compares strings may read the length of one only: another word of the changed bytes, or the
  // place that a header is copied to, is worth more than a third victim.
  constexpr usize kMostHeaders = 2;
  const usize free = watcher_.free_words();
  if (free == 0) return false;
  // What was lost before is an earlier session's.
  if (sessions_.empty()) {
    watcher_.drain();
    watcher_.note_unseen();
  }
  Session session;
  session.of = &c;
  session.since_ns = nanoseconds(CLOCK_MONOTONIC);
  session.lost_before = watcher_.lost_samples();
  session.late_before = watcher_.late_threads();
  session.rank = rank;
  // Length words first, then as many parts of the changed bytes as there are registers left, at
  // least one.
  usize headers = 0;
  for (usize index : by_rank) {
    const View& view = c.candidates[index].view;
    const TargetAddr header = view.header_word();
    // One that is watched for another append as well takes no register.
    const bool is_shared = header && watcher_.watches(header);
    const bool room = is_shared || headers < std::min(free - 1, kMostHeaders);
    const bool on_stack = view.holder == findings::Holder::kStack;
    if (header && (!room || !watcher_.add(header, header_bytes(on_stack), on_stack))) continue;
    if (header) {
      session.words.push_back(header);
      headers += is_shared ? 0 : 1;
    }
    session.candidates.push_back(index);
  }
  if (session.candidates.empty()) return false;
  std::vector<const View*> views;
  for (usize index : session.candidates) views.push_back(&c.candidates[index].view);
  std::vector<Chunk> watched;
  for (const Chunk& chunk : choose_chunks(context_, c.append, views, free - headers)) {
    if (!watcher_.add(chunk.at, chunk.size, c.append.array.on_stack)) continue;
    session.words.push_back(chunk.at);
    watched.push_back(chunk);
  }
  for (usize index : session.candidates) {
    Candidate& candidate = c.candidates[index];
    for (const Chunk& chunk : watched) {
      bool covered = chunk.at.value >= candidate.view.ptr &&
                     chunk.at.value + chunk.size <= candidate.view.end(c.event->append.elem_size);
      if (!covered) continue;
      candidate.evidence.emplace_back(make_header_word(candidate.view), make_part(*c.event, chunk),
                                      c.append, trust_in(c, candidate.view),
                                      make_route(c, candidate.view));
      candidate.evidence.back().count_left_out_in(&context_.left_out);
    }
    candidate.change_watched = !candidate.evidence.empty();
    candidate.watched_throughout = candidate.view.len_word && candidate.change_watched;
  }
  sessions_.push_back(std::move(session));
  return true;
}

// What a read of the header word says, by where the word is.
HeaderTrust Tracker::trust_in(const Case& c, const View& view) {
  bool bare_pointer = !view.len_known && view.name.empty();
  if (bare_pointer) return HeaderTrust::kSameRegister;
  const bool is_variable = view.holder == findings::Holder::kStack && !view.in_stack_object;
  if (view.may_be_cut(*c.event) && !is_variable) return HeaderTrust::kWhole;
  return view.same_frame && !view.in_stack_object ? HeaderTrust::kBesideResult : HeaderTrust::kFull;
}

// Was the pointer loaded, for this read or as an argument of the call that led to it, out of the
// victim's own word? After the stack has moved, when nobody watches that word, only where its
// function leaves it alone.
bool Tracker::takes_victims_pointer(const Case& c, const Access& access, const View& victim) {
  if (victim.holder != findings::Holder::kStack) return false;
  usize frame = 0;
  while (frame < access.frames.size() && !(access.activation(frame) == victim.frame)) ++frame;
  if (frame == access.frames.size()) return false;
  if (frame > 0 && c.append.was_under_way(access.activation(frame - 1))) return false;
  const program::FunctionCode* code = context_.codes.find(access.frames[frame].function);
  if (code == nullptr) return false;
  bool is_taken = frame == 0 ? !victim.may_be_cut(*c.event) &&
                                   loads_victim_pointer(*code, access, victim, *c.event)
                             : passes_victim(*code, access, frame, victim, *c.event);
  return is_taken && (access.stack_hi == victim.stack_hi || is_left_alone(c, victim));
}

// By the code's word, where it tells. Else right through the victim: by its own word. Or by DWARF's
// word: at the access, in the victim's own frame, the register the address was made from is the
// pointer of the victim's variable, and of no other; or a frame of the reader was handed the
// victim's very header.
std::function<RouteAnswer(const Access&)> Tracker::make_route(const Case& c, const View& view) {
  return [this, &c, victim = view](const Access& access) -> RouteAnswer {
    if (access.frames.empty()) return {};
    RouteAnswer answer = find_route(context_, c.append, victim, access);
    // Who fills a buffer by position reads it through its own pointer, but not as the slice that
    // its header describes: w.buf[:w.n].
    if (answer.route != Route::kOther && victim.may_be_cut(*c.event)) answer = {};
    if (answer.route == Route::kUnknown && shows_victim(c, victim, access))
      answer.route = Route::kVictim;
    return answer;
  };
}

bool Tracker::shows_victim(const Case& c, const View& victim, const Access& access) {
  if (takes_victims_pointer(c, access, victim)) return true;
  if (context_.debug == nullptr) return false;
  if (holds_victim_header(*context_.debug, access, victim, c.append)) return true;
  const bool may_be_named = !victim.surrounds(*c.event) && !victim.name.empty() && access.insn &&
                            access.base != x86::kNoReg && access.activation(0) == victim.frame;
  return may_be_named && names_pointer(*context_.debug, access, victim, *c.event);
}

void Tracker::end_session(usize index, bool early) {
  Session session = std::move(sessions_[index]);
  sessions_.erase(sessions_.begin() + static_cast<i64>(index));
  for (TargetAddr word : session.words) watcher_.remove(word);
  if (!early) return;
  for (usize ended : session.candidates) {
    Candidate& candidate = session.of->candidates[ended];
    candidate.watched_a_while = candidate.watched_throughout &&
                                nanoseconds(CLOCK_MONOTONIC) - session.since_ns > kSessionHoldNs;
    candidate.watched_throughout = false;
    candidate.change_watched = false;
  }
}

void Tracker::replace_header_watch(Session& session, TargetAddr from, TargetAddr to,
                                   bool on_stack) {
  auto watched = std::find(session.words.begin(), session.words.end(), from);
  if (watched == session.words.end()) return;
  watcher_.remove(from);
  if (watcher_.add(to, header_bytes(on_stack), on_stack))
    *watched = to;
  else
    session.words.erase(watched);
}

}  // namespace geist::judge
