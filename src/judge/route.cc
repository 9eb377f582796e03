// The slices of program/origins.h give, frame by frame, where a pointer may have come from; here
// each such place is given its meaning: the victim's word, the append's result, another header,
// unknown. Addresses are made from the sample: its registers are those of the innermost frame right
// after the access, its copy of the stack has what callers spilled. A value that cannot be told is
// not guessed: the answer is then kUnknown, and other witnesses are asked.
#include "judge/route.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "judge/other_results.h"
#include "program/go_abi.h"
#include "program/origins.h"
#include "program/write_cursor.h"

namespace geist::judge {
namespace {

using program::FunctionCode;
using program::Location;
using program::Origin;
using program::ValueLocation;
using Kind = Origin::Kind;

constexpr usize kMaxValues = 16;  // of a value that differs by the way
constexpr u32 kMaxDepth = 6;      // of loads whose base is itself loaded
constexpr usize kMaxFrames = 12;  // from the reader to who had the header

// Arguments that a helper of the runtime reads elements through.
// Source: runtime/stubs.go, runtime/mbarrier.go, internal/bytealg, go1.21 to go1.27.
std::vector<x86::Reg> read_arguments(std::string_view helper) {
  using enum x86::Reg;
  if (helper == "runtime.memmove" || helper.starts_with("runtime.slicebyte") ||
      helper.starts_with("runtime.slicerune") || helper.starts_with("runtime.stringtoslice"))
    return {kRbx};
  if (helper == "runtime.growslice" || helper == "runtime.decoderune" ||
      helper == "runtime.countrunes" || helper.starts_with("internal/bytealg.IndexByte") ||
      helper.starts_with("internal/bytealg.Count") || helper.starts_with("indexbytebody"))
    return {kRax};
  if (helper == "runtime.typedslicecopy" || helper == "runtime.makeslicecopy") return {kRdi};
  if (helper == "runtime.typedmemmove" || helper == "runtime.wbMove") return {kRcx};
  if (helper.starts_with("runtime.convT")) return {kRbx};
  if (helper.starts_with("runtime.memequal") || helper.starts_with("memeqbody"))
    return {kRax, kRbx};
  if (helper == "runtime.cmpstring" || helper == "internal/bytealg.Compare")
    return {kRax, kRcx, kRdi};
  return {kRax, kRbx, kRcx, kRdi, kRsi};
}

class RouteFinder {
 public:
  RouteFinder(Context& context, const Append& append, const View& victim, const Access& access)
      : context_(context),
        append_(append),
        victim_(victim),
        access_(access),
        callees_(program::callees_of(context.binary)),
        stack_{TargetAddr(access.sample->regs[x86::kRsp]), access.sample->stack} {}

  RouteAnswer find();
  std::optional<std::vector<LoadedWord>> operand_words();
  std::optional<std::vector<LoadedWord>> operand_sources();
  std::vector<LoadedWord> handed_words();

 private:
  struct Place {
    usize frame = 0;
    u32 insn = 0;
    Location at;
  };

