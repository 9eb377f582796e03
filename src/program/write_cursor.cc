// A forward search over blocks: what is known at the start of each is the set of places that may
// hold the pointer, which only grows, so every block is looked at again only when its set grew.
#include "program/write_cursor.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <span>

#include "program/code_cache.h"
#include "program/go_abi.h"
#include "program/slot_writes.h"

namespace geist::program {
namespace {

using x86::Insn;
using x86::Op;
using x86::Operand;
using x86::RegMask;

constexpr u16 kWordBits = 64;
constexpr usize kMaxSlots = 64;      // that hold the pointer at once
constexpr usize kMaxInsns = 20'000;  // of a function
// The array on the stack that Go >= 1.25 lets a small slice begin in; an address in the frame is
// taken to be of no more than that, beside which words are the compiler's own.
// Source: cmd/compile/internal/walk/append.go, 32 bytes.
constexpr i64 kStackBuffer = 32;

RegMask all_arguments() {
  RegMask all = 0;
  for (x86::Reg reg : kIntegerArguments) all |= x86::bit(reg);
  return all;
}

// The registers that may have a slice's pointer for the callee. Arguments are assigned in order, so
// none comes after the register that has the function's own address, and before that one there is
// room for the length as well. What is found in others was left there.
RegMask arguments_of(const Insn& call) {
  const Operand& target = call.operands[0];
  if (call.target || target.kind != Operand::Kind::kReg) return all_arguments();
  const auto* const end = std::ranges::find(kIntegerArguments, target.reg);
  if (end == std::end(kIntegerArguments)) return all_arguments();
  RegMask all = 0;
  for (const auto* reg = std::begin(kIntegerArguments); reg + 1 < end; ++reg) all |= x86::bit(*reg);
  return all;
}

// Where the pointer may be.
struct Holders {
  RegMask regs = 0;
  std::set<i64> slots;
  bool operator==(const Holders&) const = default;

  bool has(x86::Reg reg) const { return (regs & x86::bit(reg)) != 0; }
  bool add(const Holders& other) {
    const Holders before = *this;
    regs |= other.regs;
    slots.insert(other.slots.begin(), other.slots.end());
    return !(before == *this);
  }
};

bool is_frame_word(const Operand& operand) {
  return operand.kind == Operand::Kind::kMem && operand.mem.base == x86::kRsp &&
         operand.mem.index == x86::kNoReg && !operand.mem.segment;
}

class Search {
 public:
  Search(const FunctionCode& code, const Callees& callees, const CallUse& calls,
         const AppendLoop* loop)
      : code_(code), callees_(callees), calls_(calls), loop_(loop) {}

  CursorUse run(u32 start, Holders first);

 private:
  bool pass_block(u32 block, u32 first, Holders& held);
  bool pass(u32 index, Holders& held);
  bool pass_call(u32 index, const Insn& insn, Holders& held);
  bool is_no_news(u32 index, const Insn& insn) const;
  bool pass_store(const Insn& insn, Holders& held) const;
  void pass_value(const Insn& insn, Holders& held) const;
  bool reads_through(const Insn& insn, const Holders& held) const;
  bool takes_frame_words(const Insn& insn, const Holders& held) const;
  bool may_read(u32 index);
  void find_addresses();

