// The search for append sites: find calls, walk back to the branch, locate the arguments, verify
// the comparison.
#include "sites/append_sites.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/go_symbol.h"
#include "base/parallel.h"
#include "program/symbolic.h"
#include "sites/plain_sites.h"
#include "sites/removal_sites.h"

namespace geist::sites {
namespace {

using x86::Cond;
using x86::Flow;
using x86::Insn;
using x86::Op;
using x86::Operand;

constexpr u32 kMaxRegionBlocks = 16;
constexpr u32 kMaxPaths = 32;
constexpr u32 kMaxFlagSearchDepth = 6;
// Blocks visited on that search, and paths begun to the call. A block has at most two successors, so
// no more than 2^6 ways of six steps lead from it to the branch: the search is bounded by 64 times
// the blocks of the function, for each call in it. The compiler's code needs some dozen visits;
// code that was made to be searched for long has a million blocks, and as many calls.
constexpr u32 kMaxVisits = 2000;
constexpr u64 kMaxElemSize = 1u << 30;

bool is_unsigned_order(Cond c) {
  return c == Cond::kB || c == Cond::kAe || c == Cond::kBe || c == Cond::kA;
}
// Capacity 0, or constants: there is no in-place path.
bool never_fits(const program::Expr& new_len, const program::Expr& cap) {
  return cap == program::Expr{} ||
         (cap.is_constant() && new_len.is_constant() &&
          static_cast<u64>(new_len.constant) > static_cast<u64>(cap.constant));
}

bool is_equality(Cond c) {
  return c == Cond::kE || c == Cond::kNe;
}

// A branch that may be the one that decides, seen from the grow path.
struct Candidate {
  u32 block = 0;       // ends in the Jcc
  u32 grow_block = 0;  // its successor in the grow region
  Cond grow_cond = Cond::kA;
};

// slices.Delete (and that of golang.org/x/exp) goes on with clear(s[len(s):oldlen]) on the append's
// result, since go1.22: a copy that ends at its length would make it panic.
bool needs_capacity(std::string_view function) {
  return short_function(function).starts_with("slices.Delete[");
}

// A Builder panics when it is copied, gives its bytes away only as strings that end where it goes on,
// and appends to nothing else. Its memory comes uncleared (strings/builder.go grow,
// bytealg.MakeNoZero, go1.21 to go1.27), so each of its appends would look like one that overwrites.
bool is_never_shared(std::string_view function) {
  return function.starts_with("strings.(*Builder).");
}

// The growslice arguments in symbols of the branch.
struct Arguments {
  program::Expr old_ptr, new_len, cap, num, elem_type;
  bool operator==(const Arguments&) const = default;
};

class SiteFinder {
 public:
  SiteFinder(const read::GoBinary& binary, const program::FunctionCode& code, u32 call_insn)
      : binary_(binary),
        code_(code),
        call_insn_(call_insn),
        call_block_(code.block_of(call_insn)) {}

  AppendSite find();

 private:
  void collect_candidates();
  bool in_region(u32 block) const {
    return std::find(region_.begin(), region_.end(), block) != region_.end();
  }
  // Every simple path from `from` to the call inside the region; empty when there are too many.
  std::vector<std::vector<u32>> paths_to_call(u32 from) const;
  std::optional<SiteBucket> gather_arguments(const Candidate& candidate);
  void gather_live_pointers(program::SymbolicState& at_call);
  bool find_refined_cap(const Candidate& candidate);
  bool verify(const Candidate& candidate);
  bool verify_from(std::vector<u32> backwards, const Candidate& candidate, u32 depth);
  bool comparison_matches(const Insn& flags, const program::Expr& a, const program::Expr& b,
                          const program::Expr& new_len, const program::Expr& cap,
                          Cond grow_cond) const;
  SiteBucket locate(AppendSite& site);
  SiteBucket locate_type(AppendSite& site);
  std::optional<program::ValueLocation> locate_expr(const program::Expr& expr) const;
  void fill(AppendSite& site, const Candidate& candidate);

