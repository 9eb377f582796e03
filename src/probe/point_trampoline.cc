// See point_trampoline.h. Temporaries are registers that are dead at the point, or are pushed;
// flags are saved only where they are live and the primitive writes them.
#include "probe/point_trampoline.h"

#include <algorithm>

#include "abi/probe.h"
#include "base/check.h"
#include "probe/runtime_entry.h"

namespace geist::probe {
namespace {

using program::Point;
using program::PointKind;
using x86::Assembler;
using x86::Flow;
using x86::Reg;

constexpr u64 kWordBytes = 8;

// What one primitive's instructions stand in.
class Frame {
 public:
  Frame(const Point& point, const Primitive& primitive) {
    GEIST_CHECK(primitive.temps <= kMaxTemps);
    x86::RegMask used =
        primitive.uses | x86::bit(x86::kRsp) | x86::bit(x86::kRbp) | x86::bit(x86::kR14);
    for (bool dead_only : {true, false}) {
      for (int r = 15; r >= 0 && found_ < primitive.temps; --r) {
        const Reg reg = static_cast<Reg>(r);
        const bool is_dead = (point.live & x86::bit(reg)) == 0;
        if ((used & x86::bit(reg)) != 0 || is_dead != dead_only) continue;
        temps_[found_++] = reg;
        used |= x86::bit(reg);
        if (!is_dead) saved_.push_back(reg);
      }
    }
    saves_flags_ = primitive.writes_flags && (point.live & x86::kFlagsBit) != 0;
  }

  u64 pushed_bytes() const { return kWordBytes * (saved_.size() + (saves_flags_ ? 1 : 0)); }
  const std::array<Reg, kMaxTemps>& temps() const { return temps_; }
  void save(Assembler& as) const {
    if (saves_flags_) as.pushfq();
    for (Reg reg : saved_) as.push(reg);
  }
  void restore(Assembler& as) const {
    for (usize i = saved_.size(); i-- > 0;) as.pop(saved_[i]);
    if (saves_flags_) as.popfq();
  }

 private:
  std::array<Reg, kMaxTemps> temps_{};
  usize found_ = 0;
  std::vector<Reg> saved_;
  bool saves_flags_ = false;
};

// The way into the runtime, or elsewhere; after all other code, for it is taken now and then.
struct Entrance {
  Frame frame;
  x86::Label label;
  PlacedPrimitive of;
};

void emit_entrance(Assembler& as, const Entrance& entrance) {
  as.bind(entrance.label);
  entrance.frame.restore(as);
  emit_runtime_entry(as, entrance.of.record, entrance.of.entry);
}

// Is one of the instructions [first, end) a JMP or RET, so that the next is not reached from it?
bool leaves(const DisplacedCode& code, usize first, usize end) {
  for (usize i = first; i < end; ++i) {
    const Flow flow = code.insns[i].flow;
    if (flow == Flow::kJmp || flow == Flow::kRet) return true;
  }
  return false;
}

class Emitter {
 public:
  Emitter(const DisplacedCode& code, LoadBias bias, u64 at) : code_(code), bias_(bias), as_(at) {}

  std::optional<PointTrampoline> emit(std::span<const PlacedPrimitive> primitives) {
    for (const PlacedPrimitive& placed : primitives) {
      if (!move_up_to(placed.point->at)) return std::nullopt;
      emit_primitive(placed);
    }
    if (!emit_way_on(*primitives.back().point)) return std::nullopt;
    for (const Entrance& entrance : entrances_) emit_entrance(as_, entrance);
    for (const Entrance& exit : exits_) {
      as_.bind(exit.label);
      exit.frame.restore(as_);
      as_.jmp_to(bias_.to_target(exit.of.primitive->leaves_to).value);
    }
    as_.finish();
    if (!as_.ok()) return std::nullopt;
    out_.bytes = as_.bytes();
    return std::move(out_);
  }

 private:
  // The moved instructions before this one; false when there is none that begins there.
  bool move_up_to(ImageAddr at) {
    const usize first = next_;
    while (next_ < code_.insns.size() && code_.insns[next_].addr < at) ++next_;
    if (next_ == code_.insns.size() || code_.insns[next_].addr != at) return false;
    return !leaves(code_, first, next_) && emit_displaced(as_, code_, first, next_, bias_);
  }

  void emit_primitive(const PlacedPrimitive& placed) {
    const Frame frame(*placed.point, *placed.primitive);
    PrimitivePlace place;
    place.temps = frame.temps();
    place.record = placed.record;
    place.maps = placed.maps;
    place.pushed_bytes = static_cast<i64>(frame.pushed_bytes());
    place.bias = bias_;
    place.done = as_.new_label();
    place.enter = as_.new_label();
    place.leave = as_.new_label();
    frame.save(as_);
    placed.primitive->emit(as_, place);
    as_.bind(place.done);
    frame.restore(as_);
    out_.resumes.push_back(as_.here());
    if (placed.primitive->enters) entrances_.push_back({frame, place.enter, placed});
    if (placed.primitive->leaves_to) exits_.push_back({frame, place.leave, placed});
  }

  // What runs after the last primitive.
  bool emit_way_on(const Point& last) {
    if (last.kind == PointKind::kCall) {
      const x86::Insn& call = code_.insns[next_];
      if (call.flow != Flow::kCall || call.target != last.target || !call.target) return false;
      as_.jmp_to(bias_.to_target(call.target).value);
      return true;
    }
    if (!emit_displaced(as_, code_, next_, code_.insns.size(), bias_)) return false;
    if (!leaves(code_, next_, code_.insns.size()))
      as_.jmp_to(bias_.to_target(code_.range.end).value);
    return true;
  }

  const DisplacedCode& code_;
  const LoadBias bias_;
  Assembler as_;
  usize next_ = 0;  // the first instruction that is not moved yet
  std::vector<Entrance> entrances_, exits_;
  PointTrampoline out_;
};

}  // namespace

Primitive count_passes() {
  Primitive primitive;
  primitive.writes_flags = true;
  primitive.emit = [](Assembler& as, const PrimitivePlace& place) {
    as.lock_inc(
        {.disp = static_cast<i64>(place.record + offsetof(abi::Site, seen)), .absolute = true});
  };
  return primitive;
}

Primitive enter_runtime() {
  Primitive primitive;
  primitive.enters = true;
  primitive.emit = [](Assembler& as, const PrimitivePlace& place) { as.jmp(place.enter); };
  return primitive;
}

u64 stack_needed(const Point& point, const Primitive& primitive) {
  const u64 own = Frame(point, primitive).pushed_bytes();
  return primitive.enters ? std::max(own, kEntryStackBytes) : own;
}

std::optional<PointTrampoline> emit_point_trampoline(std::span<const PlacedPrimitive> primitives,
                                                     const DisplacedCode& code, LoadBias bias,
                                                     u64 at) {
  GEIST_CHECK(!primitives.empty());
  return Emitter(code, bias, at).emit(primitives);
}

}  // namespace geist::probe
