// See counting.h. The way to the line of this thread's M is two loads; nothing of the append
// depends on them, so in a loop they run beside it. Where the region lies below 2 GiB, as it does
// for programs that are not position independent, the page's address is part of the instruction.
#include "probe/counting.h"

namespace geist::probe {
namespace {

using program::ValueLocation;
using x86::Cond;
using x86::MemRef;
using x86::Reg;

constexpr i64 kLineBytes = sizeof(abi::SiteCounter);
constexpr i64 kSharedLine = (abi::kCounterShards - 1) * kLineBytes;

bool is_low(u64 page) {
  return fits32(static_cast<i64>(page + abi::kCounterPageBytes));
}

}  // namespace

bool CountEmitter::takes_turns() const {
  return is_low(place_.page) && site_.new_len.kind == ValueLocation::Kind::kRegister;
}

void CountEmitter::begin(x86::RegMask live, usize temps) {
  x86::RegMask used = x86::bit(x86::kRsp) | x86::bit(x86::kRbp) | x86::bit(x86::kR14);
  for (const ValueLocation* l :
       {&site_.old_ptr, &site_.new_len, &site_.cap, &site_.num, &site_.elem_type})
    used |= x86::bit(l->reg);
  saved_.clear();
  usize found = 0;
  for (bool dead_only : {true, false}) {
    for (int r = 15; r >= 0 && found < temps; --r) {
      Reg reg = static_cast<Reg>(r);
      bool is_dead = (live & x86::bit(reg)) == 0;
      if ((used & x86::bit(reg)) != 0 || is_dead != dead_only) continue;
      temps_[found++] = reg;
      used |= x86::bit(reg);
      if (!is_dead) saved_.push_back(reg);
    }
  }
  save_flags_ = (live & x86::kFlagsBit) != 0;
  if (save_flags_) as_.pushfq();
  for (Reg reg : saved_) as_.push(reg);
  pushed_bytes_ = 8 * static_cast<i64>(saved_.size() + (save_flags_ ? 1 : 0));
}

void CountEmitter::end() {
  for (usize i = saved_.size(); i-- > 0;) as_.pop(saved_[i]);
  if (save_flags_) as_.popfq();
  pushed_bytes_ = 0;
}

// One more in place, or one that grew and copied `bytes`: in the line of this thread's M.
void CountEmitter::add(std::optional<Reg> bytes) {
  Reg line = temps_[0];
  Reg scratch = temps_[1];
  rare_.push_back({as_.new_label(), as_.new_label(), line, bytes});
  as_.mov(line, MemRef{.base = x86::kR14, .disp = place_.g_m});
  as_.imul_imm(line, MemRef{.base = line, .disp = place_.m_id}, kLineBytes);
  as_.cmp_imm(line, kSharedLine);
  as_.jcc(Cond::kAe, rare_.back().begin);
  const i64 page = static_cast<i64>(place_.page);
  MemRef at{.base = line, .disp = page};
  if (!is_low(place_.page)) {
    as_.lea(scratch, {.disp = page, .absolute = true});
    at = {.base = scratch, .index = line};
  }
  if (bytes) {
    at.disp += offsetof(abi::SiteCounter, grows);
    as_.inc_mem(at);
    at.disp += offsetof(abi::SiteCounter, bytes) - offsetof(abi::SiteCounter, grows);
    as_.add_mem(at, *bytes);
  } else if (takes_turns()) {
    as_.mov(scratch, site_.new_len.reg);
    as_.and_imm(scratch, 1);
    at.index = scratch;
    at.scale = sizeof(abi::SiteCounter::in_place[0]);
    as_.inc_mem(at);
  } else {
    as_.inc_mem(at);
  }
  as_.bind(rare_.back().end);
}

void CountEmitter::count_in_place() {
  if (!is_on()) return;
  begin(site_.live_inplace, is_low(place_.page) && !takes_turns() ? 1 : 2);
  add(std::nullopt);
  end();
}

// growslice copies what the old slice holds: newLen - num elements (runtime/slice.go lenmem, go1.21
// to go1.27).
void CountEmitter::count_growth(std::optional<u64> next) {
  if (!is_on()) return;
  as_.bind(growth_);
  begin(site_.live_grow, 3);
  Reg bytes = temps_[2];
  load(bytes, site_.new_len);
  subtract(bytes, temps_[0], site_.num);
  if (site_.elem_size != 0) {
    multiply(bytes, site_.elem_size);
  } else {
    load(temps_[0], site_.elem_type);
    as_.mov(temps_[0], MemRef{.base = temps_[0]});  // abi.Type.Size_
    as_.imul(bytes, temps_[0]);
  }
  add(bytes);
  end();
  if (next) as_.jmp_to(*next);
}

void CountEmitter::emit_rare_code() {
  for (const Rare& rare : rare_) {
    as_.bind(rare.begin);
    as_.lea(rare.line, {.disp = static_cast<i64>(place_.page) + kSharedLine, .absolute = true});
    if (rare.bytes) {
      as_.lock_inc({.base = rare.line, .disp = offsetof(abi::SiteCounter, grows)});
      as_.lock_add_mem({.base = rare.line, .disp = offsetof(abi::SiteCounter, bytes)}, *rare.bytes);
    } else {
      as_.lock_inc({.base = rare.line});
    }
    as_.jmp(rare.end);
  }
}

}  // namespace geist::probe