  const FunctionCode* code_of(usize frame) const {
    return context_.codes.find(access_.frames[frame].function);
  }
  std::optional<Place> operand() const;
  std::optional<u32> call_of(usize frame) const;
  std::optional<Place> handed_by_caller(usize frame, const Location& at) const;
  std::optional<ImageAddr> event_pc(usize frame) const;
  bool is_appender(usize frame) const { return access_.activation(frame) == append_.activation(); }
  std::optional<i64> victim_slot(usize frame) const;
  TargetAddr victim_word() const;
  bool is_victims_pointer(std::optional<u64> word) const {
    return word == victim_.ptr ||
           (victim_.is_walked && word && *word > victim_.ptr && *word < append_.array.end.value);
  }
  void add_helper_arguments(std::vector<Place>& places) const;
  void classify(const Place& place);
  void classify(const Place& place, const Origin& origin);
  bool add_words(const Place& place, const program::SliceEnds& ends,
                 std::vector<LoadedWord>& words) const;
  std::optional<Place> handed_back(const Place& place, const Origin& origin) const;
  // A loop hands on what it got back, and a variable goes to several calls.
  bool is_new(const Place& place) const {
    return followed_.emplace(place.frame, place.insn).second;
  }
  void add_handed(const Place& place, std::vector<LoadedWord>& words) const;
  void classify_load(const Place& place, const Origin& origin);
  void classify_before(const Place& place, const Origin& origin, bool in_appender);
  bool was_victims(const Place& place, const Location& at) const;
  // Of a place further back: `written` are the registers that were written between it and the
  // access, in frame 0.
  struct Look {
    u32 depth = 0;
    x86::RegMask written = 0;
    Look deeper(const Origin& origin) const { return {depth + 1, written | origin.written}; }
  };
  // What it may be on each way that leads here. False when a way is not understood; then what is
  // added says nothing.
  using Values = std::set<u64>;
  bool add_addresses(usize frame, const Origin& origin, const Look& look, Values& all) const;
  bool add_values(const Place& place, const Look& look, Values& all) const;
  bool add_values(usize frame, const Origin& origin, const Look& look, Values& all) const;
  // All ways must agree.
  std::optional<u64> address_of(usize frame, const Origin& origin, const Look& look) const;
  std::optional<u64> kept_register(usize frame, x86::Reg reg, x86::RegMask written) const;
  std::optional<u64> read_word(TargetAddr at) const;

