// See filled_variable.h. A closure has the addresses of the variables that it captured by reference
// behind its code pointer, and finds them through RDX. Their memory is a word of the maker's frame,
// or an object of its own. Source: cmd/compile/internal/walk/closure.go, abi-internal.md.
#include "detect/append/filled_variable.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "program/origins.h"

namespace geist::detect::append {
namespace {

using program::FunctionCode;
using program::Location;
using program::Origin;
using x86::Op;
using x86::Operand;
using Kind = Origin::Kind;

constexpr i64 kWord = 8;
constexpr usize kMaxFrames = 12;       // up to the maker
constexpr usize kMaxInsns = 4000;      // of the closure, and of its maker

bool overlaps_word(const x86::Mem& mem, u16 size_bits, i64 at) {
  return mem.disp < at + kWord && mem.disp + size_bits / 8 > at;
}

// One function, and what its code does with the places that hold a slice.
class Code {
 public:
  Code(const FunctionCode& code, const program::Callees& callees) : code_(code), callees_(callees) {}

  const FunctionCode& operator*() const { return code_; }
  const FunctionCode* operator->() const { return &code_; }
  u32 size() const { return static_cast<u32>(code_.briefs().size()); }
  std::vector<Origin> origins(u32 insn, Location of) const {
    return program::find_origins(code_, insn, of, callees_);
  }
  // The only one.
  std::optional<Origin> origin(u32 insn, Location of) const {
    std::vector<Origin> all = origins(insn, of);
    return all.size() == 1 && !all[0].is_shifted ? std::optional(all[0]) : std::nullopt;
  }
  const Operand* memory(u32 insn) const;
  bool is_barrier(u32 insn) const;
  bool is_zero(u32 insn, const Operand& stored) const;

 private:
  const FunctionCode& code_;
  const program::Callees& callees_;
};

// Its operand in memory, with a base and nothing else.
const Operand* Code::memory(u32 index) const {
  const x86::Insn& insn = code_.insn(index);
  if (insn.op == Op::kLea || !(insn.reads_memory || insn.writes_memory)) return nullptr;
  for (u32 i = 0; i < insn.operand_count; ++i) {
    const Operand& operand = insn.operands[i];
    if (operand.kind == Operand::Kind::kMem && operand.mem.base != x86::kNoReg) return &operand;
  }
  return nullptr;
}

// The collector is told what is about to be overwritten: nobody else reads that.
bool Code::is_barrier(u32 index) const {
  const program::Block& block = code_.blocks()[code_.block_of(index)];
  for (u32 i = block.first; i <= block.last; ++i) {
    const x86::Brief& brief = code_.briefs()[i];
    if (brief.flow == x86::Flow::kCall && callees_(brief.target) == program::Callee::kKeepsRegisters)
      return true;
  }
  return false;
}

bool Code::is_zero(u32 index, const Operand& stored) const {
  if (stored.kind == Operand::Kind::kImm) return stored.imm == 0;
  if (stored.kind != Operand::Kind::kReg) return false;
  const std::vector<Origin> all = origins(index, {stored.reg, 0});
  return std::ranges::all_of(all, [&](const Origin& o) {
    if (o.kind != Kind::kNumber) return false;
    const x86::Insn& insn = code_.insn(o.insn);
    return insn.op == Op::kXor ? insn.operands[1].is_reg(insn.operands[0].reg)
                               : insn.op == Op::kMov && insn.operands[1].imm == 0;
  });
}

// From memory or from the caller, and not made here or nil. Of a sum, one part is a number.
bool was_there_before(const std::vector<Origin>& pointer) {
  const auto is_anothers = [](const Origin& o) {
    return o.kind == Kind::kLoad || o.kind == Kind::kArgument;
  };
  return std::ranges::any_of(pointer, is_anothers) &&
         std::ranges::all_of(pointer, [&](const Origin& o) {
           return is_anothers(o) || (o.kind == Kind::kNumber && o.is_shifted);
         });
}

// The variable as the closure sees it: the word at `disp` behind the address that is in `field` of
// the closure.
struct Captured {
  i64 field = 0;
  i64 disp = 0;
};

class Search {
 public:
  Search(judge::Context& context, const judge::Append& append, const program::CallUse& calls)
      : context_(context),
        append_(append),
        calls_(calls),
        callees_(program::callees_of(context.binary)) {}
  std::optional<std::set<u32>> run();

 private:
  std::optional<Captured> captured(const Code& closure, u32 branch) const;
  bool is_address(const Code& closure, u32 insn, x86::Reg reg, const Captured& variable) const;
  std::optional<std::set<u32>> homes_if_only_filled(const Code& closure, u32 branch,
                                                    const Captured& variable) const;
  bool is_only_filled_by(const Code& maker, u32 call, const Captured& variable) const;
  bool is_filled_word(const Code& maker, u32 call, i64 slot) const;
  bool is_filled_object(const Code& maker, u32 made, u32 given) const;
  std::optional<Origin> given_to_closure(const Code& maker, u32 code_address, i64 field,
                                         u32& given) const;
  bool is_kept(const Code& code, u32 from, x86::Reg reg, const program::AppendLoop& loop,
               bool may_read) const;

