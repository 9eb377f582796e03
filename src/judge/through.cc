// Two witnesses for a read through the victim: the code in front of it, and DWARF's word for
// registers and parameters. Both answer no where they do not know; through.h says what a yes means.
#include "judge/through.h"

#include <algorithm>

#include "judge/variables.h"
#include "program/go_abi.h"

namespace geist::judge {
namespace {

using program::kIntegerArguments;
using read::DebugType;
using read::Kind;
using read::Piece;
using read::Variable;

constexpr u32 kMaxDepth = 3;

// Which slice variables have their pointer in a register, at one access: the victim's, as it was,
// or another.
struct Search {
  const Variable& variable;
  x86::Reg reg;
  const View& victim;
  const FrameValues& values;
  bool may_be_assigned;
  bool wanted_here = false;
  bool other_here = false;

  void visit(const DebugType& type, u64 offset, const std::string& name, u32 depth) {
    if (type.kind == Kind::kStruct && depth > 0) {
      for (const DebugType::Field& field : type.fields) {
        if (field.type != nullptr)
          visit(*field.type, offset + field.offset, name + "." + field.name, depth - 1);
      }
      return;
    }
    if (type.kind != Kind::kSlice && type.kind != Kind::kString) return;
    for (const Piece& piece : variable.pieces) {
      bool here = piece.where == Piece::Where::kRegister && hardware_register(piece.reg) == reg &&
                  piece.byte_offset == offset;
      if (here) (is_victim(offset, name) ? wanted_here : other_here) = true;
    }
  }

