// See point.h. Room for a jump is looked for onwards from the point, then also before it: the
// smaller the better, since each moved instruction is one that must not be jumped to.
//
//   before …   [first]  moved, may not be jumped to (but the first)
//   at         the point
//   after …    [last]   moved; ends with room, at a RET or JMP, and takes the padding after those
#include "program/point.h"

#include "program/stack_check.h"

namespace geist::program {
namespace {

using x86::Flow;

constexpr u8 kAsmFlag = 4, kSpWriteFlag = 2, kTopFrameFlag = 1;  // internal/abi/symtab.go FuncFlag
constexpr u8 kCallRel32 = 0xe8, kPadding = 0xcc;
constexpr x86::RegMask kEverything = x86::kAllGprs | x86::kFlagsBit;

class Room {
 public:
  Room(const FunctionCode& code, u32 at) : code_(code), at_(at), first_(at), last_(at) {}

  std::optional<Displaced> find(bool may_go_back) {
    end_ = code_.briefs()[at_].addr;
    if (!knows_jumps()) return std::nullopt;
    while (bytes() < kJmpBytes && go_on()) {
    }
    while (may_go_back && bytes() < kJmpBytes && go_back()) {
    }
    if (bytes() < kJmpBytes) return std::nullopt;
    return Displaced{code_.briefs()[first_].addr, end_};
  }
  PointRefusal why() const { return why_; }

 private:
  u64 bytes() const { return end_ - code_.briefs()[first_].addr; }
  bool refuse(PointRefusal why) {
    why_ = why;
    return false;
  }
  // Is `insn`, which follows the one before it, reached from there only?
  bool only_follows(u32 insn) {
    const u32 block = code_.block_of(insn), before = code_.block_of(insn - 1);
    if (block == before) return true;
    const std::span<const u32> preds = code_.blocks()[block].preds;
    if (preds.size() == 1 && preds[0] == before) return true;
    return refuse(PointRefusal::kBranchTarget);
  }
  bool can_move(u32 insn) {
    const x86::Brief& brief = code_.briefs()[insn];
    if (brief.flow == Flow::kCall) return refuse(PointRefusal::kCallInside);
    if (brief.flow == Flow::kTrap || brief.flow == Flow::kJmpIndirect)
      return refuse(PointRefusal::kNoRoom);
    if (brief.flow == Flow::kNext && may_fault(code_, insn)) return refuse(PointRefusal::kMayFault);
    return true;
  }
  // One that is not known may lead anywhere, also into the bytes that are taken.
  bool knows_jumps() {
    for (const Block& block : code_.blocks()) {
      if (block.unknown_succs) return refuse(PointRefusal::kUnknownJumps);
    }
    return true;
  }
  bool go_on();
  bool go_back();
  bool take_padding();

