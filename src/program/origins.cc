// The slice is a search over states (block, location): each is followed back through its block
// once. A location that is written there turns into what it was written from; one that is not goes
// on into every predecessor. The number of states is bounded, so a crafted function costs no more
// than a large one.
#include "program/origins.h"

#include <algorithm>

#include "program/go_abi.h"
#include "program/slot_writes.h"

namespace geist::program {
namespace {

using x86::Insn;
using x86::Op;
using x86::Operand;
using Kind = Origin::Kind;

constexpr usize kMaxStates = 512;
constexpr usize kMaxOrigins = 32;
constexpr u16 kWordBits = 64;
constexpr u16 kVectorBits = 128;

bool is_slot(const Operand& operand) {
  return operand.kind == Operand::Kind::kMem && operand.mem.base == x86::kRsp &&
         operand.mem.index == x86::kNoReg && !operand.mem.segment;
}

class Slice {
 public:
  Slice(const FunctionCode& code, const Callees& callees, const SliceEnds& ends)
      : code_(code), callees_(callees), ends_(ends) {}

  std::vector<Origin> run(u32 insn, Location from) {
    find_reachable();
    push(code_.block_of(insn), insn, {from, 0});
    while (!open_.empty()) {
      const State next = open_.back();
      open_.pop_back();
      follow(next);
    }
    if (origins_.empty()) add(Kind::kUnknown, 0, {});
    return std::move(origins_);
  }

 private:
  struct Trail {
    Location at;
    x86::RegMask written = 0;
    bool is_shifted = false;
  };
  struct State {
    u32 block = 0;
    u32 end = 0;  // back from in front of this instruction
    Trail trail;
  };

  void push(u32 block, u32 end, const Trail& trail);
  void follow(const State& state);
  bool ends_at_slot(const Location& at) const {
    return !at.is_register() && (ends_.any_slot || ends_.slot == at.slot);
  }
  bool step(u32 index, Trail& trail);
  bool step_register(u32 index, const Insn& insn, Trail& trail);
  bool step_store(u32 index, const Insn& insn, Trail& trail);
  bool step_load(u32 index, const Operand& source, Trail& trail);
  bool step_sum(u32 index, x86::Reg a, x86::Reg b, Trail& trail);
  bool step_vector(u32 index, i64 offset, const Trail& trail);
  std::optional<i64> offset_in_vector(u32 index, i64 slot) const;
  bool step_call(u32 index, Trail& trail);
  bool is_padding(const Block& block) const {
    for (u32 i = block.first; i <= block.last; ++i) {
      if (code_.insn(i).op != Op::kNop) return false;
    }
    return true;
  }
  void find_reachable();
  // Another value that the instruction may have made it from.
  void branch_off(u32 index, const Trail& trail) { push(code_.block_of(index), index, trail); }
  bool end(Kind kind, u32 insn, const Trail& trail, const x86::Mem& mem = {}) {
    add(kind, insn, trail, mem);
    return false;
  }
  void add(Kind kind, u32 insn, const Trail& trail, const x86::Mem& mem = {});

