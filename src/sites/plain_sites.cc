// See plain_sites.h. Where P is, is a forward analysis over the control-flow graph: what holds it on
// every way from the call. A location that holds P on one way only holds it nowhere.
#include "sites/plain_sites.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "base/go_symbol.h"
#include "base/parallel.h"
#include "program/calls_to.h"
#include "program/code_walk.h"
#include "program/slot_writes.h"

namespace geist::sites {
namespace {

using program::FunctionCode;
using x86::Flow;
using x86::Insn;
using x86::Op;
using x86::Operand;

constexpr u16 kWordBits = 64;
constexpr u64 kMaxElemSize = 1u << 16;
constexpr u64 kMaxArrayBytes = 1u << 20;

// The array that one call of makeslice makes.
struct Made {
  u32 call = 0;  // instruction
  ImageAddr type_addr;
  u64 elem_size = 0, len = 0, cap = 0;
};

// The locations that hold P.
struct Holders {
  bool is_any = true;  // not reached yet: what holds for all ways so far is everything
  x86::RegMask regs = 0;
  std::vector<i64> slots;  // ascending

  bool has_slot(i64 slot) const { return std::binary_search(slots.begin(), slots.end(), slot); }
  void set_slot(i64 slot, bool holds) {
    auto at = std::lower_bound(slots.begin(), slots.end(), slot);
    const bool is_there = at != slots.end() && *at == slot;
    if (holds && !is_there) slots.insert(at, slot);
    if (!holds && is_there) slots.erase(at);
  }
  void set_reg(x86::Reg reg, bool holds) {
    regs = holds ? regs | x86::bit(reg) : regs & ~x86::bit(reg);
  }
  // True when that left fewer.
  bool meet(const Holders& other) {
    if (other.is_any) return false;
    if (is_any) {
      *this = other;
      return true;
    }
    Holders both = *this;
    both.regs &= other.regs;
    std::erase_if(both.slots, [&](i64 slot) { return !other.has_slot(slot); });
    const bool is_less = both.regs != regs || both.slots.size() != slots.size();
    *this = std::move(both);
    return is_less;
  }
};

bool is_slot(const Operand& operand) {
  return operand.kind == Operand::Kind::kMem && operand.mem.base == x86::kRsp &&
         operand.mem.index == x86::kNoReg && !operand.mem.segment && operand.size_bits == kWordBits;
}

// A store of a part of an append.
struct Store {
  u32 insn = 0;
  u64 begin = 0, end = 0;  // bytes from P
  x86::Reg base = x86::kNoReg;
  x86::RegMask holders = 0;  // the registers that hold P there
};

class PlainFinder {
 public:
  PlainFinder(const read::GoBinary& binary, const FunctionCode& code, ImageAddr makeslice)
      : binary_(binary),
        code_(code),
        makeslice_(makeslice),
        callees_(program::callees_of(binary)) {}

  void find(std::vector<AppendSite>& out, std::vector<program::Displaced>& taken) {
    for (const Block& block : code_.blocks())
      if (block.unknown_succs) return;
    for (u32 i = 0; i < code_.briefs().size(); ++i) {
      if (code_.briefs()[i].flow != Flow::kCall || code_.briefs()[i].target != makeslice_) continue;
      if (const std::optional<Made> made = read_call(i)) find_of(*made, out, taken);
    }
  }

 private:
  using Block = program::Block;

  std::optional<Made> read_call(u32 call) const;
  std::optional<u64> constant_before(u32 call, x86::Reg reg) const;
  std::optional<ImageAddr> address_before(u32 call, x86::Reg reg) const;
  const Insn* last_write(u32 call, x86::Reg reg) const;
  void follow(const Made& made);
  void step(const Made& made, u32 insn, Holders& holders) const;
  void find_of(const Made& made, std::vector<AppendSite>& out,
               std::vector<program::Displaced>& taken);
  std::vector<u32> order_from(u32 start) const;
  std::vector<Store> find_stores(const Made& made) const;
  std::optional<AppendSite> make_site(const Made& made, std::span<const Store> stores,
                                      const std::vector<program::Displaced>& taken) const;
  std::optional<program::Displaced> find_room(const Store& store) const;
  bool can_move(u32 insn, const Store& store) const;