  const read::GoBinary& binary_;
  const program::FunctionCode& code_;
  u32 call_insn_;
  u32 call_block_;
  std::vector<u32> region_;
  std::vector<Candidate> candidates_;
  bool cut_short_ = false;  // a candidate had too many ways to the call
  u32 visits_ = 0;          // of blocks, in one search for the comparison
  program::SymbolTable table_;
  Arguments arguments_;
  std::vector<std::pair<i64, program::Expr>> live_;  // slot, value in symbols of the branch
  std::vector<std::pair<i64, program::Expr>>
      spills_;  // likewise, of all slots the grow path writes
};

// From the call backwards: blocks whose every way in comes from a branch. An unsigned branch is a
// candidate and ends the walk; a signed one (stack-buffer tests) joins the region, and is a
// candidate too if it tests for equality (cap == 0 is how the compiler writes cap < 1).
void SiteFinder::collect_candidates() {
  region_.push_back(call_block_);
  for (usize next = 0; next < region_.size() && region_.size() <= kMaxRegionBlocks; ++next) {
    u32 block = region_[next];
    for (u32 pred : code_.blocks()[block].preds) {
      if (in_region(pred)) continue;
      const x86::Brief& last = code_.last_brief(pred);
      if (last.flow == Flow::kJcc) {
        bool taken = last.target == code_.briefs()[code_.blocks()[block].first].addr;
        Cond cond = taken ? last.cond : x86::negate(last.cond);
        if (is_unsigned_order(cond) || is_equality(cond))
          candidates_.push_back({pred, block, cond});
        if (is_unsigned_order(cond)) continue;
      }
      if (last.flow == Flow::kJmpIndirect) continue;
      region_.push_back(pred);
    }
  }
}

std::vector<std::vector<u32>> SiteFinder::paths_to_call(u32 from) const {
  std::vector<std::vector<u32>> done;
  std::vector<std::vector<u32>> open{{from}};
  for (u32 visits = 0; !open.empty(); ++visits) {
    if (visits == kMaxVisits) return {};
    std::vector<u32> path = std::move(open.back());
    open.pop_back();
    if (path.back() == call_block_) {
      done.push_back(std::move(path));
      if (done.size() > kMaxPaths) return {};
      continue;
    }
    if (path.size() > kMaxRegionBlocks) continue;
    for (u32 succ : code_.blocks()[path.back()].succs) {
      if (!in_region(succ) || std::find(path.begin(), path.end(), succ) != path.end()) continue;
      std::vector<u32> longer = path;
      longer.push_back(succ);
      open.push_back(std::move(longer));
    }
  }
  return done;
}

// Runs every path from the branch to the call; all must hand growslice the same values.
std::optional<SiteBucket> SiteFinder::gather_arguments(const Candidate& candidate) {
  std::vector<std::vector<u32>> paths = paths_to_call(candidate.grow_block);
  if (paths.empty()) {
    cut_short_ = true;
    return SiteBucket::kNoBranchFound;
  }
  table_ = program::SymbolTable();
  bool first = true;
  for (const std::vector<u32>& path : paths) {
    program::SymbolicState state(table_);
    for (u32 block : path) {
      for (u32 i = code_.blocks()[block].first; i <= code_.blocks()[block].last && i != call_insn_;
           ++i) {
        if (code_.briefs()[i].flow == Flow::kCall) return SiteBucket::kNoBranchFound;
        state.execute(code_.insn(i));
      }
    }
    Arguments here{state.reg(x86::kRax), state.reg(x86::kRbx), state.reg(x86::kRcx),
                   state.reg(x86::kRdi), state.reg(x86::kRsi)};
    if (!first && !(here == arguments_)) return SiteBucket::kPathsDisagree;
    arguments_ = here;
    if (first) gather_live_pointers(state);
    first = false;
  }
  return std::nullopt;
}

void SiteFinder::gather_live_pointers(program::SymbolicState& at_call) {
  live_.clear();
  spills_.assign(at_call.written_slots().begin(), at_call.written_slots().end());
  const x86::Brief& call = code_.briefs()[call_insn_];
  const read::Function& function = code_.function();
  std::optional<read::PointerMap> map = binary_.pclntab().find_locals_map(function, call.end() - 1);
  std::optional<i32> delta = binary_.pclntab().find_sp_delta(function, call.addr);
  if (!map || !delta) return;
  // Locals end at the saved BP, 8 bytes below the return address (StackFrame in heap/unwind.h has
  // the drawing).
  i64 varp = i64{*delta} - 8;
  for (usize i = 0; i < map->live.size(); ++i) {
    if (!map->live[i]) continue;
    i64 slot = varp - 8 * static_cast<i64>(map->live.size() - i);
    live_.emplace_back(slot, at_call.slot(slot));
  }
}

// grow ⇔ newLen > cap (unsigned), in each way the compiler writes it, with a constant on either
// side.
bool SiteFinder::comparison_matches(const Insn& flags, const program::Expr& a,
                                    const program::Expr& b, const program::Expr& new_len,
                                    const program::Expr& cap, Cond grow_cond) const {
  if (flags.op == Op::kTest) {
    bool same = flags.operands[0].kind == Operand::Kind::kReg &&
                flags.operands[1].is_reg(flags.operands[0].reg);
    return same && grow_cond == Cond::kE && a == cap && new_len == program::Expr{1, {}};
  }
  const program::Expr one{1, {}};
  switch (grow_cond) {
    case Cond::kB:
      return (a == cap && b == new_len);
    case Cond::kA:
      return (a == new_len && b == cap);
    case Cond::kBe:
      return new_len.is_constant() && a == cap && add(b, one) == new_len && b.is_constant();
    case Cond::kAe:
      return cap.is_constant() && a == new_len && add(cap, one) == b && b.is_constant();
    case Cond::kE:
      return a == cap && b == program::Expr{} && new_len == one;
    default:
      return false;
  }
}

// `backwards` lists the blocks from the one that ends in the branch towards the one searched now.
// Finds the last instruction that sets flags in it, or goes on to all predecessors; every producer
// must verify.
bool SiteFinder::verify_from(std::vector<u32> backwards, const Candidate& candidate, u32 depth) {
  if (++visits_ > kMaxVisits) return false;
  const program::Block& block = code_.blocks()[backwards.back()];
  bool has_branch = code_.last_brief(backwards.back()).flow == Flow::kJcc;
  u32 end = block.last + (has_branch ? 0u : 1u);
  for (u32 i = end; i-- > block.first;) {
    const x86::Brief& brief = code_.briefs()[i];
    if (brief.flow == Flow::kCall) return false;
    if ((brief.writes & x86::kFlagsBit) == 0) continue;
    const Insn& insn = code_.insn(i);
    if (insn.op != Op::kCmp && insn.op != Op::kTest) return false;
    if (insn.operands[0].size_bits != 64) return false;
    program::SymbolTable table;
    program::SymbolicState state(table);
    for (u32 k = block.first; k < i; ++k) state.execute(code_.insn(k));
    program::Expr a = state.value_of(insn.operands[0]);
    program::Expr b = state.value_of(insn.operands[1]);
    for (u32 k = i; k <= block.last; ++k) state.execute(code_.insn(k));
    for (usize n = backwards.size() - 1; n-- > 0;) {
      const program::Block& later = code_.blocks()[backwards[n]];
      for (u32 k = later.first; k <= later.last; ++k) state.execute(code_.insn(k));
    }
    program::Expr new_len = state.substitute(arguments_.new_len, table_);
    program::Expr cap = state.substitute(arguments_.cap, table_);
    return comparison_matches(insn, a, b, new_len, cap, candidate.grow_cond);
  }
  if (depth == 0 || block.preds.empty() || block.first == 0) return false;
  for (u32 pred : block.preds) {
    if (std::find(backwards.begin(), backwards.end(), pred) != backwards.end()) return false;
    std::vector<u32> longer = backwards;
    longer.push_back(pred);
    if (!verify_from(std::move(longer), candidate, depth - 1)) return false;
  }
  return true;
}

// In the grow path the compiler may know the capacity: after s[:1] and cap < 2 it is 1, and
// growslice is handed that constant. The capacity itself is then the other side of the comparison.
// Believed only when the branch belongs to the same source line as the call and compares with the
// very constant newLen: `if x == 0 { append(nil, y) }` looks alike.
bool SiteFinder::find_refined_cap(const Candidate& candidate) {
  if (!arguments_.new_len.is_constant() || !arguments_.old_ptr.is_offset() ||
      table_.get(arguments_.old_ptr.terms[0].symbol).kind == program::Symbol::Kind::kImageBase) {
    return false;
  }
  const x86::Brief& branch = code_.last_brief(candidate.block);
  u32 at = *code_.find_insn(branch.addr);
  u32 first = code_.blocks()[candidate.block].first;
  x86::RegMask changed = 0;
  while (at > first && (code_.briefs()[at - 1].writes & x86::kFlagsBit) == 0)
    changed |= code_.briefs()[--at].writes;
  if (at == first) return false;
  const Insn& flags = code_.insn(at - 1);
  const Operand& cap = flags.operands[0];
  x86::RegMask used = x86::bit(cap.reg) | x86::bit(cap.mem.base) | x86::bit(cap.mem.index);
  if ((changed & used) != 0 || cap.size_bits != 64) return false;
  const program::Expr one{1, {}};
  bool tests_zero = arguments_.new_len == one && candidate.grow_cond == Cond::kE &&
                    ((flags.op == Op::kTest && flags.operands[1].is_reg(cap.reg)) ||
                     (flags.op == Op::kCmp && flags.operands[1].kind == Operand::Kind::kImm &&
                      flags.operands[1].imm == 0));
  bool below_new_len = candidate.grow_cond == Cond::kB && flags.op == Op::kCmp &&
                       flags.operands[1].kind == Operand::Kind::kImm &&
                       flags.operands[1].imm == arguments_.new_len.constant;
  if (!tests_zero && !below_new_len) return false;
  read::SourceFrame at_branch = binary_.pclntab().source_frames(code_.function(), branch.addr)[0];
  read::SourceFrame at_call =
      binary_.pclntab().source_frames(code_.function(), code_.briefs()[call_insn_].addr)[0];
  if (at_branch.line != at_call.line || at_branch.file != at_call.file) return false;
  program::SymbolicState at_the_branch(table_);
  arguments_.cap = at_the_branch.value_of(cap);
  return true;
}

bool SiteFinder::verify(const Candidate& candidate) {
  visits_ = 0;
  return verify_from({candidate.block}, candidate, kMaxFlagSearchDepth);
}

std::optional<program::ValueLocation> SiteFinder::locate_expr(const program::Expr& expr) const {
  program::ValueLocation location;
  location.addend = expr.constant;
  if (expr.is_constant()) return location;
  if (!expr.is_offset()) return std::nullopt;
  const program::Symbol& symbol = table_.get(expr.terms[0].symbol);
  switch (symbol.kind) {
    case program::Symbol::Kind::kReg:
      location.kind = program::ValueLocation::Kind::kRegister;
      location.reg = symbol.reg;
      return location;
    case program::Symbol::Kind::kSlot:
      location.kind = program::ValueLocation::Kind::kStackSlot;
      location.disp = symbol.slot;
      return location;
    case program::Symbol::Kind::kImageBase:
      location.kind = program::ValueLocation::Kind::kImageAddress;
      location.disp = expr.constant;
      location.addend = 0;
      return location;
    case program::Symbol::Kind::kLoad:
      break;
    case program::Symbol::Kind::kOpaque:
      return std::nullopt;
  }
  if (symbol.epoch != 0) return std::nullopt;
  std::optional<program::ValueLocation> base = locate_expr(symbol.address);
  if (!base) return std::nullopt;
  location.disp = base->addend;
  switch (base->kind) {
    case program::ValueLocation::Kind::kRegister:
      location.kind = program::ValueLocation::Kind::kMemory;
      location.reg = base->reg;
      return location;
    case program::ValueLocation::Kind::kStackSlot:
      location.kind = program::ValueLocation::Kind::kMemoryViaSlot;
      location.slot = base->disp;
      return location;
    case program::ValueLocation::Kind::kImageAddress:
      location.kind = program::ValueLocation::Kind::kGlobal;
      location.disp = base->disp;
      return location;
    default:
      return std::nullopt;
  }
}

SiteBucket SiteFinder::locate_type(AppendSite& site) {
  std::optional<program::ValueLocation> type = locate_expr(arguments_.elem_type);
  if (!type || type->kind == program::ValueLocation::Kind::kConstant)
    return SiteBucket::kElementTypeUnknown;
  site.elem_type = *type;
  if (type->kind != program::ValueLocation::Kind::kImageAddress)
    return SiteBucket::kProbed;  // from a dictionary, at run time
  site.type_addr = ImageAddr(static_cast<u64>(type->disp));
  std::optional<u64> size =
      binary_.image().find_word(site.type_addr);  // abi.Type.Size_ is the first word
  if (!size || !binary_.types().contains(site.type_addr) || *size > kMaxElemSize) {
    return SiteBucket::kElementTypeUnknown;
  }
  if (*size == 0) return SiteBucket::kZeroSizeElement;
  site.elem_size = *size;
  return SiteBucket::kProbed;
}

SiteBucket SiteFinder::locate(AppendSite& site) {
  struct Wanted {
    const program::Expr* expr;
    program::ValueLocation* location;
  };
  const std::array<Wanted, 4> wanted{{{&arguments_.old_ptr, &site.old_ptr},
                                      {&arguments_.new_len, &site.new_len},
                                      {&arguments_.cap, &site.cap},
                                      {&arguments_.num, &site.num}}};
  for (const Wanted& w : wanted) {
    std::optional<program::ValueLocation> location = locate_expr(*w.expr);
    if (!location) return SiteBucket::kArgumentNotLocated;
    *w.location = *location;
  }
  return locate_type(site);
}

void SiteFinder::fill(AppendSite& site, const Candidate& candidate) {
  const x86::Brief& branch = code_.last_brief(candidate.block);
  site.branch = branch.addr;
  site.grow_cond = candidate.grow_cond;
  site.grow_entry = code_.briefs()[code_.blocks()[candidate.grow_block].first].addr;
  site.inplace_is_taken = branch.target != site.grow_entry;
  site.inplace_entry = site.inplace_is_taken ? branch.target : branch.end();
  std::optional<u32> inplace = code_.find_block(site.inplace_entry);
  site.live_grow = code_.live_in(candidate.grow_block);
  if ((site.live_grow & x86::kFlagsBit) != 0) site.heal_refusal = HealRefusal::kFlagsLive;
  const std::string_view function =
      binary_.pclntab().source_frames(code_.function(), site.call).front().function;
  if (needs_capacity(function)) site.heal_refusal = HealRefusal::kNeedsCapacity;
  if (site.bucket == SiteBucket::kProbed && is_never_shared(function))
    site.bucket = SiteBucket::kNeverShared;
  site.live_inplace = inplace ? code_.live_in(*inplace) : x86::kAllGprs | x86::kFlagsBit;
  for (const auto& [slot, value] : live_) {
    if (std::optional<program::ValueLocation> location = locate_expr(value))
      site.live_pointers.push_back({slot, *location});
  }
  for (const auto& [slot, value] : spills_) {
    if (std::optional<program::ValueLocation> location = locate_expr(value))
      site.spills.push_back({slot, *location});
  }
}

AppendSite SiteFinder::find() {
  AppendSite site;
  site.function = code_.function().index;
  site.call = code_.briefs()[call_insn_].addr;
  collect_candidates();
  SiteBucket why = SiteBucket::kNoBranchFound;
  for (const Candidate& candidate : candidates_) {
    std::optional<SiteBucket> failed = gather_arguments(candidate);
    if (failed) {
      why = *failed;
      continue;
    }
    bool surely_grows = never_fits(arguments_.new_len, arguments_.cap);
    if (surely_grows && !find_refined_cap(candidate)) {
      why = SiteBucket::kAlwaysGrows;
      continue;
    }
    if (!surely_grows && !verify(candidate)) {
      why = SiteBucket::kOperandsDoNotMatch;
      continue;
    }
    site.bucket = locate(site);
    fill(site, candidate);
    return site;
  }
  if (why == SiteBucket::kNoBranchFound || why == SiteBucket::kOperandsDoNotMatch) {
    // Only the call's own block: with capacity 0 there is nothing to decide, nor with another
    // constant that is too small, as of append([]T{x}, y), when no branch leads straight to the
    // call. (Behind one it may be the branch's doing.)
    program::SymbolTable table;
    program::SymbolicState state(table);
    for (u32 i = code_.blocks()[call_block_].first; i < call_insn_; ++i)
      state.execute(code_.insn(i));
    const program::Expr& cap = state.reg(x86::kRcx);
    bool no_branch =
        why == SiteBucket::kNoBranchFound && !cut_short_ && region_.size() <= kMaxRegionBlocks;
    if (cap == program::Expr{} || (no_branch && never_fits(state.reg(x86::kRbx), cap)))
      why = SiteBucket::kAlwaysGrows;
  }
  site.bucket = why;
  return site;
}

struct CallSite {
  ImageAddr addr;
  read::FuncIndex function;
};

// reflect.growslice is runtime.reflect_growslice under its linkname: it grows without having asked.
bool is_runtime_function(std::string_view name) {
  return name == "reflect.growslice" || name.starts_with("runtime.") ||
         name.starts_with("internal/runtime/") || name.starts_with("runtime/internal/");
}

// growslice is never inlined and every variant has this prefix; reflect_growslice is a different
// function.
std::vector<u64> growslice_entries(const read::GoBinary& binary) {
  std::vector<u64> entries;
  for (const char* name : {"runtime.growslice", "runtime.growsliceNoAlias", "runtime.growsliceBuf",
                           "runtime.growsliceBufNoAlias"}) {
    if (std::optional<read::Function> f = binary.pclntab().find_function_named(name))
      entries.push_back(f->entry.value);
  }
  return entries;
}

// CALL rel32 (E8) with a growslice target, found by scanning bytes: decoding the whole text would
// take seconds. A hit inside another instruction is weeded out when its function is decoded.
std::vector<CallSite> scan_calls(const read::GoBinary& binary) {
  std::vector<CallSite> calls;
  const read::ModuleData& module = binary.module();
  std::optional<ByteView> text = binary.image().find_bytes(module.text, module.etext - module.text);
  std::vector<u64> targets = growslice_entries(binary);
  if (!text || targets.empty()) return calls;
  const u8* begin = text->data();
  const u8* end = begin + text->size();
  for (const u8* p = begin; p + 5 <= end; ++p) {
    p = static_cast<const u8*>(std::memchr(p, 0xe8, static_cast<usize>(end - p)));
    if (p == nullptr || p + 5 > end) break;
    i32 displacement;
    std::memcpy(&displacement, p + 1, 4);
    ImageAddr addr = module.text + static_cast<u64>(p - begin);
    u64 target = addr.value + 5 + static_cast<u64>(static_cast<i64>(displacement));
    if (std::find(targets.begin(), targets.end(), target) == targets.end()) continue;
    std::optional<read::Function> function = binary.pclntab().find_function(addr);
    if (!function || is_runtime_function(function->name)) continue;
    calls.push_back({addr, function->index});
  }
  return calls;
}

// The bytes that give way to a jump; two jumps cannot share any.
SiteBucket make_room(const program::FunctionCode& code, std::vector<program::Displaced>& taken,
                     AppendSite& site) {
  program::Refusal why{};
  std::optional<program::Displaced> room =
      program::displace_around(code, *code.find_insn(site.branch), &why);
  if (!room)
    return why == program::Refusal::kMayFault ? SiteBucket::kMayFault : SiteBucket::kNoRoomForPatch;
  for (const program::Displaced& other : taken) {
    if (room->begin < other.end && other.begin < room->end) return SiteBucket::kNoRoomForPatch;
  }
  taken.push_back(*room);
  site.displaced = *room;
  return SiteBucket::kProbed;
}

// All sites of the calls [first, last), which lie in one function.
void find_in_function(const read::GoBinary& binary, const std::vector<CallSite>& calls, usize first,
                      usize last, std::vector<AppendSite>& out) {
  read::Function function = binary.pclntab().function(calls[first].function);
  std::optional<program::FunctionCode> code = program::FunctionCode::decode(binary, function);
  std::vector<program::Displaced> taken;
  const usize first_out = out.size();
  for (usize i = first; i < last; ++i) {
    std::optional<u32> insn = code ? code->find_insn(calls[i].addr) : std::nullopt;
    if (code && (!insn || code->briefs()[*insn].flow != Flow::kCall))
      continue;  // E8 inside another instruction
    AppendSite site;
    if (code) {
      site = SiteFinder(binary, *code, *insn).find();
    } else {
      site.bucket = SiteBucket::kFunctionNotDecoded;
      site.function = function.index;
      site.call = calls[i].addr;
    }
    if (site.bucket == SiteBucket::kProbed) {
      auto known = std::find_if(out.begin() + static_cast<i64>(first_out), out.end(),
                                [&](const AppendSite& s) {
                                  return s.bucket == SiteBucket::kProbed && s.branch == site.branch;
                                });
      if (known != out.end()) {
        site.bucket = SiteBucket::kBranchShared;
        known->heal_refusal = HealRefusal::kBranchShared;
      }
    }
    if (site.bucket == SiteBucket::kProbed) site.bucket = make_room(*code, taken, site);
    out.push_back(std::move(site));
  }
}

}  // namespace

SiteBucket bucket_of(const AppendSite& site, const Refused& refused) {
  auto found = refused.find(site.call);
  return found == refused.end() ? site.bucket : found->second;
}

u64 SiteTable::count(SiteBucket bucket) const {
  return static_cast<u64>(std::count_if(
      sites.begin(), sites.end(), [bucket](const AppendSite& s) { return s.bucket == bucket; }));
}

SiteTable find_append_sites(const read::GoBinary& binary, unsigned threads) {
  std::vector<CallSite> calls = scan_calls(binary);
  std::vector<std::pair<usize, usize>> groups;  // calls of one function
  for (usize i = 0; i < calls.size();) {
    usize j = i + 1;
    while (j < calls.size() && calls[j].function == calls[i].function) ++j;
    groups.emplace_back(i, j);
    i = j;
  }
  std::vector<std::vector<AppendSite>> found(groups.size());
  constexpr usize kBatch = 16;
  for_each_part((groups.size() + kBatch - 1) / kBatch, threads, [&](usize batch) {
    const usize end = std::min((batch + 1) * kBatch, groups.size());
    for (usize g = batch * kBatch; g < end; ++g)
      find_in_function(binary, calls, groups[g].first, groups[g].second, found[g]);
  });
  SiteTable table;
  usize count = 0;
  for (const std::vector<AppendSite>& part : found) count += part.size();
  table.sites.reserve(count);
  for (std::vector<AppendSite>& part : found) {
    for (AppendSite& site : part) table.sites.push_back(std::move(site));
  }
  table.plain = find_plain_sites(binary, table.sites, threads);
  std::vector<AppendSite> others = table.sites;
  others.insert(others.end(), table.plain.begin(), table.plain.end());
  for (AppendSite& site : find_removal_sites(binary, others)) table.plain.push_back(std::move(site));
  std::ranges::sort(table.plain, {}, &AppendSite::call);
  return table;
}

}  // namespace geist::sites