  const FunctionCode& code_;
  const Callees& callees_;
  const CallUse& calls_;
  const AppendLoop* loop_;
  CursorUse use_;
  std::vector<i64> addresses_;  // in the frame, that the function takes
  bool is_barrier_ = false;     // of the block that is looked at: it tells the collector what it
                                // is about to overwrite, and reads that for nobody else
};

CursorUse Search::run(u32 start, Holders first) {
  const CursorUse kept{true, use_.is_read, 0};
  if (code_.briefs().size() > kMaxInsns) return kept;
  find_addresses();
  std::vector<Holders> at_start(code_.blocks().size());
  std::vector<bool> is_open(code_.blocks().size()), was_seen(code_.blocks().size());
  std::vector<u32> open;
  auto go_on = [&](u32 block, const Holders& held) {
    for (u32 next : code_.blocks()[block].succs) {
      if (code_.starts_anew(block)) continue;
      const bool grew = at_start[next].add(held);
      if ((!grew && was_seen[next]) || is_open[next]) continue;
      is_open[next] = true;
      open.push_back(next);
    }
  };
  if (!pass_block(code_.block_of(start), start, first)) return kept;
  go_on(code_.block_of(start), first);
  while (!open.empty()) {
    const u32 block = open.back();
    open.pop_back();
    is_open[block] = false;
    was_seen[block] = true;
    Holders held = at_start[block];
    if (held.slots.size() > kMaxSlots) return kept;
    if (!pass_block(block, code_.blocks()[block].first, held)) return kept;
    go_on(block, held);
  }
  return use_;
}

// Does the way lead on to the append, in the same round?
bool Search::may_read(u32 index) {
  use_.is_read = true;
  if (loop_ == nullptr) return true;
  const u32 wanted = code_.block_of(loop_->append);
  if (code_.block_of(index) == wanted && index < loop_->append && !loop_->restarts.contains(wanted))
    return true;
  std::vector<bool> seen(code_.blocks().size());
  std::vector<u32> open{code_.block_of(index)};
  while (!open.empty()) {
    const u32 block = open.back();
    open.pop_back();
    for (u32 next : code_.blocks()[block].succs) {
      if (seen[next] || loop_->restarts.contains(next) || code_.starts_anew(block)) continue;
      if (next == wanted) return true;
      seen[next] = true;
      open.push_back(next);
    }
  }
  return false;
}

void Search::find_addresses() {
  for (u32 i = 0; i < code_.briefs().size(); ++i) {
    if ((code_.briefs()[i].reads & x86::bit(x86::kRsp)) == 0) continue;
    const Insn& insn = code_.insn(i);
    // Below the stack pointer nothing is kept: that is how a function asks for room.
    if (insn.op == Op::kLea && insn.operands[1].mem.base == x86::kRsp &&
        !insn.operands[0].is_reg(x86::kRsp) && insn.operands[1].mem.disp >= 0)
      addresses_.push_back(insn.operands[1].mem.disp);
  }
}

// False when the pointer is used in another way than a cursor's.
bool Search::pass_block(u32 block, u32 first, Holders& held) {
  const Block& b = code_.blocks()[block];
  is_barrier_ = std::any_of(code_.briefs().begin() + b.first, code_.briefs().begin() + b.last + 1,
                            [&](const x86::Brief& brief) {
                              return brief.flow == x86::Flow::kCall &&
                                     callees_(brief.target) == Callee::kKeepsRegisters;
                            });
  for (u32 i = first; i <= b.last; ++i) {
    const x86::Brief& brief = code_.briefs()[i];
    const bool is_concerned = (held.regs & (brief.reads | brief.writes)) != 0 ||
                              brief.flow == x86::Flow::kCall || !held.slots.empty();
    if (is_concerned && !pass(i, held)) return false;
    if (brief.flow == x86::Flow::kRet) use_.returned |= held.regs & all_arguments();
  }
  return !b.unknown_succs || (held.regs == 0 && held.slots.empty());
}

bool Search::pass(u32 index, Holders& held) {
  const Insn& insn = code_.insn(index);
  if (insn.flow == x86::Flow::kCall) return pass_call(index, insn, held);
  if (insn.op == Op::kPush || insn.op == Op::kXchg || insn.rep)
    return (held.regs & insn.reads & ~x86::bit(x86::kRsp)) == 0;
  if (takes_frame_words(insn, held)) return false;
  if (reads_through(insn, held) && !may_read(index)) return false;
  if (insn.writes_memory) return is_no_news(index, insn) || pass_store(insn, held);
  pass_value(insn, held);
  return true;
}

bool Search::pass_call(u32 index, const Insn& insn, Holders& held) {
  if (callees_(insn.target) == Callee::kKeepsRegisters) return true;
  const CursorUse use = calls_(insn.target, held.regs & arguments_of(insn));
  if (use.is_kept || (use.is_read && !may_read(index))) return false;
  held.regs = use.returned;  // what growslice gives back lies in another array
  return true;
}

// A load of an element. Not that of a nil check, and not that of the write barrier, which is told
// what stood in the slot.
bool Search::reads_through(const Insn& insn, const Holders& held) const {
  if (!insn.reads_memory || insn.op == Op::kLea || insn.op == Op::kNop) return false;
  for (u32 i = 0; i < insn.operand_count; ++i) {
    const Operand& operand = insn.operands[i];
    if (operand.kind != Operand::Kind::kMem) continue;
    const bool is_through = (operand.mem.base != x86::kNoReg && held.has(operand.mem.base)) ||
                            (operand.mem.index != x86::kNoReg && held.has(operand.mem.index));
    const bool is_nil_check = insn.op == Op::kTest && operand.size_bits == 8;
    if (is_through && !is_nil_check && !is_barrier_) return true;
  }
  return false;
}

// Several words of the frame at once go where nobody follows them.
bool Search::takes_frame_words(const Insn& insn, const Holders& held) const {
  if (!insn.reads_memory) return false;
  return std::any_of(insn.operands.begin(), insn.operands.begin() + insn.operand_count,
                     [&](const Operand& operand) {
                       if (!is_frame_word(operand) || operand.size_bits <= kWordBits) return false;
                       const i64 from = operand.mem.disp, to = from + operand.size_bits / 8;
                       const auto held_there = held.slots.lower_bound(from);
                       return held_there != held.slots.end() && *held_there < to;
                     });
}

// A store to the variable that it came from; or to the barrier's buffer, which R11 points to then:
// the store proper comes after it. Source: runtime/asm_amd64.s gcWriteBarrier, go1.21 to go1.27.
bool Search::is_no_news(u32 index, const Insn& insn) const {
  if (loop_ != nullptr && loop_->homes.contains(index)) return true;
  const Operand& target = insn.operands[0];
  return is_barrier_ && target.kind == Operand::Kind::kMem && target.mem.base == x86::kR11;
}

bool Search::pass_store(const Insn& insn, Holders& held) const {
  const Operand& target = insn.operands[0];
  const Operand& source = insn.operands[1];
  const bool is_pointer =
      source.kind == Operand::Kind::kReg && held.has(source.reg) && source.size_bits == kWordBits;
  if (is_pointer && (insn.op != Op::kMov || !is_frame_word(target))) return false;
  std::erase_if(held.slots, [&](i64 slot) {
    return target.mem.index == x86::kNoReg && writes_slot(insn, slot);
  });
  if (!is_pointer) return true;
  const i64 slot = target.mem.disp;
  held.slots.insert(slot);
  return std::none_of(addresses_.begin(), addresses_.end(),
                      [&](i64 a) { return a <= slot && slot < a + kStackBuffer; });
}

void Search::pass_value(const Insn& insn, Holders& held) const {
  const Operand& target = insn.operands[0];
  const Operand& source = insn.operands[1];
  bool is_pointer = false;
  switch (insn.op) {
    case Op::kMov:
      is_pointer = target.size_bits == kWordBits &&
                   ((source.kind == Operand::Kind::kReg && held.has(source.reg)) ||
                    (is_frame_word(source) && held.slots.contains(source.mem.disp)));
      break;
    case Op::kLea:
      is_pointer = (source.mem.base != x86::kNoReg && held.has(source.mem.base)) ||
                   (source.mem.index != x86::kNoReg && held.has(source.mem.index));
      break;
    case Op::kAdd:
    case Op::kSub:
    case Op::kInc:
    case Op::kDec:
      is_pointer = (target.kind == Operand::Kind::kReg && held.has(target.reg)) ||
                   (source.kind == Operand::Kind::kReg && held.has(source.reg));
      break;
    default:
      // Conditional moves take one of two.
      is_pointer = (insn.reads & x86::kFlagsBit) != 0 && (insn.reads & held.regs) != 0;
  }
  const RegMask written = insn.writes & x86::kAllGprs;
  held.regs &= ~written;
  if (is_pointer) held.regs |= written;
}

// The arguments of a function that may have to grow its stack: before it asks for that it spills
// them all. Source: cmd/internal/obj/x86/obj6.go stacksplit, SpillRegisterArgs.
std::optional<RegMask> spilled_arguments(const FunctionCode& code) {
  for (u32 block = 0; block < code.blocks().size(); ++block) {
    if (!code.starts_anew(block)) continue;
    const Block& b = code.blocks()[block];
    RegMask spilled = 0;
    for (u32 i = b.first; i <= b.last && code.briefs()[i].flow != x86::Flow::kCall; ++i) {
      const Insn& insn = code.insn(i);
      const bool is_spill = insn.op == Op::kMov && is_frame_word(insn.operands[0]) &&
                            insn.operands[1].kind == Operand::Kind::kReg;
      if (is_spill) spilled |= x86::bit(insn.operands[1].reg);
    }
    return spilled & all_arguments();
  }
  return std::nullopt;
}

// Functions of the runtime that take a slice's pointer, as far as they do not keep it: growing copies
// the elements on; the others write to their first or second argument, and read the one after it.
struct Known {
  std::string_view prefix;
  RegMask read;  // the argument whose elements are read
};
constexpr Known kKnown[] = {
    {"runtime.growslice", 0},
    {"runtime.memclr", 0},
    {"runtime.wbZero", 0},
    {"runtime.panic", 0},
    {"runtime.goPanic", 0},
    {"runtime.memmove", x86::bit(x86::kRbx)},
    {"runtime.typedmemmove", x86::bit(x86::kRcx)},
    {"runtime.wbMove", x86::bit(x86::kRcx)},
    {"runtime.typedslicecopy", x86::bit(x86::kRdi)},
    // Of a slice that began in the frame, which is another's. Source: walk/append.go of Go 1.26.
    {"runtime.moveSlice", 0},
    {"runtime.memequal", x86::bit(x86::kRax) | x86::bit(x86::kRbx)},
};

// Follows callees, each with the registers that it is handed the pointer in, once.
class Calls {
 public:
  explicit Calls(CodeCache& codes) : codes_(codes), callees_(callees_of(codes.binary())) {}