  const FunctionCode& code_;
  const Callees& callees_;
  const SliceEnds& ends_;
  std::vector<bool> reachable_;  // from the barrier, by block; empty without one
  std::vector<State> open_;
  std::vector<State> seen_;
  std::vector<Origin> origins_;
};

// One that is found again by another way: what was written on either counts.
void Slice::add(Kind kind, u32 insn, const Trail& trail, const x86::Mem& mem) {
  for (Origin& o : origins_) {
    if (o.kind != kind || o.insn != insn || !(o.at == trail.at)) continue;
    o.written |= trail.written;
    o.is_shifted |= trail.is_shifted;
    return;
  }
  if (origins_.size() == kMaxOrigins) {
    origins_.back() = Origin{};
    return;
  }
  origins_.push_back({kind, insn, trail.at, mem, trail.written, trail.is_shifted});
}

// A state that is known is followed again only when this way wrote more.
void Slice::push(u32 block, u32 end, const Trail& trail) {
  for (State& s : seen_) {
    if (s.end != end || s.block != block || !(s.trail.at == trail.at)) continue;
    const Trail both{trail.at, s.trail.written | trail.written,
                     s.trail.is_shifted || trail.is_shifted};
    if (both.written == s.trail.written && both.is_shifted == s.trail.is_shifted) return;
    s.trail = both;
    open_.push_back(s);
    return;
  }
  if (seen_.size() == kMaxStates) return add(Kind::kUnknown, end, trail);
  seen_.push_back({block, end, trail});
  open_.push_back(seen_.back());
}

// Control came from the barrier to the place asked about, so ways that do not are not asked.
void Slice::find_reachable() {
  if (ends_.barrier == SliceEnds::kNoBarrier) return;
  reachable_.assign(code_.blocks().size(), false);
  std::vector<u32> open{code_.block_of(ends_.barrier)};
  while (!open.empty()) {
    const u32 block = open.back();
    open.pop_back();
    if (code_.blocks()[block].unknown_succs) reachable_.assign(reachable_.size(), true);
    for (u32 next : code_.blocks()[block].succs) {
      if (reachable_[next] || code_.starts_anew(block)) continue;
      reachable_[next] = true;
      open.push_back(next);
    }
  }
  reachable_[code_.block_of(ends_.barrier)] = true;
}

// Back to the start of its block, and on to what comes before.
void Slice::follow(const State& state) {
  const Block& b = code_.blocks()[state.block];
  Trail trail = state.trail;
  for (u32 i = state.end; i-- > b.first;) {
    if (ends_at_slot(trail.at)) return add(Kind::kSlot, i + 1, trail);
    if (i == ends_.barrier) return add(Kind::kBefore, i, trail);
    if (!step(i, trail)) return;
  }
  if (ends_at_slot(trail.at)) return add(Kind::kSlot, b.first, trail);
  bool has_more = false;
  for (u32 before : b.preds) {
    if (code_.starts_anew(before)) continue;
    has_more = true;
    if (!reachable_.empty() && !reachable_[before]) continue;
    push(before, code_.blocks()[before].last + 1, trail);
  }
  if (state.block == 0 && reachable_.empty())
    return add(trail.at.is_register() ? Kind::kArgument : Kind::kSlot, 0, trail);
  // What fills the gap behind a jump, so that the next call or jump lies in one line of the cache,
  // leads on but is never reached. Source: cmd/internal/obj/x86/asm6.go, padJumpsCtx.
  if (!has_more && state.block != 0 && !is_padding(b))
    add(Kind::kUnknown, b.first, trail);  // reached by a jump that nobody knows
}

// What the location was before instruction `index`; false when the way ends there.
bool Slice::step(u32 index, Trail& trail) {
  const x86::Brief& brief = code_.briefs()[index];
  if (brief.flow == x86::Flow::kCall) return step_call(index, trail);
  if (trail.at.is_register()) {
    if ((brief.writes & x86::bit(trail.at.reg)) != 0)
      return step_register(index, code_.insn(index), trail);
  } else if ((brief.reads & x86::bit(x86::kRsp)) != 0) {
    const Insn& insn = code_.insn(index);
    if (writes_slot(insn, trail.at.slot)) return step_store(index, insn, trail);
  } else if (const std::optional<i64> offset = offset_in_vector(index, trail.at.slot)) {
    return step_vector(index, *offset, trail);
  }
  trail.written |= brief.writes;
  return true;
}

bool Slice::step_call(u32 index, Trail& trail) {
  const x86::Brief& brief = code_.briefs()[index];
  const Callee callee = callees_(brief.target);
  if (callee == Callee::kKeepsRegisters) return true;
  if (callee == Callee::kNeverReturns) return false;
  if (!trail.at.is_register()) {
    trail.written |= x86::kAllGprs;
    return true;
  }
  const bool may_be_result = std::find(kIntegerArguments.begin(), kIntegerArguments.end(),
                                       trail.at.reg) != kIntegerArguments.end();
  // R14 is g, and RSP is where it was.
  if (trail.at.reg == x86::kR14 || trail.at.reg == x86::kRsp) return true;
  return end(may_be_result ? Kind::kResult : Kind::kUnknown, index, trail);
}

bool Slice::step_register(u32 index, const Insn& insn, Trail& trail) {
  const x86::Reg reg = trail.at.reg;
  const Operand& target = insn.operands[0];
  const Operand& source = insn.operands[1];
  if (!target.is_reg(reg)) {
    // XCHG and instructions with a fixed destination (MUL, DIV, string instructions).
    return end(insn.op == Op::kXchg || insn.rep ? Kind::kUnknown : Kind::kNumber, index, trail);
  }
  trail.written |= insn.writes;
  switch (insn.op) {
    case Op::kMov:
      if (target.size_bits != kWordBits) return end(Kind::kNumber, index, trail);
      if (source.kind == Operand::Kind::kReg) {
        trail.at = {source.reg, 0};
        return true;
      }
      if (source.kind == Operand::Kind::kMem) return step_load(index, source, trail);
      return end(source.kind == Operand::Kind::kImm ? Kind::kNumber : Kind::kUnknown, index, trail);
    case Op::kLea:
      if (source.mem.rip_relative || source.mem.base == x86::kRsp)
        return end(Kind::kAddress, index, trail, source.mem);
      if (source.mem.base == x86::kNoReg) return end(Kind::kNumber, index, trail);
      if (source.mem.index != x86::kNoReg && source.mem.scale == 1)
        return step_sum(index, source.mem.base, source.mem.index, trail);
      trail.at = {source.mem.base, 0};
      trail.is_shifted |= source.mem.disp != 0 || source.mem.index != x86::kNoReg;
      return true;
    case Op::kAdd:
      if (source.kind == Operand::Kind::kReg) return step_sum(index, reg, source.reg, trail);
      trail.is_shifted = true;
      return source.kind == Operand::Kind::kImm || end(Kind::kUnknown, index, trail);
    case Op::kSub:
    case Op::kInc:
    case Op::kDec:
      trail.is_shifted = true;
      return source.kind != Operand::Kind::kReg || end(Kind::kNumber, index, trail);
    case Op::kXor:
    case Op::kAnd:
    case Op::kShl:
    case Op::kImul:
    case Op::kNeg:
      return end(Kind::kNumber, index, trail);
    default:
      break;
  }
  // Conditional moves take one of two; everything else is arithmetic on numbers.
  const bool may_be_pointer = source.kind == Operand::Kind::kReg && insn.operand_count == 2 &&
                              (insn.reads & x86::kFlagsBit) != 0 && !insn.reads_memory;
  if (!may_be_pointer) return end(Kind::kNumber, index, trail);
  branch_off(index, {{source.reg, 0}, trail.written, trail.is_shifted});
  return true;
}

// Which of the two is the pointer cannot be told: both are followed, and one ends as a number.
bool Slice::step_sum(u32 index, x86::Reg a, x86::Reg b, Trail& trail) {
  trail.is_shifted = true;
  branch_off(index, {{b, 0}, trail.written, true});
  trail.at = {a, 0};
  return true;
}

bool Slice::step_load(u32 index, const Operand& source, Trail& trail) {
  if (source.size_bits != kWordBits || source.mem.segment) return end(Kind::kUnknown, index, trail);
  if (!is_slot(source)) return end(Kind::kLoad, index, trail, source.mem);
  trail.at = {x86::kNoReg, source.mem.disp};
  return true;
}

bool Slice::step_store(u32 index, const Insn& insn, Trail& trail) {
  const Operand& target = insn.operands[0];
  const Operand& source = insn.operands[1];
  const i64 offset = trail.at.slot - target.mem.disp;
  if (target.mem.index != x86::kNoReg || insn.rep) return end(Kind::kUnknown, index, trail);
  if (target.size_bits == kVectorBits && offset >= 0 && offset + 8 <= 16)
    return step_vector(index, offset, trail);
  if (insn.op != Op::kMov || target.size_bits != kWordBits || offset != 0)
    return end(Kind::kUnknown, index, trail);
  if (source.kind == Operand::Kind::kImm) return end(Kind::kNumber, index, trail);
  if (source.kind != Operand::Kind::kReg) return end(Kind::kUnknown, index, trail);
  trail.at = {source.reg, 0};
  return true;
}

// A variable that is a large struct is filled through a register that has its address:
//     LEAQ 0x68(SP), SI; MOVUPS X14, 0x10(SI)
// Gives where in such a store the word of the frame is.
std::optional<i64> Slice::offset_in_vector(u32 index, i64 slot) const {
  constexpr u32 kNear = 24;
  const x86::Brief& brief = code_.briefs()[index];
  const bool may_store = brief.flow == x86::Flow::kNext && (brief.writes & x86::kAllGprs) == 0 &&
                         (brief.reads & x86::kAllGprs) != 0;
  if (!may_store) return std::nullopt;
  const Insn& insn = code_.insn(index);
  const Operand& target = insn.operands[0];
  const bool is_vector_store =
      insn.writes_memory && !insn.rep && target.kind == Operand::Kind::kMem &&
      target.size_bits == kVectorBits && target.mem.index == x86::kNoReg && !target.mem.segment &&
      target.mem.base != x86::kNoReg && target.mem.base != x86::kRsp;
  if (!is_vector_store) return std::nullopt;
  const u32 first = code_.blocks()[code_.block_of(index)].first;
  for (u32 i = index; i-- > first && index - i <= kNear;) {
    const x86::Brief& before = code_.briefs()[i];
    if (before.flow == x86::Flow::kCall) return std::nullopt;
    if ((before.writes & x86::bit(target.mem.base)) == 0) continue;
    const Insn& lea = code_.insn(i);
    const bool is_frame = lea.op == Op::kLea && lea.operands[0].is_reg(target.mem.base) &&
                          lea.operands[1].mem.base == x86::kRsp &&
                          lea.operands[1].mem.index == x86::kNoReg;
    if (!is_frame) return std::nullopt;
    const i64 offset = slot - (lea.operands[1].mem.disp + target.mem.disp);
    return offset >= 0 && offset + 8 <= 16 ? std::optional(offset) : std::nullopt;
  }
  return std::nullopt;
}

// A struct that is copied goes by way of a vector register, one load and one store at a time.
bool Slice::step_vector(u32 index, i64 offset, const Trail& trail) {
  constexpr u32 kNear = 6;
  const u32 first = code_.blocks()[code_.block_of(index)].first;
  x86::RegMask written = trail.written;
  for (u32 i = index; i-- > first && index - i <= kNear;) {
    const Insn& insn = code_.insn(i);
    if (insn.flow == x86::Flow::kCall) break;
    const Operand& source = insn.operands[1];
    const bool is_load = insn.operand_count == 2 &&
                         insn.operands[0].kind == Operand::Kind::kOther &&
                         source.kind == Operand::Kind::kMem && source.size_bits == kVectorBits &&
                         source.mem.index == x86::kNoReg && !source.mem.segment;
    written |= insn.writes;
    if (!is_load) continue;
    x86::Mem mem = source.mem;
    mem.disp += offset;
    if (mem.base != x86::kRsp)
      return end(Kind::kLoad, i, {trail.at, written, trail.is_shifted}, mem);
    branch_off(i, {{x86::kNoReg, mem.disp}, written, trail.is_shifted});
    return false;
  }
  return end(Kind::kUnknown, index, trail);
}

}  // namespace

std::vector<Origin> find_origins(const FunctionCode& code, u32 insn, Location from,
                                 const Callees& callees, const SliceEnds& ends) {
  return Slice(code, callees, ends).run(insn, from);
}

std::optional<Location> location_of(const ValueLocation& value) {
  if (value.addend != 0) return std::nullopt;
  if (value.kind == ValueLocation::Kind::kRegister) return Location{value.reg, 0};
  if (value.kind == ValueLocation::Kind::kStackSlot) return Location{x86::kNoReg, value.disp};
  return std::nullopt;
}

bool is_growslice_result(const read::GoBinary& binary, const FunctionCode& code,
                         const Origin& origin) {
  if (origin.kind != Origin::Kind::kResult) return false;
  const ImageAddr target = code.briefs()[origin.insn].target;
  const std::optional<read::Function> callee =
      target ? binary.pclntab().find_function(target) : std::nullopt;
  return callee && callee->name.starts_with("runtime.growslice");
}

}  // namespace geist::program