  judge::Context& context_;
  const judge::Append& append_;
  const program::CallUse& calls_;
  const program::Callees callees_;
};

bool Search::is_kept(const Code& code, u32 from, x86::Reg reg, const program::AppendLoop& loop,
                     bool may_read) const {
  const program::CursorUse use = program::follow_cursor(*code, from, x86::bit(reg), std::nullopt,
                                                        callees_, calls_, &loop);
  return use.is_kept || (use.is_read && !may_read);
}

std::optional<Captured> Search::captured(const Code& closure, u32 branch) const {
  const std::optional<Location> ptr = program::location_of(append_.site->site.old_ptr);
  if (!ptr) return std::nullopt;
  const std::optional<Origin> load = closure.origin(branch, *ptr);
  if (!load || load->kind != Kind::kLoad || load->mem.index != x86::kNoReg) return std::nullopt;
  const std::optional<Origin> address = closure.origin(load->insn, {load->mem.base, 0});
  if (!address || address->kind != Kind::kLoad || address->mem.index != x86::kNoReg)
    return std::nullopt;
  const std::optional<Origin> context = closure.origin(address->insn, {address->mem.base, 0});
  if (!context || context->kind != Kind::kArgument || context->at.reg != x86::kRdx)
    return std::nullopt;
  return Captured{address->mem.disp, load->mem.disp};
}

bool Search::is_address(const Code& closure, u32 insn, x86::Reg reg,
                        const Captured& variable) const {
  const std::optional<Origin> address = closure.origin(insn, {reg, 0});
  if (!address || address->kind != Kind::kLoad || address->mem.disp != variable.field) return false;
  const std::optional<Origin> context = closure.origin(address->insn, {address->mem.base, 0});
  return context && context->kind == Kind::kArgument && context->at.reg == x86::kRdx;
}

// In the closure: the append loads the pointer and stores its own there, and nobody else does.
std::optional<std::set<u32>> Search::homes_if_only_filled(const Code& closure, u32 branch,
                                                          const Captured& variable) const {
  const u32 load = closure.origin(branch, *program::location_of(append_.site->site.old_ptr))->insn;
  program::AppendLoop loop;
  loop.append = branch;
  for (u32 i = 0; i < closure.size(); ++i) {
    const Operand* memory = closure.memory(i);
    if (memory == nullptr || memory->mem.base == x86::kRsp) continue;
    const x86::Insn& insn = closure->insn(i);
    if (!overlaps_word(memory->mem, memory->size_bits, variable.disp)) continue;
    if (!is_address(closure, i, memory->mem.base, variable)) continue;
    if (insn.writes_memory) {
      loop.homes.insert(i);
    } else if (i != load && !closure.is_barrier(i)) {
      return std::nullopt;
    }
  }
  if (is_kept(closure, load + 1, closure->insn(load).operands[0].reg, loop, false))
    return std::nullopt;
  return loop.homes;
}

// The value that the maker stores into a field of the closure whose code pointer is loaded at
// `code_address`; `given` is the store.
std::optional<Origin> Search::given_to_closure(const Code& maker, u32 code_address, i64 field,
                                               u32& given) const {
  std::optional<Origin> made;  // the closure: nothing when it is in the frame
  std::optional<i64> begin;    // of the closure in the frame
  for (u32 i = code_address + 1; i < maker.size() && !made && !begin; ++i) {
    const x86::Insn& insn = maker->insn(i);
    const Operand* memory = maker.memory(i);
    if (memory == nullptr || !insn.writes_memory) continue;
    const std::optional<Origin> stored = insn.operands[1].kind == Operand::Kind::kReg
                                             ? maker.origin(i, {insn.operands[1].reg, 0})
                                             : std::nullopt;
    if (!stored || stored->kind != Kind::kAddress || stored->insn != code_address) continue;
    if (memory->mem.base == x86::kRsp) {
      begin = memory->mem.disp;
    } else if (made = maker.origin(i, {memory->mem.base, 0}); !made || made->kind != Kind::kResult) {
      return std::nullopt;
    }
  }
  std::optional<Origin> value;
  for (u32 i = 0; i < maker.size(); ++i) {
    const x86::Insn& insn = maker->insn(i);
    const Operand* memory = maker.memory(i);
    if (memory == nullptr || insn.op != Op::kMov || !insn.writes_memory) continue;
    if (begin ? memory->mem.base != x86::kRsp || memory->mem.disp != *begin + field
              : memory->mem.base == x86::kRsp || memory->mem.disp != field)
      continue;
    if (!begin) {
      const std::optional<Origin> base = maker.origin(i, {memory->mem.base, 0});
      if (!base || base->kind != Kind::kResult || base->insn != made->insn) continue;
    }
    if (value || insn.operands[1].kind != Operand::Kind::kReg) return std::nullopt;
    value = maker.origin(i, {insn.operands[1].reg, 0});
    given = i;
    if (!value) return std::nullopt;
  }
  return value;
}

// The variable is the three words of the frame from `slot` on.
bool Search::is_filled_word(const Code& maker, u32 call, i64 slot) const {
  u32 addresses = 0;
  for (u32 i = 0; i < maker.size(); ++i) {
    const x86::Insn& insn = maker->insn(i);
    if (insn.op == Op::kLea && insn.operands[1].mem.base == x86::kRsp) {
      const i64 at = insn.operands[1].mem.disp;
      addresses += at >= slot && at < slot + 3 * kWord;
    }
    const Operand* memory = maker.memory(i);
    if (memory == nullptr || memory->mem.base != x86::kRsp || !insn.reads_memory) continue;
    if (overlaps_word(memory->mem, memory->size_bits, slot)) return false;
  }
  const std::vector<Origin> lengths = maker.origins(call, {x86::kNoReg, slot + kWord});
  const bool began_empty = std::ranges::all_of(lengths, [&](const Origin& o) {
    return o.kind == Kind::kNumber && maker.is_zero(o.insn, maker->insn(o.insn).operands[1]);
  });
  return addresses == 1 && began_empty &&
         was_there_before(maker.origins(call, {x86::kNoReg, slot}));
}

// The variable is the object that the CALL `made` gave back, whose address the closure got by the
// store `given`.
bool Search::is_filled_object(const Code& maker, u32 made, u32 given) const {
  program::AppendLoop loop;
  loop.homes.insert(given);
  if (is_kept(maker, made + 1, x86::kRax, loop, true)) return false;
  bool was_there = false;
  for (u32 i = 0; i < maker.size(); ++i) {
    const x86::Insn& insn = maker->insn(i);
    const Operand* memory = maker.memory(i);
    if (memory == nullptr || memory->mem.base == x86::kRsp || memory->mem.disp >= 2 * kWord)
      continue;
    const std::optional<Origin> base = maker.origin(i, {memory->mem.base, 0});
    if (!base || base->kind != Kind::kResult || base->insn != made) continue;
    if (!insn.writes_memory) {
      if (overlaps_word(memory->mem, memory->size_bits, 0) && !maker.is_barrier(i)) return false;
      continue;
    }
    if (insn.op != Op::kMov || memory->size_bits != 64) return false;
    if (memory->mem.disp == kWord) {
      if (!maker.is_zero(i, insn.operands[1])) return false;
    } else {
      if (insn.operands[1].kind != Operand::Kind::kReg) return false;
      if (!was_there_before(maker.origins(i, {insn.operands[1].reg, 0}))) return false;
      was_there = true;
    }
  }
  return was_there;
}

bool Search::is_only_filled_by(const Code& maker, u32 call, const Captured& variable) const {
  std::optional<u32> code_address;
  const ImageAddr entry = context_.codes.find(append_.frames[0].function)->function().entry;
  for (u32 i = 0; i < maker.size(); ++i) {
    const x86::Insn& insn = maker->insn(i);
    if (insn.op != Op::kLea || !insn.operands[1].mem.rip_relative ||
        static_cast<u64>(insn.operands[1].mem.disp) != entry.value)
      continue;
    if (code_address) return false;  // made in two places
    code_address = i;
  }
  if (!code_address) return false;
  u32 given = 0;
  const std::optional<Origin> value = given_to_closure(maker, *code_address, variable.field, given);
  if (!value || variable.disp != 0) return false;
  if (value->kind == Kind::kAddress && value->mem.base == x86::kRsp)
    return is_filled_word(maker, call, value->mem.disp);
  return value->kind == Kind::kResult && is_filled_object(maker, value->insn, given);
}

std::optional<std::set<u32>> Search::run() {
  if (append_.frames.empty() || append_.site->site.is_plain) return std::nullopt;
  const FunctionCode* code = context_.codes.find(append_.frames[0].function);
  const std::optional<u32> branch =
      code == nullptr ? std::nullopt : code->find_insn(append_.site->site.branch);
  if (!branch || code->briefs().size() > kMaxInsns) return std::nullopt;
  const Code closure(*code, callees_);
  const std::optional<Captured> variable = captured(closure, *branch);
  if (!variable) return std::nullopt;
  std::optional<std::set<u32>> homes = homes_if_only_filled(closure, *branch, *variable);
  if (!homes) return std::nullopt;
  for (usize k = 1; k < std::min(append_.frames.size(), kMaxFrames); ++k) {
    const FunctionCode* maker = context_.codes.find(append_.frames[k].function);
    if (maker == nullptr || maker->briefs().size() > kMaxInsns) continue;
    const u32 next = maker->first_insn_from(append_.frames[k].pc);
    if (next != 0 && is_only_filled_by(Code(*maker, callees_), next - 1, *variable)) return homes;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::set<u32>> find_homes_of_filled(judge::Context& context,
                                                  const judge::Append& append,
                                                  const program::CallUse& calls) {
  return Search(context, append, calls).run();
}

}  // namespace geist::detect::append
