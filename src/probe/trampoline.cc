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

#include "probe/runtime_entry.h"
#include "probe/value_emitter.h"

namespace geist::probe {
namespace {

using program::ValueLocation;
using sites::AppendSite;
using x86::Assembler;
using x86::Cond;
using x86::MemRef;
using x86::Reg;
using LocationKind = ValueLocation::Kind;

constexpr u64 kMaxInlineBytes = 32;
constexpr i64 kPageBytes = 4096;

// The ways on from a check.
struct Exits {
  x86::Label slow;  // a destination byte is not zero
  x86::Label done;  // all are
  // Set where done does nothing but jump there.
  std::optional<u64> inplace;
};

// Emits the check of one site. It ends behind its last comparison: falls through into `slow` where
// it can leave for the in-place path by that comparison's own branch, else into `done`.
class CheckEmitter : private ValueEmitter {
 public:
  // `live`: what must be kept for the ways on. `always`: no check, to `slow` whenever something is
  // appended.
  CheckEmitter(Assembler& as, const AppendSite& site, LoadBias bias, x86::RegMask live, bool always,
               const Exits& exits)
      : ValueEmitter(as, bias), site_(site), always_(always), exits_(exits) {
    choose_temps(live);
    if (!saved_.empty() || save_flags_) exits_.inplace.reset();
  }

  void save();
  void restore();
  bool emit();
  // What the check jumps to now and then; behind all other code.
  void emit_rare_code();
  bool leaves_directly() const { return exits_.inplace.has_value(); }

 private:
  bool has_constant_size() const {
    return site_.num.kind == LocationKind::kConstant && site_.elem_size != 0;
  }
  u64 constant_bytes() const { return site_.elem_size * static_cast<u64>(site_.num.addend); }
  // Can an index register of the x86 address mode stand for the new length?
  bool is_new_len_an_index() const {
    return is_reg(site_.new_len) && site_.elem_size <= 8 &&
           (site_.elem_size & (site_.elem_size - 1)) == 0;
  }
  usize temps_needed() const;
  void choose_temps(x86::RegMask live);
  void emit_always();
  // To `done`, always or when the condition holds.
  void go_on();
  void go_on_if(Cond cond);
  // Behind the last comparison, whose zero flag says that nothing is overwritten.
  void end_check();
  void compare_chunks(const MemRef& at, u64 bytes);
  void touch_pages();
  void compare_loop();
  bool emit_constant_size();
  bool emit_variable_size();
  bool is_reg(const ValueLocation& l) const { return l.kind == LocationKind::kRegister; }

