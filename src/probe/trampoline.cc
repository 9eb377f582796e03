// Trampolines, instruction by instruction. Every temporary register is one that is dead on the
// in-place edge, or is pushed; flags are saved only where the in-place path still reads them (two
// appends that share one comparison).
//
// A healed site's append goes to the grow path with everything as it was at the branch: the
// capacity too, for the grow path may keep it for later. That growslice must see no spare capacity
// is seen to at the call, by emit_healing_call().
#include "probe/trampoline.h"

#include <algorithm>
#include <array>

namespace geist::probe {
namespace {

using program::AppendSite;
using program::ValueLocation;
using x86::Assembler;
using x86::Cond;
using x86::MemRef;
using x86::Reg;
using LocationKind = ValueLocation::Kind;

constexpr u64 kMaxInlineBytes = 32;
constexpr i64 kEntryFrameBytes = 144;  // runtime/entry_x86_64.S FRAME_BYTES

bool fits32(i64 value) {
  return value == static_cast<i32>(value);
}

// Emits the check of one site: jumps to `slow` when a destination byte is not zero, else falls
// through.
class CheckEmitter {
 public:
  // `live`: what must be kept for the ways on.
  CheckEmitter(Assembler& as, const AppendSite& site, LoadBias bias, x86::RegMask live,
               x86::Label slow, x86::Label done)
      : as_(as), site_(site), bias_(bias), slow_(slow), done_(done) {
    choose_temps(live);
  }

  void save();
  void restore();
  bool emit();
  // Instead of the check: to `slow` whenever something is appended.
  void emit_always();

 private:
  void choose_temps(x86::RegMask live);
  MemRef stack(i64 disp) const { return {.base = x86::kRsp, .disp = disp + pushed_bytes_}; }
  // to := value of the location; may use nothing but `to`.
  void load(Reg to, const ValueLocation& from);
  void subtract(Reg from, Reg scratch, const ValueLocation& what);
  void multiply(Reg reg, u64 factor);
  void compare_chunks(const MemRef& at, u64 bytes);
  void compare_loop();
  bool emit_constant_size();
  bool emit_variable_size();
  bool is_reg(const ValueLocation& l) const { return l.kind == LocationKind::kRegister; }