  const FunctionCode& code_;
  const u32 at_;
  u32 first_, last_;   // instructions taken; none after last_ while end_ is that of at_
  ImageAddr end_;      // of the bytes taken
  bool ends_ = false;  // with a RET or JMP: nothing after it is reached from here
  PointRefusal why_ = PointRefusal::kNoRoom;
};

bool Room::go_on() {
  if (ends_) return take_padding();
  const bool is_first = end_ == code_.briefs()[at_].addr;
  const u32 next = is_first ? at_ : last_ + 1;
  if (next >= code_.briefs().size() || code_.briefs()[next].addr != end_)
    return refuse(PointRefusal::kNoRoom);
  if (!is_first && !only_follows(next)) return false;
  if (!can_move(next)) return false;
  const Flow flow = code_.briefs()[next].flow;
  last_ = next;
  end_ = code_.briefs()[next].end();
  ends_ = flow == Flow::kRet || flow == Flow::kJmp;
  return true;
}

// The linker fills up with INT3 to the next function; nothing is ever executed there.
bool Room::take_padding() {
  const u64 offset = end_ - code_.function().entry;
  const bool is_padding = offset < code_.bytes().size() && code_.bytes()[offset] == kPadding;
  if (last_ + 1 != code_.briefs().size() || !is_padding) return refuse(PointRefusal::kNoRoom);
  end_ += 1;
  return true;
}

bool Room::go_back() {
  if (first_ == 0 || end_ == code_.briefs()[at_].addr) return false;
  const u32 before = first_ - 1;
  const Flow flow = code_.briefs()[before].flow;
  if (code_.briefs()[before].end() != code_.briefs()[first_].addr || flow == Flow::kRet ||
      flow == Flow::kJmp)
    return refuse(PointRefusal::kNoRoom);
  if (!only_follows(first_) || !can_move(before)) return false;
  first_ = before;
  return true;
}

RefusedPoint refuse(const FunctionCode& code, PointKind kind, u32 at, PointRefusal why) {
  return {kind, code.function().index, code.briefs()[at].addr, why};
}

bool has_special_frame(const FunctionCode& code) {
  return (code.function().flag & (kSpWriteFlag | kTopFrameFlag)) != 0;
}

// Assembly may keep values in any register over a call, and hand them over in any.
x86::RegMask live_before(const FunctionCode& code, u32 insn) {
  const bool is_asm = (code.function().flag & kAsmFlag) != 0;
  const bool returns = code.briefs()[insn].flow == Flow::kRet;
  if (!is_asm) return code.live_before(insn);
  return returns ? kEverything : code.live_before(insn) | x86::kAllGprs;
}

PointAnswer make_point(const FunctionCode& code, PointKind kind, u32 at, bool may_go_back) {
  if (has_special_frame(code)) return refuse(code, kind, at, PointRefusal::kSpecialFrame);
  Room room(code, at);
  std::optional<Displaced> displaced = room.find(may_go_back);
  if (!displaced) return refuse(code, kind, at, room.why());
  Point point;
  point.kind = kind;
  point.function = code.function().index;
  point.at = code.briefs()[at].addr;
  point.displaced = *displaced;
  point.live = live_before(code, at);
  return point;
}

}  // namespace

std::string_view point_kind_name(PointKind kind) {
  constexpr std::string_view kNames[] = {"entry", "return", "after_call", "call", "inlined"};
  return kNames[static_cast<usize>(kind)];
}

std::string_view refusal_name(PointRefusal refusal) {
  constexpr std::string_view kNames[] = {
#define GEIST_POINT_REFUSAL(name, text, help) text,
#include "program/point_refusals.inc"
#undef GEIST_POINT_REFUSAL
  };
  return kNames[static_cast<usize>(refusal)];
}

std::string_view refusal_help(PointRefusal refusal) {
  constexpr std::string_view kHelps[] = {
#define GEIST_POINT_REFUSAL(name, text, help) help,
#include "program/point_refusals.inc"
#undef GEIST_POINT_REFUSAL
  };
  return kHelps[static_cast<usize>(refusal)];
}

PointAnswer entry_point(const FunctionCode& code) {
  constexpr PointKind kKind = PointKind::kEntry;
  std::optional<StackCheck> check = read_stack_check(code.bytes(), code.function().entry);
  u32 at = 0;
  if (check) {
    std::optional<u32> body = code.find_insn(check->body);
    std::optional<u32> more = code.find_block(check->more);
    if (!body || !more || !code.starts_anew(*more))
      return refuse(code, kKind, 0, PointRefusal::kUnexpectedPrologue);
    at = *body;
  }
  // A body that is jumped to would count a call twice; an entry that is jumped to without a check
  // is that of a check of another kind, or of a loop.
  const Block& block = code.blocks()[code.block_of(at)];
  if (block.preds.size() != (check ? 1 : 0)) {
    return refuse(code, kKind, at,
                  check ? PointRefusal::kBranchTarget : PointRefusal::kUnexpectedPrologue);
  }
  return make_point(code, kKind, at, false);
}

std::vector<PointAnswer> return_points(const FunctionCode& code) {
  constexpr PointKind kKind = PointKind::kReturn;
  std::vector<PointAnswer> answers;
  for (u32 i = 0; i < code.briefs().size(); ++i) {
    const x86::Brief& brief = code.briefs()[i];
    const Block& block = code.blocks()[code.block_of(i)];
    const bool leaves = (brief.flow == Flow::kJmp && block.succs.empty()) ||
                        (brief.flow == Flow::kJmpIndirect && block.unknown_succs);
    if (leaves) answers.push_back(refuse(code, kKind, i, PointRefusal::kLeavesByJump));
    if (brief.flow == Flow::kRet) answers.push_back(make_point(code, kKind, i, true));
  }
  if (answers.empty()) answers.push_back(refuse(code, kKind, 0, PointRefusal::kNeverReturns));
  return answers;
}

PointAnswer after_call_point(const FunctionCode& code, u32 call) {
  constexpr PointKind kKind = PointKind::kAfterCall;
  const u32 at = call + 1;
  const bool returns =
      at < code.briefs().size() && code.briefs()[at].addr == code.briefs()[call].end();
  if (!returns) return refuse(code, kKind, call, PointRefusal::kNoRoom);
  if (code.block_of(at) != code.block_of(call))
    return refuse(code, kKind, at, PointRefusal::kBranchTarget);
  PointAnswer answer = make_point(code, kKind, at, false);
  if (Point* point = std::get_if<Point>(&answer)) point->target = code.briefs()[call].target;
  return answer;
}

PointAnswer call_point(const FunctionCode& code, u32 call, x86::RegMask callee_live) {
  constexpr PointKind kKind = PointKind::kCall;
  const x86::Brief& brief = code.briefs()[call];
  const bool is_rel32 = brief.flow == Flow::kCall && brief.length == kJmpBytes &&
                        code.bytes()[brief.addr - code.function().entry] == kCallRel32;
  if (!is_rel32) return refuse(code, kKind, call, PointRefusal::kNoSuchCall);
  if (has_special_frame(code)) return refuse(code, kKind, call, PointRefusal::kSpecialFrame);
  Point point;
  point.kind = kKind;
  point.function = code.function().index;
  point.at = brief.addr;
  point.displaced = {brief.addr, brief.end()};
  point.target = brief.target;
  // What the called one reads, and what is kept over the call: all, where nothing follows.
  const bool is_last = call + 1 >= code.briefs().size();
  const x86::RegMask kept = is_last ? x86::kAllGprs : live_before(code, call + 1) & x86::kAllGprs;
  point.live = callee_live | kept;
  return point;
}

x86::RegMask live_at_entry(const FunctionCode* code) {
  return code == nullptr ? kEverything : live_before(*code, 0);
}

PointAnswer point_at(const FunctionCode& code, u32 at, PointKind kind) {
  return make_point(code, kind, at, true);
}

}  // namespace geist::program