  const AppendSite& site_;
  bool always_;
  Exits exits_;
  std::array<Reg, 2> temps_{};
  std::vector<Reg> saved_;
  bool save_flags_ = false;
  struct Pages {
    x86::Label begin_in_it, touched;
  };
  std::optional<Pages> pages_;
};

// The first so many of temps_ are used; a check that uses none pushes none.
usize CheckEmitter::temps_needed() const {
  if (always_) return site_.num.kind == LocationKind::kConstant ? 0 : 1;
  if (!has_constant_size() || constant_bytes() > kMaxInlineBytes || !is_reg(site_.old_ptr))
    return temps_.size();
  return site_.new_len.kind == LocationKind::kConstant || is_new_len_an_index() ? 0 : 1;
}

void CheckEmitter::choose_temps(x86::RegMask live) {
  x86::RegMask used = x86::bit(x86::kRsp) | x86::bit(x86::kRbp) | x86::bit(x86::kR14);
  for (const ValueLocation* l :
       {&site_.old_ptr, &site_.new_len, &site_.cap, &site_.num, &site_.elem_type}) {
    used |= x86::bit(l->reg);
  }
  usize found = 0;
  const usize needed = temps_needed();
  for (bool dead_only : {true, false}) {
    for (int r = 15; r >= 0 && found < needed; --r) {
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

void CheckEmitter::go_on() {
  if (exits_.inplace)
    as_.jmp_to(*exits_.inplace);
  else
    as_.jmp(exits_.done);
}

void CheckEmitter::go_on_if(Cond cond) {
  if (exits_.inplace)
    as_.jcc_to(cond, *exits_.inplace);
  else
    as_.jcc(cond, exits_.done);
}

// One branch that is taken where nothing is overwritten, in the place of one that is not and a
// jump: in a loop that only appends this is what the check costs.
void CheckEmitter::end_check() {
  if (exits_.inplace)
    as_.jcc_to(Cond::kE, *exits_.inplace);
  else
    as_.jcc(Cond::kNe, exits_.slow);
}

void CheckEmitter::compare_chunks(const MemRef& at, u64 bytes) {
  MemRef here = at;
  while (bytes > 0) {
    u64 chunk = bytes >= 8 ? 8 : bytes >= 4 ? 4 : bytes >= 2 ? 2 : 1;
    as_.cmp_mem_zero(here, static_cast<u16>(chunk * 8));
    here.disp += static_cast<i64>(chunk);
    bytes -= chunk;
    if (bytes > 0) as_.jcc(Cond::kNe, exits_.slow);
  }
  end_check();
}

// A page that nobody has used yet is read as the kernel's page of zeros; its first write is then a
// second fault, which interrupts all other threads of the program. So the pages that begin in a
// destination are written first, as they are: the append writes them next. (Not where one element
// is appended: to see where its page begins cost a loop of such appends more than it saved.)
// temps_[0] is the byte before the destination, temps_[1] its last.
void CheckEmitter::touch_pages() {
  pages_.emplace(Pages{as_.new_label(), as_.new_label()});
  as_.xor_(temps_[0], temps_[1]);
  as_.test_imm(temps_[0], -kPageBytes);
  as_.jcc(Cond::kNe, pages_->begin_in_it);
  as_.xor_(temps_[0], temps_[1]);
  as_.bind(pages_->touched);
}

void CheckEmitter::emit_rare_code() {
  if (!pages_) return;
  Reg at = temps_[0];
  Reg last = temps_[1];
  x86::Label next = as_.new_label();
  x86::Label end = as_.new_label();
  as_.bind(pages_->begin_in_it);
  as_.xor_(at, last);
  as_.push(at);
  as_.bind(next);
  as_.or_imm(at, kPageBytes - 1);
  as_.lea(at, {.base = at, .disp = 1});
  as_.cmp(at, last);
  as_.jcc(Cond::kA, end);
  as_.lock_touch({.base = at});
  as_.jmp(next);
  as_.bind(end);
  as_.pop(at);
  as_.jmp(pages_->touched);
}

// temps_[0], the cursor, is one byte before the destination, temps_[1] is its last byte. Words, the
// last of which may overlap the one before; what is shorter than a word is looked at as two halves,
// or byte by byte.
void CheckEmitter::compare_loop() {
  constexpr u64 kWord = 8, kHalf = 4;
  Reg cursor = temps_[0];
  Reg end = temps_[1];
  x86::Label words = as_.new_label();
  x86::Label tiny = as_.new_label();
  x86::Label bytes = as_.new_label();
  auto move = [&](i64 by) { as_.lea(cursor, {.base = cursor, .disp = by}); };
  auto look = [&](Reg behind, u64 size) {
    as_.cmp_mem_zero({.base = behind, .disp = 1 - static_cast<i64>(size)},
                     static_cast<u16>(size * 8));
  };
  touch_pages();
  // Shorter than a half: byte by byte.
  move(kHalf);
  as_.cmp(cursor, end);
  as_.jcc(Cond::kA, tiny);
  move(kWord - kHalf);
  as_.cmp(cursor, end);
  as_.jcc(Cond::kBe, words);
  // Shorter than a word: its first half and its last.
  as_.cmp_mem_zero({.base = cursor, .disp = 1 - static_cast<i64>(kWord)}, kHalf * 8);
  as_.jcc(Cond::kNe, exits_.slow);
  look(end, kHalf);
  as_.jcc(Cond::kNe, exits_.slow);
  go_on();
  as_.bind(tiny);
  move(-static_cast<i64>(kHalf));
  as_.bind(bytes);
  as_.cmp(cursor, end);
  go_on_if(Cond::kAe);
  move(1);
  look(cursor, 1);
  as_.jcc(Cond::kE, bytes);
  as_.jmp(exits_.slow);
  as_.bind(words);
  look(cursor, kWord);
  as_.jcc(Cond::kNe, exits_.slow);
  move(kWord);
  as_.cmp(cursor, end);
  as_.jcc(Cond::kBe, words);
  look(end, kWord);
  end_check();
}

// num and the element size are constants: the destination is [old_ptr + (new_len - num) * size, +
// num * size).
bool CheckEmitter::emit_constant_size() {
  u64 size = site_.elem_size;
  u64 bytes = constant_bytes();
  i64 disp = -static_cast<i64>(bytes);
  MemRef at;
  if (site_.new_len.kind == LocationKind::kConstant) {
    disp += site_.new_len.addend * static_cast<i64>(size);
  } else if (is_new_len_an_index()) {
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
  at.disp -= 1;
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
    go_on_if(Cond::kE);
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
  // cursor := old_ptr + (new_len - num) * size - 1
  if (is_reg(site_.old_ptr) && fits32(site_.old_ptr.addend - 1)) {
    as_.lea(cursor, {.base = cursor, .index = site_.old_ptr.reg, .disp = site_.old_ptr.addend - 1});
  } else {
    load(size, site_.old_ptr);
    as_.lea(cursor, {.base = cursor, .index = size, .disp = -1});
  }
  // size := num * element size, then the last byte
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
  if (always_) {
    emit_always();
    return true;
  }
  bool constant = site_.num.kind == LocationKind::kConstant;
  if (constant && (site_.num.addend <= 0 || site_.num.addend > (1 << 20))) return false;
  if (site_.elem_size > (1u << 20)) return false;
  return has_constant_size() ? emit_constant_size() : emit_variable_size();
}

void CheckEmitter::emit_always() {
  if (site_.num.kind != LocationKind::kConstant) {
    // Appending nothing must leave a nil slice nil.
    load(temps_[0], site_.num);
    as_.test(temps_[0], temps_[0]);
    go_on_if(Cond::kE);
  }
  as_.jmp(exits_.slow);
}

// An append that is sent to the grow path: to the label when its first instructions were displaced.
void emit_healed(Assembler& as, const TrampolinePlace& place, std::optional<x86::Label> displaced,
                 u64 grow_entry) {
  as.lock_inc({.disp = static_cast<i64>(place.site_record + offsetof(abi::Site, healed)),
               .absolute = true});
  if (displaced)
    as.jmp(*displaced);
  else
    as.jmp_to(grow_entry);
}

// The branch, which the site's own gave way to.
void emit_branch(Assembler& as, x86::Cond cond, std::optional<x86::Label> label, u64 address) {
  if (label)
    as.jcc(cond, *label);
  else
    as.jcc_to(cond, address);
}

// Of an append without a grow path: the check stands before its first store.
std::optional<Trampoline> emit_plain_trampoline(const AppendSite& site, const DisplacedCode& code,
                                                const TrampolinePlace& place) {
  usize store = 0;
  while (store < code.insns.size() && code.insns[store].addr != site.branch) ++store;
  const bool is_behind = site.is_removal && code.range.end == site.branch;  // a CALL keeps its place
  const bool has_place = store < code.insns.size() || is_behind;
  if (!has_place || place.mode != abi::kWatch) return std::nullopt;
  const auto leaves = [](const x86::Insn& insn) { return insn.flow != x86::Flow::kNext; };
  if (std::any_of(code.insns.begin(), code.insns.end(), leaves)) return std::nullopt;
  Assembler as(place.at);
  if (!emit_displaced(as, code, 0, store, place.bias)) return std::nullopt;
  const Exits exits{as.new_label(), as.new_label(), std::nullopt};
  CheckEmitter check(as, site, place.bias, site.live_inplace, place.thorough, exits);
  check.save();
  if (!check.emit()) return std::nullopt;
  as.bind(exits.done);
  check.restore();
  Trampoline out;
  out.resume = as.here();
  if (!emit_displaced(as, code, store, code.insns.size(), place.bias)) return std::nullopt;
  as.jmp_to(place.bias.to_target(code.range.end).value);
  as.bind(exits.slow);
  check.restore();
  emit_runtime_entry(as, place.site_record, place.entry_event);
  check.emit_rare_code();
  as.finish();
  if (!as.ok()) return std::nullopt;
  out.bytes = as.bytes();
  return out;
}

}  // namespace

std::optional<Trampoline> emit_append_trampoline(const AppendSite& site, const DisplacedCode& code,
                                                 const TrampolinePlace& place) {
  if (site.is_plain) return emit_plain_trampoline(site, code, place);
  std::optional<usize> branch = find_branch(code, site);
  if (!branch) return std::nullopt;
  Assembler as(place.at);
  usize behind = *branch + 1;
  const bool takes_behind = behind < code.insns.size();
  std::optional<x86::Label> grow;  // where its first instructions were displaced
  if (takes_behind && site.inplace_is_taken) grow = as.new_label();
  const bool inplace_is_behind = takes_behind && !site.inplace_is_taken;
  const bool heals = place.mode != abi::kWatch;
  const u64 end = place.bias.to_target(code.range.end).value;
  const u64 inplace = place.bias.to_target(site.inplace_entry).value;
  const u64 grow_entry = place.bias.to_target(site.grow_entry).value;
  Exits exits{as.new_label(), as.new_label(), std::nullopt};
  if (!inplace_is_behind) exits.inplace = inplace;

  if (!emit_displaced(as, code, 0, *branch, place.bias)) return std::nullopt;
  CountEmitter counts(as, site, place.bias, place.counter);
  emit_branch(as, site.grow_cond, counts.is_on() ? counts.growth() : grow, grow_entry);
  counts.count_in_place();

  x86::RegMask live = heals ? site.live_inplace | site.live_grow : site.live_inplace;
  const bool always = place.mode == abi::kHealAlways || (place.thorough && !heals);
  CheckEmitter check(as, site, place.bias, live, always, exits);
  check.save();
  if (!check.emit()) return std::nullopt;
  Trampoline out;
  out.resume = inplace;
  if (!check.leaves_directly()) {
    as.bind(exits.done);
    check.restore();
    out.resume = as.here();
    if (inplace_is_behind && !emit_displaced(as, code, behind, code.insns.size(), place.bias))
      return std::nullopt;
    as.jmp_to(inplace_is_behind ? end : inplace);
  }
  as.bind(exits.slow);
  check.restore();
  if (!heals)
    emit_runtime_entry(as, place.site_record, place.entry_event);
  else
    emit_healed(as, place, grow, grow_entry);
  counts.count_growth(grow ? std::nullopt : std::optional(grow_entry));
  if (grow) {
    as.bind(*grow);
    if (!emit_displaced(as, code, behind, code.insns.size(), place.bias)) return std::nullopt;
    as.jmp_to(end);
  }
  check.emit_rare_code();
  counts.emit_rare_code();
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
  emit_runtime_entry(as, place.site_record, place.entry_event);
  Trampoline out;
  out.resume = as.here();
  if (!emit_displaced(as, code, 0, code.insns.size(), place.bias)) return std::nullopt;
  if (code.insns.back().flow != x86::Flow::kRet)
    as.jmp_to(place.bias.to_target(code.range.end).value);
  as.finish();
  if (!as.ok()) return std::nullopt;
  out.bytes = as.bytes();
  return out;
}

}  // namespace geist::probe