  Context& context_;
  const Append& append_;
  const View& victim_;
  const Access& access_;
  program::Callees callees_;
  heap::StackCopy stack_;
  bool is_victim_ = false, is_other_ = false, is_unknown_ = false;
  std::vector<RouteAnswer::Load> loads_;
  bool knows_allocations_ = false;
  bool asks_operand_ = false;
  mutable program::CallUse calls_;
  mutable std::set<std::pair<usize, u32>> followed_;
};

// Source: runtime/slice.go, malloc.go, string.go, go1.21 to go1.27.
bool is_allocation(const read::GoBinary& binary, const FunctionCode& code, const Origin& origin) {
  const ImageAddr target = code.briefs()[origin.insn].target;
  const std::optional<read::Function> callee =
      target ? binary.pclntab().find_function(target) : std::nullopt;
  if (!callee || origin.at != Location{x86::kRax, 0}) return false;
  return callee->name.starts_with("runtime.mallocgc") || callee->name == "runtime.makeslice" ||
         callee->name == "runtime.makeslicecopy" || callee->name == "runtime.newobject" ||
         callee->name == "runtime.stringtoslicebyte";
}

RouteAnswer RouteFinder::find() {
  if (access_.frames.empty() || access_.actor >= access_.frames.size()) return {};
  std::vector<Place> places;
  if (access_.actor > 0) {
    add_helper_arguments(places);
  } else {
    const FunctionCode* code = code_of(0);
    const std::optional<u32> insn =
        code != nullptr && access_.insn ? code->find_insn(access_.insn) : std::nullopt;
    if (!insn) return {};
    for (const x86::Operand& operand : code->insn(*insn).operands) {
      if (operand.kind != x86::Operand::Kind::kMem || operand.mem.base == x86::kNoReg) continue;
      places.push_back({0, *insn, {operand.mem.base, 0}});
      if (operand.mem.index != x86::kNoReg && operand.mem.scale == 1)
        places.push_back({0, *insn, {operand.mem.index, 0}});
    }
  }
  if (places.empty()) return {};
  for (const Place& place : places) classify(place);
  if (is_other_) return {Route::kOther, {}, false};
  if (is_unknown_) return {};
  if (!loads_.empty()) return {Route::kUnknown, std::move(loads_), false};
  return {is_victim_ ? Route::kVictim : Route::kUnknown, {}, false};
}

// The runtime's helpers are assembly, or code that was written like it: what they were handed is
// asked about. Only arguments that point near the word may be what was read through.
void RouteFinder::add_helper_arguments(std::vector<Place>& places) const {
  const usize frame = access_.actor;
  const std::optional<u32> call = call_of(frame);
  if (!call) return;
  for (x86::Reg reg : read_arguments(access_.frames[frame - 1].function.name))
    places.push_back({frame, *call, {reg, 0}});
}

// The CALL that a caller is in.
std::optional<u32> RouteFinder::call_of(usize frame) const {
  const FunctionCode* code = code_of(frame);
  if (code == nullptr || !access_.frames[frame].is_return_address) return std::nullopt;
  const std::optional<u32> next = code->find_insn(access_.frames[frame].pc);
  if (!next || *next == 0 || code->briefs()[*next - 1].flow != x86::Flow::kCall)
    return std::nullopt;
  return *next - 1;
}

// An argument is what the caller had in that register at its call.
std::optional<RouteFinder::Place> RouteFinder::handed_by_caller(usize frame,
                                                                const Location& at) const {
  const usize caller = frame + 1;
  if (caller >= access_.frames.size() || caller >= access_.actor + kMaxFrames) return std::nullopt;
  const std::optional<u32> call = call_of(caller);
  if (!call) return std::nullopt;
  return Place{caller, *call, at};
}

// Where this frame stood when the append happened; nothing when it began later.
std::optional<ImageAddr> RouteFinder::event_pc(usize frame) const {
  const Activation reader = access_.activation(frame);
  for (usize i = 1; i < append_.frames.size(); ++i) {
    const heap::StackFrame& f = append_.frames[i];
    if (make_activation(f, append_.event->g, TargetAddr(append_.event->stack_hi)) == reader)
      return f.pc;
  }
  return std::nullopt;
}

// The victim's pointer word as a word of this frame.
std::optional<i64> RouteFinder::victim_slot(usize frame) const {
  const heap::StackFrame& f = access_.frames[frame];
  const TargetAddr now = victim_word();
  if (victim_.holder != findings::Holder::kStack || now < f.sp || now >= f.cfa) return std::nullopt;
  return static_cast<i64>(now - f.sp);
}

// The victim's pointer word, which moves with its stack.
TargetAddr RouteFinder::victim_word() const {
  const bool has_moved = victim_.holder == findings::Holder::kStack && victim_.ptr_word &&
                         access_.g == victim_.g.value && access_.stack_hi;
  return has_moved ? access_.stack_hi - (victim_.stack_hi - victim_.ptr_word) : victim_.ptr_word;
}

void RouteFinder::classify(const Place& place) {
  const FunctionCode* code = code_of(place.frame);
  if (code == nullptr) {
    is_unknown_ = true;
    return;
  }
  program::SliceEnds ends;
  if (is_appender(place.frame)) {
    ends.barrier = code->find_insn(append_.site->site.branch).value_or(ends.kNoBarrier);
  } else if (const std::optional<ImageAddr> pc = event_pc(place.frame)) {
    const std::optional<u32> next = code->find_insn(*pc);
    if (next && *next > 0) ends.barrier = *next - 1;
  }
  ends.slot = victim_slot(place.frame);
  for (const Origin& origin : program::find_origins(*code, place.insn, place.at, callees_, ends))
    classify(place, origin);
}

void RouteFinder::classify(const Place& place, const Origin& origin) {
  const bool in_appender = is_appender(place.frame);
  const bool was_under_way = in_appender || event_pc(place.frame).has_value();
  switch (origin.kind) {
    case Kind::kNumber:
      return;
    case Kind::kLoad:
      return classify_load(place, origin);
    case Kind::kSlot: {
      const std::optional<i64> own = victim_slot(place.frame);
      const bool is_own =
          own && *own == origin.at.slot &&
          is_victims_pointer(
              read_word(access_.frames[place.frame].sp + static_cast<u64>(*own)));
      (is_own ? is_victim_ : is_unknown_) = true;
      return;
    }
    case Kind::kArgument: {
      // What it was handed before the append was a way that was not taken since.
      if (was_under_way) return;
      if (const std::optional<Place> handed = handed_by_caller(place.frame, origin.at))
        classify(*handed);
      else
        is_unknown_ = true;
      return;
    }
    case Kind::kResult: {
      const bool is_append =
          program::is_growslice_result(context_.binary, *code_of(place.frame), origin);
      (is_append ? is_other_ : is_unknown_) = true;
      return;
    }
    case Kind::kBefore:
      return classify_before(place, origin, in_appender);
    case Kind::kAddress:
      is_unknown_ |= access_.actor == 0;  // of a type, where a helper is handed one
      return;
    case Kind::kUnknown:
      is_unknown_ = true;
      return;
  }
}

ValueLocation as_value(const Location& at) {
  ValueLocation value;
  value.kind = at.is_register() ? ValueLocation::Kind::kRegister : ValueLocation::Kind::kStackSlot;
  value.reg = at.reg;
  value.disp = at.slot;
  return value;
}

// What a caller of the appending function gets back from the call is, or may be, the result; what
// it has in a word since before the call is neither that nor, unless it is the victim's, known.
void RouteFinder::classify_before(const Place& place, const Origin& origin, bool in_appender) {
  if (!in_appender) {
    (origin.at.is_register() ? is_other_ : is_unknown_) = true;
    return;
  }
  const bool has_place = victim_.same_frame && victim_.frame == access_.activation(place.frame);
  // A pointer that is another append's result may be in a register and in a word of the frame.
  const bool is_other_copy = has_place && !victim_.len_known &&
                             program::location_of(append_.site->site.old_ptr) != origin.at &&
                             is_result_of_another_append(context_, append_, as_value(origin.at));
  const bool is_victims =
      has_place && (program::location_of(victim_.ptr_from) == origin.at || is_other_copy);
  if (program::location_of(append_.site->site.old_ptr) == origin.at && !is_victims)
    is_other_ = true;
  else if (is_victims || was_victims(place, origin.at))
    is_victim_ = true;
  else
    is_unknown_ = true;
}

// Had the register, in front of the append's branch, the victim's pointer, loaded from the victim's
// own word on every way? The result is not that: where the append grows it is another.
bool RouteFinder::was_victims(const Place& place, const Location& at) const {
  const FunctionCode& code = *code_of(place.frame);
  const std::optional<u32> branch = code.find_insn(append_.site->site.branch);
  program::SliceEnds ends;
  ends.slot = victim_slot(place.frame);
  const bool may_be = at.is_register() && branch && ends.slot && victim_.same_frame &&
                      append_.event->regs[at.reg] == victim_.ptr;
  if (!may_be) return false;
  const std::vector<Origin> origins = program::find_origins(code, *branch, at, callees_, ends);
  return std::ranges::all_of(origins, [&](const Origin& origin) {
    return origin.kind == Kind::kSlot && origin.at.slot == *ends.slot && !origin.is_shifted;
  });
}

// Another word than the victim's is another header; where it reads like the victim's, it may be a
// copy.
void RouteFinder::classify_load(const Place& place, const Origin& origin) {
  // The sample's registers are those after the access.
  const FunctionCode* code = place.frame == 0 ? code_of(0) : nullptr;
  const x86::RegMask by_access = code == nullptr ? 0 : code->insn(place.insn).writes;
  const std::optional<u64> address = address_of(place.frame, origin, {0, by_access});
  if (!address) {
    loads_.push_back({place.frame, code_of(place.frame)->briefs()[origin.insn].addr});
    return;
  }
  if (victim_.ptr_word && *address == victim_word().value) {
    is_victim_ = true;
    return;
  }
  const std::optional<u64> ptr = read_word(TargetAddr(*address));
  const std::optional<u64> len = read_word(TargetAddr(*address + 8));
  const bool is_in_array =
      ptr && *ptr >= append_.array.begin.value && *ptr < append_.array.end.value;
  if (!is_in_array && access_.actor > 0) return;  // a helper's other argument
  const bool may_be_copy = !is_in_array || !len || (*ptr == victim_.ptr && *len == victim_.len);
  (may_be_copy ? is_unknown_ : is_other_) = true;
}

std::optional<u64> RouteFinder::read_word(TargetAddr at) const {
  if (std::optional<u64> word = stack_.find_word(at)) return word;
  return context_.memory.find<u64>(at);
}

// Of the innermost frame, as it was further back.
std::optional<u64> RouteFinder::kept_register(usize frame, x86::Reg reg,
                                              x86::RegMask written) const {
  if (frame != 0 || (written & x86::bit(reg)) != 0) return std::nullopt;
  return access_.sample->regs[reg];
}

bool RouteFinder::add_addresses(usize frame, const Origin& origin, const Look& look,
                                Values& all) const {
  const x86::Mem& mem = origin.mem;
  if (mem.segment) return false;
  const u64 disp = static_cast<u64>(mem.disp);
  if (mem.rip_relative) {
    all.insert(context_.bias().to_target(ImageAddr(disp)).value);
    return true;
  }
  auto add = [&](x86::Reg reg, Values& values) {
    const std::optional<u64> kept = reg == x86::kRsp
                                        ? std::optional<u64>(access_.frames[frame].sp.value)
                                        : kept_register(frame, reg, look.written | origin.written);
    if (!kept) return add_values({frame, origin.insn, {reg, 0}}, look.deeper(origin), values);
    values.insert(*kept);
    return true;
  };
  Values bases, indexes;
  if (mem.base == x86::kNoReg) bases.insert(0);
  if (mem.index == x86::kNoReg) indexes.insert(0);
  if (mem.base != x86::kNoReg && !add(mem.base, bases)) return false;
  if (mem.index != x86::kNoReg && !add(mem.index, indexes)) return false;
  for (u64 base : bases) {
    for (u64 index : indexes) all.insert(base + index * mem.scale + disp);
  }
  return all.size() <= kMaxValues;
}

std::optional<u64> RouteFinder::address_of(usize frame, const Origin& origin,
                                           const Look& look) const {
  Values all;
  if (!add_addresses(frame, origin, look, all) || all.size() != 1) return std::nullopt;
  return *all.begin();
}

// The word of the frame that the register's value is kept in, too: stored to in the same straight
// run of instructions, before or after `insn`.
std::optional<i64> find_spill(const FunctionCode& code, u32 insn, x86::Reg reg) {
  const program::Block& block = code.blocks()[code.block_of(insn)];
  auto stored_to = [&](u32 i) -> std::optional<i64> {
    const x86::Insn& store = code.insn(i);
    const x86::Mem& mem = store.operands[0].mem;
    const bool is_spill = store.op == x86::Op::kMov && store.writes_memory &&
                          store.operands[1].is_reg(reg) && store.operands[1].size_bits == 64 &&
                          mem.base == x86::kRsp && mem.index == x86::kNoReg;
    return is_spill ? std::optional<i64>(mem.disp) : std::nullopt;
  };
  auto ends = [&](u32 i) {
    return code.briefs()[i].flow == x86::Flow::kCall ||
           (code.briefs()[i].writes & x86::bit(reg)) != 0;
  };
  for (u32 i = insn; i-- > block.first && !ends(i);) {
    if (std::optional<i64> slot = stored_to(i)) return slot;
  }
  for (u32 i = insn; i <= block.last && !ends(i); ++i) {
    if (std::optional<i64> slot = stored_to(i)) return slot;
  }
  return std::nullopt;
}

// Likewise, where the value was moved from register to register since: MOVQ DX, 0x98(SP); MOVQ DX, AX.
std::optional<i64> find_moved_spill(const FunctionCode& code, u32 insn, x86::Reg reg) {
  for (u32 i = insn; i-- > code.blocks()[code.block_of(insn)].first;) {
    if (code.briefs()[i].flow == x86::Flow::kCall) return std::nullopt;
    if ((code.briefs()[i].writes & x86::bit(reg)) == 0) continue;
    const x86::Insn& made = code.insn(i);
    const bool is_move = made.op == x86::Op::kMov && made.operands[0].is_reg(reg) &&
                         made.operands[1].kind == x86::Operand::Kind::kReg &&
                         made.operands[1].size_bits == 64;
    if (!is_move) return std::nullopt;
    reg = made.operands[1].reg;
    if (const std::optional<i64> slot = find_spill(code, i, reg)) return slot;
  }
  return std::nullopt;
}

// Where else in the frame is what a call gave back, and what is in `at`, kept?
std::optional<i64> find_kept_result(const FunctionCode& code, u32 insn, const Location& at,
                                    const program::Callees& callees) {
  constexpr usize kMaxSlots = 24;
  auto result_in = [&](const Location& where) -> std::optional<Origin> {
    const std::vector<Origin> origins = program::find_origins(code, insn, where, callees);
    const bool is_one = origins.size() == 1 && origins[0].kind == Kind::kResult;
    return is_one && !origins[0].is_shifted ? std::optional(origins[0]) : std::nullopt;
  };
  const std::optional<Origin> wanted = result_in(at);
  if (!wanted) return std::nullopt;
  std::set<i64> asked;
  for (u32 i = wanted->insn; i < code.briefs().size() && asked.size() < kMaxSlots; ++i) {
    if ((code.briefs()[i].reads & x86::bit(x86::kRsp)) == 0) continue;
    const x86::Insn& store = code.insn(i);
    const x86::Operand& target = store.operands[0];
    const bool is_spill = store.op == x86::Op::kMov && store.writes_memory &&
                          store.operands[1].kind == x86::Operand::Kind::kReg &&
                          target.size_bits == 64 && target.mem.base == x86::kRsp &&
                          target.mem.index == x86::kNoReg;
    if (!is_spill || !asked.insert(target.mem.disp).second) continue;
    const std::optional<Origin> kept = result_in({x86::kNoReg, target.mem.disp});
    if (kept && kept->insn == wanted->insn && kept->at == wanted->at) return target.mem.disp;
  }
  return std::nullopt;
}

// LEAQ (AX)(AX*2), DX: an index into headers, i times three. Such an address is no pointer's, so it
// is taken as it is made, where that is in the same straight run.
std::optional<Origin> find_sum(const FunctionCode& code, u32 insn, x86::Reg reg) {
  Origin sum;
  sum.kind = Kind::kAddress;
  for (u32 i = insn; i-- > code.blocks()[code.block_of(insn)].first;) {
    if (code.briefs()[i].flow == x86::Flow::kCall) return std::nullopt;
    const x86::Insn& made = code.insn(i);
    sum.written |= made.writes;
    if ((made.writes & x86::bit(reg)) == 0) continue;
    const x86::Mem& mem = made.operands[1].mem;
    const bool is_sum = made.op == x86::Op::kLea && mem.index != x86::kNoReg &&
                        mem.index == mem.base && !mem.rip_relative;
    sum.insn = i;
    sum.mem = mem;
    return is_sum ? std::optional<Origin>(sum) : std::nullopt;
  }
  return std::nullopt;
}

bool RouteFinder::add_values(const Place& place, const Look& look, Values& all) const {
  const FunctionCode* code = code_of(place.frame);
  if (code == nullptr || look.depth > kMaxDepth) return false;
  std::optional<i64> slot = find_spill(*code, place.insn, place.at.reg);
  if (!slot && asks_operand_) slot = find_kept_result(*code, place.insn, place.at, callees_);
  if (slot) {
    const std::optional<u64> word =
        read_word(access_.frames[place.frame].sp + static_cast<u64>(*slot));
    if (word) all.insert(*word);
    return word.has_value();
  }
  if (const std::optional<Origin> sum = find_sum(*code, place.insn, place.at.reg))
    return add_addresses(place.frame, *sum, look.deeper(*sum), all);
  program::SliceEnds ends;
  ends.any_slot = true;
  for (const Origin& origin : program::find_origins(*code, place.insn, place.at, callees_, ends)) {
    if (!add_values(place.frame, origin, look, all)) return false;
  }
  return !all.empty() && all.size() <= kMaxValues;
}

bool RouteFinder::add_values(usize frame, const Origin& origin, const Look& look,
                             Values& all) const {
  auto add_word = [&](TargetAddr at) {
    const std::optional<u64> word = read_word(at);
    if (word) all.insert(*word);
    return word.has_value();
  };
  if (origin.is_shifted) return false;
  switch (origin.kind) {
    case Kind::kSlot:
      return add_word(access_.frames[frame].sp + static_cast<u64>(origin.at.slot));
    case Kind::kLoad: {
      Values addresses;
      return add_addresses(frame, origin, look, addresses) &&
             std::ranges::all_of(addresses, [&](u64 at) { return add_word(TargetAddr(at)); });
    }
    case Kind::kAddress:
      return add_addresses(frame, origin, look, all);
    case Kind::kArgument: {
      if (std::optional<u64> kept =
              kept_register(frame, origin.at.reg, look.written | origin.written)) {
        all.insert(*kept);
        return true;
      }
      const std::optional<Place> handed = handed_by_caller(frame, origin.at);
      return handed && add_values(*handed, look.deeper(origin), all);
    }
    default:
      return false;
  }
}

std::optional<RouteFinder::Place> RouteFinder::operand() const {
  const sites::AppendSite& site = append_.site->site;
  const FunctionCode* code = access_.frames.empty() ? nullptr : code_of(0);
  const std::optional<u32> branch = code == nullptr ? std::nullopt : code->find_insn(site.branch);
  const std::optional<Location> at = program::location_of(site.old_ptr);
  if (!branch || !at) return std::nullopt;
  return Place{0, *branch, *at};
}

std::optional<std::vector<LoadedWord>> RouteFinder::operand_sources() {
  const std::optional<Place> operand = this->operand();
  knows_allocations_ = true;
  std::vector<LoadedWord> words;
  if (!operand || !add_words(*operand, {}, words)) return std::nullopt;
  return words;
}

std::optional<std::vector<LoadedWord>> RouteFinder::operand_words() {
  asks_operand_ = true;
  const std::optional<Place> operand = this->operand();
  if (!operand) return std::nullopt;
  std::vector<LoadedWord> words;
  if (add_words(*operand, {}, words)) return words;
  // A header in a variable of the frame whose address was taken.
  words.clear();
  followed_.clear();
  program::SliceEnds at_slots;
  at_slots.any_slot = true;
  if (add_words(*operand, at_slots, words)) return words;
  return std::nullopt;
}

// False when a way is not understood. An array that an earlier append of the same slice made is not
// the one that is asked about.
bool RouteFinder::add_words(const Place& place, const program::SliceEnds& ends,
                            std::vector<LoadedWord>& words) const {
  const FunctionCode* code = code_of(place.frame);
  if (code == nullptr || place.frame > kMaxFrames) return false;
  for (const Origin& origin : program::find_origins(*code, place.insn, place.at, callees_, ends)) {
    switch (origin.kind) {
      case Kind::kNumber:
        break;
      case Kind::kResult: {
        if (program::is_growslice_result(context_.binary, *code, origin) ||
            (knows_allocations_ && is_allocation(context_.binary, *code, origin)))
          break;
        const std::optional<Place> back = handed_back(place, origin);
        if (!back) return false;
        if (is_new(*back) && !add_words(*back, ends, words)) return false;
        break;
      }
      case Kind::kAddress:
        // What a small slice may grow into (Go 1.25), or an array of the frame's own.
        if (knows_allocations_ || origin.mem.base != x86::kRsp) return false;
        break;
      case Kind::kArgument: {
        const std::optional<Place> handed = handed_by_caller(place.frame, origin.at);
        if (!handed || !add_words(*handed, ends, words)) return false;
        break;
      }
      case Kind::kSlot:
        if (!ends.any_slot) return false;
        words.push_back({access_.frames[place.frame].sp + static_cast<u64>(origin.at.slot),
                         access_.frames[place.frame].function.index, true});
        break;
      case Kind::kLoad: {
        // Which way was taken is not asked: what it would have been on another one is no word of
        // anybody's, or another's.
        Values addresses;
        if (!add_addresses(place.frame, origin, {}, addresses)) return false;
        for (u64 address : addresses)
          words.push_back({TargetAddr(address), access_.frames[place.frame].function.index});
        break;
      }
      default:
        return false;
    }
  }
  return true;
}

// Of the result of a function that gives back the slice that it was handed: what that was.
std::optional<RouteFinder::Place> RouteFinder::handed_back(const Place& place,
                                                           const Origin& origin) const {
  if (!calls_) calls_ = program::call_use(context_.codes);
  const std::optional<x86::Reg> argument =
      origin.at == Location{x86::kRax, 0}
          ? program::passed_on_argument(calls_, code_of(place.frame)->briefs()[origin.insn].target)
          : std::nullopt;
  const Place back{place.frame, origin.insn, {argument.value_or(x86::kNoReg), 0}};
  return argument ? std::optional(back) : std::nullopt;
}

std::vector<LoadedWord> RouteFinder::handed_words() {
  std::vector<LoadedWord> words;
  if (const std::optional<Place> operand = this->operand()) add_handed(*operand, words);
  return words;
}

void RouteFinder::add_handed(const Place& place, std::vector<LoadedWord>& words) const {
  const FunctionCode* code = code_of(place.frame);
  if (code == nullptr || place.frame > kMaxFrames) return;
  auto add = [&](i64 slot) {
    words.push_back({access_.frames[place.frame].sp + static_cast<u64>(slot),
                     access_.frames[place.frame].function.index, true});
  };
  if (place.at.is_register()) {
    std::optional<i64> spill = find_spill(*code, place.insn, place.at.reg);
    if (!spill) spill = find_moved_spill(*code, place.insn, place.at.reg);
    if (spill) add(*spill);
  }
  program::SliceEnds at_slots;
  at_slots.any_slot = true;
  for (const Origin& o : program::find_origins(*code, place.insn, place.at, callees_, at_slots)) {
    if (o.kind == Kind::kSlot && !o.is_shifted) add(o.at.slot);
  }
  for (const Origin& o : program::find_origins(*code, place.insn, place.at, callees_)) {
    if (o.is_shifted) continue;
    std::optional<Place> before;
    if (o.kind == Kind::kArgument) before = handed_by_caller(place.frame, o.at);
    if (o.kind == Kind::kResult) before = handed_back(place, o);
    if (before && is_new(*before)) add_handed(*before, words);
  }
}

}  // namespace

// Asks of the append itself, with its registers and its stack.
template <typename Answer>
static Answer ask_operand(Context& context, const Append& append,
                          Answer (RouteFinder::*question)()) {
  const abi::Event& event = *append.event;
  process::WatchSample sample;
  std::copy(std::begin(event.regs), std::end(event.regs), sample.regs.begin());
  sample.stack.assign(event.stack, event.stack + event.stack_size);
  Access access;
  access.frames = append.frames;
  access.g = event.g;
  access.stack_hi = TargetAddr(event.stack_hi);
  access.sample = &sample;
  const View none;
  RouteFinder finder(context, append, none, access);
  return (finder.*question)();
}

std::optional<std::vector<LoadedWord>> find_operand_words(Context& context, const Append& append) {
  return ask_operand(context, append, &RouteFinder::operand_words);
}

std::optional<std::vector<LoadedWord>> find_operand_sources(Context& context,
                                                            const Append& append) {
  return ask_operand(context, append, &RouteFinder::operand_sources);
}

std::vector<LoadedWord> find_handed_words(Context& context, const Append& append) {
  return ask_operand(context, append, &RouteFinder::handed_words);
}

RouteAnswer find_route(Context& context, const Append& append, const View& victim,
                       const Access& access) {
  if (access.sample == nullptr) return {};
  return RouteFinder(context, append, victim, access).find();
}

}  // namespace geist::judge