  // A variable with another length has been assigned to since: a filter in place ends with items =
  // kept. Where the victim may be what the operand was cut from, as the items are, its length must
  // be there to be seen.
  bool is_victim(u64 offset, const std::string& name) const {
    if (variable.function != victim.function || name != victim.name) return false;
    std::optional<Word> len = find_word(variable, offset + 8, values);
    return len ? len->value == victim.len : !may_be_assigned;
  }
};

}  // namespace

bool holds_victim_header(read::DebugInfo& debug, const Access& access, const View& victim,
                         const Append& append) {
  constexpr usize kMaxFrames = 12;
  const abi::Event& event = *append.event;
  bool is_result = victim.ptr == event.append.old_ptr && victim.len >= event.append.new_len;
  // A dead box in the heap may have the header that a growing slice passes through again; its own
  // words are watched.
  bool in_heap =
      victim.holder == findings::Holder::kHeap || victim.holder == findings::Holder::kGlobal;
  if (is_result || in_heap || !victim.live_for_sure || !victim.len_known ||
      access.sample == nullptr)
    return false;
  heap::StackCopy stack{TargetAddr(access.sample->regs[x86::kRsp]), access.sample->stack};
  for (usize i = access.actor; i < access.frames.size() && i < access.actor + kMaxFrames; ++i) {
    const heap::StackFrame& frame = access.frames[i];
    // The victim's own frame says nothing: the victim is there whoever reads.
    if (victim.frame == access.activation(i) || append.was_under_way(access.activation(i)))
      return false;
    FrameValues values{frame, stack, i == 0 ? access.sample->regs.data() : nullptr};
    ImageAddr pc = i == 0 && access.insn ? access.insn : frame.pc;
    for (const Variable& variable : debug.variables_at(i == 0 ? pc : frame.lookup_pc(), pc)) {
      if (variable.type == nullptr || variable.is_escaped) continue;
      if (variable.type->kind != Kind::kSlice && variable.type->kind != Kind::kString) continue;
      std::optional<Word> ptr = find_word(variable, 0, values);
      std::optional<Word> len = find_word(variable, 8, values);
      if (ptr && len && ptr->value == victim.ptr && len->value == victim.len) return true;
    }
  }
  return false;
}

namespace {

// Loads a whole word into a register, from an address without an index.
bool is_word_load(const x86::Insn& insn) {
  constexpr u16 kWordBits = 64;
  const x86::Operand& source = insn.operands[1];
  return insn.op == x86::Op::kMov && insn.operands[0].kind == x86::Operand::Kind::kReg &&
         source.kind == x86::Operand::Kind::kMem && source.size_bits == kWordBits &&
         source.mem.index == x86::kNoReg && !source.mem.segment;
}

// The load that put into `reg` what instruction `from` finds there, in the same straight run of
// instructions.
std::optional<u32> find_load(const program::FunctionCode& code, u32 from, x86::Reg reg) {
  for (u32 i = from; i-- > code.blocks()[code.block_of(from)].first;) {
    const x86::Insn& insn = code.insn(i);
    if (insn.flow == x86::Flow::kCall || (insn.writes & x86::bit(x86::kRsp)) != 0)
      return std::nullopt;
    if ((insn.writes & x86::bit(reg)) == 0) continue;
    if (!is_word_load(insn) || !insn.operands[0].is_reg(reg)) return std::nullopt;
    return i;
  }
  return std::nullopt;
}

// The word of the frame that `reg` was loaded from.
std::optional<i64> find_loaded_slot(const program::FunctionCode& code, u32 from, x86::Reg reg) {
  std::optional<u32> load = find_load(code, from, reg);
  if (!load || code.insn(*load).operands[1].mem.base != x86::kRsp) return std::nullopt;
  return code.insn(*load).operands[1].mem.disp;
}

// The call that this frame of an access is in.
std::optional<u32> find_call(const program::FunctionCode& code, const heap::StackFrame& frame) {
  std::optional<u32> next = code.find_insn(frame.pc);
  if (!next || *next == 0 || code.briefs()[*next - 1].flow != x86::Flow::kCall) return std::nullopt;
  return *next - 1;
}

// Do the two instructions load neighbouring words of one place, a pointer and the length behind it?
bool load_neighbours(const x86::Insn& pointer, const x86::Insn& length) {
  if (!is_word_load(pointer) || !is_word_load(length)) return false;
  const x86::Mem& p = pointer.operands[1].mem;
  const x86::Mem& l = length.operands[1].mem;
  return p.base == l.base && p.rip_relative == l.rip_relative && p.disp + 8 == l.disp;
}

// `k == "users"` is a comparison of the length with that of the constant, and behind it, where the two
// are equal, loads through the pointer. The block where the length is equal; 0: no such comparison.
u32 find_equal_block(const program::FunctionCode& code, u32 insn) {
  const x86::Insn& compare = code.insn(insn);
  const x86::Operand &length = compare.operands[0], &constant = compare.operands[1];
  const program::Block& block = code.blocks()[code.block_of(insn)];
  const bool is_comparison =
      compare.op == x86::Op::kCmp && length.kind == x86::Operand::Kind::kMem &&
      length.mem.index == x86::kNoReg && !length.mem.segment &&
      constant.kind == x86::Operand::Kind::kImm && constant.imm != 0 && insn + 1 == block.last;
  if (!is_comparison || block.succs.size() != 2) return 0;
  const x86::Brief& branch = code.briefs()[block.last];
  const std::optional<u32> target =
      branch.flow == x86::Flow::kJcc ? code.find_insn(branch.target) : std::nullopt;
  if (!target || (branch.cond != x86::Cond::kNe && branch.cond != x86::Cond::kE)) return 0;
  const u32 taken = code.block_of(*target);
  const u32 other = block.succs[0] == taken ? block.succs[1] : block.succs[0];
  const u32 equal = branch.cond == x86::Cond::kE ? taken : other;
  return code.blocks()[equal].preds.size() == 1 ? equal : 0;
}

std::optional<u32> find_compared_pointer(const program::FunctionCode& code, u32 insn) {
  const u32 equal = find_equal_block(code, insn);
  if (equal == 0) return std::nullopt;
  const x86::Mem& length = code.insn(insn).operands[0].mem;
  const program::Block& block = code.blocks()[equal];
  for (u32 i = block.first; i <= block.last; ++i) {
    const x86::Insn& load = code.insn(i);
    const x86::Mem& pointer = load.operands[1].mem;
    if (is_word_load(load) && pointer.base == length.base &&
        pointer.rip_relative == length.rip_relative && pointer.disp + 8 == length.disp)
      return i;
    if ((load.writes & x86::bit(length.base)) != 0) break;
  }
  return std::nullopt;
}

// The victim's words in its frame, as offsets from the frame's RSP, while they hold the victim and
// not the append's result.
struct Slots {
  i64 ptr = 0;
  i64 len = 0;
};

std::optional<Slots> find_slots(const Access& access, TargetAddr frame_sp, const View& victim,
                                const abi::Event& event) {
  bool is_result = victim.ptr == event.append.old_ptr && victim.len == event.append.new_len;
  bool has_place = victim.holder == findings::Holder::kStack && victim.len_known &&
                   victim.ptr_word && victim.len_word;
  if (is_result || !has_place || !access.stack_hi || access.g != victim.g.value)
    return std::nullopt;
  heap::StackCopy stack{TargetAddr(access.sample->regs[x86::kRsp]), access.sample->stack};
  TargetAddr ptr_word = access.stack_hi - (victim.stack_hi - victim.ptr_word);
  TargetAddr len_word = access.stack_hi - (victim.stack_hi - victim.len_word);
  if (stack.find_word(ptr_word) != victim.ptr || stack.find_word(len_word) != victim.len)
    return std::nullopt;
  return Slots{static_cast<i64>(ptr_word.value - frame_sp.value),
               static_cast<i64>(len_word.value - frame_sp.value)};
}

}  // namespace

bool loads_victim_pointer(const program::FunctionCode& code, const Access& access,
                          const View& victim, const abi::Event& event) {
  if (access.sample == nullptr || !access.insn || access.base == x86::kNoReg) return false;
  if (access.frames.empty() || !(access.activation(0) == victim.frame)) return false;
  std::optional<u32> at = code.find_insn(access.insn);
  std::optional<Slots> slots =
      find_slots(access, TargetAddr(access.sample->regs[x86::kRsp]), victim, event);
  return at && slots && find_loaded_slot(code, *at, access.base) == slots->ptr;
}

bool passes_victim(const program::FunctionCode& code, const Access& access, usize frame,
                   const View& victim, const abi::Event& event) {
  if (access.sample == nullptr || frame == 0 || frame >= access.frames.size()) return false;
  if (!(access.activation(frame) == victim.frame)) return false;
  std::optional<u32> call = find_call(code, access.frames[frame]);
  std::optional<Slots> slots = find_slots(access, access.frames[frame].sp, victim, event);
  if (!call || !slots) return false;
  for (usize i = 0; i + 1 < kIntegerArguments.size(); ++i) {
    if (find_loaded_slot(code, *call, kIntegerArguments[i]) != slots->ptr) continue;
    if (find_loaded_slot(code, *call, kIntegerArguments[i + 1]) == slots->len) return true;
  }
  return false;
}

namespace {

// The load of the pointer in front of the length that `insn` loads, while the base is the same:
// before it in the same block, or on a way onward, behind the check of an index for example.
std::optional<u32> find_pointer_load(const program::FunctionCode& code, u32 insn) {
  constexpr usize kMaxBlocks = 8;  // from the length's on
  const x86::Insn& length = code.insn(insn);
  const x86::RegMask base = x86::bit(length.operands[1].mem.base);
  const u32 start = code.block_of(insn);
  for (u32 i = insn; i-- > code.blocks()[start].first && (code.briefs()[i].writes & base) == 0;) {
    if (load_neighbours(code.insn(i), length)) return i;
  }
  if ((length.writes & base) != 0) return std::nullopt;
  std::vector<u32> blocks{start};
  for (usize k = 0; k < blocks.size(); ++k) {
    const program::Block& block = code.blocks()[blocks[k]];
    u32 i = k == 0 ? insn + 1 : block.first;
    bool is_kept = true;
    for (; i <= block.last && is_kept; ++i) {
      // A load may overwrite its own base, as the last.
      if (load_neighbours(code.insn(i), length)) return i;
      is_kept = (code.briefs()[i].writes & base) == 0 && code.briefs()[i].flow != x86::Flow::kCall;
    }
    for (u32 next : block.succs) {
      const bool is_only_way = code.blocks()[next].preds.size() == 1;
      if (is_kept && is_only_way && blocks.size() < kMaxBlocks) blocks.push_back(next);
    }
  }
  return std::nullopt;
}

// Loads more than the length's word: a struct that holds the header is copied.
bool copies_header(const x86::Insn& insn) {
  constexpr u16 kVectorBits = 128;
  return insn.rep || (insn.reads_memory && insn.operands[0].kind == x86::Operand::Kind::kOther &&
                      insn.operands[1].size_bits >= kVectorBits);
}

}  // namespace

// The next call of the same block; its last instruction without one.
static u32 find_next_call(const program::FunctionCode& code, u32 insn) {
  const u32 last = code.blocks()[code.block_of(insn)].last;
  while (insn < last && code.briefs()[insn].flow != x86::Flow::kCall) ++insn;
  return insn;
}

HeaderLoad find_header_load(const program::FunctionCode& code, u32 insn) {
  if (copies_header(code.insn(insn)))
    return {HeaderUse::kWhole, code.briefs()[insn].addr, std::nullopt};
  if (const std::optional<u32> pointer = find_compared_pointer(code, insn))
    return {HeaderUse::kWhole, code.briefs()[*pointer].addr, std::nullopt};
  if (!is_word_load(code.insn(insn))) return {};
  HeaderLoad load;
  const std::optional<u32> pointer = find_pointer_load(code, insn);
  // In another block it may be loaded for another reason than the length is.
  const bool is_whole = pointer && code.block_of(*pointer) == code.block_of(insn);
  if (pointer) load.pointer = code.briefs()[*pointer].addr;
  if (is_whole) load.use = HeaderUse::kWhole;
  const u32 call = find_next_call(code, pointer ? std::max(insn, *pointer) : insn);
  if (code.briefs()[call].flow != x86::Flow::kCall) return load;
  for (usize i = 0; i + 1 < kIntegerArguments.size(); ++i) {
    if (find_load(code, call, kIntegerArguments[i + 1]) != insn) continue;
    const std::optional<u32> before = find_load(code, call, kIntegerArguments[i]);
    if (!before) continue;
    const x86::Mem& from = code.insn(*before).operands[1].mem;
    if (before == pointer) load.use = HeaderUse::kArgument;
    if (from.base == x86::kRsp) load.argument_slot = from.disp;
  }
  return load;
}

bool names_pointer(read::DebugInfo& debug, const Access& access, const View& victim,
                   const abi::Event& event) {
  if (access.sample == nullptr || access.frames.empty()) return false;
  heap::StackCopy stack{TargetAddr(access.sample->regs[x86::kRsp]), access.sample->stack};
  const FrameValues values{access.frames[0], stack, access.sample->regs.data()};
  bool wanted = false;
  bool other = false;
  for (const Variable& variable : debug.variables_at(access.insn, access.insn)) {
    if (variable.type == nullptr || variable.is_escaped) continue;
    Search search{variable, access.base, victim, values, victim.surrounds(event)};
    search.visit(*variable.type, 0, variable.name, kMaxDepth);
    wanted |= search.wanted_here;
    other |= search.other_here;
  }
  return wanted && !other;
}

}  // namespace geist::judge