  CursorUse use(ImageAddr target, RegMask held) {
    if (held == 0) return {};
    const std::optional<read::Function> callee =
        target ? codes_.binary().pclntab().find_function(target) : std::nullopt;
    if (!callee) return {true, true, 0};
    for (const Known& known : kKnown) {
      if (callee->name.starts_with(known.prefix)) return {false, (held & known.read) != 0, 0};
    }
    const FunctionCode* code = codes_.find(*callee);
    if (code == nullptr) return {true, true, 0};
    held &= spilled_arguments(*code).value_or(code->live_in(0) & all_arguments());
    return held == 0 ? CursorUse{} : follow(*code, held);
  }

 private:
  CursorUse follow(const FunctionCode& code, RegMask held) {
    constexpr usize kMaxDepth = 4;
    const auto key = std::pair(code.function().entry, held);
    if (const auto known = known_.find(key); known != known_.end()) return known->second;
    if (depth_ >= kMaxDepth) return {true, true, 0};
    known_[key] = {true, true, 0};  // while it is looked at: of a function that calls itself
    ++depth_;
    const CallUse calls = [this](ImageAddr target, RegMask regs) { return use(target, regs); };
    const CursorUse found = follow_cursor(code, 0, held, std::nullopt, callees_, calls);
    --depth_;
    return known_[key] = found;
  }

  CodeCache& codes_;
  const Callees callees_;
  std::map<std::pair<ImageAddr, RegMask>, CursorUse> known_;
  usize depth_ = 0;
};

}  // namespace

CursorUse follow_cursor(const FunctionCode& code, u32 start, x86::RegMask held,
                        std::optional<i64> slot, const Callees& callees, const CallUse& calls,
                        const AppendLoop* loop) {
  Holders first;
  first.regs = held;
  if (slot) first.slots.insert(*slot);
  return Search(code, callees, calls, loop).run(start, std::move(first));
}

CallUse call_use(CodeCache& codes) {
  return [calls = std::make_shared<Calls>(codes)](ImageAddr target, RegMask held) {
    return calls->use(target, held);
  };
}

std::optional<x86::Reg> passed_on_argument(const CallUse& calls, ImageAddr target) {
  // A slice's pointer, which its length and capacity are behind.
  for (x86::Reg argument : std::span(kIntegerArguments).first(kIntegerArguments.size() - 2)) {
    const CursorUse use = calls(target, x86::bit(argument));
    if (!use.is_kept && (use.returned & x86::bit(x86::kRax)) != 0) return argument;
  }
  return std::nullopt;
}

}  // namespace geist::program