  const read::GoBinary& binary_;
  const FunctionCode& code_;
  ImageAddr makeslice_;
  program::Callees callees_;
  std::vector<Holders> at_start_;  // by block
};

// The instruction of the call's own block that gives the register its value.
const Insn* PlainFinder::last_write(u32 call, x86::Reg reg) const {
  for (u32 i = call; i-- > code_.blocks()[code_.block_of(call)].first;) {
    const x86::Brief& brief = code_.briefs()[i];
    if (brief.flow == Flow::kCall) return nullptr;
    if ((brief.writes & x86::bit(reg)) != 0) return &code_.insn(i);
  }
  return nullptr;
}

std::optional<u64> PlainFinder::constant_before(u32 call, x86::Reg reg) const {
  const Insn* insn = last_write(call, reg);
  if (insn == nullptr || !insn->operands[0].is_reg(reg)) return std::nullopt;
  if (insn->op == Op::kXor && insn->operands[1].is_reg(reg)) return 0;
  if (insn->op != Op::kMov) return std::nullopt;
  if (insn->operands[1].kind == Operand::Kind::kImm) return static_cast<u64>(insn->operands[1].imm);
  if (insn->operands[1].kind != Operand::Kind::kReg) return std::nullopt;
  const std::optional<u32> at = code_.find_insn(insn->addr);
  return at ? constant_before(*at, insn->operands[1].reg) : std::nullopt;
}

std::optional<ImageAddr> PlainFinder::address_before(u32 call, x86::Reg reg) const {
  const Insn* insn = last_write(call, reg);
  const bool is_address =
      insn != nullptr && insn->op == Op::kLea && insn->operands[1].mem.rip_relative;
  if (!is_address) return std::nullopt;
  return ImageAddr(static_cast<u64>(insn->operands[1].mem.disp));
}

std::optional<Made> PlainFinder::read_call(u32 call) const {
  Made made;
  made.call = call;
  const std::optional<u64> len = constant_before(call, x86::kRbx);
  const std::optional<u64> cap = constant_before(call, x86::kRcx);
  const std::optional<ImageAddr> type = address_before(call, x86::kRax);
  if (!len || !cap || !type || *len >= *cap || !binary_.types().contains(*type))
    return std::nullopt;
  made.elem_size = binary_.image().find_word(*type).value_or(0);  // abi.Type.Size_
  if (made.elem_size == 0 || made.elem_size > kMaxElemSize || *cap > kMaxArrayBytes)
    return std::nullopt;
  made.type_addr = *type;
  made.len = *len;
  made.cap = *cap;
  return made;
}

void PlainFinder::step(const Made& made, u32 insn, Holders& holders) const {
  const x86::Brief& brief = code_.briefs()[insn];
  if (insn == made.call) {
    holders = Holders{false, x86::bit(x86::kRax), {}};
    return;
  }
  if (holders.is_any) return;
  if (brief.flow == Flow::kCall) {
    const bool is_helper = callees_(brief.target) == program::Callee::kKeepsRegisters;
    holders.regs = is_helper ? holders.regs & ~x86::bit(x86::kR11) : 0;
    return;
  }
  const bool names_frame = (brief.reads & x86::bit(x86::kRsp)) != 0;
  if (holders.regs == 0 && holders.slots.empty()) return;
  if ((brief.writes & x86::kAllGprs) == 0 && !names_frame) return;
  const Insn& i = code_.insn(insn);
  const bool moves = i.op == Op::kMov && i.operands[1].size_bits == kWordBits;
  const Operand& from = i.operands[1];
  const bool is_p =
      moves && ((from.kind == Operand::Kind::kReg && (holders.regs & x86::bit(from.reg)) != 0) ||
                (is_slot(from) && holders.has_slot(from.mem.disp)));
  if (names_frame && i.writes_memory) {
    std::erase_if(holders.slots, [&](i64 slot) { return program::writes_slot(i, slot); });
    if (is_p && is_slot(i.operands[0])) holders.set_slot(i.operands[0].mem.disp, true);
  }
  holders.regs &= ~brief.writes;
  if (is_p && i.operands[0].kind == Operand::Kind::kReg) holders.set_reg(i.operands[0].reg, true);
}

void PlainFinder::follow(const Made& made) {
  at_start_.assign(code_.blocks().size(), Holders{});
  // Where control can come without the call, nothing holds P.
  at_start_[0] = Holders{false, 0, {}};
  std::vector<u32> open{0};
  while (!open.empty()) {
    const u32 block = open.back();
    open.pop_back();
    Holders holders = at_start_[block];
    for (u32 i = code_.blocks()[block].first; i <= code_.blocks()[block].last; ++i)
      step(made, i, holders);
    if (code_.starts_anew(block)) continue;
    for (u32 next : code_.blocks()[block].succs) {
      if (at_start_[next].meet(holders)) open.push_back(next);
    }
  }
}

// Blocks in the order in which control comes to them first, loops left aside.
std::vector<u32> PlainFinder::order_from(u32 start) const {
  std::vector<u32> order;
  std::vector<bool> is_seen(code_.blocks().size());
  std::vector<std::pair<u32, usize>> open{{start, 0}};
  is_seen[start] = true;
  while (!open.empty()) {
    auto& [block, next] = open.back();
    const std::span<const u32> succs = code_.blocks()[block].succs;
    if (next == succs.size() || code_.starts_anew(block)) {
      order.push_back(block);
      open.pop_back();
      continue;
    }
    const u32 succ = succs[next++];
    if (is_seen[succ]) continue;
    is_seen[succ] = true;
    open.emplace_back(succ, 0);
  }
  std::reverse(order.begin(), order.end());
  return order;
}

// In the order in which they are executed first.
std::vector<Store> PlainFinder::find_stores(const Made& made) const {
  std::vector<Store> stores;
  for (u32 block : order_from(code_.block_of(made.call))) {
    Holders holders = at_start_[block];
    if (holders.is_any) continue;
    for (u32 i = code_.blocks()[block].first; i <= code_.blocks()[block].last; ++i) {
      const Insn* insn =
          holders.regs != 0 && code_.briefs()[i].flow == Flow::kNext ? &code_.insn(i) : nullptr;
      const Operand* to = insn != nullptr ? &insn->operands[0] : nullptr;
      const bool is_store = to != nullptr && insn->writes_memory && !insn->rep &&
                            to->kind == Operand::Kind::kMem && !to->mem.segment &&
                            to->mem.index == x86::kNoReg && to->mem.base != x86::kNoReg &&
                            (holders.regs & x86::bit(to->mem.base)) != 0 && to->mem.disp >= 0;
      if (is_store) {
        const u64 begin = static_cast<u64>(to->mem.disp), end = begin + to->size_bits / 8;
        if (begin >= made.len * made.elem_size && end <= made.cap * made.elem_size && begin < end)
          stores.push_back({i, begin, end, to->mem.base, holders.regs});
      }
      step(made, i, holders);
    }
  }
  return stores;
}

// P is never nil.
bool PlainFinder::can_move(u32 insn, const Store& store) const {
  const x86::Brief& brief = code_.briefs()[insn];
  if (brief.flow != Flow::kNext) return false;
  const Insn& i = code_.insn(insn);
  if (i.op == Op::kPush || i.op == Op::kPop) return false;
  for (const Operand& operand : i.operands) {
    if (operand.kind == Operand::Kind::kMem && operand.mem.base == store.base &&
        operand.mem.index == x86::kNoReg && insn >= store.insn &&
        (brief.writes & x86::bit(store.base)) == 0)
      return true;
  }
  return !program::may_fault(code_, insn);
}

// Whole instructions around the store, of its own block.
std::optional<program::Displaced> PlainFinder::find_room(const Store& store) const {
  const Block& block = code_.blocks()[code_.block_of(store.insn)];
  u32 first = store.insn, last = store.insn;
  auto has_room = [&] {
    return code_.briefs()[last].end() - code_.briefs()[first].addr >= program::kJmpBytes;
  };
  if (!can_move(store.insn, store)) return std::nullopt;
  while (!has_room() && last < block.last && can_move(last + 1, store)) ++last;
  while (!has_room() && first > block.first && can_move(first - 1, store)) --first;
  if (!has_room()) return std::nullopt;
  return program::Displaced{code_.briefs()[first].addr, code_.briefs()[last].end()};
}

std::optional<AppendSite> PlainFinder::make_site(
    const Made& made, std::span<const Store> stores,
    const std::vector<program::Displaced>& taken) const {
  const Store& first = stores.front();
  u64 begin = ~u64{0}, end = 0;
  for (const Store& store : stores) {
    begin = std::min(begin, store.begin / made.elem_size);
    end = std::max(end, (store.end + made.elem_size - 1) / made.elem_size);
  }
  const std::optional<program::Displaced> room = find_room(first);
  if (!room) return std::nullopt;
  for (const program::Displaced& other : taken) {
    if (room->begin < other.end && other.begin < room->end) return std::nullopt;
  }
  AppendSite site;
  site.is_plain = true;
  site.function = code_.function().index;
  site.call = site.branch = site.grow_entry = site.inplace_entry = code_.briefs()[first.insn].addr;
  site.displaced = *room;
  site.old_ptr.kind = program::ValueLocation::Kind::kRegister;
  site.old_ptr.reg = first.base;
  site.new_len.addend = static_cast<i64>(end);
  site.num.addend = static_cast<i64>(end - begin);
  site.cap.addend = static_cast<i64>(made.cap);
  site.elem_type.kind = program::ValueLocation::Kind::kImageAddress;
  site.elem_type.disp = static_cast<i64>(made.type_addr.value);
  site.elem_size = made.elem_size;
  site.type_addr = made.type_addr;
  site.live_inplace = code_.live_before(first.insn);
  site.heal_refusal = HealRefusal::kNoGrowPath;
  return site;
}

// Stores of one line, each element beside the one before: an append. What is stored twice is
// another one.
void PlainFinder::find_of(const Made& made, std::vector<AppendSite>& out,
                          std::vector<program::Displaced>& taken) {
  follow(made);
  const std::vector<Store> stores = find_stores(made);
  const read::Pclntab& functions = binary_.pclntab();
  auto line_of = [&](const Store& store) {
    const read::SourceFrame at =
        functions.source_frames(code_.function(), code_.briefs()[store.insn].addr)[0];
    return std::pair(at.file, at.line);
  };
  for (usize i = 0; i < stores.size();) {
    usize end = i + 1;
    u64 last = (stores[i].end - 1) / made.elem_size;
    auto goes_on = [&](const Store& next) {
      const u64 element = next.begin / made.elem_size;
      const bool is_beside = element == last || element == last + 1;
      const bool is_new =
          std::none_of(stores.begin() + static_cast<i64>(i), stores.begin() + static_cast<i64>(end),
                       [&](const Store& s) { return next.begin < s.end && s.begin < next.end; });
      return is_beside && is_new && line_of(next) == line_of(stores[i]);
    };
    for (; end < stores.size() && goes_on(stores[end]); ++end)
      last = std::max(last, (stores[end].end - 1) / made.elem_size);
    if (std::optional<AppendSite> site =
            make_site(made, std::span(stores).subspan(i, end - i), taken)) {
      taken.push_back(site->displaced);
      out.push_back(std::move(*site));
    }
    i = end;
  }
}

}  // namespace

std::vector<AppendSite> find_plain_sites(const read::GoBinary& binary,
                                         const std::vector<AppendSite>& others, unsigned threads) {
  const std::optional<read::Function> makeslice =
      binary.pclntab().find_function_named("runtime.makeslice");
  if (!makeslice) return {};
  const std::array<ImageAddr, 1> entries{makeslice->entry};
  std::vector<read::Function> functions;
  for (const program::CallPlace& call : program::find_calls_to(binary, entries)) {
    const std::optional<read::Function> function = binary.pclntab().find_function(call.at);
    if (!function || is_standard_library(function->name)) continue;
    if (functions.empty() || functions.back().index != function->index)
      functions.push_back(*function);
  }
  std::map<u32, std::vector<program::Displaced>> taken;
  for (const AppendSite& site : others) {
    if (site.bucket == SiteBucket::kProbed) taken[site.function.value].push_back(site.displaced);
  }
  std::vector<std::vector<AppendSite>> found(functions.size());
  for_each_part(functions.size(), threads, [&](usize i) {
    const std::optional<FunctionCode> code = FunctionCode::decode(binary, functions[i]);
    if (!code) return;
    const auto own = taken.find(functions[i].index.value);
    std::vector<program::Displaced> ranges =
        own == taken.end() ? std::vector<program::Displaced>{} : own->second;
    PlainFinder(binary, *code, makeslice->entry).find(found[i], ranges);
  });
  std::vector<AppendSite> sites;
  for (std::vector<AppendSite>& part : found) sites.insert(sites.end(), part.begin(), part.end());
  std::sort(sites.begin(), sites.end(),
            [](const AppendSite& a, const AppendSite& b) { return a.call < b.call; });
  sites.erase(
      std::unique(sites.begin(), sites.end(),
                  [](const AppendSite& a, const AppendSite& b) { return a.call == b.call; }),
      sites.end());
  return sites;
}

}  // namespace geist::sites
