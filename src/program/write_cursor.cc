// A forward search over blocks: what is known at the start of each is the set of places that may
// hold the pointer, which only grows, so every block is looked at again only when its set grew.
#include "program/write_cursor.h"

#include <algorithm>
#include <set>

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
  Search(const FunctionCode& code, const Callees& callees, const TakenArguments& taken,
         RegMask read_by_caller)
      : code_(code), callees_(callees), taken_(taken), read_by_caller_(read_by_caller) {}

  bool run(u32 start, const Location& ptr);

 private:
  bool pass_block(u32 block, u32 first, Holders& held);
  bool pass(const Insn& insn, Holders& held);
  bool pass_call(const Insn& insn, Holders& held) const;
  bool pass_store(const Insn& insn, Holders& held) const;
  void pass_value(const Insn& insn, Holders& held) const;
  bool reads_through(const Insn& insn, const Holders& held) const;
  void find_addresses();

  const FunctionCode& code_;
  const Callees& callees_;
  const TakenArguments& taken_;
  RegMask read_by_caller_;
  std::vector<i64> addresses_;  // in the frame, that the function takes
  bool is_barrier_ = false;     // of the block that is looked at: it tells the collector what it
                                // is about to overwrite, and reads that for nobody else
};

bool Search::run(u32 start, const Location& ptr) {
  if (code_.briefs().size() > kMaxInsns) return false;
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
  Holders first;
  if (ptr.is_register())
    first.regs = x86::bit(ptr.reg);
  else
    first.slots.insert(ptr.slot);
  if (!pass_block(code_.block_of(start), start, first)) return false;
  go_on(code_.block_of(start), first);
  while (!open.empty()) {
    const u32 block = open.back();
    open.pop_back();
    is_open[block] = false;
    was_seen[block] = true;
    Holders held = at_start[block];
    if (held.slots.size() > kMaxSlots) return false;
    if (!pass_block(block, code_.blocks()[block].first, held)) return false;
    go_on(block, held);
  }
  return true;
}

void Search::find_addresses() {
  for (u32 i = 0; i < code_.briefs().size(); ++i) {
    if ((code_.briefs()[i].reads & x86::bit(x86::kRsp)) == 0) continue;
    const Insn& insn = code_.insn(i);
    if (insn.op == Op::kLea && insn.operands[1].mem.base == x86::kRsp &&
        !insn.operands[0].is_reg(x86::kRsp))
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
    if (is_concerned && !pass(code_.insn(i), held)) return false;
    if (brief.flow == x86::Flow::kRet && (held.regs & read_by_caller_) != 0) return false;
  }
  return !b.unknown_succs || (held.regs == 0 && held.slots.empty());
}

bool Search::pass(const Insn& insn, Holders& held) {
  if (insn.flow == x86::Flow::kCall) return pass_call(insn, held);
  if (insn.op == Op::kPush || insn.op == Op::kXchg || insn.rep)
    return (held.regs & insn.reads & ~x86::bit(x86::kRsp)) == 0;
  if (reads_through(insn, held)) return false;
  if (insn.writes_memory) return pass_store(insn, held);
  pass_value(insn, held);
  return true;
}

bool Search::pass_call(const Insn& insn, Holders& held) const {
  if (callees_(insn.target) == Callee::kKeepsRegisters) return true;
  if ((held.regs & taken_(insn.target)) != 0) return false;
  held.regs = 0;  // what growslice gives back lies in another array
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
    // Several words of the frame at once go where nobody follows them.
    if (is_frame_word(operand) && operand.size_bits > kWordBits) {
      const i64 from = operand.mem.disp, to = from + operand.size_bits / 8;
      const auto held_there = held.slots.lower_bound(from);
      if (held_there != held.slots.end() && *held_there < to) return true;
    }
  }
  return false;
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

}  // namespace

bool is_write_cursor(const FunctionCode& code, const AppendResult& result, const Callees& callees,
                     const TakenArguments& taken, x86::RegMask read_by_caller) {
  const std::optional<u32> start = code.find_insn(result.inplace_entry);
  return start && Search(code, callees, taken, read_by_caller).run(*start, result.ptr);
}

x86::RegMask read_after(const FunctionCode& code, ImageAddr after, x86::RegMask results,
                        const TakenArguments& taken, x86::RegMask* passed_on) {
  const std::optional<u32> start = code.find_insn(after);
  if (!start) return results;
  RegMask read = 0;
  std::vector<RegMask> seen(code.blocks().size());
  struct Way {
    u32 first;
    RegMask left;
  };
  std::vector<Way> open{{*start, results}};
  while (!open.empty()) {
    Way way = open.back();
    open.pop_back();
    const u32 block = code.block_of(way.first);
    const Block& b = code.blocks()[block];
    for (u32 i = way.first; i <= b.last && way.left != 0; ++i) {
      const x86::Brief& brief = code.briefs()[i];
      if (brief.flow == x86::Flow::kCall) {
        read |= way.left & taken(brief.target);
        way.left = 0;
        break;
      }
      if (brief.flow == x86::Flow::kRet) *passed_on |= way.left;
      read |= way.left & brief.reads;
      way.left &= ~(brief.reads | brief.writes);
    }
    if (way.left == 0 || code.starts_anew(block)) continue;
    if (b.unknown_succs) return results;
    for (u32 next : b.succs) {
      if ((seen[next] | way.left) == seen[next]) continue;
      seen[next] |= way.left;
      open.push_back({code.blocks()[next].first, way.left});
    }
  }
  return read;
}

TakenArguments taken_arguments(CodeCache& codes) {
  return [&codes](ImageAddr target) -> RegMask {
    const std::optional<read::Function> callee =
        target ? codes.binary().pclntab().find_function(target) : std::nullopt;
    if (!callee) return all_arguments();
    const std::string_view name = callee->name;
    auto is = [&](std::string_view prefix) { return name.starts_with(prefix); };
    // Growing copies the elements on; the others write to their first or second argument.
    if (is("runtime.growslice") || is("runtime.memclr") || is("runtime.wbZero") ||
        is("runtime.panic") || is("runtime.goPanic"))
      return 0;
    if (is("runtime.memmove")) return x86::bit(x86::kRbx);
    if (is("runtime.typedmemmove") || is("runtime.wbMove")) return x86::bit(x86::kRcx);
    const FunctionCode* code = codes.find(*callee);
    if (code == nullptr) return all_arguments();
    return spilled_arguments(*code).value_or(code->live_in(0) & all_arguments());
  };
}

}  // namespace geist::program
