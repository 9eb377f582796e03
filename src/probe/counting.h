// The counts that a trampoline keeps of its site (abi/counters.h).
//
//     Jcc grow ──not taken──▶ in_place += 1                          ─▶ the check
//              └──taken─────▶ grows += 1, bytes += old length × size ─▶ the grow path
//
// Registers and flags that the way on needs are kept; it takes at most 32 bytes of the goroutine's
// stack meanwhile.
#pragma once

#include <array>
#include <optional>

#include "abi/counters.h"
#include "probe/value_emitter.h"
#include "sites/append_sites.h"

namespace geist::probe {

// Where a site's counts are.
struct CounterPlace {
  u64 page = 0;  // 0: nothing is counted
  u32 g_m = 0;   // offset of g.m
  u32 m_id = 0;  // and of m.id
};

class CountEmitter : private ValueEmitter {
 public:
  CountEmitter(x86::Assembler& as, const sites::AppendSite& site, LoadBias bias,
               const CounterPlace& place)
      : ValueEmitter(as, bias), site_(site), place_(place), growth_(as.new_label()) {}

  bool is_on() const { return place_.page != 0; }
  // At the in-place edge of the branch. Nothing when it is off; so are the next two.
  void count_in_place();
  // Where the branch goes when it is on, in the place of the grow path: count_growth() is there,
  // and falls through when there is no `next` to jump to.
  x86::Label growth() const { return growth_; }
  void count_growth(std::optional<u64> next);
  // What the two jump to now and then; after all other code.
  void emit_rare_code();

 private:
  // A jump to the shared line and back.
  struct Rare {
    x86::Label begin, end;
    x86::Reg line;
    std::optional<x86::Reg> bytes;
  };
  void begin(x86::RegMask live, usize temps);
  void end();
  bool takes_turns() const;
  void add(std::optional<x86::Reg> bytes);

  const sites::AppendSite& site_;
  CounterPlace place_;
  x86::Label growth_;
  std::array<x86::Reg, 3> temps_{};
  std::vector<x86::Reg> saved_;
  bool save_flags_ = false;
  std::vector<Rare> rare_;
};

}  // namespace geist::probe