  Assembler& as_;
  const AppendSite& site_;
  LoadBias bias_;
  x86::Label slow_, done_;
  std::array<Reg, 2> temps_{};
  std::vector<Reg> saved_;
  bool save_flags_ = false;
  i64 pushed_bytes_ = 0;
};

void CheckEmitter::choose_temps(x86::RegMask live) {
  x86::RegMask used = x86::bit(x86::kRsp) | x86::bit(x86::kRbp) | x86::bit(x86::kR14);
  for (const ValueLocation* l :
       {&site_.old_ptr, &site_.new_len, &site_.cap, &site_.num, &site_.elem_type}) {
    used |= x86::bit(l->reg);
  }
  usize found = 0;
  for (bool dead_only : {true, false}) {
    for (int r = 15; r >= 0 && found < temps_.size(); --r) {
      Reg reg = static_cast<Reg>(r);
      bool dead = (live & x86::bit(reg)) == 0;
      if ((used & x86::bit(reg)) != 0 || dead != dead_only) continue;
      temps_[found++] = reg;
      used |= x86::bit(reg);
      if (!dead) saved_.push_back(reg);
    }
  }
  save_flags_ = (live & x86::kFlagsBit) != 0;
}

void CheckEmitter::save() {
  if (save_flags_) as_.pushfq();
  for (Reg r : saved_) as_.push(r);
  pushed_bytes_ = 8 * static_cast<i64>(saved_.size() + (save_flags_ ? 1 : 0));
}

void CheckEmitter::restore() {
  for (usize i = saved_.size(); i-- > 0;) as_.pop(saved_[i]);
  if (save_flags_) as_.popfq();
}

void CheckEmitter::load(Reg to, const ValueLocation& from) {
  switch (from.kind) {
    case LocationKind::kConstant:
      as_.mov_imm(to, from.addend);
      return;
    case LocationKind::kRegister:
      if (fits32(from.addend)) {
        as_.lea(to, {.base = from.reg, .disp = from.addend});
        return;
      }
      as_.mov_imm(to, from.addend);
      as_.add(to, from.reg);
      return;
    case LocationKind::kStackSlot:
      as_.mov(to, stack(from.disp));
      break;
    case LocationKind::kMemory:
      as_.mov(to, MemRef{.base = from.reg, .disp = from.disp});
      break;
    case LocationKind::kMemoryViaSlot:
      as_.mov(to, stack(from.slot));
      as_.mov(to, MemRef{.base = to, .disp = from.disp});
      break;
    case LocationKind::kGlobal:
      as_.mov(to, MemRef{.disp = static_cast<i64>(static_cast<u64>(from.disp) + bias_.bytes),
                         .absolute = true});
      break;
    case LocationKind::kImageAddress:
      as_.lea(to, {.disp = static_cast<i64>(static_cast<u64>(from.disp) + bias_.bytes),
                   .absolute = true});
      break;
  }
  if (from.addend != 0) as_.add_imm(to, from.addend);
}

void CheckEmitter::subtract(Reg from, Reg scratch, const ValueLocation& what) {
  if (what.kind == LocationKind::kConstant) {
    if (what.addend != 0) as_.add_imm(from, -what.addend);
    return;
  }
  load(scratch, what);
  as_.sub(from, scratch);
}

void CheckEmitter::multiply(Reg reg, u64 factor) {
  if (factor == 1) return;
  if ((factor & (factor - 1)) == 0)
    as_.shl(reg, static_cast<u8>(__builtin_ctzll(factor)));
  else
    as_.imul_imm(reg, static_cast<i64>(factor));
}

void CheckEmitter::compare_chunks(const MemRef& at, u64 bytes) {
  MemRef here = at;
  while (bytes > 0) {
    u64 chunk = bytes >= 8 ? 8 : bytes >= 4 ? 4 : bytes >= 2 ? 2 : 1;
    as_.cmp_mem_zero(here, static_cast<u16>(chunk * 8));
    as_.jcc(Cond::kNe, slow_);
    here.disp += static_cast<i64>(chunk);
    bytes -= chunk;
  }
}

// temps_[0] is the cursor, temps_[1] the end.
void CheckEmitter::compare_loop() {
  Reg cursor = temps_[0];
  Reg end = temps_[1];
  x86::Label words = as_.new_label();
  x86::Label rest = as_.new_label();
  x86::Label bytes = as_.new_label();
  x86::Label out = as_.new_label();
  as_.bind(words);
  as_.lea(cursor, {.base = cursor, .disp = 8});
  as_.cmp(cursor, end);
  as_.jcc(Cond::kA, rest);
  as_.cmp_mem_zero({.base = cursor, .disp = -8}, 64);
  as_.jcc(Cond::kNe, slow_);
  as_.jmp(words);
  as_.bind(rest);
  as_.lea(cursor, {.base = cursor, .disp = -8});
  as_.bind(bytes);
  as_.cmp(cursor, end);
  as_.jcc(Cond::kAe, out);
  as_.cmp_mem_zero({.base = cursor}, 8);
  as_.jcc(Cond::kNe, slow_);
  as_.lea(cursor, {.base = cursor, .disp = 1});
  as_.jmp(bytes);
  as_.bind(out);
}

// num and the element size are constants: the destination is [old_ptr + (new_len - num) * size, +
// num * size).
bool CheckEmitter::emit_constant_size() {
  u64 size = site_.elem_size;
  u64 bytes = size * static_cast<u64>(site_.num.addend);
  i64 disp = -static_cast<i64>(bytes);
  MemRef at;
  bool scaled = size <= 8 && (size & (size - 1)) == 0;
  if (site_.new_len.kind == LocationKind::kConstant) {
    disp += site_.new_len.addend * static_cast<i64>(size);
  } else if (is_reg(site_.new_len) && scaled) {
    at.index = site_.new_len.reg;
    at.scale = static_cast<u8>(size);
    disp += site_.new_len.addend * static_cast<i64>(size);
  } else {
    load(temps_[0], site_.new_len);
    multiply(temps_[0], size);
    at.index = temps_[0];
  }
  if (is_reg(site_.old_ptr)) {
    at.base = site_.old_ptr.reg;
    disp += site_.old_ptr.addend;
  } else {
    load(temps_[1], site_.old_ptr);
    at.base = temps_[1];
  }
  if (!fits32(disp) || !fits32(disp + static_cast<i64>(bytes))) return false;
  at.disp = disp;
  if (bytes <= kMaxInlineBytes) {
    compare_chunks(at, bytes);
    return true;
  }
  as_.lea(temps_[0], at);
  as_.lea(temps_[1], {.base = temps_[0], .disp = static_cast<i64>(bytes)});
  compare_loop();
  return true;
}

bool CheckEmitter::emit_variable_size() {
  Reg cursor = temps_[0];
  Reg size = temps_[1];
  if (site_.num.kind != LocationKind::kConstant) {
    // Appending nothing is "in place" even with a nil pointer.
    load(size, site_.num);
    as_.test(size, size);
    as_.jcc(Cond::kE, done_);
  }
  load(cursor, site_.new_len);
  subtract(cursor, size, site_.num);
  if (site_.elem_size != 0) {
    multiply(cursor, site_.elem_size);
  } else {
    load(size, site_.elem_type);
    as_.mov(size, MemRef{.base = size});  // abi.Type.Size_
    as_.imul(cursor, size);
  }
  // cursor := old_ptr + (new_len - num) * size
  if (is_reg(site_.old_ptr) && fits32(site_.old_ptr.addend)) {
    as_.lea(cursor, {.base = cursor, .index = site_.old_ptr.reg, .disp = site_.old_ptr.addend});
  } else {
    load(size, site_.old_ptr);
    as_.add(cursor, size);
  }
  // size := num * element size, then the end
  if (site_.elem_size != 0) {
    load(size, site_.num);
    multiply(size, site_.elem_size);
  } else {
    load(size, site_.elem_type);
    as_.mov(size, MemRef{.base = size});
    if (site_.num.kind != LocationKind::kConstant) return false;
    multiply(size, static_cast<u64>(site_.num.addend));
  }
  as_.add(size, cursor);
  compare_loop();
  return true;
}

bool CheckEmitter::emit() {
  bool constant = site_.num.kind == LocationKind::kConstant;
  if (constant && (site_.num.addend <= 0 || site_.num.addend > (1 << 20))) return false;
  if (site_.elem_size > (1u << 20)) return false;
  return constant && site_.elem_size != 0 ? emit_constant_size() : emit_variable_size();
}

void CheckEmitter::emit_always() {
  if (site_.num.kind != LocationKind::kConstant) {
    // Appending nothing must leave a nil slice nil.
    load(temps_[0], site_.num);
    as_.test(temps_[0], temps_[0]);
    as_.jcc(Cond::kE, done_);
  }
  as_.jmp(slow_);
}

// The instructions [first, end) of the displaced ones.
bool emit_displaced(Assembler& as, const DisplacedCode& code, usize first, usize end,
                    LoadBias bias) {
  for (usize i = first; i < end; ++i) {
    x86::Insn moved = code.insns[i];
    moved.addr = ImageAddr(bias.to_target(moved.addr).value);
    std::optional<std::vector<u8>> relocated =
        x86::relocate(code.bytes_of(code.insns[i]), moved, as.here());
    if (!relocated) return false;
    as.append_bytes(*relocated);
  }
  return true;
}

// Into the runtime: RAX saved below SP, RAX := the site's record.
void emit_runtime_entry(Assembler& as, const TrampolinePlace& place) {
  as.lea(x86::kRsp, {.base = x86::kRsp, .disp = -kEntryFrameBytes});
  as.mov(MemRef{.base = x86::kRsp}, x86::kRax);
  as.lea(x86::kRax, {.disp = static_cast<i64>(place.site_record), .absolute = true});
  as.jmp_to(place.entry_event);
}

}  // namespace

std::optional<Trampoline> emit_append_trampoline(const AppendSite& site, const DisplacedCode& code,
                                                 const TrampolinePlace& place) {
  std::optional<usize> branch = find_branch(code, site);
  if (!branch) return std::nullopt;
  Assembler as(place.at);
  x86::Label slow = as.new_label();
  x86::Label done = as.new_label();
  x86::Label grow = as.new_label();
  usize behind = *branch + 1;
  bool takes_behind = behind < code.insns.size();
  bool behind_is_grow = site.inplace_is_taken;
  bool heals = place.mode != abi::kWatch;
  u64 end = place.bias.to_target(code.range.end).value;

  if (!emit_displaced(as, code, 0, *branch, place.bias)) return std::nullopt;
  if (takes_behind && behind_is_grow)
    as.jcc(site.grow_cond, grow);
  else
    as.jcc_to(site.grow_cond, place.bias.to_target(site.grow_entry).value);

  x86::RegMask live = heals ? site.live_inplace | site.live_grow : site.live_inplace;
  CheckEmitter check(as, site, place.bias, live, slow, done);
  check.save();
  const bool always = place.mode == abi::kHealAlways || (place.thorough && !heals);
  if (always)
    check.emit_always();
  else if (!check.emit())
    return std::nullopt;
  as.bind(done);
  check.restore();
  Trampoline out;
  out.resume = as.here();
  if (takes_behind && !behind_is_grow) {
    if (!emit_displaced(as, code, behind, code.insns.size(), place.bias)) return std::nullopt;
    as.jmp_to(end);
  } else {
    as.jmp_to(place.bias.to_target(site.inplace_entry).value);
  }
  if (takes_behind && behind_is_grow) {
    as.bind(grow);
    if (!emit_displaced(as, code, behind, code.insns.size(), place.bias)) return std::nullopt;
    as.jmp_to(end);
  }
  as.bind(slow);
  check.restore();
  if (!heals) {
    emit_runtime_entry(as, place);
  } else {
    as.lock_inc({.disp = static_cast<i64>(place.site_record + offsetof(abi::Site, healed)),
                 .absolute = true});
    if (takes_behind && behind_is_grow)
      as.jmp(grow);
    else
      as.jmp_to(place.bias.to_target(site.grow_entry).value);
  }
  as.finish();
  if (!as.ok()) return std::nullopt;
  out.bytes = as.bytes();
  return out;
}

std::optional<Trampoline> emit_healing_call(u64 at, u64 called, u64 growslice) {
  Assembler as(at);
  as.cmp(x86::kRbx, x86::kRcx);
  as.jcc_to(Cond::kA, called);
  as.mov(x86::kRcx, x86::kRbx);
  as.sub(x86::kRcx, x86::kRdi);
  as.jmp_to(growslice);
  as.finish();
  if (!as.ok()) return std::nullopt;
  return Trampoline{as.bytes(), 0};
}

std::optional<Trampoline> emit_hook_trampoline(const DisplacedCode& code,
                                               const TrampolinePlace& place) {
  Assembler as(place.at);
  emit_runtime_entry(as, place);
  Trampoline out;
  out.resume = as.here();
  const x86::Insn& last = code.insns.back();
  bool ends_in_ret = last.flow == x86::Flow::kRet;
  usize end = code.insns.size() - (ends_in_ret ? 1 : 0);
  if (!emit_displaced(as, code, 0, end, place.bias)) return std::nullopt;
  if (ends_in_ret)
    as.append_bytes(code.bytes_of(last));
  else
    as.jmp_to(place.bias.to_target(code.range.end).value);
  as.finish();
  if (!as.ok()) return std::nullopt;
  out.bytes = as.bytes();
  return out;
}

}  // namespace geist::probe
